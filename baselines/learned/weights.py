"""Find, fetch, recognise and convert the weights of the learned methods."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

import fusionbench
from fusionbench import downloads
from fusionbench.downloads import BrokenError, OtherFileError, Tick
from fusionbench.files import whole
from fusionbench.registry import unknown
from fusionbench.types import UserError

from . import tf_checkpoints
from .card import WeightsCard
from .cards import CARDS
from .checkpoints import LARGEST, Shape, Weights, content, decode, files_in, fingerprint, fit, misfit, read

NETWORKS: Final = {
    "clfnet": "clfnet:Generator",
    "cs2fusion": "cs2fusion:Backbone",
    "coconet": "coconet:CoCoNet",
    "seafusion": "literature.seafusion:SeAFusion",
    "tardal": "literature.tardal:TarDAL",
    "smoa": "literature.smoa:SMoA",
    "ifcnn": "literature.ifcnn:IFCNN",
    "reconet": "literature.reconet:ReCoNet",
    "ydtr": "literature.ydtr:YDTR",
    "datfuse": "literature.datfuse:DATFuse",
    "swinfusion": "literature.swinfusion:SwinFusion",
    "cddfuse": "literature.cddfuse:CDDFuse",
    "swinfuse": "literature.swinfuse:SwinFuse",
    "defusion": "literature.defusion:DeFusion",
    "densefuse": "literature.densefuse:DenseFuse",
    "densefuse-rgb": "literature.densefuse:DenseFuseRGB",
    "densefuse-tf": "literature.densefuse_tf:DenseFuse",
    "deepfuse": "literature.deepfuse:DeepFuse",
    "didfuse": "literature.didfuse:DIDFuse",
    "auif": "literature.auif:AUIF",
    "lrrnet": "literature.lrrnet:LRRNet",
    "rfn-nest": "literature.rfn_nest:RFNNest",
    "nestfuse": "literature.nestfuse:NestFuse",
    "mfeif": "literature.mfeif:MFEIF",
    "sdnet": "literature.sdnet:SDNet",
    "u2fusion": "literature.u2fusion:U2Fusion",
    "pmgi": "literature.pmgi:PMGI",
    "stdfusionnet": "literature.stdfusionnet:STDFusionNet",
    "fusiongan": "literature.fusiongan:FusionGAN",
    "ganmcc": "literature.ganmcc:GANMcC",
    "ddcgan": "literature.ddcgan:DDcGAN",
    "ddcgan-multi": "literature.ddcgan:DDcGANMulti",
    "piafusion": "literature.piafusion:PIAFusion",
}
"""Module and class of the network of each learned method, which need torch."""

_SHIPPED: Final = Path(__file__).parent / "data"

Adapt = Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]]


def card(name: str) -> WeightsCard:
    """The card of that name, ``method@tag``.

    Raises
    ------
    UserError
        If there is none; the sentence offers the nearest names.
    """
    if name not in CARDS:
        raise unknown("set of weights", name, CARDS)
    return CARDS[name]


def find(
    method: str,
    given: str | Path | None = None,
    expected: Mapping[str, Sequence[int]] | None = None,
    adapt: Adapt = dict,
) -> Weights:
    """The weights that a method is to fuse with.

    Parameters
    ----------
    method : str
        Short name of a learned method, e.g. ``"cs2fusion"``.
    given, expected, adapt
        As for `locate`, and for `fusionbench.baselines.learned.checkpoints.load`.

    Returns
    -------
    dict of str to ndarray
        By name; if `expected` is given, exactly those.

    Raises
    ------
    UserError
        If they cannot be found or read, are of something else, or are known to fuse nothing.
    """
    path = locate(method, given)
    weights = read(path)
    known = recognise(weights)
    if known is not None and not known.fuses:
        raise UserError(
            f"'{path}' is {known.name}, with which nothing can be fused: give {' or '.join(_fusing(method))}, or leave "
            "the weights out."
        )
    if expected is None:
        return weights
    try:
        return fit(weights, path, expected, adapt)
    except UserError as error:
        if other := belonging(weights):
            raise UserError(
                f"'{path}' seems to hold weights of {' or '.join(other)}, not of {method}: give those of {method}, or fuse by "
                f"{other[0]}."
            ) from error
        raise


def belonging(weights: Weights) -> list[str]:
    """The methods whose networks these are weights of, by names and shapes alone. Needs torch."""
    return [method for method, (shapes, adapt) in _networks().items() if not misfit(adapt(weights), shapes)]


def locate(method: str, given: str | Path | None = None) -> Path:
    """The file of the weights that a method is to fuse with; nothing is downloaded.

    Parameters
    ----------
    method : str
        Short name of a learned method.
    given : str or Path, optional
        A file, or a folder of them; or, where there is none of that name, a tag or ``method@tag``. By default what comes with
        the package, otherwise what was fetched.

    Returns
    -------
    Path

    Raises
    ------
    UserError
        If there is no such file, or no weights are at hand; the sentence says how to get them.
    """
    tags = [one.tag for one in CARDS.values() if one.method == method]
    if given is not None:
        if Path(given).exists():
            return Path(given)
        if tensorflow := tf_checkpoints.parts(Path(given)):
            return tensorflow[0]
        known = CARDS.get(str(given)) or CARDS.get(f"{method}@{given}")
        if known is None:
            raise UserError(
                f"There is no file '{given}', and no weights that are called so: give the path of a file, or "
                f"{' or '.join(tags) or 'leave the weights out'}."
            )
        if known.method != method:
            raise UserError(f"'{given}' are weights of {known.method}: give some of {method}, or leave them out.")
        if (place := at_hand(known)) is None:
            raise UserError(f"{known.name} is not here: {how_to_get(known)}.")
        return place
    fusing = [CARDS[name] for name in _fusing(method)]
    for one in fusing:
        if (place := at_hand(one)) is not None:
            return place
    ways = [how_to_get(one) for one in fusing if not one.shipped]
    raise UserError(f"There are no weights of {method} here: {ways[0] if ways else 'give a file of them'}.")


def at_hand(known: WeightsCard) -> Path | None:
    """The file of some weights, in the package or among what was fetched; None if it is not there.

    Raises
    ------
    UserError
        If what was fetched has been changed since.
    """
    if known.shipped:
        path = _SHIPPED / f"{known.method}.safetensors"
        return path if path.is_file() else None
    path = cache() / _name(known)
    if not path.is_file():
        return None
    if known.sha256 and _sha256(path) != known.sha256:
        raise UserError(f"'{path}' is not {known.name} any more: delete it, and get it again.")
    return path


def cache() -> Path:
    """The folder that fetched weights go to: that of the user's cache, or below ``FUSIONBENCH_CACHE``."""
    return downloads.cache() / "weights"


