"""Choosing coefficients, and the transforms they come from, against the same filters as explicit kernels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from scipy.signal import convolve2d

from fusionbench.baselines.classical.choose import choose_max, ext2
from fusionbench.baselines.classical.contourlet import (
    merge_directions,
    merge_scales,
    nonsubsampled_contourlet,
    split_directions,
    split_scales,
)
from fusionbench.baselines.classical.laplacian import (
    expand,
    from_laplacian,
    from_ratio,
    laplacian_pyramid,
    ratio_pyramid,
    reduce,
)
from fusionbench.types import UserError

ROOT2 = np.sqrt(2)
DELTA = np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]])


def plane(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, shape)


def framed(x: np.ndarray, n: int) -> np.ndarray:
    """Mirrored sample by sample, the corners left at 0."""
    height, width = x.shape
    out = np.zeros((height + 2 * n, width + 2 * n))
    for i, j in np.ndindex(out.shape):
        y, z = i - n, j - n
        if not (0 <= y < height or 0 <= z < width):
            continue
        y, z = abs(y), abs(z)
        out[i, j] = x[min(y, 2 * (height - 1) - y), min(z, 2 * (width - 1) - z)]
    return out


# Choosing


@given(st.integers(2, 7), st.integers(2, 7), st.integers(0, 1000))
def test_stronger_neighbourhood_wins_by_majority(height: int, width: int, seed: int) -> None:
    # Few different values: ties are what is easily got wrong.
    p, q = np.random.default_rng(seed).integers(-2, 3, (2, height, width)).astype(float)
    strongest = [ndimage.maximum_filter(np.abs(framed(x, 1)), size=3, mode="constant") for x in (p, q)]
    votes = convolve2d((strongest[0] > strongest[1]).astype(float), np.ones((3, 3)), "valid")
    np.testing.assert_array_equal(choose_max(p, q), np.where(votes > 4, p, q))


def test_complex_coefficients_are_compared_by_magnitude() -> None:
    p, q = plane(6, 5) * np.exp(1j * plane(6, 5, seed=1)), plane(6, 5, seed=2) + 0j
    chosen = choose_max(p, q)
    assert chosen.dtype == np.complex128
    np.testing.assert_array_equal(np.abs(chosen), choose_max(np.abs(p), np.abs(q)))


def test_frame_is_mirrored_without_its_corners() -> None:
    x = plane(4, 6)
    np.testing.assert_array_equal(ext2(x, 3), framed(x, 3))


# Pyramids


def binomial(x: np.ndarray, gain: float) -> np.ndarray:
    taps = gain * np.array([[1, 4, 6, 4, 1]]) / 16
    return convolve2d(convolve2d(framed(x, 2), taps, "valid"), taps.T, "valid")


@pytest.mark.parametrize("shape", [(8, 10), (4, 30), (6, 4)])
def test_reduce_and_expand_are_the_binomial_filter(shape: tuple[int, int]) -> None:
    x = plane(*shape)
    np.testing.assert_allclose(reduce(x), binomial(x, 1)[::2, ::2], rtol=1e-13)
    spread = np.zeros((2 * shape[0], 2 * shape[1]))
    spread[::2, ::2] = x
    np.testing.assert_allclose(expand(x), binomial(spread, 2), rtol=1e-13)


@pytest.mark.parametrize("shape", [(64, 48), (33, 47), (35, 50)])
def test_pyramids_come_back(shape: tuple[int, int]) -> None:
    x = np.round(plane(*shape))
    x[:9, :9] = 0
    laplacian, ratio = laplacian_pyramid(x, 4), ratio_pyramid(x, 4)
    assert laplacian.low.shape == ratio.low.shape == (-(-shape[0] // 16), -(-shape[1] // 16))
    assert all(side % 2 == 0 for band in laplacian.bands for side in band.shape)
    np.testing.assert_allclose(from_laplacian(laplacian), x, atol=1e-11)
    np.testing.assert_allclose(from_ratio(ratio), x, atol=1e-9)


# Contourlets


def summed(*kernels: np.ndarray) -> np.ndarray:
    size = max(len(kernel) for kernel in kernels)
    return np.sum([np.pad(kernel, (size - len(kernel)) // 2) for kernel in kernels], axis=0)


def spread(kernel: np.ndarray, step: int) -> np.ndarray:
    out = np.zeros((step * (len(kernel) - 1) + 1,) * 2)
    out[::step, ::step] = kernel
    return out


def low_pass(m: np.ndarray) -> np.ndarray:
    return convolve2d(summed(DELTA, m) / 2, summed(ROOT2 * DELTA, (1 - ROOT2) * m))


def low_pass_back(m: np.ndarray) -> np.ndarray:
    rest = summed(ROOT2 * DELTA, (4 - 3 * ROOT2) * m, (2 * ROOT2 - 3) * convolve2d(m, m))
    return convolve2d(summed(DELTA, m) / 2, rest)


MAPPING = np.outer([1, 2, 1], [1, 2, 1]) / 8 - DELTA


def test_scales_are_the_pyramid_filters() -> None:
    low = plane(37, 40)
    split = split_scales(low, 3)
    for scale, band in enumerate(split.bands):
        kernel, opposite = (spread(low_pass(m), 2**scale) for m in (MAPPING, -MAPPING))
        np.testing.assert_allclose(band, ndimage.correlate(low, opposite, mode="reflect"), atol=1e-11)
        low = ndimage.correlate(low, kernel, mode="reflect")
    np.testing.assert_allclose(split.low, low, atol=1e-11)


def test_scales_are_put_together_by_the_other_filters() -> None:
    split = split_scales(plane(37, 40), 1)
    split.bands[0] += plane(37, 40, seed=1)  # so that it is no longer the band of any image
    expected = ndimage.correlate(split.low, low_pass_back(MAPPING), mode="reflect")
    expected += ndimage.correlate(split.bands[0], low_pass_back(-MAPPING), mode="reflect")
    np.testing.assert_allclose(merge_scales(split), expected, atol=1e-11)


def fan(prototype: list[float]) -> dict[tuple[int, int], float]:
    """McClellan's transform of a symmetric filter with the diamond, modulated along the columns: weights by (x, y)."""
    half = len(prototype) // 2
    diamond = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]) / 4
    chebyshev = [DELTA, diamond]
    for _ in range(half):
        chebyshev.append(summed(2 * convolve2d(diamond, chebyshev[-1]), -chebyshev[-2]))
    kernel = summed(*[(prototype[half + k] * (2 if k else 1)) * chebyshev[k] for k in range(half + 1)])
    centre = len(kernel) // 2
    return {
        (x - centre, y - centre): float(kernel[y, x]) * (-1) ** (x - centre) / ROOT2
        for y, x in np.ndindex(kernel.shape)
    }


