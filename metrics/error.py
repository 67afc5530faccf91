"""Squared differences from the sources. The average of the sources has the least: none of these rewards fusing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

from .card import metric
from .triple import SOURCES, Source, Triple

Peak: TypeAlias = float | Literal["fused", "source"]
Form: TypeAlias = Literal["root-mean", "root-sum"]


@metric(
    "MSE",
    title="Mean squared error",
    better="lower",
    range=(0, 65025),
    sources=True,
    version=1,
    reference="Ma, Ma, Li, Information Fusion 45, 2019 (survey), doi:10.1016/j.inffus.2018.02.004, sec. 4.1",
    formula="MSE = (mean (F - A)^2 + mean (F - B)^2) / 2",
    standard="Mean of both sources, levels 0..255.",
    undefined="None.",
    fooled="The average of the sources has the least possible, so a washed-out image wins. Blurring a fused image and "
    "lowering its contrast improve it; raising a hot target above the average of the two sources costs, and that is "
    "what fusion is for.",
)
def mean_squared_error(t: Triple, *, scale: float = 255.0) -> float:
    """Mean over both sources of the mean squared difference.

    Parameters
    ----------
    t : Triple
        The images.
    scale : float
        What level 255 counts as: 1.0 for images in [0, 1].

    Returns
    -------
    float
        0 to scale^2.
    """
    return _squared_error(t, SOURCES, scale)


@metric(
    "RMSE",
    title="Root mean squared error",
    better="lower",
    range=(0, 255),
    sources=True,
    version=1,
    reference="Ma, Ma, Li, Information Fusion 45, 2019 (survey), doi:10.1016/j.inffus.2018.02.004, sec. 4.1",
    formula="RMSE = (sqrt(mean (F - A)^2) + sqrt(mean (F - B)^2)) / 2",
    standard="The root of each source's mean, then their mean; levels 0..255.",
    undefined="None.",
    fooled="A copy of one source, the average and every mixture of the two between have the same value, the least possible. "
    "Blur and low contrast improve it; clearer targets and brighter scenes make it worse.",
)
def root_mean_squared_error(t: Triple, *, form: Form = "root-mean", scale: float = 255.0) -> float:
    """Mean over both sources of the root of the mean squared difference.

    Parameters
    ----------
    t : Triple
        The images.
    form : {"root-mean", "root-sum"}
        ``"root-sum"``: sqrt(sum of squares) / (M N), the division outside the root, as VIFB has it; it shrinks as images grow.
    scale : float
        What level 255 counts as.

    Returns
    -------
    float
        0 to scale.
    """
    return _root_error(t, SOURCES, form) * scale / 255


@metric(
    "PSNR",
    title="Peak signal-to-noise ratio",
    better="higher",
    range=(0, math.inf),
    sources=True,
    version=1,
    reference="Jagalingam, Hegde, Aquatic Procedia 4, 2015, doi:10.1016/j.aqpro.2015.02.019; mean MSE as in Ma, Ma, Li 2019",
    formula="PSNR = 10 log10(255^2 / MSE), MSE the mean of both sources",
    standard="One ratio of the mean MSE, not the mean of two ratios; peak 255.",
    undefined="Infinity where the fused image equals both sources (a peak of black images is 0, which makes that NaN).",
    fooled="It is MSE on another scale: the average of the sources scores highest, blur and low contrast raise it. "
    "Differences of a decibel between methods say how near each stays to the average, not how well it fuses.",
)
def peak_signal_noise_ratio(
    t: Triple,
    *,
    peak: Peak = 255.0,
    error: Literal["mean-square", "root-sum"] = "mean-square",
    average: Literal["errors", "decibels"] = "errors",
    scale: float = 255.0,
) -> float:
    """Peak over error, in decibels.

    Parameters
    ----------
    t : Triple
        The images.
    peak : float or {"fused", "source"}
        The peak, or the largest level of the fused image (CDDFuse), or of the source (Topanxal).
    error : {"mean-square", "root-sum"}
        ``"root-sum"``: VIFB's RMSE takes the place of the MSE.
    average : {"errors", "decibels"}
        Over the two sources: of their errors, or of the two ratios in decibels (Topanxal), which ranks methods otherwise.
    scale : float
        What level 255 counts as in the error, not in the peak: 1.0 adds 48.13 dB (Tang et al., IVIF_ZOO).

    Returns
    -------
    float
        In decibels.
    """
    groups: list[Sequence[Source]] = [SOURCES] if average == "errors" else [SOURCES[:1], SOURCES[1:]]
    total = 0.0
    for sources in groups:
        if error == "root-sum":
            noise = _root_error(t, sources, error) * scale / 255
        else:
            noise = _squared_error(t, sources, scale)
        total += _decibels(_peak(t, sources, peak), noise)
    return total / len(groups)


def _peak(t: Triple, sources: Sequence[Source], peak: Peak) -> float:
    if peak == "fused":
        return float(t.fused.max())
    if peak == "source":
        return float(max(getattr(t, x).max() for x in sources))
    return peak


def _decibels(highest: float, noise: float) -> float:
    if noise == 0:
        return math.inf if highest else math.nan
    return 20 * math.log10(highest / math.sqrt(noise)) if highest else -math.inf


def _squared_error(t: Triple, sources: Sequence[Source], scale: float) -> float:
    squares = sum(t.moments(x).squared_error for x in sources)
    return squares / (len(sources) * t.fused.size) * (scale / 255) ** 2


def _root_error(t: Triple, sources: Sequence[Source], form: Form) -> float:
    n = t.fused.size
    roots = sum(math.sqrt(t.moments(x).squared_error) for x in sources)
    return roots / len(sources) / (n if form == "root-sum" else math.sqrt(n))
