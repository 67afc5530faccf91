"""Synthetic scenes: the same whenever asked for, registered, and with the contrasts that fusion is about."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion, uniform_filter

from fusionbench import images
from fusionbench.datasets import pairs_in, synthetic
from fusionbench.datasets.synthetic import Condition, Kind, Scene, make, make_once, scene
from fusionbench.pairing import pair_sources
from fusionbench.types import UserError

Gray: TypeAlias = NDArray[Any]
KINDS: tuple[Kind, ...] = ("night", "day")


@pytest.fixture(scope="module", params=[(kind, seed) for kind in KINDS for seed in range(3)], ids=str)
def drawn(request: pytest.FixtureRequest) -> Scene:
    kind, seed = request.param
    return scene(seed, kind=kind)


def surroundings(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What lies around a mask, less a thin seam that both share."""
    around: NDArray[np.bool_] = binary_dilation(mask, iterations=12) & ~binary_dilation(mask, iterations=2)
    return around


def test_the_same_seed_gives_the_same_bytes(drawn: Scene) -> None:
    kind, seed = drawn.name.split("-")
    again = scene(int(seed), kind="day" if kind == "day" else "night")
    assert (again.ir.tobytes(), again.vis.tobytes()) == (drawn.ir.tobytes(), drawn.vis.tobytes())
    assert np.array_equal(again.people, drawn.people)
    assert np.array_equal(again.cars, drawn.cars)


def test_another_process_gives_the_same_bytes() -> None:
    code = (
        "import zlib; from fusionbench.datasets.synthetic import scene; s = scene(5, 48, 40)\n"
        "print(zlib.crc32(s.ir.tobytes() + s.vis.tobytes()))"
    )
    results = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in "ab"
    }
    assert len(results) == 1


def test_scenes_differ_by_seed_and_kind() -> None:
    different = {scene(seed, 64, 48, kind).vis.tobytes() for seed in range(4) for kind in KINDS}
    assert len(different) == 8


@settings(max_examples=25)
@given(width=st.integers(32, 130), height=st.integers(32, 130), kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32))
def test_any_size_has_its_shape_its_types_and_somebody_in_it(width: int, height: int, kind: Kind, seed: int) -> None:
    s = scene(seed, width, height, kind)
    assert (s.ir.shape, s.vis.shape, s.people.shape) == ((height, width), (height, width, 3), (height, width))
    assert [str(plane.dtype) for plane in (s.ir, s.vis, s.people, s.cars)] == ["uint8", "uint8", "bool", "bool"]
    assert s.people.any()
    assert not (s.people & s.cars).any()
    assert np.array_equal(s.target, s.people | s.cars)


@pytest.mark.parametrize(("width", "height"), [(32, 32), (400, 32), (32, 400), (321, 243)])
def test_unusual_sizes(width: int, height: int) -> None:
    for kind in KINDS:
        s = scene(1, width, height, kind)
        assert s.ir.std() > 5
        assert s.vis.std() > 5


def test_people_are_warm_and_where_the_mask_says(drawn: Scene) -> None:
    ir = drawn.ir.astype(float)
    assert ir[drawn.people].mean() > ir[surroundings(drawn.target)].mean() + 30
    # Registered: whichever way the mask is moved, it fits the warmth worse.
    inner = binary_erosion(drawn.people)
    fits = {(dy, dx): ir[np.roll(inner, (dy, dx), (0, 1))].mean() for dy in (-4, 0, 4) for dx in (-4, 0, 4)}
    assert max(fits, key=lambda shift: fits[shift]) == (0, 0)


def test_both_images_show_the_same_street(drawn: Scene) -> None:
    # Edges of the one stand where the other has edges too, more than they do after a shift.
    def edges(image: Gray) -> Gray:
        down, right = np.gradient(image.astype(float))
        strength = np.hypot(down, right)
        capped: Gray = np.minimum(strength, np.quantile(strength, 0.95))
        return capped

    ir, vis = edges(drawn.ir), edges(drawn.vis.mean(axis=2))
    fits = [np.corrcoef(ir.ravel(), np.roll(vis, shift, 1).ravel())[0, 1] for shift in (0, -6, 6)]
    assert fits[0] > max(fits[1:])


def test_the_night_is_dark_and_dazzled_and_the_day_is_not() -> None:
    night = [scene(seed).vis for seed in range(4)]
    day = [scene(seed, kind="day").vis for seed in range(4)]
    assert all(np.median(image) < 70 for image in night)
    assert all((image.min(axis=2) > 230).any() for image in night)
    assert all(np.median(image) > 80 for image in day)


def test_people_stand_out_less_in_the_visible_image_of_the_night() -> None:
    for seed in range(4):
        s = scene(seed)
        near, around = s.people, surroundings(s.target)
        grey = s.vis.mean(axis=2)
        assert abs(grey[near].mean() - grey[around].mean()) < 0.5 * (s.ir[near].mean() - s.ir[around].mean())


def test_smoke_hides_somebody_from_the_visible_image_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(image: Gray, s: Scene) -> float:
        """How much of the people there is to see: their texture and their contrast."""
        return float(image[s.people].std()) + abs(float(image[s.people].mean() - image[surroundings(s.target)].mean()))

    smoky = [scene(seed, kind="day") for seed in range(6)]
    monkeypatch.setattr(synthetic, "smoke", lambda street, radiance: radiance)
    clear = [scene(seed, kind="day") for seed in range(6)]
    kept_vis = [shown(a.vis.mean(axis=2), a) / shown(b.vis.mean(axis=2), b) for a, b in zip(smoky, clear, strict=True)]
    kept_ir = [shown(a.ir, a) / shown(b.ir, b) for a, b in zip(smoky, clear, strict=True)]
    assert min(kept_vis) < 0.6
    assert min(kept_ir) > 0.8


