"""What a convolutional network computes, in single precision: sums of taps over channels, and distances of features.

A plane with a border is read as one long row, in which every tap of a window is at a fixed distance; the sums at the ends
of its rows, where a window would wrap around, are computed and not used. So there is one loop for windows of every size, and
no copy of the samples for each tap. Eight outputs of 32 positions at a time stay in registers, sixteen vectors to which
every tap adds its two vectors of samples times eight weights: as many multiplications as the processor can do. The order
of the additions is fixed, so that no result depends on how many threads there are, as that of a BLAS would.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import jit_fused as jit
from .vectors import larger, load, load_everywhere, spread, store

CHUNK = 512
"""Positions of features at a time."""
OUTPUTS = 8
STEP = 32
"""Positions whose sums are in registers."""
_BLOCK = 4 * STEP
"""Positions at a time: their samples of all taps stay in the second-level cache."""

Array = NDArray[np.float32]


@jit
def convolve(
    samples: Array, places: NDArray[np.int64], weights: Array, bias: Array, least: np.float32, out: Array
) -> None:
    """Sums of weighted samples, raised to what they have to be at least.

    Parameters
    ----------
    samples : (n,) float32
        All planes, one after the other, and as many more numbers, which may be anything, as sums of the last positions see.
    places : (taps,) int64
        Where the first sample of every tap is.
    weights : (outputs / 8, taps, 8) float32
        Eight outputs at a time.
    bias : (outputs,) float32
        Added.
    least : float32
        Smaller sums become it.
    out : (outputs, positions) float32
        Result, for a multiple of `STEP` of positions.
    """
    positions, taps = out.shape[1], places.size
    floor = spread(least)
    for block in range(0, positions, _BLOCK):
        for group in range(weights.shape[0]):
            k = OUTPUTS * group
            for start in range(block, min(block + _BLOCK, positions), STEP):
                a0 = b0 = load_everywhere(bias, k)
                a1 = b1 = load_everywhere(bias, k + 1)
                a2 = b2 = load_everywhere(bias, k + 2)
                a3 = b3 = load_everywhere(bias, k + 3)
                a4 = b4 = load_everywhere(bias, k + 4)
                a5 = b5 = load_everywhere(bias, k + 5)
                a6 = b6 = load_everywhere(bias, k + 6)
                a7 = b7 = load_everywhere(bias, k + 7)
                w = k * taps
                for tap in range(taps):
                    at = places[tap] + start
                    x, y = load(samples, at), load(samples, at + STEP // 2)
                    v = load_everywhere(weights, w)
                    a0, b0 = a0 + v * x, b0 + v * y
                    v = load_everywhere(weights, w + 1)
                    a1, b1 = a1 + v * x, b1 + v * y
                    v = load_everywhere(weights, w + 2)
                    a2, b2 = a2 + v * x, b2 + v * y
                    v = load_everywhere(weights, w + 3)
                    a3, b3 = a3 + v * x, b3 + v * y
                    v = load_everywhere(weights, w + 4)
                    a4, b4 = a4 + v * x, b4 + v * y
                    v = load_everywhere(weights, w + 5)
                    a5, b5 = a5 + v * x, b5 + v * y
                    v = load_everywhere(weights, w + 6)
                    a6, b6 = a6 + v * x, b6 + v * y
                    v = load_everywhere(weights, w + 7)
                    a7, b7 = a7 + v * x, b7 + v * y
                    w += OUTPUTS
                sums = ((a0, b0), (a1, b1), (a2, b2), (a3, b3), (a4, b4), (a5, b5), (a6, b6), (a7, b7))
                for j in range(OUTPUTS):
                    at = (k + j) * positions + start
                    store(out, at, larger(sums[j][0], floor))
                    store(out, at + STEP // 2, larger(sums[j][1], floor))


@jit
def spread_tiles(window: Array, out: Array) -> None:
    """Tiles of 4 x 4 samples, two apart, as the sums and differences of which Winograd's products are made.

    Parameters
    ----------
    window : (channels, 2 * rows + 2, 2 * columns + 2) float32
        Samples.
    out : (16, channels, at least rows * columns) float32
        What becomes of each of a tile's samples, tile after tile.
    """
    rows, columns = window.shape[1] // 2 - 1, window.shape[2] // 2 - 1
    # Every second sample lies together, for the loops to read whole vectors.
    even, odd = np.empty((4, columns + 1), np.float32), np.empty((4, columns + 1), np.float32)
    for channel in range(window.shape[0]):
        for y in range(rows):
            r0, r1, r2, r3 = (
                window[channel, 2 * y],
                window[channel, 2 * y + 1],
                window[channel, 2 * y + 2],
                window[channel, 2 * y + 3],
            )
            for x in range(columns + 1):
                a, b, c, d = r0[2 * x], r1[2 * x], r2[2 * x], r3[2 * x]
                even[0, x], even[1, x], even[2, x], even[3, x] = a - c, b + c, c - b, b - d
                a, b, c, d = r0[2 * x + 1], r1[2 * x + 1], r2[2 * x + 1], r3[2 * x + 1]
                odd[0, x], odd[1, x], odd[2, x], odd[3, x] = a - c, b + c, c - b, b - d
            first, last = y * columns, (y + 1) * columns
            for k in range(4):
                e, o = even[k], odd[k]
                p, q = out[4 * k, channel, first:last], out[4 * k + 1, channel, first:last]
                r, s = out[4 * k + 2, channel, first:last], out[4 * k + 3, channel, first:last]
                for x in range(columns):
                    p[x] = e[x] - e[x + 1]
                    q[x] = o[x] + e[x + 1]
                    r[x] = e[x + 1] - o[x]
                    s[x] = o[x] - o[x + 1]


@jit
def gather_tiles(products: Array, bias: Array, out: Array) -> None:
    """Winograd's products as 2 x 2 results a tile, without what is negative.

    Parameters
    ----------
    products : (16, outputs, at least rows * columns) float32
        Tile after tile.
    bias : (outputs,) float32
        Added.
    out : (outputs, 2 * rows, 2 * columns) float32
        Results.
    """
    rows, columns = out.shape[1] // 2, out.shape[2] // 2
    sums = np.empty((2, 4, columns), np.float32)
    for k in range(bias.size):
        for y in range(rows):
            first, last = y * columns, (y + 1) * columns
            for j in range(4):
                a, b = products[j, k, first:last], products[4 + j, k, first:last]
                c, d = products[8 + j, k, first:last], products[12 + j, k, first:last]
                for x in range(columns):
                    sums[0, j, x] = a[x] + b[x] + c[x]
                    sums[1, j, x] = b[x] - c[x] - d[x]
            for half in range(2):
                a, b, c, d = sums[half, 0], sums[half, 1], sums[half, 2], sums[half, 3]
                line = out[k, 2 * y + half]
                for x in range(columns):
                    line[2 * x] = max(a[x] + b[x] + c[x] + bias[k], np.float32(0))
                    line[2 * x + 1] = max(b[x] - c[x] - d[x] + bias[k], np.float32(0))


@jit
def highest(window: Array, size: int, stride: int, out: Array) -> None:
    """Maximum over windows of size x size, (channels, H, W) -> (channels, rows, columns)."""
    across = np.empty(window.shape[2], np.float32)
    for channel in range(out.shape[0]):
        for y in range(out.shape[1]):
            rows = window[channel, y * stride : y * stride + size]
            across[:] = rows[0]
            for k in range(1, size):
                line = rows[k]
                for x in range(across.size):
                    across[x] = max(across[x], line[x])
            for x in range(out.shape[2]):
                most = across[x * stride]
                for k in range(1, size):
                    most = max(most, across[x * stride + k])
                out[channel, y, x] = most


@jit
def normalise(features: Array) -> None:
    """Divide the features at every position by their length, in place: (channels, positions) float32, none negative."""
    for start in range(0, features.shape[1], CHUNK):
        stop = min(start + CHUNK, features.shape[1])
        squares = np.zeros(stop - start)
        for channel in range(features.shape[0]):
            row = features[channel, start:stop]
            for i in range(row.size):
                squares[i] += np.float64(row[i]) * row[i]
        scale = 1 / (np.sqrt(squares) + 1e-10)
        for channel in range(features.shape[0]):
            row = features[channel, start:stop]
            for i in range(row.size):
                row[i] *= scale[i]


@jit
def distances(first: Array, second: Array, head: Array, out: NDArray[np.float64]) -> None:
    """Sums over channels of weighted squared differences, at every position.

    Parameters
    ----------
    first, second : (channels, positions) float32
        Features.
    head : (channels,) float32
        Weights.
    out : (positions,) float64
        Result.
    """
    for start in range(0, out.size, CHUNK):
        sums = out[start : start + CHUNK]
        sums[:] = 0.0
        for channel in range(head.size):
            weight = np.float64(head[channel])
            a, b = first[channel, start : start + CHUNK], second[channel, start : start + CHUNK]
            for i in range(sums.size):
                difference = np.float64(a[i] - b[i])
                sums[i] += weight * (difference * difference)
