"""The losses are the authors': their programs' values to 1e-5, and what follows from their definitions."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import formula
import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="training needs torch, an extra")

from fusionbench.baselines.learned import checkpoints  # noqa: E402
from fusionbench.baselines.learned.cs2fusion import Backbone  # noqa: E402
from fusionbench.baselines.training import compensation, coupled_contrast, patch_contrast, perception  # noqa: E402
from fusionbench.baselines.training.detail import detail_errors  # noqa: E402
from fusionbench.types import UserError  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread", "no_gradients")


@pytest.fixture(scope="module")
def numbers(golden: Path) -> dict[str, Any]:
    return json.loads((golden / "networks" / "losses.json").read_text())


@pytest.fixture(scope="module")
def arrays(golden: Path) -> dict[str, NDArray[np.float32]]:
    return dict(np.load(golden / "networks" / "losses.npz"))


def batch(*ks: int, side: int = 32) -> Any:
    return torch.from_numpy(np.stack([formula.image(side, side, k) for k in ks])[:, None].astype(np.float32))


def unit(*ks: int) -> Any:
    return (batch(*ks) - 127.5) / 127.5


def vectors(name: str, *shape: int, scale: float = 1) -> Any:
    return torch.from_numpy(formula.fill(name, shape, scale))


def near(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-5)


# CLF-Net


def test_patch_contrast(numbers: dict[str, Any], arrays: dict[str, Any]) -> None:
    q = [vectors(f"nce{k}", 24, 16) for k in range(4)]
    q[2] = 0.7 * q[0] + 0.5 * q[2]
    q[3] = 0.4 * q[1] + 0.8 * q[3]
    rows = patch_contrast.patch_contrast(*(torch.nn.functional.normalize(one, dim=1) for one in q))
    assert rows.numpy() == near(arrays["clfnet_rows"])
    assert float(rows.mean()) == near(numbers["clfnet"]["nce_mean"])


def test_patch_contrast_follows_the_more_similar_source() -> None:
    vis, ir = torch.eye(3), torch.eye(3).roll(1, 0)
    to_vis = torch.nn.functional.cross_entropy(torch.eye(3) / 0.07, torch.arange(3), reduction="none")
    assert torch.equal(patch_contrast.patch_contrast(vis, vis, vis, ir), to_vis)
    assert torch.equal(patch_contrast.patch_contrast(ir, ir, vis, ir), to_vis)


def test_brighter_similarity(numbers: dict[str, Any], golden: Path) -> None:
    vis, ir = unit(1, 3), unit(2, 4)
    fused = torch.from_numpy(np.load(golden / "networks" / "clfnet.npz")["train_fused"])
    loss = patch_contrast.brighter_similarity_loss
    assert float(loss(fused, vis, ir)) == near(numbers["clfnet"]["ssim_loss_train_batch"])
    assert float(loss((vis + ir) / 2, vis, ir)) == near(numbers["clfnet"]["ssim_loss_avg"])


def test_projection_has_the_authors_names() -> None:
    entries = patch_contrast.Projection().state_dict()
    assert entries["mlp_0.0.weight"].shape == (2048, 64)
    assert entries["mlp_0.3.weight"].shape == (256, 2048)
    assert len(entries) == 9


def test_vectors_are_those_of_their_positions() -> None:
    features = torch.arange(2 * 3 * 4.0).view(2, 3, 2, 2)
    taken = patch_contrast.vectors_at(features, torch.tensor([3, 0]))
    assert taken.tolist() == [[3, 7, 11], [0, 4, 8], [15, 19, 23], [12, 16, 20]]


# CS2Fusion

SEEN, WARM = (1, 3, 5), (2, 4, 6)


def test_compensation_network_has_the_authors_size() -> None:
    assert sum(p.numel() for p in compensation.CompensationNetwork().parameters()) == 74_369


def test_standing_out(arrays: dict[str, Any]) -> None:
    found = compensation.standing_out(vectors("z", 2, 16, 6, 5))
    assert found.numpy() == pytest.approx(arrays["cs2fusion_standing_out"], rel=1e-5, abs=1e-6)


def test_attraction_and_repulsion(numbers: dict[str, Any]) -> None:
    q = vectors("q", 4, 10)
    r = 0.8 * q + vectors("r", 4, 10, scale=0.7)
    assert float(compensation.attract(q, r)) == near(numbers["cs2fusion"]["toy_simmax"])
    assert float(compensation.repel(q, r)) == near(numbers["cs2fusion"]["toy_simmin"])


def test_attraction_weighs_the_nearest_most() -> None:
    x = torch.eye(2)
    y = torch.tensor([[1.0, 0], [1, 1]])
    near_one, right_angle, half = 0.9995, 0.0005, math.sqrt(0.5)
    weights = math.exp(0.25), 1.0
    first = -math.log(near_one) * weights[0] - math.log(half) * weights[1]
    second = -math.log(half) * weights[0] - math.log(right_angle) * weights[1]
    assert float(compensation.attract(x, y)) == near((first + second) / 4)


def test_reconstruction(numbers: dict[str, Any], arrays: dict[str, Any]) -> None:
    fused, weight = (torch.from_numpy(arrays[f"cs2fusion_{name}"]) for name in ("fused", "weight"))
    seen, warm = batch(*SEEN, side=24), batch(*WARM, side=24)
    distance, similarity = compensation.reconstruction_loss(fused, seen, warm, (weight, 1 - weight))
    known = numbers["cs2fusion"]
    assert float(distance) == near(known["ae_term_first"] + known["ae_term_second"])
    assert float(distance + similarity) == near(known["loss_ae"])
    assert float(compensation.similarity_loss(fused, seen)) == near(known["ssim_FA"])
    assert float(compensation.similarity_loss(fused, warm)) == near(known["ssim_FB"])
    assert float(compensation.similarity_loss(seen, warm)) == near(known["ssim_AB"])


def test_contrast_of_the_official_weights(numbers: dict[str, Any], arrays: dict[str, Any], shared: Path) -> None:
    network, taught = Backbone(), compensation.CompensationNetwork()
    for module, file in ((network, "Backbone Network.pth"), (taught, "CPN.pth")):
        entries = checkpoints.read(shared / "weights" / "cs2fusion" / file)
        module.load_state_dict({name: torch.from_numpy(entry.copy()) for name, entry in entries.items()})
    seen, warm = batch(*SEEN, side=24), batch(*WARM, side=24)
    holed = seen.clone()
    holed[:, :, 6:14, 5:15] = 0
    made = network(seen, warm)
    whole = taught(made.first, made.second)
    again = taught(*network.encode(seen, holed))
    attract, repel = compensation.attract, compensation.repel
    (evident, other), (given, others) = whole.evident, whole.given
    known = numbers["cs2fusion"]
    assert whole.weights[0].numpy() == pytest.approx(arrays["cs2fusion_weight"], abs=1e-6)
    assert float(attract(evident, given)) == near(known["simmax_M0_mf0"])
    assert float(repel(others, given)) == near(known["simmin_mf1_mf0"])
    assert float(attract(evident, given) + attract(other, others) + repel(others, given)) == near(known["c1"])
    assert float(attract(given, again.evident[0]) + repel(given, again.evident[1])) == near(known["c2"])


# CoCoNet


def first_and_second() -> tuple[Any, Any]:
    return unit(1, 3, 5), unit(2, 4, 6) * 0.6 + 0.1


def test_what_sources_hold(numbers: dict[str, Any]) -> None:
    for source, name in zip(first_and_second(), ("vis", "ir"), strict=True):
        gradient, entropy = numbers["coconet"][f"measure_{name}"]
        assert coupled_contrast.mean_gradient(source).tolist() == near(gradient)
        assert coupled_contrast.running_entropy(source).tolist() == near(entropy)


def test_adaptive_weights(numbers: dict[str, Any]) -> None:
    for measure, softness, name in (
        (coupled_contrast.mean_gradient, 0.5, "weights_grad"),
        (coupled_contrast.running_entropy, 0.75, "weights_entropy"),
    ):
        found = coupled_contrast.adaptive_weights(*(measure(one) for one in first_and_second()), softness)
        assert [one.tolist() for one in found] == [near(one) for one in numbers["coconet"][name]]


def test_fidelity(numbers: dict[str, Any]) -> None:
    vis, ir = first_and_second()
    fused = (vis + ir) / 2
    assert float(coupled_contrast.unit_similarity(vis, fused)) == near(numbers["coconet"]["ssim_x1_y_01"])
    assert float(coupled_contrast.fidelity_loss(vis, ir, fused)) == near(numbers["coconet"]["loss_fc"])


def sight() -> perception.Perceptual:
    """VGG-19 with weights by formula."""
    network = perception.Perceptual()
    convolutions = {}
    for stage, layers in enumerate(network.stages, 1):
        for place, layer in layers.items():
            shapes = {f"slice{stage}.{place}.{word}": entry.shape for word, entry in layer.state_dict().items()}
            kernel, bias = (torch.from_numpy(entry) for entry in formula.weights(shapes).values())
            convolutions[int(place)] = kernel, bias
    return perception.filled(network, convolutions)


def test_contrast_of_regions(numbers: dict[str, Any]) -> None:
    vis, ir = first_and_second()
    mask = torch.zeros(3, 1, 32, 32)
    mask[:, :, 8:20, 10:26] = 1
    see, fused, others = sight(), (vis + ir) / 2, (unit(7, 8, 9), unit(10, 11, 12))
    inside = coupled_contrast.contrast(see, fused * mask, ir * mask, [one * mask for one in (vis, *others)])
    assert float(inside) == near(numbers["coconet"]["contrast_fg"])
    seen, warm = [vis, *others], [ir, *others]
    outside = coupled_contrast.contrast(see, fused * (1 - mask), vis * (1 - mask), [one * (1 - mask) for one in warm])
    both = coupled_contrast.coupled_contrast(see, fused, seen, warm, mask)
    assert float(both) == near(float(inside + outside))


@pytest.mark.parametrize("backbone", ["vgg19", "vgg16"])
def test_vgg_sees_grey_as_it_sees_grey_colour(backbone: perception.Backbone) -> None:
    # The luma of R = G = B is that level, but the kernel is a weighted sum of three: they agree where the three are alike.
    entries, before = {}, 3
    for place, after in perception._blocks(backbone).items():
        kernel = torch.from_numpy(formula.fill(f"{place}", (after, before, 3, 3), 0.05))
        entries[f"features.{place}.weight"] = kernel if place else kernel[:, :1].repeat(1, 3, 1, 1)
        entries[f"features.{place}.bias"] = torch.zeros(after)
        before = after
    found = perception.grey(entries, backbone)
    assert found[0][0].numpy() == pytest.approx(entries["features.0.weight"][:, :1].numpy(), abs=1e-7)
    maps = perception.filled(perception.Perceptual(backbone), found)(unit(1))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (64, 32, 32),
        (128, 16, 16),
        (256, 8, 8),
        (512, 4, 4),
        (512, 2, 2),
    ]


def test_other_weights_are_not_taken_for_vgg() -> None:
    with pytest.raises(UserError, match=r"no weights of vgg19, which has features\.0\.weight"):
        perception.grey({"conv1.weight": torch.zeros(64, 3, 3, 3)}, "vgg19")


# Ours


def test_detail_of_both_costs_nothing_and_flatness_does() -> None:
    vis, ir = batch(1, 2), batch(3, 4)
    exact = detail_errors(0.9 * (vis + ir) + 20, vis, ir)
    assert max(float(one.abs().max()) for one in exact) < 1e-3
    assert all(float(one.abs().mean()) > 1 for one in detail_errors(torch.zeros_like(vis), vis, ir))
