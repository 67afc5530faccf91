"""Artefacts, loss and the other metrics of edges: what follows from their formulas, and numbers that no convention has."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from naive_edges import edge_shares
from numpy.typing import NDArray
from published import FLOAT64, GOLDEN, Row, formula_images, real_images, rows

from fusionbench import score
from fusionbench.metrics import METRICS
from fusionbench.metrics.artefacts import fusion_artefacts_map, fusion_loss_map
from fusionbench.metrics.card import NotDefined
from fusionbench.metrics.edge_fidelity import gradient_similarity_map
from fusionbench.metrics.triple import Triple
from fusionbench.pixels import planes

Levels = NDArray[np.uint8]

SMALL = arrays(
    np.uint8, st.tuples(st.just(3), st.integers(2, 12), st.integers(2, 12)), elements=st.sampled_from([0, 9, 90, 255])
)
ANY = arrays(np.uint8, st.tuples(st.just(3), st.integers(4, 9), st.integers(4, 9)))


def triple(method: str = "sharp", image: str = "4.png") -> Triple:
    return Triple.of(*formula_images(method, image))


def matlab_nabf(images: list[Levels]) -> float:
    return METRICS["Nabf"](Triple.of(*(planes(image, "matlab")[0] for image in images)))


def test_the_order_that_the_authors_meant() -> None:
    """Tang's function called with the fused image first; the convention `tang` has the order in which it is called."""
    table = rows(GOLDEN / "tang_nabf.csv", "program_metric")
    assert len(table) == 24
    for row in table:
        assert matlab_nabf(formula_images(row.method, row.image)) == pytest.approx(row.value, rel=FLOAT64), row


def test_the_order_that_the_authors_meant_on_published_images(shared: Path) -> None:
    def wanted(row: Row) -> bool:
        return row.metric == "Nabf_FAB"

    table = list(filter(wanted, rows(shared / "reference" / "programs" / "tang.csv")))
    assert len(table) == 8
    for row in table:
        images = real_images(shared, row)
        assert images is not None
        assert matlab_nabf(images) == pytest.approx(row.value, rel=FLOAT64), row


@given(SMALL)
def test_kept_lost_and_added_are_everything(images: Levels) -> None:
    kept = edge_shares(*images)[0]
    t = Triple.of(*images)
    assert kept + METRICS["Labf"](t) + METRICS["Nabf"](t) == pytest.approx(1, rel=1e-12)


@given(SMALL)
def test_artefacts_with_every_keyword_are_the_twins(images: Levels) -> None:
    choices = {
        "form": ("modified", "original"),
        "tested": ("fused", "ir"),
        "floor": (0.0, 0.001),
        "divisor": (1.0, 8.0),
        "border": ("reflect", "zero"),
        "orientation": ("line", "direction"),
    }
    t = Triple.of(*images)
    for values in product(*choices.values()):
        keywords = dict(zip(choices, values, strict=True))
        twin = edge_shares(*images, **keywords)[2]
        assert METRICS["Nabf"](t, **keywords) == pytest.approx(twin, rel=1e-9, abs=1e-13, nan_ok=True), keywords


def test_infrared_in_place_of_the_fused_image() -> None:
    ir, vis, fused = formula_images("sharp", "4.png")
    swapped = METRICS["Nabf"](Triple.of(fused, vis, ir))
    assert METRICS["Nabf"](Triple.of(ir, vis, fused), tested="ir") == swapped
    assert score(fused, ir, vis, metrics="Nabf", convention="tang") == {"Nabf": swapped}


def test_copies_and_blanks_have_no_artefacts() -> None:
    ir, vis, _ = formula_images("max", "4.png")
    blank = np.full_like(ir, 90)
    for fused in (ir, vis, blank):
        assert METRICS["Nabf"](Triple.of(ir, vis, fused)) == 0
    assert METRICS["Labf"](Triple.of(ir, ir, ir)) < 1e-3 < METRICS["Labf"](Triple.of(ir, vis, ir))
    assert METRICS["Labf"](Triple.of(ir, vis, blank)) > 0.9
    assert math.isnan(METRICS["Nabf"](Triple.of(blank, blank, vis), floor=0.0))


def test_maps_of_artefacts_and_loss_belong_to_the_metrics() -> None:
    t = triple("sharp", "5.png")
    added, lost = fusion_artefacts_map(t, sigma=0), fusion_loss_map(t, sigma=0)
    assert added.shape == lost.shape == t.shape
    assert not (added * lost).any()
    # One pixel at a time: the weights of a pixel are those of the image that has no other.
    padded = [np.pad(plane, 1, mode="reflect") for plane in (t.ir, t.vis)]
    weight = sum(np.where(g >= 2, g**1.5, 0.001) for g in map(strength, padded))
    assert (added * weight).sum() / weight.sum() == pytest.approx(METRICS["Nabf"](t), rel=1e-12)
    assert (lost * weight).sum() / weight.sum() == pytest.approx(METRICS["Labf"](t), rel=1e-12)
    smooth = fusion_artefacts_map(t)
    assert 0 <= smooth.min() <= smooth.max() <= added.max()


def strength(padded: Levels) -> NDArray[np.float64]:
    x = padded.astype(float)
    columns, lines = x[:, 2:] - x[:, :-2], x[2:] - x[:-2]
    right = columns[:-2] + 2 * columns[1:-1] + columns[2:]
    down = lines[:, :-2] + 2 * lines[:, 1:-1] + lines[:, 2:]
    return np.hypot(right, down) / 8


