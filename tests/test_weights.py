"""Weights: found where they should be, fetched whole or not at all, recognised, and converted bit by bit."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import serving
from handmade import state_dict, tensor, zipped

from fusionbench import cli
from fusionbench.baselines.learned import cards, weights
from fusionbench.baselines.learned.card import WeightsCard
from fusionbench.baselines.learned.checkpoints import fingerprint, read
from fusionbench.types import UserError

pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")

NUMBERS = np.arange(6, dtype="<f4").reshape(2, 3)
DATA = zipped(state_dict(a__weight=tensor("0", (2, 3))), {"0": NUMBERS.tobytes()})
CARD = WeightsCard(
    "cs2fusion@test",
    "latest.pth",
    "https://example.org/home",
    "none stated",
    "nothing",
    sha256=hashlib.sha256(DATA).hexdigest(),
    content=fingerprint({"a.weight": NUMBERS}),
)
UNSURE = replace(CARD, name="cs2fusion@unsure", sha256="", content="")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Only the cards above, and a cache and a package that hold nothing yet."""
    known = {card.name: card for card in (CARD, UNSURE)}
    monkeypatch.setattr(weights, "CARDS", known)
    monkeypatch.setattr(cards, "CARDS", known)
    monkeypatch.setattr(weights, "_SHIPPED", tmp_path / "package")
    monkeypatch.setenv("FUSIONBENCH_CACHE", str(tmp_path / "cache"))
    # Whoever is behind a proxy still reaches this machine without it.
    monkeypatch.setenv("NO_PROXY", "*")
    return tmp_path / "cache" / "weights"


class Server(serving.Server):
    """Answers with what it was told to."""

    answers: dict[str, tuple[int, bytes, int]]


class _Answer(serving.Answer):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, body, length = self.server.answers.get(self.path, (404, b"", 0))
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server(_Answer)
    one.answers = {"/w.pth": (200, DATA, len(DATA))}
    with serving.running(one):
        yield one


def put(path: Path, data: bytes = DATA) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


# Cards.


def test_cards_say_what_there_is_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert {card.method for card in cards.CARDS.values() if card.fuses} == set(weights.NETWORKS)
    for name, card in cards.CARDS.items():
        assert re.fullmatch(r"[a-z0-9-]+@[a-z0-9]+", name)
        assert (name, f"{card.method}@{card.tag}") == (card.name, name)
        assert card.home.startswith("https://")
        assert card.licence
        assert card.trained
        for digest in (card.sha256, card.content):
            assert re.fullmatch(r"([0-9a-f]{64})?", digest)
        assert not card.url or card.url.startswith("https://")


def test_weights_in_the_package_are_those_of_their_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    shipped = {f"{card.method}.safetensors": card for card in cards.CARDS.values() if card.shipped}
    found = sorted(weights._SHIPPED.glob("*"))
    assert {path.name for path in found} <= set(shipped)
    for path in found:
        card = shipped[path.name]
        assert weights.locate(card.method) == path
        assert path.stat().st_size <= 1_000_000
        verdict = weights.verify(path)
        assert (verdict.known, verdict.same_file) == (card, True)
        assert verdict.misfits is None or not verdict.misfits[card.method]


def test_unknown_name() -> None:
    with pytest.raises(UserError, match="Unknown set of weights 'cs2fusion@tset': did you mean cs2fusion@test"):
        weights.card("cs2fusion@tset")


# Finding.


def test_nothing_at_hand() -> None:
    with pytest.raises(UserError) as caught:
        weights.find("cs2fusion")
    assert str(caught.value) == (
        "There are no weights of cs2fusion here: get 'latest.pth' by hand from https://example.org/home, and give that "
        "file ('fusionbench weights verify FILE' says whether it is the right one)."
    )
    weights.CARDS["cs2fusion@test"] = replace(CARD, url="https://example.org/latest.pth")
    with pytest.raises(UserError, match="get it by 'fusionbench weights fetch cs2fusion@test', or give a file"):
        weights.find("cs2fusion", "test")
    with pytest.raises(UserError, match=r"There are no weights of nobody here: give a file of them\."):
        weights.find("nobody")


