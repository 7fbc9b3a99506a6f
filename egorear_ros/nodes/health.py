"""How a node tells that something is wrong: once in the log, counted in /diagnostics, and it goes on."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible

from egorear_ros.errors import EgorearError

REPEAT_LOG_S = 10.0
"""A problem that persists is logged again after this time, with how often it has happened."""

PERIOD_S = 1.0
SHOWN = 5
"""Problems in the message of a status; its values count all kinds."""
FIRST_S = 5.0
"""How long the first message may take, or twice as long as later ones: discovery, and cameras that are opened."""
START_S = 30.0
"""A sender that is there may take so long for its first message: a clip waits for the network to load."""


def reason_of(error: Exception) -> str:
    """An exception in words: ours are worded for the user, any other needs its type."""
    return str(error) if isinstance(error, EgorearError) else f"{type(error).__name__}: {error}"


class Problems:
    """Counts problems by kind and decides when one is worth a line in the log. Safe to call from any thread."""

    def __init__(self, log: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock = log, clock
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._logged_at: dict[str, float] = {}
        self._recent: dict[str, tuple[float, str]] = {}

    def report(self, kind: str, message: str) -> None:
        """Count a problem of this kind; log it if it is new or was last logged a while ago."""
        now = self._clock()
        with self._lock:
            self._counts[kind] += 1
            self._recent[kind] = (now, message)
            worth_a_line = now - self._logged_at.get(kind, -REPEAT_LOG_S) >= REPEAT_LOG_S
            if worth_a_line:
                self._logged_at[kind] = now
            count = self._counts[kind]
        if worth_a_line:
            self._log(message if count == 1 else f"{message} ({count} times so far)")

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each kind has happened."""
        with self._lock:
            return dict(self._counts)

    def current(self) -> str | None:
        """The problems of the last few seconds, the newest first; None when all is well again."""
        with self._lock:
            recent = [entry for entry in self._recent.values() if self._clock() - entry[0] < 3 * PERIOD_S]
        texts = [text for _, text in sorted(recent, reverse=True)]
        more = [f"and {len(texts) - SHOWN} more"] if len(texts) > SHOWN else []
        return "; ".join([*texts[:SHOWN], *more]) if texts else None


@dataclass(frozen=True)
class Part:
    """State of something that a node watches, with a status of its own on /diagnostics.

    Attributes:
        task: the status is called `/full/node/name: task`.
        hardware_id: the device behind it.
        figures: name -> value, one number each.
        message: what is wrong; empty where nothing is.
        level: of DiagnosticStatus.
    """

    task: str
    hardware_id: str
    figures: Mapping[str, object]
    message: str = ""
    level: bytes = DiagnosticStatus.OK


