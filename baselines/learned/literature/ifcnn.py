"""IFCNN: four convolutions; the features of all sources are joined by a rule after the second.

Zhang, Liu, Sun, Yan, Zhao and Zhang, Information Fusion 54, 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import relu

_MEAN: Final = (0.485, 0.456, 0.406)
_DEVIATION: Final = (0.229, 0.224, 0.225)
"""Of R, G and B in ImageNet."""


def _convolution(inside: int, outside: int, size: int) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, size, padding=size // 2, padding_mode="replicate", bias=False)


class _Step(nn.Module):
    """Convolution, normalisation, activation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv, self.bn = _convolution(channels, channels, 3), nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.bn(self.conv(x)))


class IFCNN(nn.Module):
    """The whole network; images are (B, 3, H, W), normalised.

    Attributes
    ----------
    conv1 : nn.Conv2d
        The first convolution of a ResNet-101, which training left as it was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _convolution(3, 64, 7)
        self.conv2, self.conv3 = _Step(64), _Step(64)
        self.conv4 = nn.Conv2d(64, 3, 1)

    def forward(self, ir: Tensor, vis: Tensor, strategy: Literal["max", "add", "mean"]) -> Tensor:
        """The fused image; which source comes first does not matter."""
        warm, seen = (self.conv2(self.conv1(source)) for source in (ir, vis))
        joint = torch.maximum(warm, seen) if strategy == "max" else warm + seen
        return self.conv4(self.conv3(joint / 2 if strategy == "mean" else joint))


class Inference(nn.Module):
    """The network in use.

    Parameters
    ----------
    network : IFCNN
        Is used up.
    strategy : {"max", "add", "mean"}
        The rule.
    normalisation : {"imagenet", "none"}
        Whether the network is given levels relative to those of ImageNet, or those of [0, 1].
    """

    # One convolution of 7 x 7 and two of 3 x 3.
    overlap: Final = 5
    multiple: Final = 1
    channels_last: Final = True
    sees_all_by: Final = ""

    def __init__(
        self,
        network: IFCNN,
        *,
        strategy: Literal["max", "add", "mean"] = "max",
        normalisation: Literal["imagenet", "none"] = "imagenet",
    ) -> None:
        super().__init__()
        self.network, self.strategy = network.eval(), strategy
        scale = zip(_MEAN, _DEVIATION, strict=True) if normalisation == "imagenet" else [(0.0, 1.0)] * 3
        self.scale = tuple(scale)

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """Planes (B, 1, H, W) or images (B, 3, H, W) on the scale 0..255 to one image, which may leave the scale."""
        dtype = self.network.conv4.weight.dtype
        fused = self.network(self._normalised(ir).to(dtype), self._normalised(vis).to(dtype), self.strategy).float()
        bands = zip(fused.unbind(1), self.scale, strict=True)
        return torch.stack([band * deviation + mean for band, (mean, deviation) in bands], 1) * 255

    def _normalised(self, source: Tensor) -> Tensor:
        bands = zip((source / 255).expand(-1, 3, -1, -1).unbind(1), self.scale, strict=True)
        return torch.stack([(band - mean) / deviation for band, (mean, deviation) in bands], 1)


def adapt_state_dict(entries: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The entries of `IFCNN`: the authors' names are ours, but their files are too old to count the batches of training."""
    uncounted = {f"conv{step}.bn.num_batches_tracked": np.zeros((), np.int64) for step in (2, 3)}
    return uncounted | dict(entries)
