"""Networks in use: batches, tiles, memory, precision, and what a user meets."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import formula
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fusionbench as fb
from fusionbench import cli, images
from fusionbench.baselines.learned.methods import stretched
from fusionbench.baselines.learned.tiles import alike, cuts
from fusionbench.fusing import fuse_folder, fuse_levels, stored
from fusionbench.recipe import recipe
from fusionbench.types import UserError

IR, VIS = formula.image(32, 48, 2), formula.image(32, 48, 3)
NAMES = ["clfnet", "cs2fusion", "coconet"]
EVERY = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def torch() -> Iterator[Any]:
    module = pytest.importorskip("torch", reason="networks need torch, an extra")
    before = module.get_num_threads()
    module.set_num_threads(1)
    yield module
    module.set_num_threads(before)


@pytest.fixture(scope="module")
def files(torch: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Weights by formula, a file a network."""
    from fusionbench.baselines.learned import weights

    folder = tmp_path_factory.mktemp("weights")
    for name in NAMES:
        np.savez(folder / f"{name}.npz", **formula.weights(weights.expected(name)[0]))
    return {name: folder / f"{name}.npz" for name in NAMES}


@pytest.fixture
def fuser(torch: Any) -> Callable[..., Any]:
    """A network with weights by formula, under some conditions."""
    from fusionbench.baselines.learned import networks, weights
    from fusionbench.baselines.learned.adapter import Fuser

    def build(name: str, options: dict[str, Any] | None = None, **conditions: Any) -> Any:
        entries = formula.weights(weights.expected(name)[0])
        network = networks.inference(name, entries, **(options or {}))
        return Fuser(network, networks.Conditions(**conditions))

    return build


@pytest.fixture
def toy(torch: Any) -> Callable[..., Any]:
    """A network that adds the sources up, remembers the shapes it was given, and does first what it is told to."""
    from fusionbench.baselines.learned.adapter import Conditions, Fuser

    class Sum(torch.nn.Module):  # type: ignore[misc]
        overlap, multiple, sees_all_by, channels_last = 8, 1, "", False
        shapes: ClassVar[list[tuple[int, ...]]] = []

        def __init__(self, before: Callable[[Any], None], traits: dict[str, Any]) -> None:
            super().__init__()
            self.shapes.clear()
            self.before = before
            for word, value in traits.items():
                setattr(self, word, value)

        def forward(self, ir: Any, vis: Any) -> Any:
            self.shapes.append((len(ir), *ir.shape[2:]))
            self.before(ir)
            return ir + vis

    def build(before: Callable[[Any], None] = lambda _: None, **words: Any) -> tuple[Any, list[tuple[int, ...]]]:
        traits = {word: words.pop(word) for word in ("sees_all_by", "overlap", "multiple") if word in words}
        return Fuser(Sum(before, traits), Conditions(**words)), Sum.shapes

    return build


