"""Phase congruency: where waves of all lengths rise together, whatever the contrast. A step, a line and a roof all do.

Two recipes of one calculation (Kovesi's): Zhao's metric weights energy by how many scales take part and looks at moments
over orientations, FSIM does neither.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .dealt import borrow
from .kernels.congruency import (
    SCALES,
    coarser_by,
    congruencies,
    filter_bank,
    filtered,
    finest_response,
    gather,
    weigh,
)
from .kernels.fourier import BLOCKS, TABLE, Plan, plan, slot_size, spectrum
from .kernels.vectors import LANES

Array: TypeAlias = NDArray[np.float64]

EPSILON = 1e-4
"""Kovesi's: what amplitudes, in levels, are measured against."""
_LARGE = 1 << 22
"""Pixels above which the filters are not kept in memory for the next image."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which filters, and what is made of their responses.

    Attributes
    ----------
    orientations : int
        How many, evenly spread over half a turn.
    shortest, factor : float
        Wavelength of the finest of the four scales in pixels, and the ratio of one scale to the next.
    closed : bool
        Whether the frequency axis of an odd number of samples is stretched to reach from -1/2 to 1/2.
    shifted : bool
        Whether the low-pass is one sample off where the number of samples is odd.
    moments : bool
        Whether energy is weighted by the spread over scales, and the moments over orientations are computed.
    cross : float
        Factor of the mixed moment: two thirds, or a sixth in Kovesi's code of 2003, whose moments are not those of a tensor.
    """

    orientations: int
    shortest: float
    factor: float
    closed: bool
    shifted: bool
    moments: bool
    cross: float


@dataclass(frozen=True, slots=True)
class _Bank:
    angles: Array
    factors: Array
    finest: Array
    coarser: Array
    angular: Array
    gains: Array


def phase_congruency(plane: Array, recipe: Recipe) -> Array:
    """Phase congruency of a plane and, if the recipe asks for them, its greatest and smallest moment.

    Parameters
    ----------
    plane : (H, W) float64
        Levels 0..255.
    recipe : Recipe
        How.

    Returns
    -------
    (1, H, W) or (3, H, W) float64
        Congruency 0 to 1; the moments.
    """
    make = _kept_bank if plane.size <= _LARGE else _bank
    bank = make(plane.shape, recipe)
    height, width = plane.shape
    rows, columns = plan(width), plan(height)
    down, along = (-(-side // LANES) for side in plane.shape)
    z, y = _memory(rows, SCALES * down), _memory(columns, along)
    spectrum(plane, rows, columns, z, y)
    weigh(y, bank.finest)
    sums = borrow((down, 5 if recipe.moments else 2, LANES * width))
    for o, (sector, angle, gain) in enumerate(zip(bank.angular, bank.angles, bank.gains, strict=True)):
        filtered(y, z, columns, bank.coarser, bank.factors, sector)
        tau = math.sqrt(finest_response(z, rows, height) / math.log(2) * gain)
        noise = tau * (math.sqrt(math.pi / 2) + 2 * math.sqrt(2 - math.pi / 2)) / 1.7
        gather(z, rows, noise, EPSILON, angle, recipe.cross, o == 0, sums)
    out = borrow((3 if recipe.moments else 1, height, width))
    congruencies(sums, rows.order, EPSILON, 0.0 if recipe.moments else 1.0, out)
    return out


def _memory(how: Plan, blocks: int) -> Array:
    z = borrow((BLOCKS + blocks, slot_size(how)))
    z[TABLE, : how.table.size] = how.table
    return z


def _bank(shape: tuple[int, int], recipe: Recipe) -> _Bank:
    v, u = (_frequencies(n, recipe.closed) for n in shape)
    cut_v, cut_u = v, u
    if recipe.shifted:
        cut_v, cut_u = (np.fft.fftshift((np.arange(n) - n // 2) / n) for n in shape)
    wavelengths = np.array([recipe.shortest * recipe.factor**s for s in range(SCALES)])
    angles = np.array([o * math.pi / recipe.orientations for o in range(recipe.orientations)])
    spread = math.pi / recipe.orientations / 1.2
    return _Bank(angles, coarser_by(wavelengths), *filter_bank(v, u, cut_v, cut_u, wavelengths, angles, spread))


_kept_bank = functools.lru_cache(maxsize=2)(_bank)


def _frequencies(n: int, closed: bool) -> Array:
    """Of each row or column of a spectrum, in cycles per pixel; an even number of them begins with the middle at -1/2."""
    return np.fft.ifftshift((np.arange(n) - n // 2) / (n - 1 if closed and n % 2 and n > 1 else n))
