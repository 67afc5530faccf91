"""The few nouns that every floor shares: images, pairs, cards, and the error a user can act on."""

from __future__ import annotations

from collections.abc import Mapping
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
Kind: TypeAlias = Literal["rule", "classical", "network", "foreign"]
"""What a method is; a foreign one is a file or a program of the user's."""
Color: TypeAlias = Literal["luma", "per-channel", "grey"]
"""What can be done about a visible image in colour; `fusionbench.fusing.fuse` says what each of them means."""


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
    fooled : str
        What raises (or lowers) it without making the image better.
    colour : bool
        Whether it looks at the images as they are stored, in colour, instead of at their grey planes.
    weights : str
        How the user gives the weights that it needs, in part of a sentence; empty if it needs none. A metric that does is
        optional: ``"all"`` leaves it out where they are not given.
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
    fooled: str = ""
    colour: bool = False
    weights: str = ""


@dataclass(frozen=True, slots=True)
class MethodCard:
    """What a reader must know of a fusion method before comparing with it.

    Attributes
    ----------
    name : str
        Short name on the command line, e.g. ``"gff"``.
    title : str
        Full name.
    authors, year, doi : str, int, str
        The paper.
    summary : str
        What it does, in three sentences.
    defaults : str
        Where the default parameters come from.
    presets : mapping of str to mapping
        Named parameter sets; ``"vifb"`` makes the images that VIFB publishes.
    joint : bool
        Whether it fuses an infrared plane with a colour image in one go when asked to fuse per channel; the others get
        one channel after the other.
    identity : float or None
        Largest difference, in levels, between an image and its fusion with itself; None where the method promises none.
    smallest : int
        Shortest side in pixels that it can fuse.
    luma : {"rounded", "exact"}
        Whether the luma of a visible image in colour is rounded to the depth of the image before it is fused.
    version : int
        Raised whenever the images it makes change.
    color : {"luma", "per-channel", "grey"}
        What is done about a visible image in colour if nobody says otherwise.
    kind : {"rule", "classical", "network", "foreign"}
        A rule for every pixel, an algorithm, a network, or whatever a file or a program of the user's does.
    """

    name: str
    title: str
    authors: str
    year: int
    doi: str
    summary: str
    defaults: str
    presets: Mapping[str, Mapping[str, Any]]
    joint: bool
    identity: float | None
    smallest: int
    luma: Literal["rounded", "exact"]
    version: int = 1
    color: Color = "luma"
    kind: Kind = "classical"
