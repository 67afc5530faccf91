"""Structure at several scales, and the indices that weigh two similarities: what follows from their formulas."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from published import formula_images
from test_fooled import Plane, average, blur, copy, noise, stretch

import fusionbench as fb
from fusionbench.datasets import synthetic
from fusionbench.metrics import METRICS
from fusionbench.metrics.card import NotDefined
from fusionbench.metrics.conventions import CONVENTIONS
from fusionbench.metrics.cvejic_yang import covariance_weighted_similarity_map, redundancy_aware_similarity_map
from fusionbench.metrics.mef_ssim import exposure_similarity_map
from fusionbench.metrics.piella import fusion_quality_map
from fusionbench.metrics.pooling import WANG
from fusionbench.metrics.triple import Triple
from fusionbench.pixels import luma

POOLED = ("Q_S", "Q_W", "Q_E", "Qc", "Qy")
WEIGHED = [(c.name, name) for c in CONVENTIONS.values() for name in POOLED if name in c.metrics]

# piq 0.8.0, numpy 2.4.6: multi-scale SSIM of double levels 0..255, data range 255; (source, fused) of formula image 4.
PIQ = {
    ("ir", "weighted"): 0.5260968279120561,
    ("vis", "weighted"): 0.6551221464554459,
    ("ir", "max"): 0.3372307274878003,
    ("vis", "max"): 0.7330338970753324,
    ("ir", "sharp"): 0.6285642429966547,
    ("vis", "sharp"): 0.5548963711528706,
}


def triple(method: str = "sharp", image: str = "4.png") -> Triple:
    return Triple.of(*formula_images(method, image))


def twin(name: str, images: list[np.ndarray] | np.ndarray, **parameters: object) -> float:
    return getattr(naive, METRICS[name].__name__)(*images, **parameters)


def texture(seed: int, *shape: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    smooth = random.integers(0, 256, (3, *shape)).cumsum(axis=2) // np.arange(1, shape[1] + 1)
    return np.clip(smooth + random.normal(0, 12, smooth.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("source", "method"), PIQ)
def test_piq_agrees_about_five_scales(source: str, method: str) -> None:
    """All sides are multiples of 16, so no halving meets an odd one."""
    t = triple(method)
    x = {"ir": t.ir, "vis": t.vis}[source]
    for halving in ("symmetric", "zero"):
        value = METRICS["MS-SSIM"](Triple.of(x, x, t.fused), halving=halving)
        assert value == pytest.approx(PIQ[source, method], rel=1e-13)


@pytest.mark.parametrize("parameters", [{}, {"halving": "zero"}, CONVENTIONS["ivif-zoo"].metrics["MS-SSIM"]])
@pytest.mark.parametrize("shape", [(161, 161), (163, 270)])
def test_twin_of_five_scales(shape: tuple[int, int], parameters: dict[str, object]) -> None:
    """Sides that are odd at one scale and even at the next."""
    images = texture(1, *shape)
    ours = METRICS["MS-SSIM"](Triple.of(*images), **parameters)
    single = parameters.get("precision") == "float32"
    assert ours == pytest.approx(twin("MS-SSIM", images, **parameters), rel=1e-6 if single else 1e-11)


@given(
    images=arrays(np.uint8, st.tuples(st.just(3), st.integers(8, 20), st.integers(8, 20)), elements=st.integers(0, 255))
)
@pytest.mark.parametrize("name", POOLED)
def test_twins_where_anything_may_be_flat(name: str, images: np.ndarray) -> None:
    """Sums over equal weights are exact, so what is flat, or cancels, is the same to both."""
    expected = twin(name, images)
    assert METRICS[name](Triple.of(*images)) == pytest.approx(expected, rel=1e-6, abs=1e-9, nan_ok=True)


@given(
    images=arrays(
        np.uint8, st.tuples(st.just(3), st.integers(11, 18), st.integers(11, 18)), elements=st.integers(0, 255)
    )
)
def test_twin_of_best_patches(images: np.ndarray) -> None:
    assert METRICS["MEF-SSIM"](Triple.of(*images)) == pytest.approx(twin("MEF-SSIM", images), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("convention", "name"), WEIGHED)
def test_a_copy_of_both_sources(convention: str, name: str) -> None:
    image = texture(2, 60, 70)[0]
    value = METRICS[name](Triple.of(image, image, image), **CONVENTIONS[convention].metrics[name])
    assert value == pytest.approx(1, abs=1e-9)


def test_identical_images() -> None:
    """Flat and black patches included."""
    image = formula_images("max", "4.png")[1]
    t = Triple.of(image, image, image)
    for name in ("MS-SSIM", "MEF-SSIM", "MEF-MS-SSIM", *POOLED):
        assert METRICS[name](t) == pytest.approx(1, abs=1e-9), name


def test_flat_sources() -> None:
    """Whatever is flat is known to be flat; only weights that are all zero leave no value."""
    image = texture(2, 40, 50)[0]
    flat = np.full_like(image, 100)
    t = Triple.of(flat, flat, flat)
    assert (METRICS["Q_S"](t), METRICS["Qc"](t), METRICS["Qy"](t)) == (1, 1, 1)
    assert math.isnan(METRICS["Q_W"](t))
    assert math.isnan(METRICS["Q_E"](t))
    # The flat source has no saliency, and the fused image is the other one.
    half = Triple.of(flat, image, image)
    assert METRICS["Q_S"](half) == pytest.approx(1, abs=1e-12)
    assert METRICS["Q_W"](half) == pytest.approx(1, abs=1e-12)


def test_one_window_by_hand() -> None:
    """A window of 8 x 8 whose halves differ: variances 100, 25 and 64, covariances their roots' products."""
    step = np.repeat(np.int64([[-1, 1]]), 4, axis=1) * np.ones((8, 1), np.int64)
    ir, vis, fused = (np.uint8(mean + size * step) for mean, size in ((100, 10), (50, -5), (80, 8)))
    t = Triple.of(ir, vis, fused)

    def index(mx: float, sx: float, my: float, sy: float) -> float:
        return 4 * sx * sy * mx * my / ((mx**2 + my**2) * (sx**2 + sy**2))

    a, b = index(100, 10, 80, 8), index(50, -5, 80, 8)
    assert METRICS["Q_S"](t) == pytest.approx(0.8 * a + 0.2 * b, rel=1e-12)
    assert METRICS["Q_W"](t) == pytest.approx(0.8 * a + 0.2 * b, rel=1e-12)
    # 80 / (80 - 40) is above 1: the infrared source alone.
    assert METRICS["Qc"](t) == pytest.approx(a, rel=1e-12)
    assert METRICS["Qc"](t, outside="quality") == 1
    assert METRICS["Qy"](t, window="uniform-8", constants=(0.0, 0.0)) == pytest.approx(max(a, b), rel=1e-12)


