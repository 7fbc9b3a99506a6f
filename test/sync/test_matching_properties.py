"""Optimality and completeness against a brute-force oracle on small, arbitrary stamps."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from egorear_ros.sync import SyncConfig, Synchronizer
from egorear_ros.sync.matching import ABSENT, NO_FAVOUR, Favour, all_choices
from test.sync import oracle

stamp_lists = st.integers(1, 4).flatmap(
    lambda cameras: st.lists(
        st.lists(st.integers(0, 40), max_size=8 if cameras < 3 else 4, unique=True).map(sorted),
        min_size=cameras,
        max_size=cameras,
    )
)
"""1..4 cameras of few frames; stamps collide between cameras often."""

tolerances = st.integers(0, 25)


@settings(max_examples=300, deadline=None)
@given(stamp_lists, tolerances, st.integers(0, 3), st.integers(0, 15))
def test_choices_equal_the_oracle(stamps: list[list[int]], tolerance: int, favoured: int, handicap: int) -> None:
    favour = Favour(favoured, handicap) if favoured < len(stamps) else NO_FAVOUR
    chosen = all_choices(stamps, [0] * len(stamps), [len(each) for each in stamps], tolerance, favour)
    sets = [tuple(None if i == ABSENT else s[i] for i, s in zip(c, stamps, strict=True)) for c in chosen]
    assert sets == oracle.select(stamps, tolerance, favour)


@st.composite
def arrival_orders(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    """Stamps, and an arbitrary interleaving of the cameras that keeps each camera's own order."""
    stamps = draw(stamp_lists)
    order = draw(st.permutations([c for c, each in enumerate(stamps) for _ in each]))
    return stamps, order


def run_online(stamps: list[list[int]], order: list[int], tolerance: int) -> list[oracle.Set]:
    names = tuple(f"camera{c}" for c in range(len(stamps)))
    config = SyncConfig(names, tolerance=tolerance / 1e9, deadline=1e6, minimum_views=1, predict=False)
    synchronizer: Synchronizer[int] = Synchronizer(config)
    queues = [iter(each) for each in stamps]
    sets = []
    for now, camera in enumerate(order):
        stamp = next(queues[camera])
        sets += synchronizer.add(names[camera], stamp, stamp, now)
    sets += synchronizer.flush()
    return [aligned.stamps_ns for aligned in sets]


@settings(max_examples=400, deadline=None)
@given(arrival_orders(), tolerances)
def test_any_arrival_order_gives_the_oracles_sets(case: tuple[list[list[int]], list[int]], tolerance: int) -> None:
    stamps, order = case
    assert run_online(stamps, order, tolerance) == oracle.select(stamps, tolerance)


@settings(max_examples=300, deadline=None)
@given(arrival_orders(), tolerances)
def test_every_complete_set_is_found_or_excluded_by_a_better_one(
    case: tuple[list[list[int]], list[int]], tolerance: int
) -> None:
    stamps, order = case
    found = [views for views in run_online(stamps, order, tolerance) if None not in views]
    for views in itertools.product(*stamps):
        if max(views) - min(views) <= tolerance:
            better = [f for f in found if oracle.conflict(f, views) and oracle.rank(f) <= oracle.rank(views)]
            assert better, f"{views} exists within tolerance, but found were only {found}"
