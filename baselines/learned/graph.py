"""Find the tensors among the objects of a checkpoint, and take their numbers out of the storages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from .pickles import Node, RefusedError

_WRAPPERS: Final = ("state_dict", "model", "model_state_dict", "weight")
"""Under which of these keys a checkpoint keeps the network, beside an optimiser and the like."""

_DICTS: Final = frozenset(
    ("collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict", "__builtin__.dict")
)
_TENSORS: Final = frozenset(("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"))
_PARAMETERS: Final = frozenset(
    (
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state",
        "torch.nn.parameter.Parameter",
    )
)
_DEEPEST: Final = 64
_MOST: Final = 100_000
"""Entries of dictionaries looked at: objects may be shared, so a small file can hold endlessly many names."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of numbers outside the pickle.

    Attributes
    ----------
    key : str
        Its name.
    dtype : str
        As numpy spells it, without the byte order being meant; or ``"bfloat16"``.
    numbers : int
        How many.
    """

    key: str
    dtype: str
    numbers: int

    @property
    def itemsize(self) -> int:
        """Bytes a number."""
        return 2 if self.dtype == "bfloat16" else np.dtype(self.dtype).itemsize

    @property
    def size(self) -> int:
        """Bytes of all."""
        return self.numbers * self.itemsize


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the numbers of a tensor are; offset and strides count numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def tensors_of(
    root: object, stored: Callable[[Storage], memoryview], order: Literal["<", ">"], most: int
) -> dict[str, NDArray[Any]]:
    """The tensors of a checkpoint.

    Parameters
    ----------
    root : object
        What `fusionbench.baselines.learned.pickles.parse` returned.
    stored : callable
        The bytes of a storage.
    order : {"<", ">"}
        Byte order of the storages.
    most : int
        How many bytes all tensors together may have.

    Returns
    -------
    dict of str to ndarray
        Writable and contiguous. What is one tensor under two names in the file is one array.

    Raises
    ------
    RefusedError
        If there are none, or something is wrong with one of them.
    """
    found: dict[str, Node] = {}
    for name, tensor in _Walk().network(root):
        if name in found:
            raise RefusedError(f"it has two tensors called {name[:100]!r}: get it again")
        found[name] = tensor
    places = {name: _place(name, tensor) for name, tensor in found.items()}
    # Views may overlap without end, and a few bytes be told to stand for any number of tensors.
    if sum(math.prod(place.shape) * place.storage.itemsize for place in places.values()) > most:
        raise RefusedError("its tensors would take far more memory than the file has bytes: get it again")
    storages = {place.storage for place in places.values()}
    numbers = {storage: _numbers(storage, stored(storage), order) for storage in storages}
    arrays = {place: _array(place, numbers[place.storage]) for place in set(places.values())}
    return {name: arrays[place] for name, place in places.items()}


class _Walk:
    """The tensors of a checkpoint by name, and how much was looked at to find them."""

    def __init__(self) -> None:
        self.seen = 0

    def network(self, root: object) -> Iterator[tuple[str, Node]]:
        """Of a module, a state dict, or a dictionary with one or several of them."""
        entries = self.entries(root)
        if _attributes(root) is None:
            for wrapper in _WRAPPERS:
                if self.holds(entries.get(wrapper)):
                    yield from self.tensors(entries[wrapper])
                    return
        if self.holds(root):
            yield from self.tensors(root)
            return
        for key, value in entries.items():
            if isinstance(key, str) and self.holds(value):
                yield from self.tensors(value, f"{key}.")

    def holds(self, thing: object) -> bool:
        """Whether this is a module or a state dict."""
        return _attributes(thing) is not None or any(_tensor(value) for value in self.entries(thing).values())

    def tensors(self, thing: object, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Node]]:
        """Of a module or a state dict."""
        self.count(1)
        if depth > _DEEPEST:
            raise RefusedError(f"its modules are more than {_DEEPEST} deep: get it again")
        attributes = _attributes(thing)
        if attributes is None:
            for key, value in self.entries(thing).items():
                # Beside its tensors, a state dict may hold a switch or the number of an epoch.
                if (tensor := _tensor(value)) is not None:
                    yield prefix + _word(key), tensor
            return
        passing = _passing(attributes)
        for kind in ("_parameters", "_buffers"):
            for key, value in self.entries(attributes.get(kind)).items():
                if value is None or (kind == "_buffers" and key in passing):
                    continue
                if (tensor := _tensor(value)) is None:
                    raise RefusedError(f"its {(prefix + _word(key))[:100]!r} is no tensor: get it again")
                yield prefix + _word(key), tensor
        for key, value in self.entries(attributes.get("_modules")).items():
            if _attributes(value) is not None:
                yield from self.tensors(value, f"{prefix}{_word(key)}.", depth + 1)
            elif value is not None:
                raise RefusedError(f"its {(prefix + _word(key))[:100]!r} is no module: get it again")

    def entries(self, thing: object) -> Mapping[object, object]:
        """What a dictionary of any kind holds; nothing if it is none."""
        if isinstance(thing, dict):
            self.count(len(thing))
            return thing
        if not isinstance(thing, Node) or thing.name not in _DICTS:
            return {}
        # Python 2 pickled an ordered dictionary as a list of pairs.
        pairs = thing.args[0] if thing.args and isinstance(thing.args[0], list) else []
        self.count(len(pairs) + len(thing.items))
        entries: dict[object, object] = {}
        for pair in [*pairs, *thing.items.items()]:
            if not isinstance(pair, list | tuple) or len(pair) != 2 or not isinstance(pair[0], str | int | Node):
                raise RefusedError("one of its dictionaries is damaged: get it again")
            if pair[0] in entries:
                raise RefusedError("one of its dictionaries has two entries of one name: get it again")
            entries[pair[0]] = pair[1]
        return entries

    def count(self, entries: int) -> None:
        self.seen += entries
        if self.seen > _MOST:
            raise RefusedError(f"it has more than {_MOST} entries, which is no fusion network: give another file")


def _attributes(thing: object) -> Mapping[object, object] | None:
    """The attributes of a module; None of anything else."""
    state = thing.state if isinstance(thing, Node) else None
    return state if isinstance(state, dict) and "_parameters" in state and "_modules" in state else None


def _passing(attributes: Mapping[object, object]) -> frozenset[object]:
    """The buffers that a state dict would leave out."""
    passing = attributes.get("_non_persistent_buffers_set")
    named = passing.args[0] if isinstance(passing, Node) and passing.args else []
    return frozenset(name for name in named if isinstance(name, str)) if isinstance(named, list) else frozenset()


def _tensor(thing: object) -> Node | None:
    if isinstance(thing, Node) and thing.name in _PARAMETERS and thing.args:
        thing = thing.args[0]
    return thing if isinstance(thing, Node) and thing.name in _TENSORS else None


def _word(key: object) -> str:
    if not isinstance(key, str):
        raise RefusedError("one of its tensors has no name: get it again")
    return key


def _place(name: str, tensor: Node) -> _Place:
    match tensor.args:
        case (Storage() as storage, int(offset), tuple(shape), tuple(strides), *_):
            pass
        case _:
            raise RefusedError(f"its tensor {name[:100]!r} is damaged: get it again")
    numbers = (offset, *shape, *strides)
    whole = all(type(number) is int and 0 <= number < 1 << 40 for number in numbers)
    if not whole or len(shape) != len(strides) or len(shape) > 16:
        raise RefusedError(f"its tensor {name[:100]!r} is damaged: get it again")
    last = offset + sum((side - 1) * stride for side, stride in zip(shape, strides, strict=True))
    if 0 in shape:
        raise RefusedError(f"its tensor {name[:100]!r} is empty: leave it out of the file")
    if math.prod(shape) > storage.numbers or last >= storage.numbers:
        raise RefusedError(f"its tensor {name[:100]!r} does not fit into its storage: get it again")
    return _Place(storage, offset, shape, strides)


def _numbers(storage: Storage, data: memoryview, order: Literal["<", ">"]) -> NDArray[Any]:
    if len(data) != storage.size:
        raise RefusedError("one of its storages ends too early: get it again")
    if storage.dtype == "bfloat16":
        # The upper half of a float32.
        return (np.frombuffer(data, f"{order}u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, np.dtype(storage.dtype).newbyteorder(order))


def _array(place: _Place, numbers: NDArray[Any]) -> NDArray[Any]:
    strides = tuple(stride * numbers.itemsize for stride in place.strides)
    view = np.lib.stride_tricks.as_strided(numbers[place.offset :], place.shape, strides, writeable=False)
    return np.array(view, numbers.dtype.newbyteorder("="), order="C")
