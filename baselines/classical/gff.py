"""Guided-filter fusion (GFF): a smooth layer and a detail layer, each a weighted mean with weights that follow the edges.

Where one source has the stronger local detail it gets the weight, first yes or no, then smoothed by a guided filter
along the edges of that source. It is fast and hardly ever wrong, but a large target without texture has no detail to
be salient by and fades into the visible background.
"""

from __future__ import annotations

from io import BytesIO
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import UserError

from ..card import Plane, method
from .boxes import box_sum, guided_filter
from .filters import correlate, gaussian, pad, require_positive, separable
from .numeric import grey, u8

Winner: TypeAlias = Literal["visible", "infrared"]

_LAPLACIAN: Final = np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
_SALIENCY_TAPS: Final = gaussian(11, 5)
_MEAN_RADIUS: Final = 15
_LITTLE: Final = 1e-12


@method(
    "gff",
    title="Guided-filter fusion",
    authors="S. Li, X. Kang, J. Hu",
    year=2013,
    doi="10.1109/TIP.2013.2244222",
    summary="Splits each source into a 31x31 mean and the detail above it. The source with the larger smoothed Laplacian "
    "wins each pixel, and guided filters of two sizes smooth these decisions along the edges of the sources. The layers "
    "are averaged with these weights, which all channels of a colour image share.",
    defaults="The paper's radii and regularisations (45, 0.3 and 7, 1e-6); ties go to the visible image.",
    presets={"vifb": {"jpeg": 75}},
    joint=True,
    identity=1e-9,
)
def guided_filter_fusion(
    ir: Plane,
    vis: Plane,
    *,
    base_radius: int = 45,
    base_eps: float = 0.3,
    detail_radius: int = 7,
    detail_eps: float = 1e-6,
    tie: Winner = "visible",
    jpeg: int | None = None,
    misplace_infrared: bool = False,
) -> Plane:
    """Fuse two scales with weights that are guided by the sources.

    Parameters
    ----------
    ir : ndarray
        Infrared plane, (H, W), 0..255.
    vis : ndarray
        Visible plane, (H, W), or colour image, (H, W, 3), 0..255.
    base_radius, detail_radius : int
        Radius in pixels of the guided filters that make the weights of the mean and of the detail (paper: 45 and 7).
    base_eps, detail_eps : float
        Their regularisations, as variances of an image on the scale 0..1 (paper: 0.3 and 1e-6).
    tie : {"visible", "infrared"}
        Who wins where both are equally salient, that is, where neither has any detail. The paper says the first image,
        which is the visible one.
    jpeg : int, optional
        Quality at which both sources are compressed once more before they are fused. VIFB hands them over as JPEG
        files of quality 75 with halved chroma.
    misplace_infrared : bool
        The infrared plane overwrites the green channel of the visible image, and a black image takes its own place:
        a fault of VIFB's loader that only meets infrared files of a single channel (its pairs manWalking, running,
        walking2 and walkingnight).

    Returns
    -------
    ndarray
        The shape of `vis`, around 0..255, not rounded.

    Raises
    ------
    UserError
        For an unknown winner of ties, a radius or regularisation that is not above 0, no quality of a JPEG file, or where
        there is no green channel to overwrite.
    """
    require_positive(base_radius=base_radius, base_eps=base_eps, detail_radius=detail_radius, detail_eps=detail_eps)
    if tie not in ("visible", "infrared"):
        raise UserError(f"Ties cannot go to {tie!r}: give tie='visible' or tie='infrared'.")
    if jpeg is not None:
        if not 1 <= jpeg <= 100:
            raise UserError(f"There is no quality jpeg={jpeg}: give a number from 1 to 100.")
        ir, vis = _recompressed(ir, jpeg), _recompressed(vis, jpeg)
    if misplace_infrared:
        if vis.ndim == 2:
            raise UserError(
                "A grey visible image has no green channel to overwrite: leave misplace_infrared=False, or give a colour one."
            )
        vis = np.stack([vis[..., 0], ir, vis[..., 2]], axis=-1)
        ir = np.zeros_like(ir)

    guides = [vis if vis.ndim == 2 else grey(vis).astype(np.float64), ir]
    decisions = _decisions(guides, tie)
    guides = [guide / 255 for guide in guides]
    of_vis, of_ir = _weights(guides, decisions, base_radius, base_eps)
    detail_of_vis, detail_of_ir = _weights(guides, decisions, detail_radius, detail_eps)

    ir_mean = _mean(ir)
    infrared = of_ir * ir_mean + detail_of_ir * (ir - ir_mean)
    fused = np.empty_like(vis)
    for channel in range(1 if vis.ndim == 2 else vis.shape[2]):
        # The last axis of a colour image, all of a plane.
        at = ... if vis.ndim == 2 else (..., channel)
        mean = _mean(vis[at])
        fused[at] = of_vis * mean + detail_of_vis * (vis[at] - mean) + infrared
    return fused


def _recompressed(levels: NDArray[np.float64], quality: int) -> NDArray[np.float64]:
    """The image as it comes back from a JPEG file, (H, W) from a grey one."""
    from PIL import Image

    file = BytesIO()
    Image.fromarray(u8(levels)).save(file, "jpeg", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file), dtype=np.float64)


def _decisions(guides: list[Plane], tie: Winner) -> list[Plane]:
    """1 where an image is the more salient of the two, else 0."""
    visible, infrared = (_saliency(guide) for guide in guides)
    visible_wins = visible >= infrared if tie == "visible" else visible > infrared
    return [visible_wins.astype(np.float64), (~visible_wins).astype(np.float64)]


def _saliency(guide: Plane) -> Plane:
    # Levels, not fractions of 255: so the Laplacian of a flat area is 0 to the last bit, and a tie is one.
    detail = np.abs(correlate(guide, _LAPLACIAN, "replicate"))
    return separable(detail, _SALIENCY_TAPS, _SALIENCY_TAPS, "replicate")


def _weights(guides: list[Plane], decisions: list[Plane], radius: int, eps: float) -> list[Plane]:
    """The decisions smoothed along the edges of the images, in 256 steps, with sum 1."""
    smooth = [guided_filter(guide, decision, radius, eps) for guide, decision in zip(guides, decisions, strict=True)]
    steps = [u8(255 * weight) / 255 + _LITTLE for weight in smooth]
    total = steps[0] + steps[1]
    return [step / total for step in steps]


def _mean(plane: Plane) -> Plane:
    r = _MEAN_RADIUS
    return box_sum(pad(plane, (r, r), (r, r), "replicate"), r)[r:-r, r:-r] / (2 * r + 1) ** 2
