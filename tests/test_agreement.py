"""The table that says how closely our numbers meet those of other programs."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from published import FORMULA, GOLDEN, rows

from conftest import ROOT
from fusionbench import cli
from fusionbench.agreement import PROGRAMS, TINY, Agreement, agreement, csv_text, markdown, table
from fusionbench.types import UserError

COMMITTED = ROOT / "results" / "agreement" / "agreement.csv"


@pytest.fixture(scope="module")
def found(golden: Path) -> list[Agreement]:
    return agreement(golden, golden / "formula")[0]


def test_what_is_not_tiny_has_a_reason(found: list[Agreement]) -> None:
    unexplained = [
        f"{each.metric} of {each.program}: {each.worst:.1e}" for each in found if each.worst > TINY and not each.reason
    ]
    assert not unexplained, "write why beside the others in fusionbench/agreement.py"
    assert max(each.worst for each in found) < 1e-3
    assert not [each for each in found if each.worst <= TINY and each.reason]


def test_every_golden_number_is_compared(found: list[Agreement]) -> None:
    compared = {(each.program, each.called): each.values for each in found}
    for name in PROGRAMS:
        called = [row.metric for row in rows(GOLDEN / f"{name}.csv", "program_metric")]
        assert called
        assert {each: called.count(each) for each in called} == {
            each: values for (program, each), values in compared.items() if program == name
        }


def test_programs_are_those_of_the_other_tests() -> None:
    assert {name: program.convention for name, program in FORMULA.items()}.items() <= PROGRAMS.items()


def test_the_committed_table_is_of_today(found: list[Agreement]) -> None:
    with COMMITTED.open(newline="") as file:
        committed = {(row["metric"], row["program"], row["called"]): row for row in csv.DictReader(file)}
    advice = "make it again: fusionbench metric agreement -o results/agreement/agreement.csv, and -o README.md there"
    assert {(each.metric, each.program, each.called) for each in found} == set(committed), advice
    for each in found:
        row = committed[each.metric, each.program, each.called]
        assert (int(row["values"]), row["reason"]) == (each.values, each.reason), advice
        # The last digits are this machine's.
        assert each.worst <= max(TINY, 3 * float(row["worst"])), advice


def test_a_wrong_number_is_seen(golden: Path, tmp_path: Path) -> None:
    lines = (golden / "vifb.csv").read_text().splitlines(keepends=True)
    at = next(k for k, line in enumerate(lines) if line.startswith("Entropy,EN,max,2.png,"))
    value = float(lines[at].rpartition(",")[2])
    lines[at] = f"Entropy,EN,max,2.png,{value * 1.001!r}\n"
    (tmp_path / "vifb.csv").write_text("".join(lines))
    found, _ = agreement(tmp_path, golden / "formula")
    [en] = [each for each in found if each.metric == "EN"]
    assert (en.program, en.called, en.where, en.reason) == ("vifb", "Entropy", "max/2.png", "")
    assert en.worst == pytest.approx(0.001, rel=0.01)


def test_long_tables_and_what_is_left_out(golden: Path, tmp_path: Path) -> None:
    """The form without our names, a dataset that is another one, images that are not there."""
    numbers, images = tmp_path / "numbers", tmp_path / "images"
    numbers.mkdir()
    for folder in ("ir", "vis"):
        shutil.copytree(golden / "formula" / folder, images / folder)
    shutil.copytree(golden / "formula" / "max", images / "fused" / "max")
    with (golden / "tang.csv").open(newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    text = "implementation,metric,dataset,method,image,value\n"
    for row in rows:
        text += f"tang,{row['program_metric']},formula,{row['method']},{row['image']},{row['value']}\n"
    text += "tang,EN,other,max,1.png,99\ntang,votes,formula,max,1.png,99\n"
    (numbers / "tang.csv").write_text(text)
    (numbers / "somebody.csv").write_text(text)
    found, remarks = agreement(numbers, images, dataset="formula")
    assert {each.values for each in found} <= {5, 6}
    assert max(each.worst for each in found) <= TINY
    assert any("somebody.csv" in remark for remark in remarks)
    assert any("votes of tang" in remark for remark in remarks)
    assert any("weighted/1.png" in remark for remark in remarks)


def test_forms(found: list[Agreement]) -> None:
    assert len(list(csv.DictReader(csv_text(found).splitlines()))) == len(found) == len(table(found))
    text = markdown(found)
    assert "| EN |" in text
    assert "The program computes in single precision." in text


def test_command(
    golden: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shutil.copy(golden / "vifb.csv", tmp_path)
    words = ["metric", "agreement", "--reference", str(tmp_path), "--images", str(golden / "formula"), "--quiet"]
    assert cli.main([*words, "-o", str(tmp_path / "a.md")]) == 0
    out = capsys.readouterr().out
    assert "SF " in out
    assert "| SF |" in (tmp_path / "a.md").read_text()
    assert cli.main([*words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {row["program"] for row in answer["agreement"]} == {"vifb"}
    assert cli.main([*words, "-o", str(tmp_path / "a.txt")]) == 2
    assert "end it in .csv or .md" in capsys.readouterr().err


def test_nothing_to_compare(golden: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has none of tang\.csv"):
        agreement(tmp_path, golden / "formula")
    with pytest.raises(UserError, match="name the images' folder"):
        agreement(golden, tmp_path)
