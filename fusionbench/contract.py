"""What every fusion method promises, as checks that can be run on anybody's.

A method of your own has a test as soon as it has this line::

    assert broken("mine") == []
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.fusing import fuse_levels
from fusionbench.recipe import Recipe, parameters_of, recipe
from fusionbench.types import UserError

_Levels: TypeAlias = NDArray[np.uint8]
_LEAST: Final = 24
"""Shortest side of an image that shows anything, for methods that would take less."""


def broken(method: str | Recipe) -> list[str]:
    """Find out which of the promises of every method one does not keep.

    Parameters
    ----------
    method : str or Recipe
        Its short name; or a recipe, where it cannot do without parameters.

    Returns
    -------
    list of str
        A sentence for each promise that is broken, best none.

    Raises
    ------
    UserError
        If there is no such method, or it cannot work as it is: without a parameter, say, or without weights.

    Examples
    --------
    >>> broken("lp")
    []
    """
    chosen = method if isinstance(method, Recipe) else recipe(method)
    _refuse_unable(chosen)
    found: list[str] = []
    for check in (_card, _signature, _sizes, _constants, _repetition, _sources, _colour, _identity):
        try:
            found += check(chosen)
        except Exception as error:  # the method may be anybody's, and the other promises still count
            said = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            found.append(f"{_PROMISES[check]}: {said}")
    return list(dict.fromkeys(found))


def _refuse_unable(chosen: Recipe) -> None:
    """Let through what a method itself complains of where nothing is wrong with the images."""
    try:
        chosen.function(*_planes(chosen), **chosen.parameters)
    except UserError:
        raise
    except Exception:  # the checks will find it again, and name it
        return


def _card(chosen: Recipe) -> Iterator[str]:
    card = chosen.card
    for word in ("title", "summary", "defaults"):
        if not getattr(card, word).strip():
            yield f"Its card does not say its {word}."
    if bool(card.authors) != bool(card.year):
        yield "Its card has authors without a year, or a year without authors."
    if card.doi and not re.fullmatch(r"10\.\d{4,9}/\S+", card.doi):
        yield f"Its card gives '{card.doi}' as a DOI: write it as 10.1109/..., without an address before it."


def _signature(chosen: Recipe) -> Iterator[str]:
    parameters = inspect.signature(chosen.function).parameters.values()
    planes = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY]
    if planes != ["ir", "vis"]:
        yield f"It takes ({', '.join(planes)}) by position where (ir, vis) are due: put a * before its parameters."
    for each in parameters_of(chosen.method).values():
        if not each.meaning:
            yield f"Its docstring does not explain the parameter '{each.name}': add a line under Parameters."


def _sizes(chosen: Recipe) -> Iterator[str]:
    side = max(chosen.card.smallest, _LEAST)
    for size in ((side, side), (side + 1, side + 15), (side + 3, 2 * side)):
        fused = _fused(chosen, _picture(1, *size), _picture(2, *size))
        if fused.std() < 1e-3:
            yield f"It makes a flat image of two that are not, of {size[1]} x {size[0]} pixels."


def _constants(chosen: Recipe) -> Iterator[str]:
    side = max(chosen.card.smallest, _LEAST)
    picture = _picture(1, side, side)
    for level in (0, 255):
        flat = np.full((side, side), level, np.uint8)
        for pair in ((flat, flat), (flat, picture), (picture, flat)):
            _fused(chosen, *pair)
    yield from ()


def _repetition(chosen: Recipe) -> Iterator[str]:
    side = max(chosen.card.smallest, _LEAST)
    pairs = [(_picture(k, side + 1, side + 2), _picture(k + 1, side + 1, side + 2)) for k in (1, 3)]
    alone = [_fused(chosen, *pair) for pair in pairs]
    if not np.array_equal(_fused(chosen, *pairs[0]), alone[0]):
        yield "It makes another image of the same pair when it is asked again: give its random numbers a seed."
        return
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda pair: _fused(chosen, *pair), pairs * 2))
    if not all(np.array_equal(fused, alone[k % 2]) for k, fused in enumerate(together)):
        yield "It makes another image when two threads call it at once: let it keep nothing between calls."


def _sources(chosen: Recipe) -> Iterator[str]:
    ir, vis = planes = _planes(chosen)
    before = [plane.copy() for plane in planes]
    chosen.function(ir, vis, **chosen.parameters)
    if not (np.array_equal(ir, before[0]) and np.array_equal(vis, before[1])):
        yield "It writes to its sources, which others still need: work on a copy."


def _colour(chosen: Recipe) -> Iterator[str]:
    if not chosen.card.joint:
        return
    side = max(chosen.card.smallest, _LEAST)
    ir, vis = _picture(1, side, side + 2), np.stack([_picture(k, side, side + 2) for k in (2, 3, 4)], axis=2)
    fused = np.asarray(chosen.function(ir.astype(np.float64), vis.astype(np.float64), **chosen.parameters))
    if fused.shape != vis.shape:
        yield f"Its card says that it fuses colour (joint), but of {vis.shape} it makes {fused.shape}."


def _identity(chosen: Recipe) -> Iterator[str]:
    if (promised := chosen.card.identity) is None:
        return
    side = max(chosen.card.smallest, _LEAST)
    image = _picture(3, side + 1, side + 4)
    off = float(np.abs(_fused(chosen, image, image) - image).max())
    if off > promised:
        yield f"An image fused with itself changes by {off:.4g} levels, but its card promises at most {promised:g}."


_PROMISES: Final[dict[Callable[[Recipe], Iterator[str]], str]] = {
    _card: "Its card is complete",
    _signature: "It is a function of ir and vis",
    _sizes: "It fuses images of any size",
    _constants: "It fuses images of one level",
    _repetition: "It makes one image of one pair",
    _sources: "It leaves its sources alone",
    _colour: "It fuses colour if it says so",
    _identity: "It changes an image fused with itself no more than it says",
}


def _planes(chosen: Recipe) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """An ordinary pair."""
    side = max(chosen.card.smallest, _LEAST)
    return _picture(1, side, side + 2).astype(np.float64), _picture(2, side, side + 2).astype(np.float64)


def _fused(chosen: Recipe, ir: _Levels, vis: _Levels) -> NDArray[np.float64]:
    return fuse_levels(chosen, ir, vis, "The image")


def _picture(seed: int, rows: int, columns: int) -> _Levels:
    """An image with slopes, an edge and noise; every seed another one."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    slopes = 100 + 60 * np.sin(x / random.uniform(4, 9) + y / random.uniform(5, 11))
    disc = 60 * ((x - random.uniform(0, columns)) ** 2 + (y - random.uniform(0, rows)) ** 2 < (rows / 4) ** 2)
    return np.clip(slopes + disc + random.normal(0, 12, (rows, columns)), 0, 255).astype(np.uint8)
