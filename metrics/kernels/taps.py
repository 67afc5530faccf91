"""Sums over symmetric windows of 3 to 17 taps, written out term by term.

These sums are most of the time that SSIM and VIF take. Written out, with the distance of neighbours a constant, the loop
over a row keeps every weight in a register and becomes vector loads, adds and fused multiply-adds alone; with a loop
over the taps it runs ten times slower. Weights of equal distance from the middle are equal, so their samples are added
first. Down a column, four sums are made at once because they share most of their samples.

Half of the weights is passed, the middle one last; the window's size follows from their number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import jit_fused as jit

STRIDE = 96
"""Distance of the rows of `samples`: enough for them to stay in the first-level cache, and no divisor of its period."""
LANES = 8
"""Distance of horizontal neighbours."""

Array = NDArray[np.float64]


@jit
def _down_3(samples: Array, w: Array, sums: Array, start: int, count: int) -> None:
    w0, w1 = w[0], w[1]
    for y in range(0, sums.shape[0], 4):
        z = samples[y * STRIDE :]
        out0 = sums[y, start : start + count]
        out1 = sums[y + 1, start : start + count]
        out2 = sums[y + 2, start : start + count]
        out3 = sums[y + 3, start : start + count]
        for x in range(count):
            a, b, c, d, e, f = z[x], z[x + 96], z[x + 192], z[x + 288], z[x + 384], z[x + 480]
            out0[x] = w1 * b + w0 * (a + c)
            out1[x] = w1 * c + w0 * (b + d)
            out2[x] = w1 * d + w0 * (c + e)
            out3[x] = w1 * e + w0 * (d + f)


@jit
def _across_3(sums: Array, w: Array, means: Array) -> None:
    w0, w1 = w[0], w[1]
    for y in range(means.shape[0]):
        z = sums[y]
        out = means[y]
        for x in range(out.size):
            out[x] = w1 * z[x + 8] + w0 * (z[x] + z[x + 16])


@jit
def _down_5(samples: Array, w: Array, sums: Array, start: int, count: int) -> None:
    w0, w1, w2 = w[0], w[1], w[2]
    for y in range(0, sums.shape[0], 4):
        z = samples[y * STRIDE :]
        out0 = sums[y, start : start + count]
        out1 = sums[y + 1, start : start + count]
        out2 = sums[y + 2, start : start + count]
        out3 = sums[y + 3, start : start + count]
        for x in range(count):
            a, b, c, d, e, f, g = z[x], z[x + 96], z[x + 192], z[x + 288], z[x + 384], z[x + 480], z[x + 576]
            h = z[x + 672]
            out0[x] = w2 * c + w1 * (b + d) + w0 * (a + e)
            out1[x] = w2 * d + w1 * (c + e) + w0 * (b + f)
            out2[x] = w2 * e + w1 * (d + f) + w0 * (c + g)
            out3[x] = w2 * f + w1 * (e + g) + w0 * (d + h)


@jit
def _across_5(sums: Array, w: Array, means: Array) -> None:
    w0, w1, w2 = w[0], w[1], w[2]
    for y in range(means.shape[0]):
        z = sums[y]
        out = means[y]
        for x in range(out.size):
            out[x] = w2 * z[x + 16] + w1 * (z[x + 8] + z[x + 24]) + w0 * (z[x] + z[x + 32])


@jit
def _down_7(samples: Array, w: Array, sums: Array, start: int, count: int) -> None:
    w0, w1, w2, w3 = w[0], w[1], w[2], w[3]
    for y in range(0, sums.shape[0], 4):
        z = samples[y * STRIDE :]
        out0 = sums[y, start : start + count]
        out1 = sums[y + 1, start : start + count]
        out2 = sums[y + 2, start : start + count]
        out3 = sums[y + 3, start : start + count]
        for x in range(count):
            a, b, c, d, e, f, g = z[x], z[x + 96], z[x + 192], z[x + 288], z[x + 384], z[x + 480], z[x + 576]
            h, i, j = z[x + 672], z[x + 768], z[x + 864]
            out0[x] = w3 * d + w2 * (c + e) + w1 * (b + f) + w0 * (a + g)
            out1[x] = w3 * e + w2 * (d + f) + w1 * (c + g) + w0 * (b + h)
            out2[x] = w3 * f + w2 * (e + g) + w1 * (d + h) + w0 * (c + i)
            out3[x] = w3 * g + w2 * (f + h) + w1 * (e + i) + w0 * (d + j)


@jit
def _across_7(sums: Array, w: Array, means: Array) -> None:
    w0, w1, w2, w3 = w[0], w[1], w[2], w[3]
    for y in range(means.shape[0]):
        z = sums[y]
        out = means[y]
        for x in range(out.size):
            out[x] = (
                w3 * z[x + 24] + w2 * (z[x + 16] + z[x + 32]) + w1 * (z[x + 8] + z[x + 40]) + w0 * (z[x] + z[x + 48])
            )


@jit
def _down_9(samples: Array, w: Array, sums: Array, start: int, count: int) -> None:
    w0, w1, w2, w3, w4 = w[0], w[1], w[2], w[3], w[4]
    for y in range(0, sums.shape[0], 4):
        z = samples[y * STRIDE :]
        out0 = sums[y, start : start + count]
        out1 = sums[y + 1, start : start + count]
        out2 = sums[y + 2, start : start + count]
        out3 = sums[y + 3, start : start + count]
        for x in range(count):
            a, b, c, d, e, f, g = z[x], z[x + 96], z[x + 192], z[x + 288], z[x + 384], z[x + 480], z[x + 576]
            h, i, j, k, l = z[x + 672], z[x + 768], z[x + 864], z[x + 960], z[x + 1056]
            out0[x] = w4 * e + w3 * (d + f) + w2 * (c + g) + w1 * (b + h) + w0 * (a + i)
            out1[x] = w4 * f + w3 * (e + g) + w2 * (d + h) + w1 * (c + i) + w0 * (b + j)
            out2[x] = w4 * g + w3 * (f + h) + w2 * (e + i) + w1 * (d + j) + w0 * (c + k)
            out3[x] = w4 * h + w3 * (g + i) + w2 * (f + j) + w1 * (e + k) + w0 * (d + l)


@jit
def _across_9(sums: Array, w: Array, means: Array) -> None:
    w0, w1, w2, w3, w4 = w[0], w[1], w[2], w[3], w[4]
    for y in range(means.shape[0]):
        z = sums[y]
        out = means[y]
        for x in range(out.size):
            out[x] = (
                w4 * z[x + 32]
                + w3 * (z[x + 24] + z[x + 40])
                + w2 * (z[x + 16] + z[x + 48])
                + w1 * (z[x + 8] + z[x + 56])
                + w0 * (z[x] + z[x + 64])
            )


@jit
def _down_11(samples: Array, w: Array, sums: Array, start: int, count: int) -> None:
    w0, w1, w2, w3, w4, w5 = w[0], w[1], w[2], w[3], w[4], w[5]
    for y in range(0, sums.shape[0], 4):
        z = samples[y * STRIDE :]
        out0 = sums[y, start : start + count]
        out1 = sums[y + 1, start : start + count]
        out2 = sums[y + 2, start : start + count]
        out3 = sums[y + 3, start : start + count]
        for x in range(count):
            a, b, c, d, e, f, g = z[x], z[x + 96], z[x + 192], z[x + 288], z[x + 384], z[x + 480], z[x + 576]
            h, i, j, k, l, m, n = z[x + 672], z[x + 768], z[x + 864], z[x + 960], z[x + 1056], z[x + 1152], z[x + 1248]
            out0[x] = w5 * f + w4 * (e + g) + w3 * (d + h) + w2 * (c + i) + w1 * (b + j) + w0 * (a + k)
            out1[x] = w5 * g + w4 * (f + h) + w3 * (e + i) + w2 * (d + j) + w1 * (c + k) + w0 * (b + l)
            out2[x] = w5 * h + w4 * (g + i) + w3 * (f + j) + w2 * (e + k) + w1 * (d + l) + w0 * (c + m)
            out3[x] = w5 * i + w4 * (h + j) + w3 * (g + k) + w2 * (f + l) + w1 * (e + m) + w0 * (d + n)


@jit
def _across_11(sums: Array, w: Array, means: Array) -> None:
    w0, w1, w2, w3, w4, w5 = w[0], w[1], w[2], w[3], w[4], w[5]
    for y in range(means.shape[0]):
        z = sums[y]
        out = means[y]
        for x in range(out.size):
            out[x] = (
                w5 * z[x + 40]
                + w4 * (z[x + 32] + z[x + 48])
                + w3 * (z[x + 24] + z[x + 56])
                + w2 * (z[x + 16] + z[x + 64])
                + w1 * (z[x + 8] + z[x + 72])
                + w0 * (z[x] + z[x + 80])
            )


@jit
def _down_17(samples: Array, w: Array, sums: Array, start: int, count: int) -> None:
    w0, w1, w2, w3, w4, w5, w6, w7, w8 = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8]
    for y in range(0, sums.shape[0], 4):
        z = samples[y * STRIDE :]
        out0 = sums[y, start : start + count]
        out1 = sums[y + 1, start : start + count]
        out2 = sums[y + 2, start : start + count]
        out3 = sums[y + 3, start : start + count]
        for x in range(count):
            a, b, c, d, e, f, g = z[x], z[x + 96], z[x + 192], z[x + 288], z[x + 384], z[x + 480], z[x + 576]
            h, i, j, k, l, m, n = z[x + 672], z[x + 768], z[x + 864], z[x + 960], z[x + 1056], z[x + 1152], z[x + 1248]
            o, p, q, r, s, t = z[x + 1344], z[x + 1440], z[x + 1536], z[x + 1632], z[x + 1728], z[x + 1824]
            out0[x] = (
                w8 * i
                + w7 * (h + j)
                + w6 * (g + k)
                + w5 * (f + l)
                + w4 * (e + m)
                + w3 * (d + n)
                + w2 * (c + o)
                + w1 * (b + p)
                + w0 * (a + q)
            )
            out1[x] = (
                w8 * j
                + w7 * (i + k)
                + w6 * (h + l)
                + w5 * (g + m)
                + w4 * (f + n)
                + w3 * (e + o)
                + w2 * (d + p)
                + w1 * (c + q)
                + w0 * (b + r)
            )
            out2[x] = (
                w8 * k
                + w7 * (j + l)
                + w6 * (i + m)
                + w5 * (h + n)
                + w4 * (g + o)
                + w3 * (f + p)
                + w2 * (e + q)
                + w1 * (d + r)
                + w0 * (c + s)
            )
            out3[x] = (
                w8 * l
                + w7 * (k + m)
                + w6 * (j + n)
                + w5 * (i + o)
                + w4 * (h + p)
                + w3 * (g + q)
                + w2 * (f + r)
                + w1 * (e + s)
                + w0 * (d + t)
            )


@jit
def _across_17(sums: Array, w: Array, means: Array) -> None:
    w0, w1, w2, w3, w4, w5, w6, w7, w8 = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8]
    for y in range(means.shape[0]):
        z = sums[y]
        out = means[y]
        for x in range(out.size):
            out[x] = (
                w8 * z[x + 64]
                + w7 * (z[x + 56] + z[x + 72])
                + w6 * (z[x + 48] + z[x + 80])
                + w5 * (z[x + 40] + z[x + 88])
                + w4 * (z[x + 32] + z[x + 96])
                + w3 * (z[x + 24] + z[x + 104])
                + w2 * (z[x + 16] + z[x + 112])
                + w1 * (z[x + 8] + z[x + 120])
                + w0 * (z[x] + z[x + 128])
            )


@jit
def down(samples: Array, weights: Array, sums: Array, start: int, count: int) -> None:
    """Vertical sums of `count` columns of samples, (rows + size - 1) x STRIDE, into columns `start`... of `sums`, (rows, width).

    The number of rows is a multiple of four.
    """
    if weights.size == 9:
        _down_17(samples, weights, sums, start, count)
    elif weights.size == 6:
        _down_11(samples, weights, sums, start, count)
    elif weights.size == 5:
        _down_9(samples, weights, sums, start, count)
    elif weights.size == 4:
        _down_7(samples, weights, sums, start, count)
    elif weights.size == 3:
        _down_5(samples, weights, sums, start, count)
    else:
        _down_3(samples, weights, sums, start, count)


@jit
def across(sums: Array, weights: Array, means: Array) -> None:
    """Horizontal sums of `sums`, (rows, width) dealt into lanes, into `means`, (rows, width - 8 * (size - 1))."""
    if weights.size == 9:
        _across_17(sums, weights, means)
    elif weights.size == 6:
        _across_11(sums, weights, means)
    elif weights.size == 5:
        _across_9(sums, weights, means)
    elif weights.size == 4:
        _across_7(sums, weights, means)
    elif weights.size == 3:
        _across_5(sums, weights, means)
    else:
        _across_3(sums, weights, means)