def test_what_has_no_share() -> None:
    """Where nothing varies both covariances are 0: half each, no score, or a window that does not count."""
    ir, vis, fused = (plane.copy() for plane in formula_images("sharp", "4.png"))
    for plane in (ir, vis, fused):
        plane[:40, :40] = 0
    t = Triple.of(ir, vis, fused)
    for name in ("Qc", "Qy"):
        parameters = {"window": "gaussian-7", "constants": (2e-16, 2e-16)}
        half, skipped = (METRICS[name](t, undefined=how, **parameters) for how in ("half", "skip"))
        assert math.isnan(METRICS[name](t, undefined="nan", **parameters))
        windows, flat = (t.shape[0] - 6) * (t.shape[1] - 6), 34 * 34
        # A black window is the same in all images, so its similarity is 1.
        assert half * windows == pytest.approx(skipped * (windows - flat) + flat, rel=1e-6)
    black = np.zeros((20, 20), np.uint8)
    nothing = Triple.of(black, black, black)
    assert math.isnan(METRICS["Qc"](nothing, window="gaussian-7", undefined="skip"))


def test_edges_are_those_of_the_images() -> None:
    t = triple()
    edges = METRICS["Q_W"](t, image="edges")
    assert METRICS["Q_E"](t) == pytest.approx(METRICS["Q_W"](t) * edges, rel=1e-12)
    assert METRICS["Q_E"](t, alpha=0.5) == pytest.approx(METRICS["Q_W"](t) * math.sqrt(edges), rel=1e-12)
    assert METRICS["Q_E"](t, alpha=0.0) == METRICS["Q_W"](t)


def test_best_patch_knows_no_brightness() -> None:
    ir, vis, fused = formula_images("weighted", "4.png")
    low = fused // 2
    assert METRICS["MEF-SSIM"](Triple.of(ir, vis, low + 60)) == pytest.approx(
        METRICS["MEF-SSIM"](Triple.of(ir, vis, low)), rel=1e-9
    )


def test_opposed_patches_leave_nothing_to_wish_for() -> None:
    """A negative and its positive cancel; then a flat fused image is right, and any contrast is wrong."""
    image = formula_images("max", "4.png")[1]
    flat = np.full_like(image, 100)
    assert METRICS["MEF-SSIM"](Triple.of(image, 255 - image, flat)) == pytest.approx(1, abs=1e-12)
    assert METRICS["MEF-SSIM"](Triple.of(image, 255 - image, image)) < 0.9


