"""A recording through the live graph's synchronizer and estimator.

Deterministic: frames are taken in the order of the recording, and the times they arrived at are the clock, so the
result depends on the recording, the model and the settings alone, not on how fast this machine is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from egorear_ros.body import SkeletonSequence
from egorear_ros.data.jpeg import readable_images
from egorear_ros.datatypes import CameraFrame, Skeleton
from egorear_ros.errors import EgorearError
from egorear_ros.estimation.recording import Recording
from egorear_ros.inference import InputError, PoseEstimate, PoseEstimator
from egorear_ros.rig.checking import Fault, RigCheck
from egorear_ros.sync import AlignedSet, SyncConfig, Synchronizer
from egorear_ros.tracking.recordings import Refine, per_frame

AlignedFrames = AlignedSet[CameraFrame]
Progress = Callable[[int], None]


class Released(NamedTuple):
    """A frame set and when it was complete, or given up waiting for, on the recording's clock."""

    time_ns: int
    aligned: AlignedFrames


@dataclass
class Estimates:
    """What became of a recording.

    Attributes:
        sequence: the skeletons.
        skeletons: the same as single ones, as the live graph would publish them.
        times_ns: when each was ready on the recording's clock.
        problems: reason -> how many frames or frame sets could not be used.
        rig_faults: what does not fit the rig file.
    """

    sequence: SkeletonSequence
    skeletons: list[Skeleton]
    times_ns: list[int]
    problems: Counter[str] = field(default_factory=Counter)
    rig_faults: list[Fault] = field(default_factory=list)


def estimate_recording(
    recording: Recording,
    estimator: PoseEstimator,
    sync: SyncConfig,
    progress: Progress = lambda frames: None,
    refine: Refine = per_frame,
) -> Estimates:
    """Estimate all skeletons of a recording.

    Args:
        recording: the frames.
        estimator: the network.
        sync: settings of the alignment.
        progress: called with 1 for every frame taken.
        refine: what the estimates of single frame sets go through: tracker or smoother (`tracking.recordings`).

    Raises:
        EgorearError: the recording is damaged, or gives no skeleton at all; says the most frequent reason.
    """
    problems: Counter[str] = Counter()
    found: list[PoseEstimate] = []
    stamps_ns: list[int] = []
    times_ns: list[int] = []
    check = RigCheck(estimator.rig.subset(estimator.views))
    for time_ns, aligned in aligned_sets(recording, sync, problems, progress):
        frames = [frame for frame in aligned.frames if frame is not None]
        try:
            estimate, left_out = estimator.estimate_frames(frames)
        except InputError as error:  # as in pose_node: a frame set without any usable image is lost, and counted
            problems[str(error)] += 1
            continue
        problems.update(left_out.values())
        found.append(estimate)
        stamps_ns.append(aligned.acquired_ns)
        times_ns.append(time_ns)
        usable = [frame for frame in frames if frame.view not in left_out]
        if check.due(aligned.acquired_ns, {frame.view for frame in usable}):
            check.look(aligned.acquired_ns, readable_images(usable)[0])
    if not found:
        why = "; ".join(f"{reason} ({count} times)" for reason, count in problems.most_common(1))
        raise EgorearError(f"recording '{recording.name}' gives no skeleton: {why or 'too few views at any moment'}")
    refined = refine(found, stamps_ns)
    skeletons = [each.skeleton(stamp_ns) for each, stamp_ns in zip(refined, stamps_ns, strict=True)]
    sequence = SkeletonSequence.from_skeletons(skeletons, sync.cameras)
    return Estimates(sequence, skeletons, times_ns, problems, check.faults)


def aligned_sets(
    recording: Recording,
    sync: SyncConfig,
    problems: Counter[str] | None = None,
    progress: Progress = lambda frames: None,
) -> Iterator[Released]:
    """Frame sets as the synchronizer node would send them, had every frame arrived when it was recorded."""
    synchronizer: Synchronizer[CameraFrame] = Synchronizer(sync)
    time_ns = 0
    for time_ns, frame, problem in recording.frames():
        progress(1)
        while (deadline_ns := synchronizer.next_deadline_ns()) is not None and deadline_ns < time_ns:
            yield from (Released(deadline_ns, aligned) for aligned in synchronizer.poll(deadline_ns))
        if frame is None:
            if problems is not None:
                problems[problem] += 1
        elif frame.view in sync.cameras:
            aligned_now = synchronizer.add(frame.view, frame.stamp_ns, frame, time_ns)
            yield from (Released(time_ns, aligned) for aligned in aligned_now)
    yield from (Released(time_ns, aligned) for aligned in synchronizer.flush())
