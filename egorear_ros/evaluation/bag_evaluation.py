"""Evaluate a recording: its images through the live path's synchronizer and estimator, compared with its ground truth.

Deterministic: messages are taken in the order of the bag, and the times they were recorded at are the clock, so the
result depends on the bag, the model and the settings alone, not on how fast this machine is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.bags.errors import BagError
from egorear_ros.bags.message_reading import camera_frame_from_message, skeleton_from_message
from egorear_ros.bags.reading import Bag, RigTopics, find_topics
from egorear_ros.data.frame_sets import FrameName
from egorear_ros.data.jpeg import readable_images
from egorear_ros.datatypes import CameraFrame, Skeleton
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.measurement import Measured
from egorear_ros.evaluation.pose_table import pose_table
from egorear_ros.evaluation.prediction import Predictions
from egorear_ros.evaluation.stamps import StampReport, stamp_lines, summary_of_stamps
from egorear_ros.evaluation.summary import summarize
from egorear_ros.inference import InputError, PoseEstimate, PoseEstimator
from egorear_ros.rig import without_prefix
from egorear_ros.rig.checking import RigCheck
from egorear_ros.sync import AlignedSet, SyncConfig, Synchronizer, SyncStatistics
from egorear_ros.tracking.recordings import Refine, per_frame

FORMAT: Final = "egorear-bag-evaluation/1"
AS_RECORDED: Final = "as recorded"

Float64 = NDArray[np.float64]

AlignedFrames = AlignedSet[CameraFrame]


@dataclass
class BagEstimates:
    """What the pipeline made of a bag.

    Attributes:
        topics: where in the bag the images and the truth were.
        skeletons: estimates in order; stamps as the live graph gives them.
        complete: per skeleton, whether all views were in its frame set and could be used.
        truths: ground truth in order of the recording.
        problems: reason -> how many messages or frame sets could not be used.
        statistics: the synchronizer's counters.
        stamps: what the stamps were like.
        rig_check: whether the images fit the rig file.
    """

    topics: RigTopics
    skeletons: list[Skeleton] = field(default_factory=list)
    complete: list[bool] = field(default_factory=list)
    truths: list[Skeleton] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    statistics: SyncStatistics | None = None
    stamps: StampReport | None = None
    rig_check: RigCheck | None = None

    def stamp_lines(self) -> list[str]:
        """Frames in no frame set and why, a line per camera; empty where every frame found one."""
        if self.stamps is None or self.statistics is None:
            return []
        return stamp_lines(self.stamps, self.statistics)


def estimate_bag(
    bag: Bag,
    estimator: PoseEstimator,
    sync: SyncConfig,
    progress: Callable[[int], None] = lambda messages: None,
    refine: Refine = per_frame,
) -> BagEstimates:
    """Run the pipeline over a bag.

    Args:
        bag: the recording.
        estimator: the network.
        sync: settings of the alignment; its cameras are the views to look for.
        progress: called with 1 for every message taken.
        refine: what the estimates of single frame sets go through: tracker or smoother (`tracking.recordings`).

    Raises:
        BagError: no images of these views, no ground truth, or damaged.
        EgorearError: images that do not fit the rig.
    """
    result = BagEstimates(find_topics(bag, sync.cameras))
    if result.topics.ground_truth is None:  # said before the work, not after
        raise BagError(f"bag '{bag.path}' has no ground truth (topic .../ground_truth) to compare with")
    found: list[PoseEstimate] = []
    stamps_ns: list[int] = []
    check = result.rig_check = RigCheck(estimator.rig.subset(estimator.views))
    for aligned in _aligned_sets(bag, sync, result, progress):
        frames = [frame for frame in aligned.frames if frame is not None]
        try:
            estimate, left_out = estimator.estimate_frames(frames)
        except InputError as error:  # as in pose_node: a frame set without any usable image is lost, and counted
            result.problems[str(error)] += 1
            continue
        result.problems.update(left_out.values())
        found.append(estimate)
        stamps_ns.append(aligned.acquired_ns)
        result.complete.append(aligned.complete and not left_out)
        usable = [frame for frame in frames if frame.view not in left_out]
        if check.due(aligned.acquired_ns, {frame.view for frame in usable}):
            check.look(aligned.acquired_ns, readable_images(usable)[0])
    refined = zip(refine(found, stamps_ns), stamps_ns, strict=True)
    result.skeletons.extend(estimate.skeleton(stamp_ns) for estimate, stamp_ns in refined)
    return result


def evaluate_bag(result: BagEstimates, tolerance_s: float) -> dict[str, Any]:
    """Compare with the ground truth of the bag.

    A skeleton's truth is the one with the nearest stamp, at most `tolerance_s` away: equal stamps where simulator or
    clip made both, near ones where a motion capture system ran beside the cameras.

    Returns:
        `frames`, counts; `tables`, `pose_table` of all compared frames and of those with complete and partial frame
        sets, where there are any; `stamps`, see `summary_of_stamps`; `rig_faults`, what does not fit the rig file;
        `problems`, reason -> count.

    Raises:
        EgorearError: nothing to compare, or the ground truth is in another frame than the skeletons.
    """
    pairs, finite = _comparable(result, tolerance_s)
    predicted, truth = _positions(result, finite)
    complete = np.array([result.complete[i] for i, _ in finite], bool)
    choices = {"all": np.ones(len(finite), bool), "complete": complete, "partial": ~complete}
    return {
        "frames": {
            "skeletons": len(result.skeletons),
            "complete": sum(result.complete),
            "partial": len(result.complete) - sum(result.complete),
            "compared": len(finite),
            "not_finite": len(pairs) - len(finite),
            "skeletons_without_truth": len(result.skeletons) - len(pairs),
            "truths_without_skeleton": len(result.truths) - len({j for _, j in pairs}),
        },
        "tables": {
            name: pose_table(predicted[chosen], truth[chosen]) for name, chosen in choices.items() if chosen.any()
        },
        "cameras": _camera_counts(result),
        "stamps": summary_of_stamps(result.stamps, result.statistics) if result.stamps and result.statistics else {},
        "rig_faults": [fault.text for fault in result.rig_check.faults] if result.rig_check else [],
        "problems": dict(sorted(result.problems.items())),
    }


def measured_bag(name: str, result: BagEstimates, tolerance_s: float) -> Measured:
    """The same comparison as one camera set, "as recorded", for tables and plots of `evaluation.summary`.

    Args:
        name: of the recording; it is one sequence, its frames numbered as their skeletons.
        result: from `estimate_bag`.
        tolerance_s: see `evaluate_bag`, which raises the same errors.
    """
    _, finite = _comparable(result, tolerance_s)
    predicted, truth = _positions(result, finite)
    variance = np.array([np.diagonal(result.skeletons[i].covariance_m2, axis1=1, axis2=2) for i, _ in finite])
    views = tuple(result.topics.images)
    return Measured(
        views=views,
        names=tuple(FrameName(name, i) for i, _ in finite),
        truth_m=truth.astype(np.float32),
        visible=None,
        masks={AS_RECORDED: (True,) * len(views)},
        predictions={AS_RECORDED: Predictions(predicted.astype(np.float32), np.sqrt(variance))},
    )


def summary(bag: Bag, model: str, sync: SyncConfig, result: BagEstimates, tolerance_s: float) -> dict[str, Any]:
    """`evaluate_bag` with what it was made from: equal bags, models and settings give equal summaries.

    Returns:
        Also `per_joint_mm` and `calibration` of all compared frames, as `summarize` has them of data sets.
    """
    details = summarize(measured_bag(bag.path.stem, result, tolerance_s))
    settings = {**_sync_settings(sync), "truth_tolerance_s": tolerance_s}
    return {
        "format": FORMAT,
        "bag": bag.path.name,
        "model": model,
        "settings": settings,
        **evaluate_bag(result, tolerance_s),
        "per_joint_mm": details["view_sets"][AS_RECORDED]["per_joint_mm"],
        "calibration": details["calibration"],
    }


def _comparable(result: BagEstimates, tolerance_s: float) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Pairs of skeleton and truth, and those of them whose skeleton is finite.

    Raises:
        EgorearError: there is none of the latter, or frames differ.
    """
    pairs = pair_by_stamp(result.skeletons, result.truths, round(1e9 * tolerance_s))
    finite = [(i, j) for i, j in pairs if np.isfinite(result.skeletons[i].positions_m).all()]
    if not finite:
        raise EgorearError(
            f"nothing to compare: {len(result.skeletons)} skeletons, {len(result.truths)} true ones, and no two within "
            f"{tolerance_s:g} s of each other; problems: {'; '.join([_first(result.problems), *result.stamp_lines()])}"
        )
    for i, j in finite:
        _check_frames(result.skeletons[i], result.truths[j])
    return pairs, finite


