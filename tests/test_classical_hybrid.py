"""Methods that inject infrared features: hybrid decompositions, feature extraction, saliency and least squares."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from fusionbench.baselines.classical import hmsd, hybrid_msd, ifevip, vsm_wls
from fusionbench.baselines.classical.boxes import guided_filter, self_guided_filter
from fusionbench.baselines.classical.hmsd import context_enhancement, hybrid_guided_fusion
from fusionbench.baselines.classical.hybrid_msd import hybrid_bilateral_fusion
from fusionbench.baselines.classical.ifevip import feature_extraction_fusion
from fusionbench.baselines.classical.vsm_wls import saliency_least_squares_fusion
from fusionbench.types import UserError

ALL = (
    hybrid_bilateral_fusion,
    hybrid_guided_fusion,
    context_enhancement,
    feature_extraction_fusion,
    saliency_least_squares_fusion,
)


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """A warm disc on a cool ground, and stripes beside a wall; both sides odd."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[:57, :83]
    ir = 40 + 170 * (np.hypot(y - 25, x - 32) < 11) + rng.normal(0, 4, y.shape)
    vis = 90 + 60 * np.sin(x / 3) * (y > 30) + 50 * (x > 60) + rng.normal(0, 6, y.shape)
    return np.round(np.clip(ir, 0, 255)), np.round(np.clip(vis, 0, 255))


@pytest.mark.parametrize("fuse", ALL, ids=lambda fuse: fuse.card.name)
def test_one_level_images_have_finite_and_even_fusions(fuse) -> None:
    for ir, vis in ((77.0, 120.3), (120.3, 77.0), (0.0, 255.0), (255.0, 0.0), (0.0, 0.0)):
        fused = fuse(np.full((32, 47), ir), np.full((32, 47), vis))
        # Rounding must not count as a feature. The frame of IFEVIP's background is dark by definition.
        assert np.ptp(fused[4:-4, 4:-4]) < 1e-9
        assert np.isfinite(fused).all()


@pytest.mark.parametrize(
    ("fuse", "wrong"),
    [
        (hybrid_bilateral_fusion, {"levels": 1}),
        (hybrid_bilateral_fusion, {"space": 0.0}),
        (hybrid_bilateral_fusion, {"base_sigma": -1.0}),
        (hybrid_guided_fusion, {"levels": 20}),
        (hybrid_guided_fusion, {"radius": 0}),
        (context_enhancement, {"ratio": 0.0}),
        (feature_extraction_fusion, {"smallest_block": 2}),
        (feature_extraction_fusion, {"smoothing": 0.0}),
        (saliency_least_squares_fusion, {"iterations": 0}),
        (saliency_least_squares_fusion, {"regularisation": -0.1}),
    ],
)
def test_a_parameter_without_meaning_is_refused_by_name(fuse, wrong, pair) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(UserError, match=f"{name}={value}"):
        fuse(*pair, **wrong)


# Hybrid decompositions.


def bilateral_grid(x: np.ndarray, space: float, contrast: float) -> np.ndarray:
    """In double precision, by scipy: splat to the nearest cell, blur, interpolate."""
    y, across = (np.arange(n) / space + 2 for n in x.shape)
    z = (x - x.min()) / contrast + 2
    at = np.broadcast_arrays(y[:, None], across, z)
    nearest = tuple(np.floor(a + 0.5).astype(int) for a in at)
    values = []
    for sample in (x, np.ones_like(x)):
        grid = np.zeros([int(a.max()) + 3 for a in at])
        np.add.at(grid, nearest, sample)
        for axis in (0, 0, 1, 1, 2, 2):
            grid = ndimage.correlate1d(grid, [0.25, 0.5, 0.25], axis=axis, mode="constant")
            for edge in (0, -1):
                np.moveaxis(grid, axis, 0)[edge] = 0
        values.append(ndimage.map_coordinates(grid, at, order=1))
    return values[0] / values[1]


