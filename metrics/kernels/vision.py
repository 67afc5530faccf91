"""What an eye makes of an image: smoothed copies, masked contrast, and how salient the blocks of an image are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit, jit_fused

Array = NDArray[np.float64]


@jit_fused
def smooth(plane: Array, weights: Array) -> Array:
    """Windowed sums around every pixel of (H, W), with zeros beyond the border.

    `weights` is one half of a symmetric window along one side, the middle last; it is used along both.
    """
    height, width = plane.shape
    reach = weights.size - 1
    out = np.empty((height, width))
    line = np.zeros(width + 2 * reach)
    inner = line[reach : reach + width]
    for y in range(height):
        middle = plane[y]
        for x in range(width):
            inner[x] = weights[reach] * middle[x]
        for k in range(1, reach + 1):
            w = weights[reach - k]
            if y - k >= 0 and y + k < height:
                above, below = plane[y - k], plane[y + k]
                for x in range(width):
                    inner[x] += w * (above[x] + below[x])
            elif y - k >= 0 or y + k < height:
                other = plane[y - k] if y - k >= 0 else plane[y + k]
                for x in range(width):
                    inner[x] += w * other[x]
        row = out[y]
        for x in range(width):
            row[x] = weights[reach] * inner[x]
        for k in range(1, reach + 1):
            w, left, right = weights[reach - k], line[reach - k :], line[reach + k :]
            for x in range(width):
                row[x] += w * (left[x] + right[x])
    return out


@jit
def masked_contrast(near: Array, far: Array, guard: float) -> Array:
    """|C|^3 / (C^2 + 0.0001), C = near / (far + guard) - 1."""
    height, width = near.shape
    out = np.empty((height, width))
    for y in range(height):
        for x in range(width):
            c = abs(near[y, x] / (far[y, x] + guard) - 1.0)
            out[y, x] = c * c * c / (c * c + 1e-4)
    return out


@jit
def contrast_kept(first: Array, second: Array, fused: Array, guard: float) -> Array:
    """Share of the sources' contrast that the fused image has, each source weighted by its squared contrast."""
    height, width = fused.shape
    out = np.empty((height, width))
    for y in range(height):
        for x in range(width):
            a, b, f = first[y, x], second[y, x], fused[y, x]
            kept_a = f / a if a > f else a / f
            kept_b = f / b if b > f else b / f
            out[y, x] = (a * a * kept_a + b * b * kept_b) / (a * a + b * b + guard)
    return out


@jit
def block_saliency(padded: Array, side: int) -> Array:
    """Sum of the fifth power of the Sobel magnitude over each block of side x side of a plane padded by one pixel."""
    height, width = padded.shape[0] - 2, padded.shape[1] - 2
    out = np.zeros(((height + side - 1) // side, (width + side - 1) // side))
    fifth = np.empty(width)
    for y in range(height):
        a, b, c = padded[y], padded[y + 1], padded[y + 2]
        for x in range(width):
            sx = a[x + 2] - a[x] + 2.0 * (b[x + 2] - b[x]) + c[x + 2] - c[x]
            sy = c[x] - a[x] + 2.0 * (c[x + 1] - a[x + 1]) + c[x + 2] - a[x + 2]
            square = sx * sx + sy * sy
            fifth[x] = square * square * math.sqrt(square)
        row = out[y // side]
        for x in range(width):
            row[x // side] += fifth[x]
    return out


@jit
def block_squares(plane: Array, side: int) -> Array:
    """Sum of squares over each block of side x side."""
    height, width = plane.shape
    out = np.zeros(((height + side - 1) // side, (width + side - 1) // side))
    for y in range(height):
        row = out[y // side]
        for x in range(width):
            row[x // side] += plane[y, x] * plane[y, x]
    return out
