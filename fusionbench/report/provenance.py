"""How the numbers of a page were made, in words: from the files beside the tables, the cards and the conventions."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fusionbench
from fusionbench.metrics.conventions import CONVENTIONS
from fusionbench.metrics.definitions import definition
from fusionbench.tables import Table


@dataclass(frozen=True, slots=True)
class Part:
    """Facts under one title and, folded if they are many, lines."""

    title: str
    facts: tuple[tuple[str, str], ...]
    heading: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """The definition of one metric."""

    id: str
    title: str
    formula: str = ""
    parameters: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Definitions:
    """The definitions of one convention."""

    title: str
    note: str
    entries: tuple[Entry, ...]


def parts(table: Table) -> list[Part]:
    """The program, the table, and what each file says of itself; its failed images and what did not match."""
    own = [("fusionbench", fusionbench.__version__), ("Python", platform.python_version())]
    scores = [
        ("scores", f"{len(table.frame)} numbers, {int(table.frame['value'].isna().sum())} of them without a value"),
        ("fingerprint", f"SHA-256 {_table_hash(table)}"),
    ]
    found = [Part("This page", (*own, *scores))]
    for file, meta in table.metas.items():
        found.append(Part(f"Scores in {file}", tuple(_facts(meta))))
        if failures := meta.get("failures"):
            lines = tuple(_failure(failure) for failure in failures)
            found.append(Part(f"Failed in {file}", (), f"{len(lines)} images or numbers", lines))
        if remarks := meta.get("remarks"):
            found.append(
                Part(f"Remarks on {file}", (), f"{len(remarks)} remarks on how names were matched", tuple(remarks))
            )
    if not table.metas:
        said = "no file beside the scores says how they were made (fusionbench score -o writes one: NAME.meta.json)"
        found.append(Part("Origin", (("unknown", said),)))
    return found


def definitions(table: Table) -> list[Definitions]:
    """The exact definition of every metric of the table, for each of its conventions."""
    return [_definitions(table, name) for name in table.conventions]


def _definitions(table: Table, name: str) -> Definitions:
    whose = CONVENTIONS.get(name)
    said: dict[str, Any] = {}
    for meta in table.metas.values():
        if _named(meta) == name:
            said |= meta.get("metrics", {})
    of_this = table.frame.loc[table.frame["convention"] == name, "metric"].unique()
    entries, others = [], []
    for metric in (metric for metric in table.metrics if metric in set(of_this)):
        card = _card(metric)
        chosen = definition(metric, whose) if whose and card else None
        if metric in said:
            label, parameters = said[metric].get("id", metric), said[metric].get("parameters", {})
        elif chosen:
            label, parameters = chosen.id, chosen.parameters
        else:
            others.append(metric)
            continue
        if card:
            entries.append(Entry(label, card.title, card.formula, _keywords(parameters), card.reference))
        else:
            entries.append(Entry(label, "unknown to this version", "", _keywords(parameters)))
    if others:
        entries.append(Entry(", ".join(others), "as whoever made the table defines them"))
    note = ". ".join(filter(None, (whose.source.rstrip("."), whose.note.rstrip(".")))) + "." if whose else ""
    return Definitions(f"{name}: {whose.title}" if whose else name, note, tuple(entries))


def _card(metric: str) -> Any:
    from fusionbench.metrics import METRICS

    return METRICS[metric].card if metric in METRICS else None


def _named(meta: Mapping[str, Any]) -> str:
    convention = meta.get("convention")
    return str(convention.get("name", "")) if isinstance(convention, Mapping) else str(convention or "")


def _keywords(parameters: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key} = {json.dumps(value, ensure_ascii=False, default=repr)}" for key, value in parameters.items()
    )


def _facts(meta: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = []
    if "fusionbench" in meta:
        more = ", ".join(f"{name} {version}" for name, version in meta.get("made_with", {}).items())
        facts.append(("made with", ", ".join(filter(None, (f"fusionbench {meta['fusionbench']}", more)))))
    if "started" in meta:
        facts.append(("started", f"{meta['started']}, took {meta.get('seconds', '?')} s"))
    if _named(meta):
        facts.append(("convention", _named(meta)))
    if "grey" in meta:
        facts.append(("colour to grey", str(meta["grey"])))
    for role, folder in meta.get("folders", {}).items():
        facts.append((f"{role} images", str(folder)))
    if inputs := meta.get("inputs"):
        facts.append(("data fingerprint", f"SHA-256 {_hash(inputs)} of {_count(inputs)} input files"))
    if left_out := meta.get("left_out"):
        facts.append(("left out: not defined by the convention, or of colour where there is none", ", ".join(left_out)))
    return facts


def _failure(failure: Mapping[str, Any]) -> str:
    what = f"{failure['metric']} of " if failure.get("metric") else ""
    return f"{what}{failure.get('method')}/{failure.get('image')}: {failure.get('reason')}"


def _count(inputs: Any) -> int:
    return sum(map(_count, inputs.values())) if isinstance(inputs, Mapping) else 1


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _table_hash(table: Table) -> str:
    rows: Sequence[Any] = table.frame.to_numpy().tolist()
    return hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()[:16]
