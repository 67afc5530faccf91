"""Scoring arrays and folders: the right planes, the right definitions, and nothing lost in silence."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import threading
from pathlib import Path

import numpy as np
import pytest
from layouts import folders, picture
from numba import njit

import fusionbench as fb
from fusionbench import images, pixels
from fusionbench.metrics import CORE, METRICS
from fusionbench.metrics.card import NotDefined, metric
from fusionbench.metrics.conventions import CONVENTIONS
from fusionbench.metrics.conventions import convention as convention_named
from fusionbench.metrics.definitions import conventions_with, define
from fusionbench.metrics.triple import Triple
from fusionbench.scoring import score, score_folder, score_paths
from fusionbench.types import UserError
from fusionbench.workers import COMPILING

IR, VIS, FUSED = picture(1), picture(2), picture(3)
LARGE = [picture(seed, 161, 170) for seed in (1, 2, 3)]  # the smallest that every metric is defined for
CHEAP = "EN,SD,SF,MI"


@pytest.fixture
def own_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics registered during a test are gone after it."""
    monkeypatch.setattr(METRICS, "_entries", dict(METRICS._entries))
    monkeypatch.setattr(METRICS, "_loaded", dict(METRICS._loaded))


def register(name: str, function) -> None:
    metric(name, title=name, better="lower", range=(0, 1), sources=True, version=3, reference="none")(function)


# One fused image


def test_core_in_the_order_of_papers() -> None:
    scores = score(FUSED, IR, VIS)
    assert list(scores) == list(CORE)
    assert all(type(value) is float and math.isfinite(value) for value in scores.values())
    assert fb.score is score


def test_every_metric_is_what_its_function_says() -> None:
    ir, vis, fused = LARGE
    t = Triple.of(ir, vis, fused)
    for name, value in score(fused, ir, vis, metrics="all").items():
        assert value == METRICS[name](t), name


def test_images_are_not_mixed_up(own_metrics: None) -> None:
    register("WHICH", lambda t: float(t.ir[0, 0] * 1e6 + t.vis[0, 0] * 1e3 + t.fused[0, 0]))
    fused, ir, vis = (np.full((3, 4), level, np.uint8) for level in (5, 7, 9))
    assert score(fused, ir=ir, vis=vis, metrics="WHICH") == {"WHICH": 7_009_005}


def test_files_and_arrays_give_the_same(tmp_path: Path) -> None:
    for name, image in (("f", FUSED), ("i", IR), ("v", VIS)):
        images.write(tmp_path / f"{name}.png", image)
    files = score(str(tmp_path / "f.png"), tmp_path / "i.png", tmp_path / "v.png")
    assert files == score(FUSED, IR, VIS)


@pytest.mark.parametrize("name", [name for name, whose in CONVENTIONS.items() if whose.luma != "per-channel"])
def test_colour_becomes_grey_by_the_rule_of_the_convention(name: str) -> None:
    # Not every program computes every one of them.
    cheap = [metric for metric in (*CHEAP.split(","), "NMI") if metric in CONVENTIONS[name].metrics]
    colour = [picture(seed, colour=True) for seed in (4, 5, 6)]
    grey = [pixels.luma(image, CONVENTIONS[name].luma) for image in colour]
    assert score(*colour, metrics=cheap, convention=name) == score(*grey, metrics=cheap, convention=name)
    other = [pixels.luma(image, "matlab" if CONVENTIONS[name].luma != "matlab" else "bt601") for image in colour]
    assert score(*colour, metrics=cheap, convention=name) != score(*other, metrics=cheap, convention=name)


def test_channels_are_scored_apart_and_averaged() -> None:
    fused, ir, vis = (picture(seed, colour=True) for seed in (4, 5, 6))
    whole = score(fused, ir, vis, metrics=CHEAP, convention="vifb")
    apart = [score(fused[..., k], ir[..., k], vis[..., k], metrics=CHEAP, convention="vifb") for k in range(3)]
    for name in ("EN", "SD", "MI"):
        assert whole[name] == sum(channel[name] for channel in apart) / 3
    assert whole["SF"] != sum(channel["SF"] for channel in apart) / 3


def test_channels_side_by_side_are_one_wide_image() -> None:
    colour = [picture(seed, colour=True) for seed in (4, 5, 6)]
    wide = [np.concatenate([image[..., k] for k in range(3)], axis=1) for image in colour]
    assert "SF" in CONVENTIONS["vifb"].side_by_side
    assert score(*colour, metrics="SF", convention="vifb") == score(*wide, metrics="SF", convention="vifb")


