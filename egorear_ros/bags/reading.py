"""Reads ROS 2 bags without ROS, in the order of recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from egorear_ros.bags.bounded import bound_rosbags
from egorear_ros.bags.errors import BagError
from egorear_ros.bags.message_types import COMPRESSED_IMAGE, IMAGE, SKELETON, typestore
from egorear_ros.bags.recovery import recover


class BagMessage(NamedTuple):
    """A message read from a bag; `time_ns` is when it was recorded."""

    topic: str
    time_ns: int
    message: Any


class Bag:
    """Reads a bag: a folder made by ros2 bag, `egorear record` or `rosbags`, or its .mcap or .db3 file alone.

    Attributes:
        topics: type of every topic that has messages.
        counts: number of messages by topic.
        start_ns: when the first message was recorded.
        end_ns: when the last message was recorded.
        remark: how much could be read of a bag that was cut off; empty for a whole one.

    Raises:
        BagError: no bag there, damaged before its first message, or empty.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.remark = ""
        if not self.path.exists():
            partial = self.path.with_name(self.path.name + ".partial")
            hint = f", but '{partial}' is left of a recording that was cut off, and can be read" * partial.exists()
            raise BagError(f"there is no bag '{path}'{hint}")
        self._reader = self._open()
        if not all(isinstance(c.topic, str) and isinstance(c.msgtype, str) for c in self._reader.connections):
            raise BagError(f"'{path}' has names of topics that are no text; is its metadata.yaml damaged?")
        self.topics = {c.topic: c.msgtype for c in self._reader.connections if c.msgcount}
        self.counts = {c.topic: c.msgcount for c in self._reader.connections if c.msgcount}
        if not self.topics:
            raise BagError(f"bag '{path}' is empty")
        self.start_ns, self.end_ns = int(self._reader.start_time), int(self._reader.end_time) - 1

    def _open(self) -> Any:
        """A reader of the whole bag, else one of what there is of it."""
        store = typestore()
        from rosbags.highlevel import AnyReader

        bound_rosbags()
        try:
            reader: Any = AnyReader(self._sources(), default_typestore=store)
            reader.open()
            return reader
        except Exception as error:  # whatever rosbags stumbles over in a damaged file
            recovered = recover(self.path)
            if recovered is None:
                raise self._damaged(error) from error
        self.remark = recovered.remark
        if not recovered.connections:
            recovered.close()
            raise BagError(f"'{self.path}' was cut off before its first whole message, there is nothing to read")
        return recovered

    def _sources(self) -> list[Path]:
        """The bag, or the SQLite files of one whose recorder could not write `metadata.yaml`."""
        databases = sorted(self.path.glob("*.db3")) if self.path.is_dir() else []
        return databases if databases and not (self.path / "metadata.yaml").exists() else [self.path]

    def __enter__(self) -> Bag:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        with suppress(Exception):  # the reader of a damaged bag may stumble here too; nothing was written
            self._reader.close()

    def messages(self, topics: Iterable[str], start_ns: int = 0) -> Iterator[BagMessage]:
        """Messages of these topics recorded at or after `start_ns`, in the order of recording.

        Raises:
            BagError: the bag is damaged.
        """
        wanted = set(topics)
        connections = [c for c in self._reader.connections if c.topic in wanted]
        source = self._reader.messages(connections=connections, start=start_ns) if connections else iter(())
        while True:
            try:
                connection, time_ns, data = next(source)
                message = self._reader.deserialize(data, connection.msgtype)
            except StopIteration:
                return
            except Exception as error:  # whatever rosbags stumbles over in a damaged file
                raise self._damaged(error) from error
            yield BagMessage(connection.topic, time_ns, message)

    def _damaged(self, error: Exception) -> BagError:
        reason = str(error).rstrip(".") or type(error).__name__
        return BagError(f"'{self.path}' is no bag, or it is damaged or cut off: {reason}")


@dataclass(frozen=True)
class RigTopics:
    """Where a bag keeps what the pipeline needs.

    Attributes:
        images: view -> topic of its images, for the views there are.
        compressed: whether they are JPEG.
        ground_truth: topic of the true skeletons, None where there are none.
        namespace: of the images, without slashes at its ends.
    """

    images: dict[str, str]
    compressed: bool
    ground_truth: str | None
    namespace: str


def find_topics(bag: Bag, views: Sequence[str]) -> RigTopics:
    """Find the topics of a rig: `.../<view>/image_raw[/compressed]` and `.../ground_truth` in any namespace.

    Where a bag has raw and compressed images, the raw ones are taken if they are there of more views.

    Raises:
        BagError: no images of any of the views, or topics of several rigs.
    """
    raw = {view: found for view in views if (found := _topic(bag, f"/{view}/image_raw", IMAGE))}
    jpeg = {view: found for view in views if (found := _topic(bag, f"/{view}/image_raw/compressed", COMPRESSED_IMAGE))}
    images = raw if len(raw) >= len(jpeg) else jpeg
    if not images:
        raise BagError(
            f"bag '{bag.path}' has no images of {', '.join(views)} (topics <view>/image_raw or "
            f"<view>/image_raw/compressed); it has {', '.join(sorted(bag.topics))}"
        )
    view, topic = next(iter(images.items()))
    namespace = topic.rpartition(f"/{view}/image_raw")[0].strip("/")
    return RigTopics(images, images is jpeg, _topic(bag, "/ground_truth", SKELETON), namespace)


def _topic(bag: Bag, ending: str, type_name: str) -> str | None:
    found = [topic for topic, kind in bag.topics.items() if topic.endswith(ending) and kind == type_name]
    if len(found) > 1:
        raise BagError(f"bag '{bag.path}' has several topics ...{ending}: {', '.join(sorted(found))}")
    return found[0] if found else None
