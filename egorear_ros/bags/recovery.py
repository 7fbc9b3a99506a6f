"""Recordings that were cut off: read up to the break, and written anew as whole bags.

A recorder that is killed, or a full disk, leaves an MCAP file without its end, a folder without `metadata.yaml`, or a
folder `NAME.partial`. Nothing in them is changed here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from egorear_ros.bags.mcap_scan import Channel, Scan, is_mcap, scan
from egorear_ros.bags.message_types import typestore_of


class RecoveredReader:
    """Stands in for `rosbags.highlevel.AnyReader` where the files are not whole: what `Bag` needs of it.

    Args:
        path: bag folder, `.partial` folder, or .mcap file.

    Attributes:
        connections: topics, with the number of messages that could be read.
        start_time: when the first message was recorded, nanoseconds.
        end_time: when the last was recorded, plus one.
        remark: how much was read, in one line.
    """

    def __init__(self, path: Path, files: list[Path]) -> None:
        self._scans = [scan(file) for file in files]
        self._files = [file.open("rb") for file in files]
        self.connections = _merged([channel for found in self._scans for channel in found.channels.values()])
        self._store = typestore_of({channel.msgtype: channel.definition for channel in self.connections})
        times = [np.asarray(found.times, np.uint64) for found in self._scans]
        everything = np.concatenate(times) if times else np.zeros(0, np.uint64)
        self.start_time = int(everything.min()) if len(everything) else 0
        self.end_time = int(everything.max()) + 1 if len(everything) else 0
        self.remark = _remark(path, self._scans, len(everything), self.end_time - self.start_time)

    @property
    def files(self) -> list[Path]:
        """The files that were read."""
        return [found.path for found in self._scans]

    def close(self) -> None:
        """Release the files."""
        for file in self._files:
            file.close()

    def messages(self, connections: Collection[Channel] = (), start: int = 0) -> Iterator[tuple[Channel, int, bytes]]:
        """Messages of these topics (all, if none are given) recorded at or after `start`, in the order of recording."""
        wanted = {channel.topic: channel for channel in connections or self.connections}
        which, where, times = [], [], []
        for number, found in enumerate(self._scans):
            numbers = [i for i, channel in found.channels.items() if channel.topic in wanted]
            stamps = np.asarray(found.times, np.uint64)
            at = np.flatnonzero(np.isin(np.asarray(found.ids, np.uint16), numbers) & (stamps >= max(start, 0)))
            which.append(np.full(len(at), number))
            where.append(at)
            times.append(stamps[at])
        order = np.argsort(np.concatenate(times), kind="stable")
        for number, at in zip(np.concatenate(which)[order], np.concatenate(where)[order], strict=True):
            found = self._scans[number]
            topic = found.channels[found.ids[at]].topic
            yield wanted[topic], found.times[at], found.read(self._files[number], int(at))

    def deserialize(self, data: bytes, msgtype: str) -> Any:
        """The message."""
        return self._store.deserialize_cdr(data, msgtype)


def recover(path: Path) -> RecoveredReader | None:
    """A reader of whatever can be read at `path`; None where there is no MCAP file at all."""
    files = [file for file in _candidates(path) if is_mcap(file)]
    return RecoveredReader(path, files) if files else None


def _candidates(path: Path) -> list[Path]:
    """The .mcap files of a bag, in order; in a `.partial` folder they are one level down."""
    if path.is_file():
        return [path]
    found = [*path.glob("*.mcap"), *path.glob("*/*.mcap")]
    return sorted((file for file in found if file.is_file()), key=lambda file: (len(file.name), file.name))


def _merged(channels: list[Channel]) -> list[Channel]:
    """One channel per topic, with all its messages; those without any are left out, as their topic may be wrong."""
    merged: dict[str, Channel] = {}
    for channel in channels:
        known = merged.setdefault(
            channel.topic,
            Channel(channel.topic, channel.msgtype, channel.definition, channel.encoding, channel.qos),
        )
        known.msgcount += channel.msgcount
    return [channel for channel in merged.values() if channel.msgcount]


def _remark(path: Path, scans: list[Scan], messages: int, duration_ns: int) -> str:
    read, size = sum(found.read_bytes for found in scans), sum(found.size for found in scans)
    cut = any(found.is_cut for found in scans)
    what = "was cut off while it was recorded" if cut else "lacks its index or metadata.yaml"
    return (
        f"'{path}' {what}: read {messages} messages of {max(duration_ns, 0) / 1e9:.1f} s "
        f"({read} of {size} bytes); `egorear bag repair {path} NEW` writes a whole bag of them"
    )
