"""Files in, arrays out, and back: nothing is converted in silence, and every refusal says what it is about."""

from __future__ import annotations

import errno
import os
import re
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import PIL.Image
import pytest
from PIL import PngImagePlugin

from fusionbench.images import SUFFIXES, note_in, read, write
from fusionbench.types import UserError

COLOURS = np.random.default_rng(0).integers(0, 256, (64, 61, 3), dtype=np.uint8)
GREY = COLOURS[:, :, 0].copy()

# Files made by hand, so that what Pillow writes is not the judge of what Pillow reads.


def png(
    width: int, height: int, depth: int, colour: int, rows: bytes, *, before: Sequence[tuple[bytes, bytes]] = ()
) -> bytes:
    """A PNG of rows that already start with their filter byte; `before` are chunks between IHDR and IDAT."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)),
        *before,
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def png_of(array: np.ndarray, depth: int, colour: int, **chunks: Any) -> bytes:
    height, width = array.shape[:2]
    big = array.astype(">u2") if depth == 16 else array.astype(np.uint8)
    return png(width, height, depth, colour, b"".join(b"\0" + row.tobytes() for row in big), **chunks)


def tiff(width: int, height: int, data: bytes, order: str = "<", /, **tags: Sequence[int]) -> bytes:
    """An uncompressed TIFF of one strip; tags by the names below, all SHORT."""
    numbers = {
        "bits": 258,
        "photometric": 262,
        "samples": 277,
        "planar": 284,
        "palette": 320,
        "extra": 338,
        "kind": 339,
    }
    entries = {256: [width], 257: [height], 259: [1], 278: [height], **{numbers[k]: v for k, v in tags.items()}}
    start = 8 + 2 + 12 * (len(entries) + 2) + 4
    extra = b""
    body = struct.pack(order + "H", len(entries) + 2)
    long = {273: 0, 279: len(data)}
    for number in sorted([*entries, *long]):
        if number in long:
            body += struct.pack(order + "HHI", number, 4, 1) + (
                b"STRI" if number == 273 else struct.pack(order + "I", len(data))
            )
            continue
        values = struct.pack(f"{order}{len(entries[number])}H", *entries[number])
        body += struct.pack(order + "HHI", number, 3, len(entries[number]))
        if len(values) <= 4:
            body += values.ljust(4, b"\0")
        else:
            body += struct.pack(order + "I", start + len(extra))
            extra += values
    body = body.replace(b"STRI", struct.pack(order + "I", start + len(extra)))
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return head + body + struct.pack(order + "I", 0) + extra + data


def test_importing_stays_light() -> None:
    code = "import sys, fusionbench.images; sys.exit('PIL' in sys.modules or 'numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


class TestRead:
    @staticmethod
    def file(folder: Path, data: bytes, name: str = "a.png") -> Path:
        path = folder / name
        path.write_bytes(data)
        return path

    @staticmethod
    def refuse(path: Path, words: str) -> None:
        with pytest.raises(UserError) as error:
            read(path)
        sentence = str(error.value)
        assert re.search(words, sentence), sentence
        assert f"'{path}'" in sentence
        assert sentence.endswith(".")
        assert "\n" not in sentence

    @pytest.mark.parametrize("array", [GREY, COLOURS], ids=["grey", "colour"])
    @pytest.mark.parametrize(
        ("suffix", "options"),
        [
            ("png", {}),
            ("bmp", {}),
            ("tif", {}),
            ("tiff", {"compression": "tiff_lzw"}),
            ("TIF", {"compression": "tiff_adobe_deflate"}),
        ],
    )
    def test_lossless_formats_give_what_is_stored(
        self, tmp_path: Path, array: np.ndarray, suffix: str, options: dict[str, str]
    ) -> None:
        path = tmp_path / f"a.{suffix}"
        PIL.Image.fromarray(array).save(path, **options)
        image = read(path)
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, array)

    @pytest.mark.parametrize("array", [GREY, COLOURS], ids=["grey", "colour"])
    def test_jpeg_is_what_its_decoder_says(self, tmp_path: Path, array: np.ndarray) -> None:
        path = tmp_path / "a.jpg"
        PIL.Image.fromarray(array).save(path)
        np.testing.assert_array_equal(read(path), np.asarray(PIL.Image.open(path)))

    def test_content_decides_not_the_suffix(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jpg"
        PIL.Image.fromarray(GREY).save(path, "PNG")
        np.testing.assert_array_equal(read(path), GREY)

    def test_result_may_be_written_to_and_is_contiguous(self, tmp_path: Path) -> None:
        for data in (png_of(GREY, 8, 0), png_of(COLOURS, 8, 2), png_of(GREY, 16, 0)):
            image = read(self.file(tmp_path, data))
            assert image.flags.writeable
            assert image.flags.c_contiguous

    # Depths

    def test_sixteen_bit_grey(self, tmp_path: Path) -> None:
        array = np.array([[0, 1, 255, 256], [257, 32768, 65534, 65535]], dtype=np.uint16)
        files = [
            png_of(array, 16, 0),
            tiff(4, 2, array.astype("<u2").tobytes(), bits=[16], photometric=[1]),
            tiff(4, 2, array.astype(">u2").tobytes(), ">", bits=[16], photometric=[1]),
        ]
        for data in files:
            image = read(self.file(tmp_path, data))
            assert image.dtype == np.uint16
            assert image.dtype.isnative
            np.testing.assert_array_equal(image, array)

    def test_sixteen_bit_png_that_pillow_opens_as_32_bit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(PngImagePlugin._MODES, (16, 0), ("I", "I;16B"))
        array = np.array([[0, 40000, 65535]], dtype=np.uint16)
        image = read(self.file(tmp_path, png_of(array, 16, 0)))
        assert image.dtype == np.uint16
        np.testing.assert_array_equal(image, array)

    def test_shallow_grey_is_spread_over_all_levels(self, tmp_path: Path) -> None:
        two = read(self.file(tmp_path, png(4, 1, 2, 0, b"\0" + bytes([0b00011011]))))
        np.testing.assert_array_equal(two, [[0, 85, 170, 255]])
        four = png(16, 1, 4, 0, b"\0" + bytes(range(0x01, 0x100, 0x22)))
        np.testing.assert_array_equal(read(self.file(tmp_path, four)), [np.arange(16) * 17])
        four = tiff(4, 1, bytes([0x07, 0x8F]), bits=[4], photometric=[1])
        np.testing.assert_array_equal(read(self.file(tmp_path, four)), [[0, 119, 136, 255]])

    @pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
    def test_sixteen_bit_png_of_several_channels_is_refused(self, tmp_path: Path, colour: int, channels: int) -> None:
        array = np.full((2, 3, channels), 65535, dtype=np.uint16)
        self.refuse(self.file(tmp_path, png_of(array, 16, colour)), "16 bits a channel.*in silence")

    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("planar", [1, 2])
    def test_sixteen_bit_colour_tiff_is_refused(self, tmp_path: Path, order: str, planar: int) -> None:
        data = tiff(2, 1, bytes(12), order, bits=[16, 16, 16], photometric=[2], samples=[3], planar=[planar])
        self.refuse(self.file(tmp_path, data), "16 bits a channel.*in silence")

    @pytest.mark.parametrize(
        ("words", "size", "tags"),
        [
            ("as I:", 4, {"bits": [32], "photometric": [1], "kind": [2]}),
            ("as I:", 2, {"bits": [16], "photometric": [1], "kind": [2]}),
            ("signed", 1, {"bits": [8], "photometric": [1], "kind": [2]}),
            ("12 bits", 2, {"bits": [12], "photometric": [1]}),
            ("0 as white", 2, {"bits": [16], "photometric": [0]}),
            ("extra channels", 2, {"bits": [8, 8], "photometric": [1], "samples": [2], "extra": [0]}),
            ("extra channels", 4, {"bits": [8] * 4, "photometric": [2], "samples": [4], "extra": [0]}),
            ("YCbCr", 3, {"bits": [8, 8, 8], "photometric": [6], "samples": [3]}),
            ("LAB", 3, {"bits": [8, 8, 8], "photometric": [8], "samples": [3]}),
            ("CMYK", 4, {"bits": [8] * 4, "photometric": [5], "samples": [4]}),
            ("unusual kind", 8, {"bits": [64], "photometric": [1], "kind": [3]}),
        ],
    )
    def test_tiff_whose_numbers_would_be_guessed_is_refused(
        self, tmp_path: Path, words: str, size: int, tags: dict[str, list[int]]
    ) -> None:
        self.refuse(self.file(tmp_path, tiff(2, 2, bytes(4 * size), **tags)), words)

    def test_white_is_zero_is_turned_around(self, tmp_path: Path) -> None:
        data = tiff(3, 1, bytes([0, 5, 255]), bits=[8], photometric=[0])
        np.testing.assert_array_equal(read(self.file(tmp_path, data)), [[255, 250, 0]])

    def test_float_tiff(self, tmp_path: Path) -> None:
        array = np.array([[0.0, 0.25], [0.5, 1.0]], dtype=np.float32)
        path = tmp_path / "a.tif"
        PIL.Image.fromarray(array).save(path)
        image = read(path)
        assert image.dtype == np.float32
        np.testing.assert_array_equal(image, array)

    @pytest.mark.parametrize(
        ("value", "words"), [(255.0, "from 0 to 255"), (-0.5, "from -0.5 to 0"), (np.nan, "NaN"), (np.inf, "infinity")]
    )
    def test_float_tiff_out_of_range(self, tmp_path: Path, value: float, words: str) -> None:
        path = tmp_path / "a.tif"
        PIL.Image.fromarray(np.array([[0.0, value]], dtype=np.float32)).save(path)
        self.refuse(path, words)

    # Palettes and transparency

    def palette(self, folder: Path, colours: Sequence[Sequence[int]], indices: bytes, **alpha: bytes) -> Path:
        chunks = [(b"PLTE", bytes(value for colour in colours for value in colour))]
        chunks += [(b"tRNS", alpha["alpha"])] if alpha else []
        return self.file(folder, png(len(indices), 1, 8, 3, b"\0" + indices, before=chunks))

    def test_colour_palette_is_looked_up(self, tmp_path: Path) -> None:
        path = self.palette(tmp_path, [(1, 2, 3), (200, 100, 0), (7, 7, 7)], bytes([1, 0, 2]))
        np.testing.assert_array_equal(read(path), [[[200, 100, 0], [1, 2, 3], [7, 7, 7]]])

    def test_palette_with_only_grey_in_use_is_grey(self, tmp_path: Path) -> None:
        path = self.palette(tmp_path, [(9, 9, 9), (200, 100, 0), (7, 7, 7)], bytes([0, 2, 2]))
        np.testing.assert_array_equal(read(path), [[9, 7, 7]])

    def test_shallow_palette(self, tmp_path: Path) -> None:
        for depth, packed in ((1, 0b01000000), (2, 0b00010000), (4, 0b00000001)):
            data = png(2, 1, depth, 3, bytes([0, packed]), before=[(b"PLTE", bytes([10, 10, 10, 20, 30, 40]))])
            np.testing.assert_array_equal(read(self.file(tmp_path, data)), [[[10, 10, 10], [20, 30, 40]]])

    def test_palette_of_bmp_and_tiff(self, tmp_path: Path) -> None:
        stored = PIL.Image.fromarray(COLOURS).quantize(16)
        for suffix in ("bmp", "tif"):
            stored.save(tmp_path / f"a.{suffix}")
            np.testing.assert_array_equal(read(tmp_path / f"a.{suffix}"), np.asarray(stored.convert("RGB")))

    def test_palette_with_transparency_not_in_use(self, tmp_path: Path) -> None:
        for alpha in (b"\xff\x00", b"\xff\x40", b"\xff\xff", b"\xff" * 300):
            path = self.palette(tmp_path, [(9, 9, 9), (200, 100, 0)], bytes([0, 0]), alpha=alpha)
            np.testing.assert_array_equal(read(path), [[9, 9]])

    @pytest.mark.parametrize("alpha", [b"\x00", b"\xff\x80"])
    def test_palette_with_transparency_in_use(self, tmp_path: Path, alpha: bytes) -> None:
        path = self.palette(tmp_path, [(9, 9, 9), (200, 100, 0)], bytes([0, 1]), alpha=alpha)
        self.refuse(path, "transparent")

    def test_a_file_that_claims_too_many_pixels_has_no_note(self) -> None:
        assert note_in(png(60_000, 60_000, 8, 0, b"")) == ""

    def test_palette_without_the_colour(self, tmp_path: Path) -> None:
        self.refuse(self.palette(tmp_path, [(9, 9, 9)], bytes([0, 5])), "damaged.*palette")

    @pytest.mark.parametrize(("colour", "channels"), [(4, 1), (6, 3)])
    def test_opaque_alpha_changes_nothing(self, tmp_path: Path, colour: int, channels: int) -> None:
        image = COLOURS[:, :, :channels]
        opaque = np.dstack([image, np.full_like(GREY, 255)])
        read_back = read(self.file(tmp_path, png_of(opaque, 8, colour)))
        np.testing.assert_array_equal(read_back, np.squeeze(image))
        opaque[3, 4, -1] = 254
        self.refuse(self.file(tmp_path, png_of(opaque, 8, colour)), "transparent.*flatten")

    @pytest.mark.parametrize(("alpha", "opaque"), [(255, True), (3, False)])
    def test_palette_with_alpha(self, tmp_path: Path, alpha: int, opaque: bool) -> None:
        data = bytes([1, alpha, 0, 255])
        path = self.file(
            tmp_path,
            tiff(
                2,
                1,
                data,
                bits=[8, 8],
                photometric=[3],
                samples=[2],
                extra=[2],
                palette=([257, 257 * 9] + [0] * 254) * 3,
            ),
        )
        if opaque:
            np.testing.assert_array_equal(read(path), [[9, 1]])
        else:
            self.refuse(path, "transparent")

    @pytest.mark.parametrize(("colour", "key"), [(0, b"\0\x07"), (2, b"\0\x07\0\x07\0\x07")])
    def test_transparent_colour(self, tmp_path: Path, colour: int, key: bytes) -> None:
        array = GREY if colour == 0 else COLOURS
        self.refuse(self.file(tmp_path, png_of(array, 8, colour, before=[(b"tRNS", key)])), "transparent")

    # Other modes and frames

    def test_mask_is_refused(self, tmp_path: Path) -> None:
        self.refuse(self.file(tmp_path, png(8, 1, 1, 0, b"\0\x55")), "one bit a pixel.*mask.*8-bit grey")
        path = tmp_path / "a.bmp"
        PIL.Image.new("1", (8, 8)).save(path)
        self.refuse(path, "one bit a pixel")

    def test_cmyk_jpeg_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jpg"
        PIL.Image.new("CMYK", (8, 8)).save(path)
        self.refuse(path, "CMYK.*RGB")

    @pytest.mark.parametrize("suffix", ["tif", "png"])
    def test_several_frames_are_refused(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"a.{suffix}"
        frames = [PIL.Image.fromarray(GREY), PIL.Image.fromarray(GREY[::-1].copy())]
        frames[0].save(path, save_all=True, append_images=frames[1:])
        self.refuse(path, "several images or frames")

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
    def test_orientation_is_ignored(self, tmp_path: Path, suffix: str, orientation: int) -> None:
        path, plain = tmp_path / f"a.{suffix}", tmp_path / f"plain.{suffix}"
        exif = PIL.Image.Exif()
        exif[274] = orientation
        PIL.Image.fromarray(COLOURS).save(plain)
        PIL.Image.fromarray(COLOURS).save(path, exif=exif)
        with PIL.Image.open(path) as stored:
            assert stored.getexif().get(274) == orientation
        np.testing.assert_array_equal(read(path), read(plain))

    # Not an image

    def test_missing(self, tmp_path: Path) -> None:
        self.refuse(tmp_path / "a.png", "does not exist")

    def test_folder(self, tmp_path: Path) -> None:
        self.refuse(tmp_path, "is a folder")

    def test_forbidden(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = self.file(tmp_path, png_of(GREY, 8, 0))

        def forbid(*_: object) -> IO[bytes]:  # file modes do not stop root, under whom tests may run
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(Path, "open", forbid)
        self.refuse(path, "may not be read.*permissions")

    def test_path_through_a_file(self, tmp_path: Path) -> None:
        self.refuse(self.file(tmp_path, b"x") / "b.png", "cannot be opened")

    def test_empty(self, tmp_path: Path) -> None:
        self.refuse(self.file(tmp_path, b""), "is empty")

    @pytest.mark.parametrize("data", [b"Not an image at all, only words.", b"GIF89a" + bytes(40), bytes(100)])
    def test_not_an_image(self, tmp_path: Path, data: bytes) -> None:
        self.refuse(self.file(tmp_path, data), "is not an image")

    @pytest.mark.parametrize(("width", "height"), [(0, 4), (4, 0)])
    def test_no_pixels(self, tmp_path: Path, width: int, height: int) -> None:
        self.refuse(self.file(tmp_path, png(width, height, 8, 0, bytes(height))), "begins like a PNG file but is")

    @pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif"])
    def test_truncated(self, tmp_path: Path, suffix: str) -> None:
        whole = tmp_path / f"whole.{suffix}"
        PIL.Image.fromarray(COLOURS).save(whole)
        data = whole.read_bytes()
        for kept in range(1, len(data) - 20, len(data) // 40):
            with pytest.raises(UserError):
                read(self.file(tmp_path, data[:kept]))
        self.refuse(self.file(tmp_path, data[: len(data) // 2]), "is truncated")
        self.refuse(self.file(tmp_path, data[:12]), "truncated")

    def test_damaged(self, tmp_path: Path) -> None:
        data = bytearray(png_of(COLOURS, 8, 2))
        data[100:140] = bytes(40)
        self.refuse(self.file(tmp_path, bytes(data)), "damaged")

    # Warnings are the user's business only when they can act on them

    def test_metadata_that_pillow_warns_about(self, tmp_path: Path) -> None:
        data = tiff(2, 1, b"\x01\x02", bits=[8], photometric=[1], kind=[1])
        # One more entry than a single-valued tag may have makes Pillow warn.
        data = data.replace(struct.pack("<HHIHH", 259, 3, 1, 1, 0), struct.pack("<HHIHH", 259, 3, 2, 1, 1))
        path = self.file(tmp_path, data)
        with pytest.warns(UserWarning, match="too many entries"):
            PIL.Image.open(path).close()
        np.testing.assert_array_equal(read(path), [[1, 2]])

    def test_large_image_reads_without_a_warning(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = self.file(tmp_path, png_of(GREY, 8, 0))
        monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", GREY.size - 1)
        np.testing.assert_array_equal(read(path), GREY)
        monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", GREY.size // 3)
        self.refuse(path, "more pixels than")

    def test_filters_are_restored_after_reading_in_threads(self, tmp_path: Path) -> None:
        path = self.file(tmp_path, png_of(COLOURS, 8, 2))
        before = list(warnings.filters)
        threads = [threading.Thread(target=lambda: [read(path) for _ in range(20)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert list(warnings.filters) == before
        with pytest.raises(UserError):
            read(tmp_path / "missing.png")
        with pytest.raises(UserError):
            read(self.file(tmp_path, b"words"))
        assert list(warnings.filters) == before


class TestWrite:
    @pytest.mark.parametrize("array", [GREY, COLOURS, COLOURS[::-1, ::2]], ids=["grey", "colour", "strided"])
    @pytest.mark.parametrize("suffix", [*SUFFIXES, ".PNG"])
    def test_eight_bits_come_back(self, tmp_path: Path, suffix: str, array: np.ndarray) -> None:
        smooth = np.sort(np.sort(array, axis=0), axis=1)  # something that JPEG can keep
        path = tmp_path / f"a{suffix}"
        write(path, smooth)
        image = read(path)
        assert image.shape == smooth.shape
        tolerance = 12 if suffix in (".jpg", ".jpeg") else 0
        assert np.abs(image.astype(int) - smooth).max() <= tolerance
        assert os.listdir(tmp_path) == [path.name]

    @pytest.mark.parametrize("suffix", [".png", ".tif"])
    @pytest.mark.parametrize("order", ["<", ">"])
    def test_sixteen_bits_come_back(self, tmp_path: Path, suffix: str, order: str) -> None:
        array = (np.arange(600).reshape(20, 30) * 109).astype(order + "u2")
        write(tmp_path / f"a{suffix}", array)
        image = read(tmp_path / f"a{suffix}")
        assert image.dtype == np.uint16
        np.testing.assert_array_equal(image, array)

    def test_same_image_same_bytes(self, tmp_path: Path) -> None:
        write(tmp_path / "a.png", COLOURS)
        write(tmp_path / "b.png", np.asfortranarray(COLOURS))
        assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()

    def test_permissions_are_those_of_any_new_file(self, tmp_path: Path) -> None:
        write(tmp_path / "a.png", GREY)
        (tmp_path / "b").touch()
        assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "b").stat().st_mode

    @pytest.mark.parametrize(
        ("name", "image", "words"),
        [
            ("a.gif", GREY, "no suffix that can be written: choose one of .png"),
            ("a", GREY, "no suffix"),
            ("a.png", GREY / 255, "floating-point"),
            ("a.png", GREY.astype(int), "dtype int64"),
            ("a.jpg", GREY.astype(np.uint16), "cannot hold 16 bits"),
            ("a.bmp", GREY.astype(np.uint16), "cannot hold 16 bits"),
            ("a.png", COLOURS.astype(np.uint16), "cannot hold 16 bits"),
            ("missing/a.png", GREY, "folder does not exist"),
            ("taken.png", GREY, "cannot be written"),
            ("file/a.png", GREY, "cannot be written .*: choose another place"),
            ("a.jpg", np.zeros((1, 70_000), np.uint8), "cannot be written .*: choose another place"),
        ],
    )
    def test_refuses(self, tmp_path: Path, name: str, image: np.ndarray, words: str) -> None:
        (tmp_path / "taken.png").mkdir()
        (tmp_path / "file").touch()
        with pytest.raises(UserError, match=words) as error:
            write(tmp_path / name, image)
        assert name in str(error.value)
        assert sorted(os.listdir(tmp_path)) == ["file", "taken.png"]

    def test_failure_leaves_the_old_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path / "a.png", GREY)

        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match="No space left on device"):
            write(tmp_path / "a.png", COLOURS)
        np.testing.assert_array_equal(read(tmp_path / "a.png"), GREY)
        assert os.listdir(tmp_path) == ["a.png"]
