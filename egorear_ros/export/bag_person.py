"""The person in a bag: joint states, a robot description and TF frames, which any viewer of ROS 2 shows.

The same as the body node publishes live; names are those of REP-155 with the skeleton's id.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from egorear_ros.bags import message_writing
from egorear_ros.bags.message_types import JOINT_STATE, STRING, TF
from egorear_ros.body import ANGLE_NAMES, CHAIN, FittedBody, HumanChain, joint_angles, robot_description, suffixed
from egorear_ros.rig import StaticTransform
from egorear_ros.topics import full_name

JOINT_STATES: Final = "joint_states"
DESCRIPTION: Final = "robot_description"


class BagPerson:
    """Messages of a fitted body.

    Args:
        body: the body.
        body_id: at the end of all names.
        namespace: of the topics.
    """

    def __init__(self, body: FittedBody, body_id: str, namespace: str) -> None:
        self._body, self._id = body, body_id
        self._chain = HumanChain(body.offsets_m)
        self._angles = joint_angles(body.parent_from_joint, body.offsets_m)
        self._names = [suffixed(name, body_id) for name in ANGLE_NAMES]
        self.states_topic = full_name(namespace, JOINT_STATES)
        self.description_topic = full_name(namespace, DESCRIPTION)

    @property
    def topics(self) -> dict[str, tuple[str, bool]]:
        """Topic -> type, and whether it is latched."""
        return {self.states_topic: (JOINT_STATE, False), self.description_topic: (STRING, True), "/tf": (TF, False)}

    def description(self) -> Any:
        """The robot description."""
        return message_writing.make_for_bag(STRING, data=robot_description(self._body.offsets_m, self._id))

    def moment(self, index: int) -> Iterator[tuple[str, str, Any]]:
        """Topic, type and message of one frame of the body."""
        sequence = self._body.sequence
        stamp_ns = int(sequence.stamps_ns[index])
        yield self.states_topic, JOINT_STATE, self._joint_state(index, stamp_ns)
        edges = [StaticTransform(sequence.frame_id, suffixed("body", self._id), self._hips(index))]
        rotations = Rotation.from_quat(self._chain.rotations(self._angles[index])).as_matrix()
        for joint, origin, rotation in zip(CHAIN, self._chain.origins_m, rotations, strict=True):
            at = _pose(rotation, origin)
            edges.append(StaticTransform(suffixed(joint.parent, self._id), suffixed(joint.child, self._id), at))
        yield "/tf", TF, message_writing.transforms(edges, stamp_ns)

    def _joint_state(self, index: int, stamp_ns: int) -> Any:
        nothing = np.zeros(0)
        return message_writing.make_for_bag(
            JOINT_STATE,
            header=message_writing.header(stamp_ns, ""),
            name=self._names,
            position=self._angles[index],
            velocity=nothing,
            effort=nothing,
        )

    def _hips(self, index: int) -> npt.NDArray[np.float64]:
        return _pose(self._body.device_from_joint[index, 0], self._body.positions_m[index, 0])


def _pose(rotation: npt.NDArray[np.float64], at_m: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, at_m
    return pose
