"""Filter-subtract-decimate and gradient pyramids: bands that are cut out of a Gaussian pyramid before it is decimated.

A filter-subtract-decimate (FSD) band is an image minus its smoothed self (Anderson, US patent 4,718,104, 1988). The
gradient pyramid splits the same band into derivatives along four directions (Burt and Kolczynski, ICCV 1993,
doi:10.1109/ICCV.1993.378222). Neither knows what the decimation folds over, so both rebuild an image only nearly:
what is missing is at most a sixteenth of the frequencies around half the highest one, and nothing of smooth images.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np

from ..card import Plane
from .filters import Taps, separable
from .gaussian_pyramid import double, halve, smooth

Oriented: TypeAlias = tuple[Plane, Plane, Plane, Plane]
"""Differences to the right, downwards, and along the two diagonals, the diagonal ones divided by √2."""

_HALF_BINOMIAL: Final[Taps] = np.array([1.0, 2.0, 1.0]) / 4.0
"""Convolved with itself it is the binomial filter of the Gaussian pyramid."""


def gaussian_levels(image: Plane, levels: int) -> list[Plane]:
    """The image and its smaller and smaller selves, `levels` + 1 in all."""
    pyramid = [image]
    for _ in range(levels):
        pyramid.append(halve(pyramid[-1]))
    return pyramid


def fsd_band(image: Plane) -> Plane:
    """What smoothing takes away: (1 - w) G, with w the binomial filter of the pyramid."""
    return image - smooth(image)


def from_fsd(bands: list[Plane], low: Plane) -> Plane:
    """Rebuild an image from its FSD bands, the finest first, and its low-pass image.

    A band lacks what is added by expanding the next smaller image, smoothed once more: (1 + w)(1 - w) G is what that
    image cannot show, as far as decimation loses nothing.
    """
    image = low
    for band in reversed(bands):
        image = band + smooth(band) + double(image, _shape(band))
    return image


def gradient_band(image: Plane) -> Oriented:
    """Derivatives along four directions of (1 + w') G, with w' the binomial filter of three taps.

    Parameters
    ----------
    image : ndarray, (H, W)
        One level of a Gaussian pyramid.

    Returns
    -------
    tuple of four ndarrays
        (H, W + 1), (H + 1, W), (H + 1, W + 1) and (H + 1, W + 1): the image is mirrored about its edge samples, and
        the differences across its edges belong to the band.
    """
    framed = np.pad(image + separable(image, _HALF_BINOMIAL, _HALF_BINOMIAL, "reflect"), 1, mode="reflect")
    return (
        framed[1:-1, 1:] - framed[1:-1, :-1],
        framed[1:, 1:-1] - framed[:-1, 1:-1],
        (framed[1:, 1:] - framed[:-1, :-1]) / np.sqrt(2.0),
        (framed[1:, :-1] - framed[:-1, 1:]) / np.sqrt(2.0),
    )


def fsd_of_gradients(band: Oriented) -> Plane:
    """The FSD band of four derivatives: their own derivatives, times -1/8, add up to (1 - w')(1 + w') G = (1 - w) G."""
    across, down, falling, rising = band
    second: Plane = (across[:, 1:] - across[:, :-1]) + (down[1:] - down[:-1])
    second += (falling[1:, 1:] - falling[:-1, :-1] + rising[1:, :-1] - rising[:-1, 1:]) / np.sqrt(2.0)
    return second / -8.0


def _shape(image: Plane) -> tuple[int, int]:
    height, width = image.shape
    return height, width
