"""Fusion of curvelets: of each wedge of frequencies the stronger coefficients, of the low-pass image the mean.

Curvelets are long and thin, the thinner the longer, so that a smooth edge needs few of them. Edges come out clean and
unbroken; points and fine texture, which no curvelet fits, leave faint strokes around them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.fft import next_fast_len

from fusionbench.types import UserError

from ..card import Plane, method
from .choose import choose_max
from .fdct import Coefficients, Curvelets, curvelet_transform, from_curvelets
from .memory import kept_for

_SEAM: Final = 32
"""Least width, in pixels, of the strip that joins opposite borders of the image."""


@method(
    "curvelet",
    title="Curvelet transform",
    authors="F. Nencini, A. Garzelli, S. Baronti, L. Alparone",
    year=2007,
    doi="10.1016/j.inffus.2006.02.001",
    summary="Each source is split into curvelets of several scales and many directions, by the wrapping fast discrete "
    "curvelet transform. Of the real coefficients of each direction the stronger ones are kept, by maximum and majority "
    "over 3x3 coefficients. The low-pass images are averaged.",
    defaults="Five scales, 16 directions at the second coarsest and curvelets at the finest, as in the toolbox of Liu et "
    "al. (2015).",
    identity=1e-9,
)
def curvelet(ir: Plane, vis: Plane, *, scales: int = 5, angles: int = 16) -> Plane:
    """Fuse curvelet transforms.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255; strips between their opposite borders make them periodic.
    scales : int
        Number of scales, the low-pass image included. Default: five, as in the toolbox of Liu et al.
    angles : int
        Directions at the second coarsest scale, a multiple of 4; there are twice as many at every other finer one.
        Default: 16, as in the toolbox of Liu et al.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255 a little.

    Raises
    ------
    UserError
        If there are less than two scales or more than the images have, or `angles` is no positive multiple of 4.
    """
    height, width = ir.shape
    most = int(np.log2(min(height, width)))
    if scales not in range(2, most + 1):
        raise UserError(
            f"An image of {width} x {height} pixels (width x height) has no {scales} scales: give scales=2 to {most}."
        )
    if angles < 4 or angles % 4:
        raise UserError(f"There are no {angles} angles of curvelets: give a positive multiple of 4, such as angles=16.")
    a, b = _transform(ir, scales, angles), curvelet_transform(_periodic(vis), scales, angles)
    fused = [[_stronger(p, q) for p, q in zip(*pair, strict=True)] for pair in zip(a.scales, b.scales, strict=True)]
    return from_curvelets(Curvelets(fused, (a.low + b.low) / 2, a.shape), scales, angles)[:height, :width]


@kept_for
def _transform(image: Plane, scales: int, angles: int) -> Curvelets:
    return curvelet_transform(_periodic(image), scales, angles)


def _stronger(p: Coefficients, q: Coefficients) -> Coefficients:
    return choose_max(p.real, q.real) + 1j * choose_max(p.imag, q.imag)


def _periodic(image: Plane) -> Plane:
    """Append rows and columns that lead over from each border to the opposite one, both of them mirrored.

    The transform is periodic; without them it would see an edge where the two borders meet, and fuse it.
    """
    return _join_ends(_join_ends(image).T).T


def _join_ends(image: Plane) -> Plane:
    n = image.shape[0]
    strip = min(next_fast_len(n + _SEAM) - n, n)
    fade = ((np.arange(strip) + 0.5) / strip)[:, None]
    return np.concatenate([image, (1 - fade) * image[n - strip :][::-1] + fade * image[:strip][::-1]])
