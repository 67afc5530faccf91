"""Learned perceptual image patch similarity (LPIPS): how far apart the fused image and its sources are to a network.

The features that a network for naming photographs finds at every position are compared, in five of its layers. The weights
are the user's to give. It counts what people notice in photographs; what a thermal camera shows is none.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import perceptual_network as network_of
from .card import NotDefined, metric
from .kernels.convolution import distances
from .perceptual_network import Array, Network
from .perceptual_weights import HOW, VARIABLE, digest, given
from .triple import SOURCES, Scene, Source, Triple


@metric(
    "LPIPS",
    title="Learned perceptual image patch similarity",
    better="lower",
    range=(0, math.inf),
    sources=True,
    version=1,
    reference="Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018, doi:10.1109/CVPR.2018.00068, eq. 1; version 0.1 of the "
    "authors' package lpips",
    formula="LPIPS = (d(A, F) + d(B, F)) / 2, d(X, Y) = sum over 5 layers of mean over positions of sum over channels of "
    "w (x - y)^2, x and y the features of X and Y, divided by their length at every position",
    standard="The network is that of the weights, AlexNet or VGG-16, and their SHA-256 is part of the definition. Grey "
    "stands for red, green and blue, on a scale of -1 to 1. Single precision, as the authors' program. The paper knows one "
    "reference; for two, the mean, so that 0 means identical. An image of 768 x 576 pixels takes some 0.2 s with AlexNet, 4 s "
    "with VGG-16; on a cluster, every machine needs the weights.",
    undefined="Not defined for an image too small for the network, 31 x 31 pixels for AlexNet, 16 x 16 for VGG-16. Constant "
    "images are no exception.",
    fooled="A copy of one source scores 0 with it, so half of the score is free, and where the sources disagree a copy is hard "
    "to beat. The features were learned from photographs of things by day, not from thermal images. Lengths are divided out, "
    "so that halving the contrast costs little. It takes noise, sharpening and blur for loss.",
    weights=HOW,
    digest=digest,
)
def perceptual_distance(t: Triple, *, weights: str = "") -> float:
    """Mean distance of the fused image to each source, to a network.

    Parameters
    ----------
    t : Triple
        The images.
    weights : str
        Which weights these must be: the network's name and the SHA-256 of its numbers. Whatever the user gives, if empty.

    Returns
    -------
    float
        0 and up; identical images have 0.

    Raises
    ------
    NotDefined
        If no weights are given or not these, or the image is too small.

    Notes
    -----
    Per source, ``lpips.LPIPS(net="alex")`` or ``net="vgg"``, to the rounding of its float32.
    """
    network = _network(t, weights)
    both = t.scene.measure(("LPIPS", network.digest), lambda s: _distances(s, network))[t.index]
    return float(both.sum()) / 2


def perceptual_distance_map(t: Triple, source: Source) -> NDArray[np.float64]:
    """Distance of the fused image to one source around every pixel, (H, W): that of each layer enlarged, and their sum.

    Parameters
    ----------
    t : Triple
        The images.
    source : {"ir", "vis"}
        The source.

    Returns
    -------
    (H, W) float64
        0 and up.
    """
    network = _network(t, "")
    shapes = network_of.compared_shapes(network.architecture, t.shape)
    layers = [np.zeros(shape) for shape in shapes]
    compared = [at for at, layer in enumerate(network.architecture.layers, 1) if layer.compared]
    for tile in network_of.tiles(network.architecture, t.shape):
        one, two = (network_of.features(network, plane, tile) for plane in (getattr(t, source), t.fused))
        for layer, at, part in zip(layers, compared, _compared(network, one, two), strict=True):
            layer[tuple(slice(*own[at]) for own in tile.own)] = part
    return np.sum([_enlarged(_enlarged(layer, t.shape[0]).T, t.shape[1]).T for layer in layers], axis=0)


def _network(t: Triple, weights: str) -> Network:
    network = given()
    if network is None:
        raise NotDefined(f"LPIPS has no weights here: {HOW}")
    if weights not in ("", network.digest):
        raise NotDefined(f"LPIPS was to be computed with the weights {weights}, but {VARIABLE} names {network.digest}")
    least = network_of.smallest(network.architecture)
    if min(t.shape) < least:
        raise NotDefined(
            f"LPIPS's network does not fit into {t.shape[1]} x {t.shape[0]} pixels; it needs {least} x {least}"
        )
    return network


def _distances(scene: Scene, network: Network) -> NDArray[np.float64]:
    """Distance of every fused image to each source, (fused, 2)."""
    total = np.zeros((len(scene.fused), 2))
    sizes = [math.prod(shape) for shape in network_of.compared_shapes(network.architecture, scene.ir.shape)]
    for tile in network_of.tiles(network.architecture, scene.ir.shape):
        sources = [network_of.features(network, getattr(scene, source), tile) for source in SOURCES]
        for at, plane in enumerate(scene.fused):
            fused = network_of.features(network, plane, tile)
            for which, source in enumerate(sources):
                parts = _compared(network, source, fused)
                total[at, which] += sum(part.sum() / size for part, size in zip(parts, sizes, strict=True))
    return total


def _compared(network: Network, one: list[Array], two: list[Array]) -> list[NDArray[np.float64]]:
    """What every layer says of a tile, (rows, columns) each."""
    maps = []
    for head, a, b in zip(network.heads, one, two, strict=True):
        out = np.empty(a.shape[1:])
        distances(a.reshape(len(a), -1), b.reshape(len(b), -1), head, out.reshape(-1))
        maps.append(out)
    return maps


def _enlarged(plane: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """A plane with another number of rows, linearly between the middles of its own and constant beyond the last."""
    place = np.clip((np.arange(rows) + 0.5) * len(plane) / rows - 0.5, 0, len(plane) - 1)
    above = place.astype(np.int64)
    below = np.minimum(above + 1, len(plane) - 1)
    share = (place - above)[:, None]
    return plane[above] * (1 - share) + plane[below] * share
