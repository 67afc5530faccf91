"""LPIPS: the network against torch and against a slow one, the weights a user may give, and what happens without them."""

from __future__ import annotations

import io
import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import perceptual
import pytest
from layouts import Layout, folders, picture

import fusionbench as fb
from fusionbench import cells, cli, images
from fusionbench.baselines.learned import checkpoints
from fusionbench.metrics import METRICS, perceptual_network, perceptual_weights
from fusionbench.metrics.card import NotDefined
from fusionbench.metrics.conventions import CONVENTIONS
from fusionbench.metrics.definitions import define, definition
from fusionbench.metrics.lpips import perceptual_distance, perceptual_distance_map
from fusionbench.metrics.triple import Triple
from fusionbench.types import UserError

STANDARD = CONVENTIONS["standard"]
FLOAT32 = 1e-5
"""A thousand products are added up in single precision, here and there in another order."""


@pytest.fixture(scope="module")
def alexnet() -> dict[str, np.ndarray]:
    return perceptual.weights("alexnet")


@pytest.fixture
def give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write weights to a file, and give it."""

    def _give(arrays: dict[str, np.ndarray], name: str = "weights.npz") -> Path:
        np.savez(tmp_path / name, **arrays)
        monkeypatch.setenv("FUSIONBENCH_LPIPS", str(tmp_path / name))
        return tmp_path / name

    return _give


def planes(rows: int, columns: int) -> list[np.ndarray]:
    return [picture(seed, rows, columns) for seed in range(3)]


def in_torch(network: str, named: dict[str, np.ndarray], first: np.ndarray, second: np.ndarray) -> list[Any]:
    """What each layer says of two planes, (1, 1, rows, columns) each."""
    torch = pytest.importorskip("torch", reason="the networks need torch")
    functional = torch.nn.functional

    def features(plane: np.ndarray) -> list[Any]:
        x = torch.from_numpy(plane.astype(np.float32))[None, None].expand(1, 3, -1, -1) / 127.5 - 1
        x = (x - torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)) / torch.tensor([0.458, 0.448, 0.450]).view(
            1, 3, 1, 1
        )
        found = []
        for line in perceptual.NETWORKS[network]:
            for step in line:
                if len(step) == 2:
                    x = functional.max_pool2d(x, *step)
                else:
                    kind = (torch.from_numpy(named[f"features.{step[0]}.{each}"]) for each in ("weight", "bias"))
                    x = functional.relu(functional.conv2d(x, *kind, stride=step[3], padding=step[4]))
            found.append(x / (torch.sqrt((x**2).sum(1, keepdim=True)) + 1e-10))
        return found

    return [
        functional.conv2d((a - b) ** 2, torch.from_numpy(named[f"lin{at}.model.1.weight"]))
        for at, (a, b) in enumerate(zip(features(first), features(second), strict=True))
    ]


@pytest.mark.parametrize(
    ("network", "rows", "columns"),
    [
        ("alexnet", 31, 31),
        ("alexnet", 45, 90),
        ("vgg16", 16, 16),
        ("vgg16", 19, 36),
    ],
)
def test_networks_are_what_torch_and_the_slow_ones_compute(
    give: Callable[..., Path], network: str, rows: int, columns: int
) -> None:
    named = perceptual.weights(network)
    give(named)
    ir, vis, fused = planes(rows, columns)
    ours = perceptual_distance(Triple.of(ir, vis, fused))
    assert ours > 0
    assert ours == pytest.approx(perceptual.perceptual_distance(network, named, ir, vis, fused), rel=FLOAT32)
    theirs = [sum(float(each.mean()) for each in in_torch(network, named, x, fused)) for x in (ir, vis)]
    assert ours == pytest.approx(sum(theirs) / 2, rel=FLOAT32)


@pytest.mark.usefixtures("lpips_weights")
def test_the_map_is_every_layer_enlarged(alexnet: dict[str, np.ndarray]) -> None:
    functional = pytest.importorskip("torch.nn.functional", reason="the networks need torch")
    ir, vis, fused = planes(97, 131)
    layers = in_torch("alexnet", alexnet, vis, fused)
    expected = sum(
        functional.interpolate(each, (97, 131), mode="bilinear", align_corners=False)[0, 0].numpy() for each in layers
    )
    ours = perceptual_distance_map(Triple.of(ir, vis, fused), "vis")
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6 * expected.max())


@pytest.mark.parametrize("tile", [64, 90])
@pytest.mark.usefixtures("lpips_weights")
def test_tiles_do_not_show(tile: int, monkeypatch: pytest.MonkeyPatch) -> None:
    t = Triple.of(*planes(203, 151))
    value, shown = perceptual_distance(t), perceptual_distance_map(t, "ir")
    whole = perceptual_weights.given()
    assert whole is not None
    assert len(perceptual_network.tiles(whole.architecture, t.shape)) == 1
    small = whole.architecture._replace(tile=tile)
    assert len(perceptual_network.tiles(small, t.shape)) > 4
    monkeypatch.setattr("fusionbench.metrics.lpips.given", lambda: replace(whole, architecture=small))
    again = Triple.of(t.ir, t.vis, t.fused)
    # To the rounding of single precision: Winograd's 2 x 2 results begin elsewhere.
    assert perceptual_distance(again) == pytest.approx(value, rel=1e-6)
    np.testing.assert_allclose(perceptual_distance_map(again, "ir"), shown, rtol=1e-4)


@pytest.mark.usefixtures("lpips_weights")
def test_a_copy_of_a_source_scores_half_of_what_parts_the_sources() -> None:
    ir, vis, fused = planes(64, 80)
    parts = perceptual_distance(Triple.of(ir, ir, vis))
    assert perceptual_distance(Triple.of(ir, vis, vis)) == parts / 2
    assert perceptual_distance(Triple.of(fused, fused, fused)) == 0


# What may be given


def test_names_and_files_do_not_matter(
    alexnet: dict[str, np.ndarray], give: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(alexnet)
    digest = perceptual_weights.digest()
    assert digest.startswith("alexnet ")
    assert len(digest) == len("alexnet ") + 64

    # A whole state dict of lpips.LPIPS, whose slices count from the first layer of the network.
    slices = {0: 1, 3: 2, 6: 3, 8: 4, 10: 5}
    lpips = {
        name.replace("features.", f"net.slice{slices[int(name.split('.')[1])]}.") if "features" in name else name: array
        for name, array in alexnet.items()
    }
    lpips |= {f"lins.{k}.model.1.weight": alexnet[f"lin{k}.model.1.weight"] for k in range(5)}
    lpips |= {"scaling_layer.shift": np.zeros((1, 3, 1, 1), np.float32)}
    give(lpips, "lpips.npz")
    assert perceptual_weights.digest() == digest

    # Those of torchvision, with what names the photographs, and LPIPS's own in a file of their own.
    head = {name: array for name, array in alexnet.items() if name.startswith("lin")}
    body = {name: array for name, array in alexnet.items() if name not in head}
    files = [give(head, "head.npz"), give(body | {"classifier.1.bias": np.zeros(4096, np.float32)}, "body.npz")]
    monkeypatch.setenv("FUSIONBENCH_LPIPS", os.pathsep.join(map(str, files)))
    assert perceptual_weights.digest() == digest

    # What `weights convert` makes of a pickle of nested dictionaries.
    safetensors = pytest.importorskip("safetensors.numpy", reason="the package 'safetensors' is not installed")
    nested = perceptual.as_jax_names_them("alexnet", alexnet)
    (tmp_path / "alexnet.ckpt").write_bytes(pickle.dumps(nested, protocol=3))
    safetensors.save_file(checkpoints.read(tmp_path / "alexnet.ckpt"), tmp_path / "a.safetensors")
    monkeypatch.setenv("FUSIONBENCH_LPIPS", str(tmp_path / "a.safetensors"))
    assert perceptual_weights.digest() == digest


def test_other_names_of_the_larger_network() -> None:
    named = perceptual.weights("vgg16")
    nested = perceptual.as_jax_names_them("vgg16", named)
    flat = {
        f"{title}.{layer}.{kind}": array
        for title, layers in nested.items()
        for layer, kinds in layers.items()
        for kind, array in kinds.items()
    }
    assert perceptual_weights.network_of(flat, "").digest == perceptual_weights.network_of(named, "").digest


def without(name: str) -> Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]:
    return lambda arrays: {key: array for key, array in arrays.items() if key != name}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without("features.0.weight"), "holds no features.0.weight"),
        (without("lin3.model.1.weight"), "lacks lin3.model.1.weight"),
        (
            lambda arrays: arrays | {"features.3.bias": np.zeros(7)},
            "features.3.bias in .* is float64 7, not numbers of 192",
        ),
        (lambda arrays: arrays | {"features.3.bias": np.zeros(192, int)}, "features.3.bias in .* is int64 192, not"),
        (lambda arrays: arrays | {"features.3.bias": np.full(192, np.nan)}, "features.3.bias in .* holds NaN"),
    ],
)
def test_other_weights_are_refused(
    alexnet: dict[str, np.ndarray],
    give: Callable[..., Path],
    change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]],
    sentence: str,
) -> None:
    give(change(alexnet))
    for metrics in ("LPIPS", "all"):
        with pytest.raises(UserError, match=sentence):
            define(metrics, STANDARD)


def one_array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("gone.npz", None, "names '.*gone.npz', which is no file"),
        ("alex.pth", b"PK\3\4", "is neither .safetensors nor .npz: .* 'fusionbench weights convert'"),
        ("torn.npz", b"PK\3\4", "is damaged or no such file"),
        ("text.npz", b"hello", "is damaged or no such file"),
        ("empty.npz", b"", "is damaged or no such file"),
        ("array.npz", one_array(), "is damaged or no such file"),
        ("torn.safetensors", b"\1", "is damaged or no such file"),
    ],
)
def test_other_files_are_refused(
    name: str, content: bytes | None, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name.endswith(".safetensors"):
        pytest.importorskip("safetensors", reason="the package 'safetensors' is not installed")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    monkeypatch.setenv("FUSIONBENCH_LPIPS", str(tmp_path / name))
    with pytest.raises(UserError, match=sentence):
        define("LPIPS", STANDARD)


def test_a_file_that_is_replaced_is_read_again(alexnet: dict[str, np.ndarray], give: Callable[..., Path]) -> None:
    path = give(alexnet)
    before = definition("LPIPS", STANDARD)
    give(alexnet | {"lin0.model.1.weight": 2 * alexnet["lin0.model.1.weight"]})
    os.utime(path, (1, 1))
    after = definition("LPIPS", STANDARD)
    assert before
    assert after
    assert before.id == after.id
    assert cells.key(before, "bt601") != cells.key(after, "bt601")
    t = Triple.of(*planes(31, 31))
    assert after.function(t, **after.parameters) > 0
    with pytest.raises(NotDefined, match=r"was to be computed with the weights alexnet .* names alexnet "):
        before.function(t, **before.parameters)


# Who does not give any


def test_without_weights_it_says_how_to_give_them() -> None:
    with pytest.raises(NotDefined, match=r"LPIPS has no weights here: set FUSIONBENCH_LPIPS to a \.safetensors"):
        METRICS["LPIPS"](Triple.of(*planes(40, 40)))
    with pytest.raises(
        UserError, match="LPIPS needs weights, which do not come with the package: set FUSIONBENCH_LPIPS"
    ):
        fb.score(*planes(40, 40), metrics="LPIPS")
    with pytest.raises(UserError, match="LPIPS needs weights"):
        define("all,LPIPS", STANDARD)
    chosen, left_out = define("all", STANDARD)
    assert "LPIPS" not in [each.name for each in chosen]
    assert left_out == ["LPIPS"]
    assert "LPIPS" in fb.metrics.available()


def test_other_conventions_have_none(lpips_weights: Path) -> None:
    with pytest.raises(UserError, match=r"The convention 'vifb' does not define LPIPS: .* 'standard'"):
        define("LPIPS", CONVENTIONS["vifb"])


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return folders(tmp_path, ("a", "b"), ("1", "2"))


def test_scores_say_what_was_left_out(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    for path in layout.ir.parent.rglob("*.png"):
        images.write(path, picture(len(path.parent.name), 170, 170))
    assert cli.main(["score", *layout.options, "--metrics", "all", "--quiet", "--workers", "1"]) == 0
    assert "No weights are given: LPIPS left out." in " ".join(capsys.readouterr().out.split())


def test_scores_say_which_weights(
    layout: Layout, lpips_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scores.csv"
    assert cli.main(["score", *layout.options, "--metrics", "EN,LPIPS", "-o", str(out)]) == 0
    assert out.read_text().startswith("method,image,EN,LPIPS\n")
    meta = (tmp_path / "scores.meta.json").read_text()
    assert perceptual_weights.digest() in meta
    json.loads(meta)


def test_the_card_says_how_to_give_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["metric", "info", "LPIPS"]) == 0
    assert "FUSIONBENCH_LPIPS" in capsys.readouterr().out
    assert cli.main(["metric", "list"]) == 0
    out = capsys.readouterr().out
    assert "LPIPS+" in out
    assert "+ needs weights of yours" in out


# Pickles of arrays


def test_dictionaries_of_arrays_are_read(tmp_path: Path) -> None:
    arrays = {
        "half": np.arange(3, dtype=np.float16),
        "double": np.arange(6.0).reshape(2, 3),
        "turned": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "whole": np.int64(np.arange(4)),
        "bytes": np.arange(5, dtype=np.uint8),
    }
    for protocol in (3, 4):
        path = tmp_path / "weights.ckpt"
        path.write_bytes(pickle.dumps({"net": {"one": arrays, "step": 3}, "mean": arrays["half"]}, protocol))
        found = checkpoints.read(path)
        assert sorted(found) == sorted(["mean", *(f"net.one.{name}" for name in arrays)])
        for name, array in arrays.items():
            same = found[f"net.one.{name}"]
            np.testing.assert_array_equal(same, array)
            assert same.dtype == array.dtype
            assert same.flags.writeable


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"w": np.array(["text"])}, "'w' holds no numbers"),
        ({"w": np.array([{}])}, "'w' is damaged or of a rare kind"),
        ({"w": np.arange(3, dtype=">f4")}, "'w' is damaged or of a rare kind"),
        ({"a": {"b": np.zeros(3)}, "a.b": np.zeros(3)}, "two arrays called 'a.b'"),
        ({"w": np.full(3, np.inf)}, "NaN or infinite"),
        ({str(k): array for array in [np.zeros(1000)] for k in range(100)}, "far more memory than the file has bytes"),
    ],
)
def test_other_arrays_are_refused(content: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.ckpt"
    path.write_bytes(pickle.dumps(content, protocol=3))
    with pytest.raises(UserError, match=sentence):
        checkpoints.read(path)


def test_deep_dictionaries_are_refused(tmp_path: Path) -> None:
    deep: dict[str, Any] = {"w": np.zeros(3)}
    for _ in range(20):
        deep = {"d": deep}
    path = tmp_path / "weights.ckpt"
    path.write_bytes(pickle.dumps(deep, protocol=3))
    with pytest.raises(UserError, match="more than 16 deep"):
        checkpoints.read(path)
