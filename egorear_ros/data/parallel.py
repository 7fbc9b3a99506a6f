"""Work on several things at a time: OpenCV, Pillow and reading files do not hold Python's lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final, TypeVar

MOST_VIEW_THREADS: Final = 4
"""A frame set has four views."""

MOST_FILE_THREADS: Final = 16

Item = TypeVar("Item")
Result = TypeVar("Result")


def for_each_view(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call `work` for every view, in threads that are kept between calls; results in the items' order.

    Raises:
        Exception: what `work` raised, of the first item where it did.
    """
    tasks = list(items)
    if len(tasks) < 2 or _cores() < 2:
        return [work(task) for task in tasks]
    return list(_pool().map(work, tasks))


def for_each_file(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Call `work` for every file, in threads that end with the call; results in the items' order.

    Because the threads end, whoever reads files so can be sent to other processes.

    Raises:
        Exception: what `work` raised, of the first item where it did.
    """
    threads = min(len(items), _cores(), MOST_FILE_THREADS)
    if threads <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(MOST_VIEW_THREADS, _cores()), thread_name_prefix="views")
