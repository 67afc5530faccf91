"""MS-SSIM as PyTorch prints it in single precision; see `single` for why that is worth reproducing.

On an image with large flat parts, scaled twice, single and double precision differ by a tenth of the score.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fusionbench.types import Levels

from .kernels.single import correlate
from .scales import Halving, halved
from .single import Single, gaussian

_ROUNDED = 20480
"""Pixels up to which PyTorch's convolution on a CPU rounds a product before it is added."""


def similarity_of_scales(
    source: Levels, fused: Levels, exponents: Sequence[float], halving: Halving, data_range: float, scale: float
) -> float:
    """MS-SSIM of two planes, all arithmetic on pixels in float32."""
    x, f = (plane.astype(np.float32) * np.float32(scale / 255) for plane in (source, fused))
    c1, c2 = np.float32((0.01 * data_range) ** 2), np.float32((0.03 * data_range) ** 2)
    factors = []
    for place in range(len(exponents)):
        if place:
            x, f = halved(x, halving), halved(f, halving)
        mx, mf = _mean(x), _mean(f)
        vx, vf, cov = _mean(x * x) - mx * mx, _mean(f * f) - mf * mf, _mean(x * f) - mx * mf
        similarity = (2 * cov + c2) / (vx + vf + c2)
        if place == len(exponents) - 1:
            similarity *= (2 * mx * mf + c1) / (mx * mx + mf * mf + c1)
        factors.append(max(float(similarity.mean(dtype=np.float64)), 0.0))
    return math.prod(factor**exponent for factor, exponent in zip(factors, exponents, strict=True))


def _mean(plane: Single) -> Single:
    taps = gaussian(np.arange(-5, 6, dtype=np.float32) ** 2, 1.5)
    if plane.size > _ROUNDED:
        return correlate(correlate(plane, taps[:, None]), taps[None, :])
    down = np.zeros((plane.shape[0] - taps.size + 1, plane.shape[1]), np.float32)
    for k, w in enumerate(taps):
        down += w * plane[k : k + down.shape[0]]
    means = np.zeros((down.shape[0], plane.shape[1] - taps.size + 1), np.float32)
    for k, w in enumerate(taps):
        means += w * down[:, k : k + means.shape[1]]
    return means
