"""Whatever a user may hand over by mistake: one sentence, the right exit code, and the other scores unharmed."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from layouts import Layout, folders, picture

from fusionbench import cli, images
from fusionbench.metrics import CORE, METRICS


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Two methods of three images, seen from a folder that is empty otherwise."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("FUSIONBENCH_DEBUG", raising=False)
    found = folders(tmp_path)
    return Layout(*(path.relative_to(tmp_path) for path in found))


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]):
    """Runs a command that has to fail altogether; gives its one sentence."""

    def run(*words: str | Path) -> str:
        capsys.readouterr()
        # Quiet, for on a machine that is slow or has no kernels yet there is more to say.
        assert cli.main([*map(str, words), "--quiet"]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("fusionbench: ")
        assert err.count("\n") == 1
        assert err.endswith((".\n", "?\n"))
        return err.removeprefix("fusionbench: ").strip()

    return run


@pytest.fixture
def partly(capsys: pytest.CaptureFixture[str]):
    """Runs ``score --json`` that has to fail in part; gives the result."""

    def run(layout: Layout, metrics: str = "EN") -> dict:
        capsys.readouterr()
        assert cli.main(["score", *layout.options, "--metrics", metrics, "--json"]) == 1
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return json.loads(out)

    return run


# Nothing can be scored: exit code 2, nothing on stdout


@pytest.mark.parametrize("place", ["fused", "ir", "vis"])
def test_missing_folder(place: str, layout: Layout, refused) -> None:
    sentence = refused("score", *layout._replace(**{place: Path("nowhere")}).options)
    assert "nowhere" in sentence
    assert "check the path" in sentence


@pytest.mark.parametrize("place", ["fused", "ir", "vis"])
def test_empty_folder(place: str, layout: Layout, refused) -> None:
    Path("empty").mkdir()
    (Path("empty") / "notes.txt").touch()
    sentence = refused("score", *layout._replace(**{place: Path("empty")}).options)
    assert "empty" in sentence
    assert ".png" in sentence


def test_no_common_names(layout: Layout, refused) -> None:
    for method in ("average", "noisy"):
        for k, file in enumerate((layout.fused / method).iterdir()):
            file.rename(file.with_name(f"other{'abc'[k]}.png"))
    sentence = refused("score", *layout.options)
    assert "othera.png" in sentence
    assert "name fused images after their pairs" in sentence


def test_no_common_names_of_the_sources(layout: Layout, refused) -> None:
    for k, file in enumerate(sorted(layout.vis.iterdir())):
        file.rename(file.with_name(f"{'abc'[k]}.png"))
    assert "No name is common to the infrared images in 'ir' (" in refused("score", *layout.options)


def test_every_size_differs(layout: Layout, refused) -> None:
    for name in ("1", "2", "10"):
        images.write(layout.vis / f"{name}.png", picture(0, 20, 30))
    sentence = refused("score", *layout.options)
    assert sentence == (
        "None of 6 fused images could be scored; the first, 1.png: 'vis/1.png' is 30 x 20 pixels (width x height) but "
        "'ir/1.png' is 64 x 48: a fused image and its sources must be of one size."
    )


def test_a_single_image_that_is_none(layout: Layout, refused) -> None:
    file = layout.fused / "noisy" / "1.png"
    file.write_text("hello")
    sentence = refused("score", file, *layout.options[1:])
    assert sentence.startswith("1.png could not be scored: 'fused/noisy/1.png' is not an image")


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--metrics", "ssim", "Unknown metric 'ssim': did you mean SSIM"),
        ("--metrics", "EN,Qbaf", "Unknown metric 'Qbaf': did you mean Qabf"),
        ("--metrics", "EN;SD", "Unknown metric 'EN;SD': did you mean"),
        ("--metrics", ",", "No metric is named: give 'core', 'all', or names separated by commas."),
        ("--convention", "Standard", "Unknown convention 'Standard': did you mean standard"),
        ("--convention", "tang8", "Unknown convention 'tang8': did you mean tang"),
        ("--workers", "0", "0 workers cannot do anything: give at least 1."),
        ("--workers", "many", "Invalid value for '--workers'"),
        ("--output", "scores.txt", "'scores.txt' has no suffix that scores are written as: use .csv, .parquet, .xlsx."),
        ("--output", "scores", "'scores' has no suffix"),
        ("--output", "nowhere/scores.csv", "'nowhere/scores.csv' cannot be written: its folder does not exist"),
        ("--output", "folder.csv", "'folder.csv' is a folder: give the name of a file."),
        (
            "--output",
            "1.png/scores.csv",
            "'1.png/scores.csv' cannot be written (Not a directory): choose another place.",
        ),
        ("--long", None, "--long is the form of a file: give -o FILE too."),
    ],
)
def test_words_that_mean_nothing(option: str, value: str | None, sentence: str, layout: Layout, refused) -> None:
    Path("folder.csv").mkdir()
    Path("1.png").touch()
    words = [option] if value is None else [option, value]
    assert refused("score", *layout.options, *words).startswith(sentence)


def test_a_metric_that_the_convention_lacks(layout: Layout, refused) -> None:
    sentence = refused("score", *layout.options, "--metrics", "EN,SSIM", "--convention", "tang-uint8")
    assert sentence.startswith("The convention 'tang-uint8' does not define SSIM: leave it out, or use the convention")


@pytest.mark.parametrize("lacking", ["--ir", "--vis", "FUSED"])
def test_sources_must_be_given(lacking: str, layout: Layout, refused) -> None:
    words = layout.options
    at = {"FUSED": slice(0, 1), "--ir": slice(1, 3), "--vis": slice(3, 5)}[lacking]
    del words[at]
    assert lacking in refused("score", *words)


def test_a_place_that_cannot_be_written_is_found_before_the_work(
    layout: Layout, refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fusionbench.scoring.score_paths", lambda *_, **__: pytest.fail("scored for nothing"))
    assert "does not exist, create it first" in refused("score", *layout.options, "-o", "nowhere/scores.csv")

    def denied(self: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", denied)
    sentence = refused("score", *layout.options, "-o", "scores.csv")
    assert sentence == "'scores.csv' cannot be written (Permission denied): choose another place."


def test_a_full_disk_is_one_sentence(layout: Layout, refused, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fusionbench.store._WRITERS", {".csv": full})
    sentence = refused("score", *layout.options, "--metrics", "EN", "-o", "scores.csv")
    assert sentence == "'scores.csv' cannot be written (No space left on device): choose another place."
    assert not Path("scores.csv").exists()


# One image is bad: the others are scored, exit code 1


def save(mode: str, **details: object) -> Callable[[Path], None]:
    return lambda path: PIL.Image.fromarray(picture(5)).convert(mode).save(path, "PNG", **details)


def transparent(path: Path) -> None:
    pixels = np.dstack([picture(5, colour=True), np.full((48, 64), 255, np.uint8)])
    pixels[3, 4, 3] = 100
    PIL.Image.fromarray(pixels).save(path, "PNG")


def deep_colour(path: Path) -> None:
    """A PNG of 16 bits a channel, which Pillow cannot write: header and data by hand."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(64 * 6) for _ in range(48))
    header = struct.pack(">IIBBBBB", 64, 48, 16, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def float_tiff(low: float, high: float) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        PIL.Image.fromarray(np.linspace(low, high, 48 * 64, dtype=np.float32).reshape(48, 64)).save(path, "TIFF")

    return write


def float_tiff_with_nan(path: Path) -> None:
    pixels = np.full((48, 64), 0.5, np.float32)
    pixels[1, 2] = np.nan
    PIL.Image.fromarray(pixels).save(path, "TIFF")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-400])


