"""A thread that does the newest job of each kind: who hands jobs in is never held up, and what is old is left out."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

END_S: Final = 2.0

Job = Callable[[], None]


class LatestJobs:
    """Does jobs one after the other; one that waits is replaced by a newer one of its kind.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._news = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def put(self, kind: str, job: Job) -> None:
        """Hand in a job; from any thread."""
        with self._news:
            self._jobs[kind] = job
            self._news.notify()

    def close(self) -> bool:
        """Do what waits, then end; returns False where a job does not come to its end."""
        with self._news:
            self._closed = True
            self._news.notify()
        self._thread.join(END_S)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: bool(self._jobs) or self._closed)
                if not self._jobs:
                    return
                _, job = self._jobs.popitem(last=False)
            job()
