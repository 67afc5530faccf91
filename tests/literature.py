"""The networks of the literature: what their authors' programs computed, and how closely it can be met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import formula
import numpy as np

# Sums of float32 in another order than the authors' differ by about this much, on the scale of the output.
FLOAT32 = 1e-4
# The same where an output by formula takes but a fortieth of the scale.
FAINT = FLOAT32 / 40


@dataclass(frozen=True)
class Case:
    """One output of an authors' program.

    Attributes
    ----------
    method : str
        Ours.
    reference : str
        The file below reference/networks, without suffix; or, where it is `golden`, below tests/golden/networks.
    output : str
        The array in it: what the network returned.
    inputs : tuple of str
        The arrays in it that are the infrared and the visible image.
    weights : str
        The file or folder below weights/others; empty for weights by formula.
    gain : float
        Of the formula, for those; see `formula.weights`.
    options : mapping of str to object
        Of the method.
    scale, offset : float or ndarray
        What makes of the output a plane on the scale 0..255, as our `Inference` returns it.
    image : str
        The array that is the final image, in whole levels; empty if there is none.
    tolerance : float
        Largest difference of the outputs, relative to the range of the output in 0..255.
    off : float
        Largest share of samples of the final image that are off by one; none is off by more.
    why : str
        Why more than `FLOAT32`, or more than 0.05 % of samples.
    golden : bool
        Whether the reference comes with the tests.
    enlarged : int
        How many times the infrared image is to be enlarged, each pixel to so many to a side, to be as large as the visible one.
    rules : mapping of str to callable
        For weights by formula: what a key that ends so is filled by instead of the usual rule, from its name and shape.
    """

    method: str
    reference: str
    output: str
    inputs: tuple[str, str] = ("img_ir", "img_vis")
    weights: str = ""
    gain: float = 1.2
    options: Mapping[str, Any] = field(default_factory=dict)
    scale: float | np.ndarray = 255.0
    offset: float | np.ndarray = 0.0
    image: str = ""
    tolerance: float = FLOAT32
    off: float = 5e-4
    why: str = ""
    golden: bool = False
    enlarged: int = 1
    rules: Mapping[str, Callable[[str, tuple[int, ...]], np.ndarray]] = field(default_factory=dict)


ZHAO = {"_Sum": {}, "_Average": {"strategy": "mean"}, "_l1_norm": {"strategy": "l1"}}
LRRNET = "lrrnet/final_lrr_net_lam2_1.5_wir_3.0_lam3_gram_2000_epoch_4_block_4.model"
# IFCNN's output before it is made levels: in units of the deviations of ImageNet from its means.
MEAN = 255 * np.array([0.485, 0.456, 0.406]).reshape(3, 1, 1)
DEVIATION = 255 * np.array([0.229, 0.224, 0.225]).reshape(3, 1, 1)
SWIN = {"relative_position_bias_table": lambda name, shape: formula.fill(name, shape, 0.5)}
# Those of CDDFuse are filled by the names that they have within each of its four modules.
CDDFUSE = {
    "": lambda name, shape: formula.weights({name.partition(".")[2]: shape}, 0.6)[name.partition(".")[2]],
    "attn.temperature": lambda name, shape: 1 + formula.fill(name.partition(".")[2], shape, 0.2),
    "attn.scale": lambda name, shape: 1 + formula.fill(name.partition(".")[2], shape, 0.2),
}
U2FUSION_SCRIPT = {"order": "vis-ir", "output": "scaled"}

CASES = [
    *(
        Case(
            "seafusion",
            "torch/seafusion_reference",
            f"{name}_y_float",
            (f"{name}_ir", f"{name}_vis"),
            "seafusion/SeAFusion.pth",
            image=f"{name}_u8",
        )
        for name in ("img", "tno", "rgb")
    ),
    # Convolutional networks.
    *(
        Case(
            "tardal",
            "torch/tardal_reference",
            f"{name}_tardal{variant}_float",
            (f"{name}_ir", f"{name}_vis"),
            f"tardal/tardal{file}.pt",
            options=options,
            image=f"{name}_tardal{variant}_u8",
        )
        for name in ("img", "tno", "rgb")
        for variant, file, options in (
            ("", "", {"statistics": "running"}),
            ("_trainbn", "", {}),
            ("p", "+", {}),
            ("p_trainbn", "+", {"statistics": "image"}),
            ("pp", "++", {}),
            ("pp_trainbn", "++", {"statistics": "image"}),
        )
        if name != "rgb" or not variant.endswith("_trainbn")
    ),
    *(
        Case(
            method,
            f"torch/{method}_reference",
            f"{name}_float",
            (f"{name}_ir", f"{name}_vis"),
            weights,
            scale=scale,
            image=f"{name}_u8",
        )
        for method, weights, scale in (
            ("smoa", "smoa", 1.0),
            ("reconet", "reconet/params.pth", 255.0),
            ("ydtr", "ydtr/model_10.pth", 255.0),
            ("datfuse", "datfuse/model_10.pth", 255.0),
        )
        for name in ("img", "tno")
    ),
    *(
        Case(
            "ifcnn",
            "torch/ifcnn_reference",
            f"{name}_{rule}{variant}_float",
            sources,
            f"ifcnn/IFCNN-{rule}.pth",
            options={"strategy": {"SUM": "add"}.get(rule, rule.lower()), **options},
            scale=scale,
            offset=offset,
            image=f"{name}_{rule}{variant}_u8",
        )
        for variant, options, scale, offset in (
            ("_imagenet", {}, DEVIATION, MEAN),
            ("", {"normalisation": "none"}, 255.0, 0.0),
        )
        for name, rules, sources in (
            ("img", ("MAX", "SUM", "MEAN"), ("img_ir", "img_vis")),
            ("tno", ("MAX", "SUM", "MEAN"), ("tno_ir", "tno_vis")),
            ("rgb", ("MAX",) if variant else (), ("rgb_a", "rgb_b")),
        )
        for rule in rules
    ),
    # Auto-encoders and unrolled algorithms.
    *(
        Case(
            method,
            f"torch/{method}_reference",
            f"{name}{rule}_float",
            (f"{name}_ir", f"{name}_vis"),
            weights,
            options=options,
            scale=scale,
            image=f"{name}{rule}_u8",
        )
        for method, weights, scale, rules in (
            ("densefuse", "densefuse/densefuse_gray.model", 1.0, {"_add": {}, "_l1": {"strategy": "l1"}}),
            ("didfuse", "didfuse", 255.0, ZHAO),
            ("auif", "auif", 255.0, ZHAO),
            ("lrrnet", LRRNET, 255.0, {"": {}}),
            ("mfeif", "mfeif/default.pth", 255.0, {"": {}}),
        )
        for name in ("img", "tno")
        for rule, options in rules.items()
    ),
    Case(
        "densefuse-rgb",
        "torch/densefuse_reference",
        "rgb_add_float",
        ("rgb_ir", "rgb_vis"),
        "densefuse/densefuse_rgb.model",
        scale=1.0,
        image="rgb_add_u8",
    ),
    *(
        Case(
            method,
            f"tf/{file}_tf_reference",
            f"fused_{rule}_{size}",
            (f"ir_{size}", f"vis_{size}"),
            weights,
            options=options,
            scale=scale,
            image=f"u8_{rule}_{size}",
        )
        for method, file, rule, weights, options, scale in (
            ("densefuse-tf", "densefuse", "add", "tf_densefuse_tf.npz", {}, 0.5),
            ("densefuse-tf", "densefuse", "l1", "tf_densefuse_tf.npz", {"strategy": "l1"}, 1.0),
            ("deepfuse", "deepfuse", "e4", "deepfuse_tf_epoch4_all_weights.npz", {}, 0.5),
            ("deepfuse", "deepfuse", "e2", "tf_deepfuse_tf.npz", {}, 0.5),
        )
        for size in ("small", "tno")
    ),
    *(
        Case(
            "rfn-nest",
            "rfn_nest",
            f"{name}_{rule}_float",
            (f"{name}_ir", f"{name}_vis"),
            options={"strategy": strategy},
            scale=1.0,
            tolerance=FAINT,
            image=f"{name}_{rule}_u8",
            golden=True,
        )
        for name, rule, strategy in (
            ("even", "rfn", "rfn"),
            ("odd", "rfn", "rfn"),
            ("tiles", "rfn", "rfn"),
            ("even", "add", "add"),
            ("odd", "avg", "mean"),
            ("even", "max", "max"),
            ("odd", "spa", "spatial"),
            ("even", "nuclear", "nuclear"),
            ("odd", "nuclear", "nuclear"),
        )
    ),
    *(
        Case(
            "nestfuse",
            "rfn_nest",
            f"nestfuse_{name}_attention_{rule}_float",
            (f"{name}_ir", f"{name}_vis"),
            options={"strategy": strategy},
            scale=1.0,
            tolerance=FAINT,
            golden=True,
        )
        for name, rule, strategy in (
            ("even", "avg", "attention-mean"),
            ("odd", "avg", "attention-mean"),
            ("odd", "max", "attention-max"),
            ("even", "nuclear", "attention-nuclear"),
        )
    ),
    # Trained in TensorFlow; those without a file have weights by formula, because the authors' are not to be had.
    *(
        Case(
            method,
            f"tf/{method}_reference" if weights else method,
            f"fused{variant}_{size}",
            (f"ir_{size}", f"vis_{size}"),
            weights,
            options=options,
            scale=scale,
            offset=255 - scale,
            image=image and f"{image}_{size}",
            golden=not weights,
        )
        for size in ("small", "tno")
        for method, variant, weights, options, scale, image in (
            ("sdnet", "", "tf_sdnet_irvis.npz", {}, 127.5, "u8"),
            ("u2fusion", "_irfirst", "tf_u2fusion.npz", {}, 255.0, "u8_irfirst_minmax"),
            ("u2fusion", "_visfirst", "tf_u2fusion.npz", U2FUSION_SCRIPT, 255.0, "u8_visfirst_cmin0"),
            ("pmgi", "", "tf_pmgi_irvis.npz", {}, 127.5, "u8"),
            ("pmgi", "_ckptbn", "tf_pmgi_irvis.npz", {"affine": "trained"}, 127.5, ""),
            ("stdfusionnet", "_2021", "stdfusionnet_2021_weights.npz", {}, 127.5, "u8_2021"),
            ("stdfusionnet", "_2022", "tf_stdfusionnet.npz", {}, 127.5, "u8_2022"),
            ("fusiongan", "", "", {}, 127.5, "u8"),
            ("fusiongan", "_bnparams", "", {"affine": "trained"}, 127.5, ""),
            ("ganmcc", "", "", {}, 127.5, "u8"),
            ("ganmcc", "_bnparams", "", {"affine": "trained"}, 127.5, ""),
            ("ddcgan", "_same", "", {}, 255.0, "u8_same"),
        )
        if weights or size == "small"
    ),
    Case(
        "ddcgan-multi",
        "ddcgan",
        "fused_multi_small",
        ("ir_quarter", "vis_small"),
        golden=True,
        enlarged=4,
        image="u8_multi_small",
        rules={
            "deconv_ir.weight": lambda name, shape: formula.fill(name, shape, 0.4) + np.float32(0.2),
            "deconv_vis.weight": lambda name, shape: formula.fill(name, shape, 0.4) + np.float32(0.2),
        },
    ),
    Case("piafusion", "piafusion", "fused_y_small", ("ir_small", "vis_rgb_small"), image="rgb_u8_small", golden=True),
    Case("piafusion", "piafusion", "fused_y_grey", ("ir_small", "vis_small"), golden=True),
    # Transformers; the authors' weights are not to be had.
    *(
        Case(
            method,
            method,
            f"{name}_{output}",
            (f"{name}_ir", f"{name}_vis"),
            gain=gain,
            options=options,
            scale=scale,
            image=image and f"{name}_{image}",
            golden=True,
            rules=rules,
        )
        for method, names, output, gain, options, scale, image, rules in (
            ("swinfusion", ("even", "odd", "full120"), "float", 0.8, {}, 255.0, "u8", SWIN),
            ("swinfuse", ("tiles",), "float", 0.8, {}, 1.0, "u8", SWIN),
            ("cddfuse", ("even", "odd"), "sigmoid_float", 0.6, {}, 255.0, "u8", CDDFUSE),
            ("cddfuse", ("even", "odd"), "decoder_none_float", 0.6, {"residual": "none"}, 255.0, "", CDDFUSE),
            ("defusion", ("even", "odd"), "fusion", 1.2, {}, 255.0, "u8", {}),
        )
        for name in names
    ),
]


@dataclass(frozen=True)
class Published:
    """Images that were published: those of one method, and how far ours may be from them.

    Attributes
    ----------
    method, folder, weights, options
        Ours; below data/fused, below weights/others; of the method.
    dataset : str
        Folder of the sources below data.
    worst : int
        Levels that a sample may be off.
    off : float
        Share of samples that may be off at all.
    why : str
        Why it is not nothing.
    most : int
        How many of the images are compared; networks are slow.
    names : tuple of str
        Which of them, without suffix; by default the first.
    """

    method: str
    folder: str
    weights: str
    options: Mapping[str, Any] = field(default_factory=dict)
    dataset: str = "tno"
    worst: int = 1
    off: float = 1e-3
    why: str = ""
    most: int = 2
    names: tuple[str, ...] = ()


PUBLISHED = [
    Published("seafusion", "tno/SeAFusion", "seafusion/SeAFusion.pth"),
    Published("ifcnn", "tno/IFCNN", "ifcnn/IFCNN-MAX.pth"),
    Published("densefuse-tf", "tno/DenseFuse", "tf_densefuse_tf.npz", names=("05", "08")),
    Published("didfuse", "tno/DIDFuse", "didfuse", names=("08", "37")),
    Published("auif", "tno/AUIF", "auif", names=("08", "37")),
    Published("sdnet", "tno/SDNet", "tf_sdnet_irvis.npz", {"reading": "rgb"}),
    Published("u2fusion", "tno/U2Fusion", "tf_u2fusion.npz", names=("08",)),
    # What was in colour when the authors read it, and what was not, is different for every image of these.
    Published("pmgi", "tno/PMGI", "tf_pmgi_irvis.npz", names=("08", "25")),
    Published("pmgi", "tno/PMGI", "tf_pmgi_irvis.npz", {"reading": "rgb"}, names=("12",)),
]

PARAMETERS = {
    "seafusion": 166_883,
    "tardal": 296_577,
    "smoa": 174_667,
    "ifcnn": 83_587,
    "reconet": 7_527,
    "ydtr": 217_770,
    "datfuse": 10_760,
    "densefuse": 74_193,
    "densefuse-rgb": 74_771,
    "densefuse-tf": 74_193,
    "deepfuse": 18_817,
    "didfuse": 260_935,
    "auif": 11_631,
    "lrrnet": 49_204,
    "rfn-nest": 2_732_761 + 4_791_488,
    "nestfuse": 2_732_761,
    "mfeif": 371_140,
    "sdnet": 67_091,
    "u2fusion": 659_217,
    "pmgi": 42_017,
    "stdfusionnet": 282_513,
    "fusiongan": 925_633,
    "ganmcc": 1_864_129,
    "ddcgan": 1_097_665,
    "ddcgan-multi": 1_097_683,
    "piafusion": 1_076_785,
    "swinfusion": 973_681,
    "cddfuse": 1_188_272,
    "swinfuse": 2_021_276,
    "defusion": 7_874_473,
}
"""As published, or counted in the authors' files."""


def filled(shapes: Mapping[str, tuple[int, ...]], case: Case) -> dict[str, np.ndarray]:
    """Weights by formula for a network without public ones."""
    entries = formula.weights(shapes, case.gain)
    for name, shape in shapes.items():
        for ending, rule in case.rules.items():
            if name.endswith(ending):
                entries[name] = rule(name, tuple(shape))
    return entries
