"""YDTR: one encoder for both sources, whose features are added, and a decoder of the same parts.

Tang, He and Liu, IEEE Transactions on Multimedia 25, 2023.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, TypeVar

from torch import Tensor, nn
from torch.nn.functional import relu

from .tokens import Inference as Inference
from .tokens import Last, Replicating, Transformer, Unused

T = TypeVar("T")

_CHANNELS: Final = 64
_FEWER: Final = _CHANNELS // 8


class DetailFeature(nn.Module):
    """Features (B, 64, H, W), weighted by channel and by pixel, with nothing that would keep the weights in bounds."""

    def __init__(self) -> None:
        super().__init__()
        body = nn.Sequential(nn.Conv2d(_CHANNELS, _FEWER, 3, padding=1), nn.Conv2d(_FEWER, 1, 3, padding=1))
        fc = nn.Sequential(nn.Conv2d(_CHANNELS, _FEWER, 1), nn.ReLU(), nn.Conv2d(_FEWER, _CHANNELS, 1))
        self.spatial_branch = nn.Sequential(OrderedDict(body=body))
        self.channel_branch = nn.Sequential(OrderedDict(fc=fc))

    def forward(self, x: Tensor) -> Tensor:
        """The sum of both."""
        return x * self.channel_branch(x.mean((2, 3), keepdim=True)) + x * self.spatial_branch(x)


class YDTR(nn.Module):
    """The whole network; images are (B, 1, H, W) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.convInput = Replicating(1, _CHANNELS, 3)
        # These three are never called; the official files hold weights for them.
        self.conv64, self.conv, self.patch_embed = Replicating(64, 64, 3), Replicating(128, 64, 3), Unused()
        self.convolutional_out = Last(_CHANNELS)
        self.DDF = DetailFeature()
        self.basicLayer = Transformer(_CHANNELS)

    def _refine(self, x: Tensor) -> Tensor:
        return self.basicLayer(self.DDF(x))

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image; which source comes first does not matter."""
        warm, seen = (self._refine(relu(self.convInput(source))) for source in (ir, vis))
        return self.convolutional_out(self._refine(warm + seen))


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `YDTR`: the authors' names are ours; where a token stands in its window is no weight."""
    return {name: entry for name, entry in entries.items() if not name.endswith(".relative_position_index")}
