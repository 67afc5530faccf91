"""Histograms and exact integer sums."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit

Plane = NDArray[np.uint8]


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
        total += int(np.int32(a[i]) * np.int32(b[i]))
    return total


@jit
def sum_x_log_x(counts: NDArray[np.int32] | NDArray[np.int64], table: NDArray[np.float64]) -> float:
    """Sum of c log2 c over counts; `table` holds c log2 c of the small ones."""
    total = 0.0
    for c in counts.ravel():
        if c > 0:
            total += table[c] if c < table.size else c * math.log2(c)
    return total
