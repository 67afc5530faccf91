"""Every metric again, slowly: the obvious numpy version of each formula, to hold the fast ones against.

Every function takes the infrared, the visible and the fused image as planes of 8-bit levels of one shape (M, N), and
the same keywords as the metric of its name. The defaults are the `standard` convention. Where a formula divides zero by
zero the answer is NaN.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Literal, TypeAlias

import numpy as np
from naive_edges import edge_preservation as edge_preservation
from naive_edges import forward_definition as forward_definition
from naive_edges import fusion_artefacts as fusion_artefacts
from naive_edges import fusion_loss as fusion_loss
from naive_edges import gradient_similarity_deviation as gradient_similarity_deviation
from naive_edges import multiscale_detail_agreement as multiscale_detail_agreement
from naive_edges import spatial_frequency_error as spatial_frequency_error
from naive_information import cosine_information as cosine_information
from naive_information import edge_information as edge_information
from naive_information import gradient_information as gradient_information
from naive_information import nonlinear_correlation as nonlinear_correlation
from naive_information import normalised_mutual_information as normalised_mutual_information
from naive_information import pixel_information as pixel_information
from naive_information import tsallis_information as tsallis_information
from naive_information import wavelet_information as wavelet_information
from naive_perception import feature_similarity as feature_similarity
from naive_perception import fusion_information_fidelity as fusion_information_fidelity
from naive_perception import phase_congruency_quality as phase_congruency_quality
from naive_perception import visual_contrast as visual_contrast
from naive_perception import visual_difference as visual_difference
from naive_perception import wavelet_fidelity
from naive_structure import covariance_weighted_similarity as covariance_weighted_similarity
from naive_structure import edge_dependent_fusion_quality as edge_dependent_fusion_quality
from naive_structure import exposure_similarity as exposure_similarity
from naive_structure import fusion_quality as fusion_quality
from naive_structure import multiscale_exposure_similarity as multiscale_exposure_similarity
from naive_structure import multiscale_structural_similarity as multiscale_structural_similarity
from naive_structure import redundancy_aware_similarity as redundancy_aware_similarity
from naive_structure import weighted_fusion_quality as weighted_fusion_quality
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

Plane: TypeAlias = NDArray[np.uint8]
Array: TypeAlias = NDArray[Any]

SOBEL_DOWN = np.array([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]])
SOBEL_RIGHT = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])


def entropy(
    ir: Plane, vis: Plane, fused: Plane, *, log_base: float = 2.0, epsilon: float = 0.0, darkest: int = 0
) -> float:
    p = np.bincount(np.maximum(fused.ravel(), darkest), minlength=256) / fused.size
    p = p[p > 0]
    return float(-np.sum(p * np.log(p + epsilon)) / math.log(log_base))


def standard_deviation(
    ir: Plane, vis: Plane, fused: Plane, *, ddof: int = 0, arithmetic: Literal["real", "uint8"] = "real"
) -> float:
    difference = fused - fused.mean()
    square = difference**2
    if arithmetic == "uint8":
        square = np.minimum(_round_half_away(np.maximum(difference, 0.0)) ** 2, 255.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.sqrt(square.sum() / np.float64(fused.size - ddof)))


def spatial_frequency(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    denominator: Literal["pixels", "differences"] = "pixels",
    scale: float = 255.0,
) -> float:
    f = fused / 255.0 * scale
    down, right = np.diff(f, axis=0) ** 2, np.diff(f, axis=1) ** 2
    if denominator == "pixels":
        return math.sqrt((down.sum() + right.sum()) / f.size)
    return math.sqrt(down.mean() + right.mean())


def average_gradient(
    ir: Plane, vis: Plane, fused: Plane, *, denominator: Literal["pixels", "inner"] = "pixels"
) -> float:
    down, right = np.gradient(fused.astype(float))
    rows, columns = fused.shape
    count = rows * columns if denominator == "pixels" else (rows - 1) * (columns - 1)
    return float(np.sqrt((down**2 + right**2) / 2.0).sum() / count)


def edge_intensity(ir: Plane, vis: Plane, fused: Plane, *, border: Literal["replicate", "zero"] = "replicate") -> float:
    f = _pad(fused.astype(float), border)
    return float(np.hypot(_convolve(f, SOBEL_DOWN), _convolve(f, SOBEL_RIGHT)).mean())


def mutual_information(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    log_base: float = 2.0,
    joint: Literal["exact", "saturated"] = "exact",
    marginals: Literal["exact", "saturated"] = "exact",
) -> float:
    last, own = (255 if bins == "exact" else 254 for bins in (joint, marginals))
    total = 0.0
    for source in (ir, vis):
        pairs = np.minimum(source, last).astype(int) * 256 + np.minimum(fused, last)
        total += _plogp(np.bincount(pairs.ravel()))
        total -= sum(_plogp(np.bincount(np.minimum(image, own).ravel())) for image in (source, fused))
    return total / math.log(log_base)


def cross_entropy(
    ir: Plane, vis: Plane, fused: Plane, *, form: Literal["divergence", "sigmoid"] = "divergence"
) -> float:
    if form == "sigmoid":
        one = np.float32(1.0)
        a, b, f = (one / (one + np.exp(-x.astype(np.float32))) for x in (ir, vis, fused))
        low, high = np.float32(1e-7), np.float32(1.0 - 1e-7)
        p, t = np.clip(f, low, high), np.clip((a + b) / 2, low, high)
        return float(-(t * np.log(p) + (one - t) * np.log(one - p)).mean())
    q = np.bincount(fused.ravel(), minlength=256) / fused.size
    total = 0.0
    for source in (ir, vis):
        p = np.bincount(source.ravel(), minlength=256) / source.size
        both = (p > 0) & (q > 0)
        total += float(np.sum(p[both] * np.log2(p[both] / q[both])))
    return total / 2.0


def sum_of_correlations_of_differences(
    ir: Plane, vis: Plane, fused: Plane, *, arithmetic: Literal["real", "uint8"] = "real"
) -> float:
    a, b, f = ir.astype(float), vis.astype(float), fused.astype(float)
    from_b, from_a = f - b, f - a
    if arithmetic == "uint8":
        from_b, from_a = np.maximum(from_b, 0.0), np.maximum(from_a, 0.0)
    return _pearson(from_b, a) + _pearson(from_a, b)


def correlation_coefficient(
    ir: Plane, vis: Plane, fused: Plane, *, arithmetic: Literal["real", "uint8"] = "real"
) -> float:
    if arithmetic == "real":
        return (_pearson(ir, fused) + _pearson(vis, fused)) / 2.0
    a, b, f = (_round_half_away(np.maximum(image - image.mean(), 0.0)) for image in (ir, vis, fused))
    total = np.float64(0.0)
    for x in (a, b):
        xf, xx, ff = (np.minimum(product, 255.0).sum() for product in (x * f, x * x, f * f))
        with np.errstate(invalid="ignore", divide="ignore"):
            total += xf / np.sqrt(xx * ff)
    return float(total / 2.0)


def mean_squared_error(ir: Plane, vis: Plane, fused: Plane, *, scale: float = 255.0) -> float:
    f = fused / 255.0 * scale
    return float(np.mean([np.mean((source / 255.0 * scale - f) ** 2) for source in (ir, vis)]))


def root_mean_squared_error(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    form: Literal["root-mean", "root-sum"] = "root-mean",
    scale: float = 255.0,
) -> float:
    squares = [(((source.astype(float) - fused) * scale / 255.0) ** 2).sum() for source in (ir, vis)]
    if form == "root-sum":
        return float(np.mean([math.sqrt(s) / fused.size for s in squares]))
    return float(np.mean([math.sqrt(s / fused.size) for s in squares]))


def peak_signal_noise_ratio(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    peak: float | Literal["fused", "source"] = 255.0,
    error: Literal["mean-square", "root-sum"] = "mean-square",
    average: Literal["errors", "decibels"] = "errors",
    scale: float = 255.0,
) -> float:
    if average == "decibels":
        # A source beside itself is a pair with one error.
        halves = [peak_signal_noise_ratio(x, x, fused, peak=peak, error=error, scale=scale) for x in (ir, vis)]
        return sum(halves) / 2.0
    top = peak
    if peak == "fused":
        top = float(fused.max())
    elif peak == "source":
        top = float(max(ir.max(), vis.max()))
    if error == "mean-square":
        noise = mean_squared_error(ir, vis, fused, scale=scale)
    else:
        noise = root_mean_squared_error(ir, vis, fused, form="root-sum", scale=scale)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(10.0 * np.log10(np.float64(top) ** 2 / np.float64(noise)))


def visual_information_fidelity(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    arithmetic: Literal["real", "uint8"] = "real",
    window: Literal["gaussian", "shifted"] = "gaussian",
    aggregate: Literal["sum", "mean"] = "sum",
    undefined: float = math.nan,
    domain: Literal["pixels", "wavelet"] = "pixels",
    scale: float = 255.0,
) -> float:
    if domain == "wavelet":
        both = [wavelet_fidelity(source, fused, scale) for source in (ir, vis)]
        return sum(both) if aggregate == "sum" else sum(both) / 2.0
    terms = []
    precision = "float32" if window == "shifted" else "float64"
    for source in (ir, vis):
        numerator, denominator = 0.0, 0.0
        reference, distorted = source.astype(precision), fused.astype(precision)
        for size in (17, 9, 5, 3):
            half = size // 2
            positions = np.linspace(-half - (window == "shifted"), half, size).astype(precision)
            kernel = _gaussian(positions[:, None] ** 2 + positions**2, size / 5.0)
            mean = functools.partial(_means, kernel=kernel, padding=half * (window == "shifted"))
            if size < 17:
                reference, distorted = mean(reference)[::2, ::2], mean(distorted)[::2, ::2]
            ceiling = 255.0 if arithmetic == "uint8" and size == 17 else math.inf
            m1, m2 = mean(reference), mean(distorted)
            v1 = np.maximum(mean(np.minimum(reference * reference, ceiling)) - m1 * m1, 0.0)
            v2 = np.maximum(mean(np.minimum(distorted * distorted, ceiling)) - m2 * m2, 0.0)
            covariance = mean(np.minimum(reference * distorted, ceiling)) - m1 * m2
            gain = covariance / (v1 + 1e-10)
            noise = v2 - gain * covariance
            flat = v1 < 1e-10
            gain[flat], noise[flat], v1[flat] = 0.0, v2[flat], 0.0
            flat = v2 < 1e-10
            gain[flat], noise[flat] = 0.0, 0.0
            opposed = gain < 0
            noise[opposed], gain[opposed] = v2[opposed], 0.0
            noise = np.maximum(noise, 1e-10)
            numerator += float(np.log10(1.0 + gain**2 * v1 / (noise + 2.0)).sum(dtype=float))
            denominator += float(np.log10(1.0 + v1 / 2.0).sum(dtype=float))
        terms.append(numerator / denominator if denominator > 0 else undefined)
    return sum(terms) if aggregate == "sum" else sum(terms) / 2.0


def structural_similarity(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    window: Literal["gaussian-11", "uniform-7", "uniform-11"] = "gaussian-11",
    data_range: float = 255.0,
    scale: float = 255.0,
    border: Literal["valid", "replicate", "zero"] = "valid",
    covariance: Literal["population", "sample"] = "population",
    aggregate: Literal["mean", "sum"] = "mean",
    precision: Literal["float64", "float32"] = "float64",
) -> float:
    size = 7 if window == "uniform-7" else 11
    unbias = size**2 / (size**2 - 1.0) if covariance == "sample" else 1.0
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    a, b, f = (x.astype(precision) * (scale / 255.0) for x in (ir, vis, fused))

    def mean(image: Array) -> Array:
        if border == "replicate":
            image = np.pad(image, size // 2, mode="edge")
        elif border == "zero":
            image = np.pad(image, size // 2)
        if window != "gaussian-11":
            means: Array = uniform_filter(image, size)[size // 2 : -(size // 2), size // 2 : -(size // 2)]
            return means
        taps = _gaussian(np.arange(-5, 6, dtype=precision) ** 2, 1.5)
        return _means(_means(image, taps[:, None]), taps[None, :])

    values = []
    for source in (a, b):
        m1, m2 = mean(source), mean(f)
        v1 = unbias * (mean(source * source) - m1 * m1)
        v2 = unbias * (mean(f * f) - m2 * m2)
        v12 = unbias * (mean(source * f) - m1 * m2)
        similarity = (2.0 * m1 * m2 + c1) * (2.0 * v12 + c2) / ((m1 * m1 + m2 * m2 + c1) * (v1 + v2 + c2))
        values.append(float(similarity.mean(dtype=float)))
    return sum(values) if aggregate == "sum" else sum(values) / 2.0


def gradient_transfer(
    ir: Plane,
    vis: Plane,
    fused: Plane,
    *,
    scale: float = 255.0,
    border: Literal["zero", "replicate"] = "replicate",
    tie: Literal["one", "gradient"] = "one",
    angle: Literal["line", "circle"] = "line",
    form: Literal["sums", "local"] = "sums",
) -> float:
    if form == "local":
        return _local_transfer(ir, vis, fused)
    gradients, angles = [], []
    for image in (ir, vis, fused):
        # x / 255 and x * (1 / 255) round differently, and the ties below hang on the last bit.
        levels = _pad(image / (255.0 / scale), border)
        down, right = _convolve(levels, SOBEL_DOWN), _convolve(levels, SOBEL_RIGHT)
        gradients.append(np.sqrt(right**2 + down**2))
        if angle == "circle":
            # Correlation, not convolution: both derivatives change their sign, and a zero keeps none.
            angles.append(np.arctan2(0.0 - right, 0.0 - down))
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            angles.append(np.where(right == 0, math.pi / 2, np.arctan(down / right)))
    gf, af = gradients[2], angles[2]
    total = np.float64(0.0)
    for ga, aa in zip(gradients[:2], angles[:2], strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.minimum(ga, gf) / np.maximum(ga, gf)
        ratio = np.where(ga == gf, 1.0 if tie == "one" else gf, ratio)
        agreement = 1.0 - np.abs(aa - af) / (math.pi / 2)
        strength = 0.9994 / (1.0 + np.exp(-15.0 * (ratio - 0.5)))
        orientation = 0.9879 / (1.0 + np.exp(-22.0 * (agreement - 0.8)))
        total += (strength * orientation * ga).sum()
    with np.errstate(invalid="ignore"):
        return float(total / (gradients[0] + gradients[1]).sum())


def _local_transfer(ir: Plane, vis: Plane, fused: Plane) -> float:
    strengths, angles = [], []
    for image in (ir, vis, fused):
        padded = _pad(image.astype(float), "zero")
        down, right = -_convolve(padded, SOBEL_DOWN), -_convolve(padded, SOBEL_RIGHT)
        strengths.append(np.hypot(down, right))
        angles.append(np.arctan(down / np.where(right == 0, 1e-5, right)))
    ga, gb, gf = strengths
    positive_a, positive_b, positive_f = (np.where(g == 0, 1e-5, g) for g in strengths)
    ratio_a = np.where(ga > gf, gf / positive_a, positive_a / positive_f)
    ratio_b = np.where(gb > gf, positive_f / positive_b, positive_b / positive_f)
    total = np.zeros(fused.shape)
    for weight, ratio, angle in zip((positive_a, positive_b), (ratio_a, ratio_b), angles[:2], strict=True):
        alignment = np.abs(np.abs(angle - angles[2]) - math.pi / 2) * 2.0 / math.pi
        q = 1.0 / (1.0 + np.exp(-10.0 * (ratio - 0.5))) / (1.0 + np.exp(-20.0 * (alignment - 0.75)))
        total += q * weight
    return float((total / (positive_a + positive_b)).mean())


def _round_half_away(x: Array) -> Array:
    """Round as MATLAB does; for x >= 0."""
    return np.floor(x + 0.5)


def _plogp(counts: Array) -> float:
    p = counts[counts > 0] / counts.sum()
    return float(np.sum(p * np.log(p)))


def _pearson(x: Array, y: Array) -> float:
    x, y = x - x.mean(), y - y.mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        return float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()))


def _pad(image: Array, border: str) -> Array:
    return np.pad(image, 1, mode="edge") if border == "replicate" else np.pad(image, 1)


def _convolve(image: Array, kernel: Array) -> Array:
    """Where the kernel fits, turned by 180 degrees; products added column by column of the kernel, as MATLAB does."""
    rows, columns = kernel.shape
    m, n = image.shape[0] - rows + 1, image.shape[1] - columns + 1
    total = np.zeros((m, n))
    for j in range(columns):
        for i in range(rows):
            total += kernel[i, j] * image[rows - 1 - i :, columns - 1 - j :][:m, :n]
    return total


def _gaussian(squares: Array, sigma: float) -> Array:
    """Weights of sum 1 for squared distances from the middle; in float32 every step is correctly rounded."""
    exponents = -squares / (2.0 * sigma**2)
    weights: Array = np.exp(exponents.astype(float)).astype(squares.dtype)
    weights /= weights.sum(dtype=float).astype(squares.dtype)
    return weights


def _means(image: Array, kernel: Array, padding: int = 0) -> Array:
    """Weighted means where the window fits, after padding with zeros.

    In float32 the products are added row by row with one rounding each (a fused multiply-add), as PyTorch does it on a
    CPU: in a flat patch the rounding is all that SSIM and VIF see, so another order gives another score.
    """
    rows, columns = kernel.shape
    image = np.pad(image, padding)
    m, n = image.shape[0] - rows + 1, image.shape[1] - columns + 1
    total = np.zeros((m, n), image.dtype)
    for i, j in np.ndindex(rows, columns):
        # The product of two float32 is exact in float64.
        total = (image[i : i + m, j : j + n].astype(float) * float(kernel[i, j]) + total).astype(image.dtype)
    return total
