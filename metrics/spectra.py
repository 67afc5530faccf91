"""Fourier transforms of real planes, by half of their spectrum.

One side after the other, each in the memory of the one before: transforms of both sides at once ask the system for fresh
memory, which takes three times as long as the arithmetic.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Spectrum: TypeAlias = NDArray[np.complex128]


def spectrum_of(plane: Array) -> Spectrum:
    """(H, W) -> (H, W // 2 + 1)."""
    half = np.fft.rfft(plane, axis=1)
    return np.fft.fft(half, axis=0, out=half)


def plane_of(spectrum: Spectrum, width: int, out: Array | None = None) -> Array:
    """(H, width // 2 + 1) -> (H, width), into `out` if it is given; the spectrum is lost."""
    return np.fft.irfft(np.fft.ifft(spectrum, axis=0, out=spectrum), n=width, axis=1, out=out)
