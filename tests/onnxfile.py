"""Small ONNX files, written field by field as the format's protocol buffers say, so that no library has to be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FLOAT, UINT8 = 1, 2


def model(
    nodes: Sequence[tuple[str, Sequence[str], str]],
    inputs: Sequence[str],
    outputs: Sequence[str],
    numbers: dict[str, float],
    *,
    shape: Sequence[int | str] = (1, "c", "h", "w"),
    kind: int = FLOAT,
    elsewhere: str = "",
) -> bytes:
    """A file.

    Parameters
    ----------
    nodes : sequence of (str, sequence of str, str)
        Operation, names of its inputs, name of its output.
    inputs, outputs : sequence of str
        Of the whole.
    numbers : mapping of str to float
        Constants by name.
    shape : sequence of int or str
        Of the inputs; a word is any number.
    kind : int
        Of the elements of inputs and outputs.
    elsewhere : str
        A file that holds the constants.
    """
    graph = b"".join(
        [
            *(_field(1, _node(*node)) for node in nodes),
            _field(2, b"graph"),
            *(_field(5, _number(name, value, elsewhere)) for name, value in numbers.items()),
            *(_field(11, _value(name, shape, kind)) for name in inputs),
            *(_field(12, _value(name, (1, "any", "height", "width"), kind)) for name in outputs),
        ]
    )
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _field(2, 17))


def _node(operation: str, inputs: Sequence[str], output: str) -> bytes:
    return b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, operation)


def _number(name: str, value: float, elsewhere: str) -> bytes:
    head = _field(1, 1) + _field(2, FLOAT) + _field(8, name)
    if elsewhere:
        return head + _field(13, _field(1, "location") + _field(2, elsewhere)) + _field(14, 1)
    return head + _field(9, np.array([value], "<f4").tobytes())


def _value(name: str, shape: Sequence[int | str], kind: int) -> bytes:
    sizes = b"".join(_field(1, _field(1, size) if isinstance(size, int) else _field(2, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, sizes)))


def _field(number: int, content: int | str | bytes) -> bytes:
    if isinstance(content, int):
        return _varint(number << 3) + _varint(content)
    data = content.encode() if isinstance(content, str) else content
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    more, low = divmod(number, 128)
    return bytes([low | 128]) + _varint(more) if more else bytes([low])
