"""A small repository for a method of one's own, which installs beside fusionbench and brings its test."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from string import Template
from typing import Final

from fusionbench.baselines import METHODS
from fusionbench.types import UserError

_PYPROJECT: Final = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "$project"
version = "0.1.0"
description = "The fusion method $name, for fusionbench."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["fusionbench", "numpy"]

[project.optional-dependencies]
test = ["pytest"]

# By this line fusionbench finds the method wherever this package is installed.
[project.entry-points."fusionbench.methods"]
$name = "$package:$function"

[tool.setuptools.packages.find]
where = ["src"]

[tool.pytest.ini_options]
pythonpath = ["src"]
testpaths = ["tests"]
"""

_METHOD: Final = '''\
"""The fusion method $name."""

from __future__ import annotations

import numpy as np

from fusionbench.baselines.card import Plane, method
from fusionbench.types import UserError


@method(
    "$name",
    title="$title",
    authors="",
    year=0,
    doi="",
    summary="Averages the sources, each weighted by how far it is from mid-grey. Say here what yours does, in three sentences, "
    "and when it fails.",
    defaults="Say here where the values of the parameters come from.",
    identity=1e-9,
)
def $function(ir: Plane, vis: Plane, *, power: float = 1.0) -> Plane:
    """Fuse two planes.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), float64 on the scale 0..255; they are not to be written to.
    power : float
        How strongly the farther one wins, at least 0, which averages.

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255, not rounded.
    """
    if not 0 <= power <= 100:
        raise UserError(f"The power {power} is out of range: give a number from 0 to 100.")
    mine, theirs = (1 + np.abs(plane - 127.5) ** power for plane in (ir, vis))
    return (mine * ir + theirs * vis) / (mine + theirs)
'''

_TEST: Final = '''\
"""What $name promises, and what it makes."""

from __future__ import annotations

import numpy as np
import pytest
from $package import $function

import fusionbench as fb
from fusionbench.contract import broken


def test_it_keeps_the_promises_of_every_method() -> None:
    assert broken("$name") == []


def test_what_is_farther_from_grey_wins() -> None:
    ir, vis = np.full((32, 32), 255.0), np.full((32, 32), 127.5)
    assert ($function(ir, vis, power=1.0) > (ir + vis) / 2).all()
    np.testing.assert_array_equal($function(ir, vis, power=0.0), (ir + vis) / 2)


def test_numbers_that_mean_nothing_are_refused() -> None:
    image = np.zeros((32, 32), np.uint8)
    with pytest.raises(fb.UserError, match="power"):
        fb.fuse("$name", image, image, power=-1.0)
'''

_README: Final = """\
# $name

A fusion method for fusionbench, which deals with files, colour, bit depth and threads around it.

    pip install -e '.[test]'
    pytest
    fusionbench method info $name
    fusionbench fuse $name --ir tno/ir --vis tno/vi -o results

* `src/$package/__init__.py` holds the method: a function of two planes with a card.
* `pyproject.toml` announces it to fusionbench, under `[project.entry-points."fusionbench.methods"]`.
* `tests/` checks what every method promises (`fusionbench method check $name` says the same), and what this one makes.
"""


def create(name: str, folder: Path | None = None) -> list[Path]:
    """Write a repository for a method.

    Parameters
    ----------
    name : str
        What the method is to be called: small letters, digits and hyphens.
    folder : Path, optional
        Where; it must be empty or not exist. By default ``fusionbench-NAME`` here.

    Returns
    -------
    list of Path
        The files. They appear together or not at all.

    Raises
    ------
    UserError
        If the name cannot be one or is taken, or the folder is not empty or cannot be written to.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise UserError(
            f"'{name}' cannot be the name of a method: use small letters, digits and hyphens, as in my-method."
        )
    if name in METHODS:
        raise UserError(f"There is already a method called '{name}': choose another name.")
    word = name.replace("-", "_")
    words = {
        "name": name,
        "title": name.replace("-", " ").capitalize(),
        "project": f"fusionbench-{name}",
        "package": f"fusionbench_{word}",
        # Not the name alone, which may mean something to Python, as "lambda" does.
        "function": f"fuse_{word}",
    }
    texts = {
        "pyproject.toml": _PYPROJECT,
        "README.md": _README,
        f"src/fusionbench_{word}/__init__.py": _METHOD,
        f"tests/test_{word}.py": _TEST,
    }
    folder = folder or Path(words["project"])
    try:
        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"'{folder}' is not empty: choose a folder that does not exist yet.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder.parent) as made:
            for place, text in texts.items():
                file = Path(made) / "all" / place
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(Template(text).substitute(words), encoding="utf-8")
            if folder.exists():
                folder.rmdir()
            shutil.move(Path(made) / "all", folder)
    except OSError as error:
        raise UserError(f"'{folder}' cannot be written ({error.strerror or error}): choose another place.") from error
    return [folder / place for place in texts]
