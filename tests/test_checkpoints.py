"""Checkpoints are read bit by bit as torch would, and nothing that a file says is ever run."""

from __future__ import annotations

import copyreg
import io
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from handmade import (
    TENSOR,
    Call,
    Kept,
    Name,
    Raw,
    assemble,
    legacy,
    module,
    pickled,
    state_dict,
    storage,
    tensor,
    zipped,
)
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fusionbench.baselines.learned.checkpoints import fingerprint, load, read
from fusionbench.types import UserError

NUMBERS = np.arange(6, dtype="<f4")
SIX = NUMBERS.tobytes()


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes, name: str = "w.pth") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def refusal(path: Path) -> str:
    """The one sentence with which a file is refused."""
    with pytest.raises(UserError) as caught:
        read(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"'{path}' was not read: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence.removeprefix(f"'{path}' was not read: ").removesuffix(".")


def same(found: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]]) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
        assert found[name].tobytes() == array.tobytes(), name
        assert found[name].flags.writeable
        assert found[name].flags.c_contiguous


# What honest programs write.


@pytest.mark.parametrize(
    "root",
    [
        state_dict(a__weight=tensor("0", (2, 3))),
        {"state_dict": state_dict(a__weight=tensor("0", (2, 3))), "epoch": 3, "best": tensor("0", (6,))},
        {"model": module("net AutoEncoder", {}, {}, {"a": module("net SA", {"weight": tensor("0", (2, 3))})})},
        module(
            "net AutoEncoder", {}, {}, {"a": module("torch.nn.modules.conv Conv2d", {"weight": tensor("0", (2, 3))})}
        ),
        {"a": state_dict(weight=tensor("0", (2, 3))), "optimizer": {"state": {0: {"step": tensor("0", (6,))}}}},
        # As torch wrote for Python 2.
        Call(
            "collections OrderedDict",
            ([["a.weight", Call("torch._utils _rebuild_tensor", (storage("0", 6), 0, (2, 3), (3, 1)))]],),
        ),
        state_dict(a__weight=Call("torch.nn.parameter Parameter", (tensor("0", (2, 3)), True))),
        state_dict(
            a__weight=Call(
                "torch._utils _rebuild_parameter", (tensor("0", (2, 3)), True, Call("collections OrderedDict"))
            )
        ),
        # Saved on a GPU, with switches among the tensors.
        state_dict(a__weight=tensor("0", (2, 3), device="cuda:0"), use_eval=True),
    ],
    ids=str,
)
def test_every_wrapping_in_both_formats(root: Any, file: Callable[[bytes], Path]) -> None:
    expected = {"a.weight": NUMBERS.reshape(2, 3)}
    same(read(file(zipped(root, {"0": SIX}))), expected)
    same(read(file(legacy(root, {"0": (6, SIX)}))), expected)


def test_parts_of_a_dictionary_keep_their_names(file: Callable[[bytes], Path]) -> None:
    root = {"ext": state_dict(w=tensor("0", (6,))), "con": state_dict(w=tensor("0", (6,))), "epoch": 1}
    same(read(file(zipped(root, {"0": SIX}))), {"ext.w": NUMBERS, "con.w": NUMBERS})


def test_module_gives_what_its_state_dict_would(file: Callable[[bytes], Path]) -> None:
    passing = Call("__builtin__ set", (["b"],))
    buffers = {"a": tensor("0", (6,)), "b": tensor("0", (6,)), "c": None}
    root = module(
        "net SA", {"w": None, "v": tensor("0", (6,))}, buffers, {"m": None}, _non_persistent_buffers_set=passing
    )
    same(read(file(zipped(root, {"0": SIX}))), {"v": NUMBERS, "a": NUMBERS})


def test_classes_with_their_source_text(file: Callable[[bytes], Path]) -> None:
    container = Kept(("module", Name("net SA"), "/home/nobody/net.py", "class SA(nn.Module):\n    ..."))
    made = assemble(container) + assemble(()) + b"\x81"
    state = {"_parameters": {"w": tensor("0", (6,))}, "_buffers": {}, "_modules": {}}
    root = Raw(made + assemble(state) + b"b")
    same(read(file(legacy(root, {"0": (6, SIX)}))), {"w": NUMBERS})


