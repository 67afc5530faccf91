"""Linear correlation with the sources. Neither sees contrast or brightness: any linear stretch leaves CC as it is."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .card import metric
from .kernels.counting import dot
from .triple import SOURCES, Counts, Moments, Source, Triple

Arithmetic: TypeAlias = Literal["real", "uint8"]


@metric(
    "CC",
    title="Correlation coefficient",
    better="higher",
    range=(-1, 1),
    sources=True,
    version=1,
    reference="Ma, Ma, Li, Information Fusion 45, 2019 (survey), doi:10.1016/j.inffus.2018.02.004, sec. 4.1",
    formula="CC = (r(A, F) + r(B, F)) / 2, r Pearson's correlation over pixels",
    standard="The mean of both sources, as every implementation has it.",
    undefined="NaN where an image is constant: r is 0/0.",
    fooled="The plain average of the sources scores highest or nearly so, which is the fusion that needs no method. Any "
    "linear change is free: an image of half the contrast scores the same. It rewards large bright and dark areas "
    "and hardly sees edges.",
)
def correlation_coefficient(t: Triple, *, arithmetic: Arithmetic = "real") -> float:
    """Mean of Pearson's correlations of the fused image with its sources.

    Parameters
    ----------
    t : Triple
        The images.
    arithmetic : {"real", "uint8"}
        ``"uint8"``: MATLAB's saturating bytes (thfylsty), see `saturated_correlation`.

    Returns
    -------
    float
        -1 to 1 (``"uint8"``: 0 to 1), or NaN.
    """
    how = _correlation if arithmetic == "real" else saturated_correlation
    return (how(t, "ir") + how(t, "vis")) / 2


def saturated_correlation(t: Triple, source: Source) -> float:
    """Pearson's correlation with one source as MATLAB computes it when the images stay uint8.

    Each image minus its mean is rounded half away from zero and cut at 0, so that only what is brighter than the mean is
    seen; products and squares are cut at 255. NaN where an image is constant.
    """
    x, f = (_brighter(counts) for counts in (t.scene.histogram(source), t.histogram()))
    counts = t.joint_histograms()[SOURCES.index(source)]
    product = int((counts * np.minimum(np.outer(x, f), 255)).sum(dtype=np.int64))
    squares = (int(n @ np.minimum(y**2, 255)) for n, y in ((t.scene.histogram(source), x), (t.histogram(), f)))
    return _ratio(product, *squares)


def _brighter(counts: Counts) -> NDArray[np.int64]:
    """What is left of every level when the mean is taken from it in unsigned bytes."""
    levels = np.arange(256)
    mean = counts @ levels / counts.sum()
    return np.floor(np.maximum(levels - mean, 0) + 0.5).astype(np.int64)


@metric(
    "SCD",
    title="Sum of the correlations of differences",
    better="higher",
    range=(-2, 2),
    sources=True,
    version=1,
    reference="Aslantas, Bendes, AEU 69(12), 2015, doi:10.1016/j.aeue.2015.09.004, eq. 1-3",
    formula="SCD = r(F - B, A) + r(F - A, B)",
    standard="The sum, as in the paper.",
    undefined="NaN where a source, or the difference of the fused image from one, is constant: r is 0/0.",
    fooled="The sum of both sources less a constant scores almost 2, and it is no fusion: detail that both have is there "
    "twice. Stretching the contrast raises it, brightness is free. It asks whether what was added to one source "
    "looks like the other, not whether the result can be read.",
)
def sum_of_correlations_of_differences(t: Triple, *, arithmetic: Arithmetic = "real") -> float:
    """How well what was added to one source correlates with the other, summed.

    Parameters
    ----------
    t : Triple
        The images.
    arithmetic : {"real", "uint8"}
        ``"uint8"``: differences of unsigned bytes, of which nothing below 0 is left (thfylsty).

    Returns
    -------
    float
        -2 to 2, or NaN.

    Notes
    -----
    From exact integer sums: r(F - B, A) has the covariance cov(F, A) - cov(B, A) and the variance
    var F + var B - 2 cov(F, B).
    """
    if arithmetic == "uint8":
        return _saturated_difference(t, "ir", "vis") + _saturated_difference(t, "vis", "ir")
    sources = t.source_moments()
    variances = dict(zip(SOURCES, sources.variances, strict=True))
    total = 0.0
    for a, b in (SOURCES, SOURCES[::-1]):
        fa, fb = t.moments(a), t.moments(b)
        covariance = fa.covariance - sources.covariance
        difference = fb.variances[0] + fb.variances[1] - 2 * fb.covariance
        total += _ratio(covariance, difference, variances[a])
    return total


def _saturated_difference(t: Triple, a: Source, b: Source) -> float:
    """r(max(F - B, 0), A)."""
    one, other = getattr(t, a), getattr(t, b)
    difference = np.maximum(t.fused, other) - other
    added = np.bincount(difference.ravel(), minlength=256)
    levels = np.arange(256)
    n, x, xx = difference.size, int(added @ levels), int(added @ levels**2)
    both = Moments(n, x, t.moments(a).x, xx, t.moments(a).xx, dot(difference, one))
    return _ratio(both.covariance, *both.variances)


def _correlation(t: Triple, source: Source) -> float:
    moments = t.moments(source)
    return _ratio(moments.covariance, *moments.variances)


def _ratio(covariance: int, one: int, two: int) -> float:
    """Covariance over the root of the product of two variances, all exact integers."""
    if one == 0 or two == 0:
        return math.nan
    return covariance / (math.sqrt(one) * math.sqrt(two))
