"""How well the features of two images correlate around every pixel, eight rows at a time.

Window sums down the columns are made row by row, and those along the rows after eight rows were turned into the lanes
of vectors, where the neighbours of a pixel are whole vectors. Nothing but sums over the image leaves the cache.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import jit, jit_fused
from .vectors import (
    LANES,
    lane,
    larger,
    load,
    magnitude,
    root,
    spread,
    spread_each,
    store,
    transpose,
    where_positive,
    windowed,
)

Array = NDArray[np.float64]

REACH = 5
HALF = REACH + 1
TILE = LANES * LANES
_GUARD = 1e-4


@jit
def masked_features(a: Array, b: Array, threshold: float, out: Array) -> int:
    """Features of two sources, and of the stronger of the two at every pixel, where congruency is above a threshold.

    Parameters
    ----------
    a, b : (3, H, W) float64
        Congruency and its moments.
    threshold : float
        What congruency must exceed.
    out : (3, 3, H, W) float64
        Of a, of b, of the stronger; 0 elsewhere.

    Returns
    -------
    int
        Pixels where the stronger has features.
    """
    area = 0
    for y in range(a.shape[1]):
        for x in range(a.shape[2]):
            p, q = a[0, y, x], b[0, y, x]
            has_p, has_q, first = p > threshold, q > threshold, p > q
            has_any = has_p if first else has_q
            for k in range(3):
                p, q = a[k, y, x], b[k, y, x]
                out[0, k, y, x] = p if has_p else 0.0
                out[1, k, y, x] = q if has_q else 0.0
                out[2, k, y, x] = (p if first else q) if has_any else 0.0
            area += has_any
    return area


@jit_fused
def features_kept(references: Array, fused: Array, weights: Array, z: Array) -> tuple[float, float, float]:
    """Sums over pixels, for each of three features, of the best local correlation with one of the references.

    Parameters
    ----------
    references : (3, 3, H, W) float64
        By reference and feature; where its first feature is 0, a reference has none.
    fused : (3, H, W) float64
        Features of the fused image.
    weights : (6,) float64
        One half of a window of 11 samples, the middle last; it is used along both sides.
    z : (at least 90 * (W + 16),) float64
        Working memory.
    """
    w = spread_each(weights, HALF)
    height, width = fused.shape[1:]
    # Places of working memory: rows, a tile of their sums, these in lanes with a margin, and then what is made of them.
    span = (width + LANES - 1) // LANES * LANES
    lanes = (LANES + 2 * REACH) * span + TILE
    mask = lanes + LANES * (span + 2 * REACH)
    mean, square = mask + LANES * span, mask + 2 * LANES * span
    mean_f, square_f = mask + 3 * LANES * span, mask + 4 * LANES * span
    product, best = mask + 5 * LANES * span, mask + 6 * LANES * span
    z[lanes:mask] = 0.0
    result = np.zeros(3)
    for k in range(3):
        total = spread(0.0)
        for top in range(0, height, LANES):
            plane = fused[k]
            _windows(plane, plane, True, top, w, z, span, mean_f)
            _windows(plane, plane, False, top, w, z, span, square_f)
            for r in range(3):
                _rows(references[r, 0], references[r, 0], True, top, LANES, z, span)
                for x in range(0, span, LANES):
                    transpose(z, x, span, mask + LANES * x, LANES)
                reference = references[r, k]
                _windows(reference, reference, True, top, w, z, span, mean)
                _windows(reference, reference, False, top, w, z, span, square)
                _windows(reference, plane, False, top, w, z, span, product)
                for i in range(0, LANES * width, LANES):
                    m, n = load(z, mean + i), load(z, mean_f + i)
                    one, other = load(z, square + i) - m * m, load(z, square_f + i) - n * n
                    value = (load(z, product + i) - m * n + _GUARD) / (root(magnitude(one * other)) + _GUARD)
                    value = where_positive(load(z, mask + i), value)
                    store(z, best + i, larger(value, load(z, best + i)) if r else value)
            for i in range(0, LANES * width, LANES):
                total = total + load(z, best + i)
        for q in range(LANES):
            result[k] += lane(total, q)
    return result[0], result[1], result[2]


@jit
def _rows(first: Array, second: Array, alone: bool, top: int, count: int, z: Array, span: int) -> None:
    """So many rows of a plane (`alone`), or of the product of two, side by side; zeros beyond the border."""
    height, width = first.shape
    for k in range(count):
        y, out = top + k, z[k * span : (k + 1) * span]
        if y < 0 or y >= height:
            out[:] = 0.0
            continue
        a, b = first[y], second[y]
        if alone:
            for x in range(width):
                out[x] = a[x]
        else:
            for x in range(width):
                out[x] = a[x] * b[x]
        out[width:] = 0.0


@jit_fused
def _windows(
    first: Array, second: Array, alone: bool, top: int, w: tuple[float, ...], z: Array, span: int, to: int
) -> None:
    """Windowed sums of a plane (`alone`), or of the product of two, around the pixels of eight rows, in lanes."""
    count = LANES + 2 * REACH
    tile = count * span
    lanes = tile + TILE
    _rows(first, second, alone, top - REACH, count, z, span)
    for x in range(0, span, LANES):
        # Column by column: what the next row of windows needs is then still in the first-level cache.
        for k in range(LANES):
            store(z, tile + LANES * k, windowed(z, k * span + x, span, w))
        transpose(z, tile, LANES, lanes + LANES * (REACH + x), LANES)
    for i in range(0, LANES * span, LANES):
        store(z, to + i, windowed(z, lanes + i, LANES, w))
