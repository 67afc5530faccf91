"""The step from one scale to the next as SSIM's relatives take it: means of two by two pixels."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Halving: TypeAlias = Literal["symmetric", "zero"]


def halved(plane: NDArray[Any], halving: Halving) -> NDArray[Any]:
    """(H, W) -> means of two by two pixels; float32 stays float32, all else becomes float64.

    Parameters
    ----------
    plane : (H, W)
        The finer scale.
    halving : {"symmetric", "zero"}
        What a last odd row or column is averaged with: itself, to (ceil(H / 2), ceil(W / 2)); or an odd side gets a row of
        zeros before and after it, to (H // 2 + 1, W // 2 + 1).

    Returns
    -------
    (h, w) float32 or float64
        The coarser scale.
    """
    odd = [side % 2 for side in plane.shape]
    if any(odd):
        if halving == "symmetric":
            plane = np.pad(plane, [(0, k) for k in odd], mode="edge")
        else:
            plane = np.pad(plane, [(k, k) for k in odd])
            plane = plane[: plane.shape[0] // 2 * 2, : plane.shape[1] // 2 * 2]
    precision = np.float32 if plane.dtype == np.float32 else np.float64
    total = np.add(plane[::2, ::2], plane[::2, 1::2], dtype=precision)
    total += plane[1::2, ::2]
    total += plane[1::2, 1::2]
    total *= 0.25
    return total
