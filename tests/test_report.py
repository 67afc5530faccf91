"""The page that `fusionbench report` makes: what is in it, that names cannot break it, and that it fits its budget."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import Layout, folders, picture
from PIL import Image

from fusionbench import cli, images, tables
from fusionbench.metrics import METRICS
from fusionbench.metrics.ssim import structural_similarity_map
from fusionbench.metrics.triple import Triple
from fusionbench.report import album, page, provenance, scenes, svg
from fusionbench.report.panels import panels_of
from fusionbench.report.scenes import Folders
from fusionbench.types import UserError

NASTY = "</script><script>alert('&amp;')</script>"
NAMES = ("1", "2", "10")


def scores(methods: Sequence[str], pairs: Sequence[str] = NAMES, **columns: str) -> pd.DataFrame:
    """Made-up numbers: EN grows with the place of the method, MSE too, SSIM falls."""
    rng = np.random.default_rng(0)
    rows = []
    for place, method in enumerate(methods):
        for pair in pairs:
            noise = rng.uniform(0, 0.01)
            values = {"EN": 6 + 0.1 * place + noise, "SSIM": 0.9 - 0.1 * place + noise, "MSE": 10.0 + place + noise}
            rows.append({"method": method, "pair": pair, **columns, **values})
    return pd.DataFrame(rows)


class Elements(HTMLParser):
    """Elements of a page with their attributes and, for those that hold text alone, their text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), []))
        self._open = True

    def handle_endtag(self, tag: str) -> None:
        self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.found[-1][2].append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, "".join(text)) for name, attributes, text in self.found if name == tag]


def made(table: tables.Table, path: Path, **options: Any) -> tuple[Elements, str]:
    page.write(table, path, **options)
    text = path.read_text("utf-8")
    return Elements(text), text


def data_of(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found.group(1))


def decoded(url: str) -> np.ndarray:
    head, _, body = url.partition(",")
    assert head == "data:image/webp;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return folders(tmp_path / "images", names=NAMES)


def where(layout: Layout) -> dict[str, list[Folders]]:
    return {"": [Folders(layout.ir, layout.vis, layout.fused)]}


# The page


def test_names_are_shown_and_never_run(tmp_path: Path) -> None:
    frame = scores([NASTY, "plain", '"><img src=x onerror=alert(1)>'], dataset="<b>TNO</b> & co", convention="<i>")
    elements, text = made(tables.read(frame), tmp_path / "r.html", title="<u>title</u>")
    assert len(elements.all("script")) == 2
    assert not elements.all("img")
    assert not elements.all("b")
    assert not elements.all("u")
    assert NASTY not in text
    shown = [attributes["title"] for attributes, _ in elements.all("th") if "title" in attributes]
    assert NASTY in shown
    assert [said for _, said in elements.all("h1")] == ["<u>title</u>"]
    assert data_of(text)["methods"][0] == NASTY


