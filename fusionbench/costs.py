"""What a method costs: parameters, operations, time and memory."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Final

import numpy as np

import fusionbench
from fusionbench.fusing import fuse_levels
from fusionbench.recipe import Recipe
from fusionbench.types import UserError

_STATUS: Final = Path("/proc/self/status")
_BEGIN_ANEW: Final = Path("/proc/self/clear_refs")
_SOON: Final = 2.0
"""Seconds: what takes less is warmed up twice, since compilers only finish with the second run."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one method costs at one size of image.

    Attributes
    ----------
    method : str
        Short name.
    width, height : int
        Pixels.
    parameters, flops : int or None
        How many numbers a network has learned, and how many floating-point operations it takes for a pair, two a
        multiplication and addition. None for a method that is no network.
    milliseconds, fastest, slowest : float
        From two planes in memory to the fused one: the median of some runs, and the ends.
    memory : int or None
        Bytes at the highest: on CUDA all that is in use there, on the CPU what comes on top of what was in use before.
        None where the system does not tell.
    """

    method: str
    width: int
    height: int
    parameters: int | None
    flops: int | None
    milliseconds: float
    fastest: float
    slowest: float
    memory: int | None


def costs(recipes: Iterable[Recipe], sizes: Iterable[tuple[int, int]], runs: int = 5) -> Iterator[Cost]:
    """Measure methods on a synthetic scene, one after the other.

    Parameters
    ----------
    recipes : iterable of Recipe
        The methods. A network for which no weights are named gets untrained ones, with which it costs the same.
    sizes : iterable of (int, int)
        Width and height in pixels.
    runs : int
        How many are timed; the first or the first two of all are not.

    Yields
    ------
    Cost
        Of each method, at one size after the other.

    Raises
    ------
    UserError
        If a size is too small for a method or for a scene, or the method does not run.
    """
    if runs < 1:
        raise UserError(f"{runs} runs cannot be timed: ask for at least 1.")
    for chosen in recipes:
        network = _network(chosen)
        with _with_weights(chosen, network) as ready:
            for width, height in sizes:
                yield _cost(ready, network, width, height, runs)


def conditions(recipes: Iterable[Recipe], runs: int) -> dict[str, str]:
    """Under which `costs` measures: what somebody needs to compare two tables."""
    about = {
        "measured": f"median of {runs} runs after a warm-up, from planes in memory to a plane, without files",
        "CPU": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "fusionbench": fusionbench.__version__,
        "Python": platform.python_version(),
        "numpy": np.__version__,
        "system": platform.system(),
    }
    for chosen in recipes:
        if (network := _network(chosen)) is not None:
            about |= network.surroundings(chosen.parameters["device"])
            about |= {"device of networks": chosen.parameters["device"], "precision": chosen.parameters["precision"]}
            if chosen.parameters["weights"] is None:
                about["weights"] = "untrained, which cost the same"
    return about


def _network(chosen: Recipe) -> ModuleType | None:
    """What knows the method's network, if it is one."""
    from fusionbench.baselines.learned.methods import networks_of
    from fusionbench.baselines.learned.weights import NETWORKS

    return networks_of(chosen.method) if chosen.method in NETWORKS else None


@contextmanager
def _with_weights(chosen: Recipe, network: ModuleType | None) -> Iterator[Recipe]:
    if network is None or chosen.parameters["weights"] is not None:
        yield chosen
        return
    with TemporaryDirectory() as folder:
        file = Path(folder) / "untrained.npz"
        np.savez(file, **network.untrained(chosen.method))
        yield replace(chosen, parameters={**chosen.parameters, "weights": file})


def _cost(chosen: Recipe, network: ModuleType | None, width: int, height: int, runs: int) -> Cost:
    from fusionbench import pixels
    from fusionbench.datasets.synthetic import scene

    pair = scene(1, width, height)
    levels = [pixels.luma(image, "bt601") for image in (pair.ir, pair.vis)]
    ir, vis = (plane.astype(np.float64) for plane in levels)
    start = time.perf_counter()
    fuse_levels(chosen, levels[0], levels[1], "the image")
    if time.perf_counter() - start < _SOON:
        chosen.function(ir, vis, **chosen.parameters)

    device = chosen.parameters["device"] if network else "cpu"
    if network:
        network.forget_peak(device)
    before = _begin_watching()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        chosen.function(ir, vis, **chosen.parameters)
        times.append((time.perf_counter() - start) * 1e3)
    memory = network.peak(device) if network else None
    return Cost(
        method=chosen.label,
        width=width,
        height=height,
        parameters=network.parameters(chosen.method) if network else None,
        flops=network.flops(chosen.method, height, width) if network else None,
        milliseconds=statistics.median(times),
        fastest=min(times),
        slowest=max(times),
        memory=_highest(before) if memory is None else memory,
    )


def _begin_watching() -> int | None:
    """Bytes that this process occupies, beyond which `_highest` counts; None where Linux does not run."""
    try:
        # What earlier work has freed is given back, or the next would take it without being noticed.
        ctypes.CDLL(None).malloc_trim(0)
        _BEGIN_ANEW.write_text("5")
        return _status("VmRSS")
    except (OSError, AttributeError):
        return None


def _highest(before: int | None) -> int | None:
    return None if before is None else _status("VmHWM") - before


def _status(word: str) -> int:
    found = re.search(rf"^{word}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    assert found, word
    return int(found[1]) * 1024


def _processor() -> str:
    try:
        named = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        named = None
    return named[1] if named else platform.processor() or platform.machine()
