"""A motion clip: what a body does over time, independent of who does it.

Rotations are global and relative to the performer's rest pose, so that any body can follow them. World frame: x to the
performer's left at rest, y backward, z up; metres.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

BONES: Final[tuple[str, ...]] = (
    "pelvis",
    "spine",
    "chest",
    "neck",
    "head",
    *("clav_l", "uparm_l", "loarm_l", "hand_l"),
    *("clav_r", "uparm_r", "loarm_r", "hand_r"),
    *("thigh_l", "calf_l", "foot_l"),
    *("thigh_r", "calf_r", "foot_r"),
    *("toe_l", "toe_r"),
)
"""The 21 bones of a clip, in the order of the library file."""

LIMBS: Final[tuple[str, ...]] = (
    *("uparm_l", "loarm_l", "hand_l", "uparm_r", "loarm_r", "hand_r"),
    *("thigh_l", "calf_l", "thigh_r", "calf_r"),
)
"""Bones whose direction at rest differs between performers (T-pose, A-pose) and is therefore part of the clip."""

BONE_INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(BONES)}


@dataclass(frozen=True)
class MotionClip:
    """A named piece of motion.

    Attributes:
        name: unique in its library, for example "05_02".
        rotations_xyzw: (T, 21, 4) float32 unit quaternions, world from rest.
        root_m: (T, 3) float32 pelvis position.
        limb_directions: (10, 3) float32 unit vectors: where the LIMBS point at rest.
        leg_length_m: hip to ankle of the performer; a body scales the root's path by its own leg length.
        fps: frames per second.
        usable: (T,) bool; frames a sampler may pick (False where the recording is damaged).
        subject: who performs; splits separate people by it.
        action: what is done, in words.
        split: "train", "val" or "test".
        needs_prop: the motion leans on something the scene lacks (climbing, sitting); samplers leave it out.
        parts: (start in seconds, action) of clips that string several actions together, in order.
    """

    name: str
    rotations_xyzw: NDArray[np.float32]
    root_m: NDArray[np.float32]
    limb_directions: NDArray[np.float32]
    leg_length_m: float
    fps: float
    usable: NDArray[np.bool_]
    subject: str = ""
    action: str = ""
    split: str = "train"
    needs_prop: bool = False
    parts: tuple[tuple[float, str], ...] = ()

    def __len__(self) -> int:
        return len(self.root_m)

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame."""
        return (len(self) - 1) / self.fps

    def action_at(self, time_s: float) -> str:
        """What is done at a time since the clip began."""
        begun = [action for start_s, action in self.parts if start_s <= time_s]
        return begun[-1] if begun else self.action

    def resampled(self, fps: float) -> MotionClip:
        """Return the clip at another frame rate, over the same duration."""
        return self if fps == self.fps else self.at(np.arange(int(self.duration_s * fps + 1e-6) + 1) / fps, fps)

    def at(self, times_s: NDArray[np.floating], fps: float) -> MotionClip:
        """Return the clip sampled at these times (clamped to its duration), called a clip of `fps`."""
        position = np.clip(np.asarray(times_s) * self.fps, 0, len(self) - 1)
        before = np.minimum(position.astype(int), max(len(self) - 2, 0))
        after = np.minimum(before + 1, len(self) - 1)
        fraction = (position - before).astype(np.float32)
        return replace(
            self,
            rotations_xyzw=nlerp(self.rotations_xyzw[before], self.rotations_xyzw[after], fraction[:, None, None]),
            root_m=self.root_m[before] + (self.root_m[after] - self.root_m[before]) * fraction[:, None],
            usable=self.usable[np.where(fraction > 0.5, after, before)],
            fps=fps,
        )

    def slice(self, start: int, stop: int) -> MotionClip:
        """Return frames start..stop as a clip."""
        part = slice(start, stop)
        return replace(
            self,
            rotations_xyzw=self.rotations_xyzw[part],
            root_m=self.root_m[part],
            usable=self.usable[part],
            parts=tuple((start_s - start / self.fps, action) for start_s, action in self.parts),
        )


def nlerp(
    first: NDArray[np.float32], second: NDArray[np.float32], fraction: NDArray[np.float32] | float
) -> NDArray[np.float32]:
    """Blend quaternions (..., 4) along the shorter arc; between neighbouring frames as good as slerp, and faster."""
    sign = np.where((first * second).sum(-1, keepdims=True) < 0, -1.0, 1.0).astype(np.float32)
    blend = first * (1 - fraction) + second * sign * fraction
    return np.asarray(blend / np.linalg.norm(blend, axis=-1, keepdims=True), np.float32)
