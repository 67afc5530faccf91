"""What somebody's network takes and gives, as a small TOML file says it, and the way there and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, NonNegativeInt, PositiveInt

from fusionbench import tomlfile
from fusionbench.types import Color, UserError

from ..card import Plane
from ..colour import shaped
from .methods import stretched

Tensor: TypeAlias = NDArray[np.float32]
Run: TypeAlias = Callable[[Sequence[Tensor]], Sequence[NDArray[Any]]]
"""A network: its inputs, (1, C, H, W), to all its outputs."""


def _rising(ends: list[float]) -> list[float]:
    if not ends[0] < ends[1]:
        raise ValueError("the first has to be smaller than the second")
    return ends


_Range = Annotated[list[float], Field(min_length=2, max_length=2), AfterValidator(_rising)]


class Input(tomlfile.Table):
    """``[input]``: how the sources become what the network takes.

    Attributes
    ----------
    order : {"ir-vis", "vis-ir"}
        Which source comes first.
    tensors : {2, 1}
        A tensor for each source, or one that has both as its channels.
    ir_channels, vis_channels : {1, 3}
        Of each source; a grey plane is repeated.
    color : {"luma", "per-channel", "grey"}, optional
        What is done about a visible image in colour if nobody says otherwise; by default ``"per-channel"`` where the
        network takes three channels of it, otherwise ``"luma"``.
    range : list of two floats
        What black and white become.
    multiple : int
        Height and width are filled up to a multiple of it, at the bottom and on the right, and the result is cut again.
    padding : {"reflect", "edge", "zero"}
        With what.
    """

    order: Literal["ir-vis", "vis-ir"] = "ir-vis"
    tensors: Literal[1, 2] = 2
    ir_channels: Literal[1, 3] = 1
    vis_channels: Literal[1, 3] = 1
    color: Color | None = None
    range: _Range = Field(default_factory=lambda: [0.0, 1.0])
    multiple: PositiveInt = 1
    padding: Literal["reflect", "edge", "zero"] = "reflect"


class Output(tomlfile.Table):
    """``[output]``: how what the network gives becomes an image.

    Attributes
    ----------
    which : int
        Where it gives several tensors: the first is 0.
    range : list of two floats
        What black and white are.
    after : {"plain", "stretch"}
        Leave it at that, or stretch the result so that its smallest value becomes black and its largest white.
    clip : bool
        Clip the result to black and white, which matters where it changes an image in colour.
    """

    which: NonNegativeInt = 0
    range: _Range = Field(default_factory=lambda: [0.0, 1.0])
    after: Literal["plain", "stretch"] = "plain"
    clip: bool = False


class Spec(tomlfile.Table):
    """The whole file, which may be empty."""

    input: Input = Input()
    output: Output = Output()

    @property
    def color(self) -> Color:
        """What is done about a visible image in colour if nobody says otherwise."""
        return self.input.color or ("per-channel" if self.input.vis_channels == 3 else "luma")


def spec_file(model: Path, given: Path | None) -> Path:
    """The file that says what a model takes: the one given, or the one beside it.

    Raises
    ------
    UserError
        If there is none.
    """
    path = given or model.with_suffix(".toml")
    if not path.is_file():
        raise UserError(
            f"There is no '{path}' to say what '{model}' takes and gives: write it, or leave it empty if the network takes "
            "an infrared and a visible tensor of (1, 1, height, width) from 0 to 1, and gives one."
        )
    return path


def read(path: Path) -> Spec:
    """What such a file says.

    Raises
    ------
    UserError
        If it has a mistake; the sentence names file, line and key.
    """
    return tomlfile.read(path, Spec, "what says what the network takes, such as model.toml")[0]


def fuse(run: Run, spec: Spec, ir: Plane, vis: Plane, what: str) -> Plane:
    """Fuse by a network.

    Parameters
    ----------
    run : callable
        The network.
    spec : Spec
        What it takes and gives.
    ir, vis : ndarray
        The sources, (H, W), the visible one also (H, W, 3), on the scale 0..255.
    what : str
        How an error calls the network.

    Returns
    -------
    ndarray
        The fused image, of the shape of `vis`, on the scale 0..255, not rounded.

    Raises
    ------
    UserError
        If the network gives something that is no image of the size of the sources.
    """
    if vis.ndim == 3 and spec.input.vis_channels == 1:
        return np.stack([fuse(run, spec, ir, vis[:, :, band], what) for band in range(3)], axis=2)
    tensors = [_tensor(ir, spec.input.ir_channels, spec.input), _tensor(vis, spec.input.vis_channels, spec.input)]
    if spec.input.order == "vis-ir":
        tensors.reverse()
    if spec.input.tensors == 1:
        tensors = [np.concatenate(tensors, axis=1)]
    outputs = run(tensors)
    if spec.output.which >= len(outputs):
        raise UserError(f"{what} gives {len(outputs)} tensors, but 'which' in [output] asks for {spec.output.which}.")
    fused = _image(outputs[spec.output.which], tensors[0].shape[2:], ir.shape, what)
    low, high = spec.output.range
    fused = (fused - low) / (high - low) * 255
    if spec.output.after == "stretch":
        fused = stretched(fused)
    if spec.output.clip:
        fused = np.clip(fused, 0, 255)
    return shaped(fused, vis)


def _tensor(source: Plane, channels: int, spec: Input) -> Tensor:
    planes = np.moveaxis(np.atleast_3d(source), 2, 0)
    planes = np.broadcast_to(planes, (channels, *planes.shape[1:]))
    low, high = spec.range
    scaled = (planes / 255 * (high - low) + low).astype(np.float32)
    missing = [(0, 0), *((0, -length % spec.multiple) for length in planes.shape[1:])]
    if spec.padding == "zero":
        return np.pad(scaled, missing)[np.newaxis]
    return np.pad(scaled, missing, mode=spec.padding)[np.newaxis]


def _image(made: NDArray[Any], padded: tuple[int, ...], size: tuple[int, ...], what: str) -> Plane:
    """(H, W) or (H, W, 3), of float64, cut to size."""
    ahead = made.shape[:-2]
    channels = int(np.prod(ahead))
    if made.shape[-2:] != padded or channels not in (1, 3) or (channels == 3 and ahead[-1] != 3):
        rows, columns = padded
        raise UserError(
            f"{what} gives a tensor of {made.shape} where one of (1, 1, {rows}, {columns}) or (1, 3, {rows}, {columns}) was "
            "due: see whether 'which' in [output] and 'multiple' in [input] are right."
        )
    planes = made.reshape(channels, *padded)[:, : size[0], : size[1]].astype(np.float64)
    return planes[0] if channels == 1 else np.moveaxis(planes, 0, 2)
