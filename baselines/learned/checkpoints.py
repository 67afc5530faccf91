"""Read the weights of a network from a file, without running anything that the file says.

Known are what ``torch.save`` writes (zip since 1.6, the older format too; state dicts, dictionaries that hold one, and
whole modules), safetensors, npz, pickled dictionaries of arrays and the checkpoints of TensorFlow 1. Neither torch nor
TensorFlow is needed.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import UserError

from . import array_pickles, tf_checkpoints
from .graph import Storage, tensors_of
from .pickles import ForbiddenNameError, Name, RefusedError, parse
from .sorted_tables import MAGIC

Weights: TypeAlias = dict[str, NDArray[Any]]
Shape: TypeAlias = tuple[int, ...]

LARGEST: Final = 2 << 30
"""Bytes of a file, and of what an npz may unpack to."""

_DTYPES: Final = {
    "Double": "<f8", "Float": "<f4", "Half": "<f2", "BFloat16": "bfloat16", "Long": "<i8", "Int": "<i4",
    "Short": "<i2", "Char": "|i1", "Byte": "|u1", "Bool": "|b1",
}  # fmt: skip
_STORAGES: Final = {
    f"{module}.{kind}Storage": dtype for module in ("torch", "torch.cuda") for kind, dtype in _DTYPES.items()
}
_NAMES: Final = frozenset(
    """
    collections.OrderedDict collections.defaultdict collections.Counter
    builtins.set builtins.dict builtins.list __builtin__.set __builtin__.dict __builtin__.list
    torch.Size torch.device torch.nn.parameter.Parameter torch.nn.backends.thnn._get_thnn_function_backend
    torch._utils._rebuild_tensor torch._utils._rebuild_tensor_v2
    torch._utils._rebuild_parameter torch._utils._rebuild_parameter_with_state
    torch.float64 torch.float32 torch.float16 torch.bfloat16
    torch.int64 torch.int32 torch.int16 torch.int8 torch.uint8 torch.bool
    numpy.dtype numpy.core.multiarray.scalar numpy._core.multiarray.scalar _codecs.encode
    net.AutoEncoder net.SA net.Fusion_strage net.intr
    core.model.CLF_Net.CLF_Net
    core.model.model.Generator core.model.model.encoder core.model.model.decoder core.model.model.Residual_Block
    core.loss.PatchSampleF.PatchSampleF core.loss.PatchSampleF.Normalize core.loss.PatchNCELoss.PatchNCELoss
    """.split()
)
"""What a checkpoint may name besides storages and the families below; the last ones are classes of the authors."""

_SAFE: Final = ("F64", "F32", "F16", "I64", "I32", "I16", "I8", "U8", "BOOL")
"""What safetensors may hold, as they call it."""

_FAMILIES: Final = re.compile(r"torch\.(nn\.modules|nn\.parallel|optim)\.[a-z_0-9]+\.[A-Z]\w*")
_GRAPH: Final = re.compile(r"[^/]+/data\.pkl")
_TORCH: Final = 0x1950A86A20F9469CFC6C
_PROTOCOL: Final = 1001

_DAMAGED: Final = "it ends too early or is damaged: get it again"
_UNKNOWN: Final = (
    "it is none of the files that weights come in: give a file of torch.save, a .safetensors, an .npz or the .index of a "
    "checkpoint of TensorFlow"
)
_INDEX: Final = "it is half of a checkpoint of TensorFlow: give its .index with its files of .data beside it"
_CLUES: Final = {
    b"version https://git-lfs": "it only points to a file that Git LFS keeps: get the file itself",
    b"<!doctype": "it is a web page: get the file that the page offers, not the page",
    b"<html": "it is a web page: get the file that the page offers, not the page",
}


def read(path: str | Path) -> Weights:
    """All tensors of a file.

    Parameters
    ----------
    path : str or Path
        What ``torch.save`` wrote, a .safetensors or an .npz; a checkpoint of TensorFlow, as
        `fusionbench.baselines.learned.tf_checkpoints.parts` finds its files; or a folder with nothing but the files of one
        network.

    Returns
    -------
    dict of str to ndarray
        By the names they have in the file (of a module, those of its ``state_dict()``). Where a dictionary holds
        a state dict or a module under ``"state_dict"``, ``"model"``, ``"model_state_dict"`` or ``"weight"``, its
        entries; where it holds several under other names, those names stand before, with a dot; so does the name of the file,
        without suffix, where there are several. The dtypes are those of
        the file, except that bfloat16 becomes float32, which holds the same numbers.

    Raises
    ------
    UserError
        If there is no such file, it is none of these or damaged, names anything but what weights consist of, or holds
        NaN or infinite numbers.

    Notes
    -----
    Nothing in the file is ever imported or called; see `fusionbench.baselines.learned.pickles`.
    """
    path = Path(path)
    if tensorflow := tf_checkpoints.parts(path):
        index, *data = map(content, tensorflow)
        return _made(lambda: tf_checkpoints.decode(index, data), path)
    if len(files := files_in(path)) == 1:
        return decode(content(files[0]), files[0])
    return {f"{file.stem}.{name}": entry for file in files for name, entry in decode(content(file), file).items()}


def files_in(path: Path) -> list[Path]:
    """The files that weights consist of: the one itself or, where authors give out several, those of a folder by name.

    Raises
    ------
    UserError
        If the folder has no files, or a checkpoint of TensorFlow lacks a part.
    """
    if tensorflow := tf_checkpoints.parts(path):
        return tensorflow
    if not path.is_dir():
        return [path]
    if not (files := sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))):
        raise UserError(
            f"'{path}' is a folder without a file in it: give a file of weights, or the folder of those that belong together."
        )
    return files


def content(path: Path) -> bytes:
    """All bytes of a file that may hold weights.

    Raises
    ------
    UserError
        If there is no such file, or it is larger than 2 GiB.
    """
    if not path.is_file():
        raise UserError(f"There is no file '{path}': give the path of a file of weights.")
    if path.stat().st_size > LARGEST:
        raise UserError(
            f"'{path}' was not read: it has more than 2 GiB, which is no fusion network: give another file."
        )
    return path.read_bytes()


def decode(data: bytes, path: str | Path) -> Weights:
    """`read`, of the bytes of a file that is called `path` in errors."""
    return _made(lambda: _decode(data), path)


def _made(make: Callable[[], Weights], path: str | Path) -> Weights:
    try:
        return _finite(make())
    except RefusedError as refused:
        raise UserError(f"'{path}' was not read: {refused}.") from refused


def load(
    path: str | Path,
    expected: Mapping[str, Sequence[int]],
    adapt: Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]] = dict,
) -> Weights:
    """The tensors of a file, which must be exactly those that a network has.

    Parameters
    ----------
    path : str or Path
        As for `read`.
    expected : mapping of str to sequence of int
        Shape of every tensor by name.
    adapt : callable, optional
        Chooses and renames what was read.

    Returns
    -------
    dict of str to ndarray
        In the order of `expected`.

    Raises
    ------
    UserError
        As `read`, and if tensors are missing, unexpected or of another shape.
    """
    return fit(read(path), path, expected, adapt)


def fit(
    weights: Mapping[str, NDArray[Any]],
    path: str | Path,
    expected: Mapping[str, Sequence[int]],
    adapt: Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]] = dict,
) -> Weights:
    """`load`, of weights that have been read from `path`."""
    adapted = adapt(weights)
    if reason := misfit(adapted, expected):
        raise UserError(f"'{path}' holds weights of something else: {reason}; give a file of this network's weights.")
    return {name: adapted[name] for name in expected}


def misfit(weights: Mapping[str, NDArray[Any]], expected: Mapping[str, Sequence[int]]) -> str:
    """What is wrong with the names and shapes of some weights, in part of a sentence; empty if nothing."""
    wrong = [
        f"{name!r} is {_spelled(weights[name].shape)} instead of {_spelled(shape)}"
        for name, shape in expected.items()
        if name in weights and weights[name].shape != tuple(shape)
    ]
    faults = []
    if missing := [name for name in expected if name not in weights]:
        faults.append(f"{_some(missing)} missing")
    if surplus := [name for name in weights if name not in expected]:
        faults.append(f"{_some(surplus)} unexpected")
    if wrong:
        faults.append(wrong[0] + (f" (and {len(wrong) - 1} more shapes differ)" if len(wrong) > 1 else ""))
    return ", ".join(faults)


def fingerprint(weights: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of names, dtypes, shapes and numbers: the same for the same weights, whatever file they come in."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        array = np.ascontiguousarray(weights[name])
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name}\0{little.dtype.str}\0{weights[name].shape}\0".encode())
        digest.update(little.tobytes())
    return digest.hexdigest()


def _decode(data: bytes) -> Weights:
    if data[:4] == b"PK\3\4":
        return _zip(data)
    if len(data) > 8 and data[8:9] == b"{":
        return _safetensors(data)
    if data.endswith(MAGIC):
        raise RefusedError(_INDEX)
    start = data[:100].lower().lstrip()
    for sign, reason in _CLUES.items():
        if start.startswith(sign):
            raise RefusedError(reason)
    try:
        return _legacy(data)
    except ForbiddenNameError:
        raise
    except RefusedError as refused:
        # All pickles of torch begin with this byte; of what does not, only a forbidden name is worth a word.
        if data[:1] == b"\x80":
            raise
        raise RefusedError(_UNKNOWN) from refused


def _zip(data: bytes) -> Weights:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            if len(set(names)) < len(names):
                raise RefusedError("its zip archive has two members of one name: get it again")
            packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
            if any(_GRAPH.fullmatch(name) for name in names):
                # Torch never compresses, so more than the file itself cannot be in it.
                if packed or sum(member.file_size for member in members) > len(data):
                    raise RefusedError("its zip archive unpacks to more than the file holds: get it again")
                return _torch_zip(archive, len(data))
            if names and all(name.endswith(".npy") for name in names):
                if sum(member.file_size for member in members) > min(LARGEST, max(64 << 20, 100 * len(data))):
                    raise RefusedError("its zip archive unpacks to far more than the file holds: get it again")
                return {name.removesuffix(".npy"): _npy(archive.read(name), name) for name in names}
    # A place in the archive may be a number that no file has.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError, OverflowError) as error:
        raise RefusedError(_DAMAGED) from error
    raise RefusedError(_UNKNOWN)


def _torch_zip(archive: zipfile.ZipFile, size: int) -> Weights:
    names = set(archive.namelist())
    folders = [name.removesuffix("data.pkl") for name in names if _GRAPH.fullmatch(name)]
    if len(folders) > 1:
        raise RefusedError("its zip archive holds two checkpoints: get it again")
    folder = folders[0]
    # Before torch 2.1, which began to write this member, hardly any machine was big-endian.
    order = archive.read(f"{folder}byteorder") if f"{folder}byteorder" in names else b"little"
    if order not in (b"little", b"big"):
        raise RefusedError(_DAMAGED)

    def stored(storage: Storage) -> memoryview:
        if (name := f"{folder}data/{storage.key}") not in names:
            raise RefusedError(f"its zip archive lacks {name[:100]!r}: get it again")
        return memoryview(archive.read(name))

    storages: dict[str, Storage] = {}
    root = parse(io.BytesIO(archive.read(f"{folder}data.pkl")), _allowed, lambda found: _persistent(found, storages))
    return tensors_of(root, stored, "<" if order == b"little" else ">", 4 * size)


def _legacy(data: bytes) -> Weights:
    file = io.BytesIO(data)
    first = parse(file, _allowed, _no_persistent)
    if arrays := array_pickles.arrays_of(first, 4 * len(data)):
        return arrays
    if first != _TORCH:
        raise RefusedError("it is a pickle, but not of torch.save: let torch.save write a state_dict(), and give that")
    if parse(file, _allowed, _no_persistent) != _PROTOCOL:
        raise RefusedError("its version of the format of torch.save is unknown: save it again with a newer torch")
    # What the machine was like that wrote it; the numbers are little-endian whatever it was.
    parse(file, _allowed, _no_persistent)
    storages: dict[str, Storage] = {}
    root = parse(file, _allowed, lambda found: _persistent(found, storages))
    keys = parse(file, _allowed, _no_persistent)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or len(set(keys)) < len(keys):
        raise RefusedError(_DAMAGED)
    place = file.tell()
    pieces: dict[str, memoryview] = {}
    for key in keys:
        if key not in storages:
            raise RefusedError(_DAMAGED)
        declared = int.from_bytes(data[place : place + 8], "little")
        start, place = place + 8, place + 8 + storages[key].size
        if declared != storages[key].numbers or place > len(data):
            raise RefusedError(_DAMAGED)
        pieces[key] = memoryview(data)[start:place]

    def stored(storage: Storage) -> memoryview:
        if storage.key not in pieces:
            raise RefusedError(_DAMAGED)
        return pieces[storage.key]

    return tensors_of(root, stored, "<", 4 * len(data))


def _allowed(dotted: str) -> bool:
    return (
        dotted in _NAMES
        or dotted in array_pickles.NAMES
        or dotted in _STORAGES
        or _FAMILIES.fullmatch(dotted) is not None
    )


def _no_persistent(found: object) -> object:
    raise RefusedError(_DAMAGED)


def _persistent(found: object, storages: dict[str, Storage]) -> object:
    """What a persistent identifier stands for: a storage or, in old files, a class that comes with its source text."""
    if isinstance(found, tuple) and len(found) == 4 and found[0] == "module" and isinstance(found[1], Name):
        return found[1]
    if not isinstance(found, tuple) or len(found) not in (5, 6) or found[0] != "storage":
        raise RefusedError(_DAMAGED)
    kind, key, device, numbers = found[1:5]
    if not (isinstance(kind, Name) and isinstance(key, str) and isinstance(device, str) and type(numbers) is int):
        raise RefusedError(_DAMAGED)
    if len(found) == 6 and found[5] is not None:
        raise RefusedError("it has views of storages as torch before 0.4 wrote them: save it again with a newer torch")
    dtype = _STORAGES.get(kind.dotted)
    if dtype is None or numbers < 0:
        raise RefusedError(_DAMAGED)
    storage = Storage(key, dtype, numbers)
    if storages.setdefault(key, storage) != storage:
        raise RefusedError(_DAMAGED)
    return storage


def _npy(data: bytes, name: str) -> NDArray[Any]:
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if header is None:
        raise RefusedError(_DAMAGED)
    try:
        shape, fortran, dtype = header(file)
    except Exception as error:  # numpy parses it as Python, and lets through whatever the parser stumbles over
        raise RefusedError(_DAMAGED) from error
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        raise RefusedError(f"its array {name[:100]!r} holds no numbers: leave it out of the file")
    rest = data[file.tell() :]
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(rest):
        raise RefusedError(_DAMAGED)
    array = np.ndarray(shape, dtype, rest, order="F" if fortran else "C")
    return np.array(array, dtype.newbyteorder("="), order="C")


def _safetensors(data: bytes) -> Weights:
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load as load_safetensors
    except ImportError:
        raise RefusedError("files of this kind need a package: pip install safetensors") from None
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length], object_pairs_hook=_once)
        for name, entry in header.items():
            if name != "__metadata__" and entry["dtype"] not in _SAFE:
                raise RefusedError(
                    f"its tensor {name[:100]!r} is of {str(entry['dtype'])[:20]}: save it as one of {', '.join(_SAFE)}"
                )
        # The library makes sure that the tensors cover the file, without holes and without overlap.
        return {name: np.array(array) for name, array in load_safetensors(data).items()}
    except (SafetensorError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise RefusedError(_DAMAGED) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _finite(weights: Weights) -> Weights:
    if not weights:
        raise RefusedError("it holds no weights: give a file that does")
    for name, array in weights.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise RefusedError(f"its tensor {name[:100]!r} holds NaN or infinite numbers: give weights that are whole")
    return weights


def _some(names: list[str]) -> str:
    first = f"{names[0][:100]!r}"
    return f"{first} is" if len(names) == 1 else f"{first} and {len(names) - 1} more are"


def _spelled(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "one number"
