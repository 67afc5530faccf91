"""What every registered method has to be: a new one is tested by being registered."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from layouts import picture
from vifb import FOLDERS

import fusionbench as fb
from fusionbench.baselines import METHODS
from fusionbench.recipe import REQUIRED, documented, parameters_of, recipe
from fusionbench.types import UserError

NAMES = METHODS.names()
# What opens files and programs of others promises what these promise, and is held to it by tests of its own.
OURS = [name for name in NAMES if METHODS[name].card.kind != "foreign"]
SIZES = [(32, 32), (33, 47), (35, 64)]
NOBODYS = {"average", "max", "min", "weighted"}
"""As old as the field, so that there is no paper to name."""
NOTHING = {int: (-1,), float: (float("nan"), float("inf"))}
"""Numbers that no parameter of the kind can use."""
EVERY = pytest.mark.parametrize("name", OURS)
# Networks need torch and trained weights, and are held to the same by tests of their own.
CLASSICAL = pytest.mark.parametrize("name", [name for name in OURS if ".learned." not in METHODS._entries[name]])


@pytest.fixture(scope="session")
def needs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Path]]:
    """Parameters that a method cannot do without: here a network of CNN's shape that has learned nothing."""
    rng = np.random.default_rng(5)
    shapes = {
        "weights_b1_1": (9, 64),
        "weights_b1_2": (64, 9, 128),
        "weights_b1_3": (128, 9, 256),
        "weights_output": (512, 64, 2),
        "biases_b1_1": (64,),
        "biases_b1_2": (128,),
        "biases_b1_3": (256,),
    }
    file = tmp_path_factory.mktemp("weights") / "cnn.npz"
    np.savez(file, **{name: rng.normal(0, 0.05, shape).astype(np.float32) for name, shape in shapes.items()})
    return {"cnn": {"weights": file}}


@pytest.fixture
def fuse(needs: dict[str, dict[str, Path]]) -> Callable[..., np.ndarray]:
    """`fusionbench.fuse` with what the method cannot do without."""

    def call(name: str, ir: np.ndarray, vis: np.ndarray, **words: Any) -> np.ndarray:
        return fb.fuse(name, ir, vis, **needs.get(name, {}), **words)

    return call


@pytest.fixture
def raw(needs: dict[str, dict[str, Path]]) -> Callable[..., np.ndarray]:
    """The method itself, on float64 planes of levels."""

    def call(name: str, ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
        return METHODS[name](ir.astype(np.float64), vis.astype(np.float64), **needs.get(name, {}))

    return call


# Cards


def test_there_are_enough_of_them() -> None:
    assert len(NAMES) >= 30
    assert set(FOLDERS) <= set(NAMES)
    assert fb.methods.available() == NAMES


@EVERY
def test_card_is_complete(name: str) -> None:
    card = METHODS[name].card
    assert card.name == name
    assert card.title
    assert card.defaults
    assert len(re.findall(r"[.!?](?= [A-Z]|$)", card.summary)) == 3, card.summary
    assert card.smallest <= 32
    assert bool(card.authors) == bool(card.year) == (name not in NOBODYS)
    assert card.year == 0 or 1970 <= card.year <= 2030
    assert bool(re.fullmatch(r"10\.\d{4,9}/\S+", card.doi)) == (name not in NOBODYS)


@EVERY
def test_signature_is_that_of_a_method_and_every_parameter_is_explained(name: str) -> None:
    function = METHODS[name]
    signature = inspect.signature(function)
    planes = [word for word, each in signature.parameters.items() if each.kind is not each.KEYWORD_ONLY]
    assert planes == ["ir", "vis"]
    for parameter in parameters_of(name).values():
        assert parameter.default is not REQUIRED
        assert parameter.meaning
        assert parameter.kind is not Any
    assert set(documented(inspect.getdoc(function) or "")) == set(signature.parameters)
    assert (function.__doc__ or "").count("Returns\n") == 1


@EVERY
def test_presets_are_parameters_of_the_method(name: str) -> None:
    presets = METHODS[name].card.presets
    for preset in presets:
        recipe(name, preset=preset)
    assert ("vifb" in presets) == (name in FOLDERS)
    if "vifb" in presets:
        assert recipe(name, preset="vifb").color == "per-channel"


@EVERY
def test_defaults_are_of_the_kind_that_they_say(name: str) -> None:
    recipe(name, parameters={word: each.default for word, each in parameters_of(name).items()})


# What comes out


@CLASSICAL
@pytest.mark.parametrize("size", SIZES)
def test_any_size_is_fused_to_a_finite_image_of_that_size(name: str, size: tuple[int, int], raw) -> None:
    ir, vis = picture(1, *size), picture(2, *size)
    fused = raw(name, ir, vis)
    assert fused.shape == size
    assert fused.dtype == np.float64
    assert np.isfinite(fused).all()
    # Nobody's formula makes a flat image, or another pair's, out of these two.
    assert fused.std() > 5


@CLASSICAL
def test_smaller_is_refused(name: str, fuse) -> None:
    side = METHODS[name].card.smallest - 1
    for size in ((side, 64), (64, side)):
        with pytest.raises(UserError, match=f"too small for {name}: its shorter side must have at least {side + 1}"):
            fuse(name, picture(1, *size), picture(2, *size))


@CLASSICAL
def test_numbers_that_mean_nothing_are_refused_by_name(name: str, fuse) -> None:
    ir, vis = picture(1, 32, 32), picture(2, 32, 32)
    for word, parameter in parameters_of(name).items():
        kinds = get_args(parameter.kind) or (parameter.kind,)
        wrong = [number for kind, numbers in NOTHING.items() if kind in kinds for number in numbers]
        for number in wrong:
            with pytest.raises(UserError, match=word.partition("_")[0]):
                fuse(name, ir, vis, **{word: number})


@CLASSICAL
def test_image_fused_with_itself_stays_what_it_is(name: str, raw, fuse) -> None:
    identity = METHODS[name].card.identity
    if identity is None:
        pytest.skip("promises nothing of the kind")
    for image in (picture(3, 33, 47), np.full((32, 34), 77, np.uint8)):
        assert np.abs(raw(name, image, image) - image).max() <= identity
        if identity < 0.5:
            np.testing.assert_array_equal(fuse(name, image, image), image)


@CLASSICAL
@pytest.mark.parametrize("levels", [(0, 0), (255, 255), (0, 255), (255, 0), (90, 120)])
def test_constant_images_have_a_result(name: str, levels: tuple[int, int], fuse) -> None:
    ir, vis = (np.full((33, 40), level, np.uint8) for level in levels)
    assert fuse(name, ir, vis).shape == (33, 40)
    # One of them constant, the other not.
    assert fuse(name, ir, picture(2, 33, 40)).std() >= 0
    assert fuse(name, picture(1, 33, 40), vis).std() >= 0


@CLASSICAL
def test_same_images_give_the_same_result_also_in_threads(name: str, fuse) -> None:
    pairs = [(picture(k, 33, 47), picture(k + 1, 33, 47, colour=True)) for k in (1, 3)]
    alone = [fuse(name, *pair, color="per-channel") for pair in pairs]
    assert not np.array_equal(*alone)
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda pair: fuse(name, *pair, color="per-channel"), pairs * 2))
    for k, fused in enumerate(together):
        np.testing.assert_array_equal(fused, alone[k % 2])


