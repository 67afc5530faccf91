"""CLF-Net: two encoders of residual blocks, one decoder; the features were trained by contrast between the sources.

Zhu, Yang, Lu, Shen, Xie and Zhang, IEEE Transactions on Instrumentation and Measurement, 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu
from torch.nn.utils.fusion import fuse_conv_bn_eval

T = TypeVar("T")


class Residual(nn.Module):
    """1x1 and 3x3 convolutions beside a shortcut.

    Parameters
    ----------
    inside, outside : int
        Channels before and after.
    project : bool
        Whether the shortcut is a 1x1 convolution. The weights of one exist in any case, as in the official files.
    last : bool
        End in tanh instead of a leaky ReLU.
    """

    def __init__(self, inside: int, outside: int, *, project: bool = True, last: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, inside, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inside)
        self.conv2 = nn.Conv2d(inside, outside, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.identity_block = nn.Conv2d(inside, outside, 1, bias=False)
        self.project, self.last = project, last

    def forward(self, x: Tensor) -> Tensor:
        """(B, inside, H, W) to (B, outside, H, W)."""
        h = self.bn2(self.conv2(leaky_relu(self.bn1(self.conv1(x)))))
        h = h + (self.identity_block(x) if self.project else x)
        return torch.tanh(h) if self.last else leaky_relu(h)


class Encoder(nn.Module):
    """(B, 1, H, W) in [-1, 1] to features (B, 64, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.res_block0 = Residual(1, 16)
        self.res_block1 = Residual(16, 16, project=False)
        self.res_block2 = Residual(16, 32)
        self.res_block3 = Residual(32, 64)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the last block."""
        return self.res_block3(self.res_block2(self.res_block1(self.res_block0(x))))


class Decoder(nn.Module):
    """Features (B, 128, H, W) to an image (B, 1, H, W) in (-1, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.res_block1 = Residual(128, 64)
        self.res_block2 = Residual(64, 32)
        self.res_block3 = Residual(32, 16)
        self.res_block4 = Residual(16, 1, last=True)

    def forward(self, x: Tensor) -> Tensor:
        """The fused image."""
        return self.res_block4(self.res_block3(self.res_block2(self.res_block1(x))))


class Fusion(NamedTuple):
    """What the network makes of a pair: features (B, 64, H, W) of each source, and the image (B, 1, H, W)."""

    vis: Tensor
    ir: Tensor
    fused: Tensor


class Generator(nn.Module):
    """The whole network; images are (B, 1, H, W), 0..255 mapped to [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.vis_encoder = Encoder()
        self.inf_encoder = Encoder()
        self.decoder = Decoder()

    def encode(self, vis: Tensor, ir: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, 64, H, W) of each source."""
        return self.vis_encoder(vis), self.inf_encoder(ir)

    def forward(self, vis: Tensor, ir: Tensor) -> Fusion:
        """Encode both, decode them together; the visible features come first."""
        seen, warm = self.encode(vis, ir)
        return Fusion(seen, warm, self.decoder(torch.cat([seen, warm], 1)))


class Inference(nn.Module):
    """The network in use, its normalisations folded into the convolutions before them.

    Parameters
    ----------
    network : Generator
        Is used up.
    """

    # A pixel sees as many others to each side as there are convolutions of 3 x 3: four encode, four decode.
    overlap: Final = 8
    multiple: Final = 1
    channels_last: Final = True
    sees_all_by: Final = ""

    def __init__(self, network: Generator) -> None:
        super().__init__()
        self.network = network.eval()
        for block in [module for module in network.modules() if isinstance(module, Residual)]:
            block.conv1, block.bn1 = fuse_conv_bn_eval(block.conv1, block.bn1), nn.Identity()
            block.conv2, block.bn2 = fuse_conv_bn_eval(block.conv2, block.bn2), nn.Identity()

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """Planes (B, 1, H, W) on the scale 0..255 to one such plane."""
        dtype = self.network.decoder.res_block1.conv1.weight.dtype
        seen, warm = (((plane - 127.5) / 127.5).to(dtype) for plane in (vis, ir))
        return self.network(seen, warm).fused.float() * 127.5 + 127.5


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `Generator` among those of the authors' training object, which also holds the patch sampler."""
    prefix = "Generator."
    if not any(key.startswith(prefix) for key in entries):
        return dict(entries)
    return {key.removeprefix(prefix): value for key, value in entries.items() if key.startswith(prefix)}
