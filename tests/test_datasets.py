"""Datasets: cards that are consistent, pairs found in any layout, and verdicts that say what a folder is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

import fusionbench as fb
from fusionbench import cli, images
from fusionbench.datasets import DATASETS, builtin, card, loading, synthetic
from fusionbench.datasets.card import Card, Layout, Split, Subset, read
from fusionbench.names import fold
from fusionbench.pairing import natural_key
from fusionbench.types import Pair, UserError

NAMES = ("tno roadscene msrs m3fd llvip fmb vifb kaist mri-ct mri-pet mri-spect lytro mffw mefb sice synthetic").split()
CARDS = [pytest.param(DATASETS[name], id=name) for name in NAMES]
MINIMAL = """
title = "Mine"
kind = "infrared-visible"
ir = "thermal"
vis = "colour"
colour = "vis"
count = 2
size = "any"
citation = "me"
licence = "none"
home = "https://example.org"
obtain = "by hand"
official = "ir and vis"
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing was fetched yet."""
    monkeypatch.setenv("FUSIONBENCH_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


def files(root: Path, *paths: str) -> Path:
    """Empty files: what an image shows is nobody's business here."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def both(root: Path, ir: str, vis: str, names: Iterable[str]) -> Path:
    """A file a name and source; a star stands for the name."""
    return files(root, *(pattern.replace("*", name) for name in names for pattern in (ir, vis)))


def called(pairs: Iterable[Pair]) -> list[str]:
    return [pair.name for pair in pairs]


# Cards.


def test_every_card_is_listed_and_every_listed_one_is_there() -> None:
    assert fb.datasets.available() == NAMES
    assert {path.stem for path in builtin._FOLDER.glob("*")} == set(NAMES)
    with pytest.raises(UserError, match="Unknown dataset 'msr': did you mean msrs"):
        DATASETS["msr"]
    with pytest.raises(AttributeError, match="no attribute 'nobody'"):
        builtin.nobody  # noqa: B018


@pytest.mark.parametrize("one", CARDS)
def test_card_is_consistent(one: Card) -> None:
    for field in ("title", "ir", "vis", "size", "citation", "licence", "obtain", "official"):
        assert getattr(one, field)
    assert one.name == "synthetic" or re.match(r"https?://[\w.-]+/", one.home)
    if one.splits:
        assert sum(split.count for split in one.splits if not split.repeats) == one.count
    for names in ([x.name for x in one.layouts], [x.name for x in one.splits], [x.name for x in one.subsets]):
        assert len(set(names)) == len(names)
    parts: list[Split | Subset] = [*one.splits, *one.subsets]
    for part in parts:
        assert part.count <= one.count
        # Names that would be taken for one another could not be told apart on disk.
        assert len({fold(name) for name in part.names}) == len(part.names)
        assert not part.names or len(part.names) == part.count
    for subset in one.subsets:
        assert subset.about
        assert len(subset.renamed) in (0, subset.count)
    for archive in one.archives:
        assert archive.url.startswith("https://")
        assert archive.subset in ("", *(subset.name for subset in one.subsets))
        assert not archive.sha256 or re.fullmatch("[0-9a-f]{64}", archive.sha256)
        assert not archive.keep.startswith("/")
        assert ".." not in archive.keep
    for word in one.unverified:
        head, _, rest = word.partition(".")
        assert getattr(one, head)
        assert not rest or rest in {item.name for item in getattr(one, head)}


def test_what_was_not_verified_is_marked() -> None:
    """What the sources of the cards give as general knowledge only."""
    unverified = {
        "tno": ["official", "licence", "citation", "subsets.fusiongan", "subsets.cddfuse", "subsets.rfn-nest"],
        "msrs": ["official"],
        "m3fd": ["layouts.official"],
        "fmb": ["splits.train", "splits.test", "layouts.official"],
        "kaist": ["count", "splits.train", "splits.test", "licence"],
        "mri-ct": ["licence"],
        "mri-pet": ["licence"],
        "mri-spect": ["licence"],
        "mffw": ["count", "citation"],
        "sice": ["official"],
    }
    for name, fields in unverified.items():
        assert set(fields) <= set(DATASETS[name].unverified), name
    # No archive was ever fetched from these addresses by a test.
    assert all("archives" in DATASETS[name].unverified for name in NAMES if DATASETS[name].archives)