def how_to_get(known: WeightsCard) -> str:
    """What to do to get some weights, in part of a sentence."""
    if known.shipped:
        return "it was left out of this copy of the package, so install fusionbench anew"
    if known.url:
        return f"get it by 'fusionbench weights fetch {known.name}', or give a file"
    return (
        f"get '{known.file}' by hand from {known.home}, and give that file ('fusionbench weights verify FILE' says "
        "whether it is the right one)"
    )


def fetch(
    known: WeightsCard,
    to: Path | None = None,
    source: str | None = None,
    tick: Tick | None = None,
) -> Path:
    """Get some weights, unless they are there.

    Parameters
    ----------
    known : WeightsCard
        Which.
    to : Path, optional
        A folder, which is made if it does not exist; by default `cache`, where `locate` looks.
    source : str, optional
        Another place than that of the card: ``http://``, ``https://`` or ``file://``.
    tick : callable, optional
        Is told now and then how many bytes there are, and how many there will be.

    Returns
    -------
    Path
        The file, which appears under its name when it is complete and was verified: by its SHA-256 if that is known,
        otherwise by reading it.

    Raises
    ------
    UserError
        If they must be got by hand, the place does not answer, or what it gives are not these weights.
    """
    if known.shipped:
        if (place := at_hand(known)) is None:
            raise UserError(f"{known.name} is not here: {how_to_get(known)}.")
        return place
    url = source or known.url
    path = (to or cache()) / _name(known)
    if path.is_file() and (_sha256(path) == known.sha256 if known.sha256 else not source):
        return path
    if path.exists():
        raise UserError(f"'{path}' is there already, and may be something else: move it away, then fetch again.")
    if not url:
        raise UserError(f"{known.name} cannot be fetched: {how_to_get(known)}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=path.parent) as folder:
            part = _download(known, url, Path(folder), tick)
            if not known.sha256:
                decode(content(part), url)
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(path)
    except OSError as error:
        raise UserError(
            f"'{path.parent}' cannot be written to ({error.strerror or error}): choose another place."
        ) from error
    return path


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a file of weights is.

    Attributes
    ----------
    path : Path
        The file.
    sha256, content : str
        Of its bytes, and of its tensors.
    tensors, numbers : int
        How many there are.
    known : WeightsCard or None
        The weights that these are.
    same_file : bool
        Whether it is the very file that their makers gave out; otherwise the tensors are the same.
    misfits : mapping of str to str, or None
        Per method why the weights do not fit it, which is empty if they do; None without torch, which it takes to know.
    """

    path: Path
    sha256: str
    content: str
    tensors: int
    numbers: int
    known: WeightsCard | None
    same_file: bool
    misfits: Mapping[str, str] | None


def verify(path: Path) -> Verdict:
    """Say what a file of weights is.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    weights = read(path)
    sha256 = _sha256(path)
    known = recognise(weights)
    misfits = None
    if find_spec("torch") is not None:
        misfits = {method: misfit(adapt(weights), shapes) for method, (shapes, adapt) in _networks().items()}
    return Verdict(
        path=path,
        sha256=sha256,
        content=fingerprint(weights),
        tensors=len(weights),
        numbers=sum(array.size for array in weights.values()),
        known=known,
        same_file=known is not None and sha256 == known.sha256,
        misfits=misfits,
    )


def recognise(weights: Weights) -> WeightsCard | None:
    """The card of some weights, by their tensors; None if they are nobody's that we know."""
    mark = fingerprint(weights)
    return next((one for one in CARDS.values() if one.content == mark), None)


def convert(path: Path, out: Path) -> Verdict:
    """Write the tensors of a file as safetensors, bit by bit the same.

    Parameters
    ----------
    path : Path
        Whatever `fusionbench.baselines.learned.checkpoints.read` reads.
    out : Path
        Ends in ``.safetensors``; an existing file is replaced. Its metadata say what it was made from.

    Returns
    -------
    Verdict
        On what was written.

    Raises
    ------
    UserError
        If the one cannot be read, or the other not be written.
    """
    try:
        from safetensors.numpy import save
    except ImportError as error:
        raise UserError(f"Writing '{out}' needs a package: pip install safetensors.") from error
    if out.suffix.lower() != ".safetensors":
        raise UserError(f"'{out}' is not the name of such a file: let it end in .safetensors.")
    if out.resolve() == path.resolve():
        raise UserError(f"'{out}' is the file to be converted: choose another name.")
    weights = read(path)
    known = recognise(weights)
    metadata = {
        "source": path.name,
        "source_sha256": _sha256(path),
        "content_sha256": fingerprint(weights),
        "made_by": f"fusionbench {fusionbench.__version__}",
        **({"name": known.name, "licence": known.licence} if known else {}),
    }
    data = save(weights, metadata)
    whole(out, lambda file: file.write(data))
    return verify(out)


def expected(method: str) -> tuple[dict[str, Shape], Adapt]:
    """Name and shape of every tensor of a method's network, and what adapts the names of the authors. Needs torch."""
    import torch

    module, _, name = NETWORKS[method].partition(":")
    code = import_module(f".{module}", __package__)
    # On this device tensors have a shape, but no numbers and no memory.
    with torch.device("meta"):
        network = getattr(code, name)()
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}, code.adapt_state_dict


