"""Get a dataset from where its makers keep it, or say how a person gets it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fusionbench.datasets import DATASETS
from fusionbench.datasets.card import Archive, Card
from fusionbench.datasets.loading import place
from fusionbench.datasets.unpacking import Limits, unpack
from fusionbench.downloads import Tick, download, local
from fusionbench.types import UserError

_OF_A_PERSON: Final = Limits(200 * 10**9, 1_000_000)
"""For an archive that a person chose: only what no dataset has."""


def fetch(
    name: str,
    subset: str | None = None,
    to: Path | str | None = None,
    sources: Sequence[str] = (),
    sha256: str = "",
    tick: Tick | None = None,
) -> Path:
    """Get a dataset, unless it is there.

    Parameters
    ----------
    name : str
        Short name of a dataset, e.g. ``"roadscene"``.
    subset : str, optional
        A known subset that is given out on its own.
    to : Path or str, optional
        The folder for it, which is made; by default one in which `fusionbench.datasets.load` looks.
    sources : sequence of str, optional
        Archives to take instead of those that the card names: addresses, or files that a person got. They are unpacked
        into one folder.
    sha256 : str
        What the source, only one then, must be.
    tick : callable, optional
        Is told the bytes that there are and will be, while downloading.

    Returns
    -------
    Path
        The folder, which appears when it is complete. What an archive of unknown hash holds is for
        `fusionbench.datasets.verify` to say.

    Raises
    ------
    UserError
        If it must be got by hand, the place does not answer, or the archive is not what it should be.
    """
    card = DATASETS[name]
    known = card.subset(subset) if subset else None
    target = Path(to) if to is not None else place(name, known.name if known else "")
    if sha256 and len(sources) != 1:
        raise UserError(f"The SHA-256 {sha256} is of one file: give exactly one source with it.")
    if target.is_dir() and any(target.iterdir()):
        if sources:
            raise UserError(f"'{target}' is there already: move it away, or choose another folder.")
        return target
    if target.exists() and not target.is_dir():
        raise UserError(f"'{target}' is a file: choose another folder.")
    chosen = [(source, sha256, _OF_A_PERSON, "") for source in sources]
    chosen = chosen or [_of_card(archive) for archive in _archives(card, subset or "")]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target.parent) as folder:
            inside = Path(folder) / "content"
            inside.mkdir()
            for url, digest, limits, keep in chosen:
                # By where it is from: what an attempt left that was stopped is of no use to one from elsewhere.
                mark = hashlib.sha256(url.encode()).hexdigest()[:8]
                packed = target.parent / f".{target.name}-{mark}.archive"
                got = _got(url, packed, digest, tick)
                try:
                    unpack(got, inside, limits, keep)
                finally:
                    packed.unlink(missing_ok=True)
            if target.is_dir():
                target.rmdir()
            inside.replace(target)
    except OSError as error:
        raise UserError(
            f"'{target}' cannot be written to ({error.strerror or error}): choose another folder."
        ) from error
    return target


def by_hand(card: Card) -> str:
    """What a person does to get a dataset, in sentences."""
    return (
        f"{card.obtain} Official page: {card.home}. Then unpack it and give its folder, or let it be unpacked: "
        f"'fusionbench dataset fetch {card.name} --from FILE'."
    )


def _got(url: str, packed: Path, sha256: str, tick: Tick | None) -> Path:
    """An archive: downloaded or, if it is here, where it lies."""
    import pooch

    here = local(url) if "://" in url else Path(url)
    if here is None:
        return download(url, packed, _OF_A_PERSON.size, sha256, tick)
    if not here.is_file():
        raise UserError(f"There is no file '{here}': check the path.")
    if sha256 and pooch.file_hash(str(here)) != sha256:
        raise UserError(f"'{here}' is something else than expected, by its SHA-256: get it anew.")
    return here


def _of_card(archive: Archive) -> tuple[str, str, Limits, str]:
    return archive.url, archive.sha256, Limits(archive.largest * 10**6, archive.files), archive.keep


def _archives(card: Card, subset: str) -> list[Archive]:
    chosen = [archive for archive in card.archives if archive.subset == subset]
    if chosen:
        return chosen
    if subset and any(not archive.subset for archive in card.archives):
        raise UserError(
            f"'{subset}' is not given out on its own: fetch all of {card.name}, and load that subset of it."
        )
    if card.name == "synthetic":
        raise UserError("synthetic is computed, not fetched: 'fusionbench dataset make synthetic' does it.")
    raise UserError(f"{card.name} cannot be fetched without a person. {by_hand(card)}")
