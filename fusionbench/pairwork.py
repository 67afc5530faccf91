"""The work on one pair: whatever is missing of its images is made, and whatever is missing of their scores computed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fusionbench import images, pixels
from fusionbench.benchmark import Failure, Known, Method, Outcome, place
from fusionbench.cells import Entry, fingerprint
from fusionbench.fusing import fuse_levels, stored
from fusionbench.isolation import Isolated
from fusionbench.metrics.definitions import Definition
from fusionbench.stacks import STUMBLED, score_levels
from fusionbench.types import Image, Levels, Pair, UserError
from fusionbench.workers import Stop


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker needs besides the pair, and no more: it may travel with every single one.

    `recipes` has the fingerprints of the methods that are run here, `definitions` those of what is computed, by the rule for
    colour. `only_look`: find out what is to be done, and do nothing.
    """

    folder: Path
    methods: tuple[Method, ...]
    recipes: Mapping[str, str]
    definitions: Mapping[pixels.PlaneRule, Mapping[str, Definition]]
    keys: frozenset[str]
    only_look: bool
    isolated: Isolated
    stop: Stop
    done: list[str]


Task: TypeAlias = tuple[str, Pair, Mapping[str, Known], Mapping[str, Path]]
"""A pair of a dataset, what is known of its images, and those that were made elsewhere."""


@dataclass(frozen=True, slots=True)
class OnPair:
    """The work on one pair, as a function that can travel."""

    work: Work

    def __call__(self, task: Task) -> Outcome:
        """Do what is missing, and tell what came of it."""
        dataset, pair, known, elsewhere = task
        work, outcome = self.work, Outcome(dataset, pair.name)
        try:
            with outcome.spending("read"):
                data = {role: images.contents(path) for role, path in (("ir", pair.ir), ("vis", pair.vis))}
                outcome.sources = "".join(hashlib.sha256(each).hexdigest()[:32] for each in data.values())
        except UserError as error:
            return self._without_sources(outcome, error)
        sources = _Sources(pair, data)
        to_score: dict[str, _Due] = {}
        for method in work.methods:
            if work.stop.is_set():
                break
            path = elsewhere.get(method.name)
            wanted = ""
            if method.recipe:
                path = place(work.folder, dataset, method.name, pair.name)
                wanted = fingerprint([work.recipes[method.name], outcome.sources])
            try:
                if path is None:
                    raise UserError(f"There is no image of '{pair.name}' by {method.name}.")
                self._image(outcome, sources, method, path, wanted, known.get(method.name), to_score)
            except UserError as error:
                outcome.fail(method.name, str(error))
            if method.name not in to_score:
                work.done.append(pair.name)
        if work.only_look:
            return outcome
        self._score(outcome, sources, to_score)
        return outcome

    def _without_sources(self, outcome: Outcome, error: UserError) -> Outcome:
        for method in self.work.methods:
            outcome.fail(method.name, str(error))
            self.work.done.append(outcome.pair)
        return outcome

    def _image(
        self,
        outcome: Outcome,
        sources: _Sources,
        method: Method,
        path: Path,
        wanted: str,
        known: Known | None,
        to_score: dict[str, _Due],
    ) -> None:
        """See to it that there is an image, and find out whether it is to be scored."""
        work = self.work
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
                        levels = pixels.to_levels(images.decode(content, path))
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
                raise Unwritten(f"{error}") from error
        return pixels.to_levels(image), seconds

    def _score(self, outcome: Outcome, sources: _Sources, to_score: Mapping[str, _Due]) -> None:
        """Compute whatever is missing of some images, and note it in the entries."""
        work = self.work
        usable: dict[str, Levels] = {}
        if not to_score:
            return
        with outcome.spending("read"):
            try:
                ir, vis = (pixels.to_levels(image) for image in sources.read())
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
                sizes = f"{pixels.size(levels)} pixels, but the sources are {pixels.size(ir)}"
                outcome.fail(name, f"Its image of '{outcome.pair}' is {sizes}.")
                del outcome.entries[name]
        names = list(usable)
        values: dict[str, dict[str, float]] = {name: {} for name in names}
        reasons: dict[str, dict[str, str]] = {name: {} for name in names}
        planes = list(usable.values())
        due = frozenset[str]().union(*(to_score[name].keys for name in names))
        with outcome.spending("score"):
            for luma, group in _groups(work.definitions, [ir, vis, *planes], due).items():
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


class Unwritten(Exception):
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
            pixels.same_size(f"'{self.pair.vis}'", vis, f"'{self.pair.ir}'", ir)
            self._images = ir, vis
        return self._images


def _groups(
    definitions: Mapping[pixels.PlaneRule, Mapping[str, Definition]], stack: Sequence[Levels], due: frozenset[str]
) -> dict[pixels.PlaneRule, dict[str, Definition]]:
    """The definitions that are due, by fingerprint, for each rule for colour."""
    grey = all(levels.ndim == 2 for levels in stack)
    groups: dict[pixels.PlaneRule, dict[str, Definition]] = {}
    for luma, named in definitions.items():
        wanted = {name: each for name, each in named.items() if name in due}
        if wanted:
            # Where there is no colour all rules agree, and what conventions have in common is measured once.
            groups.setdefault("bt601" if grey else luma, {}).update(wanted)
    return groups


def _state(sources: str, content: bytes) -> str:
    return fingerprint([sources, hashlib.sha256(content).hexdigest()])
