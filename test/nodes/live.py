"""Helpers of the tests that start the real graph: a tiny network, images for four cameras, a listener."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rclpy

from egorear_ros.rig import VIEWS

RATE_HZ = 10.0
FRAMES = 30


def write_images(folder: Path, size: int = 64) -> str:
    """Numbered images per view; returns the graph's `source` for them."""
    rng = np.random.default_rng(0)
    for view in VIEWS:
        (folder / view).mkdir(parents=True)
        for frame in range(FRAMES):
            cv2.imwrite(str(folder / view / f"{frame:03d}.png"), rng.integers(0, 256, (size, size, 3), np.uint8))
    return f"{folder}/{{view}}/%03d.png"


def patience(seconds: float) -> float:
    """How long to wait: longer on a machine with more work than cores, where even imports take minutes."""
    return seconds * min(4.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


class Graph:
    """`egorear run` as a subprocess, stopped by SIGINT."""

    def __init__(self, *arguments: str) -> None:
        self._mark = f"EGOREAR_TEST={uuid.uuid4()}"
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 (lives as long as the graph)
        command = [sys.executable, "-m", "egorear_ros", "run", *arguments]
        name, _, value = self._mark.partition("=")
        environment = {**os.environ, name: value}
        self.process = subprocess.Popen(command, stderr=self._log, env=environment, start_new_session=True)

    def __enter__(self) -> Graph:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            self.stop()
        self._log.close()

    def log(self) -> str:
        """What was logged so far."""
        self._log.seek(0)
        return self._log.read()

    def wait_for(self, text: str, timeout_s: float = 90.0) -> bool:
        """Wait until this is in the log, or the graph has ended."""
        deadline = time.monotonic() + patience(timeout_s)
        while text not in self.log() and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        return text in self.log()

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Send a signal; returns exit status and what was logged."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        try:
            self.process.wait(patience(20))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            return self.process.returncode, self.log() + "\n(had to be killed)"
        return self.process.returncode, self.log()

    def left_over(self) -> list[str]:
        """Processes started by the graph that still live."""
        found = []
        for environment in Path("/proc").glob("[0-9]*/environ"):
            try:
                if self._mark in environment.read_text(errors="replace").split("\0"):
                    found.append(environment.with_name("cmdline").read_text())
            except OSError:  # somebody else's, or just gone
                continue
        return found


class Listener:
    """Collects the messages of several topics."""

    def __init__(self, node: Any, topics: dict[str, tuple[Any, Any]]) -> None:
        self.messages: dict[str, list[Any]] = defaultdict(list)
        self._node = node
        for topic, (kind, quality) in topics.items():
            node.create_subscription(kind, topic, self.messages[topic].append, quality)

    def wait_for(self, condition: Callable[[dict[str, list[Any]]], bool], timeout_s: float = 90.0) -> bool:
        """Spin until the condition holds."""
        deadline = time.monotonic() + patience(timeout_s)
        while not condition(self.messages) and time.monotonic() < deadline:
            rclpy.spin_once(self._node, timeout_sec=0.1)
        return condition(self.messages)
