"""Procedural motion: the built-in default, so that everything works with no motion capture at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.errors import EgorearError
from egorear_ros.simulator.motion.actions import ACTIONS, SHARES
from egorear_ros.simulator.motion.clip import MotionClip
from egorear_ros.simulator.motion.pose_track import PoseTrack, track_to_clip

FADE_S: Final = 0.6
SHORTEST_ACTION_S: Final = 2.5
LONGEST_ACTION_S: Final = 6.0
PITCH_SHARES_PROCEDURAL: Final = (0.48, 0.38, 0.14)
PITCH_SHARES_LIBRARY: Final = (0.6, 0.28, 0.12)
"""See `head_pitch_variation`; captured motion bends the neck by itself."""


def procedural_clip(
    seed: int, duration_s: float = 12.0, fps: float = 30.0, actions: tuple[str, ...] | None = None
) -> MotionClip:
    """Make up a motion: random actions of a few seconds each, cross-faded.

    Args:
        seed: the same seed gives the same motion.
        duration_s: length of the clip.
        fps: frames per second.
        actions: names from ACTIONS, in the order to perform them; by default drawn at random.

    Raises:
        EgorearError: an action does not exist.
    """
    for name in actions or ():
        if name not in ACTIONS:
            raise EgorearError(f"there is no action '{name}'; known are {', '.join(ACTIONS)}")
    rng = np.random.default_rng([seed, 0x6D6F74])
    times_s = np.arange(int(duration_s * fps) + 1) / fps
    track: PoseTrack | None = None
    names: list[str] = []
    starts_s: list[float] = []
    start_s = 0.0
    while track is None or start_s < duration_s:
        name = actions[len(names) % len(actions)] if actions else str(rng.choice(list(SHARES), p=list(SHARES.values())))
        length_s = rng.uniform(SHORTEST_ACTION_S, LONGEST_ACTION_S)
        if actions and len(names) + 1 >= len(actions):
            length_s = duration_s
        performed = with_spread(rng, ACTIONS[name](rng, times_s))
        names.append(name)
        starts_s.append(start_s)
        fade = np.clip((times_s - start_s) / FADE_S, 0, 1)
        track = performed if track is None else track.blended(performed, fade * fade * (3 - 2 * fade))
        start_s += length_s
    clip = track_to_clip(track, f"procedural_{seed}", fps, ", ".join(names), needs_prop="sit" in names)
    return replace(clip, parts=tuple(zip(starts_s, names, strict=True)))


def with_spread(rng: np.random.Generator, track: PoseTrack) -> PoseTrack:
    """Vary how a person holds himself: a constant small change of posture on top of the action."""
    posture = rng.normal(0, 1, 3) * np.array([0.05, 0.02, 0.03])
    offset = rng.normal(0, 0.02, (2, 3))
    return replace(track, spine_rad=track.spine_rad + posture, hands_m=track.hands_m + offset)


def head_pitch_variation(
    rng: np.random.Generator, frames: int, fps: float, shares: tuple[float, float, float]
) -> NDArray[np.float64]:
    """(T,) slow extra head pitch in radians, positive down: often none, sometimes up for a while, sometimes down.

    Motion capture hardly ever looks up, where helmet cameras lose sight of the body (the paper's hard case).

    Args:
        rng: source of everything random.
        frames, fps: length and rate.
        shares: how often the head is left alone, tends up, and tends down.
    """
    knots = max(2, int(frames / fps / 2) + 2)
    mood = rng.choice([0.0, -0.45, 0.25], p=shares)
    values = rng.normal(0, 0.12, knots) + mood * (rng.random(knots) < 0.75)
    position = np.linspace(0, knots - 1, frames)
    before = np.minimum(position.astype(int), knots - 2)
    step = position - before
    eased = step * step * (3 - 2 * step)
    return np.clip(values[before] * (1 - eased) + values[before + 1] * eased, -0.9, 0.5)
