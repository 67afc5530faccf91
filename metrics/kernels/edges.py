"""Sobel edges: strength and orientation, and how much of them a fused image keeps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit

Array = NDArray[np.float64]


@jit
def edges(plane: Array) -> tuple[Array, Array]:
    """Strength and orientation, (H - 2, W - 2) each, of a plane with a border of one pixel.

    Orientation is atan(sy / sx) in radians, pi / 2 where sx = 0. On levels divided by 255 rounding decides where sx is
    zero and which strengths are equal, so the order of the sums below is part of the definition: the taps of the
    kernel column by column, as MATLAB's conv2 adds them.
    """
    height, width = plane.shape[0] - 2, plane.shape[1] - 2
    strength = np.empty((height, width))
    angle = np.empty((height, width))
    for y in range(height):
        a, b, c = plane[y], plane[y + 1], plane[y + 2]
        for x in range(width):
            sy = c[x + 2] - a[x + 2] + 2.0 * c[x + 1] - 2.0 * a[x + 1] + c[x] - a[x]
            sx = -c[x + 2] - 2.0 * b[x + 2] - a[x + 2] + c[x] + 2.0 * b[x] + a[x]
            strength[y, x] = math.sqrt(sx * sx + sy * sy)
            angle[y, x] = math.pi / 2 if sx == 0.0 else math.atan(sy / sx)
    return strength, angle


@jit
def kept(
    source: Array, source_angle: Array, fused: Array, fused_angle: Array, tie_is_gradient: bool
) -> tuple[float, float]:
    """Sum over pixels of Q * source strength, and of source strength; Q as in `fusionbench.metrics.qabf`."""
    carried = np.zeros(source.shape[1])
    weight = np.zeros(source.shape[1])
    for y in range(source.shape[0]):
        for x in range(source.shape[1]):
            g, f = source[y, x], fused[y, x]
            if g > f:
                ratio = f / g
            elif f > g:
                ratio = g / f
            else:
                ratio = f if tie_is_gradient else 1.0
            alignment = 1.0 - abs(source_angle[y, x] - fused_angle[y, x]) / (math.pi / 2)
            q = 0.9994 / (1.0 + math.exp(-15.0 * (ratio - 0.5)))
            q *= 0.9879 / (1.0 + math.exp(-22.0 * (alignment - 0.8)))
            carried[x] += q * g
            weight[x] += g
    return carried.sum(), weight.sum()
