"""The faults: how each is put into the running graph and taken out again, and how its name must read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from benchmarks.faults.driver import HEALTHY, SILENT, Behaviour, Driver
from benchmarks.faults.watching import Graph, Watcher

VICTIM = "rear_left"
CAMERA = rf"(camera '{VICTIM}'|/{VICTIM}/|image of {VICTIM})"


class Stage(Protocol):
    """What a fault can reach."""

    graph: Graph
    watcher: Watcher
    victim: Driver
    others: Driver
    folder: Path
    mounts: list[Path]


@dataclass(frozen=True)
class Fault:
    """One row of the matrix.

    Attributes:
        name: in words.
        pattern: what a status of /diagnostics must say, as a regular expression over `name: message`.
        begin: puts it in; what it returns is given to `end`.
        end: takes it out.
        seconds: how long it lasts.
        outage: the node whose process is gone for a while, so that what is sent meanwhile is lost.
    """

    name: str
    pattern: str
    begin: Callable[[Stage], Any]
    end: Callable[[Stage, Any], None]
    seconds: float = 6.0
    outage: str = ""


def _of_victim(name: str, pattern: str, behaviour: Behaviour) -> Fault:
    return Fault(
        name,
        f"{CAMERA}.*{pattern}",
        lambda stage: stage.victim.behave(behaviour),
        lambda stage, _: stage.victim.behave(HEALTHY),
    )


def _of_all(name: str, pattern: str, behaviour: Behaviour, seconds: float = 6.0) -> Fault:
    def begin(stage: Stage) -> None:
        stage.victim.behave(behaviour)
        stage.others.behave(behaviour)

    def end(stage: Stage, _: Any) -> None:
        stage.victim.behave(HEALTHY)
        stage.others.behave(HEALTHY)

    return Fault(name, pattern, begin, end, seconds)


def _bad_model(stage: Stage) -> Any:
    from egorear_msgs.srv import LoadModel

    bad = stage.folder / "bad.safetensors"
    bad.write_bytes(b"this is no network")
    client = stage.watcher.node.create_client(LoadModel, "/egorear/pose/load_model")
    client.wait_for_service(10.0)
    return client, client.call_async(LoadModel.Request(model=str(bad)))


def _bad_model_answered(stage: Stage, call: Any) -> None:
    client, future = call
    if not stage.watcher.wait_for(future.done, 10.0) or future.result().success:
        raise RuntimeError("load_model did not refuse a bad file")
    stage.watcher.node.destroy_client(client)


@dataclass
class Recording:
    """`egorear record` into a small file system, or with a limit of the file's size where none can be mounted."""

    process: subprocess.Popen[str]
    folder: Path
    mounted: bool


def _record(stage: Stage) -> Recording:
    """Begin to record; when some seconds are in it, let the disk be full."""
    folder = Path(tempfile.mkdtemp(dir=stage.folder))
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    stage.mounts += [folder] * mounted
    command = [sys.executable, "-m", "egorear_ros", "record", str(folder / "walk")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    stage.watcher.wait_for(lambda: _size(folder) > 300_000, 60.0)
    if mounted:
        with suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
    else:
        import resource

        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (_size(folder), _size(folder)))
    return Recording(process, folder, mounted)


def _size(folder: Path) -> int:
    return max((file.stat().st_size for file in folder.rglob("*.mcap")), default=0)


def _check_recording(stage: Stage, recording: Recording) -> None:
    """It has ended with one line and status 1, and what was recorded can be read."""
    from egorear_ros.bags.reading import Bag

    _, errors = recording.process.communicate(timeout=30)
    with Bag(recording.folder / "walk.partial") as bag:
        read = sum(1 for _ in bag.messages(bag.topics))
    if recording.process.returncode != 1 or "cannot be written" not in errors or "Traceback" in errors or not read:
        raise RuntimeError(f"status {recording.process.returncode}, {read} messages can be read, said: {errors}")


def _hog(stage: Stage) -> list[subprocess.Popen[bytes]]:
    """Four busy processes per core, and cameras at six times the rate."""
    fast = replace(HEALTHY, rate=6.0)
    stage.victim.behave(fast)
    stage.others.behave(fast)
    count = 4 * (os.cpu_count() or 1)
    return [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]


def _unhog(stage: Stage, hogs: list[subprocess.Popen[bytes]]) -> None:
    for hog in hogs:
        hog.kill()
        hog.wait()
    stage.victim.behave(HEALTHY)
    stage.others.behave(HEALTHY)