@pytest.mark.parametrize("one", CARDS)
def test_every_layout_of_a_card_is_recognised(one: Card, tmp_path: Path) -> None:
    for layout in one.layouts:
        root = tmp_path / layout.name.replace(" ", "-")
        for split in one.splits if "<split>" in layout.ir else [None]:
            for scene in ("1", "2", "10"):
                for pattern in (layout.ir, layout.vis):
                    path = pattern.replace("<split>", (split.folder or split.name) if split else "")
                    path = re.sub(r"\{([^}]*)\}", lambda braces: braces[1].replace("*", scene), path)  # noqa: B023
                    files(root, f"download/{path.replace('*', f'scene{scene}')}.png")
        found = fb.datasets.pairs_in(root, one)
        assert found.layout.startswith(f"{layout.name}: ")
        labels = [split.name for split in one.splits] if "<split>" in layout.ir else [""]
        assert list(found.parts) == labels
        for sources in found.parts.values():
            assert len(sources.pairs) == 3
            assert called(sources.pairs) == sorted(called(sources.pairs), key=natural_key)
        assert not found.remarks
        assert all(pair.ir.is_file() and pair.vis.is_file() and pair.ir != pair.vis for pair in found)
        assert len(set(called(found))) == len(found)


def test_names_are_those_of_the_lists_that_they_come_from(shared: Path) -> None:
    data = shared / "data"
    roadscene = json.loads((data / "roadscene_lists.json").read_text())
    assert sorted(DATASETS["roadscene"].subset("cddfuse").names) == sorted(roadscene["cddfuse50"])
    assert sorted(DATASETS["roadscene"].subset("auif").names) == sorted(roadscene["cs2fusion40_in_fused_order"])
    assert list(DATASETS["msrs"].split("test").names) == (data / "msrs_test361.txt").read_text().split()
    renamed = json.loads((data / "tno_tang_to_auif.json").read_text())
    auif = DATASETS["tno"].subset("auif")
    assert dict(zip(auif.names, map(int, auif.renamed), strict=True)) == renamed
    for name, split in (("vifb", "test"), ("lytro", "test")):
        assert called(fb.datasets.load(name, data / name, split)) == sorted(
            DATASETS[name].split(split).names, key=natural_key
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = ", "cannot be read (Invalid value"),
        ("colour_space = 1" + MINIMAL, "has a field 'colour_space', which there is not"),
        (MINIMAL.replace("title", "#"), "lacks the field 'title'"),
        (MINIMAL.replace('"vis"', '"ir"'), "colour is 'ir': write one of 'vis', 'both', 'neither'"),
        (MINIMAL.replace("2", '"two"'), "count is 'two': write a whole number"),
        (MINIMAL.replace("2", "0"), "count is 0: write a number of 1 or more"),
        (MINIMAL.replace("2", "true"), "count is True: write a whole number"),
        (MINIMAL.replace('"me"', "7"), "citation is 7: write text"),
        (MINIMAL + "splits = 1", "splits is 1: write a list"),
        (MINIMAL + "unverified = [1]", "unverified is 1: write text"),
        (MINIMAL + "[[splits]]\nname = 'a'", "splits, number 1 lacks the field 'count'"),
        (MINIMAL + "[[splits]]\nname = 'a'\ncount = 0", "splits, number 1, count is 0: write a number of 1 or more"),
        (MINIMAL + "unverified = 'price'", "calls 'price' unverified, which it does not have"),
        (MINIMAL + "unverified = 'splits'", "calls 'splits' unverified, which it does not have"),
        (MINIMAL + "unverified = 'subsets.a'", "calls 'subsets.a' unverified, which it does not have"),
    ],
)
def test_cards_with_mistakes(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=rf"The dataset card '{path}'.*{re.escape(said)}"):
        read(path)
    with pytest.raises(UserError, match=r"cannot be read \(No such file"):
        read(tmp_path / "other.toml")


def test_a_dataset_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DATASETS, "_entries", dict(DATASETS._entries))
    monkeypatch.setattr(DATASETS, "_loaded", {})
    (tmp_path / "mine.toml").write_text(MINIMAL)
    mine = read(tmp_path / "mine.toml")
    fb.datasets.register(mine)
    assert fb.datasets.available()[-1] == "mine"
    both(tmp_path / "data", "ir/*.png", "vis/*.png", "ab")
    assert called(fb.datasets.load("mine", tmp_path / "data")) == ["a", "b"]
    fb.datasets.register(replace(mine, title="Mine, mended"))
    assert DATASETS["mine"].title == "Mine, mended"
    with pytest.raises(UserError, match="There is already a dataset called 'tno'"):
        fb.datasets.register(replace(mine, name="tno"))


