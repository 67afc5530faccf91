"""Wavelets, dual-tree wavelets and curvelets: perfect reconstruction, published properties, shifts and directions."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st
from test_classical_pyramids import choose_slowly

from fusionbench.baselines.classical import dtcwt
from fusionbench.baselines.classical.curvelet import _join_ends, curvelet
from fusionbench.baselines.classical.dtcwt import dual_tree_transform, from_dual_tree
from fusionbench.baselines.classical.fdct import Curvelets, curvelet_transform, from_curvelets
from fusionbench.baselines.classical.wavelets import discrete_wavelet, dual_tree, stationary_wavelet
from fusionbench.types import UserError

SIZES = st.tuples(st.integers(32, 70), st.integers(32, 70))
WAVELETS = [discrete_wavelet, stationary_wavelet, dual_tree]


def noise(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(128, 40, shape)


@pytest.fixture(scope="module")
def scenes() -> tuple[np.ndarray, np.ndarray]:
    """Two large textured planes with edges of all directions."""
    y, x = np.mgrid[:129, :129]
    ir = 60 + 120 * (np.hypot(y - 60, x - 70) < 30) + noise(y.shape, 1) / 8
    vis = 110 + 70 * np.sin((x + y) / 4) * (y > 60) + 60 * (x - y / 3 > 70) + noise(y.shape, 2) / 8
    return ir, vis


def test_dwt_chooses_the_coefficients_that_pywavelets_finds(scenes: tuple[np.ndarray, np.ndarray]) -> None:
    ir, vis = (scene[:64, :96] for scene in scenes)
    a, b = (pywt.wavedec2(image, "db1", mode="periodization", level=4) for image in (ir, vis))
    fused = [(a[0] + b[0]) / 2]
    fused += [
        tuple(choose_slowly(p, q) for p, q in zip(*level, strict=True)) for level in zip(a[1:], b[1:], strict=True)
    ]
    expected = pywt.waverec2(fused, "db1", mode="periodization")
    np.testing.assert_allclose(discrete_wavelet(ir, vis), expected, rtol=0, atol=1e-10)


def test_swt_chooses_the_coefficients_that_pywavelets_finds(scenes: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = (pywt.swt2(scene[:128, :128], "db1", level=3) for scene in scenes)
    fused = [
        ((low_a + low_b) / 2, tuple(choose_slowly(p, q) for p, q in zip(bands_a, bands_b, strict=True)))
        for (low_a, bands_a), (low_b, bands_b) in zip(a, b, strict=True)
    ]
    expected = pywt.iswt2(fused, "db1")
    # Not at the border: PyWavelets' image is periodic, ours is mirrored.
    inside = (slice(20, 100), slice(20, 100))
    fused_by_us = stationary_wavelet(scenes[0][:128, :128], scenes[1][:128, :128], levels=3)
    np.testing.assert_allclose(fused_by_us[inside], expected[inside], rtol=0, atol=1e-10)


@pytest.mark.parametrize("wavelet", ["haar", "db4", "sym5", "bior2.2"])
@pytest.mark.parametrize("method", [discrete_wavelet, stationary_wavelet])
def test_any_wavelet_rebuilds_an_image_fused_with_itself(method, wavelet: str) -> None:
    image = noise((33, 47))
    np.testing.assert_allclose(method(image, image.copy(), wavelet=wavelet), image, rtol=0, atol=1e-9)


@pytest.mark.parametrize("method", WAVELETS)
def test_bad_parameters_of_wavelets_are_refused(method) -> None:
    image = np.zeros((32, 40))
    with pytest.raises(UserError, match="no 5 levels"):
        method(image, image, levels=5)
    if method is not dual_tree:
        with pytest.raises(UserError, match="no wavelet 'hat': give one of bior"):
            method(image, image, wavelet="hat")


def test_the_first_filters_are_biorthogonal_with_two_vanishing_moments() -> None:
    whole = np.convolve(dtcwt.LOW_1, dtcwt.SYNTHESIS_LOW_1) + np.convolve(dtcwt.HIGH_1, dtcwt.SYNTHESIS_HIGH_1)
    np.testing.assert_allclose(whole, np.eye(1, 7, 3)[0], atol=1e-15)
    for high in (dtcwt.HIGH_1, dtcwt.SYNTHESIS_HIGH_1):
        n = np.arange(high.size) - high.size // 2
        np.testing.assert_allclose([high.sum(), (n * high).sum()], 0, atol=1e-15)


def test_the_q_shift_filters_are_kingsburys_and_orthonormal() -> None:
    published = np.array([0.03516384, 0, -0.08832942, 0.23389032, 0.76027237, 0.58751830, 0, -0.11430184, 0, 0])
    np.testing.assert_allclose(dtcwt.LOW_B, published, rtol=0, atol=5e-9)
    for low, high in ((dtcwt.LOW_A, dtcwt.HIGH_A), (dtcwt.LOW_B, dtcwt.HIGH_B)):
        shifted = np.array([np.roll(np.r_[taps, np.zeros(10)], 2 * k) for taps in (low, high) for k in range(-4, 5)])
        np.testing.assert_allclose(shifted @ shifted.T, np.eye(18), atol=1e-15)
        assert low.sum() == pytest.approx(2**0.5, abs=1e-15)
        assert high.sum() == pytest.approx(0, abs=1e-8)


def test_the_trees_lie_half_a_sample_apart() -> None:
    """A quarter sample each from the middle, 4.5: the mean group delay over the pass band, weighted by the power."""
    n, frequency = np.arange(10), np.linspace(0, np.pi / 2, 100)
    delays = []
    for taps in (dtcwt.LOW_A, dtcwt.LOW_B):
        waves = np.exp(-1j * np.outer(frequency, n))
        response, slope = waves @ taps, waves @ (n * taps)
        power = np.abs(response) ** 2
        delays.append(float(((slope / response).real * power).sum() / power.sum()))
    assert delays[0] == pytest.approx(4.75, abs=0.07)
    assert delays[1] == pytest.approx(4.25, abs=0.07)


@settings(max_examples=25)
@given(SIZES, st.integers(1, 5))
def test_the_dual_tree_rebuilds_its_image(size: tuple[int, int], levels: int) -> None:
    image = noise(size)
    tree = dual_tree_transform(image, levels)
    assert [band.shape[0] for band in tree.bands] == [6] * levels
    np.testing.assert_allclose(from_dual_tree(tree), image, rtol=0, atol=1e-11)


def test_further_levels_of_the_dual_tree_keep_the_energy() -> None:
    tree = dual_tree_transform(noise((64, 48)), 1)
    deeper = dual_tree_transform(noise((64, 48)), 4)
    energy = sum(float((np.abs(band) ** 2).sum()) for band in deeper.bands[1:]) + float((deeper.low**2).sum())
    assert energy == pytest.approx(float((tree.low**2).sum()), rel=1e-12)


def test_the_dual_tree_gives_the_numbers_of_the_dtcwt_package(golden: Path) -> None:
    """To the eight digits of the published filters, of which we use the nearest orthonormal ones."""
    y, x = np.mgrid[:48, :64]
    image = ((37 * x * x + 91 * x * y + 53 * y * y + 11 * x) // 7 % 256).astype(np.float64)
    tree = dual_tree_transform(image, 4)
    lines = [line for line in (golden / "dtcwt.csv").read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert len(rows) == 4 * 6 + 1
    for row in rows:
        band = tree.low if row["direction"] == "low" else tree.bands[int(row["level"]) - 1][int(row["direction"])]
        magnitude = np.abs(band)
        middle = magnitude[magnitude.shape[0] // 2, magnitude.shape[1] // 2]
        ours = [magnitude.sum(), magnitude[0, 0], magnitude[-1, -1], middle]
        theirs = [float(row[name]) for name in ("sum", "first", "last", "middle")]
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=5e-6, err_msg=str(row))


@pytest.mark.parametrize(("direction", "degrees"), list(enumerate([15, 45, 75, -75, -45, -15])))
@pytest.mark.parametrize("level", [2, 3, 4])
def test_each_subband_of_the_dual_tree_sees_its_own_direction(direction: int, degrees: int, level: int) -> None:
    y, x = np.mgrid[:128, :128]
    angle = np.deg2rad(degrees)
    wave = np.cos(2 * np.pi * 0.72 / 2**level * (x * np.sin(angle) + y * np.cos(angle)))
    energies = [(np.abs(band) ** 2).sum() for band in dual_tree_transform(wave, 4).bands[level - 1]]
    assert int(np.argmax(energies)) == direction


def third_level_of_dual_tree(image: np.ndarray) -> np.ndarray:
    tree = dual_tree_transform(image, 3)
    nothing = [np.zeros_like(band) for band in tree.bands[:2]]
    return from_dual_tree(tree._replace(bands=[*nothing, tree.bands[2]], low=np.zeros_like(tree.low)))


def third_level_of_dwt(image: np.ndarray) -> np.ndarray:
    low, third, *finer = pywt.wavedec2(image, "sym5", level=3)
    nothing = [tuple(np.zeros_like(band) for band in bands) for bands in finer]
    return pywt.waverec2([np.zeros_like(low), third, *nothing], "sym5")


def test_the_dual_tree_hardly_notices_shifts() -> None:
    """What the third level makes of a point, as the point moves over all eight positions: the part that changes."""
    changing = {}
    for level in (third_level_of_dual_tree, third_level_of_dwt):
        seen = []
        for shift in range(8):
            point = np.zeros((96, 96))
            point[48, 48 + shift] = 1
            seen.append(np.roll(level(point), -shift, axis=1))
        changing[level] = np.var(seen, axis=0).sum() / np.mean(np.square(seen), axis=0).sum()
    assert changing[third_level_of_dual_tree] < 0.06
    assert changing[third_level_of_dwt] > 0.2


def moved(method, scenes: tuple[np.ndarray, np.ndarray]) -> float:
    """How much the fused image changes when both sources are moved by one pixel, away from its border."""
    here = method(*(scene[:128, :128] for scene in scenes))
    there = method(*(scene[1:, 1:] for scene in scenes))
    return float(np.std(here[33:97, 33:97] - there[32:96, 32:96]))


def test_undecimated_and_complex_wavelets_fuse_alike_wherever_the_image_stands(
    scenes: tuple[np.ndarray, np.ndarray],
) -> None:
    assert moved(stationary_wavelet, scenes) < 1e-9
    assert moved(dual_tree, scenes) < 0.6 * moved(discrete_wavelet, scenes)


@pytest.mark.parametrize("method", [*WAVELETS, curvelet])
def test_nothing_wraps_around(method) -> None:
    """Beside a black source half of the low-pass image goes missing: that of a ramp is the ramp, up to both borders."""
    ramp = np.tile(np.linspace(0, 255, 96), (80, 1))
    for image in (ramp, ramp[:, ::-1], ramp.T, ramp.T[::-1]):
        low = 2 * (image - method(np.ascontiguousarray(image), np.zeros_like(image)))
        assert np.abs(low - image).max() < 30


@settings(max_examples=25)
@given(SIZES, st.integers(2, 5), st.sampled_from([4, 8, 16]))
def test_curvelets_are_a_tight_frame(size: tuple[int, int], scales: int, angles: int) -> None:
    image = noise(size)
    curvelets = curvelet_transform(image, scales, angles)
    energy = (curvelets.low**2).sum() + sum((np.abs(part) ** 2).sum() for ring in curvelets.scales for part in ring)
    assert energy == pytest.approx((image**2).sum(), rel=1e-12)
    np.testing.assert_allclose(from_curvelets(curvelets, scales, angles), image, rtol=0, atol=1e-11)


def test_rebuilding_from_curvelets_is_the_transpose_of_the_transform() -> None:
    rng = np.random.default_rng(3)
    curvelets = curvelet_transform(noise((48, 54)), 4, 16)
    any_parts = [
        [rng.normal(size=part.shape) + 1j * rng.normal(size=part.shape) for part in ring] for ring in curvelets.scales
    ]
    any_low = rng.normal(size=curvelets.low.shape)
    image = noise((48, 54), 4)
    forward = curvelet_transform(image, 4, 16)
    left = (forward.low * any_low).sum() + sum(
        (p.conj() * q).real.sum()
        for ring, others in zip(forward.scales, any_parts, strict=True)
        for p, q in zip(ring, others, strict=True)
    )
    right = (image * from_curvelets(Curvelets(any_parts, any_low, (48, 54)), 4, 16)).sum()
    assert left == pytest.approx(right, rel=1e-10)


def test_curvelets_of_five_scales_have_16_32_32_and_64_directions() -> None:
    curvelets = curvelet_transform(noise((96, 100)), 5, 16)
    assert [2 * len(ring) for ring in curvelets.scales] == [16, 32, 32, 64]
    coefficients = curvelets.low.size + 2 * sum(part.size for ring in curvelets.scales for part in ring)
    assert 7 < coefficients / 9600 < 7.5


@pytest.mark.parametrize("cycles", [0.06, 0.12, 0.25])
def test_each_wedge_sees_its_own_direction(cycles: float) -> None:
    """As a wave turns from horizontal frequency downwards and around, the strongest wedge turns with it."""
    y, x = np.mgrid[:96, :96]
    window = np.outer(np.hanning(96), np.hanning(96))
    strongest = []
    for degrees in range(-40, 130, 10):
        angle = np.deg2rad(degrees)
        wave = window * np.cos(2 * np.pi * cycles * (x * np.cos(angle) + y * np.sin(angle)))
        energies = [[(np.abs(part) ** 2).sum() for part in ring] for ring in curvelet_transform(wave, 5, 16).scales]
        ring = max(energies, key=max)
        strongest.append(int(np.argmax(ring)) / len(ring))
    assert strongest == sorted(strongest)
    assert strongest[0] < 0.15 < 0.85 < strongest[-1]


def test_a_wave_beyond_all_wedges_of_a_scale_leaves_it_empty() -> None:
    y, x = np.mgrid[:96, :96]
    wave = np.cos(2 * np.pi * 0.25 * x) + 0 * y
    *coarse, _, finest = curvelet_transform(wave, 5, 16).scales
    total = (wave**2).sum()
    assert sum((np.abs(part) ** 2).sum() for ring in coarse for part in ring) < 1e-20 * total
    assert sum((np.abs(part) ** 2).sum() for part in finest) > 0.4 * total


@given(st.integers(32, 200))
def test_the_strip_that_makes_an_image_periodic_has_no_step(n: int) -> None:
    line = np.sin(np.arange(n) / 9.0)[:, None] * 100 + np.arange(n)[:, None]
    joined = _join_ends(line)
    np.testing.assert_array_equal(joined[:n], line)
    assert joined.shape[0] >= n + 32
    steps = np.abs(np.diff(joined, axis=0, append=joined[:1]))
    assert steps.max() < 4 * np.abs(np.diff(line, axis=0)).max()


def test_bad_parameters_of_curvelets_are_refused() -> None:
    image = np.zeros((32, 40))
    for scales in (1, 6):
        with pytest.raises(UserError, match=f"no {scales} scales: give scales=2 to 5"):
            curvelet(image, image, scales=scales)
    with pytest.raises(UserError, match="multiple of 4"):
        curvelet(image, image, angles=6)
