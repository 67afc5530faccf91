"""The networks whose features LPIPS compares, AlexNet and VGG-16, computed in tiles without any framework.

A tile is computed with as much around it as its features see, so that they are those of the whole image, and memory does
not grow with the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Levels

from .kernels.convolution import convolve, normalise

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
    grey = plane[top:bottom, left:right].astype(np.float32) / np.float32(127.5) - np.float32(1)
    planes: Array = (grey - SHIFT[:, None, None]) / SCALE[:, None, None]
    found: list[Array] = []
    convolutions = zip(network.weights, network.biases, strict=True)
    for at, layer in enumerate(network.architecture.layers):
        spans = [needed[at : at + 2] for needed in tile.needed]
        lengths = [needed[at + 1][1] - needed[at + 1][0] for needed in tile.needed]
        window = _window(planes, layer, spans)
        planes = _convolved(window, layer, lengths, *next(convolutions)) if layer.channels else _highest(window, layer)
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
    """What a layer looks at, with the zeros outside of the image, in whole strides."""
    sides = []
    parts, places = [slice(None)], [slice(None)]
    for (start, stop), results in spans:
        first, last = layer.seen(results)
        sides.append(-(-(last - first) // layer.stride) * layer.stride)
        low, high = max(first, start), min(last, stop)
        parts.append(slice(low - start, high - start))
        places.append(slice(low - first, high - first))
    window = np.zeros((len(planes), *sides), np.float32)
    window[tuple(places)] = planes[tuple(parts)]
    return window


def _convolved(window: Array, layer: Layer, lengths: Sequence[int], weights: Array, bias: Array) -> Array:
    inputs, rows, columns = window.shape
    step = layer.stride
    height, width = rows // step, columns // step
    # Pixels a stride apart are neighbours in a plane of their own, and every tap moves in steps of one.
    phases = np.ascontiguousarray(window.reshape(inputs, height, step, width, step).transpose(0, 2, 4, 1, 3))
    taps = np.arange(layer.size)
    within = taps % step * step
    plane = np.arange(inputs)[:, None, None] * step**2 + within[:, None] + taps % step
    places = (plane * height + taps[:, None] // step) * width + taps // step
    spare = -places.size % 4
    results = np.empty((len(weights), lengths[0] * width), np.float32)
    convolve(
        phases.ravel(),
        np.pad(places.ravel(), (0, spare)),
        np.pad(weights.reshape(len(weights), -1), ((0, 0), (0, spare))),
        bias,
        results,
        (lengths[0] - 1) * width + lengths[1],
    )
    return results.reshape(len(weights), lengths[0], width)[:, :, : lengths[1]]


def _highest(window: Array, layer: Layer) -> Array:
    rows, columns = (
        [slice(k, side - layer.size + k + 1, layer.stride) for k in range(layer.size)] for side in window.shape[1:]
    )
    across = window[:, :, columns[0]]
    for part in columns[1:]:
        across = np.maximum(across, window[:, :, part])
    highest = across[:, rows[0]]
    for part in rows[1:]:
        highest = np.maximum(highest, across[:, part])
    return highest