def test_public_words() -> None:
    assert fb.datasets.Card is card.Card
    assert fb.datasets.load is loading.load
    with pytest.raises(AttributeError, match="no attribute 'loud'"):
        fb.datasets.loud  # noqa: B018


# Layouts.


@pytest.mark.parametrize(
    ("ir", "vis"),
    [
        ("ir/*.png", "vi/*.png"),
        ("ir/*.png", "vis/*.bmp"),
        ("IR/*.jpg", "VIS/*.jpg"),
        ("Ir/*.png", "Vis/*.png"),
        ("Infrared/*.png", "Visible/*.png"),
        ("infrared/IR*.png", "visible/VIS*.png"),
        ("lwir/*.png", "visible/*.png"),
        ("thermal/*_ir.png", "rgb/*_vis.png"),
        ("Test_ir/*.bmp", "Test_vi/*.bmp"),
        ("IR*.png", "VIS*.png"),
        ("Test_imgs/IR*.png", "Test_imgs/VIS*.png"),
        ("some/where/ir/*.png", "some/where/vi/*.png"),
        ("A/*_A.png", "B/*_B.png"),
        ("MRI/*.png", "CT/*.png"),
    ],
)
def test_repackings(ir: str, vis: str, tmp_path: Path) -> None:
    both(tmp_path, ir, vis, ("1", "2", "10"))
    found = fb.datasets.pairs_in(tmp_path)
    assert called(found) == ["1", "2", "10"]
    assert [str(pair.ir.relative_to(tmp_path)) for pair in found] == [
        ir.replace("*", name) for name in ("1", "2", "10")
    ]
    assert [str(pair.vis.relative_to(tmp_path)) for pair in found] == [
        vis.replace("*", name) for name in ("1", "2", "10")
    ]
    assert list(found.parts) == [""]
    assert repr(found).startswith(f"<3 pairs in '{tmp_path}', ")
    assert called(found[1:]) == ["2", "10"]
    assert found[0].name == "1"


@pytest.mark.parametrize(
    ("ir", "vis"),
    [("{}/ir/*.png", "{}/vi/*.png"), ("ir/{}/*.png", "vi/{}/*.png"), ("MSRS/{}/Ir/*.png", "MSRS/{}/Vis/*.png")],
)
def test_splits_by_folder(ir: str, vis: str, tmp_path: Path) -> None:
    for split, names in (("train", "abc"), ("test", "de")):
        both(tmp_path, ir.format(split), vis.format(split), names)
    found = fb.datasets.pairs_in(tmp_path)
    assert {split: called(sources.pairs) for split, sources in found.parts.items()} == {
        "train": ["a", "b", "c"],
        "test": ["d", "e"],
    }
    llvip = fb.datasets.load("llvip", tmp_path, split="train")
    assert called(llvip) == ["a", "b", "c"]
    assert sorted(called(fb.datasets.load("llvip", tmp_path))) == ["a", "b", "c", "d", "e"]


def test_same_name_in_two_splits(tmp_path: Path) -> None:
    for part in ("M3FD_Detection", "M3FD_Fusion"):
        both(tmp_path, f"{part}/Ir/*.png", f"{part}/Vis/*.png", ("00000", "00001"))
    found = fb.datasets.load("m3fd", tmp_path)
    assert called(found) == ["detection_00000", "detection_00001", "fusion_00000", "fusion_00001"]
    fusion = fb.datasets.load("m3fd", tmp_path, split="fusion")
    assert called(fusion) == ["00000", "00001"]
    assert fusion[0].ir == tmp_path / "M3FD_Fusion/Ir/00000.png"


def test_names_of_videos_are_told_apart(tmp_path: Path) -> None:
    for video in ("set00/V000", "set00/V001", "set06/V000"):
        both(tmp_path, f"{video}/lwir/*.jpg", f"{video}/visible/*.jpg", ("I00000", "I00001"))
    assert called(fb.datasets.load("kaist", tmp_path))[:3] == [
        "set00_V000_I00000",
        "set00_V000_I00001",
        "set00_V001_I00000",
    ]
    test = fb.datasets.load("kaist", tmp_path, split="test")
    assert called(test) == ["set06_V000_I00000", "set06_V000_I00001"]
    both(tmp_path / "train" / "set01" / "V000", "lwir/*.jpg", "visible/*.jpg", ("I00000", "I00001"))
    with pytest.raises(UserError, match="holds no pair of the split 'test' of kaist"):
        fb.datasets.load("kaist", tmp_path / "train", split="test")


