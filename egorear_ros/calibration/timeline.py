"""Where the board is at the time of each picture: at rest in moments, or along a smooth motion.

Nodes are the poses that are estimated. A picture of a board at rest has the pose of its moment's node. A picture of a
moving board lies between nodes, on the cubic curve through the four around it, so its time matters: that is how the
offsets of the cameras' clocks are found.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from egorear_ros.calibration.poses import change_between, exponential, logarithm, moved
from egorear_ros.calibration.views import Floats, Ids

STEP = 1e-6
TIME_STEP_S = 1e-5


@dataclass(frozen=True)
class Placed:
    """Poses of the views and how they change.

    Attributes:
        poses: (V, 4, 4) rig_from_board.
        nodes: (V, K) numbers of the nodes that each depends on.
        by_nodes: (V, 6, K, 6) change of the pose by changes of those nodes.
        by_time: (V, 6) change per second that its picture was taken later.
    """

    poses: Floats
    nodes: Ids
    by_nodes: Floats
    by_time: Floats


class Timeline(ABC):
    """Links the views of a problem to nodes; `count` is how many nodes there are."""

    count: int
    keeps_time: bool = False

    @abstractmethod
    def place(self, nodes: Floats, offsets_s: Floats) -> Placed:
        """Poses of all views.

        Args:
            nodes: (N, 4, 4) rig_from_board.
            offsets_s: (V,) what is added to the time of each view.
        """

    @abstractmethod
    def poses(self, nodes: Floats, offsets_s: Floats) -> Floats:
        """(V, 4, 4) of `place` alone."""

    @abstractmethod
    def subset(self, kept: Ids) -> Timeline:
        """The same nodes for only some of the views."""


class Moments(Timeline):
    """A board at rest: view v has the pose of node `node[v]`."""

    def __init__(self, node: Sequence[int] | Ids, count: int) -> None:
        self._node, self.count = np.asarray(node, np.int64), count

    def place(self, nodes: Floats, offsets_s: Floats) -> Placed:
        """See `Timeline.place`."""
        views = len(self._node)
        same = np.broadcast_to(np.eye(6)[:, None], (views, 6, 1, 6))
        return Placed(nodes[self._node], self._node[:, None], same, np.zeros((views, 6)))

    def poses(self, nodes: Floats, offsets_s: Floats) -> Floats:
        """See `Timeline.poses`."""
        return nodes[self._node]

    def subset(self, kept: Ids) -> Moments:
        """See `Timeline.subset`."""
        return Moments(self._node[kept], self.count)


class Motion(Timeline):
    """A moving board: nodes at given times, in stretches that are seen without a gap.

    Args:
        times_s: (V,) of the views.
        node_times_s: (N,) ascending.
        stretch: (N,) number of the stretch that each node belongs to, ascending; each has at least four nodes.
    """

    keeps_time = True

    def __init__(self, times_s: Floats, node_times_s: Floats, stretch: Ids) -> None:
        self._times, self._node_times, self._stretch = times_s, node_times_s, stretch
        self.count = len(node_times_s)
        self._first = np.searchsorted(stretch, stretch, side="left")
        self._last = np.searchsorted(stretch, stretch, side="right") - 1

    def subset(self, kept: Ids) -> Motion:
        """See `Timeline.subset`."""
        return Motion(self._times[kept], self._node_times, self._stretch)

    def place(self, nodes: Floats, offsets_s: Floats) -> Placed:
        """See `Timeline.place`."""
        times = self._times + offsets_s
        around = self._around(times)
        four, at = nodes[around], self._node_times[around]
        poses = on_curve(four, at, times)
        by_nodes = np.empty((len(times), 6, 4, 6))
        for node in range(4):
            for number in range(6):
                changed = four.copy()
                changed[:, node] = moved(four[:, node], np.broadcast_to(STEP * np.eye(6)[number], (len(times), 6)))
                by_nodes[:, :, node, number] = change_between(poses, on_curve(changed, at, times)) / STEP
        later = change_between(poses, on_curve(four, at, times + TIME_STEP_S))
        return Placed(poses, around, by_nodes, later / TIME_STEP_S)

    def poses(self, nodes: Floats, offsets_s: Floats) -> Floats:
        """See `Timeline.poses`."""
        times = self._times + offsets_s
        around = self._around(times)
        return on_curve(nodes[around], self._node_times[around], times)

    def _around(self, times: Floats) -> Ids:
        """(V, 4) numbers of the nodes around each time, in one stretch."""
        nearest = np.abs(self._node_times[None] - times[:, None]).argmin(1)
        first, last = self._first[nearest], self._last[nearest]
        before = nearest - (times < self._node_times[nearest])
        begin = np.clip(before - 1, first, last - 3)
        return begin[:, None] + np.arange(4)


def on_curve(four: Floats, at: Floats, times: Floats) -> Floats:
    """(V, 4, 4) poses on the cubic curves through four poses each.

    Args:
        four: (V, 4, 4, 4).
        at: (V, 4) their times.
        times: (V,) wanted.
    """
    centre = four[:, 1]
    turned = logarithm(np.swapaxes(centre[:, :3, :3], -1, -2)[:, None] @ four[..., :3, :3])
    values = np.concatenate([turned, four[..., :3, 3]], -1)
    weights = np.ones(at.shape)
    for own in range(4):  # Lagrange's polynomial through four points that need not be evenly spaced
        for other in range(4):
            if other != own:
                weights[:, own] *= (times - at[:, other]) / (at[:, own] - at[:, other])
    value = (weights[..., None] * values).sum(1)
    poses = centre.copy()
    poses[:, :3, :3] = centre[:, :3, :3] @ exponential(value[:, :3])
    poses[:, :3, 3] = value[:, 3:]
    return poses
