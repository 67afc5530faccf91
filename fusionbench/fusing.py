"""Fuse one pair, or folders of them, by any method: colour, bit depth, files and threads are dealt with here.

A method only ever sees float64 planes on the scale 0..255, of the size of the images.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusionbench import images, pairing, pixels
from fusionbench.recipe import Recipe, recipe
from fusionbench.records import Record, record
from fusionbench.registry import unknown
from fusionbench.types import Color, Fused, Image, Pair, UserError
from fusionbench.workers import as_finished, count

_Real: TypeAlias = NDArray[np.float64]

_DEEP: Final = ("png", "tif", "tiff")
"""Formats that hold 16 bits."""


def fuse(
    name: str,
    ir: Image | str | Path,
    vis: Image | str | Path,
    *,
    color: Color | None = None,
    preset: str | None = None,
    **parameters: Any,
) -> Image:
    """Fuse one pair.

    Parameters
    ----------
    name : str
        Short name of the method, e.g. ``"gff"``; `fusionbench.methods.available` lists them. Or a file or program of
        anybody's, as `fusionbench.recipe.opened` says, e.g. ``"onnx:model.onnx"``.
    ir, vis : ndarray, str or Path
        The sources, of one size: (H, W) grey or (H, W, 3) RGB; uint8, uint16, or float in [0, 1]; or a file to read. An
        infrared image in colour counts by its luma.
    color : {"luma", "per-channel", "grey"}, optional
        What is done about a visible image in colour; a grey one is fused as it is. By default what the preset says,
        otherwise ``"luma"``.

        * ``"luma"``: its luma (BT.601, rounded to the depth of the image, or exact where the method's card says so) is
          fused, and R, G and B are all changed by as much as the luma was, so that Cb and Cr stay what they are up to
          saturation.
        * ``"per-channel"``: R, G and B are each fused with the infrared image, as VIFB does.
        * ``"grey"``: its luma is fused, and the result is grey.
    preset : str, optional
        A named set of parameters of this method, e.g. ``"vifb"``.
    **parameters
        Parameters of the method; they come before those of the preset.

    Returns
    -------
    ndarray
        The fused image, (H, W) or (H, W, 3), with the dtype and range of `vis`. Integers are rounded, halves up (or
        down, all of them, where a parameter of the method says so), and what is out of range is clipped.

    Raises
    ------
    UserError
        If an image cannot be used, the sizes differ or are too small for the method, or there is no such method,
        preset or parameter.

    Examples
    --------
    >>> import numpy as np
    >>> ir = np.full((32, 32), 100, dtype=np.uint8)
    >>> vis = np.full((32, 32, 3), (30, 40, 50), dtype=np.uint8)
    >>> fuse("max", ir, vis)[0, 0].tolist(), fuse("max", ir, vis, color="grey")[0, 0].tolist()
    ([92, 102, 112], 100)
    """
    chosen = recipe(name, color=color, preset=preset, parameters=parameters)
    given = {"ir": ir, "vis": vis}
    called = {role: f"'{image}'" if isinstance(image, str | Path) else role for role, image in given.items()}
    usable = {
        role: images.read(Path(image)) if isinstance(image, str | Path) else pixels.check(image, role)
        for role, image in given.items()
    }
    pixels.same_size(called["vis"], usable["vis"], called["ir"], usable["ir"])
    fused = fuse_levels(chosen, usable["ir"], usable["vis"], called["vis"])
    return stored(fused, usable["vis"].dtype, truncated=chosen.truncated)


def fuse_levels(chosen: Recipe, ir: Image, vis: Image, what: str = "vis") -> _Real:
    """Fuse one pair of usable images without rounding or clipping the result.

    Parameters
    ----------
    chosen : Recipe
        How.
    ir, vis : Image
        The sources, of one size, as `fusionbench.images.read` and `check` return them.
    what : str
        How an error calls the pair.

    Returns
    -------
    ndarray of float64
        (H, W) or (H, W, 3), on the scale 0..255.

    Raises
    ------
    UserError
        If the images are too small for the method, or it does not return finite numbers of the right shape.
    """
    height, width = vis.shape[:2]
    if min(height, width) < chosen.card.smallest:
        raise UserError(
            f"{what} is {width} x {height} pixels (width x height), too small for {chosen.label}: its shorter side "
            f"must have at least {chosen.card.smallest}."
        )
    source = _plane(ir)
    if vis.ndim == 2 or chosen.color != "per-channel":
        seen = _plane(vis, exact=chosen.card.luma == "exact")
        fused = _call(chosen, source, seen)
        return fused if vis.ndim == 2 or chosen.color == "grey" else _levels(vis) + (fused - seen)[:, :, np.newaxis]
    channels = _levels(vis)
    if chosen.card.joint:
        return _call(chosen, source, channels)
    # The methods know the infrared plane by its identity, and do not measure it again for each channel.
    bands = [_call(chosen, source, np.ascontiguousarray(channels[:, :, band])) for band in range(3)]
    return np.stack(bands, axis=2)


def stored(fused: _Real, dtype: np.dtype[Any] | type[np.generic], *, truncated: bool = False) -> Image:
    """A result on the scale 0..255 as an image of some dtype.

    Parameters
    ----------
    fused : ndarray of float64
        Any shape.
    dtype : dtype
        uint8, uint16 (257 times the level) or a floating-point one ([0, 1]).
    truncated : bool
        Whether integers are rounded down instead of to the nearest.

    Returns
    -------
    Image
        Clipped to the range of the dtype; halves are rounded up unless everything is rounded down.
    """
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return np.clip(fused / 255, 0, 1).astype(kind)
    most = np.iinfo(kind).max
    scaled = np.clip(fused if most == 255 else fused * 257, 0, most)
    whole = np.floor(scaled)
    if not truncated:
        # Not floor(x + 0.5): that sum may itself be rounded up to the next whole number.
        whole += scaled - whole >= 0.5
    return whole.astype(kind)


def _levels(image: Image) -> _Real:
    """The image on the scale 0..255; never the memory of the user."""
    if image.dtype.kind == "f":
        return np.ascontiguousarray(np.multiply(image, 255, dtype=np.float64))
    return np.ascontiguousarray(np.divide(image, 257 if image.dtype == np.uint16 else 1, dtype=np.float64))


def _plane(image: Image, *, exact: bool = False) -> _Real:
    """The image, or its luma, rounded to its own depth unless it is to be exact, on the scale 0..255."""
    if image.ndim == 2:
        return _levels(image)
    if image.dtype == np.uint8 and not exact:
        return _levels(pixels.luma(image, "bt601"))
    red, green, blue = (image[:, :, band].astype(np.float64) for band in range(3))
    luma = (299 * red + 587 * green + 114 * blue) / 1000
    if image.dtype.kind == "f":
        return _levels(luma)
    rounded = luma if exact else np.rint(luma)
    return np.ascontiguousarray(rounded / (257 if image.dtype == np.uint16 else 1))


def _call(chosen: Recipe, ir: _Real, vis: _Real) -> _Real:
    fused = np.asarray(chosen.function(ir, vis, **chosen.parameters))
    if fused.shape != vis.shape:
        raise UserError(
            f"The method {chosen.label} made an image of shape {fused.shape} where {vis.shape} was due: correct it."
        )
    if not np.isfinite(fused).all():
        raise UserError(
            f"The method {chosen.label} made NaN or infinite pixels: choose other parameters, or correct it."
        )
    return fused.astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one pair and method.

    Attributes
    ----------
    fused : Fused
        Method, pair, and the file that holds the image if all went well.
    reason : str
        Why there is none; empty if there is one.
    seconds : float
        What the method itself took, without reading and writing.
    """

    fused: Fused
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class FolderFusion:
    """Pairs to be fused: iterate over it to do so, and get each `Outcome` as soon as it is there.

    What is already done is kept if the iteration is left early or stopped.

    Attributes
    ----------
    recipes : tuple of Recipe
        How.
    sources : SourcePairs
        What was paired.
    kept : tuple of Fused
        Images that are there already and stay as they are.
    todo : tuple of Fused
        Images that are to be made.
    depth : int
        Bits a sample, 8 or 16.
    threads : int
        How many are made at once.
    records : mapping of str to Record or None
        What is to be said in the folder of each method about how its images are made, if anything.
    """

    recipes: tuple[Recipe, ...]
    sources: pairing.SourcePairs
    kept: tuple[Fused, ...]
    todo: tuple[Fused, ...]
    depth: int
    threads: int
    records: Mapping[str, Record | None]

    def __iter__(self) -> Iterator[Outcome]:
        return self.outcomes()

    def outcomes(self, tick: Callable[[], None] | None = None) -> Iterator[Outcome]:
        """What iterating gives; `tick` is called several times a second meanwhile."""
        return as_finished(self._attempt, self.todo, self.threads, tick)

    def _attempt(self, item: Fused) -> Outcome:
        chosen = next(one for one in self.recipes if one.label == item.method)
        try:
            return Outcome(item, seconds=self._make(chosen, item))
        except UserError as error:
            return Outcome(item, str(error))
        except Exception as error:  # a method may be anybody's; its mistake must not cost the other images
            return Outcome(item, f"it stopped with {type(error).__name__}: {error}")

    def _make(self, chosen: Recipe, item: Fused) -> float:
        ir, vis = images.read(item.pair.ir), images.read(item.pair.vis)
        pixels.same_size(f"'{item.pair.vis}'", vis, f"'{item.pair.ir}'", ir)
        if self.depth == 16 and vis.ndim == 3 and chosen.color != "grey":
            raise UserError(
                f"'{item.pair.vis}' is in colour, of which only 8 bits can be written: fuse to grey, or write 8 bits."
            )
        clock = time.perf_counter()
        fused = fuse_levels(chosen, ir, vis, f"'{item.pair.vis}'")
        seconds = time.perf_counter() - clock
        if (known := self.records.get(item.method)) is not None:
            known.write()
        images.write(item.path, stored(fused, np.uint8 if self.depth == 8 else np.uint16, truncated=chosen.truncated))
        return seconds


def fuse_folder(
    methods: Iterable[str | Recipe],
    ir: str | Path,
    vis: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    overwrite: bool = False,
    format: str | None = None,
    depth: int = 8,
) -> FolderFusion:
    """Prepare to fuse all pairs of two folders by some methods.

    Parameters
    ----------
    methods : iterable of str or Recipe
        Short names, or recipes where more than the name is to be decided.
    ir, vis : str or Path
        The sources: each a folder or one image; matched by name.
    out : str or Path
        A folder, which is made if it does not exist: images become ``out/<method>/<pair>.png``. Or, for one method and
        one pair, the image.
    workers : int, optional
        How many threads; by default as many as there are cores.
    overwrite : bool
        Make images anew that are there already, instead of keeping them.
    format : {"png", "bmp", "tif", "tiff", "jpg", "jpeg"}, optional
        By default PNG, or what the suffix of `out` says. JPEG loses detail, also of what is scored.
    depth : {8, 16}
        Bits a sample; 16 for grey PNG and TIFF.

    Returns
    -------
    FolderFusion
        Nothing is fused until it is iterated over.

    Raises
    ------
    UserError
        If there is no such method, format or depth, the folders do not match, or images that would stay in a method's
        folder were made by another recipe.

    Notes
    -----
    An image appears under its name when it is complete, so what is there is whole. ``recipe.json`` beside the images
    says how they were made.
    """
    out = Path(out)
    recipes = tuple(item if isinstance(item, Recipe) else recipe(item) for item in methods)
    threads = count(workers)
    single = out.suffix.lower() in images.SUFFIXES and not out.is_dir()
    kind = _format(out.suffix if single else "", format, depth)
    _refuse_doubled(recipes)
    sources = pairing.pair_sources(Path(ir), Path(vis))
    if single:
        items = [_only(recipes, sources.pairs, out)]
    else:
        if out.exists() and not out.is_dir():
            raise UserError(f"'{out}' is a file: give a folder, or the name of an image.")
        items = [
            Fused(chosen.label, pair, out / chosen.label / f"{pair.name}.{kind}")
            for chosen in recipes
            for pair in sources.pairs
        ]
    _spare_sources(items, sources)
    there = {item.path for item in items if not overwrite and item.path.exists()}
    todo = tuple(item for item in items if item.path not in there)
    made = {item.path for item in todo}
    folders = () if single else recipes
    return FolderFusion(
        recipes=recipes,
        sources=sources,
        kept=tuple(item for item in items if item.path in there),
        todo=todo,
        depth=depth,
        threads=threads,
        records={r.label: record(r, out / r.label, made, format=kind, depth=depth) for r in folders},
    )


def _format(suffix: str, asked: str | None, depth: int) -> str:
    known = [one.removeprefix(".") for one in images.SUFFIXES]
    kind = (asked or suffix or "png").lower().removeprefix(".")
    if kind not in known:
        raise unknown("image format", kind, known)
    if suffix and kind != suffix.lower().removeprefix("."):
        raise UserError(f"The name of the image ends in {suffix}, but the format asked for is {kind}: leave one out.")
    if depth not in (8, 16):
        raise UserError(f"Images of {depth} bits cannot be written: use 8 or 16.")
    if depth == 16 and kind not in _DEEP:
        raise UserError(f"16 bits do not fit into {kind}: use one of {', '.join(_DEEP)}.")
    return kind


def _refuse_doubled(recipes: Iterable[Recipe]) -> None:
    seen: set[str] = set()
    for chosen in recipes:
        if chosen.label in seen:
            raise UserError(f"The method '{chosen.label}' is there twice, for one folder: name it once.")
        seen.add(chosen.label)


def _only(recipes: tuple[Recipe, ...], pairs: tuple[Pair, ...], out: Path) -> Fused:
    if (due := len(recipes) * len(pairs)) != 1:
        raise UserError(f"'{out}' is the name of one image, but there are {due} to be made: name a folder.")
    return Fused(recipes[0].label, pairs[0], out)


def _spare_sources(items: Iterable[Fused], sources: pairing.SourcePairs) -> None:
    paths = [path for pair in sources.pairs for path in (pair.ir, pair.vis)] + [*sources.only_ir, *sources.only_vis]
    taken = {path.resolve() for path in paths}
    for item in items:
        if item.path.resolve() in taken:
            raise UserError(f"'{item.path}' is a source image: choose another place for the fused one.")
