"""Which fused image belongs to which infrared and visible one: by name, never by position.

Here folders are listed and what matches, and what does not, is laid out; which names mean the same is decided in
`fusionbench.names`.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from fusionbench import names
from fusionbench.images import SUFFIXES
from fusionbench.types import Fused, Pair, UserError

Doubled: TypeAlias = tuple[tuple[str, tuple[Path, ...]], ...]
"""Stems that stand more than once in one folder (``1.png`` and ``1.bmp``), each with its files."""

_INFRARED: Final = frozenset({"ir", "i", "inf", "infrared", "thermal", "tir", "lwir", "mwir", "swir", "nir"})
_VISIBLE: Final = frozenset({"vis", "v", "vi", "visible", "visual", "rgb", "color", "colour", "optical", "tv"})
_OTHER_SOURCES: Final = frozenset({"a", "b", "ct", "mr", "mri", "pet", "spect", "gfp", "pc"})
_FUSED: Final = frozenset({"f", "fused", "fuse", "fusion", "result", "results", "output", "out"})


@dataclass(frozen=True, slots=True)
class SourcePairs:
    """The pairs of two folders of sources, and what has no partner there.

    Attributes
    ----------
    pairs : tuple of Pair
        In natural order of their names.
    only_ir, only_vis : tuple of Path
        Images without a partner on the other side.
    unknown : tuple of Path
        Images of a folder that holds both sources whose names do not say which source they are.
    doubled : tuple of (str, tuple of Path)
        What stands more than once in one folder (``1.png`` and ``1.bmp``) and is left out therefore.
    rule : str
        How names were read to match, e.g. ``"'IR*' with 'VIS*'"``; empty where the stems are equal.
    explicit : bool
        Whether the only pair was given as two files, so that one fused image belongs to it whatever its name.
    """

    pairs: tuple[Pair, ...]
    only_ir: tuple[Path, ...] = ()
    only_vis: tuple[Path, ...] = ()
    unknown: tuple[Path, ...] = ()
    doubled: Doubled = ()
    rule: str = ""
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class MethodImages:
    """The fused images of one method.

    Attributes
    ----------
    method : str
        The folder's name.
    found : tuple of Fused
        In the order of the pairs.
    missing : tuple of Pair
        Pairs that another method of the same call has and this one lacks.
    unknown : tuple of Path
        Images that belong to no pair.
    doubled : tuple of (str, tuple of Path)
        What stands more than once in the folder and is left out therefore.
    rule : str
        How names were read to match, e.g. ``"'*' with '*_GFF'"``; empty where the stems are equal.
    """

    method: str
    found: tuple[Fused, ...]
    missing: tuple[Pair, ...] = ()
    unknown: tuple[Path, ...] = ()
    doubled: Doubled = ()
    rule: str = ""


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key under which ``2`` comes before ``10`` and case does not matter unless all else is equal."""
    parts = re.split(r"([0-9]+)", text)
    key = [(0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts if part]
    return (*key, (-1, 0, text))


def images_in(folder: Path) -> list[Path]:
    """The images directly in a folder, in natural order; hidden files and other suffixes are passed over.

    Raises
    ------
    UserError
        If the folder is missing, is no folder, cannot be read, or holds no image.
    """
    images, _ = _listing(folder)
    if not images:
        raise UserError(f"'{folder}' holds no images; looked for names ending in {' '.join(SUFFIXES)}.")
    return images


def pair_sources(ir: Path, vis: Path) -> SourcePairs:
    """Pair the infrared with the visible images.

    Parameters
    ----------
    ir, vis : Path
        Each a folder or one image. Two images are one pair whatever their names. One folder given twice is split by the
        words in its names (``IR1.png`` and ``VIS1.png``, ``00006_ir.png`` and ``00006_vis.png``).

    Returns
    -------
    SourcePairs

    Raises
    ------
    UserError
        If a path is missing, holds no image, or the names have nothing in common or are ambiguous.
    """
    ir_images, vis_images = _images_at(ir), _images_at(vis)
    unknown: tuple[Path, ...] = ()
    explicit = ir.is_file() and vis.is_file()
    if not explicit and ir.samefile(vis):
        ir_images, vis_images, unknown = _split_by_role(ir, ir_images)
    # A file given for one side is no candidate for the other, even where both lie in one folder.
    elif ir.is_file() and not explicit:
        vis_images = [image for image in vis_images if not ir.samefile(image)]
    elif vis.is_file() and not explicit:
        ir_images = [image for image in ir_images if not vis.samefile(image)]
    left, ir_doubled = _single(ir_images)
    right, vis_doubled = _single(vis_images)
    _refuse_if_all_doubled(ir, left, ir_doubled)
    _refuse_if_all_doubled(vis, right, vis_doubled)
    reading = names.match(
        [_stem(path) for path in left],
        [_stem(path) for path in right],
        (_INFRARED, _OTHER_SOURCES),
        (_VISIBLE, _OTHER_SOURCES),
        f"'{ir}' and '{vis}'",
    )
    if explicit and not reading.pairs:
        reading = names.Reading({0: 0}, {0: names.take_off(_stem(left[0]), _INFRARED)})
    if not reading.pairs:
        raise UserError(
            f"No name is common to the infrared images in '{ir}' ({_examples(left)}) and the visible ones in '{vis}' "
            f"({_examples(right)}); give both images of a pair the same name."
        )
    pairs = [Pair(reading.names[i], left[i], right[j]) for i, j in reading.pairs.items()]
    return SourcePairs(
        pairs=tuple(sorted(pairs, key=lambda pair: natural_key(pair.name))),
        only_ir=tuple(path for i, path in enumerate(left) if i not in reading.pairs),
        only_vis=_others(right, reading),
        unknown=unknown,
        doubled=ir_doubled + vis_doubled,
        rule=reading.rule,
        explicit=explicit,
    )


def match_fused(fused: Path, sources: SourcePairs) -> list[MethodImages]:
    """Find the pair of every fused image.

    Parameters
    ----------
    fused : Path
        One image, a folder of images, or a folder of such folders; the folder's name is the method's.
    sources : SourcePairs
        From `pair_sources`.

    Returns
    -------
    list of MethodImages
        One a method, in natural order. A method without any image, or none that matches, stays in the list with all
        its pairs missing.

    Raises
    ------
    UserError
        If the path is missing, holds no image, mixes images with folders of images, matches no pair at all, or is
        ambiguous.
    """
    groups = _method_folders(fused, sources)
    methods = [_match_method(folder, images, sources, fused) for folder, images in groups]
    if not any(method.found for method in methods):
        doubled = [double for method in methods for double in method.doubled]
        _refuse_if_all_doubled(fused, [path for method in methods for path in method.unknown], doubled)
        images = [image for _, group in groups for image in group]
        raise UserError(
            f"No fused image in '{fused}' ({_examples(images)}) has the name of a pair "
            f"({_examples([pair.name for pair in sources.pairs])}); name fused images after their pairs."
        )
    wanted = {item.pair for method in methods for item in method.found}
    return [replace(method, missing=_lacking(method, sources.pairs, wanted)) for method in methods]


def unused_pairs(sources: SourcePairs, methods: Iterable[MethodImages]) -> tuple[Pair, ...]:
    """The pairs of which no method has a fused image."""
    used = {item.pair for method in methods for item in method.found}
    return tuple(pair for pair in sources.pairs if pair not in used)


def remarks(sources: SourcePairs, methods: Sequence[MethodImages] = ()) -> list[str]:
    """What a user should be told of a match: a line for everything that was not simply the same name, none if all was.

    >>> remarks(SourcePairs((), only_ir=(Path("ir/07.png"),)))
    ['Infrared images without a visible partner (1): 07.png']
    """
    fused = {item.path for method in methods for item in method.found}
    lines = [f"Sources are matched as {sources.rule}"] if sources.rule else []
    lines += _listed("Infrared images without a visible partner", sources.only_ir)
    lines += _listed("Visible images without an infrared partner", sources.only_vis)
    lines += _listed("Neither infrared nor visible by name", [path for path in sources.unknown if path not in fused])
    lines += [f"Left out, '{stem}' is more than once in {p[0].parent}: {_all(p)}" for stem, p in sources.doubled]
    if methods and (unused := unused_pairs(sources, methods)):
        lines.append(f"{len(sources.pairs) - len(unused)} of {len(sources.pairs)} pairs have a fused image")
    for method in methods:
        lines += [f"{method.method} is matched as {method.rule}"] if method.rule else []
        lines += _listed(f"{method.method} lacks", [pair.name for pair in method.missing])
        lines += _listed(f"{method.method} has images of no pair", method.unknown)
        lines += [f"{method.method}, left out, '{stem}' is more than once: {_all(p)}" for stem, p in method.doubled]
    return lines


def _listing(folder: Path) -> tuple[list[Path], list[Path]]:
    """Images and sub-folders of a folder, in natural order, hidden ones left out."""
    try:
        entries = [(entry, entry.is_dir()) for entry in folder.iterdir() if not entry.name.startswith(".")]
    except FileNotFoundError:
        raise UserError(f"'{folder}' does not exist; check the path.") from None
    except NotADirectoryError:
        raise UserError(f"'{folder}' is not a folder; give a folder of images or one image.") from None
    except OSError as error:
        raise UserError(f"'{folder}' cannot be read ({error.strerror}); check its permissions.") from None
    entries.sort(key=lambda entry: natural_key(entry[0].name))
    images = [entry for entry, is_folder in entries if not is_folder and entry.suffix.lower() in SUFFIXES]
    return images, [entry for entry, is_folder in entries if is_folder]


def _images_at(path: Path) -> list[Path]:
    if not os.path.isfile(path):
        return images_in(path)
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"'{path}' is no image that can be read; its name should end in one of {' '.join(SUFFIXES)}.")
    return [path]


