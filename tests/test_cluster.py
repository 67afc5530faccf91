"""Scoring on a Dask cluster: one on this machine, made for the purpose."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from published import GOLDEN

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
