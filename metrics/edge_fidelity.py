"""Edges of the fused image against those of its sources: Q_SF, EPI and GMSD.

Each takes differences of neighbours and compares: their energy (Q_SF), their correlation (EPI), or how evenly they agree
(GMSD). None of them asks which source an edge should have come from.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Levels

from .card import NotDefined, metric
from .kernels.fidelity import add_cells, greatest_differences, laplacian_sums, prewitt_energy
from .triple import SOURCES, Moments, Source, Triple

DIAGONAL = math.sqrt(0.5)
"""Weight of a diagonal difference beside one along a row or a column: one over the distance."""
STABLE = 170.0
"""GMSD's constant, for squared gradients of levels 0..255."""


@metric(
    "Q_SF",
    title="Relative error of the spatial frequency (Zheng)",
    better="higher",
    range=(-1, math.inf),
    sources=True,
    version=1,
    reference="Zheng, Essock, Hansen, Haun, Information Fusion 8(2), 2007, doi:10.1016/j.inffus.2005.04.003",
    formula="Q_SF = (SF_F - SF_R) / SF_R, SF^2 = sum over four directions of w d^2, d_R = max(|d_A|, |d_B|), w = 1 and 1/sqrt(2)",
    standard="With its sign, as the paper and Liu et al. have it. The ideal is 0. Below it detail is missing, and higher is "
    "better; above it there is more than the sources had, and higher is worse. It is ranked as papers do, higher first, so "
    "compare by it only images that are all below 0.",
    undefined="NaN where both sources are flat: 0/0. Not defined for an image of one row or one column.",
    fooled="Noise, sharpening and a stretch of the contrast raise it without end; learned methods that brighten dark scenes "
    "reach 0.7. It compares two sums over the image, so lost edges are made good by noise anywhere else.",
)
def spatial_frequency_error(t: Triple) -> float:
    """Energy of all differences of neighbours, as a root, against that of the sources' stronger differences.

    Parameters
    ----------
    t : Triple
        The images.

    Returns
    -------
    float
        -1 or more, or NaN; 0 is ideal.
    """
    if min(t.shape) < 2:
        raise NotDefined("Q_SF compares neighbours, so it needs at least 2 x 2 pixels")
    straight, diagonal = t.scene.measure("greatest differences", lambda s: greatest_differences(s.ir, s.vis))
    reference = straight + DIAGONAL * diagonal
    straight, diagonal = greatest_differences(t.fused, t.fused)
    return math.sqrt((straight + DIAGONAL * diagonal) / reference) - 1 if reference else math.nan


@metric(
    "EPI",
    title="Edge preservation index",
    better="higher",
    range=(-1, 1),
    sources=True,
    version=1,
    reference="Sattar, Floreby, Salomonsson, Lovstrom, IEEE TIP 6(6), 1997, doi:10.1109/83.585239",
    formula="EPI = (r(lap A, lap F) + r(lap B, lap F)) / 2, r Pearson's correlation, lap the 3 x 3 Laplacian",
    standard="The mean of both sources; the Laplacian of four neighbours, at the inner pixels, where the image has all of them.",
    undefined="NaN where the Laplacian of an image is constant: r is 0/0. Not defined below 3 x 3 pixels.",
    fooled="Stretching the contrast leaves it as it is, and sharpening hardly lowers it. The plain average of the sources "
    "scores as much as good fusions. The Laplacian of a noisy source is mostly its noise, so keeping the noise raises it.",
)
def edge_preservation(t: Triple) -> float:
    """Mean over both sources of the correlation of Laplacians, -1 to 1, or NaN."""
    if min(t.shape) < 3:
        raise NotDefined("EPI compares a pixel with its four neighbours, so it needs at least 3 x 3 pixels")
    inner = (t.shape[0] - 2) * (t.shape[1] - 2)
    total = 0.0
    for source in SOURCES:
        moments = Moments(inner, *laplacian_sums(getattr(t, source), t.fused))
        one, two = moments.variances
        if one == 0 or two == 0:
            return math.nan
        total += moments.covariance / (math.sqrt(one) * math.sqrt(two))
    return total / 2


@metric(
    "GMSD",
    title="Gradient magnitude similarity deviation",
    better="lower",
    range=(0, 0.5),
    sources=True,
    version=1,
    reference="Xue, Zhang, Mou, Bovik, IEEE TIP 23(2), 2014, doi:10.1109/TIP.2013.2293423",
    formula="GMSD = mean over X = A, B of the standard deviation over pixels of (2 gX gF + c) / (gX^2 + gF^2 + c)",
    standard="The mean of both sources. Prewitt gradients divided by 3 of the image halved by 2 x 2 means, c = 170 on levels "
    "0..255, population deviation: as the paper; zeros around the image: as its authors' code. piq computes the same.",
    undefined="None.",
    fooled="It measures unevenness, not likeness: a blur of the whole image costs less than one of its half. A copy of one "
    "source has 0 with it, so a copy, and the plain average, score better than most fusions. Halving hides fine noise.",
)
def gradient_similarity_deviation(t: Triple) -> float:
    """How unevenly the strength of edges agrees with the sources, 0 to 0.5; the mean of both."""
    return float(sum(gradient_similarity_map(t, source).std() for source in SOURCES) / 2)


def gradient_similarity_map(t: Triple, source: Source) -> NDArray[np.float64]:
    """Similarity of the gradients' magnitudes to those of one source, at half the size.

    Parameters
    ----------
    t : Triple
        The images.
    source : {"ir", "vis"}
        The source.

    Returns
    -------
    (ceil(H / 2), ceil(W / 2)) float64
        Above 0, to 1 where they are equal. GMSD is the mean over both sources of its standard deviation.
    """
    x = t.scene.measure(("prewitt", source), lambda s: _energy(getattr(s, source)))
    f = t.measure("prewitt", lambda t: _energy(t.fused))
    # Sums of four pixels and kernels not divided by 3 make the energy of whole numbers 12^2 times the paper's.
    c = STABLE * 12**2
    return (2 * np.sqrt(x * f) + c) / (x + f + c)


def _energy(plane: Levels) -> NDArray[np.float64]:
    rows, columns = plane.shape
    return prewitt_energy(add_cells(plane, (rows + 1) // 2, (columns + 1) // 2)).astype(np.float64)
