"""Resizing with the kernels, the weights and the roundings of image toolboxes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Literal, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ..card import Plane
from .numeric import u8

Kernel: TypeAlias = Literal["nearest", "linear", "cubic"]
Samples = TypeVar("Samples", NDArray[np.uint8], NDArray[np.float64])


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
