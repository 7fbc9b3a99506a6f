"""Pieces of tracks as the tracker may meet them: any rate, frames lost, views coming and going, cues known or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

from egorear_ros.network.temporal import FrameCues
from egorear_ros.rig import VIEWS
from egorear_ros.skeleton import HEATMAP_JOINTS, JOINTS, MIRRORED
from egorear_ros.tracking.wearer import WearerLengths, running_lengths
from egorear_ros.training.tracks import Tracks

Array = NDArray[Any]

FRAMES_PER_BATCH: Final = 320
LENGTHS: Final = (16, 24, 40)
"""Frames of a piece; a batch has pieces of one length."""

LONGEST_GAP_S: Final = 0.5
SLOWEST_HZ: Final = 7.0
ATTEMPTS: Final = 20

MIRRORED_MAPS: Final = [HEATMAP_JOINTS.index(JOINTS[MIRRORED[JOINTS.index(name)]]) for name in HEATMAP_JOINTS]
MIRRORED_VIEWS: Final = {
    view: view.replace("left", "right") if "left" in view else view.replace("right", "left") for view in VIEWS
}


@dataclass(frozen=True)
class Chances:
    """How often a piece differs from the simulated track, and by how much; shares of the pieces.

    Attributes:
        views_lost: views come and go.
        reversed: time runs backward.
        mirrored: left and right are exchanged.
        scale: the person is larger or smaller by up to this share.
        no_lengths: the bone lengths are not measured.
        sister: they were measured in the person's other track before.
        no_down: it is not known where down is.
        no_stature: the height is not known.
        down_deg: standard deviation of the error of down, constant in a piece; a third of it differs per frame.
        stature_m: standard deviation of the error of the height.
    """

    views_lost: float = 0.35
    reversed: float = 0.3
    mirrored: float = 0.5
    scale: float = 0.08
    no_lengths: float = 0.15
    sister: float = 0.5
    no_down: float = 0.4
    no_stature: float = 0.5
    down_deg: float = 1.5
    stature_m: float = 0.01


class Piece(NamedTuple):
    """B pieces of T frames.

    Attributes:
        cues: input.
        joints_m, velocity_m_s: (B, T, 16, 3) truth.
    """

    cues: FrameCues
    joints_m: Tensor
    velocity_m_s: Tensor


def batch_of(tracks: Tracks, rng: np.random.Generator, chances: Chances, views: tuple[str, ...]) -> Piece:
    """Draw a batch of about `FRAMES_PER_BATCH` frames."""
    length = int(rng.choice(LENGTHS))
    pieces = [_draw(tracks, rng, chances, views, length) for _ in range(FRAMES_PER_BATCH // length)]
    return stacked(pieces)


def stacked(pieces: list[dict[str, Array]]) -> Piece:
    """Pieces of equal length as tensors."""
    found = {key: torch.from_numpy(np.stack([piece[key] for piece in pieces]).astype(np.float32)) for key in pieces[0]}
    cues = FrameCues(**{key: found[key] for key in FrameCues._fields})
    return Piece(cues, found["joints_m"], found["velocity_m_s"])


def cues_of(
    track: Tracks, variant: int, lengths: tuple[Array, Array] | None, cues: Mapping[str, bool]
) -> dict[str, Array]:
    """One track as the temporal part takes it.

    Args:
        track: a single one.
        variant: which choice of views.
        lengths: (T, 10) metres and (T,) weights, from `running_lengths`; None: not measured.
        cues: whether "down" and "stature" are known.
    """
    count = len(track.time_s)
    length_m, weight = lengths or (np.zeros((count, 10)), np.zeros(count))
    return {
        "time_s": track.time_s - track.time_s[0],
        "pose_m": track.pose_m[:, variant],
        "log_std": np.log(track.std_m[:, variant]),
        "scores": track.scores[:, variant],
        "view_mask": track.view_mask[:, variant],
        "down": track.down * cues["down"],
        "lengths_m": length_m,
        "lengths_weight": weight,
        "stature_m": track.stature_m * cues["stature"],
        "joints_m": track.joints_m,
        "velocity_m_s": track.velocity_m_s,
    }


def _draw(
    tracks: Tracks, rng: np.random.Generator, chances: Chances, views: tuple[str, ...], length: int
) -> dict[str, Array]:
    """Draw a piece of so many frames."""
    for attempt in range(ATTEMPTS):
        index = int(rng.integers(len(tracks)))
        track, sister = tracks.track(index), _sister(tracks, index)
        kept = thinned(rng, track.time_s, plain=attempt > ATTEMPTS // 2)
        if len(kept) < length:
            continue
        track = track.frames(kept)
        first = int(rng.integers(len(kept) - length + 1))
        if np.diff(track.time_s[first : first + length]).max() <= LONGEST_GAP_S:
            break
    else:
        raise ValueError(f"no track has {length} frames without a gap of more than {LONGEST_GAP_S} s")
    variant = int(rng.random() < chances.views_lost)
    if rng.random() < chances.reversed:
        track = backward(track)
    lengths = _lengths(sister, track, variant, rng, chances)
    known = {"down": rng.random() >= chances.no_down, "stature": rng.random() >= chances.no_stature}
    piece = {key: array[first : first + length] for key, array in cues_of(track, variant, lengths, known).items()}
    piece["time_s"] = piece["time_s"] - piece["time_s"][0]
    piece = disturbed(piece, rng, chances)
    piece = scaled(piece, 1 + chances.scale * float(rng.uniform(-1, 1)))
    return mirrored(piece, views) if rng.random() < chances.mirrored else piece


def thinned(rng: np.random.Generator, time_s: Array, plain: bool = False) -> Array:
    """Numbers of the frames that arrive: every one, every second or third; some lost, singly or several in a row."""
    rate_hz = 1.0 / float(np.median(np.diff(time_s)))
    steps = [step for step in (1, 2, 3) if step == 1 or rate_hz / step >= SLOWEST_HZ]
    step = 1 if plain or rng.random() < 0.6 else int(rng.choice(steps))
    kept = np.arange(int(rng.integers(step)), len(time_s), step)
    lost = 0.0 if plain else float(rng.choice([0.0, 0.1, 0.3], p=[0.5, 0.35, 0.15]))
    arrives = rng.random(len(kept)) >= lost
    if not plain and rng.random() < 0.2:
        since_s = time_s[kept] - rng.uniform(time_s[0], time_s[-1])
        arrives &= (since_s < 0) | (since_s > rng.uniform(0.1, 0.4))
    return np.asarray(kept[arrives])


def backward(track: Tracks) -> Tracks:
    """The same with time running backward."""
    turned = track.frames(np.arange(len(track.time_s))[::-1])
    arrays = {**vars(turned), "time_s": track.time_s[-1] - turned.time_s, "velocity_m_s": -turned.velocity_m_s}
    return Tracks(**arrays)


def _sister(tracks: Tracks, index: int) -> Tracks | None:
    """The other track of the same person: 2k and 2k + 1 belong together (`simulator.sampler.SEQUENCES_PER_PERSON`)."""
    return tracks.track(index ^ 1) if index ^ 1 < len(tracks) else None


def _lengths(
    sister: Tracks | None, track: Tracks, variant: int, rng: np.random.Generator, chances: Chances
) -> tuple[Array, Array] | None:
    """Measured bone lengths, perhaps also in the person's other track before this one."""
    if rng.random() < chances.no_lengths:
        return None
    before = None
    if sister is not None and rng.random() < chances.sister:
        before = WearerLengths.measured(sister.pose_m[:, 0], sister.std_m[:, 0], sister.time_s)
    return running_lengths(track.pose_m[:, variant], track.std_m[:, variant], track.time_s, before)


