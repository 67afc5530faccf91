"""Programs of others: run once for every pair, on files, as they are.

``command:python their.py --ir {ir} --vis {vis} --out {out}`` is a method: the sources are written as 8-bit PNG files, the
program is started without a shell, and what it writes is read.
"""

from __future__ import annotations

import math
import os
import re
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from fusionbench import images, pixels
from fusionbench.types import Color, UserError

from .card import Opens, Plane, method
from .colour import shaped

_PLACES: Final = ("ir", "vis", "out")
_PLACE: Final = re.compile(rf"\{{({'|'.join(_PLACES)})\}}")
_KILL: Final = getattr(signal, "SIGKILL", signal.SIGTERM)
_LONGEST: Final = 300
"""Characters of what a program said last that stand in an error."""


def words(command: str) -> list[str]:
    """The words of a command, as a shell would part them.

    Raises
    ------
    UserError
        If a quotation mark has no partner, or a place for one of the files is missing.
    """
    try:
        found = shlex.split(command, posix=os.name == "posix")
    except ValueError as error:
        raise UserError(f"The command '{command}' cannot be read ({error}): correct its quotation marks.") from error
    if lacking := [place for place in _PLACES if f"{{{place}}}" not in command]:
        raise UserError(
            f"The command '{command}' has no place for {{{lacking[0]}}}: write {{ir}}, {{vis}} and {{out}} where the names of "
            "the files belong."
        )
    return found


def label(command: str) -> str:
    """What a command is called: by its script, or by the program.

    >>> label("python3.11 tools/their.py --ir {ir} --vis {vis} {out}"), label("./fuse {ir} {vis} {out}")
    ('their', 'fuse')
    """
    found = words(command)
    scripts = [word for word in found[1:] if re.fullmatch(r"[^-{][^{]*\.[A-Za-z]+", word)]
    return Path((scripts or found)[0]).stem


def _files(parameters: Mapping[str, Any]) -> dict[str, Path]:
    """The files that the command names: scripts, weights."""
    where = _folder(parameters["cwd"])
    named = (text for word in words(parameters["command"]) for text in (word, word.partition("=")[2]) if text)
    # A word may be longer than the name of any file, which only the functions of os.path take for an answer.
    return {f"file {text}": path for text in named if os.path.isfile(path := where / text)}


def _color(parameters: Mapping[str, Any]) -> Color:
    words(parameters["command"])
    _folder(parameters["cwd"])
    if not (math.isfinite(parameters["timeout"]) and parameters["timeout"] > 0):
        raise UserError(f"A timeout of {parameters['timeout']} s leaves no time for anything: give a number above 0.")
    return "luma"


def _folder(given: Path | str | None) -> Path:
    where = Path(given or ".").expanduser()
    if not os.path.isdir(where):
        raise UserError(f"There is no folder '{where}' for the program to work in: correct cwd.")
    return where


