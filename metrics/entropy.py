"""Entropy and what is built of it: how much a fused image says, and how much of that it has from its sources.

All of these look at histograms alone. Noise raises EN and moves nothing back; so read EN beside a metric that compares
with the sources. MI favours an image that repeats one source exactly over one that shows both.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .card import metric
from .kernels.counting import sum_x_log_x
from .triple import SOURCES, Counts, Source, Triple

Bins: TypeAlias = Literal["exact", "saturated"]


@metric(
    "EN",
    title="Entropy",
    better="higher",
    range=(0, 8),
    sources=False,
    version=1,
    reference="Roberts, van Aardt, Ahmed, J. Appl. Remote Sens. 2, 023522, 2008, doi:10.1117/1.2945910, eq. 1",
    formula="EN = -sum_l p(l) log2 p(l), p the histogram of F over its 256 levels",
    standard="Base 2, so that the unit is the bit; exact histogram of the 256 levels, nothing added inside the logarithm.",
    undefined="None: a constant image has entropy 0.",
    fooled="Noise and sharpening raise it, and so does a gradient of brightness across the image, or levels spread out "
    "before they are rounded to 8 bits. It does not know where a level stands: shuffling the pixels leaves it as it "
    "is. No change of finished levels can raise it, so equalisation lowers it, however much clearer the image has "
    "become.",
)
def entropy(t: Triple, *, log_base: float = 2.0, epsilon: float = 0.0, darkest: int = 0) -> float:
    """Shannon entropy of the levels of the fused image.

    Parameters
    ----------
    t : Triple
        The images.
    log_base : float
        2 for bits, e for nats.
    epsilon : float
        Added to every probability inside the logarithm (IVIF_ZOO: 1e-7).
    darkest : int
        Levels below it count as it (Topanxal: 1, so that black and the level above it are one).

    Returns
    -------
    float
        Entropy, 0 to log(256) / log(log_base).

    Examples
    --------
    >>> import numpy as np
    >>> half = np.repeat(np.uint8([[0, 255]]), 8, axis=0)
    >>> entropy(Triple.of(half, half, half))
    1.0
    """
    counts = t.histogram()
    if darkest:
        counts = np.bincount(np.maximum(np.arange(256), darkest), counts, 256).astype(np.int64)
    if epsilon:
        p = counts / t.fused.size
        return float(-(p * np.log(p + epsilon)).sum() / math.log(log_base))
    return bits(counts, t.fused.size) / math.log2(log_base)


@metric(
    "MI",
    title="Mutual information",
    better="higher",
    range=(0, 16),
    sources=True,
    version=1,
    reference="Qu, Zhang, Yan, Electronics Letters 38(7), 2002, doi:10.1049/el:20020212, eq. 3",
    formula="MI = I(A; F) + I(B; F), I(X; F) = H(X) + H(F) - H(X, F)",
    standard="The sum over both sources, as Qu et al. define it; bits; exact 256 x 256 joint histograms.",
    undefined="None: with a constant image the information is 0.",
    fooled="A copy of one source scores highest by far, several times a good fusion, and the pixelwise maximum can come "
    "close, since whole regions of it are copies. Any one-to-one change of levels is free, even a negative. Noise, "
    "sharpening and honest blending of both sources lower it.",
)
def mutual_information(t: Triple, *, log_base: float = 2.0, joint: Bins = "exact", marginals: Bins = "exact") -> float:
    """Information that the fused image shares with each source, summed.

    Parameters
    ----------
    t : Triple
        The images.
    log_base : float
        2 for bits, e for nats (VIFB, CDDFuse). Their min-max stretch of every image never merges levels, so that it
        changes nothing.
    joint : {"exact", "saturated"}
        ``"saturated"``: levels 254 and 255 share a bin of the joint histogram, as adding 1 to unsigned bytes has it. With
        exact marginal ones the result is slightly too big where level 255 occurs (Tang et al.).
    marginals : {"exact", "saturated"}
        The same for the histograms of single images; with both ``"saturated"``, 254 and 255 are one level (thfylsty).

    Returns
    -------
    float
        I(A; F) + I(B; F).

    Examples
    --------
    >>> import numpy as np
    >>> half = np.repeat(np.uint8([[0, 255]]), 8, axis=0)
    >>> mutual_information(Triple.of(half, half, half))
    2.0
    """
    n = t.fused.size
    shared = 0.0
    for source, counts in zip(SOURCES, t.joint_histograms(), strict=True):
        if marginals == "exact":
            own = source_bits(t, source) + bits(t.histogram(), n)
        else:
            own = bits(_saturated(t.scene.histogram(source)), n) + bits(_saturated(t.histogram()), n)
        shared += own - bits(counts if joint == "exact" else _saturated(counts), n)
    return shared / math.log2(log_base)


@metric(
    "CE",
    title="Cross entropy",
    better="lower",
    range=(-math.log2(math.e) / math.e, math.inf),
    sources=True,
    version=1,
    reference="Bulanon, Burks, Alchanatis, Biosystems Engineering 103(1), 2009, doi:10.1016/j.biosystemseng.2009.02.009, eq. 7-8",
    formula="CE = (D(A || F) + D(B || F)) / 2, D(X || F) = sum_l p_X(l) log2(p_X(l) / p_F(l)) over levels that both have",
    standard="Bits, mean over both sources, levels that either histogram lacks are left out: as the paper and VIFB.",
    undefined="None; but levels that the fused image lacks are skipped, so an image that drops levels is not "
    "punished, and what is left may be negative.",
    fooled="It compares histograms alone: levels in the wrong places cost nothing. Stretching the contrast until every "
    "level occurs brings it near 0 whatever the image shows, and dropping levels, as equalisation does, below 0. A "
    "copy of one source is better than many fusions.",
)
def cross_entropy(t: Triple, *, form: Literal["divergence", "sigmoid"] = "divergence") -> float:
    """Divergence of the sources' histograms from that of the fused image.

    Parameters
    ----------
    t : Triple
        The images.
    form : {"divergence", "sigmoid"}
        ``"sigmoid"``: IVIF_ZOO's binary cross entropy of the logistic function of levels 0..255, see
        `sigmoid_cross_entropy`; it has nothing but the name in common.

    Returns
    -------
    float
        Mean of the two, in bits (``"sigmoid"``: nats per pixel).
    """
    if form == "sigmoid":
        return sigmoid_cross_entropy(t)
    f = t.histogram() / t.fused.size
    total = 0.0
    for source in SOURCES:
        p = t.scene.histogram(source) / t.fused.size
        both = (p > 0) & (f > 0)
        total += float((p[both] * np.log2(p[both] / f[both])).sum())
    return total / 2


def sigmoid_cross_entropy(t: Triple) -> float:
    """IVIF_ZOO's CE: mean over pixels of -(s ln p + (1 - s) ln(1 - p)), s the sources' mean logistic, p that of F.

    The logistic of levels 0..255 is 1 for all but the darkest pixels, so the number says almost nothing. It is computed in
    float32, where both are clamped to [1e-7, 1 - 1e-7]: that clamp decides what a bright pixel adds.
    """
    levels = np.arange(256, dtype=np.float32)
    logistic = np.float32(1) / (np.float32(1) + np.exp(-levels))
    low, high = np.float32(1e-7), np.float32(1) - np.float32(1e-7)
    target = np.clip((logistic[t.ir] + logistic[t.vis]) / np.float32(2), low, high)
    p = np.clip(logistic, low, high)
    loss = target * np.log(p)[t.fused] + (np.float32(1) - target) * np.log(np.float32(1) - p)[t.fused]
    return float(-loss.mean(dtype=np.float64))


def source_bits(t: Triple, source: Source) -> float:
    """Entropy of a source, in bits."""
    return t.scene.measure(("entropy", source), lambda s: bits(s.histogram(source), s.ir.size))


def bits(counts: Counts, n: int) -> float:
    """Entropy in bits of n things counted: (n log2 n - sum c log2 c) / n."""
    # Both by the same function, so that they cancel exactly where the image is constant.
    whole = sum_x_log_x(np.full_like(counts.ravel()[:1], n), _x_log_x())
    return (whole - sum_x_log_x(counts, _x_log_x())) / n


def _saturated(counts: Counts) -> Counts:
    """Level 255 counted as 254, along every axis."""
    counts = counts.copy()
    for axis in range(counts.ndim):
        along = np.moveaxis(counts, axis, 0)
        along[254] += along[255]
        along[255] = 0
    return counts


@cache
def _x_log_x() -> NDArray[np.float64]:
    x = np.arange(4096.0)
    return x * np.log2(np.maximum(x, 1))
