"""Checkpoints of TensorFlow 1, written here byte by byte, are read bit by bit, and what is odd is refused."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fusionbench.baselines.learned import weights
from fusionbench.baselines.learned.checkpoints import files_in, fingerprint, read
from fusionbench.types import UserError

KINDS = {"f4": 1, "f8": 2, "i4": 3, "u1": 4, "i2": 5, "i1": 6, "i8": 9, "b1": 10, "f2": 19}
HEADER = b"\x08\x01\x1a\x02\x08\x01"
"""One file of data; version 1."""

Rows = list[tuple[bytes, bytes]]


def castagnoli(data: bytes) -> int:
    """The check bit by bit, and masked as LevelDB masks it."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ 0x82F63B78 * (state & 1)
    state ^= 0xFFFFFFFF
    return ((state >> 15 | state << 17) + 0xA282EAD8) % (1 << 32)


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(rows: Iterable[tuple[bytes, bytes]], every: int = 16, kind: int = 0) -> bytes:
    """A block with its trailer, in which keys are cut short by what they have in common with the one before."""
    out, restarts, before = b"", [], b""
    for count, (key, value) in enumerate(rows):
        if count % every == 0:
            restarts.append(len(out))
            before = b""
        shared = next(
            (i for i, (a, b) in enumerate(zip(before, key, strict=False)) if a != b), min(len(before), len(key))
        )
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    restarts = restarts or [0]
    out += struct.pack(f"<{len(restarts)}I", *restarts) + struct.pack("<I", len(restarts)) + bytes([kind])
    return out + struct.pack("<I", castagnoli(out))


def table(rows: Rows, together: int = 5, kind: int = 0) -> bytes:
    """A whole table, of several blocks."""
    out, index = b"", []
    for start in range(0, len(rows), together):
        part = rows[start : start + together]
        made = block(part, every=3, kind=kind)
        index.append((part[-1][0], varint(len(out)) + varint(len(made) - 5)))
        out += made
    handles = b""
    for made in (block([]), block(index, every=1)):
        handles += varint(len(out)) + varint(len(made) - 5)
        out += made
    return out + handles.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def entry(array: NDArray[Any], offset: int, shard: int = 0, *, check: bool = True, more: bytes = b"") -> bytes:
    shape = b"".join(field(2, field(1, size)) for size in array.shape)
    out = field(1, KINDS[array.dtype.str[1:]]) + field(2, shape)
    out += (field(3, shard) if shard else b"") + (field(4, offset) if offset else b"") + field(5, array.nbytes)
    return out + (b"\x35" + struct.pack("<I", castagnoli(array.tobytes())) if check else b"") + more


def rows_of(arrays: Mapping[str, NDArray[Any]], *, check: bool = True) -> tuple[Rows, bytes]:
    rows, data = [(b"", HEADER)], b""
    for name in sorted(arrays, key=str.encode):
        rows.append((name.encode(), entry(arrays[name], len(data), check=check)))
        data += arrays[name].tobytes()
    return rows, data


NUMBERS = np.arange(6, dtype="f4").reshape(2, 3)
ARRAYS = {
    **{f"net/layer{k}/w": (NUMBERS + k) for k in range(12)},
    **{f"net/{kind}": np.array([[1, 0, 1]]).astype(kind) for kind in KINDS},
    "net/one": np.array(7.5, "f4"),
}
SLOTS = {
    "net/layer1/w/Adam": NUMBERS,
    "net/layer1/w/Adam_1": NUMBERS,
    "beta1_power": np.array(0.9, "f4"),
    "train/beta2_power_1": np.array(0.9, "f4"),
    "global_step": np.array(5, "i8"),
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def both(rows: Rows, *data: bytes, name: str = "model.ckpt-3") -> Path:
        for k, piece in enumerate(data):
            (tmp_path / f"{name}.data-{k:05d}-of-{len(data):05d}").write_bytes(piece)
        index = tmp_path / f"{name}.index"
        index.write_bytes(table(rows))
        return index

    return both


def refusal(path: Path) -> str:
    """The one sentence with which a checkpoint is refused."""
    with pytest.raises(UserError) as caught:
        read(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"'{path}' was not read: ")
    assert sentence.count("\n") == 0
    return sentence.removeprefix(f"'{path}' was not read: ")


def same(found: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]]) -> None:
    assert set(found) == {name.replace("/", "__") for name in expected}
    for name, array in expected.items():
        other = found[name.replace("/", "__")]
        assert (other.dtype, other.shape) == (array.dtype, array.shape)
        assert other.tobytes() == array.tobytes()
        assert other.flags.writeable


# What TensorFlow writes.


