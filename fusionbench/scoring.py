"""Scores of one fused image, or of folders of them: decoded once, measured once, and nothing left out in silence.

The unit of work is a pair with all its fused images: what depends on the sources alone is measured once for all methods,
and a thread never holds more than one pair. No number depends on what else is scored with it, or by how many threads.
"""

from __future__ import annotations

import inspect
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

import fusionbench
from fusionbench import images, pairing
from fusionbench.metrics import CORE, METRICS
from fusionbench.metrics.conventions import CONVENTIONS, Convention
from fusionbench.metrics.conventions import convention as convention_named
from fusionbench.registry import unknown
from fusionbench.types import Fused, Image, MetricCard, Pair, UserError

if TYPE_CHECKING:
    import pandas as pd

    from fusionbench.metrics.card import Metric
    from fusionbench.metrics.triple import Scene

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many fused images are done, and of how many."""
_Levels: TypeAlias = NDArray[np.uint8]

COMPILING: Final = "Compiling kernels, once per machine: this takes up to 20 seconds ..."

_NO_VALUE: Final = "the formula has no value for this image, see 'fusionbench metric info {}'"


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric exactly as one convention defines it: what a number should never travel without.

    Attributes
    ----------
    name, convention : str
        The names of both.
    card : MetricCard
        What the metric is.
    function : Metric
        What computes it.
    parameters : mapping of str to object
        The value of every keyword, whether the convention sets it or the function's own default does.
    """

    name: str
    convention: str
    card: MetricCard
    function: Metric
    parameters: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Metric, convention and version of the definition, e.g. ``"SSIM/tang@1"``."""
        return f"{self.name}/{self.convention}@{self.card.version}"


@dataclass(frozen=True, slots=True)
class Row:
    """The scores of one fused image, by metric; NaN where a metric has no value."""

    method: str
    image: str
    pair: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a fused image has no row or, if `metric` is not empty, no value of that metric."""

    method: str
    image: str
    metric: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of folders of images, and everything that should be known of them.

    Attributes
    ----------
    convention : Convention
        Whose definitions these are.
    definitions : tuple of Definition
        One a metric, in the order of the columns.
    left_out : tuple of str
        Metrics of a group that was asked for (``core``, ``all``) which the convention does not define.
    rows : tuple of Row
        In natural order of method, then image.
    failures : tuple of Failure
        In the same order.
    folders : mapping of str to Path
        What was given as ``fused``, ``ir`` and ``vis``.
    sources : SourcePairs
        What was paired.
    methods : tuple of MethodImages
        What was matched.
    hashes : mapping of Path to str
        SHA-256 of the content of every file that was scored.
    started : datetime
        When, in UTC.
    seconds : float
        How long it took.
    """

    convention: Convention
    definitions: tuple[Definition, ...]
    left_out: tuple[str, ...]
    rows: tuple[Row, ...]
    failures: tuple[Failure, ...]
    folders: Mapping[str, Path]
    sources: pairing.SourcePairs
    methods: tuple[pairing.MethodImages, ...]
    hashes: Mapping[Path, str]
    started: datetime
    seconds: float

    def columns(self, *, long: bool = False) -> dict[str, list[Any]]:
        """The table by column: ``method``, ``image`` and one a metric, or ``method image metric value`` if `long`."""
        names = [definition.name for definition in self.definitions]
        if not long:
            labels: dict[str, list[Any]] = {
                "method": [row.method for row in self.rows],
                "image": [row.image for row in self.rows],
            }
            return labels | {name: [row.values[name] for row in self.rows] for name in names}
        cells = [(row, name) for row in self.rows for name in names]
        return {
            "method": [row.method for row, _ in cells],
            "image": [row.image for row, _ in cells],
            "metric": [name for _, name in cells],
            "value": [row.values[name] for row, name in cells],
        }

    def frame(self, *, long: bool = False) -> pd.DataFrame:
        """`columns` as a `pandas.DataFrame` that carries `meta` in its ``attrs``."""
        import pandas as pd

        frame = pd.DataFrame(self.columns(long=long))
        frame.attrs = self.meta()
        return frame

    def meta(self) -> dict[str, Any]:
        """How these numbers were made, as JSON can hold it."""
        import numba
        import PIL

        return {
            "fusionbench": fusionbench.__version__,
            "made_with": {"numpy": np.__version__, "numba": numba.__version__, "pillow": PIL.__version__},
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "convention": {
                "name": self.convention.name,
                "title": self.convention.title,
                "source": self.convention.source,
                "note": self.convention.note,
            },
            "grey": self.convention.luma,
            "metrics": {
                definition.name: {
                    "id": definition.id,
                    "parameters": {key: _plain(value) for key, value in definition.parameters.items()},
                    "better": definition.card.better,
                    "side_by_side": definition.name in self.convention.side_by_side,
                }
                for definition in self.definitions
            },
            "left_out": list(self.left_out),
            "failures": [
                {"method": f.method, "image": f.image, "metric": f.metric or None, "reason": f.reason}
                for f in self.failures
            ],
            "folders": {role: str(path) for role, path in self.folders.items()},
            "pairs": len(self.sources.pairs),
            "remarks": pairing.remarks(self.sources, self.methods),
            "inputs": self._inputs(),
        }

    def _inputs(self) -> dict[str, Any]:
        inputs: dict[str, Any] = {"ir": {}, "vis": {}, "fused": {}}
        for pair in self.sources.pairs:
            if pair.ir in self.hashes and pair.vis in self.hashes:
                inputs["ir"][pair.ir.name] = self.hashes[pair.ir]
                inputs["vis"][pair.vis.name] = self.hashes[pair.vis]
        for method in self.methods:
            found = [item.path for item in method.found if item.path in self.hashes]
            inputs["fused"][method.method] = {path.name: self.hashes[path] for path in found}
        return inputs


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
        The fused image and its sources, of one size: (H, W) grey or (H, W, 3) RGB; uint8, uint16, or float in [0, 1]; or
        a file to read.
    metrics : str or iterable of str
        ``"core"``, ``"all"``, names separated by commas, or a list of these.
    convention : str
        Whose definitions, e.g. ``"standard"``.

    Returns
    -------
    dict of str to float
        The score by metric, in the order asked for. Where a metric has no value it is NaN, and a warning says why.

    Raises
    ------
    UserError
        If an image cannot be used, the sizes differ, or a metric or convention does not exist.
    """
    chosen, _, whose = define(metrics, convention)
    given = {"fused": fused, "ir": ir, "vis": vis}
    levels = {role: _usable(image, role) for role, image in given.items()}
    for role in ("fused", "vis"):
        _same_size(_label(given[role], role), levels[role], _label(ir, "ir"), levels["ir"])
    values = {}
    with _telling_of_compilation(_print_on_stderr):
        [stack] = _stacks(levels["ir"], levels["vis"], [levels["fused"]], whose)
        for definition in chosen:
            value, reason = stack.value(definition, 0)
            if reason:
                warnings.warn(f"{definition.name} is NaN: {reason}", stacklevel=2)
            values[definition.name] = value
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
        Called now and then with the number of fused images done, and of all.

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
    scores = score_paths(
        Path(fused), Path(ir), Path(vis), metrics, convention, workers=workers, progress=progress, notice=_print_on_stderr
    )
    return scores.frame()


