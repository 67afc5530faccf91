"""What a folder of pairs is: which dataset, which of its splits or known subsets, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Literal, TypeAlias

from fusionbench.datasets import DATASETS
from fusionbench.datasets.card import Card, Layout, Split, Subset
from fusionbench.datasets.layouts import Pairs, candidates, pairs_in
from fusionbench.datasets.loading import missing, without_repeats
from fusionbench.names import fold, parse
from fusionbench.types import Pair, UserError

_PLAIN: Final = frozenset({"ir", "vi", "vis", "infrared", "visible", "a", "b"})
"""What folders are called in any dataset."""

Evidence: TypeAlias = Literal["names", "numbers", "folders", "count"]


@dataclass(frozen=True, slots=True)
class Part:
    """How much of a dataset, of a split or of a known subset is here.

    Attributes
    ----------
    kind : {"dataset", "split", "subset"}
        What it is a part of, ``"dataset"`` being all of it.
    name : str
        Name of the split or subset, or of the dataset.
    count : int
        How many pairs it has.
    have : int
        How many of them are here.
    missing : tuple of str
        Names of those that are not, where names are known.
    exact : bool
        Whether all of it is here, and for a dataset or subset nothing else.
    evidence : {"names", "numbers", "folders", "count"}
        What that rests on. Bare numbers prove little: every re-packing numbers its pairs from 1. A count proves nothing.
    """

    kind: Literal["dataset", "split", "subset"]
    name: str
    count: int
    have: int
    missing: tuple[str, ...]
    exact: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a folder of pairs is.

    Attributes
    ----------
    card : Card
        The dataset.
    found : Pairs
        What is there.
    parts : tuple of Part
        The dataset, then its splits and its known subsets, as far as something can be said of them.
    nearest : Part
        The one of them that it is, or is most like.
    complete : bool
        Whether nothing is missing: it is the dataset, whole splits of it or a known subset; or, if one was named, it
        has all of that.
    strange : tuple of str
        Names of pairs that the nearest part does not have, where its names are known.
    """

    card: Card
    found: Pairs
    parts: tuple[Part, ...]
    nearest: Part
    complete: bool
    strange: tuple[str, ...]


def verify(root: Path | str, name: str | None = None, split: str | None = None, subset: str | None = None) -> Verdict:
    """Say what a folder of pairs is; names and places of files are looked at, not their content.

    Parameters
    ----------
    root : Path or str
        A folder, in any layout that `fusionbench.datasets.pairs_in` knows.
    name : str, optional
        Which dataset it is meant to be; by default the one that fits best.
    split, subset : str, optional
        Which part of it is meant to be there.

    Returns
    -------
    Verdict

    Raises
    ------
    UserError
        If there are no pairs, there is no such dataset, or it cannot be told which one it is.
    """
    if name is not None:
        card = DATASETS[name]
        return _judge(card, pairs_in(root, card), split, subset)
    if split or subset:
        raise UserError(f"'{split or subset}' is a part of which dataset? Name that too.")
    cards = [DATASETS[each] for each in DATASETS.names()]
    verdicts = [_judge(card, found) for card, found in candidates(root, cards)]
    best = max(verdicts, key=_likelihood, default=None)
    if best is None or not any(_likelihood(best)):
        found = pairs_in(root)
        raise UserError(
            f"'{root}' has {len(found)} pair{'s' * (len(found) != 1)} ({_some(found)}), of no dataset that is known: name "
            "the one that is meant."
        )
    return best


def _judge(card: Card, found: Pairs, split: str | None = None, subset: str | None = None) -> Verdict:
    counted = without_repeats(found, card)
    if split or subset:
        wanted = [card.split(split)] if split else [], [card.subset(subset)] if subset else []
        parts = [_split(one, found) or _nothing_of("split", one, found) for one in wanted[0]]
        parts += [_subset(one, found) or _nothing_of("subset", one, found) for one in wanted[1]]
        complete = all(part.exact or (part.have == part.count and part.evidence != "count") for part in parts)
    else:
        here = min(len(counted), card.count)
        whole = Part("dataset", card.name, card.count, here, (), len(counted) == card.count, "count")
        splits = [part for one in card.splits if (part := _split(one, found))]
        subsets = [part for one in card.subsets if (part := _subset(one, counted))]
        parts = [whole, *splits, *subsets]
        complete = any(part.exact for part in (whole, *subsets))
        complete |= all(part.exact for part in splits) and sum(part.have for part in splits) >= len(found)
    nearest = max(parts, key=lambda part: _closeness(part, len(counted)))
    return Verdict(card, found, tuple(parts), nearest, complete, _strange(card, nearest, found))


