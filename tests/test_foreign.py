"""Networks of others as files: fed as their TOML file says, opened as carefully as they can be, and named."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxfile
import pytest
from layouts import Layout, folders, picture

import fusionbench as fb
from fusionbench import cli, images
from fusionbench.baselines.colour import BT601
from fusionbench.baselines.learned import feeding
from fusionbench.recipe import opened, recipe
from fusionbench.types import UserError

IR, VIS = picture(1, 37, 50), picture(2, 37, 50)
COLOUR = picture(3, 37, 50, colour=True)

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="networks need torch, an extra")
needs_onnx = pytest.mark.skipif(find_spec("onnxruntime") is None, reason="ONNX needs onnxruntime, an extra")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def spec(folder: Path) -> Callable[[str], feeding.Spec]:
    """Reads a TOML file of that content."""

    def write(text: str) -> feeding.Spec:
        Path("model.toml").write_text(text)
        return feeding.read(Path("model.toml"))

    return write


def quarter() -> bytes:
    """A network that gives the first input and three times the second, by four."""
    weighted = [("Mul", ["a", "three"], "a3"), ("Add", ["a3", "b"], "sum"), ("Mul", ["sum", "fourth"], "y")]
    return onnxfile.model(weighted, ["b", "a"], ["y"], {"three": 3.0, "fourth": 0.25})


# What a network is given, and what becomes of what it gives


def spied(
    spec: feeding.Spec, vis: np.ndarray = VIS, give: Callable[..., Any] = lambda *tensors: tensors[0]
) -> tuple[list[np.ndarray], np.ndarray]:
    """The tensors that a network got, and the image made of what it gave."""
    seen: list[np.ndarray] = []

    def run(tensors: Sequence[np.ndarray]) -> list[np.ndarray]:
        seen.extend(tensors)
        made = give(*tensors)
        return made if isinstance(made, list) else [made]

    return seen, feeding.fuse(run, spec, IR.astype(float), vis.astype(float), "It")


def test_an_empty_file_means_two_planes_from_0_to_1(spec) -> None:
    (ir, vis), fused = spied(spec(""))
    assert ir.dtype == vis.dtype == np.float32
    np.testing.assert_array_equal(ir, (IR / 255).astype(np.float32)[None, None])
    np.testing.assert_array_equal(vis, (VIS / 255).astype(np.float32)[None, None])
    np.testing.assert_allclose(fused, IR, atol=1e-4)


def test_order_and_number_of_tensors(spec) -> None:
    (vis, ir), fused = spied(spec('[input]\norder = "vis-ir"'))
    np.testing.assert_allclose(vis[0, 0] * 255, VIS, atol=1e-4)
    np.testing.assert_allclose(ir[0, 0] * 255, IR, atol=1e-4)
    np.testing.assert_allclose(fused, VIS, atol=1e-4)
    (both,), fused = spied(spec("[input]\ntensors = 1"), give=lambda both: both[:, 1:])
    assert both.shape == (1, 2, 37, 50)
    np.testing.assert_allclose(fused, VIS, atol=1e-4)


@pytest.mark.parametrize("ends", [(0, 1), (-1, 1), (0, 255), (16, 235)])
def test_range_there_and_back(ends: tuple[int, int], spec) -> None:
    (ir, _), fused = spied(spec(f"[input]\nrange = {list(ends)}\n[output]\nrange = {list(ends)}"))
    np.testing.assert_allclose(ir[0, 0], ends[0] + IR / 255 * (ends[1] - ends[0]), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(fused, IR, atol=1e-3)


@pytest.mark.parametrize(("padding", "mode"), [("reflect", "reflect"), ("edge", "edge"), ("zero", "constant")])
def test_sizes_are_filled_up_at_the_end_and_cut_again(padding: str, mode: Any, spec) -> None:
    (ir, _), fused = spied(
        spec(f'[input]\nmultiple = 16\npadding = "{padding}"\nrange = [0, 255]\n[output]\nrange = [0, 255]')
    )
    np.testing.assert_array_equal(ir[0, 0], np.pad(IR.astype(np.float32), ((0, 11), (0, 14)), mode=mode))
    np.testing.assert_array_equal(fused, IR)


def test_colour_goes_to_networks_that_take_it(spec) -> None:
    three = spec("[input]\nvis_channels = 3\nir_channels = 3")
    (ir, vis), fused = spied(three, COLOUR, lambda ir, vis: vis)
    np.testing.assert_allclose(vis[0].transpose(1, 2, 0) * 255, COLOUR, atol=1e-4)
    np.testing.assert_array_equal(ir[0, 0], ir[0, 2])
    np.testing.assert_allclose(fused, COLOUR, atol=1e-4)
    assert three.color == "per-channel"
    assert spec("").color == "luma"
    assert spec('[input]\nvis_channels = 3\ncolor = "grey"').color == "grey"
    # Grey planes are repeated, and what comes back in colour counts by its luma.
    (_, vis), fused = spied(three, VIS, lambda ir, vis: vis * np.float32([1, 0.5, 0.25]).reshape(1, 3, 1, 1))
    assert vis.shape == (1, 3, 37, 50)
    np.testing.assert_allclose(fused, VIS * (0.299 + 0.587 / 2 + 0.114 / 4), atol=1e-4)


def test_a_grey_result_changes_the_brightness_of_a_colour_image(spec) -> None:
    _, fused = spied(spec("[input]\nvis_channels = 3"), COLOUR, lambda ir, vis: ir)
    np.testing.assert_allclose(fused @ BT601, IR, atol=1e-4)
    np.testing.assert_allclose(
        fused[:, :, 0] - fused[:, :, 1], COLOUR[:, :, 0] - COLOUR[:, :, 1].astype(float), atol=1e-9
    )
    # One that takes no colour sees one channel after the other.
    seen, fused = spied(spec(""), COLOUR, lambda ir, vis: vis)
    assert len(seen) == 6
    np.testing.assert_allclose(fused, COLOUR, atol=1e-4)


def test_what_is_done_with_the_result(spec) -> None:
    wide = {"give": lambda ir, vis: ir * 3 - 1}
    _, plain = spied(spec(""), **wide)
    np.testing.assert_allclose(plain, IR * 3.0 - 255, atol=1e-3)
    _, clipped = spied(spec("[output]\nclip = true"), **wide)
    np.testing.assert_array_equal(clipped, np.clip(plain, 0, 255))
    _, stretched = spied(spec('[output]\nafter = "stretch"'), **wide)
    assert (stretched.min(), stretched.max()) == (0, 255)
    _, second = spied(spec("[output]\nwhich = 1"), give=lambda ir, vis: [ir, vis])
    np.testing.assert_allclose(second, VIS, atol=1e-4)
    _, flat = spied(spec(""), give=lambda ir, vis: ir[0, 0])
    np.testing.assert_allclose(flat, IR, atol=1e-4)


def test_the_readme_shows_what_an_empty_file_means(spec) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    shown = re.search(r"^# theirs\.toml\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    assert shown
    assert spec(shown[1]) == spec("")
    words = set(feeding.Input.model_fields) | set(feeding.Output.model_fields)
    assert set(re.findall(r"^(\w+) =", shown[1], re.MULTILINE)) == words - {"color"}


@pytest.mark.parametrize(
    ("text", "give", "sentence"),
    [
        ("[output]\nwhich = 2", lambda ir, vis: [ir, vis], "It gives 2 tensors, but 'which' in [output] asks for 2."),
        ("", lambda ir, vis: ir[:, :, 1:], "It gives a tensor of (1, 1, 36, 50) where one of (1, 1, 37, 50) or"),
        ("", lambda ir, vis: np.concatenate([ir, vis], 1), "It gives a tensor of (1, 2, 37, 50) where"),
        ("", lambda ir, vis: np.concatenate([ir, ir, vis], 0), "It gives a tensor of (3, 1, 37, 50) where"),
        ("", lambda ir, vis: ir.mean(), "It gives a tensor of () where"),
    ],
)
def test_results_that_are_no_image_are_named(text: str, give: Any, sentence: str, spec) -> None:
    with pytest.raises(UserError) as error:
        spied(spec(text), give=give)
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[input]\noder = 1",
            "'model.toml', line 2: 'oder' in [input] does not exist; there are order, tensors, ir_ch",
        ),
        ("\n[inptu]\n", "'model.toml', line 2: [inptu] does not exist; there are input, output."),
        ('[input]\ntensors = 2\norder = "first"', "'model.toml', line 3: 'order' in [input] cannot be 'first': "),
        ("[input]\nrange = [0]", "'model.toml', line 2: 'range' in [input]"),
        (
            "[input]\nrange = [1, 0]",
            "'model.toml', line 2: 'range' in [input] cannot be [1, 0]: the first",
        ),
        ("[input]\nmultiple = 0", "'model.toml', line 2: 'multiple' in [input] cannot be 0: "),
        ("[output]\nclip = 1", "'model.toml', line 2: 'clip' in [output] cannot be 1: input should be a valid boolean"),
        ("order =", "'model.toml' is not TOML: "),
    ],
)
def test_mistakes_in_the_file_are_one_sentence(text: str, sentence: str, spec) -> None:
    with pytest.raises(UserError) as error:
        spec(text)
    assert str(error.value).startswith(sentence)
    assert str(error.value).endswith(".")


# Names


@pytest.mark.parametrize(
    ("name", "label", "method", "parameters"),
    [
        ("gff", "gff", "gff", {}),
        ("onnx", "onnx", "onnx", {}),
        ("onnx:nets/a.b.onnx", "a.b", "onnx", {"model": "nets/a.b.onnx"}),
        ("mine=exported:x.pt2", "mine", "exported", {"model": "x.pt2"}),
        ("torchscript:c:/x.pt", "x", "torchscript", {"model": "c:/x.pt"}),
    ],
)
def test_names_that_open_something(name: str, label: str, method: str, parameters: dict[str, str]) -> None:
    found = opened(name)
    assert (found.label, found.method, found.parameters) == (label, method, parameters)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("onx:a.onnx", "Unknown method 'onx': did you mean onnx?"),
        ("gff:a", "'gff:a' opens nothing: write a method's name alone, or with a file, as in onnx:model.onnx."),
        ("onnx:", "'onnx:' opens nothing: "),
        (
            "a/b=onnx:c.onnx",
            "'a/b' cannot be what the results of 'a/b=onnx:c.onnx' are called: write theirs=onnx:c.onnx",
        ),
        ("=onnx:c.onnx", "'' cannot be what the results"),
        ("onnx", "'onnx' cannot work without its parameter 'model': give a value for it."),
        ("onnx:c.onnx", "There is no file 'c.onnx': give the path of a network, as in onnx:model.onnx."),
    ],
)
def test_names_that_open_nothing(name: str, sentence: str, folder: Path) -> None:
    with pytest.raises(UserError) as error:
        recipe(name)
    assert str(error.value).startswith(sentence)


# ONNX


@needs_onnx
def test_onnx_is_fused_by(folder: Path) -> None:
    Path("quarter.onnx").write_bytes(quarter())
    Path("quarter.toml").write_text('[input]\norder = "vis-ir"\nrange = [0, 255]\n[output]\nrange = [0, 255]')
    fused = fb.fuse("onnx:quarter.onnx", IR, VIS)
    np.testing.assert_array_equal(fused, (3 * IR.astype(int) + VIS + 2) // 4)
    other = fb.fuse("onnx", IR, COLOUR, model="quarter.onnx", color="grey")
    assert other.shape == (37, 50)
    Path("spec.toml").write_text("[input]\nrange = [0, 255]\n[output]\nrange = [0, 510]")
    np.testing.assert_array_equal(
        fb.fuse("onnx:quarter.onnx", IR, VIS, spec="spec.toml"), np.floor((3.0 * VIS + IR) / 8 + 0.5)
    )


@needs_onnx
def test_an_onnx_file_that_changes_is_opened_anew(folder: Path) -> None:
    Path("a.toml").write_text("")
    Path("a.onnx").write_bytes(quarter())
    first = fb.fuse("onnx:a.onnx", IR, VIS)
    before = recipe("onnx:a.onnx").record()
    Path("a.onnx").write_bytes(onnxfile.model([("Max", ["a", "b"], "y")], ["a", "b"], ["y"], {}))
    np.testing.assert_array_equal(fb.fuse("onnx:a.onnx", IR, VIS), np.maximum(IR, VIS))
    assert not np.array_equal(first, np.maximum(IR, VIS))
    assert recipe("onnx:a.onnx").record() != before


@needs_onnx
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"nonsense", "'a.onnx' cannot be opened as ONNX (InvalidProtobuf: "),
        (
            onnxfile.model([("Max", ["a", "b"], "y")], ["a", "b"], ["y"], {}, shape=(1, 1, 8, 8)),
            "'a.onnx' fails on (1, 1, 37",
        ),
        (onnxfile.model([("Neg", ["a"], "y")], ["a"], ["y"], {}), "'a.onnx' takes 1 tensors, not 2: correct 'tensors'"),
        (
            onnxfile.model([("Max", ["a", "b"], "y")], ["a", "b"], ["y"], {}, kind=onnxfile.UINT8),
            "'a.onnx' takes a tensor(uint8): only networks that take floats can be fed.",
        ),
    ],
)
def test_onnx_files_that_cannot_be_used(content: bytes, sentence: str, folder: Path) -> None:
    Path("a.onnx").write_bytes(content)
    Path("a.toml").write_text("")
    with pytest.raises(UserError) as error:
        fb.fuse("onnx:a.onnx", IR, VIS)
    assert str(error.value).startswith(sentence)
    assert "\n" not in str(error.value)


@needs_onnx
@pytest.mark.parametrize("elsewhere", ["numbers.bin", "../numbers.bin", "{folder}/numbers.bin"])
def test_an_onnx_file_reads_no_other(elsewhere: str, folder: Path) -> None:
    """What decides about the image is the file whose hash is in the recipe, and it cannot look into others."""
    Path("in").mkdir()
    for place in (Path("numbers.bin"), Path("in/numbers.bin")):
        np.array([0.25], "<f4").tofile(place)
    nodes = [("Max", ["a", "b"], "m"), ("Mul", ["m", "k"], "y")]
    content = onnxfile.model(nodes, ["a", "b"], ["y"], {"k": 0.25}, elsewhere=elsewhere.format(folder=folder))
    Path("in/a.onnx").write_bytes(content)
    Path("in/a.toml").write_text("")
    with pytest.raises(UserError, match=r"^'in/a.onnx' keeps its numbers in other files: save it as one file"):
        fb.fuse("onnx:in/a.onnx", IR, VIS)


def test_onnx_without_onnxruntime_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    Path("b.onnx").write_bytes(quarter())
    Path("b.toml").write_text("")
    with pytest.raises(
        UserError, match=r"'b.onnx' needs onnxruntime: install it with 'pip install fusionbench\[onnx\]'"
    ):
        fb.fuse("onnx:b.onnx", IR, VIS)


def test_without_a_word_on_what_it_takes_nothing_is_guessed(folder: Path) -> None:
    Path("b.onnx").write_bytes(quarter())
    with pytest.raises(
        UserError, match=r"^There is no 'b.toml' to say what 'b.onnx' takes and gives: write it, or leave"
    ):
        recipe("onnx:b.onnx")
    with pytest.raises(UserError, match=r"^There is no 'c.toml' to say"):
        recipe("onnx:b.onnx", parameters={"spec": "c.toml"})


# What torch writes


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own CLF-Net, with the weights that are shipped, as both kinds of file; and a file of weights alone."""
    torch = pytest.importorskip("torch", reason="networks need torch, an extra")
    from fusionbench.baselines.learned import networks, weights

    folder = tmp_path_factory.mktemp("archives")
    entries = weights.find("clfnet", None, *weights.expected("clfnet"))
    network = networks.inference("clfnet", entries).eval().requires_grad_(False)
    planes = torch.full((1, 1, 40, 56), 99.0), torch.full((1, 1, 40, 56), 33.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(network, planes, check_trace=False).save(folder / "clf.pt")
        anywhere = {2: torch.export.Dim("h", min=16, max=4096), 3: torch.export.Dim("w", min=16, max=4096)}
        torch.export.save(torch.export.export(network, planes, dynamic_shapes=(anywhere, anywhere)), folder / "clf.pt2")
    torch.save(network.state_dict(), folder / "weights.pt")
    (folder / "clf.toml").write_text("[input]\nrange = [0, 255]\n[output]\nrange = [0, 255]")
    (folder / "weights.toml").write_text("")
    return folder


@needs_torch
@pytest.mark.parametrize("name", ["torchscript:clf.pt", "exported:clf.pt2"])
def test_a_network_as_a_file_fuses_as_it_does(name: str, archives: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(archives)
    ours = recipe("clfnet", parameters={"output": "clip"})
    theirs = recipe(name, parameters={"trust": True})
    planes = IR.astype(float), VIS.astype(float)
    expected = ours.function(*planes, **ours.parameters)
    # Single precision, summed in another order.
    np.testing.assert_allclose(theirs.function(*planes, **theirs.parameters), expected, atol=2e-3)


@needs_torch
@pytest.mark.parametrize(
    ("name", "what"), [("torchscript:clf.pt", "A TorchScript archive"), ("exported:clf.pt2", "What torch")]
)
def test_what_could_run_code_wants_trust(name: str, what: str, archives: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(archives)
    with pytest.raises(UserError, match=rf"^{what}.* is a program, and to open '.*' is to run it, .*: give trust=true"):
        fb.fuse(name, IR, VIS)
    record = recipe(name, parameters={"trust": True}).record()
    # It decides whether there is an image, not which.
    assert set(record["parameters"]) == {"model", "spec", "device"}
    assert all(len(record["parameters"][word]["sha256"]) == 64 for word in ("model", "spec"))


@needs_torch
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "torchscript:weights.pt",
            "'weights.pt' is no TorchScript archive: a file of weights alone is none, for it holds no",
        ),
        ("exported:weights.pt", "'weights.pt' is no file that torch.export wrote: a file of weights alone is none"),
        ("torchscript:clf.pt2", "'clf.pt2' is no TorchScript archive"),
        ("exported:clf.pt", "'clf.pt' is no file that torch.export wrote"),
        ("torchscript:clf.toml", "'clf.toml' is no TorchScript archive"),
    ],
)
def test_files_that_are_something_else(name: str, sentence: str, archives: Path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(archives)
    with pytest.raises(UserError) as error:
        fb.fuse(name, IR, VIS, trust=True)
    assert str(error.value).startswith(sentence)
    assert capfd.readouterr() == ("", "")


@needs_torch
def test_a_network_that_fails_is_named_with_what_it_got(archives: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(archives)
    Path("one.toml").write_text("[input]\ntensors = 1")
    with pytest.raises(
        UserError, match=r"^'clf.pt' fails on \(1, 2, 37, 50\) \(.+\): see whether 'one.toml' says right"
    ):
        fb.fuse("torchscript:clf.pt", IR, VIS, spec="one.toml", trust=True)
    with pytest.raises(UserError, match=r"^Unknown device 'gpu'"):
        fb.fuse("torchscript:clf.pt", IR, VIS, trust=True, device="gpu")


# Through the commands


@pytest.fixture
def layout(folder: Path) -> Layout:
    return Layout(*(path.relative_to(folder) for path in folders(folder, methods=())))


@needs_onnx
def test_from_the_command_line_and_from_a_benchmark(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    Path("nets").mkdir()
    Path("nets/a.onnx").write_bytes(onnxfile.model([("Max", ["a", "b"], "y")], ["a", "b"], ["y"], {}))
    Path("nets/a.toml").write_text("")
    Path("nets/half.toml").write_text("[output]\nrange = [0, 2]")
    words = ["--ir", str(layout.ir), "--vis", str(layout.vis), "--quiet"]
    more = ["half=onnx:nets/a.onnx", "--set", "half.spec=nets/half.toml", "-o", "out"]
    assert cli.main(["fuse", "onnx:nets/a.onnx", *more, *words]) == 0
    maximum = np.maximum(*(images.read(side / "2.png") for side in (layout.ir, layout.vis)))
    np.testing.assert_array_equal(images.read(Path("out/a/2.png")), maximum)
    np.testing.assert_array_equal(images.read(Path("out/half/2.png")), maximum // 2 + maximum % 2)
    assert {path.name for path in Path("out").iterdir()} == {"a", "half"}

    Path("nets/bench.toml").write_text(
        '[benchmark]\nname = "b"\nmetrics = "EN"\n[[dataset]]\nname = "three"\nir = "../ir"\nvis = "../vis"\n'
        '[[method]]\nname = "max"\n'
        '[[method]]\nname = "theirs"\nmethod = "onnx:a.onnx"\n'
        '[[method]]\nname = "half"\nmethod = "onnx:a.onnx"\ntimeout = 60\nparameters = { spec = "half.toml" }\n'
    )
    capsys.readouterr()
    assert cli.main(["run", "nets/bench.toml", "--quiet", "--no-report"]) == 0, capsys.readouterr().err
    for mine, other in (("theirs", "a"), ("half", "half")):
        image = images.read(Path("b/fused/three", mine, "2.png"))
        np.testing.assert_array_equal(image, images.read(Path("out", other, "2.png")))
