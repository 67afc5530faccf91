"""Colour, depth, parameters, files and threads around the methods, whatever the method."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from layouts import folders, picture
from threadpoolctl import threadpool_info, threadpool_limits

import fusionbench as fb
from fusionbench import images, pixels
from fusionbench.baselines import METHODS
from fusionbench.baselines.card import method
from fusionbench.fusing import fuse_folder, stored
from fusionbench.recipe import documented, parameters_of, parse, recipe
from fusionbench.records import NAME
from fusionbench.types import UserError
from fusionbench.workers import as_finished

CARD = {"title": "Toy", "authors": "nobody", "year": 2026, "doi": "", "summary": "A. B. C.", "defaults": "none"}


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Registers methods for the time of a test."""
    monkeypatch.setattr(METHODS, "_entries", dict(METHODS._entries))
    monkeypatch.setattr(METHODS, "_loaded", dict(METHODS._loaded))

    def register(name: str, function: Callable[..., Any], **card: Any) -> None:
        method(name, **CARD, **card)(function)

    return register


# Colour


def chroma(colour: np.ndarray) -> np.ndarray:
    """Cb and Cr of BT.601, full range."""
    red, green, blue = np.moveaxis(colour.astype(np.float64), -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return np.stack([(blue - luma) / 1.772, (red - luma) / 1.402], axis=-1)


def test_luma_keeps_the_chroma() -> None:
    ir, vis = picture(1), picture(2, colour=True)
    fused = fb.fuse("average", ir, vis)
    inside = ((fused > 0) & (fused < 255)).all(axis=2)
    assert inside.mean() > 0.5
    np.testing.assert_allclose(chroma(fused)[inside], chroma(vis)[inside], atol=1e-9)
    # Rounding an average may move it by half a level, and so does rounding the luma.
    grey = fb.fuse("average", ir, vis, color="grey").astype(np.float64)
    assert np.abs(pixels.luma(fused, "bt601")[inside] - grey[inside]).max() <= 1


def test_luma_of_floats_is_exact() -> None:
    ir, vis = (picture(k, colour=k > 1) / 255 for k in (1, 2))
    fused = fb.fuse("average", ir, vis)
    inside = ((fused > 0) & (fused < 1)).all(axis=2)
    np.testing.assert_allclose(chroma(fused)[inside], chroma(vis)[inside], atol=1e-12)
    seen = vis @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose((fused @ [0.299, 0.587, 0.114])[inside], ((ir + seen) / 2)[inside], atol=1e-12)


def test_per_channel_is_three_grey_fusions() -> None:
    ir, vis = picture(1), picture(2, colour=True)
    fused = fb.fuse("max", ir, vis, color="per-channel")
    for band in range(3):
        np.testing.assert_array_equal(fused[..., band], fb.fuse("max", ir, vis[..., band]))


def test_grey_fuses_the_luma() -> None:
    ir, vis = picture(1), picture(2, colour=True)
    expected = fb.fuse("min", ir, pixels.luma(vis, "bt601"))
    np.testing.assert_array_equal(fb.fuse("min", ir, vis, color="grey"), expected)


@pytest.mark.parametrize("color", ["luma", "per-channel", "grey"])
def test_grey_visible_is_fused_as_it_is(color: Any) -> None:
    ir, vis = picture(1), picture(2)
    np.testing.assert_array_equal(fb.fuse("max", ir, vis, color=color), np.maximum(ir, vis))


def test_infrared_in_colour_counts_by_its_luma() -> None:
    ir, vis = picture(1, colour=True), picture(2)
    np.testing.assert_array_equal(fb.fuse("max", ir, vis), np.maximum(pixels.luma(ir, "bt601"), vis))
    grey = picture(3)
    np.testing.assert_array_equal(fb.fuse("max", np.stack([grey] * 3, axis=2), vis), np.maximum(grey, vis))


def test_joint_methods_see_all_channels_and_others_one_infrared_plane(toy: Callable[..., None]) -> None:
    seen: list[tuple[int, tuple[int, ...]]] = []

    def look(ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
        assert ir.dtype == vis.dtype == np.float64
        assert ir.flags.c_contiguous
        assert vis.flags.c_contiguous
        seen.append((id(ir), vis.shape))
        return vis

    toy("joint", look, joint=True)
    vis = picture(2, colour=True)
    np.testing.assert_array_equal(fb.fuse("joint", picture(1), vis, color="per-channel"), vis)
    assert [shape for _, shape in seen] == [(48, 64, 3)]
    toy("single", look)
    seen.clear()
    np.testing.assert_array_equal(fb.fuse("single", picture(1), vis, color="per-channel"), vis)
    assert [shape for _, shape in seen] == [(48, 64)] * 3
    assert len({plane for plane, _ in seen}) == 1


# Depth and memory


@pytest.mark.parametrize("dtype", ["uint8", "uint16", ">u2", "float16", "float32", "float64"])
@pytest.mark.parametrize("colour", [False, True])
def test_dtype_and_range_of_the_visible_image_are_kept(dtype: str, colour: bool) -> None:
    ir, vis = picture(1), picture(2, colour=colour)
    scale = {"u1": 1, "u2": 257}.get(np.dtype(dtype).str[1:])
    given = (vis * np.uint16(scale)).astype(dtype) if scale else (vis / 255).astype(dtype)
    fused = fb.fuse("average", ir, given)
    assert fused.dtype == np.dtype(dtype).newbyteorder("=")
    assert fused.shape == vis.shape
    levels = fused / scale if scale else fused.astype(np.float64) * 255
    expected = fb.fuse("average", ir / 255, vis / 255) * 255
    # Half a level for rounding, another half for the luma; half-precision floats are coarser than a tenth of a level.
    tolerance = {"uint8": 1.0, "float16": 0.3, "float32": 1e-4, "float64": 1e-9}.get(dtype, 1 / 257)
    assert np.abs(levels - expected).max() <= tolerance


@given(arrays(np.float64, 12, elements=st.floats(-10, 300)))
def test_stored_is_the_nearest_level_that_there_is(fused: np.ndarray) -> None:
    for dtype, step in ((np.uint8, 1), (np.uint16, 257)):
        wanted = np.clip(fused, 0, 255) * step
        error = stored(fused, dtype) - wanted
        assert (error <= 0.5).all()
        assert (error > -0.5 - 1e-9).all()


def test_halves_are_rounded_up_and_the_range_is_clipped() -> None:
    fused = np.array([-3.0, 0.5, 1.5, 0.49999999999999994, 254.5, 255.4, 1e9])
    assert stored(fused, np.uint8).tolist() == [0, 1, 2, 0, 255, 255, 255]
    assert stored(fused, np.float64)[[0, -1]].tolist() == [0, 1]


@pytest.mark.parametrize(
    "lay_out",
    [
        np.asfortranarray,
        lambda image: np.repeat(np.repeat(image, 2, axis=0), 3, axis=1)[::2, ::3],
        lambda image: image[::-1, ::-1].copy()[::-1, ::-1],
    ],
)
def test_memory_layout_does_not_matter(lay_out: Callable[[np.ndarray], np.ndarray]) -> None:
    ir, vis = picture(1), picture(2, colour=True)
    np.testing.assert_array_equal(fb.fuse("pca", lay_out(ir), lay_out(vis)), fb.fuse("pca", ir, vis))


def test_images_of_the_user_are_not_written_to(toy: Callable[..., None]) -> None:
    def greedy(ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
        ir[:] = 0
        vis[:] = 0
        return vis

    toy("greedy", greedy)
    for scale in (1, np.uint16(257), np.float64(1 / 255)):
        ir, vis = picture(1) * scale, picture(2) * scale
        before = ir.copy(), vis.copy()
        fb.fuse("greedy", ir, vis)
        np.testing.assert_array_equal((ir, vis), before)


def test_files_are_read(tmp_path: Path) -> None:
    ir, vis = picture(1), picture(2, colour=True)
    images.write(tmp_path / "ir.png", ir)
    images.write(tmp_path / "vis.png", vis)
    np.testing.assert_array_equal(
        fb.fuse("max", str(tmp_path / "ir.png"), tmp_path / "vis.png"), fb.fuse("max", ir, vis)
    )


# Mistakes


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"name": "averag"}, "Unknown method 'averag': did you mean average"),
        ({"preset": "vifb"}, "'weighted' has no presets, so it cannot follow 'vifb': leave the preset out."),
        ({"name": "adf", "preset": "vfib"}, "Unknown preset of adf 'vfib': did you mean vifb?"),
        ({"color": "gray"}, "Unknown colour mode 'gray': did you mean grey?"),
        ({"wieght": 0.5}, "Unknown parameter of weighted 'wieght': did you mean weight?"),
        ({"zzz": 0.5}, "Unknown parameter of weighted 'zzz': there are weight."),
        ({"name": "max", "weight": 1}, "'max' has no parameters, so 'weight' cannot be set: leave it out."),
        ({"weight": "half"}, "The parameter 'weight' of weighted cannot be 'half': give a number."),
        ({"weight": True}, "The parameter 'weight' of weighted cannot be True: give a number."),
        ({"weight": 1.5}, "The weight 1.5 of the infrared image is out of range: give a number from 0 to 1."),
        ({"ir": np.zeros((48, 60), np.uint8)}, "vis is 64 x 48 pixels (width x height) but ir is 60 x 48: "),
        ({"ir": "none.png"}, "'none.png' does not exist: check the spelling of its name."),
        ({"vis": np.zeros((48, 64), np.int32)}, "vis has dtype int32: convert it to uint8 (0 to 255), uint16 "),
        (
            {"ir": np.zeros((31, 64), np.uint8), "vis": np.zeros((31, 64), np.uint8)},
            "vis is 64 x 31 pixels (width x height), too small for weighted: its shorter side must have at least 32.",
        ),
    ],
)
def test_mistakes_are_one_sentence(words: dict[str, Any], sentence: str) -> None:
    given = {"name": "weighted", "ir": picture(1), "vis": picture(2)} | words
    with pytest.raises(UserError) as error:
        fb.fuse(**given)
    assert str(error.value).startswith(sentence)
    assert str(error.value)[-1] in ".?"


