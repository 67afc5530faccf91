"""What every metric promises by being registered, and what follows from other libraries and from plain reasoning."""

from __future__ import annotations

import inspect
import math
import re
import statistics

import numpy as np
import pytest
from published import formula_images
from scipy.ndimage import sobel
from sewar.full_ref import vifp
from skimage.measure import shannon_entropy
from skimage.metrics import structural_similarity
from sklearn.metrics import mutual_info_score

from fusionbench.metrics import CORE, METRICS
from fusionbench.metrics.card import Colourless, NotDefined
from fusionbench.metrics.conventions import CONVENTIONS, Convention
from fusionbench.metrics.ssim import structural_similarity_map
from fusionbench.metrics.triple import Scene, Triple
from fusionbench.pixels import luma

NAMES = METRICS.names()
IMAGES = [(method, f"{k}.png") for method in ("weighted", "max", "sharp") for k in range(1, 7)]


# Sides of the smallest image that a window, or a difference of neighbours, fits into.
NEEDED = {
    "VIF": 41,
    "SSIM": 11,
    "AG": 2,
    "SF": 2,
    "Qabf": 2,
    "Nabf": 2,
    "Labf": 2,
    "Q_M": 4,
    "Q_SF": 2,
    "EPI": 3,
    "DF": 2,
}
NEEDED |= {"FMI_pixel": 3, "FMI_gradient": 3, "FMI_edge": 3, "FMI_dct": 3}
NEEDED |= {"MS-SSIM": 161, "MEF-SSIM": 11, "MEF-MS-SSIM": 41, "Q_S": 8, "Q_W": 8, "Q_E": 8, "Qc": 8, "Qy": 7}
NEEDED |= {"VIFF": 41, "VIF/thfylsty": 72, "LPIPS": 31}


def triple(method: str = "sharp", image: str = "4.png") -> Triple:
    return Triple.of(*formula_images(method, image))


def images_for(name: str, method: str = "sharp", image: str = "4.png") -> list[np.ndarray]:
    """Images that a metric can look at: in colour, if that is what it looks at."""
    return formula_images("colour" if METRICS[name].card.colour else method, image)


def scene_of(ir: np.ndarray, vis: np.ndarray, *fused: np.ndarray) -> Scene:
    a, b, *others = (luma(image, "bt601") for image in (ir, vis, *fused))
    return Scene(a, b, others, [ir, vis, *fused])


def value_of(name: str, *images: np.ndarray) -> float:
    return METRICS[name](scene_of(*images).triples[0])


