"""Metrics of shared information: other programs' numbers, and what follows from plain reasoning."""

from __future__ import annotations

import math
from pathlib import Path

import naive
import numpy as np
import pytest
import pywt
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from naive_information import edges, wavelet_bands, window_values
from published import FLOAT64, FMI_PORT, GOLDEN, by_images, formula_images, mean_images, real_images, rows

from fusionbench.metrics import METRICS, features
from fusionbench.metrics.conventions import CONVENTIONS
from fusionbench.metrics.feature_maps import FEATURES
from fusionbench.metrics.kernels.coupling import log2_magnitude, window_information
from fusionbench.metrics.triple import Triple
from fusionbench.pixels import planes

FMI = ["FMI_pixel", "FMI_gradient", "FMI_edge", "FMI_dct", "FMI_w"]
small = arrays(np.uint8, st.tuples(st.just(3), st.integers(3, 9), st.integers(3, 9)), elements=st.integers(0, 255))


def values(*windows: list[float]) -> float:
    """The value of a window of the fused image (last) with one of a source (first), nine numbers column by column."""
    source, fused = (np.array(window, float).reshape(3, 3).T.copy() for window in windows)
    out = np.empty((2, 1, 1))
    window_information(source, source, fused, out)
    assert out[0] == out[1]
    return float(out[0, 0, 0])


def test_fmi_of_its_authors_program() -> None:
    for first, group in by_images(rows(GOLDEN / "fmi_port.csv", "program_metric")):
        images = formula_images(first.method, first.image)
        for row in group:
            metric = METRICS[FMI_PORT.names[row.metric]]
            assert metric(Triple.of(*images)) == pytest.approx(row.value, rel=FMI_PORT.tolerance), row
            if first.image == "5.png":
                theirs = getattr(naive, metric.__name__)(*images)
                assert theirs == pytest.approx(row.value, rel=FMI_PORT.tolerance), row


def test_fmi_of_its_authors_program_on_published_images(shared: Path) -> None:
    """Edges are Octave's there. Every eighth image: all 53 agree, and take half a minute."""
    groups = list(by_images(rows(shared / "reference" / "programs" / "fmi_port.csv")))[::8]
    assert len(groups) == 7
    for first, group in groups:
        images = mean_images(shared, first) if first.method == "mean" else real_images(shared, first)
        assert images is not None
        t = Triple.of(*(planes(image, "matlab")[0] for image in images))
        for row in group:
            if row.metric == "FMI_edge":
                value = METRICS["FMI_edge"](t, thinning="either")
            else:
                value = METRICS[FMI_PORT.names[row.metric]](t)
            assert value == pytest.approx(row.value, rel=FLOAT64), row


def test_sum_of_tsallis_information() -> None:
    """MEFB's definition, of which only this program's numbers are at hand."""
    parameters = CONVENTIONS["mefb"].metrics["Q_TE"]
    for row in rows(GOLDEN / "zhengliu_tsallis_sum.csv", "program_metric"):
        images = formula_images(row.method, row.image)
        assert METRICS["Q_TE"](Triple.of(*images), **parameters) == pytest.approx(row.value, rel=FLOAT64), row
        assert naive.tsallis_information(*images, **parameters) == pytest.approx(row.value, rel=FLOAT64), row


@pytest.mark.parametrize("convention", ["tang", "mefb"])
def test_what_programs_call_pixel_is_edge(convention: str) -> None:
    t = Triple.of(*formula_images("max", "1.png"))
    assert METRICS["FMI_pixel"](t, **CONVENTIONS[convention].metrics["FMI_pixel"]) == METRICS["FMI_edge"](t)
    assert METRICS["FMI_pixel"](t) != METRICS["FMI_edge"](t)


