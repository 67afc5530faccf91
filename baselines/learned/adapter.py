"""Networks in use: one thread runs them, on batches of what all other threads have decoded meanwhile.

Reading and writing images thus goes on while a network works, and pairs of one size that wait together go through it
together.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, get_args

import numpy as np
import torch
from torch import Tensor, nn

from fusionbench.registry import unknown
from fusionbench.types import UserError

from ..card import Plane
from .methods import Precision
from .tiles import alike, cuts

_DTYPES: Final = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_BATCH: Final = {"cpu": 1, "cuda": 8}


class Inference(Protocol):
    """What the file of a network calls so: planes (B, 1, H, W) on the scale 0..255, float32, to one such plane.

    Where a network looks at colour, (B, 3, H, W) instead, of the sources, of the result, or of both.

    Attributes
    ----------
    overlap : int
        Pixels by which tiles overlap, to each side.
    multiple : int
        What tiles are to be aligned to.
    sees_all_by : str
        What makes every pixel depend on the whole image; empty if no pixel depends on others farther than `overlap`.
    channels_last : bool
        Whether the channels of a pixel lie side by side in memory, which is faster, but sums in another order.
    alone : bool
        Whether it normalises by the statistics of the whole batch, so that only one pair may go through it at a time;
        may be left out, for no.
    """

    overlap: int
    multiple: int
    sees_all_by: str
    channels_last: bool

    def __call__(self, ir: Tensor, vis: Tensor, /) -> Tensor:
        """Fuse."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which a network runs.

    Attributes
    ----------
    device : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    precision : {"fp32", "tf32", "bf16", "fp16"}
        fp32 is exact; tf32, on CUDA only, multiplies with 10 bits after the point; the others hold every number in 16.
    batch : int or None
        Most pairs at once; by default 1 on the CPU, which is no faster with more, and 8 on CUDA.
    tile : int or None
        Most pixels to a side that are fused at once; larger images are cut.
    approximate : bool
        Cut images also where that changes the result.
    compiled : bool
        Let torch compile the network (on CUDA with CUDA graphs): a minute for every size of image, then faster.
    """

    device: str = "cpu"
    precision: Precision = "fp32"
    batch: int | None = None
    tile: int | None = None
    approximate: bool = False
    compiled: bool = False


@dataclass(slots=True, eq=False)
class _Job:
    ir: Plane
    vis: Plane
    answer: Future[Plane] = field(default_factory=Future)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        return self.ir.shape, self.vis.shape


# One thread for all networks: they would only take the cores and the memory from one another, and what torch keeps of
# a CUDA graph belongs to the thread that made it.
_RUNNER: Final = ThreadPoolExecutor(1, thread_name_prefix="network")


class Fuser:
    """A network on a device. Call it with two planes, from as many threads as you like.

    Parameters
    ----------
    network : nn.Module
        An `Inference`; is used up.
    conditions : Conditions
        Under which it runs.

    Raises
    ------
    UserError
        If there is no such device or precision, or a number makes no sense.
    """

    def __init__(self, network: nn.Module, conditions: Conditions) -> None:
        self._device = device_of(conditions.device)
        _check(conditions, self._device, network)
        self._conditions = conditions
        self._batch = 1 if getattr(network, "alone", False) else conditions.batch or _BATCH[self._device.type]
        self._tile = conditions.tile
        self._traits: Inference = network
        layout = torch.channels_last if network.channels_last else torch.contiguous_format
        network = network.to(self._device, _DTYPES[conditions.precision], memory_format=layout)
        self._network: Any = network.requires_grad_(False)
        if conditions.compiled:
            mode = "reduce-overhead" if self._device.type == "cuda" else "default"
            self._network = torch.compile(network, dynamic=False, mode=mode)
        self._waiting: list[_Job] = []
        self._guard = threading.Lock()

    def __call__(self, ir: Plane, vis: Plane) -> Plane:
        """Fuse one pair.

        Parameters
        ----------
        ir, vis : ndarray
            Planes of one size, (H, W), or where the network takes them (H, W, 3), on the scale 0..255.

        Returns
        -------
        ndarray
            (H, W) or (H, W, 3), on the scale 0..255, which some networks leave; not rounded.

        Raises
        ------
        UserError
            If the device has too little memory for it, or it would have to be cut and that changes the result.
        """
        job = _Job(ir, vis)
        with self._guard:
            self._waiting.append(job)
        _RUNNER.submit(self._serve)
        return job.answer.result()

    def forward(self, ir: Tensor, vis: Tensor) -> Tensor:
        """The network alone: planes (B, 1, H, W) on its device, float32, to one such plane. Call it from one thread."""
        with torch.inference_mode(), multiplying(self._conditions.precision):
            return self._network(ir, vis)

    def _serve(self) -> None:
        """Fuse the pair that waits longest, and with it others of its size."""
        with self._guard:
            sizes = self._waiting[0].shapes if self._waiting else None
            jobs = [job for job in self._waiting if job.shapes == sizes][: self._batch]
            self._waiting = [job for job in self._waiting if job not in jobs]
        if not jobs:  # they went along with an earlier one
            return
        try:
            planes = self._fuse([(job.ir, job.vis) for job in jobs])
        except Exception as error:  # it belongs to those who wait, not to this thread
            for job in jobs:
                job.answer.set_exception(error)
        else:
            for job, plane in zip(jobs, planes, strict=True):
                job.answer.set_result(plane)

    def _fuse(self, pairs: Sequence[tuple[Plane, Plane]]) -> list[Plane]:
        height, width = pairs[0][0].shape[:2]
        if self._tile is not None and max(height, width) > self._tile:
            return [self._fuse_tiles(ir, vis, self._tile) for ir, vis in pairs]
        fused = self._attempt(pairs)
        if fused is not None:
            return fused
        if len(pairs) > 1:
            half = len(pairs) // 2
            self._batch = half
            return self._fuse(pairs[:half]) + self._fuse(pairs[half:])
        self._tile = self._smaller_tile(height, width)
        return self._fuse(pairs)

    def _attempt(self, pairs: Sequence[tuple[Plane, Plane]]) -> list[Plane] | None:
        """One run of the network; None if the memory of the device does not suffice."""
        try:
            ir, vis = (self._sent([pair[source] for pair in pairs]) for source in (0, 1))
            fused = self.forward(ir, vis).cpu().numpy()
            planes = fused[:, 0] if fused.shape[1] == 1 else np.moveaxis(fused, 1, -1)
            return [plane.astype(np.float64) for plane in planes]
        except RuntimeError as error:
            # On the CPU this is a plain RuntimeError.
            if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
                raise
        # Only here, without the error, is what the failed run held free again.
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        return None

    def _sent(self, planes: Sequence[Plane]) -> Tensor:
        stack = np.stack(planes, dtype=np.float32, casting="same_kind")
        batch = torch.from_numpy(stack[:, np.newaxis] if stack.ndim == 3 else np.moveaxis(stack, 3, 1).copy())
        if self._device.type == "cuda":
            return batch.pin_memory().to(self._device, non_blocking=True)
        return batch

    def _smaller_tile(self, height: int, width: int) -> int:
        tile = max(height, width) // 2
        if self._traits.sees_all_by:
            raise UserError(
                f"An image of {width} x {height} pixels does not fit into the memory of {self._device}, and fusing it in "
                f"tiles would change the result, because of the network's {self._traits.sees_all_by}: use another device, "
                "or choose a size with tile and allow it with approximate=true."
            )
        if tile < _smallest_tile(self._traits):
            raise UserError(f"The memory of {self._device} is used up: end other programs that use it.")
        return tile

    def _fuse_tiles(self, ir: Plane, vis: Plane, tile: int) -> Plane:
        traits, (height, width) = self._traits, ir.shape[:2]
        if traits.sees_all_by and not self._conditions.approximate:
            raise UserError(
                f"An image of {width} x {height} pixels is larger than a tile of {tile}, but cutting it would change the "
                f"result, because of the network's {traits.sees_all_by}: leave tile out, or allow it with "
                "approximate=true."
            )
        rows, columns = (
            cuts(length, tile, overlap=traits.overlap, multiple=traits.multiple, fading=bool(traits.sees_all_by))
            for length in (height, width)
        )
        # Its channels are known when the first tile is done; until then one stands for all of them.
        total, weight = np.zeros((height, width, 1)), np.zeros((height, width, 1))
        for group in alike(rows, columns, self._batch):
            cut = [(row.window, column.window) for row, column in group]
            # Here a smaller tile may be found to be necessary, and then these are cut once more.
            fused = self._fuse([(ir[place], vis[place]) for place in cut])
            for (row, column), place, plane in zip(group, cut, fused, strict=True):
                share = (row.share[:, np.newaxis] * column.share)[..., np.newaxis]
                channels = np.atleast_3d(plane)
                if total.shape[2] != channels.shape[2]:
                    total = np.repeat(total, channels.shape[2], 2)
                total[place] += share * channels
                weight[place] += share
        total /= weight
        return total[..., 0] if total.shape[2] == 1 else total


@contextmanager
def multiplying(precision: Precision) -> Iterator[None]:
    """Multiply float32 as exactly as asked for: torch itself lets convolutions on CUDA be inexact."""
    backends = torch.backends
    switches = (backends.cudnn.conv, backends.cuda.matmul, backends.mkldnn.conv, backends.mkldnn.matmul)
    before = [switch.fp32_precision for switch in switches]
    for switch in switches:
        switch.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    try:
        yield
    finally:
        for switch, setting in zip(switches, before, strict=True):
            switch.fp32_precision = setting


def device_of(name: str) -> torch.device:
    """The device of that name.

    Raises
    ------
    UserError
        If there is none.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise unknown("device", name, _BATCH) from None
    if device.type not in _BATCH:
        raise unknown("device", name, _BATCH)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"There is no device '{name}' that torch can use here: use --device cpu.")
    return device


def _smallest_tile(traits: Inference) -> int:
    """A tile of which half is not overlap."""
    return max(64, 4 * traits.overlap)


def _check(conditions: Conditions, device: torch.device, traits: Inference) -> None:
    if conditions.precision not in get_args(Precision):
        raise unknown("precision", conditions.precision, get_args(Precision))
    if conditions.precision == "tf32" and device.type != "cuda":
        raise UserError(f"Only CUDA devices compute in tf32, not '{conditions.device}': use fp32 or bf16.")
    if conditions.batch is not None and conditions.batch < 1:
        raise UserError(f"A batch of {conditions.batch} pairs cannot be fused: give at least 1.")
    if conditions.tile is not None and conditions.tile < (least := _smallest_tile(traits)):
        raise UserError(f"Tiles of {conditions.tile} pixels are too small for this network: give at least {least}.")