@pytest.mark.usefixtures("lpips_weights")
@pytest.mark.parametrize("name", NAMES)
class TestContract:
    def test_card_is_complete(self, name: str) -> None:
        card = METRICS[name].card
        assert card.name == name
        for words in (card.title, card.reference, card.formula, card.standard, card.undefined, card.fooled):
            assert words.strip()
        assert card.range[0] < card.range[1]
        assert card.better in {"higher", "lower"}

    def test_docstring_explains_every_keyword(self, name: str) -> None:
        documented = inspect.getdoc(METRICS[name])
        assert documented
        for keyword in list(inspect.signature(METRICS[name]).parameters)[1:]:
            assert re.search(rf"^{keyword} : ", documented, re.MULTILINE), keyword

    def test_value_is_a_float_within_its_range(self, name: str) -> None:
        low, high = METRICS[name].card.range
        for method, image in IMAGES:
            images = images_for(name, method, image)
            if min(images[0].shape[:2]) >= NEEDED.get(name, 1):
                value = value_of(name, *images)
                assert type(value) is float
                assert low <= value <= high

    def test_uses_the_sources_or_not_as_the_card_says(self, name: str) -> None:
        ir, vis, fused = images_for(name)
        other = value_of(name, 255 - vis, ir // 2, fused)
        assert (other != value_of(name, ir, vis, fused)) == METRICS[name].card.sources

    def test_sources_change_places(self, name: str) -> None:
        ir, vis, fused = images_for(name)
        straight, swapped = value_of(name, ir, vis, fused), value_of(name, vis, ir, fused)
        assert swapped == pytest.approx(straight, rel=1e-12)

    def test_company_does_not_matter(self, name: str) -> None:
        """A fused image scores the same, to the bit, whatever is scored with it and in whatever order."""
        ir, vis, fused = images_for(name)
        scene = scene_of(ir, vis, vis, fused, ir, fused)
        alone = value_of(name, ir, vis, fused)
        assert METRICS[name](scene.triples[3]) == METRICS[name](scene.triples[1]) == alone

    def test_constant_images_have_a_value_or_nan(self, name: str) -> None:
        side = max(64, NEEDED.get(name, 1))
        flat = np.full((side, side), 100, np.uint8)
        if METRICS[name].card.colour:
            with pytest.raises(Colourless, match=rf"{name}.*grey"):
                METRICS[name](Triple.of(flat, flat, flat))
            return
        value = METRICS[name](Triple.of(flat, flat, flat))
        assert type(value) is float
        if math.isnan(value):
            assert "NaN" in METRICS[name].card.undefined

    def test_small_images_have_a_value_or_a_reason(self, name: str) -> None:
        for side in (1, 2, 10, 40):
            small = np.arange(side * side, dtype=np.uint8).reshape(side, side)
            t = Triple.of(small, small.T.copy(), small)
            if METRICS[name].card.colour:
                t.scene.stored = [np.stack([image, image.T, image], axis=2) for image in t.scene.stored]
            if side >= NEEDED.get(name, 1) and not (METRICS[name].card.colour and side == 1):
                assert type(METRICS[name](t)) is float
            else:
                reason = rf"\b{NEEDED[name]}\b" if name in NEEDED else "grey"
                with pytest.raises(NotDefined, match=f"{name}.*{reason}"):
                    METRICS[name](t)


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=list(CONVENTIONS))
def test_conventions_bind(convention: Convention) -> None:
    """Every metric exists and every keyword is one of its function's."""
    for name, parameters in convention.metrics.items():
        inspect.signature(METRICS[name]).bind(None, **parameters)
    assert convention.side_by_side <= set(convention.metrics)


def test_standard_defines_everything_by_its_own_defaults() -> None:
    assert list(CONVENTIONS["standard"].metrics) == NAMES
    assert not any(CONVENTIONS["standard"].metrics.values())
    assert set(CORE) <= set(NAMES)


@pytest.mark.parametrize(("method", "image"), IMAGES)
def test_standard_is_what_libraries_compute(method: str, image: str) -> None:
    t = triple(method, image)
    a, b, f = (plane.astype(np.float64) for plane in (t.ir, t.vis, t.fused))

    def ssim(x: np.ndarray) -> float:
        full = structural_similarity(
            f, x, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, full=True
        )[1]
        return float(full[5:-5, 5:-5].mean())

    def r(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.corrcoef(x.ravel(), y.ravel())[0, 1])

    gy, gx = np.gradient(f)
    mse = (np.mean((f - a) ** 2) + np.mean((f - b) ** 2)) / 2
    expected = {
        "EN": shannon_entropy(t.fused),
        "SD": f.std(),
        "AG": np.sqrt((gx**2 + gy**2) / 2).mean(),
        "SF": math.sqrt(((np.diff(f, axis=0) ** 2).sum() + (np.diff(f, axis=1) ** 2).sum()) / f.size),
        "SCD": r(f - b, a) + r(f - a, b),
        "CC": (r(a, f) + r(b, f)) / 2,
        "MI": sum(mutual_info_score(x.ravel(), t.fused.ravel()) for x in (t.ir, t.vis)) / math.log(2),
        "SSIM": (ssim(a) + ssim(b)) / 2,
        "VIF": vifp(a, f) + vifp(b, f),
        "MSE": mse,
        "PSNR": 10 * math.log10(255**2 / mse),
        "EI": np.hypot(sobel(f, 0, mode="nearest"), sobel(f, 1, mode="nearest")).mean(),
    }
    for name, value in expected.items():
        # sewar's VIF computes its windows by convolution in the other order, and adds 1e-10 in other places.
        assert METRICS[name](t) == pytest.approx(value, rel=1e-7 if name == "VIF" else 1e-9), name


