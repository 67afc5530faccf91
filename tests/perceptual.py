"""The networks of LPIPS again, slowly, and weights for them by formula.

No numbers of the authors' program are kept: its weights may not be.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import formula
import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

# Convolutions as (index, outputs, size, stride, border), maxima as (size, stride); what is compared ends a line.
NETWORKS: Final[dict[str, list[list[tuple[int, ...]]]]] = {
    "alexnet": [
        [(0, 64, 11, 4, 2)],
        [(3, 2), (3, 192, 5, 1, 2)],
        [(3, 2), (6, 384, 3, 1, 1)],
        [(8, 256, 3, 1, 1)],
        [(10, 256, 3, 1, 1)],
    ],
    "vgg16": [
        [(0, 64, 3, 1, 1), (2, 64, 3, 1, 1)],
        [(2, 2), (5, 128, 3, 1, 1), (7, 128, 3, 1, 1)],
        [(2, 2), (10, 256, 3, 1, 1), (12, 256, 3, 1, 1), (14, 256, 3, 1, 1)],
        [(2, 2), (17, 512, 3, 1, 1), (19, 512, 3, 1, 1), (21, 512, 3, 1, 1)],
        [(2, 2), (24, 512, 3, 1, 1), (26, 512, 3, 1, 1), (28, 512, 3, 1, 1)],
    ],
}


@functools.cache
def weights(network: str) -> dict[str, Array]:
    """Weights by the names that torchvision and lpips give them."""
    shapes: dict[str, tuple[int, ...]] = {}
    inputs = 3
    for at, line in enumerate(NETWORKS[network]):
        for step in line:
            if len(step) == 5:
                index, outputs, size = step[:3]
                shapes[f"features.{index}.weight"] = (outputs, inputs, size, size)
                shapes[f"features.{index}.bias"] = (outputs,)
                inputs = outputs
        shapes[f"lin{at}.model.1.weight"] = (1, inputs, 1, 1)
    made = formula.weights(shapes)
    return {name: np.abs(array) if name.startswith("lin") else array for name, array in made.items()}


def as_jax_names_them(network: str, named: Mapping[str, Array]) -> dict[str, Any]:
    """The same weights as nested dictionaries, outputs last."""
    title = {"alexnet": "AlexNet_0", "vgg16": "VGG16_0"}[network]
    steps = [step for step in itertools.chain(*NETWORKS[network]) if len(step) == 5]
    nested: dict[str, Any] = {
        title: {
            f"Conv_{k}": {
                "kernel": named[f"features.{step[0]}.weight"].transpose(2, 3, 1, 0),
                "bias": named[f"features.{step[0]}.bias"],
            }
            for k, step in enumerate(steps)
        }
    }
    for k in range(5):
        nested[f"NetLinLayer_{k}"] = {"Conv_0": {"kernel": named[f"lin{k}.model.1.weight"].transpose(2, 3, 1, 0)}}
    return nested


def maps(network: str, named: Mapping[str, Array], first: Array, second: Array) -> list[Array]:
    """What each layer says of two planes of 8-bit levels, in double precision."""
    found = []
    for at, (a, b) in enumerate(zip(*(_features(network, named, plane) for plane in (first, second)), strict=True)):
        head = named[f"lin{at}.model.1.weight"].ravel()
        found.append(np.einsum("c,cij->ij", head, (a - b) ** 2))
    return found


def perceptual_distance(network: str, named: Mapping[str, Array], ir: Array, vis: Array, fused: Array) -> float:
    """The metric."""
    return float(np.mean([sum(each.mean() for each in maps(network, named, source, fused)) for source in (ir, vis)]))


def _features(network: str, named: Mapping[str, Array], plane: Array) -> list[Array]:
    colour = np.stack([plane / 127.5 - 1] * 3)
    x = (colour - np.reshape([-0.030, -0.088, -0.188], (3, 1, 1))) / np.reshape([0.458, 0.448, 0.450], (3, 1, 1))
    found = []
    for line in NETWORKS[network]:
        for step in line:
            if len(step) == 2:
                x = _windows(x, *step).max(axis=(3, 4))
            else:
                index, _, size, stride, border = step
                x = np.pad(x, ((0, 0), (border, border), (border, border)))
                sums = np.tensordot(
                    named[f"features.{index}.weight"], _windows(x, size, stride), ([1, 2, 3], [0, 3, 4])
                )
                x = np.maximum(sums + named[f"features.{index}.bias"][:, None, None], 0)
        found.append(x / (np.sqrt((x**2).sum(axis=0)) + 1e-10))
    return found


def _windows(x: Array, size: int, stride: int) -> Array:
    """(channels, rows, columns, size, size)."""
    return np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]
