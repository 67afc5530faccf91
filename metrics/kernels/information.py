"""Sums of information over pixels, as the visual information fidelity defines it.

A sum of logarithms is the logarithm of a product. Sixteen factors at a time are multiplied, then their binary exponent is
moved into an integer; one logarithm per column remains, and fewer roundings than the plain sum has.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit, jit_fused
from .windows import TILE, Plane, carve, tile_means, total_inside

TILES = 7
"""Tiles of working memory: mean and variance of each source, mean and mean square of a fused image, a mean product."""
FLOOR = 1e-10
"""Variances below it count as none."""

Array = NDArray[np.float64]

_MANTISSA = 0x000FFFFFFFFFFFFF
_ONE = 0x3FF0000000000000


@jit
def _strip(product: Array, exponent: NDArray[np.int64]) -> None:
    """Move the binary exponents of positive numbers into integers."""
    bits = product.view(np.int64)
    for x in range(bits.size):
        exponent[x] += (bits[x] >> 52) - 1023
        bits[x] = (bits[x] & _MANTISSA) | _ONE


@jit
def _log(product: Array, exponent: NDArray[np.int64], columns: int) -> float:
    row = np.empty(product.size)
    for x in range(row.size):
        row[x] = math.log(product[x]) + exponent[x] * math.log(2.0)
    return total_inside(row, columns)


@jit_fused
def _contain(mean: Array, square: Array, noise: float, rows: int, product: Array) -> None:
    """What the source contains: the product of 1 + variance / noise; `square` becomes the variance."""
    inverse = 1.0 / noise
    for y in range(rows):
        for x in range(product.size):
            v = square[y, x] - mean[y, x] * mean[y, x]
            v = v if v >= FLOOR else 0.0
            square[y, x] = v
            product[x] *= 1.0 + v * inverse


@jit_fused
def _carry(
    mean: Array,
    variance: Array,
    f: Array,
    ff: Array,
    cross: Array,
    noise: float,
    rows: int,
    signal: Array,
    rest: Array,
) -> None:
    """What the fused image carries of it: the products of rest + g^2 variance and of rest."""
    for y in range(rows):
        for x in range(signal.size):
            v = variance[y, x]
            vf = ff[y, x] - f[y, x] * f[y, x]
            covariance = cross[y, x] - mean[y, x] * f[y, x]
            vf = vf if vf >= FLOOR else 0.0
            g = covariance / (v + FLOOR)
            g = g if (v > 0.0) & (vf > 0.0) & (g > 0.0) else 0.0
            r = vf - g * covariance
            r = (r if r > FLOOR else FLOOR) + noise
            signal[x] *= r + g * g * v
            rest[x] *= r


@jit
def information(
    planes: Plane, columns: int, weights: Array, noise: float, ceiling: float, scratch: Array
) -> tuple[Array, Array]:
    """One scale of VIF, in nats.

    Parameters
    ----------
    planes : (2 + k, H, 8 * length) uint8 or float64
        ir, vis and the fused images, dealt.
    columns : int
        Window positions along a row.
    weights : (size // 2 + 1,) float64
        One half of the window.
    noise : float
        Variance of the observer's noise.
    ceiling : float
        Products of levels above it count as it.
    scratch : float64
        Working memory, `scratch_size(W, size, TILES)`.

    Returns
    -------
    contained : (2,) float64
        Information in each source.
    carried : (k, 2) float64
        Information about each source in each fused image.
    """
    ir, vis, fused = planes[0], planes[1], planes[2:]
    size = 2 * weights.size - 1
    height = ir.shape[0] - size + 1
    count = fused.shape[0]
    samples, sums, tiles = carve(scratch, ir.shape[1], size, TILES)
    f, ff, cross = tiles[4], tiles[5], tiles[6]
    # [k, source, 0 signal, 1 rest]; behind them, at k = count, the sources themselves and their noise.
    product = np.ones((count + 1, 2, 2, f.shape[1]))
    exponent = np.zeros(product.shape, np.int64)
    for top in range(0, height, TILE):
        rows = min(TILE, height - top)
        for s in range(2):
            source = ir if s == 0 else vis
            tile_means(source, source, True, ceiling, top, weights, samples, sums, tiles[2 * s])
            tile_means(source, source, False, ceiling, top, weights, samples, sums, tiles[2 * s + 1])
            _contain(tiles[2 * s], tiles[2 * s + 1], noise, rows, product[count, s, 0])
        for k in range(count):
            tile_means(fused[k], fused[k], True, ceiling, top, weights, samples, sums, f)
            tile_means(fused[k], fused[k], False, ceiling, top, weights, samples, sums, ff)
            for s in range(2):
                source = ir if s == 0 else vis
                tile_means(fused[k], source, False, ceiling, top, weights, samples, sums, cross)
                signal, rest = product[k, s, 0], product[k, s, 1]
                _carry(tiles[2 * s], tiles[2 * s + 1], f, ff, cross, noise, rows, signal, rest)
        _strip(product.reshape(product.size), exponent.reshape(product.size))
    contained = np.empty(2)
    carried = np.empty((count, 2))
    for s in range(2):
        contained[s] = _log(product[count, s, 0], exponent[count, s, 0], columns)
        for k in range(count):
            signal = _log(product[k, s, 0], exponent[k, s, 0], columns)
            carried[k, s] = signal - _log(product[k, s, 1], exponent[k, s, 1], columns)
    return contained, carried