def plane(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([height, width, seed]).uniform(0, 255, (height, width))


# Tiles


@given(
    length=st.integers(1, 300),
    tile=st.integers(40, 90),
    overlap=st.sampled_from([0, 8, 16]),
    multiple=st.sampled_from([1, 8]),
)
@pytest.mark.parametrize("fading", [False, True])
def test_tiles_cover_everything(length: int, tile: int, overlap: int, multiple: int, fading: bool) -> None:
    total = np.zeros(length)
    for cut in cuts(length, tile, overlap=overlap, multiple=multiple, fading=fading):
        assert cut.window.start % multiple == 0
        assert cut.window.stop - cut.window.start == len(cut.share) <= tile
        total[cut.window] += cut.share
    if fading:
        assert (total > 0).all()
    else:
        assert (total == 1).all()


def test_tiles_count_where_they_see_enough() -> None:
    for cut in cuts(100, 40, overlap=8):
        inside = np.flatnonzero(cut.share) + cut.window.start
        assert cut.window.start == 0 or inside[0] - cut.window.start >= 8
        assert cut.window.stop == 100 or cut.window.stop - 1 - inside[-1] >= 8


def test_groups_are_of_one_size() -> None:
    rows, columns = cuts(100, 40, overlap=8), cuts(70, 40, overlap=8)
    groups = list(alike(rows, columns, 2))
    assert sum(map(len, groups)) == len(rows) * len(columns)
    assert max(map(len, groups)) == 2
    for group in groups:
        assert len({(len(row.share), len(column.share)) for row, column in group}) == 1


@pytest.mark.parametrize("size", [(100, 75), (64, 131), (65, 64)])
@pytest.mark.parametrize("batch", [1, 3])
def test_tiles_do_not_change_clfnet(size: tuple[int, int], batch: int, fuser: Callable[..., Any]) -> None:
    ir, vis = plane(*size), plane(*size, seed=1)
    whole, tiled = fuser("clfnet")(ir, vis), fuser("clfnet", tile=64, batch=batch)(ir, vis)
    assert whole.std() > 1
    # Float32 rounds otherwise in images of another size; what a tile does not see would change whole levels.
    assert np.abs(whole - tiled).max() <= 1e-3


def test_clfnet_sees_no_farther_than_its_tiles_overlap(fuser: Callable[..., Any]) -> None:
    run, ir, vis = fuser("clfnet"), plane(40, 40), plane(40, 40, seed=1)
    other = ir.copy()
    other[20, 20] = 255 - other[20, 20]
    changed = np.argwhere(np.abs(run(ir, vis) - run(other, vis)) > 0)
    assert changed.min() >= 12
    assert changed.max() <= 28
    assert changed.max() > 26


@pytest.mark.parametrize(("name", "why"), [("cs2fusion", "pooling"), ("coconet", "attention")])
def test_tiles_that_change_the_result_are_refused_unless_allowed(
    name: str, why: str, fuser: Callable[..., Any]
) -> None:
    ir, vis = plane(40, 270), plane(40, 270, seed=1)
    with pytest.raises(UserError, match=f"270 x 40 pixels is larger than a tile of 256.*{why} over all pixels"):
        fuser(name, tile=256)(ir, vis)
    whole, tiled = fuser(name)(ir, vis), fuser(name, tile=256, approximate=True)(ir, vis)
    assert tiled.shape == whole.shape
    assert np.abs(whole - tiled).max() > 0
    # A tile as large as the image changes nothing, and needs no leave.
    assert np.array_equal(fuser(name, tile=270)(ir, vis), whole)


def test_fading_tiles_agree_where_the_network_is_local(toy: Callable[..., Any]) -> None:
    run, shapes = toy(tile=256, sees_all_by="pooling", overlap=32, multiple=16, approximate=True)
    ir, vis = plane(300, 520), plane(300, 520, seed=1)
    assert np.abs(run(ir, vis) - (ir + vis)).max() <= 1e-4
    assert max(max(shape[1:]) for shape in shapes) <= 256


# Batches


def test_those_who_wait_go_together(toy: Callable[..., Any]) -> None:
    gate, begun = threading.Event(), threading.Event()

    def wait(_: Any) -> None:
        begun.set()
        assert gate.wait(10)

    run, shapes = toy(wait, batch=3)
    sizes = [(32, 40), *[(32, 40), (40, 32)] * 4]
    pairs = [(plane(*size, seed=i), plane(*size, seed=-i - 1 + 100)) for i, size in enumerate(sizes)]
    with ThreadPoolExecutor(len(pairs)) as pool:
        answers = [pool.submit(run, *pairs[0])]
        assert begun.wait(10)
        answers += [pool.submit(run, *pair) for pair in pairs[1:]]
        while len(run._waiting) < len(pairs) - 1:
            threading.Event().wait(0.001)
        gate.set()
        made = [answer.result() for answer in answers]
    for (ir, vis), fused in zip(pairs, made, strict=True):
        assert np.abs(fused - (ir + vis)).max() <= 1e-4
    # The first alone, then of each size three and what is left.
    assert sorted(shapes) == [(1, 32, 40), (1, 32, 40), (1, 40, 32), (3, 32, 40), (3, 40, 32)]


def test_an_error_reaches_those_who_wait_and_nobody_else(toy: Callable[..., Any]) -> None:
    def refuse(ir: Any) -> None:
        if ir.shape[2] == 33:
            raise ValueError("no")

    run, _ = toy(refuse)
    with pytest.raises(ValueError, match="no"):
        run(plane(33, 40), plane(33, 40))
    assert run(plane(32, 40), plane(32, 40)).shape == (32, 40)


@EVERY
def test_a_batch_is_what_its_pairs_are(name: str, fuser: Callable[..., Any]) -> None:
    run = fuser(name)
    pairs = [(plane(33, 47, seed), plane(33, 47, seed + 10)) for seed in range(3)]
    for together, pair in zip(run._fuse(pairs), pairs, strict=True):
        assert np.abs(together - run(*pair)).max() <= 1e-2


# Memory


def shortage(torch: Any, most: int) -> Callable[[Any], None]:
    """A device with memory for so many pixels."""

    def check(ir: Any) -> None:
        if ir.numel() > most:
            raise torch.OutOfMemoryError("CUDA out of memory")

    return check


def test_out_of_memory_halves_the_batch(torch: Any, toy: Callable[..., Any]) -> None:
    run, shapes = toy(shortage(torch, 2 * 32 * 40), batch=8)
    pairs = [(plane(32, 40, seed), plane(32, 40, seed + 10)) for seed in range(8)]
    for fused, (ir, vis) in zip(run._fuse(pairs), pairs, strict=True):
        assert np.abs(fused - (ir + vis)).max() <= 1e-4
    assert [shape[0] for shape in shapes] == [8, 4, 2, 2, 4, 2, 2]
    assert run._batch == 2


def test_out_of_memory_cuts_one_image_where_that_changes_nothing(torch: Any, toy: Callable[..., Any]) -> None:
    run, shapes = toy(shortage(torch, 100 * 100))
    ir, vis = plane(200, 300), plane(200, 300, seed=1)
    assert np.abs(run(ir, vis) - (ir + vis)).max() <= 1e-4
    assert [shape[1:] for shape in shapes[:2]] == [(200, 300), (142, 142)]
    assert run._tile == 71


@pytest.mark.parametrize(
    ("traits", "sentence"),
    [
        ({}, "The memory of cpu is used up: end other programs that use it."),
        (
            {"sees_all_by": "pooling"},
            "300 x 200 pixels does not fit into the memory of cpu.*because of the network's pool",
        ),
    ],
)
def test_out_of_memory_for_good_is_said(
    traits: dict[str, Any], sentence: str, torch: Any, toy: Callable[..., Any]
) -> None:
    run, _ = toy(shortage(torch, 10), **traits)
    with pytest.raises(UserError, match=sentence):
        run(plane(200, 300), plane(200, 300))


def test_the_allocator_of_the_cpu_is_understood_and_bugs_are_not_memory(toy: Callable[..., Any]) -> None:
    def fail(ir: Any) -> None:
        if len(ir) > 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")
        if ir.shape[2] == 33:
            raise RuntimeError("shapes do not match")

    run, _ = toy(fail, batch=2)
    assert len(run._fuse([(plane(32, 40), plane(32, 40))] * 2)) == 2
    with pytest.raises(RuntimeError, match="shapes do not match"):
        run(plane(33, 40), plane(33, 40))


# Conditions


@EVERY
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_is_near(name: str, precision: str, fuser: Callable[..., Any]) -> None:
    ir, vis = IR.astype(np.float64), VIS.astype(np.float64)
    exact, near = fuser(name)(ir, vis), fuser(name, precision=precision)(ir, vis)
    error = np.abs(exact - near).mean() / exact.std()
    assert 0 < error < (0.1 if precision == "bf16" else 0.02)


def test_settings_of_torch_are_left_alone(torch: Any, toy: Callable[..., Any]) -> None:
    switch = torch.backends.cudnn.conv
    seen: list[str] = []
    run, _ = toy(lambda _: seen.append(switch.fp32_precision))
    before = switch.fp32_precision
    run(plane(32, 40), plane(32, 40))
    assert seen == ["ieee"]
    assert switch.fp32_precision == before


def test_compiled_networks_are_torchs(torch: Any, fuser: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[str] = []

    def compiled(network: Any, *, dynamic: bool, mode: str) -> Any:
        assert not dynamic
        modes.append(mode)
        return network

    monkeypatch.setattr(torch, "compile", compiled)
    ir, vis = plane(32, 40), plane(32, 40, seed=1)
    assert np.array_equal(fuser("clfnet", compiled=True)(ir, vis), fuser("clfnet")(ir, vis))
    assert modes == ["default"]


@pytest.mark.parametrize(
    ("conditions", "sentence"),
    [
        ({"device": "cuda:7"}, "There is no device 'cuda:7' that torch can use here: use --device cpu."),
        ({"device": "tpu"}, "Unknown device 'tpu': did you mean cpu?"),
        ({"device": "meta"}, "Unknown device 'meta': there are cpu, cuda."),
        ({"precision": "fp64"}, "Unknown precision 'fp64': did you mean fp16"),
        ({"precision": "tf32"}, "Only CUDA devices compute in tf32, not 'cpu': use fp32 or bf16."),
        ({"batch": 0}, "A batch of 0 pairs cannot be fused: give at least 1."),
        ({"tile": 63}, "Tiles of 63 pixels are too small for this network: give at least 64."),
    ],
)
def test_conditions_that_make_no_sense(conditions: dict[str, Any], sentence: str, fuser: Callable[..., Any]) -> None:
    with pytest.raises(UserError) as caught:
        fuser("clfnet", **conditions)
    assert str(caught.value).startswith(sentence)


def test_networks_are_loaded_once_for_a_content(torch: Any, files: dict[str, Path], tmp_path: Path) -> None:
    from fusionbench.baselines.learned import networks

    def load(file: Path, **conditions: Any) -> Any:
        return networks.fuser("cs2fusion", file, networks.Conditions(**conditions))

    content = dict(np.load(files["cs2fusion"]))
    copied = tmp_path / "copy.npz"
    np.savez(copied, **content)
    first = load(files["cs2fusion"])
    assert load(files["cs2fusion"]) is first
    assert load(copied) is first
    assert load(copied, precision="bf16") is not first
    content["decon4.0.bias"] = content["decon4.0.bias"] + 100
    np.savez(copied, **content)
    changed = load(copied)
    assert changed is not first
    difference = changed(IR.astype(np.float64), VIS.astype(np.float64)) - first(
        IR.astype(np.float64), VIS.astype(np.float64)
    )
    assert np.allclose(difference, 100, atol=1e-3)


# What a user meets


@EVERY
@pytest.mark.parametrize("size", [(32, 32), (33, 47)])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "rgb"])
def test_any_usable_image_is_fused(name: str, size: tuple[int, int], kind: str, files: dict[str, Path]) -> None:
    ir, vis = formula.image(*size, 2), formula.image(*size, 3)
    if kind == "rgb":
        vis = np.stack([vis, vis[::-1], ir], axis=2)
    elif kind != "uint8":
        ir, vis = (stored(image.astype(np.float64), np.dtype(kind)) for image in (ir, vis))
    kept = ir.copy(), vis.copy()
    fused = fb.fuse(name, ir, vis, weights=files[name], device="cpu", precision="fp32")
    assert fused.shape == vis.shape
    assert fused.dtype == vis.dtype
    assert fused.std() > 0
    assert np.array_equal(fused, fb.fuse(name, ir, vis, weights=str(files[name])))
    assert np.array_equal(ir, kept[0])
    assert np.array_equal(vis, kept[1])


