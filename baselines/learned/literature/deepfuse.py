"""DeepFuse, as an auto-encoder for pairs of any kind: the features of both sources are added.

After Prabhakar, Srikar and Babu, ICCV 2017, by H. Li, whose weights and program are the ones in use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import relu

from .in_use import InUse
from .tensorflow_entries import from_tensorflow, layers


def _convolution(inside: int, outside: int) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 3, padding=1, padding_mode="reflect")


class DeepFuse(nn.Module):
    """The whole network; images are (B, 1, H, W) on the scale 0..255."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"conv1": _convolution(1, 16), "conv2": _convolution(16, 32)})
        self.decoder = nn.ModuleDict(
            {"conv1": _convolution(32, 32), "conv2": _convolution(32, 16), "conv3": _convolution(16, 1)}
        )

    def encode(self, x: Tensor) -> Tensor:
        """An image to its features, (B, 32, H, W), of any sign."""
        return self.encoder["conv2"](relu(self.encoder["conv1"](x)))

    def decode(self, x: Tensor) -> Tensor:
        """Features to an image."""
        return self.decoder["conv3"](relu(self.decoder["conv2"](relu(self.decoder["conv1"](x)))))

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image."""
        # Twice an image is what the sum is decoded to, and the author's program stretches it.
        return self.decode(self.encode(ir) + self.encode(vis)) / 2


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : DeepFuse
        Is used up.
    """

    # As many convolutions of 3 x 3 as there are from a source to the result.
    overlap = 5
    unit = 1.0


_NAMES: Final = layers(
    {
        **{f"encoder__conv1_{k}": f"encoder.conv{k}" for k in (1, 2)},
        **{f"decoder__conv2_{k}": f"decoder.conv{k}" for k in (1, 2, 3)},
    }
)


def adapt_state_dict(entries: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The entries of `DeepFuse`, among those of the author's checkpoint."""
    return from_tensorflow(entries, _NAMES)