def _kill_camera(stage: Stage) -> None:
    stage.victim.kill()


def _revive_camera(stage: Stage, _: Any) -> None:
    stage.victim.start()


DRIVER_FAULTS = (
    Fault("a camera's driver is killed (-9)", f"{CAMERA}.*", _kill_camera, _revive_camera),
    Fault(
        "a camera's driver hangs (SIGSTOP)",
        f"{CAMERA}.*sends nothing",
        lambda stage: stage.victim.signal(signal.SIGSTOP),
        lambda stage, _: stage.victim.signal(signal.SIGCONT),
    ),
    _of_all("all cameras fall silent", f"nothing on .*{CAMERA}", SILENT),
    _of_victim("a camera at half rate", "sends .* Hz", replace(HEALTHY, every=2)),
    _of_all("all cameras at half rate", "all cameras send .* Hz, it was", replace(HEALTHY, every=2)),
    _of_victim("stamps jitter by 40 ms", "stamps jump by", replace(HEALTHY, jitter_s=0.04)),
    _of_victim("60 % of the frames come 0.3 s late", "found no set|behind|late", replace(HEALTHY, late=0.6)),
    _of_victim("stamps 20 ms off", "ms ahead of those of the other cameras", replace(HEALTHY, shift_s=0.02)),
    _of_victim("a clock jumps 100 s ahead", "100.* s ahead", replace(HEALTHY, shift_s=100.0)),
    _of_victim("a clock jumps 100 s back", "100.* s (behind|back)", replace(HEALTHY, shift_s=-100.0)),
    _of_all(
        "all clocks jump 100 s ahead",
        r"all cameras: the stamps jumped (99|100)\..* ahead",
        replace(HEALTHY, shift_s=100.0),
    ),
    _of_all(
        "all clocks jump 100 s back",
        r"all cameras: the stamps jumped (99|100)\..* back",
        replace(HEALTHY, shift_s=-100.0),
    ),
    _of_victim("a camera on another clock (time since boot)", "another one", replace(HEALTHY, since_boot=True)),
    _of_all("all cameras on another clock", "behind this machine's clock", replace(HEALTHY, since_boot=True)),
    _of_victim("no stamps (0)", "no stamp", replace(HEALTHY, shift_s=None)),
    _of_victim("images that cannot be read", "image", replace(HEALTHY, garbage=True)),
    _of_victim("images of a wrong size", "calibration expects", replace(HEALTHY, half_height=True)),
    Fault(
        "load_model with a bad file", r"model '[^']*bad.safetensors' was not taken in", _bad_model, _bad_model_answered
    ),
    Fault("the disk is full while recording", "recorder.*cannot be written", _record, _check_recording),
    Fault("CPU overload, cameras at 6 x the rate", "skipped for newer|sends .* Hz|nothing on", _hog, _unhog, 8.0),
)
"""Put into the graph in one process, with cameras of other makers' drivers."""


def _kill(node: str) -> Fault:
    def begin(stage: Stage) -> int:
        pid = stage.graph.node_pid(node)
        os.kill(pid, signal.SIGKILL)
        return pid

    def end(stage: Stage, pid: int) -> None:
        """It must have been started again, and tell of itself."""

        def again() -> bool:
            try:
                return stage.graph.node_pid(node) != pid
            except LookupError:
                return False

        if not stage.watcher.wait_for(again, 30.0):
            raise RuntimeError(f"{node} was not started again")

    return Fault(f"{node} is killed (-9)", f"/egorear/{node} was ended by SIGKILL", begin, end, outage=node)


def _hang(node: str, pattern: str) -> Fault:
    def begin(stage: Stage) -> int:
        pid = stage.graph.node_pid(node)
        os.kill(pid, signal.SIGSTOP)
        return pid

    return Fault(f"{node} hangs (SIGSTOP)", pattern, begin, lambda stage, pid: os.kill(pid, signal.SIGCONT), 6.0, node)


NODE_FAULTS = (
    _kill("synchronizer"),
    _kill("pose"),
    _kill("skeleton_view"),
    _kill("body"),
    _kill("evaluation"),
    _kill("browser_view"),
    _hang("synchronizer", "nothing on '/egorear/frame_set'"),
    _hang("pose", "nothing on '/egorear/skeleton'"),
)
"""Put into the graph with one process per node (composition=false), with cameras of other makers' drivers."""

CLIP_FAULTS = (_kill(f"{VICTIM}/camera"), _kill("ground_truth"))
"""Put into the graph with one process per node that plays a clip by cameras of its own."""
