"""Metrics of edges and of wavelet details again, slowly; see naive.py."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import numpy as np
import pywt
from numpy.typing import NDArray
from scipy.ndimage import correlate

Plane: TypeAlias = NDArray[np.uint8]
Array: TypeAlias = NDArray[Any]

SOBEL = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
PREWITT = np.array([[1.0, 0.0, -1.0], [1.0, 0.0, -1.0], [1.0, 0.0, -1.0]]) / 3.0
LAPLACE = np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])


def edge_shares(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    form: Literal["modified", "original"] = "modified",
    tested: Literal["fused", "ir"] = "fused",
    floor: float = 0.001,
    divisor: float = 8.0,
    border: Literal["reflect", "zero"] = "reflect",
    orientation: Literal["line", "direction"] = "line",
) -> tuple[float, float, float]:
    """Kept, lost and added, as shares of the weight."""
    strengths, angles = [], []
    for image in (fused, ir, vis) if tested == "fused" else (ir, vis, fused):
        padded = np.pad(image.astype(float), 1, mode="reflect" if border == "reflect" else "constant")
        right = correlate(padded, SOBEL / divisor)[1:-1, 1:-1]
        down = correlate(padded, SOBEL.T / divisor)[1:-1, 1:-1]
        strengths.append(np.sqrt(right**2 + down**2))
        if orientation == "direction":
            angles.append(np.arctan2(right, -down + 2.2e-16))
        else:
            with np.errstate(divide="ignore", invalid="ignore"):
                angles.append(np.where((right == 0) & (down == 0), 0.0, np.arctan(right / down)))
    f, *sources = strengths
    kept, q, w = np.float64(0.0), [], []
    for g, angle in zip(sources, angles[1:], strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(np.minimum(g, f) > 0, np.minimum(g, f) / np.maximum(g, f), 0.0)
        alignment = np.abs(np.abs(angle - angles[0]) - math.pi / 2) * 2.0 / math.pi
        strength = 0.9999 / (1.0 + np.exp(-19.0 * (ratio - 0.5)))
        turn = 0.9995 / (1.0 + np.exp(-22.0 * (alignment - 0.5)))
        q.append(np.sqrt(strength * turn))
        w.append(np.where(g >= 2, g**1.5, floor))
        kept += (q[-1] * w[-1]).sum()
    beyond = (f > sources[0]) & (f > sources[1])
    missing = (1 - q[0]) * w[0] + (1 - q[1]) * w[1]
    added = missing if form == "modified" else (2 - q[0] - q[1]) * (w[0] + w[1])
    with np.errstate(invalid="ignore"):
        whole = (w[0] + w[1]).sum()
        return float(kept / whole), float(missing[~beyond].sum() / whole), float(added[beyond].sum() / whole)


def fusion_artefacts(ir: Plane, vis: Plane, fused: Plane, **keywords: Any) -> float:
    return edge_shares(ir, vis, fused, **keywords)[2]


def fusion_loss(ir: Plane, vis: Plane, fused: Plane) -> float:
    return edge_shares(ir, vis, fused)[1]


def multiscale_detail_agreement(
    ir: Plane, vis: Plane, fused: Plane, *, details: Literal["mean", "sum"] = "mean"
) -> float:
    planes: list[Array] = [image.astype(float) for image in (ir, vis, fused)]
    score = 1.0
    for exponent in (2.0 / 3.0, 1.0 / 3.0):
        carried, weight = np.float64(0.0), np.float64(0.0)
        steps = [pywt.dwt2(p[: p.shape[0] // 2 * 2, : p.shape[1] // 2 * 2], "haar") for p in planes]
        for source in steps[:2]:
            w = sum(d**2 for d in source[1])
            carried += (sum(np.exp(-np.abs(d - f)) for d, f in zip(source[1], steps[2][1], strict=True)) * w).sum()
            weight += w.sum()
        # A flat image has details of rounding alone.
        score *= float(carried / weight) ** exponent if weight > 1e-20 else math.nan
        planes = [step[0] for step in steps]
    return score / 3.0 if details == "mean" else score


def spatial_frequency_error(ir: Plane, vis: Plane, fused: Plane) -> float:
    def differences(image: Plane) -> list[Array]:
        x = image.astype(float)
        return [np.diff(x, axis=0), np.diff(x, axis=1), x[1:, 1:] - x[:-1, :-1], x[1:, :-1] - x[:-1, 1:]]

    weights = (1.0, 1.0, math.sqrt(2) / 2.0, math.sqrt(2) / 2.0)

    def frequency(each: list[Array]) -> np.float64:
        return np.sqrt(sum(w * (d**2).sum() for w, d in zip(weights, each, strict=True)) / fused.size)

    pairs = zip(differences(ir), differences(vis), strict=True)
    reference = frequency([np.maximum(np.abs(a), np.abs(b)) for a, b in pairs])
    own = frequency(differences(fused))
    return float((own - reference) / reference) if reference else math.nan


def edge_preservation(ir: Plane, vis: Plane, fused: Plane) -> float:
    values = []
    f = correlate(fused.astype(float), LAPLACE)[1:-1, 1:-1]
    for source in (ir, vis):
        x = correlate(source.astype(float), LAPLACE)[1:-1, 1:-1]
        dx, df = x - x.mean(), f - f.mean()
        constant = np.ptp(x) == 0 or np.ptp(f) == 0
        values.append(math.nan if constant else float((dx * df).sum() / np.sqrt((dx**2).sum() * (df**2).sum())))
    return sum(values) / 2.0


def forward_definition(
    ir: Plane, vis: Plane, fused: Plane, *, denominator: Literal["inner", "pixels"] = "inner"
) -> float:
    f = fused.astype(float)
    magnitude = np.sqrt((np.diff(f, axis=0)[:, :-1] ** 2 + np.diff(f, axis=1)[:-1] ** 2) / 2.0)
    return float(magnitude.mean()) if denominator == "inner" else float(magnitude.sum() / f.size)


def gradient_similarity_deviation(ir: Plane, vis: Plane, fused: Plane) -> float:
    def magnitude(image: Plane) -> Array:
        rows, columns = image.shape
        even = np.pad(image.astype(float), ((0, rows % 2), (0, columns % 2)))
        half = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4.0
        return np.hypot(correlate(half, PREWITT, mode="constant"), correlate(half, PREWITT.T, mode="constant"))

    f = magnitude(fused)
    similarity = [(2.0 * g * f + 170.0) / (g**2 + f**2 + 170.0) for g in (magnitude(ir), magnitude(vis))]
    return float(np.mean([s.std() for s in similarity]))
