"""Running nodes: the executor, a clean end on a signal, and a start that fails in one line."""

from __future__ import annotations

import ctypes
import gc
import math
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.task import Future

from egorear_ros.errors import EgorearError
from egorear_ros.graph.dds_profile import profile_variables
from egorear_ros.graph.ending import EndWatch
from egorear_ros.graph.signals import ending_signals
from egorear_ros.nodes.health import reason_of

FOREVER_S = 1e6
START_LIMIT_S = 60.0
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of glibc's malloc.h."""


def run_nodes(
    build: Callable[[], Sequence[Node]],
    args: Sequence[str] | None = None,
    seconds: float = FOREVER_S,
    has_begun: Callable[[], bool] = lambda: True,
) -> int:
    """Initialise ROS, build the nodes, spin until a signal or shutdown, and clean up.

    Args:
        build: makes the nodes; an EgorearError from it is one line and status 1, and so is a parameter ROS refuses.
        args: command line, for --ros-args.
        seconds: end by itself after this time.
        has_begun: from when on the seconds count, such as a loaded network; `START_LIMIT_S` at the latest.

    Returns:
        Exit status: 0 after a signal or an orderly shutdown, 1 when the nodes could not be built or one not be closed.
    """
    tune_malloc()
    os.environ.update(profile_variables(os.environ))
    well = True
    with stopped_by_signals() as stop:
        watch, nodes = EndWatch(), list[Node]()
        try:
            init_ros(args)
            watch.nodes = nodes = list(build())
            spin(nodes, stop, seconds, has_begun)
        except (EgorearError, ParameterException) as error:
            say(f"cannot start: {error}")
            well = False
        except ExternalShutdownException:
            pass
        finally:
            watch.begin_in_order()
            well = close_nodes(nodes) and well
            if not nodes:
                destroy_half_built()
            rclpy.try_shutdown()
            watch.close()
            gc.freeze()  # the interpreter would look through all of torch before it ends: 3 s on a busy machine
    return 0 if well else 1


def init_ros(args: Sequence[str] | None) -> None:
    """Initialise ROS.

    Raises:
        EgorearError: it does not understand the command line, or cannot read the parameter file.
    """
    try:
        rclpy.init(args=args, signal_handler_options=rclpy.SignalHandlerOptions.NO)
    except RuntimeError as error:  # of several kinds, which end with lines of ROS's source
        raise EgorearError(re.sub(r", at \S+:\d+", "", str(error))) from error


def close_nodes(nodes: Iterable[Node]) -> bool:
    """Close and destroy every node, whatever any of them raises, which is printed; returns whether all went well."""
    well, nodes = True, list(nodes)
    for node in nodes:
        getattr(node, "stop", lambda: None)()
    for node in nodes:
        name = node.get_fully_qualified_name()
        for step in (getattr(node, "close", None), node.destroy_node):
            try:
                if step is not None:
                    step()
            except Exception as error:  # the others have results and devices too
                say(f"{name}: {reason_of(error)}")
                well = False
    return well


def destroy_half_built() -> None:
    """Destroy nodes whose constructor has failed, while ROS still runs.

    Nobody holds them but the garbage collector, and the interpreter would tear them down in any order at its end, after
    ROS: what then crashes, crashes without a word.
    """
    for item in gc.get_objects():
        if issubclass(type(item), Node):  # not isinstance: some objects import their module when asked what they are
            with suppress(Exception):  # of a node that has hardly begun
                item.destroy_node()


def say(text: str) -> None:
    """One line for the user; silent where the terminal is gone."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


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


def spin(nodes: Sequence[Node], stop: Future, seconds: float, has_begun: Callable[[], bool] = lambda: True) -> None:
    """Spin on the EventsExecutor until `stop` is done, or for some seconds after it has begun.

    The EventsExecutor has half the latency and a third of the CPU of the single-threaded one (docs/performance.md); its
    `spin()` never calls back in the PyPI wheels of rclpy 7.1, so it waits for a future instead.
    """
    executor: Any = EventsExecutor()
    for node in nodes:
        executor.add_node(node)
    try:
        latest_start = time.monotonic() + START_LIMIT_S
        end = math.inf
        # One long wait would keep Python from ever running the signal handler.
        while not stop.done() and rclpy.ok() and time.monotonic() < end:
            executor.spin_until_future_complete(stop, 0.2)
            if end == math.inf and (has_begun() or time.monotonic() > latest_start):
                end = time.monotonic() + seconds
    finally:
        executor.shutdown()
