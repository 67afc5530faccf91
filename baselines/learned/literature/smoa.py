"""SMoA: two encoders and a decoder of cells whose operations were searched for, one kind for each source.

Liu, Wu, Huang, Liu and Fan, IEEE Signal Processing Letters 28, 2021.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from .in_use import InUse

T = TypeVar("T")

_CHANNELS: Final = 16
_STEM: Final = 8
_JOINED: Final = 4 * _CHANNELS
_LEVELS: Final = 256


def _convolution(inside: int, outside: int, size: int, dilation: int = 1, groups: int = 1) -> nn.Conv2d:
    border = size // 2 * dilation
    return nn.Conv2d(
        inside, outside, size, padding=border, dilation=dilation, groups=groups, padding_mode="reflect", bias=False
    )


def _separable(size: int, dilation: int = 1) -> list[nn.Module]:
    depthwise = _convolution(_CHANNELS, _CHANNELS, size, dilation, groups=_CHANNELS)
    return [nn.ReLU(), depthwise, _convolution(_CHANNELS, _CHANNELS, 1)]


class Separable(nn.Module):
    """Twice a convolution channel by channel, and one of single pixels; (B, 16, H, W), as all operations.

    Parameters
    ----------
    size : int
        Of the kernels.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.op = nn.Sequential(*_separable(size), *_separable(size))

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        return self.op(x)


class Dilated(nn.Module):
    """The same once, with holes in the kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.op = nn.Sequential(*_separable(3, dilation=2))

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        return self.op(x)


class Spatial(nn.Module):
    """A residual block that attends to places, by the largest and the mean of all channels there."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = (_convolution(_CHANNELS, _CHANNELS, 3) for _ in range(2))
        self.attention, self.activation = _convolution(2, 1, 3), nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        x = self.conv1(x)
        y = self.conv2(self.activation(x))
        places = torch.cat([y.amax(1, keepdim=True), y.mean(1, keepdim=True)], 1)
        return self.activation(y * torch.sigmoid(self.attention(places)) + x)


