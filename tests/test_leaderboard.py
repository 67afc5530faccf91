"""Ranking: over the same images for all, in the direction of each metric, and openly; and what readers get of it."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fusionbench as fb
from fusionbench import typesetting
from fusionbench.boards import Board, cells
from fusionbench.ranking import Ranking, rank, robustness
from fusionbench.store import Row, plain
from fusionbench.tables import Block, read
from fusionbench.types import Better, UserError

HIGHER: dict[str, Better] = {"EN": "higher"}
BOTH: dict[str, Better] = {"EN": "higher", "MSE": "lower"}


def row(method: str, pair: str, **values: float) -> Row:
    return Row(method, f"{pair}.png", pair, values)


def ranked(rows: list[Row], better: dict[str, Better]) -> Ranking:
    return rank(Block.of_rows(rows, better))


def scores(methods: int = 4, images: int = 30, seed: int = 0, **labels: str) -> pd.DataFrame:
    """Methods M0, M1, ... from the worst to the best in EN and SSIM, which agree, and the other way round in MSE."""
    noise = np.random.default_rng(seed).normal(0, 0.1, (images, methods))
    image, method = np.indices(noise.shape)
    quality = (method + noise).ravel()
    labelled = {"method": [f"M{at}" for at in method.ravel()], "image": [f"{at}.png" for at in image.ravel()]}
    return pd.DataFrame({**labels, **labelled, "EN": quality, "SSIM": quality / 9, "MSE": quality**2})


# Ranking


def test_direction_decides() -> None:
    rows = [row("a", "1", EN=1, MSE=1), row("b", "1", EN=2, MSE=2)]
    assert ranked(rows, HIGHER).methods == ("b", "a")
    assert ranked(rows, {"MSE": "lower"}).methods == ("a", "b")
    ranking = ranked(rows, BOTH)
    assert ranking.rank.tolist() == [1.5, 1.5]
    assert ranking.places.tolist() == [[2, 1], [1, 2]]
    assert ranking.borda.tolist() == [1, 1]


def test_means_are_over_the_pairs_that_all_have() -> None:
    rows = [row("a", "1", EN=1), row("a", "2", EN=5), row("b", "2", EN=4), row("b", "3", EN=9)]
    ranking = ranked(rows, HIGHER)
    assert ranking.pairs == ("2",)
    assert (ranking.methods, ranking.images, ranking.means.tolist()) == (("a", "b"), (2, 2), [[5], [4]])


def test_without_common_pairs_nothing_is_ranked() -> None:
    ranking = ranked([row("b", "1", EN=1), row("b", "2", EN=2), row("a", "3", EN=9)], HIGHER)
    assert (ranking.pairs, ranking.methods) == ((), ("b", "a"))
    assert ranking.means.tolist() == [[1.5], [9]]
    assert ranking.places.tolist() == [[0], [0]]
    assert np.isnan(ranking.rank).all()


def test_a_missing_value_takes_its_pair_from_every_method() -> None:
    rows = [row("a", "1", EN=1), row("a", "2", EN=3), row("b", "1", EN=2), row("b", "2", EN=math.nan)]
    ranking = ranked(rows, HIGHER)
    assert ranking.counted == (1,)
    assert (ranking.methods, ranking.means.tolist()) == (("b", "a"), [[2], [1]])


def test_a_metric_without_values_is_not_ranked() -> None:
    ranking = ranked([row("a", "1", EN=1, MSE=math.nan), row("b", "1", EN=2, MSE=3)], BOTH)
    assert ranking.counted == (1, 0)
    assert (ranking.methods, ranking.rank.tolist(), ranking.compared) == (("b", "a"), [1, 2], (0,))
    assert np.isnan(ranking.means[:, 1]).all()


def test_equal_means_share_place_and_rank() -> None:
    rows = [row("a", "1", EN=2), row("b", "1", EN=2), row("c", "1", EN=1), row("d", "1", EN=3)]
    ranking = ranked(rows, HIGHER)
    found = dict(zip(ranking.methods, zip(ranking.places[:, 0], ranking.rank, strict=True), strict=True))
    assert found == {"d": (1, 1), "a": (2, 2.5), "b": (2, 2.5), "c": (3, 4)}


def test_one_method_has_means_and_no_rank() -> None:
    ranking = ranked([row("a", "1", EN=1), row("a", "2", EN=2)], HIGHER)
    assert (ranking.means.tolist(), ranking.places.tolist()) == ([[1.5]], [[0]])
    assert math.isnan(ranking.rank[0])


def test_infinite_means_are_ranked() -> None:
    rows = [row("a", "1", EN=40), row("b", "1", EN=math.inf), row("a", "2", EN=41), row("b", "2", EN=math.inf)]
    ranking = ranked(rows, HIGHER)
    assert ranking.methods == ("b", "a")
    assert ranking.means.tolist() == ranking.medians.tolist() == [[math.inf], [40.5]]
    assert math.isnan(ranking.stds[0, 0])


@given(st.lists(st.integers(0, 5), min_size=2, max_size=8), st.sampled_from(["higher", "lower"]))
def test_ranks_are_those_of_scipy(values: list[int], better: Better) -> None:
    rankdata = pytest.importorskip("scipy.stats").rankdata
    ranking = ranked([row(str(k), "1", M=value) for k, value in enumerate(values)], {"M": better})
    signed = [-value if better == "higher" else value for value in values]
    names = [str(k) for k in range(len(values))]
    assert dict(zip(ranking.methods, ranking.rank, strict=True)) == dict(zip(names, rankdata(signed), strict=True))
    dense = dict(zip(names, rankdata(signed, method="dense"), strict=True))
    assert dict(zip(ranking.methods, ranking.places[:, 0], strict=True)) == dense


@given(st.lists(st.lists(st.integers(0, 9) | st.none(), min_size=3, max_size=3), min_size=1, max_size=7))
def test_summaries_are_those_of_pandas(values: list[list[int | None]]) -> None:
    rows = [
        row(f"m{at}", str(pair), EN=math.nan if value is None else float(value))
        for pair, line in enumerate(values)
        for at, value in enumerate(line)
    ]
    ranking = ranked(rows, HIGHER)
    frame = pd.DataFrame(values, columns=["m0", "m1", "m2"], dtype=float).dropna()[list(ranking.methods)]
    np.testing.assert_allclose(ranking.means[:, 0], frame.mean())
    np.testing.assert_allclose(ranking.medians[:, 0], frame.median())
    np.testing.assert_allclose(ranking.stds[:, 0], frame.std(), atol=1e-12)


def test_votes_are_mean_ranks_within_images() -> None:
    rows = [row("a", "1", EN=1, MSE=1), row("b", "1", EN=2, MSE=2), row("a", "2", EN=9, MSE=1)]
    rows.append(row("b", "2", EN=8, MSE=math.nan))
    ranking = ranked(rows, BOTH)
    votes = dict(zip(ranking.methods, ranking.votes().T.tolist(), strict=True))
    assert votes == {"a": [1.5, 1], "b": [1.5, 2]}


# Robustness


def test_the_winner_may_depend_on_the_convention() -> None:
    mine, theirs = scores(3, 5, convention="mine"), scores(3, 5, convention="theirs")
    theirs["SSIM"] *= -1
    table = read([mine, theirs.drop(index=0)])  # one image of M0 is missing there
    overall, en, ssim, _ = robustness(table.blocks())
    assert (overall.metric, en.metric, ssim.metric) == ("", "EN", "SSIM")
    assert ssim.winners == [("M2",), ("M0",)]
    assert dict(zip(ssim.methods, ssim.intervals, strict=True)) == {"M0": (1, 3), "M1": (2, 2), "M2": (1, 3)}
    assert en.winners == [("M2",), ("M2",)]
    assert {each.pairs for each in (overall, en, ssim)} == {4}
    said = fb.leaderboard(table).notes()
    assert said[-1] == "By SSIM, the best of 2 conventions (mine, theirs) is M2 under mine, M0 under theirs."


def test_one_convention_is_not_compared() -> None:
    assert robustness(read(scores()).blocks()) == []


# The leaderboard


def test_the_tables_of_a_leaderboard() -> None:
    found = fb.leaderboard(scores(), resamples=100)
    table = found.table
    assert table["method"].tolist() == ["M3", "M2", "M1", "M0"]
    assert table["rank"].tolist() == pytest.approx([2, 7 / 3, 8 / 3, 3])
    assert table["borda"].tolist() == [6, 5, 4, 3]
    expected = scores().groupby("method").mean(numeric_only=True)
    for metric in ("EN", "SSIM", "MSE"):
        assert table.set_index("method")[metric].to_dict() == pytest.approx(expected[metric].to_dict())
    assert found.ranks["MSE"].tolist() == [4, 3, 2, 1]
    assert (found.details["EN_low"] < found.details["EN"]).all()
    assert (found.details["EN_high"] > found.details["EN"]).all()
    assert found.tests["metric"].tolist() == ["", "EN", "SSIM", "MSE"]
    assert found.tests["chi2"].iloc[1] == pytest.approx(30 * 3)
    pairwise = found.pairwise.query("metric == 'EN'")
    assert len(pairwise) == 6
    assert (pairwise["p"] < 1e-6).all()
    assert (pairwise["effect"] == 1).all()


def test_notes_say_who_cannot_be_told_apart_and_what_is_one_vote() -> None:
    frame = scores(3, 40)[["method", "image", "EN", "SSIM"]]
    twin = frame[frame["method"] == "M2"].assign(method="Twin")
    rng = np.random.default_rng(1)
    twin[["EN", "SSIM"]] += rng.normal(0, 0.01, (40, 2))
    [board] = fb.leaderboard([frame, twin], resamples=50).boards
    assert [set(group) for group in board.groups] == [{"M2", "Twin"}, {"M1"}, {"M0"}]
    assert sorted(board.letters()) == ["a", "a", "b", "c"]
    assert board.one_vote == [("EN", "SSIM")]
    text = " ".join(board.notes())
    assert "Friedman test over 40 images" in text
    assert "the methods differ" in text
    assert re.search(r"Not distinguishable by [^:]*: (M2, Twin|Twin, M2)\.", text)
    assert "Nearly one vote each (rank correlation within images 0.8 or more): EN, SSIM." in text


def test_too_few_images_are_said_to_be_too_few() -> None:
    [board] = fb.leaderboard(scores(5, 4), resamples=50).boards
    assert "4 images are too few" in " ".join(board.notes())
    assert "group" not in cells(board)[0]


def test_what_is_missing_is_said() -> None:
    frame = scores(3, 6)
    frame.loc[4, "MSE"] = math.nan
    found = fb.leaderboard(frame.drop(index=0), resamples=50)
    text = found.to_markdown()
    assert re.search(r"Means over the 5 images that all 3 methods have \(M. has 1 more, M. has 1 more\)", text)
    assert "Over fewer images, for want of a value: MSE 4." in text


@pytest.mark.parametrize(("methods", "images"), [(1, 1), (1, 3), (2, 1), (2, 2), (30, 2)])
def test_small_and_large_boards_have_every_form(methods: int, images: int) -> None:
    found = fb.leaderboard(scores(methods, images), resamples=20)
    for text in (found.to_csv(), found.to_markdown(), found.to_latex(), found._repr_html_()):
        assert text.count("M0") == 1
    assert len(found.to_dict()["boards"][0]["methods"]) == methods
    assert set(found.tests["n"]) <= {images}
    assert len(found.pairwise) == len(found.tests) * methods * (methods - 1) // 2


def test_without_a_common_image_there_is_a_table_all_the_same() -> None:
    frame = pd.DataFrame({"method": ["A", "B"], "image": ["1", "2"], "EN": [1.0, 2.0]})
    found = fb.leaderboard(frame)
    assert "No image is common to all 2 methods" in found.to_markdown()
    assert found.table["rank"].isna().all()
    assert cells(found.boards[0])[0] == ["method", "images", "EN↑"]


def test_datasets_are_pooled_or_apart() -> None:
    frames = [scores(3, 5, dataset="X"), scores(3, 4, seed=1, dataset="Y")]
    pooled = fb.leaderboard(frames, resamples=20)
    assert [len(board.ranking.pairs) for board in pooled.boards] == [9]
    assert pooled.notes() == ["The images of 'X', 'Y' are pooled, each image counting alike."]
    apart = fb.leaderboard(frames, by="dataset", resamples=20)
    assert [board.ranking.dataset for board in apart.boards] == ["X", "Y"]
    assert apart.table["dataset"].tolist() == ["X"] * 3 + ["Y"] * 3
    assert apart.notes() == []
    assert "are pooled" in pooled.to_latex()
    assert "are pooled" not in apart.to_latex()


def test_same_scores_same_leaderboard() -> None:
    frame = scores(images=12)
    frame["EN"] += np.random.default_rng(3).normal(0, 2, len(frame))
    one, two = (fb.leaderboard(frame, resamples=100).to_csv() for _ in range(2))
    assert one == two
    shuffled = frame.sample(frac=1, random_state=1)
    three = fb.leaderboard(shuffled, resamples=100).table.set_index("method")
    assert three["rank"].to_dict() == pytest.approx(fb.leaderboard(frame).table.set_index("method")["rank"].to_dict())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"by": "metric"}, "by 'metric'"), ({"alpha": 5}, "cannot be 5"), ({"resamples": 0}, "cannot draw 0 times")],
)
def test_options_that_cannot_be(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        fb.leaderboard(scores(), **options)  # type: ignore[arg-type]


# Forms


def test_csv_has_every_digit() -> None:
    found = fb.leaderboard(scores(), resamples=50)
    lines = list(csv.DictReader(io.StringIO(found.to_csv())))
    for column in ("rank", "EN", "EN_std", "MSE_low", "SSIM_rank"):
        assert [float(line[column]) for line in lines] == found.details[column].tolist()


def test_json_holds_it_all() -> None:
    found = fb.leaderboard(scores(), resamples=50)
    board = json.loads(json.dumps(plain(found.to_dict()), allow_nan=False))["boards"][0]
    first = board["methods"][0]
    assert first["means"]["EN"] == found.table["EN"][0]
    assert first["mean_intervals"]["EN"] == found.details.loc[0, ["EN_low", "EN_high"]].tolist()
    assert np.array(board["overall"]["wilcoxon_holm_p"]).shape == (4, 4)
    assert board["redundancy"]["one_vote"] == [["EN", "SSIM"]]


HOSTILE = r"a_b & 50% #1 $x$ {y} ~z^2 \end <script>|`*[u]* --"


def test_names_are_shown_and_not_run() -> None:
    frame = pd.DataFrame({"method": [HOSTILE, "[B]"], "image": ["1", "1"], "EN": [2.0, 1.0]})
    found = fb.leaderboard(frame)
    assert "<script>" not in found.to_markdown()
    assert "<script>" not in found._repr_html_()
    assert "&lt;script&gt;" in found._repr_html_()
    [header, _, first, second] = [line for line in found.to_markdown().splitlines() if line.startswith("|")]
    assert len(re.findall(r"(?<!\\)\|", first)) == len(re.findall(r"(?<!\\)\|", header))
    assert second.startswith(r"| \[B\] |")
    assert typesetting.tex(HOSTILE) == (
        r"a\_b \& 50\% \#1 \$x\$ \{y\} \textasciitilde{}z\textasciicircum{}2 \textbackslash{}end "
        r"\textless{}script\textgreater{}\textbar{}`{*}{[}u{]}{*} -{}-"
    )


def test_best_and_second_are_marked() -> None:
    found = fb.leaderboard(scores(3, 6).assign(EN=lambda frame: frame["EN"] + 1), metrics="EN", resamples=20)
    means = [typesetting.number(mean) for mean in found.table["EN"]]
    lines = [line for line in found.to_latex().splitlines() if line.startswith("M")]
    assert lines[0].endswith(rf"& \textbf{{{means[0]}}} \\")
    assert lines[1].endswith(rf"& \underline{{{means[1]}}} \\")
    assert lines[2].endswith(rf"& {means[2]} \\")
    red, blue, _ = [line for line in found.to_latex(colour=True).splitlines() if line.startswith("M")]
    assert rf"\textcolor{{red}}{{{means[0]}}}" in red
    assert rf"\textcolor{{blue}}{{{means[1]}}}" in blue
    assert f"| **{means[0]}** |" in found.to_markdown()
    assert f"| <ins>{means[1]}</ins> |" in found.to_markdown()


def test_latex_says_what_it_needs() -> None:
    frame = scores(2, 2).replace({"method": {"M0": "方法"}})
    assert fb.leaderboard(frame).to_latex().startswith("% pdfLaTeX has no 方, 法: use XeLaTeX")
    assert (
        fb.leaderboard(scores(2, 2))
        .to_latex()
        .startswith("% \\usepackage{booktabs}\n% \\usepackage{graphicx}\n\\begin")
    )


def test_std_and_median_are_shown_on_request() -> None:
    frame = pd.DataFrame({"method": ["A", "A", "B", "B"], "image": ["1", "2"] * 2, "EN": [1.0, 2, 0, 0]})
    found = fb.leaderboard(frame)
    assert "| **1.500 ± 0.7071 (1.500)** |" in found.to_markdown(std=True, median=True)
    assert r"\textbf{1.500 $\pm$ 0.7071}" in found.to_latex(std=True)


def test_latex_compiles_as_it_is(tmp_path: Path) -> None:
    if not shutil.which("pdflatex"):
        pytest.skip("no pdflatex here")
    wide = scores(4, 6, dataset="MSRS_50%").assign(**{f"X_{at}": 10.0**-at for at in range(6)}, PSNR=math.inf)
    names = {"M0": HOSTILE, "M1": "[1] Ours*", "M2": "Müller & Söhne"}
    wide["method"] = wide["method"].map(lambda name: names.get(name, name))
    wide.loc[wide["method"] == "M3", "X_2"] = -1.5e-7
    options = {"higher": [f"X_{at}" for at in range(6)], "resamples": 20}
    found = fb.leaderboard(wide, **options)  # type: ignore[arg-type]
    narrow = fb.leaderboard(scores(3, 3), metrics="EN", resamples=20)
    (tmp_path / "whole.tex").write_text(found.to_latex(standalone=True, colour=True, std=True))
    (tmp_path / "wide.tex").write_text(found.to_latex(median=True))
    (tmp_path / "narrow.tex").write_text(narrow.to_latex())
    paper = r"\documentclass[twocolumn]{article}" + "\n" + typesetting.latex_packages()
    paper += r"\begin{document} \input{wide} \input{narrow} See \ref{tab:leaderboard-unknown}. \end{document}"
    (tmp_path / "paper.tex").write_text(paper)
    for name in ("whole", "paper"):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
        assert done.returncode == 0, done.stdout[-2000:]
        assert not [line for line in done.stdout.splitlines() if line.startswith(("!", "Overfull"))]
        assert (tmp_path / f"{name}.pdf").stat().st_size > 1000


def test_board_of_a_block_is_the_board_of_the_leaderboard() -> None:
    [block] = read(scores()).blocks()
    [board] = fb.leaderboard(scores()).boards
    assert Board.of(block).notes() == board.notes()
