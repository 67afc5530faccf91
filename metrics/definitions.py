"""A metric exactly as a convention defines it, and how it is asked for: by name, or as a group of them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fusionbench.registry import unknown
from fusionbench.types import MetricCard, UserError

from . import CORE, METRICS
from .card import Metric
from .conventions import CONVENTIONS, Convention


@dataclass(frozen=True, slots=True)
class Definition:
    """What a number should never travel without.

    Attributes
    ----------
    name, convention : str
        The names of the metric and of the convention.
    card : MetricCard
        What the metric is.
    function : Metric
        What computes it.
    parameters : mapping of str to object
        The value of every keyword, whether the convention sets it or it is the function's own default.
    side_by_side : bool
        Whether the channels of a colour image are taken as one image, three times as wide.
    by_group : bool
        Whether nobody asked for it but by ``"all"`` or ``"core"``; one of colour is then left out where all is grey.
    """

    name: str
    convention: str
    card: MetricCard
    function: Metric
    parameters: Mapping[str, Any]
    side_by_side: bool = False
    by_group: bool = False

    @property
    def id(self) -> str:
        """Metric, convention and version, e.g. ``"SSIM/tang@1"``."""
        return f"{self.name}/{self.convention}@{self.card.version}"


def definition(name: str, whose: Convention) -> Definition | None:
    """A metric as a convention defines it; None if it does not."""
    # Standard are the functions' own defaults, so a user's metric has a standard definition without being listed.
    own = whose.metrics.get(name, {} if whose.name == "standard" else None)
    if own is None:
        return None
    function = METRICS[name]
    keywords = inspect.signature(function).parameters
    defaults = {key: keyword.default for key, keyword in keywords.items() if keyword.default is not keyword.empty}
    # Numbers of other weights are numbers of another definition.
    given = {"weights": function.digest()} if function.digest else {}
    return Definition(
        name, whose.name, function.card, function, {**defaults, **own, **given}, name in whose.side_by_side
    )


def define(metrics: str | Iterable[str], whose: Convention) -> tuple[list[Definition], list[str]]:
    """Look up the metrics that are asked for.

    Parameters
    ----------
    metrics : str or iterable of str
        ``"core"``, ``"all"``, names separated by commas, or a list of these.
    whose : Convention
        Whose definitions.

    Returns
    -------
    definitions : list of Definition
        Each metric once, in the order asked for.
    left_out : list of str
        Metrics of a group that the convention does not define, or whose weights are not given.

    Raises
    ------
    UserError
        If a name does not exist, a metric asked for by name is not defined by the convention or lacks its weights, or
        nothing was named.
    """
    known = METRICS.names()
    groups: dict[str, Sequence[str]] = {"core": CORE, "all": known}
    words = ",".join([metrics] if isinstance(metrics, str) else metrics).split(",")
    chosen: dict[str, Definition] = {}
    left_out: list[str] = []
    for word in filter(None, map(str.strip, words)):
        if word not in groups and word not in known:
            raise unknown("metric", word, [*groups, *known])
        for name in groups.get(word, [word]):
            found = definition(name, whose)
            if found and found.card.weights and not found.parameters["weights"]:
                if word not in groups:
                    raise UserError(f"{name} needs weights, which do not come with the package: {found.card.weights}.")
                found = None
            if found:
                asked = word not in groups or (name in chosen and not chosen[name].by_group)
                chosen[name] = replace(found, by_group=not asked)
            elif word not in groups:
                raise UserError(_not_defined(name, whose))
            elif name not in left_out:
                left_out.append(name)
    if not chosen:
        raise UserError("No metric is named: give 'core', 'all', or names separated by commas.")
    return list(chosen.values()), left_out


def conventions_with(name: str) -> dict[str, Definition]:
    """Every convention that defines a metric, and how."""
    found = {whose.name: definition(name, whose) for whose in CONVENTIONS.values()}
    return {key: value for key, value in found.items() if value}


def _not_defined(name: str, whose: Convention) -> str:
    others = " or ".join(f"'{key}'" for key in conventions_with(name))
    return f"The convention '{whose.name}' does not define {name}: leave it out, or use the convention {others}."
