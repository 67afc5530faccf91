"""What is not collected where torch, an extra, is not installed: modules that would be imported for their doctests."""

from __future__ import annotations

from importlib.util import find_spec

_NEED_TORCH = (
    "learned/adapter.py",
    "learned/clfnet.py",
    "learned/coconet.py",
    "learned/cs2fusion.py",
    "learned/networks.py",
)

collect_ignore_glob: list[str] = []
if find_spec("torch") is None:
    collect_ignore_glob += [f"fusionbench/baselines/{file}" for file in (*_NEED_TORCH, "training/*.py")]
