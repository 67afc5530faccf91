"""SwinFusion: Swin transformers within each source, across both, and over what comes of it.

Ma, Tang, Fan, Huang, Mei and Ma, IEEE/CAA Journal of Automatica Sinica 9(7), 2022.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from .in_use import InUse
from .swin import Block, CrossAttention, Perceptron, Windows, learned

T = TypeVar("T")

_WIDTH: Final = 60
_HEADS: Final = 6
_HIDDEN: Final = 120
_SIDE: Final = 8
# Every other block has moved windows.
_STILL, _MOVED = Windows(_SIDE), Windows(_SIDE, _SIDE // 2)


def _conv(inside: int, outside: int) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 3, padding=1)


def _group(*blocks: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(blocks=nn.Sequential(*blocks)))


def _within(number: int) -> nn.Sequential:
    """So many blocks that look at one image, (B, H, W, 60)."""
    return _group(*(Block(_WIDTH, _HEADS, _HIDDEN, (_STILL, _MOVED)[place % 2]) for place in range(number)))


def _layer(number: int) -> nn.Sequential:
    """The same, under the authors' name for it."""
    return nn.Sequential(nn.Sequential(OrderedDict(residual_group=_within(number))))


class _CrossBlock(nn.Module):
    """Each of two images asks the other, (B, H, W, 60) each."""

    def __init__(self, windows: Windows) -> None:
        super().__init__()
        self.windows = windows
        self.norm1_A, self.norm1_B = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH)
        self.attn_A, self.attn_B = (CrossAttention(_WIDTH, _HEADS, _SIDE) for _ in range(2))
        self.norm2_A, self.norm2_B = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH)
        self.mlp_A, self.mlp_B = Perceptron(_WIDTH, _HIDDEN), Perceptron(_WIDTH, _HIDDEN)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        apart = self.windows.apart(x)
        own, other = self.windows.cut(self.norm1_A(x)), self.windows.cut(self.norm1_B(y))
        x = x + self.windows.joined(self.attn_A(own, other, apart), *x.shape[1:3])
        y = y + self.windows.joined(self.attn_B(other, own, apart), *y.shape[1:3])
        return x + self.mlp_A(self.norm2_A(x)), y + self.mlp_B(self.norm2_B(y))


class _CrossLayer(nn.Module):
    """Two blocks within each image, then two across; (B, H, W, 60) each."""

    def __init__(self) -> None:
        super().__init__()
        self.residual_group_A, self.residual_group_B = _within(2), _within(2)
        self.residual_group = _group(_CrossBlock(_STILL), _CrossBlock(_MOVED))

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        x, y = self.residual_group_A(x), self.residual_group_B(y)
        for block in self.residual_group[0]:
            x, y = block(x, y)
        return x, y


class SwinFusion(nn.Module):
    """The whole network; images are (B, 1, H, W) in [0, 1], of whole windows of 8 x 8 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_first1_A, self.conv_first2_A = _conv(1, 30), _conv(30, _WIDTH)
        # Never called: the first two serve both images.
        self.conv_first1_B, self.conv_first2_B = _conv(1, 30), _conv(30, 30)
        self.patch_embed = nn.Sequential(OrderedDict(norm=nn.LayerNorm(_WIDTH)))
        self.layers_Ex_A, self.layers_Ex_B = _layer(4), _layer(4)
        self.norm_Ex_A, self.norm_Ex_B = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH)
        self.layers_Fusion = nn.ModuleList([_CrossLayer(), _CrossLayer()])
        self.norm_Fusion_A, self.norm_Fusion_B = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH)
        self.conv_after_body_Fusion = _conv(2 * _WIDTH, _WIDTH)
        self.layers_Re, self.norm_Re = _layer(4), nn.LayerNorm(_WIDTH)
        self.conv_last1, self.conv_last2, self.conv_last3 = _conv(_WIDTH, 30), _conv(30, 15), _conv(15, 1)

    def _tokens(self, features: Tensor) -> Tensor:
        """(B, 60, H, W) to (B, H, W, 60); the same normalisation at all four places."""
        return self.patch_embed(features.permute(0, 2, 3, 1))

    def _shallow(self, image: Tensor) -> Tensor:
        return leaky_relu(self.conv_first2_A(leaky_relu(self.conv_first1_A(image), 0.2)), 0.2)

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image, which nothing keeps within [0, 1]."""
        x = _features(self.norm_Ex_A(self.layers_Ex_A(self._tokens(self._shallow(ir)))))
        y = _features(self.norm_Ex_B(self.layers_Ex_B(self._tokens(self._shallow(vis)))))
        x, y = self._tokens(x), self._tokens(y)
        for layer in self.layers_Fusion:
            x, y = layer(x, y)
        x = torch.cat([_features(self.norm_Fusion_A(x)), _features(self.norm_Fusion_B(y))], 1)
        x = leaky_relu(self.conv_after_body_Fusion(x), 0.2)
        x = _features(self.norm_Re(self.layers_Re(self._tokens(x))))
        for convolution in (self.conv_last1, self.conv_last2):
            x = leaky_relu(convolution(x), 0.2)
        return self.conv_last3(x)


def _features(tokens: Tensor) -> Tensor:
    """(B, H, W, C) to (B, C, H, W)."""
    return tokens.permute(0, 3, 1, 2)


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : SwinFusion
        Is used up.
    """

    # Back through six convolutions and sixteen blocks, each of which looks to the ends of its windows.
    overlap = 72
    multiple = _SIDE
    channels_last = False

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """As in `InUse`; the network takes whole windows."""
        height, width = ir.shape[2:]
        return super().forward(_enlarged(ir), _enlarged(vis))[..., :height, :width]


def _enlarged(image: Tensor) -> Tensor:
    """Mirrored below and to the right, to whole windows; by a whole one where they were whole."""
    height, width = ((length // _SIDE + 1) * _SIDE for length in image.shape[2:])
    image = torch.cat([image, image.flip(2)], 2)[:, :, :height]
    return torch.cat([image, image.flip(3)], 3)[..., :width]


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `SwinFusion`: the authors' names are ours."""
    return {name.removeprefix("params."): entry for name, entry in learned(entries).items()}