def _method_folders(fused: Path, sources: SourcePairs) -> list[tuple[Path, list[Path]]]:
    """Each method's folder with its images."""
    if os.path.isfile(fused):
        return [(Path(os.path.abspath(fused)).parent, _images_at(fused))]
    images, folders = _listing(fused)
    inside = [(folder, _listing(folder)[0]) for folder in folders]
    if images:
        crowded = [folder.name for folder, found in inside if found]
        if crowded:
            raise UserError(
                f"'{fused}' holds images beside folders of images ({_examples(crowded)}); give either one method's "
                "folder of images or a folder that holds nothing but one folder a method."
            )
        # Sources and results often share a folder; only a folder of nothing but sources is taken as if it were fused.
        return [(fused, _without_sources(fused, images, sources) or images)]
    inside = [(folder, found) for folder, found in inside if not found or _without_sources(folder, found, sources)]
    if not any(found for _, found in inside):
        raise UserError(
            f"'{fused}' holds no fused images, nor do its folders; looked for names ending in {' '.join(SUFFIXES)}."
        )
    return inside


def _without_sources(folder: Path, images: Sequence[Path], sources: SourcePairs) -> list[Path]:
    """The images of a folder less the sources that lie in it."""
    paths = [path for pair in sources.pairs for path in (pair.ir, pair.vis)] + [*sources.only_ir, *sources.only_vis]
    here = {parent for parent in {path.parent for path in paths} if parent.samefile(folder)}
    known = {path.name for path in paths if path.parent in here}
    return [image for image in images if image.name not in known]


