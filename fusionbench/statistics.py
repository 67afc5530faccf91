"""Which differences between methods are more than luck: ranks, and tests of them.

Everything here is a function of arrays. A test compares k methods on the same n images, the blocks; its input is an
array (n, k) without NaN. Ranks count from 1 for the best, equal values sharing the mean of their ranks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Better

Array = NDArray[np.float64]

_EXACT: Final = 50
"""Up to so many differences the Wilcoxon test uses the exact distribution of its statistic."""


def ranks(values: Array, better: Better = "higher") -> Array:
    """Ranks along the last axis.

    Parameters
    ----------
    values : ndarray, (..., k)
        May be infinite; where any of the k is NaN, so are all their ranks.
    better : {"higher", "lower"}
        Which end gets rank 1.

    Returns
    -------
    ndarray, (..., k)
        From 1 to k.

    Examples
    --------
    >>> ranks(np.array([7.0, 9.0, 7.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    # Counting is as fast as sorting for a few dozen methods, and needs no import that takes longer than all the rest.
    own, others = values[..., :, None], values[..., None, :]
    ahead = (others > own if better == "higher" else others < own).sum(-1)
    ranked = ahead + ((others == own).sum(-1) + 1) / 2
    return np.where(np.isnan(values).any(-1, keepdims=True), np.nan, ranked)


def borda(votes: Array) -> Array:
    """Borda count: over all voters, how many of the others a method beats; who shares a rank beats half.

    Parameters
    ----------
    votes : ndarray, (k, voters)
        Ranks of k methods; a voter with NaN does not vote.

    Returns
    -------
    ndarray, (k,)
        From 0 to (k - 1) times the number of voters.

    Examples
    --------
    >>> borda(np.array([[1, 1.5], [2, 1.5], [3, 3]])).tolist()
    [3.5, 2.5, 0.0]
    """
    return np.nansum(len(votes) - votes, axis=1)


@dataclass(frozen=True, slots=True)
class Friedman:
    """Whether any of the methods differ.

    Attributes
    ----------
    n, k : int
        How many images and methods.
    mean_ranks : tuple of float
        Of each method, over the images.
    chi2, p_chi2 : float
        Friedman's statistic, corrected for ties, and its p by the chi-squared distribution with k - 1 degrees.
    f, p : float
        Iman and Davenport's statistic, which is less conservative, and its p by the F distribution with k - 1 and
        (k - 1)(n - 1) degrees. Where all images rank alike the statistic is infinite, and p is exact: the probability that
        chance would do so.
    """

    n: int
    k: int
    mean_ranks: tuple[float, ...]
    chi2: float
    p_chi2: float
    f: float
    p: float


def friedman(ranked: Array) -> Friedman:
    """Friedman's test, and Iman and Davenport's form of it.

    Parameters
    ----------
    ranked : ndarray, (n, k)
        Ranks of k methods on n images, both at least 2.

    Returns
    -------
    Friedman

    References
    ----------
    Demsar, Statistical comparisons of classifiers over multiple data sets, JMLR 7, 2006, section 3.2.2.
    """
    n, k = ranked.shape
    # Without ties this is n k (k + 1) (k - 1) / 12; ties take from it.
    spread = float((ranked**2).sum() - n * k * (k + 1) ** 2 / 4)
    return _friedman(ranked.mean(0), n, spread)


def friedman_of(mean_ranks: Array, n: int) -> Friedman:
    """The test of mean ranks that were published, as if there had been no ties.

    Parameters
    ----------
    mean_ranks : ndarray, (k,)
        Over the images.
    n : int
        How many images.

    Returns
    -------
    Friedman

    Examples
    --------
    Demsar's table 6:

    >>> test = friedman_of(np.array([3.143, 2.0, 2.893, 1.964]), n=14)
    >>> round(test.chi2, 2), round(test.f, 2)
    (9.28, 3.69)
    """
    k = len(mean_ranks)
    return _friedman(np.asarray(mean_ranks, float), n, n * k * (k * k - 1) / 12)


def _friedman(mean_ranks: Array, n: int, spread: float) -> Friedman:
    from scipy.stats import chi2, f

    k = len(mean_ranks)
    between = float(n * n * ((mean_ranks - (k + 1) / 2) ** 2).sum())
    # All equal everywhere: nothing differs.
    statistic = (k - 1) * between / spread if spread > 0 else 0.0
    rest = n * (k - 1) - statistic
    ratio = (n - 1) * statistic / rest if rest > 1e-9 * n * k else math.inf
    return Friedman(
        n,
        k,
        tuple(map(float, mean_ranks)),
        statistic,
        float(chi2.sf(statistic, k - 1)),
        ratio,
        float(f.sf(ratio, k - 1, (k - 1) * (n - 1))) if math.isfinite(ratio) else _unanimity(mean_ranks, n),
    )


def _unanimity(ranked: Array, n: int) -> float:
    """The probability that n images that rank at random all rank as the first of them does."""
    _, ties = np.unique(np.round(ranked, 6), return_counts=True)
    orders = math.lgamma(len(ranked) + 1) - sum(math.lgamma(count + 1) for count in ties.tolist())
    return math.exp(-(n - 1) * orders)


def critical_difference(k: int, n: int, alpha: float = 0.05) -> float:
    """Nemenyi's critical difference: mean ranks further apart than this differ.

    Parameters
    ----------
    k, n : int
        How many methods, at least 2, and images.
    alpha : float
        Level of significance.

    Returns
    -------
    float
        In units of ranks.

    References
    ----------
    Demsar 2006, section 3.2.2: q sqrt(k (k + 1) / (6 n)), q from the studentized range divided by sqrt(2).

    Examples
    --------
    >>> round(critical_difference(4, 14), 2), round(critical_difference(4, 14, 0.1), 2)
    (1.25, 1.12)
    """
    from scipy.stats import studentized_range

    q = float(studentized_range.isf(alpha, k, np.inf)) / math.sqrt(2)
    return q * math.sqrt(k * (k + 1) / (6 * n))


def wilcoxon(differences: Array) -> float:
    """Two-sided p of Wilcoxon's signed-rank test.

    Up to 50 differences it is exact, with ties too: what the ranks found would give under all changes of sign. Beyond, the
    normal approximation, corrected for ties.

    Parameters
    ----------
    differences : ndarray, (n,)
        One method's value minus the other's, image by image; zeros take no part.

    Returns
    -------
    float
        1 if nothing differs.

    Examples
    --------
    >>> wilcoxon(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    0.0625
    """
    known = differences[differences != 0]
    n = len(known)
    if n == 0:
        return 1.0
    ranked = _sizes(known)
    total = float(ranked[known > 0].sum())
    if n > _EXACT:
        spread = math.sqrt(float((ranked**2).sum()) / 4)
        return math.erfc(abs(total - n * (n + 1) / 4) / spread / math.sqrt(2))
    # Twice the ranks are whole numbers even where they are shared.
    ways = _ways(tuple(np.rint(2 * np.sort(ranked)).astype(int).tolist()))
    at = round(2 * total)
    return min(1.0, 2 * float(min(ways[: at + 1].sum(), ways[at:].sum())))


def _sizes(differences: Array) -> Array:
    """Ranks of n differences by their size, the smallest first; there may be thousands."""
    _, place, count = np.unique(np.abs(differences), return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


@lru_cache(maxsize=64)  # without ties it hangs on n alone, and hundreds of comparisons share it
def _ways(doubled: tuple[int, ...]) -> Array:
    """The probability of every sum of a random subset."""
    ways = np.zeros(sum(doubled) + 1)
    ways[0] = 1.0
    for rank in doubled:
        shifted = np.zeros_like(ways)
        shifted[rank:] = ways[: len(ways) - rank]
        ways = (ways + shifted) / 2
    return ways


def rank_biserial(differences: Array) -> float:
    """Effect size of Wilcoxon's test: the share of rank sum that is for, minus the share against.

    Parameters
    ----------
    differences : ndarray, (n,)
        As for `wilcoxon`; positive is for.

    Returns
    -------
    float
        From -1 (worse on every image) to 1 (better on every image); 0 if nothing differs.

    References
    ----------
    Kerby, The simple difference formula, Comprehensive Psychology 3, 2014.

    Examples
    --------
    >>> rank_biserial(np.array([1.0, 2.0, -3.0]))
    0.0
    """
    known = differences[differences != 0]
    if not len(known):
        return 0.0
    ranked = _sizes(known)
    return float((ranked * np.sign(known)).sum() / ranked.sum())


def holm(p: Array) -> Array:
    """Holm's correction of several p for there being several.

    Parameters
    ----------
    p : ndarray, (m,)
        One a comparison.

    Returns
    -------
    ndarray, (m,)
        Adjusted: below alpha where the comparison is significant at alpha for the whole family.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(12).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


@dataclass(frozen=True, slots=True)
class Comparison:
    """How k methods compare on n images.

    Attributes
    ----------
    friedman : Friedman
        Whether any differ.
    cd : float
        Nemenyi's critical difference of the mean ranks at `alpha`.
    p : ndarray, (k, k)
        Wilcoxon's test of every two, corrected by Holm; 1 on the diagonal.
    effect : ndarray, (k, k)
        Rank-biserial: positive where the method of the row is better than that of the column.
    alpha : float
        The level of significance.
    """

    friedman: Friedman
    cd: float
    p: Array
    effect: Array
    alpha: float

    @property
    def reachable(self) -> bool:
        """Whether any two methods of so many could differ significantly on so few images."""
        pairs = self.friedman.k * (self.friedman.k - 1) / 2
        return pairs * 2.0 ** (1 - self.friedman.n) < self.alpha

    def cd_groups(self) -> list[tuple[int, ...]]:
        """Methods that Nemenyi's test cannot tell apart, by mean rank: the bars of a critical-difference diagram."""
        mean = np.array(self.friedman.mean_ranks)
        order = np.argsort(mean, kind="stable")
        return groups(order.tolist(), np.abs(mean[:, None] - mean) > self.cd)

    def groups(self, order: Sequence[int]) -> list[tuple[int, ...]]:
        """Methods, in an order, of which Wilcoxon's tests tell no two apart."""
        return groups(order, self.p < self.alpha)


def compare(values: Array, better: Better = "higher", alpha: float = 0.05) -> Comparison:
    """Do all tests.

    Parameters
    ----------
    values : ndarray, (n, k)
        Scores of k methods on n images, both at least 2.
    better : {"higher", "lower"}
        Their direction.
    alpha : float
        Level of significance.

    Returns
    -------
    Comparison
    """
    n, k = values.shape
    signed = values if better == "higher" else -values
    one, other = np.triu_indices(k, 1)
    with np.errstate(invalid="ignore"):
        apart = signed[:, one] - signed[:, other]
    # Both infinite: equal.
    apart = np.where(signed[:, one] == signed[:, other], 0.0, apart)
    p, effect = np.ones((k, k)), np.zeros((k, k))
    p[one, other] = p[other, one] = holm(np.array([wilcoxon(column) for column in apart.T]))
    effect[one, other] = [rank_biserial(column) for column in apart.T]
    effect[other, one] = -effect[one, other]
    return Comparison(friedman(ranks(values, better)), critical_difference(k, n, alpha), p, effect, alpha)


def groups(order: Sequence[int], different: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """Neighbours in an order, no two of them different; each group as long as it can be.

    Parameters
    ----------
    order : sequence of int
        Methods, best first.
    different : ndarray of bool, (k, k)
        Symmetric.

    Returns
    -------
    list of tuple of int
        Also groups of one, for a method that differs from its neighbours.

    Examples
    --------
    >>> groups([0, 1, 2], np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], bool))
    [(0, 1), (1, 2)]
    """
    found: list[tuple[int, ...]] = []
    reached = 0
    for start in range(len(order)):
        end = start + 1
        while end < len(order) and not different[order[end], list(order[start:end])].any():
            end += 1
        if end > reached:
            found.append(tuple(order[start:end]))
            reached = end
    return found