def test_what_is_no_image_of_the_pair_is_refused(toy: Callable[..., None]) -> None:
    toy("flat", lambda ir, vis: vis[:, 0])
    with pytest.raises(UserError, match=r"The method flat made an image of shape \(48,\) where \(48, 64\) was due"):
        fb.fuse("flat", picture(1), picture(2))
    toy("nan", lambda ir, vis: vis * np.nan)
    with pytest.raises(UserError, match="The method nan made NaN or infinite pixels"):
        fb.fuse("nan", picture(1), picture(2))


# Recipes


def all_kinds(
    ir: np.ndarray,
    vis: np.ndarray,
    *,
    count: int = 1,
    size: float = 2.5,
    loud: bool = False,
    mode: Literal["soft", "hard"] = "soft",
    levels: tuple[int, ...] = (2, 3),
    steps: int | None = None,
    weights: str | os.PathLike[str] | None = None,
    name: str = "x",
) -> np.ndarray:
    """Take everything.

    Parameters
    ----------
    count, size : int and float
        Two at once,
        over two lines.
    levels : tuple of int
        Levels.
    """
    return vis


@pytest.fixture
def kinds(toy: Callable[..., None]) -> None:
    """Register a method with a parameter of every kind, called ``kinds``."""
    presets = {"two": {"count": 2, "mode": "hard", "color": "grey"}, "vifb": {"loud": True}}
    toy("kinds", all_kinds, presets=presets)


