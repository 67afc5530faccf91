"""Programs of others as methods: started without a shell, ended in time, and named when they fail."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layouts import Layout, folders, picture

import fusionbench as fb
from fusionbench import cli, images
from fusionbench.baselines.command import label
from fusionbench.recipe import recipe
from fusionbench.types import UserError

IR, VIS, COLOUR = picture(1), picture(2), picture(3, colour=True)
FILES = "{ir} {vis} {out}"
READ = """\
import sys
from fusionbench import images
import numpy as np
from pathlib import Path
ir, vis, out = map(Path, sys.argv[-3:])
a, b = images.read(ir), images.read(vis)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes a program, which has the sources as `a` and `b`; gives the name of the method that it is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(fb.__file__).parents[1]))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "temporary").mkdir()

    def write(code: str, more: str = "", name: str = "their.py", head: str = READ) -> str:
        Path(name).write_text(head + code)
        return f"command:{sys.executable} {name} {more} {FILES}"

    return write


def left() -> list[Path]:
    """What is left in the folder for temporary files."""
    return sorted(Path("temporary").iterdir())


MAXIMUM = "images.write(out, np.maximum(a, b))"


def test_what_a_program_writes_is_the_result(program) -> None:
    name = program(f"print('said'); {MAXIMUM}")
    np.testing.assert_array_equal(fb.fuse(name, IR, VIS), np.maximum(IR, VIS))
    # Rounded to whole levels on the way there.
    real = fb.fuse(name, IR / 255, (VIS / 255).astype(np.float32))
    np.testing.assert_allclose(real, np.maximum(IR, VIS) / 255, atol=1e-6)
    assert left() == []


def test_colour(program) -> None:
    name = program("assert a.ndim == 2; images.write(out, b[::-1].copy())")
    # In luma mode it sees and makes a grey image, and the chroma is kept.
    assert fb.fuse(name, IR, COLOUR).shape == COLOUR.shape
    np.testing.assert_array_equal(fb.fuse(name, IR, COLOUR, color="per-channel"), COLOUR[::-1])
    grey = program("images.write(out, a)")
    assert fb.fuse(grey, IR, COLOUR, color="per-channel").shape == COLOUR.shape
    # A result in colour where grey is due counts by its luma; one of 16 bits by its levels.
    rich = program("images.write(out, np.stack([b, b, b], 2))")
    np.testing.assert_array_equal(fb.fuse(rich, IR, VIS), VIS)
    deep = program("images.write(out, b.astype(np.uint16) * 257)")
    np.testing.assert_array_equal(fb.fuse(deep, IR, VIS), VIS)


def test_no_shell_sees_the_words(program) -> None:
    code = "assert sys.argv[1:4] == ['a b', '$HOME;ls', '--x={y}'], sys.argv; " + MAXIMUM
    fb.fuse(program(code, "'a b' '$HOME;ls' --x={y}"), IR, VIS)
    inside = program(MAXIMUM.replace("out,", "Path(str(out).removeprefix('--out=')),"))
    fb.fuse(inside.replace("{out}", "--out={out}"), IR, VIS)


def test_words_that_can_be_no_file(program) -> None:
    copies = "import shutil, sys;" + "x=1;" * 100 + "shutil.copy(*sys.argv[2:])"
    name = f'command:{sys.executable} -c "{copies}" {FILES}'
    assert not [word for word in recipe(name).record()["parameters"] if word.startswith("file import")]
    np.testing.assert_array_equal(fb.fuse(name, IR, VIS), VIS)
    with pytest.raises(UserError, match=r"cannot be started \(embedded null byte\)"):
        fb.fuse(program(MAXIMUM, "\0"), IR, VIS)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("sys.exit(3)", r"^The program ended with exit code 3; it said nothing\.$"),
        (
            "1 / 0",
            r"^The program ended with exit code 1; it said last 'ZeroDivisionError: .* zero', and everything is in '(.*)'",
        ),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            r"^The program was ended by SIGSEGV; it said nothing",
        ),
        ("import os; os.kill(os.getpid(), 40)", r"^The program was ended by signal 40; it said nothing"),
        (
            "print('all is well')",
            r"^The program wrote no image to {out}; it said last 'all is well', and everything is in '(.*)'",
        ),
        (
            "images.write(out, a[1:])",
            r"^The program wrote an image of 64 x 47 pixels \(width x height\) where one of 64 x 48 was",
        ),
        ("out.write_text('image')", r"out\.png' is not an image"),
    ],
)
def test_failures_are_one_sentence_and_leave_what_was_said(code: str, sentence: str, program) -> None:
    with pytest.raises(UserError, match=sentence) as error:
        fb.fuse(program(code), IR, VIS)
    found = re.search(r"everything is in '(.*)'", str(error.value))
    assert left() == ([Path(found[1]).relative_to(Path.cwd())] if found else [])
    assert str(error.value).count("\n") == 0


def test_what_a_program_started_ends_with_it(program) -> None:
    code = (
        "import subprocess, sys, time; from pathlib import Path\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "Path('child').write_text(str(child.pid)); print('slow', flush=True); time.sleep(60)"
    )
    with pytest.raises(
        UserError, match=r"^The program took more than the 2 s that one image may take; it said last 'slow'"
    ):
        fb.fuse(program(code, head=""), IR, VIS, timeout=2.0)
    child = int(Path("child").read_text())
    if Path("/proc/self/task").is_dir():
        for _ in range(100):  # whoever adopts it may not have noticed yet
            stat = Path(f"/proc/{child}/stat")
            if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return
            time.sleep(0.05)
        os.kill(child, 9)
        pytest.fail("the program's child went on without it")


