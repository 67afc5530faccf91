"""Read a pickle as data: names stay words, calls stay notes of what would have been called, and nothing is ever run.

A pickle is a program for a machine with a stack. Python's own machine imports what a program names and calls what it
says, so the program may do anything; this one has no instruction that imports, calls or looks up an attribute.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Final

_MOST: Final = 2_000_000
"""Instructions carried out at most; each makes at most one object, so this bounds memory and time as well."""

_MARK: Final = object()
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS: Final = frozenset(
    "BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINSTRING SHORT_BINSTRING BINBYTES "
    "SHORT_BINBYTES".split()
)
_IGNORED: Final = frozenset(("PROTO", "FRAME"))
_TUPLES: Final = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_KEYS: Final = (str, bytes, int, float, type(None))


class RefusedError(Exception):
    """Why a file is not read: the rest of a sentence that begins with its name, remedy included."""


class ForbiddenNameError(RefusedError):
    """The pickle names something that is not allowed."""


@dataclass(slots=True, eq=False)
class Name:
    """What a pickle names, e.g. a class: a word, with nothing behind it."""

    dotted: str


@dataclass(slots=True, eq=False)
class Node:
    """An object that a pickle would have made.

    Attributes
    ----------
    name : str
        What would have been called, or the class.
    args : tuple
        With what.
    items : dict
        What would have been set by key.
    state : object
        What would have become its attributes; None if nothing.
    """

    name: str
    args: tuple[object, ...]
    items: dict[object, object] = field(default_factory=dict)
    state: object = None


def parse(file: IO[bytes], allowed: Callable[[str], bool], persistent: Callable[[object], object]) -> object:
    """Read one pickle; afterwards the file stands behind it.

    Parameters
    ----------
    file : binary file
        In memory: what a pickle declares to be long must not be allocated before it is there.
    allowed : callable
        Whether the pickle may name ``"module.name"``.
    persistent : callable
        What stands for a persistent identifier, i.e. for something that is kept outside the pickle.

    Returns
    -------
    object
        Of None, bool, int, float, str, bytes, tuple, list, dict, `Name`, `Node`, and what `persistent` returns.

    Raises
    ------
    ForbiddenNameError
        At the first name that is not allowed.
    RefusedError
        If the pickle is damaged, endless, or holds an instruction that objects of torch do not need.
    """
    machine = _Machine(allowed, persistent)
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
            if count >= _MOST:
                raise RefusedError(f"it has more than {_MOST} instructions, which no network needs: get it again")
            if opcode.name == "STOP":
                return machine.pop()
            machine.step(opcode.name, argument)
    # A wrong escape in a name is a warning, which may have been made an error.
    except (ValueError, LookupError, TypeError, DeprecationWarning) as error:
        raise RefusedError("it ends too early or is damaged: get it again") from error
    raise RefusedError("it ends too early or is damaged: get it again")


class _Machine:
    def __init__(self, allowed: Callable[[str], bool], persistent: Callable[[object], object]) -> None:
        self.allowed, self.persistent = allowed, persistent
        self.stack: list[object] = []
        self.memo: dict[int, object] = {}

    def step(self, name: str, argument: object) -> None:
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            self.stack.append(self.last(_TUPLES[name]))
        elif name not in _IGNORED:
            self.build(name, argument)

    def build(self, name: str, argument: object) -> None:
        match name:
            case "MARK":
                self.stack.append(_MARK)
            case "TUPLE":
                self.stack.append(tuple(self.above_mark()))
            case "POP":
                self.pop()
            case "POP_MARK":
                self.above_mark()
            case "EMPTY_LIST":
                self.stack.append([])
            case "EMPTY_DICT":
                self.stack.append({})
            case "EMPTY_SET":
                self.stack.append(Node("builtins.set", ([],)))
            case "APPEND":
                self.extend([self.pop()])
            case "APPENDS" | "ADDITEMS":
                self.extend(self.above_mark())
            case "SETITEM":
                self.set(list(self.last(2)))
            case "SETITEMS":
                self.set(self.above_mark())
            case "BINPUT" | "LONG_BINPUT":
                self.memo[_whole(argument)] = self.top()
            case "MEMOIZE":
                self.memo[len(self.memo)] = self.top()
            case "BINGET" | "LONG_BINGET":
                self.stack.append(self.memo[_whole(argument)])
            case "GLOBAL" | "INST":
                # pickletools puts a space between module and name.
                self.stack.append(self.name(*str(argument).split(" ", 1)))
                if name == "INST":
                    raise _needless(name)
            case "STACK_GLOBAL":
                self.stack.append(self.name(*self.last(2)))
            case "NEWOBJ" | "REDUCE":
                made, arguments = self.last(2)
                if not isinstance(made, Name) or not isinstance(arguments, tuple):
                    raise RefusedError("it would call something that has no name: get it again")
                self.stack.append(Node(made.dotted, arguments))
            case "BUILD":
                target, state = self.last(2)
                if not isinstance(target, Node):
                    raise TypeError
                target.state = state
                self.stack.append(target)
            case "BINPERSID":
                self.stack.append(self.persistent(self.pop()))
            case _:
                raise _needless(name)

    def name(self, module: object, name: object) -> Name:
        dotted = f"{module}.{name}"
        if not (isinstance(module, str) and isinstance(name, str) and self.allowed(dotted)):
            raise ForbiddenNameError(
                f"it names {dotted[:100]!r}, which is nothing that weights consist of and which could run code; if you trust "
                "the file, let the program that made it save its state_dict(), and give that"
            )
        return Name(dotted)

    def top(self) -> object:
        if self.stack[-1] is _MARK:
            raise LookupError
        return self.stack[-1]

    def pop(self) -> object:
        top = self.top()
        del self.stack[-1]
        return top

    def last(self, count: int) -> tuple[object, ...]:
        return tuple([self.pop() for _ in range(count)][::-1])

    def above_mark(self) -> list[object]:
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise LookupError
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def extend(self, items: list[object]) -> None:
        target = self.top()
        if isinstance(target, Node) and target.name == "builtins.set":
            target = target.args[0]
        if not isinstance(target, list):
            raise TypeError
        target.extend(items)

    def set(self, flat: list[object]) -> None:
        target = self.top()
        items = target.items if isinstance(target, Node) else target
        if not isinstance(items, dict) or len(flat) % 2:
            raise TypeError
        for key, value in zip(flat[::2], flat[1::2], strict=True):
            # A tuple of tuples of … can be made so that its hash takes for ever.
            if not isinstance(key, (*_KEYS, Node)):
                raise RefusedError(f"it has a {type(key).__name__} for a key, which no network needs: get it again")
            if key in items:
                raise RefusedError(f"it sets {_short(key)} twice: get it again")
            items[key] = value


def _whole(argument: object) -> int:
    if not isinstance(argument, int):
        raise TypeError
    return argument


def _needless(name: str) -> RefusedError:
    return RefusedError(f"it holds the instruction {name}, which objects of torch do not need: get it again")


def _short(key: object) -> str:
    return f"{str(key)[:100]!r}" if isinstance(key, str) else "an entry"
