"""The metrics of local structure again, slowly: see `naive`.

MS-SSIM, MEF-SSIM, and the indices of Piella, Cvejic and Yang. The names and keywords are those of the metrics.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

Plane: TypeAlias = NDArray[np.uint8]
Array: TypeAlias = NDArray[Any]
Window: TypeAlias = Literal["uniform-7", "uniform-8", "gaussian-7", "gaussian-11", "repeated-7"]
Undefined: TypeAlias = Literal["half", "nan", "skip"]
Constants: TypeAlias = tuple[float, float]


def multiscale_structural_similarity(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    halving: Literal["symmetric", "zero"] = "symmetric",
    data_range: float = 255.0,
    scale: float = 255.0,
    aggregate: Literal["mean", "sum"] = "mean",
    precision: Literal["float64", "float32"] = "float64",
) -> float:
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mean = _single_means if precision == "float32" else functools.partial(_gaussian_means, window="gaussian-11")
    total = 0.0
    for source in (ir, vis):
        x, f = (plane.astype(precision) * (scale / 255.0) for plane in (source, fused))
        score = 1.0
        for place, exponent in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
            mx, mf = mean(x), mean(f)
            vx, vf, cov = mean(x * x) - mx * mx, mean(f * f) - mf * mf, mean(x * f) - mx * mf
            value = (2 * cov + c2) / (vx + vf + c2)
            if place == 4:
                value = value * (2 * mx * mf + c1) / (mx * mx + mf * mf + c1)
            score *= max(float(value.mean(dtype=float)), 0.0) ** exponent
            x, f = _halved(x, halving), _halved(f, halving)
        total += score
    return total if aggregate == "sum" else total / 2.0


def exposure_similarity(ir: Plane, vis: Plane, fused: Plane) -> float:
    return _exposure(*(plane.astype(float) for plane in (ir, vis, fused)))


def multiscale_exposure_similarity(ir: Plane, vis: Plane, fused: Plane) -> float:
    images = [plane.astype(float) for plane in (ir, vis, fused)]
    exponents = np.array([0.0448, 0.2856, 0.3001])
    score = 1.0
    for exponent in exponents / exponents.sum():
        score *= max(_exposure(*images), 0.0) ** exponent
        images = [_halved(plane, "symmetric") for plane in images]
    return float(score)


def _exposure(ir: Array, vis: Array, fused: Array) -> float:
    """Patch by patch: the best that two patches could be made into, and how like it the fused one is."""
    gauss = np.exp(-(np.arange(-5, 6.0) ** 2) / (2 * 1.5**2))
    weights = np.outer(gauss, gauss).ravel() / gauss.sum() ** 2
    c = (0.03 * 255) ** 2
    rows = []
    for y in range(ir.shape[0] - 10):
        a, b, f = (sliding_window_view(p[y : y + 11], (11, 11))[0].reshape(-1, 121) for p in (ir, vis, fused))
        a, b, f = (p - p.mean(axis=1, keepdims=True) for p in (a, b, f))
        na, nb, together = (np.sqrt((p * p).sum(axis=1)) for p in (a, b, a + b))
        eps = np.finfo(float).eps
        consistency = (together + eps) / (na + nb + eps)
        power = np.minimum(np.tan(math.pi / 2 * np.clip(consistency, eps, 1 - eps)), 10.0)
        contrast = np.stack([na, nb]) + 0.001
        share = (contrast / 11) ** power + eps
        share /= share.sum(axis=0)
        wanted = a * (share / contrast)[0, :, None] + b * (share / contrast)[1, :, None]
        length = np.sqrt((wanted * wanted).sum(axis=1))
        most = share[0] / contrast[0] * na + share[1] / contrast[1] * nb
        stretch = np.where(length > 1e-6 * most, contrast.max(axis=0) / np.maximum(length, 1e-300), 0.0)
        wanted = wanted * stretch[:, None]
        wanted, f = (p - p @ weights[:, None] for p in (wanted, f))
        rows.append((2 * (wanted * f) @ weights + c) / ((wanted * wanted + f * f) @ weights + c))
    return float(np.mean(rows))


def fusion_quality(
    ir: Plane, vis: Plane, fused: Plane, *, window: Window = "uniform-8", constants: Constants = (0.0, 0.0)
) -> float:
    return float(np.mean(_piella(ir, vis, fused, window, constants)[0]))


def weighted_fusion_quality(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    window: Window = "uniform-8",
    constants: Constants = (0.0, 0.0),
    image: Literal["levels", "edges"] = "levels",
) -> float:
    planes = (ir, vis, fused) if image == "levels" else tuple(_edges(plane) for plane in (ir, vis, fused))
    similarity, weight = _piella(*planes, window, constants)
    return float((similarity * weight).sum() / weight.sum()) if weight.any() else math.nan


def edge_dependent_fusion_quality(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    window: Window = "uniform-8",
    constants: Constants = (0.0, 0.0),
    alpha: float = 1.0,
) -> float:
    levels = weighted_fusion_quality(ir, vis, fused, window=window, constants=constants)
    edges = weighted_fusion_quality(ir, vis, fused, window=window, constants=constants, image="edges")
    return math.nan if math.isnan(edges) else levels * max(edges, 0.0) ** alpha


def covariance_weighted_similarity(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    window: Window = "uniform-8",
    constants: Constants = (0.0, 0.0),
    outside: Literal["share", "quality"] = "share",
    undefined: Undefined = "half",
) -> float:
    ma, mf, va, vf, caf = _moments(ir, fused, window)
    mb, _, vb, _, cbf = _moments(vis, fused, window)
    share = _share(caf, cbf, undefined)
    low, high = share < 0, share > 1
    if outside == "share":
        share = np.where(low, 0.0, np.where(high, 1.0, share))
    sa = _similarity(ma, mf, va, vf, caf, constants)
    sb = _similarity(mb, mf, vb, vf, cbf, constants)
    with np.errstate(invalid="ignore"):
        value = share * sa + (1 - share) * sb
    if outside == "quality":
        value[low], value[high] = 0.0, 1.0
    return _mean(value, undefined)


def redundancy_aware_similarity(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    window: Window = "uniform-7",
    constants: Constants = (6.5025, 58.5225),
    undefined: Undefined = "half",
) -> float:
    ma, mf, va, vf, caf = _moments(ir, fused, window)
    mb, _, vb, _, cbf = _moments(vis, fused, window)
    cab = _moments(ir, vis, window)[4]
    sab = _similarity(ma, mb, va, vb, cab, constants)
    sa = _similarity(ma, mf, va, vf, caf, constants)
    sb = _similarity(mb, mf, vb, vf, cbf, constants)
    share = _share(va, vb, undefined)
    return _mean(np.where(sab >= 0.75, share * sa + (1 - share) * sb, np.maximum(sa, sb)), undefined)


def _piella(ir: Array, vis: Array, fused: Array, window: Window, constants: Constants) -> tuple[Array, Array]:
    ma, mf, va, vf, caf = _moments(ir, fused, window)
    mb, _, vb, _, cbf = _moments(vis, fused, window)
    share = _share(va, vb, "half")
    sa = _similarity(ma, mf, va, vf, caf, constants)
    sb = _similarity(mb, mf, vb, vf, cbf, constants)
    return share * sa + (1 - share) * sb, np.maximum(va, vb)


def _moments(x: Array, y: Array, window: Window) -> tuple[Array, Array, Array, Array, Array]:
    """Means, variances and the covariance of two planes in every window."""
    x, y = (plane.astype(float) for plane in (x, y))
    size = int(window.rpartition("-")[2])
    if window.startswith("uniform"):
        # Sums of integers are exact, and so is what a flat window leaves of them: nothing.
        count = size * size
        sx, sy, sxx, syy, sxy = (
            sliding_window_view(plane, (size, size)).sum(axis=(2, 3)) for plane in (x, y, x * x, y * y, x * y)
        )
        twice = (count * sxx - sx * sx, count * syy - sy * sy, count * sxy - sx * sy)
        return sx / count, sy / count, twice[0] / count**2, twice[1] / count**2, twice[2] / count**2
    mean = functools.partial(_gaussian_means, window=window)
    mx, my = mean(x), mean(y)
    return mx, my, mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my


def _gaussian_means(plane: Array, window: Window) -> Array:
    half = int(window.rpartition("-")[2]) // 2
    squares = np.arange(-half, half + 1.0) ** 2
    taps = np.exp(-squares / (2 * 1.5**2))
    taps /= taps.sum()
    if window == "repeated-7":
        return correlate1d(correlate1d(plane, np.ones(7), 0, mode="constant"), taps, 1, mode="constant")
    if window == "gaussian-11":
        return correlate1d(correlate1d(plane, taps, 0), taps, 1)[5:-5, 5:-5]
    kernel = np.exp(-(squares[:, None] + squares) / (2 * 1.5**2))
    kernel /= functools.reduce(operator.add, kernel.T.ravel())
    total = np.zeros((plane.shape[0] - 6, plane.shape[1] - 6))
    for j, i in itertools.product(range(6, -1, -1), range(6, -1, -1)):
        total = _fused(plane[i:, j:][: total.shape[0], : total.shape[1]], kernel[i, j], total)
    return total


def _fused(x: Array, w: float, total: Array) -> Array:
    """w x + total with one rounding, for integers x: the products with either half of w are exact."""
    product = w * x
    high = float(np.float32(w))
    rest = (high * x - product) + (w - high) * x
    added = total + product
    part = added - total
    missing = (total - (added - part)) + (product - part)
    once: Array = added + (missing + rest)
    return once


def _single_means(plane: Array) -> Array:
    """As PyTorch: in planes of more than 20480 pixels each product is added with one rounding, in others with two."""
    exponents = -(np.arange(-5, 6, dtype=np.float32) ** 2) / np.float32(4.5)
    taps = np.exp(exponents.astype(float)).astype(np.float32)
    taps /= np.float32(taps.sum(dtype=float))
    wide = float if plane.size > 20480 else np.float32
    for axis in (0, 1):
        samples = np.moveaxis(sliding_window_view(plane, 11, axis=axis), -1, 0)
        plane = np.zeros(samples.shape[1:], np.float32)
        for w, x in zip(taps, samples, strict=True):
            plane = (x.astype(wide) * wide(w) + plane).astype(np.float32)
    return plane


def _similarity(mx: Array, my: Array, vx: Array, vy: Array, cov: Array, constants: Constants) -> Array:
    """SSIM; a factor that is 0/0 is 1."""
    c1, c2 = constants
    with np.errstate(invalid="ignore", divide="ignore"):
        light = (2 * mx * my + c1) / (mx * mx + my * my + c1)
        shape = (2 * cov + c2) / (vx + vy + c2)
    return np.where(np.isnan(light), 1.0, light) * np.where(np.isnan(shape), 1.0, shape)


def _share(x: Array, y: Array, undefined: Undefined) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        share = x / (x + y)
    return np.where(x + y == 0, 0.5, share) if undefined == "half" else share


def _mean(values: Array, undefined: Undefined) -> float:
    return float(np.mean(values[~np.isnan(values)] if undefined == "skip" else values))


def _halved(plane: Array, halving: str) -> Array:
    """Means of two by two pixels: after a last odd row or column comes itself, or a frame of zeros is put around."""
    odd = [side % 2 for side in plane.shape]
    if halving == "symmetric":
        plane = np.pad(plane, [(0, k) for k in odd], mode="edge")
    else:
        plane = np.pad(plane, [(k, k) for k in odd])
    rows, columns = (side // 2 for side in plane.shape)
    plane = plane[: 2 * rows, : 2 * columns]
    blocks = plane[::2, ::2] + plane[::2, 1::2] + plane[1::2, ::2] + plane[1::2, 1::2]
    quarter: Array = blocks / np.float32(4)
    return quarter


def _edges(plane: Plane) -> Array:
    """Sobel magnitudes, borders repeated."""
    p = np.pad(plane, 1, mode="edge").astype(float)
    across = p[:, 2:] - p[:, :-2]
    down = p[2:] - p[:-2]
    return np.hypot(across[:-2] + 2 * across[1:-1] + across[2:], down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:])
