"""What is special about the networks that were trained in TensorFlow: names, ways of reading, colour, a second half."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="networks need torch, an extra")

import formula  # noqa: E402
from layouts import picture  # noqa: E402

from fusionbench import fuse  # noqa: E402
from fusionbench.baselines import METHODS  # noqa: E402
from fusionbench.baselines.learned import checkpoints, networks, weights  # noqa: E402
from fusionbench.baselines.learned.literature import tensorflow  # noqa: E402
from fusionbench.baselines.learned.literature.sdnet import SDNet  # noqa: E402

PATHS = ["", "_vi"]
STEPS = [f"{k}{path}" for k in range(1, 5) for path in PATHS]
THEIRS = {
    "fusiongan": [
        *(f"fusion_model/layer{k}/{letter}{k}" for k in range(1, 6) for letter in "wb"),
        *(f"fusion_model/layer{k}/BatchNorm/{word}" for k in range(1, 5) for word in ("gamma", "beta")),
    ],
    "ganmcc": [
        *(f"fusion_model/layer{k}/{letter}{k}" for k in [*STEPS, 5] for letter in "wb"),
        *(f"fusion_model/layer{k}/BatchNorm/{word}" for k in STEPS for word in ("gamma", "beta")),
    ],
    "ddcgan": [
        f"{place}/{word}"
        for places, words in (
            (["Generator/encoder/conv1_1"], ("kernel", "bias")),
            ([f"Generator/encoder/dense_block_conv{k}" for k in range(1, 5)], ("kernel", "bias")),
            ([f"Generator_1/decoder/conv2_{k}" for k in ("1", "1_1", "2", "3", "4")], ("kernel", "bias")),
            ([f"Generator/encoder/b{k}/batch_normalization" for k in range(5)], ("gamma", "beta")),
            ([f"Generator/decoder/b{k}/batch_normalization" for k in range(4)], ("gamma", "beta")),
        )
        for place in places
        for word in words
    ],
    "piafusion": [
        f"PIAFusion/{place}/{word}"
        for place in (
            *("encoder/conv5x5_ir", "encoder/conv5x5_vi", "decoder/conv1x1"),
            *(f"encoder/Conv{k}/conv3x3" for k in range(1, 5)),
            *(f"decoder/conv{k}" for k in range(1, 5)),
        )
        for word in ("kernel", "bias")
    ],
}
THEIRS["ddcgan-multi"] = [
    *THEIRS["ddcgan"],
    "Generator_2/deconv_ir/deconv1/kernel",
    "Generator_3/deconv_vis/deconv1/kernel",
]
OTHERS = ("Discriminator/conv1/kernel", "fusion_model/layer1/BatchNorm/moving_mean", "classifier/Classifier/dense/bias")


@pytest.fixture
def by_formula(tmp_path: Path) -> dict[str, Path]:
    """Files of weights that have learned nothing."""
    files = {name: tmp_path / f"{name}.npz" for name in ("sdnet", "u2fusion", "pmgi", "ddcgan-multi", "piafusion")}
    for name, file in files.items():
        np.savez(file, **formula.weights(weights.expected(name)[0]))
    return files


@pytest.mark.parametrize("name", list(THEIRS))
def test_names_of_checkpoints_that_are_not_to_be_had(name: str) -> None:
    shapes, adapt = weights.expected(name)
    theirs = [each.replace("/", "__") for each in THEIRS[name]]
    marks = {each: np.full(1, mark) for mark, each in enumerate(theirs)}
    found = adapt(marks | {each.replace("/", "__"): np.zeros(2) for each in OTHERS})
    assert set(found) == set(shapes)
    assert sorted(int(mark[0]) for mark in found.values()) == list(range(len(theirs)))


def test_scope_of_the_first_stdfusionnet() -> None:
    _, adapt = weights.expected("stdfusionnet")
    kernel = np.zeros((5, 5, 1, 16))
    for scope in ("STDFusion_model", "STMFusion_model"):
        found = adapt({f"{scope}__vi_extraction_network__conv1__w": kernel})
        assert {name: array.shape for name, array in found.items()} == {"vi_encoder.conv1.weight": (16, 1, 5, 5)}


@pytest.mark.parametrize("size", ["small", "tno"])
def test_sdnet_takes_the_fused_image_apart(size: str, shared: Path) -> None:
    entries = checkpoints.load(shared / "weights" / "others" / "tf_sdnet_irvis.npz", *weights.expected("sdnet"))
    network = SDNet()
    network.load_state_dict({name: torch.from_numpy(np.array(entry)) for name, entry in entries.items()})
    with np.load(shared / "reference" / "networks" / "tf" / "sdnet_reference.npz") as file, torch.inference_mode():
        parts = network.decompose(torch.from_numpy(file[f"fused_{size}"])[None, None])
        for name, part in zip(("ir", "vi"), parts, strict=True):
            assert np.abs(part[0, 0].numpy() - file[f"sept_{name}_{size}"]).max() <= 1e-5


def test_piafusion_before_rounding(golden: Path, by_formula: dict[str, Path]) -> None:
    """Also of a grey image, of which the authors' program makes one in colour."""
    with np.load(golden / "networks" / "piafusion.npz") as file:
        for vis, wanted in (("vis_rgb_small", "rgb_float_small"), ("vis_small", "rgb_float_grey")):
            pair = (file[word].astype(np.float64) for word in ("ir_small", vis))
            fused = METHODS["piafusion"](*pair, weights=by_formula["piafusion"])
            assert np.abs(fused.reshape(48, 64, -1) - file[wanted]).max() <= 2e-2


