"""What is found of published numbers: which definition makes them, and how well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import fusionbench
from fusionbench.candidates import Candidate
from fusionbench.relations import SAME, Relation


@dataclass(frozen=True, slots=True)
class Match:
    """A definition, and how well it makes the numbers.

    Attributes
    ----------
    candidate : Candidate
        The definition.
    relation : Relation
        What is done to its number; `SAME` if nothing.
    subset : str
        Over which pairs means are; empty for all.
    agree : int
        How many of the numbers it makes, as far as they are printed.
    worst : float
        Largest relative difference of these, beyond half a unit of the last digit printed.
    off : float
        Median relative difference of all numbers.
    coincidence : float
        How many such agreements chance would give, for as many definitions as were tried.
    differ : tuple of str
        Methods of which not a single number agrees, where others do.
    """

    candidate: Candidate
    relation: Relation
    subset: str
    agree: int
    worst: float
    off: float
    coincidence: float
    differ: tuple[str, ...] = ()

    @property
    def beyond(self) -> str:
        """What there is besides the definition, e.g. ``" × 2, mean over the first 20 of 42 pairs"``."""
        related = f" {self.relation.name}" * bool(self.relation.name)
        return related + f", mean over {self.subset}" * bool(self.subset)

    @property
    def label(self) -> str:
        """E.g. ``"tang = tang-uint8 × 2"``."""
        return self.candidate.label + self.beyond

    @property
    def conventions(self) -> tuple[str, ...]:
        """The conventions whose own numbers these are; none for what only departs from one."""
        plain = not self.candidate.change and self.relation is SAME
        return self.candidate.conventions if plain else ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is found of one column.

    Attributes
    ----------
    metric, column : str
        Our name and the table's.
    values : int
        How many numbers there are.
    matches : tuple of Match
        What makes them, all equally well; none if nothing does.
    looser : tuple of Match
        What agrees too, less closely.
    closest : Match or None
        Where nothing matches, what comes nearest.
    hint : str
        Where nothing matches, what else is seen.
    """

    metric: str
    column: str
    values: int
    matches: tuple[Match, ...] = ()
    looser: tuple[Match, ...] = ()
    closest: Match | None = None
    hint: str = ""

    @property
    def made_by(self) -> str:
        """All that makes these numbers equally well; empty if nothing does."""
        labels: dict[str, list[str]] = {}
        for match in self.matches:
            labels.setdefault(match.beyond, []).append(match.candidate.label)
        return " = ".join(" = ".join(own) + beyond for beyond, own in labels.items())

    @property
    def conventions(self) -> tuple[str, ...]:
        """The conventions that make these numbers, equally well."""
        return tuple(dict.fromkeys(name for match in self.matches for name in match.conventions))


@dataclass(frozen=True)
class Identification:
    """What is found of a table.

    Attributes
    ----------
    name : str
        The table.
    verdicts : tuple of Verdict
        One a column, in its order.
    remarks : tuple of str
        What could not be used, and what has no partner.
    failures : mapping of str to str
        Fused images that could not be scored, and why.
    """

    name: str
    verdicts: tuple[Verdict, ...]
    remarks: tuple[str, ...]
    failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def conventions(self) -> dict[str, int]:
        """How many columns each convention makes, most first; conventions that make none are left out."""
        names = [name for verdict in self.verdicts for name in verdict.conventions]
        counts = {name: names.count(name) for name in dict.fromkeys(names)}
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    @property
    def best(self) -> tuple[str, ...]:
        """The convention that makes most columns; several if they make as many."""
        counts = self.conventions
        return tuple(name for name, number in counts.items() if number == max(counts.values()))

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "fusionbench": fusionbench.__version__,
            "table": self.name,
            "conventions": self.conventions,
            "best": list(self.best),
            "metrics": [
                {
                    "metric": each.metric,
                    "column": each.column,
                    "values": each.values,
                    "conventions": list(each.conventions),
                    "matches": [_described(match) for match in each.matches],
                    "looser": [_described(match) for match in each.looser],
                    "closest": _described(each.closest) if each.closest else None,
                    "hint": each.hint,
                }
                for each in self.verdicts
            ],
            "remarks": list(self.remarks),
            "failures": dict(self.failures),
        }


def _described(match: Match) -> dict[str, Any]:
    candidate = match.candidate
    return {
        "label": match.label,
        "conventions": list(candidate.conventions),
        "change": candidate.change,
        "relation": match.relation.name,
        "relation_means": match.relation.reason,
        "subset": match.subset,
        "grey": candidate.luma,
        "parameters": dict(candidate.definition.parameters),
        "agree": match.agree,
        "worst": match.worst,
        "off": match.off,
        "coincidence": match.coincidence,
        "methods_that_differ": list(match.differ),
    }