def _positions(result: BagEstimates, finite: Sequence[tuple[int, int]]) -> tuple[Float64, Float64]:
    """(N, 16, 3) estimates and truths, metres."""
    predicted = np.array([result.skeletons[i].positions_m for i, _ in finite])
    return predicted, np.array([result.truths[j].positions_m for _, j in finite])


def _sync_settings(sync: SyncConfig) -> dict[str, Any]:
    """The settings as plain data."""
    return {
        "cameras": list(sync.cameras),
        "tolerance_s": sync.tolerance,
        "deadline_s": sync.deadline,
        "offsets_s": dict(sync.offsets),
        "minimum_views": sync.minimum_views,
        "lost_after": sync.lost_after,
        "queue_length": sync.queue_length,
    }


def pair_by_stamp(
    skeletons: Sequence[Skeleton], truths: Sequence[Skeleton], tolerance_ns: int
) -> list[tuple[int, int]]:
    """Indices of skeletons and the truths nearest in time; the earlier of two equally near ones."""
    order = sorted(range(len(truths)), key=lambda j: truths[j].stamp_ns)
    stamps = [truths[j].stamp_ns for j in order]
    pairs = []
    for i, skeleton in enumerate(skeletons):
        at = bisect_left(stamps, skeleton.stamp_ns)
        near = [k for k in (at - 1, at) if 0 <= k < len(stamps)]
        if near:
            best = min(near, key=lambda k: abs(stamps[k] - skeleton.stamp_ns))
            if abs(stamps[best] - skeleton.stamp_ns) <= tolerance_ns:
                pairs.append((i, order[best]))
    return pairs


