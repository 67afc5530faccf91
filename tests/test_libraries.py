"""Our definitions against the functions of general libraries that mean the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from published import GOLDEN, LIBRARIES, Row, formula_images, mean_images, real_images, rows

from fusionbench.metrics import METRICS
from fusionbench.metrics.triple import Triple
from fusionbench.pixels import planes

FORMULA_ROWS = rows(GOLDEN / "libraries.csv", "program_metric")


def ours(row: Row, ir: np.ndarray, vis: np.ndarray, fused: np.ndarray) -> float:
    """Our number of what a library computed for a row."""
    name, _, source = row.metric.partition("__")
    library = LIBRARIES[name]
    a, b, f = (planes(image, "pillow")[0] for image in (ir, vis, fused))
    if source:
        a = b = {"ir": a, "vis": b}[source]
    return library.factor * METRICS[library.metric](Triple.of(a, b, f), **library.keywords)


@pytest.mark.parametrize("name", LIBRARIES)
def test_formula_images(name: str) -> None:
    mine = [row for row in FORMULA_ROWS if row.metric.partition("__")[0] == name]
    assert mine
    for row in mine:
        value = ours(row, *formula_images(row.method, row.image))
        assert value == pytest.approx(row.value, rel=LIBRARIES[name].tolerance, nan_ok=True), row


def test_every_row_is_compared() -> None:
    assert {row.metric.partition("__")[0] for row in FORMULA_ROWS} == set(LIBRARIES)


@pytest.mark.parametrize("name", LIBRARIES)
def test_published_images(shared: Path, name: str) -> None:
    table = rows(shared / "reference" / "programs" / "lib.csv")
    mine = [row for row in table if row.metric.partition("__")[0] == name]
    assert mine
    for row in mine:
        images = mean_images(shared, row) if row.method == "mean" else real_images(shared, row)
        assert images is not None
        assert ours(row, *images) == pytest.approx(row.value, rel=LIBRARIES[name].tolerance, nan_ok=True), row
