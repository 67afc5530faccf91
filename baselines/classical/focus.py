"""Multi-focus fusion: every pixel from the source that is in focus there.

Made for photographs that differ in what is sharp. Between infrared and visible images, "sharp" means "more textured":
the visible image usually wins, except for hot targets in front of something smooth, and where the sources
differ in brightness the borders between the two show as steps.
"""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias

import numpy as np

from fusionbench.types import UserError

from ..card import Plane, method
from .boxes import guided_filter
from .filters import correlate, separable

Refine: TypeAlias = Literal["majority", "guided", "none"]

_SECOND_DIFFERENCE: Final = (-1.0, 2.0, -1.0)
_GUIDED_EPS: Final = 10.0**2
"""Variance of the averaged sources, in squared levels, below which the guided filter takes them for flat."""


@method(
    "focus-sf",
    title="Multi-focus fusion by spatial frequency",
    authors="S. Li, J. T. Kwok, Y. Wang",
    year=2001,
    doi="10.1016/S1566-2535(01)00038-0",
    summary="The sources are cut into blocks. Each block comes from the source of higher spatial frequency there, or is "
    "averaged where both are about alike. A majority vote of the 3x3 blocks around corrects single ones.",
    defaults="Blocks of 16 pixels, within the customary 8 to 32, and a threshold of one level; the paper tunes both to its "
    "images.",
    identity=1e-9,
)
def focus_spatial_frequency(ir: Plane, vis: Plane, *, block: int = 16, threshold: float = 1.0) -> Plane:
    """Choose blocks by their spatial frequency.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    block : int
        Side of the blocks in pixels, 2 or more; those at the right and lower border may be smaller. Default: ours.
    threshold : float
        Difference of spatial frequency, in levels a pixel, up to which both blocks count alike and are averaged.
        Default: ours.

    Returns
    -------
    ndarray
        The fused image, (H, W), within 0..255.

    Raises
    ------
    UserError
        If blocks are smaller than 2 pixels, or the threshold is negative or infinite.
    """
    if block < 2 or not 0 <= threshold < math.inf:
        raise UserError(
            f"Blocks need block >= 2 and a finite threshold >= 0, not block={block}, threshold={threshold}."
        )
    advantage = _spatial_frequency(ir, block) - _spatial_frequency(vis, block)
    chosen = _majority_of_blocks(np.where(np.abs(advantage) > threshold, np.sign(advantage), 0.0))
    weight = np.repeat(np.repeat((chosen + 1) / 2, block, axis=0), block, axis=1)[: ir.shape[0], : ir.shape[1]]
    return weight * ir + (1 - weight) * vis


@method(
    "focus-sml",
    title="Multi-focus fusion by the sum of the modified Laplacian",
    authors="W. Huang, Z. Jing",
    year=2007,
    doi="10.1016/j.patrec.2006.09.005",
    summary="Each pixel comes from the source whose second differences, taken absolutely along rows and columns (Nayar and "
    "Nakagawa's modified Laplacian), add up to more around it. The map of choices is cleaned by a majority vote. A "
    "guided filter may soften it.",
    defaults="Step 1 and windows of 9 pixels, within the customary 3 to 9; the majority vote is ours.",
    identity=1e-9,
)
def focus_sum_modified_laplacian(
    ir: Plane, vis: Plane, *, step: int = 1, window: int = 9, refine: Refine = "majority"
) -> Plane:
    """Choose pixels by the sum of their modified Laplacian.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    step : int
        Distance in pixels of the neighbours in a second difference. Default: the customary 1.
    window : int
        Side in pixels, odd, of the windows that sums are taken over. Default: the largest customary.
    refine : {"majority", "guided", "none"}
        What is done to the map of choices: the majority in the same window; that, then a guided filter of the same
        window along the edges of the averaged sources; or nothing, as in the paper.

    Returns
    -------
    ndarray
        The fused image, (H, W), within 0..255.

    Raises
    ------
    UserError
        If step or window is not positive, the window is even, or `refine` is none of the above.
    """
    if step < 1 or window < 1 or window % 2 == 0:
        raise UserError(f"The focus measure needs step >= 1 and an odd window >= 1, not step={step}, window={window}.")
    if refine not in ("majority", "guided", "none"):
        raise UserError(f"There is no way {refine!r} to refine choices: give refine='majority', 'guided' or 'none'.")
    advantage = _modified_laplacian(ir, step, window) - _modified_laplacian(vis, step, window)
    weight = (np.sign(advantage) + 1) / 2
    if refine != "none":
        weight = (np.sign(_window_sum(2 * weight - 1, window)) + 1) / 2
    if refine == "guided":
        weight = np.clip(guided_filter((ir + vis) / 2, weight, window // 2, _GUIDED_EPS), 0.0, 1.0)
    return weight * ir + (1 - weight) * vis


def _spatial_frequency(image: Plane, block: int) -> Plane:
    """Root of the mean squared differences to the left and upper neighbour within each block, by the block's area."""
    height, width = image.shape
    squares = np.zeros_like(image)
    squares[:, 1:] += np.diff(image, axis=1) ** 2
    squares[:, ::block] = 0
    down = np.zeros_like(image)
    down[1:] = np.diff(image, axis=0) ** 2
    down[::block] = 0
    squares += down
    rows, columns = np.arange(0, height, block), np.arange(0, width, block)
    totals = np.add.reduceat(np.add.reduceat(squares, rows, axis=0), columns, axis=1)
    areas = np.outer(np.minimum(block, height - rows), np.minimum(block, width - columns))
    return np.sqrt(totals / areas)


def _majority_of_blocks(chosen: Plane) -> Plane:
    """Overrule a block (1, -1, or 0 for both) where more than half of the 3x3 blocks around choose one source."""
    ones = np.ones(3)
    half = separable(np.ones_like(chosen), ones, ones, "zero") / 2
    for_ir, for_vis = (separable((chosen == side).astype(np.float64), ones, ones, "zero") > half for side in (1, -1))
    return np.select([for_ir, for_vis], [1.0, -1.0], chosen)


def _modified_laplacian(image: Plane, step: int, window: int) -> Plane:
    second = np.zeros((1, 2 * step + 1))
    second[0, ::step] = _SECOND_DIFFERENCE
    across, down = (np.abs(correlate(image, kernel, "replicate")) for kernel in (second, second.T))
    return _window_sum(across + down, window)


def _window_sum(x: Plane, window: int) -> Plane:
    """Plain sums, mirrored at the border: equal neighbourhoods give equal sums, to the last bit."""
    ones = np.ones(window)
    return separable(x, ones, ones, "symmetric")
