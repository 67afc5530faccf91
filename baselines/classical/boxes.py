"""Sums and means over clipped windows, and the guided filters that are made of them."""

from __future__ import annotations

import numpy as np

from ..card import Plane
from .filters import Taps
from .kernels import jit


def box_sum(x: Plane, r: int) -> Plane:
    """Sum over the (2r + 1) x (2r + 1) window, clipped to the image.

    Cumulative sums down the columns and differences of two of them, then the same along the rows: a table of sums over
    both axes at once rounds otherwise.

    Parameters
    ----------
    x : ndarray, (H, W)
        Any float64 plane.
    r : int
        Radius of the window in pixels.

    Returns
    -------
    ndarray, (H, W), float64
    """
    return _box_sum(np.ascontiguousarray(x, dtype=np.float64), r)


def box_mean(x: Plane, r: int) -> Plane:
    """Mean over the (2r + 1) x (2r + 1) window, clipped to the image: `box_sum` over the number of its pixels.

    Parameters
    ----------
    x : ndarray, (H, W)
        Any float64 plane.
    r : int
        Radius of the window in pixels.

    Returns
    -------
    ndarray, (H, W), float64
    """
    height, width = x.shape
    return box_sum(x, r) / np.outer(_window_lengths(height, r), _window_lengths(width, r))


def guided_filter(guide: Plane, image: Plane, radius: int, eps: float) -> Plane:
    """Smooth an image to what is locally linear in a guide.

    With m the clipped box mean: a = (m(I p) - m(I) m(p)) / (m(I²) - m(I)² + eps), b = m(p) - a m(I), and the result is
    m(a) I + m(b).

    Parameters
    ----------
    guide, image : ndarray, (H, W)
        I and p, float64.
    radius : int
        Radius of the windows in pixels.
    eps : float
        Variance of the guide below which it counts as flat, in its squared unit; positive.

    Returns
    -------
    ndarray, (H, W), float64

    References
    ----------
    .. [1] K. He, J. Sun, X. Tang, "Guided image filtering", IEEE TPAMI 35(6), 2013, doi:10.1109/TPAMI.2012.213.
    """
    guide = np.ascontiguousarray(guide, dtype=np.float64)
    image = np.ascontiguousarray(image, dtype=np.float64)
    return _guided_filter(guide, image, radius, float(eps))


def self_guided_filter(image: Plane, radius: int, eps: float) -> Plane:
    """`guided_filter` of an image by itself, an edge-preserving smoothing: a = v / (v + eps) with v the local variance.

    Parameters
    ----------
    image : ndarray, (H, W)
        float64.
    radius : int
        Radius of the windows in pixels.
    eps : float
        Variance below which a neighbourhood counts as flat, in the squared unit of the image; positive.

    Returns
    -------
    ndarray, (H, W), float64
    """
    mean_a, mean_b = self_guided_coefficients(image, radius, eps)
    return mean_a * image + mean_b


def self_guided_coefficients(image: Plane, radius: int, eps: float) -> tuple[Plane, Plane]:
    """The two planes m(a), m(b) of `self_guided_filter`.

    Parameters
    ----------
    image : ndarray, (H, W)
        float64.
    radius : int
        Radius of the windows in pixels.
    eps : float
        Variance below which a neighbourhood counts as flat, in the squared unit of the image; positive.

    Returns
    -------
    tuple of two ndarrays, (H, W), float64
    """
    return _self_guided_coefficients(np.ascontiguousarray(image, dtype=np.float64), radius, float(eps))


@jit
def _window_lengths(n: int, r: int) -> Taps:
    """How many of the 2r + 1 samples around each of n lie inside."""
    lengths = np.empty(n)
    for i in range(n):
        lengths[i] = min(i + r, n - 1) - max(i - r, 0) + 1
    return lengths


