"""Random people in random places doing things, reproducibly.

Everything about sequence number k follows from (seed, k), everything about its frame i from (seed, k, i): sequences and
frames can be made in any order, by any number of workers, and come out the same to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.errors import EgorearError
from egorear_ros.rig import Rig, load_rig
from egorear_ros.simulator.body.asset import BodyAsset, load_bodies
from egorear_ros.simulator.body.character import Character, dress
from egorear_ros.simulator.body.landmarks import Landmarks
from egorear_ros.simulator.body.makehuman import MakeHumanGarment
from egorear_ros.simulator.body.retarget import BodyMotion, retarget
from egorear_ros.simulator.camera_effects import CameraEffects, apply_effects, sample_effects, through_jpeg
from egorear_ros.simulator.exposure import blurred, rolled, subframes
from egorear_ros.simulator.ground_truth import GroundTruth, observe, visible_joints
from egorear_ros.simulator.hand_props import hand_prop
from egorear_ros.simulator.helmet import helmet_mesh
from egorear_ros.simulator.looks.lens import (
    LensFlaws,
    in_camera,
    sample_flaws,
    through_lens,
    wide_effects,
)
from egorear_ros.simulator.looks.light import brightness
from egorear_ros.simulator.looks.people import dress_widely, sample_bystander
from egorear_ros.simulator.looks.places import Bystander, widened
from egorear_ros.simulator.looks.skins import Skins, wide_textures
from egorear_ros.simulator.motion.clip import MotionClip
from egorear_ros.simulator.motion.library import MotionLibrary
from egorear_ros.simulator.motion.procedural import (
    PITCH_SHARES_LIBRARY,
    PITCH_SHARES_PROCEDURAL,
    head_pitch_variation,
    procedural_clip,
)
from egorear_ros.simulator.motion.variation import varied_clip
from egorear_ros.simulator.renderer.mesh import Mesh, merge
from egorear_ros.simulator.renderer.renderer import FisheyeRenderer, Views
from egorear_ros.simulator.rig_mount import MOUNTS, USUAL_MOUNT, MountRange, head_size, sample_mount
from egorear_ros.simulator.scene.sampler import sample_scene

GENERATOR_VERSION: Final = 2
"""Raised whenever the same seed gives other images."""

LOOKS: Final = ("plain", "wide")
WIDE_VERSION: Final = 5
"""Raised whenever the same seed gives other images with wide looks."""

MOTION_FPS: Final = 30.0
SEQUENCES_PER_PERSON: Final = 2
BYSTANDERS: Final = 16
"""Other people there are in the places of one seed, with wide looks."""
HELD_OUT: Final = {"train": (0, 1, 2), "val": (3,), "test": (4,)}
"""Bodies are split by their number modulo 5, so that nobody trains on a benchmark's person."""


@dataclass(frozen=True)
class SimulatorSettings:
    """What to simulate.

    Attributes:
        rig: cameras, in view order.
        size_px: image width.
        seed: everything random follows from it.
        fps: frames per second of a sequence.
        motion: a motion library, or None for procedural motion.
        split: "train", "val" or "test": which bodies and clips may appear.
        vary_motion: change what the library has (`motion/variation.py`); for training.
        samples: rays per pixel side; None: 2 up to 512 px, 1 above.
        motion_blur: whether fast motion blurs.
        threads: views rendered at the same time.
        mount: how helmets sit on heads.
        clothes: MakeHuman clothes, from `read_wardrobe`; by default everybody wears garments of our own. With plain
            looks only.
        looks: "plain", those of EgoRear-Sim, or "wide": far more kinds of people, places, light and lenses (`looks`).
        skins: photographic skins, from `read_skins`, for wide looks.
    """

    rig: Rig = field(default_factory=lambda: load_rig("ego4view"))
    size_px: int = 256
    seed: int = 0
    fps: float = 30.0
    motion: MotionLibrary | None = None
    split: str = "train"
    vary_motion: bool = False
    samples: int | None = None
    motion_blur: bool = True
    threads: int = 1
    mount: MountRange = MOUNTS[USUAL_MOUNT]
    clothes: tuple[MakeHumanGarment, ...] = ()
    looks: str = "plain"
    skins: Skins | None = None

    def __post_init__(self) -> None:
        if self.looks not in LOOKS:
            raise EgorearError(f"looks '{self.looks}' are unknown; known are {', '.join(LOOKS)}")
        if self.looks == "plain" and self.skins is not None:
            raise EgorearError("photographic skins belong to wide looks: ask for looks 'wide', too")
        if self.looks == "wide" and self.clothes:
            raise EgorearError("MakeHuman clothes are worn with plain looks only: leave out one of the two")

    @property
    def wide(self) -> bool:
        """Whether looks are wide."""
        return self.looks == "wide"


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


