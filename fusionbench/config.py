"""``bench.toml``: what a benchmark consists of, checked key by key before anything is done."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, StringConstraints, ValidationError

from fusionbench.types import UserError

_Words = str | list[str]
_Name = Annotated[str, StringConstraints(pattern=r"^[^/\\\x00-\x1f.][^/\\\x00-\x1f]*$")]
"""What can be the name of a folder."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Benchmark(_Part):
    """``[benchmark]``: the name of the folder of results, what is measured, and by whose definitions."""

    name: _Name
    metrics: _Words = "core"
    convention: _Words = "standard"
    timeout: PositiveFloat | None = None
    """Seconds that a method may take for one image, unless its own entry says otherwise."""


class Dataset(_Part):
    """``[[dataset]]``: a known dataset, or any folder of pairs, or two of them."""

    name: _Name
    root: str | None = None
    ir: str | None = None
    vis: str | None = None
    split: str | None = None
    subset: str | None = None
    count: PositiveInt = 12
    size: Annotated[str, StringConstraints(pattern=r"^\d+x\d+$")] = "320x240"
    seed: int = 0
    """The last three are of synthetic scenes."""


class Method(_Part):
    """``[[method]]``: a registered method with its parameters, or a folder of images made elsewhere."""

    name: _Name
    method: str | None = None
    """Which, if it is not `name`; so that one method may stand here twice, with different parameters."""
    fused: str | dict[str, str] | None = None
    """A folder of images, in which ``{dataset}`` stands for the dataset's name; or a folder by dataset."""
    preset: str | None = None
    color: str | None = None
    weights: str | None = None
    device: str | None = None
    precision: str | None = None
    timeout: PositiveFloat | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)


class Config(_Part):
    """The whole file."""

    benchmark: Benchmark
    dataset: Annotated[list[Dataset], Field(min_length=1)]
    method: Annotated[list[Method], Field(min_length=1)]


_SAID: Final = {
    "missing": "is missing",
    "extra_forbidden": "does not exist",
    "too_short": "must stand there at least once",
}


def read(path: Path) -> Config:
    """Read and check a file.

    Parameters
    ----------
    path : Path
        A TOML file.

    Returns
    -------
    Config

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
        raise UserError(f"There is no file '{path}': give the path of a benchmark, such as bench.toml.") from None
    except OSError as error:
        raise UserError(f"'{path}' cannot be read ({error.strerror}): check its permissions.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"'{path}' is not text in UTF-8: save it as such.") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"'{path}' is not TOML: {error}; correct it there.") from error
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        raise UserError(_sentence(path, text, error)) from None
    for kind, named in (("dataset", config.dataset), ("method", config.method)):
        names = [part.name.casefold() for part in named]  # a file system may not tell small letters from capital ones
        for at, name in enumerate(names):
            if name in names[:at]:
                line = _line(text, (kind, at, "name"))
                raise UserError(f"'{path}', line {line}: the {kind} '{named[at].name}' is there twice; rename one.")
    return config


def _sentence(path: Path, text: str, error: ValidationError) -> str:
    # A key that does not exist is often one that is missing, misspelt.
    first, *more = sorted(error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden")
    where = first["loc"]
    keys = [part for part in where if isinstance(part, str) and not part.startswith(("str", "list[", "dict["))]
    line = _line(text, where)
    said = _SAID.get(first["type"]) or f"cannot be {first['input']!r}: {_lowered(first['msg'])}"
    table = f"[{keys[0]}]" if len(where) < 2 or not isinstance(where[1], int) else f"[[{keys[0]}]]"
    what = f"'{keys[-1]}' in {table}" if len(keys) > 1 else table
    known = ""
    if first["type"] == "extra_forbidden":
        known = f"; there are {', '.join(_known(where))}"
    rest = f" (and {len(more)} more mistake{'s' * (len(more) > 1)})" if more else ""
    return f"'{path}', line {line}: {what} {said}{known}{rest}."


def _known(where: Sequence[str | int]) -> list[str]:
    models: dict[str, type[BaseModel]] = {"benchmark": Benchmark, "dataset": Dataset, "method": Method}
    return list((models[str(where[0])] if len(where) > 1 else Config).model_fields)


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


def _line(text: str, where: Sequence[str | int]) -> int:
    """The line that a key stands on; of one that is missing, the line of its table; 1 if even that is missing."""
    lines = text.splitlines()
    table, number = str(where[0]), where[1] if len(where) > 1 and isinstance(where[1], int) else 0
    header = re.compile(rf"^\s*\[{{1,2}}\s*{re.escape(table)}\s*\]")
    starts = [at for at, line in enumerate(lines) if header.match(line)]
    if number >= len(starts):
        found = [at for at, line in enumerate(lines) if re.match(rf"^\s*\[*\s*{re.escape(table)}\b", line)]
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
