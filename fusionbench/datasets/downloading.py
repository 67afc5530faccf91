"""Download a large file by pooch: verified by its hash, and going on where the last attempt stopped."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias
from urllib.parse import urlsplit
from urllib.request import url2pathname

from fusionbench.types import UserError

Tick: TypeAlias = Callable[[int, int], None]
"""Is told now and then how much is done, and how much there is to do."""

_ATTEMPTS: Final = 5
_LARGEST: Final = 200 * 10**9
"""Bytes after which a server is not believed to send a dataset any more."""


def download(url: str, path: Path, sha256: str = "", tick: Tick | None = None) -> Path:
    """Download a file, unless it is there.

    Parameters
    ----------
    url : str
        ``https://``, ``http://``, ``file://`` or the path of a file here, which is then used where it lies.
    path : Path
        Where it goes. What was received of it stays beside it as ``.part`` if the connection breaks, and the next call
        goes on from there, provided that the server says that the file is still the same.
    sha256 : str
        What it must be; empty if that is not known.
    tick : callable, optional
        Is told the bytes that there are and will be.

    Returns
    -------
    Path

    Raises
    ------
    UserError
        If the place does not answer or gives something else.
    """
    import pooch

    scheme = urlsplit(url).scheme if "://" in url else ""
    if scheme in ("", "file"):
        return _here(Path(url2pathname(urlsplit(url).path)) if scheme else Path(url), sha256)
    if scheme not in ("http", "https"):
        raise UserError(f"'{url}' is no place to fetch from: give one that begins with https://, http:// or file://.")
    pooch.get_logger().setLevel("ERROR")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = f"sha256:{sha256}" if sha256 else None
        pooch.retrieve(url, digest, path.name, path.parent, downloader=_Resuming(path, tick))
    except UserError:
        raise
    except OSError as error:  # what requests raises is one too
        kept = f"; {_megabytes(part)} are kept, try again to go on" if (part := _part(path)).is_file() else ""
        raise UserError(f"{url} could not be fetched ({_short(error)}){kept or ': try again later'}.") from error
    except ValueError as error:
        raise UserError(f"{url} gave something else than expected, by its SHA-256: fetch it from elsewhere.") from error
    return path


def _here(path: Path, sha256: str) -> Path:
    import pooch

    if not path.is_file():
        raise UserError(f"There is no file '{path}': check the path.")
    if sha256 and pooch.file_hash(str(path)) != sha256:
        raise UserError(f"'{path}' is something else than expected, by its SHA-256: get it anew.")
    return path


class _Resuming:
    """What pooch takes for a downloader, and its own one for a progress bar."""

    def __init__(self, path: Path, tick: Tick | None) -> None:
        self.part, self.mark = _part(path), path.with_name(f".{path.name}.mark")
        self.tick = tick
        self.total = self.start = 0
        self.file: BinaryIO

    def __call__(self, url: str, output: str, _pooch: object) -> None:
        self.url = url
        for attempt in range(1, _ATTEMPTS + 1):
            had = self.part.stat().st_size if self.part.exists() else 0
            try:
                self._receive(had)
                break
            except OSError:
                has = self.part.stat().st_size
                if not has:
                    self._forget()
                # A server that sends nothing new is not asked again, but one that has another file now is.
                if attempt == _ATTEMPTS or has == had:
                    raise
        self.part.replace(output)
        self._forget()

    def _receive(self, had: int) -> None:
        import pooch

        # Compressed on its way, the bytes of the file could not be counted.
        headers = {"Accept-Encoding": "identity"}
        known = self.mark.read_text().split("\n") if self.mark.exists() else []
        if had and known[:1] == [self.url]:
            headers |= {"Range": f"bytes={had}-", "If-Range": known[1]}
        with self.part.open("ab") as self.file:
            hooks = {"response": self._answered}
            pooch.HTTPDownloader(progressbar=self, chunk_size=1 << 16, headers=headers, hooks=hooks)(
                self.url, self.file, None
            )

    def _answered(self, response: Any, **_: object) -> None:
        """Before anything is written: see whether the server goes on, or begins anew."""
        if response.is_redirect:
            return
        goes_on = response.status_code == 206
        if goes_on and not response.headers.get("Content-Range", "").startswith(f"bytes {self.file.tell()}-"):
            raise OSError("it sent another part than it was asked for")
        if not goes_on and (response.ok or response.status_code == 416):
            self.file.truncate(0)
        self.start = self.file.seek(0, os.SEEK_END)
        mark = response.headers.get("ETag", "")
        if response.ok and mark.startswith('"'):
            self.mark.write_text(f"{self.url}\n{mark}")
        elif response.ok:
            self.mark.unlink(missing_ok=True)

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.mark.unlink(missing_ok=True)

    # What pooch does with a progress bar; `total` it sets to what is still to come.

    def update(self, _: int) -> None:
        done, total = self.file.tell(), self.start + self.total
        if done > _LARGEST:
            self._forget()
            raise UserError(f"{self.url} sends more than {_LARGEST // 10**9} GB: get it from a place that you trust.")
        if self.tick is not None:
            self.tick(done, max(done, total))

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.3g} MB"


def _short(error: OSError) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"{response.status_code} {response.reason}"
    return error.strerror or (str(error) if type(error) is OSError else type(error).__name__)
