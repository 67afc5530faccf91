"""Images in a page: made small enough for a budget and put into it, or written beside it and linked."""

from __future__ import annotations

import base64
import io
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from fusionbench import images, pixels
from fusionbench.files import whole
from fusionbench.report.scenes import Scene
from fusionbench.types import UserError
from fusionbench.workers import Stop, as_finished, count

R = TypeVar("R")
Progress: TypeAlias = Callable[[int, int], None]
"""Told how many scenes are done, and of how many."""

SIDES: Final = (1024, 800, 640, 512, 384)
"""Longest sides, in pixels, that embedded images are reduced to; the first that fits the budget is taken."""
_QUALITY: Final = 80
_SAMPLE: Final = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """The pictures of one scene, as URLs.

    Attributes
    ----------
    scene : Scene
        What is shown.
    width, height : int
        Size of the infrared image in pixels.
    urls : mapping of str to str
        ``"ir"``, ``"vis"``, and ``"fused:NAME"`` for each method that has a usable image.
    maps : mapping of str to str
        By method, its map of SSIM.
    """

    scene: Scene
    width: int
    height: int
    urls: Mapping[str, str]
    maps: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Album:
    """What a page shows, and what of it was left out.

    Attributes
    ----------
    shown : tuple of Shown
        In the order of the scenes.
    scenes : int
        How many there were to show.
    side : int or None
        Longest side of embedded images in pixels; None if they are linked in full size.
    remarks : tuple of str
        Images that could not be read, and scenes left out.
    """

    shown: tuple[Shown, ...] = ()
    scenes: int = 0
    side: int | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Files:
    """Encoded images of one scene, by what they show."""

    scene: Scene
    width: int
    height: int
    files: dict[str, bytes]
    remarks: list[str] = field(default_factory=list)


def _size(encoded: Sequence[_Files]) -> int:
    """Characters in a page, names of the images included."""
    return sum(math.ceil(len(data) / 3) * 4 + 64 for item in encoded for data in item.files.values())


