"""Conversions between levels and real numbers, as the authors' programs make them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Levels

from ..card import Plane

# First row of the inverse of the NTSC matrix (1 .956 .621; 1 -.272 -.647; 1 -1.106 1.703).
_LUMA = (589_399 / 1_971_656, 1_157_447 / 1_971_656, 224_810 / 1_971_656)


def u8(x: NDArray[Any]) -> Levels:
    """Levels of real numbers: halves are rounded away from zero, what is outside saturates, NaN is 0.

    Parameters
    ----------
    x : ndarray
        Real numbers of any shape, on the scale 0..255.

    Returns
    -------
    ndarray of uint8
        The same shape.

    Examples
    --------
    >>> u8(np.array([-7.0, 0.5, 1.5, 2.4999, 300.0, np.nan])).tolist()
    [0, 1, 2, 2, 255, 0]
    """
    inside = np.fmin(np.fmax(x, 0.0), 255.0)
    whole: Plane = np.floor(inside)
    # Not floor(x + 0.5): that sum may itself be rounded up to the next whole number.
    whole += inside - whole >= 0.5
    return whole.astype(np.uint8)


def im2u8(x: NDArray[Any]) -> Levels:
    """Levels of real numbers on the scale 0..1: `u8` of 255 x."""
    return u8(255.0 * x)


def grey(rgb: NDArray[Any]) -> Levels:
    """Grey levels of a colour image, (H, W, 3) on the scale 0..255, by the NTSC weights (.2989, .5870, .1140)."""
    return u8(_LUMA[0] * rgb[..., 0] + _LUMA[1] * rgb[..., 1] + _LUMA[2] * rgb[..., 2])


def stretch(x: NDArray[Any]) -> Plane:
    """The range of x, any shape, stretched to 0..255; an image of one level has no range and stays as it is."""
    low, high = float(x.min()), float(x.max())
    if low == high:
        return x.astype(np.float64)
    stretched: Plane = (x - low) / (high - low) * 255.0
    return stretched