@pytest.mark.parametrize(("space", "contrast"), [(2.0, 0.05), (4.0, 0.025), (16.0, 0.3)])
def test_bilateral_filter_is_a_blurred_grid(pair, space: float, contrast: float) -> None:
    for plane in pair:
        x = plane / 255
        expected = bilateral_grid(x, space, contrast)
        np.testing.assert_allclose(hybrid_msd._bilateral(x, space, contrast), expected, atol=1e-6)


def test_bilateral_filter_is_near_the_exact_one(pair) -> None:
    x, space, contrast = pair[0] / 255, 2.0, 0.1
    y, across = np.mgrid[: x.shape[0], : x.shape[1]]
    expected = np.empty_like(x)
    for i, j in np.ndindex(x.shape):
        distance = ((y - i) ** 2 + (across - j) ** 2) / space**2 + (x - x[i, j]) ** 2 / contrast**2
        weight = np.exp(-0.5 * distance)
        expected[i, j] = (weight * x).sum() / weight.sum()
    assert np.abs(hybrid_msd._bilateral(x, space, contrast) - expected).mean() < 0.15 * np.abs(x - expected).mean()


@pytest.mark.parametrize("decompose", [hybrid_msd._decompose, hmsd._decompose])
def test_layers_of_a_plane_add_up_to_it(pair, decompose) -> None:
    layers = decompose(pair[1], 3, 2, 0.05)
    total = sum(layers.texture) + sum(layers.edges) + layers.base
    scale = 255 if decompose is hmsd._decompose else 1
    np.testing.assert_allclose(scale * total, pair[1], atol=1e-9)
    assert all(np.abs(layer).max() * scale > 1 for layer in (*layers.texture, *layers.edges))


