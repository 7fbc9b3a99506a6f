"""The rig: named cameras, where they sit, and the tree of frames that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from egorear_ros.errors import EgorearError
from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.rigid import Matrix, check_rigid, inverse

HELMET_FRAME: Final = "helmet_link"
"""x forward, y left, z up (REP-103); origin in the helmet's middle, between the front and the rear cameras."""

DEVICE_FRAME: Final = "egorear_device_frame"
"""EgoRear's device frame: x to the wearer's right, y backward, z down; origin midway between the two front cameras."""

VIEWS: Final[tuple[str, ...]] = ("front_left", "front_right", "rear_left", "rear_right")
"""View order of the four-camera helmet, everywhere."""

# Device axes in the helmet frame: right is -y, backward is -x, down is -z.
HELMET_FROM_DEVICE_ROTATION: Final = ((0.0, -1.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, -1.0))


class RigError(EgorearError):
    """A rig or calibration that contradicts itself, or does not fit what it is used for."""


@dataclass(frozen=True)
class RigCamera:
    """One camera of a rig.

    Attributes:
        name: view name, for example "rear_left".
        model: lens and image.
        camera_from_device: (4, 4) float64, metres; maps device coordinates to the camera's optical frame.
    """

    name: str
    model: CameraModel
    camera_from_device: Matrix

    @property
    def optical_frame(self) -> str:
        """Name of the camera's TF frame (z forward, x right, y down)."""
        return f"{self.name}_optical_frame"

    @property
    def device_from_camera(self) -> Matrix:
        """(4, 4) inverse of `camera_from_device`."""
        return inverse(self.camera_from_device)


@dataclass(frozen=True)
class StaticTransform:
    """An edge of the static TF tree: `parent_from_child` is the pose of `child` in `parent`, (4, 4), metres."""

    parent: str
    child: str
    parent_from_child: Matrix


@dataclass(frozen=True)
class Rig:
    """A helmet with one or more cameras, in view order.

    Attributes:
        name: what the rig is called, for messages.
        cameras: at least one, with different names.
        helmet_from_device: (4, 4), metres; ties the device frame to the helmet.
        source: where the calibration comes from.
    """

    name: str
    cameras: tuple[RigCamera, ...]
    helmet_from_device: Matrix = field(repr=False)
    source: str = ""

    def __post_init__(self) -> None:
        """Raise RigError on an empty rig, a name used twice, or a transform that is not rigid."""
        if not self.cameras:
            raise RigError(f"rig '{self.name}' has no cameras; give it at least one")
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise RigError(f"rig '{self.name}': camera name '{twice[0]}' is used twice; names must differ")
        for owner, matrix in [
            ("helmet", self.helmet_from_device),
            *((c.name, c.camera_from_device) for c in self.cameras),
        ]:
            try:
                check_rigid(matrix)
            except ValueError as error:
                raise RigError(f"rig '{self.name}', pose of '{owner}': {error}") from error

    @property
    def names(self) -> tuple[str, ...]:
        """View names in order."""
        return tuple(camera.name for camera in self.cameras)

    def __getitem__(self, name: str) -> RigCamera:
        for camera in self.cameras:
            if camera.name == name:
                return camera
        raise RigError(f"rig '{self.name}' has no camera '{name}'; it has {', '.join(self.names)}")

    def subset(self, names: Iterable[str]) -> Rig:
        """Return the rig with only these cameras, in the order given."""
        return replace(self, cameras=tuple(self[name] for name in names))

    def completed(self, names: Iterable[str], other: Rig) -> Rig:
        """Return the rig with exactly these cameras, in the order given; those it lacks are taken from another rig."""
        return replace(self, cameras=tuple((self if name in self.names else other)[name] for name in names))

    def resized(self, width: int, height: int) -> Rig:
        """Return the rig for images resized to width x height."""
        return replace(self, cameras=tuple(replace(c, model=c.model.resized(width, height)) for c in self.cameras))

    def with_extrinsics(self, camera_from_device: Mapping[str, Matrix]) -> Rig:
        """Return the rig with other camera poses: one (4, 4) matrix in metres per view.

        Raises:
            RigError: a view of the rig is missing, or a matrix is not rigid.
        """
        missing = [name for name in self.names if name not in camera_from_device]
        if missing:
            raise RigError(
                f"rig '{self.name}': no extrinsics for camera '{missing[0]}'; got {sorted(camera_from_device)}"
            )
        cameras = tuple(
            replace(camera, camera_from_device=np.asarray(camera_from_device[camera.name], dtype=np.float64))
            for camera in self.cameras
        )
        return replace(self, cameras=cameras)

    def static_transforms(self, prefix: str = "") -> tuple[StaticTransform, ...]:
        """Static TF tree: helmet_link -> egorear_device_frame -> <view>_optical_frame for every camera.

        Args:
            prefix: before the name of every frame, for several helmets in one tree.
        """
        device_frame = prefix + DEVICE_FRAME
        device = StaticTransform(prefix + HELMET_FRAME, device_frame, self.helmet_from_device)
        views = (
            StaticTransform(device_frame, prefix + camera.optical_frame, camera.device_from_camera)
            for camera in self.cameras
        )
        return (device, *views)
