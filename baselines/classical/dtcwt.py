"""The dual-tree complex wavelet transform of images (Kingsbury, 2001): six directions, nearly blind to shifts.

Two wavelet transforms, the trees A and B, run side by side along each axis; the wavelets of B lie a half sample beside
those of A, so that they pair up to complex, one-sided ones. The samples of the trees are interleaved here: even
samples are A's, odd ones B's. As the filters of B are those of A backwards, an image that is mirrored at its border
stays mirrored through all levels, and nothing wraps around.

N. Kingsbury, "Complex wavelets for shift invariant analysis and filtering of signals", Applied and Computational
Harmonic Analysis 10(3), 2001, doi:10.1006/acha.2000.0343; I. W. Selesnick, R. G. Baraniuk, N. G. Kingsbury, "The
dual-tree complex wavelet transform", IEEE Signal Processing Magazine 22(6), 2005, doi:10.1109/MSP.2005.1550194.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..card import Plane
from .filters import Taps, separable

Bands: TypeAlias = NDArray[np.complex128]
"""(6, h, w): the complex subbands of one level."""

# Level 1: LeGall's 5/3 biorthogonal filters, undecimated: even samples of the result are tree A, odd ones tree B.
LOW_1: Final[Taps] = np.array([-1.0, 2.0, 6.0, 2.0, -1.0]) / 8
HIGH_1: Final[Taps] = np.array([-1.0, 2.0, -1.0]) / 4
SYNTHESIS_LOW_1: Final[Taps] = np.array([1.0, 2.0, 1.0]) / 4
SYNTHESIS_HIGH_1: Final[Taps] = np.array([-1.0, -2.0, 6.0, -2.0, -1.0]) / 8

# Further levels: Kingsbury's Q-shift filter of ten taps, six of them not zero. His eight published digits (0.03516384,
# -0.08832942, 0.23389032, 0.76027237, 0.58751830, -0.11430184) leave an error of 1e-9; these are the nearest taps that
# sum to √2 and are orthonormal to their even shifts in double precision. They delay by 4 1/4 samples, backwards by 4 3/4.
LOW_B: Final[Taps] = np.array(
    [
        0.035163837438064185,
        0.0,
        -0.08832942341425913,
        0.2338903208088459,
        0.7602723667047979,
        0.5875183003431866,
        0.0,
        -0.11430183950754051,
        0.0,
        0.0,
    ]
)
LOW_A: Final[Taps] = LOW_B[::-1]
HIGH_A: Final[Taps] = LOW_B * (-1.0) ** np.arange(10)
HIGH_B: Final[Taps] = HIGH_A[::-1]

_REACH: Final = 4
"""Samples of its own tree that a filter needs before the first one."""


class DualTree(NamedTuple):
    """An image as complex subbands.

    Attributes
    ----------
    bands : list of ndarray
        For each level, the finest first, (6, h, w) complex128, h and w half as large from level to level. The six are
        tuned to edges that run at about 15, 45, 75, -75, -45 and -15 degrees against the horizontal, anticlockwise.
    low : ndarray
        The low-pass image of both trees, twice as large on each side as the last bands.
    shape : tuple of int
        Height and width of the image.
    """

    bands: list[Bands]
    low: Plane
    shape: tuple[int, int]


def dual_tree_transform(image: Plane, levels: int) -> DualTree:
    """Split an image into complex subbands.

    Parameters
    ----------
    image : ndarray, (H, W)
        Any float64 plane. Sides are extended, mirrored, to multiples of 2^levels.
    levels : int
        Number of levels, 1 or more; 2^levels may not exceed the shorter side.
    """
    height, width = image.shape
    low = np.pad(image, ((0, -height % 2**levels), (0, -width % 2**levels)), mode="symmetric")
    bands = []
    for level in range(levels):
        low, flat, upright, diagonal = _analyse_first(low) if level == 0 else _analyse(low)
        bands.append(np.concatenate([_complex(flat), _complex(diagonal), _complex(upright)])[_order(level)])
    return DualTree(bands, low, (height, width))


def from_dual_tree(tree: DualTree) -> Plane:
    """The image of a dual-tree transform."""
    low = tree.low
    for level, band in reversed(list(enumerate(tree.bands))):
        pairs = np.empty_like(band)
        pairs[_order(level)] = band
        flat, diagonal, upright = (_interleaved(pairs[k], pairs[k + 1]) for k in (0, 2, 4))
        low = (_synthesise_first if level == 0 else _synthesise)(low, flat, upright, diagonal)
    height, width = tree.shape
    return low[:height, :width]


def _order(level: int) -> list[int]:
    """Where the six directions stand among the pairs of the flat, the diagonal and the upright subband.

    The high-pass wavelet of tree B follows that of A on the first level and precedes it on the others, so there the
    two directions of a pair change places, unless they do so along both axes.
    """
    return [0, 2, 4, 5, 3, 1] if level == 0 else [1, 2, 5, 4, 3, 0]


def _analyse_first(image: Plane) -> tuple[Plane, Plane, Plane, Plane]:
    return (
        separable(image, LOW_1, LOW_1, "symmetric"),
        separable(image, HIGH_1, LOW_1, "symmetric"),
        separable(image, LOW_1, HIGH_1, "symmetric"),
        separable(image, HIGH_1, HIGH_1, "symmetric"),
    )


def _synthesise_first(low: Plane, flat: Plane, upright: Plane, diagonal: Plane) -> Plane:
    return (
        separable(low, SYNTHESIS_LOW_1, SYNTHESIS_LOW_1, "symmetric")
        + separable(flat, SYNTHESIS_HIGH_1, SYNTHESIS_LOW_1, "symmetric")
        + separable(upright, SYNTHESIS_LOW_1, SYNTHESIS_HIGH_1, "symmetric")
        + separable(diagonal, SYNTHESIS_HIGH_1, SYNTHESIS_HIGH_1, "symmetric")
    )


def _analyse(image: Plane) -> tuple[Plane, Plane, Plane, Plane]:
    low, high = _split_rows(image)
    low, upright = (part.T for part in _split_rows(low.T))
    flat, diagonal = (part.T for part in _split_rows(high.T))
    return low, flat, upright, diagonal


def _synthesise(low: Plane, flat: Plane, upright: Plane, diagonal: Plane) -> Plane:
    return _join_rows(_join_rows(low.T, upright.T).T, _join_rows(flat.T, diagonal.T).T)


def _split_rows(x: Plane) -> tuple[Plane, Plane]:
    """Filter and decimate both trees down the columns: (n, m), n a multiple of 4, to low and high, (n/2, m) each.

    Sample i of a tree's result is its filter applied to samples 2i - 4 to 2i + 5 of the tree: as the filters delay by
    4 3/4 and 4 1/4 samples, the results of A and B interleave as evenly as their inputs.
    """
    n = x.shape[0] // 4
    framed = np.pad(x, ((2 * _REACH, 2 * _REACH), (0, 0)), mode="symmetric")
    low, high = np.zeros((2 * n, x.shape[1])), np.zeros((2 * n, x.shape[1]))
    for tree, low_taps, high_taps in ((0, LOW_A, HIGH_A), (1, LOW_B, HIGH_B)):
        for k in range(low_taps.size):
            start = 2 * (_REACH + 5 - k) + tree
            samples = framed[start : start + 4 * n : 4]
            if low_taps[k]:
                low[tree::2] += low_taps[k] * samples
            if high_taps[k]:
                high[tree::2] += high_taps[k] * samples
    return low, high


def _join_rows(low: Plane, high: Plane) -> Plane:
    """Undo `_split_rows`: the filters are orthonormal, so they are applied backwards to the zero-filled trees."""
    n = low.shape[0] // 2
    low, high = (np.pad(part, ((_REACH, _REACH), (0, 0)), mode="symmetric") for part in (low, high))
    joined = np.zeros((4 * n, low.shape[1]))
    for tree, low_taps, high_taps in ((0, LOW_A, HIGH_A), (1, LOW_B, HIGH_B)):
        for k in range(low_taps.size):
            # Tap k meets every other sample of the tree: the even ones (phase 0) where k is odd.
            phase = (k + 1) % 2
            start = _REACH + (k - 5 + phase) + tree
            target = joined[2 * phase + tree :: 4]
            if low_taps[k]:
                target += low_taps[k] * low[start : start + 2 * n : 2]
            if high_taps[k]:
                target += high_taps[k] * high[start : start + 2 * n : 2]
    return joined


def _complex(interleaved: Plane) -> Bands:
    """The two complex subbands, (2, h/2, w/2), of an interleaved one: products of one-sided wavelets of both axes."""
    aa, ab = interleaved[0::2, 0::2], interleaved[0::2, 1::2]
    ba, bb = interleaved[1::2, 0::2], interleaved[1::2, 1::2]
    return np.stack([aa - bb + 1j * (ab + ba), aa + bb + 1j * (ab - ba)]) / np.sqrt(2.0)


def _interleaved(first: Bands, second: Bands) -> Plane:
    out = np.empty((2 * first.shape[0], 2 * first.shape[1]))
    out[0::2, 0::2] = (first + second).real
    out[1::2, 1::2] = (second - first).real
    out[0::2, 1::2] = (first + second).imag
    out[1::2, 0::2] = (first - second).imag
    return out / np.sqrt(2.0)
