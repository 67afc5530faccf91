"""Score one fused image, or folders of them: decoded once, measured once, and nothing left out in silence.

The unit of work is a pair with all its fused images: what depends on the sources alone is measured once for all
methods, and a thread never holds more than one pair. No number depends on what else is scored with it, or on how many
threads there are.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from fusionbench import images, pairing, pixels
from fusionbench.metrics.conventions import convention as convention_named
from fusionbench.metrics.definitions import Definition, define
from fusionbench.stacks import Stopped, score_levels, stacked, warm_up
from fusionbench.store import Failure, Row, Scores
from fusionbench.types import Fused, Image, Levels, Pair, UserError
from fusionbench.workers import Stop, as_finished, count, telling_of_compilation

if TYPE_CHECKING:
    import pandas as pd

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many fused images are done, and of how many."""

_ONE_SIZE: Final = "a fused image and its sources must be of one size"


def score(
    fused: Image | str | Path,
    ir: Image | str | Path,
    vis: Image | str | Path,
    metrics: str | Iterable[str] = "core",
    convention: str = "standard",
) -> dict[str, float]:
    """Score one fused image.

    Parameters
    ----------
    fused, ir, vis : ndarray, str or Path
        The fused image and its sources, of one size: (H, W) grey or (H, W, 3) RGB; uint8, uint16, or float in [0, 1];
        or a file to read.
    metrics : str or iterable of str
        ``"core"``, ``"all"``, names separated by commas, or a list of these.
    convention : str
        Whose definitions, e.g. ``"standard"``.

    Returns
    -------
    dict of str to float
        The score by metric, in the order asked for. Where a metric has no value it is NaN, and a warning says why; a
        metric of colour that only a group asks for is left out if the images are grey.

    Raises
    ------
    UserError
        If an image cannot be used, the sizes differ, or a metric or convention does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> ir = np.tile(np.uint8([0, 255]), (8, 4))
    >>> score(ir, ir, np.zeros_like(ir), metrics="SD, MSE")
    {'SD': 127.5, 'MSE': 16256.25}
    """
    whose = convention_named(convention)
    chosen, _ = define(metrics, whose)
    given = {"ir": ir, "vis": vis, "fused": fused}
    names = {role: f"'{image}'" if isinstance(image, str | Path) else role for role, image in given.items()}
    levels = {role: _usable(image, role) for role, image in given.items()}
    for role in ("vis", "fused"):
        pixels.same_size(names[role], levels[role], names["ir"], levels["ir"], _ONE_SIZE)
    values = {}
    with telling_of_compilation(_print_on_stderr):
        [stack] = stacked(levels["ir"], levels["vis"], [levels["fused"]], whose.luma)
        for definition in chosen:
            value, reason = stack.evaluate(definition, 0)
            if reason or not np.isnan(value):
                values[definition.name] = value
            if reason:
                warnings.warn(f"{definition.name} is NaN: {reason}", stacklevel=2)
    return values


