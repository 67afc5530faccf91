"""What auto-encoders and unrolled algorithms of the literature compute on their way, and what their weights are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need torch, an extra")

from literature import LRRNET  # noqa: E402

from fusionbench import fuse  # noqa: E402
from fusionbench.baselines.learned import networks, weights  # noqa: E402
from fusionbench.baselines.learned.literature import auif, mfeif, nestfuse, rfn_nest  # noqa: E402
from fusionbench.baselines.learned.literature.blocks import in_proportion, without_files  # noqa: E402
from fusionbench.baselines.learned.methods import stretched  # noqa: E402

pytestmark = pytest.mark.usefixtures("no_gradients")


def official(shared: Path, method: str, file: str) -> Any:
    """The network with its authors' weights."""
    entries = weights.find(method, shared / "weights" / "others" / file, *weights.expected(method))
    return networks.inference(method, entries).network


def reference(shared: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(shared / "reference" / "networks" / "torch" / f"{name}_reference.npz") as file:
        return dict(file)


def unit(image: np.ndarray) -> Any:
    return torch.from_numpy(image.astype(np.float32))[None, None] / 255


def close(made: Any, wanted: np.ndarray, relative: float = 1e-5) -> bool:
    """As near as sums of float32 in another order are, beside the largest number."""
    return bool(np.abs(made.numpy().squeeze() - wanted).max() <= relative * np.abs(wanted).max())


# What they compute on their way, by the authors' programs.


def test_auif_starts_from_a_mean_and_a_laplacian(shared: Path) -> None:
    arrays = reference(shared, "auif")
    image = unit(arrays["img_ir"])
    assert close(auif.blurred(image), arrays["img_ir_boxblur11"])
    assert close(auif.curvature(image), arrays["img_ir_laplace19"])


def test_mfeif_attends_to_edges(shared: Path) -> None:
    arrays = reference(shared, "mfeif")
    image = unit(arrays["img_ir"])
    assert close(mfeif.edges(image), arrays["img_edge_ir"])
    assert close(official(shared, "mfeif", "mfeif/default.pth").att(image), arrays["img_att_ir"])


def test_mfeif_official_weights_are_dead_but_for_the_finest_features(shared: Path) -> None:
    """As their card says: a map that is constant up to its border carries nothing of the image."""
    network = official(shared, "mfeif", "mfeif/default.pth")
    image = unit(reference(shared, "mfeif")["tno_vis"])
    wide, middle, narrow = (float(map_.std((2, 3)).max()) for map_ in network.ext(image))
    assert max(wide, middle) < 1e-6
    assert narrow > 0.1


def test_lrrnet_joins_parts(shared: Path) -> None:
    arrays = reference(shared, "lrrnet")
    network = official(shared, "lrrnet", LRRNET)
    made: dict[str, Any] = {}
    theirs = {"ReZx": "x_l", "ReUx": "x_h", "ReZy": "y_l", "ReUy": "y_h", "ReL": "fl", "ReH": "fh"}
    for ours, name in theirs.items():
        part = network.decoder.get_submodule(f"conv_{ours}")
        part.register_forward_hook(lambda _module, _given, out, name=name: made.update({name: out}))
    network(*(unit(stretched(arrays[f"img_{source}"].astype(np.float64), 1e-5)) for source in ("ir", "vis")))
    for name, out in made.items():
        assert close(out, arrays[f"img_{name}"]), name
    assert made.keys() == set(theirs.values())


# Where formulas have no value, or numbers no room.


def test_two_nothings_have_a_mean() -> None:
    nothing = torch.zeros(1, 2, 3, 3)
    assert not in_proportion(nothing, nothing, nothing, nothing).any()


def test_proportion_is_that_of_the_weights() -> None:
    one, other = torch.full((1, 1, 1, 1), 3.0), torch.full((1, 1, 1, 1), 1.0)
    assert in_proportion(torch.tensor(8.0), torch.tensor(4.0), one, other).item() == 7


def test_exponentials_too_large_for_a_number_still_have_a_proportion() -> None:
    first, second = torch.full((1, 4, 2, 2), 1000.0), torch.full((1, 4, 2, 2), 1000.0 + np.log(3).item())
    assert close(nestfuse.spatial(first, second, 1e-5), (first + 3 * second).numpy().squeeze() / 4)


@pytest.mark.parametrize("size", [(512, 40), (513, 40), (40, 530)])
def test_nestfuse_cuts_large_images_into_four(size: tuple[int, int]) -> None:
    """Of a fusion that adds, and says of each piece how large it is."""
    ir, vis = torch.ones(1, 1, *size), torch.arange(size[0] * size[1], dtype=torch.float32).reshape(1, 1, *size)
    sizes = []

    def add(first: Any, second: Any) -> Any:
        sizes.append(tuple(first.shape[2:]))
        return first + second

    assert torch.equal(nestfuse.in_quarters(add, ir, vis), ir + vis)
    if max(size) <= 512:
        assert sizes == [size]
    else:
        (top, bottom), (left, right) = ((n // 2 + 3, n - n // 2 + 2) for n in size)
        assert sizes == [(top, left), (top, right), (bottom, left), (bottom, right)]


def test_decoder_of_nestfuse_takes_odd_sizes() -> None:
    network = nestfuse.NestFuse()
    for size in ((33, 47), (45, 61), (40, 56)):
        features = network.encode(torch.rand(1, 1, *size))
        assert [tuple(one.shape[1:]) for one in features] == [
            (channels, size[0] >> scale, size[1] >> scale) for scale, channels in enumerate(nestfuse.CHANNELS)
        ]
        assert network.decode(features).shape == (1, 1, *size)


def test_every_rule_of_rfn_nest_fuses_equal_features_to_themselves() -> None:
    features = torch.rand(1, 3, 8, 10) + 0.1
    for strategy in ("mean", "max", "spatial", "nuclear"):
        assert torch.allclose(rfn_nest.fused_by_rule(features, features, strategy), features)
    assert torch.equal(rfn_nest.fused_by_rule(features, features, "add"), 2 * features)


# Colour and levels.


def test_densefuse_for_colour_gives_the_luma_of_a_grey_image(shared: Path) -> None:
    file = shared / "weights" / "others" / "densefuse" / "densefuse_rgb.model"
    ir, vis = reference(shared, "densefuse")["img_ir"], reference(shared, "densefuse")["img_vis"]
    colour = fuse("densefuse-rgb", ir, np.repeat(vis[..., np.newaxis], 3, 2) / 255, weights=file)
    grey = fuse("densefuse-rgb", ir, vis / 255, weights=file)
    assert colour.shape == (*vis.shape, 3)
    np.testing.assert_allclose(grey, colour @ [0.299, 0.587, 0.114], atol=1e-6)


def test_densefuse_stretches_three_channels_together(shared: Path) -> None:
    file = shared / "weights" / "others" / "tf_densefuse_tf.npz"
    arrays = reference(shared, "densefuse")
    ir, vis = arrays["img_ir"], arrays["rgb_vis"]
    plain = fuse("densefuse-tf", ir, vis / 255, weights=file, output="plain")
    fused = fuse("densefuse-tf", ir, vis / 255, weights=file)
    np.testing.assert_allclose(fused, (plain - plain.min()) / np.ptp(plain), atol=1e-6)
    alone = fuse("densefuse-tf", ir, vis[..., 1] / 255, weights=file, output="plain")
    np.testing.assert_allclose(plain[..., 1], alone, atol=1e-6)


def test_nearly_stretched() -> None:
    plane = np.array([[1.0, 2.0, 3.0]])
    assert stretched(plane).tolist() == [[0, 127.5, 255]]
    assert 254.99 < stretched(plane, 1e-5).max() < 255
    assert stretched(np.ones((2, 2)), 1e-5).tolist() == [[0, 0], [0, 0]]


# Weights that come in several files.


def test_names_of_files_are_left_out() -> None:
    entries = {"Encoder v1.2.cov1.cov1.1.weight": 1, "Decoder.cov7.cov7.2.bias": 2, "epoch": 3}
    assert without_files(entries, r"cov\d\.") == {"cov1.cov1.1.weight": 1, "cov7.cov7.2.bias": 2, "epoch": 3}


def test_an_entry_that_two_files_have_is_not_lost() -> None:
    assert without_files({"a.cov1.w": 1, "b.cov1.w": 2}, r"cov\d\.") == {"cov1.w": 1, "b.cov1.w": 2}


@pytest.mark.parametrize("method", ["didfuse", "auif"])
def test_an_incomplete_folder_is_refused(method: str, shared: Path, tmp_path: Path) -> None:
    files = sorted((shared / "weights" / "others" / method).iterdir())
    (tmp_path / files[0].name).write_bytes(files[0].read_bytes())
    image = np.zeros((40, 40), np.uint8)
    with pytest.raises(ValueError, match="missing"):
        fuse(method, image, image, weights=tmp_path)
