"""Arrays in, levels out: nothing is converted in silence, and every refusal says what it is about."""

from __future__ import annotations

from typing import get_args

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fusionbench.pixels import LumaRule, check, luma, planes, to_levels
from fusionbench.types import UserError

RULES: tuple[LumaRule, ...] = get_args(LumaRule)
COLOURS = np.random.default_rng(0).integers(0, 256, (64, 61, 3), dtype=np.uint8)
GREY = COLOURS[:, :, 0].copy()


class TestCheck:
    @pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (1, 1), (3, 4, 3)])
    @pytest.mark.parametrize("dtype", ["u1", "u2", ">u2", "f2", "f4", "f8", ">f4", ">f8"])
    def test_accepts(self, shape: tuple[int, ...], dtype: str) -> None:
        array = np.ones(shape, dtype=dtype)
        image = check(array, "vis")
        assert image.dtype.isnative
        np.testing.assert_array_equal(image, array)

    def test_copies_nothing(self) -> None:
        assert np.shares_memory(check(COLOURS[::2, ::-3], "vis"), COLOURS)

    def test_single_channel_is_squeezed(self) -> None:
        np.testing.assert_array_equal(check(GREY[:, :, None], "ir"), GREY)

    @pytest.mark.parametrize(
        ("image", "words"),
        [
            ([[1, 2]], "list"),
            (None, "NoneType"),
            ("a.png", "str"),
            (PIL.Image.new("P", (2, 2)), "Image"),
            (np.ma.masked_equal(GREY, 0), "MaskedArray"),
            (np.zeros((3, 4, 4), np.uint8), r"shape \(3, 4, 4\)"),
            (np.zeros((4, 4, 2), np.uint8), r"shape \(4, 4, 2\)"),
            (np.zeros(4, np.uint8), "shape"),
            (np.zeros((1, 4, 4, 3), np.uint8), "shape"),
            (np.zeros((0, 4), np.uint8), "no pixels"),
            (np.zeros((4, 0, 3), np.uint8), "no pixels"),
            (np.zeros((4, 4), bool), "mask.*uint8"),
            (np.zeros((4, 4), np.int64), "int64: convert it to uint8"),
            (np.zeros((4, 4), np.int8), "int8"),
            (np.zeros((4, 4), np.uint32), "uint32"),
            (np.zeros((4, 4), complex), "complex"),
            (np.zeros((4, 4), object), "object"),
            (np.array([[0.0, 255.0]]), "from 0 to 255"),
            (np.array([[-1.0, 1.0]], np.float32), "from -1 to 1"),
            (np.array([[0.0, np.nan]]), "NaN"),
            (np.array([[0.0, -np.inf]]), "NaN or infinity"),
            (np.array([[0.5, 1.0000002]], np.float32), "from 0.5 to 1"),
        ],
    )
    def test_refuses(self, image: object, words: str) -> None:
        with pytest.raises(UserError, match=words) as error:
            check(image, "ir")
        assert str(error.value).startswith("ir ")


LEVELS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))


class TestToLevels:
    @given(LEVELS)
    def test_equal_values_give_equal_levels_in_every_dtype(self, levels: np.ndarray) -> None:
        scaled = levels.astype(np.uint16) * 257
        forms = [levels, scaled, scaled.astype(">u2")]
        forms += [(levels / 255).astype(kind) for kind in ("f4", "f8", ">f8")]
        for form in forms:
            np.testing.assert_array_equal(to_levels(form), levels)

    @given(LEVELS, st.sampled_from(["u1", "u2", "f4", "f8"]))
    def test_layout_does_not_matter(self, levels: np.ndarray, kind: str) -> None:
        form = levels if kind == "u1" else levels.astype(kind) * 257 if kind == "u2" else (levels / 255).astype(kind)
        spread = np.zeros((2 * form.shape[0], 3 * form.shape[1]), dtype=kind)[::2, ::3]
        spread[...] = form
        for layout in (np.asfortranarray(form), spread, form[::-1, ::-1].copy()[::-1, ::-1]):
            result = to_levels(layout)
            np.testing.assert_array_equal(result, levels)
            assert result.flags.c_contiguous
            assert result.dtype == np.uint8

    def test_sixteen_bits_round_to_the_nearest_level(self) -> None:
        all_values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
        nearest = np.abs(all_values[..., None].astype(int) - 257 * np.arange(256)).argmin(axis=-1)
        np.testing.assert_array_equal(to_levels(all_values), nearest)

    @given(st.floats(0, 1))
    def test_float(self, value: float) -> None:
        assert to_levels(np.array([[value]]))[0, 0] == int(np.floor(255 * value + 0.5))

    def test_half_precision_is_quantised_in_full_precision(self) -> None:
        halves = np.linspace(0, 1, 999, dtype=np.float16)[None]
        np.testing.assert_array_equal(to_levels(halves), to_levels(halves.astype(np.float64)))

    def test_levels_are_not_copied(self) -> None:
        assert to_levels(GREY) is GREY

    def test_kernels_need_not_be_compiled_for_memory_that_may_not_be_written_to(self) -> None:
        fixed = GREY.copy()
        fixed.flags.writeable = False
        levels = to_levels(fixed)
        assert levels.flags.writeable
        np.testing.assert_array_equal(levels, GREY)

    def test_other_dtypes_are_refused(self) -> None:
        with pytest.raises(UserError, match="int64"):
            to_levels(np.zeros((2, 2), np.int64))


