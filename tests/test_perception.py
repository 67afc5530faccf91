"""Metrics of perception and colour: what other libraries say, what follows from their formulas, and who gets the colours."""

from __future__ import annotations

import math
from pathlib import Path

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from naive_perception import wavelet_fidelity
from published import GOLDEN, VIFB, formula_images
from published import rows as table
from scipy.signal import convolve2d
from skimage.color import deltaE_ciede2000, rgb2lab

from fusionbench import images, pixels, score
from fusionbench.metrics import METRICS
from fusionbench.metrics.card import Colourless, NotDefined
from fusionbench.metrics.chen import visual_contrast_map
from fusionbench.metrics.colour import colour_difference_map
from fusionbench.metrics.conventions import CONVENTIONS
from fusionbench.metrics.definitions import define
from fusionbench.metrics.fsim import feature_similarity_map
from fusionbench.metrics.kernels.congruency import finest_response
from fusionbench.metrics.kernels.fourier import BLOCKS, TABLE, plan, slot_size
from fusionbench.metrics.kernels.vision import smooth
from fusionbench.metrics.phase_congruency import Recipe, phase_congruency
from fusionbench.metrics.steerable import FIRST_LOW, LOW, VERTICAL
from fusionbench.metrics.triple import Triple
from fusionbench.scoring import score_paths

COLOURS = arrays(np.uint8, st.tuples(st.just(2), st.integers(1, 9), st.integers(1, 9), st.just(3)))
RECIPE = Recipe(6, 3.0, 2.1, closed=False, shifted=False, moments=True, cross=2 / 3)
PERCEPTUAL = ("Qcb", "Qcv", "VIFF", "Qp", "FSIM")


def coloured(fused: np.ndarray, vis: np.ndarray, ir: np.ndarray | None = None) -> Triple:
    ir = pixels.luma(vis, "bt601") if ir is None else ir
    grey = [pixels.luma(image, "bt601") for image in (ir, vis, fused)]
    return Triple.of(*grey, stored=(ir, vis, fused))


# Colour


def test_colourfulness_by_its_formula() -> None:
    image = formula_images("colour", "4.png")[2]
    red, green, blue = np.moveaxis(image.astype(float), 2, 0)
    rg, yb = red - green, (red + green) / 2 - blue
    expected = math.hypot(rg.std(), yb.std()) + 0.3 * math.hypot(rg.mean(), yb.mean())
    assert METRICS["CF"](coloured(image, image)) == pytest.approx(expected, rel=1e-12)


def test_colourfulness_of_one_colour() -> None:
    """No spread, so only the distance from grey counts: of pure red 255 from green and 127.5 from blue."""
    red = np.zeros((4, 5, 3), np.uint8)
    red[..., 0] = 255
    assert METRICS["CF"](coloured(red, red)) == pytest.approx(0.3 * math.hypot(255, 127.5), rel=1e-12)


