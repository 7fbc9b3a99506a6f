"""A camera whose stream is accepted but never answered: said within 3 s, and its node ends within 3 s."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time

import pytest

LIMIT_S = 3.0


def test_a_hung_stream_is_named_and_a_signal_ends_the_node() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = f"rtsp://127.0.0.1:{server.getsockname()[1]}/live"
        command = [
            sys.executable,
            "-m",
            "egorear_ros.graph.process",
            "camera_node",
            "--ros-args",
            "-p",
            f"source:={source}",
        ]
        with subprocess.Popen(command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True) as node:
            assert node.stdout is not None
            try:
                lines = iter(node.stdout.readline, "")
                next(line for line in lines if "reads 'rtsp://" in line)
                begun = time.monotonic()
                said = next(line for line in lines if "has sent nothing for" in line)
                named_s = time.monotonic() - begun
                assert "camera 'front_left'" in said and source in said
                node.send_signal(signal.SIGINT)
                asked = time.monotonic()
                assert node.wait(20) == 0
                ended_s = time.monotonic() - asked
            finally:
                node.kill()
    if max(named_s, ended_s) > LIMIT_S:
        pytest.fail(f"named after {named_s:.1f} s, ended after {ended_s:.1f} s")
