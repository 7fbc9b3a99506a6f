"""The camera sets that are compared: those of the paper's tables, and those that remain when a camera fails."""

from __future__ import annotations

from collections.abc import Iterator

ViewMask = tuple[bool, ...]
"""Per view of the network, whether its image is there."""

ALL = "all views"
FRONT_PAIR = "front pair"


def view_sets(views: tuple[str, ...]) -> dict[str, ViewMask]:
    """Name the subsets to compare: all, the front pair, the front pair and each other view, all but each.

    Args:
        views: the network's views.

    Returns:
        Name -> mask; a subset that two names fit is there once, under the first.
    """
    found: dict[str, ViewMask] = {}
    for name, mask in _candidates(views):
        if any(mask) and mask not in found.values():
            found[name] = mask
    return found


def sets_with_one_lost(masks: dict[str, ViewMask]) -> list[str]:
    """Names of the subsets that lack exactly one view."""
    return [name for name, mask in masks.items() if mask.count(False) == 1]


def _candidates(views: tuple[str, ...]) -> Iterator[tuple[str, ViewMask]]:
    front = tuple(view.startswith("front") for view in views)
    yield ALL, (True,) * len(views)
    yield FRONT_PAIR, front
    for added in views:
        if any(front) and not added.startswith("front"):
            yield f"front + {added}", tuple(there or view == added for view, there in zip(views, front, strict=True))
    for lost in views:
        yield f"without {lost}", tuple(view != lost for view in views)
