"""The two cameras that look at a street: what they make of heat and of light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from fusionbench.datasets.street import Plane, Street


def infrared(s: Street, clear: Plane, noisy: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What a thermal camera makes of the heat: slightly blurred, striped and noisy; and the clear heat without that."""
    height, width = s.heat.shape
    blur = 0.7 * max(1.0, height / 480)
    gain, offset = s.rng.uniform(205, 235), s.rng.uniform(2, 14)
    stripes = s.rng.normal(0, 1.0, (1, width))
    noise = s.rng.normal(0, 1.8, (height, width))
    seen = offset + gain * gaussian_filter(s.heat, blur) + noisy * stripes + noisy * noise
    return _levels(seen), _levels(offset + gain * clear)


def visible(
    s: Street, radiance: Plane, clear: Plane, exposed: float, noisy: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What a colour camera makes of the light: a trace of blur, exposure, noise, and the usual tone curve; and the clear
    light without blur and noise, at the right exposure.
    """
    exposure = s.rng.uniform(1.2, 2.6) if s.night else s.rng.uniform(1.3, 1.7)
    light = 1 - np.exp(-exposed * exposure * gaussian_filter(radiance, (0.45, 0.45, 0)))
    shot, read = (0.006, 0.0012) if s.night else (0.004, 0.002)
    grain = s.rng.standard_normal(light.shape, dtype=np.float32)
    light += noisy * grain * np.sqrt(shot**2 * light * 4 + read**2)
    return _tones(light), _tones(1 - np.exp(-exposure * clear))


def _tones(light: Plane) -> NDArray[np.uint8]:
    return _levels(255 * np.clip(light, 0, 1) ** (1 / 2.2))


def _levels(values: Plane) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return levels