CONDITIONS: tuple[Condition, ...] = ("smoke", "glare", "overexposed", "underexposed", "noise")


@pytest.mark.parametrize("kind", KINDS)
def test_conditions_change_what_the_cameras_see_and_nothing_else(kind: Kind) -> None:
    plain = scene(11, 96, 72, kind)
    for condition in CONDITIONS:
        s = scene(11, 96, 72, kind, [condition])
        assert not np.array_equal(s.vis, plain.vis), condition
        for known in ("heat", "light", "people", "cars"):
            assert np.array_equal(getattr(s, known), getattr(plain, known)), (condition, known)


def test_conditions_do_what_they_are_called(drawn: Scene) -> None:
    kind, seed = ("day" if drawn.name.startswith("day") else "night"), int(drawn.name.split("-")[1])

    def under(condition: Condition) -> Scene:
        return scene(seed, kind=kind, conditions=[condition])  # type: ignore[arg-type]

    assert under("overexposed").vis.mean() > drawn.vis.mean() + 25
    assert under("underexposed").vis.mean() < 0.7 * drawn.vis.mean()
    glare = under("glare").vis
    assert (glare >= 250).all(axis=2).sum() > (drawn.vis >= 250).all(axis=2).sum()
    assert np.array_equal(under("glare").ir, drawn.ir)

    def noise(image: Gray) -> float:
        """How much neighbours of the same row and column differ where the scene itself is smoothest."""
        cross = np.diff(np.diff(image.astype(float), axis=0), axis=1)
        energy = uniform_filter(cross**2, 9)
        return float(np.sqrt(np.quantile(energy, 0.1)))

    noisy = under("noise")
    for seen, often, clear in (
        (drawn.ir, noisy.ir, drawn.heat),
        (drawn.vis[..., 1], noisy.vis[..., 1], drawn.light[..., 1]),
    ):
        assert noise(clear) < noise(seen) < 0.5 * noise(often)
    smoke = under("smoke")
    hidden = np.abs(smoke.vis.astype(float) - drawn.vis).max(axis=2) > 10
    # By day there may have been smoke before them anyway.
    assert hidden[drawn.people].any() or (kind == "day" and hidden.any())
    # Heat comes through.
    assert np.abs(smoke.ir.astype(float) - drawn.ir)[hidden].mean() < 15


def test_truth_is_written_when_asked_for(tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    make(tmp_path, 2, (48, 36), 4, conditions=["smoke"], truth=True, tick=lambda *now: done.append(now))
    assert done == [(1, 2), (2, 2)]
    s = scene(4, 48, 36, "night", ["smoke"])
    known = {"heat": s.heat, "light": s.light, "people": 255 * s.people, "cars": 255 * s.cars}
    assert {path.name for path in (tmp_path / "truth").iterdir()} == set(known)
    for name, image in known.items():
        assert np.array_equal(images.read(tmp_path / "truth" / name / "01.png"), image)
    # Whoever looks for pairs in the folder finds those of the cameras.
    assert [pair.ir.parent.name for pair in pairs_in(tmp_path)] == ["ir", "ir"]
    with pytest.raises(UserError, match="Unknown condition 'fog': there are smoke, glare"):
        scene(0, conditions=["fog"])  # type: ignore[list-item]


def test_make_writes_pairs_that_pair(tmp_path: Path) -> None:
    names = make(tmp_path / "made", 3, size=(48, 36), seed=4)
    assert names == ["01", "02", "03"]
    sources = pair_sources(tmp_path / "made" / "ir", tmp_path / "made" / "vis")
    assert [pair.name for pair in sources.pairs] == names
    second = scene(5, 48, 36, "day")
    assert np.array_equal(images.read(sources.pairs[1].ir), second.ir)
    assert np.array_equal(images.read(sources.pairs[1].vis), second.vis)


def test_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "deep" / "made"
    assert make_once(folder, 3, (32, 32), 4) == folder
    assert np.array_equal(images.read(folder / "ir" / "01.png"), scene(4, 32, 32).ir)
    with monkeypatch.context() as patched:
        patched.setattr(synthetic, "make", None)
        assert make_once(folder, 3, (32, 32), 4) == folder
    make_once(folder, 2, (32, 32), 5)
    assert [pair.name for pair in pairs_in(folder)] == ["01", "02"]
    assert np.array_equal(images.read(folder / "ir" / "01.png"), scene(5, 32, 32).ir)
    (folder / "mine.txt").touch()
    with pytest.raises(UserError, match=r"is for synthetic scenes, but '.*mine.txt' is in it: move that away"):
        make_once(folder, 2, (32, 32), 6)
    assert (folder / "mine.txt").exists()
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match="other' was not made for synthetic scenes: move it away"):
        make_once(tmp_path / "other", 1, (32, 32))
    assert [path.name for path in tmp_path.rglob(".make*")] == []


def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be 31 x 64: make it at least 32 x 32"):
        scene(0, 31, 64)
    with pytest.raises(UserError, match="cannot be 99999999 x 99999999: make it at most 67108864 pixels"):
        scene(0, 99999999, 99999999)
    with pytest.raises(UserError, match="seed -1 is negative"):
        scene(-1)
    with pytest.raises(UserError, match="called 'dusk': use 'night' or 'day'"):
        scene(0, kind="dusk")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="0 pairs cannot be made"):
        make(tmp_path, 0)
    make(tmp_path / "two", 2, (32, 32))
    with pytest.raises(UserError, match=r"ir/02\.png' would pass for one of these pairs: move it away"):
        make(tmp_path / "two", 1, (32, 32), seed=1)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"ir cannot be made \(.*\); choose another"):
        make(tmp_path / "file", 1)
