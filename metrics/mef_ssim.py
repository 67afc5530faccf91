"""Likeness to the best patch that the sources can be made into (MEF-SSIM), at one scale or at three.

In every window the sources' patches, their means removed, are combined in the direction that both support and stretched to
the greater of their contrasts; the fused patch is compared with that. Luminance does not enter at all, and noise
in a source is contrast to be kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .card import NotDefined, metric
from .kernels.exposure import SIDE, exposure
from .scales import halved
from .triple import Scene, Triple

EXPONENTS = (0.0448, 0.2856, 0.3001)
"""How much each scale counts, before they are divided by their sum: the first three of MS-SSIM's."""
SMALLEST = 41
"""Side of the smallest image that the window fits into after two halvings."""

_PAPER = "Ma, Zeng, Wang, IEEE TIP 24(11), 2015, doi:10.1109/TIP.2015.2442920"
_CHOICES = (
    "The authors' constants: windows of 11 x 11, equal weights for the best patch and a Gaussian of standard deviation 1.5 for "
    "the comparison, C = (0.03 * 255)^2, weights (contrast / 11)^p with p = min(tan(pi R / 2), 10) and R the consistency of "
    "the patches. The sums that the best patch follows from are exact, so a flat patch is known to be flat. "
)
_FOOLED = (
    "It knows no luminance: a slope of brightness across the image changes next to nothing. It wishes for the greater contrast "
    "of both sources, whatever makes that contrast: a fused image that keeps a source's noise scores far better than one without."
)


@metric(
    "MEF-SSIM",
    title="Structural similarity to the best of the sources",
    better="higher",
    range=(-1, 1),
    sources=True,
    version=1,
    reference=f"{_PAPER}, sec. III",
    formula="MEF-SSIM = mean over windows of (2 sRF + C) / (sR^2 + sF^2 + C), R the best patch: "
    "max contrast times the direction of sum w_k a_k / |a_k|, a_k the patch of source k less its mean",
    standard=_CHOICES,
    undefined="Not defined for an image smaller than the window, 11 x 11. Constant images are no exception: C > 0.",
    fooled=_FOOLED,
)
def exposure_similarity(t: Triple) -> float:
    """Mean over windows of the likeness of the fused image to the best patch of the sources.

    Parameters
    ----------
    t : Triple
        The images.

    Returns
    -------
    float
        -1 to 1.

    Notes
    -----
    With infrared and visible for the sequence of exposures, as Tang et al. and MEFB use it.
    """
    if min(t.shape) < SIDE:
        raise NotDefined(f"MEF-SSIM's window of {SIDE} x {SIDE} does not fit into {t.shape[1]} x {t.shape[0]} pixels")
    return float(_finest(t.scene)[t.index])


@metric(
    "MEF-MS-SSIM",
    title="Multi-scale structural similarity to the best of the sources",
    better="higher",
    range=(0, 1),
    sources=True,
    version=1,
    reference=f"{_PAPER}, sec. III",
    formula="MEF-MS-SSIM = prod over 3 scales of MEF-SSIM^w, w = 0.0448, 0.2856, 0.3001 over their sum",
    standard=_CHOICES
    + "Between scales means of two by two pixels, an odd border repeated. Tang et al. print it as MS_SSIM, which it is not.",
    undefined="A scale whose mean is negative counts as 0, since its power does not exist. Not defined below 41 x 41 pixels.",
    fooled=_FOOLED
    + " The finest scale counts for 7 per cent only, so fine texture may be lost, or noise added, at little cost.",
)
def multiscale_exposure_similarity(t: Triple) -> float:
    """Product over three scales of the likeness of the fused image to the best patch of the sources.

    Parameters
    ----------
    t : Triple
        The images.

    Returns
    -------
    float
        0 to 1.
    """
    if min(t.shape) < SMALLEST:
        raise NotDefined(
            f"MEF-MS-SSIM's three scales do not fit into {t.shape[1]} x {t.shape[0]} pixels; it needs {SMALLEST} x {SMALLEST}"
        )
    return float(t.scene.measure("MEF-MS-SSIM", _scales)[t.index])


def exposure_similarity_map(t: Triple) -> NDArray[np.float64]:
    """Likeness of the fused image to the best patch around every pixel, (H, W), borders repeated.

    Parameters
    ----------
    t : Triple
        The images.

    Returns
    -------
    (H, W) float64
        -1 to 1.
    """
    maps = np.empty((1, *t.shape))
    ir, vis, fused = (np.pad(plane, SIDE // 2, mode="edge") for plane in (t.ir, t.vis, t.fused))
    exposure(ir, vis, fused[np.newaxis], _taps(), maps)
    return maps[0]


def _finest(scene: Scene) -> NDArray[np.float64]:
    return scene.measure("MEF-SSIM", lambda s: _means([s.ir, s.vis, *s.fused]))


def _scales(scene: Scene) -> NDArray[np.float64]:
    """MEF-MS-SSIM of every fused image."""
    product = np.ones(len(scene.fused))
    planes: list[NDArray[np.uint8] | NDArray[np.float64]] = [scene.ir, scene.vis, *scene.fused]
    for place, exponent in enumerate(EXPONENTS):
        if place:
            planes = [halved(plane, "symmetric") for plane in planes]
        means = _means(planes) if place else _finest(scene)
        product *= np.maximum(means, 0) ** (exponent / sum(EXPONENTS))
    return product


def _means(planes: list[NDArray[np.uint8] | NDArray[np.float64]]) -> NDArray[np.float64]:
    """MEF-SSIM of every fused image, (fused,)."""
    rows, columns = (side - SIDE + 1 for side in planes[0].shape)
    nowhere = np.empty((len(planes) - 2, 0, 0))
    fused: NDArray[Any] = np.stack(planes[2:])
    sums: NDArray[np.float64] = exposure(planes[0], planes[1], fused, _taps(), nowhere)
    return sums / (rows * columns)


def _taps() -> NDArray[np.float64]:
    taps = np.exp(-(np.arange(-5.0, 6.0) ** 2) / (2 * 1.5**2))
    normalised: NDArray[np.float64] = taps / taps.sum()
    return normalised
