"""Fetching datasets: downloads that go on where they stopped, archives that are not trusted, nothing half there."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest
import serving
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fusionbench as fb
from fusionbench import cli, downloads
from fusionbench.datasets import DATASETS, fetching, loading
from fusionbench.datasets.card import Archive, Card, Subset
from fusionbench.datasets.unpacking import Limits, unpack
from fusionbench.types import UserError

pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")

ROOMY = Limits(10**7, 1000)
NAMES = ("a", "b", "c")
PIXELS = {name: os.urandom(40_000) for name in NAMES}


def zipped(*members: tuple[str, bytes], compress: bool = False) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=archive.compression)
    return data.getvalue()


def tarred(*members: tuple[str, bytes | bytes], mode: str = "w:gz", kind: bytes = tarfile.REGTYPE) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info.linkname = content.decode()
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


SCENES = [
    (f"MINE-1234/data/{side}/{name}.png", PIXELS[name] + side.encode()) for name in NAMES for side in ("ir", "vi")
]
DATA = zipped(*SCENES, ("MINE-1234/README.md", b"hello"), ("MINE-1234/results/x.png", b"x"))
SHA256 = hashlib.sha256(DATA).hexdigest()


@dataclass
class Plan:
    """How the server behaves."""

    body: bytes = DATA
    status: int = 200
    tag: str = '"one"'
    breaks: list[int] = field(default_factory=list)
    """After how many bytes each answer breaks off; the last ones are whole."""
    ranges: bool = True
    wrong_part: bool = False


class Server(serving.Server):
    """Remembers the range that each request asked for."""

    plan: Plan

    @property
    def url(self) -> str:
        return f"{super().url}/mine.zip"


class _Answer(serving.Answer):
    server: Server

    def do_GET(self) -> None:
        if self.path == "/moved.zip":
            self.send_response(302)
            self.send_header("Location", "/mine.zip")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        plan, wanted = self.server.plan, self.headers.get("Range", "")
        self.server.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-") or 0) if plan.ranges else 0
        goes_on = start > 0 and self.headers.get("If-Range") == plan.tag
        body = plan.body[start:] if goes_on else plan.body
        status = 416 if goes_on and not body else 206 if goes_on else plan.status
        self.send_response(status)
        if plan.tag:
            self.send_header("ETag", plan.tag)
        if status == 206:
            shown = start - 1 if plan.wrong_part else start
            self.send_header("Content-Range", f"bytes {shown}-{len(plan.body) - 1}/{len(plan.body)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: plan.breaks.pop(0)] if plan.breaks else body)


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server(_Answer)
    one.plan = Plan()
    with serving.running(one):
        yield one


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FUSIONBENCH_DATA", str(tmp_path / "home"))
    # Whoever is behind a proxy still reaches this machine without it.
    monkeypatch.setenv("NO_PROXY", "*")
    return tmp_path / "home"


@pytest.fixture
def mine(server: Server, monkeypatch: pytest.MonkeyPatch) -> Card:
    """A dataset of three pairs that the server has."""
    card = replace(
        DATASETS["vifb"],
        name="mine",
        count=3,
        splits=(),
        subsets=(Subset("two", 2, "mine", ("a", "b")),),
        archives=(Archive(server.url, sha256=SHA256, keep="data", largest=1, files=10),),
    )
    monkeypatch.setattr(DATASETS, "_entries", {**DATASETS._entries, "mine": "x:y"})
    monkeypatch.setattr(DATASETS, "_loaded", {"mine": card})
    return card


def use(card: Card, **changes: object) -> None:
    DATASETS._loaded["mine"] = replace(card, archives=(replace(card.archives[0], **changes),))  # type: ignore[arg-type]


def left_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


WHOLE = sorted(f"mine/{side}/{name}.png" for side in ("ir", "vi") for name in NAMES)


# Fetching.


def test_fetched_verified_and_loaded(server: Server, mine: Card, home: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = fb.datasets.fetch("mine", tick=lambda done, total: seen.append((done, total)))
    assert folder == home / "mine"
    assert left_in(home) == WHOLE
    assert (folder / "ir" / "a.png").read_bytes() == PIXELS["a"] + b"ir"
    assert seen[-1] == (len(DATA), len(DATA))
    assert all(earlier[0] <= later[0] for earlier, later in pairwise(seen))
    assert [pair.name for pair in fb.datasets.load("mine")] == list(NAMES)
    assert fb.datasets.verify(folder, "mine").complete
    # It is there already, and nobody need be asked.
    assert fb.datasets.fetch("mine") == folder
    assert server.asked == [""]


def test_fetched_to_another_folder(mine: Card, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    assert fb.datasets.fetch("mine", to=tmp_path / "there") == tmp_path / "there"
    assert len(left_in(tmp_path / "there")) == 6
    assert stat.S_IMODE((tmp_path / "there" / "ir" / "a.png").stat().st_mode) & 0o044
    with pytest.raises(UserError, match="there' is there already: move it away, or choose another folder"):
        fb.datasets.fetch("mine", to=tmp_path / "there", sources=["x.zip"])
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file' is a file: choose another folder"):
        fb.datasets.fetch("mine", to=tmp_path / "file")
    with pytest.raises(UserError, match=r"cannot be written to \(.*\): choose another folder"):
        fb.datasets.fetch("mine", to=tmp_path / "file" / "below")


def test_a_subset_of_its_own(mine: Card, home: Path) -> None:
    use(mine, subset="two")
    assert fb.datasets.fetch("mine", "two") == home / "mine-two"
    assert [pair.name for pair in fb.datasets.load("mine", subset="two")] == ["a", "b"]
    with pytest.raises(UserError, match="mine cannot be fetched without a person"):
        fb.datasets.fetch("mine")
    use(mine, subset="")
    with pytest.raises(UserError, match="'two' is not given out on its own: fetch all of mine, and load that subset"):
        fb.datasets.fetch("mine", "two", to=home / "other")


def test_fetched_by_hand(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        fb.datasets.fetch("llvip")
    for part in (
        "Google Drive file 1VTlT3Y7e1h-Zsne4zahjx5q0TK2ClMVv",
        DATASETS["llvip"].home,
        "fetch llvip --from FILE",
    ):
        assert part in str(caught.value)
    with pytest.raises(UserError, match="synthetic is computed, not fetched: 'fusionbench dataset make synthetic'"):
        fb.datasets.fetch("synthetic")
    got = []
    for part in ("M3FD_Detection", "M3FD_Fusion"):
        got.append(tmp_path / f"{part}.zip")
        got[-1].write_bytes(zipped(*((f"{part}/{side}/00000.png", b"x") for side in ("Ir", "Vis"))))
    with pytest.raises(UserError, match="give exactly one source with it"):
        fb.datasets.fetch("m3fd", sources=list(map(str, got)), sha256=SHA256)
    fb.datasets.fetch("m3fd", sources=[str(got[0]), got[1].as_uri()])
    assert [pair.name for pair in fb.datasets.load("m3fd")] == ["detection_00000", "fusion_00000"]
    # What a person got is not taken away.
    assert all(path.is_file() for path in got)
    with pytest.raises(UserError, match=r"There is no file 'nowhere\.zip': check the path"):
        fb.datasets.fetch("fmb", sources=["nowhere.zip"])
    with pytest.raises(UserError, match="is something else than expected, by its SHA-256: get it anew"):
        fb.datasets.fetch("fmb", sources=[str(got[0])], sha256=SHA256)
    with pytest.raises(UserError, match=r"'ftp://x/y\.zip' is no place to fetch from"):
        fb.datasets.fetch("fmb", sources=["ftp://x/y.zip"])
    assert not (home / "fmb").exists()


# Broken downloads.


def test_a_broken_download_goes_on(server: Server, mine: Card, home: Path) -> None:
    server.plan.breaks = [131_072, 65_536]
    fb.datasets.fetch("mine")
    assert server.asked == ["", "bytes=131072-", "bytes=196608-"]
    assert left_in(home) == WHOLE


def test_the_next_call_goes_on_too(server: Server, mine: Card, home: Path) -> None:
    server.plan.breaks = [65_537, 0]
    with pytest.raises(UserError, match=r"could not be fetched \(\w+\); 0.0655 MB are kept, try again to go on"):
        fb.datasets.fetch("mine")
    assert not (home / "mine").exists()
    assert fb.datasets.fetch("mine") == home / "mine"
    assert server.asked == ["", "bytes=65536-", "bytes=65536-"]
    assert left_in(home) == WHOLE


@pytest.mark.parametrize("tag", ['"two"', 'W/"one"', ""])
def test_a_file_that_changed_is_got_anew(tag: str, server: Server, mine: Card, home: Path) -> None:
    other = zipped(*((name, content + b"!") for name, content in SCENES))
    use(mine, sha256="")
    server.plan = Plan(body=other, tag='"old"' if tag == '"two"' else tag, breaks=[65_536, 0, 0])
    with pytest.raises(UserError, match="could not be fetched"):
        fb.datasets.fetch("mine")
    server.plan = Plan(tag=tag)
    fb.datasets.fetch("mine")
    assert left_in(home) == WHOLE
    assert (home / "mine/ir/a.png").read_bytes() == PIXELS["a"] + b"ir"


def test_a_server_that_knows_no_ranges(server: Server, mine: Card, home: Path) -> None:
    server.plan = Plan(ranges=False, breaks=[65_536])
    fb.datasets.fetch("mine")
    assert server.asked == ["", "bytes=65536-"]
    assert left_in(home) == WHOLE


def test_a_server_that_sends_another_part(server: Server, mine: Card, home: Path) -> None:
    server.plan = Plan(wrong_part=True, breaks=[65_536])
    with pytest.raises(UserError, match=r"\(it sent another part than it was asked for\)"):
        fb.datasets.fetch("mine")
    assert not (home / "mine").exists()


def test_more_is_kept_than_there_is(server: Server, mine: Card, home: Path) -> None:
    """A process may be killed between the last byte and the renaming."""
    packed = home / f".mine-{hashlib.sha256(server.url.encode()).hexdigest()[:8]}.archive"
    part, mark = downloads._part(packed), packed.with_name(f".{packed.name}.mark")
    home.mkdir()
    part.write_bytes(DATA)
    mark.write_text(f'{server.url}\n"one"')
    fb.datasets.fetch("mine")
    assert server.asked == [f"bytes={len(DATA)}-", ""]
    assert left_in(home) == WHOLE


def test_what_another_place_sent_is_not_taken(server: Server, mine: Card, home: Path) -> None:
    """A process may be killed while it unpacks."""
    elsewhere = server.url.replace("mine.zip", "other.zip")
    for name in ("0", hashlib.sha256(elsewhere.encode()).hexdigest()[:8]):
        home.mkdir(exist_ok=True)
        (home / f".mine-{name}.archive").write_bytes(zipped(("data/ir/other.png", b"other")))
    fb.datasets.fetch("mine", sources=[server.url])
    assert server.asked == [""]
    assert not list((home / "mine").rglob("other.png"))


def test_redirected(server: Server, mine: Card, home: Path) -> None:
    use(mine, url=server.url.replace("mine.zip", "moved.zip"))
    server.plan.breaks = [65_536]
    fb.datasets.fetch("mine")
    assert server.asked == ["", "bytes=65536-"]
    assert left_in(home) == WHOLE


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (Plan(status=404, body=b""), r"could not be fetched \(404 Not Found\): try again later"),
        (Plan(status=500, body=b""), r"could not be fetched \(500 Internal Server Error\): try again later"),
        (Plan(body=DATA[:-1]), "gave something else than expected, by its SHA-256: fetch it from elsewhere"),
        (Plan(body=b"<html>"), "gave something else than expected, by its SHA-256"),
        (Plan(breaks=[0]), r"could not be fetched \(\w+\): try again later"),
    ],
)
def test_nothing_is_left_of_what_failed(changes: Plan, said: str, server: Server, mine: Card, home: Path) -> None:
    server.plan = changes
    with pytest.raises(UserError, match=said):
        fb.datasets.fetch("mine")
    assert left_in(home) == []


def test_nobody_answers(mine: Card, home: Path) -> None:
    use(mine, url="http://127.0.0.1:9/mine.zip")
    with pytest.raises(UserError, match=r"could not be fetched \(ConnectionError\): try again later"):
        fb.datasets.fetch("mine")
    assert left_in(home) == []


def test_a_web_page_in_its_place(server: Server, mine: Card, home: Path) -> None:
    use(mine, sha256="")
    server.plan.body = b"<!doctype html> sign in"
    with pytest.raises(UserError, match="is no zip or tar archive: a web page was got in its place"):
        fb.datasets.fetch("mine")
    assert left_in(home) == []


def test_a_server_that_never_ends(server: Server, mine: Card, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_OF_A_PERSON", Limits(1000, 1))
    with pytest.raises(UserError, match="sends more than 0 GB: get it from a place that you trust"):
        fb.datasets.fetch("mine")
    assert left_in(home) == []


# Archives.


def packed(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "archive"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("pack", [zipped, tarred, lambda *m: tarred(*m, mode="w"), lambda *m: tarred(*m, mode="w:xz")])
def test_unpacked(pack: Callable[..., bytes], tmp_path: Path) -> None:
    archive = packed(tmp_path, pack(*SCENES, ("MINE-1234/README.md", b"hello")))
    assert unpack(archive, tmp_path / "all", ROOMY) == 7
    assert (tmp_path / "all/MINE-1234/data/vi/c.png").read_bytes() == PIXELS["c"] + b"vi"
    assert unpack(archive, tmp_path / "some", ROOMY, "data/ir") == 3
    assert left_in(tmp_path / "some") == ["a.png", "b.png", "c.png"]
    with pytest.raises(UserError, match="has no files in a folder 'input': it is another archive than expected"):
        unpack(archive, tmp_path / "none", ROOMY, "input")


OUTSIDE = ("/etc/x.png", "../x.png", "ir/../../x.png", "C:/x.png", "ir\\..\\..\\x.png", "//host/x.png", "..")


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_paths_outside(pack: Callable[..., bytes], name: str, tmp_path: Path) -> None:
    archive = packed(tmp_path, pack(("ir/a.png", b"a"), (name, b"evil")))
    for keep in ("", "ir"):
        with pytest.raises(
            UserError, match=r"was not unpacked, as '.*' would lie outside the folder: get it from a place"
        ):
            unpack(archive, tmp_path / "deep" / "to", ROOMY, keep)
    assert not list(tmp_path.rglob("x.png"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.lists(st.sampled_from(["..", ".", "a", "b", "", "~", "C:", "\\", "ir", " "]), min_size=1, max_size=5).map(
        "/".join
    )
)
def test_nothing_ever_leaves_the_folder(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    around = tmp_path_factory.mktemp("around")
    archive = packed(around, tarred((name or "x", b"content"), mode="w"))
    with suppress(UserError):
        unpack(archive, around / "one" / "two" / "to", ROOMY)
    assert all(path.startswith(("one/two/to/", "archive")) for path in left_in(around))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "'ir/a.png' is a link"),
        (tarfile.LNKTYPE, "'ir/a.png' is a link"),
        (tarfile.CHRTYPE, "'ir/a.png' is no plain file"),
        (tarfile.BLKTYPE, "'ir/a.png' is no plain file"),
        (tarfile.FIFOTYPE, "'ir/a.png' is no plain file"),
    ],
)
def test_links_and_devices_in_a_tar(kind: bytes, said: str, tmp_path: Path) -> None:
    archive = packed(tmp_path, tarred(("ir/a.png", b"/etc/passwd"), kind=kind))
    with pytest.raises(UserError, match=f"was not unpacked, as {said}"):
        unpack(archive, tmp_path / "to", ROOMY)
    assert left_in(tmp_path) == ["archive"]


@pytest.mark.parametrize(("mode", "said"), [(stat.S_IFLNK, "a link"), (stat.S_IFIFO, "no plain file")])
def test_links_in_a_zip(mode: int, said: str, tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        info = zipfile.ZipInfo("ir/a.png")
        info.external_attr = (mode | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(UserError, match=f"was not unpacked, as 'ir/a.png' is {said}"):
        unpack(packed(tmp_path, data.getvalue()), tmp_path / "to", ROOMY)
    assert left_in(tmp_path) == ["archive"]


def test_a_zip_with_a_password(tmp_path: Path) -> None:
    data = bytearray(zipped(("ir/a.png", b"a")))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(UserError, match=r"was not unpacked, as 'ir/a\.png' is encrypted"):
        unpack(packed(tmp_path, bytes(data)), tmp_path / "to", ROOMY)


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_too_much(pack: Callable[..., bytes], tmp_path: Path) -> None:
    archive = packed(tmp_path, pack(*SCENES))
    with pytest.raises(UserError, match="was not unpacked, as it has more than 5 files"):
        unpack(archive, tmp_path / "a", Limits(10**7, 5))
    with pytest.raises(UserError, match="as it has much more in it than such a dataset"):
        unpack(archive, tmp_path / "b", Limits(200_000, 100))
    assert sum(path.stat().st_size for path in (tmp_path / "b").rglob("*") if path.is_file()) <= 200_000
    assert unpack(archive, tmp_path / "c", Limits(300_000, 6)) == 6


@pytest.mark.parametrize("pack", [lambda *m: zipped(*m, compress=True), tarred])
def test_bombs(pack: Callable[..., bytes], tmp_path: Path) -> None:
    archive = packed(tmp_path, pack(("ir/a.png", bytes(3_000_000))))
    assert archive.stat().st_size < 10_000
    with pytest.raises(UserError, match="as it has much more in it than such a dataset"):
        unpack(archive, tmp_path / "to", ROOMY)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 10**6 + 10_000


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("size", [1 << 22, 1 << 62, 1 << 70])
def test_names_without_end(kind: bytes, size: int, tmp_path: Path) -> None:
    """What a tar archive says of a file is read into memory at once."""
    start = tarfile.TarInfo("a")
    start.type, start.size = kind, size
    data = start.tobuf(tarfile.GNU_FORMAT) + bytes(min(size, 1 << 22)) + bytes(10240)
    with pytest.raises(UserError, match=r"is damaged \(the name of a file is longer than any\): get it anew"):
        unpack(packed(tmp_path, gzip.compress(data, 1)), tmp_path / "to", ROOMY)


def test_a_zip_that_points_beyond_any_file(tmp_path: Path) -> None:
    data = bytearray(zipped(("a.png", b"x")))
    directory = data.index(b"PK\1\2")
    extra = struct.pack("<HHQ", 1, 8, 1 << 63)
    data[directory + 30 : directory + 32] = struct.pack("<H", len(extra))
    data[directory + 42 : directory + 46] = b"\xff" * 4
    data[directory + 46 + len("a.png") : directory + 46 + len("a.png")] = extra
    end = data.index(b"PK\5\6")
    data[end + 12 : end + 16] = struct.pack("<I", end - directory)
    with pytest.raises(UserError, match="is damaged"):
        unpack(packed(tmp_path, bytes(data)), tmp_path / "to", ROOMY)


def test_a_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    data = bytearray(zipped(("ir/a.png", bytes(3_000_000)), compress=True))
    start = data.index(b"PK\1\2")
    data[start + 24 : start + 28] = struct.pack("<I", 10)
    with pytest.raises(UserError, match=r"damaged|much more"):
        unpack(packed(tmp_path, bytes(data)), tmp_path / "to", ROOMY)
    assert sum(path.stat().st_size for path in (tmp_path / "to").rglob("*") if path.is_file()) <= 10**6


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("ir/a.png", "ir/a.png"), ("ir/a.png", "IR/A.png"), ("ir/a.png", "./ir//a.png")])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_file_twice(pack: Callable[..., bytes], names: tuple[str, str], tmp_path: Path) -> None:
    archive = packed(tmp_path, pack(*((name, b"x") for name in names)))
    with pytest.raises(UserError, match="is in it twice"):
        unpack(archive, tmp_path / "to", ROOMY)


def test_a_file_where_a_folder_is(tmp_path: Path) -> None:
    archive = packed(tmp_path, tarred(("ir", b"x"), ("ir/a.png", b"x")))
    with pytest.raises(UserError, match="could not be unpacked to"):
        unpack(archive, tmp_path / "to", ROOMY)


@pytest.mark.parametrize("data", [DATA[:-100], tarred(*SCENES)[:-1000], b"", b"<html>", bytes(2000)])
def test_damaged(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"get it anew|web page|has no files"):
        unpack(packed(tmp_path, data), tmp_path / "to", ROOMY)


def test_a_changed_byte(tmp_path: Path) -> None:
    data = bytearray(DATA)
    data[data.index(PIXELS["b"]) + 7] ^= 1
    with pytest.raises(UserError, match=r"could not be unpacked, as it is damaged \(Bad CRC-32.*\): get it anew"):
        unpack(packed(tmp_path, bytes(data)), tmp_path / "to", ROOMY)


def test_an_evil_archive_leaves_nothing(server: Server, mine: Card, home: Path, tmp_path: Path) -> None:
    use(mine, sha256="")
    server.plan.body = zipped(*SCENES, ("MINE-1234/data/../../../../evil.png", b"x"))
    with pytest.raises(UserError, match="would lie outside the folder"):
        fb.datasets.fetch("mine")
    assert left_in(tmp_path) == []


# The command.


def test_fetch_command(mine: Card, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["dataset", "fetch", "mine"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == str(home / "mine")
    assert "This is mine, complete, by the count alone." in out
    assert mine.licence in out
    assert cli.main(["dataset", "fetch", "mine", "--quiet"]) == 0
    assert capsys.readouterr().out == f"{home / 'mine'}\n"
    assert cli.main(["dataset", "fetch", "mine", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["pairs"], answer["complete"]) == (3, True)
    assert cli.main(["dataset", "fetch", "llvip"]) == 2
    assert "llvip cannot be fetched without a person" in capsys.readouterr().err


def test_fetch_command_says_what_is_missing(
    server: Server, mine: Card, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use(mine, sha256="")
    server.plan.body = zipped(*SCENES[:4])
    assert cli.main(["dataset", "fetch", "mine", "--quiet"]) == 1
    assert loading.place("mine").is_dir()
    assert cli.main(["dataset", "verify", str(home / "mine"), "--dataset", "mine"]) == 0
    assert "This is the subset two of mine, complete, by its names." in capsys.readouterr().out
