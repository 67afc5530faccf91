"""One step down and one step up a Gaussian pyramid, for images of any size, mirrored at their borders.

`laplacian.reduce` and `laplacian.expand` keep the borders of a toolbox, with empty corners: a Laplacian pyramid undoes
them exactly. What is here serves where nothing undoes them: pyramids of weights, and pyramids that are rebuilt from
derivatives. An image without structure stays without structure, up to its corners.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ..card import Plane
from .filters import Taps, separable

BINOMIAL: Final[Taps] = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0


def smooth(image: Plane) -> Plane:
    """(1 4 6 4 1)/16 along both axes, the image mirrored about its edge samples."""
    return separable(image, BINOMIAL, BINOMIAL, "reflect")


def halve(image: Plane) -> Plane:
    """Smooth an image and keep every other row and column.

    Parameters
    ----------
    image : ndarray, (H, W)
        Any float64 plane.

    Returns
    -------
    ndarray, (ceil(H/2), ceil(W/2))
    """
    return np.ascontiguousarray(smooth(image)[::2, ::2])


def double(small: Plane, shape: tuple[int, int]) -> Plane:
    """Interpolate between the rows and columns that `halve` kept.

    Parameters
    ----------
    small : ndarray, (ceil(H/2), ceil(W/2))
        Any float64 plane.
    shape : tuple of int
        H and W.

    Returns
    -------
    ndarray, (H, W)

    Notes
    -----
    A zero after every sample and (1 4 6 4 1)/8: (1 6 1)/8 of three samples where there is one, (1 1)/2 of two between
    them.
    """
    return _double_rows(_double_rows(small, shape[0]).T, shape[1]).T


def _double_rows(small: Plane, height: int) -> Plane:
    # Mirrored about the last row, the next kept one is the last again (even height) or the one before it (odd).
    last = small[-1:] if height % 2 == 0 else small[-2:][:1]
    framed = np.concatenate([small[:2][-1:], small, last])
    large = np.empty((height, small.shape[1]))
    large[0::2] = (framed[:-2] + framed[2:] + 6.0 * framed[1:-1]) / 8.0
    large[1::2] = ((framed[1:-1] + framed[2:]) / 2.0)[: height // 2]
    return large
