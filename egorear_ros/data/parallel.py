"""The views of a frame set at the same time: what OpenCV and Pillow do per image, they do without Python's lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final, TypeVar

MOST_THREADS: Final = 4
"""A frame set has four views."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def for_each_view(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call `work` for every item, in threads where there are cores for it; results in the items' order.

    Raises:
        Exception: what `work` raised, of the first item where it did.
    """
    tasks = list(items)
    if len(tasks) < 2 or _cores() < 2:
        return [work(task) for task in tasks]
    return list(_pool().map(work, tasks))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(MOST_THREADS, _cores()), thread_name_prefix="views")
