"""Phase congruency: log-Gabor filters as tables, and what their responses say about every pixel.

A filter is real and sees one side of the spectrum, so its response to a real image is complex: the real part is the even
response, the imaginary part the odd one. Spectra, filters and responses lie in the blocks of `fourier`: frequencies eight
columns at a time, pixels eight rows at a time. What is half transformed is too much for the caches and goes through memory,
which is slower than the arithmetic: each block is asked for while the one before it is worked on.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit, jit_fused
from .fourier import BLOCKS, WORK, Plan, cross, transform_lines, transform_weighted
from .vectors import (
    LANES,
    any_between,
    any_positive,
    expect,
    exponential,
    lane,
    larger,
    load,
    magnitude,
    root,
    store,
    where_positive,
)

Array = NDArray[np.float64]

SCALES = 4


_LOG_SIGMA = 2.0 * math.log(0.55) ** 2
_LOW_PASS = 0.45


@jit
def _cut(v: float, u: float) -> float:
    """Butterworth low-pass of order 15."""
    square = (v * v + u * u) / _LOW_PASS**2
    third = square * square * square
    fifteenth = third * third
    fifteenth *= fifteenth * third
    return 1.0 / (1.0 + fifteenth)


@jit
def filter_bank(
    v: Array, u: Array, cut_v: Array, cut_u: Array, wavelengths: Array, angles: Array, width: float
) -> tuple[Array, Array, Array, Array]:
    """Radial and angular factors of the filters, by blocks of eight columns.

    Parameters
    ----------
    v, u : (H,), (W,) float64
        Frequency of each row and column of the spectrum, in cycles per pixel.
    cut_v, cut_u : (H,), (W,) float64
        The same as the low-pass sees them.
    wavelengths : (SCALES,) float64
        Of the filters' centres, in pixels: a geometric series.
    angles : (n,) float64
        Orientations, in radians.
    width : float
        Standard deviation of the angular spread, in radians.

    Returns
    -------
    finest : (ceil(W / 8), 8 * H)
        Radial factor of the finest scale, low-pass included.
    coarser : (ceil(W / 8), 8 * H)
        Radial factor of a scale over that of the next finer one, but for a number (`coarser_by`): a power of the frequency.
    angular : (n, ceil(W / 8), 8 * H)
    gains : (n,)
        Squared even response of all scales together to noise that has squared response 1 at the finest.
    """
    height, columns = v.size, u.size
    blocks = (columns + LANES - 1) // LANES
    finest, coarser = np.zeros((blocks, LANES * height)), np.zeros((blocks, LANES * height))
    angular = np.zeros((angles.size, blocks, LANES * height))
    power = -2.0 * math.log(wavelengths[1] / wavelengths[0]) / _LOG_SIGMA
    for x in range(columns):
        for y in range(height):
            at = LANES * y + x % LANES
            r = math.sqrt(v[y] * v[y] + u[x] * u[x])
            if r > 0.0:
                away = math.log(r)
                coarser[x // LANES, at] = math.exp(power * away)
                away += math.log(wavelengths[0])
                finest[x // LANES, at] = math.exp(-away * away / _LOG_SIGMA) * _cut(cut_v[y], cut_u[x])
            direction = math.atan2(-v[y], u[x])
            for o in range(angles.size):
                away = abs(direction - angles[o])
                if away > math.pi:
                    away = 2.0 * math.pi - away
                angular[o, x // LANES, at] = math.exp(-away * away / (2.0 * width * width))
    factors = coarser_by(wavelengths)
    alone, together = np.zeros(angles.size), np.zeros(angles.size)
    for x in range(columns):
        back_x = (columns - x) % columns
        for y in range(height):
            at, back = LANES * y + x % LANES, LANES * ((height - y) % height) + back_x % LANES
            ratio, sum_of_scales, power = coarser[x // LANES, at], 0.0, 1.0
            for factor in factors:
                sum_of_scales += power * factor
                power *= ratio
            here, there = finest[x // LANES, at], finest[back_x // LANES, back]
            for o in range(angles.size):
                response = here * angular[o, x // LANES, at]
                even = (response + there * angular[o, back_x // LANES, back]) / 2.0
                alone[o] += response * response
                together[o] += (sum_of_scales * even) ** 2
    return finest, coarser, angular, together / alone


@jit
def coarser_by(wavelengths: Array) -> Array:
    """What the powers of `coarser` lack, for each scale; 1 for the finest."""
    steps = np.log(wavelengths / wavelengths[0])
    return np.exp(-steps * (2.0 * np.log(wavelengths[0]) + steps) / _LOG_SIGMA)


@jit_fused
def weigh(y: Array, finest: Array) -> None:
    """Multiply a spectrum by the radial factor of the finest scale."""
    for group in range(finest.shape[0]):
        at = y.shape[1] * (BLOCKS + group)
        _times(y, at, at, finest[group])


@jit_fused
def _times(z: Array, source: int, target: int, weights: Array) -> None:
    """Complex vectors by real ones."""
    for i in range(0, weights.size, LANES):
        weight = load(weights, i)
        store(z, target + 2 * i, load(z, source + 2 * i) * weight)
        store(z, target + 2 * i + LANES, load(z, source + 2 * i + LANES) * weight)


@jit_fused
def filtered(y: Array, z: Array, columns: Plan, coarser: Array, factors: Array, angular: Array) -> None:
    """Responses to the filters of one orientation, transformed back along columns.

    Parameters
    ----------
    y : (slots, size) float64
        Memory of columns, with the spectrum.
    z : (slots, size) float64
        Memory of rows: scale by scale, the responses go to its blocks.
    columns : Plan
        Of length H.
    coarser : (ceil(W / 8), 8 * H) float64
    factors : (SCALES,) float64
        Powers of the former times the latter are the radial factors of the scales over those of the finest.
    angular : (ceil(W / 8), 8 * H) float64
    """
    size, down = y.shape[1], (columns.order.size + LANES - 1) // LANES
    for group in range(angular.shape[0]):
        _times(y, size * (BLOCKS + group), size * WORK, angular[group])
        for s in range(SCALES):
            transform_weighted(y, WORK, WORK + 1, WORK + 2, columns, coarser[group], factors[s], s)
            cross(y, WORK + 1, columns.order, WORK + 2, z, BLOCKS + down * s, group)


_SHIFT = 46


@jit_fused
def finest_response(z: Array, rows: Plan, height: int) -> float:
    """Finish the finest scale's transform along rows, in place, and return the median over pixels of the squared amplitude.

    Parameters
    ----------
    z : (slots, size) float64
        Memory of rows, with the responses.
    rows : Plan
        Of length W.
    height : int
        H.
    """
    size, width = z.shape[1], rows.order.size
    groups = (height + LANES - 1) // LANES
    squares = np.empty(LANES * width)
    # The bit patterns of positive numbers are ordered as they are; their first bits already tell most apart. What is
    # beyond the last row counts as infinite, which no median is.
    bits = squares.view(np.int64)
    counts = np.zeros(1 << (63 - _SHIFT), np.int32)
    for group in range(groups):
        slot = BLOCKS + group
        transform_lines(z, slot, WORK, WORK + 1, rows)
        for i in range(0, squares.size, LANES):
            re, im = load(z, size * WORK + 2 * i), load(z, size * WORK + 2 * i + LANES)
            store(z, size * slot + 2 * i, re)
            store(z, size * slot + 2 * i + LANES, im)
            store(squares, i, re * re + im * im)
            for k in range(height - LANES * group, LANES):
                squares[i + k] = math.inf
            expect(z, size * (slot + 1) + 2 * i)
            expect(z, size * (slot + 1) + 2 * i + LANES)
        for i in range(squares.size):
            counts[bits[i] >> _SHIFT] += 1
    low, high = (height * width - 1) // 2, height * width // 2
    first, below, inside = 0, 0, counts[0]
    while below + inside <= low:
        below += inside
        first += 1
        inside = counts[first]
    last = first
    while below + inside <= high:
        last += 1
        inside += counts[last]
    bits[0], bits[1] = first << _SHIFT, (last + 1) << _SHIFT
    lowest, highest = squares[0], squares[1]
    middle = np.empty(inside)
    n = 0
    for group in range(groups):
        start = size * (BLOCKS + group)
        for i in range(0, squares.size, LANES):
            re, im = load(z, start + 2 * i), load(z, start + 2 * i + LANES)
            square = re * re + im * im
            if any_between(square, lowest, highest):
                for k in range(min(LANES, height - LANES * group)):
                    if lowest <= lane(square, k) < highest:
                        middle[n] = lane(square, k)
                        n += 1
    middle = np.partition(middle, (low - below, high - below))
    return (middle[low - below] + middle[high - below]) / 2.0


@jit_fused
def gather(
    z: Array,
    rows: Plan,
    noise: float,
    epsilon: float,
    angle: float,
    mixed: float,
    fresh: bool,
    sums: Array,
) -> None:
    """Finish the coarser scales' transforms, and add what one orientation says to the sums over orientations.

    Parameters
    ----------
    z : (slots, size) float64
        Memory of rows, with the responses.
    rows : Plan
        Of length W.
    noise : float
        Energy that noise would have.
    epsilon : float
        Keeps divisions finite.
    angle : float
        The orientation.
    mixed : float
        Factor of the mixed moment.
    fresh : bool
        Whether the sums are still to begin.
    sums : (ceil(H / 8), 5, 8 * W) float64, or (ceil(H / 8), 2, 8 * W)
        Energy, amplitude, and the moments xx, yy and xy; each row's pixels in `rows.order`. Without moments, the energy is not
        weighted by the spread of the response over scales either.
    """
    down = sums.shape[0]
    for group in range(down):
        finest = BLOCKS + group
        for s in range(1, SCALES):
            transform_lines(z, finest + down * s, WORK + s, WORK, rows)
        if fresh:
            sums[group] = 0.0
        _add(z, down, finest, WORK + 1, noise, epsilon, angle, mixed, sums[group])


@jit_fused
def _add(
    z: Array,
    down: int,
    finest: int,
    coarser: int,
    noise: float,
    epsilon: float,
    angle: float,
    mixed: float,
    sums: Array,
) -> None:
    """What one orientation says of eight rows: slots of the finest scale and of the first of the three coarser ones."""
    size, count, weighted = z.shape[1], sums.shape[1], sums.shape[0] == 5
    xx, yy = math.cos(angle) ** 2 / 3.0, math.sin(angle) ** 2 / 3.0
    xy = mixed * math.cos(angle) * math.sin(angle)
    ahead = size * (finest + 1)
    p0, p1, p2, p3 = size * finest, size * coarser, size * (coarser + 1), size * (coarser + 2)
    for i in range(0, count, LANES):
        k = 2 * i
        for s in range(SCALES):
            expect(z, ahead + s * size * down + k)
            expect(z, ahead + s * size * down + k + LANES)
        e0, e1, e2, e3 = load(z, p0 + k), load(z, p1 + k), load(z, p2 + k), load(z, p3 + k)
        k += LANES
        o0, o1, o2, o3 = load(z, p0 + k), load(z, p1 + k), load(z, p2 + k), load(z, p3 + k)
        a0, a1 = root(e0 * e0 + o0 * o0), root(e1 * e1 + o1 * o1)
        a2, a3 = root(e2 * e2 + o2 * o2), root(e3 * e3 + o3 * o3)
        amplitude = a0 + a1 + (a2 + a3)
        e, o = e0 + e1 + (e2 + e3), o0 + o1 + (o2 + o3)
        square = e * e + o * o
        apart = magnitude(o0 * e - e0 * o) + magnitude(o1 * e - e1 * o)
        apart = apart + (magnitude(o2 * e - e2 * o) + magnitude(o3 * e - e3 * o))
        amount = root(square) + epsilon
        above = square - apart - noise * amount
        store(sums, i + count, load(sums, i + count) + amplitude)
        if not any_positive(above):
            continue
        energy = where_positive(above, above / amount)
        if not weighted:
            store(sums, i, load(sums, i) + energy)
            continue
        most = larger(larger(a0, a1), larger(a2, a3))
        breadth = amplitude / (SCALES * (most + epsilon))
        ratio = where_positive(above, energy / (amplitude * (1.0 + exponential(5.0 - 10.0 * breadth))))
        square = ratio * ratio
        store(sums, i, load(sums, i) + ratio * amplitude)
        store(sums, i + 2 * count, load(sums, i + 2 * count) + xx * square)
        store(sums, i + 3 * count, load(sums, i + 3 * count) + yy * square)
        store(sums, i + 4 * count, load(sums, i + 4 * count) + xy * square)


@jit_fused
def congruencies(sums: Array, order: NDArray[np.int64], epsilon: float, free: float, out: Array) -> None:
    """Congruency, and the greatest and smallest moment where there are moments, of every pixel in its place.

    Parameters
    ----------
    sums : (ceil(H / 8), 5 or 2, 8 * W) float64
    order : (W,) int64
        Where the pixels of a row lie.
    epsilon : float
        Keeps divisions finite.
    free : float
        Congruency where nothing responds.
    out : (3 or 1, H, W) float64
    """
    height, width = out.shape[1:]
    block = np.empty((3, LANES * width))
    for group in range(sums.shape[0]):
        row = sums[group]
        for i in range(0, LANES * width, LANES):
            store(block[0], i, (load(row[0], i) + free * epsilon) / (load(row[1], i) + epsilon))
        if out.shape[0] == 3:
            for i in range(0, LANES * width, LANES):
                xx, yy, xy = load(row[2], i), load(row[3], i), load(row[4], i)
                one, other = xx + yy, xx - yy
                between = root(xy * xy + other * other) + epsilon
                store(block[1], i, (one + between) * 0.5)
                store(block[2], i, (one - between) * 0.5)
        for k in range(out.shape[0]):
            for y in range(LANES * group, min(LANES * group + LANES, height)):
                line, lanes = out[k, y], block[k, y % LANES :]
                for x in range(width):
                    line[x] = lanes[LANES * order[x]]


@jit
def gradient_strength(plane: Array) -> Array:
    """Magnitude of the Scharr gradient, kernels 3-10-3 over 16, with zeros beyond the border."""
    height, width = plane.shape
    padded = np.zeros((height + 2, width + 2))
    padded[1:-1, 1:-1] = plane
    out = np.empty((height, width))
    for y in range(height):
        a, b, c = padded[y], padded[y + 1], padded[y + 2]
        for x in range(width):
            gx = 3.0 * (a[x + 2] - a[x] + c[x + 2] - c[x]) + 10.0 * (b[x + 2] - b[x])
            gy = 3.0 * (c[x] - a[x] + c[x + 2] - a[x + 2]) + 10.0 * (c[x + 1] - a[x + 1])
            out[y, x] = math.sqrt(gx * gx + gy * gy) / 16.0
    return out
