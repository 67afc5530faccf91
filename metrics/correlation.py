"""Linear correlation with the sources. Neither sees contrast or brightness: any linear stretch leaves CC as it is."""

from __future__ import annotations

import math

from .card import metric
from .triple import SOURCES, Source, Triple


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
)
def correlation_coefficient(t: Triple) -> float:
    """Mean of Pearson's correlations of the fused image with its sources, -1 to 1, or NaN."""
    return (_correlation(t, "ir") + _correlation(t, "vis")) / 2


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
)
def sum_of_correlations_of_differences(t: Triple) -> float:
    """How well what was added to one source correlates with the other, summed; -2 to 2, or NaN.

    From exact integer sums: r(F - B, A) has the covariance cov(F, A) - cov(B, A) and the variance
    var F + var B - 2 cov(F, B).
    """
    sources = t.source_moments()
    variances = dict(zip(SOURCES, sources.variances, strict=True))
    total = 0.0
    for a, b in (SOURCES, SOURCES[::-1]):
        fa, fb = t.moments(a), t.moments(b)
        covariance = fa.covariance - sources.covariance
        difference = fb.variances[0] + fb.variances[1] - 2 * fb.covariance
        total += _ratio(covariance, difference, variances[a])
    return total


def _correlation(t: Triple, source: Source) -> float:
    moments = t.moments(source)
    return _ratio(moments.covariance, *moments.variances)


def _ratio(covariance: int, one: int, two: int) -> float:
    """Covariance over the root of the product of two variances, all exact integers."""
    if one == 0 or two == 0:
        return math.nan
    return covariance / (math.sqrt(one) * math.sqrt(two))
