"""Ranking: over the same images for all, in the direction of each metric, and openly."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusionbench.leaderboard import Leaderboard, rank
from fusionbench.store import Row

BOTH = {"EN": "higher", "MSE": "lower"}


def row(method: str, pair: str, **values: float) -> Row:
    return Row(method, f"{pair}.png", pair, values)


def order(board: Leaderboard) -> list[str]:
    return [standing.method for standing in board.standings]


def test_direction_decides() -> None:
    rows = [row("a", "1", EN=1, MSE=1), row("b", "1", EN=2, MSE=2)]
    assert order(rank(rows, {"EN": "higher"})) == ["b", "a"]
    assert order(rank(rows, {"MSE": "lower"})) == ["a", "b"]
    board = rank(rows, BOTH)
    assert [standing.rank for standing in board.standings] == [1.5, 1.5]
    assert board.standings[0].places == {"EN": 2, "MSE": 1}


def test_means_are_over_the_pairs_that_all_have() -> None:
    rows = [row("a", "1", EN=1), row("a", "2", EN=5), row("b", "2", EN=4), row("b", "3", EN=9)]
    board = rank(rows, {"EN": "higher"})
    assert board.pairs == ("2",)
    assert [(s.method, s.images, s.means) for s in board.standings] == [("a", 2, {"EN": 5}), ("b", 2, {"EN": 4})]


def test_without_common_pairs_nothing_is_ranked() -> None:
    board = rank([row("b", "1", EN=1), row("b", "2", EN=2), row("a", "3", EN=9)], {"EN": "higher"})
    assert board.pairs == ()
    assert order(board) == ["b", "a"]
    assert [(s.means, s.places) for s in board.standings] == [({"EN": 1.5}, {}), ({"EN": 9}, {})]
    assert all(math.isnan(standing.rank) for standing in board.standings)


def test_a_missing_value_takes_its_pair_from_every_method() -> None:
    rows = [row("a", "1", EN=1), row("a", "2", EN=3), row("b", "1", EN=2), row("b", "2", EN=math.nan)]
    board = rank(rows, {"EN": "higher"})
    assert board.counted == {"EN": 1}
    assert [(s.method, s.means["EN"]) for s in board.standings] == [("b", 2), ("a", 1)]


def test_a_metric_without_values_is_not_ranked() -> None:
    rows = [row("a", "1", EN=1, MSE=math.nan), row("b", "1", EN=2, MSE=3)]
    board = rank(rows, BOTH)
    assert board.counted == {"EN": 1, "MSE": 0}
    assert [(s.method, s.rank, s.places) for s in board.standings] == [("b", 1, {"EN": 1}), ("a", 2, {"EN": 2})]
    assert all(math.isnan(standing.means["MSE"]) for standing in board.standings)


def test_equal_means_share_place_and_rank() -> None:
    rows = [row("a", "1", EN=2), row("b", "1", EN=2), row("c", "1", EN=1), row("d", "1", EN=3)]
    board = rank(rows, {"EN": "higher"})
    found = {standing.method: (standing.places["EN"], standing.rank) for standing in board.standings}
    assert found == {"d": (1, 1), "a": (2, 2.5), "b": (2, 2.5), "c": (3, 4)}


def test_one_method_has_means_and_no_rank() -> None:
    [standing] = rank([row("a", "1", EN=1), row("a", "2", EN=2)], {"EN": "higher"}).standings
    assert (standing.means, standing.places) == ({"EN": 1.5}, {})
    assert math.isnan(standing.rank)


def test_infinite_means_are_ranked() -> None:
    board = rank([row("a", "1", PSNR=40), row("b", "1", PSNR=math.inf)], {"PSNR": "higher"})
    assert order(board) == ["b", "a"]


@given(st.lists(st.integers(0, 5), min_size=2, max_size=8), st.sampled_from(["higher", "lower"]))
def test_ranks_are_those_of_scipy(values: list[int], better: str) -> None:
    rankdata = pytest.importorskip("scipy.stats").rankdata
    board = rank([row(str(k), "1", M=value) for k, value in enumerate(values)], {"M": better})
    signed = [-value if better == "higher" else value for value in values]
    expected = dict(zip(map(str, range(len(values))), rankdata(signed), strict=True))
    assert {standing.method: standing.rank for standing in board.standings} == expected
    dense = dict(zip(map(str, range(len(values))), rankdata(signed, method="dense"), strict=True))
    assert {standing.method: standing.places["M"] for standing in board.standings} == dense
