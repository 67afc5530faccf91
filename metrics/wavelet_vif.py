"""Visual information fidelity in the domain of a steerable pyramid, as its authors first published it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Levels

from .kernels.steerable import block_covariance, correlate, sums_around_tiles, tile_strength, told_and_held
from .steerable import FIRST_LOW, LOW, VERTICAL
from .triple import Source, Triple

Array: TypeAlias = NDArray[np.float64]

LEVELS = 4
SMALLEST = 72
"""Side of the smallest image whose coarsest bands have tiles left when those at the border are dropped."""
NOISE = 0.4
"""Variance of the viewer's noise, in squared levels."""
_RANK = 1e-12
"""Principal axes of relative variance below it are those of a source that does not vary that way at all."""


class _Band(NamedTuple):
    """What is measured on one band of a source."""

    padded: Array
    sums: Array
    energy: Array
    strength: Array
    variances: Array


def wavelet_fidelity(t: Triple, source: Source, scale: float) -> float:
    """Information that the fused image carries about one source, over what that source holds.

    Parameters
    ----------
    t : Triple
        The images, of at least 72 x 72 pixels.
    source : {"ir", "vis"}
        The source.
    scale : float
        What level 255 counts as.

    Returns
    -------
    float
        0 and up; NaN for a constant source.
    """
    bands = t.scene.measure(("wavelet VIF", source, scale), lambda s: _measured(getattr(s, source), scale))
    fused = t.measure(("wavelet VIF", scale), lambda one: list(_bands(one.fused, scale)))
    told = held = 0.0
    for (side, band), one in zip(fused, bands, strict=True):
        padded, count = _padded(band, side // 2), side * side
        means = sums_around_tiles(padded, padded, True, side) / count
        energy = sums_around_tiles(padded, padded, False, side) - count * means * means
        cross = sums_around_tiles(padded, one.padded, False, side) - means * one.sums
        cut = math.ceil((side // 2) / 3)
        carried, contained = told_and_held(one.energy, energy, cross, one.strength, one.variances, count, NOISE, cut)
        told, held = told + carried, held + contained
    return told / held if held > 0 else math.nan


def _measured(plane: Levels, scale: float) -> list[_Band]:
    found = []
    for side, band in _bands(plane, scale):
        padded = _padded(band, side // 2)
        sums = sums_around_tiles(padded, padded, True, side)
        energy = sums_around_tiles(padded, padded, False, side) - sums * sums / side**2
        variances, axes = np.linalg.eigh(block_covariance(band))
        # A band of rounding errors, as that of a constant image, does not vary at all.
        kept = variances > max(_RANK * variances[-1], _RANK * scale**2 / 255**2)
        basis = np.ascontiguousarray((axes[:, kept] / np.sqrt(variances[kept])).T)
        found.append(_Band(padded, sums, energy, tile_strength(band, basis), variances[kept]))
    return found


def _bands(plane: Levels, scale: float) -> Iterator[tuple[int, Array]]:
    """The bands of every level, cropped to whole tiles, each with the side of its window."""
    x = correlate(_padded(plane / (255.0 / scale), 2), FIRST_LOW, 1)
    for level in range(LEVELS):
        padded = _padded(x, 3)
        for taps in (VERTICAL, np.ascontiguousarray(VERTICAL.T)):
            band = correlate(padded, taps, 1)
            rows, columns = (n // 3 * 3 for n in band.shape)
            yield 2 ** (LEVELS - level) + 1, np.ascontiguousarray(band[:rows, :columns])
        x = correlate(_padded(x, 4), LOW, 2)


def _padded(plane: Array, by: int) -> Array:
    """Mirrored beyond the border, without repeating the outermost row and column."""
    return np.pad(plane, by, mode="reflect")
