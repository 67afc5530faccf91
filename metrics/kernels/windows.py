"""Weighted means over every position of a window, tile by tile, so that no map is ever stored.

A plane is first *dealt*: its columns are cut into eight runs of equal length and laid out so that neighbours in memory
are one run apart, as cards are dealt to eight players. One step along a row is then a step of a whole vector, and the
sum down a column and the sum along a row are the same sum over blocks. A tile is sixteen rows of such a plane; in it,
`tile[j, 8 * y + lane]` belongs to row `top + y` and column `lane * length + j`. What is done pixel by pixel does not
care about the order; what adds up over pixels leaves out the positions that `open_lanes` and the height do not cover.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import jit, jit_fused
from .taps import AT_ONCE, BLOCK, windowed

LANES = 8
TILE = BLOCK // LANES
BAND = 768
"""Columns that are worked off together: with more, a tile and its companions leave the second-level cache."""

Array = NDArray[np.float64]


@jit
def lane_length(columns: int) -> int:
    """Blocks that hold `columns` columns."""
    return (columns + LANES - 1) // LANES


@jit
def open_lanes(j: int, length: int, columns: int) -> int:
    """How many of the eight lanes still have a column at step `j`."""
    return min(LANES, (columns - j + length - 1) // length)


@jit
def _tail(size: int) -> int:
    return (size - 1 + LANES - 1) // LANES * LANES


@jit
def deal(plane, size):  # type: ignore[no-untyped-def]
    """(H, W) -> (H, 8 * length + tail): the lanes, and behind them the last columns, which only the last lane needs."""
    height, width = plane.shape
    length = lane_length(width - size + 1)
    tail = _tail(size)
    dealt = np.empty((height, LANES * length + tail), plane.dtype)
    for y in range(height):
        source = plane[y]
        row = dealt[y]
        for lane in range(LANES):
            start = min(lane * length, width)
            run = source[start : start + length]
            for j in range(run.size):
                row[LANES * j + lane] = run[j]
            for j in range(run.size, length):
                row[LANES * j + lane] = source[width - 1]
        for i in range(tail):
            row[LANES * length + i] = source[min(LANES * length + i, width - 1)]
    return dealt


@jit
def scratch_size(columns: int, size: int, tiles: int) -> int:
    """Numbers of working memory that `carve` hands out."""
    length = (lane_length(columns) + AT_ONCE - 1) // AT_ONCE * AT_ONCE
    return BLOCK * ((TILE + size + AT_ONCE) + TILE + (length + size + AT_ONCE) + tiles * length)


@jit
def carve(scratch, columns, size, tiles):  # type: ignore[no-untyped-def]
    """Working memory, reused from call to call: fresh pages cost more than the arithmetic done on them."""
    length = (lane_length(columns) + AT_ONCE - 1) // AT_ONCE * AT_ONCE
    first = BLOCK * (TILE + size + AT_ONCE)
    second = first + BLOCK * TILE
    third = second + BLOCK * (length + size + AT_ONCE)
    fourth = third + tiles * length * BLOCK
    return (
        scratch[:first],
        scratch[first:second],
        scratch[second:third],
        scratch[third:fourth].reshape((tiles, length, BLOCK)),
    )


@jit
def _load(plane, other, alone, ceiling, top, start, samples):  # type: ignore[no-untyped-def]
    """One block column of a dealt plane, or of the product of two; below the image its last row goes on."""
    last = plane.shape[0] - 1
    for y in range(samples.size // BLOCK):
        p = plane[min(top + y, last), start : start + BLOCK]
        q = other[min(top + y, last), start : start + BLOCK]
        out = samples[y * BLOCK : y * BLOCK + p.size]
        if alone:
            for x in range(out.size):
                out[x] = p[x]
        elif ceiling > 0.0:
            for x in range(out.size):
                out[x] = min(np.float64(p[x]) * np.float64(q[x]), ceiling)
        else:
            for x in range(out.size):
                out[x] = p[x] * q[x]


@jit
def tile_means(plane, other, alone, ceiling, top, length, weights, work, out):  # type: ignore[no-untyped-def]
    """Window means of a plane (`alone`), or of the product of two planes clipped at `ceiling`, for one tile.

    Parameters
    ----------
    plane, other : (H, 8 * length + tail) uint8 or float64
        Dealt planes.
    ceiling : float
        Products above it count as it; 0 for none.
    top : int
        First row of the tile.
    weights : (size // 2 + 1,) float64
        One half of the window, the middle last.
    out : (>= length, 128) float64
        Where the tile goes.
    """
    samples, sums, blocks = work
    size = 2 * weights.size - 1
    samples = samples[: (TILE + size - 1) * BLOCK]
    for start in range(0, plane.shape[1], BLOCK):
        _load(plane, other, alone, ceiling, top, start, samples)
        for y in range(0, TILE, AT_ONCE):
            windowed(samples[y * BLOCK :], weights, sums[y * BLOCK :])
        for j in range(min(TILE, (plane.shape[1] - start) // LANES)):
            block = blocks[(start // LANES + j) * BLOCK :]
            column = sums[j * LANES :]
            for y in range(TILE):
                for lane in range(LANES):
                    block[y * LANES + lane] = column[y * BLOCK + lane]
    _join_lanes(blocks, length, size)
    for j in range(0, length, AT_ONCE):
        windowed(blocks[j * BLOCK :], weights, out[j : j + AT_ONCE].reshape(AT_ONCE * BLOCK))


@jit
def _join_lanes(blocks, length, size):  # type: ignore[no-untyped-def]
    """Beyond its own run a lane goes on in the next lane's; the last one goes on in the columns behind the lanes."""
    edge = np.empty((size - 1, TILE))
    for i in range(size - 1):
        for y in range(TILE):
            edge[i, y] = blocks[(length + i // LANES) * BLOCK + y * LANES + i % LANES]
    for i in range(size - 1):
        here = blocks[i * BLOCK + 1 : (i + 1) * BLOCK]
        there = blocks[(length + i) * BLOCK : (length + i + 1) * BLOCK]
        for x in range(here.size):
            there[x] = here[x]
        for y in range(TILE):
            there[y * LANES + LANES - 1] = edge[i, y]