def test_details_of_a_perfect_copy_agree() -> None:
    image = formula_images("max", "4.png")[1]
    t = Triple.of(image, image, image)
    assert METRICS["Q_M"](t) == pytest.approx(1, rel=1e-12)
    assert METRICS["Q_M"](triple(), details="sum") == pytest.approx(3 * METRICS["Q_M"](triple()), rel=1e-15)
    flat = np.full_like(image, 90)
    assert math.isnan(METRICS["Q_M"](Triple.of(flat, flat, image)))


@given(arrays(np.uint8, st.tuples(st.just(3), st.sampled_from([5, 9]), st.sampled_from([5, 9]))))
def test_details_ignore_what_has_no_partner(images: Levels) -> None:
    inner = METRICS["Q_M"](Triple.of(*images[:, :-1, :-1]))
    assert METRICS["Q_M"](Triple.of(*images)) == pytest.approx(inner, rel=1e-14, nan_ok=True)


def test_one_step_of_detail() -> None:
    """By hand: a source of steps of 4 levels from column to column, and a fused image of steps of 6."""
    source, fused = (np.tile(np.uint8([0, step]), (4, 2)) for step in (4, 6))
    # Fine: coefficients of 4 and 6 across, so e^-2 there and 1 in the other two; coarse: no details, so no weight.
    t = Triple.of(source, source, fused)
    assert math.isnan(METRICS["Q_M"](t))
    slope, steep = (np.tile(np.uint8([0, 1, 2, 3]) * k, (4, 1)) for k in (2, 4))
    # Across, orthonormal: 2 and 4 in each fine cell, 8 and 16 in the coarse one.
    fine, coarse = (2 + math.exp(-2)) / 3, (2 + math.exp(-8)) / 3
    expected = fine ** (2 / 3) * coarse ** (1 / 3)
    assert METRICS["Q_M"](Triple.of(slope, slope, steep)) == pytest.approx(expected, rel=1e-12)


def test_sign_of_the_spatial_frequency_error() -> None:
    ir, vis, _ = formula_images("max", "4.png")
    noisy = np.where(np.indices(vis.shape).sum(axis=0) % 2, np.uint8(255), np.uint8(0))
    flat = np.full_like(vis, 90)
    assert METRICS["Q_SF"](Triple.of(vis, vis, vis)) == 0
    assert METRICS["Q_SF"](Triple.of(ir, vis, flat)) == -1
    assert METRICS["Q_SF"](Triple.of(ir, vis, noisy)) > 0 > METRICS["Q_SF"](Triple.of(ir, vis, vis))
    assert math.isnan(METRICS["Q_SF"](Triple.of(flat, flat, vis)))


@given(ANY)
def test_edge_preservation_is_a_correlation(images: Levels) -> None:
    ir, vis, fused = images
    half = fused // 2
    value = METRICS["EPI"](Triple.of(ir, vis, half))
    stretched = METRICS["EPI"](Triple.of(ir, vis, half * 2 + 1))
    assert stretched == pytest.approx(value, rel=1e-12, nan_ok=True)
    assert METRICS["EPI"](Triple.of(ir, vis, 255 - half)) == pytest.approx(-value, rel=1e-12, nan_ok=True)
    own = METRICS["EPI"](Triple.of(half, half, half))
    assert math.isnan(own) or own == pytest.approx(1, rel=1e-12)


def test_definition_of_a_slope() -> None:
    slope = np.add.outer(3 * np.arange(20), 4 * np.arange(30)).astype(np.uint8)
    assert METRICS["DF"](Triple.of(slope, slope, slope)) == pytest.approx(5 / math.sqrt(2), rel=1e-12)
    pixels = METRICS["DF"](Triple.of(slope, slope, slope), denominator="pixels")
    assert pixels == pytest.approx(5 / math.sqrt(2) * 19 * 29 / 600, rel=1e-12)


def test_gradient_similarity_of_two_halves() -> None:
    """By hand: equal where nothing is, and one dissimilar column of the map."""
    image = formula_images("max", "4.png")[1]
    assert METRICS["GMSD"](Triple.of(image, image, image)) == 0
    dark, step = np.zeros((16, 16), np.uint8), np.zeros((16, 16), np.uint8)
    step[:, 8:] = 100
    similarity = gradient_similarity_map(Triple.of(dark, dark, step), "ir")
    assert similarity.shape == (8, 8)
    # Half the size, zeros around: 100 across in columns 3 and 4, and across and down by the border.
    assert similarity[3, 3] == pytest.approx(170 / (100**2 + 170), rel=1e-12)
    assert (similarity[:, :3] == 1).all()
    assert METRICS["GMSD"](Triple.of(dark, dark, step)) == pytest.approx(similarity.std(), rel=1e-12)
    assert gradient_similarity_map(Triple.of(dark[:15, :13], dark[:15, :13], step[:15, :13]), "vis").shape == (8, 7)


@pytest.mark.parametrize("function", [fusion_artefacts_map, fusion_loss_map])
def test_maps_need_neighbours(function: object) -> None:
    line = np.zeros((1, 9), np.uint8)
    with pytest.raises(NotDefined, match="2 x 2"):
        function(Triple.of(line, line, line))  # type: ignore[operator]