def test_order_of_places(cache: Path, tmp_path: Path) -> None:
    fetched = put(cache / "cs2fusion@test.pth")
    assert weights.locate("cs2fusion") == fetched
    ours = WeightsCard("cs2fusion@ours", "cs2fusion.safetensors", "", "", "", shipped=True)
    weights.CARDS[ours.name] = ours
    assert weights.locate("cs2fusion") == fetched
    packaged = put(tmp_path / "package" / "cs2fusion.safetensors")
    # What comes with the package stands first among the real cards.
    weights.CARDS.clear()
    weights.CARDS.update({ours.name: ours, CARD.name: CARD})
    assert weights.locate("cs2fusion") == packaged
    assert weights.locate("cs2fusion", "test") == weights.locate("cs2fusion", "cs2fusion@test") == fetched
    mine = put(tmp_path / "mine.pth")
    assert weights.locate("cs2fusion", mine) == weights.locate("cs2fusion", str(mine)) == mine


def test_file_wins_over_tag_of_the_same_name(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(cache / "cs2fusion@test.pth")
    put(tmp_path / "test")
    monkeypatch.chdir(tmp_path)
    assert weights.locate("cs2fusion", "test") == Path("test")


def test_neither_file_nor_tag() -> None:
    with pytest.raises(
        UserError, match=r"no file 'x.pth', and no weights that are called so: give .* or test or unsure"
    ):
        weights.locate("cs2fusion", "x.pth")
    with pytest.raises(UserError, match="'cs2fusion@test' are weights of cs2fusion: give some of clfnet"):
        weights.locate("clfnet", "cs2fusion@test")


def test_fetched_weights_that_changed(cache: Path) -> None:
    path = put(cache / "cs2fusion@test.pth", DATA + b"x")
    for call in (lambda: weights.locate("cs2fusion"), lambda: weights.find("cs2fusion", "test")):
        with pytest.raises(UserError, match=rf"'{path}' is not cs2fusion@test any more: delete it"):
            call()


def test_found_weights_are_those_of_the_network(tmp_path: Path) -> None:
    path = put(tmp_path / "mine.pth")
    assert weights.find("cs2fusion", path)["a.weight"].tolist() == NUMBERS.tolist()
    renamed = weights.find("cs2fusion", path, {"weight": (2, 3)}, lambda given: {k[2:]: v for k, v in given.items()})
    assert list(renamed) == ["weight"]
    with pytest.raises(UserError, match=r"holds weights of something else: 'a.weight' is 2 x 3 instead of 3 x 2"):
        weights.find("cs2fusion", path, {"a.weight": (3, 2)})


def test_weights_that_only_serve_training_are_not_fused_with(tmp_path: Path) -> None:
    weights.CARDS["cs2fusion@test"] = replace(CARD, fuses=False)
    path = put(tmp_path / "mine.pth")
    with pytest.raises(UserError, match="is cs2fusion@test, with which nothing can be fused: give cs2fusion@unsure"):
        weights.find("cs2fusion", path)


def test_networks_have_the_tensors_of_the_official_files(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.undo()
    for method, name in (("clfnet", "clf_keys.json"), ("coconet", "coconet_keys.json")):
        keys = json.loads((shared / "reference" / "networks" / name).read_text())
        assert weights.expected(method)[0] == {key: tuple(shape) for key, shape in keys.items()}
    shapes, adapt = weights.expected("cs2fusion")
    folder = shared / "weights" / "cs2fusion"
    assert set(weights.find("cs2fusion", folder / "Backbone Network.pth", shapes, adapt)) == set(shapes)
    with pytest.raises(UserError, match="is cs2fusion@initial, with which nothing can be fused"):
        weights.find("cs2fusion", folder / "Printrain.pth", shapes, adapt)
    with pytest.raises(UserError, match="is cs2fusion@compensation, with which nothing can be fused"):
        weights.find("cs2fusion", folder / "CPN.pth", shapes, adapt)
    with pytest.raises(UserError, match="seems to hold weights of clfnet, not of cs2fusion"):
        weights.find("cs2fusion", shared / "weights" / "clfnet_synthetic" / "clf_synthetic_zip.pth", shapes, adapt)


def test_official_files_are_recognised(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    folder = shared / "weights" / "cs2fusion"
    for name in ("cs2fusion@official", "cs2fusion@initial", "cs2fusion@compensation"):
        verdict = weights.verify(folder / cards.CARDS[name].file)
        assert (verdict.known, verdict.same_file) == (cards.CARDS[name], True)


# Fetching.


def test_fetched_over_http(server: Server, cache: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    card = replace(CARD, url=f"{server.url}/w.pth")
    path = weights.fetch(card, tick=lambda done, total: seen.append((done, total)))
    assert path == cache / "cs2fusion@test.pth"
    assert path.read_bytes() == DATA
    assert seen[-1] == (len(DATA), len(DATA))
    assert left_in(cache) == [path.name]
    assert weights.locate("cs2fusion") == path
    # It is there already, and nobody need be asked.
    assert weights.fetch(card) == path
    assert server.asked == ["/w.pth"]
    other = weights.fetch(card, tmp_path / "elsewhere" / "deep")
    assert other.read_bytes() == DATA
    assert len(server.asked) == 2


def test_fetched_from_a_file(cache: Path, tmp_path: Path) -> None:
    source = put(tmp_path / "with space" / "w.pth").as_uri()
    assert weights.fetch(CARD, source=source).read_bytes() == DATA
    assert left_in(cache) == ["cs2fusion@test.pth"]


def test_another_file_is_not_fetched(cache: Path, tmp_path: Path) -> None:
    source = put(tmp_path / "w.pth", DATA + b"x").as_uri()
    with pytest.raises(UserError, match=rf"{source} gave something else than cs2fusion@test, by its SHA-256: fetch it"):
        weights.fetch(CARD, source=source)
    assert left_in(cache) == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, b"", 0), "could not be fetched from {url} (404 Not Found): get 'latest.pth' by hand from https://exam"),
        ((500, b"", 0), "could not be fetched from {url} (500 Internal Server Error): get 'latest.pth' by hand"),
        (
            (200, DATA[:-9], len(DATA)),
            "could not be fetched from {url} (ChunkedEncodingError): get 'latest.pth' by hand",
        ),
        (
            (200, DATA[:-9], len(DATA) - 9),
            "{url} gave something else than cs2fusion@test, by its SHA-256: fetch it from",
        ),
        ((200, b"<html>", 6), "{url} gave something else than cs2fusion@test, by its SHA-256: fetch it from"),
    ],
)
def test_fetching_leaves_nothing_if_it_fails(
    answer: tuple[int, bytes, int], said: str, server: Server, cache: Path
) -> None:
    server.answers["/w.pth"] = answer
    url = f"{server.url}/w.pth"
    with pytest.raises(UserError) as caught:
        weights.fetch(replace(CARD, url=url))
    assert said.format(url=url) in str(caught.value)
    assert left_in(cache) == []