def scalar_luma(pixel: np.ndarray, rule: LumaRule) -> int:
    r, g, b = (int(value) for value in pixel)
    if rule == "matlab":
        return int(0.298936021293775 * r + 0.587043074451121 * g + 0.114020904255103 * b + 0.5)
    if rule == "bt601":
        return round((299 * r + 587 * g + 114 * b) / 1000)
    return (19595 * r + 38470 * g + 7471 * b + 32768) // 65536


class TestLuma:
    @pytest.mark.parametrize("rule", RULES)
    def test_against_the_formula(self, rule: LumaRule) -> None:
        expected = [[scalar_luma(pixel, rule) for pixel in row] for row in COLOURS]
        np.testing.assert_array_equal(luma(COLOURS, rule), expected)

    def test_bt601_rounds_ties_to_even(self) -> None:
        red, green, blue = (np.arange(256) for _ in range(3))
        total = 299 * red[:, None, None] + 587 * green[:, None] + 114 * blue
        ties = np.argwhere(total % 1000 == 500).astype(np.uint8)[None]
        grey = luma(ties, "bt601")
        assert ties.size > 0
        assert (grey % 2 == 0).all()

    def test_matlab_in_integers_is_the_formula_in_float64(self) -> None:
        level = np.arange(256, dtype=np.float64)
        for red in range(0, 256, 15):
            colours = np.empty((256, 256, 3), dtype=np.uint8)
            colours[:, :, 0], colours[:, :, 1], colours[:, :, 2] = red, level[:, None], level
            formula = 0.298936021293775 * red + 0.587043074451121 * level[:, None] + 0.114020904255103 * level
            np.testing.assert_array_equal(luma(colours, "matlab"), np.floor(formula + 0.5))

    def test_pillow_is_pillow(self) -> None:
        np.testing.assert_array_equal(luma(COLOURS, "pillow"), np.asarray(PIL.Image.fromarray(COLOURS).convert("L")))

    @pytest.mark.parametrize("rule", RULES)
    def test_grey_stored_as_colour_gives_exactly_the_grey(self, rule: LumaRule) -> None:
        levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
        grey = np.dstack([levels] * 3)
        np.testing.assert_array_equal(luma(grey, rule), levels)
        assert luma(grey, rule).flags.c_contiguous
        # One coloured pixel sends the whole image through the weighted sum, which must agree.
        grey = np.concatenate([grey, np.full((1, 16, 3), (1, 2, 3), dtype=np.uint8)])
        np.testing.assert_array_equal(luma(grey, rule)[:-1], levels)

    @given(hnp.arrays(np.uint8, (3, 4, 3), elements=st.sampled_from([0, 1, 255])))
    def test_a_single_coloured_pixel_is_noticed(self, colours: np.ndarray) -> None:
        expected = [[scalar_luma(pixel, "matlab") for pixel in row] for row in colours]
        np.testing.assert_array_equal(luma(colours, "matlab"), expected)

    def test_rules_differ_by_one_level_at_most(self) -> None:
        results = [luma(COLOURS, rule).astype(int) for rule in RULES]
        spread = np.max(results, axis=0) - np.min(results, axis=0)
        assert spread.max() == 1

    @pytest.mark.parametrize("rule", RULES)
    def test_images_of_many_blocks(self, rule: LumaRule) -> None:
        tall = np.tile(COLOURS, (40, 1, 1))
        wide = np.tile(COLOURS[:2], (1, 1500, 1))
        np.testing.assert_array_equal(luma(tall, rule), np.tile(luma(COLOURS, rule), (40, 1)))
        np.testing.assert_array_equal(luma(wide, rule), np.tile(luma(COLOURS, rule)[:2], (1, 1500)))

    @pytest.mark.parametrize("rule", RULES)
    def test_layout_does_not_matter(self, rule: LumaRule) -> None:
        grey = luma(COLOURS, rule)
        assert grey.flags.c_contiguous
        np.testing.assert_array_equal(luma(np.asfortranarray(COLOURS), rule), grey)
        np.testing.assert_array_equal(luma(COLOURS[::-1], rule), grey[::-1])
        np.testing.assert_array_equal(luma(COLOURS[:, ::2], rule), grey[:, ::2])

    def test_grey_is_returned_itself(self) -> None:
        assert luma(GREY, "matlab") is GREY

    def test_unknown_rule(self) -> None:
        with pytest.raises(UserError, match=r"'bt709'.*matlab, bt601, pillow"):
            luma(GREY, "bt709")  # type: ignore[arg-type]

    def test_planes(self) -> None:
        channels = planes(COLOURS, "per-channel")
        assert len(channels) == 3
        for band, plane in enumerate(channels):
            np.testing.assert_array_equal(plane, COLOURS[:, :, band])
            assert plane.flags.c_contiguous
        assert planes(GREY, "per-channel") == [GREY]
        for rule in RULES:
            (plane,) = planes(COLOURS, rule)
            np.testing.assert_array_equal(plane, luma(COLOURS, rule))
        with pytest.raises(UserError, match="bt709"):
            planes(COLOURS, "bt709")  # type: ignore[arg-type]
