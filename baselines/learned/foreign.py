"""Networks of others as files: fused by as they are, without their code.

``onnx:model.onnx``, ``torchscript:model.pt`` and ``exported:model.pt2`` are methods. What such a network takes and gives is
said by a small TOML file beside it, ``model.toml``, whose keys `fusionbench.baselines.learned.feeding.Input` and ``Output``
explain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from fusionbench.types import Color, UserError

from ..card import Opens, Plane, Reads, method
from . import feeding
from .opening import Format, opened

_WHAT: Final = {"torchscript": "A TorchScript archive", "exported": "What torch.export wrote"}


def _files(kind: Format, parameters: Mapping[str, Any]) -> dict[str, Path]:
    """The model, and what says how it is fed; both are there, and may be opened."""
    model = Path(parameters["model"])
    if not model.is_file():
        raise UserError(f"There is no file '{model}': give the path of a network, as in {kind}:model.{_SUFFIX[kind]}.")
    if kind in _WHAT and not parameters["trust"]:
        raise UserError(
            f"{_WHAT[kind]} is a program, and to open '{model}' is to run it, with all that its makers may have put into it: "
            "give trust=true if you know where it comes from, or have it as ONNX."
        )
    return {"model": model, "spec": feeding.spec_file(model, parameters["spec"] and Path(parameters["spec"]))}


_SUFFIX: Final[Mapping[Format, str]] = {"onnx": "onnx", "torchscript": "pt", "exported": "pt2"}


def _reads(kind: Format) -> Reads:
    return lambda parameters: _files(kind, parameters)


def _color(kind: Format) -> Callable[[Mapping[str, Any]], Color]:
    return lambda parameters: feeding.read(_files(kind, parameters)["spec"]).color


def _opens(kind: Format) -> Opens:
    return Opens("model", lambda text: Path(text).stem, _color(kind), immaterial=("trust",))


def _fuse(kind: Format, ir: Plane, vis: Plane, device: str, **parameters: Any) -> Plane:
    files = _files(kind, parameters)
    spec = feeding.read(files["spec"])
    run = opened(kind, files["model"], device, files["spec"])
    return feeding.fuse(run, spec, ir, vis, f"'{files['model']}'")


# Nobody's in particular: its paper is that of whoever made the file.
_foreign = partial(
    method,
    authors="",
    year=0,
    doi="",
    defaults="there are none: a TOML file says what the network takes and gives",
    joint=True,
    smallest=1,
    luma="exact",
    kind="foreign",
)


@_foreign(
    "onnx",
    title="Any network in ONNX",
    summary="Whatever the file does. It is run by onnxruntime, and holds nothing that could be run but the operations of ONNX. "
    "A TOML file beside it says what it takes and gives.",
    reads=_reads("onnx"),
    opens=_opens("onnx"),
)
def onnx(ir: Plane, vis: Plane, *, model: Path | str, spec: Path | str | None = None, device: str = "cpu") -> Plane:
    """Fuse by a network in ONNX.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), the visible one also (H, W, 3), on the scale 0..255.
    model : Path or str
        The file.
    spec : Path or str, optional
        A TOML file that says what the network takes and gives; by default the one beside the model, of the same name.
    device : str
        Where the network runs: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

    Returns
    -------
    ndarray
        The fused image, of the shape of `vis`, on the scale 0..255, which it may leave, not rounded.
    """
    return _fuse("onnx", ir, vis, device, model=model, spec=spec)


@_foreign(
    "torchscript",
    title="Any network as a TorchScript archive",
    summary="Whatever the file does. It is a program that torch runs, so it is opened only where its maker is trusted. A TOML "
    "file beside it says what it takes and gives.",
    reads=_reads("torchscript"),
    opens=_opens("torchscript"),
)
def torchscript(
    ir: Plane,
    vis: Plane,
    *,
    model: Path | str,
    spec: Path | str | None = None,
    trust: bool = False,
    device: str = "cpu",
) -> Plane:
    """Fuse by a network that ``torch.jit.save`` wrote.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), the visible one also (H, W, 3), on the scale 0..255.
    model : Path or str
        The file.
    spec : Path or str, optional
        A TOML file that says what the network takes and gives; by default the one beside the model, of the same name.
    trust : bool
        That you know where the file comes from: such a file is a program, and is run.
    device : str
        Where the network runs: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

    Returns
    -------
    ndarray
        The fused image, of the shape of `vis`, on the scale 0..255, which it may leave, not rounded.
    """
    return _fuse("torchscript", ir, vis, device, model=model, spec=spec, trust=trust)


@_foreign(
    "exported",
    title="Any network that torch.export wrote",
    summary="Whatever the file does. It may hold more than operations of torch, so it is opened only where its maker is trusted. "
    "A TOML file beside it says what it takes and gives.",
    reads=_reads("exported"),
    opens=_opens("exported"),
)
def exported(
    ir: Plane,
    vis: Plane,
    *,
    model: Path | str,
    spec: Path | str | None = None,
    trust: bool = False,
    device: str = "cpu",
) -> Plane:
    """Fuse by a network that ``torch.export.save`` wrote.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), the visible one also (H, W, 3), on the scale 0..255.
    model : Path or str
        The file.
    spec : Path or str, optional
        A TOML file that says what the network takes and gives; by default the one beside the model, of the same name.
    trust : bool
        That you know where the file comes from: such a file may hold a program, and is run.
    device : str
        Where the network runs: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

    Returns
    -------
    ndarray
        The fused image, of the shape of `vis`, on the scale 0..255, which it may leave, not rounded.
    """
    return _fuse("exported", ir, vis, device, model=model, spec=spec, trust=trust)
