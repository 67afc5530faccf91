"""Look at everything once, and collect what the detectors find.

The unit of work is a pair with all its fused images; of an image nothing but a small print outlives it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import fusionbench
from fusionbench import pairing
from fusionbench.integrity import colour, likeness, matching, shift, storage
from fusionbench.integrity.finding import SEVERITIES, Finding
from fusionbench.integrity.look import Look, Role, look
from fusionbench.integrity.prints import Print, fingerprint
from fusionbench.integrity.stale import stale
from fusionbench.pixels import size
from fusionbench.types import Fused, Pair
from fusionbench.workers import as_finished, count

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many images are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found.

    Attributes
    ----------
    findings : tuple of Finding
        The worst first; of one detector sources before methods, in natural order of names.
    pairs, fused : int
        How many were looked at.
    folders : dict of str to list of str
        What was given as ``ir``, ``vis`` and ``fused``.
    seconds : float
        What it took.
    """

    findings: tuple[Finding, ...]
    pairs: int
    fused: int
    folders: dict[str, list[str]]
    seconds: float

    @property
    def wrong(self) -> bool:
        """Whether a score of these images would be wrong."""
        return any(one.severity == "wrong" for one in self.findings)

    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        return {severity: sum(one.severity == severity for one in self.findings) for severity in SEVERITIES}

    def record(self) -> dict[str, Any]:
        """Everything as JSON can hold it."""
        return {
            "fusionbench": fusionbench.__version__,
            "folders": self.folders,
            "pairs": self.pairs,
            "fused": self.fused,
            "counts": self.counts(),
            "findings": [one.record() for one in self.findings],
            "seconds": self.seconds,
        }


def check_paths(
    ir: Path,
    vis: Path,
    fused: Sequence[Path] = (),
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Find out whether images are what they are taken for.

    Parameters
    ----------
    ir, vis : Path
        The sources: each a folder or one image; matched by name.
    fused : sequence of Path
        Each a folder of images, a folder of such folders (one a method), or one image.
    workers : int, optional
        How many threads; by default as many as there are cores.
    progress : callable, optional
        Called several times a second with the number of images done, and of all.

    Returns
    -------
    Report
        Images that cannot be read are findings too.

    Raises
    ------
    UserError
        If a path is missing or holds no image, or no name of one folder has a partner in the others.
    """
    clock = time.perf_counter()
    threads = count(workers)
    sources = pairing.pair_sources(ir, vis)
    methods = [method for path in fused for method in pairing.match_fused(path, sources)]
    of_pair: dict[Pair, list[Fused]] = {pair: [] for pair in sources.pairs}
    for method in methods:
        for item in method.found:
            of_pair[item.pair].append(item)
    total = sum(2 + len(items) for items in of_pair.values())
    findings = [*matching.names(sources, methods), *(one for method in methods for one in stale(method))]
    prints: list[Print] = []
    done = 0

    def tick() -> None:
        if progress:
            progress(done, total)

    for looked in as_finished(_check_pair, list(of_pair.items()), threads, tick):
        findings += looked.findings
        prints += looked.prints
        done += looked.images
    tick()
    prints.sort(key=lambda one: (one.method, pairing.natural_key(one.pair), one.role))
    findings += [*matching.duplicates(prints), *matching.mispaired_sources(prints)]
    findings += matching.mispaired_fused(prints)
    return Report(
        findings=tuple(sorted(findings, key=_order)),
        pairs=len(sources.pairs),
        fused=total - 2 * len(sources.pairs),
        folders={"ir": [str(ir)], "vis": [str(vis)], "fused": [str(path) for path in fused]},
        seconds=time.perf_counter() - clock,
    )


@dataclass(frozen=True, slots=True)
class _Looked:
    """What came of one pair."""

    images: int
    findings: list[Finding]
    prints: list[Print]


def _check_pair(task: tuple[Pair, list[Fused]]) -> _Looked:
    pair, items = task
    looked = _Looked(2 + len(items), [], [])

    def see(path: Path, role: Role, method: str = "") -> Look | None:
        seen = look(path, role, pair.name, method)
        if isinstance(seen, Finding):
            looked.findings.append(seen)
            return None
        looked.findings.extend(one for detector in storage.DETECTORS for one in detector(seen))
        looked.prints.append(fingerprint(seen))
        return seen

    ir, vis = see(pair.ir, "ir"), see(pair.vis, "vis")
    compared = _Compared(ir, vis) if ir and vis and _fits(vis, ir, looked) else None
    if compared:
        looked.findings.extend(compared.sources())
    for item in items:
        image = see(item.path, "fused", item.method)
        if image and compared and _fits(image, compared.ir, looked):
            looked.findings.extend(compared.fused(image))
    return looked


class _Compared:
    """Two sources of one size, and what is computed of them once for all their fused images."""

    def __init__(self, ir: Look, vis: Look) -> None:
        self.ir, self.vis = ir, vis
        self._edges = shift.edges(ir.plane), shift.edges(vis.plane)

    def sources(self) -> Iterator[Finding]:
        yield from colour.false(self.ir, self.vis)
        yield from shift.sources(self.ir, self.vis, *self._edges)

    def fused(self, image: Look) -> Iterator[Finding]:
        yield from colour.lost(self.vis, image)
        yield from colour.swapped(self.vis, image)
        yield from colour.false(self.ir, self.vis, image)
        yield from likeness.copies(self.ir, self.vis, image)
        yield from likeness.stretch(self.ir, self.vis, image)
        yield from shift.fused(self.ir, self.vis, image, *self._edges)


def _fits(image: Look, other: Look, looked: _Looked) -> bool:
    """Whether two images are of one size; if not, that is wrong, and nothing else can be compared."""
    if image.plane.shape == other.plane.shape:
        return True
    one, two = size(image.plane), size(other.plane)
    says = f"is {one} pixels (width x height), its {other.role} is {two}"
    looked.findings.append(image.finding("size", "wrong", says, other.path, size=one, due=two))
    return False


def _order(one: Finding) -> tuple[Any, ...]:
    first = str(one.files[0])
    return SEVERITIES.index(one.severity), one.detector, pairing.natural_key(one.method), pairing.natural_key(first)