def test_clfnet_is_stretched_unless_told_otherwise(files: dict[str, Path], golden: Path) -> None:
    ir, vis = formula.image(40, 56, 2), formula.image(40, 56, 3)
    expected = np.load(golden / "networks" / "clfnet.npz")["eval_fused"].astype(np.float64) * 127.5 + 127.5
    clipped = fb.fuse("clfnet", ir, vis, weights=files["clfnet"], output="clip")
    assert np.abs(clipped - expected).max() <= 0.5 + 1e-3
    full = fb.fuse("clfnet", ir, vis, weights=files["clfnet"])
    assert (full.min(), full.max()) == (0, 255)
    assert np.abs(full - (expected - expected.min()) / np.ptp(expected) * 255).max() <= 0.5 + 0.02


def test_stretching_one_value_gives_zero() -> None:
    assert stretched(np.full((3, 4), 7.0)).tolist() == np.zeros((3, 4)).tolist()


@pytest.mark.parametrize("bn", ["batch", "running"])
@pytest.mark.parametrize("scale", ["255", "unit"])
def test_options_of_coconet_are_the_authors(bn: str, scale: str, files: dict[str, Path], golden: Path) -> None:
    ir, vis = formula.image(40, 56, 2), formula.image(40, 56, 3)
    chosen = recipe("coconet", parameters={"weights": files["coconet"], "bn": bn, "scale": scale})
    expected = np.load(golden / "networks" / "coconet.npz")[f"{bn}_{scale}"].astype(np.float64)
    assert np.abs((fuse_levels(chosen, ir, vis) - 127.5) / 127.5 - expected).max() <= 1e-5


