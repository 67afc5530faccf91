"""Read a sorted table of keys and values, of the kind that LevelDB keeps and TensorFlow's checkpoints begin with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .pickles import RefusedError

DAMAGED: Final = "it ends too early or is damaged: get it again"
MAGIC: Final = bytes.fromhex("57fb808b247547db")
"""The last bytes of a table."""

_FOOTER: Final = 48
_TRAILER: Final = 5
_LONGEST: Final = 1000
"""Bytes of a key at most."""
_MOST: Final = 100_000
"""Keys at most; as a key only says in what it differs from the one before, few bytes could make many long ones."""


def rows(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values, in order.

    Raises
    ------
    RefusedError
        If the table is damaged or compressed.
    """
    if len(data) < _FOOTER or not data.endswith(MAGIC):
        raise RefusedError(DAMAGED)
    footer = data[-_FOOTER:]
    # The first of two handles is that of a block about the table, which is empty here.
    *_, place = _handle(footer, 0)
    offset, size, _ = _handle(footer, place)
    before: bytes | None = None
    count = 0
    for _, handle in _block(data, offset, size):
        offset, size, _ = _handle(handle, 0)
        for key, value in _block(data, offset, size):
            count += 1
            # In a table every key is larger than the one before, so that no block can be named twice.
            if (before is not None and key <= before) or count > _MOST:
                raise RefusedError(DAMAGED)
            before = key
            yield key, value


def _block(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of one block; a key only says in what it differs from the one before."""
    end = offset + size
    if end + _TRAILER > len(data) - _FOOTER or size < 4:
        raise RefusedError(DAMAGED)
    if masked(crc32c(data[offset : end + 1])) != int.from_bytes(data[end + 1 : end + _TRAILER], "little"):
        raise RefusedError(DAMAGED)
    if data[end]:
        raise RefusedError("its index is compressed, which TensorFlow does not do: save it again with TensorFlow")
    block = data[offset:end]
    restarts = int.from_bytes(block[-4:], "little")
    place, stop, key = 0, size - 4 - 4 * restarts, b""
    if stop < 0:
        raise RefusedError(DAMAGED)
    while place < stop:
        shared, place = varint(block, place)
        rest, place = varint(block, place)
        length, place = varint(block, place)
        if shared > len(key) or shared + rest > _LONGEST or place + rest + length > stop:
            raise RefusedError(DAMAGED)
        key = key[:shared] + block[place : place + rest]
        place += rest
        yield key, block[place : place + length]
        place += length


def _handle(data: bytes, place: int) -> tuple[int, int, int]:
    """Offset and size of a block, and where in the data the next thing begins."""
    offset, place = varint(data, place)
    size, place = varint(data, place)
    return offset, size, place


def varint(data: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where in the data the next thing begins."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            break
        value |= (data[place] & 0x7F) << shift
        place += 1
        if not data[place - 1] & 0x80:
            return value, place
    raise RefusedError(DAMAGED)


def crc32c(data: bytes) -> int:
    """The cyclic redundancy check by Castagnoli's polynomial.

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    state = 0xFFFFFFFF
    for byte in data:
        state = _STEPS[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state ^ 0xFFFFFFFF


def _step(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_STEPS: Final = [_step(byte) for byte in range(256)]


def masked(crc: int) -> int:
    """As it is stored: so changed that a check of data which hold checks stays one."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