def test_everything_is_inside_and_nothing_else_may_run(tmp_path: Path, layout: Layout) -> None:
    elements, _ = made(tables.read(scores(["average", "noisy"])), tmp_path / "r.html", folders=where(layout))
    [policy] = [a["content"] for a, _ in elements.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    [(_, style)] = elements.all("style")
    [script] = [said for attributes, said in elements.all("script") if "type" not in attributes]
    for source in (style, script):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'" in policy
    for tag, attributes, _ in elements.found:
        assert "style" not in attributes
        for name in ("src", "href"):
            value = attributes.get(name) or ""
            assert not value or value.startswith(("#", "data:")), (tag, value)
        assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in style
    assert "@import" not in style


def test_same_input_same_bytes(tmp_path: Path, layout: Layout) -> None:
    table = tables.read(scores(["average", "noisy"]))
    one, other = tmp_path / "one.html", tmp_path / "other.html"
    page.write(table, one, folders=where(layout), workers=3)
    page.write(table, other, folders=where(layout), workers=1)
    assert one.read_bytes() == other.read_bytes()
    assert not list(tmp_path.glob(".*"))


# The leaderboard


def test_best_first_with_marks_and_directions() -> None:
    [panel] = panels_of(tables.read(scores(["a", "b", "c"])))
    assert [(column.name, column.better) for column in panel.columns] == [
        ("EN", "higher"),
        ("SSIM", "higher"),
        ("MSE", "lower"),
    ]
    # a is best in SSIM and MSE, c in EN.
    assert [line.method for line in panel.lines] == ["a", "b", "c"]
    assert [[cell.place for cell in line.cells] for line in panel.lines] == [
        ["", "best", "best"],
        ["second"] * 3,
        ["best", "", ""],
    ]
    assert [line.rank.text for line in panel.lines] == ["1.667", "2.000", "2.333"]
    assert [column.groups for column in panel.columns] == ["all core fused", "all core sources", "all sources"]


def test_cells_sort_by_full_numbers() -> None:
    frame = pd.DataFrame({"method": ["a", "b"], "pair": "1", "PSNR": [np.inf, 30.123456789], "EN": [np.nan, 7.0]})
    [panel] = panels_of(tables.read(frame))
    cells = {line.method: line.cells for line in panel.lines}
    assert [cell.value for cell in cells["a"]] == ["Infinity", ""]
    assert [cell.text for cell in cells["a"]] == ["inf", "-"]
    assert cells["b"][0].value == "30.123456789"


def test_one_method_and_no_common_image_are_not_ranked() -> None:
    [alone] = panels_of(tables.read(scores(["a"])))
    assert not alone.ranked
    assert not alone.comparisons
    frame = pd.DataFrame({"method": ["a", "b"], "pair": ["1", "2"], "EN": [6.0, 7.0]})
    [apart] = panels_of(tables.read(frame))
    assert not apart.ranked
    assert "No image is common" in apart.notes[1]


def test_datasets_and_conventions_each_have_a_panel() -> None:
    parts = [scores(["a", "b"], dataset=d, convention=c) for d in ("x", "y") for c in ("p", "q")]
    panels = panels_of(tables.read(pd.concat(parts)))
    assert [(panel.key, panel.convention) for panel in panels] == [
        (key, convention) for key in ("all", "0", "1") for convention in ("p", "q")
    ]
    assert panels[0].title == "All datasets, p"
    assert all(panel.across for panel in panels)


def test_missing_images_are_said() -> None:
    frame = scores(["a", "b"]).iloc[:-1]
    [panel] = panels_of(tables.read(frame))
    assert "2 images that all 2 methods have (a has 1 more)" in panel.notes[1]


def test_definitions_are_those_of_the_table_or_nobodys() -> None:
    frame = scores(["a"], convention="vifb").drop(columns="EN").assign(Votes=1.0)
    [known] = provenance.definitions(tables.read(frame, higher=["Votes"]))
    assert known.title == "vifb: VIFB (Zhang et al. 2020)"
    assert [entry.id for entry in known.entries] == ["SSIM/vifb@1", "MSE, Votes"]
    assert 'aggregate = "sum"' in known.entries[0].parameters
    [unknown] = provenance.definitions(tables.read(scores(["a"], convention="theirs")))
    assert [entry.id for entry in unknown.entries] == ["EN, SSIM, MSE"]
    assert unknown.entries[0].formula == ""


# The images


def test_images_are_those_of_the_scene(tmp_path: Path, layout: Layout) -> None:
    _, text = made(tables.read(scores(["average", "noisy"])), tmp_path / "r.html", folders=where(layout))
    data = data_of(text)
    assert [scene["pair"] for scene in data["scenes"]] == ["1", "2", "10"]
    last = data["scenes"][2]
    assert set(last["urls"]) == {"ir", "vis", "fused:average", "fused:noisy"}
    ir = images.read(layout.ir / "10.png").astype(float)
    assert np.abs(decoded(last["urls"]["ir"])[..., 0] - ir).mean() < 4
    other = images.read(layout.ir / "1.png").astype(float)
    assert np.abs(decoded(last["urls"]["ir"])[..., 0] - other).mean() > 20


def test_scores_below_the_images_are_of_every_method(tmp_path: Path, layout: Layout) -> None:
    frame = scores(["average", "elsewhere", "noisy"]).drop(index=0)
    _, text = made(tables.read(frame), tmp_path / "r.html", folders=where(layout))
    under = data_of(text)["scores"][""]["unknown"]
    assert [metric["name"] for metric in under["metrics"]] == ["EN", "SSIM", "MSE"]
    order = data_of(text)["methods"]
    rows = dict(zip(order, under["pairs"]["1"], strict=True))
    assert rows["average"] is None
    expected = frame[(frame["method"] == "noisy") & (frame["pair"] == "1")].iloc[0]
    assert rows["noisy"] == pytest.approx([expected["EN"], expected["SSIM"], expected["MSE"]], rel=1e-5)


def test_map_is_the_mean_ssim_of_both_sources(tmp_path: Path, layout: Layout) -> None:
    _, text = made(
        tables.read(scores(["average", "noisy"])), tmp_path / "r.html", folders=where(layout), assets=tmp_path / "a"
    )
    url = data_of(text)["scenes"][0]["maps"]["noisy"]
    shown = np.asarray(Image.open(tmp_path / url))[..., 0]
    planes = [images.read(path / "1.png") for path in (layout.ir, layout.vis, layout.fused / "noisy")]
    triple = Triple.of(*planes)
    mean = (structural_similarity_map(triple, "ir") + structural_similarity_map(triple, "vis")) / 2
    assert np.array_equal(shown, np.floor(255 * np.clip(mean, 0, 1) + 0.5))


def test_assets_are_linked_without_loss(tmp_path: Path, layout: Layout) -> None:
    (tmp_path / "out").mkdir()
    target, beside = tmp_path / "out" / "r.html", tmp_path / "my #1 images"
    _, text = made(tables.read(scores(["average", "noisy"])), target, folders=where(layout), assets=beside, maps=False)
    urls = data_of(text)["scenes"][1]["urls"]
    assert urls["ir"].startswith("../my%20%231%20images/")
    shown = np.asarray(Image.open(beside / Path(urls["fused:noisy"]).name))
    assert np.array_equal(shown[..., 0], images.read(layout.fused / "noisy" / "2.png"))
    assert "data:image" not in text
    assert len(list(beside.iterdir())) == 12


def big(root: Path, scenes_wanted: int = 6) -> Layout:
    """Noise compresses badly, so that it needs a budget."""
    layout = Layout(root / "fused", root / "ir", root / "vis")
    for folder in (layout.ir, layout.vis, layout.fused / "a"):
        folder.mkdir(parents=True)
        for k in range(scenes_wanted):
            images.write(folder / f"{k}.png", picture(k, 120, 1100))
    return layout


def test_budget_is_kept_by_smaller_images_then_by_fewer(tmp_path: Path) -> None:
    layout = big(tmp_path / "big")
    table = tables.read(scores(["a"], [str(k) for k in range(6)]))
    sizes = []
    for mb in (4.0, 0.3, 0.1):
        done = page.write(table, tmp_path / "r.html", folders=where(layout), max_mb=mb, maps=False)
        assert (tmp_path / "r.html").stat().st_size == done.size <= mb * 1e6
        sizes.append((done.side, done.scenes))
    assert sizes[0] == (1024, 6)
    assert sizes[1][0] is not None
    assert sizes[1][0] < 1024
    assert sizes[2][0] == album.SIDES[-1]
    assert 0 < sizes[2][1] < 6
    assert f"{sizes[2][1]} of 6 scenes are shown" in done.remarks[0]
    shown = decoded(data_of((tmp_path / "r.html").read_text())["scenes"][0]["urls"]["ir"])
    assert max(shown.shape) == album.SIDES[-1]


def test_what_cannot_fit_is_refused(tmp_path: Path) -> None:
    layout = big(tmp_path / "big", 1)
    table = tables.read(scores(["a"], ["0"]))
    found, _ = scenes.find("", where(layout)[""][0], {"0"}, {"a"})
    with pytest.raises(UserError, match="not a single scene"):
        album.embed(found, 500)
    for mb, said in ((0.001, "without any image"), (-1, "holds nothing")):
        with pytest.raises(UserError, match=said):
            page.write(table, tmp_path / "r.html", folders=where(layout), max_mb=mb)
    with pytest.raises(UserError, match="The page has"):
        page.write(table, tmp_path / "r.html", folders=where(layout), max_mb=0.001, assets=tmp_path / "a")
    assert not (tmp_path / "r.html").exists()


def test_images_that_cannot_be_shown_are_named(tmp_path: Path, layout: Layout) -> None:
    (layout.fused / "noisy" / "2.png").write_bytes(b"")
    images.write(layout.fused / "noisy" / "10.png", picture(3, 20, 20))
    done = page.write(tables.read(scores(["average", "noisy"])), tmp_path / "r.html", folders=where(layout))
    assert any("2.png' is empty" in remark for remark in done.remarks)
    assert any("10.png' is not shown: it has another size" in remark for remark in done.remarks)
    listed = data_of((tmp_path / "r.html").read_text())["scenes"]
    assert ["fused:noisy" in scene["urls"] for scene in listed] == [True, False, False]


def test_nothing_but_damaged_images(tmp_path: Path, layout: Layout) -> None:
    for path in [*layout.ir.iterdir(), *layout.vis.iterdir(), *layout.fused.glob("*/*")]:
        path.write_bytes(b"")
    done = page.write(tables.read(scores(["average", "noisy"])), tmp_path / "r.html", folders=where(layout))
    assert len(done.remarks) == 12
    assert all("is empty" in remark for remark in done.remarks)


def test_what_does_not_match_is_said(layout: Layout) -> None:
    found, remarks = scenes.find("", Folders(layout.ir, layout.vis, layout.fused), {"1", "7"}, {"average", "other"})
    assert [(scene.pair, set(scene.fused)) for scene in found] == [("1", {"average"})]
    assert "Methods of the table without images (1): other" in remarks
    assert "Images of the table without files (1): 7" in remarks
    assert "Folders of methods that the table does not have (1): noisy" in remarks


# Charts


def test_chart_escapes_and_says_what_it_shows() -> None:
    drawn = svg.whiskers([svg.Whisker(NASTY, 1.0, 0.5, 1.5), svg.Whisker("b", 2.0)], title=NASTY, axis="<rank>")
    assert "<script" not in drawn
    parsed = Elements(drawn)
    [(attributes, _)] = parsed.all("svg")
    assert attributes["role"] == "img"
    assert attributes["aria-label"] == NASTY
    [dots] = [[float(str(a["cx"])) for a, _ in parsed.all("circle")]]
    assert dots[0] < dots[1]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8)), max_size=12))
