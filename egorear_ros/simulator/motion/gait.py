"""Actions on the move: walking, running, turning on the spot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from egorear_ros.simulator.motion.curves import Floats, smooth_noise
from egorear_ros.simulator.motion.pose_track import (
    ANKLE_HEIGHT_M,
    HANGING_HANDS_M,
    PoseTrack,
    standing,
)


def gait(
    rng: np.random.Generator, times_s: Floats, speed_m_s: float, step_hz: float, stance: float, lift_m: float
) -> PoseTrack:
    """Walk or run: feet stand for `stance` of the cycle (moving back under the body) and swing through the air."""
    track = standing(len(times_s))
    phase = times_s * step_hz + rng.random()
    stride = speed_m_s / step_hz
    feet, pitch = np.empty((len(times_s), 2, 3)), np.empty((len(times_s), 2))
    for index in range(2):
        cycle = (phase + 0.5 * index) % 1.0
        swing = np.clip((cycle - stance) / (1 - stance), 0, 1)
        eased = swing * swing * (3 - 2 * swing)
        reach = stride * stance / 2
        back = np.where(cycle < stance, -reach + stride * cycle, reach * (1 - 2 * eased))
        height = lift_m * np.sin(np.pi * np.minimum(swing * 1.15, 1)) ** 1.5
        feet[:, index] = np.stack(
            [np.full_like(back, (0.085, -0.085)[index]), back + 0.02, ANKLE_HEIGHT_M + height], -1
        )
        toe_off = np.clip((cycle - stance + 0.16) / 0.16, 0, 1) * (1 - np.clip(swing / 0.5, 0, 1))
        pitch[:, index] = 0.75 * toe_off - 0.3 * np.sin(np.pi * np.clip((swing - 0.4) / 0.6, 0, 1))
        feet[:, index, 2] += 0.09 * toe_off
    swing_arm = np.sin(2 * np.pi * phase + np.pi / 2 * 1.2)
    run = np.clip((speed_m_s - 1.8) / 1.2, 0, 1)
    return replace(
        track,
        pelvis_m=track.pelvis_m
        + np.stack(
            [0.02 * np.sin(2 * np.pi * phase), 0 * phase, 0.02 * np.cos(4 * np.pi * phase) - 0.035 - 0.04 * run], 1
        ),
        pelvis_rad=np.stack([np.full_like(phase, 0.04 + 0.12 * run), 0 * phase, -0.12 * swing_arm], axis=1),
        spine_rad=np.stack([np.full_like(phase, 0.03 + 0.05 * run), 0 * phase, 0.2 * swing_arm], axis=1),
        head_rad=np.stack([np.full_like(phase, -0.03 - 0.1 * run), 0 * phase, -0.06 * swing_arm], axis=1)
        + smooth_noise(rng, times_s, 2.5, 3) * np.array([0.1, 0.03, 0.2]),
        feet_m=feet,
        feet_rad=np.stack([pitch, np.full_like(pitch, 0.12)], axis=-1),
        hands_m=swinging_hands(swing_arm, run),
        elbows_rad=np.full((len(times_s), 2), 0.15 * run),
        speed_m_s=np.stack([0 * phase, np.full_like(phase, -speed_m_s)], axis=1),
        turn_rad_s=smooth_noise(rng, times_s, 3.0) * 0.35,
    )


def swinging_hands(swing: Floats, run: float) -> Floats:
    """(T, 2, 3) hands that swing against the legs; running bends the elbows to a right angle."""
    hands = np.repeat(HANGING_HANDS_M[None], len(swing), axis=0)
    for index, sign in enumerate((1.0, -1.0)):
        forward = sign * swing
        walking = hands[:, index] + np.stack([0 * swing, -0.2 * forward, 0.05 * forward**2], axis=1)
        running = np.stack([sign * (0.22 - 0.06 * forward), -0.2 - 0.17 * forward, 0.02 + 0.1 * forward], axis=1)
        hands[:, index] = walking * (1 - run) + running * run
    return hands


def walk(rng: np.random.Generator, times_s: Floats) -> PoseTrack:
    """Walk at 0.6 to 1.5 m/s along a winding path."""
    speed = rng.uniform(0.6, 1.5)
    return gait(rng, times_s, speed, 0.55 + 0.3 * speed, 0.62, rng.uniform(0.06, 0.1))


def run(rng: np.random.Generator, times_s: Floats) -> PoseTrack:
    """Run at 2 to 3 m/s."""
    speed = rng.uniform(2.0, 3.0)
    return gait(rng, times_s, speed, 1.3 + 0.05 * speed, 0.4, rng.uniform(0.15, 0.25))


def turn(rng: np.random.Generator, times_s: Floats) -> PoseTrack:
    """Turn on the spot with small steps, looking ahead of the turn."""
    track = gait(rng, times_s, 0.12, 1.1, 0.6, 0.05)
    rate = rng.choice([-1, 1]) * rng.uniform(0.8, 2.2) * (0.6 + 0.4 * np.sin(times_s * 1.1))
    head = track.head_rad.copy()
    head[:, 2] += np.clip(rate * 0.25, -0.6, 0.6)
    return replace(track, turn_rad_s=rate, head_rad=head)
