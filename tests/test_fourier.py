"""Kernels that are written in vectors: against numpy, whose transforms, roots and exponentials nobody here wrote."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fusionbench.metrics.kernels import jit_fused
from fusionbench.metrics.kernels.fourier import (
    BLOCKS,
    PAIR,
    TABLE,
    WORK,
    Plan,
    plan,
    slot_size,
    spectrum,
    transform_lines,
)
from fusionbench.metrics.kernels.vectors import (
    LANES,
    any_between,
    any_positive,
    exponential,
    lane,
    larger,
    load,
    load_everywhere,
    magnitude,
    origin,
    root,
    spread,
    spread_each,
    store,
    transpose,
    where_positive,
    windowed,
)

# Small ones, every radix alone and after another, prime factors term by term, and by Bluestein's detour.
LENGTHS = [
    *range(1, 33),
    36,
    45,
    48,
    64,
    72,
    77,
    96,
    98,
    121,
    128,
    176,
    208,
    450,
    576,
    595,
    620,
    768,
    47 * 8,
    53,
    97,
    106,
    541,
]


@jit_fused
def _arithmetic(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    x, y = load(a, 0), load(b, 0)
    results = (x + y, x - y, x * y, x / y, 2.0 - x, y * 3.0, larger(x, y), where_positive(x, y), magnitude(x))
    for k in range(9):
        store(out, LANES * k, results[k])
    store(out, LANES * 9, root(magnitude(x)))
    store(out, LANES * 10, spread(lane(x, 5)) + load_everywhere(origin(b), 2))


@jit_fused
def _questions(a: np.ndarray, low: float, high: float) -> tuple[bool, bool]:
    return any_positive(load(a, 0)), any_between(load(a, 0), low, high)


@jit_fused
def _powers(a: np.ndarray, out: np.ndarray) -> None:
    for i in range(0, a.size, LANES):
        store(out, i, exponential(load(a, i)))


@jit_fused
def _turned(z: np.ndarray) -> None:
    transpose(z, 0, LANES, LANES * LANES, LANES)


@jit_fused
def _window(z: np.ndarray, w: np.ndarray, out: np.ndarray) -> None:
    store(out, 0, windowed(z, 0, LANES, spread_each(w, 3)))


@jit_fused
def _transformed(z: np.ndarray, how: object) -> None:
    transform_lines(z, WORK, WORK + 1, WORK + 2, how)


def memory(how: Plan, blocks: int) -> np.ndarray:
    z = np.full((BLOCKS + blocks, slot_size(how)), math.nan)
    z[TABLE, : how.table.size] = how.table
    return z


def test_every_lane_is_taken_by_itself() -> None:
    a, b = np.random.default_rng(1).normal(size=(2, LANES))
    out = np.empty(11 * LANES)
    _arithmetic(a, b, out)
    expected = [a + b, a - b, a * b, a / b, 2 - a, b * 3, np.maximum(a, b), np.where(a > 0, b, 0), abs(a)]
    expected += [np.sqrt(abs(a)), np.full(LANES, a[5] + b[2])]
    assert (out.reshape(11, LANES) == expected).all()


def test_questions_about_lanes() -> None:
    a = -np.ones(LANES)
    assert _questions(a, -1.0, 0.0) == (False, True)
    assert _questions(a, -0.5, 0.0) == (False, False)
    a[6] = 0.25
    assert _questions(a, -0.5, 0.25) == (True, False)
    a[2] = math.nan
    assert _questions(a, 0.25, 1.0) == (True, True)


def test_exponential_to_the_last_place() -> None:
    a = np.concatenate([np.linspace(-600, 600, 40_000), np.linspace(-6, 6, 40_000)])
    out = np.empty_like(a)
    _powers(a, out)
    np.testing.assert_allclose(out, np.exp(a), rtol=4e-16)


def test_transpose_and_window() -> None:
    z = np.random.default_rng(2).normal(size=(2, LANES, LANES))
    before = z[0].copy()
    _turned(z)
    assert (z[0] == before).all()
    assert (z[1] == before.T).all()
    out, weights = np.empty(LANES), np.array([0.1, 0.2, 0.4])
    _window(z, weights, out)
    np.testing.assert_allclose(out, np.array([0.1, 0.2, 0.4, 0.2, 0.1]) @ before[:5], rtol=1e-15)


@pytest.mark.parametrize("length", LENGTHS)
def test_lines_are_transformed_as_numpy_does(length: int) -> None:
    how = plan(length)
    z = memory(how, 0)
    lines = np.random.default_rng(length).normal(size=(length, 2, LANES))
    z[WORK, : PAIR * length] = lines.ravel()
    _transformed(z, how)
    re, im = z[WORK + 1, : PAIR * len(how.inner)].reshape(-1, 2, LANES)[how.order].swapaxes(0, 1)
    expected = np.fft.ifft(lines[:, 0] + 1j * lines[:, 1], axis=0, norm="forward")
    np.testing.assert_allclose(re + 1j * im, expected, rtol=0, atol=2e-14 * math.sqrt(length) * abs(expected).max())


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (8, 8), (16, 24), (17, 9), (45, 64), (88, 40), (53, 107)])
def test_spectrum_of_a_plane(shape: tuple[int, int]) -> None:
    height, width = shape
    rows, columns = plan(width), plan(height)
    along = -(-width // LANES)
    z, y = memory(rows, 0), memory(columns, along)
    plane = np.random.default_rng(3).normal(size=shape)
    spectrum(plane, rows, columns, z, y)
    blocks = y[BLOCKS:, : PAIR * height].reshape(along, height, 2, LANES)
    found = (blocks[:, :, 0] + 1j * blocks[:, :, 1]).transpose(1, 0, 2).reshape(height, -1)[:, :width]
    np.testing.assert_allclose(found, np.fft.fft2(plane) / plane.size, rtol=0, atol=1e-15)
