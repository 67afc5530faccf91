"""SwinFuse: an encoder of Swin transformers over squares of 224 pixels, whose features are fused by a rule.

Wang, Chen, Shao, Li and Zhang, IEEE Transactions on Instrumentation and Measurement 71, 2022.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from .swin import Block, Windows, learned

T = TypeVar("T")

_WIDTH: Final = 96
_SIDE: Final = 7
_SQUARE: Final = 224
"""Pixels to a side of what is fused at once."""


def _stage(heads: int) -> nn.Sequential:
    """Six blocks."""
    windows = (Windows(_SIDE), Windows(_SIDE, _SIDE // 2))
    blocks = (Block(_WIDTH, heads, 4 * _WIDTH, windows[place % 2]) for place in range(6))
    return nn.Sequential(OrderedDict(blocks=nn.Sequential(*blocks)))


class SwinFuse(nn.Module):
    """The whole network; images are (B, 1, H, W) in [-1, 1], of at most 224 x 224 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.patch_embed = nn.Sequential(OrderedDict(proj=nn.Conv2d(1, _WIDTH, 1), norm=nn.LayerNorm(_WIDTH)))
        self.EN1_0, self.EN2_0, self.EN3_0 = _stage(1), _stage(2), _stage(4)
        self.norm = nn.LayerNorm(_WIDTH)
        self.conv = nn.Conv2d(_WIDTH, 1, 1)
        # Never called; the official file holds weights for them.
        self.norm_up, self.prelu = nn.LayerNorm(2 * _WIDTH), nn.PReLU()

    def encode(self, image: Tensor) -> Tensor:
        """Features (B, 96, 224, 224) of an image in the first corner of a square that is otherwise grey, as 0 is."""
        below, right = (-length % _SIDE for length in image.shape[2:])
        covered = self._features(pad(image, (0, right, 0, below)))
        # No window sees another, so that one of those without image stands for all of them.
        blank = self._features(image.new_zeros(len(image), 1, _SIDE, _SIDE))
        square = blank.repeat(1, 1, _SQUARE // _SIDE, _SQUARE // _SIDE)
        square[..., : covered.shape[2], : covered.shape[3]] = covered
        return square

    def _features(self, image: Tensor) -> Tensor:
        """Of an image of whole windows of 7 x 7 pixels."""
        proj, norm = self.patch_embed
        x = norm(proj(image).permute(0, 2, 3, 1))
        for stage in (self.EN1_0, self.EN2_0, self.EN3_0):
            # The authors' program leaves a stage after its first block; the weights of the others do nothing.
            x = x + stage[0][0](x)
        return self.norm(x).permute(0, 3, 1, 2)

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image, in (-1, 1)."""
        square = fused_by_activity(self.encode(ir), self.encode(vis))
        return torch.tanh(self.conv(square[..., : ir.shape[2], : ir.shape[3]]))


def fused_by_activity(first: Tensor, second: Tensor) -> Tensor:
    """The sum of two fusions, (B, C, H, W), both in proportion to e to the mean absolute value: of a channel, and of a pixel."""
    total = torch.zeros_like(first)
    for over in ((2, 3), (1,)):
        one, other = (x.abs().mean(over, keepdim=True).exp() for x in (first, second))
        total += one / (one + other + 1e-5) * first + other / (one + other + 1e-5) * second
    return total


class Inference(nn.Module):
    """The network in use.

    Parameters
    ----------
    network : SwinFuse
        Is used up.
    """

    overlap: Final = 32
    multiple: Final = 1
    channels_last: Final = False
    sees_all_by: Final = "cutting of images into squares of 224 pixels, as in the authors' program"

    def __init__(self, network: SwinFuse) -> None:
        super().__init__()
        self.network = network.eval()

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """Planes (B, 1, H, W) on the scale 0..255 to one such plane."""
        dtype = self.network.conv.weight.dtype
        warm, seen = (((plane - 127.5) / 127.5).to(dtype) for plane in (ir, vis))
        rows = []
        for one, other in zip(warm.split(_SQUARE, 2), seen.split(_SQUARE, 2), strict=True):
            squares = zip(one.split(_SQUARE, 3), other.split(_SQUARE, 3), strict=True)
            rows.append(torch.cat([self.network(*square) for square in squares], 3))
        return (torch.cat(rows, 2).float() / 2 + 0.5) * 255


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `SwinFuse`: the authors' names are ours."""
    return learned(entries)
