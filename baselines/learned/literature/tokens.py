"""What YDTR and DATFuse have in common: the transformer that their windows of a single token leave of Swin's."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, linear

from .in_use import InUse


class _Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        # A token that attends to none but itself takes its own value, whatever query, key and position are: two thirds
        # of `qkv` and this table are weights in the official files, and do nothing.
        self.relative_position_bias_table = nn.Parameter(torch.zeros(1, 8))
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        width = x.shape[-1]
        return self.proj(linear(x, self.qkv.weight[2 * width :], self.qkv.bias[2 * width :]))


class _Perceptron(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(gelu(self.fc1(x)))


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(width), _Attention(width)
        self.norm2, self.mlp = nn.LayerNorm(width), _Perceptron(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    """Two blocks over tokens; features (B, width, H, W), before and after.

    A token is not what all channels have at a pixel, but `width` values that lie side by side in memory: of neighbouring pixels
    of one row of one channel, or of two rows at their ends.

    Parameters
    ----------
    width : int
        Channels, and values of a token.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([_Block(width), _Block(width)])

    def forward(self, x: Tensor) -> Tensor:
        """The features as tokens, through both blocks, and back."""
        tokens = x.reshape(len(x), -1, x.shape[1])
        for block in self.blocks:
            tokens = block(tokens)
        return tokens.view_as(x)


class Unused(nn.Module):
    """A normalisation that the official files hold weights of, and nothing calls."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(96)


class Replicating(nn.Module):
    """Convolution of features whose borders are repeated outwards, and a normalisation; (B, inside, H, W) to (B, outside, H, W).

    Parameters
    ----------
    inside, outside, size : int
        Of the convolution.
    """

    def __init__(self, inside: int, outside: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, size, padding=size // 2, padding_mode="replicate")
        self.bn = nn.BatchNorm2d(outside)

    def forward(self, x: Tensor) -> Tensor:
        """Both, one after the other."""
        return self.bn(self.conv(x))


class Last(nn.Module):
    """Features (B, inside, H, W) to the fused image (B, 1, H, W) in (-1, 1)."""

    def __init__(self, inside: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The image."""
        return torch.tanh(self.conv(x))


class Inference(InUse):
    """Such a network in use.

    Parameters
    ----------
    network : nn.Module
        Takes the infrared and the visible image, (B, 1, H, W) in [0, 1]; is used up.
    """

    overlap = 64
    channels_last = False
    sees_all_by = "pooling over all pixels"
