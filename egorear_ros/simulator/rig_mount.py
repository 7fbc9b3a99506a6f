"""Where the device sits on the head, and how exactly it was built.

Ego4View-Syn publishes the cameras relative to the device, not the device relative to the head. The usual range is
chosen from the hand visibility the paper reports: tilted forward by 9 +- 6 degrees, the front cameras 3 to 8.5 cm ahead
of the forehead and up to 6 cm below the top of the head. The wide range covers other helmets, too.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from egorear_ros.errors import EgorearError
from egorear_ros.rig import Rig
from egorear_ros.rig.rigid import inverse
from egorear_ros.simulator.body.landmarks import Landmarks

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class MountRange:
    """How helmets sit on heads: what is drawn for each sequence.

    Attributes:
        tilt_deg: mean and standard deviation, or least and most with `uniform_tilt`; forward from straight down.
        ahead_m: least and most distance of the front cameras ahead of the forehead.
        below_top_m: least and most distance of the front cameras below the top of the head.
        uniform_tilt: how `tilt_deg` is meant.
        jitter_deg: (3,) standard deviations of the turn by which the helmet sits askew, head axes.
        jitter_m: standard deviation of the shift along each axis.
        camera_jitter_deg, camera_jitter_m: the same of each camera in its mount, its own axes.
    """

    tilt_deg: tuple[float, float] = (9.0, 6.0)
    ahead_m: tuple[float, float] = (0.03, 0.085)
    below_top_m: tuple[float, float] = (0.0, 0.06)
    uniform_tilt: bool = False
    jitter_deg: tuple[float, float, float] = (1.5, 2.5, 2.5)
    jitter_m: float = 0.006
    camera_jitter_deg: float = 0.4
    camera_jitter_m: float = 0.002


USUAL_MOUNT: Final = "usual"
MOUNTS: Final = {
    USUAL_MOUNT: MountRange(),
    "wide": MountRange(
        tilt_deg=(-8.0, 33.0),
        ahead_m=(-0.005, 0.13),
        below_top_m=(-0.02, 0.09),
        uniform_tilt=True,
        jitter_deg=(3.0, 3.5, 3.5),
        jitter_m=0.01,
        camera_jitter_deg=0.8,
        camera_jitter_m=0.003,
    ),
}
FIXED_BY: Final = {"tilt": "tilt_deg", "ahead": "ahead_m", "below": "below_top_m"}


def mount_range(text: str) -> MountRange:
    """Read a mount option: a name of `MOUNTS`, then values that are fixed, for example "usual,tilt=15,ahead=0.08".

    Args:
        text: `tilt` is in degrees, `ahead` and `below` are in metres. Without a name, "usual" is meant.

    Raises:
        EgorearError: an unknown name or key, or a value that is no number in its range.
    """
    words = [word.strip() for word in text.split(",")]
    name = words.pop(0) if words and "=" not in words[0] else USUAL_MOUNT
    if name not in MOUNTS:
        raise EgorearError(f"mount '{name}' is not known; there are {', '.join(MOUNTS)}, or write tilt=15,ahead=0.08")
    chosen = MOUNTS[name]
    for word in words:
        key, _, value = word.partition("=")
        chosen = _with_fixed(chosen, key.strip(), value)
    return chosen


def _with_fixed(ranges: MountRange, key: str, text: str) -> MountRange:
    """The same with one quantity at one value."""
    limits = {"tilt": (-90.0, 90.0), "ahead": (-0.1, 0.5), "below": (-0.3, 0.3)}
    if key not in limits:
        raise EgorearError(f"mount: '{key}' is not known; what can be fixed is {', '.join(FIXED_BY)}")
    least, most = limits[key]
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise EgorearError(f"mount: {key} is '{text}', expected a number from {least:g} to {most:g}")
    fixed = (value, value)
    fields: dict[str, Any] = {FIXED_BY[key]: fixed, **({"uniform_tilt": True} if key == "tilt" else {})}
    return dataclasses.replace(ranges, **fields)


@dataclass(frozen=True)
class HeadSize:
    """The skull at rest, body frame (x left, y back, z up), metres."""

    top_z: float
    front_y: float
    back_y: float
    half_width: float

    @property
    def center(self) -> NDArray[np.float64]:
        """Middle of the skull at the height of its widest girth."""
        return np.array([0.0, (self.front_y + self.back_y) / 2, self.top_z - 0.095])


def head_size(marks: Landmarks) -> HeadSize:
    """Measure the skull of a body."""
    asset, shape = marks.asset, marks.shape
    on_skin = np.unique(asset.faces["skin"])
    on_head = on_skin[asset.weight_of("head")[on_skin] > 0.8]
    points = shape.vertices_m[on_head]
    top = float(points[:, 2].max())
    girth = points[np.abs(points[:, 2] - (top - 0.055)) < 0.012]
    return HeadSize(top, float(girth[:, 1].min()), float(girth[:, 1].max()), float(np.abs(girth[:, 0]).max()))


@dataclass(frozen=True)
class RigMount:
    """A rig on a head.

    Attributes:
        device_from_head: (4, 4) metres; head: the body's rest frame, carried along by the head bone.
        camera_from_device: (V, 4, 4) metres, as built (with tolerances).
        rig: the rig as designed.
    """

    device_from_head: Matrix
    camera_from_device: Matrix
    rig: Rig

    def device_from_world(self, head_rotation: NDArray[np.floating], head_translation: NDArray[np.floating]) -> Matrix:
        """Device pose (4, 4) for the head bone's world_from_rest rotation (3, 3) and translation (3,)."""
        world_from_head = np.eye(4)
        world_from_head[:3, :3], world_from_head[:3, 3] = head_rotation, head_translation
        return self.device_from_head @ inverse(world_from_head)

    def camera_from_world(self, device_from_world: Matrix) -> list[Matrix]:
        """Pose of every camera."""
        return [camera_from_device @ device_from_world for camera_from_device in self.camera_from_device]


