"""Cards of convolutional networks of the literature, and what their authors' programs do around them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ...card import Plane
from ..methods import stretched
from .entry import Run, network
from .opencv import colour, grey, luma_and_chroma


@network(
    "seafusion",
    title="SeAFusion, semantic-aware",
    authors="L. Tang, J. Yuan, J. Ma",
    year=2022,
    doi="10.1016/j.inffus.2021.12.004",
    summary="Two encoders of dense blocks beside trained gradient filters, and a plain decoder of both. A segmentation network "
    "said during training what the fused image must still show. The authors' program stretches every result to 0..255.",
    defaults="the authors' program's, the stretching of the whole image in colour and the truncation included",
    joint=True,
    color="per-channel",
)
def seafusion(
    run: Run,
    ir: Plane,
    vis: Plane,
    *,
    output: Literal["official", "plain"] = "official",
    rounding: Literal["truncate", "round"] = "truncate",
) -> Plane:
    """Fuse by SeAFusion.

    Parameters
    ----------
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does by its way of saving, or leave it as it is.
    rounding : {"truncate", "round"}
        How it becomes whole levels: down, as in the authors' program, or to the nearest.
    """
    if vis.ndim == 2:
        fused = run(ir, vis)
    else:
        red, green, blue = np.moveaxis(vis / 255, 2, 0)
        luma = np.clip(0.299 * red + 0.587 * green + 0.114 * blue, 0, 1)
        cr, cb = (np.clip((one - luma) * gain, -0.5, 0.5) for one, gain in ((red, 0.713), (blue, 0.564)))
        y = run(ir, luma * 255) / 255
        fused = np.stack([y + 1.403 * cr, y - 0.714 * cr - 0.344 * cb, y + 1.773 * cb], axis=2)
        fused = np.clip(fused, 0, 1) * 255
    return stretched(fused) if output == "official" else fused


@network(
    "tardal",
    title="TarDAL, target-aware dual adversarial learning",
    authors="J. Liu, X. Fan, Z. Huang, G. Wu, R. Liu, W. Zhong, Z. Luo",
    year=2022,
    doi="10.1109/CVPR52688.2022.00571",
    summary="A densely connected network over both sources at once. It was trained to deceive two discriminators, one of which "
    "knows the hot targets of infrared images and the other the details of visible ones. Of the authors' three files of weights "
    "one is for normalisation by each image's own statistics, and the others for that by the statistics of the training.",
    defaults="the authors' program's, in single precision, and with the statistics that they say each file of weights needs",
    inside=("statistics",),
    sees_all=True,
    joint=True,
    color="per-channel",
)
def tardal(run: Run, ir: Plane, vis: Plane, *, statistics: Literal["image", "running"] | None = None) -> Plane:
    """Fuse by TarDAL.

    An image in colour goes through whole levels of Y, Cr and Cb, as in the authors' program; its luma alone does not.

    Parameters
    ----------
    statistics : {"image", "running"}, optional
        Normalise by the statistics of each image, or by those of the training. By default what the weights were made for: the
        former if they say that their training gathered none.
    """
    if vis.ndim == 2:
        return run(ir, vis)
    _, cr, cb = luma_and_chroma(vis)
    return colour(np.floor(np.clip(run(ir, grey(vis)), 0, 255)), cr, cb)


@network(
    "smoa",
    title="SMoA, searched architecture",
    authors="J. Liu, Y. Wu, Z. Huang, R. Liu, X. Fan",
    year=2021,
    doi="10.1109/LSP.2021.3109818",
    summary="An encoder for either source and a decoder, of cells whose operations were searched for. Features that are rare "
    "among all of their source count more where the sources are joined. The authors' program saves as JPEG, which is left out "
    "here.",
    defaults="the authors' program's; the images that they show cannot be made from the weights that they give",
    sees_all=True,
    joint=True,
    color="per-channel",
)
def smoa(run: Run, ir: Plane, vis: Plane, *, rounding: Literal["truncate", "round"] = "truncate") -> Plane:
    """Fuse by SMoA.

    An image in colour goes through whole levels of Y, Cr and Cb, as in the authors' program; its luma alone does not.

    Parameters
    ----------
    rounding : {"truncate", "round"}
        How it becomes whole levels: down, as in the authors' program, or to the nearest.
    """
    if vis.ndim == 2:
        return run(ir, vis)
    y, cr, cb = luma_and_chroma(vis)
    fused = np.clip(run(ir, y), 0, 255)
    return colour(np.floor(fused) if rounding == "truncate" else np.rint(fused), cr, cb)


@network(
    "ifcnn",
    title="IFCNN, general convolutional framework",
    authors="Y. Zhang, Y. Liu, P. Sun, H. Yan, X. Zhao, L. Zhang",
    year=2020,
    doi="10.1016/j.inffus.2019.07.011",
    summary="Four convolutions, the first of which is a ResNet's. After the second the features of the sources are joined by a "
    "rule, for each of which there are weights. Every image counts as one in colour, and a grey result is the luma of three "
    "channels.",
    defaults="those that make the published images; the authors' own script leaves the normalisation out",
    inside=("strategy", "normalisation"),
    joint=True,
    presets={"add": {"weights": "sum", "strategy": "add"}, "mean": {"weights": "mean", "strategy": "mean"}},
)
def ifcnn(
    run: Run,
    ir: Plane,
    vis: Plane,
    *,
    strategy: Literal["max", "add", "mean"] = "max",
    normalisation: Literal["imagenet", "none"] = "imagenet",
    rounding: Literal["truncate", "round"] = "truncate",
) -> Plane:
    """Fuse by IFCNN.

    Parameters
    ----------
    strategy : {"max", "add", "mean"}
        How features are joined: the larger one, their sum or their mean. Each belongs to other weights.
    normalisation : {"imagenet", "none"}
        Give the network levels relative to the mean and deviation of R, G and B in ImageNet, as in its training, or
        not, as in the authors' script for infrared images.
    rounding : {"truncate", "round"}
        How R, G and B become whole levels, also where only their luma is wanted: down, as in the authors' program, or to the
        nearest.
    """
    fused = np.clip(run(ir, vis), 0, 255)
    if vis.ndim == 3:
        return fused
    return grey(np.floor(fused) if rounding == "truncate" else np.rint(fused))


@network(
    "reconet",
    title="ReCoNet, recurrent correction",
    authors="Z. Huang, J. Liu, X. Fan, R. Liu, W. Zhong, Z. Luo",
    year=2022,
    doi="10.1007/978-3-031-19797-0_31",
    summary="Dilated convolutions over both sources and what was fused before, beginning with the larger of the two. The same "
    "small network is applied three times. A second network, which registers the sources before, is left out here.",
    defaults="the authors' program's for sources that are registered",
)
def reconet(run: Run, ir: Plane, vis: Plane) -> Plane:
    """Fuse by ReCoNet."""
    return run(ir, vis)
