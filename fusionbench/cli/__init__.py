"""The command ``fusionbench``: its verbs, and what it says when something is wrong.

A verb is a module of this package with a :class:`typer.Typer` called ``app``; it is imported only when it is asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

import fusionbench


class Verb(NamedTuple):
    """One command: the ``"module:attribute"`` of its :class:`typer.Typer`, and its line in ``fusionbench --help``."""

    app: str
    help: str


VERBS = {
    "fuse": Verb("fusionbench.cli.fuse:app", "Fuse pairs of images by one method or several."),
    "score": Verb("fusionbench.cli.score:app", "Score fused images against their sources."),
    "run": Verb("fusionbench.cli.run:app", "Run a benchmark: datasets, methods and metrics from one file."),
    "check": Verb("fusionbench.cli.check:app", "Find images that are not what they are taken for."),
    "leaderboard": Verb("fusionbench.cli.leaderboard:app", "Rank methods by scores from anywhere, with statistics."),
    "identify": Verb("fusionbench.cli.identify:app", "Find which convention made published numbers."),
    "dataset": Verb("fusionbench.cli.dataset:app", "List, explain, fetch or verify datasets, or make scenes."),
    "metric": Verb("fusionbench.cli.metric:app", "List the metrics, or explain one."),
    "method": Verb("fusionbench.cli.method:app", "List, explain or check the methods, or begin one."),
    "train": Verb("fusionbench.cli.train:app", "Train a network on pairs of your own."),
    "weights": Verb("fusionbench.cli.weights:app", "List, fetch, verify or convert the weights of learned methods."),
    "cost": Verb("fusionbench.cli.cost:app", "Measure parameters, operations, time and memory of methods."),
    "figure": Verb("fusionbench.cli.figure:app", "Draw figures for a paper, as PDF, PNG or SVG."),
    "report": Verb("fusionbench.cli.report:app", "Make one page of scores, statistics and images."),
    "demo": Verb("fusionbench.cli.demo:app", "Show everything on images made on the spot."),
}


def examples(*commands: str) -> str:
    """The end of a ``--help`` (a typer ``epilog``): commands to paste, one a line, never wrapped."""
    return "\n".join(["\b", "Examples:", *(f"  {command}" for command in commands)])


class _Verbs(TyperGroup):
    """The group of all verbs; typer's own types are private to it, hence `Any`."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name].app.partition(":")
        app: typer.Typer = getattr(import_module(module), attribute)
        # One look for all, whoever wrote the verb: no boxes (they cannot be pasted, and drawing them takes longer than
        # all the rest), and no options that install completion for the verb alone.
        app.rich_markup_mode = None
        app._add_completion = False
        return get_command(app)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if name not in VERBS and not name.startswith("-"):
            from fusionbench.registry import unknown

            raise unknown("command", name, VERBS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])


app = typer.Typer(
    cls=_Verbs,
    add_completion=False,
    rich_markup_mode=None,
    epilog=examples(
        "fusionbench demo",
        "fusionbench fuse gff lp --ir tno/ir --vis tno/vi -o results",
        "fusionbench score results/mymethod --ir tno/ir --vis tno/vi -o scores.csv",
        "fusionbench score results/ --ir tno/ir --vis tno/vi --metrics all --convention tang-uint8",
        "fusionbench leaderboard scores.csv --format latex -o table.tex",
        "fusionbench metric info SSIM",
        "fusionbench --plugin my_metric.py score results/ --ir tno/ir --vis tno/vi --metrics EN,MINE",
    ),
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"fusionbench {fusionbench.__version__}")
        raise typer.Exit


@app.callback()
def _before_verb(
    plugin: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Run a Python file first: it may register metrics and methods. May be repeated."
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Fuse images, score them, and say exactly which definition each number follows."""
    for file in plugin or []:
        from fusionbench import plugins

        plugins.run(file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``fusionbench``; by default those the process was started with.

    Returns
    -------
    int
        Exit code: 0 done, 1 some pairs failed, 2 a mistake of the user's, 70 a bug of ours, 130 interrupted, 141 nobody
        reads the output any more. Whatever is wrong is one sentence on stderr; with ``FUSIONBENCH_DEBUG=1`` the
        traceback comes before it.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        command = get_command(app)
        with command.make_context("fusionbench", words or ["--help"]) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _complain("stopped.", 130)
    except BrokenPipeError:
        # Python flushes stdout once more on its way out, and would complain about the closed pipe then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if os.environ.get("FUSIONBENCH_DEBUG", "0") != "0":
            import traceback

            traceback.print_exc()
        return _complain(*_explain(error))
    return 0


def _explain(error: Exception) -> tuple[str, int]:
    from fusionbench.types import UserError

    if isinstance(error, UserError):
        return str(error), 2
    if isinstance(error, typer.TyperException):
        message = error.format_message().rstrip(".")
        context = getattr(error, "ctx", None)
        return f"{message} (see '{context.command_path if context else 'fusionbench'} --help').", 2
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: '{error.filename}'." if error.filename else f"{error.strerror}.", 2
    return (
        f"{type(error).__name__}: {str(error).rstrip('.')}. This is a bug in fusionbench; "
        "set FUSIONBENCH_DEBUG=1 to see where.",
        70,
    )


def _complain(sentence: str, code: int) -> int:
    print(f"fusionbench: {' '.join(sentence.split())}", file=sys.stderr)
    return code