@method(
    "command",
    title="Any program",
    authors="",
    year=0,
    doi="",
    summary="Whatever the program does. It is started for every pair, without a shell, and finds the sources as 8-bit PNG "
    "files. What it writes is read, and what it says is kept where it fails.",
    defaults="ten minutes for a pair, in the folder where fusionbench was started",
    joint=True,
    smallest=1,
    kind="foreign",
    reads=_files,
    opens=Opens("command", label, _color, immaterial=("timeout", "cwd", "log")),
)
def command(
    ir: Plane,
    vis: Plane,
    *,
    command: str,
    timeout: float = 600.0,
    cwd: Path | str | None = None,
    log: Path | str | None = None,
) -> Plane:
    """Fuse by a program.

    Parameters
    ----------
    ir, vis : ndarray
        The sources, (H, W), the visible one also (H, W, 3), on the scale 0..255; the program gets them rounded.
    command : str
        The program with its arguments, among them ``{ir}``, ``{vis}`` and ``{out}`` for the names of three PNG files.
    timeout : float
        Seconds after which it is ended, with whatever it has started.
    cwd : Path or str, optional
        The folder that it works in; by default the one that fusionbench was started in.
    log : Path or str, optional
        A folder that gets a file with what the program says, for every pair; otherwise only what a program said that
        failed is kept, in the system's folder for such files.

    Returns
    -------
    ndarray
        What the program made, in the shape of `vis`, on the scale 0..255.

    Raises
    ------
    UserError
        If the program cannot be started, takes too long, ends with an error, or leaves no image of that size.
    """
    kept = None if log is None else Path(log)
    said = _new_log(kept)
    with tempfile.TemporaryDirectory(prefix="fusionbench-") as folder:
        places = {place: Path(folder) / f"{place}.png" for place in _PLACES}
        for place, plane in (("ir", ir), ("vis", vis)):
            images.write(places[place], np.floor(np.clip(plane, 0, 255) + 0.5).astype(np.uint8), durable=False)
        started = [_PLACE.sub(lambda found: str(places[found[1]]), word) for word in words(command)]
        try:
            _run(started, _folder(cwd), timeout, said)
            fused = _result(places["out"], vis)
        except UserError as error:
            raise UserError(f"{str(error).rstrip('.')}; {_last_words(said)}.") from error
    if kept is None:
        said.unlink()
    return shaped(fused, vis)


def _new_log(folder: Path | None) -> Path:
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix="fusionbench-", suffix=".log", dir=folder)
    except OSError as error:
        raise UserError(f"No log can be written to '{folder}' ({error.strerror}): choose another folder.") from error
    os.close(number)
    return Path(name)


def _run(started: Sequence[str], cwd: Path, timeout: float, said: Path) -> None:
    """Run a program to its end."""
    with said.open("wb") as log:
        try:
            # In our own group of processes: what interrupts us from the keyboard interrupts it, too.
            program = subprocess.Popen(started, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        except (OSError, ValueError) as error:  # the latter for a word that no system could hand over
            reason = getattr(error, "strerror", None) or error
            raise UserError(f"The program '{started[0]}' cannot be started ({reason})") from error
        try:
            code = program.wait(timeout)
        except subprocess.TimeoutExpired:
            raise UserError(f"The program took more than the {timeout:g} s that one image may take") from None
        finally:
            if program.poll() is None:
                _end(program)
    if code < 0:
        known = {each.value: each.name for each in signal.Signals}
        raise UserError(f"The program was ended by {known.get(-code, f'signal {-code}')}")
    if code > 0:
        raise UserError(f"The program ended with exit code {code}")


def _end(program: subprocess.Popen[bytes]) -> None:
    """End a program and what it has started, which would go on without it."""
    for process in [program.pid, *_children(program.pid)]:
        with suppress(OSError):  # it has ended meanwhile
            os.kill(process, _KILL)
    program.wait()


def _children(process: int) -> list[int]:
    """What a process has started, and what that has; nothing where the system does not tell as Linux does."""
    found: list[int] = []
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, file.read_text().split())
    return found + [each for child in found for each in _children(child)]


def _result(path: Path, vis: Plane) -> Plane:
    """What the program wrote, on the scale 0..255."""
    if not path.is_file():
        raise UserError("The program wrote no image to {out}")
    image = images.read(path)
    if image.shape[:2] != vis.shape[:2]:
        one, due = pixels.size(image), pixels.size(vis)
        raise UserError(f"The program wrote an image of {one} pixels (width x height) where one of {due} was due")
    return image.astype(np.float64) / (257 if image.dtype == np.uint16 else 1)


def _last_words(said: Path) -> str:
    """What a program said last, and where the rest is."""
    lines = [line.strip() for line in said.read_text("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        said.unlink()
        return "it said nothing"
    return f"it said last {lines[-1][:_LONGEST]!r}, and everything is in '{said}'"
