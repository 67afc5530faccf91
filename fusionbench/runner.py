"""A benchmark that cannot be lost: what is done already is known by its content, and whatever is not is done now.

The unit of work is a pair: its sources are read once, every method that has no image of it makes one, and every image
whose scores are not known is scored. An image carries the fingerprint of its sources and of its recipe, a score that of
its image and of its definition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from fusionbench import pixels
from fusionbench.benchmark import Known, Method, Outcome, Plan
from fusionbench.cells import Log, fingerprint, key
from fusionbench.isolation import Isolated
from fusionbench.metrics.definitions import Definition
from fusionbench.pairwork import OnPair, Task, Unwritten, Work
from fusionbench.stacks import warm_up
from fusionbench.types import UserError
from fusionbench.workers import Stop, as_finished

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many images are done, and of how many."""


def run(
    plan: Plan,
    *,
    only_look: bool = False,
    workers: int,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Iterator[Outcome]:
    """Do what is not done yet.

    Parameters
    ----------
    plan : Plan
        What there is to do.
    only_look : bool
        Find out what is not done, and leave it at that; nothing is written.
    workers : int
        How many threads.
    cluster : str, optional
        Address of a Dask scheduler whose workers do it instead; they must see the same files under the same names.
    progress : callable, optional
        Called several times a second with the number of images done, and of all.

    Yields
    ------
    Outcome
        Of each pair, as soon as it is done and on disk. Leaving early costs the pairs in work.

    Raises
    ------
    UserError
        If a file of results cannot be written: the disk is full, or the folder may not be written to.
    """
    work = _work(plan, only_look=only_look)
    if not only_look:
        for (_, luma), group in plan.definitions.items():
            warm_up(group, luma)
    finished = 0

    def tick() -> None:
        if progress:
            # What another machine is doing is only known when a pair is done.
            progress(max(len(work.done), finished), plan.images)

    logs: dict[tuple[str, str], Log] = {}
    try:
        for outcome in as_finished(OnPair(work), _tasks(plan), workers, tick, cluster, work.stop):
            if not only_look:
                for method, entry in outcome.entries.items():
                    cell = outcome.dataset, method
                    if cell not in logs:
                        logs[cell] = plan.log(*cell)
                    logs[cell].add(entry)
            finished += len(plan.methods)
            tick()
            yield outcome
    except Unwritten as error:
        raise UserError(f"{str(error).rstrip('.')}; then run the command again, and it goes on from there.") from None
    finally:
        work.stop.set()
        work.isolated.close()
        for log in logs.values():
            log.close()


def _work(plan: Plan, *, only_look: bool) -> Work:
    definitions: dict[pixels.PlaneRule, dict[str, Definition]] = {}
    for (_, luma), group in plan.definitions.items():
        definitions.setdefault(luma, {}).update({key(each, luma): each for each in group})
    return Work(
        folder=plan.folder,
        methods=tuple(replace(method, found={}) for method in plan.methods),
        recipes={method.name: _recipe(method) for method in plan.methods if method.recipe},
        definitions=definitions,
        keys=frozenset(plan.keys()),
        only_look=only_look,
        isolated=Isolated(),
        stop=Stop(),
        done=[],
    )


def _tasks(plan: Plan) -> Iterator[Task]:
    """Every pair, with what is known of its images."""
    interned: dict[frozenset[str], frozenset[str]] = {}
    for dataset in plan.datasets:
        known: dict[str, dict[str, Known]] = {}
        for method in plan.methods:
            for entry in plan.log(dataset.name, method.name).entries():
                there = known.setdefault(entry.pair, {})
                before = there.get(method.name)
                names = frozenset(entry.values)
                if before and before[1] == entry.state:
                    names |= before[2]
                there[method.name] = entry.made, entry.state, interned.setdefault(names, names)
        for pair in dataset.pairs:
            which = dataset.name, pair.name
            elsewhere = {method.name: method.found[which] for method in plan.methods if which in method.found}
            yield dataset.name, pair, known.get(pair.name, {}), elsewhere


def _recipe(method: Method) -> str:
    """Fingerprint of how a method makes images."""
    assert method.recipe is not None
    return fingerprint([method.recipe.record(), "png", 8])
