"""What became of the colours between a visible image and the fused one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fusionbench.integrity.finding import Finding
from fusionbench.integrity.look import Look

COLOURED: Final = 3.0
"""Mean difference between channels, in levels, above which an image has colours that can be compared.

The palest visible images by night have 1.7 (VIFB), by day 3 (RoadScene)."""
GREY: Final = 0.5
"""Below this it has none: published grey images have 0, whether they are stored as PNG or JPEG."""


def lost(vis: Look, fused: Look) -> Iterator[Finding]:
    """A grey fused image of a visible one in colour: a note, for most papers fuse and score luma."""
    before, after = chroma(vis.levels), chroma(fused.levels)
    if before > COLOURED and after < before / 10:
        says = "has no colour, the visible image has"
        yield fused.finding("colour-lost", "note", says, vis.path, visible=before, fused=after)


def swapped(vis: Look, fused: Look) -> Iterator[Finding]:
    """Red for blue, as OpenCV writes what another library read: R-B goes against that of the visible image.

    Wrong if they correlate below -0.5; published fusions in colour have 0.2 and more. Of fewer than 1024 pixels that
    says nothing.
    """
    if vis.plane.size < 1024 or chroma(vis.levels) <= COLOURED or chroma(fused.levels) <= COLOURED:
        return
    one, two = (_red_less_blue(image.levels) for image in (vis, fused))
    r = float(np.corrcoef(one, two)[0, 1]) if one.std() and two.std() else 0.0
    if r < -0.5:
        says = f"red and blue are swapped (R-B correlates {r:.2f} with that of the visible image): write RGB, not BGR"
        yield fused.finding("colour-swapped", "wrong", says, vis.path, correlation=r)


def false(ir: Look, vis: Look, fused: Look | None = None) -> Iterator[Finding]:
    """Colours where there is nothing coloured to take them from.

    An infrared image in colour beside a grey visible one: painted by a colour map, or the two folders are swapped. A
    fused image in colour of two grey sources: painted, or of another pair.
    """
    if chroma(vis.levels) > GREY:
        return
    warm = chroma(ir.levels)
    if fused is None:
        if warm > COLOURED:
            says = (
                "is in colour while the visible image is grey: is it painted by a colour map, or are the two swapped?"
            )
            yield ir.finding("colour-false", "suspect", says, vis.path, infrared=warm)
    elif warm <= GREY and (found := chroma(fused.levels)) > COLOURED:
        yield fused.finding("colour-false", "suspect", "is in colour, both of its sources are grey", fused=found)


def chroma(levels: NDArray[np.uint8]) -> float:
    """Mean over pixels of the largest channel less the smallest, in levels."""
    if levels.ndim == 2:
        return 0.0
    red, green, blue = (levels[::2, ::2, band] for band in range(3))
    most = np.maximum(np.maximum(red, green), blue)
    return float((most - np.minimum(np.minimum(red, green), blue)).mean())


def _red_less_blue(levels: NDArray[np.uint8]) -> NDArray[np.float32]:
    sampled = levels[::2, ::2].astype(np.float32)
    return (sampled[:, :, 0] - sampled[:, :, 2]).ravel()
