"""Every network of the literature makes what its authors' program makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need torch, an extra")

from literature import CASES, FLOAT32, PARAMETERS, PUBLISHED, Case, Published, filled  # noqa: E402

from fusionbench import fuse, images, pixels  # noqa: E402
from fusionbench.baselines import METHODS  # noqa: E402
from fusionbench.baselines.learned import adapter, networks, weights  # noqa: E402
from fusionbench.fusing import stored  # noqa: E402

LITERATURE = [name for name, place in weights.NETWORKS.items() if place.startswith("literature.")]


pytestmark = pytest.mark.usefixtures("one_thread")


def reference(case: Case, folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / f"{case.reference}.npz") as file:
        return dict(file)


def given(case: Case, shared: Path, folder: Path) -> Path:
    """The weights of a case: the authors' file, or one by formula."""
    return shared / "weights" / "others" / case.weights if case.weights else by_formula(case, folder)


def by_formula(case: Case, folder: Path) -> Path:
    path = folder / f"{case.method}.npz"
    shapes, _ = weights.expected(case.method)
    np.savez(path, **filled(shapes, case))
    return path


def named(case: Case) -> str:
    return f"{case.method}-{case.output}"


@pytest.mark.parametrize("case", [case for case in CASES if not case.golden], ids=named)
def test_output_and_image(case: Case, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agrees(case, shared / "reference" / "networks", given(case, shared, tmp_path), monkeypatch)


@pytest.mark.parametrize("case", [case for case in CASES if case.golden], ids=named)
def test_output_and_image_by_formula(case: Case, golden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights and images are made by formulas, so that only the numbers of the authors' program are needed."""
    agrees(case, golden / "networks", by_formula(case, tmp_path), monkeypatch)


def agrees(case: Case, folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[np.ndarray] = []
    call = adapter.Fuser.__call__

    def listening(self: Any, ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
        made.append(call(self, ir, vis))
        return made[-1]

    monkeypatch.setattr(adapter.Fuser, "__call__", listening)
    arrays = reference(case, folder)
    ir, vis = (arrays[name].astype(np.float64) for name in case.inputs)
    # A grey image in three equal channels is a plane.
    ir = ir[..., 0] if ir.ndim == 3 and (ir == ir[..., :1]).all() else ir
    ir = ir.repeat(case.enlarged, 0).repeat(case.enlarged, 1)
    if vis.ndim == 3 and not METHODS[case.method].card.joint:
        vis = vis[..., 0]
    fused = METHODS[case.method](ir, vis, weights=file, **case.options)

    wanted = np.squeeze(arrays[case.output]).astype(np.float64) * case.scale + case.offset
    if wanted.ndim == 3 and wanted.shape[0] == 3:
        wanted = np.moveaxis(wanted, 0, 2)
    worst = np.abs(np.squeeze(made[0]) - wanted).max()
    assert worst <= case.tolerance * max(255.0, np.ptp(wanted)), f"{worst} of {np.ptp(wanted)}: {case.why}"
    if case.image:
        rounding = case.options.get("rounding", networks_rounding(case.method))
        image = stored(fused, np.uint8, truncated=rounding == "truncate")
        expected = arrays[case.image]
        if expected.ndim == 3 and image.ndim == 2:
            image = np.repeat(image[..., np.newaxis], 3, 2)
        off = np.abs(image.astype(int) - expected)
        assert off.max() <= 1
        assert (off > 0).mean() <= case.off, case.why


def networks_rounding(name: str) -> str:
    from fusionbench.recipe import parameters_of

    rounding = parameters_of(name).get("rounding")
    return str(rounding.default) if rounding else "round"


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda one: one.folder)
def test_published_images(published: Published, shared: Path) -> None:
    folder = shared / "data" / "fused" / published.folder
    paths = [path for path in sorted(folder.glob("*.png")) if not published.names or path.stem in published.names]
    assert len(paths) >= max(len(published.names), 1)
    for path in paths[: published.most]:
        ir, vis = (shared / "data" / published.dataset / source / path.name for source in ("ir", "vis"))
        theirs = pixels.to_levels(images.read(path)).astype(int)
        file = shared / "weights" / "others" / published.weights
        ours = np.atleast_3d(fuse(published.method, ir, vis, weights=file, **published.options)).astype(int)
        off = np.abs(ours - np.atleast_3d(theirs))
        assert off.max() <= published.worst, (path.name, off.max(), published.why)
        assert (off > 0).mean() <= published.off, (path.name, (off > 0).mean(), published.why)


@pytest.mark.parametrize("name", LITERATURE)
def test_every_network_is_held_against_its_authors(name: str) -> None:
    assert any(case.method == name for case in CASES)


@pytest.mark.parametrize("name", LITERATURE)
def test_as_many_parameters_as_published(name: str) -> None:
    assert networks.parameters(name) == PARAMETERS[name]


@pytest.mark.parametrize("name", LITERATURE)
def test_small_and_odd_images(name: str, tmp_path: Path) -> None:
    """Untrained, of any size from the smallest on, alone and in company: the numbers are finite, and company changes nothing."""
    path = tmp_path / "weights.npz"
    np.savez(path, **networks.untrained(name))
    least = METHODS[name].card.smallest
    ir, vis = np.random.default_rng(0).uniform(0, 255, (2, least + 1, least + 6))
    fused = METHODS[name](ir, vis, weights=path)
    assert fused.shape == vis.shape
    assert np.isfinite(fused).all()
    assert (METHODS[name](ir, vis, weights=path) == fused).all()


@pytest.mark.parametrize("name", LITERATURE)
def test_cutting_changes_nothing_where_no_pixel_sees_all(name: str, tmp_path: Path) -> None:
    """Untrained: the overlap that a network asks for is as far as it looks."""
    traits = networks.inference(name)
    if traits.sees_all_by or getattr(traits, "alone", False):
        pytest.skip("every pixel sees the whole image")
    path = tmp_path / "weights.npz"
    np.savez(path, **networks.untrained(name))
    run = networks.fuser(name, path, networks.Conditions())
    tile = max(64, 4 * int(traits.overlap))
    in_tiles = networks.fuser(name, path, networks.Conditions(tile=tile))
    ir, vis = np.random.default_rng(0).uniform(0, 255, (2, 40, tile + 30))
    whole = run(ir, vis)
    assert np.abs(in_tiles(ir, vis) - whole).max() <= FLOAT32 * max(np.ptp(whole), 1)


def test_weights_of_another_network_are_named(shared: Path) -> None:
    image = np.zeros((64, 64))
    for name in LITERATURE:
        file = next((case.weights for case in CASES if case.method == name and case.weights), "")
        if file:
            with pytest.raises(ValueError, match=rf"\b{name}\b"):
                METHODS["clfnet"](image, image, weights=shared / "weights" / "others" / file)
