"""Checkpoints put together instruction by instruction, so that tests can say what no honest program would write."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
TENSOR = "torch._utils _rebuild_tensor_v2"


class Raw(bytes):
    """Instructions that stand for themselves."""


class Name(str):
    """Something named: module, a space, name."""


class Call(NamedTuple):
    """What calling a name makes, with items set and a state given afterwards."""

    name: str
    arguments: tuple[Any, ...] = ()
    items: Mapping[Any, Any] | None = None
    state: Any = None


class Kept(NamedTuple):
    """Something kept outside the pickle, under an identifier."""

    identifier: Any


def assemble(thing: Any) -> bytes:
    """Instructions of protocol 2 that leave `thing` on the stack."""
    match thing:
        case Raw():
            return bytes(thing)
        case Name():
            return b"c" + thing.replace(" ", "\n").encode() + b"\n"
        case Call():
            made = assemble(Name(thing.name)) + assemble(tuple(thing.arguments)) + b"R"
            if thing.items is not None:
                made += _items(thing.items)
            return made + (assemble(thing.state) + b"b" if thing.state is not None else b"")
        case Kept():
            return assemble(thing.identifier) + b"Q"
        case None:
            return b"N"
        case bool():
            return b"\x88" if thing else b"\x89"
        case int() if -(2**31) <= thing < 2**31:
            return b"J" + struct.pack("<i", thing)
        case int():
            size = thing.bit_length() // 8 + 1
            return b"\x8a" + bytes([size]) + thing.to_bytes(size, "little", signed=True)
        case float():
            return b"G" + struct.pack(">d", thing)
        case str():
            text = thing.encode("utf-8", "surrogatepass")
            return b"X" + struct.pack("<I", len(text)) + text
        case tuple():
            return b"(" + b"".join(map(assemble, thing)) + b"t"
        case list():
            return b"](" + b"".join(map(assemble, thing)) + b"e"
        case dict():
            return b"}" + _items(thing)
    raise TypeError(thing)


def _items(items: Mapping[Any, Any]) -> bytes:
    return b"(" + b"".join(assemble(key) + assemble(value) for key, value in items.items()) + b"u"


def pickled(thing: Any) -> bytes:
    """A whole pickle."""
    return b"\x80\x02" + assemble(thing) + b"."


def _pickle(root: Any) -> bytes:
    return root if isinstance(root, bytes) and not isinstance(root, Raw) else pickled(root)


def storage(key: str, numbers: int, kind: str = "Float", device: str = "cpu") -> Kept:
    """A run of numbers that is kept outside."""
    return Kept(("storage", Name(f"torch {kind}Storage"), key, device, numbers))


def tensor(
    key: str, shape: tuple[int, ...], numbers: int | None = None, *, offset: int = 0, strides: Any = None, **kind: str
) -> Call:
    """A tensor; by default all of its storage, row by row."""
    size = int(np.prod(shape, dtype=object))
    rows = tuple(int(np.prod(shape[axis + 1 :], dtype=object)) for axis in range(len(shape)))
    kept = storage(key, size if numbers is None else numbers, **kind)
    steps = rows if strides is None else strides
    return Call(TENSOR, (kept, offset, shape, steps, False, Call("collections OrderedDict")))


def state_dict(**tensors: Any) -> Call:
    """An ordered dictionary; dots are written as two underscores."""
    return Call("collections OrderedDict", (), {key.replace("__", "."): value for key, value in tensors.items()})


def module(name: str, parameters: Any = None, buffers: Any = None, modules: Any = None, **state: Any) -> Call:
    """A whole module."""
    kinds = {"_parameters": parameters, "_buffers": buffers, "_modules": modules}
    attributes = {kind: Call("collections OrderedDict", (), items or {}) for kind, items in kinds.items()}
    return Call(name, (), None, {"training": True, **attributes, **state})


def zipped(
    root: Any, data: Mapping[str, bytes] | None = None, *, packed: bool = False, order: bytes | None = b"little"
) -> bytes:
    """What torch writes since 1.6; `root` may also be a whole pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", _pickle(root))
        if order is not None:
            archive.writestr("archive/byteorder", order)
        for key, content in (data or {}).items():
            archive.writestr(f"archive/data/{key}", content)
        archive.writestr("archive/version", b"3\n")
    return file.getvalue()


def legacy(root: Any, data: Mapping[str, tuple[int, bytes]] | None = None) -> bytes:
    """What torch wrote before; a storage is its declared number of numbers, and its bytes."""
    data = data or {}
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    parts = [pickled(MAGIC), pickled(1001), pickled(machine), _pickle(root)]
    parts.append(pickled(list(data)))
    parts += [struct.pack("<q", numbers) + content for numbers, content in data.values()]
    return b"".join(parts)
