"""Two-scale fusion by saliency (TIF).

A wide mean parts each source into a base and a detail; where the wide mean is far from a 3 x 3 median the source is
salient. The bases are averaged, the details weighted by the saliency of their pixel. The mean does not respect edges:
bright targets get a dark halo as wide as its window, and targets larger than the window lose half of their contrast. The
mean takes what lies outside the image from its opposite side, so a bright border darkens the details of the other one.

Durga Prasad Bavirisetti and Ravindra Dhuli, Infrared Physics & Technology, 2016.
"""

from __future__ import annotations

import numpy as np

from fusionbench.types import UserError

from ..card import Plane, method
from .filters import pad, separable
from .memory import kept_for


@method(
    "tif",
    title="Two-scale image fusion",
    authors="D. P. Bavirisetti, R. Dhuli",
    year=2016,
    doi="10.1016/j.infrared.2016.01.009",
    summary="A 35 x 35 mean parts each source into a base and a detail layer. The squared difference of the mean and a "
    "3 x 3 median weights the detail at each pixel. The bases are averaged.",
    defaults="the paper's; the mean is exact, where the authors' platform rounds it (rounded_taps)",
    presets={"vifb": {"rounded_taps": True}},
    identity=1e-6,
)
def two_scale_fusion(ir: Plane, vis: Plane, *, window: int = 35, rounded_taps: bool = False) -> Plane:
    """Fuse in two scales by the saliency of each pixel.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    window : int
        Side of the window of the mean, in pixels, odd. The paper's 35.
    rounded_taps : bool
        Make the mean of two sums of products with a tap 3 units in the last place above 1 / window. The authors'
        platform separates the window by a singular value decomposition, which leaves this tap. It decides pixels where
        neither source is salient and values half-way between two levels.

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255, not rounded. Where neither source is salient the details have
        equal weights.

    Raises
    ------
    UserError
        If the window is not odd.
    """
    if window < 1 or window % 2 == 0:
        raise UserError(f"A mean over window={window} pixels has no middle: give an odd number of 1 or more.")
    base_ir, saliency_ir = _parts(ir, window, rounded_taps)
    base_vis, saliency_vis = _parts(vis, window, rounded_taps)
    total = saliency_ir + saliency_vis
    salient = total > 0.0
    weight_ir = np.divide(saliency_ir, total, out=np.full_like(ir, 0.5), where=salient)
    weight_vis = np.divide(saliency_vis, total, out=np.full_like(ir, 0.5), where=salient)
    fused: Plane = weight_ir * (ir - base_ir) + weight_vis * (vis - base_vis) + 0.5 * (base_ir + base_vis)
    return fused


@kept_for
def _parts(image: Plane, window: int, rounded_taps: bool) -> tuple[Plane, Plane]:
    """The base of a source, and the saliency of its pixels."""
    base = _mean_by_taps(image, window) if rounded_taps else _mean(image, window)
    return base, (base - _median(image)) ** 2


def _mean(image: Plane, window: int) -> Plane:
    """Mean over a window that goes on at the opposite side: of whole levels the exact sum, divided once."""
    half = window // 2
    table = pad(image, (half + 1, half), (half + 1, half), "circular").cumsum(0).cumsum(1)
    table = table[window:] - table[:-window]
    mean: Plane = (table[:, window:] - table[:, :-window]) / window**2
    return mean


def _mean_by_taps(image: Plane, window: int) -> Plane:
    taps = np.full(window, 1 / window + 3 * np.spacing(1 / window))
    return separable(image, taps, taps, "circular")


def _median(image: Plane) -> Plane:
    """Median of 3 x 3 pixels, black outside the image.

    Of the three columns, each sorted: the middle one of the largest minimum, the middle median, the smallest maximum.
    """
    framed = np.pad(image, 1)
    above, here, below = framed[:-2], framed[1:-1], framed[2:]
    low = np.minimum(np.minimum(above, here), below)
    middle = _middle(above, here, below)
    high = np.maximum(np.maximum(above, here), below)
    return _middle(
        np.maximum(np.maximum(low[:, :-2], low[:, 1:-1]), low[:, 2:]),
        _middle(middle[:, :-2], middle[:, 1:-1], middle[:, 2:]),
        np.minimum(np.minimum(high[:, :-2], high[:, 1:-1]), high[:, 2:]),
    )


def _middle(a: Plane, b: Plane, c: Plane) -> Plane:
    """The middle one of three at each pixel."""
    middle: Plane = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    return middle