def test_nobody_answers(cache: Path) -> None:
    with pytest.raises(UserError, match=r"could not be fetched from http://127.0.0.1:9/w.pth \(ConnectionError\)"):
        weights.fetch(CARD, source="http://127.0.0.1:9/w.pth")
    with pytest.raises(UserError, match=r"There is no file '/no/such.pth'"):
        weights.fetch(CARD, source="file:///no/such.pth")
    with pytest.raises(UserError, match=r"'ftp://x/w.pth' is no place to fetch from"):
        weights.fetch(CARD, source="ftp://x/w.pth")
    assert left_in(cache) == []


def test_weights_without_a_known_hash_must_be_readable(server: Server, cache: Path) -> None:
    card = replace(UNSURE, url=f"{server.url}/w.pth")
    server.answers["/w.pth"] = (200, b"<!doctype html>", 15)
    with pytest.raises(UserError, match=rf"'{server.url}/w.pth' was not read: it is a web page"):
        weights.fetch(card)
    assert left_in(cache) == []
    server.answers["/w.pth"] = (200, DATA, len(DATA))
    assert weights.fetch(card).read_bytes() == DATA


def test_to_be_got_by_hand(cache: Path) -> None:
    with pytest.raises(UserError) as caught:
        weights.fetch(CARD)
    assert str(caught.value) == (
        "cs2fusion@test cannot be fetched: get 'latest.pth' by hand from https://example.org/home, and give that file "
        "('fusionbench weights verify FILE' says whether it is the right one)."
    )
    assert left_in(cache) == []


