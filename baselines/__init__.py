"""The methods: everything that fuses an infrared and a visible plane into one.

A method is a function `(ir, vis, *, parameters) -> fused` of float64 planes on the scale 0..255. Colour, bit depth, files
and threads are handled once, by its callers.
"""

from __future__ import annotations

if __name__ != "fusionbench.baselines":
    raise ImportError("Import fusionbench.baselines: under two names every kernel would be compiled twice.")

from typing import TYPE_CHECKING

from fusionbench.registry import Registry

if TYPE_CHECKING:
    from .card import Method

_CLASSICAL = f"{__name__}.classical"
_LEARNED = f"{__name__}.learned.methods"
_LITERATURE = f"{__name__}.learned.literature"
_FOREIGN = f"{__name__}.learned.foreign"

METHODS: Registry[Method] = Registry(
    "method",
    "fusionbench.methods",
    {
        # The seventeen of VIFB, and its one network.
        "adf": f"{_CLASSICAL}.adf:anisotropic_diffusion_fusion",
        "cbf": f"{_CLASSICAL}.cbf:cross_bilateral_fusion",
        "fpde": f"{_CLASSICAL}.fpde:fourth_order_fusion",
        "gfce": f"{_CLASSICAL}.hmsd:context_enhancement",
        "gff": f"{_CLASSICAL}.gff:guided_filter_fusion",
        "gtf": f"{_CLASSICAL}.gtf:gradient_transfer_fusion",
        "hmsd-gf": f"{_CLASSICAL}.hmsd:hybrid_guided_fusion",
        "hybrid-msd": f"{_CLASSICAL}.hybrid_msd:hybrid_bilateral_fusion",
        "ifevip": f"{_CLASSICAL}.ifevip:feature_extraction_fusion",
        "latlrr": f"{_CLASSICAL}.latlrr:latent_low_rank_fusion",
        "lp-sr": f"{_CLASSICAL}.multiscale_sparse:laplacian_sparse",
        "mgff": f"{_CLASSICAL}.mgff:multiscale_guided_fusion",
        "msvd": f"{_CLASSICAL}.msvd:multiresolution_svd_fusion",
        "nsct-sr": f"{_CLASSICAL}.multiscale_sparse:contourlet_sparse",
        "rp-sr": f"{_CLASSICAL}.multiscale_sparse:ratio_sparse",
        "tif": f"{_CLASSICAL}.tif:two_scale_fusion",
        "vsm-wls": f"{_CLASSICAL}.vsm_wls:saliency_least_squares_fusion",
        "cnn": f"{_CLASSICAL}.cnn:siamese_network_fusion",
        # Rules.
        "average": f"{_CLASSICAL}.rules:average",
        "max": f"{_CLASSICAL}.rules:maximum",
        "min": f"{_CLASSICAL}.rules:minimum",
        "weighted": f"{_CLASSICAL}.rules:weighted",
        "pca": f"{_CLASSICAL}.rules:principal_component",
        # Pyramids.
        "lp": f"{_CLASSICAL}.pyramids:laplacian",
        "rp": f"{_CLASSICAL}.pyramids:ratio",
        "cp": f"{_CLASSICAL}.pyramids:contrast",
        "gp": f"{_CLASSICAL}.pyramids:gradient",
        "mp": f"{_CLASSICAL}.pyramids:morphological",
        "fsd": f"{_CLASSICAL}.pyramids:filter_subtract_decimate",
        "burt": f"{_CLASSICAL}.pyramids:burt_adelson",
        # Wavelets and relatives.
        "dwt": f"{_CLASSICAL}.wavelets:discrete_wavelet",
        "swt": f"{_CLASSICAL}.wavelets:stationary_wavelet",
        "dtcwt": f"{_CLASSICAL}.wavelets:dual_tree",
        "curvelet": f"{_CLASSICAL}.curvelet:curvelet",
        "nsct": f"{_CLASSICAL}.contourlet:nonsubsampled_contourlet",
        # Sparse coding of the whole image.
        "sr": f"{_CLASSICAL}.multiscale_sparse:sparse_representation",
        # Others.
        "exposure": f"{_CLASSICAL}.exposure:exposure_fusion",
        "focus-sf": f"{_CLASSICAL}.focus:focus_spatial_frequency",
        "focus-sml": f"{_CLASSICAL}.focus:focus_sum_modified_laplacian",
        "poisson": f"{_CLASSICAL}.poisson:gradient_domain",
        # Networks.
        "clfnet": f"{_LEARNED}:clfnet",
        "cs2fusion": f"{_LEARNED}:cs2fusion",
        "coconet": f"{_LEARNED}:coconet",
        # Networks of the literature: auto-encoders and unrolled algorithms.
        "densefuse": f"{_LITERATURE}.autoencoders:densefuse",
        "densefuse-rgb": f"{_LITERATURE}.autoencoders:densefuse_rgb",
        "densefuse-tf": f"{_LITERATURE}.autoencoders:densefuse_tf",
        "deepfuse": f"{_LITERATURE}.autoencoders:deepfuse",
        "didfuse": f"{_LITERATURE}.autoencoders:didfuse",
        "auif": f"{_LITERATURE}.unrolled:auif",
        "lrrnet": f"{_LITERATURE}.unrolled:lrrnet",
        "rfn-nest": f"{_LITERATURE}.autoencoders:rfn_nest",
        "nestfuse": f"{_LITERATURE}.autoencoders:nestfuse",
        "mfeif": f"{_LITERATURE}.autoencoders:mfeif",
        # Networks of the literature: convolutional ones.
        "seafusion": f"{_LITERATURE}.convolutional:seafusion",
        "tardal": f"{_LITERATURE}.convolutional:tardal",
        "smoa": f"{_LITERATURE}.convolutional:smoa",
        "ifcnn": f"{_LITERATURE}.convolutional:ifcnn",
        "reconet": f"{_LITERATURE}.convolutional:reconet",
        # Networks of the literature: with transformers.
        "ydtr": f"{_LITERATURE}.transformers:ydtr",
        "datfuse": f"{_LITERATURE}.transformers:datfuse",
        "swinfusion": f"{_LITERATURE}.transformers:swinfusion",
        "cddfuse": f"{_LITERATURE}.transformers:cddfuse",
        "swinfuse": f"{_LITERATURE}.transformers:swinfuse",
        "defusion": f"{_LITERATURE}.transformers:defusion",
        # Networks of the literature: trained in TensorFlow.
        "sdnet": f"{_LITERATURE}.tensorflow:sdnet",
        "u2fusion": f"{_LITERATURE}.tensorflow:u2fusion",
        "pmgi": f"{_LITERATURE}.tensorflow:pmgi",
        "stdfusionnet": f"{_LITERATURE}.tensorflow:stdfusionnet",
        "fusiongan": f"{_LITERATURE}.tensorflow:fusiongan",
        "ganmcc": f"{_LITERATURE}.tensorflow:ganmcc",
        "ddcgan": f"{_LITERATURE}.tensorflow:ddcgan",
        "ddcgan-multi": f"{_LITERATURE}.tensorflow:ddcgan_multi",
        "piafusion": f"{_LITERATURE}.tensorflow:piafusion",
        # Files and programs of the user's: these go on after a colon, as in onnx:model.onnx.
        "onnx": f"{_FOREIGN}:onnx",
        "torchscript": f"{_FOREIGN}:torchscript",
        "exported": f"{_FOREIGN}:exported",
        "command": f"{__name__}.command:command",
    },
)
"""Every method by its short name, in the order in which they are listed."""


def available() -> list[str]:
    """Short names of all methods, plugins included."""
    return METHODS.names()
