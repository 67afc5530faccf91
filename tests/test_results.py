"""The tables in results/ are what this code makes: a sample of their numbers is made again."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from conftest import ROOT
from fusionbench import fuse, images
from fusionbench.datasets import pairs_in
from fusionbench.leaderboards import leaderboard
from fusionbench.scoring import score

DATASETS = {"tno": 42, "roadscene": 50, "vifb": 21, "msrs": 20}
CONVENTIONS = ("standard", "tang-uint8", "vifb")
SAMPLE = ("average", "lp", "gff", "adf", "tif")


def table(name: str) -> pd.DataFrame:
    return pd.read_parquet(ROOT / "results" / name / "scores.parquet")


@pytest.mark.parametrize("name", DATASETS)
def test_everything_is_there(name: str) -> None:
    scores = table(name)
    assert scores["pair"].nunique() == DATASETS[name]
    assert tuple(scores["convention"].unique()) == CONVENTIONS
    assert scores.groupby("convention")["method"].nunique().min() >= 41
    assert not scores.duplicated(["pair", "method", "metric", "convention"]).any()
    folder = ROOT / "results" / name
    for convention in CONVENTIONS:
        means = pd.read_csv(folder / f"{convention}.csv").set_index("method")
        rows = scores[scores["convention"] == convention].pivot_table("value", "method", "metric", sort=False)
        for metric in ("EN", "SD", "Qabf"):
            assert means[metric].to_numpy() == pytest.approx(rows.loc[means.index, metric].to_numpy(), rel=1e-12)
    assert "fingerprint" in (folder / "README.md").read_text()


def test_a_table_of_ones_own_is_ranked_among_them(tmp_path: Path) -> None:
    """As `score` writes it: wide, with the name of a file, and without that of the dataset."""
    rows = table("tno").query("method == 'lp' and convention == 'standard'")
    wide = rows.pivot(index="pair", columns="metric", values="value")[["EN", "SSIM"]].reset_index()
    mine = wide.assign(method="mine", image=wide["pair"] + ".png", convention="standard").drop(columns="pair")
    mine.to_csv(tmp_path / "mine.csv", index=False)
    tables = [ROOT / "results" / "tno" / "scores.parquet", tmp_path / "mine.csv"]
    [board, *_] = leaderboard(tables, metrics="EN,SSIM", resamples=50).boards
    places = {method: board.ranking.rank[at] for at, method in enumerate(board.ranking.methods)}
    assert len(places) == 42
    assert places["mine"] == places["lp"]


@pytest.mark.parametrize("method", SAMPLE)
@pytest.mark.parametrize("name", DATASETS)
def test_a_sample_is_reproduced(name: str, method: str, shared: Path) -> None:
    """One pair of each dataset: fused anew, scored anew, by every convention."""
    scores = table(name)
    pair = pairs_in(shared / "data" / name)[0]
    again = fuse(method, pair.ir, pair.vis)
    mine = scores[(scores["pair"] == pair.name) & (scores["method"] == method)]
    for convention in CONVENTIONS:
        rows = mine[mine["convention"] == convention].set_index("metric")["value"].dropna()
        wanted = [metric for metric in rows.index if metric in QUICK]
        found = score(again, images.read(pair.ir), images.read(pair.vis), metrics=wanted, convention=convention)
        assert len(wanted) > 5
        for metric in wanted:
            assert found[metric] == pytest.approx(rows[metric], rel=1e-9), (convention, metric)


QUICK = {"EN", "AG", "SF", "SD", "SCD", "VIF", "MI", "SSIM", "CC", "MSE", "RMSE", "PSNR", "Qabf", "EI", "CE", "Nabf"}
