"""Bags as cameras: `bag:PATH` plays the images and the ground truth of a recording, over and over.

Every message comes as long after the round's start as it came after the recording's, with its latency and jitter; all
stamps of a round are moved by the same amount. Like clips, all views and the truth keep in step by the wall clock
alone, in one process or in several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from egorear_ros.bags.message_reading import camera_frame_from_message, skeleton_from_message
from egorear_ros.bags.reading import Bag, BagMessage, find_topics
from egorear_ros.capture.clock import LoopClock
from egorear_ros.capture.source import CapturedFrame, FrameSource, NoTruthError, SourceError, TruthSource
from egorear_ros.data.jpeg import images_of
from egorear_ros.datatypes import Skeleton
from egorear_ros.errors import EgorearError
from egorear_ros.rig import Rig


def open_bag(path: str, view: str, rig: Rig) -> BagSource:
    """Open one view of a bag.

    Raises:
        SourceError: no bag there, or it lacks the view.
    """
    try:
        bag = Bag(path)
        images = find_topics(bag, rig.names).images
    except EgorearError as error:
        raise SourceError(f"camera '{view}': {error}") from error
    if view not in images:
        raise SourceError(f"camera '{view}': bag '{path}' has images of {', '.join(images)}")
    return BagSource(bag, view, images[view], round_ns(bag, images.values()))


def open_bag_truth(path: str, rig: Rig) -> BagTruth:
    """Open the ground truth of a bag.

    Raises:
        NoTruthError: it has none.
        SourceError: no bag there.
    """
    try:
        bag = Bag(path)
        topics = find_topics(bag, rig.names)
    except EgorearError as error:
        raise SourceError(str(error)) from error
    if topics.ground_truth is None:
        raise NoTruthError(f"bag '{path}' has no ground truth")
    return BagTruth(bag, topics.ground_truth, round_ns(bag, topics.images.values()))


def round_ns(bag: Bag, image_topics: Iterable[str]) -> int:
    """Length of a round: the recording's and one mean frame period, so that the loop is seamless."""
    duration_ns = bag.end_ns - bag.start_ns
    frames = max(bag.counts[topic] for topic in image_topics)
    return duration_ns + max(duration_ns // max(1, frames - 1), 1_000_000)


class BagPlayer:
    """Gives the messages of one topic when they are due, with the time by which to move their stamps.

    Attributes:
        skipped_ns: time of the recording left out before the message given last.
    """

    def __init__(self, bag: Bag, topic: str, clock: LoopClock) -> None:
        self._bag, self._topic, self._clock = bag, topic, clock
        self.skipped_ns = 0
        self._join(clock.wall_ns())

    def next(self) -> tuple[BagMessage, int]:
        """Wait for the next message; returns it and what to add to its stamps, nanoseconds."""
        message, self.skipped_ns = self._take(), 0
        due_ns = message.time_ns + self._shift_ns()
        if self._clock.is_late(due_ns):
            self._join(self._clock.rejoin_ns())
            message = self._take()
            self.skipped_ns = message.time_ns + self._shift_ns() - due_ns
        self._clock.wait_until(message.time_ns + self._shift_ns())
        return message, self._shift_ns()

    def close(self) -> None:
        """Release the file."""
        self._bag.close()

    def _join(self, at_ns: int) -> None:
        """Go to the first message due at or after a wall time."""
        self._start_ns = self._clock.round_start_ns(at_ns)
        self._messages = self._from(at_ns - self._start_ns)

    def _take(self) -> BagMessage:
        """The next message; begins the next round where this one has no more."""
        message = next(self._messages, None)
        if message is None:
            self._start_ns += self._clock.duration_ns
            self._messages = self._from(0)
            message = next(self._messages)
        return message

    def _shift_ns(self) -> int:
        return self._start_ns - self._bag.start_ns

    def _from(self, elapsed_ns: int) -> Iterator[BagMessage]:
        return self._bag.messages([self._topic], self._bag.start_ns + elapsed_ns)


class BagSource(FrameSource):
    """One view of a bag."""

    def __init__(
        self, bag: Bag, view: str, topic: str, duration_ns: int, clock_of: Callable[[int], LoopClock] = LoopClock
    ) -> None:
        self._view, self.remark = view, bag.remark
        self._player = BagPlayer(bag, topic, clock_of(duration_ns))

    def read(self) -> CapturedFrame:
        """See `FrameSource.read`."""
        try:
            recorded, shift_ns = self._player.next()
            frame = camera_frame_from_message(self._view, recorded.message)
            image = images_of([frame])[self._view]
            return CapturedFrame(frame.stamp_ns + shift_ns, image, self._player.skipped_ns)
        except EgorearError as error:
            raise SourceError(f"camera '{self._view}': {error}") from error

    def close(self) -> None:
        """Release the file."""
        self._player.close()


class BagTruth(TruthSource):
    """Ground truth of a bag, in step with its cameras."""

    def __init__(
        self, bag: Bag, topic: str, duration_ns: int, clock_of: Callable[[int], LoopClock] = LoopClock
    ) -> None:
        self._player = BagPlayer(bag, topic, clock_of(duration_ns))

    def read(self) -> Skeleton:
        """See `TruthSource.read`."""
        try:
            recorded, shift_ns = self._player.next()
            skeleton = skeleton_from_message(recorded.message)
        except (EgorearError, ValueError) as error:
            raise SourceError(str(error)) from error
        return replace(skeleton, stamp_ns=skeleton.stamp_ns + shift_ns)
