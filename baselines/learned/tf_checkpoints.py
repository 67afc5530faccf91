"""Read the checkpoints of TensorFlow 1, an index and its files of data, without TensorFlow.

The index is a sorted table of the kind that LevelDB keeps; it says of every tensor by name where in the data it stands.
Both are plain data: nothing in them could be run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import UserError

from .pickles import RefusedError
from .sorted_tables import DAMAGED, crc32c, masked, rows, varint

_DTYPES: Final = {
    1: "<f4", 2: "<f8", 3: "<i4", 4: "|u1", 5: "<i2", 6: "|i1", 9: "<i8", 10: "|b1", 19: "<f2",
}  # fmt: skip
_SHARD: Final = re.compile(r"(.+)\.data-\d{5}-of-\d{5}")
_OPTIMIZER: Final = re.compile(r"(.*/)?(beta[12]_power|global_step)(_\d+)?")


def parts(path: Path) -> list[Path]:
    """The files of a checkpoint: the index, then the data in order.

    Parameters
    ----------
    path : Path
        The index, ``model.ckpt.index``; a file of its data; what both begin with, ``model.ckpt``, as TensorFlow calls
        the checkpoint; or a folder with one checkpoint.

    Returns
    -------
    list of Path
        Empty if the path is none of these.

    Raises
    ------
    UserError
        If there is an index without data or data without an index, or a folder with several checkpoints.
    """
    if path.is_dir():
        indices = sorted(file for file in path.iterdir() if file.suffix == ".index" and file.is_file())
        if len(indices) > 1:
            raise UserError(f"'{path}' holds {len(indices)} checkpoints of TensorFlow: give the .index file of one.")
        if not indices:
            return []
        index = indices[0]
    elif path.suffix == ".index":
        index = path
    elif shard := _SHARD.fullmatch(path.name):
        index = path.with_name(f"{shard[1]}.index")
    else:
        index = path.with_name(f"{path.name}.index")
        if path.exists() or not index.is_file():
            return []
    stem = index.name.removesuffix(".index")
    found = sorted(index.parent.glob("*.data-*")) if index.parent.is_dir() else []
    data = [file for file in found if (shard := _SHARD.fullmatch(file.name)) and shard[1] == stem]
    if not index.is_file() and (data or path.exists()):
        raise UserError(f"'{path}' is the data of a checkpoint of TensorFlow: put its '{index.name}' beside it.")
    if index.is_file() and not data:
        raise UserError(
            f"'{index}' is the index of a checkpoint of TensorFlow: put its '{stem}.data-00000-of-00001' beside it."
        )
    return [index, *data] if index.is_file() else []


def decode(index: bytes, data: Sequence[bytes]) -> dict[str, NDArray[Any]]:
    """The tensors of a checkpoint.

    Parameters
    ----------
    index : bytes
        The index.
    data : sequence of bytes
        All files of data, in order.

    Returns
    -------
    dict of str to ndarray
        By name, in which ``__`` stands for ``/``. What optimizers keep of a variable, or count, is left out.

    Raises
    ------
    RefusedError
        If something is damaged, lacks, or is of a kind that TensorFlow 1 does not write weights in.
    """
    table = rows(index)
    key, value = next(table, (None, b""))
    if key != b"":
        raise RefusedError(DAMAGED)
    header = _message(value)
    if _number(header, 2):
        raise RefusedError("it was written by a big-endian machine: convert it on one of its kind")
    if _number(header, 1) != len(data):
        raise RefusedError(f"it consists of {_number(header, 1)} files of data, of which {len(data)} are here: get all")
    entries = {_named(key): _Entry.of(_named(key), value) for key, value in table}
    if sum(entry.size for entry in entries.values()) > sum(map(len, data)):
        raise RefusedError(DAMAGED)
    # What an optimizer keeps of a variable has its name and one more word.
    kept = [name for name in entries if name.rpartition("/")[0] not in entries and not _OPTIMIZER.fullmatch(name)]
    found = {name.replace("/", "__"): entries[name].tensor(data) for name in kept}
    if len(found) < len(kept):
        raise RefusedError("two of its tensors have names that differ in / and __ only: rename one")
    return found


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a tensor stands, and what it should be."""

    name: str
    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int | None
    whole: bool

    @classmethod
    def of(cls, name: str, value: bytes) -> _Entry:
        fields = _message(value)
        shape = _message(b"".join(_texts(fields, 2)))
        # A rank that is unknown has a field of its own.
        if 3 in shape:
            raise RefusedError(DAMAGED)
        dims = tuple(_number(_message(dim), 1) for dim in _texts(shape, 2))
        crc = _number(fields, 6) if 6 in fields else None
        number = {word: _number(fields, field) for word, field in _FIELDS.items()}
        return cls(name, shape=dims, crc=crc, whole=7 not in fields, **number)

    def tensor(self, data: Sequence[bytes]) -> NDArray[Any]:
        if self.dtype not in _DTYPES:
            raise RefusedError(
                f"its tensor {self.name[:100]!r} holds no numbers of a kind that weights are: leave it out"
            )
        if not self.whole:
            raise RefusedError(f"its tensor {self.name[:100]!r} is cut into slices: save it in one piece")
        dtype = np.dtype(_DTYPES[self.dtype])
        if not self.size:
            raise RefusedError(f"its tensor {self.name[:100]!r} is empty: leave it out")
        if self.shard >= len(data) or math.prod(self.shape) * dtype.itemsize != self.size or len(self.shape) > 8:
            raise RefusedError(DAMAGED)
        piece = data[self.shard][self.offset : self.offset + self.size]
        if len(piece) < self.size or (self.crc is not None and masked(crc32c(piece)) != self.crc):
            raise RefusedError(f"its tensor {self.name[:100]!r} is not what the index says: get the files again")
        return np.frombuffer(piece, dtype).reshape(self.shape).astype(dtype.newbyteorder("="))


_FIELDS: Final = {"dtype": 1, "shard": 3, "offset": 4, "size": 5}


def _message(data: bytes) -> dict[int, list[int | bytes]]:
    """The fields of a protocol buffer by number."""
    fields: dict[int, list[int | bytes]] = {}
    place = 0
    while place < len(data):
        tag, place = varint(data, place)
        value: int | bytes
        if tag & 7 == 0:
            value, place = varint(data, place)
        elif (length := {1: 8, 5: 4}.get(tag & 7)) is not None:
            value, place = int.from_bytes(data[place : place + length], "little"), place + length
        elif tag & 7 == 2:
            length, place = varint(data, place)
            value, place = data[place : place + length], place + length
        else:
            raise RefusedError(DAMAGED)
        if place > len(data):
            raise RefusedError(DAMAGED)
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _number(fields: Mapping[int, list[int | bytes]], field: int) -> int:
    """A number of a message, 0 where it is left out."""
    value = fields.get(field, [0])[-1]
    if not isinstance(value, int):
        raise RefusedError(DAMAGED)
    return value


def _texts(fields: Mapping[int, list[int | bytes]], field: int) -> list[bytes]:
    """What a message has in a field that is no number, as often as it stands there."""
    values = [value for value in fields.get(field, []) if isinstance(value, bytes)]
    if len(values) < len(fields.get(field, [])):
        raise RefusedError(DAMAGED)
    return values


def _named(key: bytes) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError as error:
        raise RefusedError(DAMAGED) from error
