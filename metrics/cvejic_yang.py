"""Similarity to the sources, shared out by who explains the fused image (Qc) or by who says something of his own (Qy).

Both choose a source in every window, so a fused image that copies one source here and the other there is ideal to them,
seams included.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .card import metric
from .pooling import UNIVERSAL, WANG, Constants, Undefined, Whole, Window, local_quality, mean_of, pooled
from .triple import Triple


@metric(
    "Qc",
    title="Similarity weighted by covariance (Cvejic)",
    better="higher",
    range=(-1, 1),
    sources=True,
    version=1,
    reference="Cvejic, Loza, Bull, Canagarajah, Int. J. Signal Processing 2(3), 2005, pp. 178-182 (no doi), sec. 3",
    formula="Qc = mean over windows of s Q0(A, F) + (1 - s) Q0(B, F), s = sAF / (sAF + sBF) kept within 0..1, Q0 as for Q_S",
    standard="The paper's: the universal quality index of Wang and Bovik in windows of 8 x 8 equal weights, and the share s kept "
    "within 0 and 1. Liu et al. keep the local quality at 0 or 1 there instead, a slip that rewards windows which resemble "
    "one source and oppose the other, and use a Gaussian window whose rounding decides s wherever an image is flat. Here "
    "sums are exact; s is 1/2 where the covariances cancel.",
    undefined="Not defined for an image smaller than the window, 8 x 8.",
    fooled="Copying one source alone raises it: the weight goes to the source that the fused image resembles anyway, and what "
    "the other shows is not missed. With a noisy source a copy of the noise scores best.",
)
def covariance_weighted_similarity(
    t: Triple,
    *,
    window: Whole = "uniform-8",
    constants: Constants = UNIVERSAL,
    outside: Literal["share", "quality"] = "share",
    undefined: Undefined = "half",
) -> float:
    """Mean over windows of the similarity to the sources, weighted by their covariance with the fused image.

    Parameters
    ----------
    t : Triple
        The images.
    window : {"uniform-7", "uniform-8", "gaussian-7", "gaussian-11"}
        The sliding window: equal weights, or a Gaussian of standard deviation 1.5 pixels. Whole windows only.
    constants : tuple of float
        C1 and C2 of the similarity, in squared levels: (0, 0) for the universal quality index.
    outside : {"share", "quality"}
        What becomes 0 or 1 where the share of a source is below 0 or above 1: the share, or the local quality (Liu et al.).
    undefined : {"half", "nan", "skip"}
        Where both covariances are 0: each source counts half, there is no score (Liu et al.), or the window does not count
        (MEFB).

    Returns
    -------
    float
        -1 to 1, or NaN.

    Notes
    -----
    Liu et al. 2012 (metricCvejic, switch 2): ``window="gaussian-7", constants=(2e-16, 2e-16), outside="quality",
    undefined="nan"``. Where an image is flat their covariances are rounding noise, which is reproduced here: it decides up
    to one per cent of the score.
    """
    half, clamp = undefined == "half", outside == "share"
    sums, windows = pooled(t, "Qc", window, constants, half=half, clamp=clamp)
    return mean_of(sums.cvejic, sums.no_cvejic, windows, undefined)


@metric(
    "Qy",
    title="Similarity by redundancy (Yang)",
    better="higher",
    range=(-1, 1),
    sources=True,
    version=1,
    reference="Yang, Zhang, Wang, Liu, Information Fusion 9(2), 2008, doi:10.1016/j.inffus.2006.09.001, sec. 3",
    formula="Qy = mean over windows of l S(A, F) + (1 - l) S(B, F) where S(A, B) >= 0.75, l = sA^2 / (sA^2 + sB^2), and of "
    "max(S(A, F), S(B, F)) elsewhere; S is SSIM",
    standard="SSIM with Wang's constants in windows of 7 x 7 equal weights, whose sums are exact; two flat sources count half "
    "each. Liu et al. use a Gaussian of 7 x 7 and constants of 2e-16, with which flat regions are rounding noise and "
    "black ones 0/0.",
    undefined="Not defined for an image smaller than the window, 7 x 7.",
    fooled="Copying either source alone raises it, to 1 where they differ everywhere: only the nearer source counts wherever the "
    "sources disagree, which is nearly everywhere between infrared and visible.",
)
def redundancy_aware_similarity(
    t: Triple,
    *,
    window: Window = "uniform-7",
    constants: Constants = WANG,
    undefined: Undefined = "half",
) -> float:
    """Mean over windows of the similarity to both sources where they agree, and to the nearer one where they do not.

    Parameters
    ----------
    t : Triple
        The images.
    window : {"uniform-7", "uniform-8", "gaussian-7", "gaussian-11", "repeated-7"}
        The sliding window: equal weights, or a Gaussian of standard deviation 1.5 pixels. Whole windows only, but
        ``"repeated-7"`` is IVIF_ZOO's: a Gaussian along rows, repeated down seven rows and not divided by seven, with black
        around the images; what it calls variances are negative.
    constants : tuple of float
        C1 and C2 of SSIM, in squared levels: (1e-4, 9e-4) in IVIF_ZOO, as if white were 1; 2e-16 both in Liu et al.
    undefined : {"half", "nan", "skip"}
        Where both sources have no variance: each counts half, there is no score (Liu et al.), or the window does not count
        (MEFB).

    Returns
    -------
    float
        -1 to 1, or NaN.
    """
    half = undefined == "half"
    # Cvejic's share has no place in the formula; this is how Qc asks, so that what one has measured serves the other.
    sums, windows = pooled(t, "Qy", window, constants, half=half, clamp=half)
    return mean_of(sums.yang, sums.no_yang, windows, undefined)


def covariance_weighted_similarity_map(
    t: Triple, *, window: Whole = "uniform-8", constants: Constants = UNIVERSAL
) -> NDArray[np.float64]:
    """Qc around every pixel, (H, W), borders repeated.

    Parameters
    ----------
    t : Triple
        The images.
    window, constants
        As for `covariance_weighted_similarity`.

    Returns
    -------
    (H, W) float64
        -1 to 1.
    """
    return local_quality(t, 1, window, constants)


def redundancy_aware_similarity_map(
    t: Triple, *, window: Whole = "uniform-7", constants: Constants = WANG
) -> NDArray[np.float64]:
    """Qy around every pixel, (H, W), borders repeated.

    Parameters
    ----------
    t : Triple
        The images.
    window, constants
        As for `redundancy_aware_similarity`.

    Returns
    -------
    (H, W) float64
        -1 to 1.
    """
    return local_quality(t, 2, window, constants)
