"""A benchmark that cannot be lost: what is to be done, what is done already, and how one becomes the other.

The unit of work is a pair: its sources are read once, every method that has no image of it makes one, and every image
whose scores are not known is scored. Whether something is done is told by content alone: an image carries the
fingerprint of its sources and of its recipe, a score that of its image and of its definition.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from fusionbench import images
from fusionbench.cells import Entry, Log, fingerprint, key
from fusionbench.fusing import fuse_levels, stored
from fusionbench.isolation import Isolated
from fusionbench.metrics.definitions import Definition
from fusionbench.recipe import Recipe
from fusionbench.scoring import STUMBLED, score_levels, warm_up
from fusionbench.types import Image, Levels, Pair, UserError
from fusionbench.workers import Stop, as_finished

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many images are done, and of how many."""

STAGES: Final = ("read", "fuse", "write", "score")


@dataclass(frozen=True, slots=True)
class Dataset:
    """Pairs under a name."""

    name: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """What images come from.

    Attributes
    ----------
    name : str
        Of the method in the results.
    recipe : Recipe or None
        How images are made; None if they were made elsewhere.
    found : mapping of (str, str) to Path
        Images made elsewhere, by dataset and pair.
    timeout : float or None
        Seconds that one image may take.
    """

    name: str
    recipe: Recipe | None = None
    found: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a run is to do.

    Attributes
    ----------
    folder : Path
        Where the results go.
    datasets, methods : tuple
        What is combined.
    definitions : mapping of (str, str) to tuple of Definition
        What is computed, by convention and its rule for colour.
    """

    folder: Path
    datasets: tuple[Dataset, ...]
    methods: tuple[Method, ...]
    definitions: Mapping[tuple[str, images.PlaneRule], tuple[Definition, ...]]

    @property
    def images(self) -> int:
        """How many fused images there are to be in the end."""
        return sum(len(dataset.pairs) for dataset in self.datasets) * len(self.methods)

    def keys(self) -> dict[str, Definition]:
        """Every definition by its fingerprint."""
        return {key(each, luma): each for (_, luma), group in self.definitions.items() for each in group}

    def image(self, dataset: str, method: Method, pair: str) -> Path | None:
        """Where the fused image is or will be; None if it was to be made elsewhere, and is not there."""
        if method.recipe is None:
            return method.found.get((dataset, pair))
        return self.folder / "fused" / dataset / method.name / f"{pair}.png"

    def log(self, dataset: str, method: str) -> Log:
        """What is known of a cell."""
        return Log(self.folder / "cells" / dataset / f"{method}.jsonl")


Known: TypeAlias = tuple[str, str, frozenset[str]]
"""Of one image: how it was made, its state, and of which definitions there are values."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no image, or no value of one metric."""

    dataset: str
    pair: str
    method: str
    metric: str
    convention: str
    reason: str


