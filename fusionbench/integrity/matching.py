"""What belongs together: names without a partner, and images whose content says another partner than their name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from fusionbench.integrity.finding import Finding, Severity
from fusionbench.integrity.prints import Print
from fusionbench.pairing import Doubled, MethodImages, SourcePairs

_BETTER: Final = 0.15
"""By so much another pair must explain a fused image better than its own; in published images its own always does best."""
_LEAST: Final = 0.1
"""So much a source must resemble its new partner: half of what published ones resemble theirs, while noise has 0.04."""
_GAIN: Final = 0.04
"""By so much each source must resemble its new partner more than its old one; in published pairs 0.01 is the most."""


def names(sources: SourcePairs, methods: Sequence[MethodImages]) -> Iterator[Finding]:
    """What has no partner by its name, or more than one: suspect, for scores are of the rest without a word.

    How names were read where they are not simply equal is a note.
    """
    if sources.rule:
        first = sources.pairs[0]
        yield Finding("names", "note", (first.ir, first.vis), f"is paired by reading {sources.rule}")
    for what, paths in (
        ("has no visible partner", sources.only_ir),
        ("has no infrared partner", sources.only_vis),
        ("is neither infrared nor visible by its name", sources.unknown),
    ):
        yield from (Finding("unpaired", "suspect", (path,), what) for path in paths)
    yield from _doubled(sources.doubled, "")
    for method in methods:
        if method.rule:
            first_path = method.found[0].path
            says = f"belongs to its pair by reading {method.rule}"
            yield Finding("names", "note", (first_path,), says, method=method.method)
        for path in method.unknown:
            yield Finding("unpaired", "suspect", (path,), "belongs to no pair", method=method.method)
        yield from _doubled(method.doubled, method.method)
        if method.missing:
            lacking = ", ".join(pair.name for pair in method.missing)
            files = (method.found[0].path.parent,) if method.found else tuple(pair.vis for pair in method.missing)
            number = len(method.missing)
            says = f"lacks {number} pair{'s' * (number > 1)} that other methods have: {lacking}"
            yield Finding("missing", "suspect", files, says, {"missing": len(method.missing)}, method.method)


def _doubled(doubled: Doubled, method: str) -> Iterator[Finding]:
    for stem, paths in doubled:
        says = f"is left out: '{stem}' is there {len(paths)} times"
        yield Finding("unpaired", "suspect", paths, says, method=method)


def duplicates(prints: Iterable[Print]) -> Iterator[Finding]:
    """Equal pixels in different files.

    Wrong within a pair (both sources are one image) and between pairs of one method; a source of another pair as
    well. Two methods that share an image are suspect, and wrong if they share all they have, two at least. A source
    that stands in two pairs is suspect. Of many equal images each is compared with the first.
    """
    equal: dict[str, list[Print]] = defaultdict(list)
    held: dict[str, set[str]] = defaultdict(set)
    for one in prints:
        equal[one.digest].append(one)
        held[one.method].add(one.pair)
    shared: dict[tuple[str, str], list[tuple[Print, Print]]] = defaultdict(list)
    for group in equal.values():
        # A blank image equals every other blank one, which says nothing more than that it is blank.
        if len(group) < 2 or group[0].blank:
            continue
        one = group[0]
        for two in group[1:]:
            if one.method and two.method and one.method != two.method and one.pair == two.pair:
                shared[one.method, two.method].append((one, two))
            elif one.path != two.path and not (one.pair == two.pair and (one.method or two.method)):
                yield _same(one, two)
    for (one_method, two_method), found in shared.items():
        all_of_them = len(found) >= 2 and len(found) == len(held[one_method] & held[two_method])
        says = f"is the same image as that of {one_method}"
        says += f", as are all {len(found)} of {two_method}" * all_of_them
        for one, two in found[:1] if all_of_them else found:
            severity: Severity = "wrong" if all_of_them else "suspect"
            evidence = {"same": len(found)}
            yield Finding("duplicate", severity, (two.path, one.path), says, evidence, two_method, two.pair)


def _same(one: Print, two: Print) -> Finding:
    # The fused image is what is wrong if one of them is fused.
    first, other = (one, two) if one.method and not two.method else (two, one)
    severity: Severity = "wrong"
    if one.pair == two.pair:
        says = "is the same image as the visible one"
    elif first.method and not other.method:
        says = f"is a source of the pair {other.pair}"
    elif first.method:
        says = f"is the same image as that of the pair {other.pair}"
    else:
        severity, says = "suspect", f"is the same image as in the pair {other.pair}"
    return Finding("duplicate", severity, (first.path, other.path), says, {}, first.method, first.pair)


def mispaired_fused(prints: Sequence[Print]) -> Iterator[Finding]:
    """A fused image that the sources of another pair explain far better than its own: wrong.

    How well a pair explains it is the multiple correlation of 32 x 32 thumbnails.
    """
    ir, vis = _by_pair(prints, "ir"), _by_pair(prints, "vis")
    pairs = [pair for pair in ir if pair in vis]
    at = {pair: place for place, pair in enumerate(pairs)}
    found = [one for one in prints if one.role == "fused" and one.pair in at and one.thumb.any()]
    if len(pairs) < 2 or not found:
        return
    warm, seen = (np.stack([side[pair].thumb for pair in pairs]) for side in (ir, vis))
    images = np.stack([one.thumb for one in found])
    x, y, both = images @ warm.T, images @ seen.T, (warm * seen).sum(axis=1)
    explained = (x**2 + y**2 - 2 * both * x * y) / np.maximum(1 - both**2, 1e-3)
    fit = np.sqrt(np.clip(explained, 0, 1))
    for row, one in enumerate(found):
        own, best = float(fit[row, at[one.pair]]), int(fit[row].argmax())
        other = float(fit[row, best])
        if other >= 0.8 and other - own >= _BETTER:
            says = f"shows the scene of {pairs[best]}, not its own (correlation {other:.2f} instead of {own:.2f})"
            files = (one.path, vis[pairs[best]].path)
            yield Finding("mispaired", "wrong", files, says, {"own": own, "other": other}, one.method, one.pair)


def mispaired_sources(prints: Sequence[Print]) -> Iterator[Finding]:
    """Infrared images that go with the visible images of other pairs, once partners are exchanged: wrong.

    The directions of edges are compared, and all partners are chosen anew so that the sum of likenesses is greatest. Each
    circle of images that would exchange partners must gain `_GAIN` an image, and reach `_LEAST`. Pairs of one size are
    compared.
    """
    ir, vis = _by_pair(prints, "ir"), _by_pair(prints, "vis")
    sizes: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for pair in ir:
        if pair in vis and ir[pair].shape == vis[pair].shape:
            sizes[ir[pair].shape].append(pair)
    for pairs in sizes.values():
        if len(pairs) > 1:
            yield from _exchanged([ir[pair] for pair in pairs], [vis[pair] for pair in pairs])


def _exchanged(ir: Sequence[Print], vis: Sequence[Print]) -> Iterator[Finding]:
    from scipy.optimize import linear_sum_assignment

    likeness = (np.stack([one.field for one in ir]).conj() @ np.stack([one.field for one in vis]).T).real
    partner = linear_sum_assignment(likeness, maximize=True)[1].tolist()
    for circle in _circles(partner):
        own = float(np.mean([likeness[i, i] for i in circle]))
        new = float(np.mean([likeness[i, partner[i]] for i in circle]))
        if new - own < _GAIN or new < _LEAST:
            continue
        for i in circle:
            says = f"goes with the visible image of {vis[partner[i]].pair}, not with its own, by its edges"
            files = (ir[i].path, vis[i].path, vis[partner[i]].path)
            evidence = {"own": float(likeness[i, i]), "other": float(likeness[i, partner[i]]), "gain": new - own}
            yield Finding("mispaired", "wrong", files, says, evidence, pair=ir[i].pair)


def _circles(partner: Sequence[int]) -> Iterator[list[int]]:
    """The cycles of a permutation that are longer than 1."""
    left = set(range(len(partner)))
    while left:
        circle = [min(left)]
        while (following := partner[circle[-1]]) != circle[0]:
            circle.append(following)
        left -= set(circle)
        if len(circle) > 1:
            yield circle


def _by_pair(prints: Iterable[Print], role: str) -> dict[str, Print]:
    return {one.pair: one for one in prints if one.role == role and one.thumb.any() and one.field.any()}
