"""Weights of two images by the principal component of their grey levels (Karhunen-Loeve)."""

from __future__ import annotations

import math

from ..card import Plane


def principal_weights(first: Plane, second: Plane) -> tuple[float, float]:
    """Weights, in the ratio of the first principal component of two images and with sum 1.

    Images that go against each other get weights below 0 or above 1.

    Parameters
    ----------
    first, second : ndarray
        Two images of one shape, in the same unit.

    Returns
    -------
    tuple of float
        The weight of the first and of the second. Where no component is longer the first image has all the weight;
        where the second is the first's exact negative, whose weights would be infinite, each has one half.

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.arange(12.0).reshape(3, 4)
    >>> [round(w, 12) for w in principal_weights(ramp, 3 * ramp)]
    [0.25, 0.75]
    """
    a = first - first.mean()
    b = second - second.mean()
    # The factor 1/(N - 1) of a covariance does not turn its axes. Sums, not dot products: those may use every core, and
    # then depend on their number.
    angle = 0.5 * math.atan2(2.0 * float((a * b).sum()), float((a * a).sum()) - float((b * b).sum()))
    along, across = math.cos(angle), math.sin(angle)
    if abs(along + across) < 1e-12:
        return 0.5, 0.5
    return along / (along + across), across / (along + across)
