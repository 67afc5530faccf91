"""What the classical methods filter with, against scipy, Pillow and the definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from fusionbench.baselines.classical import boxes, filters, resizing
from fusionbench.types import UserError

SCIPY_MODE = {
    "zero": "constant",
    "replicate": "nearest",
    "symmetric": "reflect",
    "reflect": "mirror",
    "circular": "wrap",
}


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, shape)


@pytest.mark.parametrize("border", SCIPY_MODE)
@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (4, 2)])
def test_correlation_is_scipys(border: str, shape: tuple[int, int]) -> None:
    x, kernel = noise(12, 17), noise(*shape, seed=1) - 100
    expected = ndimage.correlate(x, kernel, mode=SCIPY_MODE[border])
    np.testing.assert_allclose(filters.correlate(x, kernel, border), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("border", SCIPY_MODE)
def test_separable_filter_is_scipys_even_where_the_kernel_exceeds_the_plane(border: str) -> None:
    x, rows, columns = noise(12, 17), noise(61, seed=1), noise(5, seed=2)
    across = ndimage.correlate1d(x, columns, axis=1, mode=SCIPY_MODE[border])
    expected = ndimage.correlate1d(across, rows, axis=0, mode=SCIPY_MODE[border])
    np.testing.assert_allclose(filters.separable(x, rows, columns, border), expected, rtol=1e-12)


def test_gaussian_is_normalised_and_falls_as_it_should() -> None:
    taps = filters.gaussian(7, 1.5)
    assert taps.sum() == pytest.approx(1, abs=1e-15)
    assert taps[3 + 2] / taps[3] == pytest.approx(np.exp(-(2**2) / (2 * 1.5**2)), rel=1e-12)
    np.testing.assert_array_equal(taps, taps[::-1])


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 12))
def test_box_sum_is_the_sum_over_the_clipped_window(height: int, width: int, r: int) -> None:
    x = noise(height, width)
    expected = [[x[max(y - r, 0) : y + r + 1, max(j - r, 0) : j + r + 1] for j in range(width)] for y in range(height)]
    np.testing.assert_allclose(boxes.box_sum(x, r), [[w.sum() for w in row] for row in expected], rtol=1e-10)
    np.testing.assert_allclose(boxes.box_mean(x, r), [[w.mean() for w in row] for row in expected], rtol=1e-10)


def test_box_sum_rounds_as_sums_down_the_columns_and_then_along_the_rows() -> None:
    x, r = noise(40, 30) / 3, 4

    def along_first_axis(plane: np.ndarray) -> np.ndarray:
        cumulative = np.cumsum(plane, axis=0)
        n = len(plane)
        below = cumulative[np.minimum(np.arange(n) + r, n - 1)]
        below[r + 1 :] -= cumulative[: n - r - 1]
        return below

    np.testing.assert_array_equal(boxes.box_sum(x, r), along_first_axis(along_first_axis(x).T).T)


def ridge_line(guide: np.ndarray, image: np.ndarray, eps: float) -> np.ndarray:
    """Slope and offset of the line through one window's pixels with the penalty eps on the squared slope."""
    design = np.stack([guide.ravel(), np.ones(guide.size)], axis=1)
    penalty = np.diag([eps * guide.size, 0])
    return np.linalg.solve(design.T @ design + penalty, design.T @ image.ravel())


def test_guided_filter_averages_the_best_lines_of_all_windows() -> None:
    guide, image, r, eps = noise(9, 11), noise(9, 11, seed=1), 2, 300.0
    lines = np.empty((9, 11, 2))

    def window(y: int, x: int) -> tuple[slice, slice]:
        return slice(max(y - r, 0), y + r + 1), slice(max(x - r, 0), x + r + 1)

    for y, x in np.ndindex(9, 11):
        lines[y, x] = ridge_line(guide[window(y, x)], image[window(y, x)], eps)
    means = np.array([[lines[window(y, x)].mean(axis=(0, 1)) for x in range(11)] for y in range(9)])
    expected = means[..., 0] * guide + means[..., 1]
    np.testing.assert_allclose(boxes.guided_filter(guide, image, r, eps), expected, rtol=1e-9)


def test_guiding_an_image_by_itself_is_the_guided_filter() -> None:
    x = noise(20, 31)
    expected = boxes.guided_filter(x, x, 3, 50.0)
    np.testing.assert_allclose(boxes.self_guided_filter(x, 3, 50.0), expected, rtol=1e-9)


def test_gradient_of_a_square_is_exact_inside_and_one_sided_at_the_ends() -> None:
    x = np.arange(6.0) ** 2 + 10 * np.arange(4.0)[:, None]
    right, down = filters.gradient(x)
    np.testing.assert_array_equal(right[1], [1, 2, 4, 6, 8, 9])
    np.testing.assert_array_equal(down, np.full((4, 6), 10))


@pytest.mark.parametrize(
    ("kernel", "theirs"), [("cubic", Image.Resampling.BICUBIC), ("linear", Image.Resampling.BILINEAR)]
)
@pytest.mark.parametrize("size", [(90, 120), (37, 29)])
def test_resizing_is_pillows_inside(kernel: str, theirs: int, size: tuple[int, int]) -> None:
    x = noise(60, 80)
    expected = np.asarray(Image.fromarray(x.astype(np.float32)).resize(size[::-1], theirs))
    inside = np.s_[8:-8, 8:-8]
    np.testing.assert_allclose(resizing.resize(x, size, kernel)[inside], expected[inside], atol=1e-3)


def test_nearest_resizing_picks_samples() -> None:
    x = np.arange(7.0) * np.ones((7, 1))
    np.testing.assert_array_equal(resizing.resize(x, (7, 14), "nearest")[0], np.repeat(np.arange(7), 2))
    # The middle of a pair lies between two samples: the later one is taken.
    np.testing.assert_array_equal(resizing.resize(x[:, :6], (7, 3), "nearest")[0], [1, 3, 5])


@pytest.mark.parametrize("kernel", ["cubic", "linear"])
@pytest.mark.parametrize("size", [(36, 20), (3, 5)])
def test_resizing_mirrors_the_borders(kernel: str, size: tuple[int, int]) -> None:
    x = noise(12, 10)
    mirrored = resizing.resize(np.pad(x, ((12, 12), (10, 10)), mode="symmetric"), (3 * size[0], 3 * size[1]), kernel)
    middle = mirrored[size[0] : 2 * size[0], size[1] : 2 * size[1]]
    np.testing.assert_allclose(resizing.resize(x, size, kernel), middle, rtol=1e-9)


def test_a_scale_rounds_the_size_up() -> None:
    assert resizing.resize(noise(33, 47), 0.25, "linear").shape == (9, 12)


def test_levels_are_rounded_after_each_pass_and_the_smaller_scale_comes_first() -> None:
    x = noise(40, 40).astype(np.uint8)

    def one_axis(plane: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        return np.floor(np.clip(resizing.resize(plane.astype(float), shape), 0, 255) + 0.5)

    resized = resizing.resize(x, (60, 20))
    assert resized.dtype == np.uint8
    np.testing.assert_array_equal(resized, one_axis(one_axis(x, (40, 20)), (60, 20)))
    assert (resized != one_axis(one_axis(x, (60, 40)), (60, 20))).any()
    equally = resizing.resize(x, (20, 20))
    np.testing.assert_array_equal(equally, one_axis(one_axis(x, (20, 40)), (20, 20)))
    assert (equally != one_axis(one_axis(x, (40, 20)), (20, 20))).any()


def test_a_width_of_zero_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"base_sigma=0\.0 "):
        filters.require_positive(radius=1, base_sigma=0.0)
