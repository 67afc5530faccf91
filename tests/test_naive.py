"""The naive twins against numbers that other people's programs computed."""

from __future__ import annotations

import csv
import functools
import math
import statistics
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import naive
import numpy as np
import pytest
from numpy.typing import NDArray

from fusionbench.images import PlaneRule, planes, read

GOLDEN = Path(__file__).parent / "golden"

Definition = tuple[Callable[..., float], dict[str, Any]]


class Row(NamedTuple):
    """One number of another program."""

    name: str
    method: str
    image: str
    value: float


class Program(NamedTuple):
    """What a program computes, in our words, and how closely its arithmetic lets us follow.

    Parameters
    ----------
    rule : PlaneRule
        How it makes grey planes of colour.
    metrics : dict
        Its name of a metric -> the twin and its keywords.
    tolerance : float
        Relative, for all metrics but those in `exceptions`.
    exceptions : dict
        Tolerances of single metrics.
    """

    rule: PlaneRule
    metrics: dict[str, Definition]
    tolerance: float
    exceptions: dict[str, float]


EN: Definition = (naive.entropy, {})
SD: Definition = (naive.standard_deviation, {})
SF_DIFFERENCES: Definition = (naive.spatial_frequency, {"denominator": "differences"})
AG_INNER: Definition = (naive.average_gradient, {"denominator": "inner"})
MI_SATURATED: Definition = (naive.mutual_information, {"joint": "saturated"})
MI_NATS: Definition = (naive.mutual_information, {"log_base": math.e})
SCD: Definition = (naive.sum_of_correlations_of_differences, {})
CC: Definition = (naive.correlation_coefficient, {})
MSE_UNIT: Definition = (naive.mean_squared_error, {"scale": 1.0})
PSNR_UNIT: Definition = (naive.peak_signal_noise_ratio, {"scale": 1.0})
QABF: Definition = (naive.gradient_transfer, {"border": "zero", "tie": "gradient"})

# Programs in float64 differ from the twins by the order of their sums alone.
FLOAT64 = 1e-11
# Sums of float32 are off by about 1e-7; where the pixels are float32 but the sums are not, nothing is lost.
FLOAT32 = 1e-6

PROGRAMS = {
    "tang": Program(
        "matlab",
        {
            "EN": EN,
            "SD": SD,
            "SF": SF_DIFFERENCES,
            "AG": AG_INNER,
            "MI": MI_SATURATED,
            "SCD": SCD,
            "CC": CC,
            "MSE": MSE_UNIT,
            "PSNR": PSNR_UNIT,
            "VIF": (naive.visual_information_fidelity, {}),
            "SSIM": (naive.structural_similarity, {"data_range": 1.0, "border": "replicate"}),
            "Qabf": QABF,
        },
        FLOAT64,
        {},
    ),
    "vifb": Program(
        "per-channel",
        {
            "Entropy": EN,
            "Variance": SD,
            "Spatial_frequency": (naive.spatial_frequency, {}),
            "Avg_gradient": AG_INNER,
            "Edge_intensity": (naive.edge_intensity, {}),
            "Mutinf": MI_NATS,
            "Cross_entropy": (naive.cross_entropy, {}),
            "Rmse": (naive.root_mean_squared_error, {"form": "root-sum"}),
            "Psnr": (naive.peak_signal_noise_ratio, {"error": "root-sum"}),
            "Ssim": (naive.structural_similarity, {"aggregate": "sum"}),
            "Qabf": (naive.gradient_transfer, {"scale": 255.0, "border": "zero", "tie": "gradient"}),
        },
        FLOAT64,
        {},
    ),
    "cddfuse": Program(
        "bt601",
        {
            "EN": EN,
            "SD": SD,
            "SF": SF_DIFFERENCES,
            "AG": (naive.average_gradient, {}),
            "MI": MI_NATS,
            "SCD": SCD,
            "CC": CC,
            "MSE": (naive.mean_squared_error, {}),
            "PSNR": (naive.peak_signal_noise_ratio, {"peak": "fused"}),
            "VIFF": (naive.visual_information_fidelity, {"undefined": 1.0}),
            "SSIM": (
                naive.structural_similarity,
                {
                    "window": "uniform-7",
                    "data_range": 2.0,
                    "covariance": "sample",
                    "aggregate": "sum",
                    "precision": "float32",
                },
            ),
            "Qabf": QABF,
        },
        FLOAT32,
        {"EN": FLOAT64, "MI": FLOAT64, "VIFF": FLOAT64, "SSIM": FLOAT64},
    ),
    "ivif_zoo": Program(
        "pillow",
        {
            "EN": (naive.entropy, {"epsilon": 1e-7}),
            "SD": SD,
            "SF": SF_DIFFERENCES,
            "AG": (naive.average_gradient, {}),
            "EI": (naive.edge_intensity, {"border": "zero"}),
            "MI": (naive.mutual_information, {}),
            "CE": (naive.cross_entropy, {"form": "sigmoid"}),
            "SCD": SCD,
            "CC": CC,
            "MSE": MSE_UNIT,
            "PSNR": PSNR_UNIT,
            "VIF": (naive.visual_information_fidelity, {"window": "shifted", "precision": "float32"}),
            "SSIM": (
                naive.structural_similarity,
                {"scale": 255.0, "aggregate": "sum", "precision": "float32"},
            ),
            "Qabf": QABF,
        },
        FLOAT32,
        # In planes of up to 20480 pixels PyTorch rounds each product of SSIM's windows before it adds it.
        {"MI": FLOAT64, "SSIM": 1e-5},
    ),
    "libraries": Program(
        "pillow",
        {
            "skimage_shannon_entropy": EN,
            "numpy_std": SD,
            "numpy_scd": SCD,
            "numpy_pearson": CC,
            "numpy_mse": (naive.mean_squared_error, {}),
            "skimage_ssim_gauss11": (naive.structural_similarity, {}),
            "skimage_ssim_gauss11_f64_dr1": (naive.structural_similarity, {"data_range": 1.0}),
            "skimage_ssim_uniform7_default": (
                naive.structural_similarity,
                {"window": "uniform-7", "covariance": "sample"},
            ),
            "sewar_vifp": (naive.visual_information_fidelity, {"aggregate": "mean"}),
            "sklearn_mi_nats": MI_NATS,
        },
        FLOAT64,
        {},
    ),
}