def naive_fusion(ir, vis, injection: float, sigmas: tuple[float, float, float]) -> np.ndarray:
    """Equation by equation, with scipy's Gaussian."""

    def smooth(x: np.ndarray, sigma: float) -> np.ndarray:
        return ndimage.gaussian_filter(x, sigma, mode="reflect", radius=int(3 * sigma))

    def mix(c: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return b + c * (a - b)

    fused = np.zeros_like(ir.base)
    for j in reversed(range(len(ir.edges))):
        d, e = ir.texture[j], vis.texture[j]
        f, g = ir.edges[j], vis.edges[j]
        if j == 0:
            fused += np.where(abs(e) < abs(d), d, e) + mix(smooth((abs(g) < abs(f)) * 1.0, sigmas[2]), f, g)
            continue
        excess = np.maximum(abs(f) - abs(g), 0)
        c = np.arctan(injection * excess / excess.max()) / np.arctan(injection)
        if j == len(ir.edges) - 1:
            fused += mix(smooth(c, sigmas[0]), ir.base, vis.base)
        c = smooth(c, sigmas[1])
        fused += mix(c, d, e) + mix(c, f, g)
    return fused


def test_hybrid_bilateral_fusion_is_its_equations(pair) -> None:
    ir, vis = (hybrid_msd._decompose(plane, 4, 2.0, 0.05) for plane in pair)
    expected = naive_fusion(ir, vis, 30.0, (64.0, 1.0, 0.2))
    np.testing.assert_allclose(hybrid_bilateral_fusion(*pair), expected, atol=1e-9)


def test_hybrid_guided_fusion_is_its_equations(pair) -> None:
    ir, vis = (hmsd._decompose(plane, 4, 2, 0.1) for plane in pair)
    expected = 275 * naive_fusion(ir, vis, 700.0, (64.0, 1.0, 1.0))
    np.testing.assert_allclose(hybrid_guided_fusion(*pair, injection=700.0), expected, atol=1e-9)


def test_bilateral_and_gaussian_chains_are_the_filters_of_the_paper(pair) -> None:
    layers = hybrid_msd._decompose(pair[0], 2, 2.0, 0.05)
    blurred = ndimage.gaussian_filter(pair[0], 2.0, mode="reflect", radius=6)
    kept = 255 * bilateral_grid(bilateral_grid(pair[0] / 255, 2.0, 0.05), 4.0, 0.025)
    np.testing.assert_allclose(layers.texture[1], blurred - kept, atol=1e-3)
    blurred = ndimage.gaussian_filter(blurred, 4.0, mode="reflect", radius=12)
    np.testing.assert_allclose(layers.base, blurred, atol=1e-9)


def test_equally_strong_layers_are_the_visible_ones() -> None:
    ones = np.ones((32, 32))
    ir = hybrid_msd.Layers((ones, ones), (ones, ones), ones)
    vis = hybrid_msd.Layers((-ones, -ones), (-ones, -ones), -ones)
    np.testing.assert_allclose(hybrid_msd.fuse_layers(ir, vis, 30.0, 4.0, 1.0, 1.0), -5 * ones)


def test_guided_chains_are_the_filters_of_the_paper(pair) -> None:
    x = pair[0] / 255
    layers = hmsd._decompose(pair[0], 2, 2, 0.1)
    box = guided_filter(x, x, 2, 100.0**2)
    kept = guided_filter(guided_filter(x, x, 2, 0.1**2), guided_filter(x, x, 2, 0.1**2), 4, 0.05**2)
    np.testing.assert_allclose(layers.texture[1], box - kept, atol=1e-12)
    np.testing.assert_allclose(layers.base, guided_filter(box, box, 4, 100.0**2), atol=1e-12)


def test_an_image_fused_with_itself_stays_but_for_the_gain(pair) -> None:
    for plane in pair:
        np.testing.assert_allclose(hybrid_guided_fusion(plane, plane, gain=255), plane, atol=1e-9)
        np.testing.assert_allclose(hybrid_guided_fusion(plane, plane), plane * 275 / 255, atol=1e-9)


def test_perceptual_contrast_of_a_block_weighs_its_spectrum() -> None:
    """One block of 9 x 12 inner pixels, one sine: only its frequency and the mean are seen."""
    cycles, amplitude, mean = 3, 20.0, 100.0
    plane = mean + amplitude * np.cos(2 * np.pi * cycles * (np.arange(14) - 1) / 12) * np.ones((11, 1))
    sensitivity = [2.6 * (0.0192 + 0.114 * f) * math.exp(-((0.114 * f) ** 1.1)) for f in (0.0, 2 * 16 * cycles / 12)]
    # The spectrum of the cosine is half its amplitude, twice.
    expected = math.sqrt((mean * sensitivity[0]) ** 2 + 2 * (amplitude / 2 * sensitivity[1]) ** 2)
    assert hmsd._perceptual_contrast(plane) == pytest.approx(expected, rel=1e-12)


def test_blocks_count_by_their_gradients() -> None:
    rng = np.random.default_rng(3)
    plane = np.full((42, 90), 50.0)
    plane[:, :30] += rng.normal(0, 30, (42, 30))
    plane[:, 50:] += rng.normal(0, 2, (42, 40))
    inner = plane[1:-1, 1:-1]
    energy = ndimage.sobel(plane, 0)[1:-1, 1:-1] ** 2 + ndimage.sobel(plane, 1)[1:-1, 1:-1] ** 2
    blocks = [np.s_[:, :40], np.s_[:, 40:80], np.s_[:, 80:]]
    # A block alone in a plane: its frame belongs to none, and it is the only one that counts.
    contrasts = [hmsd._perceptual_contrast(np.pad(inner[b], 1, mode="edge")) for b in blocks]
    weights = [energy[b].sum() for b in blocks]
    assert hmsd._perceptual_contrast(plane) == pytest.approx(np.average(contrasts, weights=weights), rel=1e-12)


@pytest.mark.parametrize(
    ("ir", "vis", "injection"),
    [(0.7, 1, 100), (0.8, 1, 100), (1.2, 1, 1100), (1.6, 1, 2100), (3.3, 2, 2000), (1, 0, 2000), (0, 0, 600)],
)
def test_injection_follows_the_ratio_of_contrasts(ir: float, vis: float, injection: float) -> None:
    assert hmsd._injection(ir, vis) == pytest.approx(injection)


def test_context_enhancement_is_fusion_of_enhanced_images(pair) -> None:
    ir, vis = pair
    x = (vis - vis.min()) / np.ptp(vis)
    # The longer side of 83 pixels gives a radius of 3: too small to be found on a smaller image.
    base = np.log(255 * self_guided_filter(x, 3, 0.01) + 1)
    detail = np.log(255 * x + 1) - base
    compressed = base.max() - (base.max() - base) * math.log(4) / np.ptp(base)
    enhanced = np.minimum(np.exp(compressed + detail), 255)
    expected = hybrid_guided_fusion((ir - ir.min()) / np.ptp(ir) * 255, enhanced)
    np.testing.assert_allclose(context_enhancement(ir, vis), expected, atol=1e-9)


def test_large_scale_brightness_is_found_on_a_smaller_image() -> None:
    x = ndimage.gaussian_filter(np.random.default_rng(0).uniform(0, 1, (150, 250)), 3)
    x = (x - x.min()) / np.ptp(x)
    # Radius 10 of 250 columns; found at scale 0.4 with radius 4.
    exact = self_guided_filter(x, 10, 0.01)
    assert np.abs(hmsd._large_scale(x, 0.04, 0.01) - exact).mean() < 0.1 * np.abs(exact - x).mean()


# Infrared feature extraction.


def test_local_minimum_looks_one_pixel_farther_down_and_right() -> None:
    levels = np.random.default_rng(5).integers(0, 256, (70, 70)).astype(np.uint8)
    lowest = ifevip._local_minimum(levels, 32)
    assert lowest.shape == (71, 71)
    for y, x in ((0, 0), (15, 40), (33, 16), (69, 69)):
        assert lowest[y, x] == levels[max(y - 15, 0) : y + 17, max(x - 15, 0) : x + 17].min()
    np.testing.assert_array_equal(lowest[-1], lowest[-2])
    np.testing.assert_array_equal(lowest[:, -1], lowest[:, -2])


def test_quadtree_covers_the_square_once_and_splits_what_varies() -> None:
    square = np.zeros((512, 512), np.uint8)
    square[300:320, 40:60] = 200
    square[10:20, 400:420] = 51
    blocks = list(ifevip._quadtree(square, 32, 0.2))
    covered = np.zeros((512, 512), int)
    for side, y, x in blocks:
        covered[y : y + side, x : x + side] += 1
        levels = square[y : y + side, x : x + side]
        assert side == 32 or np.ptp(levels) <= 51
    assert (covered == 1).all()
    assert blocks == sorted(blocks, key=lambda block: (-block[0], block[2], block[1]))
    assert [side for side, *_ in blocks].count(256) == 3
    assert (32, 288, 32) in blocks


def casteljau(points: np.ndarray, t: float) -> np.ndarray:
    while len(points) > 1:
        points = (1 - t) * points[:-1] + t * points[1:]
    return points[0]


def test_surface_of_a_block_is_a_bezier_patch_through_its_corners() -> None:
    minimum = np.random.default_rng(7).uniform(0, 255, (65, 65))
    surface = ifevip._bezier_surface(minimum, iter([(64, 0, 0)]))
    taken = [0, 31, 47, 64]
    for y, x in ((0, 0), (5, 60), (31, 12), (63, 63)):
        rows = np.array([casteljau(row, x / 64) for row in minimum[np.ix_(taken, taken)]])
        assert surface[y, x] == pytest.approx(casteljau(rows, y / 64), rel=1e-12)


def test_feature_extraction_is_its_equations(pair) -> None:
    ir, vis = pair
    colour = np.stack([vis, vis[::-1], vis[:, ::-1] / 2 // 1], axis=2)
    background = ifevip._background(ir, 32, 0.2, 4.5).astype(float)

    def entropy(x: np.ndarray) -> float:
        share = np.unique(x, return_counts=True)[1] / x.size
        return -sum(share * np.log2(share))

    addition = np.maximum(ir - background, 0)[..., None] + (ir[..., None] - colour) * entropy(ir) / entropy(colour)
    largest = np.sort((colour + np.maximum(addition, 0)).ravel())[::-1][: round(0.001 * colour.size)]
    share = min(255 / largest.mean(), 0.8)
    expected = np.minimum(colour + np.clip(np.floor(share * addition + 0.5), 0, 255), 255)
    np.testing.assert_array_equal(feature_extraction_fusion(ir, colour), expected)


def test_a_small_warm_target_is_no_background_but_a_slope_is() -> None:
    y, x = np.mgrid[:300, :400]
    slope = 40.0 + x // 8
    ir = np.where(np.hypot(y - 150, x - 200) < 5, 220.0, slope)
    background = ifevip._background(ir, 32, 0.2, 4.5)
    assert background.dtype == np.uint8
    difference = (slope - background)[8:-8, 8:-8]
    assert np.abs(difference).mean() < 2
    # Cubic resampling undershoots beside the target by up to an eighth of its height of 155 levels.
    assert -3 < difference.min() <= difference.max() < 155 / 8


def test_nothing_gets_darker_than_the_visible_image(pair) -> None:
    ir, vis = pair
    assert (feature_extraction_fusion(ir, vis) >= vis).all()
    assert (feature_extraction_fusion(ir, vis) > vis).any()


# Saliency and least squares.


def test_saliency_is_the_mean_distance_to_all_pixels(pair) -> None:
    plane = pair[0]
    distance = np.array([[np.abs(plane - level).sum() for level in row] for row in plane])
    expected = (distance - distance.min()) / np.ptp(distance)
    np.testing.assert_allclose(vsm_wls._saliency(plane), expected, rtol=1e-12, atol=1e-15)


def test_scales_add_up_and_large_edges_stay_in_the_base() -> None:
    step = 50.0 + 150 * (np.arange(80) > 40) * np.ones((60, 1))
    scales = vsm_wls._decompose(step, 2, 0.05, 4)
    np.testing.assert_allclose(255 * (sum(scales.details) + scales.base), step, atol=1e-9)
    # What the widest Gaussian would take out of the edge, and leave as a halo in the base.
    halo = np.abs(step - ndimage.gaussian_filter(step, 8, mode="nearest")).max()
    assert 255 * np.abs(scales.details[2]).max() < 0.4 * halo


def test_guidance_rolls_as_often_as_asked(pair) -> None:
    x = pair[0] / 255
    rolled = ndimage.gaussian_filter(x, 2, mode="nearest", radius=6)
    for _ in range(3):
        rolled = guided_filter(rolled, x, 2, 0.05**2)
    np.testing.assert_allclose(vsm_wls._decompose(pair[0], 2, 0.05, 3).details[0], x - rolled, atol=1e-12)


def test_details_are_least_squares(pair) -> None:
    """No detail near the result has a smaller sum of squares, whose weights are computed by scipy."""
    ir, vis = (vsm_wls._decompose(plane, 2, 0.05, 4).details[1] for plane in pair)
    choice = ndimage.gaussian_filter((abs(ir) < abs(vis)) * 1.0, 2.0, mode="reflect", radius=6)
    wanted = choice * vis + (1 - choice) * ir
    pull = 0.01 / (abs(ndimage.uniform_filter(vis, 7, mode="nearest")) + 1e-6)
    found = vsm_wls._least_squares(ir, vis, 2.0, 0.01)
    slope = 2 * (found - wanted) + 2 * pull * (found - ir)
    np.testing.assert_allclose(slope / (2 + 2 * pull), 0, atol=1e-12)
    np.testing.assert_allclose(vsm_wls._least_squares(ir, vis, 2.0, 0.0), wanted, atol=1e-12)


def test_saliency_fusion_is_its_equations(pair) -> None:
    (ir, vis), sources = (vsm_wls._decompose(plane, 2, 0.05, 4) for plane in pair), pair
    weight = 0.5 + 0.5 * (vsm_wls._saliency(sources[0]) - vsm_wls._saliency(sources[1]))
    expected = weight * ir.base + (1 - weight) * vis.base
    expected += np.where(abs(ir.details[0]) >= abs(vis.details[0]), ir.details[0], vis.details[0])
    for j in (1, 2, 3):
        expected += vsm_wls._least_squares(ir.details[j], vis.details[j], 2.0, 0.01)
    np.testing.assert_allclose(saliency_least_squares_fusion(*pair), 255 * expected, atol=1e-9)
