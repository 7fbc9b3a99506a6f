"""The choice of sets: plain integers in, indices out. Terms and promise are in the package's docstring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

FOREVER = 1 << 80
"""Later than every stamp: "this camera will not send any more"."""

ABSENT = -1

Stamps = Sequence[Sequence[int]]


class Favour(NamedTuple):
    """A handicap that keeps free-running cameras paired as they are.

    Attributes:
        camera: The camera with which sets should begin; ABSENT for none.
        handicap: Added to the span of sets that begin with another one, when they are compared.
    """

    camera: int = ABSENT
    handicap: int = 0


NO_FAVOUR = Favour()


class Choice(NamedTuple):
    """The leftmost locally best candidate of a range.

    Attributes:
        indices: Per camera the index of its slot, or ABSENT.
        before: Per camera the end index of the slots that lie before this candidate.
        start: Earliest stamp of the candidate.
        settled: No frame still to come can lead to a better conflicting candidate.
    """

    indices: list[int]
    before: list[int]
    start: int
    settled: bool


def first_choice(
    stamps: Stamps, low: list[int], high: list[int], tolerance: int, expected: Sequence[int], favour: Favour = NO_FAVOUR
) -> Choice:
    """Find the first selected set among the slots `stamps[c][low[c]:high[c]]`, at least one of which must exist.

    One sweep over the starts in ascending order. A candidate's start within the best one's extent means conflict, so
    the sweep ends at the first start beyond: no later candidate can touch the best one. Cost O(cameras) per start.

    Args:
        stamps: Per camera, ascending stamps of its slots.
        low: Per camera, first index of the range.
        high: Per camera, end index of the range.
        tolerance: Largest span, inclusive.
        expected: Per camera, the earliest stamp its next frame can have; FOREVER if none is waited for.
        favour: Whom to favour.
    """
    pointers = list(low)
    cameras = range(len(pointers))
    favoured, handicap = favour
    absence = tolerance + handicap + 1  # rank = absent * absence + span: one integer orders by absent views, then span
    best_rank = hope_rank = FOREVER
    best_start = hope_start = best_end = 0
    best: list[int] = []
    heads = [stamps[c][i] if i < high[c] else FOREVER for c, i in enumerate(low)]
    while True:
        start = min(heads)
        if start == FOREVER or (best and start > best_end):
            settled = (best_rank, best_start) <= (hope_rank, hope_start)
            limit = best_start + tolerance
            indices = [i if i < high[c] and stamps[c][i] <= limit else ABSENT for c, i in enumerate(best)]
            return Choice(indices, best, best_start, settled)
        limit = start + tolerance
        end = hope_end = start
        absent = hopeless = 0
        penalty = 0 if favoured == ABSENT or heads[favoured] == start else handicap
        for c in cameras:
            stamp = heads[c]
            if stamp <= limit:
                if stamp > end:  # not max(): this is the innermost loop, and a call costs more than the rest of it
                    end = stamp
            else:
                absent += 1
                if stamp == FOREVER and expected[c] <= limit:  # a frame still to come could fill the place
                    hope_end = max(hope_end, expected[c])
                else:
                    hopeless += 1
        rank = absent * absence + end - start + penalty
        if rank < best_rank:
            best_rank, best_start, best_end, best = rank, start, end, list(pointers)
            if not absent and _next_stamp(stamps, best, high, expected) - end >= rank:
                return Choice(best, best, start, True)  # the usual case: what comes next is too far to do better
        if hopeless < absent:
            rank = hopeless * absence + max(end, hope_end) - start + penalty
            if rank < hope_rank:
                hope_rank, hope_start = rank, start
        for c in cameras:
            if heads[c] == start:
                i = pointers[c] = pointers[c] + 1
                heads[c] = stamps[c][i] if i < high[c] else FOREVER


def _next_stamp(stamps: Stamps, indices: list[int], high: list[int], expected: Sequence[int]) -> int:
    """Earliest stamp of a slot, there or still to come, behind those of a candidate."""
    return min([stamps[c][i + 1] if i + 1 < high[c] else expected[c] for c, i in enumerate(indices)])


def all_choices(
    stamps: Stamps, low: list[int], high: list[int], tolerance: int, favour: Favour = NO_FAVOUR
) -> list[list[int]]:
    """Select all sets of a range that gets no more frames, in ascending order.

    Every slot of the range is in exactly one of the sets, if only alone.

    Args:
        stamps: As in `first_choice`, as are `low`, `high` and `tolerance`.
        low: Per camera, first index.
        high: Per camera, end index.
        tolerance: Largest span.
        favour: Whom to favour.

    Returns:
        Per set, each camera's index or ABSENT.
    """
    closed = [FOREVER] * len(low)
    chosen: list[list[int]] = []
    todo: list[tuple[list[int], list[int], list[int] | None]] = [(low, high, None)]  # a stack: no recursion limit
    while todo:
        low, high, result = todo.pop()
        if result is not None:
            chosen.append(result)
        elif any(first < end for first, end in zip(low, high, strict=True)):
            choice = first_choice(stamps, low, high, tolerance, closed, favour)
            after = [end if i == ABSENT else i + 1 for i, end in zip(choice.indices, choice.before, strict=True)]
            todo += [(after, high, None), (after, after, choice.indices), (low, choice.before, None)]
    return chosen
