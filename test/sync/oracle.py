"""The package docstring's definition, taken literally and slowly: all sets are listed, nothing is clever."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from egorear_ros.sync.matching import ABSENT, NO_FAVOUR, Favour

Set = tuple[int | None, ...]
"""Per camera the stamp, or None where absent."""


def all_sets(stamps: Sequence[Sequence[int]], tolerance: int) -> Iterator[Set]:
    """List every set, complete or partial, with span <= tolerance."""
    for views in itertools.product(*[[None, *each] for each in stamps]):
        present = [v for v in views if v is not None]
        if present and max(present) - min(present) <= tolerance:
            yield views


def rank(views: Set, favour: Favour = NO_FAVOUR) -> tuple[object, ...]:
    """Sort key, lowest is best: absent views, span, start; sets equal in these: the earliest frames."""
    present = [v for v in views if v is not None]
    begins_well = favour.camera == ABSENT or views[favour.camera] == min(present)
    return (
        views.count(None),
        max(present) - min(present) + (0 if begins_well else favour.handicap),
        min(present),
        tuple(float("inf") if v is None else v for v in views),
    )


def start(views: Set) -> int:
    return min(v for v in views if v is not None)


def select(stamps: Sequence[Sequence[int]], tolerance: int, favour: Favour = NO_FAVOUR) -> list[Set]:
    """Take the best set, then the best of what lies before and after it."""
    candidates = list(all_sets(stamps, tolerance))
    if not candidates:
        return []
    best = min(candidates, key=lambda views: rank(views, favour))
    before = [[s for s in each if s < start(best)] for each in stamps]
    after = [
        [s for s in each if (s >= start(best) if view is None else s > view)]
        for each, view in zip(stamps, best, strict=True)
    ]
    return [*select(before, tolerance, favour), best, *select(after, tolerance, favour)]


def conflict(a: Set, b: Set) -> bool:
    """Whether two complete sets share a frame or cross."""
    order = {(x > y) - (x < y) for x, y in zip(a, b, strict=True) if x is not None and y is not None}
    return len(order) > 1 or 0 in order
