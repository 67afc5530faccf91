"""The nouns of a benchmark: what is to be done, what is known of it, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from fusionbench import pixels
from fusionbench.cells import Entry, Log, key
from fusionbench.metrics.definitions import Definition
from fusionbench.recipe import Recipe
from fusionbench.types import Pair

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
    definitions: Mapping[tuple[str, pixels.PlaneRule], tuple[Definition, ...]]

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
        return place(self.folder, dataset, method.name, pair)

    def log(self, dataset: str, method: str) -> Log:
        """What is known of a cell."""
        return Log(self.folder / "cells" / dataset / f"{method}.jsonl")


def place(folder: Path, dataset: str, method: str, pair: str) -> Path:
    """Where an image that is made here goes."""
    return folder / "fused" / dataset / method / f"{pair}.png"


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