def _networks() -> dict[str, tuple[dict[str, Shape], Adapt]]:
    return {method: expected(method) for method in NETWORKS}


def _fusing(method: str) -> list[str]:
    return [one.name for one in CARDS.values() if one.method == method and one.fuses]


def _name(known: WeightsCard) -> str:
    # The names that the authors give are not told apart: many a file is called latest.pth.
    return known.name + Path(known.file).suffix


def _sha256(path: Path) -> str:
    """Of a file; of the bytes of several, one after the other."""
    total = hashlib.sha256()
    for file in files_in(path):
        total.update(file.read_bytes())
    return total.hexdigest()


def _download(known: WeightsCard, url: str, folder: Path, tick: Tick | None) -> Path:
    """The file, in a folder that is thrown away if anything goes wrong."""
    part = folder / _name(known)
    try:
        if (here := downloads.local(url)) is None:
            return downloads.download(url, part, LARGEST, known.sha256, tick)
        part.write_bytes(content(here))
        if known.sha256 and _sha256(part) != known.sha256:
            raise OtherFileError(f"'{here}' is something else.")
    except BrokenError as error:
        by_hand = f"get '{known.file}' by hand from {known.home}, and give that file with --weights"
        raise UserError(f"{known.name} could not be fetched from {url} ({error.reason}): {by_hand}.") from error
    except OtherFileError as error:
        raise UserError(
            f"{url} gave something else than {known.name}, by its SHA-256: fetch it from another place, or by hand from "
            f"{known.home}."
        ) from error
    return part
