"""What fusing adds and what it loses: artefacts (Nabf) and loss (Labf) of edges.

Each source's edges are compared with those of the fused image, as in Qabf. Where the fused edge is stronger than both
sources', what differs was invented; everywhere else, what differs was lost. With the part that was kept the two make up
everything: kept + Labf + Nabf = 1. Kept is the transfer with the constants and weights of this file; `Qabf`, whose
constants are those of an earlier paper, is near it and not the same number.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .card import NotDefined, metric
from .kernels.artefacts import edge_maps, edge_totals
from .triple import Triple

Border = Literal["reflect", "zero"]
Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]

DIVISOR, FLOOR = 8.0, 0.001


@metric(
    "Nabf",
    title="Fusion artefacts (Petrovic-Xydeas, modified by Shreyamsha Kumar)",
    better="lower",
    range=(0, 1),
    sources=True,
    version=1,
    reference="Shreyamsha Kumar, Signal Image Video Processing 7(6), 2013, doi:10.1007/s11760-012-0361-x; after Petrovic, "
    "Xydeas, ICCV 2005, doi:10.1109/ICCV.2005.175",
    formula="Nabf = sum over gF > gA, gF > gB of ((1 - QAF) wA + (1 - QBF) wB) / sum(wA + wB), QXF = sqrt(Qg Qa), wX = gX^1.5",
    standard="The modified form, the one in use, with which kept + Labf + Nabf = 1; Sobel kernels divided by 8, "
    "borders mirrored, constants 0.9999, 19, 0.5 and 0.9995, 22, 0.5, weight 0.001 where a source's edge is below 2 levels.",
    undefined="None: of flat sources every pixel weighs 0.001. NaN there with floor 0 (IVIF_ZOO): 0/0.",
    fooled="Blurring lowers it: an image without edges invents none and scores 0, as any image does whose edges are weaker than "
    "a source's at every pixel. Noise, sharpening and halos raise it, and so does fused detail that neither source shows. "
    "Weights are the sources' edges, so noise in flat regions hardly counts. In tables of Tang et al. the ranking is inverted.",
)
def fusion_artefacts(
    t: Triple,
    *,
    form: Literal["modified", "original"] = "modified",
    tested: Literal["fused", "ir"] = "fused",
    floor: float = FLOOR,
    divisor: float = DIVISOR,
    border: Border = "reflect",
    orientation: Literal["line", "direction"] = "line",
) -> float:
    """Share of the sources' edges, by weight, beside which the fused image shows a stronger edge of its own.

    Parameters
    ----------
    t : Triple
        The images.
    form : {"modified", "original"}
        ``"original"``: an artefact counts (2 - QAF - QBF)(wA + wB), up to twice as much, and the shares do not add to 1.
    tested : {"fused", "ir"}
        Which image is taken for the fused one. ``"ir"``: the infrared image is, and the fused one is its second source, as
        Tang et al. call their function; a good fused image then has a high score.
    floor : float
        Weight of a pixel whose source has an edge below 2 levels (IVIF_ZOO: 0).
    divisor : float
        What Sobel differences are divided by; 8 makes them levels per pixel (Topanxal: 1, so that the 2 is an eighth of it).
    border : {"reflect", "zero"}
        What lies around the images; ``"zero"`` sees an edge along every bright border (Topanxal).
    orientation : {"line", "direction"}
        Whether the two orientations of an edge are one. ``"direction"``: angles of the full circle, whose differences are
        not wrapped (Topanxal).

    Returns
    -------
    float
        0 to 1 (``"original"``: to 2), or NaN.
    """
    added, _, weight = _shares(
        "Nabf", t, form == "original", tested, floor, divisor, border, orientation == "direction"
    )
    return added / weight if weight else math.nan


@metric(
    "Labf",
    title="Fusion loss (Petrovic-Xydeas)",
    better="lower",
    range=(0, 1),
    sources=True,
    version=1,
    reference="Petrovic, Xydeas, ICCV 2005, doi:10.1109/ICCV.2005.175; constants of Shreyamsha Kumar, Signal Image Video "
    "Processing 7(6), 2013, doi:10.1007/s11760-012-0361-x",
    formula="Labf = sum over all other pixels of ((1 - QAF) wA + (1 - QBF) wB) / sum(wA + wB), Q and w those of Nabf",
    standard="Everything as in Nabf; a pixel whose fused edge is as strong as a source's belongs to the loss, "
    "so that kept + Labf + Nabf = 1.",
    undefined="None: of flat sources every pixel weighs 0.001.",
    fooled="Sharpening and a stretch of the contrast lower it: where a fused edge is stronger than both sources', nothing counts "
    "as lost, only as an artefact; so read it beside Nabf. A copy of one source has the other's loss alone, often less than the "
    "average of the two.",
)
def fusion_loss(t: Triple) -> float:
    """Share of the sources' edges, by weight, that the fused image shows weaker or turned, 0 to 1."""
    _, lost, weight = _shares("Labf", t)
    return lost / weight


def fusion_artefacts_map(t: Triple, *, sigma: float = 2.0) -> NDArray[np.float64]:
    """Share of the edges around every pixel beside which the fused image shows a stronger one of its own, (H, W).

    Parameters
    ----------
    t : Triple
        The images.
    sigma : float
        Standard deviation in pixels of the Gaussian that says what is around; 0 for every pixel on its own.

    Returns
    -------
    (H, W) float64
        0 to 1, with the defaults of `fusion_artefacts`.
    """
    return _map("Nabf", t, sigma)


def fusion_loss_map(t: Triple, *, sigma: float = 2.0) -> NDArray[np.float64]:
    """Share of the edges around every pixel that the fused image shows weaker or turned, (H, W).

    Parameters
    ----------
    t : Triple
        The images.
    sigma : float
        Standard deviation in pixels of the Gaussian that says what is around; 0 for every pixel on its own.

    Returns
    -------
    (H, W) float64
        0 to 1.
    """
    return _map("Labf", t, sigma)


def _map(name: Literal["Nabf", "Labf"], t: Triple, sigma: float) -> NDArray[np.float64]:
    added, lost, weight = edge_maps(_padded(name, t), DIVISOR, FLOOR, False, False)
    share = added if name == "Nabf" else lost
    if sigma:
        from scipy import ndimage

        share, weight = (ndimage.gaussian_filter(plane, sigma, mode="nearest") for plane in (share, weight))
    return share / weight


def _shares(
    name: str,
    t: Triple,
    crossed: bool = False,
    tested: Literal["fused", "ir"] = "fused",
    floor: float = FLOOR,
    divisor: float = DIVISOR,
    border: Border = "reflect",
    directed: bool = False,
) -> tuple[float, float, float]:
    """Sums over all pixels: added, lost, weight."""
    return t.measure(
        ("edge shares", crossed, tested, floor, divisor, border, directed),
        lambda t: edge_totals(_padded(name, t, tested, border), divisor, floor, directed, crossed),
    )


def _padded(name: str, t: Triple, tested: Literal["fused", "ir"] = "fused", border: Border = "reflect") -> Planes:
    if min(t.shape) < 2:
        raise NotDefined(f"{name} compares neighbours, so it needs at least 2 x 2 pixels")
    one, other, fused = (t.ir, t.vis, t.fused) if tested == "fused" else (t.fused, t.vis, t.ir)
    mode: Literal["reflect", "constant"] = "reflect" if border == "reflect" else "constant"
    return np.pad(one, 1, mode=mode), np.pad(other, 1, mode=mode), np.pad(fused, 1, mode=mode)
