"""Sobel edges: strength and orientation, and how much of them a fused image keeps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit

Array = NDArray[np.float64]
Plane = NDArray[np.uint8] | Array


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


@jit
def _sobel(plane: Plane, y: int, x: int) -> tuple[float, float]:
    """Right less left and above less below, around pixel (y + 1, x + 1)."""
    a, b, c = plane[y], plane[y + 1], plane[y + 2]
    nw, n, ne = np.float64(a[x]), np.float64(a[x + 1]), np.float64(a[x + 2])
    w, e = np.float64(b[x]), np.float64(b[x + 2])
    sw, s, se = np.float64(c[x]), np.float64(c[x + 1]), np.float64(c[x + 2])
    return ne + 2.0 * e + se - nw - 2.0 * w - sw, nw + 2.0 * n + ne - sw - 2.0 * s - se


@jit
def directed_edges(plane: Plane) -> tuple[Array, Array]:
    """As `edges`, but the orientation knows which side is bright: atan2(sx, sy), from -pi to pi."""
    height, width = plane.shape[0] - 2, plane.shape[1] - 2
    strength = np.empty((height, width))
    angle = np.empty((height, width))
    for y in range(height):
        for x in range(width):
            sx, sy = _sobel(plane, y, x)
            strength[y, x] = math.sqrt(sx * sx + sy * sy)
            angle[y, x] = math.atan2(sx, sy)
    return strength, angle


@jit
def kept_locally(first: Plane, second: Plane, fused: Plane, small: float) -> float:
    """Sum over pixels of the local ratio of `fusionbench.metrics.qabf.local_transfer`; planes with a border of one pixel."""
    total = np.zeros(fused.shape[1] - 2)
    for y in range(fused.shape[0] - 2):
        for x in range(fused.shape[1] - 2):
            sx, sy = _sobel(fused, y, x)
            f = math.sqrt(sx * sx + sy * sy)
            fused_angle = math.atan(sy / (sx if sx != 0.0 else small))
            carried = weight = 0.0
            for source in (first, second):
                sx, sy = _sobel(source, y, x)
                g = math.sqrt(sx * sx + sy * sy)
                angle = math.atan(sy / (sx if sx != 0.0 else small))
                stronger = g > f
                g = g if g > 0.0 else small
                # Where the fused image alone is flat the first source is compared with 0, the second with `small`.
                ratio = f / g if stronger else g / (f if f > 0.0 else small)
                f = f if f > 0.0 else small
                alignment = abs(abs(angle - fused_angle) - math.pi / 2) * 2.0 / math.pi
                q = 1.0 / (1.0 + math.exp(-10.0 * (ratio - 0.5))) / (1.0 + math.exp(-20.0 * (alignment - 0.75)))
                carried += q * g
                weight += g
            total[x] += carried / weight
    return total.sum()
