"""DATFuse: attention to channels and to places, a transformer, and attention again, over both sources at once.

Tang, He, Liu, Duan and Si, IEEE Transactions on Circuits and Systems for Video Technology 33, 2023.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from .tokens import Inference as Inference
from .tokens import Last, Replicating, Transformer, Unused

T = TypeVar("T")

_CHANNELS: Final = 16
_FEWER: Final = _CHANNELS // 4


def _channel_attention() -> nn.Sequential:
    """Features (B, 16, 1, 1), their means over all pixels, to weights of the channels."""
    fc = nn.Sequential(nn.Conv2d(_CHANNELS, _FEWER, 1), nn.ReLU(), nn.Conv2d(_FEWER, _CHANNELS, 1), nn.Sigmoid())
    return nn.Sequential(OrderedDict(fc=fc))


def _spatial_attention() -> nn.Sequential:
    """Features (B, 16, H, W) to weights of the pixels (B, 1, H, W)."""
    first, second = nn.Conv2d(_CHANNELS, _FEWER, 3, padding=1), nn.Conv2d(_FEWER, 1, 3, padding=1)
    body = nn.Sequential(first, nn.BatchNorm2d(_FEWER), nn.ReLU(), second, nn.BatchNorm2d(1), nn.Sigmoid())
    return nn.Sequential(OrderedDict(body=body))


class DATFuse(nn.Module):
    """The whole network; images are (B, 1, H, W) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutional = Replicating(2, _CHANNELS, 5)
        self.convolutional_out = Last(_CHANNELS)
        self.fem = Replicating(_CHANNELS, _CHANNELS, 3)
        self.cam, self.sam = _channel_attention(), _spatial_attention()
        # Never called; the official files hold weights for it.
        self.patch_embed = Unused()
        self.basicLayer = Transformer(_CHANNELS)

    def _extract(self, x: Tensor) -> Tensor:
        """The same convolution and normalisation twice."""
        return self.fem(relu(self.fem(x)))

    def _attend(self, x: Tensor) -> Tensor:
        return x * self.cam(x.mean((2, 3), keepdim=True)) + x * self.sam(x)

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image."""
        shallow = relu(self.convolutional(torch.cat([ir, vis], 1)))
        x = relu(self._attend(self._extract(shallow)) + shallow)
        x = self._extract(self.basicLayer(x))
        return self.convolutional_out(self._attend(x) + x)


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `DATFuse`: the authors' names are ours; where a token stands in its window is no weight."""
    return {name: entry for name, entry in entries.items() if not name.endswith(".relative_position_index")}
