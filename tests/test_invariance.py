"""No score depends on how an image is held in memory, on what else is scored, on the order of files or on threads."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import Layout, folders, picture
from numpy.typing import NDArray

from fusionbench import images
from fusionbench.metrics.conventions import CONVENTIONS
from fusionbench.metrics.dealt import borrow
from fusionbench.scoring import score, score_paths
from fusionbench.store import Row

METHODS = ("a", "b", "c", "colour")
NAMES = ("1", "2", "3", "10")
SIZE = (47, 61)  # no multiple of anything that a kernel works in

# Its five scales need 161 x 161 pixels, and the wavelets of one VIF 72 x 72; test_company_does_not_matter has them.
pytestmark = pytest.mark.filterwarnings("ignore:(MS-SSIM|VIF) is NaN:UserWarning")


def backwards(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(image[::-1, ::-1])[::-1, ::-1]


def every_second(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    spread = np.zeros((2 * image.shape[0], 3 * image.shape[1], *image.shape[2:]), np.uint8)
    spread[::2, ::3] = image
    return spread[::2, ::3]


def locked(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = image.copy()
    image.flags.writeable = False
    return image


SAME_VALUES: dict[str, Callable[[NDArray[np.uint8]], np.ndarray]] = {
    "as it is": lambda image: image,
    "columns first": np.asfortranarray,
    "backwards": backwards,
    "every second": every_second,
    "locked": locked,
    "16 bits": lambda image: image.astype(np.uint16) * 257,
    "16 bits, other byte order": lambda image: (image.astype(np.uint16) * 257).astype(">u2"),
    "float": lambda image: image / 255.0,
    "single float": lambda image: (image / 255.0).astype(np.float32),
    "one channel": lambda image: image[:, :, None] if image.ndim == 2 else image,
}


@given(
    st.tuples(*[st.sampled_from(sorted(SAME_VALUES))] * 3),
    st.sampled_from(sorted(CONVENTIONS)),
    st.booleans(),
    st.integers(0, 3),
)
def test_scores_do_not_depend_on_memory_layout_or_type(
    kinds: tuple[str, str, str], convention: str, colour: bool, seed: int
) -> None:
    planes = [picture(seed + k, *SIZE, colour=colour) for k in range(3)]
    held = [SAME_VALUES[kind](plane) for kind, plane in zip(kinds, planes, strict=True)]
    assert score(*held, "all", convention) == score(*planes, "all", convention)


@given(st.sampled_from(["standard", "tang", "cddfuse", "ivif-zoo"]), st.integers(0, 3))
def test_grey_stored_as_colour_is_grey(convention: str, seed: int) -> None:
    grey = [picture(seed + k, *SIZE) for k in range(3)]
    colour = [np.repeat(plane[..., None], 3, axis=2) for plane in grey]
    assert score(*colour, "all", convention) == score(*grey, "all", convention)


def measured(row: Row) -> tuple[Row, list[str]]:
    """A row of what has a value, and the order: a grey image in coloured company has empty cells for colour."""
    values = {name: value for name, value in row.values.items() if not math.isnan(value)}
    return replace(row, values=values), list(values)


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Four methods of four images, one of them in colour, one of its images missing."""
    found = folders(tmp_path_factory.mktemp("scenes"), METHODS, NAMES)
    for k, name in enumerate(NAMES):
        images.write(found.fused / "colour" / f"{name}.png", picture(50 + k, colour=True))
        images.write(found.vis / f"{name}.png", picture(90 + k, colour=True))
    (found.fused / "b" / "2.png").unlink()
    return found


@pytest.fixture(scope="module")
def alone(layout: Layout) -> dict[tuple[str, str, str], dict[str, float]]:
    """The scores of every image by itself, by convention, method and image."""
    return {
        (convention, file.parent.name, file.name): score(
            file, layout.ir / file.name, layout.vis / file.name, "all", convention
        )
        for convention in ("standard", "vifb")
        for file in layout.fused.glob("*/*.png")
    }


@given(
    st.lists(st.sampled_from(METHODS), min_size=1, unique=True),
    st.permutations(NAMES).flatmap(lambda names: st.integers(1, len(names)).map(lambda n: names[:n])),
    st.sampled_from(["standard", "vifb"]),
    st.integers(1, 5),
)
def test_scores_do_not_depend_on_company_order_or_threads(
    layout: Layout,
    alone: dict[tuple[str, str, str], dict[str, float]],
    methods: list[str],
    names: list[str],
    convention: str,
    workers: int,
) -> None:
    with TemporaryDirectory() as folder:
        fused = Path(folder)
        for method in methods:
            (fused / method).mkdir()
            # Folders list files in the order in which they were made, or in an order of their own.
            for name in names:
                source = layout.fused / method / f"{name}.png"
                if source.exists():
                    shutil.copyfile(source, fused / method / source.name)
        expected = [
            Row(method, f"{name}.png", name, alone[convention, method, f"{name}.png"])
            for method in sorted(methods)
            for name in sorted(names, key=int)
            if (convention, method, f"{name}.png") in alone
        ]
        if expected:
            found = score_paths(fused, layout.ir, layout.vis, "all", convention, workers=workers)
            assert [measured(row) for row in found.rows] == [measured(row) for row in expected]


@given(st.lists(st.sampled_from(["EN", "AG", "SF", "SD", "SCD", "VIF", "MI", "SSIM", "CC", "Qabf"]), min_size=1))
def test_scores_do_not_depend_on_which_metrics_are_asked_for(names: list[str]) -> None:
    fused, ir, vis = (picture(k, *SIZE) for k in range(3))
    everything = score(fused, ir, vis, "all")
    assert score(fused, ir, vis, names) == {name: everything[name] for name in names}


def test_memory_is_lent_to_one_at_a_time() -> None:
    first = borrow((1000,))
    view = first[::2]
    first[:] = 1
    del first
    other = borrow((1000,))
    other[:] = 2
    assert (view == 1).all()
    assert not np.shares_memory(view, other)


def test_memory_that_nobody_uses_is_lent_again() -> None:
    first = borrow((5000,))
    place = first.ctypes.data
    del first
    assert borrow((50, 100)).ctypes.data == place
    assert place % 64 == 0
