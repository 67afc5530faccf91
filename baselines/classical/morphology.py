"""Toet's morphological pyramid: minima and maxima do what sums do in a Laplacian pyramid.

Opening and closing by a flat square removes what is smaller than it, bright or dark, and moves no edge of what is
larger. (Pattern Recognition Letters 9(4), 1989, doi:10.1016/0167-8655(89)90004-4.)
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter

from ..card import Plane

_SIDE: Final = 3
"""Side of the flat structuring element in pixels."""


def morphological_pyramid(image: Plane, levels: int) -> tuple[list[Plane], Plane]:
    """Split an image into morphological bands, the finest first, and the coarsest level.

    Parameters
    ----------
    image : ndarray, (H, W)
        Any float64 plane.
    levels : int
        Number of bands. Each level is ceil(H/2) x ceil(W/2) of the one before.
    """
    bands = []
    for _ in range(levels):
        small = np.ascontiguousarray(_open_close(image)[::2, ::2])
        bands.append(image - _dilate(small, image.shape))
        image = small
    return bands, image


def from_morphological(bands: list[Plane], low: Plane) -> Plane:
    """The image of a morphological pyramid."""
    image = low
    for band in reversed(bands):
        image = band + _dilate(image, band.shape)
    return image


def _open_close(image: Plane) -> Plane:
    opened = maximum_filter(minimum_filter(image, _SIDE), _SIDE)
    closed: Plane = minimum_filter(maximum_filter(opened, _SIDE), _SIDE)
    return closed


def _dilate(small: Plane, shape: tuple[int, ...]) -> Plane:
    """Put the samples on every other row and column; each pixel between them takes the maximum of its neighbours."""
    large = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)[: shape[0], : shape[1]]
    # A row between two samples: repeated above, the sample below is yet to come.
    between = large[1:-1:2]
    np.maximum(between, large[2::2], out=between)
    across = large[:, 1:-1:2]
    np.maximum(across, large[:, 2::2], out=across)
    return large
