"""Our numbers against those of the programs they claim to reproduce."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

import naive
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from published import (
    COLOUR_TABLE,
    FORMULA,
    GOLDEN,
    OTHER_IMAGES,
    REAL,
    SPREADSHEET,
    Program,
    Row,
    by_images,
    formula_images,
    mean_images,
    real_images,
    rows,
)
from test_metrics import NEEDED

from fusionbench import score
from fusionbench.metrics import METRICS
from fusionbench.metrics.conventions import CONVENTIONS
from fusionbench.metrics.triple import Triple
from fusionbench.pixels import planes

# Metrics of colour have theirs in test_perception.py, the one that needs weights in test_lpips.py.
DEFINITIONS = [
    (c.name, name)
    for c in CONVENTIONS.values()
    for name in c.metrics
    if not (METRICS[name].card.colour or METRICS[name].card.weights)
]


def twin(convention: str, metric: str, ir: np.ndarray, vis: np.ndarray, fused: np.ndarray) -> float:
    """The naive version of a metric on images of any colour."""
    whose = CONVENTIONS[convention]
    function = getattr(naive, METRICS[metric].__name__)
    count = len(planes(fused, whose.luma))
    a, b, f = ([*planes(image, whose.luma)] * 3 for image in (ir, vis, fused))
    if metric in whose.side_by_side and count == 3:
        return function(*(np.hstack(channels[:3]) for channels in (a, b, f)), **whose.metrics[metric])
    return math.fsum(function(a[k], b[k], f[k], **whose.metrics[metric]) for k in range(count)) / count


def agree(program: Program, group: list[Row], images: list[np.ndarray]) -> None:
    wanted = {program.names[row.metric]: row for row in group if row.metric in program.names}
    undefined = any(math.isnan(row.value) for row in wanted.values())
    with pytest.warns(UserWarning, match="is NaN") if undefined else contextlib.nullcontext():
        ours = score(images[2], images[0], images[1], metrics=list(wanted), convention=program.convention)
    for metric, row in wanted.items():
        assert ours[metric] == pytest.approx(row.value, rel=program.tolerance_of(metric), nan_ok=True), row


@pytest.mark.parametrize("name", FORMULA)
def test_formula_images(name: str) -> None:
    for first, group in by_images(rows(GOLDEN / f"{name}.csv", "program_metric")):
        agree(FORMULA[name], group, formula_images(first.method, first.image))


@pytest.mark.parametrize("name", FORMULA)
def test_twins_on_formula_images(name: str) -> None:
    program = FORMULA[name]
    for row in rows(GOLDEN / f"{name}.csv", "program_metric"):
        metric = program.names[row.metric]
        ours = twin(program.convention, metric, *formula_images(row.method, row.image))
        assert ours == pytest.approx(row.value, rel=program.tolerance_of(metric), nan_ok=True), row


@pytest.mark.parametrize("name", FORMULA)
def test_every_definition_has_golden_numbers(name: str) -> None:
    program = FORMULA[name]
    there = {program.names[row.metric] for row in rows(GOLDEN / f"{name}.csv", "program_metric")}
    assert not there & program.unseen
    assert there | program.unseen == set(CONVENTIONS[program.convention].metrics)


def test_published_spreadsheet(shared: Path) -> None:
    """Saturating bytes and [0, 1] doubles: only the authors' own table of 2021 shows them."""
    table = rows(shared / "reference" / "tang_published.csv")
    assert len(table) == 1023
    for first, group in by_images(table):
        images = real_images(shared, first)
        assert images is not None
        agree(SPREADSHEET, group, images)


def test_published_colour_table(shared: Path) -> None:
    """VIFB's own table, made from colour JPEG files; it keeps five digits."""
    for first, group in by_images(rows(shared / "reference" / "vifb_published.csv")):
        images = real_images(shared, first)
        assert images is not None
        if first.method in OTHER_IMAGES:
            with pytest.raises(AssertionError):
                agree(COLOUR_TABLE, group, images)
        else:
            agree(COLOUR_TABLE, group, images)


@pytest.mark.parametrize("name", REAL)
def test_programs_on_published_images(shared: Path, name: str) -> None:
    for first, group in by_images(rows(shared / "reference" / "programs" / f"{name}.csv")):
        images = mean_images(shared, first) if first.method == "mean" else real_images(shared, first)
        assert images is not None
        if name == "vifb" and first.dataset == "TNO":
            # These were handed to the program as grey images, made of the colour files by MATLAB's rule.
            images = [planes(image, "matlab")[0] for image in images]
        agree(REAL[name], group, images)


# Where a window is flat but for one pixel, VIF and SSIM with small constants are their own rounding: no two programs agree.
ROUNDED = {"VIF", "VIFF", "SSIM"}
# Where an image is all but flat, its coefficients are rounding; test_information.py has the maps and the windows.
ROUNDED |= {"FMI_dct", "FMI_w"}
# These have their own in test_structure.py: larger images, or the definitions whose sums are exact.
ROUNDED |= {"MS-SSIM", "MEF-SSIM", "MEF-MS-SSIM", "Q_S", "Q_W", "Q_E", "Qc", "Qy"}


@pytest.mark.parametrize(("convention", "metric"), [d for d in DEFINITIONS if d[1] not in ROUNDED])
@given(
    images=arrays(np.uint8, st.tuples(st.just(3), st.integers(2, 20), st.integers(2, 20)), elements=st.integers(0, 255))
)
def test_twins_on_any_image(convention: str, metric: str, images: np.ndarray) -> None:
    assume(min(images.shape[1:]) >= NEEDED.get(metric, 1))
    parameters = CONVENTIONS[convention].metrics[metric]
    ours = METRICS[metric](Triple.of(*images), **parameters)
    theirs = getattr(naive, METRICS[metric].__name__)(*images, **parameters)
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-9, nan_ok=True)


SHAPES = [(41, 43), (64, 64), (97, 131), (45, 1700)]
FITTING = [
    (convention, metric, shape)
    for shape in SHAPES
    for convention, metric in DEFINITIONS
    if min(shape) >= NEEDED.get(f"{metric}/{convention}", NEEDED.get(metric, 1))
]


@pytest.mark.parametrize(("convention", "metric", "shape"), FITTING)
def test_twins_on_noise(convention: str, metric: str, shape: tuple[int, int]) -> None:
    """Odd sizes, sides below a tile's sixteen rows, widths of one band and of three."""
    random = np.random.default_rng(sum(shape))
    smooth = random.integers(0, 256, (3, *shape)).cumsum(axis=2) // np.arange(1, shape[1] + 1)
    images = np.clip(smooth + random.normal(0, 12, smooth.shape), 0, 255).astype(np.uint8)
    parameters = CONVENTIONS[convention].metrics[metric]
    ours = METRICS[metric](Triple.of(*images), **parameters)
    theirs = getattr(naive, METRICS[metric].__name__)(*images, **parameters)
    single = "precision" in parameters or convention == "ivif-zoo"
    assert ours == pytest.approx(theirs, rel=1e-6 if single else 1e-9)