def _stem(path: Path) -> str:
    # One spelling of accents: file systems differ in which of the two they hand back.
    return unicodedata.normalize("NFC", path.stem)


def _single(images: Sequence[Path]) -> tuple[list[Path], Doubled]:
    """Images whose stem stands once in the folder, and those whose stem does not."""
    by_stem: dict[str, list[Path]] = {}
    for image in images:
        by_stem.setdefault(_stem(image), []).append(image)
    doubled = tuple((stem, tuple(paths)) for stem, paths in by_stem.items() if len(paths) > 1)
    return [paths[0] for paths in by_stem.values() if len(paths) == 1], doubled


def _refuse_if_all_doubled(folder: Path, single: Sequence[Path], doubled: Sequence[tuple[str, Sequence[Path]]]) -> None:
    if doubled and not single:
        raise UserError(f"Every image in '{folder}' is there more than once ({_all(doubled[0][1])}); keep one of each.")


def _split_by_role(folder: Path, images: Sequence[Path]) -> tuple[list[Path], list[Path], tuple[Path, ...]]:
    """Infrared and visible images of a folder that holds both, and those that are neither by name."""
    sides: dict[str, list[Path]] = {"ir": [], "vis": [], "": []}
    for image in images:
        tokens = names.parse(_stem(image)).tokens
        ends = {tokens[0], tokens[-1]} if len(tokens) > 1 else set()
        is_ir, is_vis = bool(ends & _INFRARED), bool(ends & _VISIBLE)
        sides["" if is_ir == is_vis else "ir" if is_ir else "vis"].append(image)
    if not sides["ir"] or not sides["vis"]:
        raise UserError(
            f"'{folder}' is given for both sources but its names ({_examples(images)}) do not tell infrared from "
            "visible; use names like 01_ir.png and 01_vis.png, or two folders."
        )
    return sides["ir"], sides["vis"], tuple(sides[""])


