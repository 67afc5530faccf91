"""Methods of others: what they have to promise, and the repository that begins one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusionbench
from fusionbench import cli
from fusionbench.baselines import METHODS
from fusionbench.baselines.card import method
from fusionbench.contract import broken
from fusionbench.recipe import recipe
from fusionbench.scaffold import create
from fusionbench.types import UserError

CARD = {"title": "Mine", "authors": "", "year": 0, "doi": "", "summary": "One.", "defaults": "none"}


@pytest.fixture(autouse=True)
def forgetful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and a registry that forgets what a test adds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(METHODS, "_entries", dict(METHODS._entries))
    monkeypatch.setattr(METHODS, "_loaded", dict(METHODS._loaded))


@pytest.mark.parametrize("name", ["average", "lp", "gff", "focus-sf", "msvd"])
def test_ours_keep_it(name: str) -> None:
    assert broken(name) == []


# What breaks it


_numbers = count()


def writing(ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
    ir += vis
    return ir / 2


def growing(ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
    return ir + next(_numbers)


def unexplained(ir: np.ndarray, vis: np.ndarray, *, gain: float = 1.0) -> np.ndarray:
    return gain * np.maximum(ir, vis)


def swapped(vis: np.ndarray, ir: np.ndarray) -> np.ndarray:
    return np.maximum(ir, vis)


def dividing(ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return ir * vis / vis


def even(ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
    return np.kron((ir + vis)[::2, ::2] / 2, np.ones((2, 2)))


@pytest.mark.parametrize(
    ("function", "card", "sentence"),
    [
        (np.maximum, {"title": " "}, "Its card does not say its title."),
        (np.maximum, {"authors": "I"}, "Its card has authors without a year, or a year without authors."),
        (np.maximum, {"doi": "https://doi.org/10.1/2"}, "Its card gives 'https://doi.org/10.1/2' as a DOI: "),
        (swapped, {}, "It takes (vis, ir) by position where (ir, vis) are due: "),
        (unexplained, {}, "Its docstring does not explain the parameter 'gain': "),
        (
            even,
            {},
            "It fuses images of any size: The method mine made an image of shape (34, 48) where (33, 47) was due",
        ),
        (lambda ir, vis: ir * 0, {}, "It makes a flat image of two that are not, of 32 x 32 pixels."),
        (dividing, {}, "It fuses images of one level: The method mine made NaN or infinite pixels"),
        (growing, {}, "It makes another image of the same pair when it is asked again: "),
        (writing, {}, "It writes to its sources, which others still need: "),
        (
            lambda ir, vis: ir,
            {"joint": True},
            "Its card says that it fuses colour (joint), but of (32, 34, 3) it makes (32",
        ),
        (
            lambda ir, vis: ir + 0.5,
            {"identity": 0.1},
            "An image fused with itself changes by 0.5 levels, but its card prom",
        ),
        (lambda ir, vis: 1 / 0, {}, "It leaves its sources alone: ZeroDivisionError: division by zero"),
    ],
)
def test_broken_promises_are_named(function: Callable[..., Any], card: dict[str, Any], sentence: str) -> None:
    if function is np.maximum:
        function = lambda ir, vis: np.maximum(ir, vis)  # noqa: E731
    method("mine", **{**CARD, **card})(function)
    assert any(each.startswith(sentence) for each in broken("mine")), broken("mine")


def test_what_a_method_lacks_is_the_users_to_give() -> None:
    with pytest.raises(UserError, match="weights"):
        broken("cnn")


def test_check_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["method", "check", "weighted", "--set", "weight=0.25"]) == 0
    assert capsys.readouterr().out == "weighted keeps what every method promises.\n"
    Path("mine.py").write_text(
        "from fusionbench.baselines.card import method\n"
        f"@method('mine', **{CARD})\n"
        "def mine(ir, vis, *, gain=1.0):\n    return gain * vis\n"
    )
    assert cli.main(["--plugin", "mine.py", "method", "check", "mine"]) == 1
    assert capsys.readouterr().out.startswith("Its docstring does not explain the parameter 'gain'")
    assert cli.main(["method", "check", "mine", "--json"]) == 1
    assert '"broken": [' in capsys.readouterr().out


# A repository for one


@pytest.mark.parametrize("name", ["mine", "two-scale-7"])
def test_a_new_repository_passes_its_own_test(name: str) -> None:
    assert cli.main(["method", "new", name, "-o", "work/it"]) == 0
    files = sorted(str(path.relative_to("work/it")) for path in Path("work/it").rglob("*") if path.is_file())
    word = name.replace("-", "_")
    assert files == ["README.md", "pyproject.toml", f"src/fusionbench_{word}/__init__.py", f"tests/test_{word}.py"]
    assert os.listdir("work") == ["it"]
    where = {**os.environ, "PYTHONPATH": str(Path(fusionbench.__file__).parents[1])}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(command, cwd="work/it", env=where, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_what_is_announced_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    import tomllib

    create("mine", Path("it"))
    points = tomllib.loads(Path("it/pyproject.toml").read_text())["project"]["entry-points"]["fusionbench.methods"]
    monkeypatch.syspath_prepend("it/src")
    module, _, attribute = points["mine"].partition(":")
    function = getattr(__import__(module), attribute)
    assert recipe("mine").function is function
    assert METHODS._entries["mine"] == points["mine"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("gff", "There is already a method called 'gff': choose another name."),
        (
            "My Method",
            "'My Method' cannot be the name of a method: use small letters, digits and hyphens, as in my-method.",
        ),
        ("-x", "'-x' cannot be the name of a method"),
        ("mine", "'full' is not empty: choose a folder that does not exist yet."),
    ],
)
def test_nothing_is_written_over(name: str, sentence: str) -> None:
    Path("full").mkdir()
    Path("full/thesis.tex").write_text("all of it")
    with pytest.raises(UserError) as error:
        create(name, Path("full"))
    assert str(error.value).startswith(sentence)
    assert os.listdir("full") == ["thesis.tex"]
    assert os.listdir() == ["full"]
