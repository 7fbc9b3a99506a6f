"""Reading many files at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

MOST_THREADS: Final = 16

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Results of the function for all items, in their order, by as many threads as there are cores.

    The threads live no longer than the call, so that whoever reads files can be sent to other processes.
    """
    threads = min(len(items), os.cpu_count() or 1, MOST_THREADS)
    if threads <= 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))