@CLASSICAL
def test_memory_layout_does_not_matter_and_nothing_is_written_to(name: str, raw, fuse) -> None:
    ir, vis = picture(1, 33, 47), picture(2, 33, 47, colour=True)
    wide = np.zeros((66, 94, 3), np.uint8)
    wide[::2, ::-2] = vis
    expected = fuse(name, ir, vis)
    np.testing.assert_array_equal(fuse(name, np.asfortranarray(ir), wide[::2, ::-2]), expected)
    planes = ir.astype(np.float64), vis[:, :, 0].astype(np.float64)
    raw(name, *planes)
    np.testing.assert_array_equal(planes[0], ir)
    np.testing.assert_array_equal(planes[1], vis[:, :, 0])
    for plane in planes:
        plane.flags.writeable = False
    raw(name, *planes)


@CLASSICAL
def test_luma_mode_leaves_the_chroma_alone(name: str, fuse) -> None:
    ir, vis = picture(1, 33, 47), picture(2, 33, 47, colour=True) / 255
    fused = fuse(name, ir, vis)
    inside = ((fused > 0) & (fused < 1)).all(axis=2)
    assert inside.any()
    # R, G and B change by one amount, so that no difference of two of them does.
    change = (fused - vis)[inside]
    np.testing.assert_allclose(change, np.repeat(change[:, :1], 3, axis=1), atol=1e-12)


@CLASSICAL
@pytest.mark.parametrize("color", ["luma", "per-channel", "grey"])
def test_shape_dtype_and_range_are_kept(name: str, color: Any, fuse) -> None:
    ir, vis = picture(1, 32, 45), picture(2, 32, 45, colour=True)
    shape = (32, 45) if color == "grey" else (32, 45, 3)
    levels = fuse(name, ir, vis, color=color)
    assert (levels.shape, levels.dtype) == (shape, np.uint8)
    real = fuse(name, ir, (vis / 255).astype(np.float32), color=color)
    assert (real.shape, real.dtype) == (shape, np.float32)
    assert real.min() >= 0
    assert real.max() <= 1
    deep = fuse(name, ir, vis * np.uint16(257), color=color)
    assert (deep.shape, deep.dtype) == (shape, np.uint16)


@CLASSICAL
def test_sixteen_bits_mean_the_same(name: str, fuse) -> None:
    ir, vis = picture(1, 32, 45), picture(2, 32, 45)
    deep = fuse(name, ir * np.uint16(257), vis * np.uint16(257))
    # The planes are equal, so the results differ by rounding alone.
    assert np.abs(deep / 257 - fuse(name, ir, vis)).max() <= 0.5 + 1e-9


@CLASSICAL
def test_channels_are_fused_as_if_alone(name: str, fuse) -> None:
    ir, vis = picture(1, 33, 47), picture(2, 33, 47, colour=True)
    if METHODS[name].card.joint:
        same = fuse(name, ir, np.repeat(vis[:, :, :1], 3, axis=2), color="per-channel")
        np.testing.assert_array_equal(same, np.repeat(same[:, :, :1], 3, axis=2))
        return
    fused = fuse(name, ir, vis, color="per-channel")
    for band in range(3):
        np.testing.assert_array_equal(fused[:, :, band], fuse(name, ir.copy(), vis[:, :, band]))
