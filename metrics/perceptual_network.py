"""The networks whose features LPIPS compares, AlexNet and VGG-16, computed in tiles without any framework.

A tile is computed with as much around it as its features see, so that they are those of the whole image, and memory does
not grow with the image.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Levels

from .dealt import borrow
from .kernels.convolution import OUTPUTS, STEP, convolve, gather_tiles, highest, normalise, spread_tiles

Array: TypeAlias = NDArray[np.float32]
Span: TypeAlias = tuple[int, int]

SHIFT: Final = np.array([-0.030, -0.088, -0.188], np.float32)
SCALE: Final = np.array([0.458, 0.448, 0.450], np.float32)
"""Mean and deviation, on a scale of -1 to 1, of the red, green and blue that the networks were trained on."""


class Layer(NamedTuple):
    """A convolution with what makes its negative results zero, or the maximum of a window."""

    size: int
    stride: int
    border: int
    """Zeros around the plane."""
    channels: int = 0
    """Outputs of a convolution; 0 for a maximum."""
    number: int = 0
    """Of a convolution, in the names that its weights have: ``features.NUMBER.weight``."""
    compared: bool = False
    """Whether the metric looks at the results."""

    @property
    def in_tiles(self) -> bool:
        """Whether it is a convolution that Winograd's algorithm computes: 2 x 2 results of 4 x 4 samples with 16 products.

        They are of sums and differences of samples and such sums of weights, instead of the 36 products of nine weights.
        """
        return self.channels > 0 and self.size == 3 and self.stride == 1

    def length(self, side: int) -> int:
        """Results along a side of the plane."""
        return max(0, (side + 2 * self.border - self.size) // self.stride + 1)

    def seen(self, results: Span) -> Span:
        """What some results look at along a side, which may begin and end outside of the plane."""
        start = results[0] * self.stride - self.border
        return start, start + (results[1] - results[0] - 1) * self.stride + self.size


class Architecture(NamedTuple):
    """A network without its weights."""

    name: str
    layers: tuple[Layer, ...]
    tile: int
    """Side of a tile in pixels, small enough for the features of three images to take a gigabyte or two."""


def _vgg16() -> Iterator[Layer]:
    number = 0
    for block, (channels, convolutions) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))):
        if block:
            yield Layer(2, 2, 0)
            number += 1
        for k in range(convolutions):
            yield Layer(3, 1, 1, channels, number, k == convolutions - 1)
            number += 2


ALEXNET: Final = Architecture(
    "alexnet",
    (
        Layer(11, 4, 2, 64, 0, True),
        Layer(3, 2, 0),
        Layer(5, 1, 2, 192, 3, True),
        Layer(3, 2, 0),
        Layer(3, 1, 1, 384, 6, True),
        Layer(3, 1, 1, 256, 8, True),
        Layer(3, 1, 1, 256, 10, True),
    ),
    2048,
)
VGG16: Final = Architecture("vgg16", tuple(_vgg16()), 768)


@dataclass(frozen=True)
class Network:
    """An architecture with weights.

    Attributes
    ----------
    architecture : Architecture
        What is computed.
    weights, biases : list of float32 arrays
        Of every convolution: (outputs, inputs, size, size) and (outputs,).
    heads : list of (outputs,) float32
        Of every layer that is compared: what a difference in each feature counts.
    digest : str
        The architecture's name and the SHA-256 of all these numbers: what the weights are, whatever file they came in.
    """

    architecture: Architecture
    weights: list[Array]
    biases: list[Array]
    heads: list[Array]
    digest: str

    @functools.cached_property
    def matrices(self) -> list[Array]:
        """The weights of every convolution as they are used, (matrices, outputs / 8, inputs or taps, 8): one, or Winograd's."""
        first, *others = self.weights
        # Red, green and blue are one grey, moved and scaled: two planes of it, the second one all ones, do for three.
        scaled = first / SCALE[:, None, None].astype(np.float64)
        of_two = np.stack([scaled.sum(axis=1), -(scaled * SHIFT[:, None, None]).sum(axis=1)], axis=1)
        layers = (layer for layer in self.architecture.layers if layer.channels)
        return [_matrices(weights, layer) for weights, layer in zip((of_two, *others), layers, strict=True)]


