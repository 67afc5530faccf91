"""The report in a real browser: what a reader clicks, drags and types does what it says, and the console stays silent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import Browser, executable
from layouts import folders

from fusionbench import tables
from fusionbench.report import page
from fusionbench.report.scenes import Folders

METHODS = (
    "<script>window.pwned = 1",
    "A method whose name goes on for longer than anybody would have thought WWWWW",
    "average",
    "noisy",
    "融合方法",
)
SCENES = ("1", "2", "3", "7", "10", "11")
ROWS = ".panel:not([hidden]) .ranking tbody tr:not([hidden])"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of two datasets and two conventions; one dataset has images."""
    root = tmp_path_factory.mktemp("report")
    layout = folders(root / "images", METHODS, SCENES)
    rng = np.random.default_rng(1)
    rows = [
        {
            "dataset": dataset,
            "pair": pair,
            "method": method,
            "convention": convention,
            "EN": 6 + 0.2 * place + rng.uniform(0, 0.3),
            "SSIM": 0.9 - 0.1 * place + rng.uniform(0, 0.1),
            "MSE": [5.0, 100.0, 30.0, 20.0, 1000.0][place] + rng.uniform(0, 1),
        }
        for dataset in ("streets", "<i>other</i>")
        for convention in ("standard", "vifb")
        for pair in SCENES
        for place, method in enumerate(METHODS)
    ]
    table = tables.read(pd.DataFrame(rows))
    places = {"streets": [Folders(layout.ir, layout.vis, layout.fused)]}
    page.write(table, root / "report.html", folders=places)
    return root / "report.html"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = executable()
    if program is None:
        pytest.skip("no Chromium is installed")
    browser = Browser(program)
    yield browser
    browser.close()


@pytest.fixture
def reader(chromium: Browser, written: Path) -> Iterator[Browser]:
    """A browser that has just opened the page; whatever is done with it, nothing may go wrong in silence."""
    chromium.complaints.clear()
    chromium.requests.clear()
    chromium.prefer("light")
    chromium.open(written)
    yield chromium
    assert chromium.complaints == []
    assert chromium.requests == [written.resolve().as_uri()]
    assert chromium.ask("window.pwned === undefined && document.querySelectorAll('main script').length === 0")


def methods(reader: Browser) -> list[str]:
    return reader.ask(f"[...document.querySelectorAll({json.dumps(ROWS)})].map((row) => row.dataset.method)")


def choose(reader: Browser, selector: str, value: str) -> None:
    reader.ask(
        f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(value)};"
        " for (const kind of ['input', 'change']) e.dispatchEvent(new Event(kind, {bubbles: true})); })()"
    )


def heading(reader: Browser, name: str) -> str:
    """A selector of the button above a column of the table that is shown."""
    place = reader.ask(
        "[...document.querySelectorAll('.panel:not([hidden]) .ranking thead th')]"
        f".findIndex((head) => head.textContent.startsWith({json.dumps(name)}))"
    )
    assert place >= 0
    return f".panel:not([hidden]) .ranking thead th:nth-child({place + 1}) button"


# Leaderboard


def test_columns_sort_by_number_best_first_then_the_other_way(reader: Browser) -> None:
    reader.click(heading(reader, "MSE"))
    best_first = [METHODS[place] for place in (0, 3, 2, 1, 4)]
    assert methods(reader) == best_first
    reader.click(heading(reader, "MSE"))
    assert methods(reader) == best_first[::-1]
    reader.click(heading(reader, "EN"))
    assert methods(reader) == list(METHODS)[::-1]
    sorted_by = "[...document.querySelectorAll('.panel:not([hidden]) .ranking th[aria-sort]')].map(h => h.textContent)"
    assert reader.ask(sorted_by) == ["EN↑"]


def test_keyboard_sorts(reader: Browser) -> None:
    reader.ask(f"document.querySelector({json.dumps(heading(reader, 'method'))}).focus()")
    reader.key("Enter")
    assert methods(reader)[-1] == "融合方法"
    reader.key("Enter")
    assert methods(reader)[0] == "融合方法"


def test_filters(reader: Browser) -> None:
    assert len(methods(reader)) == 5
    reader.click("#filters input[name=method]")
    reader.type("AVER")
    assert methods(reader) == ["average"]
    reader.type("zzz")
    assert methods(reader) == []
    assert reader.ask("!document.querySelector('.panel:not([hidden]) .none').hidden")
    choose(reader, "#filters input[name=method]", "")
    shown = "[...document.querySelectorAll('.panel:not([hidden]) .ranking th[data-groups]:not([hidden])')].length"
    assert reader.ask(shown) == 3
    choose(reader, "#filters select[name=group]", "fused")
    assert reader.ask(shown) == 1
    cells = "[...document.querySelectorAll('.panel:not([hidden]) .ranking td[data-groups]:not([hidden])')].length"
    assert reader.ask(cells) == 5