def test_folder_and_log(program) -> None:
    Path("elsewhere").mkdir()
    code = "print(Path.cwd().name); " + MAXIMUM
    name = program(code, name="elsewhere/their.py").replace("elsewhere/", "")
    fb.fuse(name, IR, VIS, cwd="elsewhere", log="logs/of")
    fb.fuse(name, IR, VIS, cwd="elsewhere", log="logs/of")
    assert [path.read_text() for path in Path("logs/of").iterdir()] == ["elsewhere\n"] * 2
    assert left() == []


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        (
            "command:python x.py {ir} {out}",
            {},
            "The command 'python x.py {ir} {out}' has no place for {vis}: write {ir}, ",
        ),
        (
            "command:python 'x.py {ir} {vis} {out}",
            {},
            "The command 'python 'x.py {ir} {vis} {out}' cannot be read (No closing quotation): ",
        ),
        (f"command:python {FILES}", {"cwd": "nowhere"}, "There is no folder 'nowhere' for the program to work in: "),
        (f"command:python {FILES}", {"timeout": 0.0}, "A timeout of 0.0 s leaves no time for anything: "),
        (f"command:python {FILES}", {"timeout": float("nan")}, "A timeout of nan s leaves no time for anything: "),
        (
            f"command:no-such-program {FILES}",
            {},
            "The program 'no-such-program' cannot be started (No such file or dir",
        ),
        (f"command:./file {FILES}", {}, "The program './file' cannot be started (Permission denied)"),
        (f"command:python {FILES}", {"log": "file"}, "No log can be written to 'file' ("),
        ("command", {}, "'command' cannot work without its parameter 'command': give a value for it."),
    ],
)
def test_commands_that_cannot_be_run(name: str, words: dict[str, Any], sentence: str, program) -> None:
    Path("file").write_text("")
    with pytest.raises(UserError) as error:
        fb.fuse(name, IR, VIS, **words)
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize(
    ("command", "called"),
    [
        (f"python -u tools/their.py --weights a.pth {FILES}", "their"),
        (f"./fuse.sh {FILES}", "fuse"),
        (f"/opt/bin/fuse-it -x 0.5 {FILES}", "fuse-it"),
        ("matlab -batch fuse('{ir}','{vis}','{out}.png')", "matlab"),
    ],
)
def test_results_are_called_as_the_script(command: str, called: str) -> None:
    assert label(command) == called


def test_recipe_knows_the_files_that_the_command_names(program) -> None:
    Path("big.pth").write_bytes(b"one")
    name = program(MAXIMUM, "--weights=big.pth --gain 3")
    before = recipe(name).record()
    # Where and for how long it runs does not change what it makes.
    assert recipe(name, parameters={"timeout": 5.0, "log": "logs", "cwd": "."}).record() == before
    assert {"command", "file their.py", "file big.pth"} <= set(before["parameters"])
    assert not {"timeout", "log", "cwd"} & set(before["parameters"])
    Path("big.pth").write_bytes(b"two")
    assert recipe(name).record() != before


# Through the commands


def test_from_the_command_line(program, capsys: pytest.CaptureFixture[str]) -> None:
    layout = Layout(*(path.relative_to(Path.cwd()) for path in folders(Path.cwd(), methods=())))
    name = program("assert a.mean() != 0, 'dark'\n" + MAXIMUM)
    images.write(layout.ir / "10.png", np.zeros((48, 64), np.uint8))
    words = ["--ir", str(layout.ir), "--vis", str(layout.vis), "-o", "out", "--quiet"]
    assert cli.main(["fuse", name, f"mine={name}", "--set", "mine.timeout=50", *words]) == 1
    out, err = capsys.readouterr()
    assert [line.split()[:4] for line in out.splitlines()[2:]] == [["their", "2", "0", "1"], ["mine", "2", "0", "1"]]
    assert err.count("said last 'AssertionError: dark', and everything is in '") == 2
    maximum = np.maximum(*(images.read(side / "2.png") for side in (layout.ir, layout.vis)))
    np.testing.assert_array_equal(images.read(Path("out/their/2.png")), maximum)


def test_from_a_benchmark(program, capsys: pytest.CaptureFixture[str]) -> None:
    """Its folder is that of the file, and its own timeout ends it with all that it has started."""
    folders(Path.cwd() / "data", methods=())
    Path("bench").mkdir()
    quick = program(MAXIMUM, name="bench/quick.py").replace("bench/", "")
    slow = program("import time; time.sleep(60)", name="bench/slow.py", head="").replace("bench/", "")
    Path("bench/bench.toml").write_text(
        '[benchmark]\nname = "b"\nmetrics = "EN"\n[[dataset]]\nname = "three"\nir = "../data/ir"\nvis = "../data/vis"\n'
        f'[[method]]\nname = "theirs"\nmethod = "{quick}"\nparameters = {{ log = "said" }}\n'
        f'[[method]]\nname = "slow"\nmethod = "{slow}"\ntimeout = 1\n'
    )
    assert cli.main(["run", "bench/bench.toml", "--quiet", "--no-report", "--workers", "3"]) == 1
    assert "took more than the 1 s that one image may take" in " ".join(capsys.readouterr().err.split())
    assert len(list(Path("b/fused/three/theirs").glob("*.png"))) == 3
    assert not list(Path("b/fused/three").glob("slow/*.png"))
    assert len(list(Path("bench/said").iterdir())) == 3
