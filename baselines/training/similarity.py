"""Structural similarity (SSIM) of batches of planes, as each network's training code defines it.

The definitions differ in window, border and constants, and so in their values; they are losses, no metrics, and none of
them is what `fusionbench.metrics` calls SSIM.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

Border: TypeAlias = Literal["constant", "reflect"]


def gaussian(size: int, sigma: float, centre: float, like: Tensor) -> Tensor:
    """Weights of a Gaussian window in one direction.

    Parameters
    ----------
    size : int
        Number of taps.
    sigma : float
        Standard deviation in pixels.
    centre : float
        Index of the largest weight; `(size - 1) / 2` is symmetric.
    like : Tensor
        Gives dtype and device.

    Returns
    -------
    Tensor
        (size,), positive, of sum 1.
    """
    taps = torch.arange(size, dtype=torch.float64) - centre
    weights = torch.exp(-(taps**2) / (2 * sigma**2))
    return (weights / weights.sum()).to(like)


def blur(planes: Tensor, window: Tensor, pad: int, border: Border = "constant") -> Tensor:
    """Weighted local means.

    Parameters
    ----------
    planes : Tensor
        (B, 1, H, W).
    window : Tensor
        (size,), the weights in either direction.
    pad : int
        Pixels added on every side before: zeros, or the image mirrored about its outermost pixels.
    border : {"constant", "reflect"}
        Which of the two.

    Returns
    -------
    Tensor
        (B, 1, H + 2 pad - size + 1, W + 2 pad - size + 1).
    """
    wide = functional.pad(planes, (pad, pad, pad, pad), mode=border)
    return functional.conv2d(functional.conv2d(wide, window.view(1, 1, 1, -1)), window.view(1, 1, -1, 1))


def similarity(
    x: Tensor, y: Tensor, window: Tensor, pad: int, c1: float, c2: float, border: Border = "constant"
) -> tuple[Tensor, Tensor, Tensor]:
    """SSIM map of two batches, and the local means it was made from.

    Parameters
    ----------
    x, y : Tensor
        (B, 1, H, W), any scale.
    window, pad, border
        As for `blur`.
    c1, c2 : float
        The constants that keep flat and dark windows from dividing by zero, on the scale of the planes squared.

    Returns
    -------
    tuple of Tensor
        Map, local means of `x`, local means of `y`: each of the shape that `blur` gives.
    """
    batch = len(x)
    # One pass for all five: short convolutions cost more to start than to compute.
    means = blur(torch.cat([x, y, x * x, y * y, x * y]), window, pad, border)
    mx, my, mxx, myy, mxy = means.split(batch)
    luminance = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
    structure = (2 * (mxy - mx * my) + c2) / ((mxx - mx**2) + (myy - my**2) + c2)
    return luminance * structure, mx, my