def test_torchmetrics_agrees_about_vif() -> None:
    torch = pytest.importorskip("torch", reason="torchmetrics needs torch")
    functional = pytest.importorskip("torchmetrics.functional.image")
    t = triple()
    a, b, f = (torch.from_numpy(plane.astype(np.float64))[None, None] for plane in (t.ir, t.vis, t.fused))
    theirs = sum(float(functional.visual_information_fidelity(f, x)) for x in (a, b))
    assert METRICS["VIF"](t) == pytest.approx(theirs, rel=1e-7)


def test_sample_deviation() -> None:
    t = triple("max", "5.png")
    expected = statistics.stdev(map(float, t.fused.ravel()))
    assert METRICS["SD"](t, ddof=1) == pytest.approx(expected, rel=1e-12)


def test_perfect_transfer_of_gradients() -> None:
    """Equal strengths and angles everywhere: the two sigmoids at 1."""
    image = formula_images("max", "5.png")[1]
    perfect = 0.9994 / (1 + math.exp(-15 * 0.5)) * 0.9879 / (1 + math.exp(-22 * 0.2))
    assert METRICS["Qabf"](Triple.of(image, image, image)) == pytest.approx(perfect, rel=1e-12)


def test_cross_entropy_may_be_negative() -> None:
    """A level that the fused image lacks is skipped: of each source a share p of the levels is left, and p log2 p."""
    share = round(1000 / math.e)
    source = np.repeat(np.uint8([[0, 255]]), [share, 1000 - share], axis=1)
    value = METRICS["CE"](Triple.of(source, source, np.zeros_like(source)))
    assert value == pytest.approx(share / 1000 * math.log2(share / 1000), rel=1e-12)
    low = METRICS["CE"].card.range[0]
    assert low <= value == pytest.approx(low, rel=1e-6)


def test_identical_images() -> None:
    image = formula_images("max", "4.png")[1]
    t = Triple.of(image, image, image)
    assert METRICS["SSIM"](t) == pytest.approx(1, abs=1e-12)
    assert METRICS["VIF"](t) == pytest.approx(2, rel=1e-9)
    assert METRICS["CC"](t) == pytest.approx(1, abs=1e-12)
    assert METRICS["MI"](t) == pytest.approx(2 * METRICS["EN"](t), rel=1e-12)
    assert (METRICS["MSE"](t), METRICS["RMSE"](t), METRICS["CE"](t), METRICS["PSNR"](t)) == (0, 0, 0, math.inf)


def test_constant_sources() -> None:
    image = formula_images("max", "4.png")[1]
    flat = np.full_like(image, 128)
    assert math.isnan(METRICS["VIF"](Triple.of(flat, image, image)))
    assert METRICS["VIF"](Triple.of(flat, image, image), undefined=1.0) == pytest.approx(2, rel=1e-9)
    assert math.isnan(METRICS["CC"](Triple.of(flat, image, image)))
    assert METRICS["EN"](Triple.of(image, image, flat)) == 0
    assert METRICS["MI"](Triple.of(image, image, flat)) == 0


def test_similarity_map_belongs_to_the_metric() -> None:
    t = triple()
    inner = np.mean([structural_similarity_map(t, source)[5:-5, 5:-5].mean() for source in ("ir", "vis")])
    assert METRICS["SSIM"](t) == pytest.approx(inner, rel=1e-10)
    replicated = np.mean([structural_similarity_map(t, source).mean() for source in ("ir", "vis")])
    assert METRICS["SSIM"](t, border="replicate") == pytest.approx(replicated, rel=1e-10)


def test_scene_refuses_what_is_not_levels_of_one_size() -> None:
    plane = np.zeros((4, 4), np.uint8)
    for other in (np.zeros((4, 5), np.uint8), np.zeros((4, 4)), np.zeros((4, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match="a scene needs planes"):
            Scene(plane, plane, [other])
