"""Metrics in groups, to look at some of them: as their cards tell."""

from __future__ import annotations

from typing import Final

from fusionbench.metrics import CORE, METRICS

GROUPS: Final = {
    "all": "all",
    "core": "core",
    "sources": "compare with the sources",
    "fused": "look at the fused image alone",
    "other": "unknown to this version",
}
"""Groups by the word they are found under, and what a reader sees."""


def groups_of(metric: str) -> str:
    """The groups of a metric, separated by spaces."""
    words = ["all"] + ["core"] * (metric in CORE)
    if metric in METRICS:
        words.append("sources" if METRICS[metric].card.sources else "fused")
    else:
        words.append("other")
    return " ".join(words)


def title_of(metric: str) -> str:
    """Its full name, or empty."""
    return METRICS[metric].card.title if metric in METRICS else ""
