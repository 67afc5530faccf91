"""Colour of the fused image: how much there is (CF), and how far it is from that of the colour source (Delta-E).

Both look at the images as they are stored, not at their grey planes. Neither sees whether anything of the infrared image
arrived: a copy of the colour source has the best Delta-E, and oversaturation raises CF.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .card import Colourless, metric
from .kernels.colour import differences, is_grey, lab, opponent_sums
from .triple import Triple

# Linear light of ITU-R BT.709 primaries to XYZ, and its white D65 of the 2-degree observer.
_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_WHITE = np.array([0.95047, 1.0, 1.08883])


@metric(
    "CF",
    title="Colourfulness",
    better="higher",
    range=(0, math.inf),
    sources=False,
    colour=True,
    version=1,
    reference="Hasler, Suesstrunk, Proc. SPIE 5007, 2003, doi:10.1117/12.477378, eq. 3 and section 7 (M3 hat)",
    formula="CF = sqrt(s_rg^2 + s_yb^2) + 0.3 sqrt(m_rg^2 + m_yb^2), rg = R - G, yb = (R + G) / 2 - B, m mean, s deviation",
    standard="The paper's simple estimate on sRGB levels 0..255, with deviations of the whole population of pixels.",
    undefined="Not defined for a fused image that is grey, also where it is stored as RGB. 0 never occurs otherwise.",
    fooled="Any increase of saturation, a colour cast and chroma noise raise it; so does pasting the colour source's "
    "chroma onto whatever luma. It says nothing of whether the colours are right: read it beside Delta-E.",
)
def colourfulness(t: Triple) -> float:
    """How colourful people find the fused image.

    Parameters
    ----------
    t : Triple
        The images, with the fused one in colour.

    Returns
    -------
    float
        0 and up; about 15 is slightly colourful, 45 quite, 80 highly so.
    """
    image = _in_colour(t, "fused")
    if image is None:
        raise Colourless("CF measures colour, and the fused image is grey")
    x, xx, y, yy = (value / image[..., 0].size for value in opponent_sums(image))
    # The kernel's y is twice the paper's.
    spread = (xx - x * x) + (yy - y * y) / 4
    return math.sqrt(max(spread, 0.0)) + 0.3 * math.sqrt(x * x + y * y / 4)


@metric(
    "Delta-E",
    title="Colour difference from the colour source (CIEDE2000)",
    better="lower",
    range=(0, math.inf),
    sources=True,
    colour=True,
    version=1,
    reference="CIE 142-2001; Sharma, Wu, Dalal, Color Res. Appl. 30(1), 2005, doi:10.1002/col.20070, eq. 2-22",
    formula="Delta-E = mean over pixels of CIEDE2000 between the fused image and the colour source, in CIELAB",
    standard="sRGB levels, BT.709 primaries, white D65 of the 2-degree observer, kL = kC = kH = 1, no spatial filter. "
    "The colour source is the visible one or, where only the infrared one has colour, that one. Lightness counts as "
    "it does in the formula.",
    undefined="Not defined where the fused image or both sources are grey, also where they are stored as RGB.",
    fooled="Copying the colour source gives the best value, 0, and nothing of the other source. Since lightness "
    "counts, every hot target that is rightly brighter than in the visible image makes it worse.",
)
def colour_difference(t: Triple) -> float:
    """Mean colour difference between the fused image and the colour source.

    Parameters
    ----------
    t : Triple
        The images, with the fused one and a source in colour.

    Returns
    -------
    float
        0 and up; about 1 is just noticeable in large even patches, black and white are 100 apart.
    """
    return float(colour_difference_map(t).mean())


def colour_difference_map(t: Triple) -> NDArray[np.float64]:
    """CIEDE2000 between the fused image and the colour source in every pixel, (H, W).

    Parameters
    ----------
    t : Triple
        The images, with the fused one and a source in colour.

    Returns
    -------
    (H, W) float64
        0 and up.
    """
    image = _in_colour(t, "fused")
    if image is None:
        raise Colourless("Delta-E compares colours, and the fused image is grey")
    source = t.scene.measure("Lab", lambda _: _source_lab(t))
    if source is None:
        raise Colourless("Delta-E compares with the colours of a source, and both sources are grey")
    return differences(_lab(image), source)


def _in_colour(t: Triple, role: Literal["ir", "vis", "fused"]) -> NDArray[np.uint8] | None:
    """An image as it is stored, (H, W, 3); None if it is grey."""
    image = t.stored(role)
    return None if image.ndim == 2 or is_grey(image) else image


def _source_lab(t: Triple) -> NDArray[np.float64] | None:
    for role in ("vis", "ir"):
        image = _in_colour(t, role)
        if image is not None:
            return _lab(image)
    return None


def _lab(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    level = np.arange(256) / 255.0
    linear = np.where(level > 0.04045, ((level + 0.055) / 1.055) ** 2.4, level / 12.92)
    return lab(image, linear, _TO_XYZ / _WHITE[:, None])
