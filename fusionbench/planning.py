"""From ``bench.toml`` to a plan: every name looked up, every file found, before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fusionbench import config, datasets, pairing, recipe
from fusionbench.benchmark import Dataset, Method, Plan
from fusionbench.metrics.conventions import convention
from fusionbench.metrics.definitions import Definition, define, definition
from fusionbench.pixels import PlaneRule
from fusionbench.types import Pair, UserError


def plan(path: Path, folder: Path | None = None) -> tuple[Plan, list[str]]:
    """Read a benchmark.

    Parameters
    ----------
    path : Path
        The TOML file; the paths in it are meant from where it lies.
    folder : Path, optional
        Where the results go; by default into a folder of the benchmark's name, beside the others here.

    Returns
    -------
    plan : Plan
        What there is to do.
    remarks : list of str
        What a user should know of it: pairs without a partner, metrics that a convention lacks, images that are missing.

    Raises
    ------
    UserError
        If the file has a mistake, or anything in it does not exist.
    """
    content, base = config.read(path), path.parent
    folder = folder or Path(content.benchmark.name)
    remarks: list[str] = []
    definitions = _definitions(content.benchmark, remarks)
    found = {each.name: _dataset(each, base, folder, remarks) for each in content.dataset}
    methods = [_method(each, content.benchmark, found, base, remarks) for each in content.method]
    return Plan(folder, tuple(found.values()), tuple(methods), definitions), remarks


def folder_of(path: Path) -> Path:
    """Where the results of a benchmark go if nobody says otherwise: into a folder of its name, here."""
    return Path(config.read(path).benchmark.name)


def _definitions(asked: config.Benchmark, remarks: list[str]) -> dict[tuple[str, PlaneRule], tuple[Definition, ...]]:
    # Of metrics that only a group asks for, those of colour are left out where there is none.
    defined_here, left_out = define(asked.metrics, convention("standard"))
    by_group = {each.name: each.by_group for each in defined_here}
    names = list(by_group)
    if left_out:
        remarks.append(f"No weights are given: {', '.join(left_out)} left out")
    whose = [asked.convention] if isinstance(asked.convention, str) else asked.convention
    chosen: dict[tuple[str, PlaneRule], tuple[Definition, ...]] = {}
    for each in dict.fromkeys(whose):
        conv = convention(each)
        defined = tuple(replace(found, by_group=by_group[name]) for name in names if (found := definition(name, conv)))
        if not defined:
            define(names, conv)  # says so
        if lacking := [name for name in names if name not in {found.name for found in defined}]:
            remarks.append(f"The convention '{each}' does not define {', '.join(lacking)}")
        chosen[each, conv.luma] = defined
    if not chosen:
        raise UserError('No convention is named: give one, e.g. convention = "standard".')
    return chosen


def _dataset(asked: config.Dataset, base: Path, folder: Path, remarks: list[str]) -> Dataset:
    pairs: Iterable[Pair]
    said: list[str]
    if (asked.ir is None) != (asked.vis is None):
        lacking = "vis" if asked.vis is None else "ir"
        raise UserError(f"The dataset '{asked.name}' has a folder of one source only: give {lacking}, too.")
    if asked.ir is not None and asked.vis is not None:
        if asked.root or asked.split or asked.subset:
            raise UserError(f"The dataset '{asked.name}' has ir and vis: leave root, split and subset out.")
        sources = pairing.pair_sources(_placed(asked.ir, base), _placed(asked.vis, base))
        pairs, said = sources.pairs, pairing.remarks(sources)
    else:
        found = _pairs(asked, base, folder)
        pairs, said = found, found.remarks
    remarks += [f"{asked.name}: {line}" for line in said]
    return Dataset(asked.name, tuple(sorted(pairs, key=lambda pair: pairing.natural_key(pair.name))))


def _pairs(asked: config.Dataset, base: Path, folder: Path) -> datasets.Pairs:
    root = None if asked.root is None else _placed(asked.root, base)
    if asked.name == "synthetic" and root is None:
        from fusionbench.datasets import synthetic

        root = folder / "data" / asked.name
        width, height = map(int, asked.size.split("x"))
        synthetic.make_once(root, asked.count, (width, height), asked.seed)
    if asked.name in datasets.DATASETS or asked.split or asked.subset or root is None:
        return datasets.load(asked.name, root, split=asked.split, subset=asked.subset)
    return datasets.pairs_in(root)


def _method(
    asked: config.Method, benchmark: config.Benchmark, found: Mapping[str, Dataset], base: Path, remarks: list[str]
) -> Method:
    if asked.fused is not None:
        if extra := [word for word in asked.model_fields_set if word not in ("name", "fused")]:
            raise UserError(
                f"The images of '{asked.name}' are made elsewhere, so {', '.join(sorted(extra))} cannot be set: leave it out."
            )
        return Method(asked.name, found=_elsewhere(asked, found, base, remarks))
    opened = recipe.opened(asked.method or asked.name)
    name, timeout = opened.method, asked.timeout or benchmark.timeout
    known = recipe.parameters_of(name)
    given: dict[str, Any] = {**opened.parameters, **asked.parameters}
    for word in ("weights", "device", "precision"):
        if (value := getattr(asked, word)) is not None:
            given[word] = value
    for word, value in given.items():
        # A word may be a file's name: as everywhere in this file, it is meant from here.
        if isinstance(value, str) and word in known and recipe.may_be_file(known[word].kind):
            # A folder too, and the beginning of the names of several files; or a tag, which is no file at all.
            file = _placed(value, base)
            given[word] = file if file.exists() or any(file.parent.glob(f"{file.name}.*")) else value
    if name == "command":
        # Its folders are meant from here, too, and this is where it works if nothing else is said.
        given |= {word: _placed(given.get(word, ""), base) for word in ("cwd", "log") if word in given or word == "cwd"}
    if "timeout" in known and timeout is not None:
        # It ends what it has started itself, which would outlive a process around it.
        given["timeout"], timeout = given.get("timeout", timeout), None
    chosen = recipe.recipe(name, color=asked.color, preset=asked.preset, parameters=given)
    return Method(asked.name, chosen, timeout=timeout)


def _elsewhere(
    asked: config.Method, found: Mapping[str, Dataset], base: Path, remarks: list[str]
) -> dict[tuple[str, str], Path]:
    """The images of a method that were made elsewhere."""
    folders = asked.fused
    assert folders is not None
    if isinstance(folders, str):
        if len(found) > 1 and "{dataset}" not in folders:
            raise UserError(
                f"'{folders}' of '{asked.name}' is one folder for {len(found)} datasets: write {{dataset}} where their "
                f'names stand in it, or a folder for each, e.g. fused = {{ {next(iter(found))} = "..." }}.'
            )
        folders = {name: folders.replace("{dataset}", name) for name in found}
    if unknown := [name for name in folders if name not in found]:
        raise UserError(
            f"'{asked.name}' has images of '{unknown[0]}', which is none of the datasets: correct the name."
        )
    images: dict[tuple[str, str], Path] = {}
    for name, folder in folders.items():
        sources = pairing.SourcePairs(found[name].pairs)
        matched = pairing.match_fused(_placed(folder, base), sources)
        if len(matched) > 1:
            raise UserError(f"'{folder}' of '{asked.name}' holds several folders of images: name one of them.")
        images |= {(name, item.pair.name): item.path for item in matched[0].found}
        if unknown_images := matched[0].unknown:
            remarks.append(f"{asked.name} has images of no pair of {name} ({len(unknown_images)})")
    return images


def _placed(text: str, base: Path) -> Path:
    return base / Path(text).expanduser()
