"""What the numbers of an image mean: 8 and 16 bit, grey and colour are told apart here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench.types import Image, Levels, UserError

LumaRule: TypeAlias = Literal["matlab", "bt601", "pillow"]
PlaneRule: TypeAlias = Literal["matlab", "bt601", "pillow", "per-channel"]

_Sum: TypeAlias = NDArray[np.uint32]
# The three weights of R, G and B, and what makes a level of the weighted sum. The MATLAB weights are the first row of
# the inverse of the NTSC matrix (1 .956 .621; 1 -.272 -.647; 1 -1.106 1.703) as exact fractions, so that integers give
# floor(0.298936021293775 R + 0.587043074451121 G + 0.114020904255103 B + 0.5) for every one of the 2^24 colours.
_LUMA: Final[dict[str, tuple[tuple[int, int, int], Callable[[_Sum], _Sum]]]] = {
    "matlab": ((589_399, 1_157_447, 224_810), lambda total: (total + 985_828) // 1_971_656),
    "bt601": ((299, 587, 114), lambda total: (total + 499 + (total // 1000 & 1)) // 1000),
    "pillow": ((19_595, 38_470, 7_471), lambda total: (total + 32_768) // 65_536),
}
# Pixels converted at a time: the 32-bit sums of so many stay in the processor's cache.
_BLOCK: Final = 65_536


def check(image: object, what: str) -> Image:
    """Make sure that an array from a Python user is an image.

    Parameters
    ----------
    image : object
        What the user handed over; any strides and byte order.
    what : str
        How an error calls it, e.g. ``"ir"``.

    Returns
    -------
    Image
        (H, W) or (H, W, 3), uint8, uint16 or float in [0, 1], native byte order; the same memory where possible.

    Raises
    ------
    UserError
        If it is not a numpy array, has another shape or no pixels, is bool, a wide or signed integer or complex, or
        is float with a NaN, an infinity or a value outside [0, 1].
    """
    if not isinstance(image, np.ndarray) or isinstance(image, np.ma.MaskedArray):
        raise UserError(f"{what} is a {type(image).__name__}: convert it to a plain numpy array first.")
    array: Image = np.asarray(image)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise UserError(f"{what} has shape {image.shape}: an image is (H, W) grey or (H, W, 3) RGB.")
    if array.size == 0:
        raise UserError(f"{what} has shape {image.shape}, no pixels at all: give an image of at least 1 x 1.")
    if array.dtype == np.bool_:
        raise UserError(f"{what} is bool, a mask rather than an image: convert it to uint8 levels 0 to 255.")
    if array.dtype.kind == "f":
        check_range(array, what)
    elif array.dtype.kind != "u" or array.dtype.itemsize > 2:
        raise UserError(
            f"{what} has dtype {array.dtype}: convert it to uint8 (0 to 255), uint16 (0 to 65535) or float in [0, 1]."
        )
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def to_levels(image: Image) -> NDArray[np.uint8]:
    """Quantise to 8 bits.

    Parameters
    ----------
    image : Image
        As `read` and `check` return it: (H, W) or (H, W, 3), uint8, uint16 or float in [0, 1].

    Returns
    -------
    ndarray of uint8
        Levels 0..255, same shape, C-contiguous and writable: uint8 unchanged, uint16 as ``(x + 128) // 257`` (the nearest level,
        so 257 k gives k), float as ``floor(255 x + 0.5)`` in float64.

    Raises
    ------
    UserError
        If the dtype is none of these.
    """
    if image.dtype == np.uint8:
        levels = np.ascontiguousarray(image)
        # For memory that may not be written to, every kernel would be compiled a second time.
        return levels if levels.flags.writeable else levels.copy()
    if image.dtype.kind == "u" and image.dtype.itemsize == 2:
        return ((image.astype(np.uint32) + 128) // 257).astype(np.uint8, order="C")
    if image.dtype.kind == "f":
        scaled = image.astype(np.float64) * 255.0
        scaled += 0.5
        return scaled.astype(np.uint8, order="C")
    raise UserError(f"An image of dtype {image.dtype} has no 8-bit levels: give uint8, uint16 or float in [0, 1].")


def luma(levels: NDArray[np.uint8], rule: LumaRule) -> Levels:
    """One grey plane of an 8-bit image.

    Parameters
    ----------
    levels : ndarray of uint8
        (H, W) or (H, W, 3) RGB, as `to_levels` returns it.
    rule : {"matlab", "bt601", "pillow"}
        How R, G and B become one level.

    Returns
    -------
    Levels
        (H, W), 0..255, C-contiguous. Grey input comes back itself; where R = G = B every rule gives exactly R.

    Raises
    ------
    UserError
        If there is no such rule.

    Notes
    -----
    * ``matlab``: ``floor(0.298936021293775 R + 0.587043074451121 G + 0.114020904255103 B + 0.5)``, as MATLAB's
      ``rgb2gray`` on uint8.
    * ``bt601``: ``0.299 R + 0.587 G + 0.114 B`` to the nearest level, exact ties to the even one, as ``numpy.round``.
    * ``pillow``: ``(19595 R + 38470 G + 7471 B + 32768) >> 16``, as Pillow's ``convert("L")``.

    All three are exact in integers, and differ from one another by one level at most.

    Examples
    --------
    >>> import numpy as np
    >>> colour = np.array([[[125, 233, 161]]], dtype=np.uint8)
    >>> [int(luma(colour, rule)[0, 0]) for rule in ("matlab", "bt601", "pillow")]
    [193, 192, 193]
    """
    if rule not in _LUMA:
        raise UserError(f"Unknown luma rule '{rule}': there are {', '.join(_LUMA)}.")
    if levels.ndim == 2:
        return levels
    if is_grey(levels):
        return np.ascontiguousarray(levels[:, :, 0])
    weights, rounded = _LUMA[rule]
    height, width, _ = levels.shape
    grey = np.empty((height, width), dtype=np.uint8)
    step = max(1, _BLOCK // width)
    for top in range(0, height, step):
        rows = levels[top : top + step]
        total = rows[:, :, 0].astype(np.uint32)
        total *= weights[0]
        for band in (1, 2):
            term = rows[:, :, band].astype(np.uint32)
            term *= weights[band]
            total += term
        grey[top : top + step] = rounded(total)
    return grey


def planes(levels: NDArray[np.uint8], rule: PlaneRule) -> list[Levels]:
    """The grey planes that a metric is computed on.

    Parameters
    ----------
    levels : ndarray of uint8
        (H, W) or (H, W, 3) RGB, as `to_levels` returns it.
    rule : {"matlab", "bt601", "pillow", "per-channel"}
        ``"per-channel"`` keeps R, G and B apart; the others are those of `luma`.

    Returns
    -------
    list of Levels
        Three planes for RGB and ``"per-channel"``, otherwise one; each (H, W) and C-contiguous.

    Raises
    ------
    UserError
        If there is no such rule.
    """
    if rule != "per-channel":
        return [luma(levels, rule)]
    if levels.ndim == 2:
        return [levels]
    return [np.ascontiguousarray(levels[:, :, band]) for band in range(3)]


def is_grey(levels: NDArray[np.uint8]) -> bool:
    """Whether an image (H, W) or (H, W, 3) has no colour: R = G = B everywhere."""
    if levels.ndim == 2:
        return True
    height, width, _ = levels.shape
    # Neighbours in memory are compared far faster than channel by channel.
    row = levels.reshape(height, 3 * width)
    differs = (row[:, 1:] != row[:, :-1]).any(axis=0)
    differs[2::3] = False  # from the B of one pixel to the R of the next
    return not differs.any()


def size(image: Image) -> str:
    """Width and height, as an error names them."""
    return f"{image.shape[1]} x {image.shape[0]}"


def same_size(
    what: str, image: Image, other: str, others: Image, remedy: str = "the sources of a pair must be of one size"
) -> None:
    """Make sure that two images are of one size.

    Parameters
    ----------
    what, other : str
        How an error calls them.
    image, others : Image
        The images.
    remedy : str
        How the sentence of an error ends.

    Raises
    ------
    UserError
        If they are not.
    """
    if image.shape[:2] != others.shape[:2]:
        raise UserError(f"{what} is {size(image)} pixels (width x height) but {other} is {size(others)}: {remedy}.")


def check_range(array: Image, what: str) -> None:
    """Make sure that floating-point numbers are those of an image.

    Raises
    ------
    UserError
        If there is a NaN, an infinity or a value outside [0, 1].
    """
    low, high = array.min(), array.max()
    if np.isfinite(low) and np.isfinite(high):
        if low < 0 or high > 1:
            raise UserError(
                f"{what} is floating-point with values from {low:g} to {high:g}: scale or clip it to [0, 1], or convert"
                " it to uint8."
            )
        return
    raise UserError(f"{what} contains NaN or infinity: replace those values.")
