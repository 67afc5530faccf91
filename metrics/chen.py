"""What an eye sees of the sources in the fused image: local contrast kept (Qcb), and visible difference (Qcv).

Both pass the images through the contrast sensitivity of human vision first, so they depend on how large the image is seen.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Levels

from .card import metric
from .kernels.vision import block_saliency, block_squares, contrast_kept, masked_contrast, smooth
from .spectra import plane_of, spectrum_of
from .triple import Source, Triple

Array: TypeAlias = NDArray[np.float64]
Stretch: TypeAlias = Literal["none", "levels", "unit"]

BLOCK = 16
"""Side in pixels of the regions whose visible difference is measured."""


@metric(
    "Qcb",
    title="Contrast preservation (Chen-Blum)",
    better="higher",
    range=(0, 1),
    sources=True,
    version=1,
    reference="Chen, Blum, Image and Vision Computing 27(10), 2009, doi:10.1016/j.imavis.2007.12.002, eq. 8-21",
    formula="Qcb = mean(wA QA + wB QB), QX = min(cX, cF) / max(cX, cF), wX = cX^2 / (cA^2 + cB^2), c = |C|^3 / (C^2 + "
    "0.0001), C = G2 / G4 - 1 of the image as the eye sees it",
    standard="The paper's constants: difference-of-Gaussians sensitivity (15.387, 1.3456, 0.7622), Gaussians of 2 and "
    "4 pixels. The paper leaves the viewing distance open: the image spans 15 degrees, as in Liu's code. Levels as "
    "they are, not stretched.",
    undefined="NaN where an image is black: contrast is relative to the mean around, 0/0.",
    fooled="Only ratios of local contrast count, so overall brightness and a mild gain go unseen, while dark regions, "
    "where a level of noise is much contrast, weigh as much as bright ones. A copy of the source with more contrast "
    "scores high.",
)
def visual_contrast(t: Triple, *, stretch: Stretch = "none", degrees: float = 15.0, guard: float = 0.0) -> float:
    """Share of the sources' visible local contrast that the fused image keeps.

    Parameters
    ----------
    t : Triple
        The images.
    stretch : {"none", "levels", "unit"}
        ``"levels"``: every image is stretched to 0..255 and rounded before (Liu et al., VIFB); ``"unit"``: to 0..1, not
        rounded (IVIF_ZOO).
    degrees : float
        Visual angle that the image spans, in degrees, along both sides. 30 in IVIF_ZOO, which takes frequencies for half of
        what they are.
    guard : float
        Added to the wider mean and to the sum of the weights (IVIF_ZOO: 1e-10).

    Returns
    -------
    float
        0 to 1, or NaN.
    """
    return float(visual_contrast_map(t, stretch=stretch, degrees=degrees, guard=guard).mean())


def visual_contrast_map(t: Triple, *, stretch: Stretch = "none", degrees: float = 15.0, guard: float = 0.0) -> Array:
    """Share of the sources' visible contrast that the fused image keeps around every pixel, (H, W).

    Parameters
    ----------
    t : Triple
        The images.
    stretch, degrees, guard
        As for `visual_contrast`.

    Returns
    -------
    (H, W) float64
        0 to 1; its mean is Qcb.
    """
    sensitivity = t.scene.measure(("Chen-Blum sensitivity", degrees), lambda _: _band_pass(t.shape, degrees))

    def seen(plane: Levels) -> Array:
        eye = _filtered(_stretched(plane, stretch), sensitivity)
        near, far = (smooth(eye, _half_gaussian(sigma)) for sigma in (2.0, 4.0))
        return masked_contrast(near, far, guard)

    def source(which: Source) -> Array:
        key = ("Chen-Blum", which, stretch, degrees, guard)
        return t.scene.measure(key, lambda s: seen(getattr(s, which)))

    return contrast_kept(source("ir"), source("vis"), seen(t.fused), guard)


@metric(
    "Qcv",
    title="Visible difference (Chen-Varshney)",
    better="lower",
    range=(0, math.inf),
    sources=True,
    version=1,
    reference="Chen, Varshney, Information Fusion 8(2), 2007, doi:10.1016/j.inffus.2005.10.001, eq. 1-9",
    formula="Qcv = sum over blocks(lA DA + lB DB) / sum(lA + lB), D = mean square of X - F as the eye sees it, l = "
    "sum of |Sobel|^5",
    standard="Blocks of 16 x 16, Mannos-Sakrison sensitivity with the image spanning 4 degrees, exponent 5, as in "
    "Liu's code. Borders repeated, so that the frame is no edge; a block cut off by the border is averaged over its "
    "own pixels; levels not stretched.",
    undefined="NaN where both sources are flat: 0/0.",
    fooled="The fifth power leaves it to the few blocks with the strongest edges: a copy of whichever source has "
    "these is nearly perfect, whatever is lost elsewhere. Blur that the sensitivity suppresses costs nothing.",
)
def visual_difference(
    t: Triple,
    *,
    stretch: Stretch = "none",
    border: Literal["replicate", "zero"] = "replicate",
    partial: Literal["own", "padded"] = "own",
) -> float:
    """Visible squared difference to the sources, weighted by the saliency of each region.

    Parameters
    ----------
    t : Triple
        The images.
    stretch : {"none", "levels", "unit"}
        As for `visual_contrast`.
    border : {"replicate", "zero"}
        What lies around the images when edges are sought. With zeros (Liu et al., VIFB) the frame of a bright image is
        the strongest edge of all, and the fifth power lets it decide.
    partial : {"own", "padded"}
        Whether the mean over a block that the border cuts off is over its own pixels, or over those of a whole block.

    Returns
    -------
    float
        0 and up, in squared levels; or NaN.
    """
    sensitivity = t.scene.measure("Mannos-Sakrison sensitivity", lambda _: _mannos_sakrison(t.shape))
    rows, columns = (_block_sides(side, partial) for side in t.shape)
    fused = _stretched(t.fused, stretch)
    total = weight = 0.0
    for which in ("ir", "vis"):
        source, saliency = _salient(t, which, stretch, border)
        difference = block_squares(_filtered(source - fused, sensitivity), BLOCK) / (rows[:, None] * columns)
        total += float((saliency * difference).sum())
        weight += float(saliency.sum())
    return total / weight if weight else math.nan


def _salient(t: Triple, which: Source, stretch: Stretch, border: str) -> tuple[Array, Array]:
    def how(plane: Levels) -> tuple[Array, Array]:
        source = _stretched(plane, stretch)
        padded = np.pad(source, 1, mode="edge") if border == "replicate" else np.pad(source, 1)
        return source, block_saliency(padded, BLOCK)

    return t.scene.measure(("Chen-Varshney", which, stretch, border), lambda s: how(getattr(s, which)))


def _block_sides(side: int, partial: str) -> Array:
    whole = np.full(-(-side // BLOCK), float(BLOCK))
    if partial == "own" and side % BLOCK:
        whole[-1] = side % BLOCK
    return whole


def _stretched(plane: Levels, stretch: Stretch) -> Array:
    """A plane of levels as numbers; NaN where it is to be stretched but has one level alone, unless that is black."""
    levels = np.arange(256.0)
    low, high = int(plane.min()), int(plane.max())
    if stretch != "none" and high:
        levels = (levels - low) / (high - low) if high > low else np.full(256, math.nan)
        if stretch == "levels":
            # Half-way goes up, as MATLAB rounds.
            levels = np.floor(levels * 255.0 + 0.5)
    return levels[plane]


def _cycles(shape: tuple[int, int], degrees: float) -> Array:
    """Radial frequency in cycles per degree, on the half spectrum of a plane."""
    rows, columns = shape
    v, u = np.fft.fftfreq(rows, 1 / rows), np.arange(columns // 2 + 1.0)
    return np.hypot(v[:, None], u) / degrees


def _band_pass(shape: tuple[int, int], degrees: float) -> Array:
    r = _cycles(shape, degrees)
    return np.exp(-((r / 15.387) ** 2)) - 0.7622 * np.exp(-((r / 1.3456) ** 2))


def _mannos_sakrison(shape: tuple[int, int]) -> Array:
    r = 0.144 * _cycles(shape, 4.0)
    return 2.6 * (0.0192 + r) * np.exp(-(r**1.1))


def _filtered(plane: Array, response: Array) -> Array:
    spectrum = spectrum_of(plane)
    spectrum *= response
    return plane_of(spectrum, plane.shape[1])


def _half_gaussian(sigma: float) -> Array:
    """Fifteen samples and the middle one of a Gaussian whose integral, not its sum, is 1."""
    half: Array = np.exp(-(np.arange(-15.0, 1.0) ** 2) / (2 * sigma**2)) / (math.sqrt(2 * math.pi) * sigma)
    return half
