"""Information that the fused image shares with its sources, normalised, read as a correlation, or by Tsallis' entropy.

All of these look at histograms alone. An image that repeats one source exactly has more information in common with both
than a blend has, so copying a source beats an honest fusion in every one of them.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .card import metric
from .entropy import bits, source_bits
from .kernels.counting import count_joint
from .triple import SOURCES, Counts, Moments, Scene, Triple

Array = NDArray[np.float64]


@metric(
    "NMI",
    title="Normalised mutual information",
    better="higher",
    range=(0, 2),
    sources=True,
    version=1,
    reference="Hossny, Nahavandi, Creighton, Electronics Letters 44(18), 2008, doi:10.1049/el:20081754; Q_MI in Liu et al., "
    "IEEE TPAMI 34(1), 2012, doi:10.1109/TPAMI.2011.109",
    formula="NMI = 2 (I(A; F) / (H(A) + H(F)) + I(B; F) / (H(B) + H(F)))",
    standard="Each source's information is divided by the mean entropy of that source and F, as Hossny et al. correct MI; exact "
    "256 x 256 joint histograms. IVIF_ZOO divides both by the entropies of the sources alone.",
    undefined="NaN where the fused image and a source are both constant: 0/0.",
    fooled="A copy of one source scores highest by far, as in MI: it has all of that source, which no blend of two has of "
    "either. Any one-to-one change of levels is free, even a negative. Noise and sharpening lower it.",
)
def normalised_mutual_information(
    t: Triple, *, normaliser: Literal["pair", "sources"] = "pair", epsilon: float = 0.0
) -> float:
    """Mutual information of the fused image with each source, as a share of what the two hold.

    Parameters
    ----------
    t : Triple
        The images.
    normaliser : {"pair", "sources"}
        ``"sources"``: the sum of both by the sum of the entropies of the sources; what the fused image holds does not
        count (IVIF_ZOO).
    epsilon : float
        With ``"sources"``, added to every probability inside the entropies' logarithms and to their sum (IVIF_ZOO: 1e-10).

    Returns
    -------
    float
        0 to 2, or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> half = np.repeat(np.uint8([[0, 255]]), 8, axis=0)
    >>> normalised_mutual_information(Triple.of(half, half, half))
    2.0
    """
    fused = bits(t.histogram(), t.fused.size)
    held = [source_bits(t, source) for source in SOURCES]
    shared = [h + fused - bits(joint, t.fused.size) for h, joint in zip(held, t.joint_histograms(), strict=True)]
    if normaliser == "sources":
        total = epsilon
        for source in SOURCES:
            p = t.scene.histogram(source) / t.fused.size
            p = p[p > 0]
            total -= float((p * np.log2(p + epsilon)).sum())
        return 2 * _ratio(sum(shared), total)
    return 2 * sum(_ratio(i, h + fused) for i, h in zip(shared, held, strict=True))


@metric(
    "Q_NCIE",
    title="Nonlinear correlation information entropy",
    better="higher",
    range=(1 - math.log(3, 256), 1),
    sources=True,
    version=1,
    reference="Wang, Shen, Zhang, Physica D 200(3-4), 2005, doi:10.1016/j.physd.2004.11.001; Q_NCIE in Liu et al., IEEE TPAMI "
    "34(1), 2012, doi:10.1109/TPAMI.2011.109",
    formula="Q_NCIE = 1 + sum_i (l_i / 3) log256(l_i / 3), l_i the eigenvalues of the 3 x 3 matrix of C(X, Y) = I(X; Y) / 8 "
    "bits of A, B and F, with 1 on the diagonal",
    standard="Bins are the 256 levels as they are, as all programs for image fusion take them; the 2005 paper ranks the samples "
    "first. IVIF_ZOO takes Pearson's correlation for C.",
    undefined="None: a constant image correlates with nothing. With Pearson's correlation it is NaN.",
    fooled="A copy of one source scores highest. The sources' correlation with each other counts as much as that of the fused "
    "image with them, so scores of different scenes cannot be compared, and all lie between 0.80 and 0.85.",
)
def nonlinear_correlation(t: Triple, *, correlation: Literal["information", "pearson"] = "information") -> float:
    """How far the sources and the fused image are from being three unrelated images.

    Parameters
    ----------
    t : Triple
        The images.
    correlation : {"information", "pearson"}
        What two images have in common: mutual information over 8 bits, or Pearson's linear correlation (IVIF_ZOO).

    Returns
    -------
    float
        0.802 (nothing in common) to 1 (one image three times).
    """
    if correlation == "pearson":
        pairs = [_linear(moments) for moments in (t.source_moments(), *map(t.moments, SOURCES))]
    else:
        fused, n = bits(t.histogram(), t.fused.size), t.fused.size
        a, b = (source_bits(t, source) for source in SOURCES)
        af, bf = t.joint_histograms()
        shared = [a + b - bits(_source_joint(t.scene), n), a + fused - bits(af, n), b + fused - bits(bf, n)]
        pairs = [s / 8 for s in shared]
    if any(map(math.isnan, pairs)):
        return math.nan
    matrix = np.eye(3)
    # The upper triangle; what is below it is not read.
    matrix[0, 1], matrix[0, 2], matrix[1, 2] = pairs
    shares = np.linalg.eigvalsh(matrix, UPLO="U") / 3
    # Rounding may take an eigenvalue below 0, where nothing is added.
    shares = shares[shares > 0]
    return 1 + float((shares * np.log(shares)).sum() / math.log(256))


@metric(
    "Q_TE",
    title="Tsallis mutual information",
    better="higher",
    range=(0, 2),
    sources=True,
    version=1,
    reference="Cvejic, Canagarajah, Bull, Electronics Letters 42(11), 2006, doi:10.1049/el:20060693; normalised: Nava, "
    "Cristóbal, Escalante-Ramírez, SPIE Newsroom, 2007; Q_TE in Liu et al., IEEE TPAMI 34(1), 2012, doi:10.1109/TPAMI.2011.109",
    formula="Q_TE = (I_q(A; F) + I_q(B; F)) / (H_q(A) + H_q(B) - I_q(A; B)), H_q(X) = (1 - sum p^q) / (q - 1), "
    "I_q(X; Y) = (1 - sum p(x, y)^q / (p(x) p(y))^(q - 1)) / (1 - q)",
    standard="Nava's normalised form with the order q = 0.43137 of Liu et al.; each level's probability is that of its own "
    "image, and H_q is Tsallis' entropy. Liu's program exchanges the marginals, raises Shannon's entropies to the power q and "
    "adds I_q(A; B); MEFB prints the sum of Cvejic et al., with q = 1.85.",
    undefined="NaN where both sources are constant: 0/0.",
    fooled="A copy of one source scores highest, as in MI. Orders below 1 count rare pairs of levels as much as frequent ones, "
    "so noise that spreads a few pixels over many levels weighs more than in MI. With exchanged marginals the value "
    "depends on which numbers the levels have, so that a change of brightness moves it either way.",
)
def tsallis_information(
    t: Triple,
    *,
    order: float = 0.43137,
    form: Literal["normalised", "powers", "sum", "balance"] = "normalised",
    marginals: Literal["own", "exchanged"] = "own",
) -> float:
    """Information by Tsallis' entropy that the fused image shares with its sources.

    Parameters
    ----------
    t : Triple
        The images.
    order : float
        q, not 1: 0.43137 in Liu et al., 1.85 in Cvejic et al. and MEFB.
    form : {"normalised", "powers", "sum", "balance"}
        The sum over both sources divided by what the sources hold together; by H(A)^q + H(B)^q + I_q(A; B) with Shannon's
        entropies in bits (Liu et al.'s program); the bare sum; or IVIF_ZOO's TE, see `entropy_balance`, where neither
        of the other keywords counts.
    marginals : {"own", "exchanged"}
        ``"exchanged"``: a slip in Liu et al.'s program. The joint probability of levels x and y is held against the
        probability of level x in the second image and of y in the first, all images stretched to 0..255 and rounded;
        NaN for an image of one level other than 0.

    Returns
    -------
    float
        0 to 2 by default; without bound for ``"sum"``.
    """
    if form == "balance":
        return entropy_balance(t)
    shared = sum(_tsallis(joint, order, marginals) for joint in t.joint_histograms())
    if form == "sum":
        return shared
    between = t.scene.measure(("Tsallis", order, marginals), lambda s: _tsallis(_source_joint(s), order, marginals))
    if form == "powers":
        return _ratio(shared, sum(source_bits(t, source) ** order for source in SOURCES) + between)
    held = sum(_tsallis_entropy(t.scene.histogram(source) / t.fused.size, order) for source in SOURCES)
    return _ratio(shared, held - between)


def entropy_balance(t: Triple) -> float:
    """IVIF_ZOO's TE: H(A) + H(B) - H(F) in bits, which is higher the less the fused image says."""
    return sum(source_bits(t, source) for source in SOURCES) - bits(t.histogram(), t.fused.size)


def _tsallis(joint: Counts, q: float, marginals: Literal["own", "exchanged"]) -> float:
    p = _stretched(joint) if marginals == "exchanged" else joint / joint.sum()
    if p is None:
        return math.nan
    first, second = p.sum(axis=1), p.sum(axis=0)
    if marginals == "exchanged":
        first, second = second, first
    x, y = np.nonzero(p)
    apart = first[x] * second[y]
    there = apart > 0
    return float((1 - (p[x, y][there] ** q / apart[there] ** (q - 1)).sum()) / (1 - q))


def _tsallis_entropy(p: Array, q: float) -> float:
    return float((1 - (p[p > 0] ** q).sum()) / (q - 1))


def _stretched(joint: Counts) -> Array | None:
    """Probabilities after the levels of both images are stretched to 0..255; None if that divides by zero."""
    out = np.zeros((256, 256))
    places = []
    for axis in (0, 1):
        levels = np.flatnonzero(joint.any(axis=1 - axis))
        low, high = levels[0], levels[-1]
        if low == high and low > 0:
            return None
        places.append(levels if low == high else np.floor(255 * (levels - low) / (high - low) + 0.5).astype(np.intp))
    rows, columns = (np.flatnonzero(joint.any(axis=1 - axis)) for axis in (0, 1))
    out[np.ix_(*places)] = joint[np.ix_(rows, columns)] / joint.sum()
    return out


def _source_joint(scene: Scene) -> Counts:
    return scene.measure("source joint", lambda s: count_joint(s.ir, s.ir, s.vis)[0])


def _linear(moments: Moments) -> float:
    """Pearson's correlation; NaN where an image is constant."""
    one, two = moments.variances
    return _ratio(moments.covariance, math.sqrt(one) * math.sqrt(two))


def _ratio(above: float, below: float) -> float:
    return above / below if below else math.nan
