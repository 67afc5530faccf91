"""What README.md says is so: its commands and its Python run, what it states is right."""

from __future__ import annotations

import re
import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

import fusionbench as fb
from conftest import ROOT
from fusionbench import cli
from fusionbench.baselines import METHODS
from fusionbench.baselines.learned.weights import NETWORKS
from fusionbench.cli.demo import _SCENES, _SIZE
from fusionbench.datasets import synthetic
from fusionbench.fusing import fuse_folder
from fusionbench.metrics import CORE, METRICS
from fusionbench.metrics.conventions import CONVENTIONS

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    shlex.split(line.removeprefix("$ "), comments=True)
    for kind, text in BLOCKS
    if kind == "console"
    for line in text.splitlines()
]
PYTHON = [text for kind, text in BLOCKS if kind == "python"]
TOML = [text for kind, text in BLOCKS if kind == "toml"]

ELSEWHERE = {
    # Running the tests within a test would not end, and the others take minutes.
    "make demo",
    "make test",
    "make lint",
    ".ci/run",
    "python benchmarks/score_speed.py",
    "python benchmarks/method_speed.py",
    "python benchmarks/metric_speed.py",
    # In the folder of the examples results/ are the user's: tests/test_results.py does the same.
    "fusionbench leaderboard results/tno/scores.parquet scores.csv",
    # They need a network.
    "pip install -c constraints.txt .",
    "pip install -c constraints.txt '.[learned]'",
    "fusionbench weights fetch coconet@official",
    # What was fetched, and a graphics card.
    "fusionbench fuse coconet --ir tno/ir --vis tno/vi -o results --device cuda",
    "fusionbench dataset fetch roadscene",
    # Files of somebody else's: tests/test_foreign.py and tests/test_command.py have some.
    "fusionbench fuse onnx:theirs.onnx --ir tno/ir --vis tno/vi -o results",
    "fusionbench fuse theirs=torchscript:latest.pt --set trust=true --ir tno/ir --vis tno/vi -o results",
    "fusionbench fuse 'command:python their.py --ir {ir} --vis {vis} --out {out}' --ir tno/ir --vis tno/vi -o results "
    "--set timeout=60",
    # A scheduler: tests/test_cluster.py has one.
    "dask scheduler --port 8786",
    "dask worker tcp://head:8786 --nworkers 16 --nthreads 1",
    "fusionbench run llvip.toml --cluster tcp://head:8786 --no-report",
}
# The scenes that stand in for TNO are not TNO, and it says so.
INCOMPLETE = {"fusionbench dataset verify tno"}
SHORTER = {
    # One step says that the words are right; tests/test_training.py says that it learns.
    "train": "--steps 1 --batch 1 --crop 32 --hold-out 1".split(),
    "cost": "--size 64x48 --runs 1".split(),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with what the examples name, and registries that forget what they add."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("FUSIONBENCH_CACHE", str(tmp_path / "cache"))
    for registry in (METRICS, METHODS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
        monkeypatch.setattr(registry, "_loaded", dict(registry._loaded))
    synthetic.make(tmp_path / "tno", 3, (192, 168))  # MS-SSIM needs 161
    for side in ("ir", "vis"):
        (tmp_path / "tno" / side / "03.png").rename(tmp_path / "tno" / side / "17.png")
    for name in ("roadscene", "msrs"):
        shutil.copytree("tno", name)
    Path("tno/vis").rename("tno/vi")
    list(fuse_folder(["max"], "tno/ir", "tno/vi", "."))
    Path("results").mkdir()
    Path("max").rename("results/mymethod")
    table = fb.score_folder("results", ir="tno/ir", vis="tno/vi")
    table.to_csv("ours.csv", index=False)
    table.assign(method="TheirMethod").to_csv("theirs.csv", index=False)
    for text in (*PYTHON, *TOML):
        if file := re.match(r"# (\w+\.(?:py|toml))\n", text):
            Path(file[1]).write_text(text)
    return tmp_path


def test_every_command_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In order, since some read what others wrote."""
    for words in COMMANDS:
        command = shlex.join(words)
        if words[0] != "fusionbench" or command in ELSEWHERE:
            continue
        if find_spec("torch") is None and "clfnet" in words:
            continue
        added = SHORTER.get(words[1], [])
        capsys.readouterr()
        code = int(command in INCOMPLETE)
        assert (cli.main([*words[1:], *added]), command) == (code, command), capsys.readouterr().err
        if "-o" in words:
            target = Path(words[words.index("-o") + 1])
            assert target.is_dir() or target.stat().st_size > 100, command


def test_what_does_not_run_here_is_in_the_readme() -> None:
    there = {shlex.join(words) for words in COMMANDS}
    assert there >= ELSEWHERE
    assert {command for command in there if not command.startswith("fusionbench ")} <= ELSEWHERE


def test_every_python_block_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [file[1] for text in PYTHON if (file := re.match(r"# (\w+\.py)\n", text))]
    # These are run by --plugin.
    assert sorted(files) == sorted(words[words.index("--plugin") + 1] for words in COMMANDS if "--plugin" in words)
    names: dict[str, object] = {}
    for text in PYTHON:
        if not re.match(r"# \w+\.py\n", text):
            exec(text, names)
    assert names["values"].keys() == set(CORE)  # type: ignore[attr-defined]
    assert len(names["table"]) == 3  # type: ignore[arg-type]
    assert "\\toprule" in capsys.readouterr().out


def test_every_convention_has_its_row() -> None:
    section = README.partition("\n| `--convention` |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", section, re.MULTILINE) == list(CONVENTIONS)


def test_names_and_numbers_in_the_text_are_right() -> None:
    assert f"`{' '.join(CORE)}`" in README
    assert f"Version {fb.__version__}" in README
    foreign = [name for name in METHODS.names() if METHODS[name].card.kind == "foreign"]
    assert len(METHODS.names()) - len(NETWORKS) - len(foreign) == 40
    assert all(f"`{name}:" in README for name in foreign)
    assert "Forty classical methods" in README
    assert all(f"`{name}`" in README for name in NETWORKS)


def test_files_that_it_names_exist() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    named = re.findall(r"`((?:tests|metrics|baselines|results/demo)/[\w./-]*)`", README)
    for path in [
        *links,
        *named,
        "benchmarks/score_speed.py",
        "benchmarks/method_speed.py",
        "benchmarks/metric_speed.py",
        "constraints.txt",
        "LICENSE",
    ]:
        assert (ROOT / path).exists(), path
    for _, anchor in re.findall(r"\[(\w+)\]\(#([\w-]+)\)", README):
        assert f"\n## {anchor.replace('-', ' ').capitalize()}\n" in README


def test_the_table_is_of_the_demo(tmp_path: Path) -> None:
    """Two of its rows, made anew."""
    synthetic.make(tmp_path, _SCENES, _SIZE)
    sources = tmp_path / "ir", tmp_path / "vis"
    list(fuse_folder(["average", "lp"], *sources, tmp_path / "fused"))
    means = fb.score_folder(tmp_path / "fused", *sources).groupby("method").mean(numeric_only=True)
    [header] = [line for line in README.splitlines() if line.startswith("| method |")]
    columns = [cell.strip(" ↑") for cell in header.split("|")[1:-1]]
    for method, expected in means.iterrows():
        [line] = [line for line in README.splitlines() if line.startswith(f"| {method} |")]
        cells = [re.sub(r"</?ins>|\*\*", "", cell).strip() for cell in line.split("|")[1:-1]]
        shown = dict(zip(columns, cells, strict=True))
        # Four digits are printed.
        assert [float(shown[name]) for name in CORE] == pytest.approx([expected[name] for name in CORE], rel=6e-4)