def test_levels_as_they_are_read_from_files_in_colour() -> None:
    levels = np.arange(256, dtype=np.uint8)
    luma = np.array(Image.fromarray(np.repeat(levels[np.newaxis, :, np.newaxis], 3, 2)).convert("YCbCr"))[0, :, 0]
    np.testing.assert_array_equal(tensorflow._read(levels.astype(np.float64), "rgb"), luma)
    assert (luma < levels).sum() == 22
    between = np.array([11.5, 17.999])
    np.testing.assert_array_equal(tensorflow._read(between, "rgb"), between)


@pytest.mark.parametrize("name", ["sdnet", "pmgi"])
def test_way_of_reading_is_of_both_sources(name: str, by_formula: dict[str, Path]) -> None:
    ir, vis = picture(1, 32, 40), picture(2, 32, 40)
    lowered = [tensorflow._read(plane.astype(np.float64), "rgb").astype(np.uint8) for plane in (ir, vis)]
    assert all((a != b).any() for a, b in zip((ir, vis), lowered, strict=True))
    np.testing.assert_array_equal(
        fuse(name, ir, vis, weights=by_formula[name], reading="rgb"), fuse(name, *lowered, weights=by_formula[name])
    )


def test_u2fusion_keeps_the_chroma_of_its_script(by_formula: dict[str, Path]) -> None:
    ir, vis = picture(1, 32, 40), picture(2, 32, 40, colour=True)
    planes = ir.astype(np.float64), vis.astype(np.float64)
    fused = METHODS["u2fusion"](*planes, weights=by_formula["u2fusion"], output="plain")
    shares = np.array([0.299, 0.587, 0.114])
    alone = METHODS["u2fusion"](planes[0], planes[1] @ shares, weights=by_formula["u2fusion"], output="plain")
    assert np.abs(fused @ shares - alone).max() <= 2e-2
    for band in (0, 2):
        change = (fused[..., band] - fused @ shares) - (planes[1][..., band] - planes[1] @ shares)
        assert np.abs(change).max() <= 0.1
    whole = fuse("u2fusion", ir, vis, weights=by_formula["u2fusion"], output="official")
    assert (whole.min(), whole.max()) == (0, 255)
    scaled = fuse("u2fusion", ir, vis, weights=by_formula["u2fusion"], preset="script")
    assert scaled.max() == 255


def test_ddcgan_for_two_sizes_takes_means(by_formula: dict[str, Path]) -> None:
    """Nothing but the means of 4 x 4 pixels of the infrared image counts."""
    ir, vis = (picture(k, 32, 40).astype(np.float64) for k in (1, 2))
    means = ir.reshape(8, 4, 10, 4).mean((1, 3)).repeat(4, 0).repeat(4, 1)
    run = networks.fuser("ddcgan-multi", by_formula["ddcgan-multi"], networks.Conditions())
    np.testing.assert_allclose(run(ir, vis), run(means, vis), atol=1e-2)
    assert np.abs(run(np.roll(ir, 2, 0), vis) - run(ir, vis)).max() > 1


@pytest.mark.parametrize("name", ["pmgi", "ddcgan-multi"])
def test_company_changes_no_statistics(name: str, by_formula: dict[str, Path]) -> None:
    run = networks.inference(name, checkpoints.load(by_formula[name], *weights.expected(name)))
    ir, vis = torch.rand(2, 3, 1, 32, 40, generator=torch.Generator().manual_seed(1)) * 255
    with torch.inference_mode():
        together = run(ir, vis)
        for k in range(3):
            assert (run(ir[k : k + 1], vis[k : k + 1]) - together[k]).abs().max() <= 2e-2
