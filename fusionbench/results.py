"""What a run leaves behind for others to read: the table of scores, what failed, and where all of it was made."""

from __future__ import annotations

import csv
import io
import math
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO, Final

import fusionbench
from fusionbench.benchmark import STAGES, Failure, Outcome, Plan
from fusionbench.cells import fingerprint, merge
from fusionbench.files import sweep, whole
from fusionbench.pairing import natural_key
from fusionbench.records import NAME, Record, about
from fusionbench.store import json_text, plain
from fusionbench.types import UserError

SCORES: Final = "scores.parquet"
FAILURES: Final = "failures.csv"
ENVIRONMENT: Final = "environment.json"

_PACKAGES: Final = "numpy scipy numba pandas pyarrow pillow pywavelets scikit-image torch".split()


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Make a folder, and keep every other run out of it meanwhile; however this run ends, the folder is free again.

    Raises
    ------
    UserError
        If another run is at work in it, or it cannot be made.
    """
    from filelock import FileLock, Timeout

    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        lock.acquire(blocking=False)
    except Timeout:
        raise UserError(f"Another run is at work in '{folder}': wait for it, or choose another folder.") from None
    except OSError as error:
        raise UserError(
            f"The folder '{folder}' cannot be written to ({error.strerror or error}): choose another, or change its "
            "permissions."
        ) from error
    try:
        sweep(folder)
        yield
    finally:
        lock.release()
        # A mistake that was found before anything was done leaves nothing behind.
        if made and [path.name for path in folder.iterdir()] in ([], [".lock"]):
            shutil.rmtree(folder)


@dataclass(slots=True)
class Tally:
    """What came of all pairs so far."""

    states: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    sources: dict[str, dict[str, str]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    fused: dict[tuple[str, str], int] = field(default_factory=dict)
    scored: dict[tuple[str, str], int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    def add(self, outcome: Outcome) -> None:
        """Take in what came of one pair."""
        self.sources.setdefault(outcome.dataset, {})[outcome.pair] = outcome.sources
        for method, state in outcome.states.items():
            self.states.setdefault((outcome.dataset, method), {})[outcome.pair] = state
        self.failures += outcome.failures
        for names, counts in ((outcome.fused, self.fused), (outcome.scored, self.scored)):
            for method in names:
                counts[outcome.dataset, method] = counts.get((outcome.dataset, method), 0) + 1
        for stage, seconds in outcome.seconds.items():
            self.seconds[stage] += seconds


def write(plan: Plan, tally: Tally, remarks: Sequence[str]) -> list[Failure]:
    """Write the table of scores with what is to be known of it, and the list of failures.

    Parameters
    ----------
    plan : Plan
        What was to be done.
    tally : Tally
        What was.
    remarks : sequence of str
        What a reader should know.

    Returns
    -------
    list of Failure
        Every image that is missing and every score without a value, in the order of the plan.

    Raises
    ------
    UserError
        If nothing could be scored at all, or a file cannot be written.
    """
    failures: list[Failure] = []

    def fill(file: BinaryIO) -> None:
        gaps: list[Failure] = []
        rows = _table(plan, tally, file, gaps)
        failures.extend(_in_order(plan, [*tally.failures, *gaps]))
        _write_failures(plan.folder / FAILURES, failures)
        if not rows:
            first = f"; the first: {failures[0].reason}" if failures else "."
            raise UserError(f"Not one of {plan.images} images could be scored{first}")
        # Before the table has its name: a number never stands anywhere without its definition.
        text = json_text(_meta(plan, tally, failures, remarks))
        whole(plan.folder / "scores.meta.json", lambda beside: beside.write(text.encode()))

    whole(plan.folder / SCORES, fill)
    return failures


def _table(plan: Plan, tally: Tally, file: BinaryIO, gaps: list[Failure]) -> int:
    """Write the scores, cell by cell, so that no more than one cell is held at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    labels = ("dataset", "pair", "method", "metric", "convention")
    schema = pa.schema([*((label, pa.string()) for label in labels), ("value", pa.float64())])
    keys = plan.keys()
    rows = 0
    with pq.ParquetWriter(file, schema) as writer:
        for dataset in plan.datasets:
            for method in plan.methods:
                current = tally.states.get((dataset.name, method.name), {})
                known = merge(plan.log(dataset.name, method.name).entries(), current)
                columns: dict[str, list[Any]] = {label: [] for label in (*labels, "value")}
                for pair in dataset.pairs:
                    entry = known.get(pair.name)
                    for name, each in keys.items() if entry else ():
                        assert entry is not None
                        if name not in entry.values:
                            continue
                        value, reason = entry.values[name], entry.reasons.get(name, "")
                        if math.isnan(value) and each.by_group and not reason:
                            continue  # a metric of colour, and a grey image
                        cells = (dataset.name, pair.name, method.name, each.name, each.convention, value)
                        for column, cell in zip(columns.values(), cells, strict=True):
                            column.append(cell)
                        if math.isnan(value):
                            reason = reason or f"it has no value, see 'fusionbench metric info {each.name}'"
                            gaps.append(Failure(dataset.name, pair.name, method.name, *cells[3:5], reason))
                if columns["value"]:
                    writer.write_table(pa.table(columns, schema=schema))
                    rows += len(columns["value"])
    return rows


