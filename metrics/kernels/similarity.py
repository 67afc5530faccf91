"""Sums over SSIM maps."""

from __future__ import annotations

import numpy as np

from . import jit, jit_fused
from .windows import LANES, TILE, carve, open_lanes, lane_length, tile_means

TILES = 7


@jit_fused
def _add(mean, square, f, ff, cross, c1, c2, unbias, total):  # type: ignore[no-untyped-def]
    for j in range(mean.shape[0]):
        for x in range(total.size):
            mm = mean[j, x] * f[j, x]
            m2 = mean[j, x] * mean[j, x] + f[j, x] * f[j, x]
            variances = unbias * (square[j, x] + ff[j, x] - m2)
            covariance = unbias * (cross[j, x] - mm)
            total[x] += (2.0 * mm + c1) * (2.0 * covariance + c2) / ((m2 + c1) * (variances + c2))


@jit
def similarity(ir, vis, fused, columns, weights, c1, c2, unbias, scratch):  # type: ignore[no-untyped-def]
    """Sum of the SSIM map of every fused plane with each source, (fused planes, 2)."""
    size = 2 * weights.size - 1
    height = ir.shape[0] - size + 1
    length = lane_length(columns)
    whole = max(0, columns - (LANES - 1) * length)
    samples, sums, blocks, tiles = carve(scratch, columns, size, TILES)
    work = (samples, sums, blocks)
    total = np.zeros((fused.shape[0], 2, LANES * TILE))
    kept = np.empty(LANES * TILE)
    before = np.empty(LANES * TILE)
    f, ff, cross = tiles[4], tiles[5], tiles[6]
    for top in range(0, height, TILE):
        tile_means(ir, ir, True, 0.0, top, length, weights, work, tiles[0])
        tile_means(ir, ir, False, 0.0, top, length, weights, work, tiles[1])
        tile_means(vis, vis, True, 0.0, top, length, weights, work, tiles[2])
        tile_means(vis, vis, False, 0.0, top, length, weights, work, tiles[3])
        for k in range(fused.shape[0]):
            tile_means(fused[k], fused[k], True, 0.0, top, length, weights, work, f)
            tile_means(fused[k], fused[k], False, 0.0, top, length, weights, work, ff)
            for s in range(2):
                tile_means(fused[k], ir if s == 0 else vis, False, 0.0, top, length, weights, work, cross)
                sum_ = total[k, s]
                before[:] = sum_
                _add(tiles[2 * s][:whole], tiles[2 * s + 1][:whole], f, ff, cross, c1, c2, unbias, sum_)
                for j in range(whole, length):
                    kept[:] = sum_
                    _add(tiles[2 * s][j : j + 1], tiles[2 * s + 1][j : j + 1], f[j:], ff[j:], cross[j:], c1, c2, unbias, sum_)
                    for y in range(TILE):
                        for lane in range(open_lanes(j, length, columns), LANES):
                            sum_[y * LANES + lane] = kept[y * LANES + lane]
                for y in range(height - top, TILE):
                    for lane in range(LANES):
                        sum_[y * LANES + lane] = before[y * LANES + lane]
    result = np.empty((fused.shape[0], 2))
    for k in range(fused.shape[0]):
        for s in range(2):
            result[k, s] = total[k, s].sum()
    return result
