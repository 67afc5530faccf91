"""Fusion of pyramids: of each band the stronger coefficients, of the low-pass image the mean.

The oldest family of multi-scale fusion, 1983 to 1993. All keep the detail of both sources at the price of the halo
that a wide band leaves around strong edges, and all average the low-pass image, so that large bright targets lose half
of their contrast. They differ in what a band is. The methods:

- Laplacian (`lp`): differences between levels; the plain one, hard to beat for its cost.
- Ratio (`rp`) and contrast (`cp`) of low-pass: quotients of levels, nearer to what the eye sees as contrast. They get
  noisy where a source is almost black.
- Gradient (`gp`) and filter-subtract-decimate (`fsd`): bands from which an image is rebuilt only nearly (`fsd.py`).
- Morphological (`mp`): minima and maxima in place of sums; it keeps the outlines of targets sharp and shows the square
  of its structuring element in the result.
- Merging by salience and match (`burt`): the Laplacian pyramid, averaged where the sources agree.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np

from fusionbench.types import UserError

from ..card import Plane, method
from .choose import choose_max
from .filters import Taps, separable
from .fsd import from_fsd, fsd_band, fsd_of_gradients, gaussian_levels, gradient_band
from .laplacian import Pyramid, from_laplacian, from_ratio, laplacian_pyramid, ratio_pyramid
from .levels import check_levels
from .morphology import from_morphological, morphological_pyramid

Rule: TypeAlias = Literal["match", "max"]

_DEFAULTS: Final = "Four levels, as in the fusion toolboxes of Rockinger (1999) and of Liu et al. (2015)."
_WINDOW: Final[Taps] = np.ones(3)


@method(
    "lp",
    title="Laplacian pyramid",
    authors="P. J. Burt, E. H. Adelson",
    year=1983,
    doi="10.1109/TCOM.1983.1095851",
    summary="Each source is split into differences between successive levels of a Gaussian pyramid. Of each difference "
    "the stronger one is kept, by maximum and majority over 3x3 pixels. The low-pass images are averaged.",
    defaults=_DEFAULTS,
    identity=1e-9,
)
def laplacian(ir: Plane, vis: Plane, *, levels: int = 4) -> Plane:
    """Fuse Laplacian pyramids.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    levels : int
        Number of bands. Default: four, as in the fusion toolboxes.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255 a little.

    Raises
    ------
    UserError
        If the images are too small for so many levels.
    """
    check_levels(levels, ir)
    return from_laplacian(_stronger(laplacian_pyramid(ir, levels), laplacian_pyramid(vis, levels)))


@method(
    "rp",
    title="Ratio of low-pass pyramid",
    authors="A. Toet",
    year=1989,
    doi="10.1016/0167-8655(89)90003-2",
    summary="Each source is split into quotients of successive levels of a Gaussian pyramid. Of each quotient the larger "
    "one is kept, by maximum and majority over 3x3 pixels, so that what is brighter than its surroundings wins. The "
    "low-pass images are averaged.",
    defaults=_DEFAULTS + " Like these it compares the quotients; the method cp compares their distance from 1.",
    identity=1e-6,
)
def ratio(ir: Plane, vis: Plane, *, levels: int = 4) -> Plane:
    """Fuse ratio-of-low-pass pyramids.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    levels : int
        Number of bands. Default: four, as in the fusion toolboxes.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255.

    Raises
    ------
    UserError
        If the images are too small for so many levels.
    """
    check_levels(levels, ir)
    return from_ratio(_stronger(ratio_pyramid(ir, levels), ratio_pyramid(vis, levels)))


@method(
    "cp",
    title="Contrast pyramid",
    authors="A. Toet",
    year=1990,
    doi="10.1007/BF01211447",
    summary="Each source is split into local contrasts: quotients of successive levels of a Gaussian pyramid, minus 1. "
    "Of each contrast the stronger one is kept, dark or bright, by maximum and majority over 3x3 pixels. The low-pass "
    "images are averaged.",
    defaults=_DEFAULTS,
    identity=1e-6,
)
def contrast(ir: Plane, vis: Plane, *, levels: int = 4) -> Plane:
    """Fuse contrast pyramids.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    levels : int
        Number of bands. Default: four, as in the fusion toolboxes.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255.

    Raises
    ------
    UserError
        If the images are too small for so many levels.
    """
    check_levels(levels, ir)
    fused = _stronger(_contrasts(ratio_pyramid(ir, levels)), _contrasts(ratio_pyramid(vis, levels)))
    return from_ratio(fused._replace(bands=[band + 1 for band in fused.bands]))


@method(
    "gp",
    title="Gradient pyramid",
    authors="P. J. Burt, R. J. Kolczynski",
    year=1993,
    doi="10.1109/ICCV.1993.378222",
    summary="Each level of a Gaussian pyramid is split into derivatives along four directions. Where both sources show "
    "the same pattern the derivatives are averaged, elsewhere the one of more energy is kept. The derivatives of the "
    "derivatives rebuild the image.",
    defaults="The paper's salience (energy over 3x3 pixels) and match threshold (0.75); four levels, as in the fusion "
    "toolboxes.",
)
def gradient(ir: Plane, vis: Plane, *, levels: int = 4, rule: Rule = "match", threshold: float = 0.75) -> Plane:
    """Fuse gradient pyramids.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    levels : int
        Number of bands. Default: four, as in the fusion toolboxes.
    rule : {"match", "max"}
        How derivatives are combined: by salience and match, as in the paper, or by maximum and majority over 3x3
        pixels, as in the fusion toolboxes.
    threshold : float
        Match, below 1, from which on derivatives are averaged, not chosen. Default: the paper's.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255 a little. An image fused with itself comes
        back nearly, not exactly.

    Raises
    ------
    UserError
        If the images are too small for so many levels, or `rule` or `threshold` is none of the above.
    """
    check_levels(levels, ir)
    _check_threshold(threshold)
    if rule not in ("match", "max"):
        raise UserError(f"There is no rule {rule!r} for the gradient pyramid: give rule='match' or rule='max'.")
    a, b = gaussian_levels(ir, levels), gaussian_levels(vis, levels)
    bands = []
    for x, y in zip(a[:-1], b[:-1], strict=True):
        p = gradient_band(x)
        q = gradient_band(y)
        across, down, falling, rising = (
            choose_max(u, v) if rule == "max" else _salience_match(u, v, threshold) for u, v in zip(p, q, strict=True)
        )
        bands.append(fsd_of_gradients((across, down, falling, rising)))
    return from_fsd(bands, (a[-1] + b[-1]) / 2)


@method(
    "fsd",
    title="Filter-subtract-decimate pyramid",
    authors="P. J. Burt, R. J. Kolczynski",
    year=1993,
    doi="10.1109/ICCV.1993.378222",
    summary="Each band is a level of a Gaussian pyramid minus its smoothed self, before decimation (a pyramid by "
    "Anderson, US patent 4,718,104, 1988). Of each band the stronger coefficients are kept, by maximum and majority "
    "over 3x3 pixels. The low-pass images are averaged.",
    defaults=_DEFAULTS + " Rebuilt as by Burt and Kolczynski, with smoothed bands added once more.",
)
def filter_subtract_decimate(ir: Plane, vis: Plane, *, levels: int = 4) -> Plane:
    """Fuse filter-subtract-decimate pyramids.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    levels : int
        Number of bands. Default: four, as in the fusion toolboxes.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255 a little. An image fused with itself comes
        back nearly, not exactly.

    Raises
    ------
    UserError
        If the images are too small for so many levels.
    """
    check_levels(levels, ir)
    a, b = gaussian_levels(ir, levels), gaussian_levels(vis, levels)
    bands = [choose_max(fsd_band(x), fsd_band(y)) for x, y in zip(a[:-1], b[:-1], strict=True)]
    return from_fsd(bands, (a[-1] + b[-1]) / 2)


@method(
    "mp",
    title="Morphological pyramid",
    authors="A. Toet",
    year=1989,
    doi="10.1016/0167-8655(89)90004-4",
    summary="Each level is the one before, opened and closed by a flat square and decimated. Each band is what dilating "
    "the next level does not bring back; of each band the stronger coefficients are kept, by maximum and majority over "
    "3x3 pixels. The coarsest levels are averaged.",
    defaults=_DEFAULTS + " The structuring element is theirs too: flat, 3x3.",
    identity=1e-9,
)
def morphological(ir: Plane, vis: Plane, *, levels: int = 4) -> Plane:
    """Fuse morphological pyramids.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    levels : int
        Number of bands. Default: four, as in the fusion toolboxes.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255.

    Raises
    ------
    UserError
        If the images are too small for so many levels.
    """
    check_levels(levels, ir)
    bands_a, low_a = morphological_pyramid(ir, levels)
    bands_b, low_b = morphological_pyramid(vis, levels)
    bands = [choose_max(p, q) for p, q in zip(bands_a, bands_b, strict=True)]
    return from_morphological(bands, (low_a + low_b) / 2)


@method(
    "burt",
    title="Laplacian pyramid merged by salience and match",
    authors="P. J. Burt, E. H. Adelson",
    year=1985,
    doi="10.1117/12.966501",
    summary="Each source is split into a Laplacian pyramid. Where the bands of both sources show the same pattern they "
    "are averaged, elsewhere the one of more energy over 3x3 pixels is kept, with a gradual change between the two. The "
    "low-pass images are averaged.",
    defaults="The match threshold of Burt and Kolczynski (1993), 0.75; four levels, as in the fusion toolboxes.",
    identity=1e-9,
)
def burt_adelson(ir: Plane, vis: Plane, *, levels: int = 4, threshold: float = 0.75) -> Plane:
    """Merge Laplacian pyramids by salience and match.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    levels : int
        Number of bands. Default: four, as in the fusion toolboxes.
    threshold : float
        Match, below 1, from which on coefficients are averaged, not chosen. Default: Burt and Kolczynski's.

    Returns
    -------
    ndarray
        The fused image, (H, W), not rounded; it may leave the scale 0..255 a little.

    Raises
    ------
    UserError
        If the images are too small for so many levels, or the threshold is not below 1.
    """
    check_levels(levels, ir)
    _check_threshold(threshold)
    a, b = laplacian_pyramid(ir, levels), laplacian_pyramid(vis, levels)
    bands = [_salience_match(p, q, threshold) for p, q in zip(a.bands, b.bands, strict=True)]
    return from_laplacian(Pyramid(bands, (a.low + b.low) / 2, a.shape))


def _stronger(a: Pyramid, b: Pyramid) -> Pyramid:
    bands = [choose_max(p, q) for p, q in zip(a.bands, b.bands, strict=True)]
    return Pyramid(bands, (a.low + b.low) / 2, a.shape)


def _contrasts(ratios: Pyramid) -> Pyramid:
    return ratios._replace(bands=[band - 1 for band in ratios.bands])


def _salience_match(p: Plane, q: Plane, threshold: float) -> Plane:
    """Weighted mean of two bands: equal weights at match 1, all weight to the more salient one up to the threshold."""
    salience_p, salience_q = _around(p * p), _around(q * q)
    total = salience_p + salience_q
    # Two bands of zeros match.
    match = np.divide(2 * _around(p * q), total, out=np.ones_like(total), where=total > 0)
    smaller = np.clip(0.5 - 0.5 * (1 - match) / (1 - threshold), 0.0, 0.5)
    weight = np.where(salience_p > salience_q, 1 - smaller, smaller)
    merged: Plane = weight * p + (1 - weight) * q
    return merged


def _around(x: Plane) -> Plane:
    """Sum over 3x3 pixels: plain sums, as differences of cumulative ones could fall below zero."""
    return separable(x, _WINDOW, _WINDOW, "symmetric")


def _check_threshold(threshold: float) -> None:
    if not -1 <= threshold < 1:
        raise UserError(f"The match threshold {threshold} is out of range: give a number from -1 to below 1.")
