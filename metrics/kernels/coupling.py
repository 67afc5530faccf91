"""What small windows of two feature maps tell about one another, as the feature mutual information defines it.

A window of 3 x 3 is read as a distribution over its nine positions, column by column. Two such distributions are joined by
a mixture of their extreme coupling (the Fréchet bound) and independence. The extreme coupling has 17 cells at most, and
the entropy of the independent rest is known in closed form, so that 17 logarithms do instead of 81.

Work goes in blocks of 64 windows, laid out so that every step is a loop over the block: ``x[64 * k + i]`` is number k of
window i.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit, jit_fused

BLOCK = 64
"""Windows that are worked on together: all that is known of them stays in the first-level cache."""
POSITIONS = 9
CELLS = 17
"""Cells that two sequences of nine steps meet in."""
SPIKE = 1e-12
"""Variance, in squared positions, below which a window counts as one spike: what else is in it is rounding."""
BEYOND = 2.0
"""Ends after everything: what the last position's cumulated probability is taken for."""

Array = NDArray[np.float64]

_MAGNITUDE = 0x7FFFFFFFFFFFFFFF
_EXPONENT_OF_ONE = 1023
# Added to the bits of a number, it carries into the exponent if the mantissa is above the square root of two.
_TO_SQRT_HALF = 0x3FF0000000000000 - 0x3FE6A09E667F3BCD


@jit_fused
def log2_magnitude(x: Array, out: Array) -> None:
    """log2 |x| to the last digit or two; a finite number for 0, whose logarithm is always multiplied by it.

    The series of the inverse hyperbolic tangent on [sqrt(1/2), sqrt(2)]. Unlike `math.log2`, it is a loop without branches or
    calls.
    """
    bits = x.view(np.int64)
    mantissa = np.empty(x.size)
    exponent = np.empty(x.size, np.int64)
    mantissa_bits = mantissa.view(np.int64)
    for i in range(x.size):
        b = bits[i] & _MAGNITUDE
        e = ((b + _TO_SQRT_HALF) >> 52) - _EXPONENT_OF_ONE
        exponent[i] = e
        mantissa_bits[i] = b - (e << 52)
    for i in range(x.size):
        s = (mantissa[i] - 1.0) / (mantissa[i] + 1.0)
        z = s * s
        series = 1 / 15 + z * (1 / 17 + z * (1 / 19 + z * (1 / 21)))
        series = 1.0 + z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11 + z * (1 / 13 + z * series))))))
        out[i] = np.float64(exponent[i]) + (2.0 / math.log(2.0)) * s * series


@jit
def _load(plane: Array, y: int, x: int, count: int, windows: Array) -> None:
    """`count` windows of a plane, the first with its corner at row y and column x."""
    for k in range(POSITIONS):
        row = plane[y + k % 3]
        first = x + k // 3
        for i in range(count):
            windows[BLOCK * k + i] = row[first + i]


@jit_fused
def _describe(windows: Array, p: Array, log_p: Array, cumulated: Array, known: Array) -> None:
    """Windows as distributions.

    Parameters
    ----------
    windows : (9 * 64,) float64
        Their values.
    p, log_p, cumulated : (9 * 64,) float64
        Probability of each position, its logarithm, and the sum up to it. The last sum is out of reach: what ends there
        ends last.
    known : (5 * 64,) float64
        Sum above the least value (0 in a flat window), mean position, its deviation, sum of the squares of p - 1/9, and entropy.
    """
    for i in range(BLOCK):
        low = windows[i]
        for k in range(1, POSITIONS):
            v = windows[BLOCK * k + i]
            low = v if v < low else low
        total = 0.0
        for k in range(POSITIONS):
            total += windows[BLOCK * k + i] - low
        known[i] = total
        running = mean = 0.0
        for k in range(POSITIONS):
            # A true quotient, so that a window of one spike has exactly one position.
            v = (windows[BLOCK * k + i] - low) / total if total > 0.0 else 1.0 / POSITIONS
            p[BLOCK * k + i] = v
            running += v
            cumulated[BLOCK * k + i] = running
            mean += k * v
        known[BLOCK + i] = mean
    cumulated[BLOCK * (POSITIONS - 1) :] = BEYOND
    log2_magnitude(p, log_p)
    for i in range(BLOCK):
        mean = known[BLOCK + i]
        variance = spread = entropy = 0.0
        for k in range(POSITIONS):
            v = p[BLOCK * k + i]
            variance += v * (k - mean) * (k - mean)
            spread += (v - 1.0 / POSITIONS) * (v - 1.0 / POSITIONS)
            entropy -= v * log_p[BLOCK * k + i]
        known[2 * BLOCK + i] = math.sqrt(variance) if variance > SPIKE else 0.0
        known[3 * BLOCK + i] = spread
        known[4 * BLOCK + i] = entropy


@jit_fused
def _orient(
    opposed: NDArray[np.bool_],
    q: Array,
    log_q: Array,
    cumulated: Array,
    to_q: Array,
    to_log_q: Array,
    to_cumulated: Array,
) -> None:
    """Copy distributions, in reverse order of the positions where `opposed`."""
    last = POSITIONS - 1
    for k in range(POSITIONS):
        for i in range(BLOCK):
            to_q[BLOCK * k + i] = q[BLOCK * (last - k) + i] if opposed[i] else q[BLOCK * k + i]
            to_log_q[BLOCK * k + i] = log_q[BLOCK * (last - k) + i] if opposed[i] else log_q[BLOCK * k + i]
    for k in range(last):
        for i in range(BLOCK):
            backwards = 1.0 - cumulated[BLOCK * (last - 1 - k) + i]
            to_cumulated[BLOCK * k + i] = backwards if opposed[i] else cumulated[BLOCK * k + i]
    to_cumulated[BLOCK * last :] = BEYOND


