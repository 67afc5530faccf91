"""`@method(...)`: what turns a function of two planes into a fusion method with a card."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Color, Kind, MethodCard

Plane: TypeAlias = NDArray[np.float64]
Reads: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Path]]
"""Of a method: which files it reads, by parameter, given all its parameters."""


@dataclass(frozen=True, slots=True)
class Opens:
    """What makes a method of anybody's file or program, under names such as ``onnx:model.onnx``.

    Attributes
    ----------
    parameter : str
        The one whose value stands after the colon.
    label : callable
        What the results are called, given that value.
    color : callable
        What is done about a visible image in colour if nobody says otherwise, given all parameters; it complains of those
        with which nothing can be fused.
    immaterial : collection of str
        Parameters that cannot change an image.
    """

    parameter: str
    label: Callable[[str], str]
    color: Callable[[Mapping[str, Any]], Color]
    immaterial: Collection[str] = ()


class Method(Protocol):
    """A function of an infrared and a visible plane that knows what it is; with ``reads`` and ``opens`` if given."""

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
    kind: Kind = "classical",
    reads: Reads | None = None,
    opens: Opens | None = None,
) -> Callable[[F], F]:
    """Give a function its `MethodCard`, and its place in the registry.

    Parameters
    ----------
    name, title, authors, year, doi, summary, defaults, presets, joint, identity, smallest, luma, version, color, kind
        The fields of `fusionbench.types.MethodCard`.

    reads : callable, optional
        Which files the method will read that its parameters do not name, by parameter, given all parameters: they are part of
        how an image is made.
    opens : Opens, optional
        That it is a file's or a program's, and how it is called then.

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
            kind,
        )
        if reads is not None:
            function.reads = reads  # type: ignore[attr-defined]
        if opens is not None:
            function.opens = opens  # type: ignore[attr-defined]
        METHODS.register(name, function)  # type: ignore[arg-type]
        return function

    return decorate