def _aligned_sets(
    bag: Bag, sync: SyncConfig, result: BagEstimates, progress: Callable[[int], None]
) -> Iterator[AlignedFrames]:
    """Frame sets as the synchronizer node would send them, had every message arrived when it was recorded."""
    synchronizer: Synchronizer[CameraFrame] = Synchronizer(sync)
    stamps = result.stamps = StampReport(sync)
    time_ns = 0
    views = {topic: view for view, topic in result.topics.images.items()}
    topics = [*views, *([result.topics.ground_truth] if result.topics.ground_truth else [])]
    for topic, time_ns, message in bag.messages(topics):
        progress(1)
        while (deadline_ns := synchronizer.next_deadline_ns()) is not None and deadline_ns < time_ns:
            yield from synchronizer.poll(deadline_ns)
        try:
            if topic not in views:
                result.truths.append(skeleton_from_message(message))
                continue
            frame = camera_frame_from_message(views[topic], message)
        except (EgorearError, ValueError) as error:
            result.problems[f"{topic}: {error}"] += 1
            continue
        due = stamps.observe(frame.view, frame.stamp_ns, time_ns)
        yield from synchronizer.add(frame.view, frame.stamp_ns, frame, time_ns)
        if due:
            stamps.tick(time_ns, synchronizer.statistics())
    yield from synchronizer.flush()
    result.statistics = synchronizer.statistics()
    stamps.finish(time_ns, result.statistics)


def _camera_counts(result: BagEstimates) -> dict[str, dict[str, int]]:
    if result.statistics is None:
        return {}
    names = ("received", "matched", "late", "duplicate", "dropped", "absent")
    return {view: {name: getattr(camera, name) for name in names} for view, camera in result.statistics.cameras.items()}


def _first(problems: Counter[str]) -> str:
    """The most frequent problem, for an error message."""
    return "; ".join(f"{reason} ({count} times)" for reason, count in problems.most_common(1)) or "none"


def _check_frames(skeleton: Skeleton, truth: Skeleton) -> None:
    if skeleton.frame_id != without_prefix(truth.frame_id):
        raise EgorearError(
            f"the bag's ground truth is in frame '{truth.frame_id}', the skeletons are in '{skeleton.frame_id}'; "
            "record it in the device frame"
        )