@pytest.mark.parametrize(
    ("word", "text", "value"),
    [
        ("count", "3", 3),
        ("size", "3", 3),
        ("size", "-1e-3", -0.001),
        ("loud", "True", True),
        ("loud", "false", False),
        ("mode", "hard", "hard"),
        ("levels", "2,3,4", (2, 3, 4)),
        ("levels", "[2, 3]", [2, 3]),
        ("levels", "4", (4,)),
        ("steps", "none", None),
        ("steps", "7", 7),
        ("weights", "a/b.npz", "a/b.npz"),
        ("weights", "7", "7"),
        ("name", "none", "none"),
        ("name", "1.5", "1.5"),
    ],
)
def test_text_is_read_as_the_parameter_wants_it(kinds: None, word: str, text: str, value: Any) -> None:
    read = parse("kinds", word, text)
    assert read == value
    assert type(read) is type(value)
    recipe("kinds", parameters={word: read})


@pytest.mark.parametrize(
    ("word", "text", "wanted"),
    [
        ("count", "3.5", "a whole number"),
        ("count", "true", "a whole number"),
        ("size", "(1, 2)", "a number"),
        ("loud", "1", "true or false"),
        ("mode", "loud", "'soft' or 'hard'"),
        ("levels", "2,x", "values separated by commas"),
        ("steps", "many", "a whole number or none"),
    ],
)
def test_text_that_does_not_fit_is_refused(kinds: None, word: str, text: str, wanted: str) -> None:
    with pytest.raises(UserError) as error:
        parse("kinds", word, text)
    assert str(error.value) == f"The parameter '{word}' of kinds cannot be {text!r}: give {wanted}."


