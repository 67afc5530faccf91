"""The images that a figure shows: scenes, each with its sources and the fused images of every method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fusionbench import images, pairing, pixels
from fusionbench.registry import unknown
from fusionbench.types import Image, Levels, UserError


@dataclass(frozen=True, slots=True)
class Scene:
    """One pair and what methods made of it.

    Attributes
    ----------
    name : str
        Of the pair.
    ir, vis : ndarray of uint8
        (H, W) grey or (H, W, 3) RGB levels, of one size.
    fused : mapping of str to ndarray of uint8
        By method, in the order they are shown; of the same size.
    """

    name: str
    ir: Image
    vis: Image
    fused: Mapping[str, Image]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.vis.shape[:2]
        return width, height

    def greys(self) -> dict[str, Levels]:
        """The fused images in grey, by method."""
        return {method: pixels.luma(levels, "bt601") for method, levels in self.fused.items()}


@dataclass(frozen=True, slots=True)
class Sheet:
    """Scenes of the same methods, and what should be said of how they were found."""

    scenes: tuple[Scene, ...]
    remarks: tuple[str, ...] = field(default=())


def load(
    fused: Sequence[Path], ir: Path, vis: Path, *, pairs: Sequence[str] = (), methods: Sequence[str] = (), most: int = 0
) -> Sheet:
    """Read the images of a figure.

    Parameters
    ----------
    fused : sequence of Path
        Each a folder of images, a folder of such folders (one a method), or one image.
    ir, vis : Path
        The sources, each a folder or one image, matched by name.
    pairs : sequence of str
        Names of the scenes, in the order they are shown; all that every method has if empty.
    methods : sequence of str
        Which methods, in the order they are shown; all if empty.
    most : int
        How many scenes at most when no names are given: evenly spaced ones are taken; 0 for all.

    Returns
    -------
    Sheet

    Raises
    ------
    UserError
        If something is missing or cannot be read, a name is unknown, sizes differ, or no scene has all methods.
    """
    sources = pairing.pair_sources(ir, vis)
    found: dict[str, dict[str, Path]] = {}
    remarks: list[str] = []
    for folder in fused:
        for method in pairing.match_fused(folder, sources):
            if method.method in found:
                raise UserError(f"Two folders are called '{method.method}': rename the one in '{folder}'.")
            found[method.method] = {item.pair.name: item.path for item in method.found}
    for method_name in methods:
        if method_name not in found:
            raise unknown("method", method_name, list(found))
    chosen = {method: found[method] for method in (methods or found) if methods or found[method]}
    by_name = {pair.name: pair for pair in sources.pairs}
    complete = [name for name in by_name if all(name in paths for paths in chosen.values())]
    for name in pairs:
        if name not in by_name:
            raise unknown("scene", name, list(by_name))
        if lacking := [method for method, paths in chosen.items() if name not in paths]:
            raise UserError(f"{lacking[0]} has no image of '{name}': choose another scene, or leave the method out.")
    if not pairs and not complete:
        raise UserError("No scene has an image of every method: choose methods that have one in common.")
    if not pairs and most and len(complete) > most:
        remarks.append(f"Of {len(complete)} scenes that all methods have, {most} are shown: name others to see them.")
    names = list(pairs) or _evenly(complete, most)
    return Sheet(tuple(_read(by_name[name].ir, by_name[name].vis, name, chosen) for name in names), tuple(remarks))


def _evenly(names: Sequence[str], most: int) -> list[str]:
    if not most or len(names) <= most:
        return list(names)
    if most == 1:
        return [names[0]]
    return [names[round(i * (len(names) - 1) / (most - 1))] for i in range(most)]


def _read(ir: Path, vis: Path, name: str, chosen: Mapping[str, Mapping[str, Path]]) -> Scene:
    seen = pixels.to_levels(images.read(vis))

    def other(path: Path) -> Image:
        levels = pixels.to_levels(images.read(path))
        if levels.shape[:2] != seen.shape[:2]:
            one, due = pixels.size(levels), pixels.size(seen)
            raise UserError(f"'{path}' is {one} pixels and '{vis}' {due}: they must show the same scene.")
        return levels

    infrared = pixels.luma(other(ir), "bt601")
    return Scene(name, infrared, seen, {method: other(paths[name]) for method, paths in chosen.items()})
