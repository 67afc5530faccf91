"""Laplacian and ratio-of-low-pass pyramids: an image as band-pass images of halving size and a small low-pass image.

Burt and Adelson's pyramid (IEEE Trans. Communications 31(4), 1983, doi:10.1109/TCOM.1983.1095851) and Toet's ratio of
low-pass pyramid (Pattern Recognition Letters 9(4), 1989, doi:10.1016/0167-8655(89)90003-2), with the five-tap binomial
filter and the borders that Rockinger's fusion toolbox gave to the literature: a side of odd length is extended by one
mirrored row or column, and the frame of a filter has empty corners (`choose.ext2`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from ..card import Plane
from .choose import ext2

OFFSET: Final = 1e-6
"""What the ratio pyramid adds to the expanded low-pass image before it divides by it: black over black is 0."""


class Pyramid(NamedTuple):
    """An image in bands.

    Attributes
    ----------
    bands : list of ndarray
        Band-pass images, the finest first; each side even, the half of it rounded up to even again in the next one.
    low : ndarray
        The low-pass image, half as long on each side as the last band.
    shape : tuple of int
        Height and width of the image.
    """

    bands: list[Plane]
    low: Plane
    shape: tuple[int, int]


def even(image: Plane) -> Plane:
    """The image with a mirrored last row or column appended where its height or width is odd."""
    height, width = image.shape
    return np.pad(image, ((0, height % 2), (0, width % 2)), mode="reflect") if height % 2 or width % 2 else image


def reduce(image: Plane) -> Plane:
    """Half the image: smoothed by (1 4 6 4 1)/16 along both axes, then every other row and column.

    Parameters
    ----------
    image : ndarray, (H, W)
        Both sides even.

    Returns
    -------
    ndarray, (H/2, W/2)
    """
    height, width = image.shape
    framed = ext2(image, 2)
    # Only the rows and columns that stay are computed.
    rows = [framed[k : k + height : 2] for k in range(5)]
    down = (rows[0] + rows[4] + 4.0 * (rows[1] + rows[3]) + 6.0 * rows[2]) / 16.0
    columns = [down[:, k : k + width : 2] for k in range(5)]
    small: Plane = (columns[0] + columns[4] + 4.0 * (columns[1] + columns[3]) + 6.0 * columns[2]) / 16.0
    return small


def expand(small: Plane) -> Plane:
    """Twice the image: a zero after every sample, then smoothed by (1 4 6 4 1)/8 along both axes.

    Parameters
    ----------
    small : ndarray, (h, w)
        Any float64 plane.

    Returns
    -------
    ndarray, (2h, 2w)

    Notes
    -----
    Every other tap meets an inserted zero, so a sample of the result is (1 6 1)/8 of three samples or (1 1)/2 of two.
    The mirror of the zero-filled plane shows the second sample before the first, and the last one again after the last.
    """
    height, width = small.shape
    framed = np.zeros((height + 2, width + 2))
    framed[1:-1, 1:-1] = small
    framed[0, 1:-1] = small[min(1, height - 1)]
    framed[-1, 1:-1] = small[-1]
    framed[1:-1, 0] = small[:, min(1, width - 1)]
    framed[1:-1, -1] = small[:, -1]
    down = np.empty((2 * height, width + 2))
    down[0::2] = (framed[:-2] + framed[2:] + 6.0 * framed[1:-1]) / 8.0
    down[1::2] = (framed[1:-1] + framed[2:]) / 2.0
    large = np.empty((2 * height, 2 * width))
    large[:, 0::2] = (down[:, :-2] + down[:, 2:] + 6.0 * down[:, 1:-1]) / 8.0
    large[:, 1::2] = (down[:, 1:-1] + down[:, 2:]) / 2.0
    return large


def laplacian_pyramid(image: Plane, levels: int) -> Pyramid:
    """Each band is what the next smaller image, expanded again, lacks.

    Parameters
    ----------
    image : ndarray, (H, W)
        Any float64 plane.
    levels : int
        Number of bands. The low-pass image is 2^levels times smaller than the image on each side.
    """
    bands: list[Plane] = []
    rest = image
    for _ in range(levels):
        rest = even(rest)
        small = reduce(rest)
        bands.append(rest - expand(small))
        rest = small
    return Pyramid(bands, rest, _shape(image))


def from_laplacian(pyramid: Pyramid) -> Plane:
    """The image of a Laplacian pyramid."""
    rest = pyramid.low
    for band, (height, width) in _finer(pyramid):
        rest = (expand(rest) + band)[:height, :width]
    return rest


def ratio_pyramid(image: Plane, levels: int) -> Pyramid:
    """Each band is the image divided by the next smaller image, expanded again; parameters as `laplacian_pyramid`."""
    bands: list[Plane] = []
    rest = image
    for _ in range(levels):
        rest = even(rest)
        small = reduce(rest)
        bands.append(rest / (expand(small) + OFFSET))
        rest = small
    return Pyramid(bands, rest, _shape(image))


def from_ratio(pyramid: Pyramid) -> Plane:
    """The image of a ratio pyramid."""
    rest = pyramid.low
    for band, (height, width) in _finer(pyramid):
        rest = ((expand(rest) + OFFSET) * band)[:height, :width]
    return rest


def _shape(image: Plane) -> tuple[int, int]:
    height, width = image.shape
    return height, width


def _finer(pyramid: Pyramid) -> list[tuple[Plane, tuple[int, int]]]:
    """The bands, the coarsest first, with the shape that each rebuilt image is cropped to."""
    shapes = [pyramid.shape, *((band.shape[0] // 2, band.shape[1] // 2) for band in pyramid.bands[:-1])]
    return list(zip(reversed(pyramid.bands), reversed(shapes), strict=True))
