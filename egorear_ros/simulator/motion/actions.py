"""The repertoire of the procedural generator: each action returns a track of the length asked for.

An action is a function (rng, times_s) -> PoseTrack. Numbers are everyday observations, not measurements of a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from egorear_ros.simulator.motion.curves import Floats, pulse, smooth_noise
from egorear_ros.simulator.motion.gait import run, turn, walk
from egorear_ros.simulator.motion.pose_track import (
    HANGING_HANDS_M,
    STANDING_FEET_M,
    PoseTrack,
    standing,
)

Action = Callable[[np.random.Generator, Floats], PoseTrack]


def idle(rng: np.random.Generator, times_s: Floats) -> PoseTrack:
    """Stand, shift the weight, look around, gesture a little."""
    track = standing(len(times_s))
    sway = smooth_noise(rng, times_s, 3.0, 3) * np.array([0.025, 0.015, 0.006])
    hands = HANGING_HANDS_M + smooth_noise(rng, times_s, 1.5, 2, 3) * 0.04
    talk = np.clip(smooth_noise(rng, times_s, 2.5, 2), 0, 1)[..., None]
    front = np.array([[0.17, -0.32, 0.05], [-0.17, -0.32, 0.05]]) + smooth_noise(rng, times_s, 0.6, 2, 3) * 0.07
    return replace(
        track,
        pelvis_m=track.pelvis_m + sway - [0, 0, 0.01],
        spine_rad=smooth_noise(rng, times_s, 3.0, 3) * np.array([0.05, 0.04, 0.12]),
        head_rad=smooth_noise(rng, times_s, 2.0, 3) * np.array([0.15, 0.06, 0.35]),
        hands_m=hands * (1 - talk) + front * talk,
        wrists_rad=smooth_noise(rng, times_s, 1.5, 2) * 0.3,
    )


def squat(rng: np.random.Generator, times_s: Floats) -> PoseTrack:
    """Go down on bent knees and up again, arms forward, resting or reaching for the floor."""
    track = standing(len(times_s))
    down = pulse(times_s + rng.uniform(0, 2), rng.uniform(2.2, 4.5), 0.35) * rng.uniform(0.6, 1.0)
    lowered = track.pelvis_m + down[:, None] * np.array([0, 0.14, -0.5])
    arms = (
        np.array([[0.16, -0.5, 0.15], [-0.16, -0.5, 0.15]]) if rng.random() < 0.6 else HANGING_HANDS_M - [0, 0.28, 0.05]
    )
    w = down[:, None, None]
    lean = np.stack([0.45 * down, 0 * down, 0 * down], axis=1)
    return replace(
        track,
        pelvis_m=lowered,
        pelvis_rad=lean,
        spine_rad=lean * 0.6 + smooth_noise(rng, times_s, 3, 3) * 0.05,
        head_rad=-lean * 0.9 + smooth_noise(rng, times_s, 2, 3) * np.array([0.2, 0.05, 0.25]),
        feet_m=STANDING_FEET_M * np.array([1.5, 1, 1]) + 0 * w,
        feet_rad=np.broadcast_to([0.0, 0.35], (len(times_s), 2, 2)).copy(),
        hands_m=HANGING_HANDS_M * (1 - w) + arms * w,
    )


def jump(rng: np.random.Generator, times_s: Floats) -> PoseTrack:
    """Jump on the spot (or like a jumping jack): bend, fly for a third of a second, land on bent knees."""
    track = standing(len(times_s))
    period = rng.uniform(0.95, 1.5)
    flight = rng.uniform(0.3, 0.42)
    time = times_s % period
    ground = np.clip((time - flight) / (period - flight), 0, 1)
    height = np.where(time < flight, 9.81 / 2 * time * (flight - time), 0.0)
    crouch = np.where(time < flight, 0.0, np.sin(np.pi * ground) * rng.uniform(0.15, 0.3))
    in_air = np.where(time < flight, np.sin(np.pi * np.clip(time / flight, 0, 1)), 0.0)
    spread = in_air * (rng.random() < 0.5)
    feet = np.repeat(STANDING_FEET_M[None], len(times_s), axis=0)
    feet[..., 2] += (height + 0.05 * in_air)[:, None]
    feet[..., 0] *= (1 + 2 * spread)[:, None]
    raise_arms = (in_air * rng.uniform(0.2, 1.0))[:, None, None]
    aloft = np.array([[0.3, -0.15, 0.75], [-0.3, -0.15, 0.75]])
    lean = np.stack([0.9 * crouch, 0 * crouch, 0 * crouch], axis=1)
    return replace(
        track,
        pelvis_m=track.pelvis_m + np.stack([0 * crouch, 0.2 * crouch, height - crouch], axis=1),
        pelvis_rad=lean,
        spine_rad=lean * 0.4,
        head_rad=-lean * 0.5,
        feet_m=feet,
        feet_rad=np.stack([np.repeat(0.6 * in_air[:, None], 2, 1), np.full((len(times_s), 2), 0.15)], axis=-1),
        hands_m=HANGING_HANDS_M * (1 - raise_arms) + aloft * raise_arms,
        turn_rad_s=np.where(time < flight, rng.uniform(-2, 2), 0.0),
    )


def reach(rng: np.random.Generator, times_s: Floats) -> PoseTrack:
    """Reach with one or both hands, up, down, forward or aside, and look where the hand goes."""
    track = idle(rng, times_s)
    period = rng.uniform(2.0, 4.0)
    out = pulse(times_s + rng.uniform(0, period), period, 0.35)
    number = np.floor(times_s / period).astype(int)
    goals = np.stack([rng.uniform(-0.1, 0.55, 64), rng.uniform(-0.62, -0.2, 64), rng.uniform(-0.35, 0.75, 64)], axis=1)
    both = rng.random(64) < 0.4
    goal = goals[number % 64]
    hands = track.hands_m.copy()
    for index, sign in enumerate((1.0, -1.0)):
        active = (out * (both | (rng.random(64) < 0.5))[number % 64])[:, None]
        hands[:, index] = hands[:, index] * (1 - active) + goal * np.array([sign, 1, 1]) * active
    low = np.clip(-goal[:, 2] - 0.05, 0, 0.4) * out
    lean = np.stack([1.6 * low + 0.1 * out, 0 * out, 0.2 * out * np.sign(goal[:, 0] - 0.2)], axis=1)
    look = np.stack([-0.9 * (goal[:, 2] - 0.25) * out, 0 * out, 0.3 * out * np.sign(goal[:, 0] - 0.2)], axis=1)
    return replace(
        track,
        hands_m=hands,
        spine_rad=track.spine_rad + lean * 0.6,
        pelvis_rad=track.pelvis_rad + lean * 0.5,
        pelvis_m=track.pelvis_m + np.stack([0 * low, 0.35 * low, -0.45 * low], axis=1),
        head_rad=track.head_rad + look,
    )


def look(rng: np.random.Generator, times_s: Floats) -> PoseTrack:
    """Look up, down and around while standing: the paper's hard case, since the cameras lose the body."""
    track = idle(rng, times_s)
    period = rng.uniform(2.5, 5.0)
    strength = rng.choice([-1.0, -0.85, 0.75], p=[0.45, 0.25, 0.3])
    tilt = pulse(times_s + rng.uniform(0, period), period, 0.3) * strength
    head = track.head_rad + np.stack([tilt * 0.75, 0 * tilt, 0 * tilt], axis=1)
    spine = track.spine_rad + np.stack([tilt * 0.2, 0 * tilt, 0 * tilt], axis=1)
    return replace(track, head_rad=head, spine_rad=spine)


