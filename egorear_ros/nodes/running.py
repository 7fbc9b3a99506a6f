"""Running nodes: the executor, a clean end on a signal, and a start that fails in one line."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.task import Future

from egorear_ros.errors import EgorearError

FOREVER_S = 1e6


def run_nodes(
    build: Callable[[], Sequence[Node]], args: Sequence[str] | None = None, seconds: float = FOREVER_S
) -> int:
    """Initialise ROS, build the nodes, spin until a signal or shutdown, and clean up.

    Args:
        build: makes the nodes; an EgorearError from it is one line and status 1.
        args: command line, for --ros-args.
        seconds: end by itself after this time.

    Returns:
        Exit status: 0 after SIGINT, SIGTERM or an orderly shutdown, 1 when the nodes could not be built.
    """
    rclpy.init(args=args, signal_handler_options=rclpy.SignalHandlerOptions.NO)
    nodes: Sequence[Node] = ()
    try:
        nodes = build()
        spin(nodes, seconds)
    except EgorearError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1
    except ExternalShutdownException:
        pass
    finally:
        for node in nodes:
            close = getattr(node, "close", None)
            if close is not None:
                close()
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


def spin(nodes: Sequence[Node], seconds: float) -> None:
    """Spin on the EventsExecutor until SIGINT or SIGTERM, or for some seconds.

    The EventsExecutor has half the latency and a third of the CPU of the single-threaded one (docs/performance.md); its
    `spin()` never calls back in the PyPI wheels of rclpy 7.1, so it waits for a future instead.
    """
    stop: Future = Future()
    executor: Any = EventsExecutor()
    for node in nodes:
        executor.add_node(node)

    def finish(signum: int, frame: FrameType | None) -> None:
        # A terminal and ros2 launch may both signal us: the second one must not break the clean-up.
        stop.set_result(None)

    previous = {number: signal.signal(number, finish) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        end = time.monotonic() + seconds
        # One long wait would keep Python from ever running the signal handler.
        while not stop.done() and rclpy.ok() and time.monotonic() < end:
            executor.spin_until_future_complete(stop, 0.2)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        executor.shutdown()
