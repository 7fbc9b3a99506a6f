"""The node executables of `ros2 run egorear ...`: each runs one node, or says in one line what is not installed."""

from __future__ import annotations

import sys

from egorear_ros.cli import _extras


def _run(kind: str) -> int:
    """Run one node until a signal; returns the exit status."""
    try:
        from egorear_ros.graph.main import run_single

        return run_single(kind)
    except ModuleNotFoundError as error:
        explained = _extras.explain(error)
        if explained is None:
            raise
        print(f"{kind}: {explained}", file=sys.stderr)
        return 1


def camera_node() -> int:
    """Executable `camera_node`."""
    return _run("camera_node")


def ground_truth_node() -> int:
    """Executable `ground_truth_node`."""
    return _run("ground_truth_node")


def synchronizer_node() -> int:
    """Executable `synchronizer_node`."""
    return _run("synchronizer_node")


def pose_node() -> int:
    """Executable `pose_node`."""
    return _run("pose_node")


def skeleton_view_node() -> int:
    """Executable `skeleton_view_node`."""
    return _run("skeleton_view_node")


def body_node() -> int:
    """Executable `body_node`."""
    return _run("body_node")


def evaluation_node() -> int:
    """Executable `evaluation_node`."""
    return _run("evaluation_node")


def browser_view_node() -> int:
    """Executable `browser_view_node`."""
    return _run("browser_view_node")
