"""Sums of information over pixels, as the visual information fidelity for fusion defines it.

Around each pixel only one of the two sources counts, the one that the fused image follows less.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit, jit_fused
from .information import FLOOR
from .windows import TILE, Plane, carve, tile_means, total_inside

TILES = 8
"""Tiles of working memory: mean and variance of each source, mean and mean square of a fused image, two mean products."""

Array = NDArray[np.float64]


@jit_fused
def _variance(mean: Array, square: Array) -> None:
    for y in range(mean.shape[0]):
        for x in range(mean.shape[1]):
            v = square[y, x] - mean[y, x] * mean[y, x]
            square[y, x] = v if v >= FLOOR else 0.0


@jit_fused
def _gain(variance: float, fused_variance: float, covariance: float) -> tuple[float, float]:
    """By how much the fused image carries a source, and the variance that does not come from it."""
    g = covariance / (variance + FLOOR)
    g = g if (variance > 0.0) & (fused_variance > 0.0) & (g > 0.0) else 0.0
    rest = fused_variance - g * covariance
    return g, rest if rest > FLOOR else FLOOR


@jit
def _add(tiles: Array, noise: float, rows: int, held: Array, told: Array) -> None:
    ir, ir_variance, vis, vis_variance, f, ff, with_ir, with_vis = tiles
    for y in range(rows):
        for x in range(held.size):
            vf = ff[y, x] - f[y, x] * f[y, x]
            vf = vf if vf >= FLOOR else 0.0
            g_ir, rest_ir = _gain(ir_variance[y, x], vf, with_ir[y, x] - ir[y, x] * f[y, x])
            g, rest = _gain(vis_variance[y, x], vf, with_vis[y, x] - vis[y, x] * f[y, x])
            v = vis_variance[y, x]
            if g_ir < g:
                g, rest, v = g_ir, rest_ir, ir_variance[y, x]
            held[x] += math.log(1.0 + v / noise)
            told[x] += math.log(1.0 + g * g * v / (rest + noise))


@jit
def fusion_information(planes: Plane, columns: int, weights: Array, noise: float, scratch: Array) -> Array:
    """What the weaker source holds and what every fused image tells of it, (k, 2), in nats; planes as `Band` has them."""
    ir, vis, fused = planes[0], planes[1], planes[2:]
    size = 2 * weights.size - 1
    height = ir.shape[0] - size + 1
    samples, sums, tiles = carve(scratch, ir.shape[1], size, TILES)
    total = np.zeros((fused.shape[0], 2, ir.shape[1]))
    for top in range(0, height, TILE):
        rows = min(TILE, height - top)
        for k in range(2):
            source = planes[k]
            tile_means(source, source, True, np.inf, top, weights, samples, sums, tiles[2 * k])
            tile_means(source, source, False, np.inf, top, weights, samples, sums, tiles[2 * k + 1])
            _variance(tiles[2 * k], tiles[2 * k + 1])
        for k in range(fused.shape[0]):
            tile_means(fused[k], fused[k], True, np.inf, top, weights, samples, sums, tiles[4])
            tile_means(fused[k], fused[k], False, np.inf, top, weights, samples, sums, tiles[5])
            tile_means(fused[k], ir, False, np.inf, top, weights, samples, sums, tiles[6])
            tile_means(fused[k], vis, False, np.inf, top, weights, samples, sums, tiles[7])
            _add(tiles, noise, rows, total[k, 0], total[k, 1])
    result = np.empty((fused.shape[0], 2))
    for k in range(fused.shape[0]):
        for side in range(2):
            result[k, side] = total_inside(total[k, side], columns)
    return result