def test_parameters_come_before_the_preset_and_the_preset_before_the_defaults(kinds: None) -> None:
    made = recipe("kinds", preset="two", parameters={"count": 5, "levels": [1, 2]})
    assert made.color == "grey"
    assert (made.parameters["count"], made.parameters["mode"], made.parameters["size"]) == (5, "hard", 2.5)
    assert made.parameters["levels"] == (1, 2)
    assert recipe("kinds", preset="two", color="luma").color == "luma"
    assert recipe("kinds", preset="vifb").color == "per-channel"
    assert recipe("kinds").color == "luma"


def test_parameter_without_default_must_be_given(toy: Callable[..., None]) -> None:
    def needy(ir: np.ndarray, vis: np.ndarray, *, matrix: np.ndarray) -> np.ndarray:
        return vis

    toy("needy", needy)
    with pytest.raises(UserError, match="'needy' cannot work without its parameter 'matrix'"):
        recipe("needy")
    assert (
        recipe("needy", parameters={"matrix": np.eye(2)}).record()["parameters"]["matrix"]["array"] == "float64 (2, 2)"
    )


def test_method_that_takes_anything_gets_it(toy: Callable[..., None]) -> None:
    toy("open", lambda ir, vis, **rest: vis * rest["gain"])
    vis = np.full((32, 32), 10, np.uint8)
    assert fb.fuse("open", vis, vis, gain=parse("open", "gain", "3"))[0, 0] == 30


def test_record_knows_files_by_their_content(kinds: None, tmp_path: Path) -> None:
    file = tmp_path / "w.npz"
    file.write_bytes(b"one")
    first = recipe("kinds", parameters={"weights": str(file)}).record()
    assert first["parameters"]["weights"]["file"] == "w.npz"
    file.write_bytes(b"two")
    assert recipe("kinds", parameters={"weights": file}).record() != first
    json.dumps(first, allow_nan=False)


def test_meanings_are_those_of_the_docstring(kinds: None) -> None:
    known = parameters_of("kinds")
    assert list(known)[:2] == ["count", "size"]
    assert known["count"].meaning == known["size"].meaning == "Two at once, over two lines."
    assert known["loud"].meaning == ""
    assert documented("Nothing here.") == {}


# Folders


def made(job: Any) -> dict[tuple[str, str], str]:
    return {(outcome.fused.method, outcome.fused.pair.name): outcome.reason for outcome in job}


def test_folder_is_fused_by_every_method(tmp_path: Path) -> None:
    layout, out = folders(tmp_path), tmp_path / "out"
    job = fuse_folder(["average", "max"], layout.ir, layout.vis, out)
    assert not out.exists()
    assert made(job) == {(m, n): "" for m in ("average", "max") for n in ("1", "2", "10")}
    for name in ("1", "2", "10"):
        ir, vis = (images.read(folder / f"{name}.png") for folder in (layout.ir, layout.vis))
        np.testing.assert_array_equal(images.read(out / "max" / f"{name}.png"), np.maximum(ir, vis))
    assert {path.name for path in (out / "max").iterdir()} == {"1.png", "2.png", "10.png", NAME}
    scores = fb.score_folder(out, layout.ir, layout.vis, metrics="SD")
    assert list(scores.method) == ["average"] * 3 + ["max"] * 3


def test_what_is_there_is_kept_unless_it_is_to_be_overwritten(tmp_path: Path) -> None:
    layout, out = folders(tmp_path), tmp_path / "out"
    assert len(made(fuse_folder(["max"], layout.ir, layout.vis, out))) == 3
    (out / "max" / "2.png").unlink()
    images.write(out / "max" / "1.png", picture(50))
    job = fuse_folder(["max", "min"], layout.ir, layout.vis, out)
    assert [item.pair.name for item in job.kept] == ["1", "10"]
    assert set(made(job)) == {("max", "2"), ("min", "1"), ("min", "2"), ("min", "10")}
    np.testing.assert_array_equal(images.read(out / "max" / "1.png"), picture(50))
    job = fuse_folder(["max"], layout.ir, layout.vis, out, overwrite=True)
    assert (len(job.kept), len(made(job))) == (0, 3)
    assert not np.array_equal(images.read(out / "max" / "1.png"), picture(50))


