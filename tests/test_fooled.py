"""What the cards say a metric is fooled by, done to a fused image: the score gets better and the image does not."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import fusionbench as fb
from fusionbench.datasets import synthetic
from fusionbench.metrics import METRICS
from fusionbench.metrics.triple import Triple
from fusionbench.pixels import luma

Plane = NDArray[np.float64]


@functools.cache
def honest() -> tuple[Plane, Plane, Plane]:
    """Sources, and a fusion of them by a Laplacian pyramid."""
    scene = synthetic.scene(3, 160, 128)
    ir, vis = scene.ir, luma(scene.vis, "bt601")
    fused = fb.fuse("lp", ir, vis)
    return ir.astype(float), vis.astype(float), fused.astype(float)


def noise(ir: Plane, vis: Plane, fused: Plane) -> Plane:
    return fused + np.random.default_rng(0).normal(0, 5, fused.shape)


def sharpen(ir: Plane, vis: Plane, fused: Plane) -> Plane:
    return 2 * fused - gaussian_filter(fused, 1.5)


def blur(ir: Plane, vis: Plane, fused: Plane) -> Plane:
    return gaussian_filter(fused, 1.5)


def stretch(ir: Plane, vis: Plane, fused: Plane) -> Plane:
    low, high = np.percentile(fused, [2, 98])
    return (fused - low) / (high - low) * 255


def equalise(ir: Plane, vis: Plane, fused: Plane) -> Plane:
    return 255 * np.cumsum(np.bincount(fused.astype(int).ravel(), minlength=256))[fused.astype(int)] / fused.size


def flatten(ir: Plane, vis: Plane, fused: Plane) -> Plane:
    return fused.mean() + (fused - fused.mean()) / 2


def average(ir: Plane, vis: Plane, fused: Plane) -> Plane:
    return (ir + vis) / 2


def add_up(ir: Plane, vis: Plane, fused: Plane) -> Plane:
    return ir + vis - (ir + vis).mean() + 128


def copy(ir: Plane, vis: Plane, fused: Plane) -> Plane:
    return vis


DECEPTIONS = [
    ("EN", noise),
    ("EN", sharpen),
    ("MI", copy),
    ("CE", stretch),
    ("CE", equalise),
    ("SD", stretch),
    ("SD", equalise),
    ("AG", noise),
    ("AG", sharpen),
    ("SF", noise),
    ("SF", stretch),
    ("EI", noise),
    ("EI", sharpen),
    ("CC", average),
    ("SCD", add_up),
    ("SCD", stretch),
    ("MSE", average),
    ("MSE", flatten),
    ("RMSE", average),
    ("RMSE", copy),
    ("PSNR", average),
    ("PSNR", flatten),
    ("SSIM", average),
    ("SSIM", flatten),
    ("Qabf", copy),
    ("VIF", copy),
    ("Nabf", blur),
    ("Nabf", copy),
    ("Labf", sharpen),
    ("Labf", stretch),
    ("Q_M", copy),
    ("Q_SF", noise),
    ("Q_SF", sharpen),
    ("Q_SF", stretch),
    ("EPI", average),
    ("DF", noise),
    ("DF", sharpen),
    ("DF", stretch),
    ("GMSD", average),
    ("GMSD", copy),
    ("NMI", copy),
    ("Q_NCIE", copy),
    ("Q_TE", copy),
    ("FMI_pixel", copy),
    ("FMI_gradient", copy),
    ("FMI_edge", copy),
    ("FMI_dct", copy),
    ("FMI_w", copy),
    ("FMI_dct", average),
    ("FMI_w", average),
]


def better(name: str, deceive: Callable[[Plane, Plane, Plane], Plane]) -> float:
    """By how much the score gets better."""
    ir, vis, fused = honest()
    made = np.clip(np.floor(deceive(ir, vis, fused) + 0.5), 0, 255)
    before, after = (METRICS[name](Triple.of(*np.uint8([ir, vis, image]))) for image in (fused, made))
    return after - before if METRICS[name].card.better == "higher" else before - after


@pytest.mark.parametrize(("name", "deceive"), DECEPTIONS)
def test_the_score_gets_better(name: str, deceive: Callable[[Plane, Plane, Plane], Plane]) -> None:
    assert better(name, deceive) > 0


@pytest.mark.parametrize("name", ["EN", "SD"])
def test_places_do_not_matter(name: str) -> None:
    def shuffle(ir: Plane, vis: Plane, fused: Plane) -> Plane:
        return np.random.default_rng(0).permutation(fused.ravel()).reshape(fused.shape)

    assert better(name, shuffle) == 0


def test_contrast_raises_vif() -> None:
    ir, vis, fused = honest()
    flat = average(ir, vis, fused)
    before, after = (
        METRICS["VIF"](Triple.of(*np.uint8([ir, vis, np.clip(f, 0, 255)]))) for f in (flat, stretch(ir, vis, flat))
    )
    assert after > before


def test_mixtures_of_the_sources_have_one_rmse() -> None:
    ir, vis, _ = (image.astype(np.uint8) // 4 * 4 for image in honest())
    mixed = [ir, vis, (ir // 2 + vis // 2), (ir // 4 + vis // 4 * 3)]
    values = [METRICS["RMSE"](Triple.of(ir, vis, fused)) for fused in mixed]
    assert values == pytest.approx([values[0]] * 4, rel=1e-12)
