"""Definitions that a published number may follow: those of the conventions, and what is one choice away from them.

And their values on images, each computed once.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench import images, pixels
from fusionbench.metrics import METRICS
from fusionbench.metrics.conventions import CONVENTIONS
from fusionbench.metrics.definitions import Definition, conventions_with
from fusionbench.scoring import Progress
from fusionbench.stacks import score_levels, warm_up
from fusionbench.types import Fused, Pair, UserError
from fusionbench.workers import Stop, as_finished, count, telling_of_compilation

Key: TypeAlias = tuple[str, str, bool, str]

# What a keyword that is a number is set to in code that people have, beside what the conventions set it to.
_NUMBERS: Final[Mapping[str, tuple[float, ...]]] = {
    "data_range": (1.0, 2.0, 255.0),
    "ddof": (0, 1),
    "log_base": (2.0, math.e, 10.0),
    "peak": (1.0, 255.0),
    "scale": (1.0, 255.0),
}
_SHARED_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "FMI_pixel": ("FMI_gradient", "FMI_edge", "FMI_dct", "FMI_w"),
    "MI": ("NMI",),
    "NMI": ("MI",),
    "VIF": ("VIFF",),
    "VIFF": ("VIF",),
}
"""Metrics that some programs call by the name of another one: CDDFuse's VIFF is VIF."""
_ONE_SIZE: Final = "give images of one size"
_GREY: Final[tuple[pixels.LumaRule, ...]] = ("matlab", "bt601", "pillow")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One definition.

    Attributes
    ----------
    definition : Definition
        What is computed.
    luma : {"matlab", "bt601", "pillow", "per-channel"}
        How colour becomes grey.
    conventions : tuple of str
        The conventions that define it so; of a variant, the one that it departs from.
    change : str
        In what a variant departs, e.g. ``"log_base=10.0"``; empty for a definition of a convention.
    renamed : bool
        Whether it is of another metric than the one whose name was given.
    """

    definition: Definition
    luma: pixels.PlaneRule
    conventions: tuple[str, ...]
    change: str = ""
    renamed: bool = False

    @property
    def key(self) -> Key:
        """What it computes, whoever defines it so."""
        own = self.definition
        return own.name, self.luma, own.side_by_side, repr(sorted(own.parameters.items()))

    @property
    def label(self) -> str:
        """E.g. ``"tang = tang-uint8"``, ``"vifb with log_base=10.0"``, or ``"cddfuse (its VIF)"``."""
        other = f" (its {self.definition.name})" * self.renamed
        return " = ".join(self.conventions) + other + f" with {self.change}" * bool(self.change)


def registered(metric: str) -> list[Candidate]:
    """A metric as the conventions define it; those that agree on everything are one candidate."""
    found: dict[Key, Candidate] = {}
    for name, definition in conventions_with(metric).items():
        new = Candidate(definition, CONVENTIONS[name].luma, (name,))
        old = found.get(new.key)
        found[new.key] = replace(old, conventions=(*old.conventions, name)) if old else new
    return list(found.values())


def renamed(metric: str) -> list[Candidate]:
    """The conventions' definitions of metrics that are called like this one elsewhere."""
    others = [name for name in _SHARED_NAMES.get(metric, ()) if name in METRICS]
    return [replace(candidate, renamed=True) for name in others for candidate in registered(name)]


def variants(metric: str, *, coloured: bool) -> list[Candidate]:
    """Every definition that departs from a convention in one keyword or, where there is colour, in the rule for it."""
    bases = registered(metric)
    found = {base.key: base for base in bases}
    for base in bases:
        own = base.definition
        whose = base.conventions[:1]
        for keyword, value in _choices(own.function, [each.definition.parameters for each in bases]):
            changed = replace(own, parameters={**own.parameters, keyword: value})
            new = Candidate(changed, base.luma, whose, f"{keyword}={value!r}")
            found.setdefault(new.key, new)
        for rule in (*_GREY, "per-channel") if coloured else ():
            new = Candidate(own, typing.cast(pixels.PlaneRule, rule), whose, f"grey={rule!r}")
            found.setdefault(new.key, new)
    return [candidate for candidate in found.values() if candidate.change]