def test_a_grey_source_stands_for_each_channel() -> None:
    fused, vis = picture(4, colour=True), picture(6, colour=True)
    grey = score(fused, IR, vis, metrics="MI,SF", convention="vifb")
    assert grey == score(fused, np.repeat(IR[..., None], 3, axis=2), vis, metrics="MI,SF", convention="vifb")


def test_a_grey_fused_image_sees_grey_sources() -> None:
    ir, vis = picture(5, colour=True), picture(6, colour=True)
    expected = score(FUSED, pixels.luma(ir, "matlab"), pixels.luma(vis, "matlab"), metrics="MI,SF", convention="vifb")
    assert score(FUSED, ir, vis, metrics="MI,SF", convention="vifb") == expected


def test_sizes_must_agree(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"^fused is 64 x 47 pixels \(width x height\) but ir is 64 x 48: a fused image"
    ):
        score(FUSED[:47], IR, VIS)
    with pytest.raises(UserError, match=r"^vis is 60 x 48 pixels"):
        score(FUSED, IR, VIS[:, :60])
    images.write(tmp_path / "small.png", FUSED[:9])
    with pytest.raises(UserError, match=r"^'.*small.png' is 64 x 9 pixels \(width x height\) but ir is"):
        score(tmp_path / "small.png", IR, VIS)


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (FUSED.astype(np.int64), "fused has dtype int64"),
        (FUSED / 200.0, "fused is floating-point with values from"),
        (np.full((48, 64), np.nan), "fused contains NaN"),
        (FUSED.tolist(), "fused is a list"),
        (FUSED[:0], "fused has shape (0, 64), no pixels"),
    ],
)
def test_what_is_no_image_is_refused(image: object, sentence: str) -> None:
    with pytest.raises(UserError) as error:
        score(image, IR, VIS)  # type: ignore[arg-type]
    assert sentence in str(error.value)


def test_a_metric_without_a_value_is_nan_and_says_why(own_metrics: None) -> None:
    with pytest.warns(UserWarning, match="SSIM is NaN: ") as told:
        scores = score(FUSED[:9, :9], IR[:9, :9], VIS[:9, :9], metrics="EN,SSIM")
    assert len(told) == 1
    assert told[0].filename == __file__
    assert math.isnan(scores["SSIM"])
    assert scores["EN"] > 0

    register("HOLE", lambda t: math.nan)
    with pytest.warns(
        UserWarning, match="HOLE is NaN: the formula has no value for this image, see 'fusionbench metric"
    ):
        assert math.isnan(score(FUSED, IR, VIS, metrics="HOLE")["HOLE"])


def test_a_mistake_in_a_metric_is_not_hidden(own_metrics: None) -> None:
    register("WRONG", lambda t: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        score(FUSED, IR, VIS, metrics="WRONG")


def test_memory_that_may_not_be_written_to_compiles_nothing_new(own_metrics: None) -> None:
    @njit
    def corner(plane):
        return plane[0, 0]

    register("CORNER", lambda t: float(corner(t.ir) + corner(t.vis) + corner(t.fused)))
    expected = score(FUSED, IR, VIS, metrics="CORNER")
    locked = [image.copy() for image in (FUSED, IR, VIS)]
    for image in locked:
        image.flags.writeable = False
    assert score(*locked, metrics="CORNER") == expected
    assert len(corner.signatures) == 1


def test_images_are_not_changed() -> None:
    kept = [image.copy() for image in LARGE]
    score(*LARGE, metrics="all")
    for before, after in zip(kept, LARGE, strict=True):
        np.testing.assert_array_equal(before, after)


# What is asked for


@pytest.mark.usefixtures("lpips_weights")
@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("core", list(CORE)),
        ("all", fb.metrics.available()),
        ("Qabf", ["Qabf"]),
        (" MI , EN,MI, ", ["MI", "EN"]),
        ("Qabf,core", ["Qabf", *CORE]),
        (["EN", "core"], ["EN", *(name for name in CORE if name != "EN")]),
        (("SD,SF", "EN"), ["SD", "SF", "EN"]),
    ],
)
def test_metrics_by_name_and_by_group(words: str | list[str], names: list[str]) -> None:
    chosen, left_out = define(words, convention_named("standard"))
    assert [definition.name for definition in chosen] == names
    assert left_out == []


