"""A method with everything decided: its parameters, checked before any work, and what it does about colour."""

from __future__ import annotations

import ast
import inspect
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, Union, get_args, get_origin

import numpy as np

from fusionbench import plugins
from fusionbench.baselines import METHODS
from fusionbench.registry import unknown
from fusionbench.types import Color, MethodCard, UserError

if TYPE_CHECKING:
    from fusionbench.baselines.card import Method, Opens

COLORS: Final[tuple[Color, ...]] = get_args(Color)
"""Every way to deal with a visible image in colour."""

REQUIRED: Final = inspect.Parameter.empty
"""The default of a parameter that has none."""

# What a benchmark does about colour is the same for all its methods; a card says so only where one of them differs.
_COLOR_OF_PRESET: Final[Mapping[str, Color]] = {"vifb": "per-channel"}
_WORDS: Final = {"true": True, "false": False, "none": None}
_KINDS: Final[Mapping[Any, list[str]]] = {
    bool: ["true", "false"],
    int: ["a whole number"],
    float: ["a number"],
    str: ["a word"],
    Path: ["a file"],
    os.PathLike: ["a file"],
    np.ndarray: ["an array"],
    NoneType: ["none"],
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a method.

    Attributes
    ----------
    name : str
        Its keyword.
    kind : object
        Its annotation, evaluated; `Any` if it has none that can be.
    default : object
        `REQUIRED` if it has none.
    meaning : str
        What its docstring says of it, in one line; empty if nothing.
    """

    name: str
    kind: Any
    default: Any
    meaning: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to fuse.

    Attributes
    ----------
    method : str
        Short name of the method, without what it opens.
    preset : str or None
        Which of its presets, if any.
    color : {"luma", "per-channel", "grey"}
        What is done about a visible image in colour.
    parameters : mapping of str to object
        Every parameter of the method with its value, those of the preset and the defaults included.
    function : Method
        The method itself.
    label : str
        What its results are called: as the method, or as the file or program that it opens.
    """

    method: str
    preset: str | None
    color: Color
    parameters: Mapping[str, Any]
    function: Method
    label: str

    @property
    def card(self) -> MethodCard:
        """What the method says of itself."""
        return self.function.card

    @property
    def truncated(self) -> bool:
        """Whether the result becomes whole levels by rounding down instead of to the nearest."""
        return self.parameters.get("rounding") == "truncate"

    def record(self) -> dict[str, Any]:
        """The recipe as JSON can hold it; files and arrays by the SHA-256 of their content.

        Raises
        ------
        UserError
            If a file that the method would read is not there.
        """
        # What a method finds by itself, such as weights that come with the package, decides about the image, too.
        found = getattr(self.function, "reads", dict)(self.parameters)
        opens = opens_of(self.function)
        without = opens.immaterial if opens else ()
        plugin = plugins.digest(self.function)
        return {
            "method": self.method,
            "version": self.card.version,
            "color": self.color,
            "parameters": {
                name: _recorded(value) for name, value in {**self.parameters, **found}.items() if name not in without
            },
            **({"plugin": plugin} if plugin else {}),
        }


@dataclass(frozen=True, slots=True)
class Opened:
    """What a name such as ``theirs=onnx:model.onnx`` stands for.

    Attributes
    ----------
    label : str
        What the results are called.
    method : str
        The method's own name.
    parameters : mapping of str to str
        What the name goes on with after a colon, by the parameter that it is the value of; empty for most.
    """

    label: str
    method: str
    parameters: Mapping[str, str]


def recipe(
    name: str,
    *,
    color: str | None = None,
    preset: str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Recipe:
    """Decide everything about a method, and complain about what does not exist.

    Parameters
    ----------
    name : str
        Short name of the method, e.g. ``"gff"``, or whatever `opened` takes.
    color : {"luma", "per-channel", "grey"}, optional
        By default what the preset says, otherwise what the method's card says, which mostly is ``"luma"``.
    preset : str, optional
        A named set of parameters of this method, e.g. ``"vifb"``.
    parameters : mapping of str to object, optional
        These come before those of the preset.

    Returns
    -------
    Recipe

    Raises
    ------
    UserError
        If there is no such method, preset, colour mode or parameter, or a value is of the wrong kind.

    Examples
    --------
    >>> recipe("weighted", parameters={"weight": 0.25}).parameters
    {'weight': 0.25}
    """
    named_so = opened(name)
    name, parameters = named_so.method, {**named_so.parameters, **(parameters or {})}
    function = METHODS[name]
    presets = function.card.presets
    if preset is not None and preset not in presets:
        if not presets:
            raise UserError(f"'{name}' has no presets, so it cannot follow '{preset}': leave the preset out.")
        raise unknown(f"preset of {name}", preset, presets)
    named = dict(presets[preset]) if preset is not None else {}
    usual: Color = named.pop("color", _COLOR_OF_PRESET.get(preset or "", function.card.color))
    known = parameters_of(name)
    given = {word: _accepted(name, word, value, known) for word, value in {**named, **parameters}.items()}
    for word, parameter in known.items():
        if parameter.default is REQUIRED and word not in given:
            raise UserError(f"'{name}' cannot work without its parameter '{word}': give a value for it.")
    every = {word: parameter.default for word, parameter in known.items()} | given
    if opens := opens_of(function):
        usual = opens.color(every)
    return Recipe(name, preset, _color(color) if color is not None else usual, every, function, named_so.label)


def opened(name: str) -> Opened:
    """What a name of a method stands for.

    Parameters
    ----------
    name : str
        ``"gff"``; or, where the method is anybody's file or program, that after a colon: ``"onnx:model.onnx"``,
        ``"command:python their.py --ir {ir} --vis {vis} --out {out}"``. What the results are called may stand before it, as
        in ``"theirs=onnx:model.onnx"``; otherwise they are called as the file.

    Returns
    -------
    Opened

    Raises
    ------
    UserError
        If there is no such method, it opens nothing, or the label cannot be the name of a folder.

    Examples
    --------
    >>> opened("theirs=onnx:nets/model.onnx")
    Opened(label='theirs', method='onnx', parameters={'model': 'nets/model.onnx'})
    >>> opened("onnx:nets/model.onnx").label, opened("gff").label
    ('model', 'gff')
    """
    method, colon, text = name.partition(":")
    if not colon or name in METHODS:
        return Opened(name, name, {})
    label, equals, kind = method.rpartition("=")
    opens = opens_of(METHODS[kind])
    if opens is None or not text:
        raise UserError(f"'{name}' opens nothing: write a method's name alone, or with a file, as in onnx:model.onnx.")
    if not equals:
        label = opens.label(text)
    if not re.fullmatch(r"[^/\\\x00-\x1f.][^/\\\x00-\x1f]*", label):
        raise UserError(
            f"'{label}' cannot be what the results of '{name}' are called: write theirs={kind}:{text}, say."
        )
    return Opened(label, kind, {opens.parameter: text})


def opens_of(function: Method) -> Opens | None:
    """How a method that is somebody's file or program is named; None for every other."""
    return getattr(function, "opens", None)


def parameters_of(name: str) -> dict[str, Parameter]:
    """The parameters of a method by name, in its own order.

    Raises
    ------
    UserError
        If there is no such method.
    """
    function = METHODS[opened(name).method]
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError:  # an annotation that only exists while types are checked
        signature = inspect.signature(function)
    meanings = documented(inspect.getdoc(function) or "")
    return {
        word: Parameter(word, _kind(parameter.annotation), parameter.default, meanings.get(word, ""))
        for word, parameter in signature.parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def documented(docstring: str) -> dict[str, str]:
    r"""What a numpydoc docstring says of each parameter, in one line each.

    >>> documented("Do.\n\nParameters\n----------\na, b : int\n    Both\n    of them.\n\nReturns\n-------\nint\n")
    {'a': 'Both of them.', 'b': 'Both of them.'}
    """
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-{3,}$|\Z)", docstring, re.DOTALL | re.MULTILINE)
    meanings: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", section[1].strip()) if section else []:
        heading, _, text = entry.partition("\n")
        for word in heading.partition(" : ")[0].split(","):
            meanings[word.strip()] = " ".join(text.split())
    return meanings


def parse(name: str, word: str, text: str) -> Any:
    """The value of a parameter, written as text, as on a command line.

    Parameters
    ----------
    name, word : str
        The method and its parameter.
    text : str
        A number, ``true``, ``false``, ``none``, several values separated by commas, or a word.

    Returns
    -------
    object
        The first reading of the text that the parameter takes.

    Raises
    ------
    UserError
        If there is no such method or parameter, or it takes no reading of the text.
    """
    name = opened(name).method
    known = parameters_of(name)
    if word not in known:
        if _takes_anything(METHODS[name]):
            return _readings(text)[0]
        raise _no_such_parameter(name, word, known)
    kind = known[word].kind
    for value in _readings(text):
        if _fits(value, kind):
            return value
    raise _wrong_value(name, known[word], text)


def _readings(text: str) -> list[Any]:
    if text.lower() in _WORDS:
        return [_WORDS[text.lower()], text]
    try:
        literal = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return [text]
    # "3," is a tuple but "3" is not, though it may be meant as a list of one.
    return [literal, text] if isinstance(literal, tuple | list | str) else [literal, (literal,), text]


def _takes_anything(function: Method) -> bool:
    kinds = {parameter.kind for parameter in inspect.signature(function).parameters.values()}
    return inspect.Parameter.VAR_KEYWORD in kinds


def _color(asked: str) -> Color:
    for known in COLORS:
        if asked == known:
            return known
    raise unknown("colour mode", asked, COLORS)


def _no_such_parameter(name: str, word: str, known: Mapping[str, Parameter]) -> UserError:
    if not known:
        return UserError(f"'{name}' has no parameters, so '{word}' cannot be set: leave it out.")
    return unknown(f"parameter of {name}", word, known)


def _kind(annotation: Any) -> Any:
    return Any if annotation is inspect.Parameter.empty or isinstance(annotation, str) else annotation


def _accepted(name: str, word: str, value: Any, known: Mapping[str, Parameter]) -> Any:
    """The value as the method gets it: a tuple for a list, so that it can be a key, and a path for a file's name."""
    if word not in known:
        if _takes_anything(METHODS[name]):
            return value
        raise _no_such_parameter(name, word, known)
    kind = known[word].kind
    if not _fits(value, kind):
        raise _wrong_value(name, known[word], value)
    if isinstance(value, list):
        return tuple(value)
    return Path(value) if isinstance(value, str) and may_be_file(kind) else value


def may_be_file(kind: Any) -> bool:
    """Whether a parameter of that kind takes a file among other things."""
    return any((get_origin(one) or one) in (Path, os.PathLike) for one in get_args(kind))


def _wrong_value(name: str, parameter: Parameter, value: Any) -> UserError:
    wanted = " or ".join(_in_words(parameter.kind))
    return UserError(f"The parameter '{parameter.name}' of {name} cannot be {value!r}: give {wanted}.")


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value is what an annotation asks for; kinds that nobody types on a command line are not looked into."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in inside)
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in inside)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        one = inside[0] if inside else Any
        return isinstance(value, Sequence) and not isinstance(value, str) and all(_fits(item, one) for item in value)
    if kind in (int, float):
        return isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
    plain = origin or kind
    return not isinstance(plain, type) or isinstance(value, plain)


def _in_words(kind: Any) -> list[str]:
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return list(dict.fromkeys(text for one in inside for text in _in_words(one)))
    if origin is Literal:
        return [f"'{one}'" for one in inside]
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return ["values separated by commas"]
    plain = origin or kind
    return _KINDS.get(plain, [getattr(plain, "__name__", str(plain))])


def _recorded(value: Any) -> Any:
    import hashlib

    if isinstance(value, np.ndarray):
        content = np.ascontiguousarray(value)
        return {"array": f"{value.dtype} {value.shape}", "sha256": hashlib.sha256(content.tobytes()).hexdigest()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        return [_recorded(item) for item in value]
    if isinstance(value, Path) and value.is_file():
        with value.open("rb") as file:
            return {"file": value.name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    if isinstance(value, Path) and value.is_dir():
        return [_recorded(file) for file in sorted(value.iterdir()) if file.is_file()]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
