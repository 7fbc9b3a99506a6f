"""Tracks: what a frozen per-frame network says about sequences, kept on disk, for training and measuring the tracker.

Encoding images once makes training the temporal part a matter of small arrays. A file per shard holds the answers of
one network, whose hash is in its name: another network's answers are never mistaken for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from egorear_ros.data.npz import read_npz
from egorear_ros.data.shards import CUE_ARRAYS, ShardFrames
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.prediction import prepare
from egorear_ros.network import NetworkOutput
from egorear_ros.result_file import write_arrays

BATCH: Final = 32
LOST_S: Final = 3.0
SWITCH_S: Final = 1.5
"""Mean time between changes of the views that are there, in the variant with views coming and going."""

Array = NDArray[Any]
PER_FRAME: Final = ("time_s", "joints_m", "velocity_m_s", "hidden", "down", "stature_m")
PER_VARIANT: Final = ("pose_m", "std_m", "scores", "view_mask")


@dataclass(frozen=True)
class Tracks:
    """N frames of K tracks, each in order of time. A variant is one choice of views per frame; the first has all.

    Attributes:
        start: (K + 1,) first frame of each track, and N.
        time_s: (N,) seconds since the track's sequence began.
        joints_m: (N, 16, 3) truth, metres, device frame.
        velocity_m_s: (N, 16, 3) of the truth, in the device frame.
        hidden: (N, 16) whether no view sees the joint.
        down: (N, 3) unit vector that points down in the device frame.
        stature_m: (N,) height of the wearer.
        pose_m, std_m: (N, M, 16, 3) the network's pose and standard deviations for each of M variants.
        scores: (N, M, V, 15) how well each view sees each joint.
        view_mask: (N, M, V) which views were there.
    """

    start: Array
    time_s: Array
    joints_m: Array
    velocity_m_s: Array
    hidden: Array
    down: Array
    stature_m: Array
    pose_m: Array
    std_m: Array
    scores: Array
    view_mask: Array

    def __len__(self) -> int:
        return len(self.start) - 1

    def track(self, index: int) -> Tracks:
        """One of them."""
        part = slice(int(self.start[index]), int(self.start[index + 1]))
        return self.frames(part)

    def frames(self, chosen: slice | Array) -> Tracks:
        """Frames of a single track."""
        arrays = {name: getattr(self, name)[chosen] for name in (*PER_FRAME, *PER_VARIANT)}
        return Tracks(start=np.array([0, len(arrays["time_s"])]), **arrays)


def joined(parts: Sequence[Tracks]) -> Tracks:
    """All tracks of several."""
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in (*PER_FRAME, *PER_VARIANT)}
    lengths = np.concatenate([np.diff(part.start) for part in parts])
    return Tracks(start=np.concatenate([[0], np.cumsum(lengths)]), **arrays)


def encoded_tracks(
    folder: Path,
    network: nn.Module,
    name: str,
    cache: Path,
    progress: Callable[[int], None] = lambda frames: None,
    one_lost: bool = False,
) -> Tracks:
    """The tracks of a folder of shards; those that are not in the cache are encoded.

    Args:
        folder: shards in order of time (`egorear render-shards --tracks`, or `--stride 1`).
        network: gives poses with standard deviations and heatmaps; in eval mode.
        name: of the network's weights, for the names of the files: a hash.
        cache: folder for the files.
        progress: called with the number of frames done since the last call.
        one_lost: the second variant lacks one camera for `LOST_S` in the middle of each track, for measuring; else
            views come and go.

    Raises:
        EgorearError: no shards, shards without stamps, or a network that does not say how sure it is.
    """
    source = ShardFrames(folder, cast(Any, network).config.views)
    starts = np.concatenate([[0], source.ends])
    parts = []
    for number, path in enumerate(source.paths):
        file = cache / folder.name / f"{path.stem}_{name}{'_one_lost' if one_lost else ''}.npz"
        chosen = np.arange(starts[number], starts[number + 1])
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_arrays(file, vars(_encode(source, chosen, network, progress, one_lost)))
        else:
            progress(len(chosen))
        parts.append(Tracks(**read_npz(file)))
    return joined(parts)


def _encode(
    source: ShardFrames, chosen: Array, network: nn.Module, progress: Callable[[int], None], one_lost: bool
) -> Tracks:
    labels = {name: array[chosen] for name, array in source.labels(("sequence", "visible", *CUE_ARRAYS)).items()}
    ends = np.flatnonzero(labels["sequence"][1:] != labels["sequence"][:-1]) + 1
    start = np.concatenate([[0], ends, [len(chosen)]])
    time_s = labels["stamp_ns"] / 1e9
    masks = np.ones((len(chosen), 2, len(source.views)), bool)
    for first, last in pairwise(start):
        rng = np.random.default_rng([int(chosen[first]), 11])
        there = lost_for_a_while if one_lost else views_coming_and_going
        masks[first:last, 1] = there(rng, time_s[first:last], len(source.views))
    truth = source.labels(("joints_device_m",))["joints_device_m"][chosen]
    answers = [_answers(network, source, chosen[piece], masks[piece], progress) for piece in _pieces(len(chosen))]
    return Tracks(
        start=start,
        time_s=time_s,
        joints_m=truth,
        velocity_m_s=_velocities(truth, time_s, start),
        hidden=np.asarray(~labels["visible"].any(axis=1)),
        down=labels["down_device"],
        stature_m=labels["stature_m"],
        view_mask=masks,
        **{key: np.concatenate([answer[key] for answer in answers]) for key in answers[0]},
    )


def _pieces(count: int) -> Iterator[slice]:
    return (slice(first, min(first + BATCH, count)) for first in range(0, count, BATCH))


def views_coming_and_going(rng: np.random.Generator, time_s: Array, views: int) -> Array:
    """(T, views) bool: which views are there, changing every now and then; at least one always is."""
    changes = rng.random(len(time_s)) < np.diff(time_s, prepend=time_s[:1]) / SWITCH_S
    changes[0] = True
    there = np.ones((len(time_s), views), bool)
    for index, changed in enumerate(changes):
        if changed:
            kept = rng.permutation(views)[: rng.integers(1, views + 1)]
            now = np.isin(np.arange(views), kept)
        there[index] = now
    return there


def lost_for_a_while(rng: np.random.Generator, time_s: Array, views: int) -> Array:
    """(T, views) bool: one view is lost for `LOST_S` in the middle, all others are there."""
    there = np.ones((len(time_s), views), bool)
    middle_s = 0.5 * (time_s[0] + time_s[-1])
    there[np.abs(time_s - middle_s) <= 0.5 * LOST_S, int(rng.integers(views))] = False
    return there


@torch.inference_mode()
def _answers(
    network: nn.Module, source: ShardFrames, indices: Array, masks: Array, progress: Callable[[int], None]
) -> dict[str, Array]:
    """Answers to frames (n, M, ...) with their masks (n, M, V); a choice of all views is computed once."""
    images = prepare(network, source.take(indices))
    first = _run(network, images, masks[:, 0])
    found = {key: np.repeat(array[:, None], masks.shape[1], axis=1) for key, array in first.items()}
    for variant in range(1, masks.shape[1]):
        other = (masks[:, variant] != masks[:, 0]).any(axis=-1)
        if other.any():
            answers = _run(network, images[torch.from_numpy(other)], masks[other, variant])
            for key, array in answers.items():
                found[key][other, variant] = array
    progress(len(indices))
    return found


def _run(network: nn.Module, images: Tensor, mask: Array) -> dict[str, Array]:
    output = cast(NetworkOutput, network(images, None, None if mask.all() else torch.from_numpy(mask)))
    if output.poses is None or output.log_std is None or output.heatmaps is None:
        raise EgorearError("the tracker needs a network that gives standard deviations, for example egorear-s")
    answers = {
        "pose_m": output.poses[-1],
        "std_m": output.log_std.exp(),
        "scores": output.heatmaps[-1].amax(dim=(-2, -1)),
    }
    return {key: answer.float().numpy() for key, answer in answers.items()}


def _velocities(joints_m: Array, time_s: Array, start: Array) -> Array:
    """Central differences within each track; a track of one frame stands still."""
    found = np.zeros_like(joints_m)
    for first, last in pairwise(start):
        if last - first > 1:
            found[first:last] = np.gradient(joints_m[first:last], time_s[first:last], axis=0)
    return found