REFUSED = {
    "truncated": (truncate, "is truncated: copy or download it again."),
    "text": (lambda path: path.write_text("hello"), "is not an image"),
    "empty": (lambda path: path.write_bytes(b""), "is empty: copy or download it again."),
    "transparent": (transparent, "has transparent pixels: flatten it onto a background first."),
    "one bit": (save("1"), "has one bit a pixel, a mask rather than an image: save it as 8-bit grey."),
    "16-bit colour": (deep_colour, "has 16 bits a channel"),
    "float beyond 1": (float_tiff(0, 255), "is floating-point with values from 0 to 255"),
    "NaN": (float_tiff_with_nan, "contains NaN or infinity"),
    "another size": (
        lambda path: images.write(path, picture(0, 48, 63)),
        "is 63 x 48 pixels (width x height) but 'ir/2.",
    ),
    "1 x 1": (
        lambda path: images.write(path, picture(0)[:1, :1]),
        "is 1 x 1 pixels (width x height) but 'ir/2.png' is",
    ),
}


@pytest.mark.parametrize("kind", list(REFUSED))
@pytest.mark.parametrize("place", ["fused/noisy", "ir", "vis"])
def test_one_bad_file_costs_no_other_pair(kind: str, place: str, layout: Layout, partly) -> None:
    spoil, sentence = REFUSED[kind]
    spoil(Path(place) / "2.png")
    result = partly(layout)
    lost = [(each["method"], each["image"], each["metric"]) for each in result["failures"]]
    assert lost == [("average", "2.png", None)] * (place != "fused/noisy") + [("noisy", "2.png", None)]
    for failure in result["failures"]:
        if "size" not in kind and kind != "1 x 1":
            assert failure["reason"].startswith(f"'{place}/2.png' ")
            assert sentence in failure["reason"]
        assert failure["reason"].count("\n") == 0
        assert failure["reason"].endswith(".")
    if place == "fused/noisy":
        assert sentence in failure["reason"]
    scored = [(each["method"], each["image"]) for each in result["scores"]]
    everything = [(method, f"{name}.png") for method in ("average", "noisy") for name in ("1", "2", "10")]
    assert scored == [each for each in everything if (*each, None) not in lost]