def test_another_file_is_not_overwritten(server: Server, tmp_path: Path) -> None:
    path = put(tmp_path / "here" / "cs2fusion@test.pth", b"mine")
    with pytest.raises(UserError, match=rf"'{path}' is there already, and may be something else: move it away"):
        weights.fetch(replace(CARD, url=f"{server.url}/w.pth"), path.parent)
    assert path.read_bytes() == b"mine"
    with pytest.raises(UserError, match=r"cannot be written to .*: choose another place"):
        weights.fetch(replace(CARD, url=f"{server.url}/w.pth"), path / "below")


def test_weights_of_the_package_need_not_be_fetched(tmp_path: Path) -> None:
    ours = replace(CARD, shipped=True)
    with pytest.raises(UserError, match="it was left out of this copy of the package, so install fusionbench anew"):
        weights.fetch(ours)
    path = put(tmp_path / "package" / "cs2fusion.safetensors")
    assert weights.fetch(ours) == path


# Verifying and converting.


def test_verdict(tmp_path: Path) -> None:
    path = put(tmp_path / "w.pth")
    verdict = weights.verify(path)
    assert (verdict.known, verdict.same_file, verdict.tensors, verdict.numbers) == (CARD, True, 1, 6)
    np.savez(tmp_path / "w.npz", **{"a.weight": NUMBERS})
    verdict = weights.verify(tmp_path / "w.npz")
    assert (verdict.known, verdict.same_file) == (CARD, False)
    np.savez(tmp_path / "w.npz", **{"a.weight": NUMBERS + 1})
    assert weights.verify(tmp_path / "w.npz").known is None


def test_verdict_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    assert weights.verify(put(tmp_path / "w.pth")).misfits is None


def test_conversion_keeps_every_bit(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors", reason="the package 'safetensors' is not installed")
    path, out = put(tmp_path / "w.pth"), tmp_path / "w.safetensors"
    out.write_bytes(b"older")
    verdict = weights.convert(path, out)
    assert (verdict.known, verdict.same_file) == (CARD, False)
    with safetensors.safe_open(out, "numpy") as file:
        assert file.metadata() == {
            "source": "w.pth",
            "source_sha256": CARD.sha256,
            "content_sha256": CARD.content,
            "made_by": f"fusionbench {__import__('fusionbench').__version__}",
            "name": CARD.name,
            "licence": CARD.licence,
        }
        assert list(file.keys()) == ["a.weight"]
        assert file.get_tensor("a.weight").tobytes() == NUMBERS.tobytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.pth", "w.safetensors"]


def test_conversion_of_published_files(shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="the package 'safetensors' is not installed")
    for path in ("cs2fusion/Backbone Network.pth", "clfnet_synthetic/clf_synthetic_legacy.pth"):
        weights.convert(shared / "weights" / path, tmp_path / "w.safetensors")
        before, after = read(shared / "weights" / path), read(tmp_path / "w.safetensors")
        assert before.keys() == after.keys()
        for name, array in before.items():
            assert (after[name].dtype, after[name].shape) == (array.dtype, array.shape)
            assert after[name].tobytes() == array.tobytes()


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("w.pth", "is not the name of such a file: let it end in .safetensors"),
        ("in.safetensors", "is the file to be converted: choose another name"),
        ("no/such/w.safetensors", "cannot be written: its folder does not exist, create it first"),
    ],
)
def test_conversion_to_nowhere(out: str, said: str, tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="the package 'safetensors' is not installed")
    path = put(tmp_path / "in.safetensors")
    with pytest.raises(UserError, match=said):
        weights.convert(path, tmp_path / out)
    assert left_in(tmp_path) == ["in.safetensors"]


