"""Ends a process that a signal has asked to end, also where its main thread is busy: importing, or loading a network.

Python runs signal handlers in the main thread, between two of its own instructions. So a signal that comes while a
library is loaded or a network compiled would wait for as long as that takes.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn

from egorear_ros.graph.signals import ending_signals

PATIENCE_S: Final = 1.2
"""For the main thread to begin its own clean-up."""
CLOSE_S: Final = 0.8
"""For nodes to write their results, where it does not come to that."""


class EndWatch:
    """From its construction to `close`, a signal of `ending_signals` ends the process within `PATIENCE_S + CLOSE_S`.

    Unless the main thread begins its own clean-up and says so. To be made in the main thread.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._numbers = set(ending_signals())
        self._lock = threading.Lock()
        self._taken = False
        self._in_order = threading.Event()
        self.nodes: Sequence[Any] = ()
        threading.Thread(target=self._watch, name="end", daemon=True).start()

    def begin_in_order(self) -> None:
        """The main thread cleans up by itself; where the process ends already, this does not return."""
        if not self._take():
            time.sleep(PATIENCE_S + CLOSE_S)
        self._in_order.set()

    def close(self) -> None:
        """Watch no longer."""
        self._in_order.set()
        signal.set_wakeup_fd(self._before)
        self._writer.close()

    def _take(self) -> bool:
        """Whether the caller is the one who cleans up."""
        with self._lock:
            first, self._taken = not self._taken, True
            return first

    def _watch(self) -> None:
        while received := self._reader.recv(64):  # nothing once the other end is closed
            if self._numbers & set(received) and not self._in_order.wait(PATIENCE_S) and self._take():
                _close_all(self.nodes)
                leave(0)
        self._reader.close()


def _close_all(nodes: Iterable[Any]) -> None:
    """Let all nodes close at the same time, for `CLOSE_S`: those that can write their results."""

    def close(node: Any) -> None:
        with suppress(Exception):
            node.close()

    threads = [threading.Thread(target=close, args=(node,), daemon=True) for node in nodes if hasattr(node, "close")]
    for thread in threads:
        thread.start()
    end = time.monotonic() + CLOSE_S
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))


def leave(status: int) -> NoReturn:
    """End this process without tearing down the interpreter.

    Threads of libraries may live, a camera's that hangs in its driver for one: they would run into a Python that is
    half gone, and end the process by SIGSEGV or SIGABRT.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the terminal is gone
            stream.flush()
    os._exit(status)
