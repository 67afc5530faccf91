"""Squared differences from the sources. The average of the sources has the least: none of these rewards fusing."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from .card import metric
from .triple import Source, Triple

Peak: TypeAlias = float | Literal["fused"]


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
    return (_squares(t, "ir") + _squares(t, "vis")) / (2 * t.fused.size) * (scale / 255) ** 2


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
)
def root_mean_squared_error(
    t: Triple, *, form: Literal["root-mean", "root-sum"] = "root-mean", scale: float = 255.0
) -> float:
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
    return _root_error(t, form) * scale / 255


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
    undefined="Infinity where the fused image equals both sources (CDDFuse's peak makes that NaN where all are black).",
)
def peak_signal_noise_ratio(
    t: Triple,
    *,
    peak: Peak = 255.0,
    error: Literal["mean-square", "root-sum"] = "mean-square",
    scale: float = 255.0,
) -> float:
    """Peak over error, in decibels.

    Parameters
    ----------
    t : Triple
        The images.
    peak : float or "fused"
        The peak, or the largest level of the fused image (CDDFuse).
    error : {"mean-square", "root-sum"}
        ``"root-sum"``: VIFB's RMSE takes the place of the MSE.
    scale : float
        What level 255 counts as in the error, not in the peak: 1.0 adds 48.13 dB (Tang et al., IVIF_ZOO).

    Returns
    -------
    float
        In decibels.
    """
    if error == "root-sum":
        noise = _root_error(t, "root-sum") * scale / 255
    else:
        noise = mean_squared_error(t, scale=scale)
    highest = float(t.fused.max()) if peak == "fused" else peak
    if noise == 0:
        return math.inf if highest else math.nan
    return 20 * math.log10(highest / math.sqrt(noise)) if highest else -math.inf


def _squares(t: Triple, source: Source) -> int:
    return t.moments(source).squared_error


def _root_error(t: Triple, form: Literal["root-mean", "root-sum"]) -> float:
    n = t.fused.size
    roots = math.sqrt(_squares(t, "ir")) + math.sqrt(_squares(t, "vis"))
    return roots / 2 / (n if form == "root-sum" else math.sqrt(n))
