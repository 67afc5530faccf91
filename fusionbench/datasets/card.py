"""Dataset cards: what is known of a dataset, and of its parts, read from a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from fusionbench.types import UserError

Kind: TypeAlias = Literal["infrared-visible", "medical", "multi-focus", "multi-exposure"]
Colour: TypeAlias = Literal["vis", "both", "neither"]
Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the images of both sources lie, as patterns of paths without suffix.

    Attributes
    ----------
    name : str
        Whose layout it is, e.g. ``"official"``.
    ir, vis : str
        Patterns such as ``"<split>/ir/{*}"``. Text in braces is the name of the pair (of several, joined by ``_``);
        ``*`` is any text within a folder's or a file's name; ``<split>`` is a folder called like a split. Case does not
        count, and whatever folders the whole lies in do not either.
    """

    name: str
    ir: str
    vis: str


@dataclass(frozen=True, slots=True)
class Split:
    """A part of a dataset that its makers set apart.

    Attributes
    ----------
    name : str
        E.g. ``"test"``.
    count : int
        How many pairs it has.
    folder : str
        What ``<split>`` stands for in a layout; by default the name.
    match : tuple of str
        Patterns of the names of its pairs (``"set0[0-5]_*"``); empty if the names do not tell.
    names : tuple of str
        The names of all its pairs; empty if they are not known.
    repeats : bool
        Whether its pairs are in other splits too, so that they do not add to the count of the dataset.
    """

    name: str
    count: int
    folder: str = ""
    match: Names = ()
    names: Names = ()
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Subset:
    """The pairs that some papers test on, known by a name list or by their number alone.

    Attributes
    ----------
    name : str
        E.g. ``"cddfuse"``.
    count : int
        How many pairs it has.
    about : str
        Whose choice it is.
    names : tuple of str
        The names of its pairs; empty if only their number is known.
    renamed : tuple of str
        What the same pairs, one by one, are called where the subset is given out under other names.
    """

    name: str
    count: int
    about: str
    names: Names = ()
    renamed: Names = ()


@dataclass(frozen=True, slots=True)
class Archive:
    """A file that can be fetched without a person.

    Attributes
    ----------
    url : str
        Its address.
    subset : str
        Which known subset it holds; empty if it holds the dataset.
    sha256 : str
        Of the file; empty where it is not known, or where the host packs anew for everybody who asks.
    keep : str
        The folder within the archive that is unpacked; all of it if empty.
    largest : int
        Megabytes (10^6) that what is unpacked may have at most.
    files : int
        How many files it may be at most.
    """

    url: str
    subset: str = ""
    sha256: str = ""
    keep: str = ""
    largest: int = 4000
    files: int = 20_000


@dataclass(frozen=True, slots=True)
class Card:
    """What a reader must know of a dataset before believing a score on it.

    Attributes
    ----------
    name, title : str
        Short name on the command line, and in full.
    kind : {"infrared-visible", "medical", "multi-focus", "multi-exposure"}
        What is fused.
    ir, vis : str
        What the image in each of the two roles is.
    colour : {"vis", "both", "neither"}
        Which of them carries colour.
    count : int
        How many pairs the official release has.
    size : str
        Width and height in pixels, or how they vary.
    citation : str
        The paper to cite.
    licence : str
        The terms as stated by the makers.
    home : str
        Official address.
    obtain : str
        What a person does to get it.
    official : str
        Folders and files of the official release, in words.
    layouts : tuple of Layout
        The ways in which it is known to lie on disk, official one first.
    splits : tuple of Split
        Parts set apart by its makers.
    subsets : tuple of Subset
        Parts that papers use.
    archives : tuple of Archive
        What can be fetched.
    unverified : tuple of str
        Fields that rest on general knowledge, not on the official pages or files: ``"licence"``, ``"splits.train"``.
    remarks : str
        What else one should know.
    """

    name: str
    title: str
    kind: Kind
    ir: str
    vis: str
    colour: Colour
    count: int
    size: str
    citation: str
    licence: str
    home: str
    obtain: str
    official: str
    layouts: tuple[Layout, ...] = ()
    splits: tuple[Split, ...] = ()
    subsets: tuple[Subset, ...] = ()
    archives: tuple[Archive, ...] = ()
    unverified: Names = ()
    remarks: str = ""

    def split(self, name: str) -> Split:
        """The split of that name; raises `UserError` if there is none."""
        return _named(self.splits, name, f"split of {self.name}")

    def subset(self, name: str) -> Subset:
        """The known subset of that name; raises `UserError` if there is none."""
        return _named(self.subsets, name, f"subset of {self.name}")


