"""A mask of what stands out in an infrared image, for data without masks.

The authors of CoCoNet used masks of their own, which are not to be had. This one marks what is much warmer than most of
the image: people and engines by night, and now and then a sunlit wall.
"""

from __future__ import annotations

import numpy as np

from fusionbench.types import Levels


def warm(ir: Levels) -> Levels:
    """Mark what is warmer than the rest.

    Parameters
    ----------
    ir : Levels
        (H, W).

    Returns
    -------
    Levels
        (H, W): 255 where the level is above Otsu's threshold of all levels above the median, 0 elsewhere.

    Examples
    --------
    >>> warm(np.uint8([[10, 10, 10, 20], [10, 10, 20, 200]])).tolist()
    [[0, 0, 0, 0], [0, 0, 0, 255]]
    """
    counts = np.bincount(ir.ravel(), minlength=256).astype(np.float64)
    counts[: int(np.median(ir)) + 1] = 0
    return np.where(ir > _otsu(counts), 255, 0).astype(np.uint8)


def _otsu(counts: np.ndarray[tuple[int], np.dtype[np.float64]]) -> int:
    """The level that splits a histogram so that the two means are farthest apart, for the size of both parts."""
    below = counts.cumsum()
    above = below[-1] - below
    moment = (counts * np.arange(256)).cumsum()
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = moment / below - (moment[-1] - moment) / above
        spread = np.nan_to_num(below * above * apart**2, nan=-1.0)
    return int(spread.argmax()) if spread.max() > 0 else 255
