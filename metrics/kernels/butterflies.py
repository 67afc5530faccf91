"""Passes of Fourier transforms: sums and differences of two, three, four, eight or any odd number of samples, and turns.

Of eight lines at a time, in the layout of `fourier`: sixteen numbers a sample, eight real parts and eight imaginary ones.
What is passed are numbers, places in memory that begins at an `origin`.
"""

from __future__ import annotations

import math
from typing import Any

from . import jit_fused as jit
from .vectors import LANES, load, load_everywhere, spread, store

PAIR = 2 * LANES


@jit
def get(z: int, i: int) -> Any:
    """Eight complex numbers."""
    return load(z, i), load(z, i + LANES)


@jit
def put(z: int, i: int, a: Any) -> None:
    """Write eight complex numbers."""
    store(z, i, a[0])
    store(z, i + LANES, a[1])


@jit
def turn(z: int, a: Any, k: int) -> Any:
    """Times the complex number at `k`."""
    cos, sin = load_everywhere(z, k), load_everywhere(z, k + 1)
    return a[0] * cos - a[1] * sin, a[0] * sin + a[1] * cos


@jit
def _two(a: Any, b: Any) -> Any:
    """Sum and difference."""
    return (a[0] + b[0], a[1] + b[1]), (a[0] - b[0], a[1] - b[1])


@jit
def _quarter(a: Any, b: Any) -> Any:
    """Sum and difference of the first and of the second turned by a quarter."""
    return (a[0] - b[1], a[1] + b[0]), (a[0] + b[1], a[1] - b[0])


@jit
def _four(a: Any, b: Any, c: Any, d: Any) -> Any:
    a, c = _two(a, c)
    b, d = _two(b, d)
    a, b = _two(a, b)
    c, d = _quarter(c, d)
    return a, c, b, d


@jit
def _by_two(z: int, begin: int, o: int, d: int, s: int, far: int, jump: int, table: int, t: int) -> None:
    k = q = 0
    for i in range(begin, begin + d, PAIR):
        a, b = _two(get(z, i), get(z, i + d))
        put(z, o, a)
        put(z, o + far, turn(z, b, table + k))
        o += PAIR
        q += PAIR
        if q == s:
            q = 0
            k += t
            o += jump


@jit
def _by_three(z: int, begin: int, o: int, d: int, s: int, far: int, jump: int, table: int, t: int) -> None:
    k, q, h = 0, 0, math.sqrt(0.75)
    for i in range(begin, begin + d, PAIR):
        a = get(z, i)
        b, c = _two(get(z, i + d), get(z, i + 2 * d))
        put(z, o, (a[0] + b[0], a[1] + b[1]))
        b, c = _quarter((a[0] - 0.5 * b[0], a[1] - 0.5 * b[1]), (h * c[0], h * c[1]))
        put(z, o + far, turn(z, b, table + k))
        put(z, o + 2 * far, turn(z, c, table + 2 * k))
        o += PAIR
        q += PAIR
        if q == s:
            q = 0
            k += t
            o += 2 * jump


@jit
def _by_four(z: int, begin: int, o: int, d: int, s: int, far: int, jump: int, table: int, t: int) -> None:
    k = q = 0
    for i in range(begin, begin + d, PAIR):
        a0, a1, a2, a3 = _four(get(z, i), get(z, i + d), get(z, i + 2 * d), get(z, i + 3 * d))
        put(z, o, a0)
        put(z, o + far, turn(z, a1, table + k))
        put(z, o + 2 * far, turn(z, a2, table + 2 * k))
        put(z, o + 3 * far, turn(z, a3, table + 3 * k))
        o += PAIR
        q += PAIR
        if q == s:
            q = 0
            k += t
            o += 3 * jump


@jit
def _eight(a0: Any, b0: Any, a1: Any, b1: Any, a2: Any, b2: Any, a3: Any, b3: Any) -> Any:
    h = math.sqrt(0.5)
    a0, a1, a2, a3 = _four(a0, a1, a2, a3)
    b0, b1, b2, b3 = _four(b0, b1, b2, b3)
    # The odd ones are 0, 1, 2 and 3 eighths of a turn behind.
    a0, b0 = _two(a0, b0)
    a1, b1 = _two(a1, (h * (b1[0] - b1[1]), h * (b1[0] + b1[1])))
    a2, b2 = _quarter(a2, b2)
    a3, b3 = _quarter(a3, (h * (b3[0] - b3[1]), h * (b3[0] + b3[1])))
    return a0, a1, a2, a3, b0, b1, b2, b3


