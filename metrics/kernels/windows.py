"""Weighted means over every position of a window, tile by tile, so that no map is ever stored.

A plane is first *dealt*: its columns are cut into eight runs of equal length and laid out so that neighbours in memory
are one run apart, as cards are dealt to eight players. One step along a row is then a step of a whole vector, and
horizontal sums read whole, aligned vectors. `tile[y, 8 * j + lane]` belongs to row `top + y` and column
`lane * length + j`. What is done pixel by pixel does not care about this order; what adds up over pixels takes
`total_inside`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import jit
from .taps import LANES as LANES
from .taps import STRIDE, across, down

TILE = 16
"""Rows of a tile: a multiple of four, few enough for seven tiles to stay in the second-level cache."""
BAND = 800
"""Widest image whose tiles stay there; a wider one is worked off in bands of columns."""

Array = NDArray[np.float64]
Plane = NDArray[np.uint8] | Array


@jit
def lane_length(columns: int) -> int:
    """Columns per lane."""
    return (columns + LANES - 1) // LANES


@jit
def total_inside(row: Array, columns: int) -> float:
    """Sum of a dealt row over its first `columns` columns."""
    length = row.size // LANES
    total = 0.0
    for lane in range(LANES):
        for j in range(min(length, columns - lane * length)):
            total += row[LANES * j + lane]
    return total


@jit
def deal(plane: Plane, start: int, stop: int, dealt: Plane) -> None:
    """Columns `start` to `stop` of (H, W) -> (H, 8 * length); what the last lanes lack is filled with the last of them."""
    length = dealt.shape[1] // LANES
    for y in range(plane.shape[0]):
        source = plane[y, start:stop]
        row = dealt[y]
        for lane in range(LANES):
            run = source[min(lane * length, source.size) : (lane + 1) * length]
            for j in range(run.size):
                row[LANES * j + lane] = run[j]
            for j in range(run.size, length):
                row[LANES * j + lane] = source[source.size - 1]


@jit
def scratch_size(width: int, size: int, tiles: int) -> int:
    """Numbers of working memory that `carve` hands out."""
    span = LANES * lane_length(width)
    return STRIDE * (TILE + size - 1) + TILE * (span + LANES * size) + tiles * TILE * span


@jit
def carve(scratch: Array, span: int, size: int, tiles: int) -> tuple[Array, Array, Array]:
    """Samples, vertical sums, and so many tiles, in working memory that is reused from call to call."""
    first = STRIDE * (TILE + size - 1)
    second = first + TILE * (span + LANES * size)
    third = second + tiles * TILE * span
    return (
        scratch[:first],
        scratch[first:second].reshape((TILE, span + LANES * size)),
        scratch[second:third].reshape((tiles, TILE, span)),
    )


@jit
def _load(
    plane: Plane, other: Plane, alone: bool, ceiling: float, top: int, start: int, count: int, samples: Array
) -> None:
    """A block of a dealt plane, or of the product of two; below the image its last row goes on."""
    last = plane.shape[0] - 1
    for y in range(samples.size // STRIDE):
        row = min(top + y, last)
        p = plane[row, start : start + count]
        q = other[row, start : start + count]
        out = samples[y * STRIDE : y * STRIDE + count]
        if alone:
            for x in range(count):
                out[x] = p[x]
        else:
            for x in range(count):
                out[x] = min(np.float64(p[x]) * np.float64(q[x]), ceiling)


@jit
def tile_means(
    plane: Plane,
    other: Plane,
    alone: bool,
    ceiling: float,
    top: int,
    weights: Array,
    samples: Array,
    sums: Array,
    out: Array,
) -> None:
    """Window means of a plane (`alone`), or of the product of two planes clipped at `ceiling`, for one tile.

    Parameters
    ----------
    plane, other : (H, 8 * length) uint8 or float64
        Dealt planes.
    ceiling : float
        Products above it count as it; infinity for exact ones.
    top : int
        First row of the tile.
    weights : (size // 2 + 1,) float64
        One half of the window, the middle last.
    samples, sums : float64
        Working memory from `carve`.
    out : (TILE, 8 * length) float64
        Where the tile goes.
    """
    width = plane.shape[1]
    for start in range(0, width, STRIDE):
        count = min(STRIDE, width - start)
        _load(plane, other, alone, ceiling, top, start, count, samples)
        down(samples, weights, sums, start, count)
    # Beyond its own run a lane goes on in the next lane's.
    span = out.shape[1]
    for y in range(TILE):
        row = sums[y]
        for x in range(LANES * 2 * (weights.size - 1)):
            row[span + x] = row[x + 1]
    across(sums, weights, out)
