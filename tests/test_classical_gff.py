"""Guided-filter fusion beside a slow one written from the paper's formulas, and its switches."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from fusionbench.baselines.classical.gff import guided_filter_fusion
from fusionbench.types import UserError


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Two planes of whole levels with texture in different places and a corner where neither has any; one side odd."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:40, :47]
    ir = 60 + 120 * (np.hypot(y - 12, x - 30) < 8) + rng.normal(0, 8, y.shape) * (y < 22)
    vis = 90 + 60 * np.sin(x / 2.0) * (y < 22) * (x < 25)
    return np.round(np.clip(ir, 0, 255)), np.round(np.clip(vis, 0, 255))


def mean(image: np.ndarray, r: int) -> np.ndarray:
    out = np.empty_like(image)
    for i, j in np.ndindex(image.shape):
        out[i, j] = image[max(i - r, 0) : i + r + 1, max(j - r, 0) : j + r + 1].mean()
    return out


def guided(guide: np.ndarray, image: np.ndarray, r: int, eps: float) -> np.ndarray:
    a = (mean(guide * image, r) - mean(guide, r) * mean(image, r)) / (mean(guide**2, r) - mean(guide, r) ** 2 + eps)
    return mean(a, r) * guide + mean(mean(image, r) - a * mean(guide, r), r)


def naive(ir: np.ndarray, vis: np.ndarray, guides: list[np.ndarray]) -> np.ndarray:
    window = np.exp(-(np.arange(-5, 6) ** 2) / 50.0)
    window = np.outer(window, window) / window.sum() ** 2
    saliency = []
    for guide in guides:
        laplacian = ndimage.correlate(guide, np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]), mode="nearest")
        saliency.append(ndimage.correlate(abs(laplacian), window, mode="nearest"))
    visible_wins = (saliency[0] >= saliency[1]).astype(float)
    fused = 0.0
    for n, image in enumerate((vis, ir)):
        weights = []
        for r, eps in ((45, 0.3), (7, 1e-6)):
            smooth = [
                np.round(255 * np.clip(guided(g / 255, p, r, eps), 0, 1)) / 255 + 1e-12
                for g, p in zip(guides, (visible_wins, 1 - visible_wins), strict=True)
            ]
            weights.append(smooth[n] / (smooth[0] + smooth[1]))
        base = ndimage.uniform_filter(image, 31, mode="nearest")
        fused += weights[0] * base + weights[1] * (image - base)
    return np.asarray(fused)


def test_formulas(pair: tuple[np.ndarray, np.ndarray]) -> None:
    ir, vis = pair
    np.testing.assert_allclose(guided_filter_fusion(ir, vis), naive(ir, vis, [vis, ir]), rtol=0, atol=1e-8)


def test_channels_share_the_weights(pair: tuple[np.ndarray, np.ndarray]) -> None:
    ir, vis = pair
    colour = np.stack([vis, 255 - vis, vis / 2], axis=-1)
    grey = np.floor(colour @ [0.298936021293775, 0.587043074451121, 0.114020904255103] + 0.5)
    fused = guided_filter_fusion(ir, colour)
    for channel in range(3):
        expected = naive(ir, colour[..., channel], [grey, ir])
        np.testing.assert_allclose(fused[..., channel], expected, rtol=0, atol=1e-8)


def test_tie_goes_where_it_is_told() -> None:
    flat_ir, flat_vis = np.full((40, 40), 200.0), np.full((40, 40), 100.0)
    assert np.allclose(guided_filter_fusion(flat_ir, flat_vis), 100, atol=1e-6)
    assert np.allclose(guided_filter_fusion(flat_ir, flat_vis, tie="infrared"), 200, atol=1e-6)


def test_jpeg_is_what_a_file_would_have_done(pair: tuple[np.ndarray, np.ndarray]) -> None:
    ir, vis = pair
    stored = []
    for plane in pair:
        file = BytesIO()
        Image.fromarray(plane.astype(np.uint8)).save(file, "jpeg", quality=75)
        stored.append(np.asarray(Image.open(file), dtype=float))
    assert np.array_equal(guided_filter_fusion(ir, vis, jpeg=75), guided_filter_fusion(*stored))


def test_misplaced_infrared_fuses_with_black(pair: tuple[np.ndarray, np.ndarray]) -> None:
    ir, vis = pair
    colour = np.stack([vis, vis, vis], axis=-1)
    overwritten = np.stack([vis, ir, vis], axis=-1)
    expected = guided_filter_fusion(np.zeros_like(ir), overwritten)
    assert np.array_equal(guided_filter_fusion(ir, colour, misplace_infrared=True), expected)
    with pytest.raises(UserError, match="no green channel"):
        guided_filter_fusion(ir, vis, misplace_infrared=True)


def test_unknown_winner_is_refused(pair: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(UserError, match="'nobody'"):
        guided_filter_fusion(*pair, tie="nobody")  # type: ignore[arg-type]
