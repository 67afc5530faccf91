"""Pairing goes by name: layouts that people really have, the traps in them, and what is said where it fails."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from fusionbench.pairing import (
    MethodImages,
    SourcePairs,
    images_in,
    match_fused,
    natural_key,
    pair_sources,
    remarks,
    unused_pairs,
)
from fusionbench.types import Pair, UserError


def fill(folder: Path, names: str | Iterable[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names.split() if isinstance(names, str) else names:
        (folder / name).touch()
    return folder


def sources_of(root: Path, ir: str, vis: str) -> SourcePairs:
    return pair_sources(fill(root / "ir", ir), fill(root / "vis", vis))


def shown(pairs: Iterable[Pair]) -> dict[str, tuple[str, str]]:
    return {pair.name: (pair.ir.name, pair.vis.name) for pair in pairs}


def found(method: MethodImages) -> dict[str, str]:
    return {item.pair.name: item.path.name for item in method.found}


def numbered(pattern: str, count: int = 12) -> str:
    return " ".join(pattern.format(n) for n in range(1, count + 1))


@pytest.mark.parametrize(
    ("ir", "vis", "expected"),
    [
        ("01.png 02.png", "01.png 02.png", {"01": ("01.png", "01.png"), "02": ("02.png", "02.png")}),
        ("01.png", "01.BMP", {"01": ("01.png", "01.BMP")}),
        ("IR1.png IR2.png", "VIS1.png VIS2.png", {"1": ("IR1.png", "VIS1.png"), "2": ("IR2.png", "VIS2.png")}),
        ("IR1.png", "VIS1.png", {"1": ("IR1.png", "VIS1.png")}),
        ("00006_ir.png 7_ir.png", "00006_vis.png 7_vis.png", {
            "00006": ("00006_ir.png", "00006_vis.png"), "7": ("7_ir.png", "7_vis.png")}),
        ("img_1_ir.png", "img_1_vis.png", {"img_1": ("img_1_ir.png", "img_1_vis.png")}),
        ("IRlake.png IRmill.png", "VISlake.png VISmill.png", {
            "lake": ("IRlake.png", "VISlake.png"), "mill": ("IRmill.png", "VISmill.png")}),
        ("1i.bmp 2i.bmp", "1v.bmp 2v.bmp", {"1": ("1i.bmp", "1v.bmp"), "2": ("2i.bmp", "2v.bmp")}),
        ("lytro-01-A.jpg", "lytro-01-B.jpg", {"lytro-01": ("lytro-01-A.jpg", "lytro-01-B.jpg")}),
        ("mri_11.png ", "ct_11.png", {"11": ("mri_11.png", "ct_11.png")}),
        ("infrared-3.png", "visible-03.png", {"3": ("infrared-3.png", "visible-03.png")}),
        ("thermal_cam_3.png thermal_cam_4.png", "3.png 4.png", {
            "3": ("thermal_cam_3.png", "3.png"), "4": ("thermal_cam_4.png", "4.png")}),
        ("Lake.png", "lake.png", {"Lake": ("Lake.png", "lake.png")}),
        ("1.png 2.png 10.png", "01.png 02.png 10.png", {
            "1": ("1.png", "01.png"), "2": ("2.png", "02.png"), "10": ("10.png", "10.png")}),
        # Names that merely begin like a word for a source stay as they are, beside names that do carry one.
        ("irene.png visitor.png", "irene.png visitor.png", {
            "irene": ("irene.png", "irene.png"), "visitor": ("visitor.png", "visitor.png")}),
        ("ir_1.png irene.png", "vis_1.png irene.png", {
            "1": ("ir_1.png", "vis_1.png"), "irene": ("irene.png", "irene.png")}),
        ("ir.png 2.png", "ir.png 2.png", {"2": ("2.png", "2.png"), "ir": ("ir.png", "ir.png")}),
        # Scenes whose own names share a beginning.
        ("FLIR_05872.jpg FLIR_05873.jpg", "FLIR_05872.jpg FLIR_05873.jpg", {
            "FLIR_05872": ("FLIR_05872.jpg", "FLIR_05872.jpg"), "FLIR_05873": ("FLIR_05873.jpg", "FLIR_05873.jpg")}),
        ("1_1.png 1_2.png 2_1.png", "1_1.png 1_2.png 2_1.png", {
            "1_1": ("1_1.png", "1_1.png"), "1_2": ("1_2.png", "1_2.png"), "2_1": ("2_1.png", "2_1.png")}),
        ("a.b.png", "a.b.tif", {"a.b": ("a.b.png", "a.b.tif")}),
    ],
)  # fmt: skip
def test_sources_of_two_folders(tmp_path: Path, ir: str, vis: str, expected: dict[str, tuple[str, str]]) -> None:
    sources = sources_of(tmp_path, ir, vis)
    assert shown(sources.pairs) == expected
    assert not sources.only_ir + sources.only_vis + sources.unknown
    assert list(shown(sources.pairs)) == sorted(expected, key=natural_key)


@pytest.mark.parametrize(
    ("folder", "fused", "expected"),
    [
        ("GFF", "01.png 02.png 03.png", {"01": "01.png", "02": "02.png", "03": "03.png"}),
        ("GFF", "1.bmp 2.bmp 10.bmp", {"01": "1.bmp", "02": "2.bmp", "10": "10.bmp"}),
        ("GFF", "001.png 002.png", {"01": "001.png", "02": "002.png"}),
        ("GFF", "fusion_1.png fusion_2.png", {"01": "fusion_1.png", "02": "fusion_2.png"}),
        ("GFF", "fused12.png", {"12": "fused12.png"}),
        ("GFF", "1_GFF.png 12_GFF.png", {"01": "1_GFF.png", "12": "12_GFF.png"}),
        ("RFN-Nest", "1_rfnnest.png", {"01": "1_rfnnest.png"}),
        ("out", "01_fused.png 02_fused.png", {"01": "01_fused.png", "02": "02_fused.png"}),
        ("out", "F9_01.png F9_02.png F9_12.png", {"01": "F9_01.png", "02": "F9_02.png", "12": "F9_12.png"}),
        ("F9", "F9_01.png", {"01": "F9_01.png"}),
        ("U2Fusion", "U2Fusion_07.png", {"07": "U2Fusion_07.png"}),
        ("out", "results_TarDAL_01.png results_TarDAL_02.png", {
            "01": "results_TarDAL_01.png", "02": "results_TarDAL_02.png"}),
        ("out", "quick_brown_01_fox.png", {"01": "quick_brown_01_fox.png"}),
        ("out", "11.png 1.png", {"01": "1.png", "11": "11.png"}),
        ("out", "01_ir.png 02_ir.png", {"01": "01_ir.png", "02": "02_ir.png"}),
        ("out", "01_ir.png 01_vis.png 01_fused.png", {"01": "01_fused.png"}),
        ("out", "01.png 02.png montage.png Thumbs.db notes.txt", {"01": "01.png", "02": "02.png"}),
        ("out", "05_x.png 06_x.png 07_x.png 08_x.png montage.png", {
            "05": "05_x.png", "06": "06_x.png", "07": "07_x.png", "08": "08_x.png"}),
        # Not nearly all carry it, so it is no affix of the folder: 04_old stays what it is called.
        ("out", "01.png 02.png 03.png 04_old.png", {"01": "01.png", "02": "02.png", "03": "03.png"}),
    ],
)  # fmt: skip
def test_fused_of_numbered_pairs(tmp_path: Path, folder: str, fused: str, expected: dict[str, str]) -> None:
    sources = sources_of(tmp_path, numbered("{:02}.png"), numbered("{:02}.png"))
    [method] = match_fused(fill(tmp_path / folder, fused), sources)
    assert method.method == folder
    assert found(method) == expected
    assert method.missing == ()
    images = {name for name in fused.split() if name.endswith(("png", "bmp"))}
    assert {path.name for path in method.unknown} == images - set(expected.values())
    assert len(unused_pairs(sources, [method])) == 12 - len(expected)


@pytest.mark.parametrize(
    ("sources", "folder", "fused", "expected"),
    [
        ("carLight.jpg fight.jpg", "ADF", "carLight_ADF.jpg fight_ADF.jpg", {
            "carLight": "carLight_ADF.jpg", "fight": "fight_ADF.jpg"}),
        ("carLight.jpg fight.jpg", "adf-run2", "carLight_ADF.jpg fight_ADF.jpg", {
            "carLight": "carLight_ADF.jpg", "fight": "fight_ADF.jpg"}),
        ("FLIR_00006.jpg FLIR_00211.jpg", "out", "00006.png 00211.png", {
            "FLIR_00006": "00006.png", "FLIR_00211": "00211.png"}),
        ("FLIR_00006.jpg FLIR_00211.jpg", "out", "6.png 211.png", {
            "FLIR_00006": "6.png", "FLIR_00211": "211.png"}),
        ("FLIR_00006.jpg FLIR_00211.jpg", "DIDFuse", "DIDFuse_00006.png DIDFuse_00211.png", {
            "FLIR_00006": "DIDFuse_00006.png", "FLIR_00211": "DIDFuse_00211.png"}),
        ("00004N.png 00103D.png", "out", "00004N_out.png 00103D_out.png", {
            "00004N": "00004N_out.png", "00103D": "00103D_out.png"}),
        ("lytro-01.jpg lytro-02.jpg", "out", "color_lytro_01.png color_lytro_02.png", {
            "lytro-01": "color_lytro_01.png", "lytro-02": "color_lytro_02.png"}),
        ("irene.png visitor.png", "out", "irene_fused.png visitor_fused.png", {
            "irene": "irene_fused.png", "visitor": "visitor_fused.png"}),
        # The whole name is meant, not the part of it that is another pair's name.
        ("lake.png lake_2.png", "out", "fused_lake_2.png", {"lake_2": "fused_lake_2.png"}),
        ("été.png", "out", "e\u0301te\u0301.png", {"été": "e\u0301te\u0301.png"}),
    ],
)  # fmt: skip
def test_fused_of_other_names(tmp_path: Path, sources: str, folder: str, fused: str, expected: dict[str, str]) -> None:
    [method] = match_fused(fill(tmp_path / folder, fused), sources_of(tmp_path, sources, sources))
    assert found(method) == expected


def test_fused_may_be_named_after_one_of_the_sources(tmp_path: Path) -> None:
    sources = sources_of(tmp_path, "cam_8_2.png cam_8_8.png", "2.png 8.png")
    [method] = match_fused(fill(tmp_path / "out", "cam_8_2.png"), sources)
    assert found(method) == {"2": "cam_8_2.png"}
    assert remarks(sources, [method])[-1] == "out is matched as the infrared images"


def test_both_sources_in_one_folder(tmp_path: Path) -> None:
    folder = fill(tmp_path / "both", "IR1.png VIS1.png 00006_ir.png 00006_vis.png 9_ir.png visitor.png")
    sources = pair_sources(folder, folder)
    assert shown(sources.pairs) == {"1": ("IR1.png", "VIS1.png"), "00006": ("00006_ir.png", "00006_vis.png")}
    assert [path.name for path in sources.only_ir] == ["9_ir.png"]
    assert [path.name for path in sources.unknown] == ["visitor.png"]


def test_sources_and_fused_in_one_folder(tmp_path: Path) -> None:
    folder = fill(tmp_path / "all", "1_ir.png 1_vis.png 1_fused.png 2_ir.png 2_vis.png 2_fused.png")
    sources = pair_sources(folder, folder)
    methods = match_fused(folder, sources)
    assert found(methods[0]) == {"1": "1_fused.png", "2": "2_fused.png"}
    assert methods[0].unknown == ()
    assert not any("Neither" in line for line in remarks(sources, methods))


def test_a_folder_of_sources_can_be_scored_as_fused(tmp_path: Path) -> None:
    sources = sources_of(tmp_path, "1.png 2.png", "1.png 2.png")
    [method] = match_fused(tmp_path / "ir", sources)
    assert found(method) == {"1": "1.png", "2": "2.png"}


def test_a_folder_of_methods(tmp_path: Path) -> None:
    sources = sources_of(tmp_path, numbered("{:02}.png", 5), numbered("{:02}.png", 5))
    fill(tmp_path / "fused" / "m10", "01.png 02.png")
    fill(tmp_path / "fused" / "m2", "2.png 3.png other.png")
    fill(tmp_path / "fused" / "empty", "readme.txt")
    fill(tmp_path / "fused" / ".cache", "01.png")
    methods = {method.method: method for method in match_fused(tmp_path / "fused", sources)}
    assert list(methods) == ["empty", "m2", "m10"]
    assert found(methods["m10"]) == {"01": "01.png", "02": "02.png"}
    assert found(methods["m2"]) == {"02": "2.png", "03": "3.png"}
    assert [path.name for path in methods["m2"].unknown] == ["other.png"]
    missing = {name: [pair.name for pair in method.missing] for name, method in methods.items()}
    assert missing == {"empty": ["01", "02", "03"], "m2": ["01"], "m10": ["03"]}
    assert [pair.name for pair in unused_pairs(sources, methods.values())] == ["04", "05"]
    lines = remarks(sources, list(methods.values()))
    assert "3 of 5 pairs have a fused image" in lines
    assert "m2 has images of no pair (1): other.png" in lines
    assert "m10 lacks (1): 03" in lines


def test_source_folders_beside_method_folders_are_no_methods(tmp_path: Path) -> None:
    sources = sources_of(tmp_path, "1.png", "1.png")
    fill(tmp_path / "gff", "1.png")
    assert [method.method for method in match_fused(tmp_path, sources)] == ["gff"]


def test_files_given_one_by_one(tmp_path: Path) -> None:
    fill(tmp_path / "a", "x_ir.png y_ir.png irene.png")
    fill(tmp_path / "b", "x_vis.png other.png")
    fill(tmp_path / "gff", "result.png")
    both = pair_sources(tmp_path / "a/x_ir.png", tmp_path / "b/x_vis.png")
    assert shown(both.pairs) == {"x": ("x_ir.png", "x_vis.png")}
    unlike = pair_sources(tmp_path / "a/x_ir.png", tmp_path / "b/other.png")
    assert shown(unlike.pairs) == {"x": ("x_ir.png", "other.png")}
    assert shown(pair_sources(tmp_path / "a/irene.png", tmp_path / "b/other.png").pairs) == {
        "irene": ("irene.png", "other.png")
    }
    [method] = match_fused(tmp_path / "gff/result.png", unlike)
    assert (method.method, found(method)) == ("gff", {"x": "result.png"})
    mixed = pair_sources(tmp_path / "a/x_ir.png", tmp_path / "b")
    assert shown(mixed.pairs) == {"x": ("x_ir.png", "x_vis.png")}
    assert [path.name for path in mixed.only_vis] == ["other.png"]


def test_a_file_and_its_own_folder(tmp_path: Path) -> None:
    folder = fill(tmp_path, "1_ir.png 1_vis.png")
    expected = {"1": ("1_ir.png", "1_vis.png")}
    assert shown(pair_sources(folder / "1_ir.png", folder).pairs) == expected
    assert shown(pair_sources(folder, folder / "1_vis.png").pairs) == expected


def test_one_fused_file_of_many_pairs_goes_by_name(tmp_path: Path) -> None:
    sources = sources_of(tmp_path, "1.png 2.png", "1.png 2.png")
    fill(tmp_path / "gff", "2.png result.png")
    [method] = match_fused(tmp_path / "gff/2.png", sources)
    assert (method.method, found(method), method.missing) == ("gff", {"2": "2.png"}, ())
    with pytest.raises(UserError, match=r"result\.png"):
        match_fused(tmp_path / "gff/result.png", sources)


def test_what_has_no_partner_is_named(tmp_path: Path) -> None:
    sources = sources_of(tmp_path, "1.png 2.png 10.png", "1.png 3.png 10.png")
    assert list(shown(sources.pairs)) == ["1", "10"]
    assert remarks(sources) == [
        "Infrared images without a visible partner (1): 2.png",
        "Visible images without an infrared partner (1): 3.png",
    ]


def test_doubled_names_are_named_and_left_out(tmp_path: Path) -> None:
    sources = sources_of(tmp_path, "1.png 1.bmp 2.png", "1.png 2.png")
    assert list(shown(sources.pairs)) == ["2"]
    assert sources.doubled == (("1", (tmp_path / "ir/1.bmp", tmp_path / "ir/1.png")),)
    assert remarks(sources)[-1] == f"Left out, '1' is more than once in {tmp_path / 'ir'}: 1.bmp, 1.png"
    [method] = match_fused(fill(tmp_path / "gff", "2.png 3.png 3.jpg"), sources)
    assert method.doubled == (("3", (tmp_path / "gff/3.jpg", tmp_path / "gff/3.png")),)
    with pytest.raises(UserError, match=r"more than once \(1\.bmp, 1\.png\); keep one"):
        pair_sources(fill(tmp_path / "twice", "1.png 1.bmp"), tmp_path / "vis")


def test_the_rule_is_told_where_names_differ(tmp_path: Path) -> None:
    sources = sources_of(tmp_path, "IR1.png IR2.png", "VIS1.png VIS2.png")
    [method] = match_fused(fill(tmp_path / "GFF", "01_GFF.png 02_GFF.png"), sources)
    assert remarks(sources, [method]) == [
        "Sources are matched as 'IR*' with 'VIS*'",
        "GFF is matched as '*' with '*_GFF', whatever their case, zero padding and separators",
    ]


@pytest.mark.parametrize(
    ("ir", "vis", "sentence"),
    [
        # Equal counts, unrelated names: the position in the folder is no reason.
        ("a.png b.png", "c.png d.png", r"a\.png, b\.png.*c\.png, d\.png"),
        ("1.png 2.png", "3.png 4.png", "No name is common"),
        ("day_1.png day_2.png", "night_1.png night_2.png", "No name is common"),
        ("1_1.png 1_2.png", "2_1.png 2_2.png", "No name is common"),
        # One accidental number is no reason to take "cam" off all of them.
        ("cam_1.png cam_2.png cam_3.png", "3.png 7.png 8.png", "No name is common"),
        ("FLIR_00006.png", "05.png 06.png", "No name is common"),
        ("1.png 01.png 2.png", "001.png 02.png", "'001' could belong to '01' or '1'"),
        ("01.png 05.png", "01_05.png", "'01_05' could belong to '01' or '05'"),
    ],
)
def test_names_that_cannot_be_matched(tmp_path: Path, ir: str, vis: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        sources_of(tmp_path, ir, vis)


def test_of_two_spellings_the_exact_one_is_meant(tmp_path: Path) -> None:
    sources = sources_of(tmp_path, "1.png 01.png 2.png", "1.png 02.png")
    assert shown(sources.pairs) == {"1": ("1.png", "1.png"), "2": ("2.png", "02.png")}
    assert [path.name for path in sources.only_ir] == ["01.png"]


def test_another_case_is_nearer_than_another_word(tmp_path: Path) -> None:
    sources = sources_of(tmp_path, "Lake.png ir_lake.png", "lake.png mill.png")
    assert shown(sources.pairs) == {"Lake": ("Lake.png", "lake.png")}


def test_images_in_a_folder(tmp_path: Path) -> None:
    fill(tmp_path, "10.png 2.PNG 1.jpeg b.tif a10.bmp A2.tiff .hidden.png ._1.png Thumbs.db scores.csv")
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in images_in(tmp_path)] == ["1.jpeg", "2.PNG", "10.png", "A2.tiff", "a10.bmp", "b.tif"]


def test_wrong_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = fill(tmp_path / "empty", "readme.txt")
    images = fill(tmp_path / "images", "1.png")
    sources = pair_sources(images / "1.png", images / "1.png")
    with pytest.raises(UserError, match=r"missing' does not exist; check the path\."):
        pair_sources(tmp_path / "missing", images)
    with pytest.raises(UserError, match=r"empty' holds no images; looked for names ending in \.png \.jpg"):
        pair_sources(images, empty)
    with pytest.raises(UserError, match=r"readme\.txt' is no image that can be read"):
        pair_sources(images, empty / "readme.txt")
    with pytest.raises(UserError, match=r"1\.png' is not a folder"):
        images_in(images / "1.png")
    with pytest.raises(UserError, match="images' is given for both sources"):
        pair_sources(images, images)
    with pytest.raises(UserError, match="missing' does not exist"):
        match_fused(tmp_path / "missing", sources)
    with pytest.raises(UserError, match="' holds no fused images, nor do its folders"):
        match_fused(empty, sources)
    fill(tmp_path / "mixed" / "inner", "1.png")
    with pytest.raises(UserError, match=r"' holds images beside folders of images \(inner\)"):
        match_fused(fill(tmp_path / "mixed", "1.png"), sources)

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UserError, match=r"images' cannot be read \(Permission denied\)"):
        images_in(images)


@pytest.mark.parametrize(("wrong", "right"), [("FLIR_00977 FLIR_04354", "01 02"), ("01 02", "carLight fight")])
def test_fused_images_of_another_dataset(tmp_path: Path, wrong: str, right: str) -> None:
    names = " ".join(f"{name}.png" for name in right.split())
    fused = fill(tmp_path / "out", [f"{name}.png" for name in wrong.split()])
    first, second = right.split()
    with pytest.raises(UserError, match=re.escape(f"({first}, {second})")):
        match_fused(fused, sources_of(tmp_path, names, names))


# Scene names as people give them: words and numbers with separators, or glued as in `scene12`.
words = st.sampled_from("lake mill street visitor irene carLight FLIR scene night N D".split())
numbers = st.integers(0, 400).flatmap(lambda n: st.sampled_from([f"{n}", f"{n:03}", f"{n:05}"]))
scene = st.lists(words | numbers, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from(["_", "-", " "]).map(lambda glue: glue.join(parts))
)
folded_apart = st.lists(scene, min_size=1, max_size=8, unique_by=lambda name: re.sub(r"\b0+(?=\d)|[_\- ]", "", name))
affix = st.sampled_from(["x_", "run2-", "my_net_", "2024_", "IFCNN ", "fused-"])


few = settings(max_examples=60)


@few
@given(names=folded_apart, order=st.randoms(use_true_random=False), suffixes=st.data())
def test_order_and_suffix_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], order: random.Random, suffixes: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("pairs")
    suffix = st.sampled_from([".png", ".PNG", ".jpg", ".bmp", ".tiff"])
    for side in ("ir", "vis", "out"):
        order.shuffle(names)
        fill(root / side, [name + suffixes.draw(suffix) for name in names])
    sources = pair_sources(root / "ir", root / "vis")
    assert [pair.name for pair in sources.pairs] == sorted(names, key=natural_key)
    assert all(pair.name == pair.ir.stem == pair.vis.stem for pair in sources.pairs)
    [method] = match_fused(root / "out", sources)
    assert all(item.path.stem == item.pair.name for item in method.found)
    assert len(method.found) == len(names)


@few
@given(names=folded_apart, text=affix, at_end=st.booleans())
@example(names=["x", "x_x"], text="x_", at_end=False)
@example(names=["001", "002", "003"], text="2024_", at_end=False)
def test_an_affix_of_a_whole_folder_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], text: str, at_end: bool
) -> None:
    # One name alone shares everything with itself, so that its parts may be other scenes' names.
    assume(len(names) > 1)
    root = tmp_path_factory.mktemp("pairs")
    fill(root / "ir", [f"{name}.png" for name in names])
    renamed = {(f"{name}_{text.strip('_- ')}" if at_end else f"{text}{name}"): name for name in names}
    sources = pair_sources(root / "ir", fill(root / "vis", [f"{name}.png" for name in renamed]))
    assert {pair.vis.stem: pair.ir.stem for pair in sources.pairs} == renamed


@few
@given(left=folded_apart, right=folded_apart)
def test_never_by_position(tmp_path_factory: pytest.TempPathFactory, left: list[str], right: list[str]) -> None:
    root = tmp_path_factory.mktemp("pairs")
    fill(root / "ir", [f"{name}.png" for name in left])
    fill(root / "vis", [f"{name}.png" for name in right])
    try:
        pairs = pair_sources(root / "ir", root / "vis").pairs
    except UserError:
        pairs = ()
    for pair in pairs:
        parts = [re.findall(r"[a-z]+|\d+", path.stem.lower()) for path in (pair.ir, pair.vis)]
        short, long = sorted(([part.lstrip("0") or "0" for part in name] for name in parts), key=len)
        assert any(long[at : at + len(short)] == short for at in range(len(long)))
    assert {pair.ir.stem for pair in pairs} >= set(left) & set(right) or not pairs


@pytest.mark.parametrize(
    ("name", "pairs", "methods", "covered"), [("tno", 42, 11, 13), ("vifb", 21, 25, 7), ("msrs", 20, 1, 10)]
)
def test_real_folders(shared: Path, name: str, pairs: int, methods: int, covered: int) -> None:
    data = shared / "data"
    sources = pair_sources(data / name / "ir", data / name / "vis")
    assert (len(sources.pairs), sources.rule, remarks(sources)) == (pairs, "", [])
    matched = match_fused(data / "fused" / name, sources)
    assert len(matched) == methods
    assert all(not method.unknown and not method.rule for method in matched)
    assert all(item.path.stem == item.pair.ir.stem for method in matched for item in method.found)
    assert pairs - len(unused_pairs(sources, matched)) == covered


def test_real_folders_of_two_datasets(shared: Path) -> None:
    data = shared / "data"
    sources = pair_sources(data / "roadscene" / "ir", data / "roadscene" / "vis")
    methods = match_fused(data / "fused" / "roadscene", sources)
    assert [(method.method, len(method.found), len(method.unknown)) for method in methods] == [
        ("AUIF", 6, 4),
        ("DIDFuse", 6, 4),
    ]
    with pytest.raises(UserError, match="No fused image"):
        match_fused(data / "fused" / "tno", sources)
