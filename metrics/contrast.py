"""Standard deviation: the plainest measure of contrast. Any stretch of the histogram raises it."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from .card import NotDefined, metric
from .triple import Triple


@metric(
    "SD",
    title="Standard deviation",
    better="higher",
    range=(0, 127.5),
    sources=False,
    version=1,
    reference="Ma, Ma, Li, Information Fusion 45, 2019 (survey), doi:10.1016/j.inffus.2018.02.004, sec. 4.1",
    formula="SD = sqrt(sum (F - mean F)^2 / (M N))",
    standard="Divided by the number of pixels, on levels 0..255, real arithmetic.",
    undefined="None: a constant image has 0. With ddof=1 a single pixel has none.",
    fooled="Any stretch of the histogram, equalisation above all, raises it; so do haze lit from one side, a vignette, "
    "black borders and burnt-out patches. It does not know where the pixels are: a fused image in two halves, black "
    "and white, has the most.",
)
def standard_deviation(t: Triple, *, ddof: int = 0, arithmetic: Literal["real", "uint8"] = "real") -> float:
    """Standard deviation of the levels of the fused image.

    Parameters
    ----------
    t : Triple
        The images.
    ddof : int
        0 divides by the number of pixels, 1 by one less (MATLAB's std2).
    arithmetic : {"real", "uint8"}
        ``"uint8"``: the published tables' saturating bytes, see `saturated_deviation`.

    Returns
    -------
    float
        In levels, 0 to 127.5 (``"uint8"``: to 15.97).

    Examples
    --------
    >>> import numpy as np
    >>> half = np.repeat(np.uint8([[0, 255]]), 8, axis=0)
    >>> standard_deviation(Triple.of(half, half, half))
    127.5
    """
    if arithmetic == "uint8":
        return saturated_deviation(t)
    moments = t.moments("ir")
    n = moments.n
    if n <= ddof:
        raise NotDefined(f"SD with ddof={ddof} needs more than {n} pixel")
    return math.sqrt(moments.variances[1] / (n * (n - ddof)))


def saturated_deviation(t: Triple) -> float:
    """SD as MATLAB computes it when the image stays uint8.

    F - mean F is rounded half away from zero and cut at 0, its square is cut at 255. The result is below sqrt(255) whatever
    the image; it stands in many published tables as values of about 8 to 10.
    """
    counts = t.histogram()
    mean = counts @ np.arange(256) / t.fused.size
    deviation = np.floor(np.maximum(np.arange(256) - mean, 0) + 0.5)
    return math.sqrt(counts @ np.minimum(deviation**2, 255) / t.fused.size)
