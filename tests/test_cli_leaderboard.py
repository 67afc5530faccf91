"""What the verb leaderboard prints and writes."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

import fusionbench as fb
from fusionbench import cli

Said: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs a command in a folder with two tables of scores; gives its exit code, and what is on stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "90")
    for name, methods, images in (("ours", "AB", 8), ("theirs", "CD", 9)):
        lines = ["dataset,method,image,EN,MSE,Time"]
        for at, method in enumerate(methods):
            lines += [f"TNO,{method},{i}.png,{7 + at + i / 100},{at + i / 10},{ord(method)}" for i in range(images)]
        Path(f"{name}.csv").write_text("\n".join(lines) + "\n")

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["leaderboard", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_the_table_and_what_it_is_worth(said: Said) -> None:
    code, out, err = said("ours.csv", "theirs.csv", "--metrics", "EN,MSE")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "TNO · unknown"
    assert lines[1].split() == ["method", "rank", "95%", "CI", "group", "Borda", "EN↑", "MSE↓"]
    assert sorted(line.split()[0] for line in lines[3:7]) == ["A", "B", "C", "D"]
    text = " ".join(lines)
    assert "Means over the 8 images that all 4 methods have" in text
    assert "C has 1 more" in text
    assert "Friedman test over 8 images" in text
    assert "\x1b" not in out


def test_unknown_directions_are_asked_for(said: Said) -> None:
    code, _, err = said("ours.csv")
    assert code == 2
    assert "say --higher Time or --lower Time" in err
    assert said("ours.csv", "--lower", "Time")[0] == 0


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("t.csv", "dataset,convention,method,images,rank"),
        ("t.md", "## TNO"),
        ("t.tex", "% \\usepackage{booktabs}"),
        ("t.txt", "TNO · unknown\nmethod"),
    ],
)
def test_the_suffix_says_the_form_and_the_table_is_shown_too(name: str, begin: str, said: Said) -> None:
    code, out, _ = said("ours.csv", "--metrics", "EN", "-o", name)
    assert code == 0
    assert Path(name).read_text().startswith(begin)
    assert out.startswith("TNO · unknown\n")
    assert out.endswith(f"Written to {name}.\n")
    assert sorted(os.listdir()) == sorted(["ours.csv", "theirs.csv", name])


def test_forms_are_printed_as_python_gives_them(said: Said) -> None:
    found = fb.leaderboard("ours.csv", metrics="EN")
    options = "ours.csv", "--metrics", "EN", "--format"
    assert said(*options, "csv")[1] == found.to_csv()
    assert said(*options, "md", "--std")[1] == found.to_markdown(std=True)
    latex = said(*options, "latex", "--color", "--standalone", "--median")[1]
    assert latex == found.to_latex(colour=True, standalone=True, median=True)
    board = json.loads(said(*options, "json")[1], parse_constant=pytest.fail)["boards"][0]
    assert [each["method"] for each in board["methods"]] == ["B", "A"]


def test_datasets_apart(said: Said) -> None:
    other = Path("ours.csv").read_text().replace("TNO", "MSRS")
    Path("other.csv").write_text(other)
    _, out, _ = said("ours.csv", "other.csv", "--metrics", "EN", "--by", "dataset", "--format", "csv")
    assert [row["dataset"] for row in csv.DictReader(out.splitlines())] == ["TNO", "TNO", "MSRS", "MSRS"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["none.csv"], "There is no file 'none.csv'"),
        (["ours.csv", "-o", "t.doc"], "'t.doc' does not say what to write"),
        (["ours.csv", "-o", "no/t.csv"], "its folder does not exist"),
        (["ours.csv", "--colour"], "are for LaTeX"),
        (["ours.csv", "--std", "--format", "csv"], "csv has both anyway"),
        (["ours.csv", "ours.csv", "--metrics", "EN"], "is there twice"),
        (["ours.csv", "--metrics", "ENT"], "did you mean EN"),
        (["ours.csv", "--metrics", "EN", "--alpha", "2"], "level of significance"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], sentence: str, said: Said) -> None:
    code, out, err = said(*words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert sentence in err


def test_published_tables_need_one_command(said: Said, shared: Path) -> None:
    for name, methods in (("vifb", 25), ("tang", 9)):
        code, out, _ = said(str(shared / "reference" / f"{name}_published.csv"), "--format", "csv")
        assert code == 0
        assert len(out.splitlines()) == methods + 1