def test_stopped_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    layout, out = folders(tmp_path), tmp_path / "out"
    outcomes = iter(fuse_folder(["max"], layout.ir, layout.vis, out, workers=1))
    first = next(outcomes)
    assert first.fused.path.exists()
    del outcomes
    job = fuse_folder(["max"], layout.ir, layout.vis, out)
    assert first.fused in job.kept
    assert set(made(job).values()) <= {""}
    assert len(list((out / "max").glob("*.png"))) == 3
    assert not list((out / "max").glob(".*"))


def test_images_made_in_two_ways_are_not_mixed(tmp_path: Path) -> None:
    layout, out = folders(tmp_path), tmp_path / "out"
    light, heavy = (recipe("weighted", parameters={"weight": weight}) for weight in (0.25, 0.75))
    made(fuse_folder([light], layout.ir, layout.vis, out))
    with pytest.raises(
        UserError, match=r"weighted' holds images made with weight 0.25 instead of 0.75: choose another"
    ):
        fuse_folder([heavy], layout.ir, layout.vis, out)
    with pytest.raises(UserError, match=r"made with color \"luma\" instead of \"grey\":"):
        fuse_folder([recipe("weighted", color="grey", parameters={"weight": 0.25})], layout.ir, layout.vis, out)
    with pytest.raises(UserError, match=r"made with format \"png\" instead of \"bmp\":"):
        fuse_folder([light], layout.ir, layout.vis, out, format="bmp", overwrite=True)
    # One that is overwritten leaves two that are not.
    one = layout.ir / "1.png", layout.vis / "1.png"
    with pytest.raises(UserError, match="holds images made with weight"):
        fuse_folder([heavy], *one, out, overwrite=True)
    before = images.read(out / "weighted" / "1.png")
    made(fuse_folder([heavy], layout.ir, layout.vis, out, overwrite=True))
    assert not np.array_equal(images.read(out / "weighted" / "1.png"), before)
    assert json.loads((out / "weighted" / NAME).read_text())["recipe"]["parameters"] == {"weight": 0.75}
    assert len(fuse_folder([heavy], layout.ir, layout.vis, out).kept) == 3
    (out / "weighted" / NAME).write_text("{")
    with pytest.raises(UserError, match="does not say how the images beside it were made: remove it"):
        fuse_folder([heavy], layout.ir, layout.vis, out)


def test_stopped_run_leaves_no_image_beside_a_record_of_another_making(tmp_path: Path) -> None:
    layout, out = folders(tmp_path), tmp_path / "out"
    light, heavy = (recipe("weighted", parameters={"weight": weight}) for weight in (0.25, 0.75))
    made(fuse_folder([light], layout.ir, layout.vis, out))
    outcomes = iter(fuse_folder([heavy], layout.ir, layout.vis, out, workers=1, overwrite=True))
    next(outcomes)
    del outcomes
    made(fuse_folder([heavy], layout.ir, layout.vis, out))
    for number in (1, 2, 10):
        pair = (folder / f"{number}.png" for folder in (layout.ir, layout.vis))
        expected = fb.fuse("weighted", *pair, weight=0.75)
        np.testing.assert_array_equal(images.read(out / "weighted" / f"{number}.png"), expected)


def test_images_from_elsewhere_are_kept_and_nothing_is_said_of_them(tmp_path: Path) -> None:
    layout, out = folders(tmp_path), tmp_path / "out"
    (out / "max").mkdir(parents=True)
    images.write(out / "max" / "1.png", picture(50))
    job = fuse_folder(["max"], layout.ir, layout.vis, out)
    assert [item.pair.name for item in job.kept] == ["1"]
    made(job)
    assert sorted(path.name for path in (out / "max").iterdir()) == ["1.png", "10.png", "2.png"]


