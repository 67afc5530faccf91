"""Sums over SSIM maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import jit, jit_fused
from .windows import TILE, Plane, carve, tile_means, total_inside

TILES = 7
"""Tiles of working memory: mean and mean square of each source, those of a fused image, and a mean product."""

Array = NDArray[np.float64]


@jit_fused
def _add(
    mean: Array,
    square: Array,
    f: Array,
    ff: Array,
    cross: Array,
    c1: float,
    c2: float,
    unbias: float,
    rows: int,
    total: Array,
) -> None:
    for y in range(rows):
        for x in range(total.size):
            mm = mean[y, x] * f[y, x]
            m2 = mean[y, x] * mean[y, x] + f[y, x] * f[y, x]
            variances = unbias * (square[y, x] + ff[y, x] - m2)
            covariance = unbias * (cross[y, x] - mm)
            total[x] += (2.0 * mm + c1) * (2.0 * covariance + c2) / ((m2 + c1) * (variances + c2))


@jit
def similarity(
    planes: Plane, columns: int, weights: Array, c1: float, c2: float, unbias: float, scratch: Array
) -> Array:
    """Sum of the SSIM map of every fused plane with each source, (k, 2); planes as `Band` has them."""
    ir, vis, fused = planes[0], planes[1], planes[2:]
    size = 2 * weights.size - 1
    height = ir.shape[0] - size + 1
    samples, sums, tiles = carve(scratch, ir.shape[1], size, TILES)
    f, ff, cross = tiles[4], tiles[5], tiles[6]
    total = np.zeros((fused.shape[0], 2, f.shape[1]))
    for top in range(0, height, TILE):
        rows = min(TILE, height - top)
        tile_means(ir, ir, True, np.inf, top, weights, samples, sums, tiles[0])
        tile_means(ir, ir, False, np.inf, top, weights, samples, sums, tiles[1])
        tile_means(vis, vis, True, np.inf, top, weights, samples, sums, tiles[2])
        tile_means(vis, vis, False, np.inf, top, weights, samples, sums, tiles[3])
        for k in range(fused.shape[0]):
            tile_means(fused[k], fused[k], True, np.inf, top, weights, samples, sums, f)
            tile_means(fused[k], fused[k], False, np.inf, top, weights, samples, sums, ff)
            tile_means(fused[k], ir, False, np.inf, top, weights, samples, sums, cross)
            _add(tiles[0], tiles[1], f, ff, cross, c1, c2, unbias, rows, total[k, 0])
            tile_means(fused[k], vis, False, np.inf, top, weights, samples, sums, cross)
            _add(tiles[2], tiles[3], f, ff, cross, c1, c2, unbias, rows, total[k, 1])
    result = np.empty((fused.shape[0], 2))
    for k in range(fused.shape[0]):
        for s in range(2):
            result[k, s] = total_inside(total[k, s], columns)
    return result