class Simulator:
    """Makes sequences; holds the renderer and its buffers (one per thread or process)."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self.settings = settings
        self.asset: BodyAsset = load_bodies()
        self.renderer = FisheyeRenderer(
            settings.rig,
            settings.size_px,
            settings.samples,
            settings.threads,
            wide_textures(settings.skins) if settings.wide else None,
        )
        self._bodies = [i for i in range(len(self.asset)) if i % 5 in HELD_OUT[settings.split]]
        self._person = lru_cache(maxsize=4)(self._make_person)
        self.bystander = lru_cache(maxsize=BYSTANDERS)(self._make_bystander)

    def sequence(self, index: int, frames: int) -> Sequence:
        """Return sequence number `index` with `frames` frames."""
        return Sequence(self, index, frames)

    def frames(self, sequence_frames: int = 240, stride: int = 30, start: int = 0) -> Iterator[Frame]:
        """Yield varied frames for training on the fly, without end, as the cameras' JPEGs would show them.

        Args:
            sequence_frames: length of each sequence.
            stride: frames between two picks of one sequence; the first is drawn.
            start: number of the first sequence.
        """
        index = start
        while True:
            sequence = self.sequence(index, sequence_frames)
            first = int(np.random.default_rng([self.settings.seed, index, 7]).integers(stride))
            for i in range(first, sequence_frames, stride):
                frame = sequence.frame(i)
                yield Frame(
                    through_jpeg(frame.images, frame.jpeg_quality), frame.truth, frame.jpeg_quality, frame.views
                )
            index += 1

    def person(self, index: int) -> Character:
        """Return the person of sequence number `index`: the same one for SEQUENCES_PER_PERSON sequences."""
        return self._person(index // SEQUENCES_PER_PERSON)

    def clip(self, index: int, duration_s: float, actions: tuple[str, ...] | None = None) -> MotionClip:
        """Return the motion of sequence number `index`, at least `duration_s` long where the library has it."""
        seed = self.settings.seed
        if self.settings.motion is None:
            offset = {"train": 0, "val": 1, "test": 2}[self.settings.split]
            return procedural_clip(3 * (seed * 1_000_003 + index) + offset, duration_s, MOTION_FPS, actions)
        rng = np.random.default_rng([seed, index, 1])
        if self.settings.vary_motion:
            return varied_clip(rng, self.settings.motion, duration_s, self.settings.split)
        return self.settings.motion.pick(rng, duration_s, self.settings.split)

    def _make_person(self, number: int) -> Character:
        rng = np.random.default_rng([self.settings.seed, number, 2])
        body = self._bodies[int(rng.integers(len(self._bodies)))]
        if self.settings.wide:
            return dress_widely(rng, self.asset, body, self.settings.skins)
        return dress(rng, self.asset, body, self.settings.clothes)

    def _make_bystander(self, number: int) -> Bystander:
        """Somebody else of the same split."""
        rng = np.random.default_rng([self.settings.seed, number, 9])
        return sample_bystander(
            rng, self.asset, self._bodies[int(rng.integers(len(self._bodies)))], self.settings.skins
        )


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