def test_bars_side_by_side_never_overlap(drawn: list[tuple[int, int]]) -> None:
    groups = [(start, start + length) for start, length in drawn]
    lanes = svg._lanes(groups)
    assert sorted(bar for lane in lanes for bar in lane) == sorted(groups)
    for lane in lanes:
        covered = [row for first, last in lane for row in range(first, last + 1)]
        assert len(covered) == len(set(covered))


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_scale_keeps_its_ends_and_has_round_ticks(a: float, b: float) -> None:
    scale = svg._Scale.over([a, b], 100, 600)
    assert 100 <= scale(a) <= 600
    assert 100 <= scale(b) <= 600
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 7
    assert all(100 - 1e-6 <= scale(tick) <= 600 + 1e-6 for tick in ticks)


@given(st.text(max_size=60))
def test_long_names_are_cut_to_their_room(name: str) -> None:
    cut = svg._cut(name, 120)
    assert svg._pixels(cut) <= 120
    assert cut == name or (cut.endswith("…") and name.startswith(cut[:-1]))


def test_single_values_and_equal_ones_are_drawn() -> None:
    assert "nan" not in svg.whiskers([svg.Whisker("a", 0.0)], title="t", axis="x")
    assert "nan" not in svg.boxes([svg.Box("a", (3.0,) * 5, 3.0)], title="t", axis="x")
    assert "–" in svg.matrix(["a", "b"], [[1.0, float("nan")], [float("nan"), 1.0]], title="t")


