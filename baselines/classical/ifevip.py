"""Infrared feature extraction and visual information preservation (IFEVIP; Zhang, Zhang, Bai, Zhang 2017).

The background of the infrared image, a smooth surface through its local minima, is taken away; what is brighter than it is
added to the visible image, with a share of the difference between the two. The fused image is nowhere darker than the
visible one, so cold targets are lost and bright scenes turn pale. The smoothed background sinks towards black over the
last four pixels of the frame, so that warm borders light up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from fusionbench.types import Levels, UserError

from ..card import Plane, method
from .filters import gaussian, require_positive, separable
from .numeric import u8
from .resizing import resize

# Side of the square on which the background is modelled; a power of two, so that it can be quartered.
_SIDE = 512


@method(
    "ifevip",
    title="Infrared feature extraction and visual information preservation",
    authors="Y. Zhang, L. Zhang, X. Bai, L. Zhang",
    year=2017,
    doi="10.1016/j.infrared.2017.05.007",
    summary="The infrared background is modelled by Bezier surfaces through local minima, on the blocks of a quadtree. "
    "What is brighter than this background, and a share of the difference between infrared and visible by their entropies, "
    "is added to the visible image. The addition is scaled so that few pixels saturate.",
    defaults="The authors' program: smallest block 32, split above 0.2 of the scale, ratio at most 0.8, 0.1 % saturated.",
    presets={"vifb": {}},
    joint=True,
)
def feature_extraction_fusion(
    ir: Plane,
    vis: Plane,
    *,
    smallest_block: int = 32,
    split: float = 0.2,
    smoothing: float = 4.5,
    saturated: float = 0.001,
    largest_ratio: float = 0.8,
) -> Plane:
    """Add what is bright in infrared to the visible image.

    Parameters
    ----------
    ir : ndarray, (H, W)
        Infrared plane, float64 on the scale 0..255.
    vis : ndarray, (H, W) or (H, W, 3)
        Visible image on the same scale. Of colour, all channels get additions on one scale.
    smallest_block : int
        Side of the blocks that are not split any more, and of the windows of the local minima, of 512 (paper: 32).
    split : float
        Range of levels within a block, as a fraction of the full scale, above which it is split (paper: 0.2).
    smoothing : float
        Standard deviation in pixels of the 9 x 9 Gaussian that smooths the background (paper: 4.5).
    saturated : float
        Fraction of the samples whose mean may reach white (authors' program: 0.001).
    largest_ratio : float
        The largest share of the addition that is added (authors' program: 0.8).

    Returns
    -------
    ndarray, shape of `vis`
        float64, 0..255. The addition is rounded to whole levels, as the authors' program does.

    Raises
    ------
    UserError
        If the smallest block is not one of 4..512, or another parameter is not above 0.

    Notes
    -----
    Where the visible image has no entropy, the ratio of entropies counts as 1.

    References
    ----------
    .. [1] Y. Zhang, L. Zhang, X. Bai, L. Zhang, "Infrared and visual image fusion through infrared feature extraction and
       visual information preservation", Infrared Physics & Technology 83, 2017.
    """
    require_positive(split=split, smoothing=smoothing, saturated=saturated, largest_ratio=largest_ratio)
    if not 4 <= smallest_block <= _SIDE:
        raise UserError(f"smallest_block={smallest_block} is out of range: give a side from 4 to {_SIDE} pixels.")
    bright = np.maximum(ir - _background(ir, smallest_block, split, smoothing), 0.0)
    more_informative = _ratio(_entropy(ir), _entropy(vis))
    if vis.ndim == 3:
        ir, bright = ir[..., None], bright[..., None]
    addition = bright + (ir - vis) * more_informative
    share = min(_ratio(255.0, _mean_of_largest(vis + np.maximum(addition, 0.0), saturated)), largest_ratio)
    return np.asarray(np.minimum(vis + u8(share * addition), 255.0))


def _background(ir: Plane, smallest_block: int, split: float, smoothing: float) -> Levels:
    """The infrared image without its bright features."""
    square = resize(u8(ir), (_SIDE, _SIDE), "cubic")
    surface = _bezier_surface(_local_minimum(square, smallest_block), _quadtree(square, smallest_block, split))
    height, width = ir.shape
    taps = gaussian(9, smoothing)
    return u8(separable(resize(surface, (height, width), "cubic"), taps, taps, "zero"))


def _quadtree(square: Levels, smallest: int, split: float) -> Iterator[tuple[int, int, int]]:
    """Side, row and column of the blocks, large ones first, and those of a size column by column."""
    blocks = [(0, 0)]
    side = square.shape[0]
    while blocks:
        quarters = []
        for y, x in blocks:
            block = square[y : y + side, x : x + side]
            if side > smallest and int(block.max()) - int(block.min()) > split * 255.0:
                half = side // 2
                quarters += [(y, x), (y, x + half), (y + half, x), (y + half, x + half)]
            else:
                yield side, y, x
        blocks = sorted(quarters, key=lambda corner: (corner[1], corner[0]))
        side //= 2


def _local_minimum(square: Levels, window: int) -> Plane:
    """Minimum over a window with its centre on its upper left middle, and one row and column more than the image."""
    from scipy.ndimage import minimum_filter

    middle = -1 if window % 2 == 0 else 0
    lowest = minimum_filter(square, size=window, mode="constant", cval=255, origin=middle)
    return np.pad(lowest.astype(np.float64), (0, 1), mode="edge")


def _bezier_surface(minimum: Plane, blocks: Iterator[tuple[int, int, int]]) -> Plane:
    """A bicubic Bezier patch a block, through sixteen of its minima; a patch overwrites the edges of earlier ones."""
    surface = np.zeros_like(minimum)
    for side, y, x in blocks:
        # Not thirds: where the authors' program takes them.
        taken = np.array([0, side // 2 - 1, 3 * side // 4 - 1, side])
        points = minimum[np.ix_(y + taken, x + taken)]
        basis = _bernstein(np.arange(side + 1) / side)
        surface[y : y + side + 1, x : x + side + 1] = basis @ points @ basis.T
    return surface[:-1, :-1]


def _bernstein(u: Plane) -> Plane:
    """The four cubic Bernstein polynomials, (len(u), 4)."""
    v = 1.0 - u
    return np.stack([v * v * v, 3.0 * u * v * v, 3.0 * u * u * v, u * u * u], axis=1)


def _entropy(x: Plane) -> float:
    """Shannon entropy in bits of the 256 levels."""
    share = np.bincount(u8(x).ravel(), minlength=256) / x.size
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def _mean_of_largest(x: Plane, fraction: float) -> float:
    """Mean of so large a fraction of the samples, one at least."""
    count = max(1, math.floor(fraction * x.size + 0.5))
    return float(np.partition(x.ravel(), x.size - count)[-count:].mean())


def _ratio(numerator: float, denominator: float) -> float:
    """A quotient that is 1 where nothing can be divided by."""
    return numerator / denominator if denominator > 0 else 1.0