@dataclass(slots=True)
class Outcome:
    """What came of one pair.

    Attributes
    ----------
    dataset, pair, sources : str
        Which, and the fingerprint of the content of its sources.
    entries : dict of str to Entry
        By method, what is new.
    states : dict of str to str
        By method, the state of its image.
    failures : list of Failure
        Images that are not there; a metric without a value is no failure of the run.
    fused, scored : list of str
        Methods that made an image, and whose image was scored.
    seconds : dict of str to float
        Spent on each of `STAGES`.
    """

    dataset: str
    pair: str
    sources: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    fused: list[str] = field(default_factory=list)
    scored: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    def fail(self, method: str, reason: str) -> None:
        """There is no image of a method, or none that can be scored."""
        self.failures.append(Failure(self.dataset, self.pair, method, "", "", reason))

    @contextmanager
    def spending(self, stage: str) -> Iterator[None]:
        """Count the time of what happens meanwhile."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - start


@dataclass(frozen=True, slots=True)
class _Work:
    """What a worker needs besides the pair. `only_look`: find out what is to be done, and do nothing."""

    plan: Plan
    recipes: Mapping[str, str]
    keys: frozenset[str]
    only_look: bool
    isolated: Isolated
    stop: Stop
    done: list[str]


_Task: TypeAlias = tuple[str, Pair, Mapping[str, Known]]


def run(
    plan: Plan,
    *,
    only_look: bool = False,
    workers: int,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Iterator[Outcome]:
    """Do what is not done yet.

    Parameters
    ----------
    plan : Plan
        What there is to do.
    only_look : bool
        Find out what is not done, and leave it at that; nothing is written.
    workers : int
        How many threads.
    cluster : str, optional
        Address of a Dask scheduler whose workers do it instead; they must see the same files under the same names.
    progress : callable, optional
        Called several times a second with the number of images done, and of all.

    Yields
    ------
    Outcome
        Of each pair, as soon as it is done and on disk. Leaving early costs the pairs in work.

    Raises
    ------
    UserError
        If a file of results cannot be written: the disk is full, or the folder may not be written to.
    """
    recipes = {method.name: _recipe(method) for method in plan.methods if method.recipe}
    work = _Work(plan, recipes, frozenset(plan.keys()), only_look, Isolated(), Stop(), [])
    if not only_look:
        for (_, luma), group in plan.definitions.items():
            warm_up(group, luma)
    finished = 0

    def tick() -> None:
        if progress:
            # What another machine is doing is only known when a pair is done.
            progress(max(len(work.done), finished), plan.images)

    logs: dict[tuple[str, str], Log] = {}
    try:
        for outcome in as_finished(_Pairwise(work), _tasks(plan), workers, tick, cluster, work.stop):
            if not only_look:
                for method, entry in outcome.entries.items():
                    cell = outcome.dataset, method
                    if cell not in logs:
                        logs[cell] = plan.log(*cell)
                    logs[cell].add(entry)
            finished += len(plan.methods)
            tick()
            yield outcome
    except _Unwritten as error:
        raise UserError(f"{str(error).rstrip('.')}; then run the command again, and it goes on from there.") from None
    finally:
        work.stop.set()
        work.isolated.close()
        for log in logs.values():
            log.close()


def _tasks(plan: Plan) -> Iterator[_Task]:
    """Every pair, with what is known of its images."""
    interned: dict[frozenset[str], frozenset[str]] = {}
    for dataset in plan.datasets:
        known: dict[str, dict[str, Known]] = {}
        for method in plan.methods:
            for entry in plan.log(dataset.name, method.name).entries():
                there = known.setdefault(entry.pair, {})
                before = there.get(method.name)
                names = frozenset(entry.values)
                if before and before[1] == entry.state:
                    names |= before[2]
                there[method.name] = entry.made, entry.state, interned.setdefault(names, names)
        for pair in dataset.pairs:
            yield dataset.name, pair, known.get(pair.name, {})


def _recipe(method: Method) -> str:
    """Fingerprint of how a method makes images."""
    assert method.recipe is not None
    return fingerprint([method.recipe.record(), method.recipe.card.version, "png", 8])


@dataclass(frozen=True, slots=True)
class _Pairwise:
    """The work on one pair, as a function that can travel."""

    work: _Work

    def __call__(self, task: _Task) -> Outcome:
        dataset, pair, known = task
        work, outcome = self.work, Outcome(dataset, pair.name)
        try:
            with outcome.spending("read"):
                data = {role: images.contents(path) for role, path in (("ir", pair.ir), ("vis", pair.vis))}
                outcome.sources = "".join(hashlib.sha256(each).hexdigest()[:32] for each in data.values())
        except UserError as error:
            return self._without_sources(outcome, error)
        sources = _Sources(pair, data)
        to_score: dict[str, _Due] = {}
        for method in work.plan.methods:
            if work.stop.is_set():
                break
            wanted = fingerprint([work.recipes[method.name], outcome.sources]) if method.recipe else ""
            try:
                self._image(outcome, sources, method, wanted, known.get(method.name), to_score)
            except UserError as error:
                outcome.fail(method.name, str(error))
            if method.name not in to_score:
                work.done.append(pair.name)
        if work.only_look:
            return outcome
        self._score(outcome, sources, to_score)
        return outcome

    def _without_sources(self, outcome: Outcome, error: UserError) -> Outcome:
        for method in self.work.plan.methods:
            outcome.fail(method.name, str(error))
            self.work.done.append(outcome.pair)
        return outcome

    def _image(
        self,
        outcome: Outcome,
        sources: _Sources,
        method: Method,
        wanted: str,
        known: Known | None,
        to_score: dict[str, _Due],
    ) -> None:
        """See to it that there is an image, and find out whether it is to be scored."""
        work = self.work
        path = work.plan.image(outcome.dataset, method, outcome.pair)
        if path is None:
            raise UserError(f"There is no image of '{outcome.pair}' by {method.name}.")
        levels: Levels | None = None
        seconds: float | None = None
        state = ""
        if path.exists() or method.recipe is None:
            with outcome.spending("read"):
                content = images.contents(path)
                state = _state(outcome.sources, content)
                # What we made is ours as long as it says so; and if it once was another file, it was tampered with.
                mine = method.recipe is None or images.note_in(content) == wanted
                if known and known[0] == wanted and known[1] != state and method.recipe is not None:
                    mine = False
                missing = not known or known[1] != state or not work.keys <= known[2]
                if mine and missing and not work.only_look:
                    try:
                        levels = _levels(images.decode(content, path))
                    except UserError:
                        if method.recipe is None:
                            raise
                        mine = False
            if not mine:
                state = ""
        if not state:
            outcome.fused.append(method.name)
            if not work.only_look:
                levels, seconds = self._fuse(outcome, sources, method, path, wanted)
                with outcome.spending("read"):
                    state = _state(outcome.sources, images.contents(path))
        outcome.states[method.name] = state
        there = known[2] if known and known[1] == state else frozenset()
        due = work.keys - there
        if due:
            outcome.scored.append(method.name)
            to_score[method.name] = _Due(levels, due)
        if due or seconds is not None:
            outcome.entries[method.name] = Entry(outcome.pair, wanted, state, seconds=seconds)

    def _fuse(self, outcome: Outcome, sources: _Sources, method: Method, path: Path, note: str) -> tuple[Levels, float]:
        chosen = method.recipe
        assert chosen is not None
        with outcome.spending("read"):
            ir, vis = sources.read()
        start = time.perf_counter()
        try:
            with outcome.spending("fuse"):
                what = f"'{sources.pair.vis}'"
                if method.timeout is None:
                    fused = fuse_levels(chosen, ir, vis, what)
                else:
                    fused = self.work.isolated.fuse(chosen, ir, vis, what, method.timeout)
        except UserError:
            raise
        except Exception as error:  # a method may be anybody's; its mistake must not cost the other images
            raise UserError(f"It stopped with {type(error).__name__}: {error}") from error
        seconds = time.perf_counter() - start
        image = stored(fused, np.uint8, truncated=chosen.truncated)
        with outcome.spending("write"):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                # Waiting for the disk would take longer than most methods, and what a power cut spoils has no such note.
                images.write(path, image, note=note, durable=False)
            except (OSError, UserError) as error:
                raise _Unwritten(f"{error}") from error
        return _levels(image), seconds

    def _score(self, outcome: Outcome, sources: _Sources, to_score: Mapping[str, _Due]) -> None:
        """Compute whatever is missing of some images, and note it in the entries."""
        work = self.work
        usable: dict[str, Levels] = {}
        if not to_score:
            return
        with outcome.spending("read"):
            try:
                ir, vis = (_levels(image) for image in sources.read())
            except UserError as error:
                for name in to_score:
                    outcome.fail(name, str(error))
                    del outcome.entries[name]
                work.done.extend(to_score)
                return
        for name, wanting in to_score.items():
            levels = wanting.levels
            assert levels is not None
            if levels.shape[:2] == ir.shape[:2]:
                usable[name] = levels
            else:
                one, two = (f"{columns} x {rows}" for rows, columns in (levels.shape[:2], ir.shape[:2]))
                outcome.fail(name, f"Its image of '{outcome.pair}' is {one} pixels, but the sources are {two}.")
                del outcome.entries[name]
        names = list(usable)
        values: dict[str, dict[str, float]] = {name: {} for name in names}
        reasons: dict[str, dict[str, str]] = {name: {} for name in names}
        planes = list(usable.values())
        due = frozenset[str]().union(*(to_score[name].keys for name in names))
        with outcome.spending("score"):
            for luma, group in _groups(work.plan, [ir, vis, *planes], due).items():
                definitions = list(group.values())
                for place, found, why in score_levels(ir, vis, planes, definitions, luma, work.stop):
                    for name, definition, value, reason in zip(group, definitions, found, why, strict=True):
                        # What a metric stumbled over may be mended: only what it said is kept, and it is asked again.
                        if reason.startswith(STUMBLED):
                            outcome.failures.append(
                                Failure(
                                    outcome.dataset,
                                    outcome.pair,
                                    names[place],
                                    definition.name,
                                    definition.convention,
                                    reason,
                                )
                            )
                            continue
                        values[names[place]][name] = value
                        if reason:
                            reasons[names[place]][name] = reason
        for name in names:
            before = outcome.entries[name]
            outcome.entries[name] = Entry(
                before.pair, before.made, before.state, values[name], reasons[name], before.seconds
            )
        work.done.extend(to_score)


@dataclass(frozen=True, slots=True)
class _Due:
    """An image to be scored, and the fingerprints of the definitions that it lacks."""

    levels: Levels | None
    keys: frozenset[str]


class _Unwritten(Exception):
    """A file of results could not be written: no reason to try the next."""


class _Sources:
    """The images of a pair, decoded when they are first wanted."""

    def __init__(self, pair: Pair, data: Mapping[str, bytes]) -> None:
        self.pair = pair
        self._data = data
        self._images: tuple[Image, Image] | None = None

    def read(self) -> tuple[Image, Image]:
        """Infrared and visible image, of one size."""
        if self._images is None:
            ir, vis = images.decode(self._data["ir"], self.pair.ir), images.decode(self._data["vis"], self.pair.vis)
            if ir.shape[:2] != vis.shape[:2]:
                one, two = (f"{columns} x {rows}" for rows, columns in (vis.shape[:2], ir.shape[:2]))
                raise UserError(
                    f"'{self.pair.vis}' is {one} pixels (width x height) but '{self.pair.ir}' is {two}: the sources of a "
                    "pair must be of one size."
                )
            self._images = ir, vis
        return self._images


def _groups(plan: Plan, stack: Sequence[Levels], due: frozenset[str]) -> dict[images.PlaneRule, dict[str, Definition]]:
    """The definitions that are due, by fingerprint, for each rule for colour."""
    grey = all(levels.ndim == 2 for levels in stack)
    groups: dict[images.PlaneRule, dict[str, Definition]] = {}
    for (_, luma), definitions in plan.definitions.items():
        named = {name: each for each in definitions if (name := key(each, luma)) in due}
        if named:
            # Where there is no colour all rules agree, and what conventions have in common is measured once.
            groups.setdefault("bt601" if grey else luma, {}).update(named)
    return groups


def _state(sources: str, content: bytes) -> str:
    return fingerprint([sources, hashlib.sha256(content).hexdigest()])


def _levels(image: Image) -> Levels:
    levels = images.to_levels(image)
    # For memory that may not be written to, every kernel would be compiled a second time.
    return levels if levels.flags.writeable else levels.copy()
