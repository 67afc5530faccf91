"""Find the arrays of numpy among the objects of a pickle: dictionaries of arrays, as programs in JAX keep their weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .pickles import Node, RefusedError

NAMES: Final = frozenset(("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.ndarray"))
"""What a pickle of arrays names, besides their dtypes."""

_DEEPEST: Final = 16
_MOST: Final = 100_000
"""Entries of dictionaries looked at: objects may be shared, so a small file can hold endlessly many names."""


def arrays_of(root: object, most: int) -> dict[str, NDArray[Any]]:
    """The arrays of dictionaries in dictionaries, by their keys with dots between.

    Parameters
    ----------
    root : object
        What `fusionbench.baselines.learned.pickles.parse` returned.
    most : int
        How many bytes all arrays together may have.

    Returns
    -------
    dict of str to ndarray
        Writable and contiguous; empty if there are none.

    Raises
    ------
    RefusedError
        If something is wrong with one of them.
    """
    found: dict[str, Node] = {}
    for seen, (name, node) in enumerate(_nodes(root, "", 0)):
        if seen > _MOST:
            raise RefusedError(f"it has more than {_MOST} entries, which is no fusion network: give another file")
        if node is None:
            continue
        if name in found:
            raise RefusedError(f"it has two arrays called {name[:100]!r}: get it again")
        found[name] = node
    arrays: dict[str, NDArray[Any]] = {}
    for name, node in found.items():
        arrays[name] = _array(name, node)
        most -= arrays[name].nbytes
        if most < 0:
            raise RefusedError("its arrays would take far more memory than the file has bytes: get it again")
    return arrays


def _nodes(thing: object, prefix: str, depth: int) -> Iterator[tuple[str, Node | None]]:
    """Every entry, and the array that it is if it is one."""
    if not isinstance(thing, dict):
        return
    if depth > _DEEPEST:
        raise RefusedError(f"its dictionaries are more than {_DEEPEST} deep: get it again")
    for key, value in thing.items():
        name = f"{prefix}{key}"
        yield name, value if isinstance(value, Node) and value.name in NAMES and isinstance(key, str) else None
        yield from _nodes(value, f"{name}.", depth + 1)


def _array(name: str, node: Node) -> NDArray[Any]:
    match node.state:
        case (
            1,
            tuple(shape),
            Node(name="numpy.dtype", args=(str(kind), *_), state=(3, "<" | "|", *_)),
            bool(fortran),
            bytes(data),
        ):
            pass
        case _:
            raise RefusedError(f"its array {name[:100]!r} is damaged or of a rare kind: save it as .npz")
    if kind not in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1"):
        raise RefusedError(f"its array {name[:100]!r} holds no numbers: leave it out of the file")
    whole = all(type(side) is int and side >= 0 for side in shape)
    if not whole or len(shape) > 16 or math.prod(shape) * np.dtype(kind).itemsize != len(data):
        raise RefusedError(f"its array {name[:100]!r} is damaged: get it again")
    try:
        array = np.frombuffer(data, f"<{kind}").reshape(shape, order="F" if fortran else "C")
    except ValueError as error:  # one side is 0, and the others are larger than arrays can be
        raise RefusedError(f"its array {name[:100]!r} is damaged: get it again") from error
    return np.array(array, kind, order="C")
