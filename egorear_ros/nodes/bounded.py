"""Work with a limit of time, for what may hang: a file on a network drive, a compiler, a driver."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


def within(limit_s: float, work: Callable[[], Result]) -> Result:
    """The result of `work`, or what it raises.

    Raises:
        TimeoutError: it was not done in time. Its thread is left to itself; its result, should it come, is dropped.
    """
    done: queue.SimpleQueue[Callable[[], Result]] = queue.SimpleQueue()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # the caller gets it
            done.put(_raiser(error))
        else:
            done.put(lambda: result)

    threading.Thread(target=run, name="bounded", daemon=True).start()
    try:
        outcome = done.get(timeout=limit_s)
    except queue.Empty:
        raise TimeoutError from None
    return outcome()


def _raiser(error: BaseException) -> Callable[[], Any]:
    def again() -> Any:
        raise error

    return again
