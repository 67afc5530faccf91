"""Cards of networks of the literature with transformers in them, and what their authors' programs do around them."""

from __future__ import annotations

from typing import Literal

from ...card import Plane
from .entry import Run, network


@network(
    "ydtr",
    title="YDTR, Y-shaped dynamic transformer",
    authors="W. Tang, F. He, Y. Liu",
    year=2023,
    doi="10.1109/TMM.2022.3192661",
    summary="One encoder for both sources, whose features are added, and a decoder of the same parts: attention to channels and "
    "to places, then a transformer. The windows of the transformer hold a single token. A token is a run of pixels of one "
    "channel, so that the result depends on how wide the image is.",
    defaults="the authors' program's; the images of VIFB need levels=video",
    sees_all=True,
)
def ydtr(
    run: Run,
    ir: Plane,
    vis: Plane,
    *,
    levels: Literal["full", "video"] = "full",
    rounding: Literal["truncate", "round"] = "truncate",
) -> Plane:
    """Fuse by YDTR.

    Parameters
    ----------
    levels : {"full", "video"}
        Take the result for what it is, or, as whoever made the images of VIFB did, for a luma of 16..235, which is stretched
        to 0..255 on its way to R, G and B.
    rounding : {"truncate", "round"}
        How it becomes whole levels: down, as in the authors' program, or to the nearest.
    """
    fused = run(ir, vis)
    return (fused - 16) * (255 / 219) if levels == "video" else fused


@network(
    "datfuse",
    title="DATFuse, dual attention transformer",
    authors="W. Tang, F. He, Y. Liu, Y. Duan, T. Si",
    year=2023,
    doi="10.1109/TCSVT.2023.3234340",
    summary="Attention to channels and to places before and after a transformer, over both sources at once. The windows of the "
    "transformer hold a single token. A token is a run of pixels of one channel, so that the result depends on how wide the "
    "image is.",
    defaults="the authors' program's",
    sees_all=True,
)
def datfuse(run: Run, ir: Plane, vis: Plane, *, rounding: Literal["truncate", "round"] = "truncate") -> Plane:
    """Fuse by DATFuse.

    Parameters
    ----------
    rounding : {"truncate", "round"}
        How it becomes whole levels: down, as in the authors' program, or to the nearest.
    """
    return run(ir, vis)
