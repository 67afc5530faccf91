"""What is kept of compiled kernels is what would be compiled today."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CALLER = """
from fusionbench.compiling import compiled
from inner import added

def doubled(x):
    return 2.0 * added(x)

doubled = compiled(doubled, __file__)
"""
CALLED = """
from fusionbench.compiling import compiled

def added(x):
    return x + {}

added = compiled(added, __file__)
"""


def doubled(folder: Path, number: float) -> tuple[float, int]:
    """What a fresh process computes, and how often it found a compiled function on disk."""
    (folder / "inner.py").write_text(CALLED.format(number))
    program = "from outer import doubled; value = doubled(1.0); print(value, sum(doubled.stats.cache_hits.values()))"
    places = {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path]), "NUMBA_CACHE_DIR": str(folder / "kept")}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **places}, capture_output=True, check=True
    )
    value, hits = done.stdout.split()
    return float(value), int(hits)


def test_a_change_of_what_is_called_reaches_the_caller(tmp_path: Path) -> None:
    (tmp_path / "outer.py").write_text(CALLER)
    assert doubled(tmp_path, 1.0) == (4.0, 0)
    assert doubled(tmp_path, 1.0) == (4.0, 1)
    assert doubled(tmp_path, 5.0) == (12.0, 0)
    assert doubled(tmp_path, 5.0) == (12.0, 1)


def test_a_type_that_is_no_more_is_no_harm(tmp_path: Path) -> None:
    program = """
from typing import NamedTuple
from fusionbench.compiling import compiled

class {0}(NamedTuple):
    x: float

def first(pair):
    return pair.x

first = compiled(first, __file__)
"""
    for name in ("Earlier", "Later"):
        (tmp_path / "pairs.py").write_text(program.format(name))
        call = f"from pairs import first, {name}; print(first({name}(2.0)), sum(first.stats.cache_hits.values()))"
        places = {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]), "NUMBA_CACHE_DIR": str(tmp_path / "kept")}
        for hits in (b"0", b"1"):
            done = subprocess.run(
                [sys.executable, "-c", call], env={**os.environ, **places}, capture_output=True, check=True
            )
            assert done.stdout.split() == [b"2.0", hits]