def test_dataset_and_convention_choose_the_board(reader: Browser) -> None:
    title = "[...document.querySelectorAll('.panel:not([hidden]) > h3:first-child')].map(h => h.textContent)"
    assert reader.ask(title) == ["All datasets, standard"]
    choose(reader, "#filters select[name=dataset]", "1")
    choose(reader, "#filters select[name=convention]", "vifb")
    assert reader.ask(title) == ["<i>other</i>, vifb"]


def test_spread_of_a_chosen_metric(reader: Browser) -> None:
    shown = "[...document.querySelectorAll('.panel:not([hidden]) figure[data-metric]:not([hidden])')].map(f => f.dataset.metric)"
    assert reader.ask(shown) == ["EN"]
    choose(reader, ".panel:not([hidden]) select.spread", "MSE")
    assert reader.ask(shown) == ["MSE"]


# Images


def state(reader: Browser) -> tuple[float, float, float]:
    return tuple(
        reader.ask(
            "['--zoom', '--x', '--y'].map(n => Number(document.querySelector('#viewer').style.getPropertyValue(n)))"
        )
    )


def cut(reader: Browser) -> float:
    """Where the left image ends, as it is drawn, in percent of the width."""
    return reader.ask(
        "(() => { const b = document.querySelector('#compare').getBoundingClientRect();"
        " const d = document.querySelector('#compare .divider').getBoundingClientRect();"
        " return 100 * (d.left + 1 - b.left) / b.width; })()"
    )


def test_divider_follows_the_mouse_and_the_keys(reader: Browser) -> None:
    assert cut(reader) == pytest.approx(50, abs=0.5)
    x, y = reader.middle("#compare")
    width = reader.ask("document.querySelector('#compare').clientWidth")
    reader.drag((x, y), (x + 0.25 * width, y))
    assert cut(reader) == pytest.approx(75, abs=0.5)
    assert float(reader.ask("document.querySelector('#slide').value")) == pytest.approx(75, abs=0.5)
    clip = reader.ask("getComputedStyle(document.querySelector('#compare .front')).clipPath")
    assert clip.startswith(("inset(0px 25%", "inset(0px calc(25%"))
    reader.key("ArrowLeft")
    assert cut(reader) == pytest.approx(73, abs=0.5)
    reader.ask("document.querySelector('#slide').focus()")
    reader.key("ArrowRight")
    assert cut(reader) == pytest.approx(73.5, abs=0.5)


def drawn(reader: Browser) -> list[tuple[float, float, float]]:
    """Of every image in the viewer its scale and shift, in shares of its stage."""
    return [
        tuple(each)
        for each in reader.ask(
            "[...document.querySelectorAll('#viewer .stage img')].map((image) => {"
            " const b = image.closest('.stage').getBoundingClientRect(); const i = image.getBoundingClientRect();"
            " return [i.width / b.width, (i.left - b.left) / b.width, (i.top - b.top) / b.height]; })"
        )
    ]


def test_zoom_and_pan_move_all_images_alike(reader: Browser) -> None:
    assert drawn(reader) == [(1, 0, 0)] * 4
    x, y = reader.middle("#compare")
    reader.click("#compare")
    reader.mouse("mouseWheel", x, y, deltaX=0, deltaY=-240)
    assert state(reader) == pytest.approx((2, -0.5, -0.5), abs=0.01)
    for image in drawn(reader):
        assert image == pytest.approx((2, -0.5, -0.5), abs=0.01)
    side = reader.middle("[data-source=ir] .stage")
    width = reader.ask("document.querySelector('[data-source=ir] .stage').clientWidth")
    reader.drag(side, (side[0] + 0.2 * width, side[1]))
    for image in drawn(reader):
        assert image == pytest.approx((2, -0.3, -0.5), abs=0.02)
    reader.drag(side, (side[0] + 5 * width, side[1]))
    assert state(reader)[1] == 0
    assert reader.ask("document.querySelector('#zoomed').textContent") == "200 %"
    reader.click("button[name=whole]")
    assert drawn(reader) == [(1, 0, 0)] * 4


def test_keys_zoom_pan_swap_and_change_the_scene(reader: Browser) -> None:
    reader.ask("document.querySelector('#compare').focus()")
    reader.key("+")
    assert state(reader)[0] == pytest.approx(1.5)
    before = state(reader)[1]
    reader.key("ArrowRight")
    assert state(reader)[1] == pytest.approx(before - 0.1)
    reader.key("0")
    assert state(reader) == (1, 0, 0)
    tags = "['left', 'right'].map(s => document.querySelector(`#compare .tag.${s}`).textContent)"
    both = reader.ask(tags)
    reader.key("x")
    assert reader.ask(tags) == both[::-1]
    source = "document.querySelector('[data-source=vis] img').src"
    first = reader.ask(source)
    reader.key("n")
    assert reader.ask(source) != first
    assert reader.ask("document.querySelector('#choice select[name=scene]').value") == "1"
    reader.key("p")
    assert reader.ask(source) == first


