"""Tables of scores, whoever made them: what is read from which form, and what is refused with which words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from layouts import folders

import fusionbench as fb
from fusionbench import store, tables
from fusionbench.scoring import score_paths
from fusionbench.types import UserError

WIDE = "method,image,EN,MSE\nA,1.png,7.5,0.1\nA,10.png,,3\nB,1.png,6,0.2\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def rows(table: tables.Table) -> list[list[object]]:
    return table.frame.replace({np.nan: None}).to_numpy(object).tolist()


# Forms


def test_wide(tmp_path: Path) -> None:
    table = tables.read(write(tmp_path / "s.csv", WIDE))
    assert list(table.frame.columns) == ["dataset", "pair", "method", "metric", "convention", "value"]
    assert rows(table) == [
        ["", "1", "A", "EN", "unknown", 7.5],
        ["", "1", "A", "MSE", "unknown", 0.1],
        ["", "10", "A", "EN", "unknown", None],
        ["", "10", "A", "MSE", "unknown", 3.0],
        ["", "1", "B", "EN", "unknown", 6.0],
        ["", "1", "B", "MSE", "unknown", 0.2],
    ]
    assert table.better == {"EN": "higher", "MSE": "lower"}
    assert (table.methods, table.metrics, table.datasets, table.conventions) == (
        ("A", "B"), ("EN", "MSE"), ("",), ("unknown",),
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "dataset,pair,method,metric,convention,value\nTNO,1,A,EN,vifb,7.5\n",
        "implementation,metric,dataset,method,image,value\nvifb,EN,TNO,A,1.png,7.5\n",
        "Value;Metric;Dataset;Method;Image;Convention\n7.5;EN;TNO;A;1.PNG;vifb\n",
        "\ufeffdataset\tmethod\timage\tconvention\tEN\nTNO\tA\t1.jpeg\tvifb\t7.5\n",
    ],
)
def test_long_and_others_forms(text: str, tmp_path: Path) -> None:
    assert rows(tables.read(write(tmp_path / "s.csv", text))) == [["TNO", "1", "A", "EN", "vifb", 7.5]]


def test_labels_stay_text(tmp_path: Path) -> None:
    text = "method,image,EN\nNA,007,1\nnull,1.2,2\n3,a.b.png,3\n"
    table = tables.read(write(tmp_path / "s.csv", text))
    assert [row[1:3] for row in rows(table)] == [["007", "NA"], ["1.2", "null"], ["a.b", "3"]]
    frame = pd.DataFrame({"method": ["A", "A"], "image": [1, 2], "EN": [1.0, 2.0]})
    frame.to_excel(tmp_path / "s.xlsx", index=False)
    assert [row[1] for row in rows(tables.read(tmp_path / "s.xlsx"))] == ["1", "2"]


def test_methods_as_a_whole_need_no_image(tmp_path: Path) -> None:
    table = tables.read(write(tmp_path / "s.csv", "method,EN\nA,7\nB,6\n"))
    assert [row[1:3] for row in rows(table)] == [["", "A"], ["", "B"]]


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx"])
def test_what_score_writes_is_read_to_the_last_digit(suffix: str, long: bool, tmp_path: Path) -> None:
    layout = folders(tmp_path)
    scores = score_paths(*layout, "EN,MSE", "tang-uint8")
    store.write(scores, tmp_path / f"scores.{suffix}", long=long)
    table = tables.read(tmp_path / f"scores.{suffix}")
    expected = [
        ["", row.pair, row.method, name, "tang-uint8", value]
        for row in scores.rows
        for name, value in row.values.items()
    ]
    assert rows(table) == expected
    assert table.metas[str(tmp_path / f"scores.{suffix}")]["convention"]["name"] == "tang-uint8"
    assert rows(tables.read(tmp_path)) == expected  # the folder has one file of scores
    assert rows(tables.read(scores.frame(long=long))) == expected
    assert rows(tables.read(table)) == expected


def test_pairs_of_other_names_are_known_from_the_meta_data(tmp_path: Path) -> None:
    layout = folders(tmp_path)
    for image in (layout.fused / "noisy").iterdir():
        image.rename(image.with_name(f"fused_{image.name}"))
    store.write(score_paths(*layout, "EN"), tmp_path / "s.csv")
    table = tables.read(tmp_path / "s.csv")
    pairs = {method: set(part["pair"]) for method, part in table.frame.groupby("method")}
    assert pairs["noisy"] == pairs["average"] == {"1", "2", "10"}


def test_several_sources_are_one_table(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", "method,image,EN\nA,1,7\n")
    two = pd.DataFrame({"method": ["B"], "image": ["1"], "SSIM": [0.5]})
    table = tables.read([one, two])
    assert [row[2:4] for row in rows(table)] == [["A", "EN"], ["B", "SSIM"]]


# Choosing


def test_metrics_are_chosen_in_order_and_spared_otherwise(tmp_path: Path) -> None:
    text = "method,image,remark,ssim,EN,Time\nA,1,good,0.5,7,12\n"
    path = write(tmp_path / "s.csv", text)
    assert tables.read(path, metrics="en, SSIM").metrics == ("EN", "ssim")
    assert tables.read(path, metrics="core").metrics == ("EN", "ssim")
    assert tables.read(path, metrics=["EN"]).metrics == ("EN",)
    assert tables.read(path, metrics=["EN"]).blocks()[0].values.tolist() == [[[7]]]
    with pytest.raises(UserError, match=r"'good' in the column 'remark', which is not a number"):
        tables.read(path)
    with pytest.raises(UserError, match=r"Unknown metric 'SIM'"):
        tables.read(path, metrics="SIM,EN")


def test_methods_are_chosen(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", WIDE)
    assert tables.read(path, methods="b").methods == ("B",)
    with pytest.raises(UserError, match=r"Unknown method 'C': there are A, B\."):
        tables.read(path, methods="C")


# Directions


def test_directions_of_published_names() -> None:
    names = "Cross_entropy Entropy Mutinf Psnr Avg_gradient Edge_intensity Variance Spatial_frequency Rmse Qcv MS-SSIM"
    frame = pd.DataFrame({"method": ["A"], **{name: [1.0] for name in names.split()}})
    better = tables.read(frame).better
    assert [name for name, side in better.items() if side == "lower"] == ["Cross_entropy", "Rmse", "Qcv"]


def test_unknown_directions_are_asked_for() -> None:
    frame = pd.DataFrame({"method": ["A"], "Time": [1.0], "Votes": [3], "EN": [2]})
    sentence = "It is not known whether more or less of 'Time' is better: say --higher Time or --lower Time"
    with pytest.raises(UserError, match=sentence):
        tables.read(frame)
    better = tables.read(frame, lower=["time", "EN"], higher=["Votes"]).better
    assert better == {"Time": "lower", "Votes": "higher", "EN": "lower"}
    with pytest.raises(UserError, match="both higher and lower"):
        tables.read(frame, lower=["Time"], higher=["Time", "Votes"])
    with pytest.raises(UserError, match="Unknown metric 'Tmie': did you mean Time"):
        tables.read(frame, lower=["Tmie"])


def test_meta_data_tells_directions(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "method,image,MINE\nA,1,2\n")
    meta = {"convention": {"name": "standard"}, "metrics": {"MINE": {"better": "lower"}}}
    write(tmp_path / "s.meta.json", json.dumps(meta))
    table = tables.read(path)
    assert (table.better, table.conventions) == ({"MINE": "lower"}, ("standard",))


# Cubes


def test_blocks_keep_conventions_apart_and_pool_datasets() -> None:
    labels = [("X", "1", "u"), ("Y", "1", "u"), ("X", "1", "v")]
    frame = pd.DataFrame(
        [
            {"dataset": dataset, "pair": pair, "convention": whose, "method": method, "EN": at + 10 * number}
            for number, (dataset, pair, whose) in enumerate(labels)
            for at, method in enumerate("AB")
        ]
    )
    table = tables.read(frame)
    pooled, other = table.blocks()
    assert (pooled.dataset, pooled.convention, pooled.pairs) == ("", "u", ("X/1", "Y/1"))
    assert pooled.values[..., 0].tolist() == [[0, 1], [10, 11]]
    assert (other.dataset, other.convention, other.pairs) == ("X", "v", ("1",))
    assert [(b.dataset, b.convention) for b in table.blocks(by_dataset=True)] == [("X", "u"), ("Y", "u"), ("X", "v")]


def test_blocks_say_what_is_there(tmp_path: Path) -> None:
    [block] = tables.read(write(tmp_path / "s.csv", WIDE)).blocks()
    assert block.present.tolist() == [[True, True], [True, False]]
    np.testing.assert_array_equal(block.values[1], [[np.nan, 3], [np.nan, np.nan]])
    part = block.part(["10"], ["B", "A"], ["MSE"])
    np.testing.assert_array_equal(part.values, [[[np.nan], [3]]])
    assert part.better == {"MSE": "lower"}


# What is refused


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"'.*s\.csv' is empty"),
        ("image,EN\n1,7\n", r"has no column 'method' \(it has 'image', 'EN'\)"),
        ("method,image\nA,1\n", r"has no column of scores"),
        ("method,image,EN,EN\nA,1,7,8\n", r"two columns 'EN'"),
        ("method,image,Image,EN\nA,1,1,8\n", r"two columns that mean image"),
        ("method,image,\nA,1,7\n", r"a column without a name: correct line 1"),
        ("method,image,EN\nA,1\n", r"line 2, has 2 cells where line 1 has 3"),
        ("method,image,EN\nA,1,7\n,2,7\n", r"line 3, names no method"),
        ('method,image,EN\nA,1,"7,5"\n', r"line 2, has '7,5' in the column 'EN', which is not a number"),
        ("method,image,EN\nA,1,7\nA,1.png,7\n", r"EN of A for '1' is there twice: give"),
        ("method,image,EN\n", r"not a single score"),
    ],
)
def test_broken_tables_are_refused_with_the_place(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=sentence):
        tables.read(write(tmp_path / "s.csv", text))


def test_broken_files_are_refused(tmp_path: Path) -> None:
    for name in ("s.parquet", "s.xlsx"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        with pytest.raises(UserError, match=re.escape(name)):
            tables.read(tmp_path / name)
    (tmp_path / "s.csv").write_bytes("method,image,EN\n方法,1,7\n".encode("gbk"))
    with pytest.raises(UserError, match="not text in UTF-8"):
        tables.read(tmp_path / "s.csv")
    with pytest.raises(UserError, match="no suffix that scores are read from"):
        tables.read(write(tmp_path / "s.txt", WIDE))
    with pytest.raises(UserError, match="There is no file"):
        tables.read(tmp_path / "none.csv")
    with pytest.raises(UserError, match=r"none of scores\.parquet"):
        tables.read(tmp_path)
    write(tmp_path / "t.csv", WIDE)
    write(tmp_path / "t.meta.json", "{")
    with pytest.raises(UserError, match=r"t\.meta\.json' is not JSON"):
        tables.read(tmp_path / "t.csv")
    for text in ("[]", '{"metrics": {"EN": 1}}', '{"convention": "mine"}'):
        write(tmp_path / "t.meta.json", text)
        with pytest.raises(UserError, match="does not say how scores were made"):
            tables.read(tmp_path / "t.csv")
    with pytest.raises(UserError, match="no scores to read"):
        tables.read([])


def test_published_tables_are_read(shared: Path) -> None:
    for name, shape in (("vifb", (7, 25, 13)), ("tang", (13, 9, 11))):
        [block] = tables.read(shared / "reference" / f"{name}_published.csv").blocks()
        assert block.values.shape == shape


def test_the_word_is_a_function_whatever_was_imported_first() -> None:
    import fusionbench.leaderboards  # noqa: F401

    assert callable(fb.leaderboard)
