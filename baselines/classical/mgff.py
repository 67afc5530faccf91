"""Multi-scale guided filter fusion (MGFF).

At every level each source is filtered with itself as guide and the other one as input; what a level takes away is its
detail. Details are averaged with their own magnitudes as weights, the last bases half and half. The filter lets edges
of the guide through only as far as the other source has them too, so a base also holds traces of the other source, and
the averaged bases halve the contrast of a hot target on a cold ground.

Durga Prasad Bavirisetti, Gang Xiao, Junhao Zhao, Ravindra Dhuli and Gang Liu, Circuits, Systems, and Signal Processing,
2019.
"""

from __future__ import annotations

import numpy as np

from ..card import Plane, method
from .boxes import guided_filter
from .filters import require_positive


@method(
    "mgff",
    title="Multi-scale guided filter fusion",
    authors="D. P. Bavirisetti, G. Xiao, J. Zhao, R. Dhuli, G. Liu",
    year=2019,
    doi="10.1007/s00034-019-01131-z",
    summary="Guided filters, each with one source as guide and the other as input, take four levels of detail from both. "
    "The details of a level are averaged with their magnitudes as weights. The bases are averaged.",
    defaults="the paper's, which are the authors' code's",
    presets={"vifb": {}},
    identity=1e-6,
)
def multiscale_guided_fusion(ir: Plane, vis: Plane, *, levels: int = 4, radius: int = 9, eps: float = 1000.0) -> Plane:
    """Fuse in several levels of cross-guided filters.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    levels : int
        Number of detail layers. The paper's 4.
    radius : int
        Radius of the windows of the guided filters, in pixels. The paper's 9.
    eps : float
        Variance below which a window counts as flat, in squared levels. The paper's 1000.

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255, not rounded. Where both details of a level are 0 (0/0 in the
        formula) the level adds 0.

    Raises
    ------
    UserError
        If a parameter is not above 0.
    """
    require_positive(levels=levels, radius=radius, eps=eps)
    fused = np.zeros_like(ir)
    for _ in range(levels):
        base_ir = guided_filter(ir, vis, radius, eps)
        base_vis = guided_filter(vis, ir, radius, eps)
        fused += _weigh_by_magnitude(ir - base_ir, vis - base_vis)
        ir, vis = base_ir, base_vis
    fused += (ir + vis) / 2.0
    return fused


def _weigh_by_magnitude(first: Plane, second: Plane) -> Plane:
    """Mean of two details with their magnitudes as weights."""
    of_first, of_second = np.abs(first), np.abs(second)
    total = of_first + of_second
    return np.divide(first * of_first + second * of_second, total, out=np.zeros_like(total), where=total > 0.0)
