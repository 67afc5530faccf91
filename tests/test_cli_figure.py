"""``fusionbench figure``: every kind makes its file, and says what is wrong in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fusionbench import images
from fusionbench.cli import main

SCORES = "method,image,EN,SSIM,VIF\n" + "".join(
    f"{method},{at}.png,{6 + at / 7 + len(method) / 9},{0.4 + at / 50},{0.6 + at * len(method) / 99}\n"
    for method in ("lp", "gff", "mine")
    for at in range(4)
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("scores.csv").write_text(SCORES)
    Path("cost.csv").write_text("method,milliseconds\nlp,3\ngff,20\nmine,400\n")
    rng = np.random.default_rng(1)
    for role in ("ir", "vis", "fused/lp", "fused/gff"):
        Path(role).mkdir(parents=True)
        for name in ("1.png", "2.png"):
            images.write(Path(role, name), rng.integers(0, 256, (40, 50), dtype=np.uint8))
    return tmp_path


IMAGES = ["fused", "--ir", "ir", "--vis", "vis"]


@pytest.mark.parametrize(
    "words",
    [
        ["grid", *IMAGES],
        [
            "grid",
            *IMAGES,
            "--scene",
            "2",
            "--methods",
            "gff",
            "--box",
            "1,2,9,9",
            "--box",
            "2:5,5,9,9",
            "--across",
            "2",
        ],
        ["map", *IMAGES, "--metric", "AG", "--scene", "2"],
        ["curves", "scores.csv", "--metrics", "EN"],
        ["box", "scores.csv", "--violin"],
        ["radar", "scores.csv", "--methods", "lp,mine"],
        ["cd", "scores.csv", "--alpha", "0.1"],
        ["heatmap", "scores.csv", "--label", "mine=Ours"],
        ["heatmap", "scores.csv", "--correlation"],
        ["runtime", "scores.csv", "--cost", "cost.csv", "--metrics", "VIF"],
    ],
    ids=lambda words: " ".join(words),
)
def test_every_kind_writes_its_file(words: Sequence[str], place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["figure", *words]) == 0
    assert Path(f"{words[0]}.pdf").read_bytes().startswith(b"%PDF")
    assert capsys.readouterr().out.startswith(f"Written to {words[0]}.pdf (")


def test_several_files_at_once(place: Path) -> None:
    assert main(["figure", "cd", "scores.csv", "-o", "one.png", "-o", "two.svg"]) == 0
    assert Path("one.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in Path("two.svg").read_text()
    assert not Path("cd.pdf").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["grid", *IMAGES, "-o", "grid.jpg"], "'grid.jpg' has no suffix that figures are written as"),
        (["grid", *IMAGES, "--box", "1,2,3"], "'1,2,3' is no box"),
        (["grid", *IMAGES, "--box", "9:1,2,3,4"], "Unknown scene '9'"),
        (["grid", *IMAGES, "--box", "1,2,3,4", "--zoom", "1"], "leave one of the two out"),
        (["grid", *IMAGES, "--label", "lp"], "write NAME=TEXT"),
        (["box", "scores.csv", "--label", "x=y"], "Unknown method 'x'"),
        (["box", "scores.csv", "--dataset", "tno"], "Unknown dataset 'tno'"),
        (["box", "scores.csv", "--metrics", "XX"], "Unknown metric 'XX'"),
        (["radar", "scores.csv", "--metrics", "EN"], "three metrics"),
        (["cd", "scores.csv", "--methods", "lp"], "two methods"),
        (["cd", "scores.csv", "--alpha", "5"], "--alpha 5"),
        (["heatmap", "scores.csv", "--correlation", "--metrics", "EN"], "two metrics"),
        (["runtime", "scores.csv", "--cost", "cost.csv", "--metrics", "EN,VIF"], "names 2 metrics"),
        (["runtime", "scores.csv", "--cost", "none.csv", "--metrics", "EN"], "'none.csv' cannot be read"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_mistakes_are_one_sentence(
    words: Sequence[str], complaint: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(place.rglob("*"))
    assert main(["figure", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert complaint in err
    assert err.count("\n") == 1
    assert sorted(place.rglob("*")) == before


def test_conventions_are_never_mixed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{m},{at},EN,{c},{len(m) + at}\n" for m in ("lp", "gff") for at in range(3) for c in ("standard", "vifb")]
    Path("both.csv").write_text("method,pair,metric,convention,value\n" + "".join(rows))
    assert main(["figure", "box", "both.csv"]) == 2
    assert "several conventions (standard, vifb): choose one with --convention" in capsys.readouterr().err
    assert main(["figure", "box", "both.csv", "--convention", "vifb"]) == 0


def test_what_does_not_fit_a_page_is_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"method{m},{at}.png,{m + at},{m - at}\n" for m in range(60) for at in range(2)]
    Path("many.csv").write_text("method,image,EN,SD\n" + "".join(rows))
    assert main(["figure", "curves", "many.csv", "--columns", "1"]) == 0
    assert "more than a page" in capsys.readouterr().err


def test_cd_draws_the_ranks_that_the_test_is_about(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The leaderboard's Friedman test and the diagram speak of the same mean ranks, whole ones within each image."""
    from fusionbench import leaderboard
    from fusionbench.figures import cd

    drawn: list[dict[str, float]] = []
    draw = cd.draw
    monkeypatch.setattr(cd, "draw", lambda ranks, *given, **named: drawn.append(ranks) or draw(ranks, *given, **named))
    assert main(["figure", "cd", "scores.csv"]) == 0
    [board] = leaderboard("scores.csv").boards
    assert board.overall is not None
    expected = dict(zip(board.ranking.methods, board.overall.friedman.mean_ranks, strict=True))
    assert drawn == [pytest.approx(expected)]
