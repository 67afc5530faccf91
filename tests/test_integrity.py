"""Every detector finds its fault where it is planted, and says nothing of clean data."""

from __future__ import annotations

import csv
import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL.Image
import pytest
from faults import Levels, moved, stretched, through_jpeg

import fusionbench as fb
from fusionbench import cli, images, pixels
from fusionbench.datasets.synthetic import scene
from fusionbench.integrity import EFFECTS, Finding, Report, check_paths, shift, storage
from fusionbench.integrity.look import Look, look
from fusionbench.metrics import METRICS
from fusionbench.types import UserError

NAMES = ("1", "2", "3", "10")
SIZE = 256, 192


pytestmark = pytest.mark.usefixtures("one_thread_of_blas")


class Place(NamedTuple):
    """Where a test's images are."""

    ir: Path
    vis: Path
    fused: Path

    @property
    def mix(self) -> Path:
        return self.fused / "mix"

    def check(self) -> Report:
        return check_paths(self.ir, self.vis, [self.fused], workers=1)


def mixture(ir: Levels, vis: Levels, share: float) -> Levels:
    """The brighter source by some share, the darker one by the rest: no source, and no average."""
    i, v = ir.astype(np.float64), pixels.luma(vis, "bt601").astype(np.float64)
    mixed = share * np.maximum(i, v) + (1 - share) * np.minimum(i, v)
    return np.clip(np.rint(vis + (mixed - v)[..., None]), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Four synthetic pairs and two methods, all in order."""
    root = tmp_path_factory.mktemp("clean")
    place = Place(root / "ir", root / "vis", root / "fused")
    for k, name in enumerate(NAMES):
        pair = scene(k, *SIZE, "day" if k % 2 else "night")
        for folder, image in (
            (place.ir, pair.ir),
            (place.vis, pair.vis),
            (place.mix, mixture(pair.ir, pair.vis, 0.7)),
            (place.fused / "soft", mixture(pair.ir, pair.vis, 0.6)),
        ):
            folder.mkdir(parents=True, exist_ok=True)
            images.write(folder / f"{name}.png", image)
    return place


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    """A copy in which a fault may be planted."""
    shutil.copytree(made.ir.parent, tmp_path / "data")
    return Place(*(tmp_path / "data" / path.name for path in made))


def alarms(report: Report) -> list[Finding]:
    return [one for one in report.findings if one.severity != "note"]


def told(report: Report) -> set[tuple[str, str, str, str]]:
    """Severity, detector, method and first file of everything."""
    return {(one.severity, one.detector, one.method, one.files[0].name) for one in report.findings}


def change(path: Path, how: Callable[[Levels], Levels]) -> None:
    images.write(path, how(images.read(path)))


def test_clean_data_raise_no_alarm(made: Place) -> None:
    assert made.check().findings == ()


# A fault in one fused image


def plant_shift(place: Place) -> None:
    change(place.mix / "3.png", lambda image: moved(image, 0.9, -1.2))


def plant_small_shift(place: Place) -> None:
    change(place.mix / "3.png", lambda image: moved(image, 0.4, -0.3))


def plant_size(place: Place) -> None:
    change(place.mix / "3.png", lambda image: image[::2, ::2])


def plant_infrared(place: Place) -> None:
    shutil.copy(place.ir / "3.png", place.mix / "3.png")


def plant_visible_in_jpeg(place: Place) -> None:
    change(place.mix / "3.png", lambda _: (images.read(place.vis / "3.png") // 2 + 40).astype(np.uint8))


def plant_average(place: Place) -> None:
    ir, vis = images.read(place.ir / "3.png"), pixels.luma(images.read(place.vis / "3.png"), "matlab")
    images.write(place.mix / "3.png", ((ir.astype(int) + vis) // 2).astype(np.uint8))


def plant_stretch(place: Place) -> None:
    change(place.mix / "3.png", lambda image: stretched(pixels.luma(image, "bt601")))


def plant_jpeg(place: Place) -> None:
    change(place.mix / "3.png", lambda image: through_jpeg(image, 75))


def plant_black(place: Place) -> None:
    change(place.mix / "3.png", np.zeros_like)


def plant_unscaled(place: Place) -> None:
    change(place.mix / "3.png", lambda image: (image // 128).astype(np.uint8))


def plant_swapped_colours(place: Place) -> None:
    change(place.mix / "3.png", lambda image: np.ascontiguousarray(image[:, :, ::-1]))


def plant_other_scene(place: Place) -> None:
    shutil.copy(place.fused / "soft" / "1.png", place.mix / "3.png")


def plant_twin(place: Place) -> None:
    shutil.copy(place.mix / "1.png", place.mix / "3.png")


def plant_source_of_another_pair(place: Place) -> None:
    shutil.copy(place.vis / "1.png", place.mix / "3.png")


def plant_twelve_bits(place: Place) -> None:
    change(place.mix / "3.png", lambda image: pixels.luma(image, "bt601").astype(np.uint16) * np.uint16(16))


def plant_transparency(place: Place) -> None:
    image = PIL.Image.open(place.mix / "3.png")
    image.putalpha(100)
    image.save(place.mix / "3.png")


def plant_deep_colour(place: Place) -> None:
    path = place.mix / "3.png"
    path.write_bytes(png_of(2, 16))


def plant_damage(place: Place) -> None:
    path = place.mix / "3.png"
    path.write_bytes(path.read_bytes()[:3000])


def plant_text(place: Place) -> None:
    (place.mix / "3.png").write_text("not an image")


def plant_nothing(place: Place) -> None:
    (place.mix / "3.png").write_bytes(b"")


def png_of(colour: int, depth: int) -> bytes:
    """A PNG file of 4 x 4 zeros of any depth and colour type."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = 1 + 4 * {0: 1, 2: 3, 6: 4}[colour] * depth // 8
    head = struct.pack(">IIBBBBB", 4, 4, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(4 * row)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("plant", "detector", "severity"),
    [
        (plant_shift, "shift", "wrong"),
        (plant_small_shift, "shift", "suspect"),
        (plant_size, "size", "wrong"),
        (plant_infrared, "copy", "wrong"),
        (plant_visible_in_jpeg, "copy", "wrong"),
        (plant_average, "average", "suspect"),
        (plant_stretch, "stretch", "suspect"),
        (plant_jpeg, "jpeg", "suspect"),
        (plant_black, "blank", "wrong"),
        (plant_unscaled, "blank", "wrong"),
        (plant_swapped_colours, "colour-swapped", "wrong"),
        (plant_other_scene, "mispaired", "wrong"),
        (plant_twin, "duplicate", "wrong"),
        (plant_source_of_another_pair, "duplicate", "wrong"),
        (plant_twelve_bits, "depth", "wrong"),
        (plant_transparency, "alpha", "wrong"),
        (plant_deep_colour, "depth", "wrong"),
        (plant_damage, "refused", "wrong"),
        (plant_text, "refused", "wrong"),
        (plant_nothing, "refused", "wrong"),
    ],
)
def test_fault_in_a_fused_image(place: Place, plant: Callable[[Place], None], detector: str, severity: str) -> None:
    plant(place)
    report = place.check()
    assert (severity, detector, "mix", "3.png") in told(report)
    # Nobody else is blamed.
    assert {(one.method, one.files[0].name) for one in alarms(report)} <= {("mix", "3.png"), ("soft", "1.png")}
    assert report.wrong == (any(one.severity == "wrong" for one in report.findings))


@pytest.mark.parametrize("quality", [50, 75, 90])
@pytest.mark.parametrize("grey", [False, True])
def test_jpeg_traces_are_seen_down_to_quality_90(place: Place, quality: int, grey: bool) -> None:
    path = place.mix / "1.png"
    clean = storage.comb(seen(path))
    change(path, lambda image: through_jpeg(pixels.luma(image, "bt601") if grey else image, quality))
    assert clean < 0.3
    assert storage.comb(seen(path)) > 0.5


def seen(path: Path) -> Look:
    found = look(path, "fused", "1", "mix")
    assert isinstance(found, Look)
    return found


# Notes


def test_harmless_oddities_are_notes(place: Place) -> None:
    grey = pixels.luma(images.read(place.mix / "1.png"), "bt601")
    images.write(place.mix / "1.png", np.repeat(grey[..., None], 3, axis=2))
    images.write(place.mix / "2.png", grey_of(place.mix / "2.png").astype(np.uint16) * np.uint16(257))
    PIL.Image.open(place.mix / "3.png").convert("RGBA").save(place.mix / "3.png")
    (place.mix / "10.png").unlink()
    images.write(place.mix / "10.jpg", images.read(place.fused / "soft" / "10.png"))
    report = place.check()
    assert alarms(report) == []
    assert {
        ("note", "grey-as-rgb", "mix", "1.png"),
        ("note", "colour-lost", "mix", "1.png"),
        ("note", "depth", "mix", "2.png"),
        ("note", "alpha", "mix", "3.png"),
        ("note", "lossy", "mix", "10.jpg"),
    } <= told(report)
    assert not report.wrong


def grey_of(path: Path) -> Levels:
    return pixels.luma(images.read(path), "bt601")


def test_thermal_data_of_14_bits_are_suspect(place: Place) -> None:
    change(place.ir / "1.png", lambda image: image.astype(np.uint16) * np.uint16(64))
    assert ("suspect", "depth", "", "1.png") in told(place.check())


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (9, 7), (3, 200), (33, 40)])
@pytest.mark.parametrize("colour", [False, True])
def test_images_of_any_size(tmp_path: Path, size: tuple[int, int], colour: bool) -> None:
    place = Place(tmp_path / "ir", tmp_path / "vis", tmp_path / "fused")
    for k, folder in enumerate((place.ir, place.vis, place.mix)):
        folder.mkdir(parents=True)
        for name in "12":
            image = np.random.default_rng([k, int(name)]).integers(0, 256, (*size, 3), dtype=np.uint8)
            images.write(folder / f"{name}.png", image if colour else pixels.luma(image, "bt601"))
    # A single pixel is blank; of the others nothing is wrong.
    assert {one.detector for one in place.check().findings if one.severity == "wrong"} <= (
        {"blank"} if size == (1, 1) else set()
    )


