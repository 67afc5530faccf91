"""Luma and chroma in whole levels, as the authors' programs have them from OpenCV."""

from __future__ import annotations

from typing import Final

import numpy as np

from ...card import Plane

_MIDDLE: Final = 128


def grey(image: Plane) -> Plane:
    """Luma.

    Parameters
    ----------
    image : ndarray
        (H, W, 3) RGB, on the scale 0..255.

    Returns
    -------
    ndarray
        (H, W), whole levels.
    """
    return _nearest(image @ (9798, 19235, 3735), 15)


def luma_and_chroma(image: Plane) -> tuple[Plane, Plane, Plane]:
    """Y, Cr and Cb.

    Parameters
    ----------
    image : ndarray
        (H, W, 3) RGB, on the scale 0..255.

    Returns
    -------
    tuple of ndarray
        (H, W) each, whole levels of 0..255.
    """
    y = _nearest(image @ (4899, 9617, 1868), 14)
    cr, cb = (
        np.clip(_nearest((image[..., band] - y) * gain, 14) + _MIDDLE, 0, 255) for band, gain in ((0, 11682), (2, 9241))
    )
    return y, cr, cb


def colour(y: Plane, cr: Plane, cb: Plane) -> Plane:
    """Back to R, G and B.

    Parameters
    ----------
    y, cr, cb : ndarray
        (H, W) each, whole levels of 0..255.

    Returns
    -------
    ndarray
        (H, W, 3), whole levels, clipped to 0..255.
    """
    cr, cb = cr - _MIDDLE, cb - _MIDDLE
    changes = (22987 * cr, -11698 * cr - 5636 * cb, 29049 * cb)
    return np.clip(np.stack([y + _nearest(change, 14) for change in changes], axis=2), 0, 255)


def _nearest(sums: Plane, bits: int) -> Plane:
    """Of sums in so many bits after the point, whole levels, halves up."""
    return np.floor(sums / (1 << bits) + 0.5)
