"""What a convolutional network computes, in single precision: sums of taps over channels, and distances of features.

A plane with a border is read as one long row, in which every tap of a window is at a fixed distance; the sums at the ends
of its rows, where a window would wrap around, are computed and not used. So there is one loop for windows of every size, and
no copy of the samples for each tap. Two outputs by four taps at a time keep both the weights and the samples in registers.
The order of the additions is fixed, so that no result depends on how many threads there are, as that of a BLAS would.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import jit_fused as jit

CHUNK = 512
"""Positions at a time: the sums and the samples of eight taps stay in the first-level cache."""

Array = NDArray[np.float32]


@jit
def convolve(
    samples: Array, places: NDArray[np.int64], weights: Array, bias: Array, out: Array, positions: int
) -> None:
    """Sums of weighted samples, without what is negative.

    Parameters
    ----------
    samples : (n,) float32
        All planes, one after the other.
    places : (taps,) int64
        Where the first sample of every tap is; a multiple of four.
    weights : (outputs, taps) float32
        An even number of outputs.
    bias : (outputs,) float32
        Added.
    out : (outputs, n) float32
        Result.
    positions : int
        How many of the n there are; the rest is left alone.
    """
    sums = np.empty((2, CHUNK), np.float32)
    for start in range(0, positions, CHUNK):
        count = min(CHUNK, positions - start)
        for k in range(0, weights.shape[0], 2):
            sums[0], sums[1] = bias[k], bias[k + 1]
            for tap in range(0, places.size, 4):
                a, b = samples[places[tap] + start :], samples[places[tap + 1] + start :]
                c, d = samples[places[tap + 2] + start :], samples[places[tap + 3] + start :]
                u0, u1, u2, u3 = weights[k, tap], weights[k, tap + 1], weights[k, tap + 2], weights[k, tap + 3]
                v = weights[k + 1]
                v0, v1, v2, v3 = v[tap], v[tap + 1], v[tap + 2], v[tap + 3]
                for i in range(count):
                    sums[0, i] += u0 * a[i] + u1 * b[i] + u2 * c[i] + u3 * d[i]
                    sums[1, i] += v0 * a[i] + v1 * b[i] + v2 * c[i] + v3 * d[i]
            for j in range(2):
                for i in range(count):
                    out[k + j, start + i] = max(sums[j, i], np.float32(0))


@jit
def normalise(features: Array) -> None:
    """Divide the features at every position by their length, in place: (channels, positions) float32, none negative."""
    for start in range(0, features.shape[1], CHUNK):
        stop = min(start + CHUNK, features.shape[1])
        squares = np.zeros(stop - start)
        for channel in range(features.shape[0]):
            row = features[channel, start:stop]
            for i in range(row.size):
                squares[i] += np.float64(row[i]) * row[i]
        scale = 1 / (np.sqrt(squares) + 1e-10)
        for channel in range(features.shape[0]):
            row = features[channel, start:stop]
            for i in range(row.size):
                row[i] *= scale[i]


@jit
def distances(first: Array, second: Array, head: Array, out: NDArray[np.float64]) -> None:
    """Sums over channels of weighted squared differences, at every position.

    Parameters
    ----------
    first, second : (channels, positions) float32
        Features.
    head : (channels,) float32
        Weights.
    out : (positions,) float64
        Result.
    """
    for start in range(0, out.size, CHUNK):
        sums = out[start : start + CHUNK]
        sums[:] = 0.0
        for channel in range(head.size):
            weight = np.float64(head[channel])
            a, b = first[channel, start : start + CHUNK], second[channel, start : start + CHUNK]
            for i in range(sums.size):
                difference = np.float64(a[i] - b[i])
                sums[i] += weight * (difference * difference)
