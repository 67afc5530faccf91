"""Unpack archives of strangers: nothing outside the target, no links, no more than there should be."""

from __future__ import annotations

import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final, NamedTuple, Self

from fusionbench.types import UserError

_RATIO: Final = 100
"""How many times larger than its archive the content may be; images hardly shrink, and bombs do nothing else."""
_CHUNK: Final = 1 << 20
_LONGEST: Final = 1 << 20
"""Bytes of what a tar archive says of a file at most: its name, above all."""
_WORDS: Final = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
# RuntimeError is what zipfile raises for a password or for a compression that it does not know.
_DAMAGE: Final = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
)


class Limits(NamedTuple):
    """What an archive may hold: bytes, and files."""

    size: int
    files: int


class _Member(NamedTuple):
    name: str
    kind: str
    """``"file"``, ``"folder"``, or what else it is, in words."""
    open: Callable[[], IO[bytes] | None]


def unpack(archive: Path, to: Path, limits: Limits, keep: str = "") -> int:
    """Write the files of an archive into a folder.

    Parameters
    ----------
    archive : Path
        Zip or tar, the latter compressed or not; told by content, not by name.
    to : Path
        An empty folder.
    limits : Limits
        What is unpacked at most. The size is counted while writing: what the archive says of itself is not believed.
    keep : str
        The folder within the archive that is wanted, whose content goes right into `to`; the archive may put one more
        folder around it. All of it by default.

    Returns
    -------
    int
        How many files were written.

    Raises
    ------
    UserError
        If it is no such archive, is damaged, or holds what no dataset needs: paths that lead elsewhere, links, devices,
        a file twice, more than the limits, or much more than its own size. `to` may hold some files by then.
    """
    room = min(limits.size, _RATIO * archive.stat().st_size)
    wanted = re.compile(rf"(?:[^/]+/)?{re.escape(keep)}/(.+)") if keep else re.compile(r"(.+)")
    written: set[str] = set()
    try:
        for member in _members(archive):
            if member.kind == "folder":
                continue
            inside = wanted.fullmatch(_safe(member.name, archive))
            if inside is None:
                continue
            if member.kind != "file":
                raise _refusal(archive, f"'{member.name}' is {member.kind}")
            target = inside[1]
            if target.casefold() in written:
                raise _refusal(archive, f"'{member.name}' is in it twice")
            written.add(target.casefold())
            if len(written) > limits.files:
                raise _refusal(archive, f"it has more than {limits.files} files")
            room = _write(member, to / target, room, archive)
    except UserError:
        raise
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise UserError(
                f"'{archive}' could not be unpacked to '{to}' ({error.strerror}): make room or choose another place."
            ) from error
        raise UserError(f"'{archive}' could not be unpacked, as it is damaged ({error}): get it anew.") from error
    if not written:
        what = f"no files in a folder '{keep}'" if keep else "no files"
        raise UserError(f"'{archive}' has {what}: it is another archive than expected, get the right one.")
    return len(written)


def _members(archive: Path) -> Iterator[_Member]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                yield _Member(info.filename, _kind_in_zip(info), lambda info=info: packed.open(info))  # type: ignore[misc]
        return
    with _tape(archive) as tape:
        for entry in tape:
            yield _Member(entry.name, _kind_in_tar(entry), lambda entry=entry: tape.extractfile(entry))  # type: ignore[misc]


def _tape(archive: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(archive, tarinfo=_Header)
    except tarfile.ReadError:
        raise UserError(
            f"'{archive}' is no zip or tar archive: a web page was got in its place, or it is cut short."
        ) from None


class _Header(tarfile.TarInfo):
    """What a tar archive says of a file, which tarfile reads into memory however long it is."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        entry = super().frombuf(buf, encoding, errors)
        if entry.type in _WORDS and entry.size > _LONGEST:
            raise tarfile.TarError("the name of a file is longer than any")
        return entry


def _kind_in_zip(info: zipfile.ZipInfo) -> str:
    if info.is_dir():
        return "folder"
    if info.flag_bits & 1:
        return "encrypted"
    # Only systems with such modes store any, and those that do not store 0.
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) in (0, stat.S_IFREG):
        return "file"
    return "a link" if stat.S_ISLNK(mode) else "no plain file"


def _kind_in_tar(entry: tarfile.TarInfo) -> str:
    if entry.isdir():
        return "folder"
    if entry.isreg() and not entry.issparse():
        return "file"
    return "a link" if entry.issym() or entry.islnk() else "no plain file"


def _safe(name: str, archive: Path) -> str:
    """The path of a member, which stays within the folder whatever the system."""
    path = PurePosixPath(name)
    # A name without any part is the folder itself.
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        raise _refusal(archive, f"'{name}' would lie outside the folder")
    return str(path)


def _write(member: _Member, path: Path, room: int, archive: Path) -> int:
    """Write a file; returns what is left of the room."""
    source = member.open()
    if source is None:
        raise _refusal(archive, f"'{member.name}' has no content")
    path.parent.mkdir(parents=True, exist_ok=True)
    with source, path.open("xb") as file:
        while chunk := source.read(_CHUNK):
            room -= len(chunk)
            if room < 0:
                raise _refusal(archive, "it has much more in it than such a dataset")
            file.write(chunk)
    return room


def _refusal(archive: Path, why: str) -> UserError:
    return UserError(f"'{archive}' was not unpacked, as {why}: get it from a place that you trust.")
