"""What a user sees of the running graph: its diagnostics, its skeletons and its log. Counts every frame."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from egorear_ros.rig import VIEWS

USED = ("matched", "late", "duplicate", "dropped", "waiting")
ENDS = ("skeletons", "skipped", "failed", "ignored")


@dataclass(frozen=True)
class Said:
    """A status of /diagnostics that was not OK."""

    at: float
    name: str
    message: str


@dataclass
class Counters:
    """What the nodes counted, by name of the counter; the cameras summed up."""

    synchronizer: Counter[str] = field(default_factory=Counter)
    pose: Counter[str] = field(default_factory=Counter)


class Lives:
    """Counters of a node over all its lives: one that is started again begins at 0."""

    def __init__(self) -> None:
        self._before: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._process = ""
        self.heard_at = 0.0

    def take(self, counters: Counter[str], process: str) -> None:
        """Take in what the node says now."""
        if process != self._process:
            self._now["waiting"] = 0  # gone with the process that held them
            self._before.update(self._now)
        self._now, self._process, self.heard_at = counters, process, time.monotonic()

    def total(self) -> Counter[str]:
        """All lives together."""
        return self._before + self._now


class Watcher:
    """Listens to the graph.

    Attributes:
        said: statuses that were not OK, oldest first.
        skeletons: (when it came, its views), oldest first.
    """

    def __init__(self) -> None:
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray

        from egorear_msgs import msg

        rclpy.init(args=[])
        self._rclpy, self.node = rclpy, rclpy.create_node("watcher")
        self.said: list[Said] = []
        self.skeletons: list[tuple[float, tuple[str, ...]]] = []
        self.seen: set[str] = set()
        self._lives = {name: Lives() for name in ("synchronizer", "pose", *VIEWS)}
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._diagnostics, 200)
        self.node.create_subscription(msg.Skeleton, "/egorear/skeleton", self._skeleton, 50)

    def close(self) -> None:
        """Leave ROS."""
        self.node.destroy_node()
        self._rclpy.try_shutdown()

    def spin(self, seconds: float) -> None:
        """Listen for so long."""
        self.wait_for(lambda: False, seconds)

    def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Listen until the condition holds; whether it did in time."""
        deadline = time.monotonic() + timeout_s
        while not (met := condition()) and time.monotonic() < deadline:
            self._rclpy.spin_once(self.node, timeout_sec=0.05)
        return met

    def named(self, pattern: str, since: float) -> Said | None:
        """The first status since then that names a fault."""
        return next((s for s in self.said if s.at >= since and re.search(pattern, f"{s.name}: {s.message}")), None)

    def is_well(self, since: float, sets: int = 5) -> bool:
        """Whether the last skeletons since then are of all views."""
        views = [views for at, views in self.skeletons if at >= since][-sets:]
        return len(views) == sets and all(each == VIEWS for each in views)

    def counters(self) -> Counters:
        """What the nodes have counted."""
        return Counters(self._lives["synchronizer"].total(), self._lives["pose"].total())

    def frames(self) -> int:
        """Frames that the graph's own cameras have counted."""
        return sum(self._lives[view].total()["received"] for view in VIEWS)

    def heard_at(self, node: str) -> float:
        """When a node last said its counters."""
        return self._lives[node].heard_at

    def _skeleton(self, message: Any) -> None:
        self.skeletons.append((time.monotonic(), tuple(message.views)))

    def _diagnostics(self, message: Any) -> None:
        for status in message.status:
            self.seen.add(status.name)
            if status.level != b"\x00":
                self.said.append(Said(time.monotonic(), status.name, status.message))
            figures = {item.key: item.value for item in status.values}
            node, _, task = status.name.removeprefix("/egorear/").partition(": ")
            if task == "capture":
                counted = Counter({"received": int(figures["frames"])})
                self._lives[node.removesuffix("/camera")].take(counted, figures["process"])
            if status.name == "/egorear/synchronizer: matching":
                self._lives["synchronizer"].take(_of_synchronizer(figures), figures["process"])
            elif status.name == "/egorear/pose: inference":
                self._lives["pose"].take(_of_pose(figures), figures["process"])


def _of_synchronizer(figures: dict[str, str]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for view in VIEWS:
        for name, count in re.findall(r"([a-z][a-z ]*) (\d+)(?= |;|$)", figures[view]):
            counted[name.strip()] += int(count)
    counted["sets"] = int(figures["complete sets"]) + int(figures["partial sets"])
    return counted


def _of_pose(figures: dict[str, str]) -> Counter[str]:
    counted = {name: int(figures[f"{name} frame sets"]) for name in ("received", "skipped", "failed", "ignored")}
    return Counter({**counted, "skeletons": int(figures["skeletons"])})


class Graph:
    """`egorear run` in a process of its own.

    Attributes:
        stopped_s: how long it took to end; NaN before.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.log_file = folder / f"graph-{time.monotonic_ns()}.log"
        self._log = self.log_file.open("w")
        command = [sys.executable, "-m", "egorear_ros", "run", *arguments]
        self.process = subprocess.Popen(command, stdout=self._log, stderr=self._log, start_new_session=True)
        self.stopped_s = float("nan")

    def log(self) -> str:
        """All that was logged so far."""
        return self.log_file.read_text(errors="replace")

    def node_pid(self, node: str) -> int:
        """Process of a node, named as below the graph's namespace, where each has its own."""
        below, _, name = node.rpartition("/")
        wanted = {f"__node:={name}", f"__ns:=/egorear/{below}".rstrip("/")}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = set((folder / "cmdline").read_text().split("\0"))
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if wanted <= words and parent == self.process.pid:
                return int(folder.name)
        raise LookupError(f"there is no process of node {node}")

    def stop(self) -> int:
        """Ctrl-C; returns the exit status, or -9 where it had to be killed."""
        begun = time.monotonic()
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.stopped_s = time.monotonic() - begun
        self._log.close()
        return self.process.returncode
