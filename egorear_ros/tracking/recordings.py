"""Recordings: the tracker as it would have run live, or the smoother, which also looks at later frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
import torch

from egorear_ros.inference import PoseEstimate, PoseEstimator
from egorear_ros.network.temporal import FrameCues, TemporalNetwork
from egorear_ros.tracking.evidence import Array, check_estimate, check_stature, frame_cues
from egorear_ros.tracking.tracker import (
    LONGEST_GAP_S,
    WEARER_KEPT_S,
    TemporalFilter,
    find_temporal,
    load_temporal,
    predicts_std,
    tracked,
)
from egorear_ros.tracking.wearer import WearerLengths

PIECE_S: Final = 20.0

Refine = Callable[[Sequence[PoseEstimate], Sequence[int]], list[PoseEstimate]]
"""Turns the estimates of single frame sets and their stamps, in order, into better ones."""


def per_frame(estimates: Sequence[PoseEstimate], stamps_ns: Sequence[int]) -> list[PoseEstimate]:
    """Leave them as they are."""
    return list(estimates)


def refinement(estimator: PoseEstimator, model: str, smooth: bool, stature_m: float | None = None) -> Refine:
    """The tracker or the smoother for a model.

    Args:
        estimator: the loaded model; `per_frame` if its network gives no standard deviations.
        model: its name or path, see `find_temporal`.
        smooth: look at later frames, too.
        stature_m: height of the wearer, if it is known.

    Raises:
        EgorearError: no weights; InputError: no height of a person.
    """
    check_stature(stature_m)
    if not predicts_std(estimator):
        return per_frame
    network = load_temporal(find_temporal(model))
    if smooth:
        return lambda estimates, stamps_ns: smoothed(network, estimates, stamps_ns, stature_m)
    return lambda estimates, stamps_ns: tracked_in_order(TemporalFilter(network, stature_m), estimates, stamps_ns)


def tracked_in_order(
    temporal: TemporalFilter, estimates: Sequence[PoseEstimate], stamps_ns: Sequence[int]
) -> list[PoseEstimate]:
    """As live: each estimate in the light of those before it."""
    return [temporal.update(*each) for each in zip(estimates, stamps_ns, strict=True)]


def smoothed(
    network: TemporalNetwork,
    estimates: Sequence[PoseEstimate],
    stamps_ns: Sequence[int],
    stature_m: float | None = None,
) -> list[PoseEstimate]:
    """Each estimate in the light of those before and after it, and of the whole wearer's bone lengths.

    Args:
        network: in eval mode.
        estimates, stamps_ns: in the order of the recording; where stamps go back or a gap is long, as in
            `TemporalFilter.update`, another track begins.
        stature_m: height of the wearer, if it is known.

    Raises:
        InputError: estimates without standard deviations.
    """
    for estimate in estimates:
        check_estimate(estimate)
    found = list(estimates)
    for worn in _runs(stamps_ns, range(len(stamps_ns)), WEARER_KEPT_S):
        lengths = _lengths([estimates[i] for i in worn], [stamps_ns[i] for i in worn])
        for track in _runs(stamps_ns, worn, LONGEST_GAP_S):
            _smooth_track(network, estimates, stamps_ns, track, lengths, stature_m, found)
    return found


def _runs(stamps_ns: Sequence[int], frames: range, longest_gap_s: float) -> Iterator[range]:
    """Parts of `frames` whose stamps never go back, nor further ahead than a gap."""
    first = frames.start
    for index in range(frames.start + 1, frames.stop):
        if not 0 <= (stamps_ns[index] - stamps_ns[index - 1]) / 1e9 <= longest_gap_s:
            yield range(first, index)
            first = index
    if frames:
        yield range(first, frames.stop)


def _lengths(estimates: Sequence[PoseEstimate], stamps_ns: Sequence[int]) -> tuple[Array, float]:
    joints, std = (np.stack([getattr(each, key) for each in estimates]) for key in ("joints_device_m", "joints_std_m"))
    wearer = WearerLengths.measured(joints, std, (np.array(stamps_ns) - stamps_ns[0]) / 1e9)
    return wearer.lengths_m, wearer.weight


@torch.inference_mode()
def _smooth_track(
    network: TemporalNetwork,
    estimates: Sequence[PoseEstimate],
    stamps_ns: Sequence[int],
    frames: range,
    lengths: tuple[Array, float],
    stature_m: float | None,
    found: list[PoseEstimate],
) -> None:
    """Smooth one track into `found`, in pieces: beyond what the layers see, frames do not depend on each other."""
    time_s = (np.array([stamps_ns[i] for i in frames]) - stamps_ns[frames.start]) / 1e9
    reach_s = network.config.layers * network.reach_s + 1e-3
    for start_s in np.arange(0.0, time_s[-1] + 1e-9, PIECE_S):
        near = np.flatnonzero((time_s >= start_s - reach_s) & (time_s < start_s + PIECE_S + reach_s))
        views = network.config.views
        cues = [frame_cues(estimates[frames[i]], views, time_s[i] - start_s, None, lengths, stature_m) for i in near]
        track = network(
            FrameCues(*(torch.cat(part, dim=1).float() for part in zip(*cues, strict=True))), both_ways=True
        )
        for place, i in enumerate(near):
            if start_s <= time_s[i] < start_s + PIECE_S:
                found[frames[i]] = tracked(estimates[frames[i]], track, place, 0.0)
