"""What the verbs fuse and method print, write and complain of."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from layouts import Layout, folders, picture

import fusionbench as fb
from fusionbench import cli, images
from fusionbench.baselines import METHODS
from fusionbench.baselines.learned.weights import NETWORKS
from fusionbench.types import Kind


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Three pairs, seen from a folder that is empty otherwise."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("FUSIONBENCH_DEBUG", raising=False)
    return Layout(*(path.relative_to(tmp_path) for path in folders(tmp_path, methods=())))


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    """Runs a command; gives its exit code, and what it printed on stdout and stderr."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        # Quiet, for on a machine that is slow or has no kernels yet there is more to say.
        code = cli.main([str(word) for word in words] + ["--quiet"] * (words[0] == "fuse"))
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def fused(layout: Layout, said):
    """Runs ``fusionbench fuse`` on all pairs into ``out``."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        return said("fuse", *words, "--ir", layout.ir, "--vis", layout.vis, "-o", "out")

    return run


def rows(text: str) -> list[list[str]]:
    """The cells of a printed table, without its header."""
    lines = text.splitlines()
    return [line.split() for line in lines[2:] if line.startswith(tuple(METHODS.names()))]


# fuse


def test_folder_a_method(layout: Layout, fused) -> None:
    code, out, err = fused("average", "max")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].split() == ["method", "fused", "kept", "failed", "s/image", "where"]
    assert [[row[0], *row[1:4], row[5]] for row in rows(out)] == [
        ["average", "3", "0", "0", "out/average"],
        ["max", "3", "0", "0", "out/max"],
    ]
    for name in ("1", "2", "10"):
        ir, vis = (images.read(folder / f"{name}.png") for folder in (layout.ir, layout.vis))
        np.testing.assert_array_equal(images.read(Path("out", "max", f"{name}.png")), fb.fuse("max", ir, vis))


def test_second_run_keeps_what_is_there(fused) -> None:
    assert fused("max")[0] == 0
    Path("out/max/2.png").unlink()
    code, out, _ = fused("max")
    assert code == 0
    assert rows(out)[0][1:4] == ["1", "2", "0"]
    assert "2 images were there already and stay as they are; --overwrite makes them anew." in out
    code, out, _ = fused("max", "--overwrite")
    assert rows(out)[0][1:4] == ["3", "0", "0"]
    assert "there already" not in out


def test_one_pair_into_one_file(layout: Layout, said) -> None:
    words = ["--ir", layout.ir / "1.png", "--vis", layout.vis / "2.png", "-o", "fused.bmp"]
    code, out, err = said("fuse", "max", *words)
    assert (code, err) == (0, "")
    assert rows(out)[0][-1] == "fused.bmp"
    expected = np.maximum(images.read(layout.ir / "1.png"), images.read(layout.vis / "2.png"))
    np.testing.assert_array_equal(images.read(Path("fused.bmp")), expected)
    code, out, _ = said("fuse", "min", *words)
    assert "1 image was there already and stays as it is; --overwrite makes it anew." in out
    np.testing.assert_array_equal(images.read(Path("fused.bmp")), expected)


def test_parameters_of_all_and_of_one_method(layout: Layout, fused) -> None:
    code, _, err = fused("weighted", "max", "--set", "weighted.weight=0.25")
    assert (code, err) == (0, "")
    ir, vis = (images.read(folder / "2.png") for folder in (layout.ir, layout.vis))
    np.testing.assert_array_equal(images.read(Path("out/weighted/2.png")), fb.fuse("weighted", ir, vis, weight=0.25))
    code, _, err = fused("weighted", "--set", "weight=0.5")
    assert code == 2
    assert "holds images made with weight 0.25 instead of 0.5" in err


def test_colour_and_depth(layout: Layout, said) -> None:
    images.write(Path("colour.png"), picture(7, colour=True))
    words = ["--ir", layout.ir / "1.png", "--vis", "colour.png"]
    for mode, shape in (("luma", (48, 64, 3)), ("per-channel", (48, 64, 3)), ("grey", (48, 64))):
        assert said("fuse", "max", *words, "--color", mode, "-o", f"{mode}.png")[0] == 0
        assert images.read(Path(f"{mode}.png")).shape == shape
    assert not np.array_equal(images.read(Path("luma.png")), images.read(Path("per-channel.png")))
    assert said("fuse", "max", *words, "--color", "grey", "--depth", "16", "-o", "deep.png")[0] == 0
    assert images.read(Path("deep.png")).dtype == np.uint16
    code, _, err = said("fuse", "max", *words, "--depth", "16", "-o", "deeper.png")
    assert code == 2
    assert err == (
        "fusionbench: 1 by max could not be fused: 'colour.png' is in colour, of which only 8 bits can be written: "
        "fuse to grey, or write 8 bits.\n"
    )


def test_json_says_everything(layout: Layout, fused) -> None:
    Path(layout.ir, "lonely.png").write_bytes(Path(layout.ir, "1.png").read_bytes())
    assert fused("max")[0] == 0
    Path("out/max/10.png").unlink()
    images.write(layout.vis / "10.png", picture(3, rows=40))
    code, out, err = fused("max", "--json")
    result = json.loads(out)
    assert code == 1
    assert [(image["pair"], image["kept"]) for image in result["images"]] == [("1", True), ("2", True), ("10", False)]
    assert result["images"][2]["file"] is None
    assert "40" in result["images"][2]["reason"]
    assert result["recipes"] == [{"method": "max", "version": 1, "color": "luma", "parameters": {}}]
    assert result["remarks"] == ["Infrared images without a visible partner (1): lonely.png"]
    assert err.splitlines()[1] == "Of 1 images, 1 could not be fused:"


def test_one_bad_pair_costs_only_itself(layout: Layout, fused) -> None:
    (layout.vis / "2.png").write_text("not an image")
    code, out, err = fused("max", "min")
    assert code == 1
    assert [row[1:4] for row in rows(out)] == [["2", "0", "1"]] * 2
    lines = err.splitlines()
    assert lines[0] == "Of 6 images, 2 could not be fused:"
    assert lines[1].startswith("  2 images (max/2, min/2): 'vis/2.png' is not an image")
    assert len(lines) == 2
    assert not Path("out/max/2.png").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["gfff"], "Unknown method 'gfff': did you mean gff or "),
        (["weighted", "--set", "weight"], "'--set weight' gives no value: write --set NAME=VALUE."),
        (["weighted", "--set", "=3"], "'--set =3' gives no value: write --set NAME=VALUE."),
        (["weighted", "--set", "weigth=1"], "Unknown parameter of weighted 'weigth': did you mean weight?"),
        (["weighted", "--set", "weight=much"], "The parameter 'weight' of weighted cannot be 'much': give a number."),
        (
            ["weighted", "--set", "gff.tie=visible"],
            "'--set gff.tie=visible' is for the method 'gff', which is not among",
        ),
        (["max", "weighted", "--set", "weight=1"], "'max' has no parameters, so 'weight' cannot be set: leave it out."),
        (["max", "min", "--weights", "x.npz"], "Nothing in max or min depends on --weights: leave it out."),
        (["max", "--preset", "vifb"], "'max' has no presets, so it cannot follow 'vifb': leave the preset out."),
        (["max", "--color", "rgb"], "Unknown colour mode 'rgb': there are luma, per-channel, grey."),
        (["max", "--depth", "12"], "Images of 12 bits cannot be written: use 8 or 16."),
        (["max", "--format", "webp"], "Unknown image format 'webp': "),
        (["max", "--workers", "0"], "0 workers cannot do anything: give at least 1."),
        ([], "Missing argument 'METHOD...' (see 'fusionbench fuse --help')."),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing_behind(words: list[str], sentence: str, fused) -> None:
    code, out, err = fused(*words)
    assert (code, out) == (2, "")
    assert err.startswith(f"fusionbench: {sentence}")
    assert err.count("\n") == 1
    assert not Path("out").exists()


def test_nothing_fused_is_one_sentence(layout: Layout, fused) -> None:
    for name in ("1", "2", "10"):
        images.write(layout.vis / f"{name}.png", picture(1, rows=20))
        images.write(layout.ir / f"{name}.png", picture(1, rows=20))
    code, out, err = fused("max")
    assert (code, out) == (2, "")
    assert err.startswith("fusionbench: None of 3 images could be fused; the first, 1 by max: 'vis/1.png' is 64 x 20")
    assert not Path("out/max").exists()


def test_weights_go_to_the_methods_that_have_any(fused) -> None:
    code, _, err = fused("max", "cnn", "--weights", "missing.mat")
    assert code == 1
    assert "missing.mat" in err
    assert len(list(Path("out/max").glob("*.png"))) == 3


def test_plugin_is_a_method_like_any_other(layout: Layout, said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(METHODS, "_entries", dict(METHODS._entries))
    monkeypatch.setattr(METHODS, "_loaded", dict(METHODS._loaded))
    Path("mine.py").write_text(
        "from fusionbench.baselines.card import method\n"
        "@method('mine', title='Mine', authors='', year=0, doi='', summary='One.', defaults='none')\n"
        "def mine(ir, vis, *, gain: float = 1.0):\n"
        "    return gain * vis\n"
    )
    words = ["--ir", str(layout.ir), "--vis", str(layout.vis), "-o", "out", "--set", "gain=0.5", "--quiet"]
    assert cli.main(["--plugin", "mine.py", "fuse", "mine", *words]) == 0
    expected = (images.read(layout.vis / "1.png").astype(int) + 1) // 2
    np.testing.assert_array_equal(images.read(Path("out/mine/1.png")), expected)


# method


def test_list_names_every_method(said) -> None:
    code, out, err = said("method", "list")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[2:-1]] == METHODS.names()
    cards = json.loads(said("method", "list", "--json")[1])
    assert [card["name"] for card in cards] == METHODS.names()
    assert all(card["summary"] for card in cards)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_list_of_one_kind(kind: str, said) -> None:
    code, out, _ = said("method", "list", "--kind", kind)
    assert code == 0
    assert {line.split()[1] for line in out.splitlines()[2:-1]} == {kind}
    cards = json.loads(said("method", "list", "--kind", kind, "--json")[1])
    assert [card["name"] for card in cards] == [name for name in METHODS.names() if METHODS[name].card.kind == kind]
    assert all((card["weights"] is not None) == (kind == "network") for card in cards)


def test_list_of_a_kind_that_does_not_exist(said) -> None:
    code, out, err = said("method", "list", "--kind", "networks")
    assert (code, out, err) == (2, "", "fusionbench: Unknown kind of method 'networks': did you mean network?\n")


def test_every_network_has_its_kind_and_nothing_else_has() -> None:
    # CNN is one, too, though it came with the classical methods and needs no torch.
    networks = {name for name in METHODS.names() if METHODS[name].card.kind == "network"}
    assert networks == {*NETWORKS, "cnn"}


def test_list_says_how_it_stands_with_weights(tmp_path: Path, said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSIONBENCH_CACHE", str(tmp_path))

    def weights() -> dict[str, dict[str, str]]:
        cards = json.loads(said("method", "list", "--kind", "network", "--json")[1])
        return {card["name"]: card["weights"] for card in cards}

    before = weights()
    assert before["clfnet"]["status"] == "shipped"
    assert before["clfnet"]["name"] == "clfnet@fusionbench"
    assert before["cnn"] == {"status": "give", "name": "", "licence": "", "allowed": ""}
    assert before["coconet"]["status"] == "fetch"
    assert before["coconet"]["allowed"] == "MIT"
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "coconet@official.pth").write_bytes(b"anything")
    # The card of these has no hash to compare with, so a file of that name is taken for them until it is opened.
    assert weights()["coconet"]["status"] == "at hand"
    assert "Weights   come with this package; clfnet@fusionbench" in said("method", "info", "clfnet")[1]
    row = next(line.split() for line in said("method", "list")[1].splitlines() if line.startswith("clfnet "))
    assert row[1:5] == ["network", "2022", "shipped", "Apache-2.0"]


@pytest.mark.parametrize("name", METHODS.names())
def test_info_shows_the_card_and_the_parameters(name: str, said) -> None:
    code, out, err = said("method", "info", name)
    assert (code, err) == (0, "")
    card = METHODS[name].card
    text = " ".join(out.split())
    assert out.startswith(f"{name}: {card.title}\n")
    assert card.summary in text
    assert card.doi in text
    described = json.loads(said("method", "info", name, "--json")[1])
    assert described["doi"] == card.doi
    for parameter in described["parameters"]:
        assert re.search(rf"^{parameter['name']} ", out, re.MULTILINE)
        assert parameter["meaning"] in text


def test_info_shows_what_a_preset_changes(said) -> None:
    out = said("method", "info", "fpde")[1]
    assert "Preset    vifb: color=per-channel, rounded_base=True\n" in out
    assert "\nPaper     as old as the field; nobody's paper\n" in said("method", "info", "max")[1]


def test_unknown_method_has_no_info(said) -> None:
    code, out, err = said("method", "info", "latllr")
    assert (code, out) == (2, "")
    assert err == "fusionbench: Unknown method 'latllr': did you mean latlrr?\n"