# Colours


def test_painted_infrared_image(place: Place) -> None:
    for name in NAMES:
        change(place.vis / f"{name}.png", lambda image: pixels.luma(image, "bt601"))
        (place.mix / f"{name}.png").unlink()
        change(place.fused / "soft" / f"{name}.png", lambda image: pixels.luma(image, "bt601"))
    change(place.ir / "2.png", lambda image: np.stack([image, image // 2, 255 - image], axis=2))
    assert ("suspect", "colour-false", "", "2.png") in told(place.check())


def test_colours_out_of_nothing(place: Place) -> None:
    change(place.vis / "2.png", lambda image: pixels.luma(image, "bt601"))
    found = told(place.check())
    assert {("suspect", "colour-false", method, "2.png") for method in ("mix", "soft")} <= found


# Displacement


@pytest.mark.parametrize("size", [0.5, 1.0, 2.3, 5.0, 8.0])
def test_shift_of_a_fused_image_is_measured_to_a_fifth_of_a_pixel(made: Place, size: float) -> None:
    for k, name in enumerate(NAMES[:2]):
        angle = size + 2 * k
        down, right = size * np.sin(angle), size * np.cos(angle)
        image = shift.edges(moved(grey_of(made.mix / f"{name}.png"), down, right))
        for source in (made.ir, made.vis):
            found = shift.between(shift.edges(grey_of(source / f"{name}.png")), image)
            assert found is not None
            assert np.hypot(found.down - down, found.right - right) < 0.2
            assert found.distance > 10
            assert found.rival < 0.7


@pytest.mark.parametrize("k", [1, 4, 6])
@pytest.mark.parametrize("fusion", ["max", "sharp", "weighted"])
def test_shift_of_formula_images(golden: Path, k: int, fusion: str) -> None:
    folder = golden / "formula"
    ir, vis, image = (grey_of(folder / kind / f"{k}.png") for kind in ("ir", "vis", fusion))
    mine = shift.edges(moved(image, 2.4, -1.7))
    found = [shift.between(shift.edges(source), mine) for source in (ir, vis)]
    best = max((one for one in found if one), key=lambda one: one.peak)
    assert np.hypot(best.down - 2.4, best.right + 1.7) < 0.1


def test_shift_between_sources(place: Place) -> None:
    change(place.vis / "3.png", lambda image: moved(image, -1.5, 2.5))
    [finding] = [one for one in place.check().findings if one.detector == "shift" and not one.method]
    assert (finding.severity, finding.files[0].name, finding.pair) == ("suspect", "3.png", "3")
    assert finding.evidence["down"] == pytest.approx(-1.5, abs=0.3)
    assert finding.evidence["right"] == pytest.approx(2.5, abs=0.3)
    assert " px right of and 1." in finding.says
    assert " px above the infrared image" in finding.says


def test_it_is_said_that_a_shift_cannot_be_told(place: Place) -> None:
    noise = np.random.default_rng(0).integers(0, 256, SIZE[::-1], dtype=np.uint8)
    images.write(place.mix / "3.png", noise)
    images.write(place.vis / "1.png", np.full(SIZE[::-1], 90, np.uint8))
    found = told(place.check())
    assert ("note", "shift", "mix", "3.png") in found
    assert ("note", "shift", "", "1.png") in found
    assert not any(detector == "shift" and severity != "note" for severity, detector, _, _ in found)


# Names and partners


def test_names_without_partners(place: Place) -> None:
    shutil.copy(place.ir / "1.png", place.ir / "77.png")
    shutil.copy(place.mix / "1.png", place.mix / "88.png")
    shutil.copy(place.vis / "2.png", place.vis / "2.bmp")
    (place.fused / "soft" / "10.png").unlink()
    report = place.check()
    expected = {
        ("suspect", "unpaired", "", "77.png"),
        ("suspect", "unpaired", "mix", "88.png"),
        ("suspect", "unpaired", "", "2.bmp"),
        ("suspect", "missing", "soft", "soft"),
    }
    assert expected <= told(report)
    [missing] = [one for one in report.findings if one.detector == "missing"]
    assert missing.says == "lacks 1 pair that other methods have: 10"


def test_how_names_were_read_is_a_note(place: Place) -> None:
    for name in NAMES:
        (place.ir / f"{name}.png").rename(place.ir / f"IR{name}.png")
        (place.vis / f"{name}.png").rename(place.vis / f"VIS{name}.png")
        (place.mix / f"{name}.png").rename(place.mix / f"{name}_fused.png")
    report = place.check()
    assert told(report) == {("note", "names", "", "IR1.png"), ("note", "names", "mix", "1_fused.png")}


def rename(folder: Path, new: dict[str, str]) -> None:
    for old in new:
        (folder / f"{old}.png").rename(folder / f"{old}.old")
    for old, name in new.items():
        (folder / f"{old}.old").rename(folder / f"{name}.png")


@pytest.mark.parametrize(
    "new", [{"1": "3", "3": "1"}, {"1": "2", "2": "3", "3": "10", "10": "1"}], ids=["two swapped", "all off by one"]
)
def test_sources_under_one_another_s_names(made: Place, tmp_path: Path, new: dict[str, str]) -> None:
    shutil.copytree(made.ir, tmp_path / "ir")
    rename(tmp_path / "ir", new)
    report = check_paths(tmp_path / "ir", made.vis, workers=1)
    found = {one.files[0].stem: one.files[2].stem for one in report.findings if one.detector == "mispaired"}
    # What lies under a new name goes with the visible image of its old one.
    assert found == {name: old for old, name in new.items()}
    assert report.wrong


def test_fused_images_off_by_one(place: Place) -> None:
    rename(place.mix, {"1": "2", "2": "3", "3": "10", "10": "1"})
    found = {one.files[0].name for one in place.check().findings if one.detector == "mispaired" and one.method == "mix"}
    assert len(found) == 4


def test_noise_belongs_to_nobody(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for side in ("ir", "vis"):
        (tmp_path / side).mkdir()
        for name in range(12):
            images.write(tmp_path / side / f"{name}.png", rng.integers(0, 256, (96, 128), dtype=np.uint8))
    report = check_paths(tmp_path / "ir", tmp_path / "vis", workers=1)
    assert told(report) == {("note", "shift", "", f"{name}.png") for name in range(12)}


# Duplicates


def test_one_image_for_both_sources(place: Place) -> None:
    change(place.vis / "2.png", lambda _: images.read(place.ir / "2.png"))
    assert ("wrong", "duplicate", "", "2.png") in told(place.check())


def test_source_in_two_pairs(place: Place) -> None:
    shutil.copy(place.ir / "1.png", place.ir / "2.png")
    assert ("suspect", "duplicate", "", "2.png") in told(place.check())


def test_pixels_count_not_files(place: Place) -> None:
    grey = grey_of(place.mix / "1.png")
    images.write(place.mix / "1.png", grey)
    (place.fused / "soft" / "1.png").unlink()
    images.write(place.fused / "soft" / "1.bmp", np.repeat(grey[..., None], 3, axis=2))
    assert ("suspect", "duplicate", "soft", "1.bmp") in told(place.check())


def test_a_method_under_two_names(place: Place) -> None:
    shutil.copytree(place.mix, place.fused / "ours")
    found = [one for one in place.check().findings if one.detector == "duplicate"]
    assert [(one.severity, one.method) for one in found] == [("wrong", "ours")]
    assert "as are all 4 of ours" in found[0].says


def test_blank_images_are_no_duplicates(place: Place) -> None:
    plant_black(place)
    shutil.copy(place.mix / "3.png", place.fused / "soft" / "3.png")
    assert not [one for one in place.check().findings if one.detector == "duplicate"]


# Stale files


def write_recipe(folder: Path, **recipe: object) -> None:
    (folder / "recipe.json").write_text(json.dumps({"recipe": {"method": "average", "format": "png", **recipe}}))


def test_images_older_than_their_sources(place: Place) -> None:
    for path in place.fused.rglob("*.png"):
        os.utime(path, (10_000, 10_000))
    assert {(one.severity, one.detector) for one in place.check().findings} == {("note", "stale")}
    write_recipe(place.mix)
    found = told(place.check())
    assert {("suspect", "stale", "mix", f"{name}.png") for name in NAMES} <= found
    assert ("note", "stale", "soft", "1.png") in found


def test_folder_with_the_recipe_of_another_method(place: Place) -> None:
    place.mix.rename(place.fused / "gff")
    write_recipe(place.fused / "gff")
    report = place.check()
    assert told(report) == {("suspect", "recipe", "gff", "recipe.json")}
    assert "made by average" in report.findings[0].says
    write_recipe(place.fused / "gff", method="gff")
    assert place.check().findings == ()


def test_image_left_over_from_another_format(place: Place) -> None:
    write_recipe(place.mix, format="bmp")
    found = told(place.check())
    assert {("suspect", "stale", "mix", f"{name}.png") for name in NAMES} == found


def test_recipe_that_is_none(place: Place) -> None:
    (place.mix / "recipe.json").write_text("{")
    assert told(place.check()) == {("suspect", "recipe", "mix", "recipe.json")}


# What is said about scores


def test_effects_name_metrics_that_exist() -> None:
    for detector, effect in EFFECTS.items():
        named = effect.metrics.split()
        assert named in (["all"], ["none"]) or set(named) <= set(METRICS.names()), detector
        assert effect.how.endswith("."), detector


def score(place: Place, fused: Levels, name: str = "3") -> dict[str, float]:
    ir, vis = (grey_of(folder / f"{name}.png") for folder in (place.ir, place.vis))
    return fb.score(fused, ir, vis, metrics="EN,SD,AG,SF,EI,MI,SSIM,VIF,Qabf,MSE,PSNR")


def test_effects_are_true(made: Place) -> None:
    ir, vis, fused = (grey_of(folder / "3.png") for folder in (made.ir, made.vis, made.mix))
    clean = score(made, fused)
    aside = score(made, moved(fused, 0.5, 0.5))
    assert all(aside[name] < clean[name] for name in ("Qabf", "VIF", "SSIM", "MI"))
    assert aside["EN"] == pytest.approx(clean["EN"], rel=0.02)
    assert aside["SD"] == pytest.approx(clean["SD"], rel=0.02)
    loud = score(made, stretched(fused))
    assert all(loud[name] > 1.1 * clean[name] for name in ("SD", "AG", "SF", "EI", "MSE"))
    assert loud["PSNR"] < clean["PSNR"]
    average = score(made, ((ir.astype(int) + vis) // 2).astype(np.uint8))
    assert average["MSE"] < min(clean["MSE"], score(made, vis)["MSE"], score(made, ir)["MSE"])
    assert max(score(made, vis)["MI"], score(made, ir)["MI"]) > max(clean["MI"], average["MI"])


# The command


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Runs ``fusionbench check``; gives its exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(place: Place, *words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main(["check", "--ir", str(place.ir), "--vis", str(place.vis), *map(str, words)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_command_on_clean_data(made: Place, said) -> None:
    code, out, err = said(made, made.fused)
    assert (code, err) == (0, "")
    assert out == "4 pairs and 8 fused images looked at: nothing found.\n"
    assert said(made)[1] == "4 pairs and 0 fused images looked at: nothing found.\n"


def test_command_says_what_is_wrong_and_what_it_does(place: Place, said) -> None:
    plant_average(place)
    for name in ("1", "2"):
        change(place.fused / "soft" / f"{name}.png", lambda image: moved(image, 4.0, -1.0))
    code, out, _ = said(place, place.fused, "--workers", "1")
    assert code == 1
    lines = out.splitlines()
    assert [line.split() for line in lines[:1] + lines[2:5]] == [
        ["severity", "fault", "times", "of"],
        ["wrong", "shift", "2", "soft"],
        ["suspect", "average", "1", "mix"],
        ["note", "colour-lost", "1", "mix"],
    ]
    words = " ".join(out.split())
    assert "soft/1.png lies 1.0 px left of and 4.0 px below its" in words
    assert f"wrong, shift (changes {EFFECTS['shift'].metrics.replace(' ', ', ')}): {EFFECTS['shift'].how}" in words
    assert "2 wrong, 1 suspect, 1 note." in words


def test_command_prints_json(place: Place, said) -> None:
    plant_text(place)
    code, out, err = said(place, place.mix, place.fused / "soft", "--json")
    assert (code, err) == (1, "")
    report = json.loads(out, parse_constant=pytest.fail)
    assert (report["pairs"], report["fused"]) == (4, 8)
    assert report["counts"] == {"wrong": 1, "suspect": 0, "note": 0}
    [finding] = report["findings"]
    assert (finding["detector"], finding["method"], finding["pair"]) == ("refused", "mix", "3")
    assert finding["says"] == "is not an image: give a PNG, JPEG, BMP or TIFF file."
    assert finding["metrics"] == ["all"]


def test_command_writes_files(place: Place, said, tmp_path: Path) -> None:
    plant_black(place)
    code, out, _ = said(place, place.fused, "-o", tmp_path / "f.csv")
    assert code == 1
    assert f"Written to {tmp_path / 'f.csv'}." in out
    with (tmp_path / "f.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["detector"] == "blank"
    assert json.loads(rows[0]["evidence"]) == {"level": 0}
    assert said(place, place.fused, "-o", tmp_path / "f.json")[0] == 1
    assert len(json.loads((tmp_path / "f.json").read_text())["findings"]) == len(rows)


def test_single_files(made: Place, said) -> None:
    one = Place(made.ir / "1.png", made.vis / "1.png", made.mix / "1.png")
    assert said(one, one.fused)[0] == 0


@pytest.mark.parametrize("words", [["-o", "findings.txt"], ["nowhere"], ["--workers", "0"]])
def test_mistakes_are_one_sentence(made: Place, said, words: list[str]) -> None:
    code, out, err = said(made, *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_folders_that_do_not_match(made: Place, tmp_path: Path) -> None:
    images.write(tmp_path / "other.png", np.zeros((8, 8), np.uint8))
    with pytest.raises(UserError, match="has the name of a pair"):
        check_paths(made.ir, made.vis, [tmp_path])


def test_progress_ends_with_all(made: Place) -> None:
    calls: list[tuple[int, int]] = []
    check_paths(made.ir, made.vis, [made.mix], progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (12, 12)
