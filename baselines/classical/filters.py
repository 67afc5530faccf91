"""Linear filters, box sums, guided filters and resizing, with the borders and summation orders of image toolboxes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import UserError

from ..card import Plane
from .kernels import jit
from .numeric import u8

Taps: TypeAlias = NDArray[np.float64]
Border: TypeAlias = Literal["zero", "replicate", "symmetric", "reflect", "circular"]
"""What lies outside the image: 0; the edge sample; the mirrored image with the edge sample repeated (c b a | a b c) or
not (d c b | a b c d); the image again from its other side."""
Kernel: TypeAlias = Literal["nearest", "linear", "cubic"]
Samples = TypeVar("Samples", NDArray[np.uint8], NDArray[np.float64])

_PAD_MODE: Final[dict[str, Any]] = {
    "zero": "constant",
    "replicate": "edge",
    "symmetric": "symmetric",
    "reflect": "reflect",
    "circular": "wrap",
}


def require_positive(**widths: float) -> None:
    """Refuse a standard deviation, radius or other number that means nothing unless it is above 0.

    Parameters
    ----------
    **widths : float
        Values by the names under which the user gives them.

    Raises
    ------
    UserError
        If one is not above 0, or is infinite.
    """
    for name, value in widths.items():
        if not 0 < value < math.inf:
            raise UserError(f"{name}={value} is out of range: give a finite number above 0.")


def pad(x: Plane, rows: tuple[int, int], columns: tuple[int, int], border: Border) -> Plane:
    """Surround a plane: so many rows above and below it, so many columns left and right of it.

    Parameters
    ----------
    x : ndarray, (H, W)
        Any float64 plane.
    rows, columns : tuple of int
        Widths of the frame before and after, in pixels. They may exceed the plane: mirrors are mirrored again.
    border : {"zero", "replicate", "symmetric", "reflect", "circular"}
        What the frame holds.

    Returns
    -------
    ndarray, (H + sum(rows), W + sum(columns)), C-contiguous
    """
    return np.ascontiguousarray(np.pad(x, (rows, columns), mode=_PAD_MODE[border]))


def correlate(x: Plane, kernel: Plane, border: Border) -> Plane:
    """Correlation (not convolution: the kernel is not turned) with a small kernel.

    Parameters
    ----------
    x : ndarray, (H, W)
        Any float64 plane.
    kernel : ndarray, (h, w)
        Weights. Sample (h // 2, w // 2) lies on the pixel. The products are added row by row of the kernel.
    border : {"zero", "replicate", "symmetric", "reflect", "circular"}
        What lies outside the plane.

    Returns
    -------
    ndarray, (H, W), float64
    """
    kernel = np.ascontiguousarray(kernel, dtype=np.float64)
    height, width = kernel.shape
    return _correlate(pad(x, _around(height), _around(width), border), kernel)


def separable(x: Plane, taps_rows: Taps, taps_columns: Taps, border: Border) -> Plane:
    """Correlation with the kernel ``outer(taps_rows, taps_columns)``: first along the rows, then down the columns.

    Parameters
    ----------
    x : ndarray, (H, W)
        Any float64 plane.
    taps_rows : ndarray, (n,)
        Weights of n successive rows: what is applied down each column. Tap n // 2 lies on the pixel.
    taps_columns : ndarray, (m,)
        Weights of m successive columns: what is applied along each row.
    border : {"zero", "replicate", "symmetric", "reflect", "circular"}
        What lies outside the plane.

    Returns
    -------
    ndarray, (H, W), float64
        Each pass adds its products in the order of the taps.
    """
    down = np.ascontiguousarray(taps_rows, dtype=np.float64)
    across = np.ascontiguousarray(taps_columns, dtype=np.float64)
    filtered = _filter_across(pad(x, (0, 0), _around(across.size), border), across)
    return _filter_down(pad(filtered, _around(down.size), (0, 0), border), down)


def gaussian(n: int, sigma: float) -> Taps:
    """n samples of a Gaussian around the middle one, normalised to the sum 1.

    Parameters
    ----------
    n : int
        Number of taps, odd.
    sigma : float
        Standard deviation in pixels.

    Returns
    -------
    ndarray, (n,), float64
    """
    offset = np.arange(n) - (n - 1) / 2
    taps = np.exp(-(offset**2) / (2.0 * sigma**2))
    return np.asarray(taps / taps.sum())


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


def gradient(x: Plane) -> tuple[Plane, Plane]:
    """Numerical derivatives to the right and downwards: central differences, one-sided ones at the two ends.

    Parameters
    ----------
    x : ndarray, (H, W)
        Any float64 plane of at least two pixels a side.

    Returns
    -------
    tuple of two ndarrays, (H, W), float64
        Along the columns' index (to the right), along the rows' index (downwards), per pixel.
    """
    return np.asarray(np.gradient(x, axis=1)), np.asarray(np.gradient(x, axis=0))


def resize(x: Samples, size: tuple[int, int] | float, kernel: Kernel = "cubic", *, antialias: bool = True) -> Samples:
    """Resample a plane with a separable kernel.

    Sample k of an axis scaled by s, both counted from 1, looks at position k / s + (1 - 1 / s) / 2. Weights are
    normalised for each sample, taps outside are mirrored (edge sample repeated). The axis with the smaller scale comes
    first.

    Parameters
    ----------
    x : ndarray, (H, W)
        float64, or uint8: then each of the two passes is rounded to 8 bits.
    size : tuple of int, or float
        Rows and columns of the result, or one scale for both: then a side n becomes ceil(scale n).
    kernel : {"cubic", "linear", "nearest"}
        Cubic with a = -1/2, triangle, or box.
    antialias : bool
        Stretch the kernel (but never the box) by 1 / s when s < 1.

    Returns
    -------
    ndarray of the dtype of `x`
    """
    if isinstance(size, tuple):
        lengths = size
        scales = (size[0] / x.shape[0], size[1] / x.shape[1])
    else:
        lengths = (math.ceil(size * x.shape[0]), math.ceil(size * x.shape[1]))
        scales = (size, size)
    for axis in sorted((0, 1), key=lambda axis: scales[axis]):
        weights, taken = _contributions(x.shape[axis], lengths[axis], scales[axis], kernel, antialias)
        # Each row of weights with its row of indices is one tap of every new sample.
        shape = (-1, 1) if axis == 0 else (1, -1)
        taps = zip(weights, taken, strict=True)
        total = sum((weight.reshape(shape) * x.take(index, axis) for weight, index in taps), np.zeros(()))
        x = cast("Samples", u8(total) if x.dtype == np.uint8 else total)
    return x


def _contributions(
    n: int, length: int, scale: float, kernel: Kernel, antialias: bool
) -> tuple[Plane, NDArray[np.intp]]:
    """Weights and indices, (taps, length) each, of the samples that make up each new sample of one axis."""
    shape, support = _KERNELS[kernel]
    shrink = min(scale, 1.0) if antialias and kernel != "nearest" else 1.0
    support /= shrink
    position = np.arange(1, length + 1) / scale + 0.5 * (1 - 1 / scale)
    first = np.floor(position - support / 2)
    index = first + np.arange(math.ceil(support) + 2)[:, None]
    weights = shrink * shape(shrink * (position - index))
    weights /= weights.sum(axis=0)
    inside = (index.astype(np.intp) - 1) % (2 * n)
    inside = np.where(inside < n, inside, 2 * n - 1 - inside)
    used = weights.any(axis=1)
    return weights[used], inside[used]


def _box(t: Plane) -> Plane:
    return ((t >= -0.5) & (t < 0.5)).astype(np.float64)


def _triangle(t: Plane) -> Plane:
    return np.asarray(np.maximum(1 - np.abs(t), 0.0))


def _cubic(t: Plane) -> Plane:
    t = np.abs(t)
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return np.asarray(np.where(t <= 1, near, np.where(t <= 2, far, 0.0)))


_KERNELS: Final[dict[str, tuple[Callable[[Plane], Plane], float]]] = {
    "nearest": (_box, 1.0),
    "linear": (_triangle, 2.0),
    "cubic": (_cubic, 4.0),
}
"""Each kernel and the length of its support."""


def _around(taps: int) -> tuple[int, int]:
    return taps // 2, taps - 1 - taps // 2


@jit
def _correlate(padded: Plane, kernel: Plane) -> Plane:
    height, width = padded.shape[0] - kernel.shape[0] + 1, padded.shape[1] - kernel.shape[1] + 1
    out = np.zeros((height, width))
    for y in range(height):
        for i in range(kernel.shape[0]):
            for j in range(kernel.shape[1]):
                weight = kernel[i, j]
                for x in range(width):
                    out[y, x] += weight * padded[y + i, x + j]
    return out


@jit
def _filter_across(padded: Plane, taps: Taps) -> Plane:
    height, width = padded.shape[0], padded.shape[1] - taps.size + 1
    out = np.zeros((height, width))
    for y in range(height):
        for k in range(taps.size):
            weight = taps[k]
            for x in range(width):
                out[y, x] += weight * padded[y, x + k]
    return out


@jit
def _filter_down(padded: Plane, taps: Taps) -> Plane:
    height, width = padded.shape[0] - taps.size + 1, padded.shape[1]
    out = np.zeros((height, width))
    for y in range(height):
        for k in range(taps.size):
            weight = taps[k]
            for x in range(width):
                out[y, x] += weight * padded[y + k, x]
    return out


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