@pytest.mark.parametrize("check", [True, False])
def test_every_kind_of_number_without_what_optimizers_keep(check: bool, write: Callable[..., Path]) -> None:
    index = write(*rows_of(ARRAYS | SLOTS, check=check))
    same(read(index), ARRAYS)


def test_every_name_of_a_checkpoint(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    index = write(*rows_of(ARRAYS))
    data = index.with_name("model.ckpt-3.data-00000-of-00001")
    # What else TensorFlow leaves there.
    index.with_name("checkpoint").write_text('model_checkpoint_path: "model.ckpt-3"\n')
    index.with_name("model.ckpt-3.meta").write_bytes(b"\n\x05graph")
    for path in (index, data, index.with_suffix(""), index.parent):
        same(read(path), ARRAYS)
        assert files_in(path) == [index, data]
    monkeypatch.chdir(index.parent)
    same(read("model.ckpt-3"), ARRAYS)
    assert weights.locate("sdnet", "model.ckpt-3") == Path("model.ckpt-3.index")


def test_several_files_of_data(write: Callable[..., Path]) -> None:
    rows = [(b"", field(1, 2)), (b"a", entry(NUMBERS, 4)), (b"b", entry(NUMBERS + 1, 0, 1))]
    index = write(rows, b"----" + NUMBERS.tobytes(), (NUMBERS + 1).tobytes())
    same(read(index), {"a": NUMBERS, "b": NUMBERS + 1})
    index.with_name("model.ckpt-3.data-00001-of-00002").unlink()
    assert "2 files of data, of which 1 are here" in refusal(index)


def test_converted_to_safetensors(write: Callable[..., Path], tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="the package 'safetensors' is not installed")
    index = write(*rows_of(ARRAYS))
    weights.convert(index.with_suffix(""), tmp_path / "w.safetensors")
    same(read(tmp_path / "w.safetensors"), ARRAYS)


def test_official_weights_are_recognised(write: Callable[..., Path], shared: Path) -> None:
    """Those of two networks, put back into the format of their authors."""
    for name, file in (("sdnet@official", "tf_sdnet_irvis.npz"), ("pmgi@official", "tf_pmgi_irvis.npz")):
        with np.load(shared / "weights" / "others" / file) as arrays:
            index = write(*rows_of({key.replace("__", "/"): arrays[key] for key in arrays}), name=name)
        known = weights.recognise(read(index))
        assert known is not None
        assert known.name == name


# What it does not.


def test_parts_that_lack(write: Callable[..., Path]) -> None:
    index = write(*rows_of(ARRAYS))
    data = index.with_name("model.ckpt-3.data-00000-of-00001")
    whole = index.read_bytes()
    index.unlink()
    with pytest.raises(UserError, match=r"is the data of a checkpoint .* put its 'model.ckpt-3.index' beside it"):
        read(data)
    index.write_bytes(whole)
    data.unlink()
    for path in (index, index.with_suffix(""), index.parent):
        with pytest.raises(UserError, match=r"put its 'model.ckpt-3.data-00000-of-00001' beside it"):
            read(path)
    with pytest.raises(UserError, match="There is no file"):
        read(index.with_name("other.index"))
    renamed = index.rename(index.with_name("model.bin"))
    assert "half of a checkpoint of TensorFlow: give its .index" in refusal(renamed)


def test_folder_of_several(write: Callable[..., Path]) -> None:
    for name in ("a", "b"):
        index = write(*rows_of(ARRAYS), name=name)
    with pytest.raises(UserError, match=r"holds 2 checkpoints of TensorFlow: give the \.index file of one"):
        read(index.parent)


TEXT = field(1, 7) + field(2, b"") + field(5, 4)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "damaged"),
        ([(b"a", entry(NUMBERS, 0))], "damaged"),
        ([(b"", HEADER)], "it holds no weights"),
        ([(b"", HEADER + field(2, 1))], "big-endian machine"),
        ([(b"", field(1, 3))], "3 files of data, of which 1 are here"),
        ([(b"", HEADER), (b"a", TEXT)], "its tensor 'a' holds no numbers of a kind that weights are"),
        ([(b"", HEADER), (b"a", entry(NUMBERS, 0, more=field(7, b"")))], "its tensor 'a' is cut into slices"),
        ([(b"", HEADER), (b"a", entry(NUMBERS[:0], 0))], "its tensor 'a' is empty"),
        ([(b"", HEADER), (b"a", entry(NUMBERS, 1))], "its tensor 'a' is not what the index says"),
        ([(b"", HEADER), (b"a", entry(NUMBERS, 0, check=False, more=field(4, 1)))], "its tensor 'a' is not what"),
        ([(b"", HEADER), (b"a", entry(NUMBERS, 0, 1))], "damaged"),
        ([(b"", HEADER), (b"a", entry(NUMBERS, 0, more=field(2, field(2, field(1, 2)))))], "damaged"),
        ([(b"", HEADER), (b"a", entry(NUMBERS, 0, more=field(2, field(3, 1))))], "damaged"),
        ([(b"", HEADER), (b"a", entry(NUMBERS, 0, more=field(2, 1)))], "damaged"),
        ([(b"", HEADER), (b"a", entry(NUMBERS, 0, more=field(5, 25)))], "damaged"),
        ([(b"", HEADER), (b"a", entry(NUMBERS, 0, more=b"\x0b"))], "damaged"),
        ([(b"", HEADER), (b"a", entry(NUMBERS, 0, more=b"\x80"))], "damaged"),
        ([(b"", HEADER), (b"a", entry(NUMBERS, 0, more=b"\x09x"))], "damaged"),
        ([(b"", HEADER), (b"a", entry(NUMBERS, 0)), (b"b", entry(NUMBERS, 0))], "damaged"),
        ([(b"", HEADER), (b"a", entry(NUMBERS, 0)), (b"a", entry(NUMBERS, 0))], "damaged"),
        ([(b"", HEADER), (b"b", entry(NUMBERS, 0)), (b"a", entry(NUMBERS, 0))], "damaged"),
        ([(b"", HEADER), (b"\xff", entry(NUMBERS, 0))], "damaged"),
        ([(b"", HEADER), (b"a" * 1001, entry(NUMBERS, 0))], "damaged"),
    ],
)  # fmt: skip
def test_what_is_odd(rows: Rows, said: str, write: Callable[..., Path]) -> None:
    assert said in refusal(write(rows, NUMBERS.tobytes()))


