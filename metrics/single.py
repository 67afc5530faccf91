"""SSIM and VIF as programs that compute in single precision print them.

Where a window sees a flat patch, its variance is the difference of two large equal numbers: nothing but their rounding. With
small constants that rounding is a visible part of the score, so that a program's number can only be met by rounding where it
rounds. These are slow and exist to reproduce, never to compare methods.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fusionbench.types import Levels

from .kernels.single import correlate

Single = NDArray[np.float32]


def similarity(
    source: Levels,
    fused: Levels,
    window: Literal["gaussian-11", "uniform-7", "uniform-11"],
    data_range: float,
    scale: float,
    unbias: float,
) -> float:
    """Mean SSIM over whole windows, all arithmetic on pixels in float32.

    The uniform windows are scikit-image's (CDDFuse), the Gaussian one pytorch-msssim's (IVIF_ZOO), down the columns first.
    """
    x, f = (plane.astype(np.float32) * (scale / 255) for plane in (source, fused))

    def mean(plane: Single) -> Single:
        if window != "gaussian-11":
            size = 7 if window == "uniform-7" else 11
            means: Single = ndimage.uniform_filter(plane, size)[size // 2 : -(size // 2), size // 2 : -(size // 2)]
            return means
        taps = gaussian(np.arange(-5, 6, dtype=np.float32) ** 2, 1.5)
        return correlate(correlate(plane, taps[:, None]), taps[None, :])

    mx, mf = mean(x), mean(f)
    vx, vf, cov = (unbias * (mean(a * b) - p * q) for a, b, p, q in ((x, x, mx, mx), (f, f, mf, mf), (x, f, mx, mf)))
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    ssim = (2 * mx * mf + c1) * (2 * cov + c2) / ((mx * mx + mf * mf + c1) * (vx + vf + c2))
    return float(ssim.mean(dtype=np.float64))


def shifted_fidelities(ir: Levels, vis: Levels, fused: Levels) -> tuple[float, float]:
    """VIF of each source as IVIF_ZOO computes it; NaN for a constant source.

    Its Gaussian is sampled at -n // 2 .. n // 2, which Python rounds down: the window is stretched and half a pixel off its
    centre. Borders are zero at every scale, so that a frame of each scale sees the edge of the image.
    """
    carried, contained = [0.0, 0.0], [0.0, 0.0]
    planes = [plane.astype(np.float32) for plane in (ir, vis, fused)]
    for size in (17, 9, 5, 3):
        half = size // 2
        place = np.linspace(-half - 1, half, size).astype(np.float32)
        kernel = gaussian(place[:, None] ** 2 + place**2, size / 5)

        def mean(plane: Single, kernel: Single = kernel, half: int = half) -> Single:
            smooth: Single = correlate(np.pad(plane, half), kernel)
            return smooth

        if size < 17:
            planes = [np.ascontiguousarray(mean(plane)[::2, ::2]) for plane in planes]
        f = planes[2]
        mf = mean(f)
        variance = np.maximum(mean(f * f) - mf * mf, 0)
        for k, x in enumerate(planes[:2]):
            mx = mean(x)
            vx = np.maximum(mean(x * x) - mx * mx, 0)
            told, held = _information(vx, variance, mean(x * f) - mx * mf)
            carried[k] += told
            contained[k] += held
    ir_part, vis_part = (told / held if held else float("nan") for told, held in zip(carried, contained, strict=True))
    return ir_part, vis_part


def _information(vx: Single, vf: Single, cov: Single) -> tuple[float, float]:
    """Logarithms of the information carried and contained, summed over windows."""
    floor = 1e-10
    gain = cov / (vx + floor)
    rest = vf - gain * cov
    gain[vx < floor], rest[vx < floor] = 0, vf[vx < floor]
    vx[vx < floor] = 0
    gain[vf < floor], rest[vf < floor] = 0, 0
    rest[gain < 0], gain[gain < 0] = vf[gain < 0], 0
    rest = np.maximum(rest, floor)
    carried = np.log10(1 + gain**2 * vx / (rest + 2)).sum(dtype=np.float64)
    return float(carried), float(np.log10(1 + vx / 2).sum(dtype=np.float64))


def gaussian(squares: Single, sigma: float) -> Single:
    """Weights of sum 1 for squared distances from the middle, every step correctly rounded to float32."""
    weights: Single = np.exp((-squares / (2 * sigma**2)).astype(np.float64)).astype(np.float32)
    return weights / weights.sum(dtype=np.float64).astype(np.float32)