class Health:
    """Publishes a node's state on /diagnostics once per second.

    Args:
        node: owner.
        figures: called for the current figures, name -> value (shown as text); tools plot one number per value.
        task: what the node does; the status is called `/full/node/name: task`.
        hardware_id: the device behind it; empty where there is none of its own.
        parts: called for what else has a status of its own.

    Attributes:
        broken: why the node cannot do its work until somebody mends it, for an ERROR that stands; empty while it can.
    """

    def __init__(
        self,
        node: Node,
        figures: Callable[[], Mapping[str, object]],
        task: str,
        hardware_id: str = "",
        parts: Callable[[], Iterable[Part]] = tuple,
    ) -> None:
        self._node, self._figures, self._parts = node, figures, parts
        self._name, self._hardware_id = f"{node.get_fully_qualified_name()}: {task}", hardware_id or "egorear"
        self.problems = Problems(node.get_logger().warning)
        self.broken = ""
        self._standing: dict[str, tuple[bool, str]] = {}
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._watches: list[_Watch] = []
        node.create_timer(PERIOD_S, self.publish)

    def caught(self, kind: str, error: Exception, who: str = "") -> None:
        """Report what a thread or callback caught: whatever one message or frame does, the next one gets its chance.

        Call it while the exception is handled: the traceback of one that is not worded for users goes to the debug log.
        """
        if not isinstance(error, EgorearError):
            self._node.get_logger().debug(traceback.format_exc())
        self.problems.report(kind, f"{who}: {reason_of(error)}" if who else reason_of(error))

    def stand(self, kind: str, message: str, is_error: bool) -> None:
        """Set a condition that stands until it is set again, empty when it is over; said at once as it comes and goes.

        Args:
            kind: what it is about; one message each.
            message: what is wrong and what to do, empty for nothing.
            is_error: ERROR on /diagnostics, otherwise WARN.
        """
        before = self._standing.pop(kind, None)
        if message:
            self._standing[kind] = is_error, message
            if before is None:
                self._node.get_logger().warning(message)
                self.publish()
        elif before is not None:
            self._node.get_logger().info(f"{kind}: well again")

    def watch(self, subscription: Any, qos: QoSProfile, silence_s: float) -> Callable[[], None]:
        """Complain, with the likely reason, when nothing arrives at a subscription for `silence_s`.

        Returns:
            A function to call for every message that arrives.
        """
        watch = _Watch(self._node, subscription, qos, silence_s)
        self._watches.append(watch)
        return watch.arrived

    def hand_over(self, subscription: Any, sender: Node) -> None:
        """Watch on without the subscription: from now on a node of this process calls what `watch` returned."""
        reason = f"'{sender.get_fully_qualified_name()}' in this process sends nothing; its own messages say why"
        for watch in self._watches:
            if watch.subscription is subscription:
                watch.subscription, watch.sender_reason, watch.sender = None, reason, sender

    def forget(self, subscription: Any) -> None:
        """Watch this subscription no longer."""
        self._watches = [watch for watch in self._watches if watch.subscription is not subscription]

    def publish(self) -> None:
        """Publish now; a timer does it once per second. Nothing once ROS is being shut down."""
        if not self._node.context.ok():
            return
        for watch in self._watches:
            complaint = watch.complaint()
            if complaint:
                self.problems.report(f"silence on {watch.topic}", complaint)
        problem = self.problems.current()
        status = DiagnosticStatus(name=self._name, hardware_id=self._hardware_id)
        status.level = DiagnosticStatus.WARN if problem else DiagnosticStatus.OK
        status.message = problem or "ok"
        standing = list(self._standing.values())  # at once: other threads set and end conditions
        if standing:
            worst = max(is_error for is_error, _ in standing)
            status.level = DiagnosticStatus.ERROR if worst else max(status.level, DiagnosticStatus.WARN)
            texts = [text for _, text in standing]
            status.message = "; ".join([*texts, problem] if problem else texts)
        if self.broken:
            status.level, status.message = DiagnosticStatus.ERROR, self.broken
        process = {"process": os.getpid()}
        figures = {**self._figures(), **process, **{f"count of: {kind}": n for kind, n in self.problems.counts.items()}}
        status.values = _values(figures)
        message = DiagnosticArray(status=[status, *(self._status_of(part) for part in self._parts())])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def _status_of(self, part: Part) -> DiagnosticStatus:
        name = f"{self._node.get_fully_qualified_name()}: {part.task}"
        status = DiagnosticStatus(name=name, hardware_id=part.hardware_id, level=part.level)
        status.message, status.values = part.message or "ok", _values(part.figures)
        return status


def _values(figures: Mapping[str, object]) -> list[KeyValue]:
    return [KeyValue(key=key, value=str(value)) for key, value in figures.items()]


class _Watch:
    """One subscription that should not be silent. Uses the machine's clock: a paused simulation is silent too."""

    def __init__(self, node: Node, subscription: Any, qos: QoSProfile, silence_s: float) -> None:
        self._node, self._qos, self._silence_s = node, qos, silence_s
        self.subscription = subscription
        self.topic: str = subscription.topic_name
        self.sender_reason = ""
        self.sender: Node | None = None
        self._heard_at = time.monotonic()
        self._heard = False

    def arrived(self) -> None:
        self._heard_at, self._heard = time.monotonic(), True

    def complaint(self) -> str | None:
        if self.sender is not None and self._may_be_starting():
            self._heard_at = time.monotonic()  # silence counts from when it may begin
        silent_s = time.monotonic() - self._heard_at
        patience_s = self._silence_s
        if not self._heard:
            patience_s = max(patience_s, START_S if self._may_be_starting() else min(FIRST_S, 2 * self._silence_s))
        if silent_s < patience_s:
            return None
        return f"nothing on '{self.topic}' for {silent_s:.0f} s: {self._reason()}"

    def _may_be_starting(self) -> bool:
        """Whether there is a sender that may wait for a network that loads; one in this process says so."""
        if self.sender is not None:
            return bool(getattr(self.sender, "is_waiting", False))
        return self._node.count_publishers(self.topic) > 0

    def _reason(self) -> str:
        if self.sender_reason:
            return self.sender_reason
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        if not publishers:
            return "nobody publishes it; is the sender running, under this name, namespace and ROS_DOMAIN_ID?"
        for publisher in publishers:
            compatibility, why = qos_check_compatible(publisher.qos_profile, self._qos)
            if compatibility == QoSCompatibility.ERROR:
                return f"'{publisher.node_name}' publishes it with another quality of service ({why.strip()})"
        return f"'{publishers[0].node_name}' publishes it, but sends nothing"