def sit(rng: np.random.Generator, times_s: Floats) -> PoseTrack:
    """Sit down on something 45 cm high, use the hands, stand up."""
    track = standing(len(times_s))
    period = rng.uniform(6.0, 10.0)
    down = pulse(times_s + rng.uniform(0, period), period, 0.2)
    lean = np.sin(np.pi * down) * 0.7
    hands_busy = np.array([[0.16, -0.4, 0.02], [-0.16, -0.4, 0.02]]) + smooth_noise(rng, times_s, 1.2, 2, 3) * 0.08
    w = down[:, None, None]
    zero = 0 * down
    return replace(
        track,
        pelvis_m=track.pelvis_m + down[:, None] * np.array([0, 0.36, -0.37]),
        pelvis_rad=np.stack([lean * 0.7 - 0.1 * down, zero, zero], axis=1),
        spine_rad=np.stack([lean * 0.4 + 0.12 * down, zero, zero], axis=1) + smooth_noise(rng, times_s, 3, 3) * 0.08,
        head_rad=np.stack([-lean * 0.5 + 0.1 * down, zero, zero], axis=1)
        + smooth_noise(rng, times_s, 2, 3) * np.array([0.15, 0.05, 0.3]),
        feet_m=track.feet_m + w * np.array([0, -0.06, 0]) * np.ones((2, 3)),
        hands_m=HANGING_HANDS_M * (1 - w) + hands_busy * w,
    )


