"""DDcGAN: a densely connected encoder over both sources and a decoder, trained against a discriminator for either source.

Ma, Xu, Jiang, Mei and Zhang, IEEE Transactions on Image Processing 29, 2020.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pad, relu

from .blocks import ImageNorm
from .in_use import InUse
from .tensorflow_entries import from_tensorflow

_GROWTH: Final = 48
_WIDE: Final = 5 * _GROWTH
_TIMES: Final = 4
"""How many times larger the sides of the visible image are than those of the infrared one, for the larger network."""


class _Step(nn.Module):
    """Convolution, normalisation, activation."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, 3, padding=1, padding_mode="reflect")
        self.bn = ImageNorm(outside, 1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.bn(self.conv(x)))


class Encoder(nn.Module):
    """(B, 2, H, W) to features (B, 240, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1_1 = _Step(2, _GROWTH)
        for step in range(1, 5):
            self.add_module(f"dense_block_conv{step}", _Step(step * _GROWTH, _GROWTH))

    def forward(self, x: Tensor) -> Tensor:
        """All features, the newest first."""
        x = self.conv1_1(x)
        for step in range(1, 5):
            x = torch.cat([self.get_submodule(f"dense_block_conv{step}")(x), x], 1)
        return x


class Decoder(nn.Module):
    """Features (B, 240, H, W) to an image (B, 1, H, W) in (0, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2_0 = _Step(_WIDE, _WIDE)
        self.conv2_1 = _Step(_WIDE, 128)
        self.conv2_2 = _Step(128, 64)
        self.conv2_3 = _Step(64, 32)
        last = nn.Conv2d(32, 1, 3, padding=1, padding_mode="reflect")
        self.conv2_4 = nn.Sequential(OrderedDict(conv=last, tanh=nn.Tanh()))

    def forward(self, x: Tensor) -> Tensor:
        """The fused image."""
        # The authors' program applies the first convolution twice, and trained it so.
        x = self.conv2_0(relu(self.conv2_0.conv(x)))
        x = self.conv2_3(self.conv2_2(self.conv2_1(x)))
        return self.conv2_4(x) / 2 + 0.5


class DDcGAN(nn.Module):
    """The generator, which alone is needed to fuse, for sources of one size; images are (B, 1, H, W) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, vis: Tensor, ir: Tensor) -> Tensor:
        """The fused image; the visible source comes first."""
        return self.decoder(self.encoder(torch.cat([vis, ir], 1)))


class DDcGANMulti(DDcGAN):
    """The same for an infrared image of a quarter of the height and width, which is enlarged by a filter of its own."""

    def __init__(self) -> None:
        super().__init__()
        # The filter is smaller than its steps, so that every fourth row and column of what it makes is zero.
        self.deconv_ir = nn.ConvTranspose2d(1, 1, 3, stride=_TIMES, output_padding=1, bias=False)
        self.deconv_vis = nn.ConvTranspose2d(1, 1, 3, padding=1, bias=False)

    def forward(self, vis: Tensor, ir: Tensor) -> Tensor:
        """The fused image, of the size of the visible one."""
        return super().forward(self.deconv_vis(vis), self.deconv_ir(ir))


class Inference(InUse):
    """Either network in use.

    The infrared plane is of the size of the visible one in any case; for `DDcGANMulti` it is reduced to the means of 4 x 4
    pixels, after the planes were continued by their outermost pixels to sides that 4 divides.

    Parameters
    ----------
    network : DDcGAN
        Is used up.
    """

    overlap = 64
    multiple = _TIMES
    channels_last = False
    sees_all_by = "normalisation by the statistics of the whole image"

    def __init__(self, network: DDcGAN) -> None:
        super().__init__(network)
        self.reduces = isinstance(network, DDcGANMulti)

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """As in `InUse`; the network takes the visible image first."""
        height, width = vis.shape[2:]
        if self.reduces:
            border = (0, -width % _TIMES, 0, -height % _TIMES)
            vis = pad(vis, border, mode="replicate")
            ir = avg_pool2d(pad(ir, border, mode="replicate"), _TIMES)
        return super().forward(vis, ir)[:, :, :height, :width]


def _names() -> dict[str, str]:
    encoder = ["conv1_1", *(f"dense_block_conv{k}" for k in range(1, 5))]
    convolutions = {f"Generator__encoder__{name}": f"encoder.{name}" for name in encoder}
    # TensorFlow numbers what is called twice; the first of these is the one that is also applied twice.
    decoder = {"conv2_1": "conv2_0", "conv2_1_1": "conv2_1"} | {f"conv2_{k}": f"conv2_{k}" for k in (2, 3, 4)}
    convolutions |= {f"Generator_1__decoder__{theirs}": f"decoder.{ours}" for theirs, ours in decoder.items()}
    norms = {f"Generator__encoder__b{i}": f"encoder.{name}" for i, name in enumerate(encoder)}
    norms |= {f"Generator__decoder__b{i}": f"decoder.conv2_{i}" for i in range(4)}
    names = {
        "Generator_2__deconv_ir__deconv1__kernel": "deconv_ir.weight",
        "Generator_3__deconv_vis__deconv1__kernel": "deconv_vis.weight",
    }
    for theirs, ours in convolutions.items():
        names |= {f"{theirs}__kernel": f"{ours}.conv.weight", f"{theirs}__bias": f"{ours}.conv.bias"}
    for theirs, ours in norms.items():
        scope = f"{theirs}__batch_normalization"
        names |= {f"{scope}__gamma": f"{ours}.bn.weight", f"{scope}__beta": f"{ours}.bn.bias"}
    return names


_NAMES: Final = _names()


def adapt_state_dict(entries: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The entries of either network among those of the authors' checkpoint, which also holds the discriminators."""
    return from_tensorflow(entries, _NAMES)
