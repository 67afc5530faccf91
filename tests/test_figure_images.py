"""Grids and maps: the right scenes, boxes where methods differ, enlargements that hide no box, levels as they are."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusionbench import images
from fusionbench.figures import grid, metric_map, page, scenes, zoom
from fusionbench.figures.scenes import Scene
from fusionbench.figures.zoom import Box
from fusionbench.metrics import METRICS
from fusionbench.metrics.gradient import average_gradient_map
from fusionbench.metrics.qabf import gradient_transfer_map
from fusionbench.metrics.triple import Scene as Planes
from fusionbench.metrics.triple import Triple
from fusionbench.types import Levels, UserError
from tests.printed import faults, words


def noise(seed: int, height: int = 60, width: int = 80) -> Levels:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def scene(methods: int, name: str = "1", height: int = 60, width: int = 80) -> Scene:
    fused = {f"Method{at}": noise(at, height, width) for at in range(methods)}
    return Scene(name, noise(101, height, width), noise(102, height, width), fused)


@pytest.fixture
def folders(tmp_path: Path) -> Callable[[str], Path]:
    """Sources of scenes 1 to 6, and the methods A, which has all of them, and B, which lacks 2."""
    for at in range(1, 7):
        for role in ("ir", "vis", "fused/A", "fused/B"):
            if (at, role) != (2, "fused/B"):
                (tmp_path / role).mkdir(parents=True, exist_ok=True)
                images.write(tmp_path / role / f"{at}.png", noise(at))
    return lambda role: tmp_path / role


def shown(count: int) -> list[str]:
    return ["Infrared", "Visible", *(f"Method{at}" for at in range(count))]


@pytest.mark.parametrize("methods", [1, 3, 9, 20])
@pytest.mark.parametrize("width", [page.WIDTHS[1], page.WIDTHS[2]])
def test_grid_names_every_column_outside_the_images(methods: int, width: float) -> None:
    figure = grid.draw([scene(methods, "a"), scene(methods, "b", 40)], boxes=0, width=width)
    assert faults(figure) == []
    printed = words(figure)
    assert [text for text in printed if text not in "ab"] == shown(methods)
    [axes] = figure.axes
    pictures = [np.sort(np.reshape(image.get_extent(), (2, 2)), axis=1) for image in axes.images]
    assert len(pictures) == 2 * (methods + 2)
    assert len({round(float(np.ptp(across)), 6) for across, _ in pictures}) == 1
    for text in axes.texts:
        x, y = text.get_position()
        assert not any(a[0] < x < a[1] and d[0] < y < d[1] for a, d in pictures)


def test_grid_of_long_names_and_labels() -> None:
    names = {f"Method{at}": f"Network-With-Attention-And-Transformers-v{at}" for at in range(9)}
    names["Method3"] = "US$_^{"
    figure = grid.draw([scene(9)], labels=names)
    assert faults(figure) == []
    assert "US$_^{" in words(figure)


def test_grid_shows_levels_as_they_are() -> None:
    dark = np.full((60, 80), 100, np.uint8)
    drawn = grid.draw([Scene("1", dark, dark, {"A": dark})], boxes=0).axes[0].images
    assert {image.get_clim() for image in drawn} == {(0, 255)}
    assert all((np.asarray(image.get_array()) == 100).all() for image in drawn)


def test_grid_shows_colour() -> None:
    colour = np.zeros((60, 80, 3), np.uint8)
    colour[..., 0] = 200
    drawn = grid.draw([Scene("1", noise(1), colour, {"A": colour})], boxes=1).axes[0].images
    assert np.asarray(drawn[-1].get_array())[0, 0].tolist() == [200, 0, 0]


def test_given_boxes_are_enlarged_in_every_image() -> None:
    one = scene(2)
    drawn = grid.draw([one], boxes={"1": [Box(10, 20, 16, 12)]}).axes[0].images
    pictures = [one.ir, one.vis, *one.fused.values()]
    assert len(drawn) == 2 * len(pictures)
    for picture, part in zip(pictures, drawn[1::2], strict=True):
        assert (np.asarray(part.get_array()) == picture[20:32, 10:26]).all()


@pytest.mark.parametrize(
    ("boxes", "complaint"),
    [
        ([Box(70, 0, 11, 5)], "reaches beyond '1', which is 80 x 60 pixels"),
        ([Box(0, 0, 5, 5)] * 4, "give 3 at most"),
    ],
)
def test_impossible_boxes_are_refused(boxes: list[Box], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        grid.draw([scene(1)], boxes={"1": boxes})


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,x", "-1,2,3,4", "", "1,2,0,4"])
def test_what_is_no_box_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"no box|no area"):
        zoom.parse(text)


# One may lie in a corner, the others must leave three corners to the enlargements.
SPOTS = ((10, 10), (50, 70), (54, 125))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_automatic_boxes_find_what_differs(count: int) -> None:
    same = noise(1, 120, 160)
    other = same.copy()
    for y, x in SPOTS[:count]:
        other[y : y + 10, x : x + 12] = 255 - other[y : y + 10, x : x + 12]
    found = zoom.automatic([same, other], count)
    assert len(found) == count
    for y, x in SPOTS[:count]:
        inside = [b.x <= x and x + 12 <= b.x + b.width and b.y <= y and y + 10 <= b.y + b.height for b, _ in found]
        assert sum(inside) == 1


@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(40, 90), st.integers(40, 90))
def test_enlargements_hide_no_box(seed: int, count: int, height: int, width: int) -> None:
    planes = [noise(seed, height, width), noise(seed + 1, height, width)]
    found = zoom.automatic(planes, count)
    assert len(found) == count
    everything = [*(inset for _, inset in found), *(box for box, _ in found)]
    for one, other in combinations(everything, 2):
        across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
        down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
        assert across <= 0.5 or down <= 0.5
    for box, (x, y, wide, high) in found:
        assert x >= 0
        assert y >= 0
        assert x + wide <= width + 1e-9
        assert y + high <= height + 1e-9
        assert wide / high == pytest.approx(box.width / box.height)


def test_a_single_method_and_equal_ones_and_tiny_images_have_grids() -> None:
    assert len(zoom.automatic([noise(1)], 2)) == 2
    assert len(zoom.automatic([noise(1), noise(1)], 1)) == 1
    assert zoom.automatic([noise(1, 4, 4)], 1) == []
    assert faults(grid.draw([scene(1, "1", 4, 4)], boxes=2)) == []


def test_scenes_are_those_that_all_methods_have(folders: Callable[[str], Path]) -> None:
    sheet = scenes.load([folders("fused")], folders("ir"), folders("vis"))
    assert [one.name for one in sheet.scenes] == ["1", "3", "4", "5", "6"]
    assert list(sheet.scenes[0].fused) == ["A", "B"]
    few = scenes.load([folders("fused")], folders("ir"), folders("vis"), most=3)
    assert [one.name for one in few.scenes] == ["1", "4", "6"]
    assert few.remarks == ("Of 5 scenes that all methods have, 3 are shown: name others to see them.",)
    named = scenes.load([folders("fused")], folders("ir"), folders("vis"), pairs=["6", "2"], methods=["A"])
    assert [one.name for one in named.scenes] == ["6", "2"]


def test_wrong_scenes_are_refused(folders: Callable[[str], Path]) -> None:
    sources = folders("ir"), folders("vis")
    with pytest.raises(UserError, match="B has no image of '2'"):
        scenes.load([folders("fused")], *sources, pairs=["2"])
    with pytest.raises(UserError, match="Unknown scene '9'"):
        scenes.load([folders("fused")], *sources, pairs=["9"])
    with pytest.raises(UserError, match="Unknown method 'C'"):
        scenes.load([folders("fused")], *sources, methods=["C"])
    with pytest.raises(UserError, match="Two folders are called 'A'"):
        scenes.load([folders("fused"), folders("fused/A")], *sources)
    images.write(folders("fused") / "A" / "1.png", noise(1, 10, 10))
    with pytest.raises(UserError, match=r"10 x 10 pixels and .* 80 x 60"):
        scenes.load([folders("fused")], *sources, pairs=["1"])


@pytest.mark.usefixtures("lpips_weights")
@pytest.mark.parametrize("metric", list(metric_map.KINDS))
@pytest.mark.parametrize("methods", [1, 7])
def test_maps_stand_below_every_method(metric: str, methods: int) -> None:
    planes = scene(methods)
    if METRICS[metric].card.colour:
        fused = {
            method: np.stack([plane, plane.T.reshape(plane.shape), plane], axis=2)
            for method, plane in planes.fused.items()
        }
        planes = Scene("1", planes.ir, np.stack([planes.vis, planes.ir, planes.vis], axis=2), fused)
        with pytest.raises(UserError, match=r"'1' has no map: .* grey"):
            metric_map.draw(scene(methods), metric)
    figure = metric_map.draw(planes, metric)
    assert faults(figure) == []
    assert set(shown(methods)[2:]) <= set(words(figure))
    per_method = 3 if metric_map.KINDS[metric].per_source else 2
    assert len(figure.axes[0].images) == per_method * methods + 1
    scales = {image.get_clim() for image in figure.axes[0].images[1:-1:per_method]}
    assert len(scales) == 1


def test_only_metrics_with_a_map_have_one() -> None:
    with pytest.raises(UserError, match="Unknown metric with a map 'EN'"):
        metric_map.draw(scene(1), "EN")
    with pytest.raises(UserError, match="'1' has no map: "):
        metric_map.draw(scene(1, "1", 1, 1), "AG")


def triple() -> Triple:
    return Planes(noise(1), noise(2), [noise(3)]).triples[0]


def test_gradient_map_adds_up_to_the_metric() -> None:
    assert average_gradient_map(triple()).mean() == pytest.approx(METRICS["AG"](triple()), rel=1e-12)


def test_edge_map_adds_up_to_the_metric() -> None:
    t = triple()
    total = weight = 0.0
    for source in ("ir", "vis"):
        plane = np.pad(getattr(t, source).astype(float), 1, mode="edge")
        across = plane[:, 2:] - plane[:, :-2]
        down = plane[2:] - plane[:-2]
        sx = across[:-2] + 2 * across[1:-1] + across[2:]
        sy = down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]
        strength = np.hypot(sx, sy)
        kept = gradient_transfer_map(t, "ir" if source == "ir" else "vis", sigma=0)
        total += (np.nan_to_num(kept) * strength).sum()
        weight += strength.sum()
    assert total / weight == pytest.approx(METRICS["Qabf"](t), rel=1e-9)


def test_edge_map_of_a_flat_source_is_undefined_and_of_the_source_itself_complete() -> None:
    flat = np.full((20, 20), 7, np.uint8)
    t = Planes(flat, noise(2, 20, 20), [noise(2, 20, 20)]).triples[0]
    assert np.isnan(gradient_transfer_map(t, "ir")).all()
    own = gradient_transfer_map(t, "vis")
    # Both logistics at their best: equal strength and direction.
    best = 0.9994 / (1 + np.exp(-7.5)) * 0.9879 / (1 + np.exp(-4.4))
    assert own == pytest.approx(np.full((20, 20), best))
    assert faults(metric_map.draw(Scene("1", flat, noise(2, 20, 20), {"A": noise(2, 20, 20)}), "Qabf")) == []
