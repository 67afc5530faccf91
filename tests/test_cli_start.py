"""The command starts light, loads verbs late, and says one sentence when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from fusionbench import cli, plugins
from fusionbench.registry import unknown
from fusionbench.types import UserError

HEAVY = {"torch", "numba", "pandas", "matplotlib", "scipy"}
# What the verb `fake` of the table below is made of.
FAKE = """
import typer

from fusionbench.cli import examples
from fusionbench.types import UserError

app = typer.Typer()

@app.command(epilog=examples("fusionbench fake --size 3 " + "--and so on" * 20))
def fake(size: int = typer.Option(...), mistake: str = ""):
    '''Do nothing.'''
    if mistake:
        raise {"user": UserError("The file 'a.png' is empty: save it again."), "bug": TypeError("oops"),
               "disk": PermissionError(13, "Permission denied", "out.csv"), "some": typer.Exit(1),
               "ctrl-c": KeyboardInterrupt(), "prompt": typer.Abort()}[mistake]
    print("size", size)
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a verb ``fake``, and forget its module afterwards."""
    (tmp_path / "fake_verb.py").write_text(FAKE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(cli.VERBS, "fake", cli.Verb("fake_verb:app", "Pretend."))
    monkeypatch.delenv("FUSIONBENCH_DEBUG", raising=False)
    monkeypatch.delitem(sys.modules, "fake_verb", raising=False)


def modules_after(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stderr.split()}


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence on stderr, with nothing on stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("fusionbench: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err.removeprefix("fusionbench: ").rstrip("\n")


def test_import_is_light() -> None:
    loaded = modules_after("import fusionbench")
    assert "fusionbench" in loaded
    assert not loaded & (HEAVY | {"numpy", "typer"})


@pytest.mark.parametrize("words", [["--help"], ["--version"], []])
def test_help_is_light(words: list[str]) -> None:
    loaded = modules_after(f"from fusionbench.cli import main\nassert main({words}) == 0")
    assert "typer" in loaded
    assert not loaded & (HEAVY | {"numpy", "rich"})


def test_help_names_every_verb_and_ends_in_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    for name, verb in cli.VERBS.items():
        assert f"  {name}" in text
        assert verb.help in text
    assert text.rpartition("Examples:\n")[2].strip().startswith("fusionbench ")


@pytest.mark.parametrize("name", list(cli.VERBS))
def test_every_verb_has_examples_and_short_complaints(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: fusionbench {name}")
    assert "completion" not in text
    lines = text.rpartition("Examples:\n")[2].splitlines()
    assert lines
    assert all(line.strip().startswith(("fusionbench ", "#")) for line in lines)

    assert cli.main([name, "--no-such-option"]) == 2
    assert "--no-such-option" in said(capsys)


@pytest.mark.parametrize("name", list(cli.VERBS))
def test_help_of_a_verb_is_light(name: str) -> None:
    loaded = modules_after(f"from fusionbench.cli import main\nassert main([{name!r}, '--help']) == 0")
    assert not loaded & HEAVY


def test_verb_is_imported_when_asked_for(fake: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    assert "fake" in capsys.readouterr().out
    assert "fake_verb" not in sys.modules
    assert cli.main(["fake", "--size", "3"]) == 0
    assert capsys.readouterr().out == "size 3\n"


def test_examples_are_not_wrapped(fake: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fake", "--help"]) == 0
    assert "fusionbench fake --size 3 " + "--and so on" * 20 in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("mistake", "code", "sentence"),
    [
        ("user", 2, "The file 'a.png' is empty: save it again."),
        ("disk", 2, "Permission denied: 'out.csv'."),
        ("bug", 70, "TypeError: oops. This is a bug in fusionbench; set FUSIONBENCH_DEBUG=1 to see where."),
        ("ctrl-c", 130, "stopped."),
        ("prompt", 130, "stopped."),
    ],
)
def test_mistakes_are_one_sentence(
    mistake: str, code: int, sentence: str, fake: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["fake", "--size", "3", "--mistake", mistake]) == code
    assert said(capsys) == sentence


def test_verb_chooses_its_exit_code(fake: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fake", "--size", "3", "--mistake", "some"]) == 1
    assert capsys.readouterr() == ("", "")


def test_debug_shows_where(fake: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSIONBENCH_DEBUG", "1")
    assert cli.main(["fake", "--size", "3", "--mistake", "user"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "fake_verb.py" in err
    assert err.splitlines()[-1] == "fusionbench: The file 'a.png' is empty: save it again."


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["fake"], "Missing option '--size' (see 'fusionbench fake --help')."),
        (["fake", "--size"], "Option '--size' requires an argument"),
        (["fake", "--size", "three"], "Invalid value for '--size'"),
        (["fake", "--size", "3", "more"], "more"),
        (["--plugin"], "Option '--plugin' requires an argument"),
        (["--nonsense", "fake"], "--nonsense"),
        (["fakke"], str(unknown("command", "fakke", ["fake"]))),
        (["--", "--fake"], "--fake"),
    ],
)
def test_wrong_words_are_one_sentence(
    words: list[str], sentence: str, fake: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    assert sentence in said(capsys)


def test_plugins_of_one_name_in_two_folders(fake: None, tmp_path: Path) -> None:
    """Both are run again where a method has a process of its own."""
    there = [tmp_path / name / "alike.py" for name in ("one", "two")]
    for file in there:
        file.parent.mkdir()
        file.write_text("")
    for _ in range(2):
        words = [word for file in there for word in ("--plugin", str(file))]
        assert cli.main([*words, "fake", "--size", "3"]) == 0
        assert [file for file in plugins.loaded() if file.name == "alike.py"] == there


def test_plugins_run_before_the_verb_in_order(fake: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text("print('first', __name__ != '__main__')\n")
    second.write_text("import fusionbench_plugin_first\nprint('second')\n")
    assert cli.main(["--plugin", str(first), "--plugin", str(second), "fake", "--size", "3"]) == 0
    assert capsys.readouterr().out == "first True\nsecond\nsize 3\n"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("missing.py", None, "There is no plugin file '{}': give --plugin the path of a Python file."),
        ("mine.txt", "", "The plugin '{}' is not a Python file: its name must end in .py."),
        ("wrong.py", "1 / 0", "The plugin '{}' stopped with ZeroDivisionError: division by zero. Correct it,"),
        ("broken.py", "def", "The plugin '{}' stopped with SyntaxError: "),
        ("leaves.py", "raise SystemExit(0)", "The plugin '{}' stopped with SystemExit: 0. Correct it,"),
        (
            "taken.py",
            "from fusionbench.types import UserError\nraise UserError('EN is taken: choose another name.')",
            "In the plugin '{}': EN is taken: choose another name.",
        ),
    ],
)
def test_bad_plugins_are_one_sentence(
    name: str, text: str | None, sentence: str, fake: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    assert cli.main(["--plugin", str(file), "fake", "--size", "3"]) == 2
    assert sentence.format(file) in said(capsys)


def test_closed_pipe_is_quiet() -> None:
    # The reader is gone before the first byte, and more is written than any buffer holds.
    script = (
        "import os, sys, typer\nfrom fusionbench import cli\n"
        "read, write = os.pipe()\nos.close(read)\nos.dup2(write, 1)\n"
        "cli.app.info.epilog = 'long ' * 100_000\nsys.exit(cli.main(['--help']))"
    )
    done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    assert done.stderr == ""
    assert done.returncode == 141


def test_module_runs_as_the_command_does() -> None:
    done = subprocess.run([sys.executable, "-m", "fusionbench", "--version"], capture_output=True, text=True)
    assert done.stdout.startswith("fusionbench ")
    assert done.returncode == 0


def test_user_error_is_a_value_error() -> None:
    assert issubclass(UserError, ValueError)
    assert not issubclass(UserError, typer.TyperException)
