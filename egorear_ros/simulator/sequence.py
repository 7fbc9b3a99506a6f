"""One sequence of the simulator: a person doing something in a place, frame by frame.

Everything about frame i of sequence k follows from (seed, k, i): frames can be rendered in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.body.landmarks import Landmarks
from egorear_ros.simulator.body.retarget import BodyMotion, retarget
from egorear_ros.simulator.camera_effects import CameraEffects, apply_effects, sample_effects
from egorear_ros.simulator.exposure import blurred, rolled, subframes
from egorear_ros.simulator.ground_truth import GroundTruth, observe, visible_joints
from egorear_ros.simulator.hand_props import hand_prop
from egorear_ros.simulator.helmet import helmet_mesh
from egorear_ros.simulator.looks.lens import LensFlaws, in_camera, sample_flaws, through_lens, wide_effects
from egorear_ros.simulator.looks.light import brightness
from egorear_ros.simulator.looks.places import widened
from egorear_ros.simulator.motion.procedural import (
    PITCH_SHARES_LIBRARY,
    PITCH_SHARES_PROCEDURAL,
    head_pitch_variation,
)
from egorear_ros.simulator.renderer.mesh import Mesh, merge
from egorear_ros.simulator.renderer.renderer import Views
from egorear_ros.simulator.rig_mount import head_size, sample_mount
from egorear_ros.simulator.scene.sampler import sample_scene

if TYPE_CHECKING:
    from egorear_ros.simulator.sampler import Simulator

MOTION_FPS: Final = 30.0
BYSTANDERS: Final = 16
"""Other people there are in the places of one seed, with wide looks."""


@dataclass(frozen=True)
class Frame:
    """One moment, seen by all cameras.

    Attributes:
        images: (V, H, W, 3) uint8 RGB, before JPEG.
        truth: ground truth.
        jpeg_quality: what the sequence's cameras compress with.
        views: distance and part images (radiance included), for those who want them.
    """

    images: NDArray[np.uint8]
    truth: GroundTruth
    jpeg_quality: int
    views: Views


class Sequence:
    """One person doing something in one place."""

    def __init__(self, simulator: Simulator, index: int, frames: int, actions: tuple[str, ...] | None = None) -> None:
        settings = simulator.settings
        self._simulator, self._index, self._frames = simulator, index, frames
        rng = np.random.default_rng([settings.seed, index, 3])
        self.character = simulator.person(index)
        self.clip = simulator.clip(index, frames / settings.fps, actions).resampled(MOTION_FPS)
        self.motion = self._retarget(rng)
        pelvis = self.motion.bone_heads_m[:, simulator.asset.bone["pelvis"], :2]
        last = max(1, int(np.ceil(frames / settings.fps * MOTION_FPS)))
        self.scene = sample_scene(rng, pelvis[: last + 1])
        size = head_size(Landmarks(simulator.asset, self.character.shape))
        self.mount = sample_mount(rng, settings.rig, size, settings.mount)
        self.effects: CameraEffects = sample_effects(rng, settings.motion_blur)
        self.flaws: LensFlaws | None = None
        if settings.wide:
            self._look_wide(pelvis[: last + 1])
        self._helmet = helmet_mesh(rng, size, self.mount)
        self._prop = hand_prop(rng, simulator.asset, self.character.shape)

    def __len__(self) -> int:
        return self._frames

    def stamp_ns(self, i: int) -> int:
        """Time of frame i since the sequence began."""
        return round(i / self._simulator.settings.fps * 1e9)

    def frame(self, i: int) -> Frame:
        """Render frame i (0 .. len - 1)."""
        simulator, settings = self._simulator, self._simulator.settings
        time_s = i / settings.fps
        rotations, heads = self._pose_at(time_s)
        device_from_world, world_from_head = self._device(rotations, heads)
        joints_device, joints_camera, pixels, in_view = observe(
            simulator.asset, heads, device_from_world, self.mount.camera_from_device, simulator.renderer.models
        )
        views = self._render(rotations, heads, device_from_world)
        radiance = self._exposed(time_s, pixels, views)
        visible = visible_joints(simulator.asset, joints_camera, pixels, in_view, views.distance_m, views.part)
        rng = np.random.default_rng([settings.seed, self._index, 4, i])
        truth = GroundTruth(
            joints_device_m=joints_device,
            joints_camera_m=joints_camera,
            pixels=pixels,
            in_view=in_view,
            visible=visible,
            camera_from_device=self.mount.camera_from_device,
            device_from_world=device_from_world,
            world_from_head=world_from_head,
            stamp_ns=self.stamp_ns(i),
            body=self.character.shape.index,
            clip=self.clip.name,
            clip_frame=round(time_s * MOTION_FPS),
            action=self.clip.action_at(time_s),
        )
        return Frame(self._developed(radiance, rng), truth, self.effects.jpeg_quality, views)

    def _look_wide(self, path_m: NDArray[np.floating]) -> None:
        """Replace place, camera and lens by those of wide looks, from a random stream of their own."""
        settings = self._simulator.settings
        rng = np.random.default_rng([settings.seed, self._index, 8])
        people = [self._simulator.bystander(int(number)) for number in rng.integers(BYSTANDERS, size=2)]
        self.scene = widened(rng, self.scene, path_m, people)
        self.effects = wide_effects(rng, brightness(self.scene), settings.motion_blur)
        self.flaws = sample_flaws(rng, len(settings.rig.cameras))

    def _developed(self, radiance: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
        """The cameras' images of the light that reaches them."""
        circles = [model.image_circle_radius_px for model in self._simulator.renderer.models]
        if self.flaws is None:
            return apply_effects(radiance, self.effects, circles, rng)
        return in_camera(apply_effects(through_lens(radiance, self.flaws), self.effects, circles, rng), self.flaws)

    def _retarget(self, rng: np.random.Generator) -> BodyMotion:
        character = self.character
        shares = PITCH_SHARES_LIBRARY if self._simulator.settings.motion is not None else PITCH_SHARES_PROCEDURAL
        pitch = head_pitch_variation(rng, len(self.clip), MOTION_FPS, shares)
        return retarget(
            self._simulator.asset, character.shape, self.clip, character.sole_m, pitch, character.finger_curl
        )

    def _pose_at(self, time_s: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Bone rotations (B, 3, 3) and heads (B, 3) at a time, between the motion's frames."""
        position = float(np.clip(time_s * MOTION_FPS, 0, len(self.motion) - 1))
        before = min(int(position), max(len(self.motion) - 2, 0))
        after, share = min(before + 1, len(self.motion) - 1), np.float32(position - before)
        heads = self.motion.bone_heads_m
        rotations = self.motion.world_from_rest
        if share < 1e-4:
            return rotations[before], heads[before]
        mixed = rotations[before] * (1 - share) + rotations[after] * share
        return orthonormal(mixed), heads[before] * (1 - share) + heads[after] * share

    def _device(
        self, rotations: NDArray[np.float32], heads: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        head = self._simulator.asset.bone["head"]
        rotation = rotations[head].astype(np.float64)
        translation = heads[head] - rotation @ self.character.shape.bone_heads_m[head]
        world_from_head = np.eye(4)
        world_from_head[:3, :3], world_from_head[:3, 3] = rotation, translation
        return self.mount.device_from_world(rotation, translation), world_from_head

    def _mesh(
        self, rotations: NDArray[np.float32], heads: NDArray[np.float32], world_from_head: NDArray[np.float64]
    ) -> Mesh:
        parts = [self.character.posed(rotations, heads), self._helmet.moved(world_from_head), self.scene.furniture]
        if self._prop is not None:
            parts.append(self._prop.posed(rotations, heads, self.character.shape))
        return merge(parts)

    def _render(
        self, rotations: NDArray[np.float32], heads: NDArray[np.float32], device_from_world: NDArray[np.float64]
    ) -> Views:
        _, world_from_head = self._device(rotations, heads)
        return self._simulator.renderer.render(
            self._mesh(rotations, heads, world_from_head),
            self.scene,
            self.character.spheres(heads),
            self.mount.camera_from_world(device_from_world),
        )

    def _exposed(self, time_s: float, pixels: NDArray[np.float64], sharp: Views) -> NDArray[np.float32]:
        """Average the light over the exposure, in as many steps as the motion needs."""
        shutter_s, readout_s = self.effects.shutter_s, 0.0 if self.flaws is None else self.flaws.readout_s
        if shutter_s <= 0:
            return sharp.radiance
        simulator = self._simulator
        rotations, heads = self._pose_at(max(time_s - (shutter_s + readout_s) / 2, 0.0))
        device_from_world, _ = self._device(rotations, heads)
        _, _, at_open, in_view = observe(
            simulator.asset, heads, device_from_world, self.mount.camera_from_device, simulator.renderer.models
        )
        steps = subframes(np.linalg.norm(pixels - at_open, axis=-1)[in_view])
        if steps < 1:
            return sharp.radiance
        if readout_s > 0:
            height = sharp.radiance.shape[1]
            return rolled(self._light_at, height, time_s, shutter_s, readout_s, max(steps, 2))
        return blurred(self._light_at, sharp.radiance, time_s, shutter_s, steps)

    def _light_at(self, time_s: float) -> NDArray[np.float32]:
        """What reaches the cameras at one moment, (V, H, W, 3)."""
        rotations, heads = self._pose_at(time_s)
        device_from_world, _ = self._device(rotations, heads)
        return self._render(rotations, heads, device_from_world).radiance


def orthonormal(matrices: NDArray[np.float32]) -> NDArray[np.float32]:
    """Nearest rotations of nearly orthonormal matrices (..., 3, 3): first two columns straightened, third follows."""
    x = matrices[..., 0] / np.linalg.norm(matrices[..., 0], axis=-1, keepdims=True)
    y = matrices[..., 1] - x * (x * matrices[..., 1]).sum(-1, keepdims=True)
    y = y / np.linalg.norm(y, axis=-1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], axis=-1).astype(np.float32)
