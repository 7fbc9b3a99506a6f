"""What `make test` runs: lint, format, types, documentation, tests. All of them run; it fails if one fails.

`check.py ros` runs the tests that talk to ROS, `check.py smoke` about a minute of them: what a second ROS distribution
can break. Other arguments go to pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys

# Two workers, a file to a worker: the tests that start a live graph would disturb each other in larger numbers.
PYTEST = ["pytest", "--quiet", "--durations=10", "--numprocesses=2", "--dist=loadfile"]
CHECKS = (
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "--quiet", "."]),
    ("types", ["mypy"]),
    # A broken link is an error. `make docs` makes the pages of the API, too.
    ("documentation", ["sphinx", "-W", "--keep-going", "-q", "-t", "links_only", "docs", "build/links"]),
    ("tests", PYTEST),
)
PARTS = {
    "ros": ["test/bags", "test/nodes", "test/graph", "test/test_examples.py"],
    "smoke": [
        "test/bags/test_message_mapping.py",
        "test/graph/test_loopback.py",
        "test/nodes/test_conversions.py",
        "test/nodes/test_ros_manners.py",
        "test/nodes/test_live_graph.py::test_images_become_skeletons",
    ],
}


def main() -> int:
    """Run every check from the repository's root."""
    # The tests' networks are tiny: with a thread per core, two workers and the nodes they start would mostly wait.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    part, extra = sys.argv[1:2], sys.argv[2:]
    if part and part[0] in PARTS:
        return run([*PYTEST, *PARTS[part[0]], *extra])
    failed = []
    for name, command in CHECKS:
        print(f"== {name}", flush=True)
        if run([*command, *(sys.argv[1:] if name == "tests" else [])]):
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return bool(failed)


def run(command: list[str]) -> int:
    """Run a module of this environment; returns its exit status."""
    return subprocess.run([sys.executable, "-m", *command], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
