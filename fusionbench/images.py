"""Read and write images: what the numbers in a file mean is decided here, and what those of an image mean in `pixels`.

Pillow only decodes. Palette, alpha and depth are looked after below, so that a score never depends on a conversion that a
library makes on its own; a file whose numbers would have to be guessed is refused.
"""

from __future__ import annotations

import hashlib
import io
import threading
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from fusionbench.files import whole
from fusionbench.pixels import check, check_range
from fusionbench.types import Image, UserError

if TYPE_CHECKING:
    import PIL.Image

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
"""Suffixes of the files that `read` and `write` know, in lower case."""

_FORMATS: Final = dict(zip(SUFFIXES, ("PNG", "JPEG", "JPEG", "BMP", "TIFF", "TIFF"), strict=True))
_MAGIC: Final = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"BM": "BMP", b"II": "TIFF", b"MM": "TIFF"}
# A PNG of noise takes a third of the time at level 2 that it takes at 6, and a tenth more room.
_SAVE: Final[dict[str, dict[str, Any]]] = {"JPEG": {"quality": 95, "subsampling": 0}, "PNG": {"compress_level": 2}}

# The keyword of the text chunk of a PNG that holds a note.
_NOTE: Final = "fusionbench"

# Pillow turns a TIFF as its orientation tag says but leaves every other format as stored; these turn it back.
_TURN_BACK: Final = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_90",
    7: "TRANSVERSE",
    8: "ROTATE_270",
}

# Pixels copied at a time: so many stay in the processor's cache.
_BLOCK: Final = 65_536


def read(path: Path) -> Image:
    """Decode one PNG, JPEG, BMP or TIFF file, whatever its suffix says.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Image
        (H, W) grey or (H, W, 3) RGB, C-contiguous, writable, native byte order: uint8 in 0..255, uint16 in 0..65535,
        or float32 in [0, 1] from a floating-point TIFF. The stored numbers, unchanged: a palette is looked up (giving
        grey if every colour in use is grey), an alpha channel that is opaque everywhere is dropped.

    Raises
    ------
    UserError
        If the file is missing, a folder, unreadable, empty, not an image, truncated or damaged, has several frames or
        an impossible size; if it is a 1-bit mask or has transparency; if it is colour at 16 bits a channel, which
        Pillow would reduce to 8 in silence; or if its colours are not stored as grey, RGB or a palette.

    Notes
    -----
    The EXIF orientation is ignored, as papers' scripts do: the array is what is stored, not what a viewer shows. So
    are gamma and colour profiles.
    """
    with _open(path) as file:
        return _decoded(file, path)


def read_hashed(path: Path) -> tuple[Image, str]:
    """What `read` returns and, of the same bytes, the SHA-256.

    Raises
    ------
    UserError
        As `read`.
    """
    data = contents(path)
    return decode(data, path), hashlib.sha256(data).hexdigest()


def contents(path: Path) -> bytes:
    """The bytes of a file.

    Raises
    ------
    UserError
        If it is missing, a folder or unreadable.
    """
    with _open(path) as file:
        try:
            return file.read()
        except OSError as error:
            raise UserError(
                f"'{path}' cannot be read ({error.strerror or error}): copy or download it again."
            ) from error


def decode(data: bytes, path: Path) -> Image:
    """What `read` returns of a file with this content; `path` is how an error calls it."""
    return _decoded(io.BytesIO(data), path)


def note_in(data: bytes) -> str:
    """What `write` was told to note in the file; empty if it is no PNG, or nothing was noted."""
    import PIL.Image

    try:
        with _quiet_pillow, PIL.Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            return str(image.info.get(_NOTE, ""))
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError):  # not even the beginning of an image
        return ""


def _decoded(file: BinaryIO, path: Path) -> Image:
    with _quiet_pillow:
        header = file.read(26)
        if not header:
            raise UserError(f"'{path}' is empty: copy or download it again.")
        file.seek(0)
        return _pixels(_decode(file, path, header), path, header)