def disturbed(piece: dict[str, Array], rng: np.random.Generator, chances: Chances) -> dict[str, Array]:
    """Errors of the cues that are known."""
    count, sigma = len(piece["time_s"]), np.radians(chances.down_deg)
    errors = rng.normal(0, sigma, (1, 3)) + rng.normal(0, sigma / 3, (count, 3))
    tall = piece["stature_m"] > 0
    return {
        **piece,
        "down": Rotation.from_rotvec(errors).apply(piece["down"]),
        "stature_m": piece["stature_m"] + tall * rng.normal(0, chances.stature_m),
    }


def scaled(piece: dict[str, Array], factor: float) -> dict[str, Array]:
    """The same person, larger or smaller."""
    metric = ("pose_m", "lengths_m", "stature_m", "joints_m", "velocity_m_s")
    return {**piece, **{key: factor * piece[key] for key in metric}, "log_std": piece["log_std"] + np.log(factor)}


def mirrored(piece: dict[str, Array], views: tuple[str, ...]) -> dict[str, Array]:
    """Left and right exchanged: joints, views, and x, which points to the wearer's right.

    Only where each view has its counterpart; otherwise the piece as it is.
    """
    if any(MIRRORED_VIEWS.get(view) not in views for view in views):
        return piece
    order = [views.index(MIRRORED_VIEWS[view]) for view in views]
    sign = np.array([-1.0, 1.0, 1.0])
    turned = {key: piece[key][:, list(MIRRORED)] * sign for key in ("pose_m", "joints_m", "velocity_m_s")}
    return {
        **piece,
        **turned,
        "log_std": piece["log_std"][:, list(MIRRORED)],
        "scores": piece["scores"][:, order][:, :, MIRRORED_MAPS],
        "view_mask": piece["view_mask"][:, order],
        "down": piece["down"] * sign,
    }