def test_byte_order_of_the_machine_that_wrote(file: Callable[[bytes], Path]) -> None:
    root = state_dict(w=tensor("0", (6,)), n=tensor("1", (), 1, kind="Long"))
    data = {"0": NUMBERS.astype(">f4").tobytes(), "1": np.array(7, ">i8").tobytes()}
    expected = {"w": NUMBERS, "n": np.array(7)}
    same(read(file(zipped(root, data, order=b"big"))), expected)
    little = {"0": SIX, "1": np.array(7).tobytes()}
    same(read(file(zipped(root, little, order=b"little"))), expected)
    same(read(file(zipped(root, little, order=None))), expected)
    assert "damaged" in refusal(file(zipped(root, little, order=b"middle")))


def test_views_of_a_storage(file: Callable[[bytes], Path]) -> None:
    root = state_dict(
        rows=tensor("0", (2, 3)),
        columns=tensor("0", (3, 2), strides=(1, 3)),
        last=tensor("0", (2,), 6, offset=4),
        one=tensor("0", (), 6, offset=5),
    )
    rows = NUMBERS.reshape(2, 3)
    expected = {"rows": rows, "columns": np.ascontiguousarray(rows.T), "last": NUMBERS[4:], "one": np.array(NUMBERS[5])}
    same(read(file(zipped(root, {"0": SIX}))), expected)


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("Double", "f8"),
        ("Half", "f2"),
        ("Long", "i8"),
        ("Int", "i4"),
        ("Short", "i2"),
        ("Char", "i1"),
        ("Byte", "u1"),
        ("Bool", "?"),
    ],
)
def test_dtypes(kind: str, dtype: str, file: Callable[[bytes], Path]) -> None:
    numbers = np.array([0, 1, 1, 0], dtype)
    root = state_dict(w=tensor("0", (4,), kind=kind))
    same(read(file(zipped(root, {"0": numbers.tobytes()}))), {"w": numbers})


def test_bfloat16_becomes_float32(file: Callable[[bytes], Path]) -> None:
    numbers = np.array([1.5, -2.0, 3.0e38], np.float32)
    upper = (numbers.view(np.uint32) >> 16).astype("<u2")
    root = state_dict(w=tensor("0", (3,), kind="BFloat16"))
    found = read(file(zipped(root, {"0": upper.tobytes()})))["w"]
    assert found.dtype == np.float32
    assert found[:2].tolist() == [1.5, -2.0]
    assert (found.view(np.uint32) & 0xFFFF).tolist() == [0, 0, 0]


def test_npz_and_safetensors(tmp_path: Path) -> None:
    arrays = {"a.weight": NUMBERS.reshape(2, 3), "b": np.array(3), "c": np.asfortranarray(NUMBERS.reshape(3, 2))}
    expected = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "w.npz", **arrays)
        same(read(tmp_path / "w.npz"), expected)
    safetensors = pytest.importorskip("safetensors.numpy", reason="the package 'safetensors' is not installed")
    safetensors.save_file(expected, tmp_path / "w.safetensors")
    found = read(tmp_path / "w.safetensors")
    same({name: found[name] for name in expected}, expected)


def test_a_folder_names_its_files_where_there_are_several(tmp_path: Path) -> None:
    expected = {"a": np.arange(3.0)}
    np.savez(tmp_path / "one.npz", **expected)
    same(read(tmp_path), expected)
    np.savez(tmp_path / "two.npz", **expected)
    same(read(tmp_path), {"one.a": expected["a"], "two.a": expected["a"]})


def test_as_torch_reads_what_torch_writes(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.PReLU())
    network.register_buffer("passing", torch.ones(2), persistent=False)
    entries = dict(network.state_dict())
    entries["half"] = torch.randn(2, 3).half()
    entries["turned"] = torch.randn(4, 5).T
    entries["tied"] = entries["0.weight"]
    entries["part"] = torch.arange(20)[3:9:2]
    entries["flag"] = torch.tensor(True)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.randn(2, 1, 8, 8)).sum().backward()
    optimizer.step()
    path = tmp_path / "w.pth"
    for zip_format in (True, False):
        for what, expected in (
            (OrderedDict(entries), entries),
            ({"state_dict": entries, "optimizer": optimizer.state_dict(), "epoch": 3}, entries),
            (network, network.state_dict()),
            ({"model": torch.nn.DataParallel(network)}, torch.nn.DataParallel(network).state_dict()),
        ):
            torch.save(what, path, _use_new_zipfile_serialization=zip_format)
            same(read(path), {name: value.contiguous().numpy() for name, value in expected.items()})


