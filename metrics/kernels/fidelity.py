"""Exact integer sums and maps of differences: what a fused image's are compared with those of its sources by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import jit

Plane = NDArray[np.uint8]
Cells = NDArray[np.int32]
Array = NDArray[np.float64]


@jit
def greatest_differences(one: Plane, other: Plane) -> tuple[int, int]:
    """Sums over neighbours of the square of the greater of two planes' differences: of straight, of diagonal neighbours."""
    height, width = one.shape
    straight, diagonal = 0, 0
    for y in range(height):
        p, q = one[y], other[y]
        for x in range(width - 1):
            d = max(abs(np.int32(p[x + 1]) - np.int32(p[x])), abs(np.int32(q[x + 1]) - np.int32(q[x])))
            straight += int(d * d)
        if y > 0:
            r, s = one[y - 1], other[y - 1]
            for x in range(width):
                d = max(abs(np.int32(p[x]) - np.int32(r[x])), abs(np.int32(q[x]) - np.int32(s[x])))
                straight += int(d * d)
            for x in range(width - 1):
                d = max(abs(np.int32(p[x + 1]) - np.int32(r[x])), abs(np.int32(q[x + 1]) - np.int32(s[x])))
                diagonal += int(d * d)
                d = max(abs(np.int32(p[x]) - np.int32(r[x + 1])), abs(np.int32(q[x]) - np.int32(s[x + 1])))
                diagonal += int(d * d)
    return straight, diagonal


@jit
def laplacian_sums(one: Plane, other: Plane) -> tuple[int, int, int, int, int]:
    """Sums over inner pixels of x, y, x^2, y^2 and x y, x and y the Laplacians of two planes: four neighbours less four times."""
    x, y, xx, yy, xy = 0, 0, 0, 0, 0
    for i in range(1, one.shape[0] - 1):
        a, b, c = one[i - 1], one[i], one[i + 1]
        d, e, f = other[i - 1], other[i], other[i + 1]
        for j in range(1, one.shape[1] - 1):
            p = np.int32(a[j]) + np.int32(b[j - 1]) + np.int32(b[j + 1]) + np.int32(c[j]) - np.int32(4) * np.int32(b[j])
            q = np.int32(d[j]) + np.int32(e[j - 1]) + np.int32(e[j + 1]) + np.int32(f[j]) - np.int32(4) * np.int32(e[j])
            x += int(p)
            y += int(q)
            xx += int(p * p)
            yy += int(q * q)
            xy += int(p * q)
    return x, y, xx, yy, xy


@jit
def add_cells(plane: Plane | Cells, rows: int, columns: int) -> Cells:
    """Sums of 2 x 2 pixels, (rows, columns); what lies beyond the plane is zero."""
    height, width = plane.shape
    cells = np.zeros((rows, columns), np.int32)
    for i in range(rows):
        for y in range(2 * i, min(2 * i + 2, height)):
            row = plane[y]
            for j in range(width // 2 if width // 2 < columns else columns):
                cells[i, j] += np.int32(row[2 * j]) + np.int32(row[2 * j + 1])
            if width < 2 * columns:
                cells[i, columns - 1] += np.int32(row[width - 1])
    return cells


@jit
def prewitt_energy(cells: Cells) -> Cells:
    """Squared magnitude of the Prewitt gradient, kernels of -1, 0 and 1; zeros lie around the image."""
    rows, columns = cells.shape
    padded = np.zeros((rows + 2, columns + 2), np.int32)
    padded[1:-1, 1:-1] = cells
    energy = np.empty((rows, columns), np.int32)
    for y in range(rows):
        a, b, c = padded[y], padded[y + 1], padded[y + 2]
        for x in range(columns):
            across = a[x + 2] + b[x + 2] + c[x + 2] - a[x] - b[x] - c[x]
            down = c[x] + c[x + 1] + c[x + 2] - a[x] - a[x + 1] - a[x + 2]
            energy[y, x] = across * across + down * down
    return energy


@jit
def detail_agreement(source: Plane | Cells, fused: Plane | Cells, likeness: Array) -> tuple[float, int]:
    """How alike the Haar details of two planes are, weighted by the energy of the source's, and the sum of the weights.

    Parameters
    ----------
    source, fused : (H, W) uint8 or int32
        The planes, or their sums of cells; an odd last row or column is left out.
    likeness : (K,) float64
        Likeness of two coefficients by their difference: of the three details' four pixels, not normalised.

    Returns
    -------
    float, int
        Sum over cells and three details of likeness times weight, and the sum of the weights.
    """
    total, energy = 0.0, 0
    for i in range(source.shape[0] // 2):
        p, q, r, s = source[2 * i], source[2 * i + 1], fused[2 * i], fused[2 * i + 1]
        for j in range(0, source.shape[1] // 2 * 2, 2):
            a, b, c, d = np.int64(p[j]), np.int64(p[j + 1]), np.int64(q[j]), np.int64(q[j + 1])
            e, f, g, h = np.int64(r[j]), np.int64(r[j + 1]), np.int64(s[j]), np.int64(s[j + 1])
            down, across, cross = a + b - c - d, a - b + c - d, a - b - c + d
            weight = down * down + across * across + cross * cross
            alike = likeness[abs(down - (e + f - g - h))]
            alike += likeness[abs(across - (e - f + g - h))] + likeness[abs(cross - (e - f - g + h))]
            total += alike * np.float64(weight)
            energy += int(weight)
    return total, energy
