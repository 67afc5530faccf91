"""Where an image that does not fit into memory is cut, and how much each tile counts where they overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cut:
    """One tile along one axis.

    Attributes
    ----------
    window : slice
        The pixels it is made from.
    share : ndarray of float64
        How much it counts in each of them.
    """

    window: slice
    share: NDArray[np.float64]


def cuts(length: int, tile: int, *, overlap: int, multiple: int = 1, fading: bool = False) -> list[Cut]:
    """Tiles along one axis.

    Parameters
    ----------
    length : int
        Pixels of the axis.
    tile : int
        Longest window, in pixels; more than ``2 * overlap + multiple``.
    overlap : int
        Pixels that a window has beyond the part that is its own, to each side, except at the ends of the axis.
    multiple : int
        Windows begin at multiples of this, of which `overlap` is one.
    fading : bool
        Let each tile fade into the next, where none of them is right and a step would be seen. Otherwise a tile counts
        in its own part alone.

    Returns
    -------
    list of Cut

    Examples
    --------
    >>> [(cut.window.start, cut.window.stop, int(cut.share.sum())) for cut in cuts(10, 6, overlap=1)]
    [(0, 5, 4), (3, 9, 4), (7, 10, 2)]
    """
    own = (tile - 2 * overlap) // multiple * multiple
    tiles = []
    for start in range(0, length, own):
        first, last = max(0, start - overlap), min(length, start + own + overlap)
        # Pixels from the nearer end of its own part, negative outside.
        depth = np.minimum(np.arange(first, last) - start, start + own - 1 - np.arange(first, last))
        share = np.minimum((depth + overlap + 1) / (2 * overlap + 1), 1) if fading else np.where(depth >= 0, 1.0, 0.0)
        tiles.append(Cut(slice(first, last), share))
    return tiles


def alike(rows: Sequence[Cut], columns: Sequence[Cut], most: int) -> Iterator[list[tuple[Cut, Cut]]]:
    """Every row with every column, those of one size together, so many at most."""
    groups: dict[tuple[int, int], list[tuple[Cut, Cut]]] = {}
    for row in rows:
        for column in columns:
            groups.setdefault((len(row.share), len(column.share)), []).append((row, column))
    for group in groups.values():
        for start in range(0, len(group), most):
            yield group[start : start + most]