def score_paths(
    fused: Path,
    ir: Path,
    vis: Path,
    metrics: str | Iterable[str] = "core",
    convention: str = "standard",
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    notice: Callable[[str], None] | None = None,
) -> Scores:
    """What `score_folder` computes, with everything that should be said about it.

    Parameters
    ----------
    fused, ir, vis, metrics, convention, workers, progress
        As for `score_folder`.
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
    chosen, left_out, whose = define(metrics, convention)
    threads = _cores() if workers is None else workers
    if threads < 1:
        raise UserError(f"{threads} workers cannot do anything: give at least 1.")
    sources = pairing.pair_sources(ir, vis)
    methods = pairing.match_fused(fused, sources)
    with _telling_of_compilation(notice):
        _warm_up(chosen, whose)
        outcomes = _in_threads(_by_pair(methods), chosen, whose, threads, progress)
    order = {method.method: place for place, method in enumerate(methods)}

    def place(item: Row | Failure) -> tuple[Any, ...]:
        return order[item.method], pairing.natural_key(item.image)

    scores = Scores(
        convention=whose,
        definitions=tuple(chosen),
        left_out=tuple(left_out),
        rows=tuple(sorted((row for outcome in outcomes for row in outcome.rows), key=place)),
        failures=tuple(sorted((failure for outcome in outcomes for failure in outcome.failures), key=place)),
        folders={"fused": fused, "ir": ir, "vis": vis},
        sources=sources,
        methods=tuple(methods),
        hashes={path: digest for outcome in outcomes for path, digest in outcome.hashes.items()},
        started=started,
        seconds=time.perf_counter() - clock,
    )
    if all(np.isnan(value) for row in scores.rows for value in row.values.values()):
        total, first = sum(len(method.found) for method in methods), scores.failures[0]
        named = f"{first.metric}: {first.reason}" if first.metric else first.reason
        raise UserError(f"None of the {total} fused images could be scored; the first because {named.rstrip('.')}.")
    return scores


def define(metrics: str | Iterable[str], convention: str) -> tuple[list[Definition], list[str], Convention]:
    """Look up what was asked for.

    Parameters
    ----------
    metrics, convention
        As for `score`.

    Returns
    -------
    definitions : list of Definition
        Each metric once, in the order asked for.
    left_out : list of str
        Metrics of a group that the convention does not define.
    convention : Convention
        The convention.

    Raises
    ------
    UserError
        If a name does not exist, or a metric that was asked for by name is not defined by the convention.
    """
    whose = convention_named(convention)
    known = METRICS.names()
    groups: dict[str, Sequence[str]] = {"core": CORE, "all": known}
    words = metrics.split(",") if isinstance(metrics, str) else [part for word in metrics for part in word.split(",")]
    chosen: dict[str, Definition] = {}
    left_out: dict[str, None] = {}
    for word in filter(None, (word.strip() for word in words)):
        if word not in groups and word not in known:
            raise unknown("metric", word, [*groups, *known])
        for name in groups.get(word, [word]):
            own = _parameters(name, whose)
            if own is not None:
                function = METRICS[name]
                defaults = {
                    key: parameter.default
                    for key, parameter in inspect.signature(function).parameters.items()
                    if parameter.default is not inspect.Parameter.empty
                }
                chosen[name] = Definition(name, whose.name, function.card, function, defaults | dict(own))
            elif word in groups:
                left_out[name] = None
            else:
                having = [other.name for other in CONVENTIONS.values() if _parameters(name, other) is not None]
                raise UserError(
                    f"The convention '{whose.name}' does not define {name}: leave it out, or use --convention "
                    f"{' or '.join(having)}."
                )
    if not chosen:
        raise UserError("No metric was named: give 'core', 'all', or names separated by commas.")
    return list(chosen.values()), list(left_out), whose


def _parameters(name: str, whose: Convention) -> Mapping[str, Any] | None:
    # The standard definition of a metric is its function's own defaults, so a user's metric has one without being listed.
    return whose.metrics.get(name, {} if whose.name == "standard" else None)


def _plain(value: Any) -> Any:
    """A parameter's value as JSON can hold it."""
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


