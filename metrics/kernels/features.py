"""Feature maps of a plane: where its edges are, and the two halves of its frequencies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import jit

Plane = NDArray[np.uint8]
Array = NDArray[np.float64]


@jit
def thin_edges(plane: Plane, factor: int) -> NDArray[np.uint8]:
    """Edges one pixel wide by the Sobel operator, borders repeated.

    An edge is kept where it is largest in the direction in which the image is steepest; of two equals the later one.

    Parameters
    ----------
    plane : (H, W) uint8
        The image.
    factor : int
        An edge is where the squared gradient exceeds so many times its mean.

    Returns
    -------
    (H, W) uint8
        1 on an edge, 0 elsewhere.
    """
    height, width = plane.shape
    squares = np.empty((height, width), np.int32)
    across = np.empty((height, width), np.bool_)
    down = np.empty((height, width), np.bool_)
    total = 0
    for y in range(height):
        a, b, c = plane[max(y - 1, 0)], plane[y], plane[min(y + 1, height - 1)]
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            nw, n, ne = np.int32(a[left]), np.int32(a[x]), np.int32(a[right])
            w, e = np.int32(b[left]), np.int32(b[right])
            sw, s, se = np.int32(c[left]), np.int32(c[x]), np.int32(c[right])
            sx = ne + 2 * e + se - nw - 2 * w - sw
            sy = sw + 2 * s + se - nw - 2 * n - ne
            square = sx * sx + sy * sy
            squares[y, x] = square
            across[y, x] = abs(sx) >= abs(sy)
            down[y, x] = abs(sy) >= abs(sx)
            total += int(square)
    edges = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            here = np.int64(squares[y, x])
            if here * squares.size <= factor * total:
                continue
            left, right = squares[y, x - 1] if x else -1, squares[y, x + 1] if x < width - 1 else -1
            above, below = squares[y - 1, x] if y else -1, squares[y + 1, x] if y < height - 1 else -1
            if (across[y, x] and left <= here and right < here) or (down[y, x] and above <= here and below < here):
                edges[y, x] = 1
    return edges


@jit
def split(plane: Array, low_pass: Array, high_pass: Array) -> Array:
    """Low and high frequencies of the columns of a plane, (H, W) -> (2 * ((H + taps - 1) // 2), W), the low ones on top.

    Every second sample of the convolution, the plane mirrored with its border repeated. Where an image is flat the high
    frequencies are rounding alone, so the order of the sums is part of the definition. It is that of PyWavelets: the taps
    from the first to the last; below the end of the plane those that lie beyond it come first, the farthest last.
    """
    height, width = plane.shape
    half = (height + low_pass.size - 1) // 2
    out = np.zeros((2 * half, width))
    for y in range(half):
        last = 2 * y + 1
        beyond = max(0, last - height + 1)
        low, high = out[y], out[half + y]
        for step in range(low_pass.size):
            tap = beyond - 1 - step if step < beyond else step
            at = (last - tap) % (2 * height)
            row = plane[at if at < height else 2 * height - 1 - at]
            first, second = low_pass[tap], high_pass[tap]
            for x in range(width):
                low[x] += first * row[x]
                high[x] += second * row[x]
    return out
