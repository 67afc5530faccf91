"""What the transformers of the literature compute on their way, and what their weights are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import formula
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="networks need torch, an extra")

from literature import CASES, filled  # noqa: E402

from fusionbench.baselines import METHODS  # noqa: E402
from fusionbench.baselines.learned import networks, weights  # noqa: E402
from fusionbench.baselines.learned.checkpoints import load, misfit  # noqa: E402
from fusionbench.baselines.learned.literature import defusion, swinfuse, swinfusion  # noqa: E402
from fusionbench.baselines.learned.literature.cddfuse import attention_of_channels  # noqa: E402
from fusionbench.baselines.learned.literature.swin import CrossAttention, SelfAttention, Windows  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread", "no_gradients")


def by_formula(method: str) -> dict[str, np.ndarray]:
    case = next(case for case in CASES if case.method == method)
    return filled(weights.expected(method)[0], case)


def network(method: str) -> Any:
    """With weights by formula."""
    return networks.inference(method, by_formula(method)).network


def tensors(entries: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: torch.from_numpy(np.array(entry)) for name, entry in entries.items()}


# Attention in windows.


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(2, 5), st.booleans())
def test_windows_are_cut_and_joined(number: int, down: int, across: int, side: int, moved: bool) -> None:
    windows = Windows(side, side // 2 if moved else 0)
    x = torch.rand(number, down * side, across * side, 3)
    cut = windows.cut(x)
    assert cut.shape == (number * down * across, side * side, 3)
    assert torch.equal(windows.joined(cut, *x.shape[1:3]), x)


def test_the_first_window_is_the_first_corner() -> None:
    x = torch.arange(16.0).reshape(1, 4, 4, 1)
    assert Windows(2).cut(x)[0, :, 0].tolist() == [0, 1, 4, 5]
    assert Windows(2, 1).cut(x)[0, :, 0].tolist() == [5, 6, 9, 10]
    assert Windows(2, 1).cut(x)[-1, :, 0].tolist() == [15, 12, 3, 0]


def test_only_neighbours_meet_in_moved_windows() -> None:
    side, shift = 4, 2
    height, width = 12, 8
    x = torch.zeros(1, height, width, 1)
    windows = Windows(side, shift)
    assert Windows(side).apart(x) is None
    places = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"), 2)[None]
    cut = windows.cut(places).numpy()
    far = np.abs(cut[:, :, None] - cut[:, None]).max(3) >= side
    apart = windows.apart(x)
    assert apart is not None
    np.testing.assert_array_equal(apart.numpy(), np.where(far, -100, 0))


def naive_attention(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, table: np.ndarray, heads: int, side: int
) -> np.ndarray:
    """One window, (tokens, width) each."""
    tokens, width = q.shape
    size = width // heads
    made = np.zeros_like(q)
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        for one in range(tokens):
            logits = np.zeros(tokens)
            for other in range(tokens):
                down, right = one // side - other // side, one % side - other % side
                logits[other] = q[one, part] @ k[other, part] / np.sqrt(size)
                logits[other] += table[(down + side - 1) * (2 * side - 1) + right + side - 1, head]
            share = np.exp(logits) / np.exp(logits).sum()
            made[one, part] = share @ v[:, part]
    return made


def test_attention_is_the_obvious_one() -> None:
    rng = np.random.default_rng(0)
    side, heads, width = 3, 2, 6
    x, other = (rng.normal(size=(1, side * side, width)) for _ in range(2))
    own, cross = (kind(width, heads, side).double() for kind in (SelfAttention, CrossAttention))
    for module in (own, cross):
        module.relative_position_bias_table.copy_(torch.from_numpy(rng.normal(size=(25, heads))))
        module.proj.weight.copy_(torch.eye(width))
        module.proj.bias.zero_()

    def line(module: Any, given: np.ndarray) -> np.ndarray:
        return given[0] @ module.weight.numpy().T + module.bias.numpy()

    expected = naive_attention(*np.split(line(own.qkv, x), 3, 1), own.relative_position_bias_table.numpy(), heads, side)
    np.testing.assert_allclose(own(torch.from_numpy(x), None)[0].numpy(), expected, atol=1e-12)
    table = cross.relative_position_bias_table.numpy()
    expected = naive_attention(line(cross.q, x), *np.split(line(cross.kv, other), 2, 1), table, heads, side)
    made = cross(torch.from_numpy(x), torch.from_numpy(other), None)
    np.testing.assert_allclose(made[0].numpy(), expected, atol=1e-12)


def test_attention_of_channels_is_the_obvious_one() -> None:
    rng = np.random.default_rng(1)
    projected, temperature = rng.normal(size=(1, 192, 3, 4)), rng.uniform(0.5, 2, (8, 1, 1))
    q, k, v = projected.reshape(3, 8, 8, 12)
    q, k = (x / np.sqrt((x**2).sum(2, keepdims=True)) for x in (q, k))
    logits = temperature * np.einsum("hix,hjx->hij", q, k)
    expected = np.einsum("hij,hjx->hix", np.exp(logits) / np.exp(logits).sum(2, keepdims=True), v)
    made = attention_of_channels(torch.from_numpy(projected), torch.from_numpy(temperature))
    np.testing.assert_allclose(made.numpy(), expected.reshape(1, 64, 3, 4), atol=1e-12)


# How far they see, and what becomes of sizes.


def test_swinfusion_sees_as_far_as_its_tiles_overlap() -> None:
    """By its derivative; in one row of windows, since both axes are alike, and where in a window it is largest."""
    net = network("swinfusion").double().requires_grad_(False)
    reach = []
    for column in (73, 78):
        image = torch.full((1, 1, 8, 152), 0.5, dtype=torch.float64, requires_grad=True)
        with torch.enable_grad():
            net(image, image)[0, 0, 3, column].backward()
        assert image.grad is not None
        seen = np.flatnonzero(image.grad[0, 0].abs().amax(0).numpy() > 1e-38)
        reach.append(np.abs(seen - column).max())
    assert reach == [swinfusion.Inference.overlap] * 2


def test_swinfusion_takes_whole_windows_and_one_more() -> None:
    image = torch.rand(1, 1, 16, 13)
    large = swinfusion._enlarged(image)
    assert large.shape == (1, 1, 24, 16)
    assert torch.equal(large[..., :13], torch.cat([image, image.flip(2)[:, :, :8]], 2))
    assert torch.equal(large[..., 13:], large[..., [12, 11, 10]])


def test_swinfuse_computes_only_what_the_image_covers() -> None:
    net = network("swinfuse")
    image = torch.rand(1, 1, 30, 52)
    square = torch.zeros(1, 1, 224, 224)
    square[..., :30, :52] = image
    assert torch.allclose(net.encode(image), net.encode(square), rtol=0, atol=1e-5)


def test_swinfuse_fuses_squares_alone() -> None:
    fuse = networks.inference("swinfuse", by_formula("swinfuse"))
    ir, vis = (torch.from_numpy(formula.image(20, 240, k).astype(np.float32))[None, None] for k in (2, 3))
    whole, left, right = fuse(ir, vis), fuse(ir[..., :224], vis[..., :224]), fuse(ir[..., 224:], vis[..., 224:])
    assert torch.allclose(whole, torch.cat([left, right], 3), rtol=0, atol=1e-3)


@pytest.mark.parametrize("method", ["cddfuse", "defusion"])
def test_those_that_say_so_see_all(method: str) -> None:
    fuse = networks.inference(method, by_formula(method))
    assert fuse.sees_all_by
    ir, vis = (torch.from_numpy(formula.image(65, 65, k).astype(np.float32))[None, None] for k in (2, 3))
    other = vis.clone()
    other[..., 32, 32] += 64
    assert (fuse(ir, vis) - fuse(ir, other)).abs()[..., -1, 0].max() > 1e-3


def test_swinfuse_weights_of_all_but_the_first_blocks_do_nothing() -> None:
    net = network("swinfuse")
    image = torch.rand(1, 1, 14, 21)
    before = net._features(image)
    for stage in (net.EN1_0, net.EN2_0, net.EN3_0):
        for block in list(stage[0])[1:]:
            for parameter in block.parameters():
                parameter.zero_()
    assert torch.equal(net._features(image), before)
    net.EN3_0[0][0].mlp.fc2.bias.zero_()
    assert not torch.allclose(net._features(image), before)


def test_swinfuse_fuses_equal_features_to_twice_themselves() -> None:
    features = torch.rand(2, 5, 6, 7)
    assert torch.allclose(swinfuse.fused_by_activity(features, features), 2 * features, rtol=1e-4)


# What they compute on their way, by the authors' programs.


def reference(shared: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(shared / "reference" / "networks" / "torch" / f"{name}_reference.npz") as file:
        return dict(file)


def test_cddfuse_takes_images_apart(shared: Path) -> None:
    arrays = reference(shared, "cddfuse")
    image = torch.from_numpy(arrays["even_vis"].astype(np.float32))[None, None] / 255
    for made, kind in zip(network("cddfuse").DIDF_Encoder(image), ("base", "detail"), strict=True):
        np.testing.assert_allclose(made[0, :4].numpy(), arrays[f"even_vis_{kind}_ch0_3"], atol=1e-5)


@pytest.mark.parametrize("size", ["even", "odd"])
def test_defusion_shows_what_is_common_and_what_is_not(size: str, shared: Path) -> None:
    arrays = reference(shared, "defusion")
    net = network("defusion")
    planes = (torch.from_numpy(arrays[f"{size}_{source}"].astype(np.float32) / 255) for source in ("ir", "vis"))
    warm, seen = (
        net._encode(torch.nn.functional.pad(plane.expand(1, 3, -1, -1), (16,) * 4, mode="reflect")) for plane in planes
    )
    deepest = net.common_encoder[0](warm[3], seen[3])
    features = {
        "common": net._common(deepest, (warm, seen)),
        "upper": net._alone(deepest, warm),
        "lower": net._alone(deepest, seen),
    }
    for name, made in features.items():
        picture = net.decoder_upper_projection_layer(made)[0, :, 16:-16, 16:-16]
        np.testing.assert_allclose(picture.numpy(), arrays[f"{size}_{name}"], atol=1e-5)


def test_defusion_gives_the_luma_of_a_grey_image(tmp_path: Path) -> None:
    path = tmp_path / "defusion.npz"
    np.savez(path, **by_formula("defusion"))
    ir, vis = (formula.image(33, 40, k).astype(np.float64) for k in (2, 3))
    colour = METHODS["defusion"](ir, np.repeat(vis[..., None], 3, 2), weights=path)
    grey = METHODS["defusion"](ir, vis, weights=path)
    assert np.abs(colour[..., 0] - colour[..., 1]).max() > 1
    np.testing.assert_allclose(grey, colour @ [0.299, 0.587, 0.114], atol=1e-3)


# What their weights are called.

MODULES = {
    "encoder": "DIDF_Encoder",
    "decoder": "DIDF_Decoder",
    "basefuse": "BaseFuseLayer",
    "detailfuse": "DetailFuseLayer",
}


@pytest.mark.parametrize("method", ["swinfusion", "swinfuse", "defusion", "cddfuse"])
def test_names_and_shapes_are_the_authors(method: str, shared: Path) -> None:
    """Of what their programs would save, to the last entry."""
    listed = json.loads((shared / "reference" / "networks" / "torch" / "keys_code_only.json").read_text())[method]
    if method == "cddfuse":
        listed = {
            f"{MODULES[part]}.module.{name}": shape for part, own in listed.items() for name, shape in own.items()
        }
    expected, adapt = weights.expected(method)
    zero = np.zeros(())
    theirs = {name: np.broadcast_to(zero, shape) for name, shape in listed.items()}
    assert not misfit(adapt(theirs), expected)


def test_cddfuse_reads_modules_of_several_devices(tmp_path: Path) -> None:
    entries = tensors(by_formula("cddfuse"))
    parts: dict[str, dict[str, Any]] = {part: {} for part in MODULES.values()}
    for name, entry in entries.items():
        part, _, own = name.partition(".")
        parts[part][f"module.{own}"] = entry
    torch.save(parts, tmp_path / "CDDFuse_IVF.pth")
    found = load(tmp_path / "CDDFuse_IVF.pth", *weights.expected("cddfuse"))
    assert all((found[name] == entry.numpy()).all() for name, entry in entries.items())


def test_swinfusion_reads_both_ways_of_saving_with_masks_of_any_size(tmp_path: Path) -> None:
    entries = tensors(by_formula("swinfusion"))
    block = "layers_Ex_A.0.residual_group.blocks.1"
    more = {
        **entries,
        f"{block}.attn_mask": torch.zeros(4, 64, 64),
        f"{block}.attn.relative_position_index": torch.zeros(64, 64, dtype=torch.int64),
    }
    for saved in (more, {"params": more}):
        torch.save(saved, tmp_path / "10000_E.pth")
        found = load(tmp_path / "10000_E.pth", *weights.expected("swinfusion"))
        assert all((found[name] == entry.numpy()).all() for name, entry in entries.items())


def test_defusion_reads_every_tensor_once(tmp_path: Path) -> None:
    entries = tensors(by_formula("defusion"))
    second = {name.replace("upper", "lower"): entry for name, entry in entries.items() if "upper" in name}
    assert len(entries) + len(second) == 676
    torch.save({"state_dict": {**entries, **second}}, tmp_path / "defusion.pth")
    found = load(tmp_path / "defusion.pth", *weights.expected("defusion"))
    assert all((found[name] == entry.numpy()).all() for name, entry in entries.items())
    assert defusion.adapt_state_dict(second) == {}
