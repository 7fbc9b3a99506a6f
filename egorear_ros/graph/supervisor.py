"""One process per node without `ros2 launch`: start, forward signals, restart what crashed, know when to give up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from egorear_ros.graph.description import NodeSpec
from egorear_ros.graph.process import PARENT
from egorear_ros.graph.signals import ending_signals
from egorear_ros.topics import full_name

RESTART_WAIT_S = 1.0
HOPELESS_CRASHES = 3
"""A node that crashes so often within `HOPELESS_WINDOW_S` ends the graph."""
HOPELESS_WINDOW_S = 30.0
PATIENCE_S = 10.0
"""Time a node has to end after a signal before it is killed."""


class Ends:
    """When a node's process ended."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._times = now, list[float]()

    def hopeless(self) -> bool:
        """Note an end; whether there have been so many in so short a time that the node cannot start."""
        now = self._now()
        self._times = [at for at in self._times if now - at < HOPELESS_WINDOW_S] + [now]
        return len(self._times) >= HOPELESS_CRASHES


@dataclass
class Child:
    """A node's process and its history."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    crashes: list[float] = field(default_factory=list)
    restart_at: float = 0.0


def node_commands(specs: Sequence[NodeSpec], namespace: str, ros_args: Sequence[str]) -> dict[str, list[str]]:
    """Command line of each node, by its full name."""
    commands = {}
    for spec in specs:
        below = full_name(namespace, spec.namespace)
        command = [sys.executable, "-m", "egorear_ros.graph.process", spec.kind, *ros_args]
        command += ["-r", f"__node:={spec.name}", "-r", f"__ns:={below}"]
        for name, value in spec.parameters.items():
            command += ["-p", f"{name}:={_yaml(value)}"]
        commands[full_name(namespace, spec.namespace, spec.name)] = command
    return commands


def say(name: str, text: str) -> None:
    """One line for the user about a node."""
    print(text, file=sys.stderr)


class Supervisor:
    """Keeps the processes alive until a signal of `ending_signals`.

    Args:
        commands: command line of each node, by its full name.
        tell: called with a node's name and a line about it when its process has ended.
        attend: called about ten times per second.
    """

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        tell: Callable[[str, str], None] = say,
        attend: Callable[[], None] = lambda: None,
    ) -> None:
        self._children = [Child(name, command) for name, command in commands.items()]
        self._tell, self._attend = tell, attend
        self._stopping = threading.Event()

    def run(self) -> int:
        """Run until a signal (0), or until a node crashes again and again (1)."""
        for number in ending_signals():
            signal.signal(number, self._stop)
        hopeless: Child | None = None
        try:
            while not self._stopping.is_set() and hopeless is None:
                hopeless = next((child for child in self._children if not self._keep_alive(child)), None)
                self._attend()
                self._stopping.wait(0.1)
        finally:  # also when a message cannot be printed, the terminal being gone
            self._end_all()
        if hopeless is None:
            return 0
        print(
            f"{hopeless.name} crashed {len(hopeless.crashes)} times within {HOPELESS_WINDOW_S:.0f} s; "
            "its messages are above",
            file=sys.stderr,
        )
        return 1

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        self._stopping.set()

    def _keep_alive(self, child: Child) -> bool:
        """Start or restart a child where needed; False when there is no hope for it."""
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            self._tell(child.name, f"{child.name} {how_it_ended(child.process.returncode)}; it is started again")
            child.process = None
            child.crashes = [at for at in child.crashes if now - at < HOPELESS_WINDOW_S] + [now]
            child.restart_at = now + RESTART_WAIT_S
        if len(child.crashes) >= HOPELESS_CRASHES:
            return False
        if child.process is None and now >= child.restart_at:
            # A session of its own: a Ctrl-C in the terminal reaches the nodes through us, once.
            environment = {**os.environ, PARENT: str(os.getpid())}
            child.process = subprocess.Popen(child.command, start_new_session=True, env=environment)
        return True

    def _end_all(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGTERM)  # which also ends a Python that has hardly begun, without a word
        deadline = time.monotonic() + PATIENCE_S
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def how_it_ended(status: int) -> str:
    """The status of a process in words; a negative one is the signal that ended it."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def _yaml(value: Any) -> str:
    """A parameter value as YAML, which JSON is; text stays text even where it looks like a number."""
    return json.dumps(value)
