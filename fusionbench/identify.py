"""Which convention made these numbers: published values against every definition that is known, and what is near one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fusionbench import pairing
from fusionbench.candidates import Bench
from fusionbench.claims import Claim, Claims
from fusionbench.names import fold
from fusionbench.seeking import LEVELS, Seeker, Subset, Target, agree_on_a_subset
from fusionbench.types import Fused, Pair, UserError
from fusionbench.verdicts import Identification


def identify(
    claims: Claims,
    fused: Path,
    ir: Path,
    vis: Path,
    *,
    dataset: str | None = None,
    subsets: Mapping[str, Sequence[str]] | None = None,
    bench: Bench | None = None,
) -> Identification:
    """Find which convention made numbers, with the images they are of.

    Parameters
    ----------
    claims : Claims
        The numbers, from `fusionbench.claims`.
    fused, ir, vis : Path
        The images, as for `fusionbench.score_folder`.
    dataset : str, optional
        Which dataset of the table the images are, if it has several.
    subsets : mapping of str to sequence of str, optional
        Names of pairs, by the name of the subset: over which means may have been taken.
    bench : Bench, optional
        What computes, with its threads and how progress is told.

    Returns
    -------
    Identification

    Raises
    ------
    UserError
        If the images cannot be matched, or none of the numbers is of any of them.
    """
    bench = bench or Bench()
    sources = pairing.pair_sources(ir, vis)
    methods = pairing.match_fused(fused, sources)
    columns, remarks = _targets(_of_dataset(claims, dataset), methods)
    known = [_subset(name, pairs, sources.pairs, remarks) for name, pairs in (subsets or {}).items()]
    seekers = [Seeker(column, targets, bench, known) for column, targets in columns.items()]
    for level in LEVELS:
        left = [seeker for seeker in seekers if not seeker.matches]
        for ask in (Seeker.rough, Seeker.sample, Seeker.all_images):
            bench.measure([need for seeker in left for need in ask(seeker, level)])
        for seeker in left:
            seeker.conclude(level)
        if level.fewer:
            agree_on_a_subset([seeker for seeker in left if not seeker.matches])
    lost = [seeker for seeker in seekers if not seeker.matches]
    bench.measure([need for seeker in lost for need in seeker.everything()])
    remarks += pairing.remarks(sources, methods)
    failures = {str(path): reason for path, reason in bench.unusable.items()}
    return Identification(claims.name, tuple(seeker.verdict() for seeker in seekers), tuple(remarks), failures)


def _subset(name: str, wanted: Sequence[str], pairs: Sequence[Pair], remarks: list[str]) -> Subset:
    here = {fold(called): pair.name for pair in pairs for called in (pair.vis.stem, pair.ir.stem, pair.name)}
    missing = [each for each in wanted if fold(each) not in here]
    if missing:
        remarks.append(f"Subset '{name}': there are no such pairs ({len(missing)}): {', '.join(missing)}")
    return Subset(name, frozenset(here[fold(each)] for each in wanted if fold(each) in here))


def _of_dataset(claims: Claims, dataset: str | None) -> Claims:
    if dataset is None:
        return claims
    chosen = tuple(claim for claim in claims.claims if claim.dataset == dataset)
    if not chosen:
        there = ", ".join(dict.fromkeys(f"'{claim.dataset}'" for claim in claims.claims))
        raise UserError(f"{claims.name} has no dataset '{dataset}': it has {there}.")
    return Claims(claims.name, chosen, claims.unknown)


def _targets(claims: Claims, methods: Sequence[pairing.MethodImages]) -> tuple[dict[str, list[Target]], list[str]]:
    """The images of every number, by column, and remarks on what has none."""
    remarks = [f"{claims.name}: no metric here is called {', '.join(claims.unknown)}; left out"] * bool(claims.unknown)
    here = {fold(method.method): method for method in methods if method.found}
    said = list(dict.fromkeys(claim.method for claim in claims.claims))
    columns: dict[str, list[Target]] = {}
    taken: dict[tuple[str, str, tuple[Path, ...]], Claim] = {}
    absent: dict[str, list[str]] = {}
    for claim in claims.claims:
        method = here.get(fold(claim.method)) if claim.method else None
        if method is None and len(said) == len(here) == 1:
            method = next(iter(here.values()))
        if method is None:
            absent.setdefault("methods", []).append(claim.method or "(no method)")
            continue
        items = _images_of(claim, method)
        if not items:
            absent.setdefault(f"images of {method.method}", []).append(claim.pair)
            continue
        key = claim.column, method.method, tuple(item.path for item in items)
        if key in taken:
            other = taken[key]
            tells = "--dataset" if other.dataset != claim.dataset else "a table of one implementation"
            what = f"{claim.column} of {method.method}" + f" for '{claim.pair}'" * bool(claim.pair)
            raise UserError(f"{claims.name} has {what} twice: give {tells}, so that each number is there once.")
        taken[key] = claim
        columns.setdefault(claim.column, []).append(Target(claim, items))
    for what, names in absent.items():
        listed = list(dict.fromkeys(names))
        remarks.append(
            f"{claims.name}: no such {what} in the folder of fused images ({len(listed)}): {', '.join(listed)}"
        )
    if not columns:
        there = ", ".join(method.method for method in methods)
        raise UserError(
            f"None of the numbers in {claims.name} is of an image that was given: its methods are "
            f"{', '.join(name or '(none)' for name in said)}, those of the images {there}; name the folders so."
        )
    return columns, remarks


def _images_of(claim: Claim, method: pairing.MethodImages) -> tuple[Fused, ...]:
    if not claim.pair:
        return method.found
    # A table may call an image as its file, its pair or a source of it is called.
    for exactly in (True, False):
        wanted = claim.pair if exactly else fold(claim.pair)
        for item in method.found:
            names = {item.path.stem, item.path.name, item.pair.name, item.pair.ir.stem, item.pair.vis.stem}
            if wanted in (names if exactly else set(map(fold, names))):
                return (item,)
    return ()
