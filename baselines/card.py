"""`@method(...)`: what turns a function of two planes into a fusion method with a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Color, MethodCard

Plane: TypeAlias = NDArray[np.float64]


class Method(Protocol):
    """A function of an infrared and a visible plane that knows what it is."""

    card: MethodCard
    __name__: str

    def __call__(self, ir: Plane, vis: Plane, /, **parameters: Any) -> Plane:
        """The fused plane."""


F = TypeVar("F", bound=Callable[..., Plane])


def method(
    name: str,
    *,
    title: str,
    authors: str,
    year: int,
    doi: str,
    summary: str,
    defaults: str,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
    joint: bool = False,
    identity: float | None = None,
    smallest: int = 32,
    luma: Literal["rounded", "exact"] = "rounded",
    version: int = 1,
    color: Color = "luma",
) -> Callable[[F], F]:
    """Give a function its `MethodCard`, and its place in the registry.

    Parameters
    ----------
    name, title, authors, year, doi, summary, defaults, presets, joint, identity, smallest, luma, version, color
        The fields of `fusionbench.types.MethodCard`.

    Notes
    -----
    A parameter called ``rounding`` is obeyed by those who call the method, who make whole levels of what it returns:
    ``"truncate"`` rounds down, ``"round"`` to the nearest.

    Examples
    --------
    >>> from fusionbench.baselines.card import method
    >>> @method("mid", title="Middle", authors="nobody", year=2026, doi="", summary="The mean.", defaults="none")
    ... def middle(ir, vis):
    ...     return (ir + vis) / 2
    >>> middle.card.title
    'Middle'
    """

    def decorate(function: F) -> F:
        from . import METHODS

        function.card = MethodCard(  # type: ignore[attr-defined]
            name,
            title,
            authors,
            year,
            doi,
            summary,
            defaults,
            dict(presets or {}),
            joint,
            identity,
            smallest,
            luma,
            version,
            color,
        )
        METHODS.register(name, function)  # type: ignore[arg-type]
        return function

    return decorate
