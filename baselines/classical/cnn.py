"""Fusion by a siamese network (CNN): a small network says which source a pixel should come from.

The network was trained to tell sharp from blurred patches; here its answer is the weight of the infrared image in a
Laplacian pyramid, except where the two bands are so unlike that the stronger one is taken alone. It knows nothing of
heat: a hot target without texture is given away to a textured background.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from os import PathLike
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import UserError

from ..card import Plane, method
from .choose import ext2
from .filters import pad, separable
from .gaussian_pyramid import BINOMIAL
from .sparse import read_array

Strip: TypeAlias = NDArray[np.float32]
"""Some rows of pixels with their features, (R, W, C)."""

_STRIP: Final = 16

_WINDOW: Final = 8
# The grey levels that the network sees are not rounded.
_GREY: Final = (0.298936021293775, 0.587043074451121, 0.114020904255103)


class _Layer(NamedTuple):
    """A 3x3 convolution: the taps row by row with all features of each, (9 C, D), and the biases, (D,)."""

    taps: NDArray[np.float32]
    bias: NDArray[np.float32]


class _Network(NamedTuple):
    """Three convolutions that both sources go through, and the vote on what comes out.

    Attributes
    ----------
    layers : list of _Layer
        From 1 to 64, 128 and 256 features.
    votes : tuple of two ndarrays, (256, 64)
        For the first and the second source: how much each feature at each of 8x8 places, row by row, speaks for the
        second class against the first.
    """

    layers: list[_Layer]
    votes: tuple[NDArray[np.float32], NDArray[np.float32]]


@method(
    "cnn",
    title="Siamese convolutional network",
    authors="Y. Liu, X. Chen, J. Cheng, H. Peng, Z. Wang",
    year=2018,
    doi="10.1142/S0219691318500182",
    summary="A siamese network that was trained to tell sharp from blurred patches sees both sources and gives a map of "
    "weights. Laplacian pyramids of the sources are averaged with the pyramid of this map where they resemble one "
    "another, and where they do not the stronger one is taken. The weights of the network are the user's to give.",
    defaults="The authors' match threshold 0.6 and as many pyramid levels as the image can be halved.",
    presets={"vifb": {}},
    joint=True,
    identity=1e-9,
    kind="network",
)
def siamese_network_fusion(
    ir: Plane, vis: Plane, *, match: float = 0.6, weights: str | PathLike[str] | None = None
) -> Plane:
    """Fuse Laplacian pyramids by the map of weights that a trained network gives.

    Parameters
    ----------
    ir : ndarray
        Infrared plane, (H, W), 0..255.
    vis : ndarray
        Visible plane, (H, W), or colour image, (H, W, 3), 0..255: the network sees its grey levels, and the channels
        share the map.
    match : float
        Two bands resemble one another where twice the local energy of their product exceeds this part of the sum of
        their energies; the authors' is 0.6.
    weights : path
        The trained network as its authors publish it, ``cnnmodel.mat``, or the same arrays in a .npz file:
        ``weights_b1_1`` (9, 64), ``weights_b1_2`` (64, 9, 128), ``weights_b1_3`` (128, 9, 256), ``weights_output``
        (512, 64, 2), taps column by column, and ``biases_b1_1`` to ``biases_b1_3``.

    Returns
    -------
    ndarray
        The shape of `vis`, around 0..255, not rounded.

    Raises
    ------
    UserError
        Without weights, for a file that does not hold them, or for a threshold out of -1..1.
    """
    if not -1 <= match <= 1:
        raise UserError(f"match={match} is out of range: give a number from -1 to 1.")
    if weights is None:
        raise UserError(
            "The network of cnn is its authors' and not ours to ship: give their file 'cnnmodel.mat' as its weights."
        )
    network = _read(weights)
    share = _share_of_ir(ir / 255, _grey(vis) / 255, network)
    levels = int(math.log2(min(ir.shape)))
    shares = _gaussian_pyramid(share, levels)
    of_ir = _laplacian_pyramid(ir / 255, levels)
    channels = vis[..., np.newaxis] if vis.ndim == 2 else vis
    fused = np.empty_like(channels)
    for c in range(channels.shape[2]):
        of_vis = _laplacian_pyramid(channels[..., c] / 255, levels)
        bands = [_fuse(*level, match) for level in zip(of_ir, of_vis, shares, strict=True)]
        fused[..., c] = 255 * _from_laplacian(bands)
    return fused.reshape(vis.shape)


def _read(path: str | PathLike[str]) -> _Network:
    layers = []
    for number, (inputs, outputs) in enumerate([(1, 64), (64, 128), (128, 256)], start=1):
        taps = _array(path, f"weights_b1_{number}", (inputs, 9, outputs))
        bias = _array(path, f"biases_b1_{number}", (outputs,))
        by_rows = taps.reshape(inputs, 3, 3, outputs).transpose(2, 1, 0, 3)
        layers.append(_Layer(np.ascontiguousarray(by_rows).reshape(9 * inputs, outputs), bias))
    output = _array(path, "weights_output", (512, _WINDOW**2, 2))
    against = (output[..., 1] - output[..., 0]).reshape(512, _WINDOW, _WINDOW).transpose(0, 2, 1).reshape(512, -1)
    return _Network(layers, (against[:256], against[256:]))


def _array(path: str | PathLike[str], name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    values = read_array(path, (name,))
    if values.size != math.prod(shape):
        raise UserError(f"{path} holds {name} of shape {values.shape}: cnn needs {shape}, as in cnnmodel.mat.")
    return np.asarray(values, dtype=np.float32).reshape(shape)


def _grey(vis: Plane) -> Plane:
    if vis.ndim == 2:
        return vis
    grey: Plane = _GREY[0] * vis[..., 0] + _GREY[1] * vis[..., 1] + _GREY[2] * vis[..., 2]
    return grey


def _share_of_ir(ir: Plane, vis: Plane, network: _Network) -> Plane:
    """The weight of the infrared image, (H, W), 0..1: the mean of what the windows that see a pixel say."""
    height, width = ir.shape
    first, second = (
        _votes(image, network.layers, votes) for image, votes in zip((ir, vis), network.votes, strict=True)
    )
    # The probability of the second class, in a form that cannot overflow.
    answer = 0.5 + 0.5 * np.tanh(0.5 * (first + second).astype(np.float64))
    # A window sees 16 x 16 pixels of the image and moves by two.
    mean = _window_sums(answer) / _window_sums(np.ones_like(answer))
    return mean.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]


def _window_sums(answer: Plane) -> Plane:
    """Sum of the answers of all windows, at their first places, over the places that each window covers."""
    ones, frame = np.ones(_WINDOW), (_WINDOW // 2 - 1, _WINDOW // 2)
    return separable(pad(answer, frame, frame, "zero"), ones, ones, "zero")


def _votes(image: Plane, layers: list[_Layer], votes: NDArray[np.float32]) -> NDArray[np.float32]:
    """One source's part of the vote of each 8x8 window of features, (ceil(H/2) - 7, ceil(W/2) - 7)."""
    # Strip by strip through all layers: no layer is ever in memory as a whole.
    input_ = image.astype(np.float32)[..., np.newaxis]
    strips: Iterable[Strip] = (input_[top : top + _STRIP] for top in range(0, len(input_), _STRIP))
    strips = _convolve(_pool(_convolve(_convolve(strips, layers[0]), layers[1])), layers[2])
    by_place = np.concatenate([strip @ votes for strip in strips])
    height, width = (n - _WINDOW + 1 for n in by_place.shape[:2])
    total = np.zeros((height, width), dtype=np.float32)
    for i in range(_WINDOW):
        for j in range(_WINDOW):
            total += by_place[i : i + height, j : j + width, _WINDOW * i + j]
    return total


