"""What `make test` runs: lint, format, types, documentation, tests. All of them run; it fails if one fails."""

from __future__ import annotations

import os
import subprocess
import sys

CHECKS = (
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "--quiet", "."]),
    ("types", ["mypy"]),
    # With the pages of the API; a broken link is an error.
    ("documentation", ["sphinx", "-W", "--keep-going", "-q", "docs", "build/site"]),
    # Two workers, a file to a worker: the tests that start a live graph would disturb each other in larger numbers.
    ("tests", ["pytest", "--quiet", "--durations=10", "--numprocesses=2", "--dist=loadfile"]),
)


def main() -> int:
    """Run every check from the repository's root; extra arguments go to pytest."""
    # The tests' networks are tiny: with a thread per core, two workers and the nodes they start would mostly wait.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    failed = []
    for name, command in CHECKS:
        print(f"== {name}", flush=True)
        extra = sys.argv[1:] if name == "tests" else []
        if subprocess.run([sys.executable, "-m", *command, *extra], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
