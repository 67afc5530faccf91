"""What is declared (packages, dependencies, pins, version) is what is there, and installs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import pytest

import fusionbench

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
# The folder of each package that does not lie inside fusionbench/ itself.
OUTSIDE = {"fusionbench.metrics": ROOT / "metrics", "fusionbench.baselines": ROOT / "baselines"}
IMPORT_NAMES = {"pillow": "PIL", "pywavelets": "pywt"}


def real_packages() -> dict[str, Path]:
    """Every folder with an ``__init__.py``, by the name it is imported under."""
    found: dict[str, Path] = {}
    for top, folder in {"fusionbench": ROOT / "fusionbench", **OUTSIDE}.items():
        for init in folder.rglob("__init__.py"):
            inner = init.parent.relative_to(folder)
            # rglob goes through a link in one release of Python and not in another: the folders themselves are walked.
            if not (top == "fusionbench" and inner.parts[:1] in {("metrics",), ("baselines",)}):
                found[".".join([top, *inner.parts])] = init.parent
    return found


def requirements() -> dict[str, list[str]]:
    return {"": PROJECT["project"]["dependencies"], **PROJECT["project"]["optional-dependencies"]}


def name_of(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return match.group().lower()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_every_package_is_listed() -> None:
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(real_packages())


def test_packages_outside_are_mapped() -> None:
    expected = {
        name: str(folder.relative_to(ROOT))
        for name, folder in real_packages().items()
        if name.startswith(tuple(OUTSIDE))
    }
    assert PROJECT["tool"]["setuptools"]["package-dir"] == expected


@pytest.mark.parametrize("name", ["metrics", "baselines"])
def test_links_lead_to_the_folders(name: str) -> None:
    link = ROOT / "fusionbench" / name
    assert link.is_symlink()
    assert link.readlink() == Path("..") / name


@pytest.mark.parametrize("name", ["metrics", "baselines"])
def test_second_name_is_refused(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import {name}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"ImportError: Import fusionbench.{name}" in done.stderr


def test_public_words_are_the_lazy_ones() -> None:
    assert sorted(fusionbench._WORDS) == sorted(set(fusionbench.__all__) - {"__version__"})
    for word in fusionbench.__all__:
        assert getattr(fusionbench, word) is not None
    with pytest.raises(AttributeError, match="no attribute 'scores'"):
        fusionbench.scores  # noqa: B018


def test_what_is_imported_is_required_and_what_is_required_is_imported() -> None:
    imported = set()
    for folder in real_packages().values():
        for file in folder.glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.level == 0:
                    imported.add(str(node.module).partition(".")[0])
    foreign = imported - sys.stdlib_module_names - {"fusionbench"}
    # pandas reads and writes tables through these two, so nobody need import them by name.
    by_pandas = {"openpyxl", "pyarrow"}
    required = {IMPORT_NAMES.get(name, name) for name in map(name_of, PROJECT["project"]["dependencies"])}
    extras = [each for group in ("learned", "cluster", "onnx") for each in requirements()[group]]
    optional = {IMPORT_NAMES.get(name, name) for name in map(name_of, extras)}
    assert foreign - optional - by_pandas == required - by_pandas


def test_every_requirement_is_pinned() -> None:
    wanted = {name_of(requirement) for group in requirements().values() for requirement in group}
    assert wanted <= set(pins())
    assert pins()["torch"] == "2.13.0"


def test_no_pin_contradicts_a_requirement() -> None:
    from packaging.requirements import Requirement

    for group in requirements().values():
        for requirement in map(Requirement, group):
            assert requirement.specifier.contains(pins()[requirement.name.lower()]), requirement


def test_sdist_and_wheel_hold_everything(tmp_path: Path) -> None:
    pytest.importorskip("build", reason="the package 'build' is not installed")
    source = tmp_path / "source"
    # A copy: building leaves build/ and *.egg-info behind, and a stale build/ would put stale modules into a wheel.
    skip = ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "demo", "tests")
    copytree(ROOT, source, symlinks=True, ignore=skip)
    # The wheel is made from the unpacked sdist, so this proves both.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(source)]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr

    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"fusionbench-{fusionbench.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        archive.extractall(tmp_path / "site")
    expected = {
        f"{package.replace('.', '/')}/{file.name}"
        for package, folder in real_packages().items()
        for file in folder.glob("*.py")
    }
    learned = {
        f"{package.replace('.', '/')}/data/{file.name}"
        for package, folder in real_packages().items()
        for file in (*folder.glob("data/*.npz"), *folder.glob("data/*.safetensors"))
    }
    page = {f"fusionbench/report/page.{suffix}" for suffix in ("css", "html", "js")}
    page |= {f"fusionbench/datasets/cards/{file.name}" for file in (ROOT / "fusionbench/datasets/cards").iterdir()}
    assert names == expected | learned | page | {"fusionbench/py.typed", "fusionbench/usual.csv"}

    # Elsewhere and without the checkout, the words are still found.
    script = "import sys; sys.path.insert(0, 'site'); import fusionbench; print(fusionbench.metrics.__file__)"
    kernels = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    ran = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=tmp_path, env=kernels, capture_output=True, text=True
    )
    assert ran.stdout.strip().endswith(str(Path("site", "fusionbench", "metrics", "__init__.py"))), ran.stderr
