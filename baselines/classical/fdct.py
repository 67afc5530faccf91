"""The fast discrete curvelet transform by wrapping, for real images, with curvelets at the finest scale too.

The frequency plane is cut into concentric square rings and these into wedges, more of them the further out. Each wedge
of the spectrum is wrapped into a small rectangle and transformed back: its coefficients tell where in the image there
are edges of that scale and direction. The squares of all windows add up to 1, so the transform keeps the energy and
its transpose is its inverse. It is periodic.

E. Candès, L. Demanet, D. Donoho, L. Ying, "Fast discrete curvelet transforms", Multiscale Modeling and Simulation
5(3), 2006, doi:10.1137/05064182X.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft2, ifft2, next_fast_len

from ..card import Plane

Coefficients: TypeAlias = NDArray[np.complex128]
Indices: TypeAlias = NDArray[np.int32]


class Curvelets(NamedTuple):
    """An image as curvelet coefficients.

    Attributes
    ----------
    scales : list of list of ndarray
        For each scale, the coarsest first, one (h, w) complex128 array for each of half the directions: the real and
        the imaginary part are the coefficients of two real curvelets, an even and an odd one. Directions turn from
        horizontal frequencies (upright edges) to vertical ones, clockwise in the image.
    low : ndarray
        The low-pass image, (h, w) float64.
    shape : tuple of int
        Height and width of the image.
    """

    scales: list[list[Coefficients]]
    low: Plane
    shape: tuple[int, int]


class _Window(NamedTuple):
    """A part of the frequency plane: which samples of the spectrum go, times what, where in a small rectangle."""

    source: Indices
    target: Indices
    weight: Plane
    shape: tuple[int, int]


def curvelet_transform(image: Plane, scales: int, angles: int) -> Curvelets:
    """Split an image into curvelets.

    Parameters
    ----------
    image : ndarray, (H, W)
        Any float64 plane.
    scales : int
        Number of scales, the low-pass image included: 2 or more.
    angles : int
        Directions at the second coarsest scale, a multiple of 4, both senses counted. Their number doubles at every
        other scale, counted down from the finest.
    """
    height, width = image.shape
    low, rings = _windows((height, width), scales, angles)
    spectrum = fft2(image, norm="ortho").ravel()
    # The wedge opposite to each holds the conjugate: half the wedges carry all the energy.
    parts = [[np.sqrt(2.0) * _cut(spectrum, window) for window in ring] for ring in rings]
    return Curvelets(parts, _cut(spectrum, low).real, (height, width))


def from_curvelets(curvelets: Curvelets, scales: int, angles: int) -> Plane:
    """The image of a curvelet transform with the same parameters."""
    low, rings = _windows(curvelets.shape, scales, angles)
    spectrum = np.zeros(curvelets.shape[0] * curvelets.shape[1], dtype=np.complex128)
    for ring, parts in zip(rings, curvelets.scales, strict=True):
        for window, part in zip(ring, parts, strict=True):
            _paste(spectrum, window, np.sqrt(2.0) * part)
    _paste(spectrum, low, curvelets.low)
    image: Plane = ifft2(spectrum.reshape(curvelets.shape), norm="ortho").real
    return image


def _cut(spectrum: Coefficients, window: _Window) -> Coefficients:
    wrapped = np.zeros(window.shape[0] * window.shape[1], dtype=np.complex128)
    wrapped[window.target] = spectrum[window.source] * window.weight
    part: Coefficients = ifft2(wrapped.reshape(window.shape), norm="ortho")
    return part


def _paste(spectrum: Coefficients, window: _Window, part: NDArray[Any]) -> None:
    wrapped = fft2(part, norm="ortho").ravel()
    # A window as wide as a quarter turn may meet a frequency and its alias.
    np.add.at(spectrum, window.source, wrapped[window.target] * window.weight)


# Two sizes at a time: a folder of images has few, and the windows of one weigh as much as several copies of an image.
@lru_cache(maxsize=2)
def _windows(shape: tuple[int, int], scales: int, angles: int) -> tuple[_Window, list[list[_Window]]]:
    """The window of the low-pass image, and for each scale those of half the wedges."""
    rings = [_ring(shape, 2.0 ** (scale - scales), angles << ((scale - 1) // 2)) for scale in range(2, scales + 1)]
    return _low_pass(shape, 2.0 ** (1 - scales)), rings


def _low_pass(shape: tuple[int, int], size: float) -> _Window:
    rows, columns, weight = _square(shape, size)
    inside = weight > 0
    return _window(shape, rows[inside], columns[inside], weight[inside])


def _ring(shape: tuple[int, int], size: float, directions: int) -> list[_Window]:
    """Windows of the wedges of one ring, from upwards of the horizontal frequencies on, half around."""
    rows, columns, outer = _square(shape, size)
    inner = _low(rows / shape[0], size / 2) * _low(columns / shape[1], size / 2)
    weight = np.sqrt(np.maximum(outer**2 - inner**2, 0.0))
    inside = weight > 0
    rows, columns, weight = rows[inside], columns[inside], weight[inside]
    # Wedges overlap fully: each frequency belongs to two neighbours, whose windows are a cosine and a sine.
    position = (_turn(rows / shape[0], columns / shape[1]) + 1.0) * directions / 8.0 - 0.5
    first = np.floor(position)
    fade = np.pi / 2 * _smooth_step(position - first)
    wedge = np.concatenate([first, first + 1]).astype(np.intp) % directions
    weight = np.concatenate([weight * np.cos(fade), weight * np.sin(fade)])
    order = np.argsort(wedge, kind="stable")
    windows = []
    for part in np.split(order, np.searchsorted(wedge[order], np.arange(1, directions // 2 + 1)))[:-1]:
        of_pair = part % rows.size
        windows.append(_window(shape, rows[of_pair], columns[of_pair], weight[part]))
    return windows


def _square(shape: tuple[int, int], size: float) -> tuple[Indices, Indices, Plane]:
    """Frequencies, beyond the highest ones of the image where `size` is 1, and the low-pass window over them."""
    rows, columns = (np.arange(-reach, reach + 1) for reach in (int(np.ceil(2 * n * size / 3)) for n in shape))
    weight = np.outer(_low(rows / shape[0], size), _low(columns / shape[1], size))
    grid_rows, grid_columns = np.meshgrid(rows, columns, indexing="ij")
    return grid_rows.astype(np.int32), grid_columns.astype(np.int32), weight


def _low(frequency: Plane, size: float) -> Plane:
    """Meyer's window over frequencies in cycles a pixel: 1 up to size/3, then smoothly down to 0 at size 2/3."""
    return np.cos(np.pi / 2 * _smooth_step(3.0 * np.abs(frequency) / size - 1.0))


