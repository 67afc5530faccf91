"""The page as a whole: tables, charts, images and provenance put into one file."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

import fusionbench
from fusionbench.files import whole
from fusionbench.report import album, provenance, scenes
from fusionbench.report.album import Album, Progress, Shown
from fusionbench.report.groups import GROUPS
from fusionbench.report.panels import Panel, panels_of
from fusionbench.report.scenes import Folders, Scene
from fusionbench.tables import Table
from fusionbench.types import UserError
from fusionbench.typesetting import count

MAX_MB: Final = 20.0
"""Size of a page, in millions of bytes, unless more or less is allowed."""
_DIGITS: Final = 6
"""Significant digits of the scores under the images, of which four are shown; files of scores have all of them."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made, and what should be said of it.

    Attributes
    ----------
    path : Path
        The page.
    size : int
        Its size in bytes.
    scenes : int
        How many scenes it shows.
    side : int or None
        Longest side of the images in it, in pixels; None if there are none, or if they are linked in full size.
    remarks : tuple of str
        Images that are not shown, and why; what did not match.
    """

    path: Path
    size: int
    scenes: int
    side: int | None
    remarks: tuple[str, ...]


def write(
    table: Table,
    path: str | Path,
    *,
    folders: Mapping[str, Sequence[Folders]] | None = None,
    title: str = "Image fusion report",
    max_mb: float = MAX_MB,
    assets: str | Path | None = None,
    maps: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Made:
    """Write a page that shows everything there is to know of a table of scores; the same input gives the same bytes.

    Parameters
    ----------
    table : Table
        From `fusionbench.tables.read`.
    path : str or Path
        The page; an existing file is replaced, whole or not at all.
    folders : mapping of str to sequence of Folders, optional
        By dataset of the table (``""`` where it names none), where its images are.
    title : str
        Its title.
    max_mb : float
        Millions of bytes that it may have. Images are made smaller, and scenes left out, until it fits.
    assets : str or Path, optional
        A folder for the images, in full size and without loss, which the page then links to instead of holding them.
    maps : bool
        Whether to make maps of SSIM.
    workers : int, optional
        How many threads; by default as many as there are cores.
    progress : callable, optional
        Called with the number of scenes done and of all.

    Returns
    -------
    Made

    Raises
    ------
    UserError
        If images do not match, a file cannot be written, or the page cannot be made small enough.
    """
    path = Path(path)
    _check_folder(path)
    if not max_mb > 0:
        raise UserError(f"A page of {max_mb:g} MB holds nothing: give --max-mb more than 0.")
    found, notes = _find_scenes(table, folders or {})
    panels = panels_of(table)
    page = _Page(table, panels, title, linked=assets is not None)
    limit = int(max_mb * 1e6)
    empty = Album(tuple(Shown(scene, 0, 0, {}, {}) for scene in found), len(found), None, ())
    room = limit - len(page.render(empty, notes).encode())
    # Each URL has a name, too; and what is said of images that are not shown takes a line each.
    room -= 200 * sum(2 + 2 * len(scene.fused) for scene in found)
    if assets is not None:
        pictures = album.link(found, Path(assets), path, maps=maps, workers=workers, progress=progress)
    elif found and room <= 0:
        raise UserError(
            f"The page has {(limit - room) / 1e6:.2g} MB without any image: allow it more with --max-mb, which is "
            f"{max_mb:g}."
        )
    else:
        pictures = album.embed(found, room, maps=maps, workers=workers, progress=progress)
    text = page.render(pictures, [*notes, *pictures.remarks]).encode()
    if len(text) > limit:
        raise UserError(f"The page has {len(text) / 1e6:.2g} MB: allow it more with --max-mb, which is {max_mb:g}.")
    whole(path, lambda file: file.write(text))
    return Made(path, len(text), len(pictures.shown), pictures.side, (*notes, *pictures.remarks))


def _find_scenes(table: Table, folders: Mapping[str, Sequence[Folders]]) -> tuple[list[Scene], list[str]]:
    found: list[Scene] = []
    remarks: list[str] = []
    for dataset, places in folders.items():
        if dataset not in table.datasets:
            known = ", ".join(f"'{name}'" for name in table.datasets)
            raise UserError(f"The scores have no dataset '{dataset}' for which images are given; there is {known}.")
        part = table.frame[table.frame["dataset"] == dataset]
        pairs, methods = set(part["pair"]), set(part["method"])
        by_pair: dict[str, Scene] = {}
        for place in places:
            matched, said = scenes.find(dataset, place, pairs, methods)
            remarks += said
            for scene in matched:
                before = by_pair.get(scene.pair)
                fused = {**(before.fused if before else {}), **scene.fused}
                by_pair[scene.pair] = Scene(dataset, scene.pair, scene.ir, scene.vis, fused)
        found += by_pair.values()
    return found, list(dict.fromkeys(remarks))


class _Page:
    """Everything but the images, put together once."""

    def __init__(self, table: Table, panels: Sequence[Panel], title: str, *, linked: bool) -> None:
        from jinja2 import Environment, StrictUndefined

        self._table, self._linked = table, linked
        own = {name: files("fusionbench.report").joinpath(f"page.{name}").read_text("utf-8") for name in ("css", "js")}
        environment = Environment(
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
        )
        self._template = environment.from_string(files("fusionbench.report").joinpath("page.html").read_text("utf-8"))
        several = len(table.datasets) > 1
        datasets = [("all", "all, pooled")] * several
        datasets += [(str(k), name or "unnamed") for k, name in enumerate(table.datasets)]
        groups = {group for panel in panels for column in panel.columns for group in column.groups.split()}
        self._words: dict[str, Any] = {
            "title": title,
            "version": fusionbench.__version__,
            "summary": _summary(table),
            "style": Markup(own["css"]),
            "style_hash": _source_hash(own["css"]),
            "script": Markup(own["js"]),
            "script_hash": _source_hash(own["js"]),
            "linked": linked,
            "panels": panels,
            "datasets": datasets,
            "conventions": table.conventions,
            "groups": [(key, name) for key, name in GROUPS.items() if key in groups],
            "provenance": provenance.parts(table),
            "definitions": provenance.definitions(table),
        }

    def render(self, pictures: Album, notes: Iterable[str]) -> str:
        """The whole page."""
        shown = pictures.shown
        methods = [name for name in self._table.methods if any(name in item.scene.fused for item in shown)]
        choices = [("ir", "infrared source"), ("vis", "visible source"), *((f"fused:{name}", name) for name in methods)]
        keys = [key for key, _ in choices]
        several = len(self._table.datasets) > 1
        return self._template.render(
            **self._words,
            scenes=[f"{s.scene.dataset}: {s.scene.pair}" if several else s.scene.pair for s in shown],
            shown=choices,
            left=keys[2] if len(methods) > 1 else "ir",
            right=keys[3] if len(methods) > 1 else keys[-1],
            maps=any(item.maps for item in shown),
            image_note=_size_note(pictures),
            image_remarks=list(notes),
            data=_json(self._data(shown)),
        )

    def _data(self, shown: Sequence[Shown]) -> dict[str, Any]:
        return {
            "methods": list(self._table.methods),
            "scenes": [
                {
                    "dataset": item.scene.dataset,
                    "pair": item.scene.pair,
                    "width": item.width,
                    "height": item.height,
                    "urls": dict(item.urls),
                    "maps": dict(item.maps),
                }
                for item in shown
            ],
            "scores": self._scores({(item.scene.dataset, item.scene.pair) for item in shown}),
        }

    def _scores(self, wanted: set[tuple[str, str]]) -> dict[str, Any]:
        """By dataset and convention, the metrics and, by pair, a row a method; of what is shown only."""
        found: dict[str, Any] = {}
        order = {name: place for place, name in enumerate(self._table.methods)}
        for block in self._table.blocks(by_dataset=True) if wanted else []:
            pairs: dict[str, Any] = {}
            for p, pair in enumerate(block.pairs):
                if (block.dataset, pair) not in wanted:
                    continue
                rows: list[Any] = [None] * len(order)
                for m, method in enumerate(block.methods):
                    if block.present[p, m]:
                        rows[order[method]] = [_plain(value) for value in block.values[p, m].tolist()]
                pairs[pair] = rows
            metrics = [{"name": name, "better": block.better[name]} for name in block.metrics]
            if pairs:
                found.setdefault(block.dataset, {})[block.convention] = {"metrics": metrics, "pairs": pairs}
        return found


def _summary(table: Table) -> str:
    images = len(table.frame[["dataset", "pair"]].drop_duplicates())
    named = [name for name in table.datasets if name]
    of = f" of {', '.join(named)}" if named else ""
    return (
        f"{count(len(table.methods), 'method')}, {count(images, 'image')}{of}, {count(len(table.metrics), 'metric')}; "
        f"{count(len(table.conventions), 'convention')}: {', '.join(table.conventions)}."
    )


def _size_note(pictures: Album) -> str:
    if not pictures.shown:
        return "This page shows no images: it was not said where they are (--ir, --vis, --fused)."
    if pictures.side is None:
        return "Images are linked in full size, without loss."
    return f"Images are compressed, and have at most {pictures.side} pixels a side; the scores are of the originals."


def _plain(value: float) -> float | None:
    # An infinity is no JSON; the largest number there is sorts where it would.
    if math.isnan(value):
        return None
    return math.copysign(1.7e308, value) if math.isinf(value) else float(f"{value:.{_DIGITS}g}")


def _json(value: object) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _source_hash(text: str) -> str:
    # HTML reads every end of a line as one sign; ours have no other.
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _check_folder(path: Path) -> None:
    if path.is_dir():
        raise UserError(f"'{path}' is a folder: give the name of a file for the page.")
    if path.suffix.lower() not in {".html", ".htm"}:
        raise UserError(f"'{path}' does not end as a page does: call it .html.")
    if not path.parent.is_dir():
        raise UserError(f"'{path}' cannot be written: its folder does not exist, create it first.")
