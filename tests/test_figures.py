"""Charts: nothing is cut or overlaps, whatever the scores and names; they show what the scores say; equal bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fusionbench import statistics, tables
from fusionbench.figures import box, cd, curves, heatmap, lettering, page, radar, runtime, selection
from fusionbench.figures.looks import look
from fusionbench.ranking import Ranking, rank
from fusionbench.tables import Block
from fusionbench.types import Better, UserError
from tests.printed import faults, texts, words

METRICS = ("EN", "MSE", "Qabf", "SSIM")
BETTER: dict[str, Better] = {"EN": "higher", "MSE": "lower", "Qabf": "higher", "SSIM": "higher"}
LONG = "A-Very-Long-Name-Of-A-Network-With-Attention-And-Transformers-v"
TWENTY = [f"Method{at}" for at in range(20)]


def scores(methods: int, images: int = 6) -> NDArray[np.float64]:
    """Scores as they come: of different sizes, and in places close to one another."""
    rng = np.random.default_rng(methods)
    return rng.normal(size=(images, methods, 4)) * [0.2, 2000, 0.01, 1e-5] + [7, 9000, 0.5, 1e-3]


def ranking(values: NDArray[np.float64], methods: Sequence[str]) -> Ranking:
    pairs = tuple(str(at) for at in range(len(values)))
    present = np.ones(values.shape[:2], bool)
    return rank(Block("", "standard", pairs, tuple(methods), METRICS, BETTER, values, present))


def draw_cd(board: Ranking) -> Figure:
    votes = statistics.ranks(board.votes(), "lower")
    if len(board.methods) < 2 or len(votes) < 2:
        return cd.draw({board.methods[0]: 1.0}, float("nan"))
    difference = statistics.critical_difference(len(board.methods), len(votes))
    return cd.draw(dict(zip(board.methods, votes.mean(axis=0).tolist(), strict=True)), difference)


def draw_runtime(board: Ranking) -> Figure:
    rng = np.random.default_rng(1)
    costs = {
        name: runtime.Cost(float(10 ** rng.uniform(0, 3)), float(10 ** rng.uniform(4, 8))) for name in board.methods
    }
    quality = dict(zip(board.methods, selection.scores(board, "EN").mean(axis=0).tolist(), strict=True))
    return runtime.draw(quality, costs, "EN", "higher")


KINDS: dict[str, Callable[[Ranking], Figure]] = {
    "curves": curves.draw,
    "box": box.draw,
    "radar": radar.draw,
    "heatmap": heatmap.draw,
    "cd": draw_cd,
    "runtime": draw_runtime,
}
BOARDS = {
    "one method": lambda: ranking(scores(1), ["Alone"]),
    "one image": lambda: ranking(scores(3, 1), ["A", "B", "C"]),
    "twenty": lambda: ranking(scores(20), TWENTY),
    "ties": lambda: ranking(np.ones((4, 6, 4)), TWENTY[:6]),
    "some NaN": lambda: ranking(np.where(np.arange(96).reshape(6, 4, 4) % 17 == 0, np.nan, scores(4)), "ABCD"),
    "long names": lambda: ranking(scores(7), [f"{LONG}{at}" for at in range(7)]),
    "odd names": lambda: ranking(scores(4), ["US$ a$", "<b>&", r"\alpha_{x}^2", "Größe é"]),
}


@cache
def figure(kind: str, board: str) -> Figure:
    return KINDS[kind](BOARDS[board]())


@pytest.mark.parametrize("board", list(BOARDS))
@pytest.mark.parametrize("kind", list(KINDS))
def test_nothing_is_cut_or_overlaps(kind: str, board: str) -> None:
    assert faults(figure(kind, board)) == []


@pytest.mark.parametrize("width", [page.WIDTHS[1], page.WIDTHS[2]])
@pytest.mark.parametrize("draw", [curves.draw, box.draw, radar.draw, heatmap.draw])
def test_both_widths_are_kept(draw: Callable[..., Figure], width: float) -> None:
    drawn = draw(ranking(scores(7), TWENTY[:7]), width=width)
    assert drawn.get_size_inches()[0] <= width + 1e-9
    assert faults(drawn) == []


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_method_is_named(kind: str) -> None:
    printed = " ".join(words(figure(kind, "twenty")))
    assert all(name in printed.split() for name in TWENTY)


@pytest.mark.parametrize("kind", ["curves", "radar", "cd"])
def test_chinese_names_are_printed_or_refused(kind: str) -> None:
    names = ["红外与可见光图像融合方法", "融合", "方法B", "A"]
    board = ranking(scores(4), names)
    if len(lettering.families()) == 1:
        with pytest.raises(UserError, match=r"No font here has the characters '.+' of '.+': install one"):
            KINDS[kind](board)
    else:
        assert faults(KINDS[kind](board)) == []


def test_character_without_a_font_is_refused() -> None:
    with pytest.raises(UserError, match="No font here has the characters '𓀀' of 'eye 𓀀'"):
        lettering.extent("eye 𓀀")


def test_labels_replace_names() -> None:
    for draw in (curves.draw, box.draw, radar.draw, heatmap.draw):
        printed = " ".join(words(draw(ranking(scores(3), ["a", "b", "zz"]), labels={"zz": "Ours"})))
        assert "Ours" in printed
        assert "zz" not in printed


def test_same_figure_same_bytes(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.test_figures import *; "
        "drawn = curves.draw(ranking(scores(2), ['a', 'b'])); "
        "[page.save(drawn, Path(sys.argv[1] + suffix)) for suffix in page.SUFFIXES]"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[1])}
        subprocess.run([sys.executable, "-c", script, str(tmp_path / seed)], check=True, env=environment)
    for suffix in page.SUFFIXES:
        one, other = ((tmp_path / f"{seed}{suffix}").read_bytes() for seed in ("1", "2"))
        assert one == other
        assert len(one) > 1000


def test_the_users_own_style_does_not_matter() -> None:
    import matplotlib as mpl

    board = ranking(scores(3), ["a", "b", "c"])
    usual = page.encode(box.draw(board), "svg")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "text.usetex": True, "figure.dpi": 50}):
        assert page.encode(box.draw(board), "svg") == usual


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "missing/figure.pdf"])
def test_impossible_targets_are_refused(name: str, tmp_path: Path) -> None:
    drawn = heatmap.correlation(["EN"], np.ones((1, 1)))
    with pytest.raises(UserError, match="figure"):
        page.save(drawn, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_curves_show_sorted_scores_and_means() -> None:
    values = np.zeros((3, 1, 4))
    values[:, 0, 0] = [3, 1, 2.5]
    drawn = curves.draw(ranking(values, ["A"]))
    line = drawn.axes[1].lines[0]
    assert line.get_ydata().tolist() == [1, 2.5, 3]
    assert line.get_xdata().tolist() == [0, 0.5, 1]
    assert "A 2.167" in words(drawn)


def test_box_marks_the_best_median_of_each_metric() -> None:
    values = np.zeros((3, 2, 4))
    values[:, 1] = 1
    drawn = box.draw(ranking(values, ["A", "B"]))
    first, second = (axes.patches for axes in drawn.axes[1:3])
    # B, better in three of four metrics, stands on top; MSE is better where it is lower.
    assert [patch.get_edgecolor() == first[0].get_edgecolor() for patch in first] == [True, False]
    assert [patch.get_edgecolor() == first[0].get_edgecolor() for patch in second] == [False, True]


@pytest.mark.parametrize("board", ["one image", "ties", "some NaN"])
def test_violins_need_no_spread(board: str) -> None:
    drawn = box.draw(BOARDS[board](), violin=True)
    assert faults(drawn) == []
    # One violin a method and metric, or none where all scores of a method are equal.
    methods = {"one image": 0, "ties": 0, "some NaN": 4}[board]
    assert [len(axes.collections) for axes in drawn.axes[1:]] == [methods] * 4


def test_heatmap_shows_ranks() -> None:
    values = np.zeros((3, 3, 4))
    values[:, 1] = 1
    printed = words(heatmap.draw(ranking(values, ["A", "B", "C"])))
    rows = [printed[at] for at in range(len(printed)) if printed[at] in {"1", "2.5", "1.5", "3"}]
    # Column by column: EN, MSE, Qabf, SSIM and the mean (2.25 for A and C), with B on top.
    assert rows == ["1", "2.5", "2.5", "3", "1.5", "1.5", "1", "2.5", "2.5", "1", "2.5", "2.5", "1.5"]


def test_radar_is_normalised_with_better_outside() -> None:
    goodness = np.array([[1.0, -3.0, 5.0], [3.0, -1.0, 5.0], [2.0, -2.0, 5.0]])
    assert radar.normalised(goodness).tolist() == [[0, 0, 1], [1, 1, 1], [0.5, 0.5, 1]]
    better: dict[str, Better] = {"EN": "higher", "SF": "higher"}
    two = rank(Block("", "", ("1",), ("A",), ("EN", "SF"), better, np.ones((1, 1, 2)), np.ones((1, 1), bool)))
    with pytest.raises(UserError, match="three metrics"):
        radar.draw(two)


def test_cd_joins_what_is_closer_than_the_difference() -> None:
    def bars(difference: float) -> int:
        lines = cd.draw({"A": 1.0, "B": 1.5, "C": 2.4, "D": 4.0}, difference).axes[0].lines
        return sum(line.get_linewidth() > 2 for line in lines)

    assert [bars(difference) for difference in (0.4, 0.6, 1.0, 1.7, 5.0, float("nan"))] == [0, 1, 2, 2, 1, 0]


def test_redundant_metrics_are_shown_with_their_correlation() -> None:
    table = np.array([[1, -0.25, np.nan], [-0.25, 1, 0.5], [np.nan, 0.5, 1]])
    drawn = heatmap.correlation(["AG", "SF", LONG], table)
    assert faults(drawn) == []
    assert {"1.00", "−.25", ".50", "–"} <= set(words(drawn))


def test_what_is_left_out_is_said() -> None:
    values = scores(3)
    values[0, 0, 0] = np.nan
    values[:, 2, 1] = np.nan
    board = ranking(values, ["A", "B", "C"])
    assert selection.shown(board) == ["EN", "Qabf", "SSIM"]
    assert selection.remarks(board) == [
        "EN: over the 5 images of which all methods have a value, where some have 6.",
        "MSE: not shown, for some method has no value of it.",
    ]
    assert len(selection.scores(board, "EN")) == 5


def test_infinite_scores_are_not_drawn_but_said() -> None:
    values = scores(2)
    values[3, 1, 2] = np.inf
    board = ranking(values, ["A", "B"])
    assert np.isfinite(selection.scores(board, "Qabf")).all()
    assert selection.remarks(board) == ["Qabf: over the 5 images of which all methods have a value, where some have 6."]


def test_nothing_in_common_is_refused() -> None:
    block = Block("", "", ("1", "2"), ("A", "B"), ("EN",), {"EN": "higher"}, np.ones((2, 2, 1)), np.eye(2, dtype=bool))
    with pytest.raises(UserError, match="No image has scores of all methods"):
        box.draw(rank(block))
    with pytest.raises(UserError, match="No metric has a value of all methods"):
        box.draw(ranking(np.full((2, 2, 4), np.nan), ["A", "B"]))


def test_twenty_methods_look_different() -> None:
    assert len({look(at) for at in range(28)}) == 28


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("method,milliseconds\nA,10\nA,12\n", "has 'A' twice"),
        ("method,milliseconds\nA,0\n", "must be positive"),
        ("method,seconds\nA,1\n", "does not give the method and milliseconds"),
        ("method,milliseconds\nA,fast\n", "does not give the method and milliseconds"),
    ],
)
def test_wrong_costs_are_refused(text: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "cost.csv"
    file.write_text(text)
    with pytest.raises(UserError, match=complaint):
        runtime.read(file)


def test_costs_are_read_from_both_forms(tmp_path: Path) -> None:
    table, printed = tmp_path / "cost.csv", tmp_path / "cost.json"
    table.write_text("method,milliseconds,parameters\nA,10.5,\nB,2,1e6\n")
    printed.write_text('{"costs": [{"method": "A", "milliseconds": 10.5, "parameters": null}]}')
    assert runtime.read(table) == {"A": runtime.Cost(10.5, 0), "B": runtime.Cost(2, 1e6)}
    assert runtime.read(printed) == {"A": runtime.Cost(10.5, 0)}
    printed.write_text("[]")
    with pytest.raises(UserError, match="make it anew"):
        runtime.read(printed)
    with pytest.raises(UserError, match="cannot be read"):
        runtime.read(tmp_path / "none.json")
    with pytest.raises(UserError, match="how long 'B' takes"):
        runtime.draw({"A": 1.0, "B": 2.0}, {"A": runtime.Cost(1)}, "EN", "higher")


def test_better_is_on_top_in_runtime() -> None:
    costs = {"A": runtime.Cost(1), "B": runtime.Cost(10)}
    for better, top in (("higher", "B"), ("lower", "A")):
        drawn = runtime.draw({"A": 1.0, "B": 2.0}, costs, "X", "higher" if better == "higher" else "lower")
        places = {text.get_text(): text.get_position()[1] for text in texts(drawn)}
        assert min("AB", key=lambda name: places[name]) == top


@given(st.lists(st.floats(-5, 5), max_size=12), st.floats(0.1, 1))
def test_spread_keeps_order_distance_and_frame(wanted: list[float], gap: float) -> None:
    places = lettering.spread(wanted, gap, -6, 7)
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    assert all(places[b] - places[a] >= gap - 1e-9 for a, b in pairwise(order))
    assert all(place >= -6 - 1e-9 for place in places)
    if (len(wanted) - 1) * gap <= 13:
        assert all(place <= 7 + 1e-9 for place in places)
    apart = sorted(wanted)
    if all(b - a >= gap for a, b in pairwise(apart)):
        assert places == pytest.approx(wanted)


def test_names_are_shortened_in_the_middle_and_stay_different() -> None:
    names = [f"{LONG}{at}" for at in range(3)]
    shown, size = lettering.fit(names, 0.8)
    assert size == lettering.SMALLEST
    assert [text[-1] for text in shown] == ["0", "1", "2"]
    assert all(lettering.extent(text, size) <= 0.8 for text in shown)
    assert lettering.fit(["short"], 0.8) == (["short"], lettering.SIZE)
    with pytest.raises(UserError, match="look the same when shortened"):
        lettering.fit(["a" * 50 + "b" + "a" * 50, "a" * 50 + "c" + "a" * 50], 0.5)


@pytest.mark.parametrize("kind", ["curves", "box", "cd"])
def test_published_scores_of_25_methods_are_laid_out(kind: str, shared: Path) -> None:
    [block] = tables.read(shared / "reference" / "vifb_published.csv", metrics="Entropy,Qabf,Qcv,Ssim").blocks()
    assert faults(KINDS[kind](rank(block))) == []
