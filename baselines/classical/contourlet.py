"""Nonsubsampled contourlet transform, and fusion by it: scales and directions, every band in the size of the image.

A pyramid without subsampling takes one scale after another off the image, and a directional filter bank splits each
into wedges of the frequency plane. As no band is subsampled, the fused image shifts with the sources. The transform is
many times redundant, so it is slow, and a choice that changes along a strong edge rings across it.

Every filter is a polynomial in one small symmetric kernel: those of the pyramid in a 3x3 blur, those of the directions
in a difference of four samples. So no filter is larger than its kernel, applied up to three times.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from fusionbench.types import UserError

from ..card import Plane, method
from .choose import choose_max
from .filters import pad
from .kernels import jit

Shift: TypeAlias = tuple[int, int]
"""So many columns to the right and rows down."""

DIRECTIONS: Final = (4, 8, 8, 16)
"""Numbers of directions, the coarsest scale first, in the toolbox of Liu et al. (2015)."""

_ROOT2: Final = sqrt(2)
# Polynomials in the blur B, by rising power: the low-pass filter h(B) and the band-pass filter h(1 - B) ...
_LOW: Final = (0, 2 * _ROOT2 - 1, 2 - 2 * _ROOT2)
_BAND: Final = (1, 2 * _ROOT2 - 3, 2 - 2 * _ROOT2)
# ... and those that undo them, g(B) and g(1 - B), where h(B) g(B) + h(1 - B) g(1 - B) = 1.
_FROM_LOW: Final = (0, 6 * _ROOT2 - 7, 20 - 14 * _ROOT2, 8 * _ROOT2 - 12)
_FROM_BAND: Final = (1, 3 - 2 * _ROOT2, 10 * _ROOT2 - 16, 12 - 8 * _ROOT2)


class Scales(NamedTuple):
    """An image in scales.

    Attributes
    ----------
    bands : list of ndarray
        Band-pass images, (H, W), the finest first.
    low : ndarray, (H, W)
        The low-pass image.
    """

    bands: list[Plane]
    low: Plane


@method(
    "nsct",
    title="Nonsubsampled contourlet transform",
    authors="A. L. da Cunha, J. Zhou, M. N. Do",
    year=2006,
    doi="10.1109/TIP.2006.877507",
    summary="Each source is split into scales, and each scale into directions, without subsampling. Of each directional "
    "band the stronger one is kept, by maximum and majority over 3x3 pixels. The low-pass images are averaged.",
    defaults="Four scales of 4, 8, 8 and 16 directions and the rules of the toolbox of Liu et al. (2015); the transform "
    "is the paper's.",
    identity=1e-9,
)
def nonsubsampled_contourlet(ir: Plane, vis: Plane, *, directions: Sequence[int] = DIRECTIONS) -> Plane:
    """Fuse nonsubsampled contourlet transforms.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    directions : sequence of int
        How many directions each scale is split into, the coarsest first: powers of two. Default: the toolbox's.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255 a little.

    Raises
    ------
    UserError
        If a number of directions is not a power of two, or the images are too small for so many scales.
    """
    check_directions(directions, ir)
    of_ir, of_vis = (split_scales(plane, len(directions)) for plane in (ir, vis))
    return merge_scales(Scales(stronger(of_ir, of_vis, directions), (of_ir.low + of_vis.low) / 2))


def check_directions(directions: Sequence[int], image: Plane) -> None:
    """Refuse numbers of directions that are not powers of two, and more scales than fit into the image.

    Parameters
    ----------
    directions : sequence of int
        Number of directions of each scale.
    image : ndarray, (H, W)
        Any plane.

    Raises
    ------
    UserError
        With the sentence that says so.
    """
    if not directions or any(count < 1 or count & (count - 1) for count in directions):
        raise UserError(f"directions={list(directions)} are not powers of two: give one for each scale, as in 4,8,16.")
    if min(image.shape) < 2 ** len(directions):
        height, width = image.shape
        raise UserError(
            f"An image of {width} x {height} pixels (width x height) has no {len(directions)} scales: give fewer directions."
        )


def stronger(p: Scales, q: Scales, directions: Sequence[int]) -> list[Plane]:
    """Bands of two images, the finest first, of which the stronger one was chosen in each direction."""
    return [
        merge_directions(
            [choose_max(*both) for both in zip(split_directions(a, count), split_directions(b, count), strict=True)]
        )
        for a, b, count in zip(p.bands, q.bands, reversed(directions), strict=True)
    ]


def split_scales(image: Plane, count: int) -> Scales:
    """Take band-pass images off an image, the finest first; in each the blur is twice as wide as in the one before.

    Parameters
    ----------
    image : ndarray, (H, W)
        Any float64 plane.
    count : int
        How many bands.
    """
    bands: list[Plane] = []
    low = image
    for scale in range(count):
        once = _blur(low, 2**scale)
        powers = (low, once, _blur(once, 2**scale))
        bands.append(_weighted(_BAND, powers))
        low = _weighted(_LOW, powers)
    return Scales(bands, low)


def merge_scales(scales: Scales) -> Plane:
    """The image of its scales."""
    low = scales.low
    for scale, band in reversed(list(enumerate(scales.bands))):
        # Horner's scheme, the highest power first: the two filters share their blurs.
        powers = [_weighted(factors, (low, band)) for factors in zip(_FROM_LOW, _FROM_BAND, strict=True)]
        low = powers.pop()
        while powers:
            low = _blur(low, 2**scale) + powers.pop()
    return low


def split_directions(band: Plane, count: int, path: tuple[int, ...] = ()) -> list[Plane]:
    """Split a band into wedges of the frequency plane.

    Parameters
    ----------
    band : ndarray, (H, W)
        Any float64 plane. It is taken as periodic.
    count : int
        How many directions: a power of two.
    path : tuple of int
        The branches, 0 or 1, by which this band was reached.

    Returns
    -------
    list of ndarray
        `count` planes, (H, W), in the order of the tree: first the half of the plane that varies more from column to
        column, then the other; of each the quadrant in which both frequencies have the same sign, then the other; of
        each wedge always the part farther from the axis first.
    """
    if count == 1:
        return [band]
    first, second = _split(band, *_shifts(path))
    return [
        *split_directions(first, count // 2, (*path, 0)),
        *split_directions(second, count // 2, (*path, 1)),
    ]


def merge_directions(parts: Sequence[Plane], path: tuple[int, ...] = ()) -> Plane:
    """The band of its directions, as `split_directions` returns them."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    first, second = (merge_directions(side, (*path, i)) for i, side in enumerate((parts[:half], parts[half:])))
    return _merge(first, second, *_shifts(path))


