"""Which names of two lists mean the same scene.

Two lists agree in one of these ways, tried together; the one that matches strictly more names wins, and among equals
the one that changes the names least:

1. the names are equal;
2. they differ only in case, in zero padding or in separators (``Lake-1`` and ``lake_01``);
3. words that merely say what an image is are taken off their ends (``IR1`` and ``VIS1``; ``01_fused`` and ``01``);
4. what (nearly) all names of *one* of the lists share is taken off (``FLIR_00006`` and ``00006``).

Whatever is taken off is a run of whole words and numbers: ``irene`` never becomes ``ene``, and ``001`` and ``002``
never lose their zeros as a "common prefix". Shared text is taken off one side only: ``day_1`` and ``night_1`` stay
different scenes. A name that could go two ways is an error, not a guess.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise, product
from typing import Final, NamedTuple, TypeAlias

from fusionbench.types import UserError

Words: TypeAlias = tuple[frozenset[str], ...]
"""Folded words that may be taken off a name, in groups: an earlier group is the more natural reading."""

_SHARED: Final = 9
"""Cost of taking off text that is no known word; a known word costs 1 + the index of its group."""
_NEARLY_ALL: Final = 0.8
"""Share of the names that must carry some text before it may be taken off as shared."""

# Capitals that stand out of small letters: IRlake, lakeVIS; but not FLIR or VISTA.
_SOURCES: Final = "INFRARED|THERMAL|VISIBLE|SPECT|LWIR|RGB|MRI|PET|VIS|CT|IR|VI"
_GLUED: Final = re.compile(rf"^(?:{_SOURCES})(?=[a-z])|(?<=[a-z])(?:{_SOURCES})$")


class Name(NamedTuple):
    """A name taken apart into words and numbers."""

    text: str
    tokens: tuple[str, ...]
    """Words in one case; numbers without leading zeros, between marks that keep them apart when tokens are joined."""
    spans: tuple[tuple[int, int], ...]
    """Where each token stands in the text."""


class Reading(NamedTuple):
    """Which left name is which right one, what the matched left ones are called then, and by what rule."""

    pairs: dict[int, int]
    names: dict[int, str]
    rule: str = ""


class _Strip(NamedTuple):
    """Tokens to take off both ends of a name, and how far-fetched that is."""

    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    cost: int = 0


class _Way(NamedTuple):
    """How to look at one list: what to take off, and whether case, padding and separators count."""

    strip: _Strip
    fold: bool


class _Candidate(NamedTuple):
    rank: tuple[int, ...]
    left: _Way
    right: _Way
    pairs: dict[int, int]
    clashes: list[tuple[list[int], list[int]]]


def parse(text: str) -> Name:
    """Take a name apart.

    >>> parse("FLIR_00006").tokens
    ('flir', '#6#')
    >>> parse("IRlake1").tokens
    ('ir', 'lake', '#1#')
    """
    tokens, spans = [], []
    for run in re.finditer(r"\d+|[^\W\d_]+", text):
        word, start = run.group(), run.start()
        edges = {0, len(word), *(edge for glued in _GLUED.finditer(word) for edge in glued.span())}
        for first, last in pairwise(sorted(edges)):
            token = word[first:last]
            tokens.append(f"#{token.lstrip('0') or '0'}#" if token.isdecimal() else token.casefold())
            spans.append((start + first, start + last))
    return Name(text, tuple(tokens), tuple(spans))


def fold(text: str) -> str:
    """The form that names share which differ only in case, zero padding or separators.

    >>> fold("Lake-1") == fold("lake_01")
    True
    """
    return "".join(parse(text).tokens) or text


def take_off(text: str, words: frozenset[str]) -> str:
    """A name without one of the words at its end or, if there is none, at its beginning.

    >>> take_off("00006_IR", frozenset({"ir"})), take_off("irene", frozenset({"ir"})), take_off("ir", frozenset({"ir"}))
    ('00006', 'irene', 'ir')
    """
    name = parse(text)
    for strip in (_Strip(suffix=name.tokens[-1:]), _Strip(prefix=name.tokens[:1])):
        if words.issuperset(strip.prefix + strip.suffix):
            return _cut(name, strip)[0]
    return text


def equal(left: Sequence[str], right: Sequence[str]) -> dict[int, int]:
    """Positions of equal names: left -> right."""
    place = {text: j for j, text in enumerate(right)}
    return {i: place[text] for i, text in enumerate(left) if text in place}


def match(left: Sequence[str], right: Sequence[str], left_words: Words, right_words: Words, where: str) -> Reading:
    """Find the reading of two lists that matches most of their names one to one.

    Parameters
    ----------
    left, right : sequence of str
        Names, each list without repetition.
    left_words, right_words : tuple of frozenset of str
        Words that may be taken off each side's names.
    where : str
        What to call the place in an error.

    Returns
    -------
    Reading
        Without pairs if the lists have nothing in common.

    Raises
    ------
    UserError
        If a name could mean two others.
    """
    same = equal(left, right)
    if len(same) == min(len(left), len(right)):
        return Reading(same, {i: left[i] for i in same})
    lefts, rights = [parse(text) for text in left], [parse(text) for text in right]
    ways = _ways(lefts, left_words), _ways(rights, right_words)
    best: list[_Candidate] = []
    for a, b in product(*ways):
        shared = _SHARED in (a.strip.cost, b.strip.cost)
        if a.fold != b.fold or a.strip.cost == b.strip.cost == _SHARED:
            continue
        pairs, clashes = _meet(ways[0][a], ways[1][b], left, right)
        count = len(pairs) + len(clashes)
        if not count or (shared and 2 * count <= min(len(left), len(right))):
            continue
        changes = sum(len(way.strip.prefix + way.strip.suffix) for way in (a, b))
        rank = (count, -len(clashes), -a.strip.cost - b.strip.cost, -a.fold, -changes)
        if not best or rank > best[0].rank:
            best = []
        if not best or rank == best[0].rank:
            best.append(_Candidate(rank, a, b, pairs, clashes))
    return _agree(best, lefts, rights, where)


def _cut(name: Name, strip: _Strip) -> tuple[str, str]:
    """What is left of a name, to the letter and folded; all of it if it lacks the tokens or has no others."""
    first, last = len(strip.prefix), len(name.tokens) - len(strip.suffix)
    if first >= last or name.tokens[:first] != strip.prefix or name.tokens[last:] != strip.suffix:
        first, last = 0, len(name.tokens)
    start = name.spans[first][0] if first else 0
    end = name.spans[last - 1][1] if last < len(name.tokens) else len(name.text)
    return name.text[start:end], "".join(name.tokens[first:last]) or name.text


def _ways(names: Sequence[Name], words: Words) -> dict[_Way, dict[str, list[int]]]:
    """Every way to look at a list, with what its names are then: remainder -> positions."""
    prefixes = _runs([name.tokens for name in names], words, from_end=False)
    suffixes = _runs([name.tokens for name in names], words, from_end=True)
    ways: dict[_Way, dict[str, list[int]]] = {}
    for prefix, suffix in product(prefixes, suffixes):
        strip = _Strip(prefix, suffix, max(prefixes[prefix], suffixes[suffix]))
        plain = ways[_Way(strip, False)] = {}
        folded = {}
        # A single name shares all of itself with itself: only what is left to the letter is evidence then.
        if strip.cost != _SHARED or len(names) > 1:
            folded = ways[_Way(strip, True)] = {}
        for index, name in enumerate(names):
            text, key = _cut(name, strip)
            plain.setdefault(text, []).append(index)
            folded.setdefault(key, []).append(index)
    return ways


def _runs(names: Sequence[tuple[str, ...]], words: Words, *, from_end: bool) -> dict[tuple[str, ...], int]:
    """Runs of tokens at one end of the names that may be taken off, with what that costs."""
    counts = Counter(name[-size:] if from_end else name[:size] for name in names for size in range(1, len(name)))
    costs: dict[tuple[str, ...], int] = {(): 0}
    for run, count in counts.items():
        cost = _word_cost(run, words)
        if cost is None and count >= math.ceil(_NEARLY_ALL * len(names)):
            cost = _SHARED
        if cost is not None:
            costs[run] = cost
    return costs


def _word_cost(run: tuple[str, ...], words: Words) -> int | None:
    """1 + the index of the last group needed to spell the run out of known words; None if it cannot be spelled."""
    known: set[str] = set()
    for cost, group in enumerate(words, start=1):
        known |= group
        reached = {0}
        for end in range(1, len(run) + 1):
            if any("".join(run[start:end]) in known for start in reached):
                reached.add(end)
        if len(run) in reached:
            return cost
    return None


def _meet(
    lefts: dict[str, list[int]], rights: dict[str, list[int]], left: Sequence[str], right: Sequence[str]
) -> tuple[dict[int, int], list[tuple[list[int], list[int]]]]:
    """What matches one to one, and the groups that cannot be told apart."""
    pairs: dict[int, int] = {}
    clashes = []
    for key in lefts.keys() & rights.keys():
        ours, theirs = lefts[key], rights[key]
        if len(ours) == len(theirs) == 1:
            pairs[ours[0]] = theirs[0]
            continue
        # Of several candidates the one that is equal to the letter is meant: 1 beside 1 and 01.
        same = equal([left[i] for i in ours], [right[j] for j in theirs])
        pairs |= {ours[i]: theirs[j] for i, j in same.items()}
        if len(same) < min(len(ours), len(theirs)):
            clashes.append((ours, theirs))
    return pairs, sorted(clashes)


def _agree(best: Sequence[_Candidate], lefts: Sequence[Name], rights: Sequence[Name], where: str) -> Reading:
    """What equally good readings say together; an error where they contradict one another."""
    pairs: dict[int, int] = {}
    names: dict[int, str] = {}
    for candidate in best:
        owners = {j: i for i, j in pairs.items()}
        rivals = [([owners.get(j, i), i], [pairs.get(i, j), j]) for i, j in sorted(candidate.pairs.items())]
        clashes = candidate.clashes + [(ours, theirs) for ours, theirs in rivals if len({*ours}) + len({*theirs}) > 2]
        if clashes:
            ours = list(dict.fromkeys(lefts[i].text for i in clashes[0][0]))
            theirs = list(dict.fromkeys(rights[j].text for j in clashes[0][1]))
            one, several = (ours[0], theirs) if len(theirs) > 1 else (theirs[0], ours)
            choices = " or ".join(f"'{text}'" for text in several)
            raise UserError(f"In {where}, '{one}' could belong to {choices}; rename so that only one of them fits.")
        for i, j in candidate.pairs.items():
            pairs[i] = j
            names.setdefault(i, _cut(lefts[i], candidate.left.strip)[0])
    return Reading(pairs, names, _describe(best[0], lefts, rights) if best else "")


def _describe(candidate: _Candidate, lefts: Sequence[Name], rights: Sequence[Name]) -> str:
    """The rule of a reading in a few words; empty where nothing had to be changed."""
    patterns = [
        _pattern([lefts[i] for i in candidate.pairs], candidate.left.strip),
        _pattern([rights[j] for j in candidate.pairs.values()], candidate.right.strip),
    ]
    rule = "" if patterns == ["*", "*"] else f"'{patterns[0]}' with '{patterns[1]}'"
    if not candidate.left.fold:
        return rule
    return f"{rule or 'equal names'}, whatever their case, zero padding and separators"


def _pattern(names: Sequence[Name], strip: _Strip) -> str:
    """How the first name that is cut looks, with a star for what is left of it."""
    for name in names:
        text, _ = _cut(name, strip)
        if text != name.text:
            start = name.spans[len(strip.prefix)][0] if strip.prefix else 0
            return f"{name.text[:start]}*{name.text[start + len(text) :]}"
    return "*"
