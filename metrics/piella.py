"""Fusion quality after Piella and Heijmans (Q_S, Q_W, Q_E): likeness to whichever source is the more salient.

In every window the similarities to both sources are averaged with their variances as weights. A source that is merely
noisy counts as salient, so all three reward a method that keeps the noise.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .card import metric
from .pooling import UNIVERSAL, Constants, Whole, local_quality, pooled
from .triple import Triple

Planes: TypeAlias = Literal["levels", "edges"]

_PAPER = "Piella, Heijmans, Proc. IEEE ICIP 2003, vol. 3, doi:10.1109/ICIP.2003.1247209, sec. 3"
_INDEX = (
    "The paper's own choices: the universal quality index of Wang and Bovik (doi:10.1109/97.995823), which is SSIM without "
    "constants, in windows of 8 x 8 equal weights, saliency = variance. Liu et al. take SSIM with its constants in a Gaussian "
    "window of 11 x 11 instead. Sums over equal weights are exact, so a flat window is known to be flat: the factor of "
    "the index that is 0/0 there is 1, as in Wang and Bovik's code, and two flat sources count half each. "
)


@metric(
    "Q_S",
    title="Fusion quality index (Piella)",
    better="higher",
    range=(-1, 1),
    sources=True,
    version=1,
    reference=_PAPER,
    formula="Q_S = mean over windows of l Q0(A, F) + (1 - l) Q0(B, F), l = sA^2 / (sA^2 + sB^2), "
    "Q0(X, F) = 4 sXF mX mF / ((mX^2 + mF^2)(sX^2 + sF^2))",
    standard=_INDEX + "Every window counts the same.",
    undefined="Not defined for an image smaller than the window, 8 x 8.",
    fooled="Keeping a source's noise: in a flat window noise is all there is, so it decides which source counts and what it is "
    "compared with, and a fused image without it scores far worse than one with it. Drawing the fused image towards the "
    "average of the sources raises it a little.",
)
def fusion_quality(t: Triple, *, window: Whole = "uniform-8", constants: Constants = UNIVERSAL) -> float:
    """Mean over windows of the saliency-weighted similarity to the sources.

    Parameters
    ----------
    t : Triple
        The images.
    window : {"uniform-7", "uniform-8", "gaussian-7", "gaussian-11"}
        The sliding window: equal weights, or a Gaussian of standard deviation 1.5 pixels. Whole windows only.
    constants : tuple of float
        C1 and C2 of the similarity, in squared levels: (0, 0) for the universal quality index, (6.5025, 58.5225) for SSIM.

    Returns
    -------
    float
        -1 to 1.

    Notes
    -----
    Liu et al. 2012 (metricPeilla, switch 1): ``window="gaussian-11", constants=(6.5025, 58.5225)``.
    """
    sums, windows = pooled(t, "Q_S", window, constants)
    return sums.piella / windows


@metric(
    "Q_W",
    title="Weighted fusion quality index (Piella)",
    better="higher",
    range=(-1, 1),
    sources=True,
    version=1,
    reference=_PAPER,
    formula="Q_W = sum over windows of C (l Q0(A, F) + (1 - l) Q0(B, F)) / sum of C, C = max(sA^2, sB^2)",
    standard=_INDEX + "A window counts by the greater variance of the two sources.",
    undefined="NaN where both sources are flat: 0/0. Not defined for an image smaller than the window, 8 x 8.",
    fooled="A few windows of high contrast (a hot target, a lamp) hold most of the weight, so noise, seams or lost texture in "
    "calm regions cost next to nothing, and stretching a plain average of the sources raises it. Noise in a source counts as "
    "saliency, so keeping it is rewarded.",
)
def weighted_fusion_quality(
    t: Triple, *, window: Whole = "uniform-8", constants: Constants = UNIVERSAL, image: Planes = "levels"
) -> float:
    """Mean over windows, weighted by saliency, of the saliency-weighted similarity to the sources.

    Parameters
    ----------
    t : Triple
        The images.
    window : str
        As for `fusion_quality`.
    constants : tuple of float
        As for `fusion_quality`.
    image : {"levels", "edges"}
        What is compared: the images, or their Sobel magnitudes (borders repeated), as MEFB does.

    Returns
    -------
    float
        -1 to 1, or NaN.

    Notes
    -----
    Liu et al. 2012 (metricPeilla, switch 2): ``window="gaussian-11", constants=(6.5025, 58.5225)``.
    """
    sums, _ = pooled(t, "Q_W", window, constants, edges=image == "edges")
    return sums.weighted / sums.weight if sums.weight else math.nan


@metric(
    "Q_E",
    title="Edge-dependent fusion quality index (Piella)",
    better="higher",
    range=(-1, 1),
    sources=True,
    version=1,
    reference=_PAPER,
    formula="Q_E = Q_W(A, B, F) Q_W(A', B', F')^alpha, X' the edge image of X",
    standard=_INDEX
    + "Edge images are Sobel magnitudes with the border repeated, which the paper leaves open; alpha = 1. An "
    "edge index below 0 counts as 0, since its power need not exist. The code of Liu et al. stops with an error here, so "
    "there are no numbers of theirs.",
    undefined="NaN where both sources, or their edge images, are flat: 0/0. Not defined below 8 x 8 pixels.",
    fooled="What fools Q_W: stretching a plain average of the sources raises it, and twice as much, since strong edges decide. "
    "Noise in calm regions costs next to nothing; noise in a source has gradients too, so keeping it is rewarded.",
)
def edge_dependent_fusion_quality(
    t: Triple, *, window: Whole = "uniform-8", constants: Constants = UNIVERSAL, alpha: float = 1.0
) -> float:
    """Product of the weighted quality of the images and of their edge images.

    Parameters
    ----------
    t : Triple
        The images.
    window : str
        As for `fusion_quality`.
    constants : tuple of float
        As for `fusion_quality`.
    alpha : float
        How much the edge images count; 0 is Q_W.

    Returns
    -------
    float
        -1 to 1, or NaN.
    """
    levels, _ = pooled(t, "Q_E", window, constants)
    edges, _ = pooled(t, "Q_E", window, constants, edges=True)
    if not levels.weight or not edges.weight:
        return math.nan
    return levels.weighted / levels.weight * max(edges.weighted / edges.weight, 0.0) ** alpha


def fusion_quality_map(
    t: Triple, *, window: Whole = "uniform-8", constants: Constants = UNIVERSAL
) -> NDArray[np.float64]:
    """Saliency-weighted similarity to the sources around every pixel, (H, W), borders repeated.

    Parameters
    ----------
    t : Triple
        The images.
    window : str
        As for `fusion_quality`.
    constants : tuple of float
        As for `fusion_quality`.

    Returns
    -------
    (H, W) float64
        -1 to 1; Q_S is its mean over whole windows.
    """
    return local_quality(t, 0, window, constants)
