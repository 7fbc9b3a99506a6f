"""How far the readers of a server on this machine are behind: bytes that wait in the kernel's TCP queues.

A browser that draws slowly reads slowly, and nobody tells us: rerun's server takes in what it gets and keeps it for its
slowest reader. What the reader has not fetched yet piles up in the queues of the connection first, which Linux shows in
/proc/net/tcp (proc(5)).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
ESTABLISHED: Final = "01"


def backlog_bytes(port: int) -> int:
    """Bytes that wait in the fullest connection to this port, both ends together where both are on this machine.

    0 where there is no connection, or no such table: not on Linux.
    """
    waiting: Counter[tuple[int, int]] = Counter()
    for table in TABLES:
        try:
            lines = table.read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        waiting.update(_queues(lines, port))
    return max(waiting.values(), default=0)


def _queues(lines: Iterable[str], port: int) -> Counter[tuple[int, int]]:
    """(lower port, higher port) -> bytes in both queues of the ends that are listed."""
    waiting: Counter[tuple[int, int]] = Counter()
    for line in lines:
        _, local, remote, state, queues = line.split()[:5]
        ports = sorted(int(address.rpartition(":")[2], 16) for address in (local, remote))
        if state == ESTABLISHED and port in ports:
            sent, _, received = queues.partition(":")
            waiting[ports[0], ports[1]] += int(sent, 16) + int(received, 16)
    return waiting
