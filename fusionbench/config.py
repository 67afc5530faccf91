"""``bench.toml``: what a benchmark consists of, checked key by key before anything is done."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PositiveInt

from fusionbench import tomlfile
from fusionbench.types import UserError

_Words = str | list[str]


def _folder_name(name: str) -> str:
    if not re.fullmatch(r"[^/\\\x00-\x1f.][^/\\\x00-\x1f]*", name):
        raise ValueError("a folder is called so, which takes a letter or more, no / or \\, and no dot at the start")
    return name


def _width_by_height(size: str) -> str:
    if not re.fullmatch(r"\d+x\d+", size, re.ASCII):
        raise ValueError("write width and height like 320x240")
    return size


_Name = Annotated[str, AfterValidator(_folder_name)]
"""What can be the name of a folder."""
_Seconds = Annotated[float, Field(gt=0, le=1e6)]
"""At most what a system can wait for."""


class Benchmark(tomlfile.Table):
    """``[benchmark]``: the name of the folder of results, what is measured, and by whose definitions."""

    name: _Name
    metrics: _Words = "core"
    convention: _Words = "standard"
    timeout: _Seconds | None = None
    """Seconds that a method may take for one image, unless its own entry says otherwise."""


class Dataset(tomlfile.Table):
    """``[[dataset]]``: a known dataset, or any folder of pairs, or two of them."""

    name: _Name
    root: str | None = None
    ir: str | None = None
    vis: str | None = None
    split: str | None = None
    subset: str | None = None
    count: PositiveInt = 12
    size: Annotated[str, AfterValidator(_width_by_height)] = "320x240"
    seed: int = 0
    """The last three are of synthetic scenes."""


class Method(tomlfile.Table):
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
    timeout: _Seconds | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)


class Config(tomlfile.Table):
    """The whole file."""

    benchmark: Benchmark
    dataset: Annotated[list[Dataset], Field(min_length=1)]
    method: Annotated[list[Method], Field(min_length=1)]


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
    config, text = tomlfile.read(path, Config, "a benchmark, such as bench.toml")
    for kind, named in (("dataset", config.dataset), ("method", config.method)):
        names = [part.name.casefold() for part in named]  # a file system may not tell small letters from capital ones
        for at, name in enumerate(names):
            if name in names[:at]:
                line = tomlfile.line(text, (kind, at, "name"))
                raise UserError(f"'{path}', line {line}: the {kind} '{named[at].name}' is there twice; rename one.")
    return config
