"""Histograms and exact integer sums."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit

Plane = NDArray[np.uint8]
Counts = NDArray[np.int64]


@jit
def count(plane: Plane) -> Counts:
    """Number of pixels at each of 256 levels."""
    # Four counters each: runs of one level would otherwise wait for the counter they have just written.
    part = np.zeros((4, 256), np.int64)
    flat = plane.ravel()
    whole = flat.size // 4 * 4
    for i in range(0, whole, 4):
        part[0, flat[i]] += 1
        part[1, flat[i + 1]] += 1
        part[2, flat[i + 2]] += 1
        part[3, flat[i + 3]] += 1
    for i in range(whole, flat.size):
        part[0, flat[i]] += 1
    return part[0] + part[1] + part[2] + part[3]


@jit
def count_joint(first: Plane, second: Plane, fused: Plane) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Number of pixels at each pair of levels (first, fused) and (second, fused)."""
    one = np.zeros(65536, np.int32)
    two = np.zeros(65536, np.int32)
    a, b, f = first.ravel(), second.ravel(), fused.ravel()
    for i in range(f.size):
        one[(np.intp(a[i]) << 8) | f[i]] += 1
        two[(np.intp(b[i]) << 8) | f[i]] += 1
    return one.reshape((256, 256)), two.reshape((256, 256))


@jit
def dot(first: Plane, second: Plane) -> int:
    """Exact sum of the products of two planes."""
    total = 0
    a, b = first.ravel(), second.ravel()
    for i in range(a.size):
        total += np.int32(a[i]) * np.int32(b[i])
    return total


@jit
def sum_x_log_x(counts: NDArray[np.int32], table: NDArray[np.float64]) -> float:
    """Sum of c ln c over counts; `table` holds c ln c of the small ones."""
    total = 0.0
    for c in counts.ravel():
        if c > 0:
            total += table[c] if c < table.size else c * math.log(c)
    return total
