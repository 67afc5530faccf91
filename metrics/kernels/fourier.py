"""Fourier transforms of planes, eight lines at a time.

A line is transformed in the lanes of vectors: of a block of eight lines, number `16 * i + lane` is the real part of sample
`i` of line `lane`, and number `16 * i + 8 + lane` the imaginary one. The library's transforms work on one line after the
other, in scalars; these take a quarter of their time. Decimation in frequency (Stockham's order); after the first pass
a line falls into independent parts, each of which stays in the first-level cache. All are inverse transforms that are
not divided by the number of samples.

A plane of H x W is held as blocks of eight rows, or of eight columns; a transform turns one into the other. All blocks of
one kind lie in one array, (slots, size): what is passed around is then numbers, which is free, and not arrays, whose
references are counted. Its first slot holds the table of the plan, four are to work in, and the blocks follow.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from . import jit_fused as jit
from .butterflies import PAIR as PAIR
from .butterflies import first_by_eight, get, pass_by, put, turn, weighted
from .vectors import LANES, load, origin, spread, store, transpose, transpose_away

Array = NDArray[np.float64]
TILE = LANES * PAIR
TABLE, WORK, BLOCKS = 0, 1, 5
"""Slots."""


_TERMS = 50
"""A prime factor above it costs more, term by term, than the detour over two transforms of twice the length (Bluestein)."""


class Plan(NamedTuple):
    """How lines of one length are transformed."""

    radices: NDArray[np.int64]
    """The factors of the length that is transformed, in the order of the passes."""
    inner: NDArray[np.int64]
    """Where in its block each sample of such a transform lies."""
    order: NDArray[np.int64]
    """(length,): where in its block each sample of the result lies."""
    table: Array
    """Cosine and sine, in turns, of every multiple of a turn divided by the length that is transformed; where this is not the
    length of the lines, the chirp of Bluestein and the spectrum of its conjugate follow."""


@functools.lru_cache(maxsize=16)
def plan(length: int) -> Plan:
    """How lines of a length are transformed; lengths whose prime factors are 2, 3 and 5 are fastest."""
    radices = _radices(length)
    if max(radices) <= _TERMS:
        order = _order(length, radices[0])
        return Plan(np.array(radices), order, order, _pairs(_turns(np.arange(length), length)))
    longer = next_fast_len(2 * length - 1)
    radices = _radices(longer)
    samples = np.arange(length)
    chirp = _turns(samples * samples % (2 * length), 2 * length)
    echo = np.zeros(longer, np.complex128)
    echo[samples] = echo[-samples] = chirp.conj()
    table = np.concatenate([_turns(np.arange(longer), longer), chirp, np.fft.ifft(echo)])
    return Plan(np.array(radices), _order(longer, radices[0]), samples, _pairs(table))


def _radices(length: int) -> list[int]:
    """The largest first: the smaller the parts that are left, the better they fit the cache."""
    radices, rest, factor = [], length, 2
    while rest % 8 == 0:
        radices.append(8)
        rest //= 8
    while rest % 4 == 0:
        radices.append(4)
        rest //= 4
    while rest > 1:
        while rest % factor == 0:
            radices.append(factor)
            rest //= factor
        factor += 1
    return sorted(radices, reverse=True) or [1]


def _order(length: int, first: int) -> NDArray[np.int64]:
    samples = np.arange(length)
    return samples % first * (length // first) + samples // first


def _turns(k: NDArray[np.int64], length: int) -> NDArray[np.complex128]:
    return np.exp(2j * math.pi * k / length)


def _pairs(numbers: NDArray[np.complex128]) -> Array:
    return numbers.view(np.float64).copy()


def slot_size(how: Plan) -> int:
    """Numbers in a slot; never a multiple of a high power of two, which would set slots at odds in the cache."""
    return TILE * (-(-how.inner.size // LANES) + 1 | 1)


@jit
def _transform(
    z: int, here: int, there: int, hot: int, turns: int, radices: NDArray[np.int64], length: int, begun: bool
) -> None:
    """Transform lines from `here` to `there`, or go on where the first pass is done; `hot` is working memory."""
    first, last = radices[0], radices.size - 1
    part = PAIR * (length // first)
    # The parts that the first pass makes are laid one behind the other. What is between the other passes stays in the same
    # two places, and with that in the first-level cache.
    if not begun:
        pass_by(first, z, here, there, part, PAIR, part, 0, turns, 2, length)
    for begin in range(there, there + first * part, part):
        i, s, t = begin, PAIR, 2 * first
        for n in range(1, last + 1):
            r = radices[n]
            o = begin if n == last and n > 1 else hot + (n - 1) % 2 * part
            pass_by(r, z, i, o, part // r, s, s, s, turns, t, length)
            i, s, t = o, s * r, t * r
        if last == 1:
            for k in range(0, part, LANES):
                store(z, begin + k, load(z, hot + k))


@jit
def transform_weighted(
    z: Array, lines: int, out: int, free: int, how: Plan, weights: Array, factor: float, power: int
) -> None:
    """As `transform_lines`, of lines times a power of real weights; these lines are kept.

    Parameters
    ----------
    z : (slots, size) float64
    lines, out, free : int
        Slots: of the block, of the result, and of working memory, two of them.
    how : Plan
        Of the lines' length.
    weights : (8 * length,) float64
        What is raised to a power up to the third.
    factor : float
        And multiplied by it.
    power : int
        0 to 3.
    """
    size, base, real = z.shape[1], origin(z), origin(weights)
    a, b, hot, turns = size * lines, size * out, size * free, size * TABLE
    length = how.order.size
    if how.radices[0] == 8 and how.inner.size == length:
        first_by_eight(base, a, b, PAIR * (length // 8), turns, real, factor, power)
        _transform(base, a, b, hot, turns, how.radices, length, True)
        return
    for k in range(length):
        put(base, hot + PAIR * k, weighted(base, a + PAIR * k, real, LANES * k, factor, power))
    transform_lines(z, free, out, free + 1, how)


@jit
def transform_lines(z: Array, lines: int, out: int, free: int, how: Plan) -> None:
    """Transform the block of eight lines in one slot into another slot. The first loses its content.

    Parameters
    ----------
    z : (slots, size) float64
    lines, out, free : int
        Slots: of the block, of the result, of working memory.
    how : Plan
        Of the lines' length.
    """
    size, base = z.shape[1], origin(z)
    a, b, hot, turns = size * lines, size * out, size * free, size * TABLE
    length, longer = how.order.size, how.inner.size
    if longer == length:
        _transform(base, a, b, hot, turns, how.radices, length, False)
        return
    # Bluestein's: times a chirp, convolved with its conjugate, and times it again. A conjugate turns a transform around.
    chirp, echo = turns + 2 * longer, turns + 2 * (longer + length)
    for k in range(length):
        put(base, a + PAIR * k, turn(base, get(base, a + PAIR * k), chirp + 2 * k))
    for k in range(length, longer):
        put(base, a + PAIR * k, (spread(0.0), spread(0.0)))
    _transform(base, a, b, hot, turns, how.radices, longer, False)
    for k in range(longer):
        re, im = turn(base, get(base, b + PAIR * how.inner[k]), echo + 2 * k)
        put(base, a + PAIR * k, (re, 0.0 - im))
    _transform(base, a, b, hot, turns, how.radices, longer, False)
    for k in range(length):
        re, im = get(base, b + PAIR * how.inner[k])
        put(base, a + PAIR * k, turn(base, (re, 0.0 - im), chirp + 2 * k))
    for i in range(0, PAIR * length, LANES):
        store(base, b + i, load(base, a + i))


@jit
def cross(
    z: Array, block: int, order: NDArray[np.int64], scratch: int, across: Array, first_block: int, position: int
) -> None:
    """Of a block of eight lines, write the samples, by eights, to where blocks of samples have these lines.

    Parameters
    ----------
    z : (slots, size) float64
    block : int
        Slot of the lines.
    order : (length,) int64
        Of the plan.
    scratch : int
        Slot of working memory.
    across : (slots, size) float64
        Blocks of the other kind.
    first_block : int
        The slot there of the first eight samples; those of the next follow.
    position : int
        Which eight of all lines these are.
    """
    base, size, length = origin(z), z.shape[1], order.size
    # As seen from here.
    there = (origin(across) - base) // 8
    source, target = size * block, there + across.shape[1] * first_block + TILE * position
    aligned = (base + 8 * target) % 64 == 0 and across.shape[1] % LANES == 0
    for first in range(0, length, LANES):
        tile, distance = size * scratch, PAIR
        last = first + LANES - 1
        if last < length and order[last] - order[first] == (LANES - 1) * (order[first + 1] - order[first]):
            # Evenly spaced, as they are where the first factor is a multiple of eight.
            tile, distance = source + PAIR * order[first], PAIR * (order[first + 1] - order[first])
        else:
            for k in range(LANES):
                put(base, tile + PAIR * k, get(base, source + PAIR * order[min(first + k, length - 1)]))
        if aligned:
            transpose_away(base, tile, distance, target, PAIR)
            transpose_away(base, tile + LANES, distance, target + LANES, PAIR)
        else:
            transpose(base, tile, distance, target, PAIR)
            transpose(base, tile + LANES, distance, target + LANES, PAIR)
        target += across.shape[1]


@jit
def spectrum(plane: Array, rows: Plan, columns: Plan, z: Array, y: Array) -> None:
    """Spectrum of a real plane over the number of its samples, by blocks of eight columns.

    Parameters
    ----------
    plane : (H, W) float64
    rows, columns : Plan
        Of length W and of length H.
    z : (slots, size) float64
        Memory of rows, to work in.
    y : (slots, size) float64
        Memory of columns; the spectrum goes to its blocks.
    """
    size, (height, width) = z.shape[1], plane.shape
    scale = 1.0 / (height * width)
    for group in range((height + LANES - 1) // LANES):
        # The rows one below the other, and then turned into lanes.
        for k in range(LANES):
            row = plane[min(LANES * group + k, height - 1)]
            line = z[WORK + 1, k * (width + LANES) : k * (width + LANES) + width]
            for x in range(width):
                line[x] = row[x] * scale
        for x in range(0, width, LANES):
            transpose(z, size * (WORK + 1) + x, width + LANES, size * WORK + PAIR * x, PAIR)
            for i in range(size * WORK + PAIR * x, size * WORK + PAIR * (x + LANES), PAIR):
                store(z, i + LANES, spread(0.0))
        transform_lines(z, WORK, WORK + 1, WORK + 2, rows)
        cross(z, WORK + 1, rows.order, WORK + 2, y, BLOCKS, group)
    base, size = origin(y), y.shape[1]
    for group in range((width + LANES - 1) // LANES):
        transform_lines(y, BLOCKS + group, WORK, WORK + 1, columns)
        for v in range(height):
            # A real plane's forward transform is the conjugate of its inverse one.
            re, im = get(base, size * WORK + PAIR * columns.order[v])
            put(base, size * (BLOCKS + group) + PAIR * v, (re, 0.0 - im))
