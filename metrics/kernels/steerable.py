"""Bands of a steerable pyramid, and the information in their tiles of 3 x 3 coefficients."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit, jit_fused

Array = NDArray[np.float64]

TINY = 1e-15
"""Sums of squares and variances below it count as none."""


@jit_fused
def correlate(padded: Array, taps: Array, step: int) -> Array:
    """Weighted sums where the taps fit, of every `step`-th row and column."""
    side = taps.shape[0]
    rows, columns = padded.shape[0] - side + 1, padded.shape[1] - side + 1
    out = np.empty(((rows + step - 1) // step, (columns + step - 1) // step))
    line = np.empty(columns)
    for y in range(out.shape[0]):
        line[:] = 0.0
        for i in range(side):
            row = padded[y * step + i]
            for j in range(side):
                w, samples = taps[i, j], row[j:]
                for x in range(columns):
                    line[x] += w * samples[x]
        for x in range(out.shape[1]):
            out[y, x] = line[x * step]
    return out


@jit_fused
def block_covariance(band: Array) -> Array:
    """Population covariance, (9, 9), of the coefficients of every block of 3 x 3."""
    rows, columns = band.shape[0] - 2, band.shape[1] - 2
    centre = band.mean()
    count = rows * columns
    means = np.zeros(9)
    products = np.zeros((9, 9))
    shifted = np.empty((9, columns))
    for y in range(rows):
        for k in range(9):
            row = band[y + k // 3, k % 3 :]
            for x in range(columns):
                shifted[k, x] = row[x] - centre
            means[k] += shifted[k].sum()
        for k in range(9):
            for m in range(k, 9):
                one, other = shifted[k], shifted[m]
                # Eight sums side by side are a vector; one alone would wait for itself.
                a = b = c = d = e = f = g = h = 0.0
                whole = columns // 8 * 8
                for x in range(0, whole, 8):
                    a += one[x] * other[x]
                    b += one[x + 1] * other[x + 1]
                    c += one[x + 2] * other[x + 2]
                    d += one[x + 3] * other[x + 3]
                    e += one[x + 4] * other[x + 4]
                    f += one[x + 5] * other[x + 5]
                    g += one[x + 6] * other[x + 6]
                    h += one[x + 7] * other[x + 7]
                for x in range(whole, columns):
                    a += one[x] * other[x]
                products[k, m] += (a + b) + (c + d) + (e + f) + (g + h)
    for k in range(9):
        for m in range(k, 9):
            products[k, m] = products[k, m] / count - means[k] / count * (means[m] / count)
            products[m, k] = products[k, m]
    return products


@jit
def tile_strength(band: Array, basis: Array) -> Array:
    """Squared length of every tile of 3 x 3 in a basis, (n, 9), over 9."""
    out = np.zeros((band.shape[0] // 3, band.shape[1] // 3))
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            for j in range(basis.shape[0]):
                length = 0.0
                for k in range(9):
                    length += basis[j, k] * band[3 * y + k // 3, 3 * x + k % 3]
                out[y, x] += length * length / 9.0
    return out


@jit
def sums_around_tiles(first: Array, second: Array, alone: bool, side: int) -> Array:
    """Sum of `first`, or of its product with `second`, over side x side around the centre of every tile.

    Both planes are padded by side // 2, and without that their sides are multiples of three.
    """
    rows, columns = (first.shape[0] - side + 1) // 3, (first.shape[1] - side + 1) // 3
    out = np.zeros((rows, columns))
    line = np.empty(first.shape[1])
    for y in range(rows):
        line[:] = 0.0
        for i in range(3 * y + 1, 3 * y + 1 + side):
            a, b = first[i], second[i]
            if alone:
                for x in range(line.size):
                    line[x] += a[x]
            else:
                for x in range(line.size):
                    line[x] += a[x] * b[x]
        for x in range(columns):
            for j in range(side):
                out[y, x] += line[3 * x + 1 + j]
    return out


@jit
def told_and_held(
    energy: Array,
    fused_energy: Array,
    cross: Array,
    strength: Array,
    variances: Array,
    count: int,
    noise: float,
    cut: int,
) -> tuple[float, float]:
    """Bits that the tiles of a fused band tell of those of the source, and bits that these hold, `cut` tiles from the border.

    Parameters
    ----------
    energy, fused_energy, cross : (H, W) float64
        Centred sums of squares and products over `count` coefficients around each tile.
    strength : (H, W) float64
        From `tile_strength`.
    variances : (n,) float64
        Of the source's tiles along their principal axes.
    count : int
        Coefficients of a window.
    noise : float
        Variance of the viewer's noise.
    cut : int
        Tiles to leave out along each border.
    """
    told = held = 0.0
    for y in range(cut, energy.shape[0] - cut):
        for x in range(cut, energy.shape[1] - cut):
            one, other = max(energy[y, x], 0.0), max(fused_energy[y, x], 0.0)
            g = cross[y, x] / (one + TINY)
            rest = (other - g * cross[y, x]) / count
            if one < TINY:
                g, rest = 0.0, other
            if other < TINY:
                g, rest = 0.0, 0.0
            if g < 0.0:
                g, rest = 0.0, other
            rest = max(rest, TINY)
            signal = source = 1.0
            for k in range(variances.size):
                power = strength[y, x] * variances[k]
                signal *= 1.0 + g * g * power / (rest + noise)
                source *= 1.0 + power / noise
            told += math.log2(signal)
            held += math.log2(source)
    return told, held