def test_choices_change_images_scores_and_words(reader: Browser) -> None:
    choose(reader, "#choice select[name=a]", "fused:融合方法")
    choose(reader, "#choice select[name=scene]", "4")
    front = "document.querySelector('#compare .front img')"
    assert reader.ask(f"{front}.alt") == "融合方法, scene 10"
    assert reader.ask(f"{front}.src === data.scenes[4].urls['fused:融合方法']")
    assert reader.ask(f"{front}.decode().then(() => {front}.naturalWidth)") == 64
    assert "融合方法" in reader.ask(
        "[...document.querySelectorAll('#scores tr.picked')].map(row => row.dataset.method)"
    )
    mine = "[...document.querySelector('#scores tr[data-method=average]').cells].map(cell => cell.textContent)"
    standard = reader.ask(mine)
    choose(reader, "#choice select[name=convention]", "vifb")
    assert reader.ask(mine) != standard
    reader.click("#choice input[name=map]")
    assert reader.ask(f"{front}.src === data.scenes[4].maps['融合方法']")
    assert reader.ask(f"{front}.alt").startswith("SSIM map of ")
    assert reader.ask("!document.querySelector('#legend').hidden")


def test_best_of_a_scene_is_marked_by_direction(reader: Browser) -> None:
    marked = (
        "Object.fromEntries([...document.querySelectorAll('#scores tbody tr')].flatMap(row => [...row.cells]"
        ".map((cell, k) => [k, cell.className, row.dataset.method])).filter(([, c]) => c === 'best')"
        ".map(([k, , m]) => [k, m]))"
    )
    assert reader.ask(marked)["3"] == METHODS[0]


def test_linked_images_are_found_beside_the_page(chromium: Browser, tmp_path: Path) -> None:
    layout = folders(tmp_path / "images", ("average", "noisy"), ("1", "2"))
    frame = pd.DataFrame({"method": ["average", "noisy"] * 2, "pair": ["1", "1", "2", "2"], "EN": [6.0, 7.0, 8.0, 9.0]})
    target = tmp_path / "report.html"
    places = {"": [Folders(layout.ir, layout.vis, layout.fused)]}
    page.write(tables.read(frame), target, folders=places, assets=tmp_path / "its images")
    chromium.complaints.clear()
    chromium.open(target)
    assert chromium.ask("[...document.querySelectorAll('.stage img')].map(image => image.naturalWidth)") == [64] * 4
    assert chromium.complaints == []


# Looks


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window_or_outside_its_chart(reader: Browser, width: int) -> None:
    reader.resize(width, 900)
    assert reader.ask("document.documentElement.scrollWidth") <= width
    outside = reader.ask(
        "[...document.querySelectorAll('.panel:not([hidden]) svg')].filter(s => s.getClientRects().length).flatMap(s =>"
        " [...s.querySelectorAll('text')].filter(t => { const b = t.getBoundingClientRect();"
        " const o = s.getBoundingClientRect(); return b.left < o.left - 1 || b.right > o.right + 1"
        " || b.top < o.top - 1 || b.bottom > o.bottom + 1; }).map(t => t.textContent))"
    )
    assert outside == []


def test_every_image_and_control_has_a_name(reader: Browser) -> None:
    assert reader.ask("[...document.images].filter(i => !i.hidden).every(i => i.alt)")
    assert reader.ask(
        "[...document.querySelectorAll('select, input, button')].every(e => e.labels?.length || e.ariaLabel"
        " || e.textContent.trim())"
    )
    assert reader.ask(
        "[...document.querySelectorAll('main svg')].every(s => s.ariaLabel && s.getAttribute('role') === 'img')"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(reader: Browser, scheme: str) -> None:
    reader.prefer(scheme)
    contrast = """(() => {
      const light = (color) => { const [r, g, b] = color.match(/[\\d.]+/g).map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const page = light(getComputedStyle(document.body).backgroundColor);
      const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return ['h1', '.soft', 'a[href="#images"]', 'td', 'figcaption', 'svg text'].map(s =>
        { const style = getComputedStyle(document.querySelector(s));
          return ratio(light(s.startsWith('svg') ? style.fill : style.color), page); });
    })()"""
    assert min(reader.ask(contrast)) >= 4.5
    dark = "getComputedStyle(document.body).backgroundColor"
    before = reader.ask(dark)
    reader.click("#theme")
    assert reader.ask(dark) != before


def test_print_is_black_on_white_without_controls(reader: Browser) -> None:
    reader.prefer("dark", "print")
    reader.resize(700, 900)
    assert reader.ask("document.documentElement.scrollWidth") <= 700
    assert reader.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert reader.ask(
        "[...document.querySelectorAll('nav, .controls')].every(e => getComputedStyle(e).display === 'none')"
    )