@given(COLOURS)
def test_colour_difference_is_what_scikit_image_computes(pair: np.ndarray) -> None:
    fused, vis = pair
    if any((image == image[..., :1]).all() for image in pair):
        with pytest.raises(Colourless, match="grey"):
            METRICS["Delta-E"](coloured(fused, vis))
        return
    expected = deltaE_ciede2000(rgb2lab(vis), rgb2lab(fused))
    # Where two hues are opposite to the last bit, either of the two middles between them is right.
    chroma = [rgb2lab(image)[..., 1:] for image in pair]
    opposite = np.abs(np.angle(np.exp(1j * np.subtract(*(np.arctan2(c[..., 1], c[..., 0]) for c in chroma)))))
    sure = opposite < math.pi - 1e-6
    np.testing.assert_allclose(colour_difference_map(coloured(fused, vis))[sure], expected[sure], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("image", ["1.png", "4.png", "6.png"])
def test_mean_colour_difference(image: str) -> None:
    ir, vis, fused = formula_images("colour", image)
    t = coloured(fused, vis, ir)
    expected = float(deltaE_ciede2000(rgb2lab(vis), rgb2lab(fused)).mean())
    assert METRICS["Delta-E"](t) == pytest.approx(expected, rel=1e-10)
    assert METRICS["Delta-E"](t) == pytest.approx(colour_difference_map(t).mean(), rel=1e-12)


def test_the_colour_source_is_the_one_that_has_colour() -> None:
    _, vis, fused = formula_images("colour", "4.png")
    grey = pixels.luma(vis, "bt601")
    expected = METRICS["Delta-E"](coloured(fused, vis, grey))
    assert METRICS["Delta-E"](coloured(fused, grey, vis)) == expected
    assert METRICS["Delta-E"](coloured(fused, vis, fused)) == expected
    assert METRICS["Delta-E"](coloured(fused, fused, vis)) == 0
    with pytest.raises(Colourless, match="both sources are grey"):
        METRICS["Delta-E"](coloured(fused, np.stack([grey] * 3, axis=2), grey))


def test_colours_reach_the_metrics() -> None:
    ir, vis, fused = formula_images("colour", "4.png")
    scores = score(fused, ir, vis, metrics="CF,Delta-E,EN")
    t = coloured(fused, vis, ir)
    assert scores == {name: METRICS[name](t) for name in ("CF", "Delta-E", "EN")}
    assert {"CF", "Delta-E"} <= score(fused, ir, vis, metrics="all").keys()


@pytest.mark.parametrize("as_colour", [False, True])
def test_grey_images_have_no_colour_to_measure(as_colour: bool) -> None:
    """Nobody asked for colour by name, so nothing is missing; who did is told why."""
    ir, vis, fused = formula_images("max", "4.png")
    if as_colour:
        ir, vis, fused = (np.stack([image] * 3, axis=2) for image in (ir, vis, fused))
    assert not {"CF", "Delta-E"} & score(fused, ir, vis, metrics="all").keys()
    for words in ("CF", "all,CF", "CF,all"):
        with pytest.warns(UserWarning, match="CF is NaN: CF measures colour, and the fused image is grey"):
            assert math.isnan(score(fused, ir, vis, metrics=words)["CF"])


def test_who_was_asked_for_by_name() -> None:
    chosen, _ = define("EN,core", CONVENTIONS["standard"])
    assert [definition.name for definition in chosen if not definition.by_group] == ["EN"]
    chosen, _ = define("core,EN", CONVENTIONS["standard"])
    assert [definition.name for definition in chosen if not definition.by_group] == ["EN"]


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """One pair; its images fused in grey and in colour."""
    ir, vis, colour = formula_images("colour", "5.png")
    grey = pixels.luma(colour, "bt601")
    for name, image in {"ir": ir, "vis": vis, "fused/grey": grey, "fused/colour": colour}.items():
        (tmp_path / name).mkdir(parents=True)
        images.write(tmp_path / name / "1.png", image)
    return tmp_path


def test_a_folder_in_grey_has_no_column_of_colour(folders: Path) -> None:
    scores = score_paths(folders / "fused" / "grey", folders / "ir", folders / "vis", "all")
    assert {"CF", "Delta-E"} <= set(scores.left_out)
    assert not {"CF", "Delta-E"} & set(scores.columns())
    assert not {failure.metric for failure in scores.failures} & {"CF", "Delta-E"}


def test_a_folder_in_colour_and_grey(folders: Path) -> None:
    scores = score_paths(folders / "fused", folders / "ir", folders / "vis", "all")
    by_method = {row.method: row.values for row in scores.rows}
    assert math.isnan(by_method["grey"]["CF"])
    assert by_method["colour"]["CF"] > 0
    assert not {failure.metric for failure in scores.failures} & {"CF", "Delta-E"}


def test_colour_that_was_asked_for_is_missed(folders: Path) -> None:
    scores = score_paths(folders / "fused", folders / "ir", folders / "vis", "EN,CF")
    assert [(failure.method, failure.metric) for failure in scores.failures] == [("grey", "CF")]


# Perception


@pytest.mark.parametrize(
    ("name", "value", "tolerance"), [("Qcb", 1, 1e-12), ("Qcv", 0, 0), ("VIFF", 1, 1e-9), ("FSIM", 1, 1e-12)]
)
def test_identical_images(name: str, value: float, tolerance: float) -> None:
    image = formula_images("max", "4.png")[1]
    assert METRICS[name](Triple.of(image, image, image)) == pytest.approx(value, abs=tolerance)


@pytest.mark.parametrize("name", PERCEPTUAL)
def test_noise_makes_it_worse(name: str) -> None:
    ir, vis, fused = formula_images("weighted", "4.png")
    noise = np.random.default_rng(0).normal(0, 25, fused.shape)
    noisy = np.clip(fused + noise, 0, 255).astype(np.uint8)
    clean, spoilt = METRICS[name](Triple.of(ir, vis, fused)), METRICS[name](Triple.of(ir, vis, noisy))
    assert (spoilt < clean) == (METRICS[name].card.better == "higher")


def test_vifb_is_complete() -> None:
    """All thirteen columns of its published table."""
    assert len(VIFB) == 13
    assert set(VIFB.values()) == set(CONVENTIONS["vifb"].metrics)
    assert {row.metric for row in table(GOLDEN / "vifb.csv", "program_metric")} == set(VIFB)


def test_contrast_map_belongs_to_the_metric() -> None:
    t = Triple.of(*formula_images("sharp", "4.png"))
    found = visual_contrast_map(t)
    assert found.shape == t.shape
    assert METRICS["Qcb"](t) == pytest.approx(found.mean(), rel=1e-12)


def test_a_bright_frame_decides_unless_borders_are_repeated() -> None:
    """With zeros around, the border of a bright image is its strongest edge, and outweighs the difference inside."""
    y, x = np.mgrid[:96, :96]
    source = (200 + 20 * np.sin(x / 5.0) * np.sin(y / 7.0)).astype(np.uint8)
    fused = source.copy()
    fused[40:56, 40:56] = 128
    t = Triple.of(source, source, fused)
    assert METRICS["Qcv"](t, border="zero") < METRICS["Qcv"](t) / 2


def test_features_are_alike_where_nothing_changed() -> None:
    image = formula_images("max", "4.png")[1]
    fused = image.copy()
    fused[:, 100:] = 128
    t = Triple.of(image, image, fused)
    similarity = feature_similarity_map(t, "ir")
    assert similarity.shape == image.shape
    assert similarity[:, :60].mean() > 0.85
    assert similarity[:, 140:].mean() < 0.5
    assert 0 < similarity.min() < METRICS["FSIM"](t) < similarity.max() <= 1


def test_congruency_does_not_depend_on_contrast() -> None:
    """Up to what amplitudes are measured against, which must be small beside them."""
    plane = formula_images("max", "4.png")[1].astype(float)
    one, other = phase_congruency(plane, RECIPE), phase_congruency(100 * plane + 1000, RECIPE)
    np.testing.assert_allclose(one[0], other[0], rtol=0, atol=2e-3)


def test_congruency_finds_a_step_of_either_sign() -> None:
    plane = np.full((64, 96), 50.0)
    plane[:, 32:64] = 200.0
    congruency = phase_congruency(plane, RECIPE)[0]
    assert (congruency[:, [31, 32, 63, 64]] > 0.5).all()
    assert (congruency[:, 44:52] < 0.1).all()


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 100), st.integers(0, 3))
def test_median_of_the_finest_response(height: int, width: int, seed: int, scale: int) -> None:
    rows, down = plan(width), -(-height // 8)
    lines = np.random.default_rng(seed).normal(size=(2, height, width)).round(scale)
    z = np.full((BLOCKS + down, slot_size(rows)), 7.0)
    z[TABLE, : rows.table.size] = rows.table
    blocks = z[BLOCKS:, : 16 * width].reshape(down, width, 2, 8)
    for y in range(height):
        blocks[y // 8, :, :, y % 8] = lines[:, y].T
    expected = np.median(abs(np.fft.ifft(lines[0] + 1j * lines[1], axis=1, norm="forward")) ** 2)
    assert finest_response(z, rows, height) == pytest.approx(expected, rel=1e-12, abs=1e-25)


@pytest.mark.parametrize("shape", [(3, 2), (5, 8), (8, 7), (24, 16), (59, 37), (88, 40), (106, 61)])
@pytest.mark.parametrize("metric", ["Qp", "FSIM"])
def test_features_of_any_size(metric: str, shape: tuple[int, int]) -> None:
    """Rows and columns that fill no whole vector, and sides with a large prime factor."""
    images = np.random.default_rng(5).integers(0, 256, (3, *shape), np.uint8)
    smooth_images = [np.rint(smooth(image.astype(float), np.array([0.25, 0.5]))).astype(np.uint8) for image in images]
    expected = getattr(naive, METRICS[metric].__name__)(*smooth_images)
    assert METRICS[metric](Triple.of(*smooth_images)) == pytest.approx(expected, rel=1e-10, nan_ok=True)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 16), st.integers(0, 100))