def test_official_files_are_told_from_others_beside_them(tmp_path: Path) -> None:
    names = ("FLIR_00006", "FLIR_video_04111")
    both(tmp_path, "RoadScene-main/cropinfrared/*.jpg", "RoadScene-main/crop_LR_visible/*.jpg", names)
    both(tmp_path, "RoadScene-main/infrared/*.png", "RoadScene-main/crop_HR_visible/*.jpg", names)
    found = fb.datasets.load("roadscene", tmp_path)
    assert [pair.vis.parent.name for pair in found] == ["crop_LR_visible"] * 2
    assert [pair.ir.parent.name for pair in found] == ["cropinfrared"] * 2
    with pytest.raises(
        UserError, match=r"several folders that could be infrared or visible \(infrared, crop_HR_visible, "
    ):
        fb.datasets.pairs_in(tmp_path)


def test_what_has_no_partner_is_named(tmp_path: Path) -> None:
    both(tmp_path, "train/ir/*.png", "train/vi/*.png", ("1", "2"))
    files(tmp_path, "train/ir/3.png", "train/vi/4.png", "train/ir/2.bmp", "train/vi/.hidden.png", "train/vi/notes.txt")
    for found in (fb.datasets.load("msrs", tmp_path), fb.datasets.pairs_in(tmp_path)):
        assert called(found) == ["1"]
        text = "\n".join(found.remarks)
        assert "Infrared images without a visible partner (1): 3.png" in text
        assert "Visible images without an infrared partner" in text
        assert "4.png" in text
        assert "'2' is more than once in" in text
        assert "hidden" not in text
    assert found.remarks[0].startswith("Infrared") is ("" in found.parts)


def test_results_beside_the_sources_are_left_alone(tmp_path: Path) -> None:
    both(tmp_path, "ir/*.png", "vi/*.png", "ab")
    both(tmp_path, "old/ir/*.png", "old/vi/*.png", "abcd")
    assert len(fb.datasets.pairs_in(tmp_path)) == 2
    both(tmp_path / "x", "one/ir/*.png", "one/vi/*.png", "ab")
    files(tmp_path / "x", "readme.png")
    assert len(fb.datasets.pairs_in(tmp_path / "x")) == 2


def test_links_are_followed_but_never_in_circles(tmp_path: Path) -> None:
    both(tmp_path / "disk", "cropinfrared/*.jpg", "crop_LR_visible/*.jpg", "ab")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "roadscene").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "again").symlink_to(tmp_path / "disk")
    assert called(fb.datasets.load("roadscene", tmp_path / "data")) == ["a", "b"]


