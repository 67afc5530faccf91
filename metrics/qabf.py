"""Gradient transfer (Qabf): how much of the sources' edges the fused image keeps.

Every pixel of each source is asked whether its edge is there in the fused image with the same strength and direction; strong
edges count more. Sharpening beyond the sources does not raise it; noise in a source is taken for edges.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Levels

from .card import NotDefined, metric
from .kernels.edges import directed_edges, edges, kept, kept_locally
from .triple import Source, Triple

Border = Literal["replicate", "zero"]
Angle = Literal["line", "circle"]
Edges = tuple[NDArray[np.float64], NDArray[np.float64]]


@metric(
    "Qabf",
    title="Gradient transfer (Xydeas-Petrovic)",
    better="higher",
    range=(0, 1),
    sources=True,
    version=1,
    reference="Xydeas, Petrovic, Electronics Letters 36(4), 2000, doi:10.1049/el:20000267, eq. 1-8",
    formula="Qabf = sum(QAF gA + QBF gB) / sum(gA + gB), QXF = Qg Qa, logistic in the ratio of strengths and in alignment",
    standard="Constants 0.9994, 15, 0.5 and 0.9879, 22, 0.8, L = 1; equal strengths are kept in full (ratio 1), as the paper's "
    "formula says; borders repeated, so that the frame of the image is no edge.",
    undefined="NaN where both sources are flat: 0/0.",
    fooled="A copy of one source scores as much as a good fusion or more, and the pixelwise maximum more still, since most "
    "of its edges are exact copies. Noise in a source is taken for edges, so keeping it raises the score. Sharpening "
    "a soft image raises it up to the strength of the sources' edges.",
)
def gradient_transfer(
    t: Triple,
    *,
    scale: float = 255.0,
    border: Border = "replicate",
    tie: Literal["one", "gradient"] = "one",
    angle: Angle = "line",
    form: Literal["sums", "local"] = "sums",
) -> float:
    """Share of the sources' edges, weighted by strength, that the fused image keeps.

    Parameters
    ----------
    t : Triple
        The images.
    scale : float
        What level 255 counts as. It matters only with ``tie="gradient"``: 255^2 in VIFB; 1 in the published spreadsheet,
        where rounding decides what is a tie and what is a vertical edge.
    border : {"replicate", "zero"}
        What lies around the images.
    tie : {"one", "gradient"}
        The ratio where both strengths are equal: 1, or the strength itself, a slip that VIFB, Tang et al., CDDFuse and
        IVIF_ZOO share.
    angle : {"line", "circle"}
        Orientation without or with the side that is bright. Neither knows that the ends of its interval are one, so that
        ``"circle"`` finds less alignment than there is, down to -3 (Topanxal).
    form : {"sums", "local"}
        ``"local"``: Liu et al.'s Q_G, see `local_transfer`; the other keywords then mean nothing.

    Returns
    -------
    float
        0 to 0.987, or NaN.
    """
    if min(t.shape) < 2:
        raise NotDefined("Qabf compares neighbours, so it needs at least 2 x 2 pixels")
    if form == "local":
        return local_transfer(t)
    # Not per source: the formula's two sums run over both.
    fused = _edges(t.fused, scale, border, angle)
    carried = weight = 0.0
    for source in ("ir", "vis"):
        c, w = kept(*_source_edges(t, source, scale, border, angle), *fused, tie == "gradient")
        carried, weight = carried + c, weight + w
    return carried / weight if weight else math.nan


def local_transfer(t: Triple) -> float:
    """Liu et al.'s Q_G: the mean over pixels of (QA gA + QB gB) / (gA + gB).

    Every pixel counts the same, however flat the sources are there. The logistic functions are 1 / (1 + exp(-10 (r - 0.5)))
    and 1 / (1 + exp(-20 (s - 0.75))), the alignment s = ||aX - aF| - pi/2| 2/pi knows that the ends of the interval are one,
    borders are black, and a strength or a horizontal difference of 0 counts as 1e-5.
    """
    ir, vis, fused = (np.pad(plane, 1) for plane in (t.ir, t.vis, t.fused))
    return float(kept_locally(ir, vis, fused, 1e-5)) / t.fused.size


def _source_edges(t: Triple, source: Source, scale: float, border: Border, angle: Angle = "line") -> Edges:
    key = ("edges", source, scale, border, angle)
    return t.scene.measure(key, lambda s: _edges(getattr(s, source), scale, border, angle))


def _edges(plane: Levels, scale: float, border: Border, angle: Angle = "line") -> Edges:
    # level / 255 must be the double that the published numbers were computed from, so scale 1 divides by 255.
    padded = np.pad(plane, 1, mode="edge") if border == "replicate" else np.pad(plane, 1)
    strength, orientation = (edges if angle == "line" else directed_edges)(padded / (255 / scale))
    return strength, orientation


def gradient_transfer_map(t: Triple, source: Source, *, sigma: float = 2.0) -> NDArray[np.float64]:
    """Share of the edges of one source around every pixel that the fused image keeps, (H, W).

    Parameters
    ----------
    t : Triple
        The images.
    source : {"ir", "vis"}
        The source.
    sigma : float
        Standard deviation in pixels of the Gaussian that says what is around; 0 for every pixel on its own, which is
        Q of the formula and mostly noise.

    Returns
    -------
    (H, W) float64
        0 to 0.987, weighted by the strength of the edges as Qabf is, with the defaults of `gradient_transfer`; NaN where
        the source has no edge.
    """
    if min(t.shape) < 2:
        raise NotDefined("Qabf compares neighbours, so it needs at least 2 x 2 pixels")
    (g, angle), (f, fused_angle) = _source_edges(t, source, 255.0, "replicate"), _edges(t.fused, 255.0, "replicate")
    greater = np.maximum(g, f)
    ratio = np.divide(np.minimum(g, f), greater, out=np.ones_like(greater), where=greater > 0)
    alignment = 1 - np.abs(angle - fused_angle) / (math.pi / 2)
    q = 0.9994 / (1 + np.exp(-15 * (ratio - 0.5))) * 0.9879 / (1 + np.exp(-22 * (alignment - 0.8)))
    carried, weight = q * g, g
    if sigma:
        from scipy import ndimage

        carried, weight = (ndimage.gaussian_filter(plane, sigma, mode="nearest") for plane in (carried, weight))
    return np.divide(carried, weight, out=np.full_like(g, math.nan), where=weight > 0)