@dataclass(frozen=True, slots=True)
class _Stack:
    """Fused images of one pair that are scored alike: one scene, or one for each channel."""

    members: list[int]
    scenes: list[Scene]
    wide: Scene | None
    """The three channels side by side, where a metric wants them so."""
    convention: Convention

    def value(self, definition: Definition, place: int) -> tuple[float, str]:
        """The score of the fused image at a place of `members`, and why there is none."""
        from fusionbench.metrics.card import NotDefined
        from fusionbench.metrics.triple import Triple

        side_by_side = self.wide is not None and definition.name in self.convention.side_by_side
        scenes = [self.wide] if self.wide is not None and side_by_side else self.scenes
        try:
            parts = [float(definition.function(Triple(scene, place), **definition.parameters)) for scene in scenes]
        except NotDefined as reason:
            return np.nan, str(reason)
        value = sum(parts) / len(parts)
        return value, _NO_VALUE.format(definition.name) if np.isnan(value) else ""


def _stacks(ir: _Levels, vis: _Levels, fused: Sequence[_Levels], whose: Convention) -> list[_Stack]:
    """Turn colour into grey levels as a convention does, and put together what can be measured together."""
    from fusionbench.metrics.triple import Scene

    if whose.luma != "per-channel":
        grey = [images.luma(levels, whose.luma) for levels in (ir, vis, *fused)]
        return [_Stack(list(range(len(fused))), [Scene(grey[0], grey[1], grey[2:])], None, whose)]
    stacks = []
    coloured = [i for i, levels in enumerate(fused) if levels.ndim == 3]
    if coloured:
        # A grey source stands for each of its three channels.
        channels = [images.planes(levels, "per-channel") * (5 - levels.ndim) for levels in (ir, vis)]
        channels += [images.planes(fused[i], "per-channel") for i in coloured]
        scenes = [Scene(first[band], second[band], [f[band] for f in rest]) for band in range(3) for first, second, *rest in [channels]]
        wide = None
        if whose.side_by_side:
            first, second, *rest = [np.concatenate(bands[:3], axis=1) for bands in channels]
            wide = Scene(first, second, rest)
        stacks.append(_Stack(coloured, scenes, wide, whose))
    others = [i for i, levels in enumerate(fused) if levels.ndim == 2]
    if others:
        # The programs that score channel by channel are MATLAB's, and so is their way from colour to grey.
        scene = Scene(images.luma(ir, "matlab"), images.luma(vis, "matlab"), [fused[i] for i in others])
        stacks.append(_Stack(others, [scene], None, whose))
    return stacks


