"""Training learns, can be killed at any step, and comes out the same whenever it is given the same."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="training needs torch, an extra")

from fusionbench import cli, images  # noqa: E402
from fusionbench.baselines.learned import checkpoints  # noqa: E402
from fusionbench.baselines.learned.clfnet import Generator  # noqa: E402
from fusionbench.baselines.training import loop, perception, state  # noqa: E402
from fusionbench.baselines.training.clfnet import CLFNetRecipe  # noqa: E402
from fusionbench.baselines.training.coconet import CoCoNetRecipe  # noqa: E402
from fusionbench.baselines.training.cs2fusion import CS2FusionRecipe, with_holes  # noqa: E402
from fusionbench.baselines.training.data import Batch, Patches, Scene, load, random  # noqa: E402
from fusionbench.baselines.training.log import Log  # noqa: E402
from fusionbench.datasets import synthetic  # noqa: E402
from fusionbench.training import card  # noqa: E402
from fusionbench.types import UserError  # noqa: E402

RECIPES = {"clfnet": CLFNetRecipe, "cs2fusion": CS2FusionRecipe}
BOTH = pytest.mark.parametrize("method", list(RECIPES))


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    synthetic.make(folder, 4, (64, 48))
    return folder


@pytest.fixture(scope="module")
def scenes(pairs: Path) -> list[Scene]:
    return load(pairs)


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the names and shapes of VGG-19, up to where they are needed, and random weights."""
    rng, entries, before = np.random.default_rng(0), {}, 3
    for place, after in perception._blocks("vgg19").items():
        kernel = rng.standard_normal((after, before, 3, 3), dtype=np.float32)
        entries[f"features.{place}.weight"] = kernel * np.float32(np.sqrt(2 / (9 * before)))
        entries[f"features.{place}.bias"] = np.zeros(after, np.float32)
        before = after
    path = tmp_path_factory.mktemp("vgg") / "vgg19.npz"
    np.savez(path, **entries)
    return path


def settings(method: str = "clfnet", **other: Any) -> loop.Settings:
    usual = loop.Settings(
        method=method, steps=4, batch=2, crop=32, stride=16, flips=True, rate=1e-3, schedule="cosine",
        validate_every=2, seed=1, precision="fp32", options={},
    )  # fmt: skip
    return replace(usual, **other)


def brightness(fuse: loop.Fuse) -> Mapping[str, float]:
    """A judge without kernels to compile."""
    plane = np.arange(32 * 32, dtype=np.uint8).reshape(32, 32)
    return {"brightness": float(fuse(plane, plane.T.copy()).mean())}


def train(scenes: list[Scene], out: Path, how: loop.Settings | None = None, **other: Any) -> dict[str, Any]:
    """Train, and give the state at the end."""
    how = how or settings()
    loop.train(lambda: RECIPES[how.method](how.rate), scenes, how, out, brightness, **other)
    return state.read(out / loop.STATE)[0]


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [{word: cell for word, cell in row.items() if word != "seconds"} for row in csv.DictReader(file)]


# Learning


def losses(recipe: Any, scenes: list[Scene], steps: int, batch: int) -> list[dict[str, float]]:
    one = Patches(scenes, 32, 16, flips=False, seed=0).batch(0, batch)
    return [{k: float(v) for k, v in recipe.update(one, random(0, 0, "test")).items()} for _ in range(steps)]


@pytest.mark.parametrize("detail", [0.0, 2.0])
@BOTH
def test_the_losses_of_one_batch_fall(method: str, detail: float, scenes: list[Scene]) -> None:
    torch.manual_seed(0)
    seen = losses(RECIPES[method](2e-3, detail=detail), scenes, 20, 2)
    for name in {"clfnet": ["total", "contrast", "similarity"], "cs2fusion": ["total", "distance", "similarity"]}[
        method
    ]:
        assert np.mean([one[name] for one in seen[-3:]]) < 0.97 * np.mean([one[name] for one in seen[:3]]), name


def test_the_losses_of_coconet_fall(scenes: list[Scene], vgg: Path) -> None:
    torch.manual_seed(0)
    seen = losses(CoCoNetRecipe(1e-3, vgg=vgg), [CoCoNetRecipe.prepared(one) for one in scenes], 8, 2)
    assert seen[-1]["fidelity"] < 0.9 * seen[0]["fidelity"]
    assert all(one["contrast"] == 0 and one["total"] == one["fidelity"] for one in seen)