_Item = TypeVar("_Item", Split, Subset)
# Whole numbers need no check beyond their type, but a count of pairs below one is a slip.
_ONE_OR_MORE: Final = frozenset({"count", "largest", "files"})


def read(path: Path) -> Card:
    """Read a card.

    Parameters
    ----------
    path : Path
        A TOML file; the stem is the name of the dataset.

    Returns
    -------
    Card

    Raises
    ------
    UserError
        If it cannot be read, lacks a field, or has one that no card has or of another type.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise UserError(f"The dataset card '{path}' cannot be read ({reason}): mend the file.") from error
    card = _build(Card, {"name": path.stem, **table}, f"The dataset card '{path}'")
    for word in card.unverified:
        _find(card, word, path)
    return card


def _named(items: tuple[_Item, ...], name: str, kind: str) -> _Item:
    from fusionbench.registry import unknown

    for item in items:
        if item.name == name:
            return item
    if not items:
        raise UserError(f"There is no {kind} called '{name}', nor any other: leave it out.")
    raise unknown(kind, name, [item.name for item in items])


_Built = TypeVar("_Built")


def _build(kind: type[_Built], table: Mapping[str, Any], where: str) -> _Built:
    """A dataclass from a table of TOML, every field checked by its annotation."""
    hints = get_type_hints(kind)
    if strange := [key for key in table if key not in hints]:
        raise UserError(f"{where} has a field '{strange[0]}', which there is not: leave it out or correct its name.")
    values = {}
    for field in fields(kind):  # type: ignore[arg-type]
        if field.name in table:
            values[field.name] = _value(hints[field.name], table[field.name], f"{where}, {field.name}")
        elif field.default is MISSING:
            raise UserError(f"{where} lacks the field '{field.name}': add it.")
    return kind(**values)


def _value(hint: Any, value: Any, where: str) -> Any:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise UserError(f"{where} is {value!r}: write one of {', '.join(map(repr, get_args(hint)))}.")
        return value
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        # Long lists of names are easier to read, and to compare, as words in one text.
        items = value.split() if inner is str and isinstance(value, str) else value
        if not isinstance(items, list):
            raise UserError(f"{where} is {value!r}: write a list.")
        return tuple(
            _value(inner, item, where) if inner is str else _build(inner, item, f"{where}, number {k}")
            for k, item in enumerate(items, start=1)
        )
    if type(value) is not hint:
        raise UserError(f"{where} is {value!r}: write {_WORDS[hint]}.")
    if where.rpartition(" ")[2] in _ONE_OR_MORE and value < 1:
        raise UserError(f"{where} is {value}: write a number of 1 or more.")
    return " ".join(value.split()) if hint is str else value


_WORDS: Final = {str: "text", int: "a whole number", bool: "true or false"}


def _find(card: Card, word: str, path: Path) -> None:
    """Make sure that a word of `unverified` means a field of the card."""
    head, _, rest = word.partition(".")
    thing = getattr(card, head, None)
    known = {item.name for item in thing} if rest and isinstance(thing, tuple) else set()
    if thing in (None, (), "") or (rest and rest not in known):
        raise UserError(f"The dataset card '{path}' calls '{word}' unverified, which it does not have: correct it.")
