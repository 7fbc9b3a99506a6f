"""The node executables of `ros2 run egorear ...`: each runs one node, or says in one line what is not installed.

`pyproject.toml` names them as `egorear_ros.cli._node_scripts:<kind of node>`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from egorear_ros.cli._extras import explained
from egorear_ros.errors import EgorearError


def __getattr__(kind: str) -> Callable[[], int]:
    """The executable of a kind of node, a key of `NODE_CLASSES`."""
    if not kind.endswith("_node"):
        raise AttributeError(kind)
    return partial(_run, kind)


def _run(kind: str) -> int:
    """Run one node until a signal; returns the exit status."""
    try:
        with explained():
            from egorear_ros.graph.main import run_single

            return run_single(kind)
    except EgorearError as error:
        print(f"{kind}: {error}", file=sys.stderr)
        return 1
