"""Moments of every window of two sources and of the fused images made of them, row by row of windows.

Rows enter a ring as deep as the window is high; when it is full, sums over it are one row of moments. So no plane of
moments is ever stored, whatever the size of the images.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit, jit_fused

Plane = NDArray[np.uint8]
Array = NDArray[np.float64]

SOURCES = 5
"""Moments of the sources: A, B, A A, B B, A B."""
FUSED = 4
"""Moments of a fused image: F, F F, A F, B F."""


@jit
def _line(plane: Array | Plane, y: int, edges: bool, out: Array) -> None:
    """One row of a plane, or of its Sobel magnitudes with the border repeated."""
    last = plane.shape[1] - 1
    here, above, below = plane[y], plane[max(y - 1, 0)], plane[min(y + 1, plane.shape[0] - 1)]
    if not edges:
        for x in range(last + 1):
            out[x] = here[x]
        return
    for x in range(last + 1):
        w, e = max(x - 1, 0), min(x + 1, last)
        right = np.float64(above[e]) + 2.0 * here[e] + below[e] - above[w] - 2.0 * here[w] - below[w]
        down = np.float64(below[w]) + 2.0 * below[x] + below[e] - above[w] - 2.0 * above[x] - above[e]
        out[x] = math.sqrt(right * right + down * down)


@jit_fused
def _across(line: Array, taps: Array, out: Array) -> None:
    w = taps[0]
    for x in range(out.size):
        out[x] = w * line[x]
    for k in range(1, taps.size):
        w, z = taps[k], line[k:]
        for x in range(out.size):
            out[x] += w * z[x]


@jit
def _product(x: Array, y: Array, out: Array) -> None:
    for k in range(out.size):
        out[k] = x[k] * y[k]


@jit
def enter(
    ir: Array | Plane, vis: Array | Plane, fused: Array | Plane, y: int, edges: bool, across: Array, ring: Array
) -> None:
    """Put row y of all planes and of their products into the ring, summed along the row.

    Parameters
    ----------
    ir, vis : (H, W) uint8 or float64
        The sources.
    fused : (k, H, W) of the same type
        The fused images.
    y : int
        The row.
    edges : bool
        Whether Sobel magnitudes take the place of the levels.
    across : (n,) float64
        Weights along a row; a single 1 leaves the row as it is.
    ring : (5 + 4 k, size, W - n + 1) float64
        Where the row goes, in place of the one that is `size` rows above.
    """
    lines = np.empty((4, ir.shape[1]))
    a, b, f, product = lines[0], lines[1], lines[2], lines[3]
    at = y % ring.shape[1]
    _line(ir, y, edges, a)
    _line(vis, y, edges, b)
    _across(a, across, ring[0, at])
    _across(b, across, ring[1, at])
    _product(a, a, product)
    _across(product, across, ring[2, at])
    _product(b, b, product)
    _across(product, across, ring[3, at])
    _product(a, b, product)
    _across(product, across, ring[4, at])
    for k in range(fused.shape[0]):
        first = SOURCES + FUSED * k
        _line(fused[k], y, edges, f)
        _across(f, across, ring[first, at])
        _product(f, f, product)
        _across(product, across, ring[first + 1, at])
        _product(a, f, product)
        _across(product, across, ring[first + 2, at])
        _product(b, f, product)
        _across(product, across, ring[first + 3, at])


@jit_fused
def leave(ring: Array, top: int, down: Array, out: Array) -> None:
    """Sums down the ring, row `top` first, of every moment: (moments, size, width) -> (moments, width)."""
    size = down.size
    for p in range(out.shape[0]):
        row = out[p]
        w, z = down[0], ring[p, top % size]
        for x in range(row.size):
            row[x] = w * z[x]
        for k in range(1, size):
            w, z = down[k], ring[p, (top + k) % size]
            for x in range(row.size):
                row[x] += w * z[x]


@jit_fused
def leave_as_octave(ring: Array, top: int, kernel: Array, out: Array) -> None:
    """Sums over windows of 7 x 7 or 11 x 11: (moments, size, width + size - 1) -> (moments, width), as Octave's filter2.

    Last column first, each column from below, one rounding a product and sum. Where an image is flat, variances and
    covariances are nothing but these roundings, and a quotient of two of them is a visible part of what a program prints.
    """
    size = kernel.shape[0]
    for p in range(out.shape[0]):
        row = out[p]
        for x in range(row.size):
            row[x] = 0.0
        for j in range(size - 1, -1, -1):
            for i in range(size - 1, 2, -4):
                w3, w2, w1, w0 = kernel[i, j], kernel[i - 1, j], kernel[i - 2, j], kernel[i - 3, j]
                z3, z2 = ring[p, (top + i) % size, j:], ring[p, (top + i - 1) % size, j:]
                z1, z0 = ring[p, (top + i - 2) % size, j:], ring[p, (top + i - 3) % size, j:]
                for x in range(row.size):
                    row[x] = (((row[x] + w3 * z3[x]) + w2 * z2[x]) + w1 * z1[x]) + w0 * z0[x]
            # Seven is four and three; eleven is four, four and three.
            w2, w1, w0 = kernel[2, j], kernel[1, j], kernel[0, j]
            z2, z1, z0 = ring[p, (top + 2) % size, j:], ring[p, (top + 1) % size, j:], ring[p, top % size, j:]
            for x in range(row.size):
                row[x] = ((row[x] + w2 * z2[x]) + w1 * z1[x]) + w0 * z0[x]
