"""What holds for tests and doctests alike."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from fusionbench.baselines import METHODS
from fusionbench.metrics import METRICS

collect_ignore_glob: list[str] = []
if find_spec("torch") is None:
    # Not collected where torch, an extra, is not installed: modules that would be imported for their doctests.
    _HERE = Path(__file__).parent
    collect_ignore_glob += [
        str(Path("fusionbench") / path.relative_to(_HERE))
        for path in _HERE.glob("baselines/**/*.py")
        if re.search(r"^(import|from) torch\b", path.read_text(), re.MULTILINE) or "training" in path.parts
    ]


@pytest.fixture(autouse=True)
def registries_as_they_were() -> Iterator[None]:
    """What a test or an example registers is gone after it, and so are the plugins that it ran."""
    plugins = set(sys.modules)
    before = [(registry, dict(registry._entries), dict(registry._loaded)) for registry in (METRICS, METHODS)]
    yield
    for registry, entries, loaded in before:
        registry._entries, registry._loaded = entries, loaded
    for name in set(sys.modules) - plugins:
        if name.startswith("fusionbench_plugin_"):
            del sys.modules[name]
