"""What holds for tests and doctests alike."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from fusionbench.baselines import METHODS
from fusionbench.metrics import METRICS

# Not collected where torch, an extra, is not installed: modules that would be imported for their doctests.
_NEED_TORCH = (
    "learned/adapter.py",
    "learned/clfnet.py",
    "learned/coconet.py",
    "learned/cs2fusion.py",
    "learned/networks.py",
)

collect_ignore_glob: list[str] = []
if find_spec("torch") is None:
    collect_ignore_glob += [f"fusionbench/baselines/{file}" for file in (*_NEED_TORCH, "training/*.py")]


@pytest.fixture(autouse=True)
def registries_as_they_were() -> Iterator[None]:
    """What a test or an example registers is gone after it."""
    before = [(registry, dict(registry._entries), dict(registry._loaded)) for registry in (METRICS, METHODS)]
    yield
    for registry, entries, loaded in before:
        registry._entries, registry._loaded = entries, loaded