SPREADSHEET = Program(
    "matlab",
    {
        "EN": EN,
        "SD": (naive.standard_deviation, {"arithmetic": "uint8"}),
        "SF": (naive.spatial_frequency, {"denominator": "differences", "scale": 1.0}),
        "AG": AG_INNER,
        "MI": MI_SATURATED,
        "SCD": SCD,
        "CC": CC,
        "MSE": MSE_UNIT,
        "PSNR": PSNR_UNIT,
        "VIF": (naive.visual_information_fidelity, {"arithmetic": "uint8"}),
        "Qabf": (naive.gradient_transfer, {"scale": 1.0 / 255.0, "border": "zero", "tie": "gradient"}),
    },
    FLOAT64,
    # The gain of a pixel whose source window is all but flat hangs on rounding.
    {"VIF": 1e-9},
)


@functools.cache
def golden_rows(program: str) -> dict[str, list[Row]]:
    """The rows of a golden file by the program's own name of the metric, without ``__ir`` and ``__vis``."""
    rows = defaultdict(list)
    with (GOLDEN / f"{program}.csv").open(newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            name = row["program_metric"]
            rows[name.split("__")[0]].append(Row(name, row["method"], row["image"], float(row["value"])))
    return rows


@functools.cache
def formula_image(folder: str, image: str) -> NDArray[np.uint8]:
    return read(GOLDEN / "formula" / folder / image)


def evaluate(program: Program, name: str, images: list[NDArray[np.uint8]]) -> float:
    """The twin of one metric on (ir, vis, fused), any of them grey or colour."""
    function, keywords = program.metrics[name]
    ir, vis, fused = ([*planes(image, program.rule)] * 3 for image in images)
    count = len(planes(images[2], program.rule))
    if function is naive.spatial_frequency and count == 3:
        return function(ir[0], vis[0], np.hstack(fused[:3]), **keywords)
    return math.fsum(function(ir[k], vis[k], fused[k], **keywords) for k in range(count)) / count


@pytest.mark.parametrize(
    ("program", "name"), [(program, name) for program in PROGRAMS for name in sorted(golden_rows(program))]
)
def test_golden_numbers(program: str, name: str) -> None:
    definition = PROGRAMS[program]
    tolerance = definition.exceptions.get(name, definition.tolerance)
    for row in golden_rows(program)[name]:
        suffix = "_rgb" if row.method == "colour" else ""
        images = [formula_image(folder, row.image) for folder in (f"ir{suffix}", f"vis{suffix}", row.method)]
        value = row.value
        if row.name.endswith(("__ir", "__vis")):
            images[:2] = [images[0 if row.name.endswith("__ir") else 1]] * 2
            if name == "sklearn_mi_nats":
                value *= 2.0
        assert evaluate(definition, name, images) == pytest.approx(value, rel=tolerance), row


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_definition_has_golden_numbers(program: str) -> None:
    assert set(golden_rows(program)) == set(PROGRAMS[program].metrics)


@pytest.mark.parametrize("name", sorted(SPREADSHEET.metrics))
def test_published_spreadsheet(shared: Path, name: str) -> None:
    """Saturating bytes and [0, 1] doubles: only the authors' own table shows them."""
    for row in shared_rows(shared / "reference" / "tang_published.csv", name, {"37.png"}):
        images = [read(shared / "data" / "tno" / source / row.image) for source in ("ir", "vis")]
        images.append(read(shared / "data" / "fused" / "tno" / row.method / row.image))
        tolerance = SPREADSHEET.exceptions.get(name, SPREADSHEET.tolerance)
        assert evaluate(SPREADSHEET, name, images) == pytest.approx(row.value, rel=tolerance), row


def test_published_colour_table(shared: Path) -> None:
    """VIFB's own table, made from colour JPEG files; it keeps five digits."""
    for name in PROGRAMS["vifb"].metrics:
        for row in shared_rows(shared / "reference" / "vifb_published.csv", name, {"walking.jpg"}):
            # What is published as these two methods' images is up to 0.7 % off what their published numbers came from.
            if row.method not in {"SwinFusion", "YDTR"}:
                images = [read(shared / "data" / "vifb" / source / row.image) for source in ("ir", "vis")]
                images.append(read(shared / "data" / "fused" / "vifb" / row.method / row.image))
                assert evaluate(PROGRAMS["vifb"], name, images) == pytest.approx(row.value, rel=5.1e-5), row


def test_float32_noise_of_flat_patches(shared: Path) -> None:
    """Where a fused image is mostly flat, SSIM of IVIF_ZOO is its rounding: float64 would be off by 5 %."""
    for row in shared_rows(shared / "reference" / "programs" / "ivif_zoo.csv", "SSIM", {"41.png"}):
        images = [read(shared / "data" / "tno" / source / row.image) for source in ("ir", "vis")]
        images.append(read(shared / "data" / "fused" / "tno" / row.method / row.image))
        assert evaluate(PROGRAMS["ivif_zoo"], "SSIM", images) == pytest.approx(row.value, rel=FLOAT32), row


def test_errors_follow_from_numpy() -> None:
    rows = {(row.method, row.image, row.name): row.value for row in golden_rows("libraries")["numpy_mse"]}
    for method, image, _ in rows:
        images = [formula_image(folder, image) for folder in ("ir", "vis", method)]
        squares = [rows[method, image, f"numpy_mse__{source}"] for source in ("ir", "vis")]
        assert naive.root_mean_squared_error(*images) == pytest.approx(np.mean(np.sqrt(squares)), rel=FLOAT64)
        decibels = 10.0 * math.log10(255.0**2 / np.mean(squares))
        assert naive.peak_signal_noise_ratio(*images) == pytest.approx(decibels, rel=FLOAT64)


def test_sample_deviation_follows_from_statistics() -> None:
    image = formula_image("max", "5.png")
    expected = statistics.stdev(float(level) for level in image.ravel())
    assert naive.standard_deviation(image, image, image, ddof=1) == pytest.approx(expected, rel=FLOAT64)


def test_perfect_transfer_of_gradients() -> None:
    """Equal gradients and angles everywhere: the two sigmoids at 1."""
    image = formula_image("vis", "5.png")
    strength, orientation = 0.9994 / (1.0 + math.exp(-15.0 * 0.5)), 0.9879 / (1.0 + math.exp(-22.0 * 0.2))
    assert naive.gradient_transfer(image, image, image) == pytest.approx(strength * orientation, rel=FLOAT64)


def test_zero_divided_by_zero() -> None:
    image = formula_image("vis", "5.png")
    flat = np.full_like(image, 128)
    for undefined in (
        naive.correlation_coefficient(flat, image, image),
        naive.sum_of_correlations_of_differences(flat, flat, flat),
        naive.gradient_transfer(flat, flat, flat),
        naive.visual_information_fidelity(flat, image, image),
    ):
        assert math.isnan(undefined)
    assert naive.visual_information_fidelity(flat, image, image, undefined=1.0) == pytest.approx(2.0, rel=FLOAT64)
    assert naive.peak_signal_noise_ratio(image, image, image) == math.inf


def shared_rows(file: Path, name: str, images: set[str]) -> list[Row]:
    with file.open(newline="") as stream:
        rows = [
            Row(name, row["method"], row["image"], float(row["value"]))
            for row in csv.DictReader(stream)
            if row["metric"] == name and row["image"] in images
        ]
    assert rows
    return rows
