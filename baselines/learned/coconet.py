"""CoCoNet: a U-shaped network over both sources, which also sees what VGG-19 sees in each of them.

Liu, Lin, Wu, Liu, Luo and Fan, International Journal of Computer Vision, 2024.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, max_pool2d, pad, relu

from .literature.blocks import ImageNorm

T = TypeVar("T")

_MULTIPLE: Final = 16
"""Images are padded to multiples of so many pixels."""


def _convolution(inside: int, outside: int) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 3, padding=1)


class Perception(nn.Module):
    """The first convolutions of VGG-19, on one grey plane; the names carry the places that torchvision gives them."""

    def __init__(self) -> None:
        super().__init__()
        self.slice1 = nn.ModuleDict({"0": _convolution(1, 64), "3": _convolution(64, 64)})
        self.slice2 = nn.ModuleDict({"6": _convolution(64, 128), "8": _convolution(128, 128)})
        self.slice3 = nn.ModuleDict({"11": _convolution(128, 256)} | {k: _convolution(256, 256) for k in _LATE})

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 1, H, W) to (B, 64, H/2, W/2), (B, 128, H/4, W/4) and (B, 256, H/8, W/8)."""
        # Unlike in VGG-19, the first pooling stands between the first two convolutions.
        half = relu(self.slice1["3"](max_pool2d(relu(self.slice1["0"](x)), 2)))
        quarter = relu(self.slice2["8"](relu(self.slice2["6"](max_pool2d(half, 2)))))
        eighth = max_pool2d(quarter, 2)
        for convolution in self.slice3.values():
            eighth = relu(convolution(eighth))
        return half, quarter, eighth


_LATE: Final = ("13", "15", "17")


class ChannelAttention(nn.Module):
    """Every channel as a mixture of the channels that are unlike it, beside itself.

    Parameters
    ----------
    channels : int
        Before and after.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1))
        self.conv_1, self.conv_2, self.conv_3 = (_convolution(channels, channels) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W), before and after."""
        query, key, value = (conv(x).flatten(2) for conv in (self.conv_1, self.conv_2, self.conv_3))
        # Sums of products over all pixels: half precision cannot hold them.
        energy = query.float() @ key.float().transpose(1, 2)
        attention = torch.softmax(energy.amax(-1, keepdim=True) - energy, -1).to(value.dtype)
        return (self.gamma * (attention @ value) + value).view_as(x)


