"""The process that serves the browser view: rerun's own server, bound to one address.

rerun's Python functions listen on all of the machine's addresses and cannot be told otherwise; its command can. As a
process of its own it also has its own memory, with a limit.
"""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from egorear_ros.errors import EgorearError
from egorear_ros.visualization.tcp_backlog import backlog_bytes

LOOPBACK: Final = "127.0.0.1"
MEMORY_LIMIT: Final = "500MiB"
START_S: Final = 20.0
END_S: Final = 3.0
PR_SET_PDEATHSIG: Final = 1


class RerunServer:
    """Serves the page and its data until it is closed; it also ends when this process is killed.

    Args:
        host: IP address to listen on; `LOOPBACK` is this machine alone, 0.0.0.0 everybody.
        page_port: of the web page.
        data_port: of the data, which rerun speaks gRPC for.

    Raises:
        EgorearError: a port is taken, or rerun does not start.
    """

    def __init__(self, host: str, page_port: int, data_port: int) -> None:
        for port in (page_port, data_port):
            _check_free(host, port)
        self._data_port = data_port
        reach = LOOPBACK if host in {"0.0.0.0", "::"} else host
        self.source = f"rerun+http://{reach}:{data_port}/proxy"
        command = [str(_program()), "--serve-web", "--bind", host, "--port", str(data_port)]
        command += ["--web-viewer-port", str(page_port), "--server-memory-limit", MEMORY_LIMIT, "--newest-first"]
        command += ["--hide-welcome-screen"]
        if host not in {LOOPBACK, "localhost"}:  # pages of other machines have other origins
            command += ["--cors-allow-origin", f"http://*:{page_port}"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 (only a system call)
        )  # fmt: skip
        for port in (page_port, data_port):
            self._wait_for(reach, port)

    def backlog_bytes(self) -> int:
        """What the slowest reader has not fetched yet, as far as the kernel knows."""
        return backlog_bytes(self._data_port)

    def close(self) -> None:
        """End the server."""
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_for(self, host: str, port: int) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                probe.settimeout(0.5)
                if probe.connect_ex((host, port)) == 0:
                    return
            time.sleep(0.05)
        self.close()
        raise EgorearError(f"the browser view's server does not answer on {host}:{port}; try another port")


def open_to_all(host: str, page_port: int) -> str:
    """What to tell who opens the view beyond this machine; empty for loopback."""
    if host in {LOOPBACK, "localhost"}:
        return ""
    return (
        f"the browser view listens on {host}: everybody who reaches port {page_port} of this machine sees the cameras' "
        "images, without a password"
    )


def _program() -> Path:
    """Rerun's program; its Python wrapper would start it as a child that a signal does not reach."""
    spec = find_spec("rerun_cli")
    program = Path(spec.origin).with_name("rerun") if spec is not None and spec.origin else Path("rerun")
    if not program.is_file():
        raise EgorearError(
            "rerun's program is missing; install rerun-sdk again: pip install --force-reinstall rerun-sdk"
        )
    return program


def _check_free(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise EgorearError(f"the browser view cannot listen on {host}:{port}: {error.strerror}") from error


def _end_with_parent() -> None:
    libc: Any = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
