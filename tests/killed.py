"""Runs a benchmark again and again, and kills it each time: at a random moment, around a rename, or within a line of a log.

``python killed.py BENCH.TOML FOLDER KILLS SEED`` prints how each attempt ended. Everything is loaded before the first, and
every attempt is a fork of that, so that one takes no longer than its work.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

from fusionbench import cells, cli
from fusionbench.metrics.conventions import convention
from fusionbench.metrics.definitions import define
from fusionbench.stacks import warm_up


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(delay: float) -> None:
    """Anywhere."""

    def wait() -> None:
        time.sleep(delay)
        die()

    threading.Thread(target=wait, daemon=True).start()


def around_rename(number: int, *, before: bool) -> None:
    """With the file complete, but not yet under its name; or just so."""
    rename, left = Path.replace, [number]

    def replace(self: Path, target: Path) -> Path:
        left[0] -= 1
        if not left[0] and before:
            die()
        result = rename(self, target)
        if not left[0]:
            die()
        return result

    Path.replace = replace  # type: ignore[method-assign, assignment]


def within_line(number: int) -> None:
    """With half a line written."""
    write, left = cells._write_all, [number]

    def half(file: object, data: bytes) -> None:
        left[0] -= 1
        if not left[0]:
            write(file, data[: len(data) // 2])  # type: ignore[arg-type]
            die()
        write(file, data)  # type: ignore[arg-type]

    cells._write_all = half  # type: ignore[assignment]


def main(benchmark: str, folder: str, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    for name in ("standard", "tang-uint8"):
        whose = convention(name)
        warm_up(define("EN,SD,MI", whose)[0], whose.luma)
    ways = [
        lambda: after(chance.uniform(0, 0.15)),
        lambda: around_rename(chance.randint(1, 6), before=True),
        lambda: around_rename(chance.randint(1, 6), before=False),
        lambda: within_line(chance.randint(1, 4)),
    ]
    for attempt in range(kills):
        way = ways[attempt % len(ways)]
        chance.random()
        child = os.fork()
        if not child:
            chance.seed(seed + attempt)
            way()
            os._exit(cli.main(["run", benchmark, "-o", folder, "--workers", "2", "--no-report", "--quiet"]))
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else f"ended {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
