"""Weights and images by formula: the same here and where the numbers in ``golden/networks`` were made."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def fill(name: str, shape: Sequence[int], scale: float) -> NDArray[np.float32]:
    """Numbers of size `scale` that depend on a name."""
    phase = zlib.crc32(name.encode()) % 997
    index = np.arange(1, math.prod(shape) + 1, dtype=np.float64)
    return (scale * np.sin(0.37 * index**1.1 + phase)).reshape(shape).astype(np.float32)


def weights(shapes: Mapping[str, Sequence[int]], gain: float = 1.2) -> dict[str, NDArray[np.generic]]:
    """A network's weights, by the names and shapes of its state dict."""
    return {name: _entry(name, tuple(shape), gain) for name, shape in shapes.items()}


def _entry(name: str, shape: tuple[int, ...], gain: float) -> NDArray[np.generic]:
    kind = name.rpartition(".")[2]
    if kind == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if kind == "gamma":
        return np.full(shape, 0.3, np.float32)
    if kind == "running_mean":
        return fill(name, shape, 0.05)
    if kind == "running_var" or (kind == "weight" and len(shape) == 1):
        return 1 + fill(name, shape, 0.2)
    if len(shape) == 1:
        return fill(name, shape, 0.05)
    return fill(name, shape, gain * math.sqrt(2 / math.prod(shape[1:])))


def image(height: int, width: int, k: int) -> NDArray[np.uint8]:
    """A grey image of waves; another one for each k."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    levels = 127.5 + 60 * np.sin(0.21 * x + 0.13 * y * k) + 40 * np.cos(0.07 * x * k - 0.19 * y)
    return np.clip(np.floor(levels + 20 * np.sin(0.9 * x + 1.3 * y + k)), 0, 255).astype(np.uint8)
