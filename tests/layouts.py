"""Small images and folders of them, for tests of whatever reads folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusionbench import images


class Layout(NamedTuple):
    """Where a test's images are."""

    fused: Path
    ir: Path
    vis: Path

    @property
    def options(self) -> list[str]:
        """The words after ``fusionbench score``."""
        return [str(self.fused), "--ir", str(self.ir), "--vis", str(self.vis)]


def picture(seed: int, rows: int = 48, columns: int = 64, *, colour: bool = False) -> NDArray[np.uint8]:
    """An image with edges, slopes and noise; every seed another one."""
    rng = np.random.default_rng(seed)
    shape = (rows, columns, 3) if colour else (rows, columns)
    y, x = np.mgrid[:rows, :columns]
    slope = 90 + 60 * np.sin(x / rng.uniform(4, 9) + y / rng.uniform(5, 11))
    disc = 60 * ((x - rng.uniform(0, columns)) ** 2 + (y - rng.uniform(0, rows)) ** 2 < (rows / 4) ** 2)
    plane = (slope + disc)[..., None] if colour else slope + disc
    return np.clip(plane + rng.normal(0, 12, shape), 0, 255).astype(np.uint8)


def folders(
    root: Path, methods: Sequence[str] = ("average", "noisy"), names: Sequence[str] = ("1", "2", "10")
) -> Layout:
    """``root/ir``, ``root/vis`` and one folder a method in ``root/fused``, all images of one size."""
    layout = Layout(root / "fused", root / "ir", root / "vis")
    for folder in (layout.ir, layout.vis, *(layout.fused / method for method in methods)):
        folder.mkdir(parents=True)
    for k, name in enumerate(names):
        ir, vis = picture(2 * k), picture(2 * k + 1)
        images.write(layout.ir / f"{name}.png", ir)
        images.write(layout.vis / f"{name}.png", vis)
        for m, method in enumerate(methods):
            weighted = ((m + 1) * ir.astype(np.float64) + vis) / (m + 2)
            noise = np.random.default_rng(100 * m + k).normal(0, 4 * m, ir.shape)
            images.write(layout.fused / method / f"{name}.png", np.clip(weighted + noise, 0, 255).astype(np.uint8))
    return layout
