"""Numbers made of another one: what lies between two numbers of one name in the literature."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Relation:
    """A number made of another one.

    Attributes
    ----------
    name : str
        What is done to the definition's number.
    reason : str
        How it comes about.
    apply : callable
        Does it.
    metrics : tuple of str
        Of which metrics it makes sense; of all if empty.
    """

    name: str
    reason: str
    apply: Callable[[Floats], Floats]
    metrics: tuple[str, ...] = ()


def _times(factor: float) -> Callable[[Floats], Floats]:
    return lambda x: x * factor


SAME: Final = Relation("", "", lambda x: x)
_DECIBELS: Final = 20 * math.log10(255)
_LOGARITHMS: Final = ("EN", "MI", "CE")
RELATIONS: Final = (
    Relation("× 2", "the sum over the two sources where the definition has the mean", _times(2)),
    Relation("/ 2", "the mean over the two sources where the definition has the sum", _times(1 / 2)),
    Relation("× 255", "levels of 0 to 255 where the definition has 0 to 1", _times(255)),
    Relation("/ 255", "levels of 0 to 1 where the definition has 0 to 255", _times(1 / 255)),
    Relation("× 255²", "squares of levels of 0 to 255 where the definition has 0 to 1", _times(255**2)),
    Relation("/ 255²", "squares of levels of 0 to 1 where the definition has 0 to 255", _times(1 / 255**2)),
    Relation("× 100", "per cent", _times(100)),
    Relation("× ln 2", "natural logarithms where the definition has base 2", _times(math.log(2)), _LOGARITHMS),
    Relation(
        "/ ln 2", "logarithms to base 2 where the definition has natural ones", _times(1 / math.log(2)), _LOGARITHMS
    ),
    Relation("× log10 2", "logarithms to base 10 where the definition has base 2", _times(math.log10(2)), _LOGARITHMS),
    Relation("squared", "the square, as a variance is of a deviation", np.square, ("SD", "RMSE", "SF")),
    Relation("root", "the root, as a deviation is of a variance", lambda x: np.sqrt(np.abs(x)), ("MSE",)),
    Relation("+ 48.13 dB", "a peak of 255 over an error of levels 0 to 1", lambda x: x + _DECIBELS, ("PSNR",)),
    Relation("− 48.13 dB", "a peak of 1 over an error of levels 0 to 255", lambda x: x - _DECIBELS, ("PSNR",)),
)
"""Every relation that is looked for."""


def relations_of(metric: str) -> list[Relation]:
    """Those that make sense of a metric."""
    return [each for each in RELATIONS if not each.metrics or metric in each.metrics]