@pytest.mark.parametrize("place", ["fused/noisy", "ir", "vis"])
def test_a_file_that_may_not_be_read(place: str, layout: Layout, partly, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(place) / "2.png"
    file.chmod(0)
    if os.access(file, os.R_OK):  # an administrator may read everything, so the refusal is acted
        whole = Path.open

        def refuse(self: Path, mode: str = "r") -> object:
            if self == file:
                raise PermissionError(13, "Permission denied", str(self))
            return whole(self, mode)

        monkeypatch.setattr(Path, "open", refuse)
    assert f"'{place}/2.png' may not be read: change its permissions." in partly(layout)["failures"][0]["reason"]


def test_a_file_that_vanishes_meanwhile(layout: Layout, partly) -> None:
    file = layout.fused / "noisy" / "2.png"
    file.unlink()
    file.symlink_to("nowhere.png")
    [failure] = partly(layout)["failures"]
    assert failure["reason"] == "'fused/noisy/2.png' does not exist: check the spelling of its name."


WORKING = {
    "palette": save("P"),
    "16-bit grey": lambda path: images.write(path, picture(5).astype(np.uint16) * 257),
    "opaque": save("RGBA"),
    "float": float_tiff(0, 1),
}


@pytest.mark.parametrize("kind", list(WORKING))
@pytest.mark.parametrize("place", ["fused/noisy", "ir", "vis"])
def test_unusual_but_clear_files_work(
    kind: str, place: str, layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    WORKING[kind](Path(place) / "2.png")
    assert cli.main(["score", *layout.options, "--metrics", "EN,MI", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["scores"]) == 6


# Images for which some metrics have no value: a cell is empty, with its reason; exit code 1


def scene(folder: Path, planes: dict[str, np.ndarray]) -> Layout:
    layout = Layout(folder / "f.png", folder / "i.png", folder / "v.png")
    for path, role in zip(layout, ("fused", "ir", "vis"), strict=True):
        images.write(path, planes[role])
    return layout


@pytest.mark.parametrize(
    ("rows", "columns"), [(1, 1), (1, 64), (64, 1), (2, 2), (10, 10), (10, 300), (40, 40), (41, 41)]
)
def test_small_images(rows: int, columns: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout = scene(tmp_path, {role: picture(k, rows, columns) for k, role in enumerate(("fused", "ir", "vis"))})
    code = cli.main(["score", *layout.options, "--metrics", "all", "--json"])
    out, err = capsys.readouterr()
    [row] = json.loads(out)["scores"]
    failures = {each["metric"]: each["reason"] for each in json.loads(out)["failures"]}
    assert code == bool(failures)
    assert {name for name, value in row.items() if value is None} == set(failures)
    assert ("SSIM" in failures) == (min(rows, columns) < 11)
    assert row["EN"] is not None
    for name, reason in failures.items():
        assert not reason.startswith("it stopped with"), name
        assert name in err


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("constant", [("fused",), ("ir",), ("vis",), ("ir", "vis"), ("fused", "ir", "vis")])
def test_constant_images(
    constant: tuple[str, ...], level: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planes = {role: picture(k) for k, role in enumerate(("fused", "ir", "vis"))}
    planes |= {role: np.full((48, 64), level, np.uint8) for role in constant}
    layout = scene(tmp_path, planes)
    cli.main(["score", *layout.options, "--metrics", "all", "--json"])
    result = json.loads(capsys.readouterr().out)
    failures = {each["metric"]: each["reason"] for each in result["failures"]}
    assert {name for name, value in result["scores"][0].items() if value is None} == set(failures)
    for name, reason in failures.items():
        # Where there is no value, the card says so; five scales do not fit into 64 x 48 pixels.
        assert "NaN" in METRICS[name].card.undefined or name == "MS-SSIM", name
        assert not reason.startswith("it stopped with"), (name, reason)


def test_if_no_metric_has_a_value_nothing_was_scored(tmp_path: Path, refused) -> None:
    layout = scene(tmp_path, {role: picture(k, 5, 5) for k, role in enumerate(("fused", "ir", "vis"))})
    sentence = refused("score", *layout.options, "--metrics", "SSIM")
    assert sentence.startswith("SSIM of f.png could not be scored: ")


def test_identical_images_are_no_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout = scene(tmp_path, dict.fromkeys(("fused", "ir", "vis"), picture(1)))
    cli.main(["score", *layout.options, "--metrics", "core,PSNR", "--json"])
    [row] = json.loads(capsys.readouterr().out)["scores"]
    assert row["PSNR"] == "inf"
    assert math.isclose(row["SSIM"], 1)
    assert set(CORE) < set(row)