def test_smoothing_is_a_convolution_with_zeros_around(rows: int, columns: int, half: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    plane, weights = random.normal(size=(rows, columns)), random.random(half)
    window = np.concatenate([weights, weights[-2::-1]])
    # scipy's own notion of "same" would follow the larger of the two.
    padded = np.pad(plane, half - 1)
    expected = convolve2d(padded, np.outer(window, window), mode="valid")
    np.testing.assert_allclose(smooth(plane, weights), expected, rtol=1e-9, atol=1e-9)


def test_wavelet_form_against_its_twin() -> None:
    """Per source and on levels of 0..255, as the form is meant; the golden numbers are of images in 0..1."""
    ir, vis, fused = formula_images("sharp", "6.png")
    for source in (ir, vis):
        ours = METRICS["VIF"](Triple.of(source, source, fused), domain="wavelet", aggregate="mean")
        assert ours == pytest.approx(wavelet_fidelity(source, fused, 255.0), rel=1e-11)
    assert METRICS["VIF"](Triple.of(ir, vis, ir), domain="wavelet") > 1
    assert METRICS["VIF"](Triple.of(ir, ir, ir), domain="wavelet") == pytest.approx(2, rel=1e-9)


def test_wavelet_form_needs_room_and_a_source_that_varies() -> None:
    image = formula_images("sharp", "5.png")[0]
    with pytest.raises(NotDefined, match="VIF's wavelets do not fit into 64 x 64 pixels; they need 72 x 72"):
        METRICS["VIF"](Triple.of(image, image, image), domain="wavelet")
    image = formula_images("sharp", "4.png")[0]
    flat = np.full_like(image, 90)
    assert math.isnan(METRICS["VIF"](Triple.of(flat, image, image), domain="wavelet"))
    assert METRICS["VIF"](Triple.of(flat, image, image), domain="wavelet", undefined=0.0) == pytest.approx(1, rel=1e-9)


def test_first_taps_of_the_pyramid() -> None:
    """A low-pass that keeps the mean, or doubles the sum from level to level, and a band that has none."""
    assert FIRST_LOW.sum() == pytest.approx(1, abs=1e-3)
    assert LOW.sum() == pytest.approx(2, abs=1e-6)
    assert VERTICAL.sum(axis=1) == pytest.approx(np.zeros(7), abs=1e-12)