def _convolve(strips: Iterable[Strip], layer: _Layer) -> Iterator[Strip]:
    """3x3 convolution with a frame of zeros, and what is negative set to zero."""
    # The last two rows so far: those that come next need them.
    above: Strip | None = None
    for strip in strips:
        framed = np.pad(strip, ((0, 0), (1, 1), (0, 0)))
        rows = np.concatenate([np.zeros_like(framed[:1]) if above is None else above, framed])
        if len(rows) > 2:
            yield _response(rows, layer)
        above = rows[-2:]
    if above is not None:
        yield _response(np.concatenate([above, np.zeros_like(above[:1])]), layer)


def _response(rows: Strip, layer: _Layer) -> Strip:
    height, width = rows.shape[0] - 2, rows.shape[1] - 2
    neighbours = [rows[i : i + height, j : j + width] for i in range(3) for j in range(3)]
    response = np.concatenate(neighbours, axis=2).reshape(height * width, -1) @ layer.taps
    response += layer.bias
    np.maximum(response, 0, out=response)
    return response.reshape(height, width, -1)


def _pool(strips: Iterable[Strip]) -> Iterator[Strip]:
    """Maximum of each 2x2 block; where the last block is cut, of what there is (which is not negative)."""
    # A last row that waits for its partner.
    alone: Strip | None = None
    for strip in strips:
        rows = strip if alone is None else np.concatenate([alone, strip])
        paired = len(rows) - len(rows) % 2
        if paired:
            yield _maximum(rows[:paired])
        alone = rows[paired:]
    if alone is not None and len(alone):
        yield _maximum(np.pad(alone, ((0, 1), (0, 0), (0, 0))))


