"""How far the networks of the literature see, and what some of them do that no output of their authors' programs shows."""

from __future__ import annotations

from pathlib import Path

import formula
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need torch, an extra")

from fusionbench import images, pixels  # noqa: E402
from fusionbench.baselines import METHODS  # noqa: E402
from fusionbench.baselines.learned import networks, weights  # noqa: E402
from fusionbench.baselines.learned.checkpoints import load  # noqa: E402
from fusionbench.baselines.learned.literature.smoa import saliency  # noqa: E402

LOCAL = ["tardal", "ifcnn", "reconet"]
SEEING_ALL = ["smoa", "ydtr", "datfuse"]


pytestmark = pytest.mark.usefixtures("one_thread")


def changed(name: str, options: dict[str, str]) -> np.ndarray:
    """Which pixels change with a single one, in the middle of an image."""
    network = networks.inference(name, formula.weights(weights.expected(name)[0]), **options)
    ir, vis = (torch.from_numpy(formula.image(65, 65, k).astype(np.float32))[None, None] for k in (2, 3))
    other = vis.clone()
    other[..., 32, 32] += 64
    with torch.inference_mode():
        return (network(ir, vis) - network(ir, other)).abs().amax(1)[0].numpy() > 1e-3


@pytest.mark.parametrize("name", LOCAL)
def test_overlap_of_tiles_is_as_far_as_the_network_sees(name: str) -> None:
    options = {"statistics": "running"} if name == "tardal" else {}
    traits = networks.inference(name, **options)
    assert not traits.sees_all_by
    rows, columns = np.nonzero(changed(name, options))
    reach = max(abs(places - 32).max() for places in (rows, columns))
    assert traits.overlap - 2 <= reach <= traits.overlap


@pytest.mark.parametrize("name", [*SEEING_ALL, "tardal"])
def test_network_that_says_so_sees_all(name: str) -> None:
    options = {"statistics": "image"} if name == "tardal" else {}
    assert networks.inference(name, **options).sees_all_by
    assert changed(name, options)[[0, 0, -1, -1], [0, -1, 0, -1]].any()


@pytest.mark.parametrize("name", [*LOCAL, *SEEING_ALL])
def test_company_changes_nothing(name: str) -> None:
    network = networks.inference(name, formula.weights(weights.expected(name)[0]))
    ir, vis = (
        torch.from_numpy(np.stack([formula.image(33, 40, k), formula.image(33, 40, k + 2) // 3]).astype(np.float32))
        for k in (2, 3)
    )
    with torch.inference_mode():
        together = network(ir[:, None], vis[:, None])
        alone = [network(ir[k : k + 1, None], vis[k : k + 1, None])[0] for k in range(2)]
    worst = max((one - own).abs().max() for one, own in zip(together, alone, strict=True))
    assert worst <= 1e-4 * max(255, float(together.max() - together.min()))


def test_tardal_normalises_as_its_weights_ask_for(tmp_path: Path) -> None:
    entries = formula.weights(weights.expected("tardal")[0])
    ir, vis = (formula.image(40, 48, k).astype(np.float64) for k in (2, 3))

    def fused(batches: int, **options: str) -> np.ndarray:
        counted = {
            name: np.int64(batches) if name.endswith("num_batches_tracked") else entry
            for name, entry in entries.items()
        }
        path = tmp_path / f"{batches}.npz"
        np.savez(path, **counted)
        return METHODS["tardal"](ir, vis, weights=path, **options)

    image, running = (fused(1, statistics=statistics) for statistics in ("image", "running"))
    assert np.abs(image - running).max() > 1
    np.testing.assert_array_equal(fused(0), image)
    np.testing.assert_array_equal(fused(7), running)


def test_tardal_reads_files_that_hold_the_discriminators_too(tmp_path: Path) -> None:
    expected, adapt = weights.expected("tardal")
    entries = formula.weights(expected)
    tensors = {name: torch.from_numpy(np.array(entry)) for name, entry in entries.items()}
    path = tmp_path / "tardal-dt.pth"
    torch.save({"fuse": {**tensors, "use_eval": True}, "disc": {"0.weight": torch.zeros(3)}}, path)
    found = load(path, expected, adapt)
    assert all((found[name] == entry).all() for name, entry in entries.items())
    torch.save({**tensors, "use_eval": False}, path)
    assert load(path, expected, adapt).keys() == entries.keys()


def naive_saliency(x: np.ndarray) -> np.ndarray:
    levels = [int(value) for value in (x / x.max() * np.float32(255)).ravel()]
    counted = [level for level in levels if 0 <= level <= 255]
    rarity = np.array([sum(abs(i - level) for level in counted) for i in range(256)], float)
    shown = [rarity[level] / rarity.max() if 0 <= level <= 255 else 0 for level in levels]
    return np.array(shown).reshape(x.shape)


def test_saliency_of_smoa_is_that_of_each_image_alone() -> None:
    batch = np.random.default_rng(3).normal(1, 1.5, (3, 4, 6, 5)).astype(np.float32)
    batch[1] *= 40
    found = saliency(torch.from_numpy(batch)).numpy()
    for image, own in zip(batch, found, strict=True):
        np.testing.assert_allclose(own, naive_saliency(image), rtol=0, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, -3.0, 5.0])
def test_saliency_of_equal_values_is_finite(value: float) -> None:
    found = saliency(torch.full((1, 4, 6, 5), value))
    assert torch.isfinite(found).all()
    assert (found == found[0, 0, 0, 0]).all()


def test_ydtr_of_vifb_was_stretched_from_video_levels(shared: Path) -> None:
    """Their images are JPEG, which alone costs a level on average."""
    file = shared / "weights" / "others" / "ydtr" / "model_10.pth"
    ir, vis, theirs = (
        pixels.luma(pixels.to_levels(images.read(next((shared / "data" / folder).glob("carLight.*")))), "bt601")
        for folder in ("vifb/ir", "vifb/vis", "fused/vifb/YDTR")
    )
    video = METHODS["ydtr"](ir.astype(np.float64), vis.astype(np.float64), weights=file, levels="video")
    full = video * 219 / 255 + 16
    assert np.abs(video - theirs).mean() < 1.5
    assert np.abs(full - theirs).mean() > 5
