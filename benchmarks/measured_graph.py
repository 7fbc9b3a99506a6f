"""The live graph under a known load: run it, listen to it, count every frame. Used by graph_latency.py and soak.py.

`python -m benchmarks.measured_graph graph --ros-args ...` is the composed graph; a kind of node in place of `graph` is
one of its processes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from egorear_ros.capture import CapturedFrame, SourceError
from egorear_ros.graph.description import GraphOptions, build_graph
from egorear_ros.resources import find
from egorear_ros.rig import VIEWS

FOLDER = "EGOREAR_BENCHMARK"
"""Variable that tells the graph's processes where they meet: load.json, go (when the cameras begin), what they sent."""
WARM_UP_S = 3.0
SETTLE_S = 3.0
START_S = 300.0
IMAGES = 4
SYNCHRONIZER, POSE = "/egorear/synchronizer: matching", "/egorear/pose: inference"
"""What the nodes are called in /diagnostics."""


@dataclass(frozen=True)
class Load:
    """What the graph has to do.

    Attributes:
        size: image width and height, px.
        layout: composed or processes.
        seconds: how long the cameras send what is measured.
        rate_hz: of each camera.
        network_s: time the network takes.
        network: run this one instead; empty for none that computes.
    """

    size: int
    layout: str
    seconds: float
    rate_hz: float = 30.0
    network_s: float = 0.0
    network: str = ""


@dataclass
class Sample:
    """The graph at one moment.

    Attributes:
        at_s: since the first frame that is measured.
        memory_mib: of all its processes.
        cpu_s: what they have computed so far.
        synchronizer, pose: what the nodes have counted so far.
    """

    at_s: float
    memory_mib: float
    cpu_s: float
    synchronizer: Counter[str]
    pose: Counter[str]


@dataclass
class Counted:
    """Frames, sets and skeletons from first to last, summed over the cameras.

    Attributes:
        due, sent: what the cameras counted.
        cameras, synchronizer, pose: what the nodes counted.
    """

    due: int = 0
    sent: int = 0
    cameras: int = 0
    synchronizer: Counter[str] = field(default_factory=Counter)
    pose: Counter[str] = field(default_factory=Counter)

    @property
    def adds_up(self) -> bool:
        """Whether the nodes' counters explain every frame."""
        sync, pose = self.synchronizer, self.pose
        used = ("matched", "late", "duplicate", "dropped", "waiting")
        ends = ("skeletons", "skipped", "failed", "ignored")
        return (
            self.sent == self.cameras >= sync["received"]
            and sync["received"] == sum(sync[name] for name in used)
            and sync["complete"] + sync["partial"] >= pose["received"]
            and pose["received"] == sum(pose[name] for name in ends)
        )

    @property
    def all_matched(self) -> bool:
        """Whether every frame is in a complete set."""
        return self.due == self.synchronizer["matched"] == len(VIEWS) * self.synchronizer["complete"]

    def verdict(self) -> str:
        """In a few words."""
        if not self.adds_up:
            return "THE COUNTERS DO NOT ADD UP"
        skipped = f"{self.pose['skipped']} of {self.pose['received']} sets skipped for newer ones"
        return ("no frame lost" if self.all_matched else "every lost frame accounted for") + f", {skipped}"

    def lines(self) -> list[str]:
        """All counters."""
        sync, pose = dict(self.synchronizer), dict(self.pose)
        lost = sync["complete"] + sync["partial"] - pose["received"]
        return [
            f"cameras: {self.due} frames due, {self.due - self.sent} of them skipped: the node was still busy",
            f"camera nodes: published {self.cameras}; {self.cameras - sync['received']} lost on the way",
            "synchronizer: " + ", ".join(f"{name} {count}" for name, count in sync.items()),
            "pose: " + ", ".join(f"{name} {count}" for name, count in pose.items()) + f"; {lost} lost on the way to it",
        ]