def test_the_contrast_of_coconet_falls_from_given_weights(scenes: list[Scene], vgg: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    first = CoCoNetRecipe(1e-3, vgg=vgg)
    state.write(tmp_path / "main.safetensors", first.network.state_dict(), {})
    recipe = CoCoNetRecipe(1e-3, vgg=vgg, stage="contrast", weights=tmp_path / "main.safetensors")
    assert same(recipe.network.state_dict(), first.network.state_dict())
    masked = [replace(one, mask=np.tri(*one.ir.shape, dtype=np.uint8) * 255) for one in scenes]
    seen = losses(recipe, masked, 6, 3)
    assert seen[-1]["contrast"] < seen[0]["contrast"]
    assert seen[0]["total"] == pytest.approx(seen[0]["contrast"] + seen[0]["fidelity"])


@pytest.mark.parametrize("level", [0, 1])
def test_a_batch_without_a_contrast_is_skipped(level: int, vgg: Path) -> None:
    recipe = CoCoNetRecipe(1e-3, vgg=vgg)
    recipe.stage = "contrast"
    before = {name: entry.clone() for name, entry in recipe.network.state_dict().items()}
    planes = torch.rand(3, 1, 32, 32) * 255
    found = recipe.update(Batch(planes, planes.flip(0), torch.full_like(planes, level)), random(0, 0, "test"))
    assert [float(one) for one in found.values()] == [0, 0, 0]
    assert same(before, recipe.network.state_dict())


def test_frozen_sight_stays_and_vgg16_passes_the_missing_layer_on(vgg: Path) -> None:
    sight = CoCoNetRecipe(1e-3, vgg=vgg).network.vgg19
    given = np.load(vgg)
    assert np.array_equal(sight.slice3["17"].weight.numpy(), given["features.16.weight"])
    from fusionbench.baselines.training.coconet import _give_sight

    entries = {name: torch.from_numpy(given[name]) for name in given if int(name.split(".")[1]) < 16}
    known = {
        place: (entries[f"features.{place}.weight"], entries[f"features.{place}.bias"])
        for place in (2, 5, 7, 10, 12, 14)
    }
    known[0] = torch.ones(64, 1, 3, 3), torch.zeros(64)
    _give_sight(sight, known)
    x = torch.rand(1, 256, 4, 4)
    assert torch.equal(sight.slice3["17"](x), x)


def test_coconet_says_what_it_lacks(vgg: Path) -> None:
    with pytest.raises(UserError, match="give torchvision's file of its weights as vgg"):
        CoCoNetRecipe(1e-3)
    with pytest.raises(UserError, match="goes on from the stage 'main'"):
        CoCoNetRecipe(1e-3, vgg=vgg, stage="contrast")


@BOTH
def test_half_precision_learns_nearly_the_same(method: str, scenes: list[Scene]) -> None:
    firsts = []
    for precision in ("fp32", "bf16"):
        torch.manual_seed(0)
        firsts.append(losses(RECIPES[method](1e-3, precision=precision), scenes, 1, 2)[0]["total"])
    assert firsts[0] == pytest.approx(firsts[1], rel=0.05)
    assert firsts[0] != firsts[1]


@BOTH
def test_what_is_judged_is_what_the_finished_method_makes(method: str, scenes: list[Scene], tmp_path: Path) -> None:
    from fusionbench.fusing import fuse

    torch.manual_seed(0)
    recipe = RECIPES[method](1e-3)
    losses(recipe, scenes, 2, 2)
    state.write(tmp_path / "some.safetensors", recipe.network.state_dict(), {})
    clipped = {"output": "clip"} if method == "clfnet" else {}
    made = fuse(method, scenes[0].ir, scenes[0].vis, weights=tmp_path / "some.safetensors", **clipped)
    off = np.abs(recipe.fuse(scenes[0].vis, scenes[0].ir).astype(int) - made)
    assert off.max() <= 1
    assert off.mean() < 0.01


# The same again


@BOTH
def test_a_training_that_was_left_goes_on_as_if_it_had_not_been(
    method: str, scenes: list[Scene], tmp_path: Path
) -> None:
    straight = train(scenes, tmp_path / "straight", settings(method))

    class Left(Exception): ...

    def leave(done: int, total: int) -> None:
        if done == 3:
            raise Left

    with pytest.raises(Left):
        train(scenes, tmp_path / "left", settings(method), tell=leave)
    resumed = train(scenes, tmp_path / "left", settings(method), resume=True)
    assert same(straight, resumed)
    assert same(*(state.read(tmp_path / name / loop.BEST)[0] for name in ("straight", "left")))
    for name in ("log.csv", "validation.csv"):
        assert rows(tmp_path / "left" / name) == rows(tmp_path / "straight" / name)


KILLED = """
import os, signal, sys
import torch
from pathlib import Path
sys.path.insert(0, {tests!r})
torch.set_num_threads(1)
import test_training as t
t.train(t.load(Path({pairs!r})), Path({out!r}), save_every={save_every},
        tell=lambda done, total: done == 3 and os.kill(os.getpid(), signal.SIGKILL))
"""


@pytest.mark.parametrize("save_every", [1, 2])
def test_kill_loses_nothing(save_every: int, pairs: Path, scenes: list[Scene], tmp_path: Path) -> None:
    words = {"tests": str(Path(__file__).parent), "pairs": str(pairs), "out": str(tmp_path / "killed")}
    ran = subprocess.run([sys.executable, "-c", KILLED.format(save_every=save_every, **words)], capture_output=True)
    assert ran.returncode == -signal.SIGKILL, ran.stderr.decode()
    _, about = state.read(tmp_path / "killed" / loop.STATE)
    assert about["step"] == 3 // save_every * save_every
    assert same(train(scenes, tmp_path / "killed", resume=True), train(scenes, tmp_path / "straight"))
    assert rows(tmp_path / "killed" / "log.csv") == rows(tmp_path / "straight" / "log.csv")


def test_seeds_decide(scenes: list[Scene], tmp_path: Path) -> None:
    again = [train(scenes, tmp_path / name, settings(steps=2)) for name in ("one", "two")]
    other = train(scenes, tmp_path / "other", settings(steps=2, seed=2))
    assert same(*again)
    assert not same(again[0], other)


def test_torch_keeps_its_own_random_numbers(scenes: list[Scene], tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(scenes, tmp_path / "out", settings(steps=1))
    assert torch.equal(torch.rand(3), expected)


def test_a_state_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.safetensors"
    state.write(path, {"a": torch.ones(2)}, {"step": 1})

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UserError, match="No space left"):
        state.write(path, {"a": torch.zeros(2)}, {"step": 2})
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert state.read(path)[1] == {"step": 1}


# Mistakes


def test_trainings_are_not_mixed_up(scenes: list[Scene], tmp_path: Path) -> None:
    train(scenes, tmp_path / "out", settings(steps=1))
    for words, what, how, resume in (
        ("holds a training already", scenes, settings(steps=1), False),
        ("has rate 0.001, not 0.01", scenes, settings(steps=1, rate=0.01), True),
        ("has steps 1, not 2", scenes, settings(steps=2), True),
        ("learns from other data", scenes[1:], settings(steps=1), True),
    ):
        with pytest.raises(UserError, match=words):
            train(what, tmp_path / "out", how, resume=resume)
    with pytest.raises(UserError, match="no training to resume"):
        train(scenes, tmp_path / "nowhere", resume=True)
    (tmp_path / "out" / loop.STATE).write_bytes(b"no state")
    with pytest.raises(UserError, match="damaged or no state"):
        train(scenes, tmp_path / "out", settings(steps=1), resume=True)


def test_a_loss_that_is_no_number_stops_the_training(scenes: list[Scene], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no number any more at step 2: choose a smaller learning rate"):
        train(scenes, tmp_path / "out", settings("cs2fusion", rate=1e30))


def test_too_few_or_too_large_patches(scenes: list[Scene], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="pair 01 is 64 x 48 pixels, smaller than a patch of 64"):
        train(scenes, tmp_path, settings(crop=64))
    with pytest.raises(UserError, match="give 24 patches, fewer than a batch of 25"):
        train(scenes, tmp_path, settings(batch=25))


# Data


def test_every_patch_comes_up_once_an_epoch() -> None:
    planes = [np.arange(6 * 7, dtype=np.uint8).reshape(6, 7) + np.uint8(100 * k) for k in range(2)]
    patches = Patches([Scene(str(k), one, one) for k, one in enumerate(planes)], 2, 2, flips=False, seed=3)
    corners = sorted(int(one[0, 0]) for one in (p[::2, 0:6:2] for p in planes) for one in one.reshape(-1, 1, 1))
    epochs = [[int(v) for step in range(3) for v in patches.batch(3 * e + step, 6).vis[:, 0, 0, 0]] for e in range(2)]
    assert len(patches) == 18
    assert sorted(epochs[0]) == sorted(epochs[1]) == corners
    assert epochs[0] != epochs[1]


def test_flips_turn_all_planes_alike() -> None:
    vis = np.arange(9, dtype=np.uint8).reshape(3, 3)
    patches = Patches([Scene("a", vis, vis + np.uint8(50), vis + np.uint8(90))], 3, 3, flips=True, seed=0)
    turned = [patches.batch(step, 1) for step in range(40)]
    assert {tuple(one.vis.flatten().int().tolist()) for one in turned} == {
        tuple(map(int, view.ravel())) for view in (vis, vis[::-1], vis[:, ::-1], vis[::-1, ::-1])
    }
    for one in turned:
        assert one.mask is not None
        assert torch.equal(one.ir, one.vis + 50)
        assert torch.equal(one.mask * 255, one.vis + 90)


def test_holes_are_black_and_elsewhere_nothing_changes() -> None:
    planes = torch.full((8, 1, 48, 48), 200.0)
    holed = with_holes(planes, np.random.default_rng(0))
    assert planes.min() == 200
    shares = [float((one == 0).float().mean()) for one in holed]
    assert set(holed.unique().tolist()) == {0, 200}
    assert min(shares) >= (1 / 8) ** 2
    assert max(shares) <= 4 / 9
    assert len(set(shares)) > 4


def write(path: Path, plane: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write(path, plane)


def test_masks_belong_to_their_pairs(tmp_path: Path) -> None:
    plane = np.full((40, 40), 7, np.uint8)
    for name in ("ir/a.png", "vi/a.png", "ir/b.png", "vi/b.png", "mask/a.png"):
        write(tmp_path / name, plane + np.uint8(name.startswith("mask")))
    with pytest.raises(UserError, match="has no mask of b"):
        load(tmp_path)
    [scene] = load(tmp_path, exclude=["b"])
    assert scene.mask is not None
    assert scene.mask[0, 0] == 8
    write(tmp_path / "mask" / "a.png", plane[:20])
    with pytest.raises(UserError, match="differ in size"):
        load(tmp_path, exclude=["b"])
    with pytest.raises(UserError, match="are left out by name"):
        load(tmp_path, exclude=["a", "b"])


def test_a_log_forgets_what_came_after_the_state(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n11,0.5\n12,0.4\n13,0.3\n1")
    Log(path, 12).add({"step": 13, "loss": 0.25})
    assert path.read_text() == "step,loss\n11,0.5\n12,0.4\n13,0.25\n"
    Log(path, 0).add({"step": 1, "loss": 2.0})
    assert path.read_text() == "step,loss\n1,2.0\n"


# The command


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main([str(word) for word in words] + ["--quiet"] * (words[0] == "train"))
        return code, *capsys.readouterr()

    return run


def test_the_command_trains_and_the_result_fuses(said: Any, pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["train", "clfnet", "--data", pairs, "--hold-out", 1, "--steps", 2, "--batch", 2, "--crop", 32, "-o", out]
    code, text, error = said(*map(str, words), "--json")
    assert code == 0, error
    assert json.loads(text) == card(out / "best.safetensors")
    made = card(out / "best.safetensors")
    assert made["step"] == 2
    assert list(made["scores"]) == ["together", "VIF", "SSIM", "Qabf", "SCD"]
    assert made["judged_by"] == ["03"]
    assert made["pairs"] == ["01", "02", "04"]
    assert made["settings"]["seed"] == 123
    assert {one.name for one in out.iterdir()} == {
        "best.safetensors", "log.csv", "loss.svg", "state.safetensors", "validation.csv",
    }  # fmt: skip
    assert (out / "loss.svg").read_text().count("<polyline") == 4
    expected = {name: tuple(entry.shape) for name, entry in Generator().state_dict().items()}
    assert {name: entry.shape for name, entry in checkpoints.read(out / "best.safetensors").items()} == expected

    code, _, error = said(*map(str, words))
    assert code == 2
    assert "holds a training already" in error
    code, text, _ = said(*map(str, words), "--resume")
    assert code == 0
    assert "Best after step 2" in text

    pair = pairs / "ir" / "01.png", pairs / "vis" / "01.png", tmp_path / "fused.png"
    fuse = ["fuse", "clfnet", "--ir", pair[0], "--vis", pair[1], "-o", pair[2], "--weights", out / "best.safetensors"]
    assert said(*fuse)[0] == 0
    assert images.read(pair[2]).shape[:2] == (48, 64)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["clf"], "clfnet"),
        (["clfnet", "--vgg", "x.pth"], "option of clfnet"),
        (["clfnet", "--steps", "1", "--epochs", "1"], "say one of them"),
        (["clfnet", "--steps", "-1"], "steps is -1"),
        (["clfnet", "--hold-out", "4"], "4 of 4 pairs cannot be held out"),
        (["clfnet", "--device", "abacus"], "no device 'abacus'"),
        (["coconet", "--hold-out", "1", "--steps", "1", "--batch", "1", "--crop", "32"], "give torchvision's file"),
        (
            ["coconet", "--hold-out", "1", "--steps", "1", "--batch", "1", "--crop", "32", "--vgg", "none.pth"],
            "none.pth",
        ),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], sentence: str, said: Any, pairs: Path, tmp_path: Path) -> None:
    code, _, error = said("train", *words, "--data", pairs, "-o", tmp_path / "out")
    assert code == 2
    assert sentence in error
    assert len(error.strip().splitlines()) == 1
