"""Which images belong to which scene of a table: found by name, and nothing left out in silence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fusionbench import pairing


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the images of one dataset are: sources and fused ones, as for `fusionbench score`.

    `method` is the name of the only one whose images `fused` holds, where that is not the folder's.
    """

    ir: Path
    vis: Path
    fused: Path
    method: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One pair with its fused images.

    Attributes
    ----------
    dataset : str
        As the table calls it.
    pair : str
        As the table calls it, so that its scores are found.
    ir, vis : Path
        The sources.
    fused : mapping of str to Path
        By method; not every method need have one.
    """

    dataset: str
    pair: str
    ir: Path
    vis: Path
    fused: Mapping[str, Path]


def find(
    dataset: str, folders: Folders, pairs: Collection[str], methods: Collection[str]
) -> tuple[list[Scene], list[str]]:
    """Match the images of one dataset with the rows of a table.

    Parameters
    ----------
    dataset : str
        Its name in the table.
    folders : Folders
        Where its images are.
    pairs, methods : collection of str
        The names that the table has. A pair is recognised by its own name or by the fused file's, with or without suffix.

    Returns
    -------
    scenes : list of Scene
        In natural order; those that the table has and for which at least one of its methods has an image.
    remarks : list of str
        What did not match.

    Raises
    ------
    UserError
        As `pairing.pair_sources` and `pairing.match_fused`.
    """
    sources = pairing.pair_sources(folders.ir, folders.vis)
    matched = pairing.match_fused(folders.fused, sources)
    if folders.method:
        matched = [replace(method, method=folders.method) for method in matched]
    remarks = pairing.remarks(sources, [method for method in matched if method.method in methods])
    by_pair: dict[str, dict[str, Path]] = {}
    known = {pair.name: pair for pair in sources.pairs}
    names: dict[str, str] = {}
    for method in matched:
        for item in method.found:
            called = [item.pair.name, item.path.name, item.path.stem, item.pair.ir.stem, item.pair.vis.stem]
            name = next((word for word in called if word in pairs), None)
            if name is not None and method.method in methods:
                by_pair.setdefault(item.pair.name, {})[method.method] = item.path
                names[item.pair.name] = name
    scenes = [Scene(dataset, names[key], known[key].ir, known[key].vis, fused) for key, fused in by_pair.items()]
    remarks += _without("Methods of the table without images", methods, {m for s in scenes for m in s.fused})
    remarks += _without("Images of the table without files", pairs, {scene.pair for scene in scenes})
    remarks += _without("Folders of methods that the table does not have", {m.method for m in matched}, set(methods))
    return sorted(scenes, key=lambda scene: pairing.natural_key(scene.pair)), remarks


def _without(what: str, wanted: Collection[str], found: Collection[str]) -> list[str]:
    missing = sorted(set(wanted) - set(found), key=pairing.natural_key)
    return [f"{what} ({len(missing)}): {', '.join(missing)}"] if missing else []
