"""Pyramids, exposure fusion, focus measures and gradient domain, each beside a slow one or a property it must have."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, signal

from fusionbench.baselines.classical.exposure import exposure_fusion
from fusionbench.baselines.classical.focus import focus_spatial_frequency, focus_sum_modified_laplacian
from fusionbench.baselines.classical.fsd import from_fsd, fsd_band, fsd_of_gradients, gaussian_levels, gradient_band
from fusionbench.baselines.classical.gaussian_pyramid import double, halve
from fusionbench.baselines.classical.morphology import from_morphological, morphological_pyramid
from fusionbench.baselines.classical.poisson import gradient_domain
from fusionbench.baselines.classical.pyramids import (
    burt_adelson,
    contrast,
    filter_subtract_decimate,
    gradient,
    laplacian,
    morphological,
    ratio,
)
from fusionbench.types import UserError

TAPS = np.array([1.0, 4, 6, 4, 1]) / 16
PYRAMIDS = [laplacian, ratio, contrast, gradient, filter_subtract_decimate, morphological, burt_adelson]


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Two textured planes that have one edge in common; one side odd."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:36, :43]
    ir = 60 + 150 * (np.hypot(y - 15, x - 20) < 8) + rng.normal(0, 5, y.shape)
    vis = 110 + 60 * np.sin(x / 2.5) * (y > 17) + 40 * (x > 30) + rng.normal(0, 8, y.shape)
    return np.clip(ir, 1, 255), np.clip(vis, 1, 255)


def smooth_slowly(image: np.ndarray) -> np.ndarray:
    return ndimage.correlate1d(ndimage.correlate1d(image, TAPS, axis=0, mode="mirror"), TAPS, axis=1, mode="mirror")


def double_slowly(small: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Zeros between the samples, then the filter over the mirrored plane."""
    filled = np.zeros(shape)
    filled[::2, ::2] = small
    return 4 * smooth_slowly(filled)