def embed(
    scenes: Sequence[Scene],
    budget: int,
    *,
    maps: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Album:
    """Reduce images until they fit, and make them part of the page.

    Parameters
    ----------
    scenes : sequence of Scene
        What to show.
    budget : int
        So many characters of base64 at most.
    maps : bool
        Whether to add the map of SSIM of every fused image.
    workers : int, optional
        How many threads; by default as many as there are cores.
    progress : callable, optional
        Called with the number of scenes done and of all.

    Returns
    -------
    Album
        With smaller images where the budget asks for it and, where even the smallest of `SIDES` are too large, with
        scenes taken evenly over all of them; `remarks` says so.

    Raises
    ------
    UserError
        If not a single scene fits.
    """
    if not scenes:
        return Album()
    sample = _evenly(scenes, min(_SAMPLE, len(scenes)))
    encoded: list[_Files] = []
    for side in SIDES:
        mean = _size(_encode_all(sample, side, maps, workers, None)) / len(sample)
        if mean * len(scenes) > budget and side != SIDES[-1]:
            continue
        # A quarter more than should fit, since the sample is not the whole; what is too much is taken out below.
        most = min(len(scenes), int(1.25 * budget / max(mean, 1)) + 1)
        encoded = _encode_all(_evenly(scenes, most), side, maps, workers, progress)
        if _size(encoded) <= budget:
            break
    while _size(encoded) > budget:
        encoded = _evenly(encoded, len(encoded) - 1)
    if not encoded:
        raise UserError(
            "The images of not a single scene fit into the page: allow it more with --max-mb, or link them with --assets."
        )
    remarks = [remark for item in encoded for remark in item.remarks]
    if len(encoded) < len(scenes):
        remarks.insert(
            0,
            f"{len(encoded)} of {len(scenes)} scenes are shown, spread evenly; all of them need more than the size "
            "allowed (--max-mb), or a folder beside the page (--assets).",
        )
    shown = tuple(_shown(item, {key: _data_url(data) for key, data in item.files.items()}) for item in encoded)
    return Album(shown, len(scenes), side, tuple(remarks))


def link(
    scenes: Sequence[Scene],
    folder: Path,
    page: Path,
    *,
    maps: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Album:
    """Write images in full size, without loss, into a folder that the page links to.

    Parameters
    ----------
    scenes, maps, workers, progress
        As for `embed`.
    folder : Path
        Where to; it is made if it does not exist.
    page : Path
        The page, which finds the images relative to its own place.

    Returns
    -------
    Album

    Raises
    ------
    UserError
        If the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"'{folder}' cannot be made ({error.strerror}): choose another folder for --assets.") from error
    start = Path(os.path.relpath(folder.resolve(), page.resolve().parent)).as_posix()
    stop = Stop()
    work = partial(_link_scene, folder=folder, prefix=f"{quote(start)}/", maps=maps, stop=stop)
    done = _in_order(work, scenes, stop, workers, progress)
    remarks = [remark for _, said in done for remark in said]
    return Album(tuple(item for item, _ in done), len(scenes), None, tuple(remarks))


def _link_scene(
    numbered: tuple[int, Scene], folder: Path, prefix: str, maps: bool, stop: Stop
) -> tuple[int, tuple[Shown, list[str]]]:
    # Written here and forgotten: all images in full size may be more than memory holds.
    index, item = _encode_scene(numbered, None, maps, stop)
    names = {key: f"{index + 1:04d}-{place:02d}.webp" for place, key in enumerate(item.files)}
    for key, data in item.files.items():
        _asset(folder / names[key], data)
    return index, (_shown(item, {key: prefix + name for key, name in names.items()}), item.remarks)


def _encode_all(
    scenes: Sequence[Scene], side: int, maps: bool, workers: int | None, progress: Progress | None
) -> list[_Files]:
    """Every scene encoded, in their order."""
    stop = Stop()
    return _in_order(partial(_encode_scene, side=side, maps=maps, stop=stop), scenes, stop, workers, progress)


def _in_order(
    work: Callable[[tuple[int, Scene]], tuple[int, R]],
    scenes: Sequence[Scene],
    stop: Stop,
    workers: int | None,
    progress: Progress | None,
) -> list[R]:
    """Do some work on numbered scenes; what comes of each, in their order."""
    done: dict[int, R] = {}
    for index, result in as_finished(work, list(enumerate(scenes)), count(workers), stop=stop):
        done[index] = result
        if progress:
            progress(len(done), len(scenes))
    return [done[index] for index in range(len(scenes))]


def _encode_scene(numbered: tuple[int, Scene], side: int | None, maps: bool, stop: Stop) -> tuple[int, _Files]:
    index, scene = numbered
    files: dict[str, bytes] = {}
    remarks: list[str] = []

    def levels(path: Path) -> NDArray[np.uint8] | None:
        if stop.is_set():
            return None
        try:
            return pixels.to_levels(images.read(path))
        except UserError as error:
            remarks.append(str(error))
            return None

    read = {"ir": levels(scene.ir), "vis": levels(scene.vis)}
    sources = {role: source for role, source in read.items() if source is not None}
    sizes = {source.shape[:2] for source in sources.values()}
    height, width = next(iter(sizes), (1, 1))
    files |= {role: _webp(source, side) for role, source in sources.items()}
    for method, path in scene.fused.items():
        fused = levels(path)
        if fused is None:
            continue
        if sizes and fused.shape[:2] != (height, width):
            remarks.append(f"'{path}' is not shown: it has another size than '{scene.ir}'.")
            continue
        files[f"fused:{method}"] = _webp(fused, side)
        if maps and len(sources) == 2 and len(sizes) == 1:
            planes = [pixels.luma(plane, "bt601") for plane in (*sources.values(), fused)]
            files[f"map:{method}"] = _webp(_similarity(planes), side and side // 2)
    return index, _Files(scene, width, height, files, remarks)


def _similarity(planes: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Mean SSIM with both sources around every pixel, as grey levels: 0 or less is black, 1 white."""
    from fusionbench.metrics.ssim import structural_similarity_map
    from fusionbench.metrics.triple import SOURCES, Triple

    triple = Triple.of(*planes)
    mean = sum(structural_similarity_map(triple, source) for source in SOURCES) / 2
    return pixels.to_levels(np.clip(mean, 0, 1))


def _webp(levels: NDArray[np.uint8], side: int | None) -> bytes:
    from PIL import Image

    picture = Image.fromarray(levels)
    options: dict[str, Any] = {"lossless": True, "method": 0}
    if side is not None:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        options = {"quality": _QUALITY, "method": 2}
    with io.BytesIO() as file:
        picture.convert("RGB").save(file, "WEBP", **options)
        return file.getvalue()


def _shown(item: _Files, urls: Mapping[str, str]) -> Shown:
    maps = {key.removeprefix("map:"): value for key, value in urls.items() if key.startswith("map:")}
    own = {key: value for key, value in urls.items() if not key.startswith("map:")}
    return Shown(item.scene, item.width, item.height, own, maps)


def _data_url(data: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"


def _asset(path: Path, data: bytes) -> None:
    whole(path, lambda file: file.write(data), remedy="choose another folder for --assets")


def _evenly(items: Sequence[Any], number: int) -> list[Any]:
    """So many of them, spread evenly."""
    return [items[int((i + 0.5) * len(items) / number)] for i in range(number)]
