"""The cards that come with the package, each an attribute that is read from its file when it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fusionbench.datasets.card import Card, read

_FOLDER: Final = Path(__file__).parent / "cards"


def __getattr__(name: str) -> Card:
    path = _FOLDER / f"{name}.toml"
    if name.startswith("_") or not path.is_file():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return read(path)
