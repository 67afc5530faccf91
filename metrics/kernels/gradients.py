"""Differences of neighbouring pixels, and sums over them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit

Plane = NDArray[np.uint8]
Array = NDArray[np.float64]


@jit
def difference_energy(plane: Plane) -> tuple[int, int]:
    """Exact sums of the squared differences of vertical and of horizontal neighbours."""
    height, width = plane.shape
    down, across = 0, 0
    for y in range(height):
        row = plane[y]
        for x in range(width - 1):
            d = np.int32(row[x + 1]) - np.int32(row[x])
            across += int(d * d)
        if y > 0:
            above = plane[y - 1]
            for x in range(width):
                d = np.int32(row[x]) - np.int32(above[x])
                down += int(d * d)
    return down, across


@jit
def gradient_sum(plane: Plane) -> float:
    """Sum over pixels of sqrt((gx^2 + gy^2) / 2): central differences inside, one-sided ones on the border.

    A side of one pixel has no differences; they count as zero.
    """
    height, width = plane.shape
    # One sum a column: independent sums vectorise, and round less than one long one.
    total = np.zeros(width)
    squares = np.empty(width, np.int32)
    for y in range(height):
        row, above, below = plane[y], plane[max(y - 1, 0)], plane[min(y + 1, height - 1)]
        # Twice the derivative is an integer: central differences as they are, one-sided ones doubled.
        twice = np.int32(1) if 0 < y < height - 1 else np.int32(2)
        for x in range(1, width - 1):
            gx = np.int32(row[x + 1]) - np.int32(row[x - 1])
            gy = twice * (np.int32(below[x]) - np.int32(above[x]))
            squares[x] = gx * gx + gy * gy
        for x in (0, width - 1):
            gx = np.int32(2) * (np.int32(row[min(x + 1, width - 1)]) - np.int32(row[max(x - 1, 0)]))
            gy = twice * (np.int32(below[x]) - np.int32(above[x]))
            squares[x] = gx * gx + gy * gy
        for x in range(width):
            total[x] += math.sqrt(squares[x] * 0.125)
    return total.sum()


@jit
def sobel_sum(plane: Plane) -> float:
    """Sum over the inner pixels of the Sobel magnitude sqrt(sx^2 + sy^2), kernels 1-2-1, not normalised."""
    total = np.zeros(plane.shape[1])
    for y in range(1, plane.shape[0] - 1):
        a, b, c = plane[y - 1], plane[y], plane[y + 1]
        for x in range(1, plane.shape[1] - 1):
            nw, n, ne = np.int32(a[x - 1]), np.int32(a[x]), np.int32(a[x + 1])
            w, e = np.int32(b[x - 1]), np.int32(b[x + 1])
            sw, s, se = np.int32(c[x - 1]), np.int32(c[x]), np.int32(c[x + 1])
            sx = ne + 2 * e + se - nw - 2 * w - sw
            sy = sw + 2 * s + se - nw - 2 * n - ne
            total[x] += math.sqrt(np.float64(sx * sx + sy * sy))
    return total.sum()


@jit
def forward_sum(plane: Plane) -> float:
    """Sum of sqrt((dx^2 + dy^2) / 2) of the differences to the right and downwards, where both neighbours exist."""
    total = np.zeros(plane.shape[1] - 1)
    for y in range(plane.shape[0] - 1):
        row, below = plane[y], plane[y + 1]
        for x in range(total.size):
            dx = np.int32(row[x + 1]) - np.int32(row[x])
            dy = np.int32(below[x]) - np.int32(row[x])
            total[x] += math.sqrt((dx * dx + dy * dy) * 0.5)
    return total.sum()
