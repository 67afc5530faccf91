"""`@method(...)`: what turns a function of two planes into a fusion method with a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Color, MethodCard

Plane: TypeAlias = NDArray[np.float64]
Reads: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Path]]
"""Of a method: which files it reads, by parameter, given all its parameters."""


class Method(Protocol):
    """A function of an infrared and a visible plane that knows what it is; with ``reads`` if it was given that."""

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
    reads: Reads | None = None,
) -> Callable[[F], F]:
    """Give a function its `MethodCard`, and its place in the registry.

    Parameters
    ----------
    name, title, authors, year, doi, summary, defaults, presets, joint, identity, smallest, luma, version, color
        The fields of `fusionbench.types.MethodCard`.

    reads : callable, optional
        Which files the method will read that its parameters do not name, by parameter, given all parameters: they are part of
        how an image is made.

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
        if reads is not None:
            function.reads = reads  # type: ignore[attr-defined]
        METHODS.register(name, function)  # type: ignore[arg-type]
        return function

    return decorate
