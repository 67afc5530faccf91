"""What is to be known of a file of weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NO_LICENCE: Final = "none stated by the authors, so all rights are theirs: use it, but do not pass it on"
"""What is said of weights that came without a word."""


@dataclass(frozen=True, slots=True)
class WeightsCard:
    """One file of weights.

    Attributes
    ----------
    name : str
        ``method@tag``, e.g. ``"cs2fusion@official"``.
    file : str
        How its makers call the file.
    home : str
        Page of its makers, where a person finds it.
    url : str
        Where a program gets it; empty if only a person can.
    sha256 : str
        Of the file; empty where no copy was at hand to take it from.
    content : str
        `fusionbench.baselines.learned.checkpoints.fingerprint` of the tensors, likewise.
    licence : str
        As stated by its makers; none stated is said.
    trained : str
        On what, and by whom.
    fuses : bool
        Whether a network with these weights fuses images; otherwise they serve training only.
    shipped : bool
        Whether it comes with this package.
    """

    name: str
    file: str
    home: str
    licence: str
    trained: str
    url: str = ""
    sha256: str = ""
    content: str = ""
    fuses: bool = True
    shipped: bool = False

    @property
    def method(self) -> str:
        """The method that these are weights of."""
        return self.name.partition("@")[0]

    @property
    def tag(self) -> str:
        """Who trained them, in a word."""
        return self.name.partition("@")[2]
