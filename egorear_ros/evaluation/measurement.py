"""Run a network over a labelled data set: answers for every camera set beside the truth, read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import nn

from egorear_ros.data.frame_sets import FrameName, FrameSets, FrameSource
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.baselines import MEAN_POSE, NEAREST, TrainingPoses
from egorear_ros.evaluation.prediction import Predictions, batches, predict_batch, prepare
from egorear_ros.evaluation.view_sets import ViewMask
from egorear_ros.network import EgoRearConfig


@dataclass(frozen=True)
class Measured:
    """What was answered, and what is true.

    Attributes:
        views: the network's views.
        names: where each frame set comes from.
        truth_m: (N, 16, 3) metres, device frame.
        visible: (N, V, 16) bool, or None where nobody knows.
        masks: camera set -> views used; the first is the one that details are given for.
        predictions: camera set -> answers.
        baselines: name -> (N, 16, 3), answers that need no network; those with pictures use the first camera set.
    """

    views: tuple[str, ...]
    names: tuple[FrameName, ...]
    truth_m: NDArray[np.float32]
    visible: NDArray[np.bool_] | None
    masks: Mapping[str, ViewMask]
    predictions: Mapping[str, Predictions]
    baselines: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.truth_m)

    @property
    def main(self) -> str:
        """The camera set that details are given for."""
        return next(iter(self.masks))

    def seen(self, camera_set: str) -> NDArray[np.bool_] | None:
        """(N, 16), whether at least one view of a camera set sees the joint; None where nobody knows."""
        if self.visible is None:
            return None
        return np.asarray(self.visible[:, list(self.masks[camera_set])].any(axis=1))


class _Spread:
    """Evenly spread frame sets of a source."""

    def __init__(self, source: FrameSource, chosen: NDArray[np.int64]) -> None:
        self._source, self._chosen = source, chosen
        self.views = source.views

    def __len__(self) -> int:
        return len(self._chosen)

    def take(self, indices: NDArray[np.int64]) -> FrameSets:
        return self._source.take(self._chosen[indices])

    def name(self, index: int) -> FrameName:
        return self._source.name(int(self._chosen[index]))


def spread(source: FrameSource, most: int | None) -> FrameSource:
    """The source, or at most so many of its frame sets, evenly spread.

    Raises:
        EgorearError: fewer than one.
    """
    if most is not None and most < 1:
        raise EgorearError(f"the number of frame sets is {most}, expected at least 1")
    if most is None or most >= len(source):
        return source
    return _Spread(source, np.linspace(0, len(source) - 1, most).astype(np.int64))


def measure(
    network: nn.Module,
    source: FrameSource,
    masks: Mapping[str, ViewMask],
    training: TrainingPoses | None = None,
    as_built: bool = False,
    progress: Callable[[int], None] = lambda sets: None,
) -> Measured:
    """Answer every frame set with every camera set.

    Args:
        network: in eval mode; gives poses in the device frame.
        source: the data, with the network's views.
        masks: camera sets to use, at least one.
        training: training data, for the baselines; without it, of a network that knows it, the mean pose only.
        as_built: give the network the extrinsics of the data instead of those of its rig. Networks that demand
            extrinsics (Ego4View-RW) always get them.
        progress: called with the number of frame sets done since the last call.

    Raises:
        EgorearError: there are no frame sets, the network gives no poses, or some that are not finite.
    """
    if not len(source):
        raise EgorearError("there are no frame sets to evaluate on: name a folder, or a split, that has some")
    as_built = as_built or demands_extrinsics(network)
    answers: dict[str, list[Predictions]] = {name: [] for name in masks}
    truth, visible, in_view, nearest = [], [], [], []
    for sets in batches(source):
        images = prepare(network, sets)
        for name, mask in masks.items():
            extrinsics = sets.camera_from_device if as_built else None
            answers[name].append(predict_batch(network, images, mask, extrinsics))
        if training is not None:
            nearest.append(training.nearest_pose_m(sets, next(iter(masks.values()))))
        truth.append(sets.joints_device_m)
        visible.append(sets.visible)
        in_view.append(sets.in_view)
        progress(len(sets))
    joints = np.concatenate(truth)
    predictions = {name: _joined(parts) for name, parts in answers.items()}
    for name, answer in predictions.items():
        _check_finite(name, answer)
    return Measured(
        views=source.views,
        names=tuple(source.name(i) for i in range(len(source))),
        truth_m=joints,
        visible=_if_known(np.concatenate(visible), np.concatenate(in_view)),
        masks=dict(masks),
        predictions=predictions,
        baselines=_baselines(network, training, nearest, len(joints)),
    )


def demands_extrinsics(network: nn.Module) -> bool:
    """Whether a network knows no rig and must be told the extrinsics of every frame set, as those for Ego4View-RW."""
    config: Any = cast(Any, network).config
    return isinstance(config, EgoRearConfig) and config.extrinsics == "input"


def _joined(parts: list[Predictions]) -> Predictions:
    return Predictions(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _check_finite(camera_set: str, answer: Predictions) -> None:
    """A network that answers with no number has no error; leaving those frame sets out would flatter it."""
    wrong = int((~np.isfinite(answer.joints_m)).any(axis=(1, 2)).sum())
    if wrong:
        raise EgorearError(
            f"the network's poses are not finite for {wrong} of {len(answer.joints_m)} frame sets ({camera_set}): its "
            "weights are damaged, or it was trained to infinity"
        )


def _if_known(visible: NDArray[np.bool_], in_view: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Data sets that do not know what is hidden, as Ego4View, call everything in view visible."""
    return None if np.array_equal(visible, in_view) else visible


def _baselines(
    network: nn.Module, training: TrainingPoses | None, nearest: list[NDArray[np.float32]], count: int
) -> dict[str, NDArray[np.float32]]:
    if training is not None:
        mean = training.mean_pose_m()
        return {MEAN_POSE: np.tile(mean, (count, 1, 1)), NEAREST: np.concatenate(nearest)}
    known = getattr(network, "mean_pose_m", None)
    return {} if known is None else {MEAN_POSE: np.tile(known.cpu().numpy(), (count, 1, 1))}
