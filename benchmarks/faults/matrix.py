"""One row of the matrix: put a fault into the running graph, see what it says, take it out, count every frame."""

from __future__ import annotations

import re
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.driver import HEALTHY, SILENT, Driver
from benchmarks.faults.faults import VICTIM, Fault
from benchmarks.faults.watching import ENDS, USED, Graph, Said, Watcher
from egorear_ros.rig import VIEWS

START_S, RECOVERY_S, NAMING_S = 180.0, 90.0, 20.0
UNSAID_S = 2.0
"""What a process counted since its last diagnostics dies with it."""
LEAST_S = 4.0
"""A fault lasts at least so long, even when it was named before."""


@dataclass
class Account:
    """What became of the frames of a row.

    Attributes:
        sent: images that left the cameras.
        skeletons: that came out.
        fates: how many frames, and how many frame sets, ended how; without those that became skeletons.
        unexplained: frames and sets that nothing explains.
    """

    sent: int = 0
    skeletons: int = 0
    fates: dict[str, int] = field(default_factory=dict)
    unexplained: int = 0


@dataclass
class Row:
    """What a fault did.

    Attributes:
        named_s: from the fault to the first status of /diagnostics that names it; NaN if none did.
        said: that status.
        recovered_s: from its end to the fifth skeleton in a row with all views; NaN if it never was.
        warnings: lines of level WARN or above in the log.
        died: processes of ours that ended without being killed by us.
    """

    name: str
    named_s: float = float("nan")
    said: str = ""
    recovered_s: float = float("nan")
    warnings: int = 0
    died: int = 0
    account: Account = field(default_factory=Account)


@dataclass
class Snapshot:
    """All counters at one moment."""

    at: float
    sent: int
    synchronizer: Counter[str]
    pose: Counter[str]


