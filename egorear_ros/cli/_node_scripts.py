"""The node executables of `ros2 run egorear ...`: each runs one node, or says in one line what is not installed.

`pyproject.toml` names them as `egorear_ros.cli._node_scripts:<kind of node>`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from egorear_ros.cli._extras import explained
from egorear_ros.errors import EgorearError
from egorear_ros.graph.process import run_node


def __getattr__(kind: str) -> Callable[[], int]:
    """The executable of a kind of node, a key of `NODE_CLASSES`."""
    if not kind.endswith("_node"):
        raise AttributeError(kind)
    return partial(_run, kind)


def _run(kind: str) -> int:
    """Run one node until a signal, then end the process; returns the exit status where it could not begin."""
    try:
        with explained():
            run_node(kind)
    except EgorearError as error:
        print(f"{kind}: {error}", file=sys.stderr)
        return 1
