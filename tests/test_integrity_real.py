"""Published images raise no false alarm, and faults planted in them are found.

Every alarm on them has to be confirmed by something else than the detector: of 252 pairs and 318 fused images, those
that are blamed are blamed rightly.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from faults import Levels, moved, stretched, through_jpeg

from fusionbench import images, pixels
from fusionbench.integrity import Finding, Report, check_paths, shift, storage
from fusionbench.integrity.look import Look, look
from fusionbench.pairing import match_fused, pair_sources
from fusionbench.types import Fused

# Folders of the sources and, of those that have any, of published fused images; and how many true alarms there are.
SETS: dict[str, tuple[str, str, str, dict[str, int]]] = {
    "tno": ("tno/ir", "tno/vis", "fused/tno", {"shift": 6, "average": 10, "stretch": 28, "missing": 11}),
    "roadscene": ("roadscene/ir", "roadscene/vis", "", {"shift": 1}),
    "roadscene_extra": ("roadscene_extra/ir", "roadscene_extra/vis", "", {"shift": 1}),
    "vifb": ("vifb/ir", "vifb/vis", "fused/vifb", {"shift": 1, "stretch": 1}),
    "msrs": ("msrs/ir", "msrs/vis", "fused/msrs", {}),
    "llvip": ("llvip/ir", "llvip/vis", "", {}),
    "lytro": ("lytro/A", "lytro/B", "", {}),
    "mefb": ("mefb/A", "mefb/B", "", {"shift": 1}),
    "mri_ct": ("mri_ct/mri", "mri_ct/ct", "", {}),
    "mri_pet": ("mri_pet/mri", "mri_pet/pet", "", {"duplicate": 4}),
    "mri_spect": ("mri_spect/mri", "mri_spect/spect", "", {}),
}


pytestmark = pytest.mark.usefixtures("one_thread_of_blas")


@cache
def report_on(data: Path, name: str) -> Report:
    ir, vis, fused, _ = SETS[name]
    return check_paths(data / ir, data / vis, [data / fused] if fused else [])


def grey(path: Path) -> Levels:
    return pixels.luma(pixels.to_levels(images.read(path)), "bt601")


@pytest.mark.parametrize("name", SETS)
def test_alarms_on_published_images_are_true(shared: Path, name: str) -> None:
    report = report_on(shared / "data", name)
    alarms = [one for one in report.findings if one.severity != "note"]
    assert not report.wrong
    assert [one for one in alarms if not confirmed(one)] == []
    assert Counter(one.detector for one in alarms) == SETS[name][3]


def test_no_alarm_on_published_images_of_roadscene(shared: Path, tmp_path: Path) -> None:
    """Their sources are in two folders."""
    for side in ("ir", "vis"):
        (tmp_path / side).mkdir()
        for method in ("AUIF", "DIDFuse"):
            for path in (shared / "data/fused/roadscene" / method).iterdir():
                for folder in ("roadscene", "roadscene_extra"):
                    source = (shared / "data" / folder / side / path.name).with_suffix(".jpg")
                    link = tmp_path / side / source.name
                    if source.exists() and not link.exists():
                        link.symlink_to(source)
    report = check_paths(tmp_path / "ir", tmp_path / "vis", [shared / "data/fused/roadscene"])
    assert (report.pairs, report.fused) == (10, 20)
    assert [one for one in report.findings if one.severity != "note" and not (one.pair and confirmed(one))] == []


def confirmed(one: Finding) -> bool:
    """Whether an alarm is true, found out by other means."""
    match one.detector:
        case "shift":
            # Mutual information knows nothing of edges, and is greater where the detector says that the image lies.
            vis, ir = one.files
            down, right = (round(one.evidence[name]) for name in ("down", "right"))
            near = [(down + y, right + x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
            planes = grey(ir), grey(vis)
            return max(information(*planes, *at) for at in near if at != (0, 0)) > information(*planes, 0, 0)
        case "duplicate":
            return one.files[0].read_bytes() == one.files[1].read_bytes()
        case "missing":
            return all(not (one.files[0] / f"{name}.png").exists() for name in one.says.partition(": ")[2].split(", "))
        case "average":
            ir, vis = sources_of(one)
            mean = (grey(ir).astype(float) + grey(vis)) / 2
            return bool(np.corrcoef(mean.ravel(), grey(one.files[0]).ravel())[0, 1] > 0.9999)
        case "stretch":
            ends = [PIL.Image.open(path).convert("L").getextrema() for path in (one.files[0], *sources_of(one))]
            low, high = min(ends[1][0], ends[2][0]), max(ends[1][1], ends[2][1])
            return ends[0] == (0, 255) and low + 255 - high >= 8
        case _:
            return False


def sources_of(one: Finding) -> tuple[Path, Path]:
    data = one.files[0].parents[3]
    ir, vis, _, _ = SETS[one.files[0].parents[1].name]
    return data / ir / one.files[0].name, data / vis / one.files[0].name


def information(one: Levels, two: Levels, down: int, right: int) -> float:
    """Mutual information of 32 levels, the second image displaced."""
    reach = 7
    still = one[reach:-reach, reach:-reach]
    rows, columns = still.shape
    other = two[reach + down : reach + down + rows, reach + right : reach + right + columns]
    joint = np.bincount((still // 8 * np.int64(32) + other // 8).ravel(), minlength=1024).reshape(32, 32) / still.size
    apart = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    there = joint > 0
    return float((joint[there] * np.log(joint[there] / apart[there])).sum())


# Thresholds


def published(data: Path, name: str) -> Iterator[Fused]:
    ir, vis, fused, _ = SETS[name]
    for method in match_fused(data / fused, pair_sources(data / ir, data / vis)):
        yield from method.found


def seen(path: Path, role: str = "fused") -> Look:
    found = look(path, "fused" if role == "fused" else "ir", path.stem, "")
    assert isinstance(found, Look)
    return found


@pytest.mark.parametrize("half", [0, 1])
def test_thresholds_hold_on_either_half(shared: Path, half: int) -> None:
    """The thresholds stand clear of clean and of planted images on each half by itself, not on their union alone."""
    every = [item for name in ("tno", "msrs") for item in published(shared / "data", name)]
    chosen = [item for k, item in enumerate(every) if k % 2 == half][::2]
    combs = [storage.comb(seen(item.path)) for item in chosen]
    assert max(combs) < 0.25 < 0.4
    after = [storage.comb(planted_jpeg(item.path)) for item in chosen[::4]]
    assert min(after) > 0.6 > 0.4
    aside = []
    for item in chosen[::2]:
        mine = shift.edges(grey(item.path))
        found = [shift.between(shift.edges(grey(path)), mine) for path in (item.pair.ir, item.pair.vis)]
        believed = [one.size for one in found if one and one.distance >= 6 and one.rival <= 0.85]
        assert believed
        aside.append(min(believed))
    assert max(aside) < 0.35 < 0.4


def planted_jpeg(path: Path) -> Look:
    image = through_jpeg(pixels.to_levels(images.read(path)), 90)
    whole = seen(path)
    return Look(whole.path, "fused", "", "", b"", image, image, pixels.luma(image, "bt601"))


# Planted faults


@pytest.mark.parametrize(("name", "tolerance"), [("tno", 0.2), ("msrs", 0.2), ("vifb", 0.25)])
def test_shift_of_published_images(shared: Path, name: str, tolerance: float) -> None:
    """Against its own place before, so that what a method or a dataset displaces does not count.

    Where the two sources lie a fraction of a pixel beside one another, as in VIFB, the edges of the fused image are of
    both, and their place is known no better than that.
    """
    for k, item in enumerate(list(published(shared / "data", name))[2:120:9]):
        size = (0.5, 2.0, 8.0)[k % 3]
        down, right = size * np.sin(k), size * np.cos(k)
        plane = grey(item.path)
        found = []
        for path in (item.pair.ir, item.pair.vis):
            source = shift.edges(grey(path))
            before, after = (shift.between(source, shift.edges(p)) for p in (plane, moved(plane, down, right)))
            if before and after and after.distance >= 6 and after.rival <= 0.85 and before.size < 1:
                found.append(
                    (after.peak, np.hypot(after.down - before.down - down, after.right - before.right - right))
                )
        assert found, item
        assert max(found)[1] < tolerance, item


@pytest.mark.parametrize("name", ["roadscene", "tno", "lytro"])
def test_shift_between_sources_is_right_or_not_told(shared: Path, name: str) -> None:
    ir, vis, _, _ = SETS[name]
    pairs = pair_sources(shared / "data" / ir, shared / "data" / vis).pairs[::2]
    told = 0
    for k, pair in enumerate(pairs):
        down, right = 5 * np.sin(k), 5 * np.cos(k)
        source, plane = shift.edges(grey(pair.ir)), grey(pair.vis)
        before, after = (shift.between(source, shift.edges(p)) for p in (plane, moved(plane, down, right)))
        if before and after and all(one.distance >= 8 and one.rival <= 0.75 for one in (before, after)):
            told += 1
            assert np.hypot(after.down - before.down - down, after.right - before.right - right) < 0.5, pair
    assert told >= 2


@pytest.mark.parametrize("name", ["tno", "roadscene", "vifb", "msrs"])
def test_sources_off_by_one(shared: Path, tmp_path: Path, name: str) -> None:
    ir, vis, _, _ = SETS[name]
    pairs = pair_sources(shared / "data" / ir, shared / "data" / vis).pairs[:12]
    for folder in ("ir", "vis"):
        (tmp_path / folder).mkdir()
    for pair, following in zip(pairs, (*pairs[1:], pairs[0]), strict=True):
        shutil.copyfile(pair.ir, tmp_path / "ir" / pair.ir.name)
        shutil.copyfile(following.vis, tmp_path / "vis" / pair.vis.name)
    findings = check_paths(tmp_path / "ir", tmp_path / "vis").findings
    # Pairs of different size are wrong for that reason, and a pair of one size among others has nobody to change with.
    assert {one.detector for one in findings if one.severity == "wrong"} <= {"mispaired", "size"}
    assert len({one.pair for one in findings if one.severity == "wrong"}) >= 11


def test_faults_of_contrast_and_compression(shared: Path, tmp_path: Path) -> None:
    data = shared / "data"
    items = [item for item in published(data, "tno") if item.method in ("IFCNN", "U2Fusion")]
    for folder in ("jpeg", "stretch", "copy", "average"):
        (tmp_path / "fused" / folder).mkdir(parents=True)
    for item in items[:10]:
        plane, ir, vis = (grey(path) for path in (item.path, item.pair.ir, item.pair.vis))
        name = f"{item.pair.name}.png"
        for side, source in (("ir", item.pair.ir), ("vis", item.pair.vis)):
            (tmp_path / side).mkdir(exist_ok=True)
            shutil.copyfile(source, tmp_path / side / name)
        images.write(tmp_path / "fused" / "jpeg" / name, through_jpeg(plane, 85))
        images.write(tmp_path / "fused" / "stretch" / name, stretched(plane))
        images.write(
            tmp_path / "fused" / "copy" / name,
            np.clip(vis + np.random.default_rng(0).integers(-1, 2, vis.shape), 0, 255).astype(np.uint8),
        )
        images.write(tmp_path / "fused" / "average" / name, ((ir.astype(int) + vis + 1) // 2).astype(np.uint8))
    found = Counter(
        (one.method, one.detector)
        for one in check_paths(tmp_path / "ir", tmp_path / "vis", [tmp_path / "fused"]).findings
    )
    assert {method: found[method, method] for method in ("jpeg", "stretch", "copy", "average")} == dict.fromkeys(
        ("jpeg", "stretch", "copy", "average"), 10
    )