@jit
def _window_sums(down: Plane, y: int, r: int, line: Taps, out: Taps) -> None:
    """Sums over the windows around the pixels of row y, from the cumulative sums down the columns; line is scratch."""
    height, width = down.shape
    below = down[min(y + r, height - 1)]
    if y - r > 0:
        above = down[y - r - 1]
        for x in range(width):
            line[x] = below[x] - above[x]
    else:
        for x in range(width):
            line[x] = below[x]
    total = 0.0
    for x in range(width):
        total += line[x]
        line[x] = total
    right = max(width - r, 0)
    for x in range(right):
        out[x] = line[x + r]
    for x in range(right, width):
        out[x] = line[width - 1]
    for x in range(r + 1, width):
        out[x] -= line[x - r - 1]


@jit
def _box_sum(x: Plane, r: int) -> Plane:
    height, width = x.shape
    down = np.empty((height, width))
    down[0] = x[0]
    for y in range(1, height):
        for i in range(width):
            down[y, i] = down[y - 1, i] + x[y, i]
    out = np.empty((height, width))
    line = np.empty(width)
    for y in range(height):
        _window_sums(down, y, r, line, out[y])
    return out


@jit
def _accumulate(down: Plane, y: int) -> None:
    """Turn row y into the cumulative sum down to it."""
    if y > 0:
        for x in range(down.shape[1]):
            down[y, x] += down[y - 1, x]


@jit
def _self_guided_coefficients(image: Plane, r: int, eps: float) -> tuple[Plane, Plane]:
    height, width = image.shape
    rows, columns = _window_lengths(height, r), _window_lengths(width, r)
    first, second = image.copy(), image * image
    for y in range(height):
        _accumulate(first, y)
        _accumulate(second, y)
    a, b = np.empty((height, width)), np.empty((height, width))
    line, i, ii = np.empty(width), np.empty(width), np.empty(width)
    for y in range(height):
        _window_sums(first, y, r, line, i)
        _window_sums(second, y, r, line, ii)
        for x in range(width):
            n = rows[y] * columns[x]
            mean = i[x] / n
            variance = ii[x] / n - mean * mean
            a[y, x] = variance / (variance + eps)
            b[y, x] = mean - a[y, x] * mean
        _accumulate(a, y)
        _accumulate(b, y)
    for y in range(height):
        _window_sums(a, y, r, line, first[y])
        _window_sums(b, y, r, line, second[y])
        for x in range(width):
            n = rows[y] * columns[x]
            first[y, x] /= n
            second[y, x] /= n
    return first, second


@jit
def _guided_filter(guide: Plane, image: Plane, r: int, eps: float) -> Plane:
    height, width = guide.shape
    rows, columns = _window_lengths(height, r), _window_lengths(width, r)
    down_i, down_p, down_ip, down_ii = guide.copy(), image.copy(), guide * image, guide * guide
    for y in range(height):
        _accumulate(down_i, y)
        _accumulate(down_p, y)
        _accumulate(down_ip, y)
        _accumulate(down_ii, y)
    a, b = np.empty((height, width)), np.empty((height, width))
    line = np.empty(width)
    i, p, ip, ii = np.empty(width), np.empty(width), np.empty(width), np.empty(width)
    for y in range(height):
        _window_sums(down_i, y, r, line, i)
        _window_sums(down_p, y, r, line, p)
        _window_sums(down_ip, y, r, line, ip)
        _window_sums(down_ii, y, r, line, ii)
        for x in range(width):
            n = rows[y] * columns[x]
            mean_i, mean_p = i[x] / n, p[x] / n
            covariance = ip[x] / n - mean_i * mean_p
            variance = ii[x] / n - mean_i * mean_i
            a[y, x] = covariance / (variance + eps)
            b[y, x] = mean_p - a[y, x] * mean_i
        _accumulate(a, y)
        _accumulate(b, y)
    out = np.empty((height, width))
    for y in range(height):
        _window_sums(a, y, r, line, i)
        _window_sums(b, y, r, line, p)
        for x in range(width):
            n = rows[y] * columns[x]
            out[y, x] = i[x] / n * guide[y, x] + p[x] / n
    return out