# The command


@pytest.fixture
def here(tmp_path: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with scores, and a file beside them that says how they were made."""
    monkeypatch.chdir(tmp_path)
    frame = scores(["average", "noisy"]).rename(columns={"pair": "image"})
    frame.to_csv("scores.csv", index=False)
    meta = {
        "fusionbench": "0.9",
        "made_with": {"numpy": "9.9"},
        "convention": {"name": "tang"},
        "metrics": {"EN": {"id": "EN/tang@7", "parameters": {"log_base": 2.0}, "better": "higher"}},
        "failures": [{"method": "noisy", "image": "9.png", "metric": None, "reason": "'9.png' is <empty>."}],
        "remarks": ["noisy lacks (1): 9"],
        "folders": {"fused": "images/fused", "ir": "images/ir", "vis": "images/vis"},
        "inputs": {"ir": {"1.png": "ab"}, "vis": {"1.png": "cd"}},
    }
    Path("scores.meta.json").write_text(json.dumps(meta))
    return tmp_path


def test_command_finds_the_images_that_the_scores_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "scores.csv", "--json", "--title", "My page"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["page"] == "report.html"
    assert said["scenes"] == 3
    text = Path("report.html").read_text()
    assert said["bytes"] == len(text.encode())
    elements = Elements(text)
    assert elements.all("title")[0] == ({}, "My page")
    facts = [said for _, said in elements.all("dd")]
    assert "fusionbench 0.9, numpy 9.9" in facts
    assert any(re.fullmatch(r"SHA-256 [0-9a-f]{16} of 2 input files", fact) for fact in facts)
    assert "noisy/9.png: '9.png' is <empty>." in [said for _, said in elements.all("li")]
    assert "EN/tang@7" in [said for _, said in elements.all("dt")]
    assert METRICS["EN"].card.formula in [said for _, said in elements.all("code")]


def test_images_that_moved_are_asked_for(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "images").rename(here / "moved")
    assert cli.main(["report", "scores.csv", "-o", "r.html"]) == 0
    out, err = capsys.readouterr()
    assert "no images" in out
    assert "'images/ir', which scores.csv names, is not there" in " ".join(err.split())
    options = ["--ir", "moved/ir", "--vis", "moved/vis", "--fused", "moved/fused"]
    assert cli.main(["report", "scores.csv", "-o", "r.html", *options]) == 0
    assert "3 scenes" in capsys.readouterr().out


def test_mistakes_are_one_sentence(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.concat([scores(["a"], dataset=name) for name in ("x", "y")]).to_csv("two.csv", index=False)
    wrong = {
        ("scores.csv", "--ir", "images/ir"): "--vis and --fused must be given",
        ("scores.csv", "-o", "nowhere/r.html"): "its folder does not exist",
        ("scores.csv", "-o", "."): "is a folder",
        ("scores.csv", "-o", "r.pdf"): "'r.pdf' does not end as a page does: call it .html.",
        ("two.csv", "--ir", "images/ir"): "--ir x=images/ir or --ir y=images/ir",
        ("two.csv", "--ir", "x=a", "--ir", "x=b"): "given twice",
        ("scores.csv", "--max-mb", "0"): "more than 0",
        ("nothing.csv",): "nothing.csv",
    }
    for words, expected in wrong.items():
        assert cli.main(["report", *words]) == 2
        out, err = capsys.readouterr()
        assert not out
        assert expected in err
        assert err.count("\n") == 1
    assert not Path("report.html").exists()


def test_images_of_one_of_several_datasets(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.concat([scores(["average"], dataset=name) for name in ("x", "y")]).to_csv("two.csv", index=False)
    options = ["--ir", "y=images/ir", "--vis", "y=images/vis", "--fused", "y=images/fused"]
    assert cli.main(["report", "two.csv", "--quiet", *options]) == 0
    data = data_of(Path("report.html").read_text())
    assert {scene["dataset"] for scene in data["scenes"]} == {"y"}
    assert set(data["scores"]) == {"y"}
