"""Recordings cut anywhere are read up to the break, evaluated, and repaired; the whole bag is the reference."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rosbags.highlevel import AnyReader

from egorear_ros.bags.errors import BagError
from egorear_ros.bags.message_types import typestore
from egorear_ros.bags.reading import Bag
from egorear_ros.bags.writing import BagWriter
from egorear_ros.cli import main

from ..recording import FRAMES, Recording

Raw = list[tuple[str, int, bytes]]


def raw_messages(path: Path) -> Raw:
    """By rosbags' reader, which only reads whole bags."""
    with AnyReader([path], default_typestore=typestore()) as reader:
        return [(connection.topic, time_ns, bytes(data)) for connection, time_ns, data in reader.messages()]


def recovered(path: Path) -> tuple[Raw, str]:
    with Bag(path) as bag:
        reader: Any = bag._reader
        return [(c.topic, time_ns, bytes(data)) for c, time_ns, data in reader.messages(reader.connections)], bag.remark


def in_pieces(path: Path, out: Path, compression: str = "") -> Path:
    """The messages of a bag in small chunks, compressed if wanted, as other recorders write them."""
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

    writer = Writer(out, version=9, storage_plugin=StoragePlugin.MCAP)
    if compression:
        writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with writer, AnyReader([path], default_typestore=typestore()) as reader:
        new = {c.topic: writer.add_connection(c.topic, c.msgtype, typestore=typestore()) for c in reader.connections}
        for number, (connection, time_ns, data) in enumerate(reader.messages()):
            writer.write(new[connection.topic], time_ns, data)
            storage: Any = writer.storage
            if number % 7 == 6:
                storage.close_chunk()
    return out


@pytest.fixture(scope="module", params=["", "zstd"], ids=["plain", "zstd"])
def whole(request: pytest.FixtureRequest, bag_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return in_pieces(bag_path, tmp_path_factory.mktemp("whole") / "walk", request.param)


def cut(whole: Path, out: Path, length: int) -> Path:
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(whole, out)
    (file,) = out.glob("*.mcap")
    file.write_bytes(file.read_bytes()[:length])
    return out


def is_compressed(whole: Path) -> bool:
    return b"zstd" in next(whole.glob("*.mcap")).read_bytes()[:1000]


def message_ends(whole: Path, messages: Raw) -> list[int]:
    """Where in the file each message ends, found by its bytes."""
    data, ends = next(whole.glob("*.mcap")).read_bytes(), [0]
    for _, _, content in messages:
        ends.append(data.index(content, ends[-1]) + len(content))
    return ends[1:]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.integers(0, 10**6).map(lambda millionths: millionths / 1e6), metadata=st.booleans())
def test_cut_anywhere_the_rest_is_read(whole: Path, tmp_path: Path, share: float, metadata: bool) -> None:
    expected = raw_messages(whole)
    size = next(whole.glob("*.mcap")).stat().st_size
    length = int(share * (size - 1))
    path = cut(whole, tmp_path / "bad", length)
    if not metadata:
        (path / "metadata.yaml").unlink()
    try:
        found, remark = recovered(path)
    except BagError as error:
        assert length < size // 4 and ("first whole message" in str(error) or "is no bag" in str(error)), error
        return
    assert found == expected[: len(found)] and found
    if not is_compressed(whole):  # exactly the messages that lie before the cut
        assert len(found) == sum(end <= length for end in message_ends(whole, expected))
    assert f"read {len(found)} messages" in remark and "remove" not in remark and "delete" not in remark


def test_a_plain_file_loses_only_the_message_that_was_cut(bag_path: Path, tmp_path: Path) -> None:
    """One chunk of all messages: what lies before the cut inside of it is read."""
    expected = raw_messages(bag_path)
    data = next(bag_path.glob("*.mcap")).read_bytes()
    starts = [data.index(content) for _, _, content in expected]
    for number in (1, len(expected) // 2, len(expected) - 1):
        path = cut(bag_path, tmp_path / "bad", starts[number] + len(expected[number][2]) - 1)
        before = [message for message, start in zip(expected, starts, strict=True) if start < starts[number]]
        assert recovered(path)[0] == before


def test_cut_in_its_index_all_is_read(whole: Path, tmp_path: Path) -> None:
    size = next(whole.glob("*.mcap")).stat().st_size
    found, remark = recovered(cut(whole, tmp_path / "bad", size - 5))
    assert found == raw_messages(whole) and "lacks its index" in remark


@pytest.mark.parametrize("where", ["folder", "file", "partial"])
def test_a_cut_bag_is_evaluated_and_repaired(
    where: str, recorded: Recording, bag_path: Path, tmp_path: Path, capsys: Any
) -> None:
    size = next(bag_path.glob("*.mcap")).stat().st_size
    path = cut(bag_path, tmp_path / "walk", size * 3 // 4)
    if where == "file":
        path = next(path.glob("*.mcap"))
    elif where == "partial":
        (path / "metadata.yaml").unlink()
        path = tmp_path / "walk.partial"
        path.mkdir()
        (tmp_path / "walk").rename(path / "walk")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    arguments = ["--model", recorded.model, "--device", "cpu"]
    assert main.main(["evaluate", "--bag", str(path), *arguments]) == 0
    captured = capsys.readouterr()
    assert "was cut off while it was recorded: read" in captured.err and "MPJPE" in captured.out
    assert f"egorear bag repair {path} NEW" in captured.err

    assert main.main(["bag", "repair", str(path), str(tmp_path / "new")]) == 0
    assert raw_messages(tmp_path / "new") == recovered(path)[0]
    with Bag(tmp_path / "new") as bag:
        assert not bag.remark and 0 < bag.counts["/egorear/front_left/image_raw"] < FRAMES
    assert {file: file.read_bytes() for file in before} == before, "the old bag is left alone"
    assert main.main(["evaluate", "--bag", str(tmp_path / "new"), *arguments]) == 0


def test_the_name_of_the_whole_bag_leads_to_its_partial(tmp_path: Path) -> None:
    (tmp_path / "walk.partial").mkdir()
    with pytest.raises(BagError, match=r"walk\.partial' is left of a recording that was cut off, and can be read"):
        Bag(tmp_path / "walk")
    with pytest.raises(BagError, match="egorear bag repair") as caught:
        BagWriter(tmp_path / "walk")
    assert "remove" not in str(caught.value)


def test_garbage_after_the_break_is_not_read(bag_path: Path, tmp_path: Path) -> None:
    """A disk that lost power leaves zeros or old bytes at the end of a file."""
    expected = raw_messages(bag_path)
    for tail in (bytes(5000), bytes(range(256)) * 20):
        size = next(bag_path.glob("*.mcap")).stat().st_size
        path = cut(bag_path, tmp_path / "bad", size // 2)
        (file,) = path.glob("*.mcap")
        file.write_bytes(file.read_bytes() + tail)
        found = recovered(path)[0]
        assert found[:-1] == expected[: len(found) - 1] and len(found) < len(expected)