def test_degenerate_windows() -> None:
    spike, step, flat = [0, 0, 0, 0, 9, 0, 0, 0, 0], [0, 0, 0, 5, 5, 5, 9, 9, 9], [4] * 9
    assert values(flat, [7] * 9) == 1
    assert values(flat, step) == values(step, flat) == 0
    assert values(spike, step) == values(step, spike) == values(spike, flat) == 0
    assert values(spike, [0, 9, 0, 0, 0, 0, 0, 0, 0]) == values(spike, [0, 0, 0, 0, 8, 0, 0, 0, 0]) == 0
    assert values(spike, spike) == values(step, step) == 1


def test_two_halves_by_hand() -> None:
    """Half on positions 0 and 1, half on 1 and 2: the bound is 1/2 on (0, 1) and (1, 2), r = 5/14, and so is the weight."""
    upper, lower = [1.0, 1.0, *[0.0] * 7], [0.0, 1.0, 1.0, *[0.0] * 6]
    weight = (1 / 4 - 1 / 9) / (1 / 2 - 1 / 9)
    on, off = weight / 2 + (1 - weight) / 4, (1 - weight) / 4
    joint = -2 * (on * math.log2(on) + off * math.log2(off))
    assert values(upper, lower) == pytest.approx(2 * (2 - joint) / 2, rel=1e-12)


@given(arrays(np.int64, (2, 7, 11), elements=st.integers(-3, 40)))
def test_windows_are_those_of_all_cells(maps: np.ndarray) -> None:
    first, fused = maps.astype(float)
    out = np.empty((2, 5, 9))
    window_information(first, fused, fused, out)
    assert out[0].ravel() == pytest.approx(window_values(first, fused), rel=1e-6, abs=1e-9)
    assert (out[1] == 1).all()


def has_spike(plane: np.ndarray) -> bool:
    """Whether all but one value of some window equal its smallest."""
    windows = np.lib.stride_tricks.sliding_window_view(plane, (3, 3))
    return bool(((windows > windows.min(axis=(2, 3), keepdims=True)).sum(axis=(2, 3)) == 1).any())


@given(small, st.integers(0, 100))
def test_brightness_is_free_for_windows(images: np.ndarray, more: int) -> None:
    ir, vis, fused = images // 3
    for name in ("pixel", "gradient"):
        # A window with a single spike tells nothing, unless it is the very same: then it is 1, and scaled no more.
        assume(not any(has_spike(FEATURES[name](plane)) for plane in (ir, vis, fused)))
        plain, moved = (METRICS[f"FMI_{name}"](Triple.of(ir, vis, f)) for f in (fused, 2 * fused))
        # Equal windows are 1 by definition; scaled ones by arithmetic.
        assert moved == pytest.approx(plain, abs=1e-9)
    brighter = METRICS["FMI_gradient"](Triple.of(ir, vis, fused + np.uint8(more)))
    assert brighter == METRICS["FMI_gradient"](Triple.of(ir, vis, fused))


@given(arrays(np.float64, st.integers(1, 50), elements=st.floats(-1e300, 1e300, allow_subnormal=False)))
def test_logarithm(x: np.ndarray) -> None:
    out = np.empty(x.size)
    log2_magnitude(x, out)
    assert np.isfinite(out).all()
    assert out[x != 0] == pytest.approx(np.log2(np.abs(x[x != 0])), rel=4e-16, abs=1e-16)


@given(arrays(np.uint8, st.tuples(st.integers(1, 70), st.integers(1, 70)), elements=st.integers(0, 255)))
def test_wavelet_is_that_of_pywavelets_to_the_bit(plane: np.ndarray) -> None:
    assert pywt.Wavelet("dmey").dec_len == 62
    assert (FEATURES["wavelet"](plane) == wavelet_bands(plane)).all()


@given(arrays(np.uint8, st.tuples(st.integers(3, 12), st.integers(3, 12)), elements=st.sampled_from([0, 1, 90, 255])))
def test_edges_are_those_of_the_naive_version(plane: np.ndarray) -> None:
    for thinning in ("steepest", "either"):
        assert (FEATURES[f"edge, {thinning}"](plane) == edges(plane, thinning)).all()


