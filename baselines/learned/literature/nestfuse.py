"""NestFuse: an auto-encoder of four scales with nested decoding, whose features are fused by attention.

Li, Wu and Durrani, IEEE Transactions on Instrumentation and Measurement 69(12), 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Final, Literal, TypeAlias, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d, pad, relu

from .blocks import Reflecting, in_proportion, without_files
from .in_use import InUse

T = TypeVar("T")
Strategy: TypeAlias = Literal["attention-mean", "attention-max", "attention-nuclear"]

CHANNELS: Final = (64, 112, 160, 208)
"""Of the features at each of the four scales."""

_LARGEST: Final = 512
"""Longest side of an image that the authors' program fuses in one piece."""


class Step(Reflecting):
    """A convolution with mirrored borders, and what of it is positive."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, inside, H, W) to (B, outside, H, W)."""
        return relu(super().forward(x))


class _Block(nn.Module):
    """A convolution of 3 x 3 to half as many channels, and one of a pixel."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.denseblock = nn.Sequential(Step(inside, inside // 2), Step(inside // 2, outside, 1))

    def forward(self, *features: Tensor) -> Tensor:
        return self.denseblock(torch.cat(features, 1))


class AutoEncoder(nn.Module):
    """What finds features, and makes images of them; images are (B, 1, H, W) on the scale 0..255."""

    def __init__(self) -> None:
        super().__init__()
        one, two, three, four = CHANNELS
        self.conv0 = Step(1, 16, 1)
        self.DB1_0, self.DB2_0 = _Block(16, one), _Block(one, two)
        self.DB3_0, self.DB4_0 = _Block(two, three), _Block(three, four)
        self.DB1_1, self.DB2_1, self.DB3_1 = (
            _Block(one + two, one),
            _Block(two + three, two),
            _Block(three + four, three),
        )
        self.DB1_2, self.DB2_2 = _Block(2 * one + two, one), _Block(2 * two + three, two)
        self.DB1_3 = _Block(3 * one + two, one)
        self.conv_out = Step(one, 1, 1)

    def encode(self, image: Tensor) -> list[Tensor]:
        """Features at four scales, each half as large as the one before."""
        features = [self.DB1_0(self.conv0(image))]
        for block in (self.DB2_0, self.DB3_0, self.DB4_0):
            features.append(block(max_pool2d(features[-1], 2)))
        return features

    def decode(self, features: Sequence[Tensor]) -> Tensor:
        """Such features to an image, which is never negative."""
        one, two, three, four = features
        x11 = self.DB1_1(one, _doubled(two, one))
        x21 = self.DB2_1(two, _doubled(three, two))
        x12 = self.DB1_2(one, x11, _doubled(x21, one))
        x31 = self.DB3_1(three, _doubled(four, three))
        x22 = self.DB2_2(two, x21, _doubled(x31, two))
        return self.conv_out(self.DB1_3(one, x11, x12, _doubled(x22, one)))


class NestFuse(AutoEncoder):
    """The whole network; images are (B, 1, H, W) on the scale 0..255."""

    def forward(self, ir: Tensor, vis: Tensor, strategy: Strategy) -> Tensor:
        """The fused image."""
        scales = zip(self.encode(ir), self.encode(vis), strict=True)
        return self.decode([fused_by_attention(warm, seen, strategy) for warm, seen in scales])


def _doubled(x: Tensor, like: Tensor) -> Tensor:
    """Twice the size, and where `like` is a pixel larger, one mirrored pixel more."""
    x = interpolate(x, scale_factor=2, mode="nearest")
    return pad(x, (0, like.shape[3] - x.shape[3], 0, like.shape[2] - x.shape[2]), mode="reflect")


def spatial(first: Tensor, second: Tensor, eps: float) -> Tensor:
    """The sources in proportion to the exponential of their mean over the channels, (B, C, H, W) each."""
    one, other = (x.mean(1, keepdim=True) for x in (first, second))
    # Both weights and eps are divided by the larger exponential, which may be too large for a number.
    most = torch.maximum(one, other)
    one, other, eps_too = (one - most).exp(), (other - most).exp(), eps * (-most).exp()
    return one / (one + other + eps_too) * first + other / (one + other + eps_too) * second


def nuclear_norm(x: Tensor) -> Tensor:
    """The sum of the singular values of every channel's map: (B, C, H, W) to (B, C, 1, 1)."""
    return torch.linalg.matrix_norm(x.float(), "nuc", keepdim=True).to(x.dtype)


def fused_by_attention(first: Tensor, second: Tensor, strategy: Strategy) -> Tensor:
    """The mean of two fusions, (B, C, H, W): pixel by pixel, and channel by channel by what each holds altogether."""
    measure = _MEASURES[strategy]
    channels = in_proportion(first, second, measure(first), measure(second), 1e-5)
    return (channels + spatial(first, second, 1e-5)) / 2


_MEASURES: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "attention-mean": lambda x: x.mean((2, 3), keepdim=True),
    "attention-max": lambda x: x.amax((2, 3), keepdim=True),
    "attention-nuclear": nuclear_norm,
}


def in_quarters(fuse: Callable[[Tensor, Tensor], Tensor], ir: Tensor, vis: Tensor) -> Tensor:
    """Fuse an image with a side of more than 512 pixels as four that overlap by five, all others at once."""
    height, width = ir.shape[2:]
    if max(height, width) <= _LARGEST:
        return fuse(ir, vis)
    total, count = torch.zeros_like(ir), torch.zeros_like(ir)
    for rows, columns in product(_halves(height), _halves(width)):
        total[:, :, rows, columns] += fuse(ir[:, :, rows, columns], vis[:, :, rows, columns])
        count[:, :, rows, columns] += 1
    return total / count


def _halves(length: int) -> Iterator[slice]:
    yield slice(0, length // 2 + 3)
    yield slice(length // 2 - 2, length)


class InQuarters(InUse):
    """A network with this auto-encoder in use."""

    overlap = 64
    multiple = 8
    unit = 1.0

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """Planes (B, 1, H, W) on the scale 0..255 to one such plane, which may leave the scale above."""
        return in_quarters(super().forward, ir, vis)


class Inference(InQuarters):
    """The network in use.

    Parameters
    ----------
    network : NestFuse
        Is used up.
    strategy : {"attention-mean", "attention-max", "attention-nuclear"}
        What of a channel counts: the mean of its map, the largest number, or the sum of the singular values.
    """

    sees_all_by = "attention over all pixels"

    def __init__(self, network: NestFuse, *, strategy: Strategy = "attention-mean") -> None:
        super().__init__(network, strategy)


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `NestFuse`: the authors' names are ours."""
    return without_files(entries, r"conv0\.|conv_out\.|DB\d_\d\.")
