"""Anisotropic diffusion and the Karhunen-Loeve transform (ADF).

Diffusion that stops at edges parts each source into a smooth base and a detail. The bases are averaged, the details
weighted by their principal component: one pair of weights for the whole image, so a source with strong texture
everywhere wins everywhere, and the averaged bases halve the contrast of a hot target. What lies outside the image
counts as black.

Durga Prasad Bavirisetti and Ravindra Dhuli, IEEE Sensors Journal, 2016.
"""

from __future__ import annotations

import math

import numpy as np

from ..card import Plane, method
from .filters import require_positive
from .kernels import jit
from .memory import kept_for
from .principal import principal_weights


@method(
    "adf",
    title="Anisotropic diffusion and Karhunen-Loeve transform",
    authors="D. P. Bavirisetti, R. Dhuli",
    year=2016,
    doi="10.1109/JSEN.2015.2478655",
    summary="Diffusion that stops at edges parts each source into a base and a detail layer. The details are added "
    "with the weights of their principal component. The bases are averaged.",
    defaults="the paper's, which are the authors' code's",
    presets={"vifb": {}},
    identity=1e-6,
)
def anisotropic_diffusion_fusion(
    ir: Plane, vis: Plane, *, iterations: int = 10, step: float = 0.15, kappa: float = 30.0
) -> Plane:
    """Fuse by anisotropic diffusion and the principal component of the details.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    iterations : int
        Steps of diffusion; more of them move more into the detail. The paper's 10.
    step : float
        Length of a step, stable up to 1/6. The paper's 0.15.
    kappa : float
        Difference of neighbours, in levels, at which conduction has fallen to 1/e. The paper's 30.

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255, not rounded.

    Raises
    ------
    UserError
        If a parameter is not above 0.
    """
    require_positive(iterations=iterations, step=step, kappa=kappa)
    base_ir = _base(ir, iterations, step, kappa)
    base_vis = _base(vis, iterations, step, kappa)
    detail_ir, detail_vis = ir - base_ir, vis - base_vis
    weight_ir, weight_vis = principal_weights(detail_ir, detail_vis)
    fused: Plane = weight_ir * detail_ir + weight_vis * detail_vis + 0.5 * (base_ir + base_vis)
    return fused


@kept_for
def _base(image: Plane, iterations: int, step: float, kappa: float) -> Plane:
    """The image after diffusion."""
    framed = np.pad(image, 1)
    for _ in range(iterations):
        flow = np.zeros_like(framed)
        # Half of the eight neighbours: what one pixel receives, its neighbour gives.
        _exchange(framed, flow, 0, 1, 1.0, kappa)
        _exchange(framed, flow, 1, 0, 1.0, kappa)
        _exchange(framed, flow, 1, 1, 0.5, kappa)
        _exchange(framed, flow, 1, -1, 0.5, kappa)
        framed[1:-1, 1:-1] += step * flow[1:-1, 1:-1]
    return framed[1:-1, 1:-1].copy()


@jit
def _exchange(x: Plane, flow: Plane, down: int, right: int, weight: float, kappa: float) -> None:
    """Let every pixel and its neighbour at (down, right) exchange what the slope between them conducts."""
    rows, columns = x.shape
    for i in range(rows - down):
        for j in range(max(0, -right), columns - max(0, right)):
            difference = x[i + down, j + right] - x[i, j]
            slope = difference / kappa
            given = weight * math.exp(-slope * slope) * difference
            flow[i, j] += given
            flow[i + down, j + right] -= given