def _usable(image: Image | str | Path, role: str) -> _Levels:
    if isinstance(image, str | Path):
        return _writable(images.read(Path(image)))
    return _writable(images.check(image, role))


def _writable(image: Image) -> _Levels:
    levels = images.to_levels(image)
    # For memory that may not be written to, every kernel would be compiled a second time.
    return levels if levels.flags.writeable else levels.copy()


def _label(image: Image | str | Path, role: str) -> str:
    return f"'{image}'" if isinstance(image, str | Path) else role


def _same_size(what: str, levels: _Levels, other: str, others: _Levels) -> None:
    if levels.shape[:2] != others.shape[:2]:
        (rows, columns), (other_rows, other_columns) = levels.shape[:2], others.shape[:2]
        raise UserError(
            f"{what} is {columns} x {rows} pixels (width x height) but {other} is {other_columns} x {other_rows}: a fused "
            "image and its sources must be of one size."
        )


class _Stopped(Exception):
    """Somebody wants the work to end now."""


@dataclass(frozen=True, slots=True)
class _Task:
    """One pair with all its fused images."""

    pair: Pair
    fused: tuple[Fused, ...]


@dataclass(frozen=True, slots=True)
class _Outcome:
    rows: list[Row]
    failures: list[Failure]
    hashes: dict[Path, str]


def _by_pair(methods: Iterable[pairing.MethodImages]) -> list[_Task]:
    fused: dict[Pair, list[Fused]] = {}
    for method in methods:
        for item in method.found:
            fused.setdefault(item.pair, []).append(item)
    return [_Task(pair, tuple(items)) for pair, items in fused.items()]


