"""The progress bar of all commands."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class ProgressBar:
    """A line with a label, a bar, how much is done, and the time that is left; for a `with` block.

    Args:
        label: what is being done.
        total: how much there is to do; None: not known yet.
        kept: whether the line stays when the work is done.
        shown: False for no bar at all, as in the other processes of a distributed run.
    """

    def __init__(self, label: str, total: int | None = None, kept: bool = False, shown: bool = True) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        self._bar = Progress(*columns, transient=not kept, disable=not shown)
        self._task = self._bar.add_task(label, total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def advance(self, more: int = 1) -> None:
        """So much more is done."""
        self._bar.advance(self._task, more)

    def show(self, done: int, label: str) -> None:
        """So much is done in all; what stands before the bar."""
        self._bar.update(self._task, completed=done, description=label)

    def begin(self, label: str, total: int | None) -> None:
        """Begin the next part of the work at nothing."""
        self._bar.reset(self._task, description=label, total=total)
