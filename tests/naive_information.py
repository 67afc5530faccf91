"""The metrics of shared information again, slowly: all 81 cells of every joint distribution, all levels of every histogram."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import numpy as np
import pywt
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import dctn

Plane: TypeAlias = NDArray[np.uint8]
Array: TypeAlias = NDArray[Any]
Thinning: TypeAlias = Literal["steepest", "either"]

DOWN = np.array([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]])


def normalised_mutual_information(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    normaliser: Literal["pair", "sources"] = "pair",
    epsilon: float = 0.0,
) -> float:
    af, bf = _joint(ir, fused), _joint(vis, fused)
    if normaliser == "sources":
        entropies = [-float((p * np.log2(np.where(p > 0, p + epsilon, 1))).sum()) for p in (af.sum(1), bf.sum(1))]
        return 2 * _quotient(_information(af) + _information(bf), sum(entropies) + epsilon)
    return sum(2 * _quotient(_information(p), _bits(p.sum(1)) + _bits(p.sum(0))) for p in (af, bf))


def nonlinear_correlation(
    ir: Plane, vis: Plane, fused: Plane, *, correlation: Literal["information", "pearson"] = "information"
) -> float:
    images = [ir, vis, fused]
    matrix = np.eye(3)
    for i in range(3):
        for j in range(i):
            if correlation == "information":
                r = _information(_joint(images[i], images[j])) / 8
            else:
                x, y = (image - image.mean() for image in (images[i], images[j]))
                r = _quotient(float((x * y).sum()), math.sqrt((x * x).sum() * (y * y).sum()))
            matrix[i, j] = matrix[j, i] = r
    if np.isnan(matrix).any():
        return math.nan
    return 1 + sum(v / 3 * math.log(v / 3, 256) for v in np.linalg.eigvalsh(matrix) if v > 0)


def tsallis_information(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    order: float = 0.43137,
    form: Literal["normalised", "powers", "sum", "balance"] = "normalised",
    marginals: Literal["own", "exchanged"] = "own",
) -> float:
    pa, pb, pf = (np.bincount(image.ravel(), minlength=256) / image.size for image in (ir, vis, fused))
    if form == "balance":
        return _bits(pa) + _bits(pb) - _bits(pf)
    if marginals == "exchanged":
        if any(image.min() == image.max() > 0 for image in (ir, vis, fused)):
            return math.nan
        ir, vis, fused = (_stretch(image) for image in (ir, vis, fused))

    def shared(x: Plane, y: Plane) -> float:
        joint = _joint(x, y)
        first, second = joint.sum(axis=1), joint.sum(axis=0)
        apart = np.outer(second, first) if marginals == "exchanged" else np.outer(first, second)
        total = 0.0
        for i, j in zip(*np.nonzero((joint > 0) & (apart > 0)), strict=True):
            total += float(joint[i, j]) ** order / float(apart[i, j]) ** (order - 1)
        return (1 - total) / (1 - order)

    total = shared(ir, fused) + shared(vis, fused)
    if form == "sum":
        return total
    if form == "powers":
        return _quotient(total, _bits(pa) ** order + _bits(pb) ** order + shared(ir, vis))
    entropies = sum((1 - float((p[p > 0] ** order).sum())) / (order - 1) for p in (pa, pb))
    return _quotient(total, entropies - shared(ir, vis))


def pixel_information(ir: Plane, vis: Plane, fused: Plane, *, feature: Literal["pixel", "edge"] = "pixel") -> float:
    if feature == "edge":
        return edge_information(ir, vis, fused)
    return _feature_information(ir.astype(float), vis.astype(float), fused.astype(float))


def gradient_information(ir: Plane, vis: Plane, fused: Plane) -> float:
    return _feature_information(*(np.gradient(image.astype(float), axis=1) for image in (ir, vis, fused)))


def edge_information(ir: Plane, vis: Plane, fused: Plane, *, thinning: Thinning = "steepest") -> float:
    return _feature_information(*(edges(image, thinning).astype(float) for image in (ir, vis, fused)))


def cosine_information(ir: Plane, vis: Plane, fused: Plane) -> float:
    return _feature_information(*(dctn(image.astype(float), norm="ortho") for image in (ir, vis, fused)))


def wavelet_information(ir: Plane, vis: Plane, fused: Plane) -> float:
    return _feature_information(*(wavelet_bands(image) for image in (ir, vis, fused)))


def edges(image: Plane, thinning: Thinning) -> NDArray[np.bool_]:
    """Sobel edges: squared gradient above four times its mean, one pixel wide."""
    x = np.pad(image.astype(float), 1, mode="edge")
    if thinning == "either":
        x /= 255
    sx, sy = _convolve(x, DOWN.T), _convolve(x, DOWN)
    strength = sx * sx + sy * sy
    around = np.pad(strength, 1, constant_values=-1)
    left, right, above, below = around[1:-1, :-2], around[1:-1, 2:], around[:-2, 1:-1], around[2:, 1:-1]
    if thinning == "either":
        kept = ((strength > left) & (strength > right)) | ((strength > above) & (strength > below))
        return kept & (strength > 4 * strength.mean())
    across = (np.abs(sx) >= np.abs(sy)) & (strength >= left) & (strength > right)
    along = (np.abs(sy) >= np.abs(sx)) & (strength >= above) & (strength > below)
    return (across | along) & (strength * strength.size > 4 * strength.sum())


def wavelet_bands(image: Plane) -> Array:
    """Four bands of PyWavelets' discrete Meyer wavelet side by side, scaled together to 0..1."""
    low, (vertical, horizontal, diagonal) = pywt.dwt2(image.astype(float), "dmey")
    tiles = np.block([[low, vertical], [horizontal, diagonal]])
    return (tiles - tiles.min()) / np.ptp(tiles) if np.ptp(tiles) > 0 else tiles