class MeasuredGraph:
    """Runs the graph and measures it.

    Args:
        load: what it has to do.
        folder: an empty folder.
        sample_s: how often the graph is looked at, seconds.

    Attributes:
        overhead_ms: (seconds since the start, overhead in ms) of every skeleton.
        sync_p50_ms: what the synchronizer says of its own latency, once per second.
        samples: the graph every `sample_s`.
        cpu_s: what they computed while the cameras were sending.
        counted: what became of the frames.
    """

    def __init__(self, load: Load, folder: Path, sample_s: float = 60.0) -> None:
        self.load, self._folder, self._sample_s = load, folder, sample_s
        self.overhead_ms: list[tuple[float, float]] = []
        self.sync_p50_ms: list[float] = []
        self.samples: list[Sample] = []
        self.cpu_s = 0.0
        self.counted = Counted()
        self._figures: dict[str, dict[str, str]] = {}
        self._begin_ns = 2**63

    def __enter__(self) -> MeasuredGraph:
        import rclpy

        (self._folder / "load.json").write_text(json.dumps(vars(self.load)), encoding="utf-8")
        environment = {**os.environ, FOLDER: str(self._folder)}
        self._processes = [
            subprocess.Popen(command, env=environment, start_new_session=True) for command in self._commands()
        ]
        rclpy.init()
        self._node = rclpy.create_node("benchmark")
        return self

    def __exit__(self, *exception: object) -> None:
        import rclpy

        for process in self._processes:
            process.send_signal(signal.SIGINT)
        for process in self._processes:
            process.wait(60)
        self._node.destroy_node()
        rclpy.try_shutdown()

    def run(self) -> None:
        """Start the cameras, wait until the last frame has come through, and read the counters."""
        self._listen()
        self._wait_until_ready()
        self._begin_ns = time.time_ns() + 500_000_000
        go = self._folder / "go.partial"
        go.write_text(str(self._begin_ns), encoding="utf-8")
        go.rename(self._folder / "go")
        cpu = self._cpu_s()
        seconds = WARM_UP_S + self.load.seconds
        for number in range(int(np.ceil(seconds / self._sample_s))):
            self._spin(min(self._sample_s, seconds - self._sample_s * number))
            self.samples.append(self._sample())
        self.cpu_s = self._cpu_s() - cpu
        self._spin(0.5 + SETTLE_S)
        self._count()

    def _commands(self) -> list[list[str]]:
        module = [sys.executable, "-m", "benchmarks.measured_graph"]
        ros_args = ["--ros-args", "--params-file", str(find("config/egorear.yaml")), "--log-level", "error"]
        if self.load.layout == "composed":
            return [[*module, "graph", *ros_args]]
        from egorear_ros.graph.supervisor import node_commands

        commands = node_commands(build_graph(OPTIONS), "egorear", ros_args).values()
        return [[*module, *command[command.index("egorear_ros.graph.process") + 1 :]] for command in commands]

    def _listen(self) -> None:
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.experimental import EventsExecutor

        from egorear_msgs import msg

        self._node.create_subscription(msg.Skeleton, "/egorear/skeleton", self._skeleton, 10)
        self._node.create_subscription(msg.SynchronizerStatus, "/egorear/synchronizer/status", self._status, 10)
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._diagnostics, 100)
        self._executor: Any = EventsExecutor()
        self._executor.add_node(self._node)

    def _skeleton(self, skeleton: Any) -> None:
        now_ns, stamp = time.time_ns(), skeleton.header.stamp
        stamp_ns = stamp.sec * 10**9 + stamp.nanosec
        since_s = (stamp_ns - self._begin_ns) / 1e9 - WARM_UP_S
        if since_s >= 0:
            working_ns = sum(10**9 * stage.sec + stage.nanosec for stage in skeleton.stage_durations)
            self.overhead_ms.append((since_s, (now_ns - stamp_ns - working_ns) / 1e6))

    def _status(self, status: Any) -> None:
        if time.time_ns() > self._begin_ns + 1e9 * WARM_UP_S:
            self.sync_p50_ms.append(1e3 * status.latency_p50)

    def _diagnostics(self, message: Any) -> None:
        for status in message.status:
            self._figures[status.name] = {item.key: item.value for item in status.values}

    def _wait_until_ready(self) -> None:
        """Until all nodes tell of themselves and the network is loaded; then some time for DDS to connect them."""
        names = {f"/egorear/{view}/camera: capture" for view in VIEWS} | {SYNCHRONIZER, POSE}
        deadline = time.monotonic() + START_S
        while not (names <= set(self._figures) and self._figures[POSE]["model"]):
            if time.monotonic() > deadline:
                raise SystemExit(f"the graph does not come up; heard of {sorted(self._figures)}")
            self._spin(0.2)
        self._spin(2.0)

    def _spin(self, seconds: float) -> None:
        from rclpy.task import Future

        self._executor.spin_until_future_complete(Future(), seconds)

    def _count(self) -> None:
        for view in VIEWS:
            sent = json.loads((self._folder / f"{view}.json").read_text(encoding="utf-8"))
            self.counted.due += sent["due"]
            self.counted.sent += sent["sent"]
            self.counted.cameras += int(self._figures[f"/egorear/{view}/camera: capture"]["frames"])
        self.counted.synchronizer, self.counted.pose = self._counters()

    def _sample(self) -> Sample:
        at_s = (time.time_ns() - self._begin_ns) / 1e9 - WARM_UP_S
        return Sample(at_s, self._memory_mib(), self._cpu_s(), *self._counters())

    def _counters(self) -> tuple[Counter[str], Counter[str]]:
        """What synchronizer and pose node have counted."""
        sync, pose = self._figures[SYNCHRONIZER], self._figures[POSE]
        matched: Counter[str] = Counter()
        for view in VIEWS:
            for name, count in self._figures[f"/egorear/synchronizer: {view}"].items():
                if count.isdecimal():
                    matched[name] += int(count)
        matched.update({name: int(sync[f"{name} sets"]) for name in ("complete", "partial")})
        used = {name: int(pose[f"{name} frame sets"]) for name in ("received", "skipped", "failed", "ignored")}
        return matched, Counter({**used, "skeletons": int(pose["skeletons"])})

    def _cpu_s(self) -> float:
        ticks = 0
        for process in self._processes:
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _memory_mib(self) -> float:
        pages = sum(int(Path(f"/proc/{p.pid}/statm").read_text().split()[1]) for p in self._processes)
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