@jit
def _put_eight(z: int, o: int, far: int, x: Any, table: int, k: int) -> None:
    a0, a1, a2, a3, b0, b1, b2, b3 = x
    put(z, o, a0)
    put(z, o + far, turn(z, a1, table + k))
    put(z, o + 2 * far, turn(z, a2, table + 2 * k))
    put(z, o + 3 * far, turn(z, a3, table + 3 * k))
    put(z, o + 4 * far, turn(z, b0, table + 4 * k))
    put(z, o + 5 * far, turn(z, b1, table + 5 * k))
    put(z, o + 6 * far, turn(z, b2, table + 6 * k))
    put(z, o + 7 * far, turn(z, b3, table + 7 * k))


@jit
def _by_eight(z: int, begin: int, o: int, d: int, s: int, far: int, jump: int, table: int, t: int) -> None:
    k = q = 0
    for i in range(begin, begin + d, PAIR):
        x = _eight(
            get(z, i),
            get(z, i + d),
            get(z, i + 2 * d),
            get(z, i + 3 * d),
            get(z, i + 4 * d),
            get(z, i + 5 * d),
            get(z, i + 6 * d),
            get(z, i + 7 * d),
        )
        _put_eight(z, o, far, x, table, k)
        o += PAIR
        q += PAIR
        if q == s:
            q = 0
            k += t
            o += 7 * jump


@jit
def weighted(z: int, i: int, weights: int, k: int, factor: float, power: int) -> Any:
    """Eight complex numbers times a power, up to the third, of real ones."""
    weight = load(weights, k) * factor if power else spread(factor)
    if power > 1:
        weight = weight * load(weights, k)
    if power > 2:
        weight = weight * load(weights, k)
    return load(z, i) * weight, load(z, i + LANES) * weight


@jit
def first_by_eight(z: int, begin: int, o: int, d: int, table: int, weights: int, factor: float, power: int) -> None:
    """The first pass, with weights on what goes in."""
    k, e = 0, d // 2
    for i in range(0, d, PAIR):
        at, w = begin + i, i // 2
        x = _eight(
            weighted(z, at, weights, w, factor, power),
            weighted(z, at + d, weights, w + e, factor, power),
            weighted(z, at + 2 * d, weights, w + 2 * e, factor, power),
            weighted(z, at + 3 * d, weights, w + 3 * e, factor, power),
            weighted(z, at + 4 * d, weights, w + 4 * e, factor, power),
            weighted(z, at + 5 * d, weights, w + 5 * e, factor, power),
            weighted(z, at + 6 * d, weights, w + 6 * e, factor, power),
            weighted(z, at + 7 * d, weights, w + 7 * e, factor, power),
        )
        _put_eight(z, o + i, d, x, table, k)
        k += 2


@jit
def _by_any(
    r: int, z: int, begin: int, o: int, d: int, s: int, far: int, jump: int, table: int, t: int, length: int
) -> None:
    """By an odd number, term by term; an output's mirror image costs nothing."""
    k, q, whole = 0, 0, 2 * (length // r)
    for i in range(begin, begin + d, PAIR):
        a = get(z, i)
        total = a
        for j in range(1, r):
            total, _ = _two(total, get(z, i + j * d))
        put(z, o, total)
        for j in range(1, (r + 1) // 2):
            e, f = a, (0.0 * a[0], 0.0 * a[1])
            for n in range(1, (r + 1) // 2):
                b, c = _two(get(z, i + n * d), get(z, i + (r - n) * d))
                at = table + j * n % r * whole
                cos, sin = load_everywhere(z, at), load_everywhere(z, at + 1)
                e = e[0] + cos * b[0], e[1] + cos * b[1]
                f = f[0] + sin * c[0], f[1] + sin * c[1]
            b, c = _quarter(e, f)
            put(z, o + j * far, turn(z, b, table + j * k))
            put(z, o + (r - j) * far, turn(z, c, table + (r - j) * k))
        o += PAIR
        q += PAIR
        if q == s:
            q = 0
            k += t
            o += (r - 1) * jump


@jit
def pass_by(
    r: int, z: int, begin: int, o: int, d: int, s: int, far: int, jump: int, table: int, t: int, length: int
) -> None:
    """One pass of a transform.

    Parameters
    ----------
    r : int
        How many samples are combined.
    z : int
        Where the memory begins; the other places count from there, in numbers.
    begin, o : int
        Of the samples, and of the results.
    d : int
        From one of the combined samples to the next.
    s : int
        Numbers after which the next step of the table is due.
    far : int
        From one result of a combination to the next.
    jump : int
        What is left out between results, for each but one of a combination, where a step is due.
    table, t : int
        Where the table of a turn is, and the length of a step.
    length : int
        Samples of a whole line.
    """
    if r == 8:
        _by_eight(z, begin, o, d, s, far, jump, table, t)
    elif r == 4:
        _by_four(z, begin, o, d, s, far, jump, table, t)
    elif r == 3:
        _by_three(z, begin, o, d, s, far, jump, table, t)
    elif r == 2:
        _by_two(z, begin, o, d, s, far, jump, table, t)
    else:
        _by_any(r, z, begin, o, d, s, far, jump, table, t, length)