def choose_slowly(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Maximum of 3x3, majority of 3x3, the frame mirrored and its corners 0."""
    wins = []
    for x in (p, q):
        framed = np.pad(np.abs(x), 1, mode="reflect")
        framed[[0, 0, -1, -1], [0, -1, 0, -1]] = 0
        wins.append(ndimage.maximum_filter(framed, 3, mode="constant"))
    votes = signal.convolve2d((wins[0] > wins[1]).astype(int), np.ones((3, 3), int), "valid")
    return np.where(votes > 4, p, q)


@pytest.mark.parametrize("shape", [(8, 8), (9, 8), (8, 11), (13, 5), (2, 3), (3, 3)])
def test_a_step_of_the_gaussian_pyramid_is_a_mirrored_filter(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(1).random(shape)
    small = halve(image)
    np.testing.assert_allclose(small, smooth_slowly(image)[::2, ::2], rtol=0, atol=1e-14)
    np.testing.assert_allclose(double(small, shape), double_slowly(small, shape), rtol=0, atol=1e-14)


@given(st.integers(1, 9), st.integers(1, 9))
def test_a_flat_image_stays_flat_up_and_down_the_pyramid(height: int, width: int) -> None:
    flat = np.full((height, width), 7.0)
    np.testing.assert_allclose(halve(flat), 7.0, rtol=1e-14)
    np.testing.assert_allclose(double(halve(flat), (height, width)), 7.0, rtol=1e-14)


@pytest.mark.parametrize("shape", [(8, 8), (9, 12), (15, 7)])
def test_four_gradients_add_up_to_the_fsd_band(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(2).random(shape) * 255
    np.testing.assert_allclose(fsd_of_gradients(gradient_band(image)), image - smooth_slowly(image), rtol=0, atol=1e-11)


def test_a_gradient_band_is_differences_of_the_image_plus_its_smoothed_self() -> None:
    image = np.random.default_rng(3).random((7, 9))
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    both = image + ndimage.correlate(image, kernel, mode="mirror")
    across, down, falling, rising = gradient_band(image)
    assert across[3, 4] == pytest.approx(both[3, 4] - both[3, 3])
    assert down[3, 4] == pytest.approx(both[3, 4] - both[2, 4])
    assert falling[3, 4] == pytest.approx((both[3, 4] - both[2, 3]) / 2**0.5)
    assert rising[3, 4] == pytest.approx((both[3, 3] - both[2, 4]) / 2**0.5)
    assert across[3, 0] == pytest.approx(both[3, 0] - both[3, 1])  # across the border: the mirrored neighbour


def rebuilt_from_fsd(image: np.ndarray, levels: int) -> np.ndarray:
    pyramid = gaussian_levels(image, levels)
    return from_fsd([fsd_band(level) for level in pyramid[:-1]], pyramid[-1])


def test_fsd_loses_only_what_decimation_folds_over() -> None:
    x = np.tile(np.arange(64), (64, 1))
    for cycles, loss in ((1 / 64, 0.001), (1 / 32, 0.004), (1 / 4, 0.0626)):  # 1/16, but for rounding
        wave = np.cos(2 * np.pi * cycles * x)
        assert np.abs(rebuilt_from_fsd(wave, 1) - wave).max() < loss
    noise = np.random.default_rng(4).random((61, 50))
    assert np.std(rebuilt_from_fsd(noise, 4) - noise) < 0.03 * np.std(noise)


@pytest.mark.parametrize("shape", [(32, 32), (33, 47), (35, 64)])
def test_a_morphological_pyramid_rebuilds_its_image(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(5).random(shape) * 255
    bands, low = morphological_pyramid(image, 4)
    np.testing.assert_allclose(from_morphological(bands, low), image, rtol=0, atol=1e-11)


def test_a_morphological_band_is_what_opening_closing_and_dilation_lose() -> None:
    image = np.random.default_rng(6).random((10, 13))
    square = np.ones((3, 3))
    smooth = ndimage.grey_closing(ndimage.grey_opening(image, footprint=square), footprint=square)
    filled = np.full(image.shape, -np.inf)
    filled[::2, ::2] = smooth[::2, ::2]
    (band,), low = morphological_pyramid(image, 1)
    np.testing.assert_array_equal(low, smooth[::2, ::2])
    # Away from the border, where operations in a row see different mirrors.
    expected = image - ndimage.grey_dilation(filled, footprint=square)
    np.testing.assert_allclose(band[3:-3, 3:-3], expected[3:-3, 3:-3], rtol=0, atol=1e-15)


def test_fsd_fuses_its_bands_by_choosing(pair: tuple[np.ndarray, np.ndarray]) -> None:
    ir, vis = pair
    band = choose_slowly(ir - smooth_slowly(ir), vis - smooth_slowly(vis))
    low = smooth_slowly((ir + vis) / 2)[::2, ::2]
    expected = band + smooth_slowly(band) + double_slowly(low, (36, 43))
    np.testing.assert_allclose(filter_subtract_decimate(ir, vis, levels=1), expected, rtol=0, atol=1e-10)


def test_the_gradient_pyramid_averages_what_matches_and_chooses_what_does_not(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    ir, vis = pair
    fused = []
    for p, q in zip(gradient_band(ir), gradient_band(vis), strict=True):
        merged = np.empty_like(p)
        p_framed, q_framed = (np.pad(x, 1, mode="symmetric") for x in (p, q))
        for y, x in np.ndindex(p.shape):
            a, b = p_framed[y : y + 3, x : x + 3], q_framed[y : y + 3, x : x + 3]
            match = 2 * (a * b).sum() / ((a * a).sum() + (b * b).sum())
            small = 0.0 if match <= 0.75 else 0.5 - 0.5 * (1 - match) / 0.25
            weight = 1 - small if (a * a).sum() > (b * b).sum() else small
            merged[y, x] = weight * p[y, x] + (1 - weight) * q[y, x]
        fused.append(merged)
    band = fsd_of_gradients((fused[0], fused[1], fused[2], fused[3]))
    low = smooth_slowly((ir + vis) / 2)[::2, ::2]
    expected = band + smooth_slowly(band) + double_slowly(low, (36, 43))
    np.testing.assert_allclose(gradient(ir, vis, levels=1), expected, rtol=0, atol=1e-10)
    assert np.abs(gradient(ir, vis, levels=1, rule="max") - expected).max() > 1


def test_merging_averages_alike_sources_and_choosing_does_not() -> None:
    x = np.random.default_rng(7).normal(128, 20, (32, 32))
    y = x + np.random.default_rng(8).normal(0, 2, (32, 32))
    halfway = (x + y) / 2
    assert np.std(burt_adelson(x, y) - halfway) < 0.5 * np.std(laplacian(x, y) - halfway)
    # No match reaches a threshold of almost 1 but that of equal patterns: the more salient one is chosen pixel by pixel.
    stronger = burt_adelson(3 * x, 128 - x, levels=1, threshold=0.999999)
    np.testing.assert_allclose(stronger - np.mean(stronger), 3 * (x - np.mean(x)), atol=60)


def test_contrast_prefers_the_darker_mark_where_ratio_prefers_the_brighter() -> None:
    dark, bright = np.full((2, 33, 33), 100.0)
    dark[16, 16], bright[16, 16] = 20, 160
    assert contrast(dark, bright, levels=1)[16, 16] < 50
    assert ratio(dark, bright, levels=1)[16, 16] > 120


@pytest.mark.parametrize("method", PYRAMIDS, ids=lambda m: m.card.name)
def test_a_flat_source_adds_only_its_level(method, pair: tuple[np.ndarray, np.ndarray]) -> None:
    """All bands come from the other source; the low-pass halves leave a smooth difference."""
    ir = pair[0]
    fused = method(ir, np.full_like(ir, 128.0))
    inside = (slice(4, -4), slice(4, -4))
    rough = np.abs(np.diff(ir, axis=1)[inside]).mean()
    changed = np.abs(np.diff(fused - ir, axis=1)[inside]).mean()
    assert changed < 0.5 * rough


@pytest.mark.parametrize("method", PYRAMIDS, ids=lambda m: m.card.name)
def test_too_many_levels_are_refused(method) -> None:
    image = np.zeros((32, 40))
    for levels in (0, 5):
        with pytest.raises(UserError, match=f"no {levels} levels: give levels=1 to 4"):
            method(image, image, levels=levels)


def test_thresholds_and_rules_are_checked() -> None:
    image = np.zeros((32, 32))
    for method in (gradient, burt_adelson):
        with pytest.raises(UserError, match="match threshold 1"):
            method(image, image, threshold=1.0)
    with pytest.raises(UserError, match="no rule 'mean'"):
        gradient(image, image, rule="mean")  # type: ignore[arg-type]


def pyramid_slowly(image: np.ndarray) -> list[np.ndarray]:
    levels = [image]
    while min(levels[-1].shape) >= 2:
        levels.append(smooth_slowly(levels[-1])[::2, ::2])
    return levels


def test_exposure_fusion_blends_band_by_band(pair: tuple[np.ndarray, np.ndarray]) -> None:
    weights = []
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    for image in pair:
        unit = image / 255
        sharp = np.abs(ndimage.correlate(unit, kernel, mode="nearest"))
        weights.append(sharp * np.exp(-0.5 * ((unit - 0.5) / 0.2) ** 2) + 1e-12)
    total = weights[0] + weights[1]
    fused_bands: list[np.ndarray] = []
    for image, weight in zip(pair, weights, strict=True):
        images, smoothed = pyramid_slowly(image), pyramid_slowly(weight / total)
        bands = [fine - double_slowly(coarse, fine.shape) for fine, coarse in pairwise(images)]
        weighed = [w * b for w, b in zip(smoothed, [*bands, images[-1]], strict=True)]
        fused_bands = weighed if not fused_bands else [a + b for a, b in zip(fused_bands, weighed, strict=True)]
    expected = fused_bands.pop()
    for band in reversed(fused_bands):
        expected = band + double_slowly(expected, band.shape)
    np.testing.assert_allclose(exposure_fusion(*pair), expected, rtol=0, atol=1e-9)


def test_exposure_fusion_averages_where_nothing_is_worth_anything() -> None:
    dark, bright = np.zeros((33, 40)), np.full((33, 40), 200.0)
    np.testing.assert_allclose(exposure_fusion(dark, bright), 100.0, rtol=1e-12)
    with pytest.raises(UserError, match="exposedness >= 0 and sigma > 0"):
        exposure_fusion(dark, bright, sigma=0)


@pytest.fixture(scope="module")
def half_sharp() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A texture; it, blurred on the left; it, blurred on the right."""
    sharp = np.random.default_rng(9).random((67, 100)) * 255
    blurred = ndimage.gaussian_filter(sharp, 2)
    left = np.arange(100) < 50
    return sharp, np.where(left, blurred, sharp), np.where(left, sharp, blurred)


def test_focus_measures_put_the_sharp_halves_together(half_sharp: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    sharp, right, left = half_sharp
    away = np.r_[0:45, 55:100]
    for refine in ("majority", "guided", "none"):
        fused = focus_sum_modified_laplacian(right, left, refine=refine)
        np.testing.assert_allclose(fused[:, away], sharp[:, away], atol=1e-6 if refine != "guided" else 30)
    fused = focus_spatial_frequency(right, left)
    away = np.r_[0:48, 64:100]
    np.testing.assert_array_equal(fused[:, away], sharp[:, away])


def test_spatial_frequency_chooses_whole_blocks(pair: tuple[np.ndarray, np.ndarray]) -> None:
    ir, vis = pair
    block, threshold = 8, 4.0

    def frequency(part: np.ndarray) -> float:
        return float(np.sqrt(((np.diff(part, axis=0) ** 2).sum() + (np.diff(part, axis=1) ** 2).sum()) / part.size))

    rows, columns = range(0, 36, block), range(0, 43, block)
    chosen = np.zeros((len(rows), len(columns)))
    for i, y in enumerate(rows):
        for j, x in enumerate(columns):
            a, b = (frequency(image[y : y + block, x : x + block]) for image in pair)
            chosen[i, j] = 1 if a > b + threshold else -1 if b > a + threshold else 0
    assert set(chosen.ravel()) == {-1, 0, 1}
    expected = np.empty_like(ir)
    for i, y in enumerate(rows):
        for j, x in enumerate(columns):
            around = chosen[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
            side = chosen[i, j]
            for candidate in (1, -1):
                if (around == candidate).sum() > around.size / 2:
                    side = candidate
            here = (slice(y, y + block), slice(x, x + block))
            expected[here] = {1: ir, -1: vis, 0: (ir + vis) / 2}[int(side)][here]
    np.testing.assert_allclose(
        focus_spatial_frequency(ir, vis, block=block, threshold=threshold), expected, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize(("step", "window"), [(1, 3), (2, 5)])
def test_the_modified_laplacian_adds_absolute_second_differences(
    step: int, window: int, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    measures = []
    for image in pair:
        wide = np.pad(image, step, mode="edge")
        middle = slice(step, -step)
        across = np.abs(2 * image - wide[middle, : -2 * step] - wide[middle, 2 * step :])
        down = np.abs(2 * image - wide[: -2 * step, middle] - wide[2 * step :, middle])
        measures.append(ndimage.uniform_filter(across + down, window, mode="reflect"))
    expected = np.where(measures[0] > measures[1], *pair)
    fused = focus_sum_modified_laplacian(*pair, step=step, window=window, refine="none")
    np.testing.assert_allclose(fused, expected, rtol=0, atol=1e-12)


def test_focus_parameters_are_checked() -> None:
    image = np.zeros((32, 32))
    with pytest.raises(UserError, match="block >= 2"):
        focus_spatial_frequency(image, image, block=1)
    with pytest.raises(UserError, match="odd window"):
        focus_sum_modified_laplacian(image, image, window=4)
    with pytest.raises(UserError, match="no way 'median'"):
        focus_sum_modified_laplacian(image, image, refine="median")  # type: ignore[arg-type]


def test_the_gradient_domain_solves_the_least_squares_problem() -> None:
    rng = np.random.default_rng(10)
    ir, vis = rng.random((2, 7, 9)) * 255
    n = ir.size
    index = np.arange(n).reshape(ir.shape)
    equations, slopes = [], []
    for y, x in np.ndindex(ir.shape):
        steps = [(y, x + 1)] * (x + 1 < 9) + [(y + 1, x)] * (y + 1 < 7)
        by_source = [np.array([image[to] - image[y, x] for to in steps]) for image in (ir, vis)]
        steeper = by_source[0] if (by_source[0] ** 2).sum() > (by_source[1] ** 2).sum() else by_source[1]
        for to, slope in zip(steps, steeper, strict=True):
            row = np.zeros(n)
            row[index[to]], row[index[y, x]] = 1, -1
            equations.append(row)
            slopes.append(slope)
    solution = np.linalg.lstsq(np.array(equations), np.array(slopes), rcond=None)[0].reshape(ir.shape)
    expected = solution - solution.mean() + (ir.mean() + vis.mean()) / 2
    np.testing.assert_allclose(gradient_domain(ir, vis), expected, rtol=0, atol=1e-9)


def test_the_gradient_domain_keeps_all_of_a_source_beside_a_flat_one(pair: tuple[np.ndarray, np.ndarray]) -> None:
    ir = pair[0]
    fused = gradient_domain(ir, np.full_like(ir, 50.0))
    np.testing.assert_allclose(fused - fused.mean(), ir - ir.mean(), rtol=0, atol=1e-9)
    assert fused.mean() == pytest.approx((ir.mean() + 50) / 2)
