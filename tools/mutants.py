"""Mutation testing by samples: changes one place of a module, runs the module's own tests, and lists what they miss.

    pip install --target DIR cosmic-ray
    PYTHONPATH=$PWD:DIR python tools/mutants.py sync rig --count 20 --seed 0

The changes are cosmic-ray's operators. The suite would take weeks over all; a sample estimates the score, and its
survivors are what a test is missing for, or a change that changes nothing. All is done in a copy of the checkout.
"""

from __future__ import annotations

import argparse
import difflib
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
PARTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "sync": ("egorear_ros/sync", ("test/sync",)),
    "rig": ("egorear_ros/rig", ("test/rig",)),
    "bags": (
        "egorear_ros/bags",
        ("test/bags", "test/evaluation/test_cut_bags.py", "test/evaluation/test_bag_evaluation.py"),
    ),
    "evaluation": ("egorear_ros/evaluation", ("test/evaluation",)),
    "inference": ("egorear_ros/inference", ("test/inference",)),
}
"""Part -> folder to change, and its own tests."""


class Change(NamedTuple):
    """One change: which operator of cosmic-ray, where, and the file before and after."""

    file: Path
    operator: str
    before: str
    after: str


def main() -> int:
    """Sample, test, and print a score per part; returns 1 where a part's tests fail without any change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--count", type=int, default=20, help="changes per part (default 20)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds of one run of the tests (default 600)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder) / "checkout")
        return max(score(copy, part, args.count, args.seed, args.timeout) for part in args.parts or PARTS)


def copied(to: Path) -> Path:
    """A copy of the checkout: files that git knows, or would."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    return to


def score(copy: Path, part: str, count: int, seed: int, timeout_s: float) -> int:
    """Test a sample of a part's changes and print its survivors."""
    folder, tests = PARTS[part]
    if not passes(copy, tests, timeout_s):
        print(f"{part}: its tests fail or take more than {timeout_s:g} s without any change", flush=True)
        return 1
    changes = sampled(sorted((copy / folder).rglob("*.py")), count, random.Random(f"{seed}/{part}"))
    survived = 0
    for change in changes:
        change.file.write_text(change.after, encoding="utf-8")
        if passes(copy, tests, timeout_s):
            survived += 1
            show(change, copy)
        change.file.write_text(change.before, encoding="utf-8")
    print(f"{part}: {len(changes) - survived} of {len(changes)} changes seen by its tests", flush=True)
    return 0


def sampled(files: list[Path], count: int, rng: random.Random) -> list[Change]:
    """So many different changes, evenly drawn of all that there are."""
    from cosmic_ray.ast import ast_nodes, get_ast_from_path
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    # Those that replace or insert variables must be told which.
    operators = [name for name in operator_names() if "variable" not in name.lower()]
    places: list[tuple[Path, str, int]] = []
    for file in files:
        nodes = list(ast_nodes(get_ast_from_path(file)))
        for name in operators:
            operator: Any = get_operator(name)()
            positions = sum(len(list(operator.mutation_positions(node))) for node in nodes)
            places += [(file, name, number) for number in range(positions)]
    changes: list[Change] = []
    for file, name, number in rng.sample(places, len(places)):
        before = file.read_text(encoding="utf-8")
        after = mutate_code(before.encode(), get_operator(name)(), number)
        if after is not None and after != before and not in_annotation(before, after):
            changes.append(Change(file, name, before, after))
        if len(changes) == count:
            break
    return changes


def in_annotation(before: str, after: str) -> bool:
    """Whether a change is in a type, which nothing evaluates: `int | None` is no sum of numbers."""
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    line = next((old for old, new in pairs if old != new), "")
    return " | " in line and ("def " in line or ": " in line or "->" in line)


def passes(copy: Path, tests: tuple[str, ...], timeout_s: float) -> bool:
    """Whether the tests pass in the copy."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "--quiet", "--exitfirst", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return False
    return not done.returncode


def show(change: Change, copy: Path) -> None:
    """Print a change that no test has seen."""
    lines = difflib.unified_diff(change.before.splitlines(), change.after.splitlines(), n=0, lineterm="")
    changed = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    print(f"survived: {change.file.relative_to(copy)} {change.operator}", *changed, sep="\n    ", flush=True)


if __name__ == "__main__":
    sys.exit(main())