def test_a_scale_that_opposes_counts_as_nothing() -> None:
    rows, columns = np.indices((170, 170))
    image = np.uint8(127 + 100 * np.sin(0.9 * rows + 0.4 * columns))
    negative = np.uint8(255 - image)
    assert METRICS["MS-SSIM"](Triple.of(image, image, negative)) == 0
    assert METRICS["MEF-MS-SSIM"](Triple.of(image, image, negative)) == 0


def test_maps_belong_to_their_metrics() -> None:
    t = triple()
    assert METRICS["Q_S"](t) == pytest.approx(fusion_quality_map(t)[3:-4, 3:-4].mean(), rel=1e-10)
    assert METRICS["Qc"](t) == pytest.approx(covariance_weighted_similarity_map(t)[3:-4, 3:-4].mean(), rel=1e-10)
    assert METRICS["Qy"](t) == pytest.approx(redundancy_aware_similarity_map(t)[3:-3, 3:-3].mean(), rel=1e-10)
    assert METRICS["MEF-SSIM"](t) == pytest.approx(exposure_similarity_map(t)[5:-5, 5:-5].mean(), rel=1e-10)
    wide = fusion_quality_map(t, window="gaussian-11", constants=WANG)
    assert wide.shape == t.shape
    inner = wide[5:-5, 5:-5].mean()
    assert METRICS["Q_S"](t, window="gaussian-11", constants=WANG) == pytest.approx(inner, rel=1e-10)


def test_windows_that_do_not_fit() -> None:
    small = np.zeros((10, 30), np.uint8)
    with pytest.raises(NotDefined, match=r"Q_S.*\b11\b.*30 x 10"):
        METRICS["Q_S"](Triple.of(small, small, small), window="gaussian-11")
    # A window that sees black around the images fits into any.
    assert type(METRICS["Qy"](Triple.of(small, small, small), window="repeated-7")) is float


@functools.cache
def honest() -> tuple[Plane, Plane, Plane]:
    """Sources, and a fusion of them by a Laplacian pyramid."""
    scene = synthetic.scene(3, 256, 192)
    ir, vis = scene.ir, luma(scene.vis, "bt601")
    return ir.astype(float), vis.astype(float), fb.fuse("lp", ir, vis).astype(float)


def levels(image: Plane) -> np.ndarray:
    return np.uint8(np.clip(np.floor(image + 0.5), 0, 255))


def scores(name: str, ir: Plane, vis: Plane, *fused: Plane) -> list[float]:
    """The score of every fused image."""
    return [METRICS[name](Triple.of(levels(ir), levels(vis), levels(image))) for image in fused]


@pytest.mark.parametrize(
    ("name", "deceive"),
    [
        ("MS-SSIM", average),
        ("MS-SSIM", blur),
        ("Qc", copy),
        ("Qy", copy),
        ("Q_S", lambda *images: (images[2] + average(*images)) / 2),
    ],
)
def test_what_raises_it(name: str, deceive: Callable[[Plane, Plane, Plane], Plane]) -> None:
    before, after = scores(name, *honest(), deceive(*honest()))
    assert after > before


@pytest.mark.parametrize("name", ["Q_W", "Q_E"])
def test_stretching_an_average_raises_it(name: str) -> None:
    ir, vis, fused = honest()
    plain = average(ir, vis, fused)
    before, after = scores(name, ir, vis, plain, stretch(ir, vis, plain))
    assert after > before


@pytest.mark.parametrize("name", ["MEF-SSIM", "MEF-MS-SSIM", "Q_S", "Q_W", "Q_E", "Qc", "Qy"])
def test_a_source_whose_noise_is_kept(name: str) -> None:
    ir, vis, fused = honest()
    noisy = noise(ir, vis, noise(ir, vis, ir))
    kept = fb.fuse("lp", levels(noisy), levels(vis)).astype(float)
    without, within = scores(name, noisy, vis, fused, kept)
    assert within > without + 0.05


@pytest.mark.parametrize(("name", "cost"), [("MS-SSIM", 0.03), ("MEF-MS-SSIM", 0.05), ("Q_W", 0.03), ("Q_E", 0.05)])
def test_noise_of_five_levels_costs_little(name: str, cost: float) -> None:
    before, after = scores(name, *honest(), noise(*honest()))
    assert before - cost < after


def test_a_slope_of_brightness_is_not_seen() -> None:
    ir, vis, fused = honest()
    before, after = scores("MEF-SSIM", ir, vis, fused, fused + np.linspace(-30, 30, fused.shape[1]))
    assert after == pytest.approx(before, abs=0.01)
