"""Files that promise more than they hold, or lead elsewhere: one clear error, and no memory for it."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from egorear_ros.bags.errors import BagError
from egorear_ros.bags.message_types import TF, typestore
from egorear_ros.bags.reading import Bag
from egorear_ros.data.ego4view_layout import SYN, list_sequences
from egorear_ros.data.encodings import ImageError, decode_jpeg
from egorear_ros.data.frame_sets import DataError
from egorear_ros.data.image_header import image_size
from egorear_ros.data.npz import read_npz
from egorear_ros.errors import LONGEST, EgorearError
from egorear_ros.estimation.recording import ImageRecording
from egorear_ros.plain_data import PlainDataError, parse_json, parse_yaml
from egorear_ros.rig import RigError, load_rig
from egorear_ros.rig.importing import read_calibration

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(f'*{old}' for _ in range(10))}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "aliases stand for more than"),
        ("&a [*a]", "aliases stand for more than"),
        ("[" * 5000, "nested too deeply"),
        ("day: 2001-99-99", "not valid YAML"),
        ("n: !!int x", "not valid YAML"),
        ("n: !!python/object/apply:os.system [id]", "not valid YAML"),
        ("a: \x00", "not valid YAML"),
        ("{[1]: 2}: 3", "not valid YAML"),
        ("x" * (1 << 21), "characters, the limit is"),
    ],
)
def test_yaml_that_is_none_or_stands_for_too_much_is_refused(text: str, reason: str) -> None:
    with pytest.raises(PlainDataError, match=reason):
        parse_yaml(text)


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, "{", "[1,]", ""])
def test_json_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(PlainDataError, match=r"nested too deeply|not valid JSON"):
        parse_json(text)


def test_plain_data_is_read_as_it_says() -> None:
    assert parse_yaml("a: &x [1, 1e-05]\nb: *x\n---\nc: 2", only_first=True) == {"a": [1, 1e-5], "b": [1, 1e-5]}
    assert parse_yaml("") is None and parse_json('{"a": [1, NaN]}')["a"][0] == 1


def test_a_message_is_one_line_whatever_it_quotes() -> None:
    text = str(EgorearError("bad\n  value \x1b[31m" + "x" * 10_000 + " is the remedy"))
    assert text.startswith("bad value [31mxxx") and text.endswith("is the remedy")
    assert len(text) <= LONGEST and text.isprintable()


def png(width: int, height: int) -> bytes:
    """A PNG that says so, with next to no data."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def jpeg(width: int, height: int) -> bytes:
    """A JPEG whose header says so."""
    data = bytearray(cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize("make", [png, jpeg])
def test_an_image_that_promises_gigabytes_is_refused_before_it_is_decoded(make: Any) -> None:
    with pytest.raises(ImageError, match=r"says 30000x20000 px, the limit is \d+ pixels"):
        decode_jpeg(make(30_000, 20_000), "front_left")


def test_a_png_whose_chunk_claims_gigabytes_is_refused() -> None:
    """OpenCV would take the memory first."""
    data = bytearray(cv2.imencode(".png", np.zeros((16, 16, 3), np.uint8))[1].tobytes())
    data[33:37] = struct.pack(">I", 0x7F7F7F7F)
    Path("/proc/self/clear_refs").write_text("5")
    before = memory_bytes("VmRSS")
    with pytest.raises(ImageError, match="cannot be decoded"):
        decode_jpeg(bytes(data), "front_left")
    assert memory_bytes("VmHWM") - before < 64 << 20


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".bmp", ".tiff", ".ppm"])
def test_sizes_are_those_that_are_decoded(ending: str) -> None:
    data = cv2.imencode(ending, np.zeros((24, 40, 3), np.uint8))[1].tobytes()
    assert image_size(data) == (40, 24)
    assert decode_jpeg(data, "a").shape == (24, 40, 3)
    assert image_size(data[:4]) is None and image_size(b"") is None


def test_a_turn_in_exif_is_ignored_in_folders_of_images(tmp_path: Path) -> None:
    picture = Image.fromarray(np.full((20, 30, 3), 90, np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    picture.save(tmp_path / "1.jpg", exif=exif)
    (found,) = ImageRecording("a", {"front_left": tmp_path}, 0.0).frames()
    assert found.frame is not None and found.frame.image is not None
    assert found.frame.image.shape == (20, 30, 3)


def test_arrays_that_unpack_to_more_than_their_file_allows_are_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "zeros.npz", a=np.zeros(1 << 28, np.uint8))
    assert (tmp_path / "zeros.npz").stat().st_size < 1 << 20
    with pytest.raises(DataError, match=r"unpacks to more than \d+ MiB"):
        read_npz(tmp_path / "zeros.npz")


def test_an_array_with_a_header_that_lies_is_refused(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    with zipfile.ZipFile(tmp_path / "lie.npz", "w") as archive:
        archive.writestr("a.npy", header.getvalue() + bytes(80))
    with pytest.raises(DataError, match=r"has shape \(1000000000000,\), but \d+ bytes"):
        read_npz(tmp_path / "lie.npz")


def test_a_chunk_that_unpacks_to_more_than_its_file_allows_is_refused(tmp_path: Path) -> None:
    """`rosbags` alone would unpack all of it."""
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

    writer = Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP)
    writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/tf", TF, typestore=typestore())
        writer.write(connection, 1, bytes(160 << 20))
    assert next((tmp_path / "bag").glob("*.mcap")).stat().st_size < 1 << 16
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = memory_bytes("VmRSS")
    with (
        pytest.raises(BagError, match=r"compressed bytes say they hold \d+, the limit is"),
        Bag(tmp_path / "bag") as bag,
    ):
        list(bag.messages(["/tf"]))
    assert memory_bytes("VmHWM") - before < 64 << 20


def memory_bytes(kind: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(kind))


@pytest.mark.parametrize("line", ["../elsewhere", "rp_a/../../x", "x" * 5000])
def test_a_split_list_stays_in_its_data_set(line: str, tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(line)
    with pytest.raises(DataError, match="is no folder of the data set"):
        list_sequences(tmp_path, SYN, "train")


@pytest.mark.parametrize("name", ["../secret", "a" * 5000, "/etc/passwd", "a\0b"])
def test_a_rigs_name_is_no_path(name: str) -> None:
    with pytest.raises(RigError, match="is no name of a rig"):
        load_rig(name)


def test_an_xml_calibration_with_entities_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text('<!DOCTYPE x [<!ENTITY a "b">]><opencv_storage><K>&a;</K></opencv_storage>')
    with pytest.raises(RigError, match="definitions of its own"):
        read_calibration(tmp_path / "a.xml")
