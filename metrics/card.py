"""`@metric(...)`: what turns a function of a triple into a metric with a card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, get_args

from fusionbench.types import Better, MetricCard, UserError

from .triple import Triple


class Metric(Protocol):
    """A function of a triple that knows what it is."""

    card: MetricCard
    digest: Callable[[], str] | None
    __name__: str

    def __call__(self, t: Triple, /, **parameters: Any) -> float:
        """The metric of a triple."""


F = TypeVar("F", bound=Callable[..., float])


class NotDefined(ValueError):
    """A metric has no value for this image, e.g. because its window does not fit; the sentence says why."""


class Colourless(NotDefined):
    """A metric of colour has no value for grey images: no fault of theirs, so a metric of a group is simply left out."""


def metric(
    name: str,
    *,
    title: str,
    better: Better,
    range: tuple[float, float],
    sources: bool,
    version: int,
    reference: str,
    formula: str = "",
    standard: str = "",
    undefined: str = "",
    fooled: str = "",
    colour: bool = False,
    weights: str = "",
    digest: Callable[[], str] | None = None,
) -> Callable[[F], F]:
    """Give a function of a `Triple` its card, and its place in the registry.

    Parameters
    ----------
    name, title, better, range, sources, version, reference, formula, standard, undefined, fooled, colour, weights
        The fields of `fusionbench.types.MetricCard`.
    digest : callable, optional
        Of a metric that needs weights: says what those are that the user gives, or that there are none by an empty
        word; a `fusionbench.types.UserError` if they are unusable. It becomes the keyword ``weights`` of every definition.

    Raises
    ------
    UserError
        If the name is taken or none, or there is no such `better` or `range`.

    Examples
    --------
    >>> from fusionbench.metrics.card import metric
    >>> @metric("MEAN", title="Mean level", better="higher", range=(0, 255), sources=False, version=1, reference="none")
    ... def mean_level(t):
    ...     return float(t.fused.mean())
    >>> mean_level.card.title
    'Mean level'
    """
    if better not in get_args(Better):
        raise UserError(
            f"'{better}' cannot be what is better of {name}: give {' or '.join(map(repr, get_args(Better)))}."
        )
    ends: object = range  # a user's own file may give anything
    if not (isinstance(ends, tuple) and len(ends) == 2):
        raise UserError(
            f"{range!r} cannot be the range of {name}: give the least and the greatest value, as in (0, 255)."
        )

    def decorate(function: F) -> F:
        from . import METRICS

        function.card = MetricCard(  # type: ignore[attr-defined]
            name,
            title,
            better,
            range,
            sources,
            version,
            reference,
            formula,
            standard,
            undefined,
            fooled,
            colour,
            weights,
        )
        function.digest = digest  # type: ignore[attr-defined]
        METRICS.register(name, function)  # type: ignore[arg-type]
        return function

    return decorate
