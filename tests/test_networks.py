"""The networks are the authors': their names for the weights, and their numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import formula
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need torch, an extra")

from fusionbench.baselines.learned import checkpoints, networks, weights  # noqa: E402
from fusionbench.baselines.learned.clfnet import Generator  # noqa: E402
from fusionbench.baselines.learned.coconet import CoCoNet  # noqa: E402
from fusionbench.baselines.learned.cs2fusion import Backbone  # noqa: E402

NETWORKS = {"clfnet": Generator, "cs2fusion": Backbone, "coconet": CoCoNet}
IR, VIS = formula.image(40, 56, 2), formula.image(40, 56, 3)
ALL = pytest.mark.parametrize("name", list(NETWORKS))


pytestmark = pytest.mark.usefixtures("one_thread", "no_gradients")


def filled(name: str) -> Any:
    """A network with weights by formula."""
    network = NETWORKS[name]()
    entries = formula.weights({key: entry.shape for key, entry in network.state_dict().items()})
    network.load_state_dict({key: torch.from_numpy(np.asarray(entry)) for key, entry in entries.items()})
    return network


def batch(*planes: np.ndarray) -> Any:
    return torch.from_numpy(np.stack(planes).astype(np.float32)[:, np.newaxis])


def unit(*planes: np.ndarray) -> Any:
    return (batch(*planes) - 127.5) / 127.5


def off(tensor: Any, expected: np.ndarray) -> float:
    return float(np.abs(tensor.numpy().reshape(expected.shape) - expected).max())


# What there is


@pytest.mark.parametrize(("name", "learned"), [("clfnet", 190_632), ("cs2fusion", 191_732), ("coconet", 9_169_605)])
def test_parameters_are_as_many_as_the_authors(name: str, learned: int) -> None:
    assert networks.parameters(name) == learned


def test_the_part_of_vgg_is_frozen() -> None:
    assert sum(p.numel() for p in CoCoNet().parameters() if p.requires_grad) == 6_845_189


@pytest.mark.parametrize(("name", "file"), [("clfnet", "clf_keys.json"), ("coconet", "coconet_keys.json")])
def test_names_and_shapes_are_the_authors(name: str, file: str, shared: Path) -> None:
    listed = json.loads((shared / "reference" / "networks" / file).read_text())
    mine = {key: list(entry.shape) for key, entry in NETWORKS[name]().state_dict().items()}
    assert mine == listed


# CLF-Net


def test_clfnet_in_use(golden: Path) -> None:
    expected = np.load(golden / "networks" / "clfnet.npz")
    made = filled("clfnet").eval()(unit(VIS), unit(IR))
    assert off(made.fused, expected["eval_fused"]) <= 1e-5
    assert off(made.vis[:, 63], expected["eval_vis_63"]) <= 1e-5
    assert off(made.ir[:, 63], expected["eval_ir_63"]) <= 1e-5


def test_clfnet_in_training(golden: Path) -> None:
    vis, ir = ([formula.image(32, 32, k) for k in ks] for ks in ((1, 3), (2, 4)))
    made = filled("clfnet").train()(unit(*vis), unit(*ir))
    assert off(made.fused, np.load(golden / "networks" / "clfnet.npz")["train_fused"]) <= 1e-5


def test_clfnet_with_folded_normalisation_is_the_same(golden: Path) -> None:
    expected = np.load(golden / "networks" / "clfnet.npz")["eval_fused"]
    inference = networks.inference("clfnet", formula.weights(weights.expected("clfnet")[0]))
    assert not [module for module in inference.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert off((inference(batch(IR), batch(VIS)) - 127.5) / 127.5, expected) <= 1e-5


@pytest.mark.parametrize("file", ["clf_synthetic_legacy.pth", "clf_synthetic_zip.pth"])
def test_clfnet_takes_whole_training_objects(file: str, golden: Path, shared: Path) -> None:
    path = shared / "weights" / "clfnet_synthetic" / file
    network = Generator()
    entries = checkpoints.load(path, *weights.expected("clfnet"))
    network.load_state_dict({key: torch.from_numpy(np.array(entry)) for key, entry in entries.items()})
    expected = np.load(golden / "networks" / "clfnet.npz")["eval_fused"]
    assert off(network.eval()(unit(VIS), unit(IR)).fused, expected) <= 1e-5


# CoCoNet


@pytest.mark.parametrize("bn", ["batch", "running"])
@pytest.mark.parametrize("scale", ["255", "unit"])
def test_coconet_in_each_option(bn: str, scale: str, golden: Path) -> None:
    expected = np.load(golden / "networks" / "coconet.npz")[f"{bn}_{scale}"]
    images = [batch(VIS), batch(IR)] if scale == "255" else [unit(VIS), unit(IR)]
    assert off(filled("coconet").train(bn == "batch")(*images), expected) <= 1e-5

    inference = networks.inference("coconet", formula.weights(weights.expected("coconet")[0]), bn=bn, scale=scale)
    assert off((inference(batch(IR), batch(VIS)) - 127.5) / 127.5, expected) <= 1e-5
    # The others of a batch have no say; but what float32 rounds off there, levels for input magnify.
    together = inference(batch(IR, VIS), batch(VIS, IR))[:1]
    assert off((together - 127.5) / 127.5, expected) <= 1e-3


def test_attention_of_coconet(golden: Path) -> None:
    expected = np.load(golden / "networks" / "coconet.npz")["attention"]
    x = torch.from_numpy(formula.fill("cam", (1, 64, 6, 5), 1.0))
    assert off(filled("coconet").se_64(x), expected) <= 1e-5


def test_perception_of_coconet(golden: Path) -> None:
    expected = np.load(golden / "networks" / "coconet.npz")
    half, quarter, eighth = filled("coconet").vgg19(batch(VIS[:32, :48]) / 127.5 - 1)
    assert [tuple(x.shape) for x in (half, quarter, eighth)] == [(1, 64, 16, 24), (1, 128, 8, 12), (1, 256, 4, 6)]
    assert off(half[0, :4], expected["perceived_half"]) <= 1e-5
    assert off(eighth.mean((2, 3)), expected["perceived_eighth"]) <= 1e-5


@pytest.mark.parametrize("size", [(32, 48), (33, 47), (9, 31)])
def test_coconet_takes_any_size(size: tuple[int, int]) -> None:
    x = batch(np.zeros(size))
    assert filled("coconet").eval()(x, x).shape == (1, 1, *size)


# CS2Fusion


def convolved(x: np.ndarray, entries: Mapping[str, np.ndarray], name: str, *, leaky: bool = True) -> np.ndarray:
    """The obvious convolution: (C, H, W), black outside."""
    kernel, bias = entries[f"{name}.weight"].astype(np.float64), entries[f"{name}.bias"].astype(np.float64)
    height, width = x.shape[1:]
    framed = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    taps = [
        np.einsum("oc,chw->ohw", kernel[:, :, i, j], framed[:, i : i + height, j : j + width])
        for i in range(3)
        for j in range(3)
    ]
    y = sum(taps) + bias[:, None, None]
    return np.where(y > 0, y, 0.01 * y) if leaky else y


def naive_cs2fusion(first: np.ndarray, second: np.ndarray, entries: Mapping[str, np.ndarray]) -> np.ndarray:
    features = []
    for image, suffix in ((first, ""), (second, "_1")):
        e = [image[np.newaxis].astype(np.float64)]
        for layer in range(1, 5):
            seen = e[0] if layer == 1 else np.concatenate(e[:0:-1])
            e.append(convolved(seen, entries, f"con{layer}{suffix}.0"))
        features.append(np.concatenate(e[:0:-1]))
    x = np.concatenate(features)
    for step in (1, 2, 3):
        x = convolved(x, entries, f"decon{step}.0")
        pooled = np.concatenate([x.max((1, 2)), x.mean((1, 2))])[:, None, None]
        wanted = 1 / (1 + np.exp(-convolved(pooled, entries, f"ca{step}.cov.0", leaky=False)))
        x = x + wanted * sum(convolved(one, entries, f"cov{step}.0") for one in features)
    return convolved(x, entries, "decon4.0", leaky=False)[0]


def test_cs2fusion_is_its_formula() -> None:
    entries = formula.weights(weights.expected("cs2fusion")[0])
    vis, ir = VIS[:12, :15], IR[:12, :15]
    fused = networks.inference("cs2fusion", entries)(batch(ir, vis), batch(vis, ir))
    assert off(fused[0], naive_cs2fusion(vis, ir, entries)) <= 1e-3
    assert off(fused[1], naive_cs2fusion(ir, vis, entries)) <= 1e-3


@pytest.fixture(scope="module")
def official(shared: Path) -> Callable[[Any, Any], Any]:
    path = shared / "weights" / "cs2fusion" / "Backbone Network.pth"
    network = Backbone()
    entries = checkpoints.load(path, *weights.expected("cs2fusion"))
    network.load_state_dict({key: torch.from_numpy(np.array(entry)) for key, entry in entries.items()})
    return network.eval()


@pytest.mark.parametrize("name", ["tiny32x48", "tiny64"])
def test_cs2fusion_with_the_official_weights(name: str, official: Callable[[Any, Any], Any], shared: Path) -> None:
    expected = np.load(shared / "reference" / "networks" / "cs2fusion" / f"{name}.npz")
    made = official(batch(expected["vis_y"]), batch(expected["ir"]))
    assert off(made.fused, expected["fused_y"]) <= 1e-3
    assert off(official(batch(expected["ir"]), batch(expected["vis_y"])).fused, expected["fused_y_ir_first"]) <= 1e-3
    if name == "tiny32x48":
        for mine, theirs in ((made.first, "first"), (made.second, "second")):
            assert off(mine[0], expected[f"E1_{theirs}"]) <= 1e-3
            assert off(mine[3], expected[f"E4_{theirs}"]) <= 1e-3
