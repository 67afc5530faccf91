"""What feature mutual information is computed on: a map of one plane."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Levels

from .kernels.features import split, thin_edges

Map: TypeAlias = NDArray[Any]
Thinning: TypeAlias = Literal["steepest", "either"]


_SOBEL = ((-1.0, -2.0, -1.0), (0.0, 0.0, 0.0), (1.0, 2.0, 1.0))


def _levels(plane: Levels) -> Map:
    return plane


def _gradient(plane: Levels) -> Map:
    """Twice the derivative along rows, which is an integer."""
    x = plane.astype(np.int16)
    out = np.empty_like(x)
    out[:, 1:-1] = x[:, 2:] - x[:, :-2]
    out[:, 0], out[:, -1] = 2 * (x[:, 1] - x[:, 0]), 2 * (x[:, -1] - x[:, -2])
    return out


def _steepest(plane: Levels) -> Map:
    return thin_edges(plane, 4)


def _either(plane: Levels) -> Map:
    """Octave's edges, of levels divided by 255.

    Rounding decides which of two equal neighbours is larger, so the order of the sums is part of the definition: the taps
    of the kernel column by column from the last, as MATLAB's conv2 adds them.
    """
    padded = np.pad(plane, 1, mode="edge") / 255
    rows, columns = plane.shape
    down, across = np.zeros(plane.shape), np.zeros(plane.shape)
    for x in (2, 1, 0):
        for y in (2, 1, 0):
            samples = padded[y : y + rows, x : x + columns]
            down += _SOBEL[y][x] * samples
            across += _SOBEL[x][y] * samples
    squares = down * down + across * across
    around = np.pad(squares, 1)
    row = (squares > around[1:-1, :-2]) & (squares > around[1:-1, 2:])
    column = (squares > around[:-2, 1:-1]) & (squares > around[2:, 1:-1])
    return (row | column) & (squares > 4 * squares.mean())


def _cosines(plane: Levels) -> Map:
    from scipy.fft import dctn

    coefficients: Map = dctn(plane.astype(np.float64), norm="ortho", workers=1)
    return coefficients


def _wavelet(plane: Levels) -> Map:
    columns = split(plane.astype(np.float64), *_meyer())
    bands = split(np.ascontiguousarray(columns.T), *_meyer()).T
    rows, across = bands.shape[0] // 2, bands.shape[1] // 2
    # Vertical details to the right and horizontal ones below, as MATLAB orders what it calls them.
    tiles = np.empty(bands.shape)
    tiles[:rows, :across], tiles[rows:, across:] = bands[:rows, :across], bands[rows:, across:]
    tiles[:rows, across:], tiles[rows:, :across] = bands[rows:, :across], bands[:rows, across:]
    low, high = tiles.min(), tiles.max()
    return (tiles - low) / (high - low) if high > low else tiles


@cache
def _meyer() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Taps of the two filters."""
    import pywt  # type: ignore[import-untyped]

    wavelet = pywt.Wavelet("dmey")
    return np.array(wavelet.dec_lo), np.array(wavelet.dec_hi)


FEATURES: Mapping[str, Callable[[Levels], Map]] = {
    "pixel": _levels,
    "gradient": _gradient,
    "edge, steepest": _steepest,
    "edge, either": _either,
    "dct": _cosines,
    "wavelet": _wavelet,
}
"""Every feature by its name."""
