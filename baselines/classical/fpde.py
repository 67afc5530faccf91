"""Fourth-order partial differential equations (FPDE).

A flow that flattens curvature, where the curvature is small, leaves a piecewise planar base; the rest is detail. The
bases are averaged, the details weighted by their principal component: one pair of weights for the whole image. The
flow moves grey levels by few pixels, so the detail is fine texture only, and the averaged bases halve the contrast of a
hot target.

Durga Prasad Bavirisetti, Gang Xiao and Gang Liu, FUSION 2017, with the flow of You and Kaveh (2000).
"""

from __future__ import annotations

import numpy as np

from ..card import Plane, method
from .filters import require_positive
from .kernels import jit
from .memory import kept_for
from .numeric import u8
from .principal import principal_weights


@method(
    "fpde",
    title="Fourth-order partial differential equations",
    authors="D. P. Bavirisetti, G. Xiao, G. Liu",
    year=2017,
    doi="10.23919/ICIF.2017.8009719",
    summary="A fourth-order flow parts each source into a piecewise planar base and a detail layer. The details are "
    "added with the weights of their principal component. The bases are averaged.",
    defaults="the paper's; the authors' code also rounds the bases to whole levels (rounded_base)",
    presets={"vifb": {"rounded_base": True}},
    identity=1e-6,
)
def fourth_order_fusion(
    ir: Plane, vis: Plane, *, iterations: int = 15, step: float = 0.9, k: float = 4.0, rounded_base: bool = False
) -> Plane:
    """Fuse by a fourth-order flow and the principal component of the details.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    iterations : int
        Steps of the flow; more of them move more into the detail. The paper's 15.
    step : float
        Length of a step; the flow is stable up to 1. The paper's 0.9.
    k : float
        Curvature, in levels per squared pixel, at which the flow has fallen to one half. The paper's 4.
    rounded_base : bool
        Keep the bases in whole levels, as the authors' code does by the type of its variables: the base is rounded
        before it is taken from the source, and each half of the average of the bases is rounded by itself, which
        brightens the image by up to one level.

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255, not rounded.

    Raises
    ------
    UserError
        If a parameter is not above 0.
    """
    require_positive(iterations=iterations, step=step, k=k)
    base_ir = _base(ir, iterations, step, k)
    base_vis = _base(vis, iterations, step, k)
    if rounded_base:
        base_ir, base_vis = u8(base_ir).astype(np.float64), u8(base_vis).astype(np.float64)
        base = np.minimum(u8(0.5 * base_ir) + u8(0.5 * base_vis).astype(np.float64), 255.0)
    else:
        base = 0.5 * base_ir + 0.5 * base_vis
    detail_ir, detail_vis = ir - base_ir, vis - base_vis
    weight_ir, weight_vis = principal_weights(detail_ir, detail_vis)
    fused: Plane = base + weight_ir * detail_ir + weight_vis * detail_vis
    return fused


@kept_for
def _base(image: Plane, iterations: int, step: float, k: float) -> Plane:
    """The image after the flow."""
    u = image.copy()
    for _ in range(iterations):
        along, down = _slope_along(_slope_along(u)), _slope_down(_slope_down(u))
        _conduct(along, down, k)
        u -= step * (_slope_along(_slope_along(along)) + _slope_down(_slope_down(down)))
    return u


@jit
def _conduct(along: Plane, down: Plane, k: float) -> None:
    """Let the two curvatures flow the less the larger they are together."""
    rows, columns = along.shape
    for i in range(rows):
        for j in range(columns):
            c = 1.0 / (1.0 + (along[i, j] * along[i, j] + down[i, j] * down[i, j]) / (k * k))
            along[i, j] *= c
            down[i, j] *= c


@jit
def _slope_along(x: Plane) -> Plane:
    """Derivative along the rows: central differences, one-sided ones at the two ends."""
    rows, columns = x.shape
    slope = np.empty((rows, columns))
    for i in range(rows):
        slope[i, 0] = x[i, 1] - x[i, 0]
        for j in range(1, columns - 1):
            slope[i, j] = (x[i, j + 1] - x[i, j - 1]) / 2.0
        slope[i, columns - 1] = x[i, columns - 1] - x[i, columns - 2]
    return slope


@jit
def _slope_down(x: Plane) -> Plane:
    """Derivative down the columns, likewise."""
    rows, columns = x.shape
    slope = np.empty((rows, columns))
    for j in range(columns):
        slope[0, j] = x[1, j] - x[0, j]
        slope[rows - 1, j] = x[rows - 1, j] - x[rows - 2, j]
    for i in range(1, rows - 1):
        for j in range(columns):
            slope[i, j] = (x[i + 1, j] - x[i - 1, j]) / 2.0
    return slope
