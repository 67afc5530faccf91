"""The networks as methods: their cards, and how they are called. Torch is loaded by the first image, not by the list."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from fusionbench.types import UserError

from ..card import Plane, Reads, method
from .cards import CARDS
from .weights import at_hand, locate

if TYPE_CHECKING:
    from .adapter import Fuser

Precision: TypeAlias = Literal["fp32", "tf32", "bf16", "fp16"]


def reading(name: str) -> Reads:
    """The weights that a method will use, for its card."""
    return lambda parameters: {"weights": locate(name, parameters["weights"])}


@method(
    "clfnet",
    title="CLF-Net, contrastive learning",
    authors="Z. Zhu, X. Yang, R. Lu, T. Shen, X. Xie, T. Zhang",
    year=2022,
    doi="10.1109/TIM.2022.3203000",
    summary="Two encoders of residual blocks, whose features a decoder joins. They were trained to resemble, patch by "
    "patch, the source that the fused image resembles more. The authors' program stretches every result to 0..255.",
    defaults="the authors' program's",
    luma="exact",
    kind="network",
    reads=reading("clfnet"),
)
def clfnet(
    ir: Plane,
    vis: Plane,
    *,
    weights: Path | str | None = None,
    device: str = "cpu",
    precision: Precision = "fp32",
    batch: int | None = None,
    tile: int | None = None,
    compiled: bool = False,
    output: Literal["stretch", "clip"] | None = None,
) -> Plane:
    """Fuse by CLF-Net.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    weights : Path or str, optional
        A file of weights or the tag of known ones; by default those that are there.
    device : str
        Where the network runs: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    precision : {"fp32", "tf32", "bf16", "fp16"}
        How exactly; anything but fp32 changes the result a little. tf32 is for CUDA.
    batch : int, optional
        Most pairs that go through the network together; by default 1 on the CPU and 8 on CUDA.
    tile : int, optional
        Longest side, in pixels, that is fused at once; larger images are cut, which does not change the result.
    compiled : bool
        Let torch compile the network first: a minute for every size of image, then faster.
    output : {"stretch", "clip"}, optional
        Stretch the result to 0..255, as the authors' program does by its way of saving, or leave it as it is. By default
        what the weights were made for: those that come with this package are not to be stretched, all others are.

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255, not rounded.
    """
    run = _fuser("clfnet", weights, {}, device=device, precision=precision, batch=batch, tile=tile, compiled=compiled)
    fused = run(ir, vis)
    if output is None:
        output = "clip" if locate("clfnet", weights) == at_hand(CARDS["clfnet@fusionbench"]) else "stretch"
    return stretched(fused) if output == "stretch" else fused


@method(
    "cs2fusion",
    title="CS2Fusion, self-supervised contrastive learning",
    authors="X. Wang, Z. Guan, W. Qian, J. Cao, S. Liang, J. Yan",
    year=2024,
    doi="10.1016/j.inffus.2023.102039",
    summary="Two densely connected encoders, and a decoder that asks for their features again at each of its steps. What "
    "stands out in a source was the example to follow in training. One number a step says how much is "
    "asked for, and it depends on the whole image.",
    defaults="the authors' program's, the truncation to whole levels included",
    luma="exact",
    kind="network",
    reads=reading("cs2fusion"),
)
def cs2fusion(
    ir: Plane,
    vis: Plane,
    *,
    weights: Path | str | None = None,
    device: str = "cpu",
    precision: Precision = "fp32",
    batch: int | None = None,
    tile: int | None = None,
    approximate: bool = False,
    compiled: bool = False,
    rounding: Literal["truncate", "round"] = "truncate",
) -> Plane:
    """Fuse by CS2Fusion.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    weights : Path or str, optional
        A file of weights or the tag of known ones; by default those that are there.
    device : str
        Where the network runs: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    precision : {"fp32", "tf32", "bf16", "fp16"}
        How exactly; anything but fp32 changes the result a little. tf32 is for CUDA.
    batch : int, optional
        Most pairs that go through the network together; by default 1 on the CPU and 8 on CUDA.
    tile : int, optional
        Longest side, in pixels, that is fused at once; larger images are cut, which changes the result.
    approximate : bool
        Cut larger images even though that changes the result; otherwise they are refused.
    compiled : bool
        Let torch compile the network first: a minute for every size of image, then faster.
    rounding : {"truncate", "round"}
        How the image, in colour or not, becomes whole levels: down, as in the authors' program, or to the nearest. The
        plane that is returned has none yet.

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255, which it may leave, not rounded.
    """
    run = _fuser(
        "cs2fusion",
        weights,
        {},
        device=device,
        precision=precision,
        batch=batch,
        tile=tile,
        approximate=approximate,
        compiled=compiled,
    )
    return run(ir, vis)


@method(
    "coconet",
    title="CoCoNet, coupled contrastive learning",
    authors="J. Liu, R. Lin, G. Wu, R. Liu, Z. Luo, X. Fan",
    year=2024,
    doi="10.1007/s11263-023-01952-1",
    summary="A U-shaped network over both sources, joined at each scale by what VGG-19 sees in them, all through attention "
    "over channels. The foreground was pulled towards the infrared source and the background to the visible one "
    "in training. The authors' program normalises by each image's own statistics.",
    defaults="the authors' program's, except that of a visible image in colour it fuses the red channel, not the luma",
    luma="exact",
    kind="network",
    reads=reading("coconet"),
)
def coconet(
    ir: Plane,
    vis: Plane,
    *,
    weights: Path | str | None = None,
    device: str = "cpu",
    precision: Precision = "fp32",
    batch: int | None = None,
    tile: int | None = None,
    approximate: bool = False,
    compiled: bool = False,
    bn: Literal["batch", "running"] = "batch",
    scale: Literal["255", "unit"] = "255",
) -> Plane:
    """Fuse by CoCoNet.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255.
    weights : Path or str, optional
        A file of weights or the tag of known ones; by default those that are there.
    device : str
        Where the network runs: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    precision : {"fp32", "tf32", "bf16", "fp16"}
        How exactly; anything but fp32 changes the result a little. tf32 is for CUDA.
    batch : int, optional
        Most pairs that go through the network together; by default 1 on the CPU and 8 on CUDA.
    tile : int, optional
        Longest side, in pixels, that is fused at once; larger images are cut, which changes the result.
    approximate : bool
        Cut larger images even though that changes the result; otherwise they are refused.
    compiled : bool
        Let torch compile the network first: a minute for every size of image, then faster.
    bn : {"batch", "running"}
        Normalise by the statistics of each image, as the authors' program does, or by those of the training.
    scale : {"255", "unit"}
        Give the network levels of 0..255, as the authors' program does, or -1..1, as their training did.

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255, not rounded.
    """
    run = _fuser(
        "coconet",
        weights,
        {"bn": bn, "scale": scale},
        device=device,
        precision=precision,
        batch=batch,
        tile=tile,
        approximate=approximate,
        compiled=compiled,
    )
    return run(ir, vis)


def stretched(plane: Plane, eps: float = 0.0) -> Plane:
    """The plane mapped to 0..255, its smallest value to 0 and its largest to 255; one of a single value becomes 0.

    With `eps`, which is added to the range that it has, the largest value stays a little below 255.
    """
    low, high = plane.min(), plane.max()
    # Divided first: the largest value has to become 255 exactly, also where levels are truncated.
    return (plane - low) / ((high - low if high > low else 1) + eps) * 255


def networks_of(name: str) -> ModuleType:
    """The module that knows the networks, for the method of that name.

    Raises
    ------
    UserError
        If torch is not installed.
    """
    try:
        from . import networks
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise UserError(
            f"{name} is a network, which needs torch: install it with 'pip install fusionbench[learned]'."
        ) from error
    return networks


def _fuser(name: str, weights: Path | str | None, options: dict[str, Any], **conditions: Any) -> Fuser:
    networks = networks_of(name)
    return networks.fuser(name, weights, networks.Conditions(**conditions), **options)
