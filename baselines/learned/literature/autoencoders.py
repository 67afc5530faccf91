"""Cards of auto-encoders of the literature, and what their authors' programs do around them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ...card import Plane
from ..methods import stretched
from .entry import Run, network

_DENSEFUSE = "10.1109/TIP.2018.2887342"


@network(
    "densefuse",
    title="DenseFuse, in PyTorch",
    authors="H. Li, X.-J. Wu",
    year=2019,
    doi=_DENSEFUSE,
    summary="An auto-encoder with a dense block, trained to give photographs back. The features of both sources are averaged "
    "between its two halves. The result is close to the plain average of the sources; the images that most papers show "
    "are of densefuse-tf.",
    defaults="the authors' program's, the truncation included; what it calls addition is the mean",
    inside=("strategy",),
)
def densefuse(
    run: Run,
    ir: Plane,
    vis: Plane,
    *,
    strategy: Literal["mean", "l1"] = "mean",
    rounding: Literal["truncate", "round"] = "truncate",
) -> Plane:
    """Fuse by DenseFuse.

    Parameters
    ----------
    strategy : {"mean", "l1"}
        What is done with the features of the sources: their mean, or pixel by pixel in proportion to their l1 norms.
    rounding : {"truncate", "round"}
        How the result becomes whole levels: down, as in the authors' program, or to the nearest.
    """
    return run(ir, vis)


@network(
    "densefuse-rgb",
    title="DenseFuse for images in colour, in PyTorch",
    authors="H. Li, X.-J. Wu",
    year=2019,
    doi=_DENSEFUSE,
    summary="DenseFuse trained on photographs in colour. The infrared source is given to it as a grey image of three equal "
    "channels. Of a grey visible image the luma of the result is kept.",
    defaults="the authors' program's, the truncation included; what it calls addition is the mean",
    inside=("strategy",),
    joint=True,
    color="per-channel",
)
def densefuse_rgb(
    run: Run,
    ir: Plane,
    vis: Plane,
    *,
    strategy: Literal["mean", "l1"] = "mean",
    rounding: Literal["truncate", "round"] = "truncate",
) -> Plane:
    """Fuse by DenseFuse for images in colour.

    Parameters
    ----------
    strategy : {"mean", "l1"}
        What is done with the features of the sources: their mean, or pixel by pixel in proportion to their l1 norms.
    rounding : {"truncate", "round"}
        How the result becomes whole levels: down, as in the authors' program, or to the nearest.
    """
    fused = run(ir, vis)
    return fused if vis.ndim == 3 else fused @ np.array([0.299, 0.587, 0.114])


@network(
    "densefuse-tf",
    title="DenseFuse, in TensorFlow",
    authors="H. Li, X.-J. Wu",
    year=2019,
    doi=_DENSEFUSE,
    summary="An auto-encoder with a dense block, trained to give photographs back. The features of both sources are added "
    "between its two halves. The result is close to the plain average of the sources, stretched to 0..255 by the way "
    "in which the authors' program saves it.",
    defaults="what made the images of the usual comparisons on TNO",
    inside=("strategy",),
    joint=True,
    color="per-channel",
)
def densefuse_tf(
    run: Run,
    ir: Plane,
    vis: Plane,
    *,
    strategy: Literal["add", "l1"] = "add",
    output: Literal["official", "plain"] = "official",
) -> Plane:
    """Fuse by DenseFuse, as first written.

    Parameters
    ----------
    strategy : {"add", "l1"}
        What is done with the features of the sources: their sum, or pixel by pixel in proportion to their l1 norms.
    output : {"official", "plain"}
        Stretch the result, in colour the three channels together, as the authors' program does by its way of saving, or
        leave it as it is (of a sum, half).
    """
    if vis.ndim == 2:
        fused = run(ir, vis)
    else:
        fused = np.stack([run(ir, np.ascontiguousarray(vis[:, :, band])) for band in range(3)], axis=2)
    return stretched(fused) if output == "official" else fused


@network(
    "deepfuse",
    title="DeepFuse, as an auto-encoder",
    authors="K. R. Prabhakar, V. S. Srikar, R. V. Babu",
    year=2017,
    doi="10.1109/ICCV.2017.505",
    summary="Two convolutions, the sum of the features of both sources, and three convolutions back. This is Hui Li's network "
    "after the idea of DeepFuse, trained to give photographs back; papers on infrared and visible images compare with it. "
    "The program that comes with it stretches every result to 0..255.",
    defaults="those of Hui Li's program, the stretching included",
)
def deepfuse(run: Run, ir: Plane, vis: Plane, *, output: Literal["official", "plain"] = "official") -> Plane:
    """Fuse by DeepFuse.

    Parameters
    ----------
    output : {"official", "plain"}
        Stretch the result to 0..255, as the program that comes with the weights does by its way of saving, or leave it
        as it is (half of what the network says, which is a sum).
    """
    fused = run(ir, vis)
    return stretched(fused) if output == "official" else fused


@network(
    "didfuse",
    title="DIDFuse, deep image decomposition",
    authors="Z. Zhao, S. Xu, C. Zhang, J. Liu, J. Zhang, P. Li",
    year=2020,
    doi="10.24963/ijcai.2020/135",
    summary="An encoder takes each source apart into a base and a detail, which training drew together and pushed apart between "
    "the sources. Both are fused by a rule, and so are two layers of features before them. A decoder makes one image of "
    "all.",
    defaults="what made the authors' published images",
    inside=("strategy",),
)
def didfuse(run: Run, ir: Plane, vis: Plane, *, strategy: Literal["add", "mean", "l1"] = "add") -> Plane:
    """Fuse by DIDFuse.

    Parameters
    ----------
    strategy : {"add", "mean", "l1"}
        What is done with the features of the sources: their sum, their mean, or in proportion to their l1 norms around
        each pixel.
    """
    return run(ir, vis)


@network(
    "rfn-nest",
    title="RFN-Nest, residual fusion network",
    authors="H. Li, X.-J. Wu, J. Kittler",
    year=2021,
    doi="10.1016/j.inffus.2021.02.023",
    summary="The auto-encoder of NestFuse, and at each of its four scales a residual network that fuses the features. First the "
    "one was trained to give photographs back, then the others on pairs. Images with a side of more than 512 pixels are "
    "fused as four that overlap a little, and every result is stretched to 0..255.",
    defaults="the authors' program's on CUDA, the stretching and the truncation included",
    inside=("strategy",),
    sees_all=True,
)
def rfn_nest(
    run: Run,
    ir: Plane,
    vis: Plane,
    *,
    strategy: Literal["rfn", "add", "mean", "max", "spatial", "nuclear"] = "rfn",
    output: Literal["official", "plain"] = "official",
    rounding: Literal["truncate", "round"] = "truncate",
) -> Plane:
    """Fuse by RFN-Nest.

    Parameters
    ----------
    strategy : {"rfn", "add", "mean", "max", "spatial", "nuclear"}
        What fuses the features: the trained networks; their sum, mean or maximum; or in proportion to the exponential of
        the mean over the channels of a pixel, or to the nuclear norm of a channel.
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does, or leave it as it is.
    rounding : {"truncate", "round"}
        How it becomes whole levels: down, as in the authors' program, or to the nearest.
    """
    fused = run(ir, vis)
    return stretched(fused, 1e-5) if output == "official" else fused


@network(
    "nestfuse",
    title="NestFuse, nest connection and attention",
    authors="H. Li, X.-J. Wu, T. Durrani",
    year=2020,
    doi="10.1109/TIM.2020.3005230",
    summary="An auto-encoder of four scales, whose decoder joins every scale with all finer ones. Its features are fused by the "
    "mean of two rules, one of which weighs pixels and the other whole channels. Images with a side of more than 512 pixels "
    "are fused as four that overlap a little, and every result is stretched to 0..255.",
    defaults="the authors' program's on CUDA, the stretching and the truncation included",
    inside=("strategy",),
    sees_all=True,
)
def nestfuse(
    run: Run,
    ir: Plane,
    vis: Plane,
    *,
    strategy: Literal["attention-mean", "attention-max", "attention-nuclear"] = "attention-mean",
    output: Literal["official", "plain"] = "official",
    rounding: Literal["truncate", "round"] = "truncate",
) -> Plane:
    """Fuse by NestFuse.

    Parameters
    ----------
    strategy : {"attention-mean", "attention-max", "attention-nuclear"}
        What a whole channel counts: its mean, its largest number, or its nuclear norm.
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does, or leave it as it is.
    rounding : {"truncate", "round"}
        How it becomes whole levels: down, as in the authors' program, or to the nearest.
    """
    fused = run(ir, vis)
    return stretched(fused) if output == "official" else fused


@network(
    "mfeif",
    title="MFEIF, multi-scale features and edge attention",
    authors="J. Liu, X. Fan, J. Jiang, R. Liu, Z. Luo",
    year=2022,
    doi="10.1109/TCSVT.2021.3056725",
    summary="Three branches of different dilation look at each source. Where there are edges is meant to guide how their "
    "deepest features are fused, while the finer ones are averaged with the smaller of both. Few convolutions make an image of "
    "that.",
    defaults="the authors' program's",
)
def mfeif(run: Run, ir: Plane, vis: Plane) -> Plane:
    """Fuse by MFEIF."""
    return run(ir, vis)
