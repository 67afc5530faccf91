"""DeFusion: what two images have in common and what each has alone, found by residual networks, and joined again.

Liang, Jiang, Liu and Ma, ECCV 2022. Images are in colour, (B, 3, H, W).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d, pad, relu

from .in_use import InUse

T = TypeVar("T")

_BORDER: Final = 16


class _Split(nn.Module):
    """Two convolutions side by side, and how much each of their channels counts: (B, channels, H, W) before and after."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        fewer = max(channels // 2, 32)
        self.conv = nn.Conv2d(channels, 2 * channels, 3, padding=1, groups=2, bias=False)
        self.fc1, self.fc2 = nn.Conv2d(channels, fewer, 1), nn.Conv2d(fewer, 2 * channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        both = relu(self.conv(x)).unflatten(1, (2, -1))
        means = both.sum(1).mean((2, 3), keepdim=True)
        weights = self.fc2(relu(self.fc1(means))).unflatten(1, (2, -1)).softmax(1)
        return (weights * both).sum(1)


class _Block(nn.Module):
    """A residual block through few channels: (B, inside, H, W) to (B, 4 * channels, H / stride, W / stride)."""

    def __init__(self, inside: int, channels: int, stride: int, *, pooled: bool, decoding: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, channels, 1, bias=False)
        self.conv2 = _Split(channels)
        self.pool = nn.AvgPool2d(3, stride, padding=1) if pooled else nn.Identity()
        self.conv3 = nn.Conv2d(channels, 4 * channels, 1, bias=False)
        projection = nn.Conv2d(inside, 4 * channels, 1, bias=False)
        smaller = nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False)
        self.downsample: nn.Module = nn.Identity()
        if inside != 4 * channels:
            self.downsample = nn.Sequential(projection) if decoding else nn.Sequential(smaller, projection)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.conv3(self.pool(self.conv2(relu(self.conv1(x))))) + self.downsample(x))


class _Layer(nn.Module):
    """Blocks in a row, the first of which changes the number of channels and the size.

    Parameters
    ----------
    inside, channels : int
        Before, and in the middle of each block; afterwards there are four times as many.
    number : int
        Of blocks.
    stride : int
        Pixels before for a pixel after.
    pooled : bool
        Whether the first block averages over 3 x 3 pixels.
    decoding : bool
        Whether it stands in the decoder.
    """

    def __init__(
        self, inside: int, channels: int, number: int, stride: int = 1, *, pooled: bool = False, decoding: bool = False
    ) -> None:
        super().__init__()
        first = _Block(inside, channels, stride, pooled=pooled, decoding=decoding)
        rest = (_Block(4 * channels, channels, 1, pooled=False, decoding=decoding) for _ in range(number - 1))
        self.layer = nn.Sequential(first, *rest)

    def forward(self, *features: Tensor) -> Tensor:
        return self.layer(torch.cat(features, 1))


def _decoding(inside: int, channels: int, number: int) -> _Layer:
    return _Layer(inside, channels, number, decoding=True)


def _picture() -> nn.Sequential:
    """Features, (B, 16, H, W), to a picture."""
    return nn.Sequential(nn.Conv2d(16, 3, 3, padding=1), nn.ReLU())


class DeFusion(nn.Module):
    """The whole network; images are (B, 3, H, W) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        # What is called upper serves both images, and so stands in the official file twice.
        first = nn.Conv2d(3, 16, 3, padding=1)
        self.encoder_upper = nn.Sequential(first, nn.ReLU(), _Layer(16, 8, 6, pooled=True))
        self.upper_encoder_layer1 = _Layer(32, 16, 6)
        self.upper_encoder_layer2 = _Layer(64, 32, 4, 2, pooled=True)
        self.upper_encoder_layer3 = _Layer(128, 64, 4, 2, pooled=True)
        self.common_encoder = nn.Sequential(_Layer(512, 256, 4))
        self.decoder_common_layer1, self.decoder_common_layer2 = _decoding(1536, 64, 2), _decoding(512, 16, 2)
        self.decoder_common_layer3, last = _decoding(192, 4, 2), _decoding(16, 4, 2)
        self.decoder_common_layer4 = nn.Sequential(last)
        self.decoder_upper_layer1, self.decoder_upper_layer2 = _decoding(1280, 96, 4), _decoding(512, 32, 4)
        self.decoder_upper_layer3, last = _decoding(192, 16, 6), _decoding(64, 4, 6)
        self.decoder_upper_layer4 = nn.Sequential(last)
        # Pictures of what is common and what is not, which training compares; fusing needs neither.
        self.decoder_common_projection_layer, self.decoder_upper_projection_layer = _picture(), _picture()
        self.fusion_rule = _picture()

    def _encode(self, image: Tensor) -> list[Tensor]:
        """Features at four scales, each half as large as the one before."""
        features = [self.encoder_upper(image)]
        features.append(self.upper_encoder_layer1(max_pool2d(features[0], 3, 2, 1)))
        features.append(self.upper_encoder_layer2(features[1]))
        features.append(self.upper_encoder_layer3(features[2]))
        return features

    def _common(self, deepest: Tensor, sources: Sequence[Sequence[Tensor]]) -> Tensor:
        """Features of what both have in common, (B, 16, H, W)."""
        whole, half, quarter, eighth = zip(*sources, strict=True)
        x = self.decoder_common_layer1(deepest, *eighth)
        x = self.decoder_common_layer2(_as_large(x, quarter[0]), *quarter)
        x = self.decoder_common_layer3(_as_large(x, half[0]), *half)
        return self.decoder_common_layer4(_as_large(x, whole[0]))

    def _alone(self, deepest: Tensor, source: Sequence[Tensor]) -> Tensor:
        """Features of what one image has, and the other has not, (B, 16, H, W)."""
        whole, half, quarter, eighth = source
        x = self.decoder_upper_layer1(deepest, eighth)
        x = self.decoder_upper_layer2(_as_large(x, quarter), quarter)
        x = self.decoder_upper_layer3(_as_large(x, half), half)
        return self.decoder_upper_layer4(_as_large(x, whole))

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image, which is never negative."""
        warm, seen = self._encode(ir), self._encode(vis)
        deepest = self.common_encoder[0](warm[3], seen[3])
        return self.fusion_rule(
            self._alone(deepest, warm) + self._alone(deepest, seen) + self._common(deepest, (warm, seen))
        )


def _as_large(x: Tensor, other: Tensor) -> Tensor:
    """Twice as large, and then as large as another."""
    twice = interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    return interpolate(twice, size=other.shape[2:], mode="nearest")


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : DeFusion
        Is used up.
    """

    overlap = 64
    multiple = 8
    sees_all_by = "attention over all pixels"

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """Images (B, 1 or 3, H, W) on the scale 0..255 to one in colour, (B, 3, H, W), which may leave the scale above."""
        warm, seen = (pad(image.expand(-1, 3, -1, -1), (_BORDER,) * 4, mode="reflect") for image in (ir, vis))
        return super().forward(warm, seen)[..., _BORDER:-_BORDER, _BORDER:-_BORDER]


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `DeFusion`, without the second names of what serves both images."""
    return {name: entry for name, entry in entries.items() if not name.startswith(_SECOND)}


_SECOND: Final = ("encoder_lower.", "lower_encoder_", "decoder_lower_")
