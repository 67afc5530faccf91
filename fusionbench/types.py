"""The few nouns that every floor shares: images, pairs, cards, and the error a user can act on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[Any]
"""What users hand over: (H, W) grey or (H, W, 3) RGB; uint8, uint16, or float in [0, 1]."""
Levels: TypeAlias = NDArray[np.uint8]
"""One grey plane of 8-bit levels, (H, W), C-contiguous: what every metric is computed on."""

Better: TypeAlias = Literal["higher", "lower"]


class UserError(ValueError):
    """A mistake of the user's: one sentence that names the file or word and the remedy.

    The command line prints the sentence without a traceback and exits with code 2.
    """


@dataclass(frozen=True, slots=True)
class Pair:
    """One registered scene: the two files that show it, and the name they share."""

    name: str
    ir: Path
    vis: Path


@dataclass(frozen=True, slots=True)
class Fused:
    """One fused image on disk: which method made it, of which pair."""

    method: str
    pair: Pair
    path: Path


@dataclass(frozen=True, slots=True)
class MetricCard:
    """What a reader must know of a metric before believing its number.

    Attributes
    ----------
    name : str
        Short name as papers print it, e.g. ``"Qabf"``.
    title : str
        Full name.
    better : {"higher", "lower"}
        Which direction counts as better in a ranking.
    range : tuple of float
        Smallest and largest possible value of the `standard` definition.
    sources : bool
        Whether the source images enter, or only the fused one.
    version : int
        Raised whenever the definition (any number it prints) changes.
    reference : str
        The paper and equation it comes from.
    formula : str
        The `standard` definition in one line of plain text.
    standard : str
        Which choices `standard` makes where sources disagree, and why.
    undefined : str
        The inputs for which the formula is 0/0 or does not exist, and what is returned.
    """

    name: str
    title: str
    better: Better
    range: tuple[float, float]
    sources: bool
    version: int
    reference: str
    formula: str
    standard: str
    undefined: str
