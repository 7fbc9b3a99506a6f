"""Writes ROS 2 bags without ROS, as MCAP; a recording that fails leaves no bag.

A bag is a folder with `metadata.yaml` and one .mcap file, as `ros2 bag` makes and plays it. While it is written it is
called `NAME.partial`.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from egorear_ros.bags.errors import BagError
from egorear_ros.bags.message_types import typestore

METADATA_VERSION: Final = 9  # Jazzy's


class BagWriter:
    """Writes a bag; use it as a context manager, or call `finish` or `discard`.

    Attributes:
        counts: messages written so far, by topic.

    Raises:
        BagError: something of that name is there already.
    """

    def __init__(self, path: Path) -> None:
        from rosbags.rosbag2 import StoragePlugin, Writer

        self._path, self._partial = path, path.with_name(path.name + ".partial")
        if path.exists():
            raise BagError(f"'{path}' exists already; name another bag")
        if self._partial.exists():
            raise BagError(
                f"'{self._partial}' is left of a recording that was cut off; name another bag, and keep what it holds "
                f"with `egorear bag repair {self._partial} NEW`"
            )
        self.counts: dict[str, int] = {}
        self._store = typestore()
        self._connections: dict[str, Any] = {}
        # The file inside is named after its folder: with the final name one level down, a rename completes the bag.
        self._writer = Writer(self._partial / path.name, version=METADATA_VERSION, storage_plugin=StoragePlugin.MCAP)
        try:
            self._writer.open()
        except OSError as error:
            raise BagError(f"bag '{path}' cannot be written: {error.strerror}") from error

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.finish()
        else:
            self.discard()

    def add_topic(self, topic: str, type_name: str, latched: bool = False, reliable: bool = True) -> None:
        """Announce a topic; `latched` (transient local) and `reliable` tell players how it was offered."""
        quality = [quality_of_service(latched, reliable)]
        self._connections[topic] = self._writer.add_connection(
            topic, type_name, typestore=self._store, offered_qos_profiles=quality
        )
        self.counts[topic] = 0

    def write(self, topic: str, time_ns: int, message: Any) -> None:
        """Write a message of `typestore()`, recorded at `time_ns`."""
        self.write_cdr(topic, time_ns, self._store.serialize_cdr(message, self._connections[topic].msgtype))

    def write_cdr(self, topic: str, time_ns: int, data: bytes | memoryview) -> None:
        """Write a message that is serialised already."""
        self._writer.write(self._connections[topic], time_ns, data)
        self.counts[topic] += 1

    def flush(self) -> None:
        """Hand what was written so far to the operating system, so that a killed recorder loses nothing of it."""
        storage: Any = self._writer.storage
        if storage is not None and storage.chunk.msgs:
            storage.close_chunk()
            storage.bio.flush()

    def finish(self) -> None:
        """Complete the bag and give it its name.

        Raises:
            BagError: nothing has been written; there is no bag then.
        """
        if not any(self.counts.values()):
            self.discard()
            raise BagError(f"nothing was recorded, so there is no '{self._path}'")
        self._writer.close()
        (self._partial / self._path.name).rename(self._path)
        self._partial.rmdir()

    def keep(self) -> Path:
        """Stop in the middle and keep what has been written, as where the disk is full; returns where it is."""
        with suppress(OSError):  # it closes the file all the same
            self._writer.abort()
        return self._partial

    def discard(self) -> None:
        """Remove what has been written."""
        with suppress(OSError):
            self._writer.abort()
        shutil.rmtree(self._partial, ignore_errors=True)


def quality_of_service(latched: bool, reliable: bool) -> Any:
    """How a topic was offered: transient local where it is latched."""
    from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

    forever = QosTime(2147483647, 4294967295)  # how rmw writes "no limit"
    return Qos(
        QosHistory.KEEP_LAST,
        10,
        QosReliability.RELIABLE if reliable else QosReliability.BEST_EFFORT,
        QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        forever,
        forever,
        QosLiveliness.AUTOMATIC,
        forever,
        False,
    )
