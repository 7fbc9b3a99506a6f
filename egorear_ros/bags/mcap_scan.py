"""Reads an MCAP file from its beginning up to where it breaks off, without the index at its end.

`rosbags` opens a file by its footer, so a recorder that was killed leaves nothing it can read. Here the records are
followed one by one: what is whole is indexed (position, not content), also within the last, cut chunk. Layout:
https://mcap.dev/spec.
"""

from __future__ import annotations

import importlib
import os
import struct
import sys
import zlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

MAGIC: Final = b"\x89MCAP0\r\n"
FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, DATA_END = 0x02, 0x03, 0x04, 0x05, 0x06, 0x0F
LAST_OPCODE: Final = 0x0F
HEAD: Final = struct.Struct("<BQ")
MESSAGE_HEAD: Final = struct.Struct("<HIQQ")
CHUNK_HEAD: Final = struct.Struct("<QQQI")
LARGEST_CHUNK: Final = 128 << 20
"""Bytes of a chunk when unpacked, and so many times the file's size (`CHUNK_FACTOR`) more: a file that claims larger
ones is damaged there, and must not fill the memory."""
CHUNK_FACTOR: Final = 16
LARGEST_TEXT: Final = 1 << 24
"""Bytes of a schema or channel record."""
IN_FILE: Final = -1


class ScanError(Exception):
    """The bytes from here on are not MCAP, or end too soon."""


@dataclass
class Channel:
    """A topic of the file. `qos` is rosbag2's YAML text, `definition` the message's, `encoding` its language."""

    topic: str
    msgtype: str
    definition: str
    encoding: str
    qos: str
    msgcount: int = 0


@dataclass
class Scan:
    """What was found: parallel columns with one entry per message, in the order of the file.

    Attributes:
        channels: by number in the file.
        times: when each message was recorded, nanoseconds.
        ids: channel of each.
        chunks: position of the compressed chunk that holds it; `IN_FILE` where it lies in the file as it is.
        positions: of its content, in the chunk or in the file.
        lengths: of its content, bytes.
        read_bytes: how far the file is whole.
        size: of the file, bytes.
        is_cut: it breaks off before all of its messages were known to be there.
    """

    path: Path
    size: int
    channels: dict[int, Channel] = field(default_factory=dict)
    times: array[int] = field(default_factory=lambda: array("Q"))
    ids: array[int] = field(default_factory=lambda: array("H"))
    chunks: array[int] = field(default_factory=lambda: array("q"))
    positions: array[int] = field(default_factory=lambda: array("Q"))
    lengths: array[int] = field(default_factory=lambda: array("Q"))
    read_bytes: int = 0
    is_cut: bool = True
    _last: tuple[int, bytes] = (IN_FILE, b"")

    def read(self, file: BinaryIO, index: int) -> bytes:
        """Content of a message; `file` is this one, opened for reading."""
        chunk, position, length = self.chunks[index], self.positions[index], self.lengths[index]
        if chunk == IN_FILE:
            file.seek(position)
            return file.read(length)
        return self.chunk(chunk)[position : position + length]

    def chunk(self, position: int) -> bytes:
        """Content of the compressed chunk at this position, as far as it is there; the last one is kept."""
        if self._last[0] != position:
            self._last = position, _read_chunk(self.path, position)
        return self._last[1]