def _in_threads(
    tasks: Sequence[_Task], chosen: Sequence[Definition], whose: Convention, threads: int, progress: Progress | None
) -> list[_Outcome]:
    stop = threading.Event()
    pool = ThreadPoolExecutor(threads)
    try:
        futures = {pool.submit(_score_pair, task, chosen, whose, stop): task for task in tasks}
        done, total = 0, sum(len(task.fused) for task in tasks)
        if progress:
            progress(0, total)
        for future in as_completed(futures):
            future.result()
            done += len(futures[future].fused)
            if progress:
                progress(done, total)
        return [future.result() for future in futures]
    finally:
        # On an error or Ctrl-C: whatever runs leaves at the next metric instead of finishing its pair.
        stop.set()
        pool.shutdown(cancel_futures=True)


def _score_pair(task: _Task, chosen: Sequence[Definition], whose: Convention, stop: threading.Event) -> _Outcome:
    outcome = _Outcome([], [], {})
    try:
        ir, vis = _file(task.pair.ir, outcome), _file(task.pair.vis, outcome)
        _same_size(f"'{task.pair.vis}'", vis, f"'{task.pair.ir}'", ir)
    except UserError as reason:
        outcome.failures.extend(Failure(item.method, item.path.name, "", str(reason)) for item in task.fused)
        return outcome
    items, levels = [], []
    for item in task.fused:
        if stop.is_set():
            raise _Stopped
        try:
            fused = _file(item.path, outcome)
            _same_size(f"'{item.path}'", fused, f"'{task.pair.ir}'", ir)
        except UserError as reason:
            outcome.failures.append(Failure(item.method, item.path.name, "", str(reason)))
        else:
            items.append(item)
            levels.append(fused)
    for stack in _stacks(ir, vis, levels, whose) if items else []:
        for place, member in enumerate(stack.members):
            item, values = items[member], {}
            for definition in chosen:
                if stop.is_set():
                    raise _Stopped
                value, reason_ = _value(stack, definition, place)
                if reason_:
                    outcome.failures.append(Failure(item.method, item.path.name, definition.name, reason_))
                values[definition.name] = value
            outcome.rows.append(Row(item.method, item.path.name, task.pair.name, values))
    return outcome


def _value(stack: _Stack, definition: Definition, place: int) -> tuple[float, str]:
    try:
        return stack.value(definition, place)
    except Exception as error:  # a metric may be anybody's; its mistake must not cost the other scores
        return np.nan, f"it stopped with {type(error).__name__}: {error}"


def _file(path: Path, outcome: _Outcome) -> _Levels:
    import hashlib

    levels = _writable(images.read(path))
    with path.open("rb") as file:
        outcome.hashes[path] = hashlib.file_digest(file, "sha256").hexdigest()
    return levels


def _cores() -> int:
    # A container or a batch system may leave us fewer cores than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _warm_up(chosen: Sequence[Definition], whose: Convention) -> None:
    """Compile or load every kernel here, so that threads do not wait for one another to do it."""
    step = np.arange(64 * 64, dtype=np.int64).reshape(64, 64)
    planes = [(step * factor % 251).astype(np.uint8) for factor in (1, 3, 7)]
    [stack] = _stacks(planes[0], planes[1], planes[2:], whose)
    for definition in chosen:
        _value(stack, definition, 0)


def _print_on_stderr(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


@contextmanager
def _telling_of_compilation(notice: Callable[[str], None] | None) -> Iterator[None]:
    """Say once, before it happens, that a kernel is not in the cache and has to be compiled."""
    from numba.core import event

    class First(event.Listener):  # type: ignore[misc]
        said = notice is None

        def on_start(self, _: object) -> None:
            if not self.said and notice is not None:
                self.said = True
                notice(COMPILING)

        def on_end(self, _: object) -> None:
            pass

    with event.install_listener("numba:compile", First()):
        yield
