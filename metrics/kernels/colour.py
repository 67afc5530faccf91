"""Colour: sums over opponent channels, coordinates in CIELAB, and differences between them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import jit

Pixels = NDArray[np.uint8]
Array = NDArray[np.float64]


@jit
def opponent_sums(image: Pixels) -> tuple[int, int, int, int]:
    """Exact sums of x = R - G, x^2, y = R + G - 2 B and y^2 over the pixels of (H, W, 3)."""
    x = xx = y = yy = 0
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            red, green, blue = image[row, column]
            across = int(red) - int(green)
            along = int(red) + int(green) - 2 * int(blue)
            x += across
            xx += across * across
            y += along
            yy += along * along
    return x, xx, y, yy


@jit
def is_grey(image: Pixels) -> bool:
    """Whether R = G = B in every pixel of (H, W, 3)."""
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            red, green, blue = image[row, column]
            if red != green or green != blue:
                return False
    return True


@jit
def _bent(t: float) -> float:
    """The cube root of CIELAB, with its straight piece near black."""
    return np.cbrt(t) if t > 0.008856 else 7.787 * t + 16.0 / 116.0


@jit
def lab(image: Pixels, linear: Array, matrix: Array) -> Array:
    """Lightness, a and b of (H, W, 3), in three planes.

    `linear` holds the light of each level, `matrix` takes linear RGB to XYZ over that of white.
    """
    height, width = image.shape[:2]
    out = np.empty((3, height, width))
    for row in range(height):
        for column in range(width):
            red, green, blue = image[row, column]
            r, g, b = linear[red], linear[green], linear[blue]
            x = _bent(matrix[0, 0] * r + matrix[0, 1] * g + matrix[0, 2] * b)
            y = _bent(matrix[1, 0] * r + matrix[1, 1] * g + matrix[1, 2] * b)
            z = _bent(matrix[2, 0] * r + matrix[2, 1] * g + matrix[2, 2] * b)
            out[0, row, column] = 116.0 * y - 16.0
            out[1, row, column] = 500.0 * (x - y)
            out[2, row, column] = 200.0 * (y - z)
    return out


_CLIFF = 25.0**7


@jit
def _steep(chroma: float) -> float:
    seventh = chroma * chroma * chroma
    seventh *= seventh * chroma
    return math.sqrt(seventh / (seventh + _CLIFF))


@jit
def differences(first: Array, second: Array) -> Array:
    """CIEDE2000 between two images in CIELAB, (3, H, W) each; as CIE 142-2001 writes it, with kL = kC = kH = 1."""
    _, height, width = first.shape
    out = np.empty((height, width))
    for row in range(height):
        for column in range(width):
            light_1, a_1, b_1 = first[0, row, column], first[1, row, column], first[2, row, column]
            light_2, a_2, b_2 = second[0, row, column], second[1, row, column], second[2, row, column]
            mean = (math.sqrt(a_1 * a_1 + b_1 * b_1) + math.sqrt(a_2 * a_2 + b_2 * b_2)) / 2.0
            scale = 1.5 - 0.5 * _steep(mean)
            a_1, a_2 = scale * a_1, scale * a_2
            chroma_1, chroma_2 = math.sqrt(a_1 * a_1 + b_1 * b_1), math.sqrt(a_2 * a_2 + b_2 * b_2)
            chroma = (chroma_1 + chroma_2) / 2.0
            # The angle from the first hue to the second, and the hue half-way on the shorter arc.
            angle_1 = math.atan2(b_1, a_1)
            turn = math.atan2(b_2, a_2) - angle_1
            if turn > math.pi:
                turn -= 2.0 * math.pi
            elif turn < -math.pi:
                turn += 2.0 * math.pi
            hue = angle_1 + turn / 2.0
            if hue < 0.0:
                hue += 2.0 * math.pi
            cos, sin = math.cos(hue), math.sin(hue)
            cos_2, sin_2 = cos * cos - sin * sin, 2.0 * sin * cos
            t = 1.0 - 0.17 * (cos * _COS_30 + sin * _SIN_30) + 0.24 * cos_2
            t += 0.32 * ((cos_2 * cos - sin_2 * sin) * _COS_6 - (sin_2 * cos + cos_2 * sin) * _SIN_6)
            t -= 0.20 * ((cos_2 * cos_2 - sin_2 * sin_2) * _COS_63 + 2.0 * sin_2 * cos_2 * _SIN_63)
            off = ((light_1 + light_2) / 2.0 - 50.0) ** 2
            blue = (math.degrees(hue) - 275.0) / 25.0
            rotation = -2.0 * _steep(chroma) * math.sin(math.radians(60.0) * math.exp(-blue * blue))
            d_light = (light_2 - light_1) / (1.0 + 0.015 * off / math.sqrt(20.0 + off))
            d_chroma = (chroma_2 - chroma_1) / (1.0 + 0.045 * chroma)
            d_hue = 2.0 * math.sqrt(chroma_1 * chroma_2) * math.sin(turn / 2.0) / (1.0 + 0.015 * chroma * t)
            total = d_light * d_light + d_chroma * d_chroma + d_hue * d_hue + rotation * d_chroma * d_hue
            out[row, column] = math.sqrt(max(total, 0.0))
    return out


_COS_30, _SIN_30 = math.cos(math.radians(30.0)), math.sin(math.radians(30.0))
_COS_6, _SIN_6 = math.cos(math.radians(6.0)), math.sin(math.radians(6.0))
_COS_63, _SIN_63 = math.cos(math.radians(63.0)), math.sin(math.radians(63.0))