def _nothing_of(kind: Literal["split", "subset"], item: Split | Subset, found: Pairs) -> Part:
    """What can be said of a part whose names are not known, or of which nothing is here."""
    have = 0 if item.names else min(len(found), item.count)
    return Part(kind, item.name, item.count, have, item.names, False, "count")


def _split(split: Split, found: Pairs) -> Part | None:
    """A split, told by folders or by names; None if neither tells, or nothing of it is here."""
    labels = (split.name.casefold(), split.folder.casefold() or split.name.casefold())
    inside = [pair for label, sources in found.parts.items() if label.casefold() in labels for pair in sources.pairs]
    evidence: Evidence = "folders"
    if not inside and split.match:
        evidence = "names"
        inside = [pair for pair in found if any(fnmatchcase(pair.name, pattern) for pattern in split.match)]
    if split.names:
        evidence = _kind_of(split.names)
        return _listed("split", split, split.names, inside or found, evidence)
    if not inside and len(found) == split.count and set(found.parts) == {""}:
        return Part("split", split.name, split.count, split.count, (), True, "count")
    if not inside:
        return None
    have = min(len(inside), split.count)
    return Part("split", split.name, split.count, have, (), len(inside) == split.count, evidence)


def _subset(subset: Subset, found: Pairs) -> Part | None:
    """A known subset; None if nothing can be said of it."""
    if not subset.names:
        if len(found) != subset.count:
            return None
        return Part("subset", subset.name, subset.count, subset.count, (), True, "count")
    part = _listed("subset", subset, subset.names, found, _kind_of(subset.names))
    if not (part and part.exact) and len(found) == subset.count and subset.renamed:
        own = _listed("subset", subset, subset.renamed, found, _kind_of(subset.renamed))
        return own if own and own.exact else part
    return part


def _listed(
    kind: Literal["split", "subset"], item: Split | Subset, wanted: Sequence[str], found: Sequence[Pair], by: Evidence
) -> Part | None:
    lacking = missing(found, wanted)
    if len(lacking) == len(wanted):
        return None
    exact = not lacking and (kind == "split" or len(found) == item.count)
    return Part(kind, item.name, item.count, item.count - len(lacking), tuple(lacking), exact, by)


def _kind_of(names: Sequence[str]) -> Evidence:
    return "numbers" if all(name.isdecimal() for name in names) else "names"


def _closeness(part: Part, pairs: int) -> tuple[bool, bool, bool, float]:
    """Order of parts: what so many pairs are exactly, by good evidence, before what they have most in common with."""
    same = part.exact and part.count == pairs
    return (
        same,
        same and part.evidence == "names",
        same and part.evidence != "count",
        part.have / max(part.count, pairs),
    )


def _likelihood(verdict: Verdict) -> tuple[bool, bool, bool, float]:
    """Order of datasets, by what speaks for them; all false if nothing does."""
    card, found = verdict.card, verdict.found
    by_names = max((part.have for part in verdict.parts if part.evidence == "names"), default=0) / max(len(found), 1)
    called = set(parse(card.name).tokens) <= set(parse(str(found.root.resolve())).tokens)
    told = called or any(found.layout.startswith(f"{one.name}: ") and _telling(one, card) for one in card.layouts)
    return by_names > 0.5, told, told and any(part.exact for part in verdict.parts), by_names


def _telling(layout: Layout, card: Card) -> bool:
    """Whether the folders and names of a layout are those of one dataset only."""
    literal = f"{layout.ir} {layout.vis}"
    if "<split>" in literal:
        literal = " ".join([literal.replace("<split>", ""), *(split.folder for split in card.splits)])
    return not _PLAIN.issuperset(parse(literal).tokens)


def _strange(card: Card, part: Part, found: Pairs) -> tuple[str, ...]:
    if part.kind == "dataset" or part.evidence not in ("names", "numbers"):
        return ()
    item = card.split(part.name) if part.kind == "split" else card.subset(part.name)
    known = {fold(name) for name in (*item.names, *(item.renamed if isinstance(item, Subset) else ()))}
    return tuple(pair.name for pair in found if known and fold(pair.name) not in known)


def _some(found: Sequence[Pair]) -> str:
    return ", ".join(pair.name for pair in found[:3]) + (", ..." if len(found) > 3 else "")
