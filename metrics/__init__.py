"""The measuring core: every metric, and the conventions that say exactly how each is computed.

A metric is a function of a `Triple` (two grey sources and a fused image of 8-bit levels) that returns a float. Its
keyword parameters are the known disagreements between published implementations; a `Convention` is a named choice
of them.
"""

from __future__ import annotations

if __name__ != "fusionbench.metrics":
    raise ImportError("Import fusionbench.metrics: under two names every kernel would be compiled twice.")

from importlib import import_module
from typing import TYPE_CHECKING

from fusionbench.registry import Registry

if TYPE_CHECKING:
    from .card import Metric
    from .card import NotDefined as NotDefined
    from .card import metric as metric
    from .triple import Scene as Scene
    from .triple import Triple as Triple

METRICS: Registry[Metric] = Registry(
    "metric",
    "fusionbench.metrics",
    {
        "EN": f"{__name__}.entropy:entropy",
        "AG": f"{__name__}.gradient:average_gradient",
        "SF": f"{__name__}.gradient:spatial_frequency",
        "SD": f"{__name__}.contrast:standard_deviation",
        "SCD": f"{__name__}.correlation:sum_of_correlations_of_differences",
        "VIF": f"{__name__}.vif:visual_information_fidelity",
        "MI": f"{__name__}.entropy:mutual_information",
        "SSIM": f"{__name__}.ssim:structural_similarity",
        "CC": f"{__name__}.correlation:correlation_coefficient",
        "MSE": f"{__name__}.error:mean_squared_error",
        "RMSE": f"{__name__}.error:root_mean_squared_error",
        "PSNR": f"{__name__}.error:peak_signal_noise_ratio",
        "Qabf": f"{__name__}.qabf:gradient_transfer",
        "EI": f"{__name__}.gradient:edge_intensity",
        "CE": f"{__name__}.entropy:cross_entropy",
        "Nabf": f"{__name__}.artefacts:fusion_artefacts",
        "Labf": f"{__name__}.artefacts:fusion_loss",
        "Q_M": f"{__name__}.wavelet_quality:multiscale_detail_agreement",
        "Q_SF": f"{__name__}.edge_fidelity:spatial_frequency_error",
        "EPI": f"{__name__}.edge_fidelity:edge_preservation",
        "DF": f"{__name__}.gradient:forward_definition",
        "GMSD": f"{__name__}.edge_fidelity:gradient_similarity_deviation",
        "MS-SSIM": f"{__name__}.ms_ssim:multiscale_structural_similarity",
        "MEF-SSIM": f"{__name__}.mef_ssim:exposure_similarity",
        "MEF-MS-SSIM": f"{__name__}.mef_ssim:multiscale_exposure_similarity",
        "Q_S": f"{__name__}.piella:fusion_quality",
        "Q_W": f"{__name__}.piella:weighted_fusion_quality",
        "Q_E": f"{__name__}.piella:edge_dependent_fusion_quality",
        "Qc": f"{__name__}.cvejic_yang:covariance_weighted_similarity",
        "Qy": f"{__name__}.cvejic_yang:redundancy_aware_similarity",
        "Qcb": f"{__name__}.chen:visual_contrast",
        "Qcv": f"{__name__}.chen:visual_difference",
        "VIFF": f"{__name__}.viff:fusion_information_fidelity",
        "Qp": f"{__name__}.qp:phase_congruency_quality",
        "FSIM": f"{__name__}.fsim:feature_similarity",
        "NMI": f"{__name__}.information:normalised_mutual_information",
        "Q_NCIE": f"{__name__}.information:nonlinear_correlation",
        "Q_TE": f"{__name__}.information:tsallis_information",
        "FMI_pixel": f"{__name__}.features:pixel_information",
        "FMI_gradient": f"{__name__}.features:gradient_information",
        "FMI_edge": f"{__name__}.features:edge_information",
        "FMI_dct": f"{__name__}.features:cosine_information",
        "FMI_w": f"{__name__}.features:wavelet_information",
        "CF": f"{__name__}.colour:colourfulness",
        "Delta-E": f"{__name__}.colour:colour_difference",
        "LPIPS": f"{__name__}.lpips:perceptual_distance",
    },
)
"""Every metric by its short name, in the order of the columns of a table."""

CORE = ("EN", "AG", "SF", "SD", "SCD", "VIF", "MI", "SSIM")
"""The eight that most papers print; what `--metrics core` means."""


# What a metric of one's own is made with. Imported when asked for: it brings the kernels, and numba with them.
_WORDS = {"metric": "card", "NotDefined": "card", "Triple": "triple", "Scene": "triple"}


def __getattr__(name: str) -> object:
    if name not in _WORDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WORDS[name]}"), name)


def available() -> list[str]:
    """Short names of all metrics, plugins included."""
    return METRICS.names()
