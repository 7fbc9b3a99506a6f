"""The process of one node: `python -m egorear_ros.graph.process KIND --ros-args ...`.

It imports next to nothing before it knows what to do at Ctrl-C: the node's own imports take seconds.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, Final, NoReturn

PARENT: Final = "EGOREAR_SUPERVISOR"
"""Variable that tells a node's process by which process it was started."""
PR_SET_PDEATHSIG: Final = 1


def run_node(kind: str, ros_args: Sequence[str] | None = None) -> NoReturn:
    """Run one node until a signal, then end this process.

    Raises:
        ModuleNotFoundError: a library is not installed.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_at_once)
    end_with_supervisor()
    from egorear_ros.graph.ending import leave
    from egorear_ros.graph.main import run_single

    leave(run_single(kind, ros_args))


def end_with_supervisor() -> None:
    """Let the kernel send this process SIGTERM when the supervisor that started it has died; nothing without one."""
    parent = os.environ.get(PARENT, "")
    libc: Any = ctypes.CDLL(None)
    if parent and hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):  # it died before we asked
            os.kill(os.getpid(), signal.SIGTERM)


def _end_at_once(signum: int, frame: FrameType | None) -> None:
    """Nothing has begun that would have to be closed; an exception could be taken for a library that is missing."""
    os._exit(0)


if __name__ == "__main__":
    run_node(sys.argv[1], sys.argv[1:])
