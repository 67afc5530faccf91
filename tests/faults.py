"""Faults to plant in images, for tests of what should find them."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from scipy.ndimage import shift as displaced

Levels = NDArray[np.uint8]


def moved(plane: NDArray[np.generic], down: float, right: float) -> Levels:
    """The image displaced by fractions of a pixel, the border repeated."""
    by = (down, right, 0)[: plane.ndim]
    return np.clip(np.rint(displaced(plane.astype(np.float64), by, order=3, mode="nearest")), 0, 255).astype(np.uint8)


def through_jpeg(image: Levels, quality: int) -> Levels:
    """The image as it comes back from a JPEG file."""
    file = io.BytesIO()
    PIL.Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.array(PIL.Image.open(file))


def stretched(image: Levels) -> Levels:
    """The image with its middle 96 % spread over all levels, after it had been rounded."""
    low, high = np.percentile(image, (2, 98))
    return np.clip(np.rint((image - low) * 255.0 / (high - low)), 0, 255).astype(np.uint8)