def _choices(function: Callable[..., float], used: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Each keyword with each value that it may well have."""
    try:
        hints = typing.get_type_hints(function)
    except NameError:  # a user's metric may name types that exist for type checkers alone
        hints = {}
    for keyword in used[0]:
        values = [*_words(hints.get(keyword)), *_NUMBERS.get(keyword, ()), *(each[keyword] for each in used)]
        for value in dict.fromkeys(values):
            yield keyword, value


def _words(hint: Any) -> list[Any]:
    """The words that a type allows."""
    if typing.get_origin(hint) is Literal:
        return list(typing.get_args(hint))
    return [word for part in typing.get_args(hint) for word in _words(part)]


@dataclass
class Bench:
    """What candidates are worth on images, computed when first needed.

    Parameters
    ----------
    workers : int, optional
        Threads; by default one a core.
    progress : callable, optional
        Told how many fused images are done, and of how many.
    notice : callable, optional
        Told once, before kernels are compiled, if they have to be.

    Attributes
    ----------
    unusable : dict of Path to str
        Fused images that cannot be scored, and why.
    """

    workers: int | None = None
    progress: Progress | None = None
    notice: Callable[[str], None] | None = None
    unusable: dict[Path, str] = field(default_factory=dict)
    _values: dict[tuple[Key, Path], float] = field(default_factory=dict)
    _warm: set[Key] = field(default_factory=set)

    def value(self, candidate: Candidate, item: Fused) -> float:
        """What `measure` found; NaN where there is no value."""
        return self._values.get((candidate.key, item.path), math.nan)

    def measure(self, wanted: Iterable[tuple[Candidate, Fused]]) -> None:
        """Compute what is not known yet."""
        tasks: dict[Pair, tuple[dict[Path, Fused], dict[Key, Candidate]]] = {}
        for candidate, item in wanted:
            if (candidate.key, item.path) not in self._values and item.path not in self.unusable:
                fused, candidates = tasks.setdefault(item.pair, ({}, {}))
                fused[item.path] = item
                candidates[candidate.key] = candidate
        if not tasks:
            return
        everyone = {key: each for _, candidates in tasks.values() for key, each in candidates.items()}
        total = sum(len(fused) for fused, _ in tasks.values())
        done = 0
        stop = Stop()
        with telling_of_compilation(self.notice):
            for key, each in everyone.items():
                if key not in self._warm:
                    warm_up([each.definition], each.luma)
            self._warm |= everyone.keys()
            work = partial(_measure_pair, stop=stop)
            jobs = [(pair, list(f.values()), list(c.values())) for pair, (f, c) in tasks.items()]
            for images_done, values, unusable in as_finished(work, jobs, count(self.workers), stop=stop):
                self._values |= values
                self.unusable |= unusable
                done += images_done
                if self.progress:
                    self.progress(done, total)


def coloured(item: Fused) -> bool:
    """Whether a fused image or a source of it has colour.

    Raises
    ------
    UserError
        If a file cannot be read.
    """
    return not all(pixels.is_grey(_levels(path)) for path in (item.pair.ir, item.pair.vis, item.path))


def _measure_pair(
    job: tuple[Pair, list[Fused], list[Candidate]], *, stop: Stop
) -> tuple[int, dict[tuple[Key, Path], float], dict[Path, str]]:
    pair, fused, candidates = job
    values: dict[tuple[Key, Path], float] = {}
    unusable: dict[Path, str] = {}
    try:
        ir, vis = _levels(pair.ir), _levels(pair.vis)
        pixels.same_size(f"'{pair.vis}'", vis, f"'{pair.ir}'", ir, _ONE_SIZE)
    except UserError as error:
        return len(fused), values, {item.path: str(error) for item in fused}
    usable: list[tuple[Fused, NDArray[np.uint8]]] = []
    for item in fused:
        try:
            levels = _levels(item.path)
            pixels.same_size(f"'{item.path}'", levels, f"'{pair.ir}'", ir, _ONE_SIZE)
            usable.append((item, levels))
        except UserError as error:
            unusable[item.path] = str(error)
    # Where nothing has colour, every rule for it is the same one: what differs in the rule alone is computed once.
    everything = [ir, vis, *(levels for _, levels in usable)]
    grey = all(map(pixels.is_grey, everything))
    plain = all(levels.ndim == 2 for levels in everything)
    by_rule: dict[pixels.PlaneRule, dict[str, list[Candidate]]] = {}
    for candidate in candidates:
        rule = _GREY[0] if plain or (grey and candidate.luma in _GREY) else candidate.luma
        name, _, side_by_side, parameters = candidate.key
        same = f"{name} {side_by_side and not plain} {parameters}"
        by_rule.setdefault(rule, {}).setdefault(same, []).append(candidate)
    for rule, groups in by_rule.items():
        chosen = [group[0].definition for group in groups.values()]
        for place, scores, _ in score_levels(ir, vis, [levels for _, levels in usable], chosen, rule, stop):
            for group, score in zip(groups.values(), scores, strict=True):
                values |= {(each.key, usable[place][0].path): score for each in group}
    return len(fused), values, unusable


def _levels(path: Path) -> NDArray[np.uint8]:
    return pixels.to_levels(images.read(path))
