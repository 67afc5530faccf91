"""Conversions, memory and principal weights of the classical methods."""

from __future__ import annotations

import gc
import math
import threading
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusionbench import pixels
from fusionbench.baselines.classical.memory import kept_for
from fusionbench.baselines.classical.numeric import grey, im2u8, stretch, u8
from fusionbench.baselines.classical.principal import principal_weights


def rounded(x: float) -> int:
    """In exact arithmetic: to the nearest level, halves up, saturated."""
    if math.isnan(x) or x < 0:
        return 0
    return 255 if x > 255 else math.floor(Fraction(x) + Fraction(1, 2))


@given(st.floats(), st.integers(0, 255))
def test_u8_rounds_halves_away_from_zero(x: float, level: int) -> None:
    around = [x, level + 0.5, np.nextafter(level + 0.5, 0), np.nextafter(level + 0.5, 999), float(level)]
    assert u8(np.array(around)).tolist() == [rounded(float(y)) for y in around]


def test_im2u8_rounds_after_the_product() -> None:
    x = np.arange(256) / 255
    assert im2u8(x).tolist() == list(range(256))
    assert im2u8(np.array([0.5, 0.1, -1.0, 2.0, np.nan])).tolist() == [128, 26, 0, 255, 0]


def test_grey_is_the_matlab_luma_of_levels() -> None:
    red, green, blue = np.meshgrid(np.arange(0, 256, 5), np.arange(256), np.arange(0, 256, 3), indexing="ij")
    colours = np.stack([red, green, blue], axis=-1).reshape(-1, 256, 3)
    np.testing.assert_array_equal(grey(colours.astype(np.float64)), pixels.luma(colours.astype(np.uint8), "matlab"))


def test_stretch_fills_the_range() -> None:
    assert stretch(np.array([[3.0, 4.0], [5.0, 7.0]])).tolist() == [[0.0, 63.75], [127.5, 255.0]]
    assert stretch(np.full((2, 2), 7.0)).tolist() == [[7.0, 7.0], [7.0, 7.0]]


class Counted:
    """A remembered function that counts how often it was computed."""

    def __init__(self) -> None:
        self.calls = 0

        @kept_for
        def doubled(plane: np.ndarray, power: int = 1, *, shift: float = 0.0) -> np.ndarray:
            self.calls += 1
            return (2.0 * plane) ** power + shift

        self.doubled = doubled


def test_results_are_kept_by_plane_and_parameters() -> None:
    counted, plane = Counted(), np.ones((2, 2))
    assert counted.doubled(plane) is counted.doubled(plane)
    assert counted.calls == 1
    assert counted.doubled(plane, 2).max() == 4.0
    assert counted.doubled(plane, 2, shift=1.0).max() == 5.0
    assert counted.calls == 3
    counted.doubled(plane.copy())
    assert counted.calls == 4


def test_a_plane_that_was_written_to_is_computed_again() -> None:
    counted, plane = Counted(), np.ones((2, 2))
    counted.doubled(plane)
    plane[0, 0] = 5.0
    assert counted.doubled(plane).max() == 10.0


def test_one_source_is_kept_while_the_channels_change() -> None:
    counted, ir = Counted(), np.ones((2, 2))
    channels = [np.full((2, 2), c) for c in (2.0, 3.0, 4.0)]
    for channel in channels:
        counted.doubled(ir)
        counted.doubled(channel)
    assert counted.calls == 4
    counted.doubled(channels[0])
    assert counted.calls == 5


def test_results_go_with_their_plane() -> None:
    alive = []

    class Result:
        def __init__(self) -> None:
            alive.append(self)

        def __del__(self) -> None:
            freed.append(True)

    freed: list[bool] = []

    @kept_for
    def make(plane: np.ndarray) -> Result:
        return Result()

    plane = np.ones(3)
    make(plane)
    alive.clear()
    gc.collect()
    assert not freed
    del plane
    gc.collect()
    assert freed == [True]


def test_each_thread_keeps_its_own() -> None:
    counted, plane = Counted(), np.ones((2, 2))
    counted.doubled(plane)
    thread = threading.Thread(target=counted.doubled, args=(plane,))
    thread.start()
    thread.join()
    assert counted.calls == 2


@pytest.mark.parametrize("mix", [0.2, 0.9, -0.3])
def test_weights_follow_the_longest_axis_of_the_covariance(mix: float) -> None:
    rng = np.random.default_rng(4)
    first = rng.normal(3.0, 2.0, (20, 30))
    second = mix * first + rng.normal(-1.0, 1.5, (20, 30))
    _, axes = np.linalg.eigh(np.cov(first.ravel(), second.ravel()))
    np.testing.assert_allclose(principal_weights(first, second), axes[:, 1] / axes[:, 1].sum(), rtol=1e-10)


def test_weights_where_no_axis_is_the_longest() -> None:
    ramp = np.arange(12.0).reshape(3, 4)
    assert principal_weights(ramp, ramp) == pytest.approx((0.5, 0.5), abs=1e-15)
    assert principal_weights(np.zeros((3, 4)), np.zeros((3, 4))) == (1.0, 0.0)
    assert principal_weights(ramp, -ramp) == (0.5, 0.5)
    assert principal_weights(np.zeros((3, 4)), ramp) == pytest.approx((0.0, 1.0), abs=1e-15)
