"""Visual saliency map and weighted least squares (VSM-WLS; Ma, Zhou, Wang, Zong 2017).

A rolling guided filter takes each source apart into details at four scales and a base without halos. The bases are
weighted by how rare their grey levels are in the whole image; the details follow the stronger source, pulled back to the
infrared detail where the visible image is locally flat. It fails where rarity misleads: a large target is not rare, and a
small saturated lamp counts as salient; infrared noise in visibly flat regions stays.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from fusionbench.types import UserError

from ..card import Plane, method
from .boxes import guided_filter
from .filters import gaussian, require_positive, separable
from .memory import kept_for
from .numeric import u8

# Scales of the rolling guided filter, then one Gaussian; sigma in pixels.
_SCALES = 3
_GAUSSIAN_SIGMA = 2.0
# Side of the window over which the visible detail is averaged, and the mean detail that counts as none, on the scale 0..1.
_WINDOW = 7
_NO_DETAIL = 1e-6


class _Scales(NamedTuple):
    """A plane taken apart: the sum of all is the plane again."""

    details: tuple[Plane, ...]
    base: Plane


@method(
    "vsm-wls",
    title="Visual saliency map and weighted least squares",
    authors="J. Ma, Z. Zhou, B. Wang, H. Zong",
    year=2017,
    doi="10.1016/j.infrared.2017.02.005",
    summary="Each source is split into four detail layers and a base by a rolling guided filter and a Gaussian. The bases "
    "are weighted by the global rarity of their grey levels. The details follow the stronger source, regularised towards "
    "infrared where the visible image is flat.",
    defaults="The authors' program: sigma 2 doubling, range sigma 0.05, four iterations, lambda 0.01.",
    presets={"vifb": {}},
    identity=1e-6,
)
def saliency_least_squares_fusion(
    ir: Plane,
    vis: Plane,
    *,
    radius: int = 2,
    contrast: float = 0.05,
    iterations: int = 4,
    decision_sigma: float = 2.0,
    regularisation: float = 0.01,
) -> Plane:
    """Fuse bases by visual saliency and details by least squares.

    Parameters
    ----------
    ir, vis : ndarray, (H, W)
        The two sources, float64 on the scale 0..255.
    radius : int
        Standard deviation of the first Gaussian and radius of the guided filter at the finest scale, in pixels; it
        doubles twice (authors' program: 2).
    contrast : float
        Standard deviation, as a fraction of the full scale, above which the guided filter keeps an edge (authors'
        program: 0.05).
    iterations : int
        How often the guided filter rolls: recovers the edges that the Gaussian has blurred (authors' program: 4).
    decision_sigma : float
        Standard deviation in pixels of the 13 x 13 Gaussian that smooths which source has the stronger detail (authors'
        program: 2). The finest details are taken unsmoothed.
    regularisation : float
        The paper's lambda: how strongly the fused detail is drawn to the infrared one where the mean visible detail is
        nearly zero (authors' program: 0.01).

    Returns
    -------
    ndarray, (H, W)
        float64, nominally 0..255, neither rounded nor clipped.

    Raises
    ------
    UserError
        If there is no iteration or another parameter is not positive.

    Notes
    -----
    The paper rolls a joint bilateral filter; the authors' program, which is followed here, a guided one. Its least-squares
    system is diagonal, so that it needs no solver. A saliency map without any contrast counts as zero.

    References
    ----------
    .. [1] J. Ma, Z. Zhou, B. Wang, H. Zong, "Infrared and visible image fusion based on visual saliency map and weighted
       least square optimization", Infrared Physics & Technology 82, 2017.
    """
    require_positive(radius=radius, contrast=contrast, decision_sigma=decision_sigma)
    if iterations < 1:
        raise UserError(f"iterations={iterations} is too small: the guided filter rolls at least once.")
    if not 0 <= regularisation < math.inf:
        raise UserError(f"regularisation={regularisation} is out of range: give a finite number of at least 0.")
    infrared = _decompose(ir, radius, contrast, iterations)
    visible = _decompose(vis, radius, contrast, iterations)

    preference = 0.5 * (_saliency(ir) - _saliency(vis))
    fused = (0.5 + preference) * infrared.base + (0.5 - preference) * visible.base
    for d, e in zip(infrared.details[1:], visible.details[1:], strict=True):
        fused += _least_squares(d, e, decision_sigma, regularisation)
    finest, other = infrared.details[0], visible.details[0]
    fused += np.where(np.abs(finest) < np.abs(other), other, finest)
    return 255.0 * fused


@kept_for
def _decompose(plane: Plane, radius: int, contrast: float, iterations: int) -> _Scales:
    details = []
    finer = plane / 255.0
    for j in range(_SCALES):
        coarser = _rolling_guidance(finer, radius * 2**j, contrast, iterations)
        details.append(finer - coarser)
        finer = coarser
    taps = gaussian(13, _GAUSSIAN_SIGMA)
    base = separable(finer, taps, taps, "replicate")
    details.append(finer - base)
    return _Scales(tuple(details), base)


def _rolling_guidance(x: Plane, radius: int, contrast: float, iterations: int) -> Plane:
    """Blur away what is smaller than the radius, then let the image's own edges come back."""
    taps = gaussian(6 * radius + 1, radius)
    result = separable(x, taps, taps, "replicate")
    for _ in range(iterations):
        result = guided_filter(result, x, radius, contrast * contrast)
    return result


@kept_for
def _saliency(plane: Plane) -> Plane:
    """Sum of the distances of each pixel's level to the levels of all pixels, stretched to 0..1."""
    levels = u8(plane)
    counts = np.bincount(levels.ravel(), minlength=256)
    every = np.arange(256)
    distance = (np.abs(every[:, None] - every) * counts).sum(axis=1)[levels].astype(np.float64)
    low, high = distance.min(), distance.max()
    return np.zeros(plane.shape) if low == high else np.asarray((distance - low) / (high - low))


def _least_squares(ir: Plane, vis: Plane, sigma: float, regularisation: float) -> Plane:
    """The detail D with the smallest sum of (D - M)² + lambda a (D - ir)²; M follows the stronger of the two."""
    smoothing = gaussian(13, sigma)
    visible = separable((np.abs(ir) < np.abs(vis)).astype(np.float64), smoothing, smoothing, "symmetric")
    stronger = visible * vis + (1.0 - visible) * ir
    averaging = np.full(_WINDOW, 1.0 / _WINDOW)
    flatness = 1.0 / (np.abs(separable(vis, averaging, averaging, "replicate")) + _NO_DETAIL)
    pull = regularisation * flatness
    return np.asarray((stronger + pull * ir) / (1.0 + pull))