# In the graph's processes

OPTIONS = GraphOptions(source=",".join(f"memory:{view}" for view in VIEWS), model="benchmark", device="cpu")


class MemoryCamera:
    """A camera that always has its image: hands it out when it is due, skips those it was not asked for in time."""

    remark = ""

    def __init__(self, view: str, load: Load, folder: Path) -> None:
        self._load, self._folder, self._result = load, folder, folder / f"{view}.json"
        rng = np.random.default_rng(VIEWS.index(view))
        self._images = rng.integers(0, 256, (IMAGES, load.size, load.size, 3), np.uint8)
        self._number = self._sent = 0  # of the next frame; how many were handed out
        self._frames = int((WARM_UP_S + load.seconds) * load.rate_hz)
        self._begin_ns: int | None = None
        if self._result.exists():
            raise SourceError("the load is over")

    def read(self) -> CapturedFrame:
        """See `FrameSource.read`."""
        begin_ns, period_ns = self._begin(), 1e9 / self._load.rate_hz
        due = self._number if not self._sent else max(self._number, int((time.time_ns() - begin_ns) // period_ns))
        if due >= self._frames:
            self._tell()
            raise SourceError("the load is over")
        self._number, stamp_ns = due + 1, begin_ns + int(due * period_ns)
        time.sleep(max(0.0, (stamp_ns - time.time_ns()) / 1e9))
        self._sent += 1
        return CapturedFrame(stamp_ns, self._images[due % IMAGES])

    def close(self) -> None:
        """See `FrameSource.close`."""

    def _begin(self) -> int:
        if self._begin_ns is None:
            while not (self._folder / "go").exists():
                time.sleep(0.02)
            self._begin_ns = int((self._folder / "go").read_text(encoding="utf-8"))
        return self._begin_ns

    def _tell(self) -> None:
        sent = {"due": self._frames, "sent": self._sent}
        self._result.write_text(json.dumps(sent), encoding="utf-8")


class TimedNetwork:
    """Stands for a PoseEstimator: takes the time asked for and always finds the same pose."""

    def __init__(self, seconds: float) -> None:
        from egorear_ros.skeleton import HEATMAP_JOINTS, NUM_JOINTS

        self._seconds = seconds
        self.engine = SimpleNamespace(name="none")
        self._joints, self._std = np.ones((NUM_JOINTS, 3), np.float32), np.ones((NUM_JOINTS, 3), np.float32)
        self._pixels = np.ones((len(HEATMAP_JOINTS), 2), np.float32)

    def warm_up(self) -> None:
        """Nothing to warm."""

    def estimate_frames(self, frames: Any) -> Any:
        """See `PoseEstimator.estimate_frames`."""
        from egorear_ros.data.jpeg import readable_images
        from egorear_ros.inference import PoseEstimate

        images, left_out = readable_images(frames)
        if self._seconds:
            time.sleep(self._seconds)
        sizes = {view: (image.shape[1], image.shape[0]) for view, image in images.items()}
        pixels, scores = dict.fromkeys(images, self._pixels), dict.fromkeys(images, self._pixels[:, 0])
        stages = {"network": self._seconds}
        return PoseEstimate(self._joints, self._joints[:, 0], self._std, pixels, scores, sizes, stages), left_out


def serve(kind: str, ros_args: list[str]) -> int:
    """Run one process of the graph, with cameras and network replaced."""
    from egorear_ros.graph import main
    from egorear_ros.nodes import camera_node, pose_node

    folder = Path(os.environ[FOLDER])
    load = Load(**json.loads((folder / "load.json").read_text(encoding="utf-8")))
    replaced: Any = camera_node
    replaced.open_source = lambda uri, view, rig, options: MemoryCamera(view, load, folder)
    replaced = pose_node
    real = replaced.PoseEstimator.from_pretrained
    replaced.PoseEstimator.from_pretrained = lambda _, *args, **kwargs: (
        real(load.network, *args, **kwargs) if load.network else TimedNetwork(load.network_s)
    )
    if kind == "graph":
        return main.run_composed(OPTIONS, [sys.argv[0], *ros_args])
    return main.run_single(kind, [sys.argv[0], *ros_args])


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1], sys.argv[2:]))
