"""Phase congruency: log-Gabor filters as tables, and what their responses say about every pixel.

The filters are real and see one side of the spectrum, so their response to a real image has an even part, the real one, and
an odd part, the imaginary one. Each is a real image with half a spectrum, which takes a third of the time of the whole.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit, jit_fused

Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

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
def _sector(v: float, u: float, angle: float, width: float) -> float:
    away = abs(math.atan2(-v, u) - angle)
    if away > math.pi:
        away = 2.0 * math.pi - away
    return math.exp(-away * away / (2.0 * width * width))


@jit
def filter_bank(
    v: Array, u: Array, cut_v: Array, cut_u: Array, wavelengths: Array, angles: Array, width: float
) -> tuple[Array, Array, Array]:
    """Radial, even angular and odd angular tables on the half spectrum of a real transform.

    Parameters
    ----------
    v, u : (H,), (W,) float64
        Frequency of each row and column of the spectrum, in cycles per pixel.
    cut_v, cut_u : (H,), (W,) float64
        The same as the low-pass sees them.
    wavelengths : (SCALES,) float64
        Of the filters' centres, in pixels.
    angles : (n,) float64
        Orientations, in radians.
    width : float
        Standard deviation of the angular spread, in radians.

    Returns
    -------
    radial : (SCALES, H, W // 2 + 1)
    even, odd : (n, H, W // 2 + 1)
        Half the sum and half the difference of what is at a frequency and at its negative, low-pass included.
    """
    height, columns = v.size, u.size // 2 + 1
    radial = np.empty((wavelengths.size, height, columns))
    even = np.empty((angles.size, height, columns))
    odd = np.empty((angles.size, height, columns))
    for y in range(height):
        for x in range(columns):
            back_y, back_x = (height - y) % height, (u.size - x) % u.size
            r = math.sqrt(v[y] * v[y] + u[x] * u[x])
            for s in range(wavelengths.size):
                away = math.log(r * wavelengths[s]) if r > 0.0 else 0.0
                radial[s, y, x] = math.exp(-away * away / _LOG_SIGMA) if r > 0.0 else 0.0
            there, back = _cut(cut_v[y], cut_u[x]), _cut(cut_v[back_y], cut_u[back_x])
            for o in range(angles.size):
                one = there * _sector(v[y], u[x], angles[o], width)
                other = back * _sector(v[back_y], u[back_x], angles[o], width)
                even[o, y, x] = (one + other) / 2.0
                odd[o, y, x] = (one - other) / 2.0
    return radial, even, odd


@jit
def noise_gain(radial: Array, even: Array, odd: Array, width: int) -> float:
    """Squared response of all scales together to noise that has squared response 1 at the finest, in one orientation."""
    finest = together = 0.0
    for y in range(even.shape[0]):
        for x in range(even.shape[1]):
            # Every other column of the whole spectrum is the mirror image of one of these.
            times = 1.0 if x == 0 or 2 * x == width else 2.0
            e, o = even[y, x], odd[y, x]
            total = radial[0, y, x] + radial[1, y, x] + radial[2, y, x] + radial[3, y, x]
            finest += times * radial[0, y, x] * radial[0, y, x] * (e * e + o * o)
            together += times * total * total * e * e
    return together / finest


@jit
def filtered(spectrum: Spectrum, radial: Array, even: Array, odd: Array, out: Spectrum) -> None:
    """Half spectra of the even and the odd part of the response to one filter, into (2, H, W // 2 + 1)."""
    for y in range(spectrum.shape[0]):
        for x in range(spectrum.shape[1]):
            z = spectrum[y, x]
            p, q = radial[y, x] * even[y, x], radial[y, x] * odd[y, x]
            out[0, y, x] = complex(p * z.real, p * z.imag)
            out[1, y, x] = complex(q * z.imag, -q * z.real)


_SHIFT = 48


@jit
def median_square(even: Array, odd: Array) -> float:
    """Median over pixels of the squared amplitude."""
    a, b = even.ravel(), odd.ravel()
    squares = a * a + b * b
    # The bit patterns of positive numbers are ordered as they are; their first sixteen bits already tell most apart.
    bits = squares.view(np.int64)
    counts = np.zeros(1 << (64 - _SHIFT), np.int32)
    for i in range(bits.size):
        counts[bits[i] >> _SHIFT] += 1
    low, high = (squares.size - 1) // 2, squares.size // 2
    first, below = 0, 0
    while below + counts[first] <= low:
        below += counts[first]
        first += 1
    last, inside = first, counts[first]
    while below + inside <= high:
        last += 1
        inside += counts[last]
    middle = np.empty(inside)
    n = 0
    for i in range(bits.size):
        if first <= bits[i] >> _SHIFT <= last:
            middle[n] = squares[i]
            n += 1
    middle.sort()
    return (middle[low - below] + middle[high - below]) / 2.0


@jit_fused
def _agree(
    responses: Array, y: int, noise: float, epsilon: float, energy: Array, amplitude: Array, most: Array
) -> None:
    """One row: energy above noise, and sum and maximum over scales of the amplitude."""
    even_0, even_1, even_2, even_3 = responses[0, 0, y], responses[1, 0, y], responses[2, 0, y], responses[3, 0, y]
    odd_0, odd_1, odd_2, odd_3 = responses[0, 1, y], responses[1, 1, y], responses[2, 1, y], responses[3, 1, y]
    for x in range(energy.size):
        e0, e1, e2, e3 = even_0[x], even_1[x], even_2[x], even_3[x]
        o0, o1, o2, o3 = odd_0[x], odd_1[x], odd_2[x], odd_3[x]
        a0, a1, a2, a3 = (
            math.sqrt(e0 * e0 + o0 * o0),
            math.sqrt(e1 * e1 + o1 * o1),
            math.sqrt(e2 * e2 + o2 * o2),
            math.sqrt(e3 * e3 + o3 * o3),
        )
        amplitude[x] = a0 + a1 + a2 + a3
        first, second = (a0 if a0 > a1 else a1), (a2 if a2 > a3 else a3)
        most[x] = first if first > second else second
        e, o = e0 + e1 + e2 + e3, o0 + o1 + o2 + o3
        scale = 1.0 / (math.sqrt(e * e + o * o) + epsilon)
        e, o = e * scale, o * scale
        along = (e0 + e1 + e2 + e3) * e + (o0 + o1 + o2 + o3) * o
        across = abs(o0 * e - e0 * o) + abs(o1 * e - e1 * o) + abs(o2 * e - e2 * o) + abs(o3 * e - e3 * o)
        above = along - across - noise
        energy[x] = above if above > 0.0 else 0.0


@jit
def gather(responses: Array, noise: float, epsilon: float, angle: float, cross: float, sums: Array) -> None:
    """Add what one orientation says to the sums over orientations.

    Parameters
    ----------
    responses : (SCALES, 2, H, W) float64
        Even and odd parts.
    noise : float
        Energy that noise would have.
    epsilon : float
        Keeps divisions finite.
    angle : float
        The orientation.
    cross : float
        Factor of the mixed moment.
    sums : (5, H, W) float64, or (2, H, W)
        Energy, amplitude, and the moments xx, yy and xy. Without moments, the energy is not weighted by the spread of
        the response over scales either.
    """
    weighted = sums.shape[0] == 5
    width = responses.shape[3]
    energy, amplitude, most = np.empty(width), np.empty(width), np.empty(width)
    xx, yy = math.cos(angle) ** 2 / 3.0, math.sin(angle) ** 2 / 3.0
    xy = cross * math.cos(angle) * math.sin(angle)
    for y in range(responses.shape[2]):
        _agree(responses, y, noise, epsilon, energy, amplitude, most)
        for x in range(width):
            sums[1, y, x] += amplitude[x]
        if not weighted:
            for x in range(width):
                sums[0, y, x] += energy[x]
            continue
        for x in range(width):
            if energy[x] > 0.0:
                spread = amplitude[x] / (SCALES * (most[x] + epsilon))
                strength = energy[x] / (1.0 + math.exp(10.0 * (0.5 - spread)))
                square = (strength / amplitude[x]) ** 2
                sums[0, y, x] += strength
                sums[2, y, x] += xx * square
                sums[3, y, x] += yy * square
                sums[4, y, x] += xy * square


@jit_fused
def correlate_features(
    means: Array, other: Array, squares: Array, other_squares: Array, cross: Array, mask: NDArray[np.bool_], best: Array
) -> None:
    """Raise `best`, (H, W), to the local correlation of two planes where `mask` is, and to 0 elsewhere."""
    for y in range(best.shape[0]):
        for x in range(best.shape[1]):
            value = 0.0
            if mask[y, x]:
                covariance = cross[y, x] - means[y, x] * other[y, x]
                one = squares[y, x] - means[y, x] * means[y, x]
                two = other_squares[y, x] - other[y, x] * other[y, x]
                value = (covariance + 1e-4) / (math.sqrt(abs(one * two)) + 1e-4)
            if value > best[y, x]:
                best[y, x] = value


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


@jit
def alike(p: Array, g: Array, q: Array, h: Array) -> tuple[float, float]:
    """Sums over pixels of the weighted similarity of two images' congruencies and gradients, and of the weight."""
    total = weight = 0.0
    for y in range(p.shape[0]):
        for x in range(p.shape[1]):
            a, b, c, d = p[y, x], q[y, x], g[y, x], h[y, x]
            most = a if a > b else b
            similarity = (2.0 * a * b + 0.85) / (a * a + b * b + 0.85) * (2.0 * c * d + 160.0) / (c * c + d * d + 160.0)
            total += similarity * most
            weight += most
    return total, weight
