"""Opens somebody's network: a file in ONNX, a TorchScript archive, or what torch.export wrote.

An ONNX file is a list of operations that onnxruntime has; nothing in it is run as a program. The other two may hold anything:
to open one is to run it.
"""

from __future__ import annotations

import io
import tempfile
import threading
import warnings
import zipfile
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import UserError

from .feeding import Run, Tensor

Format: TypeAlias = Literal["onnx", "torchscript", "exported"]

_GUARD: Final = threading.Lock()
"""One network is opened at a time, and each once."""
_MARKS: Final = {"torchscript": "constants.pkl", "exported": "archive_format"}
"""A file that is in every archive of that format, and in none of the other."""
_NAMES: Final = {"torchscript": "TorchScript archive", "exported": "file that torch.export wrote"}
_TYPES: Final = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}


def opened(kind: Format, path: Path, device: str, spec: Path) -> Run:
    """The network in a file, opened once for as long as the file stays the same.

    Parameters
    ----------
    kind : {"onnx", "torchscript", "exported"}
        Its format.
    path : Path
        The file.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    spec : Path
        Where it is said what the network takes, for errors.

    Returns
    -------
    callable
        From its inputs to all its outputs. It may be called from several threads, which wait for one another.

    Raises
    ------
    UserError
        If what opens such files is not installed, the file is none, or there is no such device; when it is called, if the
        network cannot deal with what it is given.
    """
    about = path.stat()
    with _GUARD:
        run = _opened(kind, path.resolve(), (about.st_ino, about.st_size, about.st_mtime_ns), str(path), device)
    return _guarded(run, path, spec)


@lru_cache(maxsize=4)
def _opened(kind: Format, place: Path, _stamp: object, path: str, device: str) -> Run:
    run = _onnx(place, path, device) if kind == "onnx" else _torch(kind, place, path, device)
    alone = threading.Lock()

    def one_at_a_time(tensors: Sequence[Tensor]) -> Sequence[NDArray[Any]]:
        with alone:
            return run(tensors)

    return one_at_a_time


def _guarded(run: Run, path: Path, spec: Path) -> Run:
    def call(tensors: Sequence[Tensor]) -> Sequence[NDArray[Any]]:
        try:
            return run(tensors)
        except UserError:
            raise
        except Exception as error:  # whatever the makers of the network did not think of
            given = " and ".join(str(tensor.shape) for tensor in tensors)
            raise UserError(
                f"'{path}' fails on {given} ({short(error)}): see whether '{spec}' says right what it takes."
            ) from error

    return call


def _onnx(place: Path, path: str, device: str) -> Run:
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(f"'{path}' needs onnxruntime: install it with 'pip install fusionbench[onnx]'.") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what it would say on stderr is in the error
    # Threads that wait for work by spinning would take the cores from everybody else's.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    kind, _, number = device.partition(":")
    providers = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
    if providers.get(kind) not in onnxruntime.get_available_providers():
        raise UserError(f"There is no device '{device}' that onnxruntime can use here: use --device cpu.")
    provider = (providers[kind], {"device_id": number} if number else {})
    # The file alone, whose content is part of how an image is made, and no other that it may name.
    with tempfile.TemporaryDirectory() as empty:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", empty)
        try:
            session = onnxruntime.InferenceSession(place.read_bytes(), options, providers=[provider])
        except Exception as error:
            if "External data" in str(error):
                raise UserError(
                    f"'{path}' keeps its numbers in other files: save it as one file, for that is all that is read."
                ) from error
            raise UserError(f"'{path}' cannot be opened as ONNX ({short(error)}): export it anew.") from error
    inputs = session.get_inputs()

    def run(tensors: Sequence[Tensor]) -> Sequence[NDArray[Any]]:
        if len(inputs) != len(tensors):
            raise UserError(
                f"'{path}' takes {len(inputs)} tensors, not {len(tensors)}: correct 'tensors' in [input] of its TOML file."
            )
        feed = {one.name: tensor.astype(_TYPES[one.type]) for one, tensor in zip(inputs, tensors, strict=True)}
        return session.run(None, feed)

    if wrong := [one.type for one in inputs if one.type not in _TYPES]:
        raise UserError(f"'{path}' takes a {wrong[0]}: only networks that take floats can be fed.")
    return run


def _torch(kind: Literal["torchscript", "exported"], place: Path, path: str, device: str) -> Run:
    try:
        import torch

        from .adapter import device_of, multiplying
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise UserError(f"'{path}' needs torch: install it with 'pip install fusionbench[learned]'.") from error
    where = device_of(device)
    content = io.BytesIO(place.read_bytes())
    if not _is(kind, content):
        raise UserError(f"'{path}' is no {_NAMES[kind]}: a file of weights alone is none, for it holds no network.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch would rather be asked for the other format
            network: Callable[..., Any]
            if kind == "torchscript":
                network = torch.jit.load(content, map_location=where).eval()
            else:
                from torch.export.passes import move_to_device_pass

                network = move_to_device_pass(torch.export.load(content), where).module()
    except Exception as error:
        raise UserError(
            f"'{path}' cannot be opened ({short(error)}): export it anew, with this release of torch."
        ) from error

    def run(tensors: Sequence[Tensor]) -> Sequence[NDArray[Any]]:
        with torch.inference_mode(), multiplying("fp32"):
            made = network(*(torch.from_numpy(np.ascontiguousarray(tensor)).to(where) for tensor in tensors))
        outputs = list(made.values()) if isinstance(made, dict) else [made] if torch.is_tensor(made) else list(made)
        return [each.float().cpu().numpy() for each in outputs]

    return run


def _is(kind: Literal["torchscript", "exported"], content: io.BytesIO) -> bool:
    # Torch itself would log a page about a wrong file.
    try:
        with zipfile.ZipFile(content) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return False
    finally:
        content.seek(0)
    return any(name.rpartition("/")[2] == _MARKS[kind] for name in names)


def short(error: Exception) -> str:
    """What went wrong in one line: the first that an error has; torch gives the reason last, after the code."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if "Traceback" in str(error):
        lines.reverse()
    return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"[:300].rstrip(".")
