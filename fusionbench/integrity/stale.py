"""Images that were made before what stands beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fusionbench.baselines import METHODS
from fusionbench.integrity.finding import Finding, Severity
from fusionbench.pairing import MethodImages
from fusionbench.records import NAME, recipe_in
from fusionbench.types import UserError

_SLACK: Final = 60.0
"""Seconds by which dates may differ because files were copied or unpacked one after the other."""


def stale(method: MethodImages) -> Iterator[Finding]:
    """Fused images that no longer are what their folder promises.

    * A ``recipe.json`` that cannot be read, or names another registered method than the folder does: suspect.
    * An image of another format than the recipe writes: suspect, it is left over from before.
    * An image older than the recipe or than one of its sources by more than a minute: suspect where a recipe shows that
      it was made here, otherwise a note, for downloading gives dates that mean nothing.
    """
    if not method.found:
        return
    folder = method.found[0].path.parent
    try:
        recipe = recipe_in(folder / NAME)
    except UserError as error:
        yield Finding(
            "recipe", "suspect", (folder / NAME,), str(error).removeprefix(f"'{folder / NAME}' "), method=method.method
        )
        recipe = None
    if recipe is not None:
        yield from _promises(method, folder / NAME, recipe)
    for item in method.found:
        made = _date(item.path)
        older = [path for path in (item.pair.ir, item.pair.vis) if _date(path) > made + _SLACK]
        if recipe is not None and _date(folder / NAME) > made + _SLACK:
            older.append(folder / NAME)
        if older:
            says = f"is older than {' and '.join(path.name for path in older)}"
            severity: Severity = "suspect" if recipe is not None else "note"
            evidence = {"seconds": max(_date(path) for path in older) - made}
            files = (item.path, *older)
            yield Finding("stale", severity, files, says, evidence, method.method, item.pair.name)


def _promises(method: MethodImages, record: Path, recipe: object) -> Iterator[Finding]:
    words = recipe if isinstance(recipe, dict) else {}
    maker, format = words.get("method"), words.get("format")
    if maker != method.method and method.method in METHODS.names():
        says = f"says that these images were made by {maker}, the folder is called {method.method}"
        yield Finding("recipe", "suspect", (record,), says, {"recipe": maker}, method=method.method)
    for item in method.found:
        suffix = item.path.suffix.lower().removeprefix(".")
        if format and suffix != format:
            says = f"is no {format} file, which is what the recipe beside it writes: it is left over"
            evidence = {"format": format}
            yield Finding("stale", "suspect", (item.path, record), says, evidence, method.method, item.pair.name)


def _date(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