class Tile(NamedTuple):
    """A part of an image and what is computed of it, along its rows and along its columns."""

    needed: tuple[list[Span], list[Span]]
    """Of the image, and of the results of every layer."""
    own: tuple[list[Span], list[Span]]
    """Likewise: the part that belongs to this tile and to no other."""


def smallest(architecture: Architecture) -> int:
    """Shortest side that leaves something of an image in the last layer."""
    return next(side for side in range(1, 1000) if _lengths(architecture, side)[-1])


def tiles(architecture: Architecture, shape: Sequence[int]) -> list[Tile]:
    """The tiles of an image of some rows and columns."""
    rows, columns = (list(_spans(architecture, side)) for side in shape)
    return [
        Tile((needed_rows, needed_columns), (own_rows, own_columns))
        for needed_rows, own_rows in rows
        for needed_columns, own_columns in columns
    ]


def compared_shapes(architecture: Architecture, shape: Sequence[int]) -> list[tuple[int, int]]:
    """Rows and columns of the layers that are compared."""
    rows, columns = (_lengths(architecture, side)[1:] for side in shape)
    return [
        (height, width)
        for height, width, layer in zip(rows, columns, architecture.layers, strict=True)
        if layer.compared
    ]


def features(network: Network, plane: Levels, tile: Tile) -> list[Array]:
    """What is compared of a grey plane, (channels, rows, columns) for every layer, of length 1 at every position."""
    (top, bottom), (left, right) = (spans[0] for spans in tile.needed)
    planes: Array = borrow((2, bottom - top, right - left), np.float32)
    planes[0] = plane[top:bottom, left:right] / np.float32(127.5) - np.float32(1)
    planes[1] = 1
    found: list[Array] = []
    convolutions = zip(network.matrices, network.biases, strict=True)
    for at, layer in enumerate(network.architecture.layers):
        spans = [needed[at : at + 2] for needed in tile.needed]
        lengths = [needed[at + 1][1] - needed[at + 1][0] for needed in tile.needed]
        window = _window(planes, layer, spans)
        if not layer.channels:
            planes = borrow((len(window), *lengths), np.float32)
            highest(window, layer.size, layer.stride, planes)
        else:
            matrices, bias = next(convolutions)
            planes = (_by_tiles if layer.in_tiles else _by_terms)(window, layer, lengths, matrices, bias)
        if layer.compared:
            rows, columns = (
                slice(own[at + 1][0] - needed[at + 1][0], own[at + 1][1] - needed[at + 1][0])
                for own, needed in zip(tile.own, tile.needed, strict=True)
            )
            part = planes[:, rows, columns].copy()
            normalise(part.reshape(len(part), -1))
            found.append(part)
    return found


def _lengths(architecture: Architecture, side: int) -> list[int]:
    """Of a side of the image, and of the results of every layer."""
    lengths = [side]
    for layer in architecture.layers:
        lengths.append(layer.length(lengths[-1]))
    return lengths


