"""One kinematic body over EgoRear's 16 joints: constant bone lengths, joint limits, one rotation per bone.

May import: skeleton, datatypes, errors, rig. Imported by export and cli. No ROS, no torch.
"""

from egorear_ros.body.angles import joint_angles
from egorear_ros.body.description import robot_description
from egorear_ros.body.fitted import FitError, FittedBody
from egorear_ros.body.fitting import BodyFitter, fit_body
from egorear_ros.body.lengths import BodyLengths, measure_lengths
from egorear_ros.body.live import LiveBody, LiveBodyConfig
from egorear_ros.body.pose import BodyPose
from egorear_ros.body.rep155 import ANGLE_NAMES, CHAIN, LINK_OF, HumanChain, suffixed
from egorear_ros.body.sequence import SkeletonSequence
from egorear_ros.body.tree import BODY_JOINTS, BODY_PARENTS, ROTATING, forward_kinematics, rest_offsets

__all__ = [
    "ANGLE_NAMES",
    "BODY_JOINTS",
    "BODY_PARENTS",
    "CHAIN",
    "LINK_OF",
    "ROTATING",
    "BodyFitter",
    "BodyLengths",
    "BodyPose",
    "FitError",
    "FittedBody",
    "HumanChain",
    "LiveBody",
    "LiveBodyConfig",
    "SkeletonSequence",
    "fit_body",
    "forward_kinematics",
    "joint_angles",
    "measure_lengths",
    "rest_offsets",
    "robot_description",
    "suffixed",
]