def test_names_that_become_one(write: Callable[..., Path]) -> None:
    index = write(*rows_of({"a/b": NUMBERS, "a__b": NUMBERS}))
    assert "names that differ in / and __ only" in refusal(index)


def test_compressed_tables(write: Callable[..., Path]) -> None:
    rows, data = rows_of(ARRAYS)
    index = write(rows, data)
    index.write_bytes(table(rows, kind=1))
    assert "compressed" in refusal(index)


def test_numbers_must_be_finite(write: Callable[..., Path]) -> None:
    index = write(*rows_of({"a": np.array([0, np.nan], "f4")}))
    assert "its tensor 'a' holds NaN or infinite numbers" in refusal(index)


def test_one_wrong_bit_is_noticed(write: Callable[..., Path]) -> None:
    rows, data = rows_of(ARRAYS)
    index = write(rows, data)
    other = index.with_name("model.ckpt-3.data-00000-of-00001")
    whole = index.read_bytes()
    for place in range(0, len(whole) - 48, 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        index.write_bytes(damaged)
        # The block about the table says nothing, and is not looked at.
        with suppress(UserError):
            same(read(index), ARRAYS)
    index.write_bytes(whole)
    for place in range(0, len(data), 31):
        damaged = bytearray(data)
        damaged[place] ^= 128
        other.write_bytes(damaged)
        assert "is not what the index says" in refusal(index)
    other.write_bytes(data[:-1])
    assert refusal(index)


@given(data=st.data())
def test_damage_never_ends_otherwise(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Bytes changed, cut out and repeated, with checks that are right again: weights of some sort, or one sentence."""
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    rows, numbers = rows_of({"a": NUMBERS, "ab": NUMBERS})
    made = bytearray(block(rows)[:-5])
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(made) - 1))
        width = data.draw(st.integers(0, 3))
        made[place : place + width] = data.draw(st.binary(max_size=3))
    first = bytes(made) + b"\0"
    first += struct.pack("<I", castagnoli(first))
    index = block([(b"z", varint(0) + varint(len(made)))])
    handles = 2 * (varint(len(first)) + varint(len(index) - 5))
    (folder / "w.index").write_bytes(first + index + handles.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db"))
    (folder / "w.data-00000-of-00001").write_bytes(numbers)
    with suppress(UserError):
        assert all(isinstance(array, np.ndarray) for array in read(folder / "w.index").values())


def test_official_networks_fuse_from_them(write: Callable[..., Path], shared: Path) -> None:
    pytest.importorskip("torch", reason="networks need torch, an extra")
    from fusionbench import fuse

    file = shared / "weights" / "others" / "tf_sdnet_irvis.npz"
    with np.load(file) as arrays:
        index = write(*rows_of({key.replace("__", "/"): arrays[key] for key in arrays}), name="IRVIS.model-10")
    ir, vis = np.random.default_rng(3).integers(0, 256, (2, 32, 40), np.uint8)
    fused = fuse("sdnet", ir, vis, weights=index.with_suffix(""))
    assert fingerprint({"": fused}) == fingerprint({"": fuse("sdnet", ir, vis, weights=file)})