def write(path: Path, image: Image, *, note: str = "", durable: bool = True) -> None:
    """Write an image whole or not at all.

    Parameters
    ----------
    path : Path
        Where to; the suffix chooses PNG, JPEG (quality 95, full colour resolution), BMP or TIFF. An existing file is
        replaced.
    image : Image
        uint8 (H, W) or (H, W, 3) RGB; or uint16 (H, W), for PNG and TIFF.
    note : str
        A word that a PNG carries beside its pixels, see `note_in`.
    durable : bool
        As for `fusionbench.files.whole`.

    Raises
    ------
    UserError
        If the suffix or the depth cannot be written, the image is none, or the place cannot be written to.
    """
    image = check(image, f"The image for '{path}'")
    suffix = path.suffix.lower()
    if suffix not in _FORMATS:
        raise UserError(f"'{path}' has no suffix that can be written: choose one of {', '.join(SUFFIXES)}.")
    if image.dtype.kind == "f":
        raise UserError(f"The image for '{path}' is floating-point: quantise it to uint8 or uint16 first.")
    if image.dtype == np.uint16 and (image.ndim == 3 or _FORMATS[suffix] not in ("PNG", "TIFF")):
        raise UserError(f"'{path}' cannot hold 16 bits: write grey 16-bit as .png or .tif, and colour as uint8.")
    import PIL.Image
    from PIL.PngImagePlugin import PngInfo

    more: dict[str, Any] = {}
    if note and _FORMATS[suffix] == "PNG":
        more["pnginfo"] = PngInfo()
        more["pnginfo"].add_text(_NOTE, note)

    def fill(file: BinaryIO) -> None:
        try:
            PIL.Image.fromarray(image).save(file, _FORMATS[suffix], **_SAVE.get(_FORMATS[suffix], {}), **more)
        except ValueError as error:  # the image is too large for the format
            raise OSError(str(error)) from error

    whole(path, fill, durable=durable)


def _open(path: Path) -> BinaryIO:
    try:
        if path.is_dir():
            raise UserError(f"'{path}' is a folder: give an image file in it.")
        return path.open("rb")
    except FileNotFoundError as error:
        raise UserError(f"'{path}' does not exist: check the spelling of its name.") from error
    except PermissionError as error:
        raise UserError(f"'{path}' may not be read: change its permissions.") from error
    except OSError as error:
        raise UserError(f"'{path}' cannot be opened ({error.strerror or error}): check the path.") from error


class _QuietPillow:
    """Silences Pillow's warnings while any thread reads.

    The filters belong to the whole process: threads that saved and restored them one by one would restore one
    another's, so the first to enter saves and the last to leave restores.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._saved = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._readers == 0:
                self._saved.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._readers += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._readers -= 1
            if self._readers == 0:
                self._saved.close()


_quiet_pillow = _QuietPillow()


def _decode(file: BinaryIO, path: Path, header: bytes) -> PIL.Image.Image:
    """The decoded file in Pillow's own mode, not turned; refuses by header what Pillow would change in silence."""
    import PIL.Image
    from PIL.TiffImagePlugin import TiffImageFile

    try:
        image: PIL.Image.Image = PIL.Image.open(file, formats=("PNG", "JPEG", "BMP", "TIFF"))
        if getattr(image, "n_frames", 1) > 1:
            raise UserError(f"'{path}' holds several images or frames: save the one you mean as a file of its own.")
        if _png_depth(header) == 16 and header[25] != 0:
            raise _deep_colour(path)
        orientation = 1
        if isinstance(image, TiffImageFile):
            _check_tiff(image, path)
            orientation = image.tag_v2.get(274, 1)
        image.load()
        if orientation in _TURN_BACK:
            image = image.transpose(PIL.Image.Transpose[_TURN_BACK[orientation]])
        return image
    except (UserError, MemoryError):
        raise
    except PIL.Image.DecompressionBombError as error:
        raise UserError(f"'{path}' claims more pixels than any image here has: crop it or make it smaller.") from error
    except PIL.UnidentifiedImageError as error:
        for magic, kind in _MAGIC.items():
            if header.startswith(magic):
                raise UserError(
                    f"'{path}' begins like a {kind} file but is truncated, damaged or of an unusual kind: copy it again"
                    " or save it as 8-bit PNG."
                ) from error
        raise UserError(f"'{path}' is not an image: give a PNG, JPEG, BMP or TIFF file.") from error
    except Exception as error:  # damaged files make a decoder raise anything
        if "truncated" in str(error).lower():
            raise UserError(f"'{path}' is truncated: copy or download it again.") from error
        raise UserError(
            f"'{path}' is damaged or of an unusual kind ({error}): copy it again or save it as 8-bit PNG."
        ) from error


