"""Pairs by what folders are called: one of each source, a folder a split around or inside them, or all in one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from pathlib import Path
from typing import Final

from fusionbench import names
from fusionbench.images import SUFFIXES
from fusionbench.pairing import SourcePairs, natural_key, pair_sources
from fusionbench.types import UserError

_DEPTH: Final = 3
"""How many folders below the one that is given the sources are looked for."""
_IR: Final = frozenset({"ir", "i", "inf", "infrared", "thermal", "tir", "lwir", "a", "mri", "mr"})
_VIS: Final = frozenset({"vis", "v", "vi", "visible", "visual", "rgb", "b", "ct", "pet", "spect"})


def by_folders(root: Path, known: Set[str]) -> tuple[str, dict[str, SourcePairs]]:
    """Folders that are called like sources, or one folder of images that are."""
    found: dict[Path, tuple[Path, Path]] = {}
    crowded: list[str] = []
    mixed: list[Path] = []
    for folder in _folders(root):
        inner = _inner(folder)
        ir, vis = ([path for path in inner if _is_called(path, words)] for words in (_IR, _VIS))
        if len(ir) == len(vis) == 1 and ir != vis:
            found[folder] = ir[0], vis[0]
        elif ir and vis:
            crowded += [path.name for path in dict.fromkeys(ir + vis)]
        if _has_images(folder):
            mixed.append(folder)
    # What lies deeper then, results for instance, is something else.
    found = {root: found[root]} if root in found else found
    parts = {label: pair_sources(*sides) for label, sides in _labelled(root, found, known).items()}
    if parts:
        called = " and ".join(f"'{side.name}'" for side in next(iter(found.values())))
        return f"a folder of each source, {called}", parts
    if crowded:
        raise UserError(
            f"'{root}' has several folders that could be infrared or visible ({', '.join(crowded)}): give a folder that "
            "holds one of each, called ir and vis."
        )
    together = []
    for folder in mixed:
        # Pictures of a readme, say, beside the folder of the pairs.
        with suppress(*([UserError] if len(mixed) > 1 else [])):
            together.append(pair_sources(folder, folder))
    if len(together) == 1:
        return "both sources in one folder", {"": together[0]}
    raise UserError(
        f"'{root}' holds no two folders that are called like sources: put the images into its folders ir and vis, under "
        "the same names."
    )


def _is_called(folder: Path, words: Set[str]) -> bool:
    tokens = names.parse(folder.name).tokens
    # A single letter says something only where it stands alone.
    return any(token in words and (len(token) > 1 or len(tokens) == 1) for token in tokens)


def _labelled(root: Path, found: Mapping[Path, tuple[Path, Path]], known: Set[str]) -> dict[str, tuple[Path, Path]]:
    """The two folders of each split: ``test/ir`` and ``test/vis``, or ``ir/test`` and ``vis/test``."""
    parts: dict[str, tuple[Path, Path]] = {}
    for folder, (ir, vis) in found.items():
        label = "" if folder == root else folder.relative_to(root).as_posix()
        if _has_images(ir) and _has_images(vis):
            parts[label] = ir, vis
            continue
        others = {path.name.casefold(): path for path in _inner(vis)}
        for inner in _inner(ir):
            if (partner := others.get(inner.name.casefold())) and _has_images(inner) and _has_images(partner):
                parts[f"{label}/{inner.name}" if label else inner.name] = inner, partner
    if len(parts) > 1:
        # The folder that everything lies in says nothing.
        words = [label.split("/") for label in parts]
        same = next((k for k, level in enumerate(zip(*words, strict=False)) if len({*level}) > 1), 0)
        parts = {"/".join(word[same:]): sides for word, sides in zip(words, parts.values(), strict=True)}
    if strange := [label for label in parts if label.casefold() not in known]:
        if len(parts) == 1:
            return {"": parts[strange[0]]}
        raise UserError(f"'{root}' holds several folders of pairs ({', '.join(parts)}): give one of them.")
    return parts


def _folders(root: Path, depth: int = _DEPTH) -> Iterator[Path]:
    yield root
    if depth:
        for inner in _inner(root):
            yield from _folders(inner, depth - 1)


def _inner(folder: Path) -> list[Path]:
    """The folders in a folder, in natural order."""
    try:
        with os.scandir(folder) as entries:
            inner = [Path(entry) for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
    except OSError as error:
        raise UserError(f"'{folder}' cannot be read ({error.strerror}); check its permissions.") from None
    return sorted(inner, key=lambda path: natural_key(path.name))


def _has_images(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(entry.name.lower().endswith(SUFFIXES) and not entry.name.startswith(".") for entry in entries)
