"""Which files of a folder are the pairs of a dataset, in whichever of the usual layouts they lie.

The layouts of a card are tried first, then what anybody would expect: a folder of each source (``ir`` and ``vi``,
``Infrared`` and ``Visible``), with a folder a split around or inside them, or one folder of ``IR*`` and ``VIS*``.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias, overload

from fusionbench import pairing
from fusionbench.datasets.card import Card
from fusionbench.datasets.folders import by_folders
from fusionbench.images import SUFFIXES
from fusionbench.pairing import SourcePairs, natural_key
from fusionbench.types import Pair, UserError

_SPLITS: Final = frozenset({"", "train", "training", "val", "validation", "test", "testing"})

_Keys: TypeAlias = dict[str, list[Path]]


@dataclass(frozen=True, repr=False)
class Pairs(Sequence[Pair]):
    """The pairs of a dataset, or of a part of it: names and paths, nothing of which is read yet.

    Attributes
    ----------
    root : Path
        The folder that was looked through.
    layout : str
        How they lie in it, in words.
    parts : mapping of str to SourcePairs
        By split; the split is ``""`` where the folders tell of none.
    pairs : tuple of Pair
        All of them, in the order of the parts and in natural order of their names.
    """

    root: Path
    layout: str
    parts: Mapping[str, SourcePairs]
    pairs: tuple[Pair, ...]

    @overload
    def __getitem__(self, index: int) -> Pair: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Pair, ...]: ...

    def __getitem__(self, index: int | slice) -> Pair | tuple[Pair, ...]:
        return self.pairs[index]

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        return f"<{len(self)} pairs in '{self.root}', {self.layout}>"

    @property
    def remarks(self) -> list[str]:
        """What a user should be told: a line for everything that has no partner, or was not matched by equal names."""
        lines = []
        for split, sources in self.parts.items():
            lines += [f"{split}: {line}" if split else line for line in pairing.remarks(sources)]
        return lines


def pairs_in(root: Path | str, card: Card | None = None) -> Pairs:
    """Find the pairs in a folder.

    Parameters
    ----------
    root : Path or str
        The folder of a dataset, or one that holds it.
    card : Card, optional
        Of which dataset; its layouts are tried first.

    Returns
    -------
    Pairs
        In natural order; where a name is in several splits, the split stands before it.

    Raises
    ------
    UserError
        If the folder is missing, holds no pairs, or could be read in two ways.
    """
    root = _folder(root)
    found = _by_card(root, card, _images_below(root)) if card is not None and card.layouts else None
    layout, parts = found or by_folders(root, _labels([card] if card else []))
    return joined(root, layout, parts)


def candidates(root: Path | str, cards: Sequence[Card]) -> Iterator[tuple[Card, Pairs]]:
    """What `pairs_in` finds for each of several datasets, less those that the folder cannot be; it is read but once."""
    root = _folder(root)
    images = list(_images_below(root))
    plain = None
    with suppress(UserError):
        plain = by_folders(root, _labels(cards))
    for card in cards:
        with suppress(UserError):
            if found := _by_card(root, card, images) or plain:
                yield card, joined(root, *found)


def _folder(root: Path | str) -> Path:
    root = Path(root)
    if not root.is_dir():
        raise UserError(f"There is no folder '{root}': check the path of the dataset.")
    return root


def _labels(cards: Sequence[Card]) -> Set[str]:
    """What folders of splits are called."""
    return _SPLITS | {word.casefold() for card in cards for split in card.splits for word in (split.name, split.folder)}


def joined(root: Path, layout: str, parts: Mapping[str, SourcePairs]) -> Pairs:
    """All pairs of some parts; where a name is in several of them, the part's name is put before it."""
    counts = Counter(pair.name for sources in parts.values() for pair in sources.pairs)
    twice = max(counts.values(), default=0) > 1
    pairs = tuple(
        Pair(f"{split}_{pair.name}", pair.ir, pair.vis) if twice and split else pair
        for split, sources in parts.items()
        for pair in sources.pairs
    )
    return Pairs(root, layout, parts, pairs)


