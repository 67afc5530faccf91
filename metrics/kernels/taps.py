"""Sums over symmetric windows of 3 to 17 taps, vector by vector.

These sums are most of the time that SSIM and VIF take. Four of them are made at once because they share most of their
samples, which are then read once; weights of equal distance from the middle are equal, so their samples are added first.
How many taps there are is known when a function is compiled: every weight then stays in a register.

Half of the weights is passed, the middle one last; the window's size follows from their number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import jit_fused as jit
from .vectors import LANES as LANES
from .vectors import spread_each, store, windowed

STRIDE = 96
"""Distance of the rows of `samples`: enough for them to stay in the first-level cache, and no divisor of its period."""

Array = NDArray[np.float64]


def _down(taps: int) -> Callable[..., Any]:
    half = taps // 2 + 1

    @jit
    def down(samples: Array, weights: Array, sums: Array, start: int, count: int) -> None:
        w, width = spread_each(weights, half), sums.shape[1]
        for y in range(0, sums.shape[0], 4):
            for x in range(0, count, LANES):
                z, out = y * STRIDE + x, y * width + start + x
                a, b = windowed(samples, z, STRIDE, w), windowed(samples, z + STRIDE, STRIDE, w)
                c, d = windowed(samples, z + 2 * STRIDE, STRIDE, w), windowed(samples, z + 3 * STRIDE, STRIDE, w)
                store(sums, out, a)
                store(sums, out + width, b)
                store(sums, out + 2 * width, c)
                store(sums, out + 3 * width, d)

    return down


def _across(taps: int) -> Callable[..., Any]:
    half = taps // 2 + 1

    @jit
    def across(sums: Array, weights: Array, means: Array) -> None:
        w, width = spread_each(weights, half), means.shape[1]
        for y in range(means.shape[0]):
            z, out = y * sums.shape[1], y * width
            together = width // (4 * LANES) * 4 * LANES
            for x in range(0, together, 4 * LANES):
                a, b = windowed(sums, z + x, LANES, w), windowed(sums, z + x + LANES, LANES, w)
                c, d = windowed(sums, z + x + 2 * LANES, LANES, w), windowed(sums, z + x + 3 * LANES, LANES, w)
                store(means, out + x, a)
                store(means, out + x + LANES, b)
                store(means, out + x + 2 * LANES, c)
                store(means, out + x + 3 * LANES, d)
            for x in range(together, width, LANES):
                store(means, out + x, windowed(sums, z + x, LANES, w))

    return across


_down_3, _down_5, _down_7, _down_9, _down_11, _down_17 = map(_down, (3, 5, 7, 9, 11, 17))
_across_3, _across_5, _across_7, _across_9, _across_11, _across_17 = map(_across, (3, 5, 7, 9, 11, 17))


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