def score_folder(
    fused: str | Path,
    ir: str | Path,
    vis: str | Path,
    metrics: str | Iterable[str] = "core",
    convention: str = "standard",
    workers: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Score the fused images of one method or of many.

    Parameters
    ----------
    fused : str or Path
        A folder of images, a folder of such folders (one a method), or one image.
    ir, vis : str or Path
        The sources: each a folder or one image; matched by name.
    metrics, convention : str
        As for `score`.
    workers : int, optional
        How many threads; by default as many as there are cores.
    progress : callable, optional
        Called several times a second with the number of fused images done, and of all.

    Returns
    -------
    pandas.DataFrame
        A row a fused image, in natural order of method and image: ``method``, ``image``, and one column a metric, NaN
        where it has no value. ``attrs`` says how the numbers were made and, under ``"failures"`` and ``"remarks"``,
        which images could not be scored or have no partner.

    Raises
    ------
    UserError
        If the folders do not match, nothing at all could be scored, or a metric or convention does not exist.
    """
    paths = Path(fused), Path(ir), Path(vis)
    return score_paths(*paths, metrics, convention, workers=workers, progress=progress, notice=_print_on_stderr).frame()


def score_paths(
    fused: Path,
    ir: Path,
    vis: Path,
    metrics: str | Iterable[str] = "core",
    convention: str = "standard",
    *,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
    notice: Callable[[str], None] | None = None,
) -> Scores:
    """What `score_folder` computes, with everything that should be said about it.

    Parameters
    ----------
    fused, ir, vis, metrics, convention, workers, progress
        As for `score_folder`.
    cluster : str, optional
        Address of a Dask scheduler whose workers score instead of threads here; they must see the same files.
    notice : callable, optional
        Told once, before kernels are compiled, if they have to be.

    Returns
    -------
    Scores

    Raises
    ------
    UserError
        As `score_folder`.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    whose = convention_named(convention)
    chosen, left_out = define(metrics, whose)
    threads = count(workers)
    sources = pairing.pair_sources(ir, vis)
    methods = pairing.match_fused(fused, sources)
    plan = _Plan(tuple(chosen), whose.luma, Stop(), [])
    with telling_of_compilation(notice):
        warm_up(plan.definitions, plan.luma)
        outcomes = _outcomes(plan, _by_pair(methods), threads, cluster, progress)
    order = {method.method: place for place, method in enumerate(methods)}

    def place(item: Row | Failure) -> tuple[Any, ...]:
        return order[item.method], pairing.natural_key(item.image)

    rows = sorted((row for outcome in outcomes for row in outcome.rows), key=place)
    failures = sorted((failure for outcome in outcomes for failure in outcome.failures), key=place)
    if all(np.isnan(value) for row in rows for value in row.values.values()):
        raise UserError(_nothing_scored(failures))
    colourless = _colourless(chosen, rows, failures)
    if colourless:
        rows = [replace(row, values={k: v for k, v in row.values.items() if k not in colourless}) for row in rows]
    return Scores(
        convention=whose,
        definitions=tuple(definition for definition in chosen if definition.name not in colourless),
        left_out=(*left_out, *colourless),
        rows=tuple(rows),
        failures=tuple(failures),
        folders={"fused": fused, "ir": ir, "vis": vis},
        sources=sources,
        methods=tuple(methods),
        hashes={path: digest for outcome in outcomes for path, digest in outcome.hashes.items()},
        started=started,
        seconds=time.perf_counter() - clock,
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to do with every pair, the sign to stop doing it, and the fused images that are done."""

    definitions: tuple[Definition, ...]
    luma: pixels.PlaneRule
    stop: Stop
    done: list[Fused]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one pair: of how many fused images, and what."""

    images: int
    rows: list[Row]
    failures: list[Failure]
    hashes: dict[Path, str]


def _by_pair(methods: Iterable[pairing.MethodImages]) -> list[tuple[Pair, list[Fused]]]:
    fused: dict[Pair, list[Fused]] = {}
    for method in methods:
        for item in method.found:
            fused.setdefault(item.pair, []).append(item)
    return list(fused.items())


def _outcomes(
    plan: _Plan,
    tasks: Sequence[tuple[Pair, list[Fused]]],
    threads: int,
    cluster: str | None,
    progress: Progress | None,
) -> list[_Outcome]:
    total = sum(len(fused) for _, fused in tasks)
    outcomes: list[_Outcome] = []

    def tick() -> None:
        if progress:
            # What another machine is doing is only known when a pair is done.
            progress(max(len(plan.done), sum(outcome.images for outcome in outcomes)), total)

    # After an error or Ctrl-C, whatever runs sees the sign to stop and leaves at its next metric.
    for outcome in as_finished(partial(_score_pair, plan), tasks, threads, tick, cluster, plan.stop):
        outcomes.append(outcome)
    tick()
    return outcomes


def _score_pair(plan: _Plan, task: tuple[Pair, list[Fused]]) -> _Outcome:
    pair, fused = task
    outcome = _Outcome(len(fused), [], [], {})

    def read(path: Path) -> Levels:
        if plan.stop.is_set():
            raise Stopped
        image, outcome.hashes[path] = images.read_hashed(path)
        return pixels.to_levels(image)

    try:
        ir, vis = read(pair.ir), read(pair.vis)
        pixels.same_size(f"'{pair.vis}'", vis, f"'{pair.ir}'", ir, _ONE_SIZE)
    except UserError as error:
        outcome.failures.extend(Failure(item.method, item.path.name, "", str(error)) for item in fused)
        plan.done.extend(fused)
        return outcome
    usable: list[tuple[Fused, Levels]] = []
    for item in fused:
        try:
            levels = read(item.path)
            pixels.same_size(f"'{item.path}'", levels, f"'{pair.ir}'", ir, _ONE_SIZE)
            usable.append((item, levels))
        except UserError as error:
            outcome.failures.append(Failure(item.method, item.path.name, "", str(error)))
            plan.done.append(item)
    scored = score_levels(ir, vis, [levels for _, levels in usable], plan.definitions, plan.luma, plan.stop)
    for place, values, reasons in scored:
        item = usable[place][0]
        named = zip(plan.definitions, values, reasons, strict=True)
        outcome.failures.extend(
            Failure(item.method, item.path.name, d.name, reason) for d, _, reason in named if reason
        )
        by_name = {definition.name: value for definition, value in zip(plan.definitions, values, strict=True)}
        outcome.rows.append(Row(item.method, item.path.name, pair.name, by_name))
        plan.done.append(item)
    return outcome


def _colourless(chosen: Iterable[Definition], rows: Sequence[Row], failures: Sequence[Failure]) -> list[str]:
    """Metrics of colour that only a group asks for, where no image at all has colour."""
    failed = {failure.metric for failure in failures}
    optional = [each.name for each in chosen if each.by_group and each.card.colour and each.name not in failed]
    return [name for name in optional if all(np.isnan(row.values[name]) for row in rows)]


def _usable(image: Image | str | Path, role: str) -> Levels:
    """8-bit levels of an image or a file."""
    stored = images.read(Path(image)) if isinstance(image, str | Path) else pixels.check(image, role)
    return pixels.to_levels(stored)


def _nothing_scored(failures: Sequence[Failure]) -> str:
    first, total = failures[0], len({(failure.method, failure.image) for failure in failures})
    what = f"{first.metric} of {first.image}" if first.metric else first.image
    reason = first.reason.rstrip(".")
    if total == 1:
        return f"{what} could not be scored: {reason}."
    return f"None of {total} fused images could be scored; the first, {what}: {reason}."


def _print_on_stderr(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
