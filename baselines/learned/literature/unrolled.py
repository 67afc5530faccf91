"""Cards of unrolled algorithms of the literature, and what their authors' programs do around them."""

from __future__ import annotations

from typing import Literal

from ...card import Plane
from ..methods import stretched
from .entry import Run, network


@network(
    "auif",
    title="AUIF, algorithm unrolling",
    authors="Z. Zhao, S. Xu, J. Zhang, C. Liang, C. Zhang, J. Liu",
    year=2022,
    doi="10.1109/TCSVT.2021.3075745",
    summary="Ten steps of gradient descent to the base of a source and ten to its detail, whose filters were trained. They start "
    "from a blurred image and from its Laplacian. Bases and details of both sources are added and decoded by one "
    "convolution.",
    defaults="what made the authors' published images",
    inside=("strategy",),
)
def auif(run: Run, ir: Plane, vis: Plane, *, strategy: Literal["add", "mean", "l1"] = "add") -> Plane:
    """Fuse by AUIF.

    Parameters
    ----------
    strategy : {"add", "mean", "l1"}
        What is done with the bases and details of the sources: their sum, their mean, or in proportion to their absolute
        values around each pixel.
    """
    return run(ir, vis)


@network(
    "lrrnet",
    title="LRRNet, low-rank representation",
    authors="H. Li, T. Xu, X.-J. Wu, J. Lu, J. Kittler",
    year=2023,
    doi="10.1109/TPAMI.2023.3268209",
    summary="A few steps of an iterative algorithm, whose matrices became trained convolutions, split each source into a "
    "low-rank and a sparse part. Both parts of both sources are joined by convolutions. Sources and result are "
    "stretched to their full range, without which the result would be nearly black.",
    defaults="the authors' program's on CUDA, which made their published images, the truncation included",
)
def lrrnet(
    run: Run,
    ir: Plane,
    vis: Plane,
    *,
    output: Literal["official", "plain"] = "official",
    rounding: Literal["truncate", "round"] = "truncate",
) -> Plane:
    """Fuse by LRRNet.

    Parameters
    ----------
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does, or leave it as it is, too dark to be looked at.
    rounding : {"truncate", "round"}
        How it becomes whole levels: down, as in the authors' program, or to the nearest.
    """
    warm, seen = (stretched(plane, 1e-5) for plane in (ir, vis))
    fused = run(warm, seen)
    return stretched(fused, 255e-5) if output == "official" else fused
