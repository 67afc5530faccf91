"""What Piella's, Cvejic's and Yang's indices share: two similarities in every window, and what they are pooled with."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .card import NotDefined
from .kernels.pooling import MAPS, pool
from .triple import Scene, Triple

Whole: TypeAlias = Literal["uniform-7", "uniform-8", "gaussian-7", "gaussian-11"]
"""Windows of which only whole ones count."""
Window: TypeAlias = Whole | Literal["repeated-7"]
"""And IVIF_ZOO's, which sees black around the images."""
Undefined: TypeAlias = Literal["half", "nan", "skip"]
Constants: TypeAlias = tuple[float, float]

UNIVERSAL: Constants = (0.0, 0.0)
"""No constants: the universal quality index of Wang and Bovik."""
WANG: Constants = (6.5025, 58.5225)
"""Those of SSIM on levels 0..255: (0.01 * 255)^2 and (0.03 * 255)^2."""


class Pooled(NamedTuple):
    """Sums over the windows of one fused image."""

    piella: float
    weighted: float
    weight: float
    cvejic: float
    no_cvejic: float
    yang: float
    no_yang: float


class _Shape(NamedTuple):
    across: NDArray[np.float64]
    down: NDArray[np.float64]
    kernel: NDArray[np.float64]
    total: float
    padding: int


def size_of(window: Window) -> int:
    """Rows, and columns, of a window."""
    return int(window.rpartition("-")[2])


def pooled(
    t: Triple,
    name: str,
    window: Window,
    constants: Constants,
    *,
    edges: bool = False,
    half: bool = True,
    clamp: bool = True,
) -> tuple[Pooled, int]:
    """The sums of a fused image, and the number of windows.

    Parameters
    ----------
    t : Triple
        The images.
    name : str
        The metric that asks, for the sentence that says why it is not defined.
    window : str
        The sliding window.
    constants : tuple of float
        C1 and C2 of the similarity.
    edges : bool
        Whether Sobel magnitudes take the place of the levels.
    half, clamp : bool
        See `kernels.pooling.pool`.

    Raises
    ------
    NotDefined
        If the window does not fit into the images.
    """
    shape, size = _shape(window), size_of(window)
    rows, columns = (side + 2 * shape.padding - size + 1 for side in t.shape)
    if min(rows, columns) < 1:
        raise NotDefined(f"{name}'s window of {size} x {size} does not fit into {t.shape[1]} x {t.shape[0]} pixels")
    key = ("pooled", window, constants, edges, half, clamp)
    sums = t.scene.measure(key, lambda s: _sums(s, shape, constants, edges, half, clamp))
    return Pooled(*map(float, sums[t.index])), rows * columns


def mean_of(total: float, missing: float, windows: int, undefined: Undefined) -> float:
    """Mean over windows, some of which may have no value."""
    if undefined == "skip":
        return total / (windows - missing) if missing < windows else math.nan
    return math.nan if missing else total / windows


def local_quality(t: Triple, which: int, window: Window, constants: Constants) -> NDArray[np.float64]:
    """The local quality of Piella (0), Cvejic (1) or Yang (2) around every pixel, (H, W), borders repeated."""
    shape, size = _shape(window), size_of(window)
    before = (size - 1) // 2
    ir, vis, fused = (np.pad(plane, (before, size - 1 - before), mode="edge") for plane in (t.ir, t.vis, t.fused))
    maps = np.empty((1, MAPS, *t.shape))
    pool(ir, vis, fused[np.newaxis], *shape[:4], *constants, False, True, True, maps)
    return maps[0, which]


def _sums(
    scene: Scene, shape: _Shape, constants: Constants, edges: bool, half: bool, clamp: bool
) -> NDArray[np.float64]:
    planes = [np.pad(plane, shape.padding) for plane in (scene.ir, scene.vis, *scene.fused)]
    nowhere = np.empty((len(scene.fused), MAPS, 0, 0))
    sums: NDArray[np.float64] = pool(
        planes[0], planes[1], np.stack(planes[2:]), *shape[:4], *constants, edges, half, clamp, nowhere
    )
    return sums


def _shape(window: Window) -> _Shape:
    size = size_of(window)
    ones, alone = np.ones(size), np.empty((0, 0))
    if window.startswith("uniform"):
        return _Shape(ones, ones, alone, float(size**2), 0)
    squares = np.arange(-(size // 2), size // 2 + 1.0) ** 2
    if window == "repeated-7":
        taps = np.exp(-squares / (2 * 1.5**2))
        return _Shape(taps / taps.sum(), ones, alone, 1.0, 3)
    kernel = np.exp(-(squares[:, np.newaxis] + squares) / (2 * 1.5**2))
    # Added one after the other, as fspecial does: see `leave_as_octave`.
    kernel /= np.cumsum(kernel.ravel(order="F"))[-1]
    return _Shape(np.ones(1), np.ones(1), kernel, 1.0, 0)
