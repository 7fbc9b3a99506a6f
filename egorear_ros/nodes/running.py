"""Running nodes: the executor, a clean end on a signal, and a start that fails in one line."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.task import Future

from egorear_ros.errors import EgorearError
from egorear_ros.nodes.graph import PROFILE, PROFILE_VARIABLE
from egorear_ros.nodes.signals import ending_signals
from egorear_ros.resources import find

FOREVER_S = 1e6
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of glibc's malloc.h."""


def run_nodes(
    build: Callable[[], Sequence[Node]], args: Sequence[str] | None = None, seconds: float = FOREVER_S
) -> int:
    """Initialise ROS, build the nodes, spin until a signal or shutdown, and clean up.

    Args:
        build: makes the nodes; an EgorearError from it is one line and status 1.
        args: command line, for --ros-args.
        seconds: end by itself after this time.

    Returns:
        Exit status: 0 after SIGINT, SIGTERM, SIGHUP or an orderly shutdown, 1 when the nodes could not be built.
    """
    tune_malloc()
    os.environ.setdefault(PROFILE_VARIABLE, str(find(PROFILE)))
    rclpy.init(args=args, signal_handler_options=rclpy.SignalHandlerOptions.NO)
    with stopped_by_signals() as stop:
        nodes: Sequence[Node] = ()
        try:
            nodes = build()
            spin(nodes, stop, seconds)
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
            gc.freeze()  # the interpreter would look through all of torch before it ends: 3 s on a busy machine
    return 0


def tune_malloc() -> None:
    """Keep glibc from handing the buffer of every image back to the kernel, only to clear new pages for the next.

    0.8 MB serialised takes 0.06 instead of 0.77 ms. The same variables of the environment would have to be set by
    whoever starts the process.
    """
    libc: Any = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # not on musl
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 25)
        libc.mallopt(M_TRIM_THRESHOLD, 1 << 29)


@contextmanager
def stopped_by_signals() -> Iterator[Future]:
    """A future that the signals of `ending_signals` complete.

    So a signal waits until all nodes are there, half a node cannot be closed; and a second one, as a terminal and `ros2
    launch` may both send theirs, does not break the clean-up.
    """
    stop: Future = Future()

    def finish(signum: int, frame: FrameType | None) -> None:
        stop.set_result(None)

    previous = {number: signal.signal(number, finish) for number in ending_signals()}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def spin(nodes: Sequence[Node], stop: Future, seconds: float) -> None:
    """Spin on the EventsExecutor until `stop` is done, or for some seconds.

    The EventsExecutor has half the latency and a third of the CPU of the single-threaded one (docs/performance.md); its
    `spin()` never calls back in the PyPI wheels of rclpy 7.1, so it waits for a future instead.
    """
    executor: Any = EventsExecutor()
    for node in nodes:
        executor.add_node(node)
    try:
        end = time.monotonic() + seconds
        # One long wait would keep Python from ever running the signal handler.
        while not stop.done() and rclpy.ok() and time.monotonic() < end:
            executor.spin_until_future_complete(stop, 0.2)
    finally:
        executor.shutdown()