def test_cs2fusion_keeps_colour_and_truncates_as_its_authors_do(files: dict[str, Path]) -> None:
    rng = np.random.default_rng(4)
    ir, vis = rng.integers(0, 256, (40, 56), dtype=np.uint8), rng.integers(0, 256, (40, 56, 3), dtype=np.uint8)
    red, green, blue = (vis[:, :, band].astype(np.float64) for band in range(3))
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    cb = -0.168736 * red - 0.331264 * green + 0.5 * blue
    cr = 0.5 * red - 0.418688 * green - 0.081312 * blue
    fused = recipe("cs2fusion", parameters={"weights": files["cs2fusion"]}).function(
        ir.astype(np.float64), y, weights=files["cs2fusion"]
    )
    back = np.stack([fused + 1.402 * cr, fused - 0.344136 * cb - 0.714136 * cr, fused + 1.772 * cb], axis=2)
    expected = np.clip(back, 0, 255).astype(np.uint8)
    made = fb.fuse("cs2fusion", ir, vis, weights=files["cs2fusion"])
    assert (made == expected).mean() > 0.999
    assert np.abs(made.astype(int) - expected).max() <= 1
    assert 0.4 < (fb.fuse("cs2fusion", ir, vis, weights=files["cs2fusion"], rounding="round") == made).mean() < 1
    grey = fb.fuse("cs2fusion", ir, vis, weights=files["cs2fusion"], color="grey")
    assert np.array_equal(grey, np.clip(fused, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("pair", ["pair14_FLIR_05872", "pair29_FLIR_08756", "pair36_FLIR_09525"])
def test_cs2fusion_makes_the_published_images(pair: str, torch: Any, shared: Path) -> None:
    known = np.load(shared / "reference" / "networks" / "cs2fusion" / f"{pair}.npz")
    weights = shared / "weights" / "cs2fusion" / "Backbone Network.pth"
    made = fb.fuse("cs2fusion", known["ir"], known["vis"], weights=weights, device="cpu", precision="fp32")
    difference = np.abs(made.astype(int) - known["published_rgb"])
    assert difference.max() <= 1
    assert (difference == 0).mean() >= 0.9999
    plain = fuse_levels(recipe("cs2fusion", color="grey", parameters={"weights": weights}), known["ir"], known["vis"])
    assert np.abs(plain - known["fused_y"]).max() <= 1e-3


def test_folders_are_fused_as_single_images_are(files: dict[str, Path], tmp_path: Path) -> None:
    for i, size in enumerate([(32, 48)] * 4 + [(40, 33)] * 3):
        for role, k in (("ir", 2 * i + 1), ("vis", 2 * i + 2)):
            (tmp_path / role).mkdir(exist_ok=True)
            images.write(tmp_path / role / f"{i}.png", formula.image(*size, k))
    chosen = [recipe(name, parameters={"weights": files[name]}) for name in ("clfnet", "cs2fusion")]
    job = fuse_folder(chosen, tmp_path / "ir", tmp_path / "vis", tmp_path / "out", workers=5)
    outcomes = list(job)
    assert len(outcomes) == 14
    for outcome in outcomes:
        assert not outcome.reason
        name, pair = outcome.fused.method, outcome.fused.pair
        assert np.array_equal(images.read(outcome.fused.path), fb.fuse(name, pair.ir, pair.vis, weights=files[name]))


def test_the_command_line_takes_weights_device_and_precision(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images.write(tmp_path / "ir.png", IR)
    images.write(tmp_path / "vis.png", VIS)
    sources = ["--ir", str(tmp_path / "ir.png"), "--vis", str(tmp_path / "vis.png")]
    words = ["--weights", str(files["clfnet"]), "--device", "cpu", "--precision", "fp32", "--set", "output=clip"]
    out = tmp_path / "fused.png"
    assert cli.main(["fuse", "clfnet", *sources, "-o", str(out), *words, "--quiet"]) == 0
    assert np.array_equal(images.read(out), fb.fuse("clfnet", IR, VIS, weights=files["clfnet"], output="clip"))
    capsys.readouterr()

    out.unlink()
    assert cli.main(["fuse", "cs2fusion", *sources, "-o", str(out), "--weights", str(files["clfnet"])]) == 2
    said = capsys.readouterr().err
    assert f"'{files['clfnet']}' seems to hold weights of clfnet" in said
    assert not out.exists()
    assert cli.main(["fuse", "clfnet", *sources, "-o", str(out), "--precision", "half"]) == 2
    assert "The parameter 'precision' of clfnet cannot be 'half'" in capsys.readouterr().err


def test_without_torch_methods_are_listed_and_networks_say_what_they_need(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ModuleNotFoundError('no torch', name='torch')\n")
    script = (
        "import numpy as np, fusionbench as fb\n"
        "from fusionbench.cli import main\n"
        "assert main(['method', 'list']) == 0\n"
        "assert main(['method', 'info', 'coconet']) == 0\n"
        "x = np.zeros((32, 32), np.uint8)\n"
        "for name in ('clfnet', 'cs2fusion', 'coconet'):\n"
        "    try:\n"
        "        fb.fuse(name, x, x)\n"
        "    except fb.UserError as error:\n"
        "        print(error)\n"
    )
    root = Path(__file__).resolve().parents[1]
    path = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(root), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([sys.executable, "-c", script], env={**os.environ, **path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        assert f"\n{name} " in done.stdout
        assert (
            f"{name} is a network, which needs torch: install it with 'pip install fusionbench[learned]'."
            in done.stdout
        )
