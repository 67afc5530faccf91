"""The step from one scale to the next: smooth, and keep every other row and column."""

from __future__ import annotations

import numpy as np

from . import jit_fused
from .windows import Array, Plane


@jit_fused
def halve(plane: Plane, weights: Array, out: Array) -> None:
    """(H, W) -> every other window mean, ((H - size + 2) // 2, (W - size + 2) // 2) float64."""
    size = 2 * weights.size - 1
    width = plane.shape[1]
    line = np.empty(width)
    even = np.empty((width + 1) // 2)
    odd = np.empty(width // 2)
    for y in range(out.shape[0]):
        middle = plane[2 * y + size // 2]
        for x in range(width):
            line[x] = weights[-1] * middle[x]
        for k in range(size // 2):
            above, below, w = plane[2 * y + k], plane[2 * y + size - 1 - k], weights[k]
            for x in range(width):
                line[x] += w * (np.float64(above[x]) + np.float64(below[x]))
        for x in range(odd.size):
            even[x] = line[2 * x]
            odd[x] = line[2 * x + 1]
        if width % 2:
            even[-1] = line[-1]
        # The taps of a window fall alternately on even and on odd columns.
        row = out[y]
        middle_column = even[size // 4 :] if size // 2 % 2 == 0 else odd[size // 4 :]
        for x in range(row.size):
            row[x] = weights[-1] * middle_column[x]
        for k in range(size // 2):
            samples, w = even if k % 2 == 0 else odd, weights[k]
            left, right = samples[k // 2 :], samples[(size - 1 - k) // 2 :]
            for x in range(row.size):
                row[x] += w * (left[x] + right[x])
