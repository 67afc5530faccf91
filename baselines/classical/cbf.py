"""Pixel significance by the cross bilateral filter (CBF).

Each source is smoothed where the other one is smooth, and what the smoothing takes away measures how much a pixel
matters: the spread of these details along the rows and columns around it weights the sources themselves. Noise is spread
too, so a noisy source wins flat areas, and the weights change from pixel to pixel, so areas won by one source and by the
other meet in ragged seams.

B. K. Shreyamsha Kumar, Signal, Image and Video Processing, 2015.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..card import Plane, method
from .filters import require_positive
from .kernels import jit


@method(
    "cbf",
    title="Cross bilateral filter",
    authors="B. K. Shreyamsha Kumar",
    year=2015,
    doi="10.1007/s11760-013-0556-9",
    summary="A bilateral filter that takes its range weights from the other source parts each source into a smooth and "
    "a detail image. The spread of the detail along rows and columns around a pixel is its weight. The fused image is "
    "the weighted mean of the sources themselves.",
    defaults="the paper's, which are the authors' code's",
    presets={"vifb": {}},
    identity=1e-6,
)
def cross_bilateral_fusion(
    ir: Plane,
    vis: Plane,
    *,
    sigma_space: float = 1.8,
    sigma_range: float = 25.0,
    radius: int = 5,
    neighbourhood: int = 2,
) -> Plane:
    """Fuse by the significance of the details that a cross bilateral filter finds.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    sigma_space : float
        Standard deviation of the spatial weights, in pixels. The paper's 1.8.
    sigma_range : float
        Standard deviation of the range weights, in levels. The paper's 25.
    radius : int
        The filter's window has 2 radius + 1 pixels a side. The paper's 5 (11 x 11).
    neighbourhood : int
        The window of the significance has 2 neighbourhood + 1 pixels a side. The paper's 2 (5 x 5).

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255, not rounded.

    Raises
    ------
    UserError
        If a parameter is not above 0.
    """
    require_positive(sigma_space=sigma_space, sigma_range=sigma_range, radius=radius, neighbourhood=neighbourhood)
    weight_ir = _significance(_detail(ir, vis, sigma_space, sigma_range, radius), neighbourhood)
    weight_vis = _significance(_detail(vis, ir, sigma_space, sigma_range, radius), neighbourhood)
    fused: Plane = (weight_ir * ir + weight_vis * vis) / (weight_ir + weight_vis)
    return fused


def _detail(image: Plane, guide: Plane, sigma_space: float, sigma_range: float, radius: int) -> Plane:
    """What the cross bilateral filter takes away from the image."""
    rows, columns = image.shape
    x, g = np.pad(image, radius, mode="reflect"), np.pad(guide, radius, mode="reflect")
    removed, weights = np.zeros_like(x), np.ones_like(x)
    # Half of the window: a pixel weighs as much for its neighbour as the neighbour for it.
    for down in range(radius + 1):
        for right in range(-radius if down else 1, radius + 1):
            nearness = math.exp(-(down * down + right * right) / (2.0 * sigma_space**2))
            _compare(x, g, removed, weights, down, right, nearness, sigma_range)
    detail: Plane = (removed / weights)[radius : radius + rows, radius : radius + columns]
    return detail


@jit
def _compare(
    x: Plane, guide: Plane, removed: Plane, weights: Plane, down: int, right: int, nearness: float, sigma_range: float
) -> None:
    """Add the weighted differences between every pixel and its neighbour at (down, right), and the weights."""
    rows, columns = x.shape
    for i in range(rows - down):
        for j in range(max(0, -right), columns - max(0, right)):
            apart = (guide[i + down, j + right] - guide[i, j]) / sigma_range
            weight = nearness * math.exp(-0.5 * apart * apart)
            # Differences, not values: where the image is flat the detail is 0 and not what rounding leaves.
            difference = weight * (x[i, j] - x[i + down, j + right])
            removed[i, j] += difference
            removed[i + down, j + right] -= difference
            weights[i, j] += weight
            weights[i + down, j + right] += weight


def _significance(detail: Plane, radius: int) -> Plane:
    """Sum of the variances of the columns and of the rows of the window around each pixel, never 0."""
    d, side = np.pad(detail, radius, mode="reflect"), 2 * radius + 1
    columns = sliding_window_view(d, side, axis=0).var(axis=-1, ddof=1)
    rows = sliding_window_view(d, side, axis=1).var(axis=-1, ddof=1)
    spread: Plane = sliding_window_view(columns, side, axis=1).sum(-1) + sliding_window_view(rows, side, axis=0).sum(-1)
    spread[spread == 0.0] = np.finfo(np.float64).eps
    return spread
