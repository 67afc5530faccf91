"""The demo: a tour of all commands, on scenes made on the spot."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import pytest

from fusionbench import cli
from fusionbench.baselines import METHODS
from fusionbench.baselines.learned import cards, weights
from fusionbench.cli import demo
from fusionbench.datasets import synthetic
from fusionbench.metrics.conventions import convention
from fusionbench.metrics.definitions import define

FILES = ["cd.png", "grid.png", "heatmap.png", "report.html", "scores.csv", "scores.meta.json", "table.tex"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Few small scenes, few methods, no networks; in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(demo, "_SCENES", 2)
    monkeypatch.setattr(demo, "_SIZE", (176, 168))  # MS-SSIM needs 161
    monkeypatch.setattr(demo, "_METHODS", ["average", "lp"])
    monkeypatch.setattr(demo, "_networks", list)


def test_demo_needs_nothing_and_says_what_it_does(small: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["demo"]) == 0
    out = capsys.readouterr().out
    made = Path("demo")
    assert sorted(path.name for path in made.iterdir()) == sorted([*FILES, "fused", "ir", "vis"])
    assert [path.name for path in Path().iterdir()] == ["demo"]
    with (made / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["method"] for row in rows} == {"average", "lp"}
    names = [definition.name for definition in define("all", convention("standard"))[0]]
    assert len(names) > 40
    assert list(rows[0]) == ["method", "image", *names]
    assert all(float(row[name]) == float(row[name]) for row in rows for name in names)
    # The ranking is shown, what the other commands print is not.
    assert [line.split()[0] for line in out.splitlines() if re.match(r"(method|average|lp) ", line)].count(
        "method"
    ) == 1
    assert "Now open demo/report.html" in out

    commands = [shlex.split(line) for line in out.partition("Now open")[0].splitlines() if line.startswith("  fusion")]
    assert [words[1] for words in commands] == "fuse score leaderboard leaderboard figure figure figure report".split()
    before = {
        path: path.read_bytes() for path in [made / "scores.csv", made / "table.tex", *made.glob("fused/*/*.png")]
    }
    assert len(before) == 2 + 2 * 2
    for path in before:
        path.unlink()
    for words in commands[:4]:
        assert cli.main(words[1:]) == 0
    assert {path: path.read_bytes() for path in before} == before


def test_demo_can_be_repeated(small: None) -> None:
    assert cli.main(["demo", "-o", "d"]) == 0
    first = Path("d/scores.csv").read_bytes()
    assert cli.main(["demo", "-o", "d"]) == 0
    assert Path("d/scores.csv").read_bytes() == first


def test_demo_in_the_place_of_a_file_is_refused(small: None, capsys: pytest.CaptureFixture[str]) -> None:
    Path("d").touch()
    assert cli.main(["demo", "-o", "d"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_demo_stops_where_a_step_fails(
    small: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "_METHODS", ["no-such-method"])
    assert cli.main(["demo"]) == 2
    out, err = capsys.readouterr()
    assert "fusionbench: Unknown method 'no-such-method'" in err
    assert "fusionbench score" not in out


def test_networks_take_part_where_they_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = [card.method for card in cards.CARDS.values() if card.shipped]
    assert shipped
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.setattr(weights, "_SHIPPED", tmp_path)
    assert demo._networks() == []
    for method in shipped:
        (tmp_path / f"{method}.safetensors").touch()
    assert demo._networks() == shipped
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert demo._networks() == []


def test_what_the_demo_names_exists(tmp_path: Path) -> None:
    assert set(demo._METHODS) <= set(METHODS.names())
    assert len(demo._METHODS) >= 12
    assert set(demo._SHOWN) <= set(synthetic.make(tmp_path, 2, (32, 32)))
    assert demo._SCENES >= 12
