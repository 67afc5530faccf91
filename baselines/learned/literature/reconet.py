"""ReCoNet: three rounds of the same small network, each of which corrects the fused image of the round before.

Huang, Liu, Fan, Liu, Zhong and Luo, European Conference on Computer Vision, 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

import torch
from torch import Tensor, nn

from .in_use import InUse

T = TypeVar("T")

_ROUNDS: Final = 3
_DILATIONS: Final = (1, 2, 3)


def _attention() -> nn.Conv2d:
    return nn.Conv2d(2, 1, 3, padding=1, bias=False)


class ReCoNet(nn.Module):
    """The part that fuses, without the registration before it; images are (B, 1, H, W) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.att_a_conv, self.att_b_conv = _attention(), _attention()
        for k in _DILATIONS:
            dilated = nn.Conv2d(3, 64, 3, padding=k, dilation=k)
            self.add_module(f"dil_conv_{k}", nn.Sequential(dilated, nn.BatchNorm2d(64), nn.ReLU()))
        self.fus_conv = nn.Sequential(nn.Conv2d(192, 1, 3, padding=1), nn.BatchNorm2d(1), nn.Tanh())

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image, in (-1, 1)."""
        fused = torch.maximum(ir, vis)
        for _ in range(_ROUNDS):
            warm, seen = ir * _attend(self.att_a_conv, ir, fused), vis * _attend(self.att_b_conv, vis, fused)
            joint = torch.cat([warm, fused, seen], 1)
            fused = self.fus_conv(torch.cat([self.get_submodule(f"dil_conv_{k}")(joint) for k in _DILATIONS], 1))
        return fused


def _attend(conv: nn.Conv2d, source: Tensor, fused: Tensor) -> Tensor:
    """Where a source is to count, by what it and the fused image have in common."""
    return torch.sigmoid(conv(torch.cat([torch.maximum(source, fused), (source + fused) / 2], 1)))


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : ReCoNet
        Is used up.
    """

    # A round sees one pixel by its attention, up to three by dilation, and one more.
    overlap = 5 * _ROUNDS


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `ReCoNet`: the authors' names are ours."""
    return dict(entries)