def test_folders_that_cannot_be_read_in_one_way(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no folder '.*nowhere': check the path"):
        fb.datasets.pairs_in(tmp_path / "nowhere")
    with pytest.raises(UserError, match="holds no two folders that are called like sources: put the images into"):
        fb.datasets.pairs_in(files(tmp_path / "empty", "notes.txt"))
    for name in ("tno", "msrs"):
        both(tmp_path / "all", f"{name}/ir/*.png", f"{name}/vi/*.png", "ab")
    with pytest.raises(UserError, match=r"holds several folders of pairs \(msrs, tno\): give one of them"):
        fb.datasets.pairs_in(tmp_path / "all")
    with pytest.raises(UserError, match=r"holds tno more than once \('msrs', 'tno'\): give one of them"):
        fb.datasets.load("tno", tmp_path / "all")
    for folder in ("one", "two"):
        both(tmp_path / "mixed", f"{folder}/IR*.png", f"{folder}/VIS*.png", "12")
    with pytest.raises(UserError, match="holds no two folders"):
        fb.datasets.pairs_in(tmp_path / "mixed")
    with pytest.raises(UserError, match="do not tell infrared from visible"):
        fb.datasets.pairs_in(files(tmp_path / "one", "x.png", "y.png"))


# Splits, subsets and places.


def test_a_split_by_its_names(tmp_path: Path) -> None:
    names = DATASETS["msrs"].split("test").names
    both(tmp_path, "ir/*.png", "vi/*.png", [*names, "99999D"])
    assert len(fb.datasets.load("msrs", tmp_path)) == 362
    assert set(called(fb.datasets.load("msrs", tmp_path, split="test"))) == set(names)
    for folder in ("ir", "vi"):
        (tmp_path / folder / f"{names[1]}.png").unlink()
    with pytest.raises(UserError, match=f"lacks 1 of the 361 pairs of the split 'test' of msrs .{names[1]}.: complete"):
        fb.datasets.load("msrs", tmp_path, split="test")
    with pytest.raises(UserError, match="does not say which of its pairs are the split 'train' of msrs: put them into"):
        fb.datasets.load("msrs", tmp_path, split="train")
    with pytest.raises(UserError, match="Unknown split of msrs 'tset': did you mean test"):
        fb.datasets.load("msrs", tmp_path, split="tset")
    with pytest.raises(UserError, match="There is no split of tno called 'test', nor any other: leave it out"):
        fb.datasets.load("tno", tmp_path, split="test")


def test_the_folder_of_a_split_may_be_given_itself(tmp_path: Path) -> None:
    both(tmp_path / "train", "ir/*.png", "vi/*.png", "ab")
    assert called(fb.datasets.load("msrs", tmp_path / "train", split="train")) == ["a", "b"]
    both(tmp_path / "lytro-test", "lytro-*-A.jpg", "lytro-*-B.jpg", [f"{k:02}" for k in range(1, 21)])
    assert len(fb.datasets.load("lytro", tmp_path / "lytro-test", split="test")) == 20
    both(tmp_path / "mefb", "s/*_A.jpg", "s/*_B.jpg", "ab")
    assert len(fb.datasets.load("mefb", tmp_path / "mefb", split="test")) == 2


def test_repeated_pairs_are_only_there_when_asked_for(tmp_path: Path) -> None:
    for split, names in (("train", "ab"), ("detection", "ax")):
        both(tmp_path, f"{split}/ir/*.png", f"{split}/vi/*.png", names)
    assert called(fb.datasets.load("msrs", tmp_path)) == ["a", "b"]
    assert called(fb.datasets.load("msrs", tmp_path, split="detection")) == ["a", "x"]


def test_subsets(tmp_path: Path) -> None:
    tang = both(tmp_path / "tang", "ir/*.png", "vi/*.png", [f"{k:02}" for k in range(1, 43)])
    assert called(fb.datasets.load("tno", tang, subset="tang")) == [f"{k:02}" for k in range(1, 43)]
    auif = called(fb.datasets.load("tno", tang, subset="auif"))
    assert auif == [f"{k:02}" for k in range(1, 42) if k != 9]
    # The same subset as its authors give it out.
    own = both(tmp_path / "auif", "IR*.png", "VIS*.png", map(str, range(1, 41)))
    assert called(fb.datasets.load("tno", own, subset="auif")) == [str(k) for k in range(1, 41)]
    with pytest.raises(UserError, match=r"lacks 2 of the 42 pairs of the subset 'tang' of tno \(41, 42\)"):
        fb.datasets.load("tno", own, subset="tang")
    with pytest.raises(UserError, match="Which 25 pairs of tno the subset 'cddfuse' has is not known: give the folder"):
        fb.datasets.load("tno", tang, subset="cddfuse")


def test_places(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        UserError, match="roadscene is not here: get it by 'fusionbench dataset fetch roadscene', or give"
    ):
        fb.datasets.load("roadscene")
    with pytest.raises(UserError, match="get it by 'fusionbench dataset fetch roadscene', or give"):
        fb.datasets.load("roadscene", subset="cddfuse")
    with pytest.raises(
        UserError, match=r"tno is not here: get it by hand \('fusionbench dataset info tno' says how\), and"
    ):
        fb.datasets.load("tno")
    with pytest.raises(UserError, match="tno is not here: get it by 'fusionbench dataset fetch tno --subset tang'"):
        fb.datasets.load("tno", subset="tang")
    both(home / "tno-tang", "ir/*.png", "vi/*.png", [f"{k:02}" for k in range(1, 43)])
    assert len(fb.datasets.load("tno", subset="tang")) == 42
    with pytest.raises(UserError, match="Of tno only the subset 'tang' was fetched: ask for that subset, or give"):
        fb.datasets.load("tno")
    both(home / "tno", "ir/*.png", "vi/*.png", "ab")
    assert called(fb.datasets.load("tno")) == ["a", "b"]
    monkeypatch.delenv("FUSIONBENCH_DATA")
    monkeypatch.setenv("FUSIONBENCH_CACHE", str(home / "cache"))
    assert loading.place("tno", "tang") == home / "cache" / "datasets" / "tno-tang"
    monkeypatch.delenv("FUSIONBENCH_CACHE")
    assert loading.place("tno").parts[-3:] == ("fusionbench", "datasets", "tno")


def test_synthetic_scenes_are_made_when_asked_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = synthetic.make
    monkeypatch.setattr(synthetic, "make", lambda folder, n, size, seed: real(folder, 2, (32, 32)))
    found = fb.datasets.load("synthetic")
    assert called(found) == ["01", "02"]
    assert images.read(found[0].ir).shape == (32, 32)
    assert [path.name for path in home.iterdir()] == ["synthetic"]
    monkeypatch.setattr(synthetic, "make", None)
    assert called(fb.datasets.load("synthetic")) == ["01", "02"]


def test_synthetic_scenes_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSIONBENCH_DATA", str(files(tmp_path, "taken") / "taken"))
    with pytest.raises(UserError, match=r"cannot be made .*: choose another place"):
        fb.datasets.load("synthetic")


# Verdicts.


def test_a_folder_is_recognised_by_names(tmp_path: Path) -> None:
    names = DATASETS["roadscene"].subset("auif").names
    both(tmp_path, "ir/*.jpg", "vi/*.jpg", names)
    verdict = fb.datasets.verify(tmp_path)
    assert (verdict.card.name, verdict.nearest.name, verdict.nearest.evidence) == ("roadscene", "auif", "names")
    assert verdict.nearest.exact
    assert verdict.complete
    files(tmp_path, "ir/FLIR_1.jpg", "vi/FLIR_1.jpg")
    (tmp_path / "ir" / f"{names[3]}.jpg").unlink()
    verdict = fb.datasets.verify(tmp_path, "roadscene")
    assert not verdict.complete
    assert (verdict.nearest.name, verdict.nearest.have, verdict.nearest.missing) == ("auif", 39, (names[3],))
    assert verdict.strange == ("FLIR_1",)
    assert any(f"{names[3]}.jpg" in line for line in verdict.found.remarks)


def test_a_subset_that_is_asked_for_may_lie_among_others(tmp_path: Path) -> None:
    both(tmp_path, "ir/*.png", "vi/*.png", [f"{k:02}" for k in range(1, 46)])
    assert not fb.datasets.verify(tmp_path, "tno").complete
    verdict = fb.datasets.verify(tmp_path, "tno", subset="tang")
    assert verdict.complete
    assert not verdict.nearest.exact
    assert verdict.strange == ("43", "44", "45")
    assert not fb.datasets.verify(tmp_path, "tno", subset="rfn-nest").complete


def test_numbers_prove_little_and_counts_nothing(tmp_path: Path) -> None:
    tang = both(tmp_path / "tno", "ir/*.png", "vi/*.png", [f"{k:02}" for k in range(1, 43)])
    verdict = fb.datasets.verify(tang)
    assert (verdict.card.name, verdict.nearest.name, verdict.nearest.evidence) == ("tno", "tang", "numbers")
    own = both(tmp_path / "x" / "TNO", "ir/*.png", "vi/*.png", map(str, range(1, 41)))
    assert (own_verdict := fb.datasets.verify(own)).nearest.name == "auif"
    assert own_verdict.strange == ()
    some = both(tmp_path / "y" / "TNO", "ir/*.png", "vi/*.png", (f"scene{k}" for k in range(25)))
    verdict = fb.datasets.verify(some)
    assert (verdict.nearest.name, verdict.nearest.evidence, verdict.complete) == ("cddfuse", "count", True)


def test_splits_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Card(
        **{field: getattr(DATASETS["msrs"], field) for field in Card.__slots__}
        | {
            "name": "small",
            "count": 5,
            "splits": (Split("train", 3), Split("test", 2), Split("again", 2, repeats=True)),
            "archives": (),
            "unverified": (),
        }
    )
    monkeypatch.setattr(DATASETS, "_entries", {"small": "x:y"})
    monkeypatch.setattr(DATASETS, "_loaded", {"small": small})

    def nearest() -> tuple[str, str, int, bool]:
        verdict = fb.datasets.verify(tmp_path, "small")
        return verdict.nearest.kind, verdict.nearest.name, verdict.nearest.have, verdict.complete

    both(tmp_path, "train/ir/*.png", "train/vi/*.png", "abc")
    assert nearest() == ("split", "train", 3, True)
    both(tmp_path, "test/ir/*.png", "test/vi/*.png", "d")
    assert nearest() == ("dataset", "small", 4, False)
    both(tmp_path, "test/ir/*.png", "test/vi/*.png", "e")
    assert nearest() == ("dataset", "small", 5, True)
    both(tmp_path, "again/ir/*.png", "again/vi/*.png", "ae")
    assert nearest() == ("dataset", "small", 5, True)
    verdict = fb.datasets.verify(tmp_path, "small", split="test")
    assert [(part.name, part.have, part.evidence) for part in verdict.parts] == [("test", 2, "folders")]


def test_splits_by_pattern(tmp_path: Path) -> None:
    both(tmp_path, "set06/V000/lwir/*.jpg", "set06/V000/visible/*.jpg", ("I00000", "I00001"))
    verdict = fb.datasets.verify(tmp_path)
    assert verdict.card.name == "kaist"
    assert [(part.name, part.have, part.evidence) for part in verdict.parts[1:]] == [("test", 2, "names")]
    assert not verdict.complete


@pytest.mark.parametrize(
    ("ir", "vis", "name"),
    [
        ("x/cropinfrared/*.jpg", "x/crop_LR_visible/*.jpg", "roadscene"),
        ("M3FD_Fusion/Ir/*.png", "M3FD_Fusion/Vis/*.png", "m3fd"),
        ("MRI/*.png", "PET/*.png", "mri-pet"),
        ("scenes-of-LLVIP/ir/*.png", "scenes-of-LLVIP/vi/*.png", ""),
        ("set00/V000/lwir/*.jpg", "set00/V000/visible/*.jpg", ""),
    ],
)
def test_a_folder_is_recognised_by_its_layout(ir: str, vis: str, name: str, tmp_path: Path) -> None:
    both(tmp_path, ir, vis, ("1", "2"))
    if name:
        assert fb.datasets.verify(tmp_path).card.name == name
        return
    with pytest.raises(UserError, match=r"has 2 pairs \(1, 2\), of no dataset that is known"):
        fb.datasets.verify(tmp_path)


def test_a_folder_is_recognised_by_what_it_is_called(tmp_path: Path) -> None:
    both(tmp_path, "data/LLVIP/infrared/test/*.jpg", "data/LLVIP/visible/test/*.jpg", ("190001", "190002"))
    verdict = fb.datasets.verify(tmp_path / "data" / "LLVIP")
    assert (verdict.card.name, verdict.nearest.name, verdict.nearest.have) == ("llvip", "test", 2)


def test_what_is_not_known(tmp_path: Path) -> None:
    both(tmp_path, "ir/*.png", "vis/*.png", ("harbour", "forest"))
    with pytest.raises(UserError, match=r"has 2 pairs \(forest, harbour\), of no dataset that is known: name"):
        fb.datasets.verify(tmp_path)
    with pytest.raises(UserError, match="'test' is a part of which dataset"):
        fb.datasets.verify(tmp_path, split="test")
    with pytest.raises(UserError, match="holds no two folders"):
        fb.datasets.verify(files(tmp_path / "none", "a.txt"))
    verdict = fb.datasets.verify(tmp_path, "msrs", split="test")
    assert (verdict.nearest.have, len(verdict.nearest.missing), verdict.complete) == (0, 361, False)


def test_real_images_are_recognised(shared: Path) -> None:
    expected = {
        "tno": ("tno", "tang", True),
        "roadscene": ("roadscene", "roadscene", False),
        "msrs": ("msrs", "test", False),
        "vifb": ("vifb", "test", True),
        "llvip": ("llvip", "llvip", False),
        "lytro": ("lytro", "test", True),
        "mefb": ("mefb", "mefb", False),
        "mri_ct": ("mri-ct", "mri-ct", False),
        "mri_pet": ("mri-pet", "mri-pet", False),
        "mri_spect": ("mri-spect", "mri-spect", False),
    }
    for folder, (name, part, complete) in expected.items():
        verdict = fb.datasets.verify(shared / "data" / folder)
        assert (verdict.card.name, verdict.nearest.name, verdict.complete) == (name, part, complete)


# The command.


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = cli.main(["dataset", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


def test_list_and_info(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert all(re.search(rf"^{name} ", out, re.MULTILINE) for name in NAMES)
    _, out, _ = run(capsys, "list", "--json")
    assert [entry["name"] for entry in json.loads(out)] == NAMES
    for name in NAMES:
        code, out, _ = run(capsys, "info", name)
        assert code == 0
        assert out.startswith(f"{name}: {DATASETS[name].title}\n")
    _, out, _ = run(capsys, "info", "tno")
    assert "CC0 (not verified)" in out
    assert re.search(r"fusiongan: 41 pairs, names not known", out)
    both(home / "mefb", "s/*_A.jpg", "s/*_B.jpg", "ab")
    _, out, _ = run(capsys, "info", "mefb", "--json")
    assert json.loads(out)["where"] == f"here, {home / 'mefb'}"
    code, _, err = run(capsys, "info", "roadscne")
    assert code == 2
    assert err.startswith("fusionbench: Unknown dataset 'roadscne': did you mean roadscene")


def test_verify_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = DATASETS["roadscene"].subset("auif").names
    both(tmp_path, "ir/*.jpg", "vi/*.jpg", names)
    code, out, _ = run(capsys, "verify", tmp_path)
    assert code == 0
    assert "This is the subset auif of roadscene, complete, by its names." in " ".join(out.split())
    (tmp_path / "vi" / f"{names[0]}.jpg").unlink()
    code, out, _ = run(capsys, "verify", tmp_path)
    assert code == 1
    assert "Of the subset auif of roadscene 39 of 40 are here" in " ".join(out.split())
    assert f"Missing (1): {names[0]}" in out
    code, out, _ = run(capsys, "verify", tmp_path, "--json")
    assert code == 1
    answer = json.loads(out)
    assert (answer["dataset"], answer["nearest"]["missing"], answer["complete"]) == ("roadscene", [names[0]], False)
    assert run(capsys, "verify", tmp_path, "--quiet")[:2] == (1, "")
    both(tmp_path / "tno", "ir/*.png", "vi/*.png", [f"{k:02}" for k in range(1, 46)])
    code, out, _ = run(capsys, "verify", tmp_path / "tno", "--dataset", "tno", "--subset", "tang")
    assert code == 0
    assert "All of the subset tang of tno is here" in " ".join(out.split())
    assert "Not of it (3): 43, 44, 45" in out


def test_make_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = "make", "synthetic", "-n", 2, "--size", "40x32", "--seed", 7, "-o", tmp_path / "made"
    code, out, _ = run(capsys, *words, "--condition", "noise", "--truth")
    assert code == 0
    assert out.splitlines()[0] == str(tmp_path / "made")
    found = fb.datasets.load("synthetic", tmp_path / "made")
    assert called(found) == ["01", "02"]
    expected = synthetic.scene(7, 40, 32, conditions=["noise"])
    assert (images.read(found[0].vis) == expected.vis).all()
    assert (images.read(tmp_path / "made/truth/people/01.png") == 255 * expected.people).all()
    code, out, _ = run(capsys, *words, "--json")
    assert json.loads(out)["pairs"] == ["01", "02"]
    assert run(capsys, *words, "--quiet")[1] == f"{tmp_path / 'made'}\n"
    for bad, said in (
        (("make", "tno"), "tno is photographed, not made"),
        (("make", "synthetic", "--size", "40"), "'40' is no size: write width and height like 640x480"),
        (
            ("make", "synthetic", "--condition", "smog", "-o", tmp_path / "x"),
            "Unknown condition 'smog': did you mean smoke",
        ),
    ):
        code, _, err = run(capsys, *bad)
        assert code == 2
        assert said in err


def test_every_help_has_an_example_to_paste(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("list", "info", "fetch", "verify", "make"):
        code, out, _ = run(capsys, verb, "--help")
        assert code == 0
        assert f"  fusionbench dataset {verb}" in out


def test_subset_of_a_card_without_any() -> None:
    assert DATASETS["tno"].subset("tang") == DATASETS["tno"].subsets[0]
    assert isinstance(DATASETS["tno"].subsets[0], Subset)
    assert isinstance(DATASETS["tno"].layouts[0], Layout)
    with pytest.raises(UserError, match="There is no subset of vifb called 'x', nor any other: leave it out"):
        DATASETS["vifb"].subset("x")
