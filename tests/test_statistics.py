"""Ranks, tests and intervals against scipy and against the worked examples of Demsar, JMLR 7, 2006."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from fusionbench import redundancy, resampling, statistics

# Demsar 2006, table 6: AUC of C4.5, C4.5+m, C4.5+cf and C4.5+m+cf on 14 data sets.
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        # Printed as equal to three digits, but ranked 2 and 3.
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)
# Levels so few that ties are the rule.
tables = st.tuples(st.integers(2, 9), st.integers(3, 6)).flatmap(
    lambda shape: arrays(float, shape, elements=st.integers(0, 6).map(float))
)


def test_demsars_example() -> None:
    ranked = statistics.ranks(DEMSAR)
    assert ranked.mean(0) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    comparison = statistics.compare(DEMSAR)
    # He prints 9.28, without the correction for ties: that is the doctest of friedman_of.
    assert comparison.friedman.chi2 == pytest.approx(stats.friedmanchisquare(*DEMSAR.T).statistic)
    assert comparison.friedman.mean_ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    # He prints 1.25; C4.5 and C4.5+m+cf are 1.18 apart there, less than that.
    assert comparison.cd == pytest.approx(1.25, abs=5e-3)
    assert comparison.cd_groups() == [(3, 1, 2, 0)]


@pytest.mark.parametrize(
    ("k", "alpha", "q"),
    # Demsar 2006, table 5 (a).
    [(2, 0.05, 1.960), (4, 0.05, 2.569), (10, 0.05, 3.164), (2, 0.1, 1.645), (5, 0.1, 2.459), (10, 0.1, 2.920)],
)
def test_critical_values_are_demsars(k: int, alpha: float, q: float) -> None:
    n = 30
    assert statistics.critical_difference(k, n, alpha) == pytest.approx(q * math.sqrt(k * (k + 1) / 6 / n), rel=4e-4)


@pytest.mark.filterwarnings("ignore")  # of what it imports
@pytest.mark.parametrize("alpha", [0.05, 0.1])
@pytest.mark.parametrize("seed", range(6))
def test_nemenyis_verdicts_are_those_of_scikit_posthocs(seed: int, alpha: float) -> None:
    """Two methods are further apart than the critical difference exactly where its p is below the level."""
    posthocs = pytest.importorskip("scikit_posthocs")
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(25, 7)) + np.linspace(0, 1.5, 7)
    p = np.asarray(posthocs.posthoc_nemenyi_friedman(values))
    mean = statistics.ranks(values).mean(0)
    apart = np.abs(mean[:, np.newaxis] - mean) > statistics.critical_difference(7, 25, alpha)
    np.testing.assert_array_equal(apart, p < alpha)
    assert apart.any()
    assert not apart.all()


@given(tables, st.sampled_from(["higher", "lower"]))
def test_ranks_and_friedman_are_scipys(values: np.ndarray, better: str) -> None:
    ranked = statistics.ranks(values, better)
    np.testing.assert_array_equal(ranked, stats.rankdata(-values if better == "higher" else values, axis=1))
    test = statistics.friedman(ranked)
    if (values == values[:, :1]).all():
        assert (test.chi2, test.p_chi2, test.f, test.p) == (0, 1, 0, 1)
        return
    chi2, p = stats.friedmanchisquare(*values.T)
    assert test.chi2 == pytest.approx(chi2, rel=1e-9, abs=1e-9)
    assert test.p_chi2 == pytest.approx(p, rel=1e-9)


def test_friedman_of_perfect_agreement() -> None:
    test = statistics.friedman(np.array([[1.0, 2, 3]] * 5))
    assert (test.chi2, test.f) == (pytest.approx(10), math.inf)
    # Four more images do by chance as the first in one of 6 ** 4 cases; of two methods, two more in one of 4.
    assert test.p == pytest.approx(6**-4)
    assert statistics.friedman(np.array([[1.0, 2]] * 3)).p == pytest.approx(1 / 4)
    assert statistics.friedman(np.array([[1.5, 1.5, 3]] * 3)).p == pytest.approx(3**-2)


def test_ranks_know_infinity_and_nothing() -> None:
    found = statistics.ranks(np.array([[math.inf, 1, -math.inf], [1, math.nan, 2]]))
    np.testing.assert_array_equal(found, [[1, 2, 3], [math.nan] * 3])


@given(arrays(float, st.integers(1, 40), elements=st.floats(-100, 100, allow_subnormal=False), unique=True))
def test_wilcoxon_is_scipys_where_that_is_exact(values: np.ndarray) -> None:
    known = values[values != 0]
    if len(np.unique(np.abs(known))) < len(known) or not len(known):
        return
    expected = stats.wilcoxon(known, method="exact").pvalue
    assert statistics.wilcoxon(values) == pytest.approx(expected, rel=1e-9)


@given(arrays(float, st.integers(1, 9), elements=st.integers(-3, 3).map(float)))
def test_wilcoxon_with_ties_is_what_all_signs_say(values: np.ndarray) -> None:
    known = np.abs(values[values != 0])
    if not len(known):
        assert statistics.wilcoxon(values) == 1
        return
    ranked = stats.rankdata(known)
    sums = np.array([np.dot(ranked, signs) for signs in itertools.product((-1, 1), repeat=len(known))])
    found = np.dot(ranked, np.sign(values[values != 0]))
    assert statistics.wilcoxon(values) == pytest.approx((np.abs(sums) >= abs(found) - 1e-9).mean(), rel=1e-9)


def test_wilcoxon_of_many_is_scipys_approximation() -> None:
    values = np.random.default_rng(1).integers(-20, 30, 300).astype(float)
    expected = stats.wilcoxon(values, method="asymptotic", correction=False).pvalue
    assert statistics.wilcoxon(values) == pytest.approx(expected, rel=1e-9)


@given(arrays(float, st.integers(1, 12), elements=st.floats(0, 1)))
def test_holm_is_the_step_down_rule(p: np.ndarray) -> None:
    adjusted = statistics.holm(p)
    for alpha in (0.01, 0.05, 0.3):
        rejected = np.zeros(len(p), bool)
        for step, at in enumerate(np.argsort(p, kind="stable")):
            if p[at] * (len(p) - step) >= alpha:
                break
            rejected[at] = True
        np.testing.assert_array_equal(adjusted < alpha, rejected)
    assert (adjusted >= p).all()
    assert (adjusted <= 1).all()


def test_comparison_is_symmetric_and_knows_the_direction() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal([0, 0, 3, 3], size=(12, 4))
    high, low = statistics.compare(values), statistics.compare(-values, "lower")
    np.testing.assert_array_equal(high.p, high.p.T)
    np.testing.assert_array_equal(high.effect, -high.effect.T)
    np.testing.assert_array_equal(high.effect, low.effect)
    assert high.effect[2, 0] > 0.9
    assert high.reachable
    assert high.groups([2, 3, 0, 1]) == [(2, 3), (0, 1)]
    assert not statistics.compare(values[:4]).reachable


def test_both_infinite_is_equal() -> None:
    values = np.array([[math.inf, math.inf, 1], [math.inf, math.inf, 2], [math.inf, 5, 3]])
    comparison = statistics.compare(values)
    assert comparison.effect[0, 1] == 1
    assert comparison.p[0, 1] == 1


def test_groups_are_as_long_as_they_can_be() -> None:
    apart = np.zeros((4, 4), bool)
    apart[0, 2] = apart[2, 0] = apart[0, 3] = apart[3, 0] = True
    assert statistics.groups([0, 1, 2, 3], apart) == [(0, 1), (1, 2, 3)]
    assert statistics.groups([0, 1, 2, 3], ~np.eye(4, dtype=bool)) == [(0,), (1,), (2,), (3,)]


def test_borda_counts_beaten_rivals() -> None:
    ranked = statistics.ranks(np.array([[3.0, 2, 1], [1, 1, 0]]))
    assert statistics.borda(ranked.T).tolist() == [2 + 1.5, 1 + 1.5, 0]
    assert statistics.borda(np.array([[1, math.nan], [2, math.nan]])).tolist() == [1, 0]


def test_intervals_of_means_are_those_of_the_bootstrap() -> None:
    values = np.random.default_rng(3).normal(10, 2, (40, 2, 1))
    found = resampling.bootstrap(values, ["higher"], resamples=4000)
    for method in range(2):
        error = values[:, method, 0].std() / math.sqrt(40)
        expected = stats.norm.interval(0.95, values[:, method, 0].mean(), error)
        assert found.mean[:, method, 0] == pytest.approx(expected, abs=0.15 * error)


def test_intervals_are_paired_seeded_and_hold_the_rank() -> None:
    rng = np.random.default_rng(4)
    # What all methods share varies far more than what tells them apart.
    values = rng.normal(0, 100, (30, 1, 1)) + np.arange(5.0)[:, None] + rng.normal(0, 0.1, (30, 5, 2))
    found = resampling.bootstrap(values, ["higher", "lower"], resamples=300)
    again = resampling.bootstrap(values, ["higher", "lower"], resamples=300)
    np.testing.assert_array_equal(found.mean, again.mean)
    np.testing.assert_array_equal(found.rank, [[3] * 5] * 2)
    assert (resampling.bootstrap(values, ["higher", "lower"], resamples=300, seed=1).mean != found.mean).all()
    one_sided = resampling.bootstrap(values[..., :1], ["higher"], resamples=300)
    np.testing.assert_array_equal(one_sided.rank, [[5, 4, 3, 2, 1]] * 2)


def test_bootstrap_in_chunks_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(5).normal(size=(6, 3, 2))
    whole = resampling.bootstrap(values, ["higher", "higher"], resamples=50)
    monkeypatch.setattr(resampling, "_CHUNK", 60)
    np.testing.assert_array_equal(resampling.bootstrap(values, ["higher", "higher"], resamples=50).mean, whole.mean)


def test_bootstrap_knows_infinity_and_nothing() -> None:
    values = np.array([[[1.0, math.inf], [2, 3]], [[math.nan, 4], [math.nan, 5]], [[3, 4], [4, 5]]])
    found = resampling.bootstrap(values, ["higher", "higher"], resamples=200)
    assert found.mean[0, :, 0].tolist() == [1, 2]
    assert found.mean[1, :, 0].tolist() == [3, 4]
    assert found.mean[1, 0, 1] == math.inf
    assert found.mean[0, 0, 1] == 4
    assert np.isfinite(found.mean[:, 1]).all()


@given(tables)
def test_correlations_within_one_image_are_scipys(values: np.ndarray) -> None:
    cube = values.T[None]  # one image, methods, metrics
    better = ["lower" if at % 2 else "higher" for at in range(cube.shape[2])]
    found = redundancy.between(cube, better)
    for one, other in itertools.combinations(range(cube.shape[2]), 2):
        signed = [cube[0, :, at] * (1 if better[at] == "higher" else -1) for at in (one, other)]
        if any((column == column[0]).all() for column in signed):
            assert math.isnan(found.spearman[one, other])
            assert math.isnan(found.kendall[one, other])
            continue
        assert found.spearman[one, other] == pytest.approx(stats.spearmanr(*signed).statistic, abs=1e-9)
        assert found.kendall[one, other] == pytest.approx(stats.kendalltau(*signed).statistic, abs=1e-9)


def test_metrics_that_vote_as_one_are_joined() -> None:
    rng = np.random.default_rng(6)
    first, other = rng.normal(size=(2, 20, 6))
    cube = np.stack([first, other, -first, first + 0.01 * rng.normal(size=first.shape)], axis=-1)
    cube[0, :, 1] = math.nan
    found = redundancy.between(cube, ["higher", "higher", "lower", "higher"])
    assert found.clusters == ((0, 2, 3), (1,))
    assert sorted(found.order) == [0, 1, 2, 3]
    assert found.spearman[0, 2] == pytest.approx(1)
    opposite = redundancy.between(cube, ["higher"] * 4)
    assert opposite.spearman[0, 2] == pytest.approx(-1)
    assert opposite.clusters == ((0, 3), (1,), (2,))


def test_images_do_not_correlate_metrics_by_themselves() -> None:
    rng = np.random.default_rng(7)
    # Two metrics that both are high on some images and low on others, and disagree on methods.
    level = 100 * np.arange(30.0)[:, None, None]
    found = redundancy.between(level + rng.normal(size=(30, 8, 2)), ["higher", "higher"])
    assert abs(found.spearman[0, 1]) < 0.3