# By the patterns of a card.


class _Place(NamedTuple):
    """A layout, and the folder below which its patterns match."""

    rank: int
    base: str


def _by_card(root: Path, card: Card, images: Iterable[tuple[str, Path]]) -> tuple[str, dict[str, SourcePairs]] | None:
    """The layout of the card that gives most pairs; None if none gives any."""
    splits = {(split.folder or split.name).casefold(): split.name for split in card.splits}
    patterns = [
        (rank, side, _regex(pattern, splits))
        for rank, layout in enumerate(card.layouts)
        for side, pattern in enumerate((layout.ir, layout.vis))
    ]
    places: dict[_Place, dict[str, tuple[_Keys, _Keys]]] = {}
    for stem, path in images:
        for rank, side, pattern in patterns:
            if match := pattern.fullmatch(stem):
                split = splits.get((match.groupdict().get("split") or "").casefold(), "")
                name = "_".join(text for group, text in match.groupdict().items() if group.startswith("name"))
                sides = places.setdefault(_Place(rank, match["base"] or ""), {}).setdefault(split, ({}, {}))
                sides[side].setdefault(name, []).append(path)
    counts = {
        place: sum(
            len(ir[name]) == len(vis[name]) == 1 for ir, vis in parts.values() for name in ir.keys() & vis.keys()
        )
        for place, parts in places.items()
    }
    most = max(counts.values(), default=0)
    if not most:
        return None
    best = min(place for place, count in counts.items() if count == most)
    twins = [place.base for place, count in counts.items() if count == most and place.rank == best.rank]
    if len(twins) > 1 and best.base:
        raise UserError(f"'{root}' holds {card.name} more than once ('{twins[0]}', '{twins[1]}'): give one of them.")
    layout = card.layouts[best.rank]
    order = [*(split.name for split in card.splits), ""]
    parts = {split: _pair_up(*places[best][split]) for split in order if split in places[best]}
    return f"{layout.name}: {layout.ir} with {layout.vis}", parts


def _regex(pattern: str, splits: Mapping[str, str]) -> re.Pattern[str]:
    """What a pattern of a layout matches, as an expression for the whole of a path without suffix."""
    parts = []
    for k, piece in enumerate(re.split(r"(<split>|\{[^}]*\}|\*)", pattern)):
        if piece == "<split>":
            parts.append(f"(?P<split>{'|'.join(map(re.escape, splits))})")
        elif piece.startswith("{"):
            parts.append(f"(?P<name{k}>{re.escape(piece[1:-1]).replace(re.escape('*'), '[^/]+')})")
        else:
            parts.append("[^/]+" if piece == "*" else re.escape(piece))
    return re.compile(f"(?:(?P<base>.+)/)?{''.join(parts)}", re.IGNORECASE)


def _images_below(root: Path) -> Iterator[tuple[str, Path]]:
    """Every image below a folder, with its path from there, without suffix; links are followed, but never in circles."""
    seen = set()
    for folder, inner, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(files):
            stem, suffix = os.path.splitext(name)
            if suffix.lower() in SUFFIXES and not name.startswith("."):
                path = Path(folder, name)
                yield path.with_name(stem).relative_to(root).as_posix(), path


def _pair_up(ir: _Keys, vis: _Keys) -> SourcePairs:
    """Pair the files that share a name."""
    doubled = {name: tuple(paths) for keys in (ir, vis) for name, paths in keys.items() if len(paths) > 1}
    both = sorted((ir.keys() & vis.keys()) - doubled.keys(), key=natural_key)

    def lonely(these: _Keys, those: _Keys) -> tuple[Path, ...]:
        return tuple(these[name][0] for name in sorted(these.keys() - those.keys() - doubled.keys(), key=natural_key))

    return SourcePairs(
        pairs=tuple(Pair(name, ir[name][0], vis[name][0]) for name in both),
        only_ir=lonely(ir, vis),
        only_vis=lonely(vis, ir),
        doubled=tuple(doubled.items()),
    )