def mount(
    rig: Rig,
    size: HeadSize,
    tilt_rad: float = float(np.radians(9.0)),
    ahead_m: float = 0.055,
    below_top_m: float = 0.03,
    jitter: NDArray[np.floating] | None = None,
    camera_jitter: NDArray[np.floating] | None = None,
) -> RigMount:
    """Put a rig on a head.

    Args:
        rig: the cameras.
        size: the head.
        tilt_rad: how far the optical axes lean forward from straight down.
        ahead_m: front cameras ahead of the forehead.
        below_top_m: front cameras below the top of the head.
        jitter: (6,) rotation vector and translation by which the helmet sits askew.
        camera_jitter: (V, 6) the same of each camera in its mount.
    """
    cosine, sine = np.cos(tilt_rad), np.sin(tilt_rad)
    # Rows: device axes right, back, down, in the head's frame (left, back, up).
    rotation = np.array([[-1.0, 0, 0], [0, cosine, -sine], [0, -sine, -cosine]])
    origin = np.array([0.0, size.front_y - ahead_m, size.top_z - below_top_m])
    if jitter is not None:
        rotation = Rotation.from_rotvec(jitter[:3]).as_matrix() @ rotation
        origin = origin + jitter[3:]
    device_from_head = np.eye(4)
    device_from_head[:3, :3], device_from_head[:3, 3] = rotation, -rotation @ origin
    cameras = np.stack([camera.camera_from_device for camera in rig.cameras])
    if camera_jitter is not None:
        cameras = np.stack([small_pose(row) @ camera for row, camera in zip(camera_jitter, cameras, strict=True)])
    return RigMount(device_from_head, cameras, rig)


def small_pose(row: NDArray[np.floating]) -> Matrix:
    """Pose (4, 4) of a rotation vector and a translation (6,)."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = Rotation.from_rotvec(row[:3]).as_matrix(), row[3:]
    return pose


def sample_mount(
    rng: np.random.Generator, rig: Rig, size: HeadSize, ranges: MountRange = MOUNTS[USUAL_MOUNT]
) -> RigMount:
    """Draw how the helmet sits, with the tolerances of its parts."""
    cameras = len(rig.cameras)
    tilt_rad = np.radians(ranges.tilt_deg)
    return mount(
        rig,
        size,
        tilt_rad=rng.uniform(*tilt_rad) if ranges.uniform_tilt else rng.normal(*tilt_rad),
        ahead_m=rng.uniform(*ranges.ahead_m),
        below_top_m=rng.uniform(*ranges.below_top_m),
        jitter=np.concatenate([rng.normal(0, np.radians(ranges.jitter_deg)), rng.normal(0, ranges.jitter_m, 3)]),
        camera_jitter=np.concatenate(
            [
                rng.normal(0, np.radians(ranges.camera_jitter_deg), (cameras, 3)),
                rng.normal(0, ranges.camera_jitter_m, (cameras, 3)),
            ],
            axis=1,
        ),
    )