def _in_order(plan: Plan, failures: Iterable[Failure]) -> list[Failure]:
    places = {dataset.name: at for at, dataset in enumerate(plan.datasets)}
    methods = {method.name: at for at, method in enumerate(plan.methods)}
    return sorted(
        failures,
        key=lambda one: (
            places[one.dataset], methods[one.method], natural_key(one.pair), one.convention, one.metric
        ),
    )  # fmt: skip


def write_recipes(plan: Plan) -> None:
    """Say in the folder of each method how its images are made."""
    for dataset in plan.datasets:
        for method in plan.methods:
            if method.recipe:
                folder = plan.folder / "fused" / dataset.name / method.name
                Record(folder / NAME, about(method.recipe, format="png", depth=8)).write()


def _write_failures(path: Path, failures: Sequence[Failure]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["dataset", "pair", "method", "metric", "convention", "reason"])
    for one in failures:
        table.writerow([one.dataset, one.pair, one.method, one.metric, one.convention, one.reason])
    whole(path, lambda file: file.write(text.getvalue().encode(errors="surrogateescape")))


def _meta(plan: Plan, tally: Tally, failures: Sequence[Failure], remarks: Sequence[str]) -> dict[str, Any]:
    return {
        "fusionbench": fusionbench.__version__,
        "conventions": [name for name, _ in plan.definitions],
        "definitions": {
            name: {"id": each.id, "parameters": plain(each.parameters), "better": each.card.better}
            for name, each in plan.keys().items()
        },
        "methods": {
            method.name: method.recipe.record() if method.recipe else "images made elsewhere" for method in plan.methods
        },
        "datasets": {dataset.name: _described(plan, tally, dataset.name) for dataset in plan.datasets},
        "failures": [
            {
                "dataset": one.dataset,
                "image": one.pair,
                "method": one.method,
                "metric": one.metric or None,
                "reason": one.reason,
            }
            for one in failures
        ],
        "remarks": list(remarks),
    }


def _described(plan: Plan, tally: Tally, name: str) -> dict[str, Any]:
    dataset = next(each for each in plan.datasets if each.name == name)
    sources = tally.sources.get(name, {})
    return {
        "pairs": len(dataset.pairs),
        "content": fingerprint(sorted(sources.items())),
        "folders": [{role: str(path) for role, path in place.items()} for place in folders(plan, name)],
    }


def folders(plan: Plan, name: str) -> list[dict[str, Path | str]]:
    """Where the images of a dataset are: ``ir``, ``vis``, ``fused`` and, if those are of one method, its name."""
    dataset = next(each for each in plan.datasets if each.name == name)
    sources: dict[str, Path | str] = {}
    for role in ("ir", "vis"):
        there = {getattr(pair, role).parent for pair in dataset.pairs}
        if len(there) != 1:
            return []
        sources[role] = there.pop()
    places: list[dict[str, Path | str]] = []
    if any(method.recipe for method in plan.methods):
        places.append({**sources, "fused": plan.folder / "fused" / name})
    for method in plan.methods:
        elsewhere = {path.parent for (whose, _), path in method.found.items() if whose == name}
        places += [{**sources, "fused": folder, "method": method.name} for folder in sorted(elsewhere)]
    return places


def environment(plan: Plan, tally: Tally, **more: object) -> dict[str, Any]:
    """Versions, machine, commit and data: what somebody needs who gets other numbers.

    Parameters
    ----------
    plan, tally : Plan, Tally
        What was done.
    **more
        What else is to be said.
    """
    versions = {"fusionbench": fusionbench.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "versions": versions,
        "commit": _commit(),
        "machine": {
            "system": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
        },
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "datasets": {dataset.name: _described(plan, tally, dataset.name) for dataset in plan.datasets},
        "seconds": {stage: round(seconds, 3) for stage, seconds in tally.seconds.items()},
        **more,
    }


def _commit() -> str | None:
    """The commit of this copy of fusionbench, if it is a clone."""
    here = Path(__file__).resolve().parent.parent
    if not (here / ".git").exists():
        return None
    try:
        found = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=40"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def prune(plan: Plan, tally: Tally) -> list[Path]:
    """Remove images and lines of logs that are no part of the plan any more.

    Returns
    -------
    list of Path
        Files that were removed.
    """
    wanted = {
        path
        for dataset in plan.datasets
        for method in plan.methods
        if method.recipe
        for pair in dataset.pairs
        if (path := plan.image(dataset.name, method, pair.name))
    }
    logs = {plan.log(dataset.name, method.name).path for dataset in plan.datasets for method in plan.methods}
    removed = []
    for folder, suffix, keep in (("fused", ".png", wanted), ("cells", ".jsonl", logs)):
        for path in sorted((plan.folder / folder).glob(f"*/**/*{suffix}")):
            if path not in keep:
                path.unlink()
                removed.append(path)
        for path in sorted((plan.folder / folder).glob("**/"), reverse=True):
            if path.is_dir() and all(left.name == "recipe.json" for left in path.iterdir()):
                for left in path.iterdir():
                    left.unlink()
                path.rmdir()
    keys = list(plan.keys())
    for (dataset_name, method_name), states in tally.states.items():
        plan.log(dataset_name, method_name).tidy(states, keys)
    return removed


def write_environment(plan: Plan, content: Mapping[str, Any]) -> None:
    """Write `environment` beside the scores."""
    text = json_text(content)
    whole(plan.folder / ENVIRONMENT, lambda file: file.write(text.encode()))
