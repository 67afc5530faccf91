"""CDDFuse: transformers take each source apart into a base and a detail, and make one image of the sums of both.

Zhao, Bai, Zhang, Zhang, Xu, Lin, Timofte and Van Gool, CVPR 2023. Features are (B, 64, H, W).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, normalize

from .in_use import InUse

T = TypeVar("T")
Residual: TypeAlias = Literal["visible", "none"]

_WIDTH: Final = 64
_HEADS: Final = 8


def _conv(inside: int, outside: int, size: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, size, padding=size // 2, groups=groups, bias=False)


class _Norm(nn.Module):
    """Every pixel normalised over its channels."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.LayerNorm(_WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def attention_of_channels(projected: Tensor, temperature: Tensor) -> Tensor:
    """Every channel asks all channels of its head, by what they have at all pixels.

    Parameters
    ----------
    projected : Tensor
        Queries, keys and values, (B, 3 * 64, H, W).
    temperature : Tensor
        Of each head, (8, 1, 1).

    Returns
    -------
    Tensor
        (B, 64, H, W).
    """
    query, key, value = (x.flatten(2).unflatten(1, (_HEADS, -1)) for x in projected.chunk(3, 1))
    weights = (normalize(query, dim=3) @ normalize(key, dim=3).transpose(2, 3) * temperature).softmax(3)
    return (weights @ value).flatten(1, 2).unflatten(2, projected.shape[2:])


class _Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(_HEADS, 1, 1))
        self.qkv, self.qkv_dwconv = _conv(_WIDTH, 3 * _WIDTH), _conv(3 * _WIDTH, 3 * _WIDTH, 3, groups=3 * _WIDTH)
        self.project_out = _conv(_WIDTH, _WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.project_out(attention_of_channels(self.qkv_dwconv(self.qkv(x)), self.temperature))


class _BaseAttention(nn.Module):
    """The same with a convolution that joins all channels."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(_HEADS, 1, 1))
        self.qkv1, self.qkv2 = _conv(_WIDTH, 3 * _WIDTH), _conv(3 * _WIDTH, 3 * _WIDTH, 3)
        self.proj = _conv(_WIDTH, _WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(attention_of_channels(self.qkv2(self.qkv1(x)), self.scale))


class _Gated(nn.Module):
    """One half of the features decides how much of the other passes."""

    def __init__(self, hidden: int, groups: int) -> None:
        super().__init__()
        self.project_in, self.dwconv = _conv(_WIDTH, 2 * hidden), _conv(2 * hidden, 2 * hidden, 3, groups)
        self.project_out = _conv(hidden, _WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        gate, passing = self.dwconv(self.project_in(x)).chunk(2, 1)
        return self.project_out(gelu(gate) * passing)


class _Block(nn.Module):
    """A transformer of both sources' common encoder, and of the decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.attn = _Norm(), _Attention()
        self.norm2, self.ffn = _Norm(), _Gated(2 * _WIDTH, groups=4 * _WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.ffn(self.norm2(x))


class _Base(nn.Module):
    """A transformer for what sources have in common."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.attn = _Norm(), _BaseAttention()
        self.norm2, self.mlp = _Norm(), _Gated(_WIDTH, groups=_WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def _bottleneck() -> nn.Sequential:
    """Half the channels, before and after."""
    layers = nn.Sequential(
        _conv(_WIDTH // 2, _WIDTH),
        nn.ReLU6(),
        nn.ReflectionPad2d(1),
        nn.Conv2d(_WIDTH, _WIDTH, 3, groups=_WIDTH, bias=False),
        nn.ReLU6(),
        _conv(_WIDTH, _WIDTH // 2),
    )
    return nn.Sequential(OrderedDict(bottleneckBlock=layers))


class _Coupling(nn.Module):
    """A step that could be undone: each half of the features is changed by what the other one says."""

    def __init__(self) -> None:
        super().__init__()
        self.theta_phi, self.theta_rho, self.theta_eta = (_bottleneck() for _ in range(3))
        self.shffleconv = nn.Conv2d(_WIDTH, _WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.shffleconv(x).chunk(2, 1)
        second = second + self.theta_phi(first)
        first = first * self.theta_rho(second).exp() + self.theta_eta(second)
        return torch.cat([first, second], 1)


def _detail(steps: int) -> nn.Sequential:
    """What sources do not have in common."""
    return nn.Sequential(OrderedDict(net=nn.Sequential(*(_Coupling() for _ in range(steps)))))


class Encoder(nn.Module):
    """An image, (B, 1, H, W), to its base and its detail."""

    def __init__(self) -> None:
        super().__init__()
        self.patch_embed = nn.Sequential(OrderedDict(proj=_conv(1, _WIDTH, 3)))
        self.encoder_level1 = nn.Sequential(*(_Block() for _ in range(4)))
        self.baseFeature, self.detailFeature = _Base(), _detail(3)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Features of both kinds."""
        x = self.encoder_level1(self.patch_embed(image))
        return self.baseFeature(x), self.detailFeature(x)


class Decoder(nn.Module):
    """A base and a detail to an image, (B, 1, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.reduce_channel = _conv(2 * _WIDTH, _WIDTH)
        self.encoder_level2 = nn.Sequential(*(_Block() for _ in range(4)))
        self.output = nn.Sequential(_conv(_WIDTH, _WIDTH // 2, 3), nn.LeakyReLU(0.01), _conv(_WIDTH // 2, 1, 3))

    def forward(self, base: Tensor, detail: Tensor) -> Tensor:
        """The image, which anything may be added to yet."""
        return self.output(self.encoder_level2(self.reduce_channel(torch.cat([base, detail], 1))))


class CDDFuse(nn.Module):
    """The whole network; images are (B, 1, H, W) in [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.DIDF_Encoder, self.DIDF_Decoder = Encoder(), Decoder()
        self.BaseFuseLayer, self.DetailFuseLayer = _Base(), _detail(1)

    def forward(self, ir: Tensor, vis: Tensor, residual: Residual) -> Tensor:
        """The fused image, in (0, 1)."""
        (seen_base, seen_detail), (warm_base, warm_detail) = self.DIDF_Encoder(vis), self.DIDF_Encoder(ir)
        fused = self.DIDF_Decoder(
            self.BaseFuseLayer(seen_base + warm_base), self.DetailFuseLayer(seen_detail + warm_detail)
        )
        return torch.sigmoid(fused + vis if residual == "visible" else fused)


class Inference(InUse):
    """The network in use.

    Parameters
    ----------
    network : CDDFuse
        Is used up.
    residual : {"visible", "none"}
        What the result is a change of.
    """

    overlap = 64
    channels_last = False
    sees_all_by = "attention over all pixels"

    def __init__(self, network: CDDFuse, *, residual: Residual = "visible") -> None:
        super().__init__(network, residual)


def adapt_state_dict(entries: Mapping[str, T]) -> dict[str, T]:
    """The entries of `CDDFuse`: the authors' names are ours, but for what running on several devices adds to them."""
    return {name.replace(".module.", ".", 1): entry for name, entry in entries.items()}
