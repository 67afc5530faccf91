"""From what somebody's network or program makes, grey or in colour, to the shape of the visible source."""

from __future__ import annotations

import numpy as np

from .card import Plane

BT601 = np.array([0.299, 0.587, 0.114])
"""Parts of R, G and B in the luma."""


def shaped(fused: Plane, vis: Plane) -> Plane:
    """The result in the shape of the visible source.

    Parameters
    ----------
    fused : ndarray
        (H, W) or (H, W, 3).
    vis : ndarray
        Likewise, of the same height and width.

    Returns
    -------
    ndarray
        `fused` if the shapes agree; the luma of one in colour; for one that is grey, `vis` with R, G and B changed by as
        much as its luma differs.
    """
    if fused.shape == vis.shape:
        return fused
    if vis.ndim == 2:
        return fused @ BT601
    return vis + (fused - vis @ BT601)[:, :, np.newaxis]
