"""Where the cameras sit to each other: pairs that see the board at once, chained to a rig."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from egorear_ros.calibration.clocks import guess_offset, times_of
from egorear_ros.calibration.errors import CalibrationError
from egorear_ros.calibration.poses import middle_pose
from egorear_ros.calibration.single import SingleCamera
from egorear_ros.calibration.timeline import on_curve
from egorear_ros.calibration.views import Floats
from egorear_ros.rig.rigid import inverse

LEAST_SHARED = 3
"""Moments that two cameras must share to be linked."""
MOST_CANDIDATES = 80


@dataclass(frozen=True)
class Link:
    """Two cameras that saw the board at once.

    Attributes:
        first, second: their numbers.
        shared: how many times.
        first_from_second: (4, 4), metres.
        offset_s: what to add to the second's times to have the first's.
    """

    first: int
    second: int
    shared: int
    first_from_second: Floats
    offset_s: float


def links_of(cameras: Sequence[SingleCamera], period_s: float | None) -> list[Link]:
    """All pairs that share enough; `period_s` is that of a moving board, None where it was at rest."""
    found = []
    for first in range(len(cameras)):
        for second in range(first + 1, len(cameras)):
            a, b = cameras[first], cameras[second]
            # a board that hardly turns does not show the offset; then clocks that agree are the best guess
            offset = 0.0 if period_s is None else guess_offset(a, b, 2.5 * period_s) or 0.0
            pairs = _at_rest(a, b) if period_s is None else _in_motion(a, b, offset, period_s)
            if len(pairs) >= LEAST_SHARED:
                some = pairs[:: max(1, len(pairs) // MOST_CANDIDATES)]
                found.append(Link(first, second, len(pairs), middle_pose(np.stack(some)), offset))
    return found


def _at_rest(a: SingleCamera, b: SingleCamera) -> list[Floats]:
    theirs = {view.moment: pose for view, pose in zip(b.views, b.camera_from_board, strict=True)}
    return [
        pose @ inverse(theirs[view.moment])
        for view, pose in zip(a.views, a.camera_from_board, strict=True)
        if view.moment is not None and view.moment in theirs
    ]


def _in_motion(a: SingleCamera, b: SingleCamera, offset_s: float, period_s: float) -> list[Floats]:
    order = np.argsort(times_of(a))
    times, poses = times_of(a)[order], a.camera_from_board[order]
    pairs = []
    for time, pose in zip(times_of(b) + offset_s, b.camera_from_board, strict=True):
        begin = int(np.clip(np.searchsorted(times, time) - 2, 0, max(len(times) - 4, 0)))
        at = times[begin : begin + 4]
        if len(at) == 4 and at[1] <= time <= at[2] and at[3] - at[0] <= 5 * period_s:
            there = on_curve(poses[None, begin : begin + 4], at[None], np.array([time]))[0]
            pairs.append(there @ inverse(pose))
    return pairs


def chained(names: Sequence[str], links: Sequence[Link]) -> tuple[Floats, Floats]:
    """Poses of all cameras by the best links.

    Returns:
        camera_from_first, (C, 4, 4), and the offsets of the clocks to the first's, (C,) seconds.

    Raises:
        CalibrationError: the cameras fall into groups that share nothing.
    """
    poses, offsets = {0: np.eye(4)}, {0: 0.0}
    remaining = sorted(links, key=lambda link: -link.shared)
    while True:
        link = next((item for item in remaining if (item.first in poses) != (item.second in poses)), None)
        if link is None:
            break
        if link.first in poses:
            poses[link.second] = inverse(link.first_from_second) @ poses[link.first]
            offsets[link.second] = offsets[link.first] + link.offset_s
        else:
            poses[link.first] = link.first_from_second @ poses[link.second]
            offsets[link.first] = offsets[link.second] - link.offset_s
    if len(poses) < len(names):
        raise CalibrationError(_not_connected(names, links))
    order = range(len(names))
    return np.stack([poses[c] for c in order]), np.array([offsets[c] for c in order])


def groups_of(count: int, links: Sequence[Link]) -> list[list[int]]:
    """Cameras that are linked with each other, directly or through others."""
    group = list(range(count))
    for link in links:
        old, new = group[link.second], group[link.first]
        group = [new if value == old else value for value in group]
    return [[c for c in range(count) if group[c] == value] for value in dict.fromkeys(group)]


def _not_connected(names: Sequence[str], links: Sequence[Link]) -> str:
    groups = [", ".join(names[c] for c in group) for group in groups_of(len(names), links)]
    return (
        f"the cameras do not hang together: no link between {' | '.join(groups)}. Show the board to a camera of each "
        f"group at once, at least {LEAST_SHARED} times (in folders: pictures of one moment have the same name)"
    )
