"""Visual information fidelity (VIF): how much of what a viewer could learn from the sources the fused image still tells.

Each source is modelled as a Gaussian scale mixture at four scales, the fused image as that source attenuated, with noise
added. Stretching the contrast raises VIF, even above 1 per source: the viewer's own noise then matters less.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .card import NotDefined, metric
from .dealt import bands, borrow
from .kernels.information import TILES, information
from .kernels.pyramid import halve
from .kernels.windows import scratch_size
from .triple import SOURCES, Scene, Triple

Arithmetic: TypeAlias = Literal["real", "uint8"]
Aggregate: TypeAlias = Literal["sum", "mean"]

NOISE = 2.0
"""Variance of the viewer's noise, in squared levels."""
SIZES = (17, 9, 5, 3)
"""Window of each scale."""
SMALLEST = 41
"""Side of the smallest image that the last window fits into after three halvings."""


@metric(
    "VIF",
    title="Visual information fidelity",
    better="higher",
    range=(0, math.inf),
    sources=True,
    version=1,
    reference="Sheikh, Bovik, IEEE TIP 15(2), 2006, doi:10.1109/TIP.2005.859378, eq. 17; pixel-domain form of the authors",
    formula="VIF = V(A, F) + V(B, F), V = sum log(1 + g^2 s^2 / (v + 2)) / sum log(1 + s^2 / 2) over 4 scales and all windows",
    standard="The authors' pixel-domain form with their constants (windows 17, 9, 5, 3; noise variance 2 on levels 0..255). "
    "The paper knows one reference; for two, the sum is what the fusion codes with a correct VIF print.",
    undefined="NaN where a source is constant: it holds no information, 0/0. Not defined below 41 x 41 pixels.",
    fooled="A copy of one source scores 1 and a little, about twice a good fusion, as it tells all of that source. Raising "
    "the contrast of a flat image raises it, also where some levels are clipped, because the model sees a gain above "
    "the viewer's noise. It takes noise and sharpening for loss.",
)
def visual_information_fidelity(
    t: Triple,
    *,
    arithmetic: Arithmetic = "real",
    window: Literal["gaussian", "shifted"] = "gaussian",
    aggregate: Aggregate = "sum",
    undefined: float = math.nan,
    domain: Literal["pixels", "wavelet"] = "pixels",
    scale: float = 255.0,
) -> float:
    """Information about each source that the fused image carries, over what the source holds.

    Parameters
    ----------
    t : Triple
        The images.
    arithmetic : {"real", "uint8"}
        ``"uint8"``: at the first scale products of levels saturate at 255 before they are averaged, as in the published
        tables of Tang et al., whose values are too high and rank methods differently.
    window : {"gaussian", "shifted"}
        ``"shifted"``: IVIF_ZOO's window and rounding, see `fusionbench.metrics.single.shifted_fidelities`.
    aggregate : {"sum", "mean"}
        Over the two sources.
    undefined : float
        What a constant source counts as; CDDFuse says 1.
    domain : {"pixels", "wavelet"}
        ``"wavelet"``: the authors' first form, in two bands a level of a steerable pyramid, which needs 72 x 72 pixels.
    scale : float
        What level 255 counts as in the wavelet domain, whose noise of variance 0.4 is meant for 255. thfylsty takes 1,
        so that the viewer's noise drowns everything.

    Returns
    -------
    float
        0 and up; identical images have 1 per source.
    """
    if window == "shifted":
        from . import single

        both: tuple[float, ...] = single.shifted_fidelities(t.ir, t.vis, t.fused)
    elif domain == "wavelet":
        from . import wavelet_vif

        if min(t.shape) < wavelet_vif.SMALLEST:
            raise NotDefined(
                f"VIF's wavelets do not fit into {t.shape[1]} x {t.shape[0]} pixels; they need "
                f"{wavelet_vif.SMALLEST} x {wavelet_vif.SMALLEST}"
            )
        both = tuple(wavelet_vif.wavelet_fidelity(t, source, scale) for source in SOURCES)
    else:
        if min(t.shape) < SMALLEST:
            raise NotDefined(
                f"VIF's four scales do not fit into {t.shape[1]} x {t.shape[0]} pixels; it needs {SMALLEST} x {SMALLEST}"
            )
        both = tuple(t.scene.measure(("VIF", arithmetic), lambda s: _fidelities(s, arithmetic))[t.index])
    parts = [undefined if math.isnan(part) else part for part in both]
    return float(sum(parts)) / (2 if aggregate == "mean" else 1)


def half_window(size: int) -> NDArray[np.float64]:
    """First half of a Gaussian window of `size` taps and standard deviation size / 5, the middle last."""
    half = np.exp(-(np.arange(-(size // 2), 1.0) ** 2) / (2 * (size / 5) ** 2))
    normalised: NDArray[np.float64] = half / (2 * half.sum() - half[-1])
    return normalised


def _fidelities(scene: Scene, arithmetic: Arithmetic) -> NDArray[np.float64]:
    """V of every fused image for each source, (fused, 2); NaN for a constant source."""
    contained = np.zeros(2)
    carried = np.zeros((len(scene.fused), 2))
    planes: list[NDArray[Any]] = [scene.ir, scene.vis, *scene.fused]
    for scale, size in enumerate(SIZES):
        weights = half_window(size)
        if scale:
            planes = halved(planes, weights)
        ceiling = 255.0 if arithmetic == "uint8" and not scale else math.inf
        for band in bands(planes) if scale else scene.bands():
            columns = band.columns(size)
            if columns > 0:
                scratch = borrow((scratch_size(band.planes.shape[2], size, TILES),))
                held, told = information(band.planes, columns, weights, NOISE, ceiling, scratch)
                contained += held
                carried += told
    return carried / np.where(contained > 0, contained, math.nan)


def halved(planes: list[NDArray[Any]], weights: NDArray[np.float64]) -> list[NDArray[Any]]:
    """Every other window mean of every plane: the next scale."""
    rows, columns = ((side - 2 * weights.size + 3) // 2 for side in planes[0].shape)
    smaller = borrow((len(planes), rows, columns))
    for plane, out in zip(planes, smaller, strict=True):
        halve(plane, weights, out)
    return list(smaller)