def _match_method(folder: Path, images: Sequence[Path], sources: SourcePairs, fused: Path) -> MethodImages:
    method = Path(os.path.abspath(folder)).name
    if not images:
        return MethodImages(method, ())
    single, doubled = _single(images)
    reading = _read_fused([_stem(path) for path in single], method, folder, sources.pairs)
    if sources.explicit and fused.is_file():
        reading = names.Reading({0: 0}, {})
    pairs = sources.pairs
    return MethodImages(
        method=method,
        found=tuple(Fused(method, pairs[i], single[j]) for i, j in sorted(reading.pairs.items())),
        unknown=_others(single, reading),
        doubled=doubled,
        rule=reading.rule,
    )


def _read_fused(stems: Sequence[str], method: str, folder: Path, pairs: Sequence[Pair]) -> names.Reading:
    """Which pair each name of a method means."""
    # Many programs save the fused image under the name of the source they read first.
    called = {
        "": [pair.name for pair in pairs],
        "the infrared images": [_stem(pair.ir) for pair in pairs],
        "the visible images": [_stem(pair.vis) for pair in pairs],
    }
    same = [names.Reading(names.equal(called[what], stems), {}, what) for what in called]
    best = max(same, key=lambda reading: len(reading.pairs))
    if len(best.pairs) == min(len(pairs), len(stems)):
        return best
    own_name = frozenset({names.fold(method)} if re.search(r"[^\W\d_]", method) else ())
    words = (_FUSED | own_name, _INFRARED | _VISIBLE)
    reading = names.match(called[""], stems, (), words, f"'{folder}'")
    return reading if len(reading.pairs) >= len(best.pairs) else best


def _lacking(method: MethodImages, pairs: Iterable[Pair], wanted: set[Pair]) -> tuple[Pair, ...]:
    have = {item.pair for item in method.found}
    return tuple(pair for pair in pairs if pair in wanted and pair not in have)


def _others(paths: Sequence[Path], reading: names.Reading) -> tuple[Path, ...]:
    """Right-hand paths that the reading leaves without a partner."""
    taken = set(reading.pairs.values())
    return tuple(path for j, path in enumerate(paths) if j not in taken)


def _examples(items: Sequence[str | Path], limit: int = 2) -> str:
    shown = [item.name if isinstance(item, Path) else item for item in items[:limit]]
    return ", ".join(shown) + (", ..." if len(items) > limit else "")


def _all(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)


def _listed(what: str, items: Sequence[str | Path]) -> list[str]:
    return [f"{what} ({len(items)}): {_examples(items, len(items))}"] if items else []