# The command.


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def command(*words: object) -> tuple[int, str, str]:
        code = cli.main(["weights", *map(str, words)])
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_command_lists(run: Callable[..., tuple[int, str, str]], cache: Path) -> None:
    put(cache / "cs2fusion@unsure.pth")
    code, out, _ = run("list")
    assert code == 0
    assert re.search(r"cs2fusion@test +fusing +to be got by hand +none stated", out)
    assert re.search(r"cs2fusion@unsure +fusing +fetched +none stated", out)
    listed = json.loads(run("list", "--json")[1])
    assert [(one["name"], one["where"], one["sha256"]) for one in listed] == [
        ("cs2fusion@test", "to be got by hand", CARD.sha256),
        ("cs2fusion@unsure", f"fetched: {cache / 'cs2fusion@unsure.pth'}", None),
    ]
    code, out, _ = run("list", "cs2fusion@test")
    assert code == 0
    for text in (CARD.sha256, CARD.home, CARD.licence, CARD.trained, "latest.pth"):
        assert text in out
    assert run("list", "nobody")[0] == 2
    put(cache / "cs2fusion@test.pth", b"x")
    assert re.search(r"cs2fusion@test +fusing +fetched, but changed since +none stated", run("list")[1])


def test_command_fetches(run: Callable[..., tuple[int, str, str]], server: Server, cache: Path) -> None:
    code, out, err = run("fetch", "cs2fusion@test", "--from", f"{server.url}/w.pth")
    assert (code, err) == (0, "")
    assert out.startswith(f"{cache / 'cs2fusion@test.pth'}\n")
    assert "its SHA-256 is that of the authors' file" in out
    assert "Licence: none stated." in " ".join(out.split())
    code, out, _ = run("fetch", "cs2fusion@unsure", "--from", f"{server.url}/w.pth")
    assert code == 0
    assert "was not known; this one has " + CARD.sha256 in " ".join(out.split())
    path = cache / "cs2fusion@test.pth"
    assert run("fetch", "cs2fusion@test", "--quiet") == (0, f"{path}\n", "")
    code, _, err = run("fetch", "cs2fusion@test", "cs2fusion@unsure", "--from", "file:///x")
    assert (code, err.count("\n")) == (2, 1)
    assert "is one file, but 2 names are given" in err


def test_command_verifies(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    path = put(tmp_path / "w.pth")
    code, out, _ = run("verify", path)
    assert code == 0
    assert "1 tensors of 6 numbers, all finite" in out
    assert "cs2fusion@test, the very file of its makers; for fusing" in out
    np.savez(tmp_path / "other.npz", x=NUMBERS)
    code, out, _ = run("verify", path, tmp_path / "other.npz", "--json")
    assert code == 1
    one, other = json.loads(out)
    assert (one["name"], one["same_file"], other["name"]) == ("cs2fusion@test", True, None)
    code, out, err = run("verify", put(tmp_path / "bad.pth", b"\x80\x02cos\nsystem\n."))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "it names 'os.system'" in err


def test_command_says_what_fits(run: Callable[..., tuple[int, str, str]], shared: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    code, out, _ = run("verify", shared / "weights" / "clfnet_synthetic" / "clf_synthetic_zip.pth", "--json")
    assert code == 0
    (verdict,) = json.loads(out)
    assert verdict["fits"] == ["clfnet"]
    assert "are missing" in verdict["misfits"]["coconet"]
    code, out, _ = run("verify", shared / "weights" / "others" / "smoa" / "decoder_epoch50.pt")
    assert code == 1
    assert "not cs2fusion: 'con1.0.weight' and 35 more are missing" in " ".join(out.split())


def test_command_converts(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="the package 'safetensors' is not installed")
    code, out, _ = run("convert", put(tmp_path / "w.pth"), "-o", tmp_path / "w.safetensors")
    assert code == 0
    assert "cs2fusion@test, the same numbers in another file" in out
    assert read(tmp_path / "w.safetensors")["a.weight"].tolist() == NUMBERS.tolist()