@pytest.mark.usefixtures("lpips_weights")
@pytest.mark.parametrize("name", list(CONVENTIONS))
def test_a_group_leaves_out_what_a_convention_lacks_and_says_so(name: str) -> None:
    chosen, left_out = define("all", CONVENTIONS[name])
    assert sorted([definition.name for definition in chosen] + left_out) == sorted(fb.metrics.available())
    assert not set(left_out) & set(CONVENTIONS[name].metrics)


@pytest.mark.parametrize(
    ("words", "convention", "sentence"),
    [
        ("ssim", "standard", "Unknown metric 'ssim': did you mean SSIM"),
        ("EN,Qbaf", "standard", "Unknown metric 'Qbaf': did you mean Qabf"),
        ("coer", "standard", "did you mean core"),
        ("EN", "tang-unit8", "Unknown convention 'tang-unit8': did you mean tang-uint8"),
        (
            "EN,SSIM",
            "tang-uint8",
            "The convention 'tang-uint8' does not define SSIM: leave it out, or use the convention ",
        ),
        ("", "standard", "No metric is named"),
        (" , ", "standard", "No metric is named"),
        ([], "standard", "No metric is named"),
    ],
)
def test_what_does_not_exist_is_named(words: str, convention: str, sentence: str) -> None:
    with pytest.raises(UserError) as error:
        score(FUSED, IR, VIS, metrics=words, convention=convention)
    assert sentence in str(error.value)


def test_a_metric_that_a_convention_lacks_is_offered_where_it_is() -> None:
    with pytest.raises(UserError) as error:
        define("SSIM", convention_named("tang-uint8"))
    for name, whose in CONVENTIONS.items():
        assert (f"'{name}'" in str(error.value)) == (name == "tang-uint8" or "SSIM" in whose.metrics)


def test_definitions_are_complete() -> None:
    for whose in CONVENTIONS.values():
        for name in whose.metrics:
            found = conventions_with(name)[whose.name]
            keywords = list(inspect.signature(found.function).parameters)[1:]
            assert list(found.parameters) == keywords, found.id
            assert found.id == f"{name}/{whose.name}@{found.card.version}"
            for key, value in whose.metrics[name].items():
                assert found.parameters[key] == value


def test_a_metric_of_the_users_own_has_its_standard_definition(own_metrics: None) -> None:
    def gain(t: Triple, *, by: float = 2.0) -> float:
        return by * t.fused.size

    register("GAIN", gain)
    assert score(FUSED, IR, VIS, metrics="GAIN,EN")["GAIN"] == 2.0 * FUSED.size
    [found], _ = define("GAIN", convention_named("standard"))
    assert (found.id, found.parameters) == ("GAIN/standard@3", {"by": 2.0})
    assert "GAIN" in [definition.name for definition in define("all", convention_named("standard"))[0]]
    with pytest.raises(UserError, match="'tang' does not define GAIN: leave it out, or use the convention 'standard'"):
        define("GAIN", convention_named("tang"))


def test_a_name_that_is_taken_is_refused(own_metrics: None) -> None:
    def other(t: Triple) -> float:
        return 0.0

    with pytest.raises(UserError, match="There is already a metric called 'SSIM': choose another name"):
        register("SSIM", other)
    register("MINE", other)
    with pytest.raises(UserError, match="There is already a metric called 'MINE'"):
        register("MINE", lambda t: 1.0)
    assert score(FUSED, IR, VIS, metrics="MINE") == {"MINE": 0.0}
    assert score(FUSED, IR, VIS, metrics="SSIM")["SSIM"] != 0


def test_a_metric_that_is_defined_anew_replaces_the_last(own_metrics: None) -> None:
    """As when a cell of a notebook runs again."""
    for value in (1.0, 2.0):

        def mine(t: Triple, value: float = value) -> float:
            return value

        register("MINE", mine)
        assert score(FUSED, IR, VIS, metrics="MINE") == {"MINE": value}


# Folders


def test_a_folder_is_a_table_in_natural_order(tmp_path: Path) -> None:
    layout = folders(tmp_path, ["b10", "b9"])
    table = score_folder(str(layout.fused), ir=str(layout.ir), vis=str(layout.vis))
    assert list(table.columns) == ["method", "image", *CORE]
    assert list(table.method) == ["b9"] * 3 + ["b10"] * 3
    assert list(table.image) == ["1.png", "2.png", "10.png"] * 2
    for row in table.to_dict("records"):
        paths = layout.fused / row["method"], layout.ir, layout.vis
        assert score(*(path / row["image"] for path in paths)) == {name: row[name] for name in CORE}


