"""The siamese network beside plain correlations, with random weights in place of the trained ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from scipy.io import savemat

from fusionbench.baselines.classical.cnn import siamese_network_fusion
from fusionbench.types import UserError

SHAPES = {
    "weights_b1_1": (9, 64),
    "biases_b1_1": (64, 1),
    "weights_b1_2": (64, 9, 128),
    "biases_b1_2": (128, 1),
    "weights_b1_3": (128, 9, 256),
    "biases_b1_3": (256, 1),
    "weights_output": (512, 64, 2),
}


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    """A network of the right shapes whose answers are far from sure, but not all alike."""
    rng = np.random.default_rng(9)
    spread = {"weights_b1_1": 0.3, "weights_b1_2": 0.06, "weights_b1_3": 0.04, "weights_output": 0.02}
    return {name: rng.normal(0, spread.get(name, 0.05), shape).astype(np.float32) for name, shape in SHAPES.items()}


@pytest.fixture(scope="module")
def weights(arrays: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("network") / "net.npz"
    np.savez(file, **arrays)
    return file


@pytest.fixture(scope="module", params=[(32, 34), (35, 33)])
def pair(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    """Two textured planes, more rows than one strip holds; sides even and odd."""
    rng = np.random.default_rng(6)
    y, x = np.mgrid[: request.param[0], : request.param[1]]
    ir = 50 + 150 * (np.hypot(y - 14, x - 20) < 9) + rng.normal(0, 5, y.shape)
    vis = 110 + 60 * np.sin(x / 2) * (y > 12) + rng.normal(0, 5, y.shape)
    return ir, vis


def features(image: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """What the three convolutions see, (256, ceil(H/2), ceil(W/2))."""
    maps = image[np.newaxis] / 255
    for number in (1, 2, 3):
        taps = arrays[f"weights_b1_{number}"].astype(float).reshape(len(maps), 3, 3, -1).transpose(3, 0, 2, 1)
        height, width = maps.shape[1:]
        framed = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
        places = [(i, j) for i in range(3) for j in range(3)]
        maps = sum(np.tensordot(taps[:, :, i, j], framed[:, i : i + height, j : j + width], axes=1) for i, j in places)
        maps = np.maximum(maps + arrays[f"biases_b1_{number}"][:, :, np.newaxis], 0)
        if number == 2:
            maps = np.pad(maps, ((0, 0), (0, height % 2), (0, width % 2)))
            maps = np.max([maps[:, i::2, j::2] for i in (0, 1) for j in (0, 1)], axis=0)
    return maps


def share_of_ir(ir: np.ndarray, vis: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    both = np.concatenate([features(ir, arrays), features(vis, arrays)])
    taps = arrays["weights_output"].astype(float).reshape(512, 8, 8, 2).transpose(3, 0, 2, 1)
    total, count = np.zeros((2, *ir.shape))
    for i in range(both.shape[1] - 7):
        for j in range(both.shape[2] - 7):
            logits = (taps * both[:, i : i + 8, j : j + 8]).sum(axis=(1, 2, 3))
            first = 1 / (1 + np.exp(logits[1] - logits[0]))
            total[2 * i : 2 * i + 16, 2 * j : 2 * j + 16] += 1 - first
            count[2 * i : 2 * i + 16, 2 * j : 2 * j + 16] += 1
    return total / count


def gaussian(image: np.ndarray) -> np.ndarray:
    taps = np.array([1, 4, 6, 4, 1]) / 16
    return ndimage.correlate(image, np.outer(taps, taps), mode="reflect")[::2, ::2]


def larger(small: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    framed = np.pad(small, 1, mode="edge")
    spread = np.zeros((2 * framed.shape[0], 2 * framed.shape[1]))
    spread[::2, ::2] = framed
    taps = np.array([1, 4, 6, 4, 1]) / 8
    return ndimage.correlate(spread, np.outer(taps, taps), mode="constant")[2:, 2:][: shape[0], : shape[1]]


def energy(product: np.ndarray) -> np.ndarray:
    framed = np.pad(product, 1, mode="reflect")
    framed[[0, 0, -1, -1], [0, -1, 0, -1]] = 0
    return ndimage.correlate(framed, np.ones((3, 3)), mode="constant")[1:-1, 1:-1]


def fused_pyramids(p: np.ndarray, q: np.ndarray, share: np.ndarray, levels: int) -> np.ndarray:
    if levels == 1:
        band_p, band_q = p, q
    else:
        band_p, band_q = p - larger(gaussian(p), p.shape), q - larger(gaussian(q), q.shape)
    ep, eq = energy(band_p**2), energy(band_q**2)
    match = 2 * energy(band_p * band_q) / (ep + eq + 2.0**-52)
    mean = share * band_p + (1 - share) * band_q
    band = np.where(match > 0.6, mean, np.where(ep > eq, band_p, band_q))
    if levels == 1:
        return band
    return band + larger(fused_pyramids(gaussian(p), gaussian(q), gaussian(share), levels - 1), p.shape)


def test_formulas(pair: tuple[np.ndarray, np.ndarray], arrays: dict[str, np.ndarray], weights: Path) -> None:
    ir, vis = pair
    share = share_of_ir(ir, vis, arrays)
    assert share.std() > 0.005, "the network must have something to say"
    expected = 255 * fused_pyramids(ir / 255, vis / 255, share, 5)
    np.testing.assert_allclose(siamese_network_fusion(ir, vis, weights=weights), expected, rtol=0, atol=1e-3)


def test_channels_share_the_map(pair: tuple[np.ndarray, np.ndarray], weights: Path) -> None:
    ir, vis = pair
    fused = siamese_network_fusion(ir, np.stack([vis, vis, vis], axis=-1), weights=weights)
    assert fused.shape == (*vis.shape, 3)
    for channel in range(3):
        np.testing.assert_allclose(
            fused[..., channel], siamese_network_fusion(ir, vis, weights=weights), rtol=0, atol=1e-3
        )


def test_matlab_file_is_read(
    pair: tuple[np.ndarray, np.ndarray], arrays: dict[str, np.ndarray], weights: Path, tmp_path: Path
) -> None:
    savemat(tmp_path / "net.mat", arrays)
    expected = siamese_network_fusion(*pair, weights=weights)
    assert np.array_equal(siamese_network_fusion(*pair, weights=tmp_path / "net.mat"), expected)


def test_without_or_with_other_weights_it_is_refused(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    plane = np.zeros((32, 32))
    with pytest.raises(UserError, match=r"'cnnmodel\.mat' as its weights"):
        siamese_network_fusion(plane, plane)
    np.savez(tmp_path / "other.npz", **{**arrays, "weights_b1_2": np.zeros((9, 64, 64), np.float32)})
    with pytest.raises(UserError, match=r"other\.npz holds weights_b1_2 of shape \(9, 64, 64\)"):
        siamese_network_fusion(plane, plane, weights=tmp_path / "other.npz")
