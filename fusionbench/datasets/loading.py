"""The pairs of a dataset, of one of its splits, or of a subset that papers use."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from fusionbench import downloads
from fusionbench.datasets import DATASETS
from fusionbench.datasets.card import Card, Split, Subset
from fusionbench.datasets.layouts import Pairs, joined, pairs_in
from fusionbench.names import fold
from fusionbench.types import Pair, UserError


def load(name: str, root: Path | str | None = None, split: str | None = None, subset: str | None = None) -> Pairs:
    """The pairs of a dataset: names and paths; no image is read.

    Parameters
    ----------
    name : str
        Short name of a dataset, e.g. ``"msrs"``.
    root : Path or str, optional
        Its folder, in any layout that `pairs_in` knows; by default what was fetched, or lies in `place`. The synthetic
        scenes are made there if they are not there yet.
    split : str, optional
        One of the splits of its card, e.g. ``"test"``; by default all that do not repeat pairs of others.
    subset : str, optional
        One of the known subsets of its card, e.g. ``"cddfuse"``; by default all pairs.

    Returns
    -------
    Pairs
        A sequence of `fusionbench.types.Pair`, in natural order of their names.

    Raises
    ------
    UserError
        If there is no such dataset, split or subset, it is not here, or pairs of the split or subset are missing.

    Examples
    --------
    >>> import fusionbench as fb
    >>> for pair in fb.datasets.load("msrs", "data/MSRS", split="test"):  # doctest: +SKIP
    ...     print(pair.name, pair.ir, pair.vis)
    """
    card = DATASETS[name]
    part = None if split is None else card.split(split)
    known = None if subset is None else card.subset(subset)
    if root is None:
        root = _at_hand(card, known)
    found = pairs_in(root, card)
    if part is not None:
        found = _of_split(found, card, part)
    else:
        found = without_repeats(found, card)
    if known is not None:
        found = _of_subset(found, card, known)
    return found


def place(name: str, subset: str = "") -> Path:
    """The folder that a dataset is fetched to.

    Parameters
    ----------
    name : str
        Short name of the dataset.
    subset : str
        Which known subset, where only that was fetched.
    """
    return home() / (f"{name}-{subset}" if subset else name)


def home() -> Path:
    """The folder that datasets are fetched to, ``FUSIONBENCH_DATA`` or a part of the user's cache."""
    if folder := os.environ.get("FUSIONBENCH_DATA"):
        return Path(folder)
    return downloads.cache() / "datasets"


def without_repeats(found: Pairs, card: Card) -> Pairs:
    """The pairs less the splits that repeat pairs of others."""
    again = {split.name for split in card.splits if split.repeats}
    if again.isdisjoint(found.parts) or again.issuperset(found.parts):
        return found
    return joined(found.root, found.layout, {key: one for key, one in found.parts.items() if key not in again})


def missing(found: Iterable[Pair], wanted: Sequence[str]) -> list[str]:
    """Which of the wanted names no pair has, whatever their case, zero padding and separators."""
    have = {fold(pair.name) for pair in found}
    return [name for name in wanted if fold(name) not in have]


def _at_hand(card: Card, subset: Subset | None) -> Path:
    whole = place(card.name)
    if whole.is_dir():
        return whole
    if card.name == "synthetic":
        from fusionbench.datasets.synthetic import make_once

        return make_once(whole)
    if subset is not None and place(card.name, subset.name).is_dir():
        return place(card.name, subset.name)
    for archive in card.archives:
        if archive.subset and place(card.name, archive.subset).is_dir():
            raise UserError(
                f"Of {card.name} only the subset '{archive.subset}' was fetched: ask for that subset, or give the folder "
                "of the dataset."
            )
    raise UserError(f"{card.name} is not here: {how_to_get(card, subset)}.")


def how_to_get(card: Card, subset: Subset | None = None) -> str:
    """What to do to get a dataset, in part of a sentence."""
    wanted = subset.name if subset else ""
    if any(archive.subset in ("", wanted) for archive in card.archives):
        only = any(archive.subset == wanted for archive in card.archives) and wanted
        option = f" --subset {wanted}" if only else ""
        return f"get it by 'fusionbench dataset fetch {card.name}{option}', or give its folder"
    return f"get it by hand ('fusionbench dataset info {card.name}' says how), and give its folder"


def _of_split(found: Pairs, card: Card, split: Split) -> Pairs:
    """The pairs of a split: by the folder they lie in or else by their names."""
    chosen = [name for name in found.parts if name.casefold() in (split.name.casefold(), split.folder.casefold())]
    if chosen and chosen != [""] and found.parts[chosen[0]].pairs:
        sources = found.parts[chosen[0]]
        found = Pairs(found.root, found.layout, {split.name: sources}, sources.pairs)
        if not split.names:
            return found
    if split.names:
        return _keep(found, split.names, f"split '{split.name}' of {card.name}")
    if split.match:
        kept = tuple(pair for pair in found if any(fnmatchcase(pair.name, pattern) for pattern in split.match))
        if kept:
            return Pairs(found.root, found.layout, found.parts, kept)
        raise UserError(
            f"'{found.root}' holds no pair of the split '{split.name}' of {card.name}: give another folder."
        )
    # A dataset may be nothing but a test set.
    if split.count == card.count:
        return found
    if list(found.parts) == [""] and found.root.resolve().name.casefold() in (split.name, split.folder.casefold()):
        return found
    raise UserError(
        f"'{found.root}' does not say which of its pairs are the split '{split.name}' of {card.name}: put them into a "
        "folder of that name, or give just their folder without a split."
    )


def _of_subset(found: Pairs, card: Card, subset: Subset) -> Pairs:
    """The pairs of a known subset, by name."""
    if not subset.names:
        if len(found) == subset.count and found.root == place(card.name, subset.name):
            return found
        raise UserError(
            f"Which {subset.count} pairs of {card.name} the subset '{subset.name}' has is not known: give the folder of "
            "just these pairs, without a subset."
        )
    # Given out under other names, the subset is known by being all there is.
    own = subset.renamed and len(found) == subset.count and not missing(found, subset.renamed)
    if own and missing(found, subset.names):
        return found
    return _keep(found, subset.names, f"subset '{subset.name}' of {card.name}")


def _keep(found: Pairs, wanted: Sequence[str], what: str) -> Pairs:
    lacking = missing(found, wanted)
    if lacking:
        some = ", ".join(lacking[:3]) + (", ..." if len(lacking) > 3 else "")
        raise UserError(
            f"'{found.root}' lacks {len(lacking)} of the {len(wanted)} pairs of the {what} ({some}): complete it "
            "('fusionbench dataset verify' names them all), or leave the choice out."
        )
    folded = {fold(name) for name in wanted}
    return Pairs(found.root, found.layout, found.parts, tuple(pair for pair in found if fold(pair.name) in folded))
