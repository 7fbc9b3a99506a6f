"""Cameras and rigs: fisheye models, calibration files, named cameras with poses, and the static frame tree.

May import: skeleton, errors, resources. Imported by everything above. No ROS; torch only if the caller hands in
    tensors.
"""

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.camera_info import CameraInfoFields, camera_from_info, camera_info_fields
from egorear_ros.rig.equidistant import EquidistantModel
from egorear_ros.rig.fitting import fit_equidistant
from egorear_ros.rig.frame_prefix import check_frame_prefix, frame_prefix_of, without_prefix
from egorear_ros.rig.loading import OFFICIAL_NAMES, load_official_calibration, load_rig, load_rw_extrinsics
from egorear_ros.rig.ocam import OCamModel
from egorear_ros.rig.omni import OmniModel
from egorear_ros.rig.rig import (
    DEVICE_FRAME,
    HELMET_FRAME,
    VIEWS,
    Rig,
    RigCamera,
    RigError,
    StaticTransform,
)
from egorear_ros.rig.sphere_models import DoubleSphereModel, ExtendedUnifiedModel
from egorear_ros.rig.view_range import half_diagonal, with_view_range
from egorear_ros.rig.writing import rig_content, rig_yaml

__all__ = [
    "DEVICE_FRAME",
    "HELMET_FRAME",
    "OFFICIAL_NAMES",
    "VIEWS",
    "CameraInfoFields",
    "CameraModel",
    "DoubleSphereModel",
    "EquidistantModel",
    "ExtendedUnifiedModel",
    "OCamModel",
    "OmniModel",
    "Rig",
    "RigCamera",
    "RigError",
    "StaticTransform",
    "camera_from_info",
    "camera_info_fields",
    "check_frame_prefix",
    "fit_equidistant",
    "frame_prefix_of",
    "half_diagonal",
    "load_official_calibration",
    "load_rig",
    "load_rw_extrinsics",
    "rig_content",
    "rig_yaml",
    "with_view_range",
    "without_prefix",
]
