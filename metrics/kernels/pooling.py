"""Two similarities a window, of the fused image to each source, pooled into one number: Piella, Cvejic, Yang."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import jit
from .patches import FUSED, SOURCES, enter, leave, leave_as_octave

Plane = NDArray[np.uint8]
Array = NDArray[np.float64]

SUMS = 7
"""Piella's local quality; it times its weight; the weight; Cvejic's, and windows without; Yang's, and windows without."""
MAPS = 3
"""Local quality of Piella, of Cvejic, of Yang."""


@jit
def _index(mx: float, my: float, vx: float, vy: float, covariance: float, c1: float, c2: float) -> float:
    """SSIM of a window; a factor that is 0 / 0, which needs constants of zero, is 1."""
    light, most = 2.0 * mx * my + c1, mx * mx + my * my + c1
    shape, spread = 2.0 * covariance + c2, vx + vy + c2
    light = 1.0 if (light == 0.0) & (most == 0.0) else light / most
    return light * (1.0 if (shape == 0.0) & (spread == 0.0) else shape / spread)


@jit
def _pool(
    sources: Array, moments: Array, n: float, c1: float, c2: float, half: bool, clamp: bool, total: Array, local: Array
) -> None:
    """One row of windows. Without constants of rounding: n times the mean of squares less the squared sum is exact."""
    unit = 1.0 / (n * n)
    for x in range(total.shape[1]):
        a, b, f = sources[0, x], sources[1, x], moments[0, x]
        va, vb = unit * (n * sources[2, x] - a * a), unit * (n * sources[3, x] - b * b)
        vf = unit * (n * moments[1, x] - f * f)
        cab = unit * (n * sources[4, x] - a * b)
        caf, cbf = unit * (n * moments[2, x] - a * f), unit * (n * moments[3, x] - b * f)
        a, b, f = a / n, b / n, f / n
        sa, sb = _index(a, f, va, vf, caf, c1, c2), _index(b, f, vb, vf, cbf, c1, c2)
        salient = va / (va + vb)
        flat = va + vb == 0.0
        even = 0.5 if flat else salient
        piella = even * sa + (1.0 - even) * sb
        greater = max(va, vb)
        share = caf / (caf + cbf)
        share = 0.5 if half & (caf + cbf == 0.0) else share
        low, high = share < 0.0, share > 1.0
        if clamp:
            share = 0.0 if low else (1.0 if high else share)
        cvejic = share * sa + (1.0 - share) * sb
        if not clamp:
            cvejic = 0.0 if low else (1.0 if high else cvejic)
        salient = 0.5 if half & flat else salient
        alike = _index(a, b, va, vb, cab, c1, c2) >= 0.75
        yang = salient * sa + (1.0 - salient) * sb if alike else max(sa, sb)
        total[0, x] += piella
        total[1, x] += piella * greater
        total[2, x] += greater
        total[3, x] += cvejic if cvejic == cvejic else 0.0
        total[4, x] += 0.0 if cvejic == cvejic else 1.0
        total[5, x] += yang if yang == yang else 0.0
        total[6, x] += 0.0 if yang == yang else 1.0
        local[0, x], local[1, x], local[2, x] = piella, cvejic, yang


@jit
def pool(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    across: Array,
    down: Array,
    kernel: Array,
    n: float,
    c1: float,
    c2: float,
    edges: bool,
    half: bool,
    clamp: bool,
    maps: Array,
) -> Array:
    """Sums over all windows of the three local qualities.

    Parameters
    ----------
    ir, vis : (H, W) uint8
        The sources.
    fused : (k, H, W) uint8
        The fused images.
    across, down : (size,) float64
        Weights of the window along a row and down a column.
    kernel : (7, 7), (11, 11) or (0, 0) float64
        All weights of the window, for `leave_as_octave`; `across` is then a single 1.
    n : float
        Sum of the weights where they are all 1, so that sums stay integers; 1 for weights that are used as they are.
    c1, c2 : float
        The constants of SSIM; with zeros it is the universal quality index.
    edges : bool
        Whether Sobel magnitudes take the place of the levels.
    half : bool
        Whether a share that is 0 / 0 is 1/2; otherwise such a window has no value.
    clamp : bool
        Whether Cvejic's share is kept within 0 and 1; otherwise the local quality is 0 or 1 where it is not.
    maps : (k, 3, h, w) float64
        Where the local qualities go; of h = 0 if nobody wants them.

    Returns
    -------
    (k, 7) float64
        See `SUMS`.
    """
    count, height = fused.shape[0], ir.shape[0]
    direct = kernel.shape[0] > 0
    size = kernel.shape[0] if direct else down.size
    length = ir.shape[1] - across.size + 1
    width = length - size + 1 if direct else length
    ring = np.empty((SOURCES + FUSED * count, size, length))
    moments = np.empty((SOURCES + FUSED * count, width))
    total = np.zeros((count, SUMS, width))
    local = np.empty((MAPS, width))
    for y in range(height):
        enter(ir, vis, fused, y, edges, across, ring)
        top = y - size + 1
        if top < 0:
            continue
        if direct:
            leave_as_octave(ring, top, kernel, moments)
        else:
            leave(ring, top, down, moments)
        for k in range(count):
            first = SOURCES + FUSED * k
            _pool(moments[:SOURCES], moments[first : first + FUSED], n, c1, c2, half, clamp, total[k], local)
            if maps.shape[2] > 0:
                maps[k, :, top] = local
    sums = np.empty((count, SUMS))
    for k in range(count):
        for s in range(SUMS):
            sums[k, s] = total[k, s].sum()
    return sums
