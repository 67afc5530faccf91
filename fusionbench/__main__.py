"""``python -m fusionbench`` is ``fusionbench``."""

from __future__ import annotations

from fusionbench.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
