"""Choosing between two maps of coefficients: the stronger one wins where its neighbours agree."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..card import Plane
from .kernels import jit

Coefficients = TypeVar("Coefficients", bound=NDArray[Any])


def ext2(x: Plane, n: int) -> Plane:
    """Surround a plane by its mirror image, n samples wide, the edge sample not repeated; the four corners are 0.

    The corners are what the toolbox behind the pyramid methods leaves unfilled, so the filters that follow see a dark
    square diagonally outside each corner of the image.

    Parameters
    ----------
    x : ndarray, (H, W)
        Any float64 plane.
    n : int
        Width of the frame in samples. It may exceed the plane: the mirror is mirrored again.

    Returns
    -------
    ndarray, (H + 2n, W + 2n)

    Examples
    --------
    >>> ext2(np.array([[1.0, 2.0], [3.0, 4.0]]), 1)
    array([[0., 3., 4., 0.],
           [2., 1., 2., 1.],
           [4., 3., 4., 3.],
           [0., 1., 2., 0.]])
    """
    framed: Plane = np.pad(x, n, mode="reflect")
    for rows in (slice(None, n), slice(framed.shape[0] - n, None)):
        for columns in (slice(None, n), slice(framed.shape[1] - n, None)):
            framed[rows, columns] = 0
    return framed


def choose_max(p: Coefficients, q: Coefficients) -> Coefficients:
    """The map whose strongest magnitude in the 3x3 neighbourhood is larger, by the majority of that neighbourhood.

    Parameters
    ----------
    p, q : ndarray, (H, W), float64 or complex128
        Coefficients of the same subband of two images.

    Returns
    -------
    ndarray, (H, W)
        Where at least five of the nine pixels around see a stronger maximum in `p`: `p`, elsewhere, ties included: `q`.

    Notes
    -----
    Both maps are extended by `ext2` before their maxima are taken, so that the vote at the border counts nine pixels
    too.

    References
    ----------
    H. Li, B. S. Manjunath, S. K. Mitra, Multisensor image fusion using the wavelet transform, Graphical Models and
    Image Processing 57(3), 1995, doi:10.1006/gmip.1995.1022: the maximum rule with consistency verification.

    Examples
    --------
    >>> strong, weak = np.full((3, 4), -2.0), np.full((3, 4), 1.0)
    >>> choose_max(strong, weak)[0].tolist(), choose_max(weak, strong)[0].tolist()
    ([-2.0, -2.0, -2.0, -2.0], [-2.0, -2.0, -2.0, -2.0])
    """
    first_wins = _majority(_strongest_around(ext2(np.abs(p), 1)), _strongest_around(ext2(np.abs(q), 1)))
    chosen: Coefficients = np.where(first_wins, p, q)  # type: ignore[assignment]
    return chosen


@jit
def _strongest_around(magnitude: Plane) -> Plane:
    """Maximum of each 3x3 neighbourhood; magnitudes are not negative, so nothing outside the plane can be it."""
    height, width = magnitude.shape
    strongest = np.empty((height, width))
    column = np.empty(width)
    for y in range(height):
        above = magnitude[max(y - 1, 0)]
        here = magnitude[y]
        below = magnitude[min(y + 1, height - 1)]
        for x in range(width):
            column[x] = max(max(above[x], here[x]), below[x])
        row = strongest[y]
        row[0] = max(column[0], column[1])
        for x in range(1, width - 1):
            row[x] = max(max(column[x - 1], column[x]), column[x + 1])
        row[width - 1] = max(column[width - 2], column[width - 1])
    return strongest


@jit
def _majority(a: Plane, b: Plane) -> NDArray[np.bool_]:
    """Where a > b in more than four of the nine pixels around; a and b are one pixel wider on each side."""
    height, width = a.shape
    first_wins = np.empty((height - 2, width - 2), dtype=np.bool_)
    votes = np.empty(width, dtype=np.uint8)
    for y in range(height - 2):
        for x in range(width):
            votes[x] = (
                np.uint8(a[y, x] > b[y, x]) + np.uint8(a[y + 1, x] > b[y + 1, x]) + np.uint8(a[y + 2, x] > b[y + 2, x])
            )
        for x in range(width - 2):
            first_wins[y, x] = votes[x] + votes[x + 1] + votes[x + 2] > 4
    return first_wins