def _spans(architecture: Architecture, side: int) -> Iterator[tuple[list[Span], list[Span]]]:
    """What every tile along a side needs, and what it owns."""
    lengths = _lengths(architecture, side)
    count = -(-side // architecture.tile)
    for k in range(count):
        own = [(length * k // count, length * (k + 1) // count) for length in lengths]
        needed = [own[-1]]
        for at, layer in reversed(list(enumerate(architecture.layers))):
            start, stop = layer.seen(needed[0])
            start, stop = max(0, start), min(lengths[at], stop)
            if at and architecture.layers[at - 1].compared:
                start, stop = min(start, own[at][0]), max(stop, own[at][1])
            needed.insert(0, (start, stop))
        yield needed, own


def _window(planes: Array, layer: Layer, spans: Sequence[Sequence[Span]]) -> Array:
    """What a layer looks at, with the zeros outside of the image, in whole strides or tiles."""
    sides = []
    parts, places = [slice(None)], [slice(None)]
    for (start, stop), results in spans:
        first, last = layer.seen(results)
        whole = 2 if layer.in_tiles else layer.stride
        sides.append(-(-(last - first) // whole) * whole)
        low, high = max(first, start), min(last, stop)
        parts.append(slice(low - start, high - start))
        places.append(slice(low - first, high - first))
    window = borrow((len(planes), *sides), np.float32)
    (_, rows, columns) = places
    window[:, : rows.start] = window[:, rows.stop :] = 0
    window[:, :, : columns.start] = window[:, :, columns.stop :] = 0
    window[tuple(places)] = planes[tuple(parts)]
    return window


def _matrices(weights: Array, layer: Layer) -> Array:
    outputs, inputs = weights.shape[:2]
    matrices = weights.reshape(1, outputs, -1)
    if layer.in_tiles:
        sums = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
        matrices = np.einsum("ai,koij,bj->abko", sums, weights, sums, optimize=True).reshape(16, outputs, inputs)
    grouped = matrices.reshape(len(matrices), outputs // OUTPUTS, OUTPUTS, -1)
    return np.ascontiguousarray(grouped.swapaxes(2, 3), np.float32)


def _by_tiles(window: Array, layer: Layer, lengths: Sequence[int], matrices: Array, bias: Array) -> Array:
    """A convolution by Winograd's algorithm: Lavin and Gray, CVPR 2016, section 4.1."""
    inputs, outputs = len(window), bias.size
    rows, columns = (side // 2 - 1 for side in window.shape[1:])
    positions = -(-rows * columns // STEP) * STEP
    tiles = borrow((16, inputs * positions + STEP), np.float32)
    spread_tiles(window, tiles[:, : inputs * positions].reshape(16, inputs, positions))
    products = borrow((16, outputs, positions), np.float32)
    places, nothing = np.arange(inputs) * positions, np.zeros(outputs, np.float32)
    for samples, weights, product in zip(tiles, matrices, products, strict=True):
        convolve(samples, places, weights, nothing, np.float32(-np.inf), product)
    results = borrow((outputs, 2 * rows, 2 * columns), np.float32)
    gather_tiles(products, bias, results)
    return results[:, : lengths[0], : lengths[1]]


def _by_terms(window: Array, layer: Layer, lengths: Sequence[int], matrices: Array, bias: Array) -> Array:
    """A convolution term by term."""
    inputs, rows, columns = window.shape
    step = layer.stride
    height, width = rows // step, columns // step
    needed = lengths[0] * width
    positions = -(-needed // STEP) * STEP
    # Pixels a stride apart are neighbours in a plane of their own, and every tap moves in steps of one. At the end, sums of
    # what comes after the planes are computed and not used.
    samples = borrow((window.size + STEP + layer.size * width,), np.float32)
    phases = samples[: window.size].reshape(inputs, step, step, height, width)
    phases[:] = window.reshape(inputs, height, step, width, step).transpose(0, 2, 4, 1, 3)
    samples[window.size :] = 0
    taps = np.arange(layer.size)
    within = taps % step * step
    plane = np.arange(inputs)[:, None, None] * step**2 + within[:, None] + taps % step
    places = (plane * height + taps[:, None] // step) * width + taps // step
    results = borrow((bias.size, positions), np.float32)
    convolve(samples, places.ravel(), matrices[0], bias, np.float32(0), results)
    return results[:, :needed].reshape(-1, lengths[0], width)[:, :, : lengths[1]]
