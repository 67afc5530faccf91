"""Visual information fidelity for fusion (VIFF): what the fused image tells of whichever source it follows less.

As VIF, with more noise in the viewer's eye, and with one source a pixel instead of the sum of both. Stretching the contrast
raises it, above 1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .card import NotDefined, metric
from .dealt import bands, borrow
from .kernels.fusion_information import TILES, fusion_information
from .kernels.windows import scratch_size
from .triple import Scene, Triple
from .vif import SIZES, SMALLEST, half_window, halved

NOISE = 0.005 * 255.0**2
"""Variance of the viewer's noise, in squared levels."""
SHARES = (1 / 2.15, 0.0, 0.15 / 2.15, 1 / 2.15)
"""Weight of each scale, the finest first."""
TRACE = 1e-7
"""Added per pixel to what is told and to what is held, in decimal logarithms, so that nothing over nothing is 1."""


@metric(
    "VIFF",
    title="Visual information fidelity for fusion",
    better="higher",
    range=(0, math.inf),
    sources=True,
    version=1,
    reference="Han, Cai, Cao, Xu, Information Fusion 14(2), 2013, doi:10.1016/j.inffus.2011.08.002, eq. 4-17; "
    "authors' code",
    formula="VIFF = sum over scales p sum(log(1 + g^2 s^2 / (v + N)) + e) / sum(log(1 + s^2 / N) + e), of the source "
    "with the smaller gain g around each pixel",
    standard="The authors' public code: windows 17, 9, 5, 3, N = 0.005 of 255^2, p = 1, 0, 0.15, 1 over 2.15 from the "
    "finest to the coarsest scale, e = 1e-7 in decimal logarithms. Grey levels, where the authors take CIELAB "
    "lightness of colour images.",
    undefined="Not defined below 41 x 41 pixels. Constant images have a value: e over e is 1.",
    fooled="Stretching or sharpening the fused image raises it without limit, since the gain over the weaker source "
    "grows; averaging the sources, which halves the contrast of both, costs more than dropping one of them where it "
    "is weak.",
)
def fusion_information_fidelity(t: Triple) -> float:
    """Information that the fused image carries of the source it follows less, over what that source holds.

    Parameters
    ----------
    t : Triple
        The images.

    Returns
    -------
    float
        0 and up; 1 for three identical images.
    """
    if min(t.shape) < SMALLEST:
        raise NotDefined(
            f"VIFF's four scales do not fit into {t.shape[1]} x {t.shape[0]} pixels; it needs {SMALLEST} x {SMALLEST}"
        )
    return float(t.scene.measure("VIFF", _fidelities)[t.index])


def _fidelities(scene: Scene) -> NDArray[np.float64]:
    """VIFF of every fused image."""
    result = np.zeros(len(scene.fused))
    planes: list[NDArray[np.uint8] | NDArray[np.float64]] = [scene.ir, scene.vis, *scene.fused]
    for scale, (size, share) in enumerate(zip(SIZES, SHARES, strict=True)):
        weights = half_window(size)
        if scale:
            planes = halved(planes, weights)
        if not share:
            continue
        total = np.zeros((len(scene.fused), 2))
        for band in bands(planes) if scale else scene.bands():
            columns = band.columns(size)
            if columns > 0:
                scratch = borrow((scratch_size(band.planes.shape[2], size, TILES),))
                total += fusion_information(band.planes, columns, weights, NOISE, scratch)
        rows, columns = planes[0].shape
        total += (rows - size + 1) * (columns - size + 1) * TRACE * math.log(10)
        result += share * total[:, 1] / total[:, 0]
    return result