class Stage:
    """The graph, the cameras before it, and who watches.

    Attributes:
        slack: frames that may be under way, or counted but not yet said, when the counters are read.
    """

    slack = 0.0

    def __init__(self, folder: Path, watcher: Watcher, rate_hz: float, size: int, *arguments: str) -> None:
        self.folder, self.watcher, self.rate_hz = folder, watcher, rate_hz
        self.graph = Graph(folder, *arguments)
        self.victim = Driver((VICTIM,), rate_hz, size)
        self.others = Driver(tuple(view for view in VIEWS if view != VICTIM), rate_hz, size)
        self._killed = 0
        self.mounts: list[Path] = []

    def __enter__(self) -> Stage:
        begun = time.monotonic()
        if not self.watcher.wait_for(lambda: self.watcher.is_well(begun), START_S):
            self.close()
            raise SystemExit(f"the graph does not come up; its log:\n{self.graph.log()}")
        self._start = self._settle()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End graph and cameras."""
        self.victim.close()
        self.others.close()
        self.graph.stop()
        for mount in self.mounts:
            subprocess.run(["umount", "--lazy", str(mount)], capture_output=True, check=False)

    def run(self, fault: Fault) -> Row:
        """Make one row."""
        row, log = Row(fault.name), len(self.graph.log())
        self._send()
        began = time.monotonic()
        self._killed += fault.outage != "" and "killed" in fault.name
        token = fault.begin(self)
        begun = time.monotonic()
        self.watcher.wait_for(lambda: self.watcher.named(fault.pattern, began) is not None, NAMING_S)
        self.watcher.spin(max(0.0, begun + max(LEAST_S, fault.seconds) - time.monotonic()))
        if (said := self.watcher.named(fault.pattern, began)) is not None:
            row.named_s, row.said = max(0.0, said.at - begun), naming(said, fault.pattern)
        fault.end(self, token)
        self._heal()
        ended = time.monotonic()
        if self.watcher.wait_for(lambda: self.watcher.is_well(ended), RECOVERY_S):
            row.recovered_s = time.monotonic() - ended
        end = self._settle()
        row.account = self._account(self._start, end, fault, end.at - began)
        self._start = end
        said_in_log = self.graph.log()[log:]
        row.warnings = sum("[WARN]" in line or "[ERROR]" in line for line in said_in_log.splitlines())
        row.died = self._died()
        return row

    def _send(self) -> None:
        """Let the healthy cameras send until all is well."""
        begun = time.monotonic()
        self.victim.behave(HEALTHY)
        self.others.behave(HEALTHY)
        self.watcher.wait_for(lambda: self.watcher.is_well(begun), RECOVERY_S)
        self.watcher.spin(2.0)

    def _heal(self) -> None:
        self.victim.behave(HEALTHY)

    def _settle(self) -> Snapshot:
        """Stop the cameras, wait until every frame has come to its end, and read all counters."""
        self.victim.behave(SILENT)
        self.others.behave(SILENT)
        quiet = time.monotonic() + 0.8
        nodes = ("synchronizer", "pose")
        self.watcher.wait_for(lambda: all(self.watcher.heard_at(node) > quiet for node in nodes), 20.0)
        counters = self.watcher.counters()
        sent = self.victim.sent() + self.others.sent()
        return Snapshot(time.monotonic(), sent, counters.synchronizer, counters.pose)

    def _account(self, before: Snapshot, after: Snapshot, fault: Fault, seconds: float) -> Account:
        sync, pose = _since(before.synchronizer, after.synchronizer), _since(before.pose, after.pose)
        sent = after.sent - before.sent
        way = sent - sync["received"] - sync["unreadable"]
        way_of_sets = sync["sets"] - pose["received"]
        unexplained = abs(sync["received"] - sum(sync[name] for name in USED))
        under_way = 2 if self.slack or fault.outage == "pose" else 0  # one waits, one is in the network
        unexplained += max(0, abs(pose["received"] - sum(pose[name] for name in ENDS)) - under_way)
        allowed, allowed_sets = self._outage(fault.outage, seconds)
        unexplained += round(max(0.0, -way - allowed) + max(0.0, -way_of_sets - allowed_sets))
        if fault.outage == "synchronizer" or self.slack:
            unexplained += round(max(0.0, way - allowed))
        if fault.outage in ("synchronizer", "pose") or self.slack:
            unexplained += round(max(0.0, way_of_sets - allowed_sets))
        gone = "while synchronizer was away" if fault.outage == "synchronizer" else "on the way"
        gone_sets = f"while {fault.outage} was away" if fault.outage in ("synchronizer", "pose") else "on the way"
        fates = {
            f"frames lost {gone}": max(0, way),
            **{f"frames {name}": sync[name] for name in ("unreadable", "late", "duplicate", "dropped")},
            f"sets lost {gone_sets}": max(0, way_of_sets),
            **{f"sets {name}": pose[name] for name in ("skipped", "failed", "ignored")},
        }
        return Account(sent, pose["skeletons"], {name: count for name, count in fates.items() if count}, unexplained)

    def _outage(self, node: str, seconds: float) -> tuple[float, float]:
        """Frames, and frame sets, that may go uncounted: of a process that is away, and of its last unsaid second."""
        frames = self.rate_hz * len(VIEWS) * seconds if node == "synchronizer" else self.slack
        unsaid = UNSAID_S * self.rate_hz if node == "synchronizer" else self.slack
        return frames, self.rate_hz * seconds if node == "pose" else unsaid

    def _died(self) -> int:
        """Processes that ended by themselves so far."""
        log = self.graph.log()
        ended = log.count(" was ended by ") + log.count(" ended with status ")
        return (self.graph.process.poll() is not None) + log.count("Traceback") + max(0, ended - self._killed)


class ClipStage(Stage):
    """A graph that plays a clip by cameras of its own, which cannot be paused: counters are read as they run."""

    def __init__(self, folder: Path, watcher: Watcher, rate_hz: float, *arguments: str) -> None:
        self.folder, self.watcher, self.rate_hz = folder, watcher, rate_hz
        self.graph = Graph(folder, *arguments)
        self._killed = 0
        self.slack = 2.0 * rate_hz * len(VIEWS)

    def close(self) -> None:
        """End the graph."""
        self.graph.stop()

    def _send(self) -> None:
        begun = time.monotonic()
        self.watcher.wait_for(lambda: self.watcher.is_well(begun), RECOVERY_S)

    def _heal(self) -> None:
        pass

    def _settle(self) -> Snapshot:
        now, nodes = time.monotonic(), ("synchronizer", "pose", *VIEWS)
        self.watcher.wait_for(lambda: all(self.watcher.heard_at(node) > now for node in nodes), 20.0)
        counters = self.watcher.counters()
        return Snapshot(time.monotonic(), self.watcher.frames(), counters.synchronizer, counters.pose)


def naming(said: Said, pattern: str) -> str:
    """The part of a status that names the fault."""
    text = f"{said.name}: {said.message}"
    found = re.search(pattern, text)
    return text[found.start() :] if found is not None else text


def _since(before: Counter[str], after: Counter[str]) -> Counter[str]:
    difference: Counter[str] = Counter()
    difference.update(after)
    difference.subtract(before)
    return difference