def _blur(x: Plane, step: int) -> Plane:
    """(1 2 1)/4 along both axes with samples `step` apart; the image is mirrored, its edge sample repeated."""
    framed = pad(x, (step, step), (step, step), "symmetric")
    down = (framed[: -2 * step] + framed[2 * step :]) / 4 + framed[step:-step] / 2
    blurred: Plane = (down[:, : -2 * step] + down[:, 2 * step :]) / 4 + down[:, step:-step] / 2
    return blurred


def _weighted(weights: Sequence[float], planes: Sequence[Plane]) -> Plane:
    total = np.zeros_like(planes[0])
    for weight, plane in zip(weights, planes, strict=True):
        total += weight * plane
    return total


def _shifts(path: tuple[int, ...]) -> tuple[Shift, Shift]:
    """The two shifts u and v whose difference splits the band at the end of a path.

    In the frequencies (f, g) along columns and rows, (cos u·(f, g) - cos v·(f, g)) / 2 is positive in one part of the
    band, negative in the other, and 0 on the line between them, on which u + v or u - v stands perpendicularly.
    """
    if not path:
        return (0, 1), (1, 0)  # |f| > |g| or the other way round
    if len(path) == 1:
        return (-1, 1), (1, 1)  # f and g of the same sign or not
    # The wedge of slopes between p/n and (p + 1)/n, where the slope is f/g, or g/f in the half with |f| > |g|.
    p, n = -path[1], 1
    for branch in path[2:]:
        p, n = 2 * p + (1 - branch if p >= 0 else branch), 2 * n
    u, v = (2 * n, -2 * p), (2 * n, -2 * p - 2)
    if path[0] == 0:
        u, v = u[::-1], v[::-1]
    # The part farther from the axis comes first, so that a mirrored image has mirrored bands. The first filter is the
    # softer one; the other way round the last band would be strongest in the wedge of another.
    return (v, u) if p >= 0 else (u, v)


def _split(x: Plane, u: Shift, v: Shift) -> tuple[Plane, Plane]:
    """Where the difference D of shifts is positive and where it is negative: (1 + D)/√8 and (2 - D - D²)/√2 of x."""
    once = _difference(x, u, v)
    twice = _difference(once, u, v)
    return (x + once) / (2 * _ROOT2), (2 * x - once - twice) / _ROOT2


def _merge(first: Plane, second: Plane, u: Shift, v: Shift) -> Plane:
    """Undo `_split`: (2 + D - D²)/√2 of the first part and (1 - D)/√8 of the second."""
    inner = first - second / 2 - _difference(first, u, v)
    merged: Plane = (2 * first + second / 2 + _difference(inner, u, v)) / _ROOT2
    return merged


@jit
def _difference(x: Plane, u: Shift, v: Shift) -> Plane:
    """A quarter of the samples u before and after minus a quarter of those v before and after; x is periodic."""
    height, width = x.shape
    out = np.empty((height, width))
    reach = min(max(abs(u[0]), abs(v[0])), width)
    for y in range(height):
        after_u, before_u = x[(y + u[1]) % height], x[(y - u[1]) % height]
        after_v, before_v = x[(y + v[1]) % height], x[(y - v[1]) % height]
        row = out[y]
        for i in range(reach, width - reach):
            row[i] = 0.25 * ((after_u[i + u[0]] + before_u[i - u[0]]) - (after_v[i + v[0]] + before_v[i - v[0]]))
        for side in range(2):
            for j in range(reach):
                i = j if side == 0 else width - 1 - j
                plus = after_u[(i + u[0]) % width] + before_u[(i - u[0]) % width]
                row[i] = 0.25 * (plus - (after_v[(i + v[0]) % width] + before_v[(i - v[0]) % width]))
    return out
