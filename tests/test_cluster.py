"""Work on a Dask cluster: one on this machine, made for the purpose."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from published import GOLDEN

from fusionbench.cli import main
from fusionbench.datasets import synthetic
from fusionbench.scoring import score_paths
from fusionbench.types import UserError


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: the extra 'cluster' brings it")
    with warnings.catch_warnings():
        # Dask's own sockets and loops are not ours to close.
        warnings.simplefilter("ignore")
        with distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as cluster:
            yield cluster.scheduler_address


def folders() -> tuple[Path, Path, Path]:
    formula = GOLDEN / "formula"
    return formula / "sharp", formula / "ir", formula / "vis"


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_cluster_scores_what_threads_score(address: str) -> None:
    seen: list[tuple[int, int]] = []
    there = score_paths(*folders(), "EN,SSIM,SCD", cluster=address, progress=lambda *counts: seen.append(counts))
    here = score_paths(*folders(), "EN,SSIM,SCD", workers=1)
    assert there.rows == here.rows
    assert seen[-1] == (6, 6)


def test_no_scheduler_is_one_sentence() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(UserError, match="No Dask scheduler answers at 'nonsense://x'"):
        score_paths(*folders(), "EN", cluster="nonsense://x")


BENCH = """
[benchmark]
name = "mine"
metrics = "EN,SD,SSIM"
[[dataset]]
name = "streets"
root = "streets"
[[method]]
name = "lp"
[[method]]
name = "gtf"
"""


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """A part of Dask, as one would start it on a machine of a cluster."""
    log = (folder / f"{words[0]}.log").open("ab")
    with log:
        return subprocess.Popen([sys.executable, "-m", "dask", *words], cwd=folder, stdout=log, stderr=log)


def test_a_run_survives_a_worker(tmp_path: Path) -> None:
    """One of two workers is killed in the middle: the other takes over, and the table is that of threads here."""
    pytest.importorskip("distributed", reason="Dask is not installed: the extra 'cluster' brings it")
    synthetic.make(tmp_path / "streets", 24, (96, 72))
    (tmp_path / "bench.toml").write_text(BENCH)
    told = tmp_path / "scheduler.json"
    parts = [
        start(
            tmp_path, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told)
        )
    ]
    try:
        until(told.exists)
        address = json.loads(told.read_text())["address"]
        words = ["worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny", "--host", "127.0.0.1"]
        parts += [start(tmp_path, *words), start(tmp_path, *words)]
        run = ["run", "bench.toml", "-o", str(tmp_path / "there"), "--cluster", address, "--no-report", "--quiet"]
        running = subprocess.Popen([sys.executable, "-m", "fusionbench", *run], cwd=tmp_path)
        parts.append(running)
        until(lambda: len(list((tmp_path / "there").rglob("*.png"))) >= 6)
        parts[1].kill()
        assert len(list((tmp_path / "there").rglob("*.png"))) < 48
        assert running.wait(120) == 0
    finally:
        for part in parts:
            part.kill()
            part.wait()
    here = ["run", str(tmp_path / "bench.toml"), "-o", str(tmp_path / "here"), "--no-report", "--quiet"]
    assert main(here) == 0
    for name in ("scores.parquet", "leaderboard.csv", "failures.csv"):
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def until(done: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)
