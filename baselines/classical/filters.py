"""Linear filters, with the borders and summation orders of image toolboxes."""

from __future__ import annotations

import math
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import UserError

from ..card import Plane
from .kernels import jit

Taps: TypeAlias = NDArray[np.float64]
Border: TypeAlias = Literal["zero", "replicate", "symmetric", "reflect", "circular"]
"""What lies outside the image: 0; the edge sample; the mirrored image with the edge sample repeated (c b a | a b c) or
not (d c b | a b c d); the image again from its other side."""

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
