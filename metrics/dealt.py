"""Planes as the windowed kernels read them: dealt into lanes, in bands of columns, all images of a scene together."""

from __future__ import annotations

import math
import threading
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kernels.windows import BAND, LANES, deal

Plane = NDArray[Any]

OVERLAP = 16
"""Columns that a band shares with the next: the widest window, less one."""


class Band(NamedTuple):
    """A vertical strip of a scene."""

    planes: Plane
    """(2 + k, H, 8 * length): ir, vis and the k fused images, dealt."""
    start: int
    step: int
    width: int
    """Of the whole image."""

    def columns(self, size: int) -> int:
        """Positions of a window of `size` columns that begin in this band."""
        return max(0, min(self.step, self.width - size + 1 - self.start))


def bands(planes: Sequence[Plane], memory: Hashable = None) -> Iterator[Band]:
    """The planes of a scene, (H, W) each, dealt; in memory that lasts only to the next band if `memory` names one."""
    height, width = planes[0].shape
    step = -(-width // -(-width // BAND))
    for start in range(0, width, step):
        stop = min(start + step + OVERLAP, width)
        shape = (len(planes), height, -(-(stop - start) // LANES) * LANES)
        dealt = np.empty(shape, planes[0].dtype) if memory is None else buffer(memory, shape)
        for plane, out in zip(planes, dealt, strict=True):
            deal(plane, start, stop, out)
        yield Band(dealt, start, step, width)


_local = threading.local()


def buffer(key: Hashable, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Working memory of this thread, on a cache line, its content undefined.

    The same key gives the same memory again: fresh pages would cost more than what is computed in them.
    """
    kept: dict[Hashable, NDArray[np.float64]] = _local.__dict__.setdefault("kept", {})
    numbers = math.prod(shape)
    if key not in kept or kept[key].size < numbers:
        block = np.zeros(numbers + 8)
        first = (-block.ctypes.data % 64) // 8
        kept[key] = block[first : first + numbers]
    return kept[key][:numbers].reshape(shape)
