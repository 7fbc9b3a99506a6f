"""Camera drivers that misbehave on demand, in a process of their own.

`python -m benchmarks.faults.driver RATE SIZE VIEW...` publishes raw images on /egorear/VIEW/image_raw. All cameras of
all such processes expose at the same instants, those of the wall clock's grid. Commands come as lines of JSON on stdin:
a `Behaviour`, or {"count": true}, which is answered on stdout with what was sent.
"""

from __future__ import annotations

import heapq
import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

MODULE = "benchmarks.faults.driver"
UNEVEN_S = 0.3
GARBAGE: tuple[dict[str, Any], ...] = (
    {"data": b"12345"},
    {"encoding": "nonsense"},
    {"height": 0, "width": 0},
    {"step": 1},
)


@dataclass(frozen=True)
class Behaviour:
    """How cameras send.

    Attributes:
        rate: factor of the frame rate; 0 sends nothing.
        every: of the frames of that rate only each n-th is sent.
        shift_s: added to the stamps; None leaves them 0.
        since_boot: stamps are on the clock that begins with the machine's start.
        jitter_s: standard deviation of the stamps.
        late: share of the frames that are sent `UNEVEN_S` late.
        garbage: images that cannot be read.
        half_height: images of another aspect ratio.
    """

    rate: float = 1.0
    every: int = 1
    shift_s: float | None = 0.0
    since_boot: bool = False
    jitter_s: float = 0.0
    late: float = 0.0
    garbage: bool = False
    half_height: bool = False


HEALTHY, SILENT = Behaviour(), Behaviour(rate=0.0)


class Driver:
    """The process, as the one who commands it sees it."""

    def __init__(self, views: tuple[str, ...], rate_hz: float, size: int) -> None:
        self.views = views
        self._command = [sys.executable, "-m", MODULE, str(rate_hz), str(size), *views]
        self._gone: dict[str, int] = dict.fromkeys(views, 0)
        self.start()

    def start(self) -> None:
        """Start it, or start it again."""
        self.process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def behave(self, behaviour: Behaviour) -> None:
        """Let all its cameras send so from now on."""
        self._say(asdict(behaviour))

    def sent(self) -> int:
        """Frames of all its cameras so far, of all its lives."""
        return sum(self._ask().values()) + sum(self._gone.values())

    def kill(self) -> None:
        """Kill -9; what it had sent by then is kept."""
        self._stop_sending()
        self._gone = {view: count + self._gone[view] for view, count in self._ask().items()}
        self.process.kill()
        self.process.wait()

    def signal(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def close(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()

    def _stop_sending(self) -> None:
        """So that no frame leaves between the last count and the kill."""
        self.behave(SILENT)

    def _ask(self) -> dict[str, int]:
        self._say({"count": True})
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))

    def _say(self, command: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()


# In the process


class Cameras:
    """Publishes the images of some views."""

    def __init__(self, node: Any, views: list[str], size: int) -> None:
        from rclpy.qos import QoSProfile, ReliabilityPolicy
        from sensor_msgs.msg import Image

        quality = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._publishers = {v: node.create_publisher(Image, f"/egorear/{v}/image_raw", quality) for v in views}
        self._image, self._size = Image, size
        self._data = bytes(random.Random(views[0]).randbytes(size * size * 3))
        self._later: list[tuple[float, int, str, Any]] = []
        self.sent = dict.fromkeys(views, 0)

    def expose(self, number: int, at_ns: int, how: Behaviour) -> None:
        """Take the images of an instant, and send them now or later."""
        for view in self._publishers:
            message = self._message(self._stamp_ns(at_ns, how), how, number)
            late = random.random() < how.late
            heapq.heappush(self._later, (time.monotonic() + UNEVEN_S * late, number, view, message))

    def send_due(self) -> None:
        """Send what is due."""
        while self._later and self._later[0][0] <= time.monotonic():
            _, _, view, message = heapq.heappop(self._later)
            self._publishers[view].publish(message)
            self.sent[view] += 1

    def _stamp_ns(self, at_ns: int, how: Behaviour) -> int:
        if how.shift_s is None:
            return 0
        clock_ns = time.monotonic_ns() - time.time_ns() if how.since_boot else 0
        return at_ns + clock_ns + int(1e9 * (how.shift_s + random.gauss(0, how.jitter_s)))

    def _message(self, stamp_ns: int, how: Behaviour, number: int) -> Any:
        size, height = self._size, self._size // 2 if how.half_height else self._size
        message = self._image(height=height, width=size, step=3 * size, encoding="rgb8")
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
        message.data = self._data[: 3 * size * height]
        for name, value in GARBAGE[number % len(GARBAGE)].items() if how.garbage else ():
            setattr(message, name, value)
        return message


def main(rate_hz: float, size: int, views: list[str]) -> None:
    """Publish until stdin ends."""
    import rclpy

    rclpy.init()
    node = rclpy.create_node("driver", namespace=f"/driver/{views[0]}")
    cameras, how, number = Cameras(node, views, size), HEALTHY, 0
    commands: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(commands,), daemon=True).start()
    at_ns = time.time_ns()
    while True:
        while not commands.empty():
            command = commands.get()
            if "count" in command:
                print(json.dumps(cameras.sent), flush=True)
            else:
                how = Behaviour(**command)
        period_ns = int(1e9 / (rate_hz * (how.rate or 1.0)))
        if time.time_ns() >= at_ns:
            number = at_ns // period_ns
            if how.rate and number % how.every == 0:
                cameras.expose(number, at_ns, how)
            at_ns = (max(time.time_ns(), at_ns) // period_ns + 1) * period_ns  # who is late skips, as sensors do
        cameras.send_due()
        time.sleep(min(0.01, max(0.0, (at_ns - time.time_ns()) / 1e9)))


def _listen(commands: queue.Queue[dict[str, Any]]) -> None:
    for line in sys.stdin:
        commands.put(json.loads(line))
    os._exit(0)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