class Dense(nn.Module):
    """Three densely connected convolutions, beside a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = (_convolution(k * _CHANNELS, _CHANNELS, 3) for k in (1, 2, 3))
        self.activation = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        first = self.activation(self.conv1(x))
        second = self.activation(self.conv2(torch.cat([x, first], 1)))
        return x + 0.333333 * self.activation(self.conv3(torch.cat([x, first, second], 1)))


Plan: TypeAlias = Sequence[tuple[Callable[[], nn.Module], int]]
"""Of a cell: two operations a node, each with the node that it takes: 0 and 1 are what the cell is given."""

_SEP3, _SEP5 = partial(Separable, 3), partial(Separable, 5)
_WARM: Final[Plan] = (
    (_SEP3, 0), (Spatial, 1), (_SEP3, 0), (_SEP3, 2), (_SEP5, 0), (_SEP5, 3), (Dense, 4), (Dense, 3),
)  # fmt: skip
_SEEN: Final[Plan] = (
    (Spatial, 1), (Dilated, 0), (Dilated, 0), (_SEP3, 2), (_SEP3, 0), (Spatial, 2), (_SEP3, 0), (_SEP3, 1),
)  # fmt: skip
_BACK: Final[Plan] = (
    (_SEP3, 0), (Dense, 1), (_SEP3, 2), (_SEP3, 0), (_SEP5, 2), (_SEP3, 0), (Dense, 4), (_SEP3, 0),
)  # fmt: skip
"""What the search found for the infrared source, the visible one, and the decoder."""


class Cell(nn.Module):
    """Four nodes, each the sum of two operations; features (B, first, H, W) and (B, second, H, W) to (B, 64, H, W).

    Parameters
    ----------
    first, second : int
        Channels.
    plan : sequence of tuple
        See `Plan`.
    """

    def __init__(self, first: int, second: int, plan: Plan) -> None:
        super().__init__()
        self.preprocess0, self.preprocess1 = (_convolution(channels, _CHANNELS, 1) for channels in (first, second))
        self.ops = nn.ModuleList(make() for make, _ in plan)
        self.sources = [source for _, source in plan]

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """All four nodes."""
        nodes = [self.preprocess0(relu(first)), self.preprocess1(relu(second))]
        for k in range(0, len(self.ops), 2):
            nodes.append(sum(self.ops[j](nodes[self.sources[j]]) for j in (k, k + 1)))
        return torch.cat(nodes[2:], 1)


class Encoder(nn.Module):
    """(B, 1, H, W) to features (B, 64, H, W) of two depths."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.stem = _convolution(1, _STEM, 3)
        self.cells = nn.ModuleList([Cell(_STEM, _STEM, plan), Cell(_STEM, _JOINED, plan)])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The features."""
        x = self.stem(x)
        first = self.cells[0](x, x)
        return first, self.cells[1](x, first)


class Decoder(nn.Module):
    """Features (B, 64, H, W) of two depths to an image (B, 1, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.ModuleList(Cell(_JOINED, _JOINED, _BACK) for _ in range(2))
        self.last = nn.Conv2d(_JOINED, 1, 3, padding=1, padding_mode="reflect")

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """The image."""
        return self.last(self.cells[1](second, self.cells[0](first, second)))


class SMoA(nn.Module):
    """The whole network; images are (B, 1, H, W) on the scale 0..255."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder1, self.encoder2, self.decoder = Encoder(_WARM), Encoder(_SEEN), Decoder()

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The fused image."""
        depths = zip(self.encoder1(ir), self.encoder2(vis), strict=True)
        return self.decoder(*(_joined(warm, seen) for warm, seen in depths))


def _joined(warm: Tensor, seen: Tensor) -> Tensor:
    """Their mean, weighted by how rare their values are among all of their own."""
    difference = (saliency(warm) - saliency(seen)) / 2
    return (0.5 + difference) * warm + (0.5 - difference) * seen


def saliency(x: Tensor) -> Tensor:
    """How far a value is from all others.

    Parameters
    ----------
    x : Tensor
        (B, C, H, W).

    Returns
    -------
    Tensor
        Of the same size, in [0, 1]: of the values of an image, in 256 levels from 0 to the largest, the sum of the distances to
        all others, relative to the largest such sum; 0 for negative ones.
    """
    values = x.float().flatten(1)
    largest = values.amax(1, keepdim=True)
    levels = (values / torch.where(largest == 0, 1, largest) * (_LEVELS - 1)).long()
    # What is none of the levels is put behind them, and never counted.
    levels = torch.where((levels >= 0) & (levels < _LEVELS), levels, _LEVELS)
    one = torch.ones((), dtype=torch.float64, device=x.device)
    counts = torch.zeros(len(x), _LEVELS + 1, dtype=torch.float64, device=x.device)
    counts = counts.scatter_add(1, levels, one.expand_as(levels))[:, :_LEVELS]
    scale = torch.arange(_LEVELS, dtype=torch.float64, device=x.device)
    distances = counts @ (scale[:, None] - scale).abs()
    known = torch.nn.functional.pad(distances / distances.amax(1, keepdim=True), (0, 1))
    return known.gather(1, levels).to(x.dtype).view_as(x)


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : SMoA
        Is used up.
    """

    overlap = 64
    channels_last = False
    sees_all_by = "histogram of the features of all pixels"
    unit = 1.0


_RENAMED: Final = (
    (r"^(encoder\d|decoder)_epoch\d+\.", r"\1."),
    (r"\.stem\.1\.", ".stem."),
    (r"\.(preprocess\d)\.op\.1\.", r".\1."),
    (r"\._ops\.", ".ops."),
    (r"\.(conv\d)\.conv\.", r".\1."),
    (r"\.se\.spatial\.conv\.", ".attention."),
    (r"\.l?relu\.", ".activation."),
    (r"\.ConvLayer\.", ".last."),
)
"""What stands in the authors' names, and what in ours."""


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `SMoA`, from the authors' three files."""
    return {_renamed(name): entry for name, entry in entries.items()}


def _renamed(name: str) -> str:
    for theirs, ours in _RENAMED:
        name = re.sub(theirs, ours, name)
    return name
