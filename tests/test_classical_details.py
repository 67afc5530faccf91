"""Methods that weigh details, each beside a slow one written from the same formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from fusionbench.baselines.classical.adf import anisotropic_diffusion_fusion
from fusionbench.baselines.classical.cbf import cross_bilateral_fusion
from fusionbench.baselines.classical.fpde import fourth_order_fusion
from fusionbench.baselines.classical.mgff import multiscale_guided_fusion
from fusionbench.baselines.classical.msvd import multiresolution_svd_fusion
from fusionbench.baselines.classical.tif import two_scale_fusion

METHODS = {
    method.card.name: method  # type: ignore[attr-defined]
    for method in (
        anisotropic_diffusion_fusion,
        cross_bilateral_fusion,
        fourth_order_fusion,
        multiscale_guided_fusion,
        multiresolution_svd_fusion,
        two_scale_fusion,
    )
}


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Two textured planes of whole levels that have one edge in common; both sides odd."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[:37, :41]
    ir = 40 + 150 * (np.hypot(y - 15, x - 22) < 9) + rng.normal(0, 6, y.shape)
    vis = 90 + 70 * np.sin(x / 3) * (y > 18) + 40 * (x > 30) + rng.normal(0, 9, y.shape)
    return np.round(np.clip(ir, 0, 255)), np.round(np.clip(vis, 0, 255))


def principal(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    _, axes = np.linalg.eigh(np.cov(first.ravel(), second.ravel()))
    return axes[:, 1] / axes[:, 1].sum()


def test_adf(pair: tuple[np.ndarray, np.ndarray]) -> None:
    def base(x: np.ndarray) -> np.ndarray:
        for _ in range(10):
            flow = np.zeros_like(x)
            for dy, dx in np.ndindex(3, 3):
                slope = np.pad(x, 1)[dy : dy + x.shape[0], dx : dx + x.shape[1]] - x
                flow += (0.5 if dy != 1 and dx != 1 else 1.0) * np.exp(-((slope / 30) ** 2)) * slope
            x = x + 0.15 * flow
        return x

    ir, vis = pair
    details = ir - base(ir), vis - base(vis)
    w = principal(*details)
    expected = w[0] * details[0] + w[1] * details[1] + (base(ir) + base(vis)) / 2
    np.testing.assert_allclose(anisotropic_diffusion_fusion(ir, vis), expected, atol=1e-9)


def test_cbf(pair: tuple[np.ndarray, np.ndarray]) -> None:
    def weight(x: np.ndarray, guide: np.ndarray) -> np.ndarray:
        framed, g = np.pad(x, 5, mode="reflect"), np.pad(guide, 5, mode="reflect")
        near = np.array([[math.exp(-(i * i + j * j) / (2 * 1.8**2)) for j in range(-5, 6)] for i in range(-5, 6)])
        detail = np.empty_like(x)
        for i, j in np.ndindex(x.shape):
            window = np.s_[i : i + 11, j : j + 11]
            weights = near * np.exp(-((g[window] - guide[i, j]) ** 2) / (2 * 25**2))
            detail[i, j] = x[i, j] - (weights * framed[window]).sum() / weights.sum()
        framed = np.pad(detail, 2, mode="reflect")
        spread = np.empty_like(x)
        for i, j in np.ndindex(x.shape):
            block = framed[i : i + 5, j : j + 5]
            # The eigenvalues of a covariance matrix add up to its trace.
            spread[i, j] = np.linalg.eigvalsh(np.cov(block)).sum() + np.linalg.eigvalsh(np.cov(block.T)).sum()
        return spread

    ir, vis = pair
    of_ir, of_vis = weight(ir, vis), weight(vis, ir)
    expected = (of_ir * ir + of_vis * vis) / (of_ir + of_vis)
    np.testing.assert_allclose(cross_bilateral_fusion(ir, vis), expected, atol=1e-7)


def test_cbf_averages_where_nothing_is_significant() -> None:
    flat = np.full((32, 33), 0.1)
    np.testing.assert_allclose(cross_bilateral_fusion(flat, flat + 100.0), flat + 50.0, rtol=1e-14)


@pytest.mark.parametrize("rounded_base", [False, True])
def test_fpde(pair: tuple[np.ndarray, np.ndarray], rounded_base: bool) -> None:
    def base(x: np.ndarray) -> np.ndarray:
        def twice(y: np.ndarray, axis: int) -> np.ndarray:
            return np.gradient(np.gradient(y, axis=axis), axis=axis)

        for _ in range(15):
            xx, yy = twice(x, 1), twice(x, 0)
            c = 1 / (1 + (xx**2 + yy**2) / 4**2)
            x = x - 0.9 * (twice(c * xx, 1) + twice(c * yy, 0))
        return np.floor(np.clip(x, 0, 255) + 0.5) if rounded_base else x

    ir, vis = pair
    base_ir, base_vis = base(ir), base(vis)
    w = principal(ir - base_ir, vis - base_vis)
    mean = (base_ir + base_vis) / 2
    if rounded_base:
        # What two halves of whole levels lose or gain when each is rounded by itself.
        mean = np.minimum(mean + (base_ir % 2 + base_vis % 2) / 2, 255)
    expected = mean + w[0] * (ir - base_ir) + w[1] * (vis - base_vis)
    np.testing.assert_allclose(fourth_order_fusion(ir, vis, rounded_base=rounded_base), expected, atol=1e-9)


@pytest.mark.parametrize("rounded_taps", [False, True])
def test_tif(pair: tuple[np.ndarray, np.ndarray], rounded_taps: bool) -> None:
    def parts(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        base = ndimage.uniform_filter(x, 35, mode="wrap")
        return base, (base - ndimage.median_filter(x, 3, mode="constant")) ** 2

    ir, vis = pair
    (base_ir, s_ir), (base_vis, s_vis) = parts(ir), parts(vis)
    expected = (s_ir * (ir - base_ir) + s_vis * (vis - base_vis)) / (s_ir + s_vis) + (base_ir + base_vis) / 2
    np.testing.assert_allclose(two_scale_fusion(ir, vis, rounded_taps=rounded_taps), expected, atol=1e-9)


def test_tif_weighs_alike_where_neither_source_is_salient() -> None:
    # Around the middle the mean and the median of both sources are one level, so both saliencies are exactly 0.
    flat = np.full((60, 60), 7.0)
    fused = two_scale_fusion(flat, flat + 3.0)
    assert (fused[1:-1, 1:-1] == 8.5).all()


def test_mgff(pair: tuple[np.ndarray, np.ndarray]) -> None:
    def mean(x: np.ndarray) -> np.ndarray:
        out = np.empty_like(x)
        for i, j in np.ndindex(x.shape):
            out[i, j] = x[max(i - 9, 0) : i + 10, max(j - 9, 0) : j + 10].mean()
        return out

    def guided(guide: np.ndarray, x: np.ndarray) -> np.ndarray:
        a = (mean(guide * x) - mean(guide) * mean(x)) / (mean(guide**2) - mean(guide) ** 2 + 1000)
        return mean(a) * guide + mean(mean(x) - a * mean(guide))

    ir, vis = pair
    expected, a, b = 0.0, ir, vis
    for _ in range(2):
        next_a, next_b = guided(a, b), guided(b, a)
        d, e = a - next_a, b - next_b
        expected = expected + (d * abs(d) + e * abs(e)) / (abs(d) + abs(e))
        a, b = next_a, next_b
    np.testing.assert_allclose(multiscale_guided_fusion(ir, vis, levels=2), expected + (a + b) / 2, atol=1e-8)


def blocks_of(x: np.ndarray) -> np.ndarray:
    """Columns of four: each block of 2 x 2 read down its columns, blocks in the same order."""
    corners = [(i, j) for j in range(0, x.shape[1], 2) for i in range(0, x.shape[0], 2)]
    return np.array([x[i : i + 2, j : j + 2].ravel(order="F") for i, j in corners]).T


@pytest.mark.parametrize("flip", [(), (2,), (1, 3)])
def test_msvd(pair: tuple[np.ndarray, np.ndarray], flip: tuple[int, ...]) -> None:
    ir, vis = pair[0][:36, :40], pair[1][:36, :40]
    a, b = blocks_of(ir), blocks_of(vis)
    of_ir, of_vis = np.linalg.svd(a)[0], np.linalg.svd(b)[0]
    for k in range(4):
        of_vis[:, k] *= np.sign(of_ir[:, k] @ of_vis[:, k]) * (-1 if k in flip else 1)
    s, t = of_ir.T @ a, of_vis.T @ b
    fused = np.where(abs(s) >= abs(t), s, t)
    fused[0] = (s[0] + t[0]) / 2
    expected = (of_ir + of_vis) / 2 @ fused
    got = multiresolution_svd_fusion(ir, vis, flip=flip)
    np.testing.assert_allclose(blocks_of(got), expected, atol=1e-9)


def test_msvd_differs_from_other_signs_by_flips_only(pair: tuple[np.ndarray, np.ndarray]) -> None:
    fused = multiresolution_svd_fusion(*pair, aligned=False)
    choices = [tuple(k for k in range(4) if bits >> k & 1) for bits in range(16)]
    same = [flip for flip in choices if np.allclose(fused, multiresolution_svd_fusion(*pair, flip=flip), atol=1e-9)]
    assert len(same) == 1


@pytest.mark.parametrize("name", METHODS)
def test_half_levels_and_strides_are_no_obstacle(name: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    ir, vis = (plane / 2 + 0.25 for plane in pair)
    fused = METHODS[name](ir, vis)
    wide = np.zeros((2 * ir.shape[0], 3 * ir.shape[1]))[::2, ::3]
    wide[...] = ir
    np.testing.assert_array_equal(METHODS[name](wide, np.asfortranarray(vis)), fused)
