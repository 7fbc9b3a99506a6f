"""A place for exactly one item between threads: the newest. A slow consumer sees fewer items, never old ones."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Latest wins.

    Attributes:
        replaced: how many items were overwritten before anybody took them.
        closed: whether `close` has been called; nothing will come any more.
    """

    def __init__(self) -> None:
        self.replaced = 0
        self.closed = False
        self._condition = threading.Condition()
        self._item: Item | None = None

    def put(self, item: Item) -> None:
        """Leave an item, in place of one that has not been taken."""
        with self._condition:
            self.replaced += self._item is not None
            self._item = item
            self._condition.notify()

    def take(self, timeout_s: float) -> Item | None:
        """Take the item; None if none comes in time or the mailbox is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._item is not None or self.closed, timeout_s)
            item, self._item = self._item, None
            return None if self.closed else item

    def close(self) -> None:
        """Let go everybody who waits; what lies inside is dropped."""
        with self._condition:
            self.closed = True
            self._item = None
            self._condition.notify_all()