def _smooth_step(t: Plane) -> Plane:
    """0 up to 0, 1 from 1 on, between them a polynomial with step(t) + step(1 - t) = 1 and three smooth derivatives."""
    t = np.clip(t, 0.0, 1.0)
    step: Plane = t**4 * (35.0 - 84.0 * t + 70.0 * t**2 - 20.0 * t**3)
    return step


def _turn(rows: Plane, columns: Plane) -> Plane:
    """Where on the unit square's border a frequency points to, -1 to 7: slopes in place of angles.

    The right side is -1 to 1 (downwards), the lower one 1 to 3 (leftwards), and so on; opposite points differ by 4.
    """
    sideways = np.abs(rows) <= np.abs(columns)
    slope = np.where(sideways, rows, -columns) / np.where(sideways, columns, rows)
    side = np.where(sideways, np.where(columns > 0, 0.0, 4.0), np.where(rows > 0, 2.0, 6.0))
    return slope + side


def _window(shape: tuple[int, int], rows: Indices, columns: Indices, weight: Plane) -> _Window:
    """Wrap frequencies into the smallest rectangle where none of them meet."""
    height = _widest(columns, rows)
    width = _widest(rows, columns)
    if height * _extent(columns) <= width * _extent(rows):
        width = _extent(columns)
    else:
        height = _extent(rows)
    height, width = next_fast_len(height), next_fast_len(width)
    return _Window(
        (rows % shape[0] * shape[1] + columns % shape[1]).astype(np.int32),
        (rows % height * width + columns % width).astype(np.int32),
        weight,
        (height, width),
    )


def _extent(line: Indices) -> int:
    return int(line.max() - line.min()) + 1 if line.size else 1


def _widest(line: Indices, across: Indices) -> int:
    """The largest extent of `across` among the samples that share one value of `line`."""
    if not line.size:
        return 1
    index = line - line.min()
    lowest = np.full(index.max() + 1, across.max())
    highest = np.full(index.max() + 1, across.min())
    np.minimum.at(lowest, index, across)
    np.maximum.at(highest, index, across)
    return int((highest - lowest).max()) + 1
