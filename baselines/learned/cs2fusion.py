"""CS2Fusion: two densely connected encoders and a decoder that asks for their features again, as far as it needs them.

Wang, Guan, Qian, Cao, Liang and Yan, Information Fusion 102, 2024.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias, TypeVar

import torch
from torch import Tensor, nn

T = TypeVar("T")
Layers: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor]


def _convolution(inside: int, outside: int) -> nn.Sequential:
    # The authors' network says ReLU, but what they trained, and what their files hold, is leaky.
    return nn.Sequential(nn.Conv2d(inside, outside, 3, padding=1), nn.LeakyReLU(0.01))


class Demand(nn.Module):
    """How much of the encoders' features the decoder wants: one number in (0, 1) a sample.

    Parameters
    ----------
    channels : int
        Of the decoder's features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cov = nn.Sequential(nn.Conv2d(2 * channels, 1, 3, padding=1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) to (B, 1, 1, 1)."""
        # The kernel has nine taps, but on a map of one pixel eight of them see the border only. And `amax` does what
        # adaptive max pooling to one pixel does, several times faster.
        pooled = torch.cat([x.amax((2, 3)), x.mean((2, 3))], 1)
        taps = self.cov[0]
        wanted = torch.sigmoid(nn.functional.linear(pooled, taps.weight[:, :, 1, 1], taps.bias))
        return wanted[:, :, None, None]


class Features(NamedTuple):
    """What the network makes of a pair.

    Attributes
    ----------
    first, second : tuple of Tensor
        (B, 16, H, W) each: what the four convolutions of either encoder give.
    joint : Tensor
        (B, 128, H, W): all of them, the first encoder's last first.
    fused : Tensor
        (B, 1, H, W): the image, on the scale 0..255, beyond which it may reach.
    """

    first: Layers
    second: Layers
    joint: Tensor
    fused: Tensor


class Backbone(nn.Module):
    """The whole network; images are (B, 1, H, W) on the scale 0..255. The published images need the visible one first."""

    def __init__(self) -> None:
        super().__init__()
        self.con1, self.con1_1 = _convolution(1, 16), _convolution(1, 16)
        self.con2, self.con2_1 = _convolution(16, 16), _convolution(16, 16)
        self.con3, self.con3_1 = _convolution(32, 16), _convolution(32, 16)
        self.con4, self.con4_1 = _convolution(48, 16), _convolution(48, 16)
        self.decon1, self.cov1, self.ca1 = _convolution(128, 64), _convolution(64, 64), Demand(64)
        self.decon2, self.cov2, self.ca2 = _convolution(64, 32), _convolution(64, 32), Demand(32)
        self.decon3, self.cov3, self.ca3 = _convolution(32, 16), _convolution(64, 16), Demand(16)
        self.decon4 = nn.Sequential(nn.Conv2d(16, 1, 3, padding=1))

    def encode(self, first: Tensor, second: Tensor) -> tuple[Layers, Layers]:
        """What the four convolutions of either encoder give: (B, 16, H, W) each."""
        ones = _encode(first, self.con1, self.con2, self.con3, self.con4)
        return ones, _encode(second, self.con1_1, self.con2_1, self.con3_1, self.con4_1)

    def forward(self, first: Tensor, second: Tensor) -> Features:
        """Encode both, decode them together."""
        ones, others = self.encode(first, second)
        one, other = torch.cat(ones[::-1], 1), torch.cat(others[::-1], 1)
        joint = torch.cat([one, other], 1)
        # The decoder's demands do not train the encoders.
        one, other = one.detach(), other.detach()
        x = self.decon1(joint)
        x = x + self.ca1(x) * (self.cov1(one) + self.cov1(other))
        x = self.decon2(x)
        x = x + self.ca2(x) * (self.cov2(one) + self.cov2(other))
        x = self.decon3(x)
        x = x + self.ca3(x) * (self.cov3(one) + self.cov3(other))
        return Features(ones, others, joint, self.decon4(x))


def _encode(x: Tensor, con1: nn.Sequential, con2: nn.Sequential, con3: nn.Sequential, con4: nn.Sequential) -> Layers:
    e1 = con1(x)
    e2 = con2(e1)
    e3 = con3(torch.cat([e2, e1], 1))
    e4 = con4(torch.cat([e3, e2, e1], 1))
    return e1, e2, e3, e4


class Inference(nn.Module):
    """The network in use.

    Parameters
    ----------
    network : Backbone
        Is used up.
    """

    overlap: Final = 32
    multiple: Final = 1
    channels_last: Final = True
    sees_all_by: Final = "pooling over all pixels"

    def __init__(self, network: Backbone) -> None:
        super().__init__()
        self.network = network.eval()

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """Planes (B, 1, H, W) on the scale 0..255 to one such plane, which may leave the scale."""
        dtype = self.network.decon4[0].weight.dtype
        return self.network(vis.to(dtype), ir.to(dtype)).fused.float()


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `Backbone`: the authors' names are ours."""
    return dict(entries)
