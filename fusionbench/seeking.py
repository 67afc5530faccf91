"""The search for the definition that makes one column of published numbers.

A definition is tried on a few images first and, if it could be it, on all of them. What is tried comes in an order from plain
to far-fetched (`LEVELS`), and the first that agrees is the answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from fusionbench.candidates import Bench, Candidate, coloured, registered, renamed, variants
from fusionbench.claims import Claim
from fusionbench.pairing import natural_key
from fusionbench.relations import SAME, Relation, relations_of
from fusionbench.types import Fused, UserError
from fusionbench.verdicts import Match, Verdict

ROUNDING: Final = 1e-5
"""Relative: by so much programs in single precision are off. Of several definitions within it, the closest counts."""
ALIKE: Final = 10.0
"""Definitions whose worst differences are within this factor cannot be told apart."""
EXACT: Final = 1e-10
"""Relative differences below this are the order of sums, and say nothing."""
MOST: Final = 0.75
"""Share of the numbers that must agree: now and then an image was published anew after the table."""
COINCIDENCE: Final = 0.01
"""What is far-fetched must not be expected to agree by chance more often than this."""
_SAMPLES: Final = 4
_ROUGHLY: Final = 3


@dataclass(frozen=True, slots=True)
class Subset:
    """Some of the pairs, by name, over which a mean may have been taken."""

    name: str
    pairs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Target:
    """A number, and the fused images that it is of: one, or those that it is the mean over."""

    claim: Claim
    items: tuple[Fused, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """What is tried together."""

    renamed: bool = False
    near: bool = False
    related: bool = False
    fewer: Literal["", "named", "first"] = ""

    @property
    def far_fetched(self) -> bool:
        """Whether chance has to be reckoned with: so many things are tried that one may agree."""
        return self.near or self.related or self.fewer == "first"


LEVELS: Final = (
    Level(),
    Level(renamed=True),
    Level(related=True),
    Level(fewer="named"),
    Level(fewer="first"),
    Level(near=True),
    Level(near=True, related=True),
)
Hypothesis: TypeAlias = tuple[Candidate, Relation, Subset | None]
Need: TypeAlias = tuple[Candidate, Fused]


class Seeker:
    """Looks for what makes one column.

    Parameters
    ----------
    column : str
        What the table calls it.
    targets : sequence of Target
        Its numbers.
    bench : Bench
        Where values are looked up; whoever asks `rough`, `sample` and `all_images` for what is needed lets it measure that.
    subsets : sequence of Subset
        Over which pairs means may be, beside all of them and the first so many.
    """

    def __init__(self, column: str, targets: Sequence[Target], bench: Bench, subsets: Sequence[Subset]) -> None:
        self.column, self.targets, self.bench = column, targets, bench
        self.metric = targets[0].claim.metric
        self.means = any(len(target.items) > 1 for target in targets)
        self.samples = _samples(targets)
        self.subsets = {"named": subsets, "first": _first_so_many(targets)} if self.means else {}
        self.matches: list[Match] = []
        self.looser: list[Match] = []
        self.weak: list[Match] = []
        self._candidates: list[Candidate] = []
        self._left: list[Hypothesis] = []
        self._tried = 0

    def rough(self, level: Level) -> list[Need]:
        """What has to be computed before the many images of a mean are."""
        self._candidates = self._of(level)
        if not (self.means and level.near):
            return []
        return [(candidate, item) for candidate in self._candidates for item in self._few()]

    def sample(self, level: Level) -> list[Need]:
        """What has to be computed to see what could be it at all."""
        if self.means and level.near:
            self._candidates = [each for each in self._candidates if self._about(each, level)]
        items = [item for target in self.samples for item in target.items]
        return [(candidate, item) for candidate in self._candidates for item in items]

    def all_images(self, level: Level) -> list[Need]:
        """What has to be computed to see whether what could be it is."""
        subsets: Sequence[Subset | None] = self.subsets.get(level.fewer, []) if level.fewer else [None]
        hypotheses = [
            (candidate, relation, subset)
            for candidate in self._candidates
            for relation in self._relations(level)
            for subset in subsets
        ]
        self._tried = len(hypotheses)
        self._left = [each for each in hypotheses if self._possible(each)]
        return [(each[0], item) for each in self._left for target in self.targets for item in target.items]

    def everything(self) -> list[Need]:
        """What has to be computed to say what comes nearest."""
        items = [item for target in self.targets for item in target.items]
        return [(candidate, item) for candidate in registered(self.metric) for item in items]

    def conclude(self, level: Level) -> None:
        """See which of what is left makes the numbers."""
        found = [match for match in map(self._match, self._left) if match.agree >= MOST * len(self.targets)]
        if not level.far_fetched:
            return self.accept(found)
        if level.fewer:
            self.weak = found
        return self.accept([match for match in found if match.coincidence <= COINCIDENCE])

    def accept(self, found: Sequence[Match]) -> None:
        """Take these as what makes the numbers: the closest, and what is about as close; the others as looser."""
        most = max((match.agree for match in found), default=0)
        best = min((match.worst for match in found if match.agree == most), default=0.0)
        for match in sorted(found, key=lambda match: (-match.agree, match.worst)):
            alike = match.agree == most and match.worst <= max(ALIKE * best, EXACT)
            (self.matches if alike else self.looser).append(match)

    def verdict(self) -> Verdict:
        """What was found."""
        closest, hint = None, ""
        if not self.matches:
            nearest = [self._match((candidate, SAME, None)) for candidate in registered(self.metric)]
            closest = min(nearest, key=lambda match: (-match.agree, match.off), default=None)
            hint = self._reordered()
        parts = tuple(self.matches), tuple(self.looser), closest, hint
        return Verdict(self.metric, self.column, len(self.targets), *parts)

    def _of(self, level: Level) -> list[Candidate]:
        if level.renamed:
            return renamed(self.metric)
        if not level.near:
            return registered(self.metric)
        return variants(self.metric, coloured=any(_coloured(target.items[0]) for target in self.samples))

    def _relations(self, level: Level) -> list[Relation]:
        return relations_of(self.metric) if level.related else [SAME]

    def _few(self) -> Sequence[Fused]:
        return self.samples[0].items[:_ROUGHLY]

    def _about(self, candidate: Candidate, level: Level) -> bool:
        """Whether a few of the images have about the mean of all."""
        said = abs(self.samples[0].claim.value)
        values = np.array([self.bench.value(candidate, item) for item in self._few()])
        means = [abs(float(relation.apply(values).mean())) for relation in self._relations(level)]
        return any(said <= 2 * mean and mean <= 2 * said for mean in means)

    def _possible(self, hypothesis: Hypothesis) -> bool:
        good = sum(self._difference(hypothesis, target) <= ROUNDING for target in self.samples)
        return 2 * good >= len(self.samples)

    def _ours(self, hypothesis: Hypothesis, target: Target) -> float:
        candidate, relation, subset = hypothesis
        items = [item for item in target.items if subset is None or item.pair.name in subset.pairs]
        if not items:
            return math.nan
        values = np.array([self.bench.value(candidate, item) for item in items])
        with np.errstate(over="ignore", invalid="ignore"):
            return float(relation.apply(values).mean())

    def _difference(self, hypothesis: Hypothesis, target: Target) -> float:
        """Relative, beyond what printing took away; infinite where we have no number."""
        claim = target.claim
        ours = self._ours(hypothesis, target)
        if math.isnan(ours):
            return math.inf
        # The slack is a decimal fraction; its double may lie on the other side of a tie.
        beyond = max(0.0, abs(ours - claim.value) - claim.slack * (1 + 1e-9))
        return beyond / max(abs(claim.value), 1e-300)

    def _match(self, hypothesis: Hypothesis) -> Match:
        candidate, relation, subset = hypothesis
        differences = [self._difference(hypothesis, target) for target in self.targets]
        good = [difference for difference in differences if difference <= ROUNDING]
        of_methods: dict[str, list[bool]] = {}
        for target, difference in zip(self.targets, differences, strict=True):
            of_methods.setdefault(target.items[0].method, []).append(difference <= ROUNDING)
        differ = tuple(name for name, oks in of_methods.items() if not any(oks)) if good else ()
        return Match(
            candidate,
            relation,
            subset.name if subset else "",
            len(good),
            max(good, default=math.inf),
            float(np.median(differences)),
            self._coincidence(hypothesis, len(good)),
            differ,
        )

    def _coincidence(self, hypothesis: Hypothesis, good: int) -> float:
        """Expected number of hypotheses that agree as often by chance, if their numbers were spread as the tried ones are.

        A mean over fewer images lies near that over all, so that chance meets it more often.
        """
        chances = []
        for target in self.targets:
            width = value = abs(target.claim.value)
            if hypothesis[2] is not None:
                tried = [self._ours((*hypothesis[:2], subset), target) for subset in self.subsets["first"]]
                finite = [each for each in tried if math.isfinite(each)]
                width = max(finite, default=value) - min(finite, default=0.0) or value
            reach = 2 * (target.claim.slack + ROUNDING * value)
            chances.append(min(1.0, reach / width) if width else 1.0)
        # Of n numbers those that agree need not be the least likely ones.
        likely = sorted(chances, reverse=True)[:good]
        return float(self._tried * math.comb(len(chances), good) * math.prod(likely))

    def _reordered(self) -> str:
        """Whether a convention makes the numbers of every method, but of other images than they stand beside."""
        for candidate in registered(self.metric):
            per_method: dict[str, tuple[list[float], list[float], list[float]]] = {}
            for target in self.targets:
                said, ours, slack = per_method.setdefault(target.items[0].method, ([], [], []))
                said.append(target.claim.value)
                ours.append(self._ours((candidate, SAME, None), target))
                slack.append(target.claim.slack + ROUNDING * abs(target.claim.value))
            if all(
                len(said) > 2 and bool(np.all(np.abs(np.sort(said) - np.sort(ours)) <= max(slack)))
                for said, ours, slack in per_method.values()
            ):
                return f"{candidate.label} makes the same numbers in another order: check which image each one is of"
        return ""


def agree_on_a_subset(seekers: Sequence[Seeker]) -> None:
    """Accept a number of pairs that explains the means of most columns, though chance might do so in any one of them."""
    names = {match.subset for seeker in seekers for match in seeker.weak}
    trials = max((len(seeker.subsets.get("first", [])) for seeker in seekers), default=0)
    joint = {}
    for name in names:
        own = [[match for match in seeker.weak if match.subset == name] for seeker in seekers]
        chances = [min(1.0, min(match.coincidence for match in each) / trials) for each in own if each]
        if 2 * len(chances) > len(seekers):
            joint[name] = trials * math.prod(chances)
    if joint and joint[best := min(joint, key=lambda name: joint[name])] <= COINCIDENCE:
        for seeker in seekers:
            seeker.accept([match for match in seeker.weak if match.subset == best])


def _samples(targets: Sequence[Target]) -> list[Target]:
    """A few targets of different methods and images; for means, two of few images."""
    if any(len(target.items) > 1 for target in targets):
        return sorted(targets, key=lambda target: len(target.items))[:2]
    at = np.linspace(0, len(targets) - 1, min(_SAMPLES, len(targets))).round().astype(int)
    return [targets[index] for index in at]


def _first_so_many(targets: Sequence[Target]) -> list[Subset]:
    """The first 1, 2, ... of the pairs: what a folder was cut to."""
    names = {item.pair.name for target in targets for item in target.items}
    ordered = sorted(names, key=natural_key)
    total = len(ordered)
    return [Subset(f"the first {n} of {total} pairs", frozenset(ordered[:n])) for n in range(1, total)]


def _coloured(item: Fused) -> bool:
    try:
        return coloured(item)
    except UserError:  # an image that cannot be read is reported where it is scored
        return False
