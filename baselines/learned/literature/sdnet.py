"""SDNet: two encoders, squeezed into one image, which two decoders have to take apart again.

Zhang and Ma, International Journal of Computer Vision 129, 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from .in_use import InUse
from .tensorflow_entries import convolutions, from_tensorflow


class Encoder(nn.Module):
    """(B, 1, H, W) to features (B, 16, H, W) of four depths; each step sees all before it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5, padding=2)
        self.conv2 = nn.Conv2d(16, 16, 3, padding=1)
        self.conv3 = nn.Conv2d(32, 16, 3, padding=1)
        self.conv4 = nn.Conv2d(48, 16, 3, padding=1)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The features, from the first on."""
        depths = [leaky_relu(self.conv1(x), 0.2)]
        for conv in (self.conv2, self.conv3, self.conv4):
            depths.append(leaky_relu(conv(torch.cat(depths, 1)), 0.2))
        return depths


class Decoder(nn.Module):
    """(B, 128, H, W) to a source, (B, 1, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(128, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 4, 3, padding=1)
        self.conv3 = nn.Conv2d(4, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """The source, in (-1, 1)."""
        return torch.tanh(self.conv3(leaky_relu(self.conv2(leaky_relu(self.conv1(x), 0.2)), 0.2)))


class SDNet(nn.Module):
    """The whole network; images are (B, 1, H, W) in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.enc_ir, self.enc_vi = Encoder(), Encoder()
        self.fuse = nn.Conv2d(128, 1, 1)
        self.split = nn.Conv2d(1, 128, 1)
        self.dec_ir, self.dec_vi = Decoder(), Decoder()

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image; the features of both sources alternate, from the first depth to the last."""
        depths = zip(self.enc_ir(ir), self.enc_vi(vis), strict=True)
        return torch.tanh(self.fuse(torch.cat([features for both in depths for features in both], 1)))

    def decompose(self, fused: Tensor) -> tuple[Tensor, Tensor]:
        """The infrared and the visible image, taken out of the fused one again; only training needs that."""
        x = leaky_relu(self.split(fused), 0.2)
        return self.dec_ir(x), self.dec_vi(x)


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : SDNet
        Is used up.
    """

    # One convolution of 5 x 5 and three of 3 x 3.
    overlap = 5
    middle, unit = 127.5, 127.5


_NAMES: Final = convolutions(
    {f"{k}_{s}": f"enc_{s}.conv{k}" for k in (1, 2, 3, 4) for s in ("ir", "vi")}
    | {"5_fuse": "fuse", "6_sept": "split"}
    | {f"{k}_{s}": f"dec_{s}.conv{k - 6}" for k in (7, 8, 9) for s in ("ir", "vi")}
)


def adapt_state_dict(entries: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The entries of `SDNet` among those of the authors' checkpoint."""
    return from_tensorflow(entries, _NAMES)