def test_an_edge_is_one_pixel_wide() -> None:
    step = np.repeat(np.uint8([[0] * 6 + [200] * 6]), 12, axis=0)
    # Both columns beside the step are equally steep; the second is kept.
    found = FEATURES["edge, steepest"](step)
    assert (found == (np.arange(12) == 6)).all()
    assert (FEATURES["edge, steepest"](np.ascontiguousarray(step.T)) == found.T).all()


@pytest.mark.parametrize("name", ["pixel", "gradient", "edge"])
def test_map_belongs_to_the_metric(name: str) -> None:
    t = Triple.of(*formula_images("sharp", "3.png"))
    maps = [getattr(features, f"{name}_information_map")(t, source) for source in ("ir", "vis")]
    assert all(m.shape == t.shape for m in maps)
    assert METRICS[f"FMI_{name}"](t) == pytest.approx(np.mean([m[1:-1, 1:-1].mean() for m in maps]), rel=1e-12)


def test_a_grey_card_has_the_edges_of_most_windows() -> None:
    """What the card of FMI_edge warns of."""
    ir, vis, fused = formula_images("weighted", "4.png")
    card = METRICS["FMI_edge"](Triple.of(ir, vis, np.full_like(fused, 100)))
    assert card > 0.8 * METRICS["FMI_edge"](Triple.of(ir, vis, fused))


def test_one_image_three_times() -> None:
    image = formula_images("max", "4.png")[1]
    t = Triple.of(image, image, image)
    assert METRICS["NMI"](t) == pytest.approx(2, rel=1e-12)
    for name in FMI:
        assert METRICS[name](t) == 1
    r = METRICS["EN"](t) / 8
    shares = [(1 + 2 * r) / 3, (1 - r) / 3, (1 - r) / 3]
    assert METRICS["Q_NCIE"](t) == pytest.approx(1 + sum(s * math.log(s, 256) for s in shares), rel=1e-12)
    assert METRICS["Q_NCIE"](t, correlation="pearson") == pytest.approx(1, abs=1e-12)
    p, q = np.bincount(image.ravel()) / image.size, 0.43137
    shared, held = 1 - (p ** (2 - q)).sum(), (p[p > 0] ** q).sum() - 1
    assert METRICS["Q_TE"](t) == pytest.approx(2 * shared / (2 * held - shared), rel=1e-10)


def test_constant_images() -> None:
    image = formula_images("max", "4.png")[1]
    flat, black = np.full_like(image, 128), np.zeros_like(image)
    assert METRICS["NMI"](Triple.of(image, image, flat)) == 0
    assert math.isnan(METRICS["NMI"](Triple.of(flat, image, flat)))
    assert METRICS["Q_NCIE"](Triple.of(flat, flat, image)) == pytest.approx(METRICS["Q_NCIE"].card.range[0], rel=1e-12)
    assert math.isnan(METRICS["Q_NCIE"](Triple.of(flat, image, image), correlation="pearson"))
    assert math.isnan(METRICS["Q_TE"](Triple.of(flat, flat, image)))
    assert METRICS["Q_TE"](Triple.of(image, image, flat)) == pytest.approx(0, abs=1e-12)
    assert math.isnan(METRICS["Q_TE"](Triple.of(image, image, flat), marginals="exchanged"))
    assert math.isfinite(METRICS["Q_TE"](Triple.of(image, image, black), marginals="exchanged"))


@given(small)
def test_which_number_a_level_has_is_free(images: np.ndarray) -> None:
    """All but the exchanged marginals see levels as names."""
    negative = Triple.of(images[0], images[1], 255 - images[2])
    for name in ("NMI", "Q_NCIE", "Q_TE"):
        plain = METRICS[name](Triple.of(*images))
        assert METRICS[name](negative) == pytest.approx(plain, rel=1e-9, abs=1e-12, nan_ok=True)
