"""Cards of networks of the literature with transformers in them, and what their authors' programs do around them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ...card import Plane
from ..methods import stretched
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


@network(
    "swinfusion",
    title="SwinFusion, cross-domain long-range learning",
    authors="J. Ma, L. Tang, F. Fan, J. Huang, X. Mei, Y. Ma",
    year=2022,
    doi="10.1109/JAS.2022.105686",
    summary="Swin transformers look at each source alone, then let each ask the other, and at last make one image of both. "
    "They attend within windows of 8 x 8 pixels, which every other block moves by half a window, so that the network "
    "sees 72 pixels far. Images are enlarged to more than whole windows by what is mirrored at their lower and right "
    "borders.",
    defaults="the authors' program's",
)
def swinfusion(run: Run, ir: Plane, vis: Plane) -> Plane:
    """Fuse by SwinFusion."""
    return run(ir, vis)


@network(
    "cddfuse",
    title="CDDFuse, correlation-driven dual-branch decomposition",
    authors="Z. Zhao, H. Bai, J. Zhang, Y. Zhang, S. Xu, Z. Lin, R. Timofte, L. Van Gool",
    year=2023,
    doi="10.1109/CVPR52729.2023.00572",
    summary="One encoder takes each source apart into a base, by a transformer, and a detail, by steps that could be undone. "
    "Both are added over the sources, and a decoder of transformers says how the visible image is to be changed. The "
    "authors' program stretches every result to 0..255.",
    defaults="the authors' program's for infrared and visible images, the stretching included",
    inside=("residual",),
    sees_all=True,
)
def cddfuse(
    run: Run,
    ir: Plane,
    vis: Plane,
    *,
    residual: Literal["visible", "none"] = "visible",
    output: Literal["official", "plain"] = "official",
) -> Plane:
    """Fuse by CDDFuse.

    Parameters
    ----------
    residual : {"visible", "none"}
        What the decoder's result is added to: the visible image, or nothing, as the authors do with medical images.
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does, or leave it as it is.
    """
    fused = run(ir, vis)
    return stretched(fused) if output == "official" else fused


@network(
    "swinfuse",
    title="SwinFuse, residual Swin transformer",
    authors="Z. Wang, Y. Chen, W. Shao, H. Li, L. Zhang",
    year=2022,
    doi="10.1109/TIM.2022.3191664",
    summary="An auto-encoder of Swin transformers, trained to give photographs back, whose features are fused by their mean "
    "absolute values. Of the six blocks of each of its stages the authors' program runs only the first, so that most "
    "of the weights do nothing. Images are fused in squares of 224 pixels, whose seams may be seen, and every result "
    "is stretched to 0..255.",
    defaults="the authors' program's, the stretching and the truncation included, for images of any size",
    sees_all=True,
)
def swinfuse(
    run: Run,
    ir: Plane,
    vis: Plane,
    *,
    output: Literal["official", "plain"] = "official",
    rounding: Literal["truncate", "round"] = "truncate",
) -> Plane:
    """Fuse by SwinFuse.

    Parameters
    ----------
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does, or leave it as it is.
    rounding : {"truncate", "round"}
        How it becomes whole levels: down, as in the authors' program, or to the nearest.
    """
    fused = run(ir, vis)
    return stretched(fused) if output == "official" else fused


@network(
    "defusion",
    title="DeFusion, fusion from decomposition",
    authors="P. Liang, J. Jiang, X. Liu, J. Ma",
    year=2022,
    doi="10.1007/978-3-031-19797-0_41",
    summary="Residual networks find what two images have in common and what each has alone, and fuse them by the sum of all "
    "three. They were trained on pairs of one photograph, each of which had lost other parts of it. The infrared "
    "source is given to them as a picture of three equal channels, and of a grey visible image the luma of the result"
    " is kept.",
    defaults="the authors' program's, the truncation included",
    sees_all=True,
    joint=True,
    color="per-channel",
)
def defusion(run: Run, ir: Plane, vis: Plane, *, rounding: Literal["truncate", "round"] = "truncate") -> Plane:
    """Fuse by DeFusion.

    Parameters
    ----------
    rounding : {"truncate", "round"}
        How the result becomes whole levels: down, as in the authors' program, or to the nearest.
    """
    fused = run(ir, vis)
    return fused if vis.ndim == 3 else fused @ np.array([0.299, 0.587, 0.114])
