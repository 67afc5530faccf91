"""PIAFusion: two encoders that give each other what they lack at every depth, trained by how bright a scene is.

Tang, Yuan, Zhang, Jiang and Ma, Information Fusion 83-84, 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from .in_use import InUse
from .tensorflow_entries import from_tensorflow


def _convolution(inside: int, outside: int) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 3, padding=1, padding_mode="reflect")


def _exchange(vis: Tensor, ir: Tensor) -> tuple[Tensor, Tensor]:
    """The difference of the sources, added to the one and taken from the other, weighed by its mean over a channel."""
    difference = vis - ir
    mean = difference.mean((2, 3), keepdim=True)
    return vis + torch.sigmoid(-mean) * difference, ir - torch.sigmoid(mean) * difference


class Encoder(nn.Module):
    """Two images (B, 1, H, W) to features (B, 128, H, W) of each."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_vi, self.conv_ir = nn.Conv2d(1, 16, 1), nn.Conv2d(1, 16, 1)
        self.conv1, self.conv2 = _convolution(16, 16), _convolution(16, 32)
        self.conv3, self.conv4 = _convolution(32, 64), _convolution(64, 128)

    def forward(self, vis: Tensor, ir: Tensor) -> tuple[Tensor, Tensor]:
        """The visible features and the infrared ones; all convolutions but the first are shared."""
        vis, ir = leaky_relu(self.conv_vi(vis), 0.2), leaky_relu(self.conv_ir(ir), 0.2)
        for conv in (self.conv1, self.conv2, self.conv3):
            vis, ir = _exchange(leaky_relu(conv(vis), 0.2), leaky_relu(conv(ir), 0.2))
        return leaky_relu(self.conv4(vis), 0.2), leaky_relu(self.conv4(ir), 0.2)


class Decoder(nn.Module):
    """Features (B, 256, H, W) to an image (B, 1, H, W) in (0, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = _convolution(256, 256), _convolution(256, 128)
        self.conv3, self.conv4 = _convolution(128, 64), _convolution(64, 32)
        self.conv1x1 = nn.Conv2d(32, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The fused image."""
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = leaky_relu(conv(x), 0.2)
        return torch.tanh(self.conv1x1(x)) / 2 + 0.5


class PIAFusion(nn.Module):
    """The network that fuses; images are (B, 1, H, W) in [0, 1]. The one that tells day from night serves training only."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, vis: Tensor, ir: Tensor) -> Tensor:
        """The fused image; the visible features come first."""
        return self.decoder(torch.cat(self.encoder(vis, ir), 1))


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : PIAFusion
        Is used up.
    """

    overlap = 64
    sees_all_by = "means of whole channels"

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """As in `InUse`; the network takes the visible image first."""
        return super().forward(vis, ir)


def _names() -> dict[str, str]:
    layers = {f"encoder__conv5x5_{source}": f"encoder.conv_{source}" for source in ("vi", "ir")}
    layers |= {f"encoder__Conv{k}__conv3x3": f"encoder.conv{k}" for k in range(1, 5)}
    layers |= {f"decoder__conv{k}": f"decoder.conv{k}" for k in ("1", "2", "3", "4", "1x1")}
    kinds = {"kernel": "weight", "bias": "bias"}
    return {
        f"PIAFusion__{theirs}__{word}": f"{ours}.{kind}"
        for theirs, ours in layers.items()
        for word, kind in kinds.items()
    }


_NAMES: Final = _names()


def adapt_state_dict(entries: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The entries of `PIAFusion` among those of the authors' checkpoint."""
    return from_tensorflow(entries, _NAMES)
