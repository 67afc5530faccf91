"""What the verbs score and metric print and write."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from layouts import Layout, folders, picture

import fusionbench as fb
from fusionbench import cli, images
from fusionbench.cli import screen
from fusionbench.cli.progress import Progress
from fusionbench.cli.screen import Cell
from fusionbench.metrics import CORE
from fusionbench.metrics.conventions import CONVENTIONS


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Two methods of three images, seen from a folder that is empty otherwise."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    found = folders(tmp_path)
    return Layout(*(path.relative_to(tmp_path) for path in found))


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    """Runs a command; gives its exit code, and the lines on stdout and stderr."""

    def run(*words: str | Path) -> tuple[int, list[str], list[str]]:
        capsys.readouterr()
        # Quiet, for on a machine that is slow or has no kernels yet there is more to say.
        code = cli.main([str(word) for word in words] + ["--quiet"] * (words[0] == "score"))
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return run


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# Files


def test_csv_is_wide_and_in_full_precision(layout: Layout, said) -> None:
    assert said("score", *layout.options, "-o", "scores.csv")[0] == 0
    text = Path("scores.csv").read_text()
    assert text.splitlines()[0] == "method,image,EN,AG,SF,SD,SCD,VIF,MI,SSIM"
    table = fb.score_folder(*layout)
    rows = read_csv(Path("scores.csv"))
    assert [(row["method"], row["image"]) for row in rows] == list(zip(table.method, table.image, strict=True))
    for row, expected in zip(rows, table.to_dict("records"), strict=True):
        for name in CORE:
            assert row[name] == repr(expected[name]) or (row[name] == "" and math.isnan(expected[name]))


def test_long_is_one_row_a_number(layout: Layout, said) -> None:
    assert said("score", *layout.options, "--metrics", "SD,EN", "--long", "-o", "scores.csv")[0] == 0
    rows = read_csv(Path("scores.csv"))
    assert list(rows[0]) == ["method", "image", "metric", "value"]
    assert [(row["method"], row["image"], row["metric"]) for row in rows[:3]] == [
        ("average", "1.png", "SD"),
        ("average", "1.png", "EN"),
        ("average", "2.png", "SD"),
    ]
    table = fb.score_folder(*layout, metrics="SD,EN")
    assert [float(row["value"]) for row in rows[:2]] == list(table.loc[0, ["SD", "EN"]])
    assert len(rows) == 2 * len(table)


def test_parquet_and_xlsx_hold_the_same(layout: Layout, said) -> None:
    table = fb.score_folder(*layout, metrics="EN,SSIM")
    assert said("score", *layout.options, "--metrics", "EN,SSIM", "-o", "s.parquet")[0] == 0
    stored = pd.read_parquet("s.parquet")
    pd.testing.assert_frame_equal(stored, table, check_exact=True)
    assert stored.attrs["metrics"] == table.attrs["metrics"]
    assert said("score", *layout.options, "--metrics", "EN,SSIM", "-o", "s.XLSX")[0] == 0
    pd.testing.assert_frame_equal(pd.read_excel("s.XLSX"), table, check_exact=True)
    assert said("score", *layout.options, "--metrics", "EN", "--long", "-o", "s.xlsx")[0] == 0
    assert list(pd.read_excel("s.xlsx").columns) == ["method", "image", "metric", "value"]


def test_a_cell_without_a_value_is_empty(layout: Layout, said) -> None:
    images.write(layout.fused / "average" / "2.png", picture(0) * 0)
    for suffix in ("csv", "parquet", "xlsx"):
        assert said("score", *layout.options, "--metrics", "EN,CC", "-o", f"s.{suffix}")[0] == 1
    assert read_csv(Path("s.csv"))[1] == {"method": "average", "image": "2.png", "EN": "0.0", "CC": ""}
    for table in (pd.read_parquet("s.parquet"), pd.read_excel("s.xlsx")):
        assert table.CC.isna().tolist() == [False, True, False, False, False, False]


def test_meta_says_how_it_was_made(layout: Layout, said) -> None:
    broken = layout.fused / "noisy" / "2.png"
    broken.write_text("no image")
    (layout.fused / "noisy" / "10.png").unlink()
    code, _, _ = said("score", *layout.options, "--convention", "tang-uint8", "-o", "my.scores.csv")
    assert code == 1
    meta = json.loads(Path("my.scores.meta.json").read_text(), parse_constant=pytest.fail)
    assert meta["fusionbench"] == fb.__version__
    assert meta["convention"]["name"] == "tang-uint8"
    assert meta["grey"] == "matlab"
    assert meta["metrics"]["SD"]["id"] == "SD/tang-uint8@1"
    assert meta["metrics"]["SD"]["parameters"]["arithmetic"] == "uint8"
    assert meta["left_out"] == ["SSIM"]
    assert meta["failures"] == [
        {
            "method": "noisy",
            "image": "2.png",
            "metric": None,
            "reason": f"'{broken}' is not an image: give a PNG, JPEG, BMP or TIFF file.",
        }
    ]
    assert meta["remarks"] == ["noisy lacks (1): 10"]
    assert meta["folders"] == {"fused": "fused", "ir": "ir", "vis": "vis"}
    files = {"ir": layout.ir / "10.png", "vis": layout.vis / "10.png"}
    for role, path in files.items():
        assert meta["inputs"][role]["10.png"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert sorted(meta["inputs"]["fused"]["noisy"]) == ["1.png"]
    assert meta["seconds"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", meta["started"])


def test_json_is_all_there_is_on_stdout(layout: Layout, said) -> None:
    images.write(layout.fused / "average" / "2.png", images.read(layout.ir / "2.png"))
    images.write(layout.vis / "2.png", images.read(layout.ir / "2.png"))
    images.write(layout.fused / "noisy" / "1.png", picture(0) * 0)
    code, out, _ = said("score", *layout.options, "--metrics", "PSNR,CC", "--json")
    assert code == 1
    result = json.loads("\n".join(out), parse_constant=pytest.fail)
    assert result["metrics"]["CC"]["id"] == "CC/standard@1"
    found = {(row["method"], row["image"]): row for row in result["scores"]}
    assert found["average", "2.png"]["PSNR"] == "inf"
    assert found["noisy", "1.png"]["CC"] is None
    assert found["noisy", "10.png"]["CC"] == fb.score_folder(*layout, metrics="CC").CC[5]
    assert result["ranking"]["pairs"] == ["1", "2", "10"]
    assert result["ranking"]["counted"] == {"PSNR": 3, "CC": 2}
    assert {each["method"] for each in result["ranking"]["methods"]} == {"average", "noisy"}


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx"])
@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_what_is_interrupted_leaves_nothing(
    moment: str, suffix: str, layout: Layout, said, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Path(f"s.{suffix}")
    target.write_text("old")
    seen: list[str] = []

    def interrupt(*_: object) -> None:
        seen.extend(path.name for path in Path().iterdir() if path.suffix == ".part")
        raise KeyboardInterrupt

    real = os.fsync if moment == "fsync" else Path.replace
    calls: list[int] = []

    def later(*words: object) -> object:
        # fsync is also called when the place is tried out and for the meta data, replace for the meta data.
        calls.append(1)
        return interrupt() if len(calls) == (3 if moment == "fsync" else 2) else real(*words)  # type: ignore[operator]

    monkeypatch.setattr(os if moment == "fsync" else Path, moment, later)
    code, _, err = said("score", *layout.options, "--metrics", "EN", "-o", target)
    assert (code, err[-1]) == (130, "fusionbench: stopped.")
    assert target.read_text() == "old"
    assert len(seen) == 1
    assert seen[0].startswith(".")
    assert not list(Path().glob(".*"))


def test_scores_are_written_before_they_are_shown(layout: Layout, said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusionbench.cli.score.show", lambda *_: 1 / 0)
    assert said("score", *layout.options, "--metrics", "EN", "-o", "s.csv")[0] == 70
    assert len(read_csv(Path("s.csv"))) == 6


# The screen


def test_methods_are_ranked(layout: Layout, said) -> None:
    code, out, err = said("score", *layout.options, "--metrics", "EN,MSE,SSIM", "-o", "s.csv")
    assert (code, err) == (0, [])
    assert out[0].split() == ["method", "rank", "EN↑", "MSE↓", "SSIM↑"]
    table = fb.score_folder(*layout, metrics="EN,MSE,SSIM").groupby("method").mean(numeric_only=True)
    ranks = pd.DataFrame({name: table[name].rank(ascending=name == "MSE") for name in table}).mean(axis=1)
    shown = [line.split() for line in out[2:4]]
    assert [line[0] for line in shown] == list(ranks.sort_values().index)
    for method, rank, *means in shown:
        assert float(rank) == pytest.approx(ranks[method], rel=1e-3)
        assert [float(mean) for mean in means] == pytest.approx(list(table.loc[method]), rel=1e-3)
    text = " ".join(out[4:])
    assert "Means over 3 images; rank is the mean rank over the metrics." in text
    assert f"Convention standard: {CONVENTIONS['standard'].title}." in text
    assert "Written to s.csv and, with how it was made, s.meta.json." in text


def test_methods_are_compared_on_what_all_have(layout: Layout, said) -> None:
    (layout.fused / "noisy" / "2.png").unlink()
    code, out, err = said("score", *layout.options, "--metrics", "EN")
    assert (code, err) == (0, ["noisy lacks (1): 2"])
    assert "Means over the 2 images that all 2 methods have (average has 1 more)" in " ".join(out)
    table = fb.score_folder(*layout, metrics="EN")
    expected = table[table.image != "2.png"].groupby("method").EN.mean()
    for line in out[2:4]:
        method, _, mean = line.split()
        assert float(mean) == pytest.approx(expected[method], rel=1e-3)


def test_methods_without_a_common_image_are_not_ranked(layout: Layout, said) -> None:
    for name in ("1", "2"):
        (layout.fused / "noisy" / f"{name}.png").unlink()
    (layout.fused / "average" / "10.png").unlink()
    _, out, _ = said("score", *layout.options, "--metrics", "EN")
    assert out[0].split() == ["method", "images", "EN↑"]
    assert [line.split()[:2] for line in out[2:4]] == [["average", "2"], ["noisy", "1"]]
    assert "No image is common to all 2 methods: each mean is over the method's own images" in " ".join(out)


def test_metrics_without_every_value_say_how_many_count(layout: Layout, said) -> None:
    images.write(layout.fused / "noisy" / "2.png", picture(0) * 0)
    code, out, err = said("score", *layout.options, "--metrics", "EN,CC")
    assert code == 1
    assert "Over fewer images, for want of a value: CC 2." in " ".join(out)
    assert err[0] == "Of 6 fused images, 1 lacks a value:"
    assert err[1].startswith("  CC of noisy/2.png: ")


def test_what_a_convention_lacks_is_said(layout: Layout, said) -> None:
    _, out, _ = said("score", *layout.options, "--convention", "tang-uint8")
    assert "It does not define SSIM, left out here." in out
    assert CONVENTIONS["tang-uint8"].note in " ".join(out)


def test_one_method_shows_its_images(layout: Layout, said) -> None:
    code, out, _ = said("score", layout.fused / "noisy", *layout.options[1:], "--metrics", "EN")
    assert code == 0
    assert [line.split()[0] for line in out[2:6]] == ["1.png", "2.png", "10.png", "mean"]
    table = fb.score_folder(layout.fused / "noisy", layout.ir, layout.vis, metrics="EN")
    shown = [float(line.split()[1]) for line in out[2:6]]
    assert shown == pytest.approx([*table.EN, table.EN.mean()], rel=1e-3)
    assert "3 images of noisy." in out


def test_many_images_of_one_method_are_a_mean(layout: Layout, said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusionbench.cli.score._FEW", 2)
    _, out, _ = said("score", layout.fused / "noisy", *layout.options[1:], "--metrics", "EN")
    assert out[2].startswith("mean ")
    assert out[3] == ""
    assert "3 images of noisy." in out


def test_one_image_shows_its_values(layout: Layout, said) -> None:
    file = layout.fused / "noisy" / "2.png"
    code, out, err = said(
        "score", file, "--ir", layout.ir / "2.png", "--vis", layout.vis / "2.png", "--metrics", "EN,SD"
    )
    assert (code, err) == (0, [])
    expected = fb.score(file, layout.ir / "2.png", layout.vis / "2.png", "EN,SD")
    assert out[2].split() == ["2.png", *map(screen.number, expected.values())]
    assert out[3] == ""


def test_eleven_methods_fit_into_a_hundred_columns(tmp_path: Path, said, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = folders(tmp_path, [f"Method-{k}" for k in range(11)], ["1"])
    monkeypatch.setenv("COLUMNS", "100")
    _, out, _ = said("score", *layout.options)
    assert max(map(len, out)) <= 100
    assert out[0].split() == ["method", "rank", *(f"{name}↑" for name in CORE)]
    assert len(out[:13]) == 13
    assert out[13] == ""


def test_a_narrow_terminal_gets_several_tables(layout: Layout, said, monkeypatch: pytest.MonkeyPatch) -> None:
    _, wide, _ = said("score", *layout.options)
    monkeypatch.setenv("COLUMNS", "40")
    _, narrow, _ = said("score", *layout.options)
    assert max(map(len, narrow)) <= 40
    parts = [line.split() for line in narrow if line.startswith("method")]
    assert len(parts) > 1
    assert [part[:2] for part in parts] == [["method", "rank"]] * len(parts)
    assert [name for part in parts for name in part[2:]] == wide[0].split()[2:]
    shown = [line.split() for line in narrow if line.startswith("noisy")]
    assert [cell for line in shown for cell in line[2:]] == next(x for x in wide if x.startswith("noisy")).split()[2:]


def test_best_is_bold_and_second_underlined() -> None:
    rows = [[Cell("a"), Cell("1.000", 2)], [Cell("b"), Cell("22.00", 1)], [Cell("中文"), Cell("-")]]
    lines = list(screen.table(["method", "EN↑"], rows))
    assert lines[0] == "method    EN↑"
    assert "\x1b[4m1.000\x1b[0m" in lines[2]
    assert "\x1b[1m22.00\x1b[0m" in lines[3]
    assert lines[4] == "中文        -"


def test_an_awkward_terminal_still_shows_every_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "5")
    lines = list(screen.table(["method", "EN↑", "SD↑"], [[Cell("a long name"), Cell("1.000"), Cell("2.000")]]))
    assert [line.split()[-1] for line in lines if line.startswith("a long name")] == ["1.000", "2.000"]


def test_the_same_reason_is_one_line(layout: Layout, said) -> None:
    (layout.vis / "2.png").write_text("no image")
    code, out, err = said("score", *layout.options, "--metrics", "EN")
    assert code == 1
    assert err[0] == "Of 6 fused images, 2 could not be scored:"
    assert err[1] == (
        "  2 images (average/2.png, noisy/2.png): 'vis/2.png' is not an image: give a PNG, JPEG, BMP or TIFF file."
    )
    assert len(err) == 2
    assert "Means over 2 images" in " ".join(out)


def test_long_lists_are_cut_on_the_screen_and_whole_in_the_file(tmp_path: Path, said) -> None:
    layout = folders(tmp_path, ["a"], ["1"])
    for k in range(500):
        (layout.ir / f"spare{k}.png").touch()
    code, _, err = said("score", *layout.options, "--metrics", "EN", "-o", tmp_path / "s.csv")
    assert code == 0
    [line] = [line for line in err if "without a visible partner" in line]
    assert line.startswith("Infrared images without a visible partner (500): spare0.png, ")
    assert line.endswith(" ...")
    assert len(line) <= 400
    meta = json.loads((tmp_path / "s.meta.json").read_text())
    assert any("spare499.png" in remark for remark in meta["remarks"])


# Progress


def test_progress_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with Progress("Scoring", "images") as progress:
        for clock[0], done in ((4.9, 10), (6.0, 12), (8.0, 20), (11.1, 30)):
            progress(done, 120)
    assert capsys.readouterr() == (
        "",
        "Scoring: 12 of 120 images, 2 images/s, 54 s left\nScoring: 30 of 120 images, 2.7 images/s, 33 s left\n",
    )


def test_progress_is_a_bar_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("fusionbench.cli.progress._PATIENCE", -1.0)
    with Progress("Scoring", "images") as progress:
        progress(0, 7)
        progress(5, 7)
    text = capsys.readouterr().err
    assert "Scoring" in text
    assert "5/7" in text
    assert "images/s" in text


def test_compilation_is_announced_unless_quiet(
    layout: Layout, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def telling(notice: Callable[[str], None] | None) -> Iterator[None]:
        if notice:
            notice("Compiling.")
        yield

    monkeypatch.setattr("fusionbench.scoring.telling_of_compilation", telling)
    assert cli.main(["score", *layout.options, "--metrics", "EN"]) == 0
    assert capsys.readouterr().err == "Compiling.\n"
    assert cli.main(["score", *layout.options, "--metrics", "EN", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_quiet_shows_no_progress(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusionbench.cli.progress._BETWEEN_LINES", -1.0)
    with Progress("Scoring", "images", quiet=True) as progress:
        progress(1, 2)
    assert capsys.readouterr() == ("", "")
    with Progress("Scoring", "images") as progress:
        progress(1, 2)
    assert capsys.readouterr().err.startswith("Scoring: 1 of 2 images")


# The verb metric


def test_metric_list_has_them_all(said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = said("metric", "list")
    assert (code, err) == (0, [])
    assert max(map(len, out)) <= 80
    names = [line.partition(" ")[0] for line in out]
    for name in fb.metrics.available():
        assert name + "*" * (name in CORE) + "+" * (name == "LPIPS") in names
    for name, whose in CONVENTIONS.items():
        assert f"{name} " in "\n".join(out)
        assert whose.title.split()[0] in "\n".join(out)


def test_metric_list_as_json(said) -> None:
    _, out, _ = said("metric", "list", "--json")
    found = json.loads("\n".join(out), parse_constant=pytest.fail)
    assert [each["name"] for each in found] == fb.metrics.available()
    for each in found:
        assert set(each["conventions"]) == {
            name for name, whose in CONVENTIONS.items() if each["name"] in whose.metrics
        }
        assert each["better"] in ("higher", "lower")


@pytest.mark.parametrize("name", fb.metrics.available())
def test_every_metric_is_explained(name: str, said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = said("metric", "info", name)
    assert (code, err) == (0, [])
    assert max(map(len, out)) <= 80
    assert out[0].startswith(f"{name}: ")
    text = " ".join(" ".join(out).split())
    for heading in ("Formula", "Standard", "Undefined", "Source"):
        assert f" {heading} " in text
    for convention, whose in CONVENTIONS.items():
        assert f" {convention} {whose.luma} " in text
        for key, value in whose.metrics.get(name, {}).items():
            assert f"{key}={value!r}" in text

    _, out, _ = said("metric", "info", name, "--json")
    found = json.loads("\n".join(out), parse_constant=pytest.fail)
    assert found["name"] == name
    for convention, whose in CONVENTIONS.items():
        assert (found["conventions"][convention] is None) == (name not in whose.metrics)


def test_an_unknown_metric_is_not_explained(said) -> None:
    code, out, err = said("metric", "info", "SIMM")
    assert (code, out, len(err)) == (2, [], 1)
    assert err[0].startswith("fusionbench: Unknown metric 'SIMM': did you mean SSIM")