def periodic(x: np.ndarray, kernel: dict[tuple[int, int], float]) -> np.ndarray:
    return np.sum([weight * np.roll(x, (-dy, -dx), (0, 1)) for (dx, dy), weight in kernel.items()], axis=0)


def quincunx(kernel: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    return {(x - y, x + y): weight for (x, y), weight in kernel.items()}


ANALYSIS = fan([1 / 4, 2 / 4, 1 / 4]), fan([-1 / 4, -2 / 4, 6 / 4, -2 / 4, -1 / 4])
SYNTHESIS = fan([-1 / 4, 2 / 4, 6 / 4, 2 / 4, -1 / 4]), fan([-1 / 4, 2 / 4, -1 / 4])


def test_four_directions_are_fan_filters() -> None:
    x = plane(20, 23)
    halves = [periodic(x, kernel) for kernel in ANALYSIS]
    expected = [periodic(half, quincunx(kernel)) for half in halves for kernel in ANALYSIS]
    for part, other in zip(split_directions(x, 4), expected, strict=True):
        np.testing.assert_allclose(part, other, atol=1e-11)


def test_four_directions_are_put_together_by_the_other_fans() -> None:
    parts = [plane(20, 23, seed=seed) for seed in range(4)]
    halves = [sum(periodic(parts[2 * i + j], quincunx(SYNTHESIS[j])) for j in range(2)) for i in range(2)]
    expected = sum(periodic(half, kernel) for half, kernel in zip(halves, SYNTHESIS, strict=True))
    np.testing.assert_allclose(merge_directions(parts), expected, atol=1e-11)


@pytest.mark.parametrize("count", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("shape", [(32, 37), (33, 32)])
def test_directions_come_back(count: int, shape: tuple[int, int]) -> None:
    x = plane(*shape)
    parts = split_directions(x, count)
    assert len(parts) == count
    np.testing.assert_allclose(merge_directions(parts), x, atol=1e-11)


@pytest.mark.parametrize("count", [4, 8, 16])
def test_each_direction_is_strongest_in_a_wedge_of_its_own(count: int) -> None:
    size = 128
    impulse = np.zeros((size, size))
    impulse[0, 0] = 1
    f, g = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size))
    steep = np.abs(g) > np.abs(f)
    slope = np.where(steep, f, g) / np.where(steep, g, np.where(f == 0, 1, f))
    wedge = steep * (count // 2) + np.clip((slope + 1) / 2 * (count // 2), 0, count // 2 - 1).astype(int)
    ring = (np.hypot(f, g) < 0.5) & (np.hypot(f, g) > 0.15)
    strongest = []
    for part in split_directions(impulse, count):
        energy = np.abs(np.fft.fft2(part)) ** 2
        strongest.append(np.argmax(np.bincount(wedge[ring], energy[ring], minlength=count)))
    assert sorted(strongest) == list(range(count))
    assert strongest[count // 2 :] == [place + count // 2 for place in strongest[: count // 2]]


def test_bands_move_with_the_image() -> None:
    x = plane(32, 37)
    for part, moved in zip(split_directions(x, 16), split_directions(np.roll(x, (5, -8), (0, 1)), 16), strict=True):
        np.testing.assert_allclose(np.roll(part, (5, -8), (0, 1)), moved, atol=1e-11)


def test_contourlets_take_the_sharper_side() -> None:
    x = ndimage.gaussian_filter(plane(48, 64), 0.7)
    blurred = ndimage.gaussian_filter(x, 3)
    left, right = x.copy(), x.copy()
    left[:, 32:], right[:, :32] = blurred[:, 32:], blurred[:, :32]
    fused = nonsubsampled_contourlet(left, right)
    worst = max(np.abs(left - x).mean(), np.abs(right - x).mean())
    assert np.abs(fused - x).mean() < worst / 4


@pytest.mark.parametrize("directions", [[], [3], [4, 0], [-2]])
def test_directions_must_be_powers_of_two(directions: list[int]) -> None:
    with pytest.raises(UserError, match="powers of two"):
        nonsubsampled_contourlet(plane(32, 32), plane(32, 32), directions=directions)


def test_more_scales_than_pixels_are_refused() -> None:
    with pytest.raises(UserError, match="has no 6 scales"):
        nonsubsampled_contourlet(plane(32, 60), plane(32, 60), directions=[2] * 6)
