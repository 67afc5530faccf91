"""Cards of networks that their authors trained in TensorFlow, and what the authors' programs do around them."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np

from ...card import Plane
from ..methods import stretched
from .entry import Run, network

Output: TypeAlias = Literal["official", "plain"]
Reading: TypeAlias = Literal["grey", "rgb"]
Affine: TypeAlias = Literal["unit", "trained"]

_ALL: Final = np.arange(256)
_LOWERED: Final = _ALL[sum(np.floor(share * 64 * _ALL + 0.5) for share in (0.299, 0.587, 0.114)) // 64 < _ALL]
"""The levels of grey that become one lower on their way through 8-bit YCbCr, as Pillow computes it."""


@network(
    "sdnet",
    title="SDNet, squeeze and decomposition",
    authors="H. Zhang, J. Ma",
    year=2021,
    doi="10.1007/s11263-021-01501-8",
    summary="An encoder for either source, and one convolution that squeezes all their features into an image. In training a "
    "second half had to take the fused image apart into its sources again. The authors' program stretches every result to "
    "0..255.",
    defaults="the authors' program's; the published images of TNO were made from files that need reading=rgb",
)
def sdnet(run: Run, ir: Plane, vis: Plane, *, output: Output = "official", reading: Reading = "grey") -> Plane:
    """Fuse by SDNet.

    Parameters
    ----------
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does by its way of saving, or leave it as it is.
    reading : {"grey", "rgb"}
        Take the levels as they are, or as the authors' program reads them from files in colour that show a grey picture: 22 of
        them are one lower then.
    """
    return _finished(run(_read(ir, reading), _read(vis, reading)), output)


@network(
    "u2fusion",
    title="U2Fusion, unified and unsupervised",
    authors="H. Xu, J. Ma, J. Jiang, X. Guo, H. Ling",
    year=2022,
    doi="10.1109/TPAMI.2020.3012548",
    summary="A densely connected encoder over both sources at once, and a decoder. Training weighed the sources by how much "
    "VGG-16 sees in them, on infrared, exposure and focus pairs, one task after the other. Which source comes first matters, "
    "and so does the way of saving, which stretches the levels.",
    defaults="those that make the published images of TNO, where the infrared source comes first",
    inside=("order",),
    joint=True,
    color="per-channel",
    presets={"script": {"order": "vis-ir", "output": "scaled"}},
)
def u2fusion(
    run: Run,
    ir: Plane,
    vis: Plane,
    *,
    order: Literal["ir-vis", "vis-ir"] = "ir-vis",
    output: Literal["official", "scaled", "plain"] = "official",
) -> Plane:
    """Fuse by U2Fusion.

    Parameters
    ----------
    order : {"ir-vis", "vis-ir"}
        Which source comes first: the infrared one, as for the published images, or the visible one, as in the authors' own
        script.
    output : {"official", "scaled", "plain"}
        Stretch the result to 0..255, as in the published images; scale it so that its largest level is 255, as in the
        authors' own script; or leave it as it is.
    """
    if vis.ndim == 2:
        fused = run(ir, vis)
    else:
        red, green, blue = np.moveaxis(vis, 2, 0)
        cb, cr = -0.1687 * red - 0.3313 * green + 0.5 * blue, 0.5 * red - 0.4187 * green - 0.0813 * blue
        y = run(ir, 0.299 * red + 0.587 * green + 0.114 * blue)
        fused = np.stack([y + 1.402 * cr, y - 0.34414 * cb - 0.71414 * cr, y + 1.772 * cb], axis=2)
    if output == "scaled":
        most = fused.max()
        return fused / (most if most > 0 else 1) * 255
    return stretched(fused) if output == "official" else fused


@network(
    "pmgi",
    title="PMGI, proportions of gradient and intensity",
    authors="H. Zhang, H. Xu, Y. Xiao, X. Guo, J. Ma",
    year=2020,
    doi="10.1609/aaai.v34i07.6975",
    summary="Two paths of convolutions, one that mostly sees the infrared source and one that mostly sees the visible one, with "
    "two exchanges between them. Training kept fixed proportions of the sources' intensities and gradients. The authors' program "
    "normalises by each image's own statistics and stretches every result to 0..255.",
    defaults="the authors' program's, which make the published images of TNO",
    inside=("affine",),
    sees_all=True,
)
def pmgi(
    run: Run, ir: Plane, vis: Plane, *, output: Output = "official", affine: Affine = "unit", reading: Reading = "grey"
) -> Plane:
    """Fuse by PMGI.

    Parameters
    ----------
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does by its way of saving, or leave it as it is.
    affine : {"unit", "trained"}
        Let nothing follow a normalisation, as in the authors' program, which does not restore it, or the scale and shift that
        were trained.
    reading : {"grey", "rgb"}
        Take the levels as they are, or as the authors' program reads them from files in colour that show a grey picture: 22 of
        them are one lower then.
    """
    return _finished(run(_read(ir, reading), _read(vis, reading)), output)


@network(
    "stdfusionnet",
    title="STDFusionNet, salient target detection",
    authors="J. Ma, L. Tang, M. Xu, H. Zhang, G. Xiao",
    year=2021,
    doi="10.1109/TIM.2021.3075747",
    summary="An encoder of residual blocks for either source, and a decoder of the same for both. In training, masks said "
    "where the fused image should resemble the infrared source. The authors' program stretches every result to 0..255.",
    defaults="the authors' program's; their images were made with the weights of 2021",
)
def stdfusionnet(run: Run, ir: Plane, vis: Plane, *, output: Output = "official", reading: Reading = "grey") -> Plane:
    """Fuse by STDFusionNet.

    Parameters
    ----------
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does by its way of saving, or leave it as it is.
    reading : {"grey", "rgb"}
        Take the levels as they are, or as the authors' program reads them from files in colour that show a grey picture: 22 of
        them are one lower then.
    """
    return _finished(run(_read(ir, reading), _read(vis, reading)), output)


@network(
    "fusiongan",
    title="FusionGAN",
    authors="J. Ma, W. Yu, P. Liang, C. Li, J. Jiang",
    year=2019,
    doi="10.1016/j.inffus.2018.09.004",
    summary="Five convolutions over both sources. They were trained to keep the intensities of the infrared source and to "
    "deceive a discriminator that knows visible images. The authors' program normalises by each image's own statistics and "
    "stretches every result to 0..255.",
    defaults="the authors' program's",
    inside=("affine",),
    sees_all=True,
)
def fusiongan(
    run: Run, ir: Plane, vis: Plane, *, output: Output = "official", affine: Affine = "unit", reading: Reading = "grey"
) -> Plane:
    """Fuse by FusionGAN.

    Parameters
    ----------
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does by its way of saving, or leave it as it is.
    affine : {"unit", "trained"}
        Let nothing follow a normalisation, as in the authors' program, which does not restore it, or the scale and shift that
        were trained.
    reading : {"grey", "rgb"}
        Take the levels as they are, or as the authors' program reads them from files in colour that show a grey picture: 22 of
        them are one lower then.
    """
    return _finished(run(_read(ir, reading), _read(vis, reading)), output)


@network(
    "ganmcc",
    title="GANMcC, multi-classification constraints",
    authors="J. Ma, H. Zhang, Z. Shao, P. Liang, H. Xu",
    year=2021,
    doi="10.1109/TIM.2020.3038013",
    summary="A path of four convolutions that mostly sees the infrared source and one that mostly sees the visible one, joined "
    "by a fifth. They were trained to deceive a discriminator that says how likely an image is of either kind. The authors' "
    "program normalises by each image's own statistics and stretches every result to 0..255.",
    defaults="the authors' program's",
    inside=("affine",),
    sees_all=True,
)
def ganmcc(
    run: Run, ir: Plane, vis: Plane, *, output: Output = "official", affine: Affine = "unit", reading: Reading = "grey"
) -> Plane:
    """Fuse by GANMcC.

    Parameters
    ----------
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does by its way of saving, or leave it as it is.
    affine : {"unit", "trained"}
        Let nothing follow a normalisation, as in the authors' program, which does not restore it, or the scale and shift that
        were trained.
    reading : {"grey", "rgb"}
        Take the levels as they are, or as the authors' program reads them from files in colour that show a grey picture: 22 of
        them are one lower then.
    """
    return _finished(run(_read(ir, reading), _read(vis, reading)), output)


@network(
    "ddcgan",
    title="DDcGAN, two discriminators",
    authors="J. Ma, H. Xu, J. Jiang, X. Mei, X.-P. Zhang",
    year=2020,
    doi="10.1109/TIP.2020.2977573",
    summary="A densely connected encoder over both sources at once, and a decoder. They were trained to deceive two "
    "discriminators, each of which knows the images of one source. The authors' program normalises by each image's own "
    "statistics and stretches every result to 0..255.",
    defaults="the authors' program's for sources of one size",
    sees_all=True,
)
def ddcgan(run: Run, ir: Plane, vis: Plane, *, output: Output = "official") -> Plane:
    """Fuse by DDcGAN.

    Parameters
    ----------
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does by its way of saving, or leave it as it is.
    """
    return _finished(run(ir, vis), output)


@network(
    "ddcgan-multi",
    title="DDcGAN, several resolutions",
    authors="J. Ma, H. Xu, J. Jiang, X. Mei, X.-P. Zhang",
    year=2020,
    doi="10.1109/TIP.2020.2977573",
    summary="The network of ddcgan behind a filter for each source, for an infrared image of a quarter of the height and width. "
    "As the sources of a pair are of one size here, the infrared one is first reduced to the means of 4 x 4 pixels. "
    "The authors' program normalises by each image's own statistics and stretches every result to 0..255.",
    defaults="the authors' program's for sources of two sizes; the reduction is ours",
    sees_all=True,
)
def ddcgan_multi(run: Run, ir: Plane, vis: Plane, *, output: Output = "official") -> Plane:
    """Fuse by DDcGAN, from an infrared image that is reduced to a quarter of its height and width first.

    Parameters
    ----------
    output : {"official", "plain"}
        Stretch the result to 0..255, as the authors' program does by its way of saving, or leave it as it is.
    """
    return _finished(run(ir, vis), output)


@network(
    "piafusion",
    title="PIAFusion, illumination-aware",
    authors="L. Tang, J. Yuan, H. Zhang, X. Jiang, J. Ma",
    year=2022,
    doi="10.1016/j.inffus.2022.03.007",
    summary="Two encoders that give each other their differences at every depth, weighed by the means of whole channels, and a "
    "decoder. A network that tells day from night weighed the sources in training. The authors' program fuses a luma of "
    "16..235 with an infrared image of 0..255, and converts as if both were the former.",
    defaults="the authors' program's, whose luma takes a little more of green than the usual one",
    sees_all=True,
    joint=True,
    color="per-channel",
)
def piafusion(run: Run, ir: Plane, vis: Plane) -> Plane:
    """Fuse by PIAFusion."""
    if vis.ndim == 2:
        return 1.164 * (run(ir, 0.919 * vis + 16) - 16)
    red, green, blue = np.moveaxis(vis, 2, 0)
    cb, cr = -0.148 * red - 0.291 * green + 0.439 * blue, 0.439 * red - 0.368 * green - 0.071 * blue
    y = 1.164 * (run(ir, 0.257 * red + 0.564 * green + 0.098 * blue + 16) - 16)
    return np.stack([y + 1.596 * cr, y - 0.392 * cb - 0.813 * cr, y + 2.017 * cb], axis=2)


def _read(plane: Plane, reading: Reading) -> Plane:
    """The levels as the authors' programs read them."""
    return plane - np.isin(plane, _LOWERED) if reading == "rgb" else plane


def _finished(fused: Plane, output: Output) -> Plane:
    """As the authors' programs save it, or as it is."""
    return stretched(fused) if output == "official" else fused
