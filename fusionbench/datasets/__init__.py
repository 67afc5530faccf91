"""Sets of pairs of images: what is known of each, how it is got, and where its pairs are on disk."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from fusionbench.registry import Registry

if TYPE_CHECKING:
    from .card import Card as Card
    from .fetching import fetch as fetch
    from .layouts import Pairs as Pairs
    from .layouts import pairs_in as pairs_in
    from .loading import load as load
    from .verifying import verify as verify

DATASETS: Registry[Card] = Registry(
    "dataset",
    "fusionbench.datasets",
    {
        name: f"{__name__}.builtin:{name}"
        for name in (
            "tno",
            "roadscene",
            "msrs",
            "m3fd",
            "llvip",
            "fmb",
            "vifb",
            "kaist",
            "mri-ct",
            "mri-pet",
            "mri-spect",
            "lytro",
            "mffw",
            "mefb",
            "sice",
            "synthetic",
        )
    },
)
"""The card of every dataset, by its short name."""

_WORDS = {
    "Card": "card",
    "Pairs": "layouts",
    "fetch": "fetching",
    "load": "loading",
    "pairs_in": "layouts",
    "verify": "verifying",
}


def __getattr__(name: str) -> object:
    if name not in _WORDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WORDS[name]}"), name)


def available() -> list[str]:
    """Short names of all datasets, plugins included."""
    return DATASETS.names()


def register(card: Card) -> None:
    """Add the card of a dataset of one's own, under its name.

    Raises
    ------
    UserError
        If the name is taken by another dataset.
    """
    if card.name in DATASETS:
        # Only what has been loaded cannot be taken over.
        DATASETS[card.name]
    DATASETS.register(card.name, card)