# What others write. Each of these pickles runs something as soon as Python reads it.


class Calls:
    """Pickles to a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def touching(canary: Path) -> dict[str, tuple[bytes, str]]:
    """Pickles that make a file, and the word with which each has to be refused."""
    import subprocess

    command, code = f"touch {canary}", f"open({str(canary)!r}, 'w').close()"
    system, shell = os.system, f"{os.system.__module__}.system"
    text = command.encode()
    short = b"U" + bytes([len(text)]) + text
    naming = os.system.__module__.encode()
    set_later = Call("collections OrderedDict", (), None, {"__setstate__": Name(f"{os.system.__module__} system")})
    return {
        "os.system": (pickle.dumps(Calls(system, command), 2), shell),
        "protocol 0": (pickle.dumps(Calls(system, command), 0), shell),
        "protocol 4": (pickle.dumps(Calls(system, command), 4), shell),
        "protocol 5, nested": (pickle.dumps({"state_dict": OrderedDict(w=[(Calls(system, command),)])}, 5), shell),
        "eval": (pickle.dumps(Calls(eval, code), 2), "__builtin__.eval"),
        "exec": (pickle.dumps(Calls(exec, code), 4), "builtins.exec"),
        "subprocess": (pickle.dumps(Calls(subprocess.run, ["touch", str(canary)]), 4), "subprocess.run"),
        "a pickle in a pickle": (
            pickle.dumps(Calls(pickle.loads, pickle.dumps(Calls(system, command))), 4),
            "_pickle.loads",
        ),
        "method of a path": (pickle.dumps(Calls(Path.touch, canary), 4), "pathlib.Path.touch"),
        "import and getattr": (
            pickled(
                Raw(
                    assemble(Name("__builtin__ getattr"))
                    + assemble((Call("__builtin__ __import__", ("os",)), "system"))
                    + b"R"
                    + assemble((command,))
                    + b"R"
                )
            ),
            "__builtin__.getattr",
        ),
        "instruction INST": (b"(" + short + b"i" + naming + b"\nsystem\n.", shell),
        "instruction OBJ": (b"(c" + naming + b"\nsystem\n" + short + b"o.", shell),
        "state with __setstate__": (pickled(Raw(assemble(set_later) + assemble(command) + b"b")), shell),
        "key of a dictionary": (pickled({Call(f"{os.system.__module__} system", (command,)): 1}), shell),
        "pair of an ordered dictionary": (
            pickled(Call("collections OrderedDict", ([("w", Call(shell.replace(".", " "), (command,)))],))),
            shell,
        ),
    }


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


@pytest.mark.parametrize("name", list(touching(Path("x"))))
@pytest.mark.parametrize("wrapping", ["plain", "zip", "legacy", "legacy, at the end"])
def test_nothing_is_run(name: str, wrapping: str, canary: Path, file: Callable[[bytes], Path]) -> None:
    attack, word = touching(canary)[name]
    # The attack is real: Python falls for it.
    pickle.loads(attack)
    assert canary.exists()
    canary.unlink()

    wrapped = {
        "plain": attack,
        "zip": zipped(attack),
        "legacy": legacy(attack),
        "legacy, at the end": legacy(state_dict(w=tensor("0", (6,)))).removesuffix(pickled([])) + attack,
    }[wrapping]
    path = file(wrapped)
    assert f"it names '{word}', which is nothing that weights consist of" in refusal(path)
    assert not canary.exists()


def test_attack_through_a_persistent_identifier(canary: Path, file: Callable[[bytes], Path]) -> None:
    attack = Call(f"{os.system.__module__} system", (f"touch {canary}",))
    for identifier in (attack, ("module", attack, "", ""), ("storage", attack, "0", "cpu", 6)):
        for wrapped in (zipped(Kept(identifier)), legacy(Kept(identifier))):
            assert "system', which is nothing that weights" in refusal(file(wrapped))
    assert not canary.exists()


def test_registered_extensions_are_not_called(canary: Path, file: Callable[[bytes], Path]) -> None:
    name, code = (os.system.__module__, "system"), 240
    attack = b"\x80\x02\x82\xf0" + assemble((f"touch {canary}",)) + b"R."
    copyreg.add_extension(*name, code)
    try:
        # Once Python has met the code, it looks at no name any more.
        pickle.loads(attack)
        assert canary.exists()
        canary.unlink()
        for wrapped in (attack, zipped(attack), legacy(attack)):
            assert "it holds the instruction EXT1" in refusal(file(wrapped))
    finally:
        copyreg.remove_extension(*name, code)
    assert not canary.exists()


@pytest.mark.parametrize(
    "name",
    [
        "torch.hub load", "torch.hub download_url_to_file", "torch load", "torch.serialization load", "torch.jit load",
        "torch.utils.cpp_extension load_inline", "torch._dynamo.eval_frame x", "__torch__.Net Net", "mynet Net",
        "numpy.core.multiarray fromstring", "numpy load", "functools partial", "operator attrgetter",
        "collections OrderedDict.__init__.__globals__", "torch.nn.modules.conv os.system", "torch.nn.modules.conv os",
        "torch.nn.modules.module torch.os.system", "net os", "copy_reg _reconstructor", "torch.optim.optimizer re.sys",
    ],
)  # fmt: skip
def test_other_names_are_refused(name: str, file: Callable[[bytes], Path]) -> None:
    short = name.split()[1].encode()
    stacked = assemble(name.split()[0]) + b"X" + struct.pack("<I", len(short)) + short + b"\x93)R."
    for attack in (pickled(Call(name)), b"\x80\x04" + stacked):
        for wrapped in (attack, zipped(attack), legacy(attack)):
            assert f"it names '{name.replace(' ', '.')}', which" in refusal(file(wrapped))


def test_calling_what_is_no_name(file: Callable[[bytes], Path]) -> None:
    root = Raw(assemble("os.system") + assemble(("touch x",)) + b"R")
    assert refusal(file(zipped(root))) == "it would call something that has no name: get it again"


def test_stubs_have_no_behaviour(file: Callable[[bytes], Path]) -> None:
    """Allowed names, a state that would become methods, and a second state that would be given to them."""
    stub = module("net SA", {"w": tensor("0", (6,))}, __setstate__=Name("torch.nn.modules.conv Conv2d"), __class__="x")
    again = {"_parameters": {"w": tensor("0", (6,))}, "_buffers": {}, "_modules": {}, "__reduce__": 1, "_tensor": 2}
    root = Raw(assemble(stub) + assemble(again) + b"b")
    same(read(file(zipped(root, {"0": SIX}))), {"w": NUMBERS})


def test_names_that_would_upset_a_terminal(file: Callable[[bytes], Path]) -> None:
    bad = "\x1b[2J\ud800\n"
    path = file(zipped(state_dict(**{bad: tensor("0", (7,), 6)}), {"0": SIX}))
    assert "its tensor '\\x1b[2J\\ud800\\n' does not fit into its storage" in refusal(path)


# Bombs.


def test_zip_bombs(file: Callable[[bytes], Path]) -> None:
    root, zeros = state_dict(w=tensor("0", (1 << 22,))), bytes(1 << 24)
    bomb = zipped(root, {"0": zeros}, packed=True)
    assert len(bomb) < 1 << 16
    assert "unpacks to more than the file holds" in refusal(file(bomb))
    # Many members over the same bytes: the directory names them again and again.
    honest = zipped(state_dict(w=tensor("0", (1 << 16,))), {"0": bytes(1 << 18)})
    end = honest.index(b"PK\5\6")
    directory = struct.unpack("<L", honest[end + 16 : end + 20])[0]
    entries = honest[directory:end]
    bomb = (
        honest[:directory] + entries + b"".join(entries.replace(b"archive/", b"archiv%d/" % copy) for copy in range(9))
    )
    size = len(bomb) - directory
    bomb += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 40, 40, size, directory, 0)
    assert len(zipfile.ZipFile(io.BytesIO(bomb)).namelist()) == 40
    assert "unpacks to more than the file holds" in refusal(file(bomb))


def test_npz_bombs(file: Callable[[bytes], Path]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("w.npy", "w") as member:
        for _ in range(65):
            member.write(bytes(1 << 20))
    assert "unpacks to far more than the file holds" in refusal(file(packed.getvalue()))
    header = {"descr": "<f4", "fortran_order": False, "shape": (1 << 40,)}
    declared = io.BytesIO()
    np.lib.format.write_array_header_1_0(declared, header)
    lying = io.BytesIO()
    with zipfile.ZipFile(lying, "w") as archive:
        archive.writestr("w.npy", declared.getvalue() + SIX)
    assert "damaged" in refusal(file(lying.getvalue()))


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'shape': (",
        '"""',
        "{[]: 1}",
        "\n  x\n y",
        "{'descr': (), 'fortran_order': False, 'shape': (1,)}",
        f"{{'descr': '<f4', 'fortran_order': False, 'shape': (0, {1 << 70})}}",
    ],
)
def test_headers_of_npz_that_numpy_cannot_parse(header: str, file: Callable[[bytes], Path]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        text = header.encode() + b"\n"
        archive.writestr("w.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    assert refusal(file(packed.getvalue())).endswith("it ends too early or is damaged: get it again")


def test_zip_that_points_beyond_any_file(file: Callable[[bytes], Path]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a/data.pkl", b"")
    data = bytearray(packed.getvalue())
    directory, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    extra = struct.pack("<HHQ", 1, 8, 1 << 63)
    data[end + 12 : end + 16] = struct.pack("<I", end - directory + len(extra))
    data[directory + 30 : directory + 32] = struct.pack("<H", len(extra))
    data[directory + 42 : directory + 46] = b"\xff" * 4
    data[end:end] = extra
    assert "is damaged" in refusal(file(bytes(data)))


@pytest.mark.parametrize("shape", [(0, 1 << 70), (1 << 70, 0), (0, 1 << 40, 1 << 40)])
def test_arrays_of_impossible_shape(shape: tuple[int, ...], file: Callable[[bytes], Path]) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            made = np.empty(0, "<f4").__reduce__()
            return *made[:2], (1, shape, np.dtype("<f4"), False, b"")

    assert "its array 'w' is damaged" in refusal(file(pickle.dumps({"w": Hostile()}, protocol=4)))


def test_npz_holds_numbers_only(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", w=np.array([Calls(os.system, "true")], object))
    assert "its array 'w.npy' holds no numbers" in refusal(tmp_path / "w.npz")


def test_storages_larger_than_the_file(file: Callable[[bytes], Path]) -> None:
    huge = tensor("0", (1 << 38,))
    assert "far more memory" in refusal(file(zipped({"w": huge}, {"0": SIX})))
    assert "damaged" in refusal(file(legacy({"w": huge}, {"0": (1 << 38, SIX)})))
    assert "damaged" in refusal(file(legacy({"w": huge}, {"0": (6, SIX)})))


@pytest.mark.parametrize(
    "shape_and_so_on",
    [
        {"shape": (7,), "numbers": 6},
        {"shape": (6,), "numbers": 6, "offset": 1},
        {"shape": (2,), "numbers": 6, "strides": (6,)},
        {"shape": (1 << 20,), "numbers": 6, "strides": (0,)},
        {"shape": (1 << 39, 1 << 39, 1 << 39), "numbers": 6, "strides": (0, 0, 0)},
    ],
)
def test_tensors_outside_their_storage(shape_and_so_on: dict[str, Any], file: Callable[[bytes], Path]) -> None:
    root = {"w": tensor("0", **shape_and_so_on)}
    assert refusal(file(zipped(root, {"0": SIX}))) == "its tensor 'w' does not fit into its storage: get it again"
    assert refusal(file(legacy(root, {"0": (6, SIX)}))) == "its tensor 'w' does not fit into its storage: get it again"


@pytest.mark.parametrize(
    "arguments",
    [
        (6, 0, (6,), (1,)),
        (storage("0", 6), -1, (6,), (1,)),
        (storage("0", 6), 0, (-6,), (1,)),
        (storage("0", 6), 0, (6,), (-1,)),
        (storage("0", 6), 0, (6,), ()),
        (storage("0", 6), 0, (6.0,), (1,)),
        (storage("0", 6), True, (6,), (1,)),
        (storage("0", 6), 0, (1 << 70,), (1,)),
        (storage("0", 6), 0, (1,) * 17, (1,) * 17),
        (storage("0", 6),),
        (),
    ],
)
def test_damaged_tensors(arguments: tuple[Any, ...], file: Callable[[bytes], Path]) -> None:
    root = {"w": Call(TENSOR, arguments)}
    assert refusal(file(zipped(root, {"0": SIX}))) == "its tensor 'w' is damaged: get it again"


def test_overlapping_views_do_not_multiply(file: Callable[[bytes], Path]) -> None:
    root = {f"w{i}": tensor("0", (999,), 1000, offset=i % 2) for i in range(200)}
    data = np.ones(1000, "<f4").tobytes()
    assert "far more memory than the file has bytes" in refusal(file(zipped(root, {"0": data})))


def test_shared_modules_do_not_multiply(file: Callable[[bytes], Path]) -> None:
    """Thirty modules, each of which holds the one before under two names."""
    memo = assemble(module("net SA", {"w": tensor("0", (6,))})) + b"q\x00"
    for _ in range(30):
        twice = Call("collections OrderedDict", (), {"a": Raw(b"h\x00"), "b": Raw(b"h\x00")})
        memo += (
            b"0" + assemble(Call("net SA", (), None, {"_parameters": {}, "_buffers": {}, "_modules": twice})) + b"q\x00"
        )
    assert "more than 100000 entries" in refusal(file(zipped(Raw(memo), {"0": SIX})))


def test_module_that_holds_itself(file: Callable[[bytes], Path]) -> None:
    inside = {"_parameters": {}, "_buffers": {}, "_modules": {"a": Raw(b"h\x00")}}
    root = Raw(assemble(Call("net SA")) + b"q\x00" + assemble(inside) + b"b")
    assert "modules are more than 64 deep" in refusal(file(zipped(root)))


def test_tuples_of_tuples_are_no_keys(file: Callable[[bytes], Path]) -> None:
    doubled = b")" + b"q\x00h\x00\x86" * 60
    root = Raw(b"}" + doubled + b"K\x01s")
    assert "it has a tuple for a key" in refusal(file(zipped(root)))


def test_endless_pickles(file: Callable[[bytes], Path]) -> None:
    assert "more than 2000000 instructions" in refusal(file(zipped(Raw(b"N0" * 1_000_001))))


def test_long_strings_are_not_allocated_before_they_are_there(file: Callable[[bytes], Path]) -> None:
    for attack in (
        b"\x80\x04\x8d" + struct.pack("<Q", 1 << 60),
        b"\x80\x02X\xff\xff\xff\xff",
        b"\x80\x02\x8b\xff\xff\xff\x7f",
    ):
        assert "damaged" in refusal(file(zipped(attack + b"x.")))


# Mistakes.


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is none of the files"),
        (b"PK\5\6" + bytes(18), "it is none of the files"),
        (b"<!DOCTYPE html><html>404", "it is a web page"),
        (b"\n<html>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "it only points to a file that Git LFS keeps"),
        (b"I am a text, not weights.", "it is none of the files"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "it is none of the files"),
        (pickled({"w": 1}), "it is a pickle, but not of torch.save"),
        (pickled(6).replace(b"J", b"J"), "it is a pickle, but not of torch.save"),
        (pickled(0x1950A86A20F9469CFC6C) + pickled(1002), "its version of the format"),
        (zipped({}), "it holds no weights"),
        (zipped([1, 2]), "it holds no weights"),
        (zipped({"epoch": 1, "lr": 0.1, "note": "x"}), "it holds no weights"),
        (zipped(tensor("0", (6,)), {"0": SIX}), "it holds no weights"),
        (zipped({1: tensor("0", (6,))}, {"0": SIX}), "one of its tensors has no name"),
        (zipped(state_dict(w=tensor("0", (6,)))), "its zip archive lacks 'archive/data/0'"),
        (zipped(state_dict(w=tensor("../../x", (6,)))), "its zip archive lacks 'archive/data/../../x'"),
        (zipped(state_dict(w=tensor("0", (6,))), {"0": SIX[:-1]}), "one of its storages ends too early"),
        (zipped(state_dict(w=tensor("0", (6,))), {"0": SIX + SIX}), "one of its storages ends too early"),
        (zipped(state_dict(w=tensor("0", (0,))), {"0": b""}), "its tensor 'w' is empty"),
        (zipped({"w": tensor("0", (6,)), "v": tensor("0", (3,), 3)}, {"0": SIX}), "damaged"),
        (zipped(module("net SA", {"w": 3})), "its 'w' is no tensor"),
        (zipped(module("net SA", {}, {}, {"m": 3})), "its 'm' is no module"),
        (zipped(module("net SA", {"w": tensor("0", (6,))}, {"w": tensor("0", (6,))}), {"0": SIX}), "two tensors called 'w'"),
        (zipped(Raw(b"}(" + (assemble("w") + b"N") * 2 + b"u")), "it sets 'w' twice"),
        (legacy(Kept(("storage", Name("torch FloatStorage"), "0", "cpu", 6, ("1", 0, 3)))), "views of storages"),
        (legacy(state_dict(w=tensor("0", (6,)))), "damaged"),
        (legacy(state_dict(w=tensor("0", (6,))), {"1": (6, SIX)}), "damaged"),
        (zipped(Kept(6)), "damaged"),
        (zipped(Kept(("storage", Name("torch.Size"), "0", "cpu", 6))), "damaged"),
        (zipped(b"\x80\x02"), "damaged"),
        (zipped(b"\x80\x02."), "damaged"),
        (zipped(b"\x80\x02}(K\x01u."), "damaged"),
        (zipped(b"\x80\x02h\x07."), "damaged"),
        (zipped(b"\x80\x02(."), "damaged"),
        (zipped(b"\x80\x02\xff."), "damaged"),
        (zipped(b"\x80\x02NNb."), "damaged"),
        (zipped(b"\x80\x02NNe."), "damaged"),
        (zipped(b"\x80\x02P0\n."), "it holds the instruction PERSID"),
        (zipped(b"\x80\x02N2."), "it holds the instruction DUP"),
    ],
)  # fmt: skip
def test_what_is_no_checkpoint(data: bytes, said: str, file: Callable[[bytes], Path]) -> None:
    assert said in refusal(file(data))


def test_two_members_of_one_name(file: Callable[[bytes], Path]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("w.npy", b"x")
        archive.writestr("v.npy", b"x")
    assert "two members of one name" in refusal(file(packed.getvalue().replace(b"v.npy", b"w.npy")))
    two = packed.getvalue().replace(b"w.npy", b"a/data.pkl"[:5])
    assert "none of the files" in refusal(file(two))


def test_two_checkpoints_in_one(file: Callable[[bytes], Path]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a/data.pkl", pickled({}))
        archive.writestr("b/data.pkl", pickled({}))
    assert "two checkpoints" in refusal(file(packed.getvalue()))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("kind", "dtype"), [("Float", "<f4"), ("Double", "<f8"), ("Half", "<f2")])
def test_numbers_must_be_finite(value: float, kind: str, dtype: str, file: Callable[[bytes], Path]) -> None:
    numbers = np.array([0, 1, value], dtype)
    root = state_dict(good=tensor("0", (2,), 3, kind=kind), conv__weight=tensor("0", (3,), kind=kind))
    assert "its tensor 'conv.weight' holds NaN or infinite numbers" in refusal(
        file(zipped(root, {"0": numbers.tobytes()}))
    )


def test_safetensors_that_lie(tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="the package 'safetensors' is not installed")

    def write(header: str, data: bytes = SIX) -> Path:
        (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", len(header)) + header.encode() + data)
        return tmp_path / "w.safetensors"

    entry = {"dtype": "F32", "shape": [6], "data_offsets": [0, 24]}
    same(read(write(json.dumps({"w": entry}))), {"w": NUMBERS})
    one = json.dumps(entry)
    assert "damaged" in refusal(write(f'{{"w": {one}, "w": {one}}}'))
    assert "damaged" in refusal(write(json.dumps({"w": entry | {"shape": [1 << 40], "data_offsets": [0, 1 << 42]}})))
    assert "damaged" in refusal(write(json.dumps({"w": entry, "v": entry})))
    assert "damaged" in refusal(write(json.dumps({"w": [1]})))
    assert "damaged" in refusal(write(json.dumps({"w": entry}), SIX[:-1]))
    assert "damaged" in refusal(write("{" * 100_000))
    assert "its tensor 'w' is of F8_E4M3" in refusal(write(json.dumps({"w": entry | {"dtype": "F8_E4M3"}})))


def honest() -> dict[str, bytes]:
    root = {"model": module("net SA", {"w": tensor("0", (2, 3))}, {"n": tensor("1", (), 1, kind="Long")})}
    seven = np.array(7).tobytes()
    packed = io.BytesIO()
    np.savez_compressed(packed, w=NUMBERS)
    return {
        "zip": zipped(root, {"0": SIX, "1": seven}),
        "legacy": legacy(root, {"0": (6, SIX), "1": (1, seven)}),
        "npz": packed.getvalue(),
    }


@pytest.mark.parametrize("kind", list(honest()))
def test_truncated_files(kind: str, file: Callable[[bytes], Path]) -> None:
    whole = honest()[kind]
    assert read(file(whole))
    for length in range(0, len(whole), 7):
        assert refusal(file(whole[:length]))


@given(data=st.data())
@pytest.mark.parametrize("kind", list(honest()))
def test_damaged_files_never_end_otherwise(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Bytes changed, cut out and repeated: weights of some sort, or one sentence."""
    damaged = bytearray(honest()[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        width = data.draw(st.integers(0, 3))
        damaged[place : place + width] = data.draw(st.binary(max_size=3))
    path = tmp_path_factory.getbasetemp() / "damaged.pth"
    path.write_bytes(damaged)
    with suppress(UserError):
        assert all(isinstance(array, np.ndarray) for array in read(path).values())


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no file '.*': give the path of a file of weights"):
        read(tmp_path / "none.pth")
    with pytest.raises(
        UserError, match=r"'.*' is a folder without a file in it: give a file of weights, or the folder"
    ):
        read(tmp_path)


# The right weights.


def test_weights_of_something_else(file: Callable[[bytes], Path]) -> None:
    path = file(zipped(state_dict(a=tensor("0", (2, 3)), b=tensor("0", (6,)), c=tensor("0", (6,))), {"0": SIX}))
    with pytest.raises(UserError) as caught:
        load(path, {"a": (3, 2), "b": (), "d": (1,)})
    assert str(caught.value) == (
        f"'{path}' holds weights of something else: 'd' is missing, 'c' is unexpected, 'a' is 2 x 3 instead of 3 x 2 "
        "(and 1 more shapes differ); give a file of this network's weights."
    )
    found = load(path, {"c": [6], "a": [2, 3]}, lambda weights: {k: v for k, v in weights.items() if k != "b"})
    assert list(found) == ["c", "a"]


def test_fingerprint_is_of_names_types_shapes_and_numbers() -> None:
    base = {"a": NUMBERS, "b": np.array(3)}
    same_weights = [{"b": np.array(3), "a": NUMBERS.astype(">f4")}, {"a": NUMBERS.repeat(2)[::2], "b": np.array(3)}]
    assert {fingerprint(other) for other in same_weights} == {fingerprint(base)}
    others = [{"a": NUMBERS}, base | {"b": np.array([3])}, base | {"b": np.array(3.0)}, base | {"a": NUMBERS + 1}]
    assert len({fingerprint(other) for other in [base, *others]}) == 5


# What the authors published.


def test_published_files_as_torch_reads_them(shared: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    folder = shared / "weights" / "others"
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in {".pth", ".pt", ".pkl", ".model"}]
    assert len(paths) > 15
    for path in paths:
        entries = torch.load(path, weights_only=True, map_location="cpu")
        if isinstance(entries.get("weight"), dict):
            entries = entries["weight"]
        if all(isinstance(part, dict) for part in entries.values()):
            entries = {f"{name}.{key}": value for name, part in entries.items() for key, value in part.items()}
        same(read(path), {name: value.numpy() for name, value in entries.items()})


def test_published_modules_as_torch_reads_them(shared: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    nn = torch.nn
    names = ("net.AutoEncoder", "net.SA", "net.Fusion_strage", "net.intr")
    stubs: list[Any] = [(type("Stub", (nn.Module,), {}), name) for name in names]
    known = [nn.Sequential, nn.Conv2d, nn.LeakyReLU, nn.Sigmoid, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, set]
    paths = sorted((shared / "weights" / "cs2fusion").glob("*.pth"))
    assert len(paths) == 3
    for path in paths:
        with torch.serialization.safe_globals(stubs + known):
            network = torch.load(path, weights_only=True, map_location="cpu")
        same(read(path), {name: value.numpy() for name, value in network.state_dict().items()})


def test_one_network_in_both_formats(shared: Path) -> None:
    folder = shared / "weights" / "clfnet_synthetic"
    old, new = read(folder / "clf_synthetic_legacy.pth"), read(folder / "clf_synthetic_zip.pth")
    assert len(old) == 165
    same(old, new)
    keys = json.loads((shared / "reference" / "networks" / "clf_keys.json").read_text())
    found = {
        name.removeprefix("Generator."): list(array.shape) for name, array in old.items() if name.startswith("Gen")
    }
    assert found == keys


def test_npz_of_other_networks(shared: Path) -> None:
    paths = sorted((shared / "weights" / "others").glob("*.npz"))
    assert paths
    for path in paths:
        with np.load(path) as arrays:
            same(read(path), {name: np.ascontiguousarray(arrays[name]) for name in arrays})
