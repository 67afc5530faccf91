"""`@network(...)`: what makes a method of a network and of what its authors' program does before and after it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from fusionbench.types import Color

from ...card import Method, Plane, method
from ..methods import Precision, networks_of, reading

Run: TypeAlias = Callable[[Plane, Plane], Plane]
"""The network: two planes, (H, W) on the scale 0..255, to one, not rounded; or as the network's file says."""


Pipeline: TypeAlias = Callable[..., Plane]
"""What a card stands above, ``pipeline(run, ir, vis, *, options)``: everything but the network."""


_HEAD: Final = """\
Parameters
----------
ir, vis : ndarray
    The sources, (H, W), on the scale 0..255{colour}.
weights : Path or str, optional
    A file of weights (a folder of them where there are several), or the tag of known ones; by default those that are there.
device : str
    Where the network runs: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
precision : {{"fp32", "tf32", "bf16", "fp16"}}
    How exactly; anything but fp32 changes the result a little. tf32 is for CUDA.
{cut}compiled : bool
    Let torch compile the network first: a minute for every size of image, then faster.
"""
_BATCH: Final = """\
batch : int, optional
    Most pairs that go through the network together; by default 1 on the CPU and 8 on CUDA.
"""
_TILE: Final = """\
tile : int, optional
    Longest side, in pixels, that is fused at once; larger images are cut, which {does}.
"""
_APPROXIMATE: Final = """\
approximate : bool
    Cut larger images even though that changes the result; otherwise they are refused.
"""
_FOOT: Final = """
Returns
-------
ndarray
    The fused image, of the shape of `vis`, on the scale 0..255, which it may leave, not rounded.
"""


def network(
    name: str,
    *,
    title: str,
    authors: str,
    year: int,
    doi: str,
    summary: str,
    defaults: str,
    inside: Sequence[str] = (),
    sees_all: bool = False,
    alone: bool = False,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
    smallest: int = 32,
    joint: bool = False,
    color: Color = "luma",
    luma: Literal["rounded", "exact"] = "rounded",
) -> Callable[[Pipeline], Method]:
    """Make a method of a pipeline.

    Parameters
    ----------
    name, title, authors, year, doi, summary, defaults, presets, smallest, joint, color, luma
        The fields of `fusionbench.types.MethodCard`.
    inside : sequence of str
        Those keywords of the pipeline that the ``Inference`` of the network takes, too.
    sees_all : bool
        Whether every pixel depends on the whole image, so that cutting changes the result.
    alone : bool
        Whether the network normalises by the statistics of what it is given, so that only one pair at a time goes
        through it.

    Returns
    -------
    callable
        Decorates ``pipeline(run, ir, vis, *, options)``. The method has its keywords, and before them those that all
        networks have: ``weights``, ``device``, ``precision``, ``batch``, ``tile``, ``compiled``.
    """

    def decorate(pipeline: Pipeline) -> Method:
        common = _keywords(sees_all=sees_all, alone=alone)
        own = [each for each in inspect.signature(pipeline, eval_str=True).parameters.values() if each.kind is _KEYWORD]
        own_names = [each.name for each in own]

        def fuse(ir: Plane, vis: Plane, **given: Any) -> Plane:
            if stray := given.keys() - {each.name for each in (*common, *own)}:
                raise TypeError(f"{name} has no parameter {', '.join(sorted(stray))}")
            values = {each.name: given.get(each.name, each.default) for each in (*common, *own)}
            options = {word: values[word] for word in own_names}
            conditions = {each.name: values[each.name] for each in common if each.name != "weights"}
            networks = networks_of(name)
            run = networks.fuser(
                name, values["weights"], networks.Conditions(**conditions), **{word: options[word] for word in inside}
            )
            return pipeline(run, ir, vis, **options)

        positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
        planes = [inspect.Parameter(word, positional, annotation=Plane) for word in ("ir", "vis")]
        fuse.__signature__ = inspect.Signature([*planes, *common, *own], return_annotation=Plane)  # type: ignore[attr-defined]
        fuse.__doc__ = _document(pipeline, title, sees_all=sees_all, alone=alone, joint=joint)
        fuse.__name__ = fuse.__qualname__ = pipeline.__name__
        fuse.__module__ = pipeline.__module__
        return method(
            name,
            title=title,
            authors=authors,
            year=year,
            doi=doi,
            summary=summary,
            defaults=defaults,
            presets=presets,
            joint=joint,
            color=color,
            smallest=smallest,
            luma=luma,
            kind="network",
            reads=reading(name),
        )(fuse)  # type: ignore[return-value]

    return decorate


_KEYWORD: Final = inspect.Parameter.KEYWORD_ONLY


def _keywords(*, sees_all: bool, alone: bool) -> list[inspect.Parameter]:
    def keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
        return inspect.Parameter(name, _KEYWORD, default=default, annotation=annotation)

    return [
        keyword("weights", Path | str | None, None),
        keyword("device", str, "cpu"),
        keyword("precision", Precision, "fp32"),
        *([] if alone else [keyword("batch", int | None, None)]),
        keyword("tile", int | None, None),
        *([keyword("approximate", bool, False)] if sees_all or alone else []),
        keyword("compiled", bool, False),
    ]


def _document(pipeline: Pipeline, title: str, *, sees_all: bool, alone: bool, joint: bool) -> str:
    """The whole docstring: what all networks have in common, and in between the pipeline's own options."""
    own = inspect.getdoc(pipeline) or ""
    summary, _, options = own.partition("Parameters\n----------\n")
    changes = sees_all or alone
    cut = "" if alone else _BATCH
    cut += _TILE.format(does="changes the result" if changes else "does not change the result")
    cut += _APPROXIMATE if changes else ""
    colour = "; the visible one may be (H, W, 3)" if joint else ""
    return (
        f"{summary.strip() or f'Fuse by {title}.'}\n\n{_HEAD.format(colour=colour, cut=cut)}{options.strip()}\n{_FOOT}"
    )
