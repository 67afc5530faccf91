"""Published numbers find the definition that made them, and numbers that nothing made find none."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import Layout, folders, picture

from fusionbench import cli, images, pixels, score_folder, tables
from fusionbench.candidates import registered, variants
from fusionbench.claims import Claims, from_row, read
from fusionbench.identify import identify
from fusionbench.magnitudes import BOUNDS, USUAL, judge
from fusionbench.metrics import METRICS
from fusionbench.metrics.conventions import CONVENTIONS
from fusionbench.metrics.triple import Triple
from fusionbench.relations import SAME
from fusionbench.stacks import score_levels
from fusionbench.types import UserError
from fusionbench.verdicts import Identification
from fusionbench.workers import Stop

CORE = "EN AG SF SD SCD VIF MI SSIM".split()


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return folders(tmp_path_factory.mktemp("images"), names=[str(n) for n in range(1, 7)])


@pytest.fixture(scope="module")
def scores(layout: Layout) -> pd.DataFrame:
    return score_folder(*layout)


def found(table: pd.DataFrame, layout: Layout, tmp_path: Path, **options: object) -> Identification:
    file = tmp_path / "theirs.csv"
    table.to_csv(file, index=False)
    return identify(read(file), *layout, **options)


def test_own_scores_are_standard(scores: pd.DataFrame, layout: Layout, tmp_path: Path) -> None:
    result = found(scores, layout, tmp_path)
    assert [verdict.metric for verdict in result.verdicts] == CORE
    assert "standard" in result.best
    for verdict in result.verdicts:
        assert "standard" in verdict.conventions
        assert verdict.matches[0].agree == verdict.values == 12
        assert verdict.matches[0].worst < 1e-12
    assert not result.remarks
    assert not result.failures


@pytest.mark.parametrize("convention", ["tang-uint8", "vifb", "cddfuse"])
def test_conventions_are_told_apart(layout: Layout, tmp_path: Path, convention: str) -> None:
    table = score_folder(*layout, metrics="core", convention=convention)
    result = found(table, layout, tmp_path)
    assert convention in result.best
    assert result.conventions[convention] == len(result.verdicts) == len(table.columns) - 2
    [ssim] = [verdict for verdict in result.verdicts if verdict.metric == "SSIM"] or [None]
    assert ssim is None or convention in ssim.conventions


def test_three_decimals_are_enough(scores: pd.DataFrame, layout: Layout, tmp_path: Path) -> None:
    result = found(scores.round(3), layout, tmp_path)
    for verdict in result.verdicts:
        assert "standard" in verdict.conventions
        assert verdict.matches[0].agree == 12
    # What agrees is still a statement: sums of both sources are not means.
    [ssim] = [verdict for verdict in result.verdicts if verdict.metric == "SSIM"]
    assert "vifb" not in ssim.conventions


def test_a_wrong_last_digit_is_seen(scores: pd.DataFrame, layout: Layout, tmp_path: Path) -> None:
    table = scores.round(3)
    table["SD"] += 0.001
    [sd] = [verdict for verdict in found(table, layout, tmp_path).verdicts if verdict.metric == "SD"]
    assert not sd.matches
    assert sd.closest is not None
    assert sd.closest.off < 1e-4


def test_noise_finds_nothing(scores: pd.DataFrame, layout: Layout, tmp_path: Path) -> None:
    factors = 1 + np.random.default_rng(5).normal(0, 0.05, (len(scores), len(CORE)))
    result = found(scores.assign(**(scores[CORE] * factors).round(4)), layout, tmp_path)
    assert result.best == ()
    for verdict in result.verdicts:
        assert not verdict.matches
        assert not verdict.looser
        assert verdict.closest is not None
        assert 0.001 < verdict.closest.off < 0.2


def test_a_permuted_column_is_named(scores: pd.DataFrame, layout: Layout, tmp_path: Path) -> None:
    table = scores.copy()
    table["AG"] = np.roll(table["AG"].to_numpy().reshape(2, 6), 1, axis=1).ravel()
    verdicts = {verdict.metric: verdict for verdict in found(table, layout, tmp_path).verdicts}
    assert not verdicts["AG"].matches
    assert "another order" in verdicts["AG"].hint
    assert all(verdicts[metric].matches for metric in CORE if metric != "AG")


def test_some_images_published_anew(scores: pd.DataFrame, layout: Layout, tmp_path: Path) -> None:
    """A method whose numbers are of other images does not hide what made the rest."""
    names = [f"copy{n}" for n in range(5)]
    copies = [scores[scores["method"] == "average"].assign(method=name) for name in names]
    table = pd.concat(copies, ignore_index=True)
    table.loc[table["method"] == "copy2", CORE] *= 1.01
    many = tmp_path / "fused"
    for name in names:
        (many / name).mkdir(parents=True)
        for file in (layout.fused / "average").iterdir():
            (many / name / file.name).write_bytes(file.read_bytes())
    result = found(table, Layout(many, layout.ir, layout.vis), tmp_path)
    for verdict in result.verdicts:
        assert "standard" in verdict.conventions
        assert verdict.matches[0].differ == ("copy2",)
        assert verdict.matches[0].agree == 24


def test_the_fields_own_names_and_a_long_table(scores: pd.DataFrame, layout: Layout, tmp_path: Path) -> None:
    called = {"EN": "Entropy", "SD": "Variance", "SF": "Spatial_frequency", "MI": "Mutinf", "AG": "Avg_gradient"}
    long = scores.rename(columns=called).melt(
        ["method", "image"], list(called.values()), var_name="metric", value_name="value"
    )
    result = found(long.assign(implementation="theirs", dataset="TNO"), layout, tmp_path, dataset="TNO")
    assert {verdict.column: verdict.metric for verdict in result.verdicts} == {v: k for k, v in called.items()}
    assert "standard" in result.best
    with pytest.raises(UserError, match="no dataset 'MSRS'"):
        found(long.assign(dataset="TNO"), layout, tmp_path, dataset="MSRS")
    twice = pd.concat([long.assign(dataset=name) for name in ("TNO", "MSRS")])
    with pytest.raises(UserError, match="twice"):
        found(twice, layout, tmp_path)


def test_a_name_for_another_metric(layout: Layout, tmp_path: Path) -> None:
    """CDDFuse calls VIF VIFF, and VIFF is another metric."""
    table = score_folder(*layout, metrics="VIF", convention="cddfuse").rename(columns={"VIF": "VIFF"})
    [verdict] = found(table, layout, tmp_path).verdicts
    assert verdict.metric == "VIFF"
    assert "cddfuse" in verdict.conventions
    assert "(its VIF)" in verdict.made_by


def test_every_other_name_is_of_a_metric() -> None:
    for name, metric in tables._ALSO_CALLED.items():
        assert metric in METRICS
        assert tables.called_here(name.upper()) == metric, "a metric of that name hides it: take it out"


def test_means_of_methods(scores: pd.DataFrame, layout: Layout, tmp_path: Path) -> None:
    means = scores.groupby("method")[CORE].mean().round(4).reset_index()
    result = found(means, layout, tmp_path)
    for verdict in result.verdicts:
        assert "standard" in verdict.conventions
        assert (verdict.values, verdict.matches[0].agree, verdict.matches[0].subset) == (2, 2, "")


def test_means_over_fewer_pairs(scores: pd.DataFrame, layout: Layout, tmp_path: Path) -> None:
    few = scores[scores["image"].isin([f"{n}.png" for n in (1, 2, 3, 4)])]
    [sd, ssim] = found(few.groupby("method")[["SD", "SSIM"]].mean().reset_index(), layout, tmp_path).verdicts
    assert sd.matches[0].subset == ssim.matches[0].subset == "the first 4 of 6 pairs"
    own = scores[scores["image"].isin(["2.png", "5.png"])].groupby("method")[["SD", "SSIM"]].mean().reset_index()
    result = found(own, layout, tmp_path, subsets={"mine": ["2", "5"], "other": ["3", "77"]})
    assert [verdict.matches[0].subset for verdict in result.verdicts] == ["mine", "mine"]
    assert any("'other'" in remark and "77" in remark for remark in result.remarks)
    assert not any(verdict.matches for verdict in found(own, layout, tmp_path).verdicts)


@pytest.mark.parametrize(
    ("metric", "change", "name"),
    [
        ("SD", np.square, "squared"),
        ("EN", lambda x: x * math.log(2), "× ln 2"),
        ("Qabf", lambda x: 100 * x, "× 100"),
        ("SCD", lambda x: x / 2, "/ 2"),
    ],
)
def test_what_is_done_to_a_number_is_seen(
    layout: Layout, tmp_path: Path, metric: str, change: Callable[[pd.Series], pd.Series], name: str
) -> None:
    table = score_folder(*layout, metrics=metric)
    [verdict] = found(table.assign(**{metric: change(table[metric])}), layout, tmp_path).verdicts
    match = verdict.matches[0]
    assert match.relation.name == name
    assert "standard" in match.candidate.conventions
    assert verdict.conventions == ()
    assert match.coincidence < 1e-6


def test_one_choice_away_from_a_convention(layout: Layout, tmp_path: Path, scores: pd.DataFrame) -> None:
    def other(method: str, image: str) -> float:
        ir, vis = (images.read(folder / image) for folder in layout[1:])
        triple = Triple.of(ir, vis, images.read(layout.fused / method / image))
        return METRICS["SSIM"](triple, window="uniform-7")

    table = scores[["method", "image"]].copy()
    table["SSIM"] = [other(method, image) for method, image in zip(table["method"], table["image"], strict=True)]
    [verdict] = found(table, layout, tmp_path).verdicts
    assert [match.label for match in verdict.matches] == ["standard with window='uniform-7'"]
    assert verdict.matches[0].relation is SAME
    means = table.groupby("method")[["SSIM"]].mean().reset_index()
    [verdict] = found(means, layout, tmp_path).verdicts
    assert "standard with window='uniform-7'" in [match.label for match in verdict.matches]


def test_colour_tells_rules_for_grey_apart(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "f" / "m", tmp_path / "ir", tmp_path / "vis")
    for k, folder in enumerate(layout):
        folder.mkdir(parents=True)
        for n in range(4):
            images.write(folder / f"{n}.png", picture(10 * k + n, colour=True))
    table = score_folder(*layout, metrics="SD,AG", convention="tang")
    sd, ag = found(table, layout, tmp_path).verdicts
    assert sd.conventions == ("tang",)
    assert set(ag.conventions) <= {name for name, whose in CONVENTIONS.items() if whose.luma == "matlab"}
    # No convention has this rule with these choices; the search for what is near one has to find it.
    per_channel = score_folder(*layout, metrics="VIF", convention="standard")
    sums = [
        np.mean([METRICS["VIF"](Triple.of(*planes)) for planes in zip(*channels, strict=True)])
        for channels in (
            [pixels.planes(images.read(folder / f"{n}.png"), "per-channel") for folder in layout[1:] + layout[:1]]
            for n in range(4)
        )
    ]
    [vif] = found(per_channel.assign(VIF=sums), layout, tmp_path).verdicts
    assert "grey='per-channel'" in vif.matches[0].label


@given(
    values=st.lists(st.floats(1e-3, 1e4), min_size=1, max_size=20),
    decimals=st.integers(1, 6),
)
def test_printing_takes_at_most_the_slack(values: list[float], decimals: int) -> None:
    texts = [f"{value:.{decimals}f}" for value in values]
    claims = from_claimed(texts)
    assert all(claim.slack == pytest.approx(0.5 * 10**-decimals) for claim in claims if claim.value)
    assert all(
        abs(claim.value - value) <= claim.slack * (1 + 1e-6) for claim, value in zip(claims, values, strict=True)
    )


def test_significant_digits_are_told_from_decimals() -> None:
    slack = {claim.value: claim.slack for claim in from_claimed(["1.6561", "60.066", "0.12345"])}
    assert slack == pytest.approx({1.6561: 5e-5, 60.066: 5e-4, 0.12345: 5e-6})
    assert {claim.slack for claim in from_claimed(["6.2933926246354863", "7.5"])} == {0.0}
    assert [claim.slack for claim in from_row(["EN=6.90"]).claims] == pytest.approx([0.005])


def from_claimed(texts: Sequence[str]) -> Sequence[object]:
    """Claims of one column, without a file."""
    from fusionbench.claims import Claim, _units

    units = _units(texts)
    return [Claim("EN", "EN", "", "", "", "", float(text), units.slack(float(text))) for text in texts]


@pytest.mark.parametrize("metric", METRICS.names())
def test_every_variant_can_be_computed(metric: str) -> None:
    ir, vis, fused = (picture(seed, 72, 80, colour=True) for seed in (1, 2, 3))
    near = variants(metric, coloured=True)
    assert not {each.key for each in near} & {each.key for each in registered(metric)}
    for each in near:
        [(_, _, [reason])] = score_levels(ir, vis, [fused], [each.definition], each.luma, Stop())
        assert not reason.startswith("it stopped"), (each.label, reason)


@pytest.mark.parametrize("metric", sorted({bound.metric for bound in BOUNDS}))
def test_no_definition_leaves_its_bounds(metric: str) -> None:
    steps = np.indices((80, 80)).sum(axis=0) % 2 * 255
    sharp = [steps.astype(np.uint8), (255 - steps).astype(np.uint8)]
    planes = [picture(seed, 80, 80) for seed in range(3)] + sharp
    for at in range(len(planes)):
        ir, vis, fused = (planes[(at + k) % len(planes)] for k in range(3))
        for each in registered(metric):
            value = each.definition.function(Triple.of(ir, vis, fused), **each.definition.parameters)
            for bound in BOUNDS:
                if bound.metric == metric and bound.where.items() <= dict(each.definition.parameters).items():
                    assert math.isnan(value) or bound.low <= value <= bound.high, (each.label, bound.reason)


def test_every_bound_is_of_a_definition() -> None:
    for bound in BOUNDS:
        definitions = [each.definition.parameters for each in registered(bound.metric)]
        assert any(bound.where.items() <= dict(each).items() for each in definitions), bound


def test_usual_sizes_are_of_definitions() -> None:
    with USUAL.open(newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert len(rows) > 60
    for row in rows:
        assert float(row["low"]) <= float(row["high"])
        assert row["metric"] in METRICS
        assert row["convention"] in CONVENTIONS


def sizes(*words: str) -> dict[str, dict[str, str]]:
    estimate = judge(from_row(words))
    return {
        column.metric: {name: one.size for one in column.opinions for name in one.conventions}
        for column in estimate.columns
    }


def test_size_alone_excludes() -> None:
    assert [name for name, size in sizes("SD=9.2")["SD"].items() if size == "possible"] == ["tang-uint8"]
    assert sizes("SD=37")["SD"]["tang-uint8"] == "impossible"
    ssim = sizes("SSIM=1.3")["SSIM"]
    assert (ssim["standard"], ssim["vifb"]) == ("impossible", "possible")
    psnr = sizes("PSNR=16")["PSNR"]
    assert (psnr["standard"], psnr["tang"]) == ("possible", "impossible")
    assert sizes("SF=0.05")["SF"]["tang-uint8"] == "possible"
    assert sizes("SF=0.05")["SF"]["tang"] == "unusual"
    assert set(sizes("EN=9")["EN"].values()) == {"impossible"}
    assert judge(from_row("SD=9.2 EN=6.9 VIF=0.81".split())).fitting == ("tang-uint8",)
    assert sizes("VIFF=0.7")["VIFF"]["cddfuse"] == "possible", "what it calls so is VIF"
    [variance] = judge(from_row(["Variance=1650"])).columns
    assert any("squared" in hint for hint in variance.hints)


def test_infinite_numbers_are_left_out(tmp_path: Path) -> None:
    """As the PSNR of a copy is, which tells no definition from another."""
    table = tmp_path / "table.csv"
    table.write_text("method,image,PSNR\nmine,a,inf\nmine,b,31.25\nmine,c,1e400\n")
    assert [claim.value for claim in read(table).claims] == [31.25]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("method,image,votes\nA,1.png,3\n")
    with pytest.raises(UserError, match=r"no column that is a metric .it has 'votes'"):
        read(file)
    file.write_text("image,EN,votes\n1.png,6.9,many\n2.png,,few\n")
    claims = read(file)
    assert claims.unknown == ("votes",)
    assert [(claim.method, claim.pair, claim.value) for claim in claims.claims] == [("", "1", 6.9)]
    with pytest.raises(UserError, match="no column 'SSIM': it has EN, votes"):
        read(file, "SSIM")
    file.write_text("method,EN\nA,\n")
    with pytest.raises(UserError, match="has no number in EN"):
        read(file)
    for word, sentence in (("foo=3", "'foo' in 'foo=3' is no metric"), ("EN=six", "no number behind the '='")):
        with pytest.raises(UserError, match=sentence):
            from_row([word])
    with pytest.raises(UserError, match="given twice"):
        from_row(["EN=6", "EN=7"])


def test_numbers_of_no_image(scores: pd.DataFrame, layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"None of the numbers in .* its methods are X, Y, those of the images average"):
        found(scores.assign(method=["X", "Y"] * 6), layout, tmp_path)
    extra = scores[:3].assign(image=["1.png", "2.png", "lost.png"])
    result = found(extra, layout, tmp_path)
    assert any("no such images of average" in remark and "lost" in remark for remark in result.remarks)
    assert all(verdict.values == 2 for verdict in result.verdicts)


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = cli.main(["identify", *map(str, words)])
    return code, *capsys.readouterr()


def test_command_with_images(
    scores: pd.DataFrame, layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, options = tmp_path / "theirs.csv", ["--fused", *layout.options, "--quiet"]
    scores.assign(votes="many", MI=scores["MI"] * 1.03).round(5).to_csv(file, index=False)
    code, out, err = run(capsys, file, *options)
    assert code == 0
    assert "standard" in out
    assert "MI: nothing matches; nearest is" in out
    assert "no metric here is called votes" in err

    code, out, _ = run(capsys, file, *options, "--metrics", "SD,MI", "--json", "-o", tmp_path / "found.csv")
    assert code == 0
    answer = json.loads(out)
    assert answer.keys() == {"fusionbench", "table", "conventions", "best", "metrics", "remarks", "failures"}
    sd, mi = answer["metrics"]
    assert (sd["metric"], sd["column"], sd["values"], sd["matches"][0]["agree"]) == ("SD", "SD", 12, 12)
    assert "standard" in sd["conventions"]
    assert sd["matches"][0]["parameters"] == {"ddof": 0, "arithmetic": "real"}
    assert (mi["matches"], mi["closest"]["off"]) == ([], pytest.approx(0.03, rel=0.1))
    written = pd.read_csv(tmp_path / "found.csv")
    assert list(written["metric"]) == ["SD", "MI"]
    code, _, _ = run(capsys, file, *options, "--metrics", "SD", "-o", tmp_path / "found.json")
    assert code == 0
    assert json.loads((tmp_path / "found.json").read_text())["metrics"][0]["metric"] == "SD"


def test_command_with_a_row_and_images(
    scores: pd.DataFrame, layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = scores[(scores["method"] == "average") & scores["image"].isin(["2.png", "5.png"])]
    words = [f"{name}={own[name].mean():.4f}" for name in ("SD", "SSIM")]
    subset = tmp_path / "test2.txt"
    subset.write_text("# the test images\n2.png\n5\n")
    images_ = ["--fused", layout.fused / "average", "--ir", layout.ir, "--vis", layout.vis, "--quiet"]
    code, out, _ = run(capsys, *words, *images_, "--subset", subset, "--json")
    assert code == 0
    assert [each["matches"][0]["subset"] for each in json.loads(out)["metrics"]] == ["test2", "test2"]


def test_a_row_of_means_over_the_first_pairs(scores: pd.DataFrame, layout: Layout) -> None:
    """Any one of the numbers might be met by chance; not all of them by the same pairs."""
    own = scores[(scores["method"] == "noisy") & scores["image"].isin(["1.png", "2.png", "3.png"])]
    claims = from_row([f"{name}={own[name].mean():.4f}" for name in CORE])
    result = identify(claims, layout.fused / "noisy", layout.ir, layout.vis)
    assert {match.subset for verdict in result.verdicts for match in verdict.matches} == {"the first 3 of 6 pairs"}
    assert all("standard" in verdict.conventions for verdict in result.verdicts)
    wrong = from_row([f"{name}={own[name].mean() * (1 + 0.02 * n):.4f}" for n, name in enumerate(CORE, 1)])
    assert identify(wrong, layout.fused / "noisy", layout.ir, layout.vis).best == ()


def test_command_with_a_row_alone(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "SD=9.2", "EN=6.9", "VIF=0.81")
    assert code == 0
    assert "may be those of: tang-uint8." in out
    code, out, _ = run(capsys, "SD=9.2", "--json")
    answer = json.loads(out)
    assert (code, answer["fitting"]) == (0, ["tang-uint8"])


def test_command_complains(layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "t.csv"
    table.write_text("method,image,EN\naverage,1.png,6.9\n")
    for words, sentence in (
        (["foo=3"], "no metric"),
        (["EN=3", table], "give one or the other"),
        ([table, "--fused", layout.fused], "needed all three"),
        ([table, "--dataset", "TNO"], "choose images"),
        (["EN=3", "--metrics", "EN"], "--metrics chooses columns"),
        ([table, "-o", tmp_path / "x.txt"], "end it in .json or .csv"),
        ([tmp_path / "none.csv"], "no file"),
        ([table, "--fused", *layout.options, "--subset", tmp_path / "none.txt"], "cannot be read"),
    ):
        code, out, err = run(capsys, *words)
        assert (code, out) == (2, "")
        assert sentence in err


def test_an_image_that_cannot_be_scored(layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fused = tmp_path / "average"
    fused.mkdir()
    for file in (layout.fused / "average").iterdir():
        (fused / file.name).write_bytes(file.read_bytes()[: 100 if file.name == "3.png" else None])
    table = score_folder(layout.fused / "average", *layout[1:], metrics="EN,SD")
    table.to_csv(tmp_path / "t.csv", index=False)
    options = ["--fused", fused, "--ir", layout.ir, "--vis", layout.vis, "--quiet"]
    code, out, err = run(capsys, tmp_path / "t.csv", *options)
    assert code == 1
    assert "standard" in out
    assert "3.png could not be scored" in err


def published(shared: Path, name: str, tmp_path: Path, keep: Callable[[dict[str, str]], bool]) -> Claims:
    """Some of the rows of a table of other people's numbers."""
    with (shared / "reference" / name).open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if keep(row)]
    with (tmp_path / "published.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return read(tmp_path / "published.csv")


def of_dataset(claims: Claims, shared: Path, name: str) -> Identification:
    data = shared / "data"
    return identify(claims, data / "fused" / name, data / name / "ir", data / name / "vis")


TANG = "EN SD SF AG MI SCD CC MSE PSNR VIF Qabf".split()


def test_tangs_spreadsheet(shared: Path, tmp_path: Path) -> None:
    claims = published(shared, "tang_published.csv", tmp_path, lambda row: row["method"] in ("DenseFuse", "SDNet"))
    result = of_dataset(claims, shared, "tno")
    assert result.best == ("tang-uint8",)
    assert sorted(verdict.metric for verdict in result.verdicts) == sorted(TANG)
    for verdict in result.verdicts:
        assert "tang-uint8" in verdict.conventions
        assert verdict.matches[0].agree == verdict.values


def test_tangs_code_of_today(shared: Path, tmp_path: Path) -> None:
    claims = published(shared, "programs/tang.csv", tmp_path, lambda row: row["dataset"] == "TNO")
    result = of_dataset(claims, shared, "tno")
    assert result.best == ("tang",)
    assert {verdict.metric for verdict in result.verdicts if "tang" in verdict.conventions} >= {*TANG, "SSIM"}


def test_vifbs_table(shared: Path, tmp_path: Path) -> None:
    methods = {"ADF", "CNN", "GFF", "MSVD", "TIF", "SwinFusion"}
    claims = published(
        shared,
        "vifb_published.csv",
        tmp_path,
        lambda row: row["method"] in methods and row["image"] in ("carLight.jpg", "running.jpg", "walking.jpg"),
    )
    result = of_dataset(claims, shared, "vifb")
    assert result.best == ("vifb",)
    # The two metrics of it that need a model of the eye may have no definition of VIFB's here.
    known = [verdict for verdict in result.verdicts if verdict.metric in CONVENTIONS["vifb"].metrics]
    assert len(known) >= 11
    assert all("vifb" in verdict.conventions for verdict in known)
    assert any("SwinFusion" in verdict.matches[0].differ for verdict in known)


def test_noise_on_the_spreadsheet(shared: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(1)

    def noisy(row: dict[str, str]) -> bool:
        row["value"] = f"{float(row['value']) * (1 + random.normal(0, 0.05)):.6g}"
        return row["method"] == "DenseFuse"

    result = of_dataset(published(shared, "tang_published.csv", tmp_path, noisy), shared, "tno")
    assert result.best == ()
    assert not any(verdict.matches for verdict in result.verdicts)
