"""The fusion methods to compare with, imported as ``fusionbench.baselines``."""

from __future__ import annotations

if __name__ != "fusionbench.baselines":
    raise ImportError(f"Import fusionbench.baselines, not {__name__}: under a second name everything would load twice.")