def test_one_bad_pair_costs_only_itself(tmp_path: Path, toy: Callable[..., None]) -> None:
    layout, out = folders(tmp_path), tmp_path / "out"
    images.write(layout.vis / "2.png", picture(9, rows=40))

    def picky(ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
        if np.array_equal(ir, images.read(layout.ir / "10.png")):
            raise ZeroDivisionError("division by zero")
        return vis

    toy("picky", picky)
    reasons = made(fuse_folder(["max", "picky"], layout.ir, layout.vis, out))
    assert reasons[("max", "1")] == reasons[("max", "10")] == reasons[("picky", "1")] == ""
    for name in ("max", "picky"):
        assert "2.png' is 64 x 40 pixels (width x height) but " in reasons[(name, "2")]
    assert reasons[("picky", "10")] == "it stopped with ZeroDivisionError: division by zero"
    assert not (out / "max" / "2.png").exists()


def test_threads_change_nothing(tmp_path: Path) -> None:
    layout = folders(tmp_path)
    for threads in (1, 4):
        made(fuse_folder(["pca", "weighted"], layout.ir, layout.vis, tmp_path / str(threads), workers=threads))
    ones = sorted((tmp_path / "1").rglob("*.png"))
    assert len(ones) == 6
    for path in ones:
        assert path.read_bytes() == (tmp_path / "4" / path.relative_to(tmp_path / "1")).read_bytes()


def test_sixteen_bits(tmp_path: Path) -> None:
    ir, vis = (picture(k).astype(np.uint16) * 256 for k in (1, 2))
    for name, image in (("ir", ir), ("vis", vis), ("colour", picture(2, colour=True))):
        images.write(tmp_path / f"{name}.png", image)
    sources = tmp_path / "ir.png", tmp_path / "vis.png"
    assert made(fuse_folder(["average"], *sources, tmp_path / "deep.png", depth=16)) == {("average", "ir"): ""}
    deep = images.read(tmp_path / "deep.png")
    np.testing.assert_array_equal(deep, fb.fuse("average", ir, vis))
    made(fuse_folder(["average"], *sources, tmp_path / "flat.png"))
    assert np.abs(images.read(tmp_path / "flat.png") - deep / 257).max() <= 0.5
    colour = tmp_path / "colour.png"
    [reason] = made(fuse_folder(["max"], sources[0], colour, tmp_path / "no.png", depth=16)).values()
    assert reason == f"'{colour}' is in colour, of which only 8 bits can be written: fuse to grey, or write 8 bits."
    grey = fuse_folder([recipe("max", color="grey")], sources[0], colour, tmp_path / "grey.tif", depth=16)
    assert set(made(grey).values()) == {""}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"workers": 0}, "0 workers cannot do anything: give at least 1."),
        ({"format": "gif"}, "Unknown image format 'gif': did you mean tif or tiff?"),
        ({"depth": 12}, "Images of 12 bits cannot be written: use 8 or 16."),
        ({"format": "bmp", "depth": 16}, "16 bits do not fit into bmp: use one of png, tif, tiff."),
        ({"methods": ["max", "max"]}, "The method 'max' is there twice, for one folder: name it once."),
        ({"methods": ["nothing"]}, "Unknown method 'nothing'"),
        ({"out": "x.png"}, "'x.png' is the name of one image, but there are 3 to be made: name a folder."),
        ({"out": "x.png", "format": "bmp"}, "The name of the image ends in .png, but the format asked for is bmp"),
        ({"out": "file"}, "'file' is a file: give a folder, or the name of an image."),
        ({"out": "."}, "'ir/1.png' is a source image: choose another place for the fused one."),
        ({"ir": "missing"}, "'missing' does not exist; check the path."),
    ],
)
def test_mistakes_are_found_before_the_work(
    words: dict[str, Any],
    sentence: str,
    tmp_path: Path,
    toy: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folders(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    toy("ir", lambda ir, vis: vis)
    methods = ["ir"] if words.get("out") == "." else ["max"]
    with pytest.raises(UserError) as error:
        fuse_folder(**{"methods": methods, "ir": "ir", "vis": "vis", "out": "out", **words})
    assert str(error.value).startswith(sentence)
    assert not (tmp_path / "out").exists()


def test_place_that_cannot_be_written_to_is_a_reason(tmp_path: Path) -> None:
    layout = folders(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    (out / "max").write_text("in the way")
    reasons = set(made(fuse_folder(["max"], layout.ir, layout.vis, out)).values())
    assert reasons == {f"'{out / 'max'}' cannot be written to (File exists): choose another place."}


def test_iterating_ticks_while_nothing_is_finished(tmp_path: Path, toy: Callable[..., None]) -> None:
    from threading import Event

    layout, ticked = folders(tmp_path, names=["1"]), Event()

    def patient(ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
        assert ticked.wait(20)
        return vis

    toy("patient", patient)
    outcomes: Iterator[Any] = fuse_folder(["patient"], layout.ir, layout.vis, tmp_path / "out").outcomes(ticked.set)
    assert [outcome.reason for outcome in outcomes] == [""]


def test_blas_has_one_thread_while_items_are_worked_on() -> None:
    def threads_of_blas(_: object = None) -> set[int]:
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    with threadpool_limits(2, user_api="blas"):
        assert list(as_finished(threads_of_blas, range(2), 2)) == [{1}, {1}]
        assert threads_of_blas() == {2}
