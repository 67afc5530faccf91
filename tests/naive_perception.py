"""The metrics of perception again, slowly: see `naive`."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate, correlate1d
from scipy.signal import convolve2d

from fusionbench.metrics.steerable import FIRST_LOW, LOW, VERTICAL

Plane: TypeAlias = NDArray[np.uint8]
Array: TypeAlias = NDArray[Any]


def visual_contrast(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    stretch: Literal["none", "levels", "unit"] = "none",
    degrees: float = 15.0,
    guard: float = 0.0,
) -> float:
    rows, columns = fused.shape
    u, v = _freqspace(columns) * columns / (2 * degrees), _freqspace(rows) * rows / (2 * degrees)
    r = np.hypot(u[None, :], v[:, None])
    sensitivity = np.exp(-((r / 15.387) ** 2)) - 0.7622 * np.exp(-((r / 1.3456) ** 2))
    masked = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for plane in (ir, vis, fused):
            seen = _filtered(_stretched(plane, stretch), sensitivity)
            near, far = (_windowed(seen, _bell(15, sigma) / (math.sqrt(2 * math.pi) * sigma)) for sigma in (2, 4))
            contrast = np.abs(near / (far + guard) - 1.0)
            masked.append(contrast**3 / (contrast**2 + 1e-4))
        a, b, f = masked
        kept = [np.minimum(x, f) / np.maximum(x, f) for x in (a, b)]
        weights = [x * x / (a * a + b * b + guard) for x in (a, b)]
        return float(np.mean(weights[0] * kept[0] + weights[1] * kept[1]))


def visual_difference(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    stretch: Literal["none", "levels"] = "none",
    border: Literal["replicate", "zero"] = "replicate",
    partial: Literal["own", "padded"] = "own",
) -> float:
    a, b, f = (_stretched(plane, stretch) for plane in (ir, vis, fused))
    rows, columns = f.shape
    r = np.hypot((_freqspace(columns) * columns / 8)[None, :], (_freqspace(rows) * rows / 8)[:, None])
    sensitivity = 2.6 * (0.0192 + 0.144 * r) * np.exp(-((0.144 * r) ** 1.1))
    sobel = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    total = weight = np.float64(0.0)
    with np.errstate(invalid="ignore"):
        for source in (a, b):
            padded = np.pad(source, 1, mode="edge") if border == "replicate" else np.pad(source, 1)
            edges = np.hypot(*(convolve2d(padded, kernel, mode="valid") for kernel in (sobel, sobel.T)))
            error = _filtered(source - f, sensitivity) ** 2
            for y in range(0, rows, 16):
                for x in range(0, columns, 16):
                    block = slice(y, y + 16), slice(x, x + 16)
                    saliency = (edges[block] ** 5).sum()
                    size = error[block].size if partial == "own" else 256
                    total += saliency * error[block].sum() / size
                    weight += saliency
        return float(total / weight)


def fusion_information_fidelity(ir: Plane, vis: Plane, fused: Plane) -> float:
    a, b, f = (plane.astype(float) for plane in (ir, vis, fused))
    noise = 0.005 * 255**2
    result = 0.0
    for scale, share in enumerate((1.0, 0.0, 0.15, 1.0)):
        size = 2 ** (4 - scale) + 1
        half = size // 2
        taps = _bell(half, size / 5)
        taps /= taps.sum()

        def mean(image: Array, half: int = half, taps: Array = taps) -> Array:
            return _windowed(image, taps)[half:-half, half:-half]

        if scale:
            a, b, f = (mean(image)[::2, ::2] for image in (a, b, f))
        gains, rests, variances = [], [], []
        for x in (a, b):
            vx, vf = (mean(y * y) - mean(y) ** 2 for y in (x, f))
            covariance = mean(x * f) - mean(x) * mean(f)
            vx, vf = np.maximum(vx, 0), np.maximum(vf, 0)
            g = covariance / (vx + 1e-10)
            rest = vf - g * covariance
            flat = vx < 1e-10
            g[flat], rest[flat], vx[flat] = 0, vf[flat], 0
            flat = vf < 1e-10
            g[flat], rest[flat] = 0, 0
            opposed = g < 0
            rest[opposed], g[opposed] = vf[opposed], 0
            gains.append(g)
            rests.append(np.maximum(rest, 1e-10))
            variances.append(vx)
        first = gains[0] < gains[1]
        g, rest, v = (np.where(first, *pair) for pair in (gains, rests, variances))
        told = np.log10(1 + g * g * v / (rest + noise)) + 1e-7
        held = np.log10(1 + v / noise) + 1e-7
        result += share / 2.15 * told.sum() / held.sum()
    return float(result)


def phase_congruency_quality(
    ir: Plane, vis: Plane, fused: Plane, *, phase: Literal["corrected", "early"] = "corrected"
) -> float:
    a, b, f = (_features(plane.astype(float), phase == "early") for plane in (ir, vis, fused))
    best = np.where(a[0] > b[0], a, b)
    masks = [x[0] > 0.1 for x in (a, b, best)]
    product = np.float64(1.0)
    with np.errstate(invalid="ignore"):
        for k in range(3):
            kept = [_local_correlation(x[k] * m, f[k]) * m for x, m in zip((a, b, best), masks, strict=True)]
            product *= np.max(kept, axis=0).sum() / np.float64(masks[2].sum())
    return float(product)


def feature_similarity(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    epsilon: float = 1e-4,
    median: Literal["middle", "lower"] = "middle",
) -> float:
    step = max(1, math.floor(min(fused.shape) / 256 + 0.5))
    rows, columns = (side // step * step for side in fused.shape)
    shape = (rows // step, step, columns // step, step)
    a, b, f = (plane[:rows, :columns].astype(float).reshape(shape).mean(axis=(1, 3)) for plane in (ir, vis, fused))
    right = np.array([[-3.0, 0.0, 3.0], [-10.0, 0.0, 10.0], [-3.0, 0.0, 3.0]]) / 16
    congruency, gradient = [], []
    for x in (a, b, f):
        total = amplitudes = np.float64(0.0)
        for _, energy, amplitude in _energies(x, 4, 4, 6.0, 2.0, epsilon, median, early=False, axis="closed"):
            total, amplitudes = total + energy, amplitudes + amplitude.sum(axis=0)
        congruency.append((total + epsilon) / (amplitudes + epsilon))
        gradient.append(np.hypot(*(correlate(x, kernel, mode="constant") for kernel in (right, right.T))))
    values = []
    for k in range(2):
        (p, q), (g, h) = (congruency[k], congruency[2]), (gradient[k], gradient[2])
        alike = (2 * p * q + 0.85) / (p * p + q * q + 0.85) * (2 * g * h + 160) / (g * g + h * h + 160)
        weight = np.maximum(p, q)
        values.append((alike * weight).sum() / weight.sum())
    return float(np.mean(values))


def _features(x: Array, early: bool) -> Array:
    """Phase congruency, and its greatest and smallest moment."""
    total, amplitudes, xx, yy, xy = (np.zeros(x.shape) for _ in range(5))
    axis = "closed" if early else "open"
    with np.errstate(invalid="ignore"):
        for angle, energy, amplitude in _energies(x, 4, 6, 3.0, 2.1, 1e-4, "middle", early=early, axis=axis):
            spread = amplitude.sum(axis=0) / (4 * (amplitude.max(axis=0) + 1e-4))
            energy = energy / (1 + np.exp(10 * (0.5 - spread)))
            total += energy
            amplitudes += amplitude.sum(axis=0)
            every = amplitude.sum(axis=0)
            one = np.divide(energy, every, out=np.zeros_like(every), where=every > 0)
            xx += (one * math.cos(angle)) ** 2 / 3
            yy += (one * math.sin(angle)) ** 2 / 3
            xy += one**2 * math.cos(angle) * math.sin(angle) * (1 / 6 if early else 4 / 6)
        root = np.hypot(xy, xx - yy) + 1e-4
        return np.array([total / (amplitudes + 1e-4), (xx + yy + root) / 2, (xx + yy - root) / 2])


def _energies(
    x: Array,
    scales: int,
    orientations: int,
    shortest: float,
    factor: float,
    epsilon: float,
    median: str,
    *,
    early: bool,
    axis: str,
) -> Any:
    """Per orientation: its angle, the energy above noise, and the amplitude of every scale."""
    rows, columns = x.shape

    def frequencies(n: int) -> Array:
        return (np.arange(n) - n // 2) / (n - 1 if axis == "closed" and n % 2 and n > 1 else n)

    u, v = np.meshgrid(frequencies(columns), frequencies(rows))
    theta = np.fft.ifftshift(np.arctan2(-v, u))
    r = np.fft.ifftshift(np.hypot(u, v))
    cut = 1 / (1 + (r / 0.45) ** 30)
    if early:
        plain = np.hypot(
            ((np.arange(columns) - columns // 2) / columns), ((np.arange(rows) - rows // 2) / rows)[:, None]
        )
        cut = np.fft.fftshift(1 / (1 + (plain / 0.45) ** 30))
    r[0, 0] = 1.0
    spectrum = np.fft.fft2(x)
    for o in range(orientations):
        angle = o * math.pi / orientations
        away = np.abs(np.angle(np.exp(1j * (theta - angle))))
        sector = np.exp(-(away**2) / (2 * (math.pi / orientations / 1.2) ** 2))
        filters = []
        for s in range(scales):
            band = np.exp(-(np.log(r * shortest * factor**s) ** 2) / (2 * math.log(0.55) ** 2)) * cut
            band[0, 0] = 0.0
            filters.append(band * sector)
        e = np.fft.ifft2(spectrum * np.array(filters))
        amplitude = np.abs(e)
        squares = np.sort((amplitude[0] ** 2).ravel())
        middle = np.median(squares) if median == "middle" else squares[(squares.size - 1) // 2]
        h = np.fft.ifft2(np.array(filters)).real.sum(axis=0) * math.sqrt(x.size)
        tau = math.sqrt(middle / math.log(2) / (filters[0] ** 2).sum() * (h * h).sum())
        unit = e.sum(axis=0) / (np.abs(e.sum(axis=0)) + epsilon)
        turned = e * unit.conj()
        energy = (turned.real - np.abs(turned.imag)).sum(axis=0)
        noise = tau * (math.sqrt(math.pi / 2) + 2 * math.sqrt(2 - math.pi / 2)) / 1.7
        yield angle, np.maximum(energy - noise, 0), amplitude


def _local_correlation(x: Array, y: Array) -> Array:
    taps = _bell(5, 1.5)
    taps /= taps.sum()

    def mean(z: Array) -> Array:
        return _windowed(z, taps)

    vx, vy = mean(x * x) - mean(x) ** 2, mean(y * y) - mean(y) ** 2
    return (mean(x * y) - mean(x) * mean(y) + 1e-4) / (np.sqrt(np.abs(vx * vy)) + 1e-4)


def wavelet_fidelity(source: Plane, fused: Plane, scale: float) -> float:
    """VIF of one source in the domain of a steerable pyramid."""
    x, y = (correlate(plane / (255.0 / scale), FIRST_LOW, mode="mirror") for plane in (source, fused))
    told = held = np.float64(0.0)
    for level in range(1, 5):
        for taps in (VERTICAL, VERTICAL.T):
            one, other = _wavelet_terms(*(correlate(z, taps, mode="mirror") for z in (x, y)), 2 ** (5 - level) + 1)
            told, held = told + one, held + other
        x, y = (correlate(z, LOW, mode="mirror")[::2, ::2] for z in (x, y))
    with np.errstate(invalid="ignore"):
        return float(told / held)


def _wavelet_terms(y: Array, z: Array, side: int) -> tuple[float, float]:
    rows, columns = (n // 3 * 3 for n in y.shape)
    y, z = y[:rows, :columns], z[:rows, :columns]
    n = side**2

    def total(x: Array) -> Array:
        down = correlate1d(x, np.ones(side), axis=0, mode="mirror")
        return correlate1d(down, np.ones(side), axis=1, mode="mirror")[1::3, 1::3]

    my, mz = total(y) / n, total(z) / n
    sy, sz = np.maximum(total(y * y) - n * my**2, 0), np.maximum(total(z * z) - n * mz**2, 0)
    cross = total(y * z) - n * my * mz
    g = cross / (sy + 1e-15)
    v = (sz - g * cross) / n
    g, v = np.where(sy < 1e-15, 0, g), np.where(sy < 1e-15, sz, v)
    g, v = np.where(sz < 1e-15, 0, g), np.where(sz < 1e-15, 0, v)
    v, g = np.where(g < 0, sz, v), np.maximum(g, 0)
    v = np.maximum(v, 1e-15)
    blocks = np.lib.stride_tricks.sliding_window_view(y, (3, 3))
    covariance = np.cov(blocks.reshape(-1, 9).T, bias=True)
    tiles = blocks[::3, ::3].reshape(*g.shape, 9)
    s = np.einsum("...i,ij,...j", tiles, np.linalg.inv(covariance), tiles) / 9
    cut = math.ceil((side - 1) / 2 / 3)
    inner = slice(cut, -cut), slice(cut, -cut)
    g, v, s = g[inner], v[inner], s[inner]
    told = held = 0.0
    for variance in np.linalg.eigvalsh(covariance):
        told += np.log2(1 + g * g * s * variance / (v + 0.4)).sum()
        held += np.log2(1 + s * variance / 0.4).sum()
    return told, held


def _stretched(plane: Plane, stretch: str) -> Array:
    x = plane.astype(float)
    if stretch == "none" or x.max() == 0:
        return x
    with np.errstate(invalid="ignore"):
        unit = (x - x.min()) / np.float64(x.max() - x.min())
    return unit if stretch == "unit" else np.floor(unit * 255.0 + 0.5)


def _freqspace(n: int) -> Array:
    """Frequencies in half cycles per sample, zero in the middle."""
    return (np.arange(n) - n // 2) * 2.0 / n


def _filtered(x: Array, response: Array) -> Array:
    """A filter whose response has zero frequency in the middle."""
    return np.fft.ifft2(np.fft.ifftshift(np.fft.fftshift(np.fft.fft2(x)) * response)).real


def _bell(reach: int, sigma: float) -> Array:
    return np.exp(-(np.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))


def _windowed(x: Array, taps: Array) -> Array:
    """Sums over a window around every pixel, with zeros around the image."""
    return correlate1d(correlate1d(x, taps, axis=0, mode="constant"), taps, axis=1, mode="constant")
