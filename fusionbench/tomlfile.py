"""TOML files that users write, checked key by key: a mistake is one sentence with file, line and key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from fusionbench.types import UserError


class Table(BaseModel):
    """A table of such a file: of exactly these keys, with values of exactly these kinds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


M = TypeVar("M", bound=Table)

_SAID: Final = {
    "missing": "is missing",
    "extra_forbidden": "does not exist",
    "too_short": "must stand there at least once",
}


def read(path: Path, model: type[M], example: str) -> tuple[M, str]:
    """Read and check a file.

    Parameters
    ----------
    path : Path
        A TOML file.
    model : type
        What its tables are: each a `Table` or a list of them.
    example : str
        What the file is, and how it may be called, e.g. ``"a benchmark, such as bench.toml"``.

    Returns
    -------
    content : Table
        An instance of `model`.
    text : str
        The file itself, for `line`.

    Raises
    ------
    UserError
        If it cannot be read, is not TOML, or has a key that does not exist, lacks one, or has a value of the wrong kind:
        the sentence names file, line and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(f"There is no file '{path}': give the path of {example}.") from None
    except OSError as error:
        raise UserError(f"'{path}' cannot be read ({error.strerror}): check its permissions.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"'{path}' is not text in UTF-8: save it as such.") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"'{path}' is not TOML: {error}; correct it there.") from error
    try:
        return model.model_validate(content), text
    except ValidationError as error:
        raise UserError(_sentence(path, text, error, model)) from None


def line(text: str, where: Sequence[str | int]) -> int:
    r"""The line that a key stands on; of one that is missing, the line of its table; 1 if even that is missing.

    Parameters
    ----------
    text : str
        The file.
    where : sequence of str or int
        Table, its number if there are several, and key.

    Examples
    --------
    >>> line('[[method]]\nname = "a"\n[[method]]\nname = "b"', ("method", 1, "name"))
    4
    """
    lines = text.splitlines()
    table, number = str(where[0]), where[1] if len(where) > 1 and isinstance(where[1], int) else 0
    header = re.compile(rf"^\s*\[{{1,2}}\s*{re.escape(table)}\s*\]")
    starts = [at for at, one in enumerate(lines) if header.match(one)]
    if number >= len(starts):
        found = [at for at, one in enumerate(lines) if re.match(rf"^\s*\[*\s*{re.escape(table)}\b", one)]
        return found[0] + 1 if found else 1
    start = starts[number]
    key = next((str(part) for part in where[1:] if isinstance(part, str)), None)
    if key is None:
        return start + 1
    for at in range(start + 1, len(lines)):
        if re.match(rf"^\s*{re.escape(key)}\s*[=.]|^\s*\[.*\.{re.escape(key)}\s*\]", lines[at]):
            return at + 1
        if re.match(r"^\s*\[\[?[^.\]]+\]", lines[at]):
            break
    return start + 1


def _sentence(path: Path, text: str, error: ValidationError, model: type[Table]) -> str:
    # A key that does not exist is often one that is missing, misspelt.
    first, *more = sorted(error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden")
    where = first["loc"]
    keys = [part for part in where if isinstance(part, str) and not part.startswith(("str", "list[", "dict["))]
    # What our own validators say comes with words of pydantic's before it.
    why = _lowered(first["msg"].removeprefix("Value error, "))
    said = _SAID.get(first["type"]) or f"cannot be {first['input']!r}: {why}"
    if first["type"] == "list_type" and isinstance(first["input"], dict):
        said = "needs both its brackets twice, since there may be several"
    several = first["type"] != "extra_forbidden" and _may_repeat(model, keys[0])
    table = f"[[{keys[0]}]]" if several or (len(where) > 1 and isinstance(where[1], int)) else f"[{keys[0]}]"
    what = f"'{keys[-1]}' in {table}" if len(keys) > 1 else table
    known = ""
    if first["type"] == "extra_forbidden":
        known = f"; there are {', '.join(_known(model, where))}"
    rest = f" (and {len(more)} more mistake{'s' * (len(more) > 1)})" if more else ""
    return f"'{path}', line {line(text, where)}: {what} {said}{known}{rest}."


def _known(model: type[Table], where: Sequence[str | int]) -> list[str]:
    """The keys that could stand there instead."""
    inner = _table_in(model.model_fields[str(where[0])].annotation) if len(where) > 1 else model
    return list((inner or model).model_fields)


def _may_repeat(model: type[Table], key: str) -> bool:
    annotation = model.model_fields[key].annotation
    return get_origin(annotation) is list and _table_in(annotation) is not None


def _table_in(annotation: Any) -> type[Table] | None:
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    return next((found for one in get_args(annotation) if (found := _table_in(one))), None)


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]
