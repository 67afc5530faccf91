"""A benchmark is done once, whatever happens meanwhile, and says what it lacks."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from fusionbench import files, images, pixels, planning
from fusionbench.baselines import METHODS
from fusionbench.baselines.card import method
from fusionbench.cells import Entry, Log
from fusionbench.cli import main
from fusionbench.datasets import synthetic
from fusionbench.isolation import Isolated
from fusionbench.metrics import METRICS
from fusionbench.metrics.card import metric
from fusionbench.recipe import recipe
from fusionbench.types import UserError

SAME = ("scores.parquet", "failures.csv", "leaderboard.csv", "leaderboard.md", "leaderboard.tex")

BENCH = """\
[benchmark]
name = "mine"
metrics = "EN,SD,MI"
convention = ["standard", "tang-uint8"]
{more}
[[dataset]]
name = "streets"
root = "streets"

[[method]]
name = "average"

[[method]]
name = "lp"

[[method]]
name = "third"
method = "weighted"
parameters = {{ weight = 0.25 }}
{methods}
"""


@pytest.fixture(scope="module")
def streets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight small pairs."""
    folder = tmp_path_factory.mktemp("data") / "streets"
    synthetic.make(folder, 8, (48, 40))
    return folder


@pytest.fixture
def bench(tmp_path: Path, streets: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A benchmark in the working folder, and its pairs beside it."""
    shutil.copytree(streets, tmp_path / "streets")
    path = tmp_path / "bench.toml"
    write(path)
    monkeypatch.chdir(tmp_path)
    return path


def write(path: Path, more: str = "", methods: str = "") -> None:
    path.write_text(BENCH.format(more=more, methods=methods))


def run(*words: str | Path) -> int:
    return main(["run", *map(str, words), "--quiet", "--no-report", "--workers", "2"])


def done(capsys: pytest.CaptureFixture[str], *words: str | Path, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run(*words, "--json") == code
    return json.loads(capsys.readouterr().out)


def results(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in SAME}


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


# What it leaves


def test_makes_what_it_says(bench: Path) -> None:
    assert main(["run", str(bench), "--quiet"]) == 0
    table = pd.read_parquet("mine/scores.parquet")
    assert list(table) == ["dataset", "pair", "method", "metric", "convention", "value"]
    assert len(table) == 8 * 3 * (3 + 3)
    assert len(content(Path("mine/fused/streets"))) == 24
    assert json.loads(Path("mine/fused/streets/third/recipe.json").read_text())["recipe"]["parameters"] == {
        "weight": 0.25
    }
    environment = json.loads(Path("mine/environment.json").read_text())
    assert {"versions", "machine", "commit", "datasets", "seconds", "wall"} <= set(environment)
    assert Path("mine/leaderboard.md").read_text().count("third") >= 2
    page = Path("mine/report.html").read_text()
    assert "third" in page
    assert "data:image" in page
    assert {path.name for path in Path("mine/figures").iterdir()} == {
        "standard-cd.pdf",
        "standard-heatmap.pdf",
        "tang-uint8-cd.pdf",
        "tang-uint8-heatmap.pdf",
        "streets-grid.pdf",
    }


def test_scores_are_those_of_score(bench: Path) -> None:
    run(bench)
    table = pd.read_parquet("mine/scores.parquet")
    for convention in ("standard", "tang-uint8"):
        words = ["--ir", "streets/ir", "--vis", "streets/vis", "--metrics", "EN,SD,MI", "--convention", convention]
        assert main(["score", "mine/fused/streets", *words, "-o", "again.csv", "--quiet"]) == 0
        again = pd.read_csv("again.csv")
        again = again.assign(pair=again["image"].str.removesuffix(".png")).set_index(["method", "pair"])
        mine = table[table["convention"] == convention].pivot(
            index=["method", "pair"], columns="metric", values="value"
        )
        assert (mine == again.loc[mine.index, list(mine)]).all(axis=None)


def test_images_are_those_of_fuse(bench: Path) -> None:
    run(bench)
    assert main(["fuse", "lp", "--ir", "streets/ir", "--vis", "streets/vis", "-o", "again", "--quiet"]) == 0
    for path in Path("again/lp").glob("*.png"):
        assert (images.read(path) == images.read(Path("mine/fused/streets/lp") / path.name)).all()


# What is done already


def test_a_second_run_does_nothing(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = done(capsys, bench)
    before = results(Path("mine"))
    for path in Path("streets").rglob("*.png"):
        os.utime(path)
    second = done(capsys, bench)
    assert (first["fused"], first["scored"], second["fused"], second["scored"]) == (24, 24, 0, 0)
    assert results(Path("mine")) == before


def test_another_metric_scores_but_does_not_fuse(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(bench)
    bench.write_text(bench.read_text().replace("EN,SD,MI", "EN,SD,MI,CC"))
    again = done(capsys, bench)
    assert (again["fused"], again["scored"]) == (0, 24)
    assert len(pd.read_parquet("mine/scores.parquet")) == 8 * 3 * 8


def test_another_parameter_makes_that_method_anew(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(bench)
    before = content(Path("mine/fused"))
    bench.write_text(bench.read_text().replace("0.25", "0.75"))
    again = done(capsys, bench)
    assert (again["fused"], again["scored"]) == (8, 8)
    changed = {name for name, data in content(Path("mine/fused")).items() if data != before[name]}
    assert changed == {f"streets/third/{k:02}.png" for k in range(1, 9)}


def test_another_source_makes_that_pair_anew(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(bench)
    path = Path("streets/ir/03.png")
    stat = path.stat()
    images.write(path, 255 - images.read(path))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    again = done(capsys, bench)
    assert (again["fused"], again["scored"]) == (3, 3)


def test_a_spoilt_image_is_made_anew(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(bench)
    before, kept = results(Path("mine")), content(Path("mine/fused"))
    spoilt = Path("mine/fused/streets/lp/02.png")
    spoilt.write_bytes(spoilt.read_bytes()[:-30])
    Path("mine/fused/streets/lp/04.png").unlink()
    # Another's image under that name, and our own with other pixels.
    shutil.copy("streets/ir/05.png", "mine/fused/streets/lp/05.png")
    six = Path("mine/fused/streets/lp/06.png")
    images.write(six, 255 - images.read(six), note=images.note_in(six.read_bytes()))
    again = done(capsys, bench)
    assert (again["fused"], again["scored"]) == (4, 0)
    assert content(Path("mine/fused")) == kept
    assert results(Path("mine")) == before


def test_prune(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(bench)
    bench.write_text(bench.read_text().replace("third", "other"))
    done(capsys, bench)
    assert Path("mine/fused/streets/third").is_dir()
    again = done(capsys, bench, "--prune")
    assert len(again["removed"]) == 9
    assert not Path("mine/fused/streets/third").exists()
    assert not Path("mine/cells/streets/third.jsonl").exists()
    last = done(capsys, bench)
    assert (last["fused"], last["scored"]) == (0, 0)


def test_dry_run_does_nothing(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = done(capsys, bench, "--dry-run")
    assert not Path("mine").exists()
    assert [(cell["fuse"], cell["score"], cell["done"]) for cell in plan["cells"]] == [(8, 8, 0)] * 3
    assert plan["seconds"] > 0
    assert plan["bytes"] > 0
    run(bench)
    bench.write_text(bench.read_text().replace("0.25", "0.5"))
    plan = done(capsys, bench, "--dry-run")
    assert [(cell["fuse"], cell["score"], cell["done"]) for cell in plan["cells"]] == [(0, 0, 8), (0, 0, 8), (8, 8, 0)]


def test_metrics_of_colour_are_left_out_of_grey_images(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in Path("streets/vis").glob("*.png"):
        images.write(path, pixels.luma(images.read(path), "bt601"))
    bench.write_text(bench.read_text().replace('"EN,SD,MI"', '"all"').replace(', "tang-uint8"', ""))
    # Too small for a window of some, which is said of each; of colour nothing is said.
    failures = done(capsys, bench, code=1)["failures"]
    assert {"VIF", "MS-SSIM"} <= {one["metric"] for one in failures}
    assert not {"CF", "Delta-E"} & {one["metric"] for one in failures}
    assert not {"CF", "Delta-E"} & set(pd.read_parquet("mine/scores.parquet")["metric"])
    bench.write_text(bench.read_text().replace('"all"', '"EN,CF"'))
    assert {one["metric"] for one in done(capsys, bench, code=1)["failures"]} == {"CF"}


# Images made elsewhere, and several datasets


def test_images_made_elsewhere(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree("streets/vis", "theirs/results")
    Path("theirs/results/08.png").unlink()
    write(bench, methods='[[method]]\nname = "Theirs"\nfused = "theirs/results"')
    again = done(capsys, bench, code=1)
    assert [(one["method"], one["pair"]) for one in again["failures"]] == [("Theirs", "08")]
    table = pd.read_parquet("mine/scores.parquet")
    assert len(table[table["method"] == "Theirs"]) == 7 * 6
    assert "There is no image of '08' by Theirs." in Path("mine/failures.csv").read_text()
    assert main(["report", "mine", "-o", "page.html", "--quiet"]) == 0
    assert "Theirs" in Path("page.html").read_text()


def test_several_datasets(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree("streets", "more")
    shutil.copytree("streets/vis", "theirs/streets")
    shutil.copytree("streets/ir", "theirs/more")
    text = bench.read_text() + '[[method]]\nname = "Theirs"\nfused = "theirs/{dataset}"\n'
    bench.write_text(text + '[[dataset]]\nname = "more"\nir = "more/ir"\nvis = "more/vis"\n')
    again = done(capsys, bench)
    assert (again["fused"], again["scored"], again["images"]) == (48, 64, 64)
    assert sorted(pd.read_parquet("mine/scores.parquet")["dataset"].unique()) == ["more", "streets"]
    assert main(["report", "mine", "-o", "page.html", "--quiet"]) == 0


def test_known_datasets(bench: Path, streets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scenes that are made for the run, once; and a dataset with a card."""
    text = bench.read_text().replace('root = "streets"', 'root = "streets"\n[[dataset]]\nname = "synthetic"\ncount = 3')
    bench.write_text(text.replace("EN,SD,MI", "EN"))
    assert done(capsys, bench)["images"] == 3 * (8 + 3)
    assert len(list(Path("mine/data/synthetic/ir").iterdir())) == 3
    assert done(capsys, bench)["scored"] == 0
    bench.write_text(text.replace('"synthetic"\ncount = 3', '"msrs"\nroot = "streets"\nsplit = "tset"'))
    assert run(bench) == 2
    assert "did you mean test" in capsys.readouterr().err


# What goes wrong


def add(name: str, function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> str:
    method(name, title=name, authors="", year=2026, doi="", summary="", defaults="")(function)
    return f'[[method]]\nname = "{name}"\n'


def test_bad_methods_cost_their_images_only(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def stumbling(ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
        raise ZeroDivisionError("by nought")

    methods = add("stumbling", stumbling)
    methods += add("nothing", lambda ir, vis: ir * np.nan)
    methods += add("smaller", lambda ir, vis: ir[1:])
    write(bench, methods=methods)
    again = done(capsys, bench, code=1)
    assert len(again["failures"]) == 24
    reasons = {one["method"]: one["reason"] for one in again["failures"]}
    assert "ZeroDivisionError: by nought" in reasons["stumbling"]
    assert "NaN" in reasons["nothing"]
    assert "shape" in reasons["smaller"]
    assert len(pd.read_parquet("mine/scores.parquet")) == 8 * 3 * 6


def test_a_mended_method_is_tried_again(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = [True]

    def moody(ir: np.ndarray, vis: np.ndarray) -> np.ndarray:
        if broken[0]:
            raise ValueError("today not")
        return (ir + vis) / 2

    write(bench, methods=add("moody", moody))
    done(capsys, bench, code=1)
    broken[0] = False
    again = done(capsys, bench)
    assert (again["fused"], again["scored"]) == (8, 8)


def test_a_metric_that_stumbles_is_asked_again(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = [True]

    @metric("MOOD", title="Mood", better="higher", range=(0, 1), sources=False, version=1, reference="none")
    def mood(t: Any) -> float:
        if broken[0]:
            raise ValueError("today not")
        return 0.5

    bench.write_text(bench.read_text().replace("EN,SD,MI", "EN,MOOD"))
    assert len(done(capsys, bench, code=1)["failures"]) == 24
    broken[0] = False
    assert not done(capsys, bench)["failures"]
    assert (pd.read_parquet("mine/scores.parquet").query("metric == 'MOOD'")["value"] == 0.5).all()


def test_an_unreadable_source_costs_its_pair(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(bench, "-o", "whole")
    data = Path("streets/vis/04.png").read_bytes()
    Path("streets/vis/04.png").write_bytes(data[:100])
    again = done(capsys, bench, code=1)
    assert {(one["pair"], one["metric"]) for one in again["failures"]} == {("04", "")}
    assert len(again["failures"]) == 3
    Path("streets/vis/04.png").write_bytes(data)
    assert done(capsys, bench)["fused"] == 3
    assert results(Path("mine")) == results(Path("whole"))


PLUGIN = """
import os, time
from fusionbench.baselines.card import method

@method("endless", title="Endless", authors="", year=2026, doi="", summary="", defaults="")
def endless(ir, vis):
    while ir[0, 0] >= 0 and float(ir.sum()) == LIMIT:
        time.sleep(0.01)
    return (ir + vis) / 2

@method("deadly", title="Deadly", authors="", year=2026, doi="", summary="", defaults="")
def deadly(ir, vis):
    os._exit(3)
"""


def test_a_method_that_never_ends(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It hangs on one image, and another method ends its process: both cost what they failed at, and nothing else."""
    total = float(images.read(Path("streets/ir/05.png")).astype(float).sum())
    Path("plugin.py").write_text(PLUGIN.replace("LIMIT", repr(total)))
    both = '[[method]]\nname = "endless"\ntimeout = 1.5\n[[method]]\nname = "deadly"\ntimeout = 20\n'
    bench.write_text(bench.read_text() + both)
    capsys.readouterr()
    for pair in range(6, 9):
        for side in ("ir", "vis"):
            Path(f"streets/{side}/{pair:02}.png").unlink()
    assert main(["--plugin", "plugin.py", "run", str(bench), "--quiet", "--no-report", "--json"]) == 1
    failures = json.loads(capsys.readouterr().out)["failures"]
    reasons = {(one["method"], one["pair"]): one["reason"] for one in failures}
    assert set(reasons) == {("endless", "05"), *(("deadly", f"{k:02}") for k in range(1, 6))}
    assert "1.5 s" in reasons["endless", "05"]
    assert "exit code 3" in reasons["deadly", "01"]


MINE = """
from fusionbench.baselines.card import method
from fusionbench.metrics import metric

@method("mine", title="Mine", authors="", year=2026, doi="", summary="", defaults="")
def blend(ir, vis):
    return WEIGHT * ir + (1 - WEIGHT) * vis

@metric("MINE", title="Mine", better="higher", range=(0, 255), sources=False, version=1, reference="none")
def darkest(t):
    return float(t.fused.min()) * WEIGHT
"""


def test_a_plugin_that_changed_is_another_one(
    bench: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who writes a method changes its code, not its name or parameters."""
    for registry in (METHODS, METRICS):
        monkeypatch.setattr(registry, "_loaded", dict(registry._loaded))
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    bench.write_text(bench.read_text().replace("EN,SD,MI", "EN,MINE") + '[[method]]\nname = "mine"\n')

    def counted(weight: float) -> list[int]:
        Path("plugin.py").write_text(MINE.replace("WEIGHT", str(weight)))
        capsys.readouterr()
        assert main(["--plugin", "plugin.py", "run", str(bench), "--quiet", "--no-report", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        return [found["fused"], found["scored"]]

    assert counted(0.25) == [32, 32]
    assert counted(0.25) == [0, 0]
    before = content(Path("mine/fused/streets"))
    assert counted(0.5) == [8, 32]
    after = content(Path("mine/fused/streets"))
    assert {name.split("/")[0] for name in after if after[name] != before[name]} == {"mine"}


def test_a_process_that_died_between_two_images() -> None:
    """As the system ends one when memory runs out: it costs one image, and the next one has a new process."""
    isolated, levels = Isolated(), np.arange(4096).reshape(64, 64).astype(np.uint8)
    chosen = recipe("average")
    try:
        first = isolated.fuse(chosen, levels, levels, "it", 60)
        isolated._all[0].process.kill()
        isolated._all[0].process.join()
        with pytest.raises(UserError, match=r"average ended the process that it ran in \(exit code -9\)"):
            isolated.fuse(chosen, levels, levels, "it", 60)
        np.testing.assert_array_equal(isolated.fuse(chosen, levels, levels, "it", 60), first)
    finally:
        isolated.close()


@pytest.mark.parametrize("seconds", ["inf", "nan", "1e9", "0.0", "-1.0"])
def test_a_timeout_that_no_system_can_wait_for(bench: Path, seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write_text(bench.read_text() + f'[[method]]\nname = "late"\nmethod = "average"\ntimeout = {seconds}\n')
    assert run(bench) == 2
    assert "timeout" in capsys.readouterr().err


def test_two_runs_in_one_folder(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine").mkdir()
    with FileLock("mine/.lock"):
        assert run(bench) == 2
    assert "Another run is at work in 'mine'" in capsys.readouterr().err
    assert run(bench) == 0


@pytest.mark.parametrize("number", [1, 7, 40])
def test_full_disk(
    bench: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    """Whichever write the disk refuses: one sentence, and afterwards the same command finishes the work."""
    run(bench, "-o", "whole")
    left = [number]
    rename, write_all = Path.replace, __import__("fusionbench.cells", fromlist=["x"])._write_all

    def full() -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    def replace(self: Path, target: Path) -> Path:
        full()
        return rename(self, target)

    def filling(file: Any, data: bytes) -> None:
        full()
        write_all(file, data)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", replace)
        patched.setattr("fusionbench.cells._write_all", filling)
        capsys.readouterr()
        assert run(bench) == 2
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert said.count("\n") == 1
    assert run(bench) == 0
    assert results(Path("mine")) == results(Path("whole"))


def test_a_log_on_a_full_disk() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    log = Log(Path("/dev/full"))
    with pytest.raises(UserError, match="No space left"):
        log.add(Entry("a", "", ""))
    log.close()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine").mkdir(mode=0o555)
    assert run(bench) == 2
    assert "cannot be written to" in capsys.readouterr().err
    Path("mine").chmod(0o755)
    assert run(bench) == 0


def test_a_file_in_the_way(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine/fused/streets").mkdir(parents=True)
    Path("mine/fused/streets/lp").write_text("in the way")
    assert run(bench) == 2
    assert "mine/fused/streets/lp" in capsys.readouterr().err
    Path("mine/fused/streets/lp").unlink()
    assert run(bench) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the attempts are forks of one process")
def test_fifty_kills(tmp_path: Path) -> None:
    """Killed over and over, at any moment: in the end the tables are those of a run that nobody disturbed, to the bit."""
    synthetic.make(tmp_path / "streets", 60, (40, 32))
    write(tmp_path / "bench.toml")
    words = [sys.executable, str(Path(__file__).parent / "killed.py"), "bench.toml", "killed", "56", "7"]
    said = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True)
    attempts = said.stdout.split("\n")[:-1]
    assert attempts.count("killed") >= 50, said.stdout + said.stderr
    for folder in ("killed", "whole"):
        words = ["run", str(tmp_path / "bench.toml"), "-o", str(tmp_path / folder), "--quiet", "--no-report"]
        assert main(words) == 0
    assert results(tmp_path / "killed") == results(tmp_path / "whole")
    assert content(tmp_path / "killed" / "fused") == content(tmp_path / "whole" / "fused")
    assert not list(tmp_path.rglob(".*.part"))


MEMORY = """
import resource, sys
from pathlib import Path
from fusionbench import planning, runner

plan, _ = planning.plan(Path("bench.toml"), Path("mine"))
for number, outcome in enumerate(runner.run(plan, workers=2), 1):
    if number % 400 == 0:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_pairs(tmp_path: Path) -> None:
    """What 1,200 pairs need at the peak, 400 of them needed; 20,000 are in benchmarks/run_scale.py."""
    pytest.importorskip("resource", reason="only Unix tells a process how much memory it had")
    synthetic.make(tmp_path / "scenes", 4, (32, 32))
    for side in ("ir", "vis"):
        (tmp_path / "streets" / side).mkdir(parents=True)
        for number in range(1200):
            os.link(tmp_path / f"scenes/{side}/{number % 4 + 1:02}.png", tmp_path / f"streets/{side}/{number:04}.png")
    write(tmp_path / "bench.toml")
    words = [sys.executable, "-c", MEMORY]
    said = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True)
    early, _, late = map(int, said.stdout.split())
    assert late - early < 12 << (20 if sys.platform == "darwin" else 10)


def test_torn_lines_are_passed_over(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl")
    log.add(Entry("a", "m", "s", {"k": 1.5, "n": float("nan")}, {"n": "why"}, 0.25))
    log.close()
    with log.path.open("ab") as file:
        file.write(b'{"pair": "b", "made')
    log.add(Entry("c", "m", "s"))
    log.close()
    first, second = log.entries()
    assert (first.pair, second.pair) == ("a", "c")
    assert first.values["k"] == 1.5
    assert np.isnan(first.values["n"])


# The file


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "lp"', 'nmae = "lp"', "line 14: 'nmae' in [[method]] does not exist; there are name, method"),
        ('name = "lp"', "", "line 13: 'name' in [[method]] is missing"),
        ('metrics = "EN,SD,MI"', "metrics = 3", "line 3: 'metrics' in [benchmark] cannot be 3"),
        ('name = "lp"', 'name = "average"', "line 14: the method 'average' is there twice"),
        (
            'name = "mine"',
            'name = "a/b"',
            "line 2: 'name' in [benchmark] cannot be 'a/b': a folder is called so, which ",
        ),
        ('name = "mine"', 'name = ""', "line 2: 'name' in [benchmark] cannot be '': a folder is called so, which "),
        (
            'root = "streets"',
            'size = "320"',
            "'size' in [[dataset]] cannot be '320': write width and height like 320x240.",
        ),
        ("[[dataset]]", "[[data]]", "line 6: [data] does not exist; there are benchmark, dataset, method"),
        ('name = "lp"', 'name = "lpp"', "did you mean lp"),
        ("weight = 0.25", "wight = 0.25", "wight"),
        ('root = "streets"', 'root = "nowhere"', "nowhere"),
        ("EN,SD,MI", "EN,SDD", "SDD"),
        ('root = "streets"', 'ir = "streets/ir"', "give vis, too"),
        ('"streets"\n\n', '"streets"\n\n[', "is not TOML"),
    ],
)
def test_mistakes_are_named(bench: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str) -> None:
    bench.write_text(bench.read_text().replace(old, new, 1))
    assert run(bench) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1
    assert not Path("mine").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: [benchmark] is missing (and 2 more mistakes)."),
        ('[benchmark]\nname = "mine"\n[[dataset]]\nname = "tno"\n', "line 1: [[method]] is missing."),
        (
            '[benchmark]\nname = "mine"\n[dataset]\nname = "tno"\n[[method]]\nname = "lp"\n',
            "line 3: [[dataset]] needs both its brackets twice, since there may be several.",
        ),
    ],
)
def test_tables_that_may_repeat_are_named_as_they_are_written(
    bench: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    bench.write_text(text)
    assert run(bench) == 2
    assert said in capsys.readouterr().err


def test_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("nowhere.toml") == 2
    assert "There is no file 'nowhere.toml'" in capsys.readouterr().err


def test_paths_start_from_the_file(bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    plan, _ = planning.plan(Path("../bench.toml"))
    assert plan.folder == Path("mine")
    assert len(plan.datasets[0].pairs) == 8


def test_sweep(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".0.part").touch()
    (tmp_path / "a" / "kept.png").touch()
    files.sweep(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "kept.png"]
