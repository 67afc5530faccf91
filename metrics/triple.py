"""What metrics look at: two grey sources, the fused images made of them, and what is measured on them once.

Everything here is 8-bit levels, as published fusion results are stored and scored, so counts and sums are exact integers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Levels

from .dealt import Band, bands
from .kernels.counting import count_joint, dot

Source: TypeAlias = Literal["ir", "vis"]
SOURCES: tuple[Source, Source] = ("ir", "vis")
Counts: TypeAlias = NDArray[np.int64] | NDArray[np.int32]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Moments:
    """Exact sums over pixels of two planes x and y, as integers."""

    n: int
    x: int
    y: int
    xx: int
    yy: int
    xy: int

    @property
    def covariance(self) -> int:
        """n^2 times the population covariance; exact, so nothing cancels."""
        return self.n * self.xy - self.x * self.y

    @property
    def variances(self) -> tuple[int, int]:
        """n^2 times the two population variances."""
        return self.n * self.xx - self.x**2, self.n * self.yy - self.y**2

    @property
    def squared_error(self) -> int:
        """Sum over pixels of (x - y)^2."""
        return self.xx - 2 * self.xy + self.yy


class Scene:
    """Two grey sources and the fused images made of them.

    What depends on the sources alone is computed once, whatever the number of fused images; windowed statistics are
    computed for all of them in one pass. A scene belongs to one thread.

    Parameters
    ----------
    ir, vis : (H, W) uint8
        The sources.
    fused : sequence of (H, W) uint8
        One or more fused images.
    stored : sequence of (H, W) or (H, W, 3) uint8, optional
        ir, vis and the fused images before they became grey, for metrics of colour; by default the planes themselves.
    """

    def __init__(
        self, ir: Levels, vis: Levels, fused: Sequence[Levels], stored: Sequence[NDArray[np.uint8]] | None = None
    ) -> None:
        for plane in (ir, vis, *fused):
            if plane.dtype != np.uint8 or plane.shape != ir.shape or plane.ndim != 2 or plane.size == 0:
                raise ValueError(
                    f"a scene needs planes of uint8 of one size, got {plane.dtype} {plane.shape} beside {ir.shape}"
                )
        self.ir, self.vis = (np.ascontiguousarray(plane) for plane in (ir, vis))
        self.fused = [np.ascontiguousarray(plane) for plane in fused]
        self.stored = [self.ir, self.vis, *self.fused] if stored is None else list(stored)
        self._measured: dict[Hashable, Any] = {}

    @property
    def triples(self) -> list[Triple]:
        """One triple for each fused image, in order."""
        return [Triple(self, index) for index in range(len(self.fused))]

    def measure(self, key: Hashable, how: Callable[[Scene], T]) -> T:
        """`how(self)`, computed once and kept under `key`."""
        if key not in self._measured:
            self._measured[key] = how(self)
        value: T = self._measured[key]
        return value

    def histogram(self, source: Source) -> Counts:
        """Number of pixels at each of the 256 levels of a source."""
        # The joint histogram is needed anyway, and adding it up is quicker than looking at every pixel again.
        joint = self.triples[0].joint_histograms()[0 if source == "ir" else 1]
        return self.measure(("histogram", source), lambda s: joint.sum(axis=1, dtype=np.int64))

    def bands(self) -> list[Band]:
        """All planes as the windowed kernels read them."""
        return self.measure("bands", lambda s: list(bands([s.ir, s.vis, *s.fused])))


class Triple:
    """One fused image with its sources: what a metric is a function of."""

    def __init__(self, scene: Scene, index: int = 0) -> None:
        self.scene = scene
        self.index = index

    @classmethod
    def of(cls, ir: Levels, vis: Levels, fused: Levels, *, stored: Sequence[NDArray[np.uint8]] | None = None) -> Triple:
        """A triple of three planes of uint8 levels, (H, W) each; `stored` as for a `Scene`."""
        return cls(Scene(ir, vis, [fused], stored))

    @property
    def ir(self) -> Levels:
        """Infrared source, (H, W) uint8."""
        return self.scene.ir

    @property
    def vis(self) -> Levels:
        """Visible source, (H, W) uint8."""
        return self.scene.vis

    @property
    def fused(self) -> Levels:
        """Fused image, (H, W) uint8."""
        return self.scene.fused[self.index]

    def stored(self, role: Literal["ir", "vis", "fused"]) -> NDArray[np.uint8]:
        """An image before it became grey, (H, W, 3) or (H, W) uint8."""
        return self.scene.stored[{"ir": 0, "vis": 1, "fused": 2 + self.index}[role]]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.fused.shape
        return rows, columns

    def measure(self, key: Hashable, how: Callable[[Triple], T]) -> T:
        """`how(self)`, computed once for this fused image and kept under `key`."""
        return self.scene.measure((self.index, key), lambda _: how(self))

    def histogram(self) -> Counts:
        """Number of pixels at each of the 256 levels of the fused image."""
        return self.measure("histogram", lambda t: t.joint_histograms()[0].sum(axis=0, dtype=np.int64))

    def joint_histograms(self) -> tuple[Counts, Counts]:
        """Number of pixels at each pair of levels (source, fused), for ir and for vis, (256, 256) each."""
        return self.measure("joint", lambda t: count_joint(t.ir, t.vis, t.fused))

    def moments(self, source: Source) -> Moments:
        """Exact sums over a source (x) and the fused image (y)."""
        return self.measure(("moments", source), lambda t: _moments(t, source))

    def source_moments(self) -> Moments:
        """Exact sums over the infrared (x) and the visible (y) source."""

        def how(s: Scene) -> Moments:
            x, xx = _powers(s.histogram("ir"))
            y, yy = _powers(s.histogram("vis"))
            return Moments(s.ir.size, x, y, xx, yy, dot(s.ir, s.vis))

        return self.scene.measure("source moments", how)


def _powers(histogram: Counts) -> tuple[int, int]:
    level = np.arange(256)
    return int(histogram @ level), int(histogram @ level**2)


def _moments(t: Triple, source: Source) -> Moments:
    x, xx = _powers(t.scene.histogram(source))
    y, yy = _powers(t.histogram())
    return Moments(t.fused.size, x, y, xx, yy, dot(getattr(t, source), t.fused))