def _png_depth(header: bytes) -> int:
    return header[24] if header.startswith(b"\x89PNG") else 0


def _deep_colour(path: Path) -> UserError:
    return UserError(
        f"'{path}' has 16 bits a channel and more than one channel, which would be reduced to 8 in silence: save it as"
        " 8-bit RGB or as 16-bit grey."
    )


def _check_tiff(image: Any, path: Path) -> None:
    """Refuse what Pillow decodes to numbers that mean something else than those stored."""
    tags = image.tag_v2
    bands = len(image.getbands())
    bits = tags.get(258, (1,))
    photometric = tags.get(262)
    if photometric == 6:
        raise UserError(f"'{path}' is stored as YCbCr in a TIFF: save it as RGB.")
    if bands > 1 and max(bits) > 8:
        raise _deep_colour(path)
    if tags.get(277, bands) != bands:
        raise UserError(f"'{path}' has extra channels without a meaning: save it as grey or RGB.")
    if image.mode == "L" and 2 in tags.get(339, (1,)):
        raise UserError(f"'{path}' holds signed numbers: save it as unsigned 8 or 16 bit.")
    if 12 in bits:
        raise UserError(f"'{path}' has 12 bits a pixel: scale it to 16 or 8 bits.")
    if photometric == 0 and max(bits) > 8:
        raise UserError(f"'{path}' is stored with 0 as white: save it with 0 as black.")


def _pixels(image: PIL.Image.Image, path: Path, header: bytes) -> Image:
    """The decoded image as an array of its own, as `read` promises it."""
    mode = image.mode
    if mode in ("P", "PA"):
        return _look_up(image, path)
    if "transparency" in image.info:
        raise _transparent(path)
    if mode in ("L", "RGB"):
        return _array(image)
    if mode.startswith("I;16") or (mode == "I" and _png_depth(header) == 16):
        return _array(image).astype(np.uint16, copy=False)
    if mode in ("LA", "RGBA"):
        if image.getchannel("A").getextrema()[0] != 255:
            raise _transparent(path)
        return _array(image.getchannel("L") if mode == "LA" else image.convert("RGB"))
    if mode == "F":
        array = _array(image)
        check_range(array, f"'{path}'")
        return array
    if mode == "1":
        raise UserError(f"'{path}' has one bit a pixel, a mask rather than an image: save it as 8-bit grey.")
    raise UserError(f"'{path}' stores its pixels as {mode}: save it as 8-bit RGB, or as grey of 8 or 16 bits.")


def _array(image: PIL.Image.Image) -> NDArray[Any]:
    """The pixels as a writable array.

    What numpy takes from Pillow at once is read-only, for which a kernel would be compiled a second time. Joining
    strips makes it writable without yet another temporary as large as the image.
    """
    width, height = image.size
    step = max(1, _BLOCK // width)
    return np.concatenate(
        [np.asarray(image.crop((0, top, width, min(top + step, height)))) for top in range(0, height, step)]
    )


def _look_up(image: PIL.Image.Image, path: Path) -> Image:
    """Replace palette indices by their colours: (H, W) if all in use are grey, otherwise (H, W, 3)."""
    palette = np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    opacity = np.full(256, 255, dtype=np.uint8)
    transparency = image.info.get("transparency", b"")
    if isinstance(transparency, int):
        opacity[transparency] = 0
    else:
        opacity[: len(transparency)] = list(transparency[:256])  # more is damage that does no harm
    indices = _array(image)
    if image.mode == "PA":
        if (indices[:, :, 1] != 255).any():
            raise _transparent(path)
        indices = indices[:, :, 0]
    used = np.flatnonzero(np.bincount(indices.ravel(), minlength=256))
    if (opacity[used] != 255).any():
        raise _transparent(path)
    if used[-1] >= len(palette):
        raise UserError(f"'{path}' is damaged (colours missing from its palette): copy or download it again.")
    colours = palette[used]
    grey = bool((colours == colours[:, :1]).all())
    return np.take(palette[:, 0] if grey else palette, indices, axis=0)


def _transparent(path: Path) -> UserError:
    return UserError(f"'{path}' has transparent pixels: flatten it onto a background first.")
