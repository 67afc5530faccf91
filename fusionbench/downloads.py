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


class BrokenError(UserError):
    """A place did not answer, or broke off.

    Attributes
    ----------
    reason : str
        Why, in few words.
    """

    def __init__(self, sentence: str, reason: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class OtherFileError(UserError):
    """A place gave something else than expected."""


def local(url: str) -> Path | None:
    """The file here that a ``file://`` names; None for ``https://`` and ``http://``.

    Raises
    ------
    UserError
        If it begins with anything else.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    if parts.scheme not in ("http", "https"):
        raise UserError(f"'{url}' is no place to fetch from: give one that begins with https://, http:// or file://.")
    return None


def cache() -> Path:
    """The folder for what is got: that of the user's cache, or ``FUSIONBENCH_CACHE``."""
    import pooch

    return Path(os.environ.get("FUSIONBENCH_CACHE") or pooch.os_cache("fusionbench"))


def download(url: str, path: Path, largest: int, sha256: str = "", tick: Tick | None = None) -> Path:
    """Download a file, unless it is there.

    Parameters
    ----------
    url : str
        ``https://`` or ``http://``.
    path : Path
        Where it goes. What was received of it stays beside it as ``.part`` if the connection breaks, and the next call
        goes on from there, provided that the server says that the file is still the same.
    largest : int
        Bytes after which the server is not believed to send what is wanted any more.
    sha256 : str
        What it must be; empty if that is not known.
    tick : callable, optional
        Is told the bytes that there are and will be.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    BrokenError, OtherFileError
        If the place does not answer, or gives something else.
    UserError
        If it sends more than `largest`.
    """
    import pooch

    pooch.get_logger().setLevel("ERROR")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = f"sha256:{sha256}" if sha256 else None
        pooch.retrieve(url, digest, path.name, path.parent, downloader=_Resuming(path, tick, largest))
    except UserError:
        raise
    except OSError as error:  # what requests raises is one too
        kept = f"; {_megabytes(part)} are kept, try again to go on" if (part := _part(path)).is_file() else ""
        reason = _short(error)
        sentence = f"{url} could not be fetched ({reason}){kept or ': try again later'}."
        raise BrokenError(sentence, reason) from error
    except ValueError as error:
        raise OtherFileError(
            f"{url} gave something else than expected, by its SHA-256: fetch it from elsewhere."
        ) from error
    return path


class _Resuming:
    """What pooch takes for a downloader, and its own one for a progress bar."""

    def __init__(self, path: Path, tick: Tick | None, largest: int) -> None:
        self.part, self.mark = _part(path), path.with_name(f".{path.name}.mark")
        self.tick, self.largest = tick, largest
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
        if done > self.largest:
            self._forget()
            raise UserError(
                f"{self.url} sends more than {self.largest // 10**9} GB: get it from a place that you trust."
            )
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