def window_values(source: Array, fused: Array) -> Array:
    """Feature mutual information of every window of 3 x 3, in one row."""
    a, b = _windows(source), _windows(fused)
    p, q = _distributions(a), _distributions(b)
    position = np.arange(9)
    ma, mb = (p @ position)[:, None], (q @ position)[:, None]
    first, second = (p * (position - ma) ** 2).sum(axis=1), (q * (position - mb) ** 2).sum(axis=1)
    # What is left of a window beside one spike may be rounding.
    deviations = np.where((first > 1e-12) & (second > 1e-12), np.sqrt(first * second), 0)
    pc, qc = p - 1 / 9, q - 1 / 9
    spread = np.sqrt((pc * pc).sum(axis=1) * (qc * qc).sum(axis=1))
    r = np.where(spread > 0, (pc * qc).sum(axis=1) / np.where(spread > 0, spread, 1), 0)
    down, across = np.cumsum(p, axis=1)[:, :, None], np.cumsum(q, axis=1)[:, None, :]
    bound = np.where(r[:, None, None] >= 0, np.minimum(np.minimum(down, across), 1), np.maximum(down + across - 1, 0))
    bound = np.diff(np.diff(bound, axis=1, prepend=0), axis=2, prepend=0)
    covariance = np.einsum("nij,ni,nj->n", bound, position - ma, position - mb)
    usable = (deviations > 0) & (covariance != 0)
    weight = np.where(usable, r * deviations / np.where(usable, covariance, 1), 0)[:, None, None]
    joint = weight * bound + (1 - weight) * p[:, :, None] * q[:, None, :]
    entropies = -_x_log_x(p).sum(axis=1) - _x_log_x(q).sum(axis=1)
    information = entropies + _x_log_x(joint).sum(axis=(1, 2))
    value = np.where(weight[:, 0, 0] != 0, 2 * information / np.where(entropies > 0, entropies, 1), 0)
    flat = (np.ptp(a, axis=1) == 0) & (np.ptp(b, axis=1) == 0)
    return np.where((a == b).all(axis=1) | flat, 1, value)


def _convolve(image: Array, kernel: Array) -> Array:
    """Where the kernel fits; products added column by column from the last, as MATLAB's conv2 does."""
    rows, columns = image.shape[0] - 2, image.shape[1] - 2
    total = np.zeros((rows, columns))
    for j, i in ((j, i) for j in (2, 1, 0) for i in (2, 1, 0)):
        total += kernel[i, j] * image[i : i + rows, j : j + columns]
    return total


def _feature_information(ir: Array, vis: Array, fused: Array) -> float:
    # Row by row, or the joint distributions of a large image would not fit into memory.
    total, count = 0.0, 0
    for y in range(fused.shape[0] - 2):
        for source in (ir, vis):
            values = window_values(source[y : y + 3], fused[y : y + 3])
            total, count = total + float(values.sum()), count + values.size
    return total / count


def _windows(plane: Array) -> Array:
    """(windows, 9), each column by column."""
    return sliding_window_view(plane, (3, 3)).transpose(0, 1, 3, 2).reshape(-1, 9)


def _distributions(windows: Array) -> Array:
    d = windows - windows.min(axis=1, keepdims=True)
    total = d.sum(axis=1, keepdims=True)
    return np.where(total > 0, d / np.where(total > 0, total, 1), 1 / 9)


def _x_log_x(x: Array) -> Array:
    return x * np.log2(np.where(x == 0, 1, np.abs(x)))


def _joint(x: Plane, y: Plane) -> Array:
    return np.bincount(x.astype(int).ravel() * 256 + y.ravel(), minlength=65536).reshape(256, 256) / x.size


def _bits(p: Array) -> float:
    p = p[p > 0]
    return -float((p * np.log2(p)).sum())


def _information(joint: Array) -> float:
    return _bits(joint.sum(axis=1)) + _bits(joint.sum(axis=0)) - _bits(joint)


def _stretch(image: Plane) -> Plane:
    low, high = int(image.min()), int(image.max())
    if low == high:
        return image
    return np.floor(255 * (image.astype(float) - low) / (high - low) + 0.5).astype(np.uint8)


def _quotient(above: float, below: float) -> float:
    return above / below if abs(below) > 1e-12 else math.nan
