"""Sums over MEF-SSIM maps: every patch of the fused image against the best patch that the sources can be made into."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit
from .patches import FUSED, SOURCES, enter, leave

Plane = NDArray[np.uint8] | NDArray[np.float64]
Array = NDArray[np.float64]

SIDE = 11
"""Of a patch, in pixels."""
C = (0.03 * 255.0) ** 2
NONE = 1e-12
"""Patches that cancel up to this share of their squared lengths leave nothing to wish for: the rest is rounding."""

_EPS = 2.0**-52


@jit
def _wish(sums: Array, wish: Array) -> None:
    """What each source's patch, its mean removed, is multiplied with in the sum that is the best patch.

    `sums` are those of A, B, A A, B B, A B over equal weights: exact for levels and for their halved scales.
    """
    n = float(SIDE * SIDE)
    for x in range(wish.shape[1]):
        a, b = sums[0, x], sums[1, x]
        aa = max(n * sums[2, x] - a * a, 0.0) / n
        bb = max(n * sums[3, x] - b * b, 0.0) / n
        ab = (n * sums[4, x] - a * b) / n
        length_a, length_b = math.sqrt(aa), math.sqrt(bb)
        together = math.sqrt(max(aa + bb + 2.0 * ab, 0.0))
        consistency = (together + _EPS) / (length_a + length_b + _EPS)
        consistency = min(max(consistency, _EPS), 1.0 - _EPS)
        power = min(math.tan(math.pi / 2.0 * consistency), 10.0)
        contrast_a, contrast_b = length_a + 0.001, length_b + 0.001
        share_a = (contrast_a / SIDE) ** power + _EPS
        share_b = (contrast_b / SIDE) ** power + _EPS
        whole = share_a + share_b
        p, q = share_a / whole / contrast_a, share_b / whole / contrast_b
        most = (p * length_a + q * length_b) ** 2
        squared = p * p * aa + q * q * bb + 2.0 * p * q * ab
        stretch = max(contrast_a, contrast_b) / math.sqrt(squared) if squared > NONE * most else 0.0
        wish[0, x], wish[1, x] = p * stretch, q * stretch


@jit
def _compare(wish: Array, sources: Array, moments: Array, total: Array, local: Array) -> None:
    for x in range(total.size):
        p, q = wish[0, x], wish[1, x]
        a, b, f = sources[0, x], sources[1, x], moments[0, x]
        wished = p * p * (sources[2, x] - a * a) + q * q * (sources[3, x] - b * b)
        wished += 2.0 * p * q * (sources[4, x] - a * b)
        shared = p * (moments[2, x] - a * f) + q * (moments[3, x] - b * f)
        local[x] = (2.0 * shared + C) / (wished + (moments[1, x] - f * f) + C)
        total[x] += local[x]


@jit
def exposure(ir: Plane, vis: Plane, fused: Plane, taps: Array, maps: Array) -> Array:
    """Sum over all windows of MEF-SSIM of each fused image.

    Parameters
    ----------
    ir, vis : (H, W) uint8 or float64
        The sources.
    fused : (k, H, W) of the same type
        The fused images.
    taps : (11,) float64
        The Gaussian that compares a patch with the best one.
    maps : (k, h, w) float64
        Where the local qualities go; of h = 0 if nobody wants them.

    Returns
    -------
    (k,) float64
        The sums.
    """
    count, width = fused.shape[0], ir.shape[1] - SIDE + 1
    ones = np.ones(SIDE)
    plain, smooth = np.empty((SOURCES, SIDE, width)), np.empty((SOURCES + FUSED * count, SIDE, width))
    sums, moments = np.empty((SOURCES, width)), np.empty((SOURCES + FUSED * count, width))
    wish, local, total = np.empty((2, width)), np.empty(width), np.zeros((count, width))
    for y in range(ir.shape[0]):
        enter(ir, vis, fused[:0], y, False, ones, plain)
        enter(ir, vis, fused, y, False, taps, smooth)
        top = y - SIDE + 1
        if top < 0:
            continue
        leave(plain, top, ones, sums)
        leave(smooth, top, taps, moments)
        _wish(sums, wish)
        for k in range(count):
            first = SOURCES + FUSED * k
            _compare(wish, moments[:SOURCES], moments[first : first + FUSED], total[k], local)
            if maps.shape[1] > 0:
                maps[k, top] = local
    result = np.empty(count)
    for k in range(count):
        result[k] = total[k].sum()
    return result
