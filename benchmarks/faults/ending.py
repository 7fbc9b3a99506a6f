"""How the graph ends: by Ctrl-C while its streams hang, and when its supervisor is killed."""

from __future__ import annotations

import re
import signal
import socket
import time
from pathlib import Path

from benchmarks.faults.matrix import Row, naming
from benchmarks.faults.watching import Graph, Watcher
from egorear_ros.rig import VIEWS

ENDS_S = 3.0
PATIENCE_S = 60.0


def hung_streams(folder: Path, watcher: Watcher, model: str, composition: str) -> Row:
    """All four cameras are streams that are accepted and never answered; then Ctrl-C."""
    row = Row(f"all streams hang, then Ctrl-C ({'one process' if composition == 'true' else 'a process per node'})")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        source, pattern = f"rtsp://127.0.0.1:{port}/{{view}}", f"camera '\\w+', source .*:{port}/.* has sent nothing"
        graph = Graph(folder, f"--source={source}", f"--model={model}", "--device=cpu", f"--composition={composition}")
        begun, spoken = time.monotonic(), list[float]()

        def named() -> bool:
            if not spoken and watcher.heard_at(VIEWS[-1]) > begun:
                spoken.append(watcher.heard_at(VIEWS[-1]))  # the nodes are built
            return watcher.named(pattern, begun) is not None

        watcher.wait_for(named, PATIENCE_S)
        opened = max(_opened(graph), spoken[0] if spoken else 0.0)
        if (said := watcher.named(pattern, begun)) is not None:
            row.named_s, row.said = max(0.0, said.at - opened), naming(said, pattern)
        status = graph.stop()
    row.recovered_s = graph.stopped_s
    row.died = int(status != 0) + graph.log().count("Traceback")
    row.warnings = graph.log().count("[WARN]")
    return row


def _opened(graph: Graph) -> float:
    """About when the graph was up: the network loaded, the last stream asked for; by the log's time stamps."""
    stamps = [
        float(found) for found in re.findall(r"\[INFO\] \[([\d.]+)\].*(?:reads 'rtsp|is ready after)", graph.log())
    ]
    return time.monotonic() - (time.time() - max(stamps)) if stamps else time.monotonic()


def killed_supervisor(folder: Path, watcher: Watcher, model: str) -> Row:
    """`egorear run` is killed: its nodes must not live on."""
    row = Row("the supervisor is killed (-9): its nodes end")
    graph = Graph(folder, "--source=", f"--model={model}", "--device=cpu", "--composition=false")
    pids: list[int] = []

    def started() -> bool:
        try:
            pids[:] = [graph.node_pid(name) for name in ("synchronizer", "pose", "skeleton_view")]
        except LookupError:
            return False
        return True

    watcher.wait_for(started, PATIENCE_S)
    watcher.spin(5.0)
    graph.process.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    gone = watcher.wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), PATIENCE_S)
    row.recovered_s = time.monotonic() - killed if gone and pids else float("nan")
    graph.stop()
    row.died = graph.log().count("Traceback")
    return row
