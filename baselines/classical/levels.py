"""How often an image may be halved before nothing is left of it."""

from __future__ import annotations

from typing import Final

from fusionbench.types import UserError

from ..card import Plane

COARSEST: Final = 2
"""Shortest side, in pixels, of the smallest image of a pyramid."""


def check_levels(levels: int, image: Plane) -> None:
    """Refuse a number of levels that leaves less than a `COARSEST` image.

    Parameters
    ----------
    levels : int
        How often the image is to be halved.
    image : ndarray, (H, W)
        Any plane.

    Raises
    ------
    UserError
        If the number is not one of 1, 2, ... up to what the shorter side allows.

    Examples
    --------
    >>> import numpy as np
    >>> check_levels(4, np.zeros((32, 47)))
    >>> check_levels(5, np.zeros((32, 47)))
    Traceback (most recent call last):
    ...
    fusionbench.types.UserError: An image of 47 x 32 pixels (width x height) has no 5 levels: give levels=1 to 4.
    """
    most = 0
    while min(image.shape) >= COARSEST << (most + 1):
        most += 1
    if levels not in range(1, most + 1):
        height, width = image.shape
        raise UserError(
            f"An image of {width} x {height} pixels (width x height) has no {levels} levels: give levels=1 to {most}."
        )
