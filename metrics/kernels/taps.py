"""Symmetric weighted sums of 3 to 17 neighbouring blocks of 128 numbers, written out term by term.

These sums are most of the time that SSIM and VIF take. Written out, with the distance of neighbours a constant, the loop
over a block keeps every weight in a register and becomes vector loads, adds and fused multiply-adds alone; with a loop
over the taps it runs ten times slower. Weights of equal distance from the middle are equal, so their samples are added
first; four sums are made at once because they share most of their samples.

Every function takes the samples, the first half of the weights with the middle one last, and where the sums go.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import jit_fused as jit

BLOCK = 128
AT_ONCE = 4

Array = NDArray[np.float64]


@jit
def _sum_3(samples: Array, w: Array, sums: Array, blocks: int) -> None:
    w0, w1 = w[0], w[1]
    for i in range(0, blocks, AT_ONCE):
        z = samples[i * BLOCK :]
        out = sums[i * BLOCK :]
        for x in range(BLOCK):
            a, b, c, d, e, f = z[x], z[x + 128], z[x + 256], z[x + 384], z[x + 512], z[x + 640]
            out[x] = w1 * b + w0 * (a + c)
            out[x + 128] = w1 * c + w0 * (b + d)
            out[x + 256] = w1 * d + w0 * (c + e)
            out[x + 384] = w1 * e + w0 * (d + f)


@jit
def _sum_5(samples: Array, w: Array, sums: Array, blocks: int) -> None:
    w0, w1, w2 = w[0], w[1], w[2]
    for i in range(0, blocks, AT_ONCE):
        z = samples[i * BLOCK :]
        out = sums[i * BLOCK :]
        for x in range(BLOCK):
            a, b, c, d, e, f, g = z[x], z[x + 128], z[x + 256], z[x + 384], z[x + 512], z[x + 640], z[x + 768]
            h = z[x + 896]
            out[x] = w2 * c + w1 * (b + d) + w0 * (a + e)
            out[x + 128] = w2 * d + w1 * (c + e) + w0 * (b + f)
            out[x + 256] = w2 * e + w1 * (d + f) + w0 * (c + g)
            out[x + 384] = w2 * f + w1 * (e + g) + w0 * (d + h)


@jit
def _sum_7(samples: Array, w: Array, sums: Array, blocks: int) -> None:
    w0, w1, w2, w3 = w[0], w[1], w[2], w[3]
    for i in range(0, blocks, AT_ONCE):
        z = samples[i * BLOCK :]
        out = sums[i * BLOCK :]
        for x in range(BLOCK):
            a, b, c, d, e, f, g = z[x], z[x + 128], z[x + 256], z[x + 384], z[x + 512], z[x + 640], z[x + 768]
            h, i, j = z[x + 896], z[x + 1024], z[x + 1152]
            out[x] = w3 * d + w2 * (c + e) + w1 * (b + f) + w0 * (a + g)
            out[x + 128] = w3 * e + w2 * (d + f) + w1 * (c + g) + w0 * (b + h)
            out[x + 256] = w3 * f + w2 * (e + g) + w1 * (d + h) + w0 * (c + i)
            out[x + 384] = w3 * g + w2 * (f + h) + w1 * (e + i) + w0 * (d + j)


@jit
def _sum_9(samples: Array, w: Array, sums: Array, blocks: int) -> None:
    w0, w1, w2, w3, w4 = w[0], w[1], w[2], w[3], w[4]
    for i in range(0, blocks, AT_ONCE):
        z = samples[i * BLOCK :]
        out = sums[i * BLOCK :]
        for x in range(BLOCK):
            a, b, c, d, e, f, g = z[x], z[x + 128], z[x + 256], z[x + 384], z[x + 512], z[x + 640], z[x + 768]
            h, i, j, k, l = z[x + 896], z[x + 1024], z[x + 1152], z[x + 1280], z[x + 1408]
            out[x] = w4 * e + w3 * (d + f) + w2 * (c + g) + w1 * (b + h) + w0 * (a + i)
            out[x + 128] = w4 * f + w3 * (e + g) + w2 * (d + h) + w1 * (c + i) + w0 * (b + j)
            out[x + 256] = w4 * g + w3 * (f + h) + w2 * (e + i) + w1 * (d + j) + w0 * (c + k)
            out[x + 384] = w4 * h + w3 * (g + i) + w2 * (f + j) + w1 * (e + k) + w0 * (d + l)


@jit
def _sum_11(samples: Array, w: Array, sums: Array, blocks: int) -> None:
    w0, w1, w2, w3, w4, w5 = w[0], w[1], w[2], w[3], w[4], w[5]
    for i in range(0, blocks, AT_ONCE):
        z = samples[i * BLOCK :]
        out = sums[i * BLOCK :]
        for x in range(BLOCK):
            a, b, c, d, e, f, g = z[x], z[x + 128], z[x + 256], z[x + 384], z[x + 512], z[x + 640], z[x + 768]
            h, i, j, k, l, m, n = (
                z[x + 896],
                z[x + 1024],
                z[x + 1152],
                z[x + 1280],
                z[x + 1408],
                z[x + 1536],
                z[x + 1664],
            )
            out[x] = w5 * f + w4 * (e + g) + w3 * (d + h) + w2 * (c + i) + w1 * (b + j) + w0 * (a + k)
            out[x + 128] = w5 * g + w4 * (f + h) + w3 * (e + i) + w2 * (d + j) + w1 * (c + k) + w0 * (b + l)
            out[x + 256] = w5 * h + w4 * (g + i) + w3 * (f + j) + w2 * (e + k) + w1 * (d + l) + w0 * (c + m)
            out[x + 384] = w5 * i + w4 * (h + j) + w3 * (g + k) + w2 * (f + l) + w1 * (e + m) + w0 * (d + n)


@jit
def _sum_17(samples: Array, w: Array, sums: Array, blocks: int) -> None:
    w0, w1, w2, w3, w4, w5, w6, w7, w8 = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8]
    for i in range(0, blocks, AT_ONCE):
        z = samples[i * BLOCK :]
        out = sums[i * BLOCK :]
        for x in range(BLOCK):
            a, b, c, d, e, f, g = z[x], z[x + 128], z[x + 256], z[x + 384], z[x + 512], z[x + 640], z[x + 768]
            h, i, j, k, l, m, n = (
                z[x + 896],
                z[x + 1024],
                z[x + 1152],
                z[x + 1280],
                z[x + 1408],
                z[x + 1536],
                z[x + 1664],
            )
            o, p, q, r, s, t = z[x + 1792], z[x + 1920], z[x + 2048], z[x + 2176], z[x + 2304], z[x + 2432]
            out[x] = (
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
            out[x + 128] = (
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
            out[x + 256] = (
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
            out[x + 384] = (
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
def windowed(samples: Array, weights: Array, sums: Array, blocks: int) -> None:
    """Four consecutive window sums, (4 * 128,), of 3 more blocks of samples than the window has taps.

    The window size, one of 3, 5, 7, 9, 11 and 17, follows from the number of weights.
    """
    if weights.size == 9:
        _sum_17(samples, weights, sums, blocks)
    elif weights.size == 6:
        _sum_11(samples, weights, sums, blocks)
    elif weights.size == 5:
        _sum_9(samples, weights, sums, blocks)
    elif weights.size == 4:
        _sum_7(samples, weights, sums, blocks)
    elif weights.size == 3:
        _sum_5(samples, weights, sums, blocks)
    else:
        _sum_3(samples, weights, sums, blocks)