def crawl(rng: np.random.Generator, times_s: Floats) -> PoseTrack:
    """Crawl on hands and knees."""
    track = standing(len(times_s))
    rate = rng.uniform(0.5, 0.9)
    phase = 2 * np.pi * rate * times_s
    feet = np.empty((len(times_s), 2, 3))
    hands = np.empty((len(times_s), 2, 3))
    for index, sign in enumerate((1.0, -1.0)):
        step = np.sin(phase + (0 if index == 0 else np.pi))
        feet[:, index] = np.stack([np.full_like(step, 0.13 * sign), 0.42 + 0.08 * step, np.full_like(step, 0.07)], -1)
        # In the chest's frame, which looks at the floor: -y is down, z is forward.
        forward, up = -np.sin(phase + (0 if index == 0 else np.pi)), np.cos(phase + (0 if index == 0 else np.pi))
        hands[:, index] = np.stack(
            [np.full_like(step, 0.2 * sign), -0.52 + 0.06 * np.maximum(up, 0), 0.26 + 0.09 * forward], axis=-1
        )
    zero = 0 * phase
    return replace(
        track,
        pelvis_m=np.broadcast_to([0, 0, 0.50], (len(phase), 3)) + np.stack([0.015 * np.sin(phase), zero, zero], axis=1),
        pelvis_rad=np.stack([zero + 1.35, zero, 0.06 * np.sin(phase)], axis=1),
        spine_rad=np.stack([zero + 0.12, zero, 0.05 * np.sin(phase)], axis=1),
        head_rad=np.stack([zero - 0.55, zero, zero], axis=1)
        + smooth_noise(rng, times_s, 2, 3) * np.array([0.2, 0.05, 0.25]),
        feet_m=feet,
        feet_rad=np.broadcast_to([1.3, 0.0], (len(phase), 2, 2)).copy(),
        hands_m=hands,
        wrists_rad=np.full((len(phase), 2), -1.1),
        speed_m_s=np.stack([zero, zero - 0.16 * rate * 2], axis=1),
        turn_rad_s=smooth_noise(rng, times_s, 3.0) * 0.2,
    )


def dance(rng: np.random.Generator, times_s: Floats) -> PoseTrack:
    """Move everything to a beat: random poses hit on the beat, hips and knees in between."""
    track = standing(len(times_s))
    beat = rng.uniform(1.4, 2.2)
    phase = np.pi * beat * times_s
    bounce = 0.04 * np.abs(np.sin(phase)) + 0.03
    side = smooth_noise(rng, times_s, 2 / beat) * 0.06
    number = np.floor(times_s * beat).astype(int) % 64
    poses = np.stack(
        [rng.uniform(0.12, 0.55, (64, 2)), rng.uniform(-0.5, -0.05, (64, 2)), rng.uniform(-0.3, 0.75, (64, 2))], axis=-1
    ) * np.array([[1.0, 1, 1], [-1, 1, 1]])
    fraction = (times_s * beat) % 1.0
    eased = (fraction**2 * (3 - 2 * fraction))[:, None, None]
    feet = STANDING_FEET_M * np.array([1.6, 1, 1]) + np.zeros((len(times_s), 2, 3))
    tap = np.maximum(np.sin(phase), 0) ** 2
    feet[:, 0, 2] += 0.12 * tap * (number % 2 == 0)
    feet[:, 1, 2] += 0.12 * tap * (number % 2 == 1)
    return replace(
        track,
        pelvis_m=track.pelvis_m + np.stack([side, 0 * side, -bounce], axis=1),
        pelvis_rad=np.stack([0.08 + 0 * side, 2 * side, 0.25 * np.sin(phase)], axis=1),
        spine_rad=smooth_noise(rng, times_s, 1.5, 3) * np.array([0.15, 0.12, 0.2]),
        head_rad=smooth_noise(rng, times_s, 1.2, 3) * np.array([0.2, 0.12, 0.35]),
        feet_m=feet,
        hands_m=poses[number] * (1 - eased) + poses[(number + 1) % 64] * eased,
        elbows_rad=smooth_noise(rng, times_s, 1.5, 2) * 0.5,
        wrists_rad=smooth_noise(rng, times_s, 1.0, 2) * 0.5,
        turn_rad_s=smooth_noise(rng, times_s, 2.0) * 0.8,
    )


ACTIONS: Final[dict[str, Action]] = {
    "idle": idle,
    "walk": walk,
    "run": run,
    "turn": turn,
    "squat": squat,
    "jump": jump,
    "reach": reach,
    "look": look,
    "sit": sit,
    "crawl": crawl,
    "dance": dance,
}
"""Every action by name."""

SHARES: Final[dict[str, float]] = {
    "idle": 0.06,
    "walk": 0.28,
    "run": 0.03,
    "turn": 0.17,
    "squat": 0.08,
    "jump": 0.09,
    "reach": 0.09,
    "look": 0.07,
    "sit": 0.02,
    "crawl": 0.02,
    "dance": 0.09,
}
"""How often the generator picks each action."""