def test_a_table_carries_its_definitions(tmp_path: Path) -> None:
    layout = folders(tmp_path)
    (layout.fused / "noisy" / "10.png").unlink()
    attrs = score_folder(*layout, metrics="core", convention="vifb").attrs
    assert json.loads(json.dumps(attrs, allow_nan=False)) == attrs
    assert attrs["fusionbench"] == fb.__version__
    assert attrs["convention"]["name"] == "vifb"
    assert attrs["grey"] == "per-channel"
    assert list(attrs["metrics"]) == [name for name in CORE if name in CONVENTIONS["vifb"].metrics]
    assert attrs["metrics"]["SF"] == {
        "id": "SF/vifb@1",
        "parameters": {"denominator": "pixels", "scale": 255.0},
        "better": "higher",
        "channels_side_by_side": True,
    }
    assert attrs["left_out"] == [name for name in CORE if name not in CONVENTIONS["vifb"].metrics]
    assert attrs["failures"] == []
    assert attrs["remarks"] == ["noisy lacks (1): 10"]
    digest = hashlib.sha256((layout.fused / "noisy" / "2.png").read_bytes()).hexdigest()
    assert attrs["inputs"]["fused"]["noisy"]["2.png"] == digest
    assert [len(attrs["inputs"][role]) for role in ("ir", "vis")] == [3, 3]
    assert [len(files) for files in attrs["inputs"]["fused"].values()] == [3, 2]


def test_one_image_and_one_folder(tmp_path: Path) -> None:
    layout = folders(tmp_path)
    one = score_folder(layout.fused / "noisy" / "2.png", layout.ir, layout.vis, metrics="EN")
    assert one[["method", "image"]].values.tolist() == [["noisy", "2.png"]]
    assert len(score_folder(layout.fused / "noisy", layout.ir, layout.vis, metrics="EN")) == 3


def test_one_bad_image_does_not_cost_the_others(tmp_path: Path) -> None:
    layout = folders(tmp_path)
    good = score_paths(*layout, metrics="EN")
    broken = layout.fused / "average" / "2.png"
    broken.write_bytes(broken.read_bytes()[:200])
    images.write(layout.fused / "noisy" / "10.png", picture(0, 20, 20))
    scores = score_paths(*layout, metrics="EN")
    assert [(f.method, f.image, f.metric) for f in scores.failures] == [
        ("average", "2.png", ""),
        ("noisy", "10.png", ""),
    ]
    assert f"'{broken}' is truncated" in scores.failures[0].reason
    assert "10.png' is 20 x 20 pixels (width x height) but '" in scores.failures[1].reason
    lost = {("average", "2.png"), ("noisy", "10.png")}
    assert list(scores.rows) == [row for row in good.rows if (row.method, row.image) not in lost]
    assert broken not in scores.hashes


@pytest.mark.parametrize("source", ["ir", "vis"])
def test_one_bad_source_costs_its_pair_alone(source: str, tmp_path: Path) -> None:
    layout = folders(tmp_path)
    good = score_paths(*layout, metrics="EN")
    (tmp_path / source / "2.png").write_text("no image")
    scores = score_paths(*layout, metrics="EN")
    assert [(f.method, f.image) for f in scores.failures] == [("average", "2.png"), ("noisy", "2.png")]
    assert all(f"{source}/2.png' is not an image" in failure.reason for failure in scores.failures)
    assert list(scores.rows) == [row for row in good.rows if row.image != "2.png"]


def test_sources_of_different_size_cost_their_pair_alone(tmp_path: Path) -> None:
    layout = folders(tmp_path)
    images.write(layout.vis / "1.png", picture(0, 30, 64))
    scores = score_paths(*layout, metrics="EN")
    assert {failure.image for failure in scores.failures} == {"1.png"}
    assert "vis/1.png' is 64 x 30 pixels (width x height) but '" in scores.failures[0].reason
    assert len(scores.rows) == 4