@jit_fused
def _bound_covariance(cumulated: Array, q_cumulated: Array, covariance: Array) -> None:
    """Covariance of the positions in the upper bound: the sum of min(P, Q) - P Q, without its cancellation."""
    covariance[:] = 0.0
    for k in range(POSITIONS - 1):
        for m in range(POSITIONS - 1):
            for i in range(BLOCK):
                c, d = cumulated[BLOCK * k + i], q_cumulated[BLOCK * m + i]
                low, high = (c, d) if c < d else (d, c)
                covariance[i] += low * (1.0 - high)


@jit_fused
def _couple(
    p: Array,
    log_p: Array,
    cumulated: Array,
    q: Array,
    log_q: Array,
    q_cumulated: Array,
    weight: Array,
    rest: Array,
    log_rest: Array,
    joint: Array,
    apart: Array,
) -> None:
    """The cells in which the upper bound has mass: the probabilities of the mixture there, and its independent part.

    The two distributions are laid onto one another in order. Each step ends where the next position of either ends; which
    one cannot be predicted, so there is no branch.
    """
    # Unsigned, so that no index is asked whether it counts from the end.
    at = np.arange(BLOCK).astype(np.uint64)
    done = np.zeros(BLOCK)
    apart[:] = 0.0
    for cell in range(CELLS):
        for i in range(BLOCK):
            one = at[i]
            two = np.uint64(BLOCK * cell + 2 * i) - one
            c, d = cumulated[one], q_cumulated[two]
            until = min(c, d, 1.0)
            pq = p[one] * q[two]
            joint[BLOCK * cell + i] = weight[i] * (until - done[i]) + rest[i] * pq
            apart[i] += pq * (log_rest[i] + log_p[one] + log_q[two])
            done[i] = until
            at[i] = one + np.uint64(BLOCK) * np.uint64(c < d)


@jit_fused
def _shared(
    windows: Array,
    p: Array,
    log_p: Array,
    cumulated: Array,
    known: Array,
    other: Array,
    q: Array,
    log_q: Array,
    q_cumulated: Array,
    q_known: Array,
    oriented: Array,
    joint: Array,
    log_joint: Array,
    out: Array,
) -> None:
    """2 I / (H + H) of each window of a block, into `out`."""
    different = np.zeros(BLOCK)
    correlation = np.zeros(BLOCK)
    for k in range(POSITIONS):
        for i in range(BLOCK):
            different[i] += abs(windows[BLOCK * k + i] - other[BLOCK * k + i])
            correlation[i] += (p[BLOCK * k + i] - 1.0 / POSITIONS) * (q[BLOCK * k + i] - 1.0 / POSITIONS)
    q_, log_q_, q_cumulated_ = oriented[0], oriented[1], oriented[2]
    _orient(correlation < 0.0, q, log_q, q_cumulated, q_, log_q_, q_cumulated_)
    weight, rest, log_rest, apart = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    _bound_covariance(cumulated, q_cumulated_, weight)
    for i in range(BLOCK):
        deviations = known[2 * BLOCK + i] * q_known[2 * BLOCK + i]
        bound = math.sqrt(known[3 * BLOCK + i] * q_known[3 * BLOCK + i]) * weight[i]
        w = abs(correlation[i]) * deviations / bound if bound > 0.0 else 0.0
        weight[i] = w
        rest[i] = 1.0 - w
    log2_magnitude(rest, log_rest)
    _couple(p, log_p, cumulated, q_, log_q_, q_cumulated_, weight, rest, log_rest, joint, apart)
    log2_magnitude(joint, log_joint)
    information = np.zeros(BLOCK)
    for k in range(CELLS):
        for i in range(BLOCK):
            information[i] += joint[BLOCK * k + i] * log_joint[BLOCK * k + i]
    for i in range(BLOCK):
        both = known[4 * BLOCK + i] + q_known[4 * BLOCK + i]
        shared = both + rest[i] * (log_rest[i] - both - apart[i]) + information[i]
        value = 2.0 * shared / both if weight[i] > 0.0 else 0.0
        alike = (different[i] == 0.0) | ((known[i] == 0.0) & (q_known[i] == 0.0))
        out[i] = 1.0 if alike else value


@jit
def window_information(first: Array, second: Array, fused: Array, out: Array) -> None:
    """Feature mutual information of every window of 3 x 3 with each source.

    Parameters
    ----------
    first, second, fused : (H, W) float64
        Feature maps of the sources and of the fused image.
    out : (2, H - 2, W - 2) float64
        Where the values go: 1 where the windows are the same, 0 where they tell nothing about one another.
    """
    size = BLOCK * POSITIONS
    windows = np.zeros((3, size))
    p, log_p, cumulated = np.empty((3, size)), np.empty((3, size)), np.empty((3, size))
    known = np.empty((3, 5 * BLOCK))
    oriented = np.empty((3, size))
    joint, log_joint = np.empty(BLOCK * CELLS), np.empty(BLOCK * CELLS)
    values = np.empty(BLOCK)
    rows, columns = out.shape[1:]
    for y in range(rows):
        for x in range(0, columns, BLOCK):
            count = min(BLOCK, columns - x)
            for n in range(3):
                plane = fused if n == 2 else (second if n == 1 else first)
                _load(plane, y, x, count, windows[n])
                _describe(windows[n], p[n], log_p[n], cumulated[n], known[n])
            for n in range(2):
                _shared(
                    windows[n], p[n], log_p[n], cumulated[n], known[n],
                    windows[2], p[2], log_p[2], cumulated[2], known[2],
                    oriented, joint, log_joint, values,
                )  # fmt: skip
                for i in range(count):
                    out[n, y, x + i] = values[i]
