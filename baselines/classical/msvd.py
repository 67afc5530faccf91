"""Multi-resolution singular value decomposition (MSVD).

The blocks of 2 x 2 pixels of each source are turned into the axes of their own singular vectors, which act like a
wavelet's four bands, fitted to the image. The first band is averaged, of the other three the larger value is taken, and
the mean of the two sets of axes leads back. That mean is no rotation: the more the axes of the sources differ, the more
contrast is lost. With one level of 2 x 2 blocks only texture of two pixels is chosen; all else is the average of the
sources, and edges are jagged where the choice changes from block to block.

V. P. S. Naidu, Defence Science Journal, 2011.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..card import Plane, method
from .memory import kept_for


@method(
    "msvd",
    title="Multi-resolution singular value decomposition",
    authors="V. P. S. Naidu",
    year=2011,
    doi="10.14429/dsj.61.705",
    summary="The singular vectors of its 2 x 2 blocks part each source into four bands of half its size. The first band "
    "is averaged, in the others the larger absolute value wins. The mean of the two sets of singular vectors leads back.",
    defaults="the paper's; the arbitrary signs of the singular vectors are chosen alike in both sources (aligned)",
    presets={"vifb": {"aligned": False}},
    identity=1e-6,
)
def multiresolution_svd_fusion(ir: Plane, vis: Plane, *, aligned: bool = True, flip: Sequence[int] = ()) -> Plane:
    """Fuse in the bands of a multi-resolution singular value decomposition, one level deep.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), on the scale 0..255. Odd sides are made even by repeating the last row or column.
    aligned : bool
        Choose the signs of the visible image's singular vectors so that each is within 90 degrees of the infrared
        one's. Otherwise they are as LAPACK's gesvd leaves them, as in the author's code; vectors of opposite sign then
        cancel in the mean, and their band is lost.
    flip : sequence of int
        Bands, 0 to 3, whose singular vector of the visible image is turned around: builds of LAPACK differ in these
        signs. Needed only to imitate images that another build has made.

    Returns
    -------
    ndarray
        The fused image, (H, W), on the scale 0..255, not rounded. Of equal absolute values the infrared one wins.
    """
    axes_ir, bands_ir = _decompose(ir, aligned)
    axes_vis, bands_vis = _decompose(vis, aligned)
    signs = np.where((axes_ir * axes_vis).sum(axis=0) < 0.0, -1.0, 1.0) if aligned else np.ones(4)
    signs[list(flip)] *= -1.0
    axes_vis, bands_vis = axes_vis * signs, bands_vis * signs[:, np.newaxis]

    bands = np.where(np.abs(bands_ir) >= np.abs(bands_vis), bands_ir, bands_vis)
    bands[0] = 0.5 * (bands_ir[0] + bands_vis[0])
    return _from_blocks(0.5 * (axes_ir + axes_vis) @ bands, ir.shape)


@kept_for
def _decompose(image: Plane, aligned: bool) -> tuple[Plane, Plane]:
    """The singular vectors of the blocks of a source, (4, 4), and its four bands, (4, N), on the scale 0..1."""
    blocks = _blocks(image / 255.0)
    axes = _principal_axes(blocks) if aligned else _signed_axes(blocks)
    return axes, axes.T @ blocks


def _principal_axes(blocks: Plane) -> Plane:
    """Left singular vectors as columns, the longest component first, from the 4 x 4 matrix of products."""
    # einsum: a matrix product may use every core, and then depend on their number.
    _, axes = np.linalg.eigh(np.einsum("ik,jk->ij", blocks, blocks))
    return np.asarray(axes[:, ::-1])


def _signed_axes(blocks: Plane) -> Plane:
    """The same, with the signs of gesvd of the transposed matrix: they depend on the order of the blocks."""
    from scipy.linalg import svd

    _, _, transposed_axes = svd(blocks.T, full_matrices=False, lapack_driver="gesvd")
    return np.asarray(transposed_axes.T)


def _blocks(image: Plane) -> Plane:
    """The 2 x 2 blocks as columns (top left, bottom left, top right, bottom right), from the top of the leftmost down."""
    rows, columns = image.shape
    even = np.pad(image, ((0, rows % 2), (0, columns % 2)), mode="edge")
    quarters = (even[0::2, 0::2], even[1::2, 0::2], even[0::2, 1::2], even[1::2, 1::2])
    return np.stack([quarter.T.ravel() for quarter in quarters])


def _from_blocks(blocks: Plane, shape: tuple[int, ...]) -> Plane:
    """The image, on the scale 0..255, of blocks on the scale 0..1."""
    rows, columns = (shape[0] + 1) // 2, (shape[1] + 1) // 2
    image = np.empty((2 * rows, 2 * columns))
    quarters = blocks.reshape(4, columns, rows).transpose(0, 2, 1)
    image[0::2, 0::2], image[1::2, 0::2], image[0::2, 1::2], image[1::2, 1::2] = quarters
    return 255.0 * image[: shape[0], : shape[1]]