def test_a_metric_that_fails_costs_its_cell_alone(tmp_path: Path, own_metrics: None) -> None:
    layout = folders(tmp_path)
    second = images.read(layout.ir / "2.png")

    def moody(t: Triple) -> float:
        if (t.ir == second).all():
            raise NotDefined("it is the second image")
        if t.fused[0, 0] == images.read(layout.fused / "noisy" / "10.png")[0, 0]:
            raise RuntimeError("oops")
        return 1.0

    register("MOODY", moody)
    scores = score_paths(*layout, metrics="MOODY,EN")
    assert [(f.method, f.image, f.metric, f.reason) for f in scores.failures] == [
        ("average", "2.png", "MOODY", "it is the second image"),
        ("noisy", "2.png", "MOODY", "it is the second image"),
        ("noisy", "10.png", "MOODY", "it stopped with RuntimeError: oops"),
    ]
    assert [math.isnan(row.values["MOODY"]) for row in scores.rows] == [False, True, False, False, True, True]
    assert all(row.values["EN"] > 0 for row in scores.rows)


def test_if_nothing_can_be_scored_the_first_reason_is_the_sentence(tmp_path: Path) -> None:
    layout = folders(tmp_path)
    for file in layout.vis.iterdir():
        file.write_text("no image")
    with pytest.raises(
        UserError, match=r"^None of 6 fused images could be scored; the first, 1.png: '.*' is not an image"
    ):
        score_paths(*layout)
    with pytest.raises(UserError, match=r"^1.png could not be scored: '.*' is not an image"):
        score_paths(layout.fused / "noisy" / "1.png", layout.ir, layout.vis)


def test_colour_and_grey_methods_of_one_pair_do_not_meet(tmp_path: Path) -> None:
    layout = folders(tmp_path, ["a", "b", "c"], ["1"])
    images.write(layout.fused / "b" / "1.png", picture(9, colour=True))
    rows = score_paths(*layout, metrics=CHEAP, convention="vifb").rows
    assert [row.method for row in rows] == ["a", "b", "c"]
    for row in rows:
        paths = layout.fused / row.method / "1.png", layout.ir / "1.png", layout.vis / "1.png"
        assert row.values == score(*paths, metrics=CHEAP, convention="vifb")


def test_workers_must_be_at_least_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^0 workers cannot do anything"):
        score_folder(*folders(tmp_path), workers=0)


def test_progress_counts_every_fused_image(tmp_path: Path) -> None:
    layout = folders(tmp_path)
    (layout.fused / "average" / "2.png").write_text("no image")
    (layout.vis / "10.png").write_text("no image")
    told: list[tuple[int, int]] = []
    score_folder(*layout, metrics="EN", progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (6, 6)


def test_ctrl_c_ends_the_work_at_the_next_metric(tmp_path: Path, own_metrics: None) -> None:
    layout = folders(tmp_path)
    begun, stopped = threading.Event(), threading.Event()
    seen: list[int] = []

    def slow(t: Triple) -> float:
        if t.shape == IR.shape:  # not the small images that compile the kernels
            seen.append(t.index)
            begun.set()
            stopped.wait(timeout=60)
        return 1.0

    def stop(done: int, total: int) -> None:
        if begun.is_set():
            # Set by another thread, for the one that raises waits until the work is over.
            threading.Timer(0.05, stopped.set).start()
            raise KeyboardInterrupt

    register("SLOW", slow)
    with pytest.raises(KeyboardInterrupt):
        score_paths(*layout, metrics="SLOW", workers=1, progress=stop)
    assert len(seen) == 1


def test_compilation_is_announced_once_and_before_it_happens(tmp_path: Path, own_metrics: None) -> None:
    @njit
    def first(plane):
        return plane[0, 0]

    @njit
    def second(plane):
        return plane[0, 1]

    told: list[tuple[str, int]] = []

    def notice(sentence: str) -> None:
        told.append((sentence, len(first.signatures)))

    layout = folders(tmp_path)
    register("NEW", lambda t: float(first(t.fused) + second(t.fused)))
    score_paths(*layout, metrics="NEW", notice=notice)
    assert told == [(COMPILING, 0)]
    score_paths(*layout, metrics="NEW", notice=notice)
    assert len(told) == 1


def test_python_users_are_told_on_stderr(own_metrics: None, capsys: pytest.CaptureFixture[str]) -> None:
    @njit
    def kernel(plane):
        return plane[0, 0]

    register("NEW", lambda t: float(kernel(t.fused)))
    score(FUSED, IR, VIS, metrics="NEW")
    assert capsys.readouterr() == ("", f"{COMPILING}\n")