def _maximum(rows: Strip) -> Strip:
    rows = np.maximum(rows[0::2], rows[1::2])
    if rows.shape[1] % 2:
        rows = np.pad(rows, ((0, 0), (0, 1), (0, 0)))
    return np.maximum(rows[:, 0::2], rows[:, 1::2])


def _fuse(ir: Plane, vis: Plane, share: Plane, match: float) -> Plane:
    """One band: where the sources match their mean with the network's weights, else the one with more energy."""
    energy_ir, energy_vis = _energy(ir, ir), _energy(vis, vis)
    resemblance = 2 * _energy(ir, vis) / (energy_ir + energy_vis + np.finfo(np.float64).eps)
    stronger = np.where(energy_ir > energy_vis, ir, vis)
    return np.where(resemblance > match, share * ir + (1 - share) * vis, stronger)


def _energy(p: Plane, q: Plane) -> Plane:
    """Sum of the products in each 3x3 neighbourhood."""
    ones = np.ones(3)
    return separable(ext2(p * q, 1), ones, ones, "zero")[1:-1, 1:-1]


def _gaussian_pyramid(image: Plane, levels: int) -> list[Plane]:
    pyramid = [image]
    while len(pyramid) < levels:
        pyramid.append(separable(pyramid[-1], BINOMIAL, BINOMIAL, "symmetric")[::2, ::2])
    return pyramid


def _laplacian_pyramid(image: Plane, levels: int) -> list[Plane]:
    """What each level of the Gaussian pyramid has more than the next, and the last level itself."""
    smooth = _gaussian_pyramid(image, levels)
    return [*(level - _expand(coarser, level.shape) for level, coarser in pairwise(smooth)), smooth[-1]]


def _from_laplacian(bands: list[Plane]) -> Plane:
    image = bands[-1]
    for band in reversed(bands[:-1]):
        image = band + _expand(image, band.shape)
    return image


def _expand(small: Plane, shape: tuple[int, ...]) -> Plane:
    """Twice the image, cropped to a shape: replicated by one pixel, a zero after every sample, smoothed, times four."""
    framed = pad(small, (1, 1), (1, 1), "replicate")
    spread = np.zeros((2 * framed.shape[0], 2 * framed.shape[1]))
    spread[::2, ::2] = 4 * framed
    return separable(spread, BINOMIAL, BINOMIAL, "zero")[2 : 2 + shape[0], 2 : 2 + shape[1]]