def is_mcap(path: Path) -> bool:
    """Whether the file begins as MCAP does."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def scan(path: Path) -> Scan:
    """Index a file as far as it is whole; one that is not MCAP gives no messages."""
    result = Scan(path, path.stat().st_size)
    schemas: dict[int, tuple[str, str, str]] = {}
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return result
        result.read_bytes = len(MAGIC)
        try:
            for opcode, start, length in _records(file, result.size):
                if opcode == CHUNK:
                    _scan_chunk(file, start, min(length, result.size - start), result, schemas)
                _check_whole(start, length, result.size)
                if opcode in (DATA_END, FOOTER):
                    result.is_cut = False
                    break
                if opcode != CHUNK:
                    _take(opcode, partial(file.read, length), IN_FILE, start, length, result, schemas)
                result.read_bytes = start + length
        except (ScanError, struct.error, UnicodeDecodeError, KeyError):
            pass  # the break: what comes before it is in the result
    return result


def _records(file: BinaryIO, size: int) -> Iterator[tuple[int, int, int]]:
    """Opcode, position and length of the records; the last may claim to be longer than the file."""
    position = len(MAGIC)
    while position + HEAD.size <= size:
        file.seek(position)
        opcode, length = HEAD.unpack(file.read(HEAD.size))
        if not 0 < opcode <= LAST_OPCODE and opcode < 0x80:
            raise ScanError
        yield opcode, position + HEAD.size, length
        position += HEAD.size + length


def _check_whole(start: int, length: int, end: int) -> None:
    if start + length > end:
        raise ScanError


def _take(
    opcode: int,
    content: Callable[[], bytes],
    chunk: int,
    start: int,
    length: int,
    result: Scan,
    schemas: dict[int, tuple[str, str, str]],
) -> None:
    """Take in one whole record outside or inside of a chunk; `content` begins at `start`."""
    if opcode == MESSAGE:
        if length < MESSAGE_HEAD.size:
            raise ScanError
        channel, _, time_ns, _ = MESSAGE_HEAD.unpack(content()[: MESSAGE_HEAD.size])
        result.channels[channel].msgcount += 1
        result.times.append(time_ns)
        result.ids.append(channel)
        result.chunks.append(chunk)
        result.positions.append(start + MESSAGE_HEAD.size)
        result.lengths.append(length - MESSAGE_HEAD.size)
    elif opcode in (SCHEMA, CHANNEL):
        if length > LARGEST_TEXT:
            raise ScanError
        (_take_schema if opcode == SCHEMA else _take_channel)(content(), result, schemas)


def _take_schema(data: bytes, result: Scan, schemas: dict[int, tuple[str, str, str]]) -> None:
    (number,) = struct.unpack_from("<H", data)
    name, at = _text(data, 2)
    encoding, at = _text(data, at)
    schemas[number] = name, encoding, _text(data, at)[0]


def _take_channel(data: bytes, result: Scan, schemas: dict[int, tuple[str, str, str]]) -> None:
    number, schema = struct.unpack_from("<HH", data)
    topic, at = _text(data, 4)
    message_encoding, at = _text(data, at)
    if message_encoding != "cdr" or schema not in schemas:
        raise ScanError
    name, encoding, definition = schemas[schema]
    (length,) = struct.unpack_from("<I", data, at)
    fields, at, end = dict[str, str](), at + 4, at + 4 + length
    while at < end:
        key, at = _text(data, at)
        fields[key], at = _text(data, at)
    qos = fields.get("offered_qos_profiles", "")
    result.channels.setdefault(number, Channel(topic, name, definition, encoding, qos))


def _text(data: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<I", data, at)
    end = at + 4 + length
    if end > len(data):
        raise ScanError
    return data[at + 4 : end].decode(), end


def _scan_chunk(
    file: BinaryIO, start: int, available: int, result: Scan, schemas: dict[int, tuple[str, str, str]]
) -> None:
    """Take in the whole records of a chunk, of which only `available` bytes may be there."""
    _, compression, begin, crc, size, whole = _chunk_head(file, start, available)
    if compression:
        data = result.chunk(start - HEAD.size)
        inner, origin = start - HEAD.size, 0
    else:
        file.seek(begin)
        data = file.read(min(size, start + available - begin))
        inner, origin = IN_FILE, begin
    if whole and crc and zlib.crc32(data) != crc:
        raise ScanError
    view, at = memoryview(data), 0
    while at + HEAD.size <= len(view):
        opcode, length = HEAD.unpack_from(view, at)
        at += HEAD.size
        _check_whole(at, length, len(view))
        _take(opcode, view[at : at + length].tobytes, inner, origin + at, length, result, schemas)
        at += length
        if not compression:
            result.read_bytes = begin + at
    if not whole or at < len(view):
        raise ScanError


def _chunk_head(file: BinaryIO, start: int, available: int) -> tuple[int, str, int, int, int, bool]:
    """Size when unpacked, compression, position of the data, checksum, its size in the file, whether all is there."""
    file.seek(start)
    head = file.read(min(available, CHUNK_HEAD.size + 64))
    _, _, uncompressed, crc = CHUNK_HEAD.unpack_from(head)
    compression, at = _text(head, CHUNK_HEAD.size)
    (size,) = struct.unpack_from("<Q", head, at)
    if uncompressed > largest_chunk(os.fstat(file.fileno()).st_size):
        raise ScanError
    begin = start + at + 8
    return uncompressed, compression, begin, crc, size, begin + size <= start + available


def _read_chunk(path: Path, position: int) -> bytes:
    with path.open("rb") as file:
        available = path.stat().st_size - position - HEAD.size
        uncompressed, compression, begin, _, size, _ = _chunk_head(file, position + HEAD.size, available)
        file.seek(begin)
        return decompressed(file.read(min(size, available)), compression, uncompressed)


def largest_chunk(file_size: int) -> int:
    """Bytes that a chunk of a file of this size may have when unpacked."""
    return LARGEST_CHUNK + CHUNK_FACTOR * file_size


def decompressed(data: bytes, compression: str, size: int) -> bytes:
    """What comes out of the beginning of a compressed stream; at most `size` bytes."""
    decompressor: Any
    if compression == "lz4":
        decompressor = importlib.import_module("lz4.frame").LZ4FrameDecompressor()
    elif compression == "zstd":
        decompressor = _zstd()
    else:
        raise ScanError
    try:
        return bytes(decompressor.decompress(data, size))
    except Exception as error:  # each library has its own kind
        raise ScanError from error


def _zstd() -> Any:
    """A decompressor of the module that rosbags uses too: Python's own from 3.14 on."""
    return importlib.import_module(
        "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    ).ZstdDecompressor()
