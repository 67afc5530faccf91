"""Feature mutual information (FMI): how well small windows of a feature map of the sources foretell those of the fused image.

Every window of 3 x 3 is read as a distribution over its nine positions, so that only the pattern in it counts, neither
brightness nor contrast. What is flat in both images agrees in full: an image without features scores high, above all
with edges, which most windows have none of.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .card import NotDefined, metric
from .feature_maps import FEATURES, Map, Thinning
from .kernels.coupling import window_information
from .triple import SOURCES, Source, Triple

BAND = 128
"""Rows that are worked on together, so that the map of a large image is never stored."""

_PAPER = (
    "Haghighat, Aghagolzadeh, Seyedarabi, Computers & Electrical Engineering 37(5), 2011, "
    "doi:10.1016/j.compeleceng.2011.07.012; fast form: Haghighat, Razian, AICT 2014, doi:10.1109/ICAICT.2014.7035999"
)
_FORMULA = (
    "FMI = mean over windows of I(a; f) / (H(a) + H(f)) + I(b; f) / (H(b) + H(f)), a, b, f windows of 3 x 3 of {}"
)
_WINDOWS = (
    "As the authors' fast program: windows scaled to a least value of 0 and a sum of 1; joint probability a mixture of the "
    "Fréchet bound and independence that meets the windows' correlation; 1 where two windows are the same or both flat, "
    "0 where one is a single spike or flat, to within rounding. "
)
_ABOVE = "The mixture is not kept between its parts, so that single windows may leave 0..1. "
_SMALL = "None, but images below 3 x 3 pixels have no window."


@metric(
    "FMI_pixel",
    title="Feature mutual information of levels",
    better="higher",
    range=(-np.inf, np.inf),
    sources=True,
    version=1,
    reference=_PAPER,
    formula=_FORMULA.format("the image"),
    standard=_WINDOWS
    + "The feature is the level itself; the fusion codes that print FMI_pixel leave out the argument and get "
    "the edges of FMI_edge.",
    undefined=_SMALL,
    fooled=_ABOVE
    + "A copy of one source has half of the score for certain and beats every fusion that shows both. Brightness and local "
    "contrast are free, so that the noise of a dark source counts as much as the scene of the other: an image of a "
    "quarter of the contrast loses little. Noise, blur and sharpening lower it.",
)
def pixel_information(t: Triple, *, feature: Literal["pixel", "edge"] = "pixel") -> float:
    """Feature mutual information of the levels.

    Parameters
    ----------
    t : Triple
        The images.
    feature : {"pixel", "edge"}
        ``"edge"``: what `edge_information` computes, under the name that Tang et al. and MEFB print it by.

    Returns
    -------
    float
        0 to about 1, which is reached by two equal sources and their copy.

    Examples
    --------
    >>> import numpy as np
    >>> steps = np.arange(64, dtype=np.uint8).reshape(8, 8)
    >>> pixel_information(Triple.of(steps, steps, steps))
    1.0
    """
    return _information(t, "FMI_pixel", "pixel" if feature == "pixel" else "edge, steepest")


@metric(
    "FMI_gradient",
    title="Feature mutual information of gradients",
    better="higher",
    range=(-np.inf, np.inf),
    sources=True,
    version=1,
    reference=_PAPER,
    formula=_FORMULA.format("the horizontal derivative"),
    standard=_WINDOWS
    + "The derivative along rows alone, as the authors' program has it: central differences, one-sided ones "
    "in the first and the last column.",
    undefined=_SMALL,
    fooled=_ABOVE
    + "A copy of one source beats every fusion that shows both, and faint noise of a source counts as much as its strongest "
    "edge. Horizontal edges are not seen at all.",
)
def gradient_information(t: Triple) -> float:
    """Feature mutual information of the horizontal derivative.

    Parameters
    ----------
    t : Triple
        The images.

    Returns
    -------
    float
        0 to about 1.
    """
    return _information(t, "FMI_gradient", "gradient")


@metric(
    "FMI_edge",
    title="Feature mutual information of edges",
    better="higher",
    range=(-np.inf, np.inf),
    sources=True,
    version=1,
    reference=_PAPER,
    formula=_FORMULA.format("the map of Sobel edges, 0 or 1"),
    standard=_WINDOWS
    + "The authors' default feature: MATLAB's edge as it is documented, Sobel, squared gradient above four "
    "times its mean, thinned to one pixel across the edge. Octave's edge thins differently.",
    undefined=_SMALL,
    fooled=_ABOVE
    + "Most windows hold no edge in either image and count as perfect: a grey card without a picture scores nearly what a "
    "fusion does, and all scores lie close together. A copy of one source scores higher than a fusion of both.",
)
def edge_information(t: Triple, *, thinning: Thinning = "steepest") -> float:
    """Feature mutual information of the edges.

    Parameters
    ----------
    t : Triple
        The images.
    thinning : {"steepest", "either"}
        Which pixels of an edge are kept: the largest across the direction in which the image is steeper (MATLAB), or
        those larger than both neighbours in either their row or their column, on levels divided by 255 (Octave).

    Returns
    -------
    float
        0 to about 1.
    """
    return _information(t, "FMI_edge", f"edge, {thinning}")


@metric(
    "FMI_dct",
    title="Feature mutual information of cosine coefficients",
    better="higher",
    range=(-np.inf, np.inf),
    sources=True,
    version=1,
    reference=_PAPER,
    formula=_FORMULA.format("the discrete cosine transform of the whole image"),
    standard=_WINDOWS + "One orthonormal DCT-II of the whole image, as in the authors' program.",
    undefined=_SMALL + " Of a constant image all coefficients but one are rounding.",
    fooled=_ABOVE
    + "A copy of one source scores highest, and the plain average of the sources beats better fusions, since it keeps their "
    "coefficients. A window is a neighbourhood of frequencies, nearly all of them high, and strength does not count: "
    "what is compared is noise and fine texture.",
)
def cosine_information(t: Triple) -> float:
    """Feature mutual information of the coefficients of the discrete cosine transform.

    Parameters
    ----------
    t : Triple
        The images.

    Returns
    -------
    float
        0 to about 1.
    """
    return _information(t, "FMI_dct", "dct")


@metric(
    "FMI_w",
    title="Feature mutual information of wavelet coefficients",
    better="higher",
    range=(-np.inf, np.inf),
    sources=True,
    version=1,
    reference=_PAPER,
    formula=_FORMULA.format("one level of the discrete Meyer wavelet, the four bands side by side"),
    standard=_WINDOWS
    + "PyWavelets' dmey of 62 taps with mirrored borders; MATLAB's has 102 taps, so that its bands are wider "
    "and its values are not the same. The bands are scaled together to 0..1, as in the authors' program: where an image "
    "is flat that decides how the rounding is seen.",
    undefined="None. Where an image is flat over more than 62 x 62 pixels, its details are rounding.",
    fooled=_ABOVE
    + "A copy of one source scores highest, and the plain average of the sources beats better fusions, since it keeps their "
    "coefficients. Three of the four bands are details, each seen without its strength: noise counts for as much as "
    "edges.",
)
def wavelet_information(t: Triple) -> float:
    """Feature mutual information of the coefficients of one level of the discrete Meyer wavelet.

    Parameters
    ----------
    t : Triple
        The images.

    Returns
    -------
    float
        0 to about 1.
    """
    return _information(t, "FMI_w", "wavelet")


def pixel_information_map(t: Triple, source: Source) -> NDArray[np.float64]:
    """Feature mutual information of the levels around every pixel with one source.

    Parameters
    ----------
    t : Triple
        The images.
    source : {"ir", "vis"}
        The source.

    Returns
    -------
    (H, W) float64
        0 to about 1; on the border, that of the nearest whole window.
    """
    return _map(t, source, "FMI_pixel", "pixel")


def gradient_information_map(t: Triple, source: Source) -> NDArray[np.float64]:
    """Feature mutual information of the horizontal derivative around every pixel, as `pixel_information_map`."""
    return _map(t, source, "FMI_gradient", "gradient")


def edge_information_map(t: Triple, source: Source) -> NDArray[np.float64]:
    """Feature mutual information of the edges around every pixel, as `pixel_information_map`."""
    return _map(t, source, "FMI_edge", "edge, steepest")


def _information(t: Triple, name: str, feature: str) -> float:
    first, second = t.measure(("FMI", feature), lambda t: _means(*_maps(t, name, feature)))
    return (first + second) / 2


def _maps(t: Triple, name: str, feature: str) -> tuple[Map, Map, Map]:
    if min(t.shape) < 3 and feature != "wavelet":
        raise NotDefined(f"{name}'s window of 3 x 3 does not fit into {t.shape[1]} x {t.shape[0]} pixels")
    how = FEATURES[feature]
    ir = t.scene.measure(("feature", feature, "ir"), lambda s: how(s.ir))
    vis = t.scene.measure(("feature", feature, "vis"), lambda s: how(s.vis))
    return ir, vis, how(t.fused)


def _means(ir: Map, vis: Map, fused: Map) -> tuple[float, float]:
    """Mean over the windows with each source."""
    rows, columns = fused.shape[0] - 2, fused.shape[1] - 2
    total = np.zeros(2)
    for top in range(0, rows, BAND):
        total += _windows(*(plane[top : top + BAND + 2] for plane in (ir, vis, fused))).sum(axis=(1, 2))
    first, second = total / (rows * columns)
    return float(first), float(second)


def _windows(ir: Map, vis: Map, fused: Map) -> NDArray[np.float64]:
    """Value of every window with each source, (2, H - 2, W - 2)."""
    out = np.empty((2, fused.shape[0] - 2, fused.shape[1] - 2))
    a, b, f = (np.ascontiguousarray(plane, dtype=np.float64) for plane in (ir, vis, fused))
    window_information(a, b, f, out)
    return out


def _map(t: Triple, source: Source, name: str, feature: str) -> NDArray[np.float64]:
    return np.pad(_windows(*_maps(t, name, feature))[SOURCES.index(source)], 1, mode="edge")