class CoCoNet(nn.Module):
    """The whole network; images are (B, 1, H, W), and the visible one comes first in training and in use."""

    def __init__(self) -> None:
        super().__init__()
        # se_32 and att_deconv9 are never called; the official files hold weights for them.
        self.se_32, self.se_64, self.se_128, self.se_256 = (ChannelAttention(c) for c in (32, 64, 128, 256))
        self.vgg19 = Perception().requires_grad_(False)
        self.conv1_1, self.bn1_1 = _convolution(2, 32), nn.BatchNorm2d(32)
        self.conv1_2, self.bn1_2 = _convolution(32, 32), nn.BatchNorm2d(32)
        self.conv2_1, self.bn2_1 = _convolution(32, 64), nn.BatchNorm2d(64)
        self.conv2_2, self.bn2_2 = _convolution(64, 64), nn.BatchNorm2d(64)
        self.conv3_1, self.bn3_1 = _convolution(64, 128), nn.BatchNorm2d(128)
        self.conv3_2, self.bn3_2 = _convolution(128, 128), nn.BatchNorm2d(128)
        self.conv4_1, self.bn4_1 = _convolution(128, 256), nn.BatchNorm2d(256)
        self.deconv4 = _convolution(768, 256)
        self.conv4_2, self.bn4_2 = _convolution(256, 256), nn.BatchNorm2d(256)
        self.deconv6, self.att_deconv7 = _convolution(256, 128), _convolution(384, 128)
        self.conv7_1, self.bn7_1 = _convolution(256, 128), nn.BatchNorm2d(128)
        self.conv7_2, self.bn7_2 = _convolution(128, 128), nn.BatchNorm2d(128)
        self.deconv7, self.att_deconv8 = _convolution(128, 64), _convolution(192, 64)
        self.conv8_1, self.bn8_1 = _convolution(128, 64), nn.BatchNorm2d(64)
        self.conv8_2, self.bn8_2 = _convolution(64, 64), nn.BatchNorm2d(64)
        self.deconv8, self.att_deconv9 = _convolution(64, 32), _convolution(96, 32)
        self.conv9_1, self.bn9_1 = _convolution(64, 32), nn.BatchNorm2d(32)
        self.conv9_2 = _convolution(32, 32)
        self.conv10 = nn.Conv2d(32, 1, 1)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Fuse.

        Parameters
        ----------
        first, second : Tensor
            The visible and the infrared images, (B, 1, H, W) with sides of 9 or more.

        Returns
        -------
        Tensor
            (B, 1, H, W), in (-1, 1).
        """
        height, width = first.shape[2:]
        up, left = -height % _MULTIPLE // 2, -width % _MULTIPLE // 2
        border = (left, -width % _MULTIPLE - left, up, -height % _MULTIPLE - up)
        first, second = pad(first, border, mode="reflect"), pad(second, border, mode="reflect")
        seen, warm = self.vgg19(first), self.vgg19(second)

        full = self._step("1_2", self._step("1_1", torch.cat([first, second], 1)))
        half = self._step("2_2", self._step("2_1", max_pool2d(full, 2)))
        quarter = self._step("3_2", self._step("3_1", max_pool2d(half, 2)))
        eighth = self._step("4_1", max_pool2d(quarter, 2))

        x = self._step("4_2", self.deconv4(_attend(self.se_256, eighth, warm[2], seen[2])))
        x = torch.cat([self.deconv6(_double(x)), self.att_deconv7(_attend(self.se_128, quarter, warm[1], seen[1]))], 1)
        x = self._step("7_2", self._step("7_1", x))
        x = torch.cat([self.deconv7(_double(x)), self.att_deconv8(_attend(self.se_64, half, warm[0], seen[0]))], 1)
        x = self._step("8_2", self._step("8_1", x))
        x = self._step("9_1", torch.cat([self.deconv8(_double(x)), full], 1))
        x = torch.tanh(self.conv10(leaky_relu(self.conv9_2(x), 0.2)))
        return x[:, :, up : up + height, left : left + width]

    def _step(self, name: str, x: Tensor) -> Tensor:
        """Convolution, activation, normalisation, in this order."""
        return getattr(self, f"bn{name}")(leaky_relu(getattr(self, f"conv{name}")(x), 0.2))


def _attend(attention: ChannelAttention, *features: Tensor) -> Tensor:
    return torch.cat([attention(one) for one in features], 1)


def _double(x: Tensor) -> Tensor:
    return interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class Inference(nn.Module):
    """The network in use.

    Parameters
    ----------
    network : CoCoNet
        Is used up.
    bn : {"batch", "running"}
        Normalise by the statistics of each image, as the authors' program does, or by those of the training.
    scale : {"255", "unit"}
        What the network is given: levels, as by the authors' program, or [-1, 1], as in their training.
    """

    overlap: Final = 64
    multiple: Final = _MULTIPLE
    # Given levels, it magnifies what float32 rounds off: in another order of summing the authors' numbers are not met.
    channels_last: Final = False
    sees_all_by: Final = "attention over all pixels"

    def __init__(
        self, network: CoCoNet, *, bn: Literal["batch", "running"] = "batch", scale: Literal["255", "unit"] = "255"
    ) -> None:
        super().__init__()
        self.network, self.scale = network.eval(), scale
        if bn == "batch":
            for name, module in list(network.named_children()):
                if isinstance(module, nn.BatchNorm2d):
                    setattr(network, name, ImageNorm.of(module))

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """Planes (B, 1, H, W) on the scale 0..255 to one such plane."""
        dtype = self.network.conv10.weight.dtype
        seen, warm = ((plane if self.scale == "255" else plane / 127.5 - 1).to(dtype) for plane in (vis, ir))
        return self.network(seen, warm).float() * 127.5 + 127.5


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `CoCoNet`: the authors' names are ours."""
    return dict(entries)
