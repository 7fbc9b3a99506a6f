"""PoseTracker: a stream of frame sets in, a smooth skeleton with velocities out."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from egorear_ros.inference import InputError, PoseEstimate, PoseEstimator
from egorear_ros.inference.confidence import confidence_from_std
from egorear_ros.inference.models import WEIGHTS_SUFFIX, find_weights
from egorear_ros.network import EgoRearSConfig, load_weights
from egorear_ros.network.temporal import Memory, TemporalNetwork, Track
from egorear_ros.tracking.evidence import check_down, check_estimate, check_stature, frame_cues
from egorear_ros.tracking.wearer import WearerLengths

Array = NDArray[Any]

LONGEST_GAP_S: Final = 0.5
"""After a longer gap a track begins anew."""

WEARER_KEPT_S: Final = 10.0
"""After a gap up to this long the wearer is taken to be the same: nobody hands over a helmet faster."""

HORIZON_S: Final = 0.25
"""A prediction goes this far at most; later ones stay there and only become less sure."""

TEMPORAL_DEFAULT: Final = False
"""Whether commands and nodes track where nothing else is asked for."""

SHIPPED: Final = "egorear-s-tracker"
SUFFIX: Final = "-tracker"


class TemporalFilter:
    """Estimates of single frame sets in, tracked ones out. One wearer at a time.

    Args:
        network: the temporal part, in eval mode.
        stature_m: height of the wearer with shoes off, metres; None: not known.

    Raises:
        InputError: no height of a person.
    """

    def __init__(self, network: TemporalNetwork, stature_m: float | None = None) -> None:
        self._network = network
        self._stature_m = check_stature(stature_m)
        self.reset()

    @classmethod
    def from_pretrained(cls, model: str, stature_m: float | None = None) -> TemporalFilter:
        """Load the temporal part that goes with a per-frame model, see `find_temporal`.

        Raises:
            EgorearError: no such file, or it holds another kind of network.
        """
        return cls(load_temporal(find_temporal(model)), stature_m)

    @property
    def cues(self) -> tuple[str, ...]:
        """What the latest estimate rests on besides its own images."""
        known = {
            "past frames": self._memory is not None and len(self._memory.time_s) > 1,
            "gravity": self._down_known,
            "bone lengths": self._wearer.weight > 0,
            "stature": self._stature_m is not None,
        }
        return tuple(name for name, there in known.items() if there)

    def new_wearer(self, stature_m: float | None) -> None:
        """Forget the past and the wearer: somebody of this height, if it is known, puts on the helmet.

        Raises:
            InputError: no height of a person.
        """
        self._stature_m = check_stature(stature_m)
        self.reset()

    def reset(self) -> None:
        """Forget the past and the wearer, but for a height that was given."""
        self._memory: Memory | None = None
        self._wearer = WearerLengths()
        self._stamp_ns: int | None = None
        self._latest: PoseEstimate | None = None
        self._down_known = False

    @torch.inference_mode()
    def update(
        self, estimate: PoseEstimate, stamp_ns: int, gravity_device: Array | Sequence[float] | None = None
    ) -> PoseEstimate:
        """Take the estimate of one frame set.

        Args:
            estimate: of a network that predicts standard deviations.
            stamp_ns: acquisition time. After a gap of more than `LONGEST_GAP_S` the track begins anew, after one
                of more than `WEARER_KEPT_S` so does the wearer; a stamp before the last one resets everything.
            gravity_device: (3,) unit vector that points down in the device frame; None where it is not known.

        Returns:
            The same frame set's estimate with better joints, standard deviations and velocities; 2D joints unchanged.

        Raises:
            InputError: no unit vector; the estimate has no standard deviations.
        """
        started = time.perf_counter()
        down = check_down(gravity_device)
        check_estimate(estimate)
        interval_s = self._advance(stamp_ns)
        self._wearer.add(estimate.joints_device_m, estimate.joints_std_m, interval_s)
        lengths = self._wearer.lengths_m, self._wearer.weight
        views = self._network.config.views
        cues = frame_cues(estimate, views, stamp_ns / 1e9, down, lengths, self._stature_m)
        track, self._memory = self._network.step(cues, self._memory)
        self._down_known = down is not None
        self._latest = tracked(estimate, track, 0, time.perf_counter() - started)
        return self._latest

    def predict_to(self, stamp_ns: int) -> PoseEstimate:
        """The latest pose moved on to a later moment, for displays.

        Args:
            stamp_ns: the moment, not before the latest frame set; joints move on for `HORIZON_S` at most.

        Raises:
            InputError: there is no frame set yet, or the moment is before it.
        """
        if self._latest is None or self._stamp_ns is None:
            raise InputError("there is nothing to predict from: call update with a frame set first")
        ahead_s = (stamp_ns - self._stamp_ns) / 1e9
        if ahead_s < 0:
            raise InputError(
                f"predict_to: the moment is {-ahead_s:.3f} s before the latest frame set; give a later one"
            )
        return moved_on(self._latest, ahead_s)

    def _advance(self, stamp_ns: int) -> float:
        """Take a stamp; return the time since the last one, seconds: 0 at the start and after a reset."""
        gap_s = 0.0 if self._stamp_ns is None else (stamp_ns - self._stamp_ns) / 1e9
        if gap_s < 0 or gap_s > WEARER_KEPT_S:
            self.reset()
            gap_s = 0.0
        elif gap_s > LONGEST_GAP_S:
            self._memory = None
            gap_s = 0.0
        self._stamp_ns = stamp_ns
        return gap_s


class PoseTracker:
    """A per-frame network and the temporal part behind it.

    Args:
        estimator: the per-frame network.
        temporal: what comes after it.
    """

    def __init__(self, estimator: PoseEstimator, temporal: TemporalFilter) -> None:
        self.estimator, self.temporal = estimator, temporal

    @classmethod
    def from_pretrained(cls, model: str, stature_m: float | None = None, **options: Any) -> PoseTracker:
        """Load a model and its temporal part.

        Args:
            model: name of a shipped model, or path of a .safetensors file.
            stature_m: height of the wearer with shoes off, metres; None: not known.
            options: see `PoseEstimator.from_pretrained`.

        Raises:
            EgorearError: see `PoseEstimator.from_pretrained` and `TemporalFilter.from_pretrained`.
        """
        temporal = TemporalFilter.from_pretrained(model, stature_m)
        return cls(PoseEstimator.from_pretrained(model, **options), temporal)

    def update(
        self,
        images: Mapping[str, NDArray[np.uint8]],
        stamp_ns: int,
        gravity_device: Array | Sequence[float] | None = None,
    ) -> PoseEstimate:
        """Estimate the pose in one frame set, in the light of those before it.

        Args:
            images: see `PoseEstimator.estimate`: any subset of the views, another one each time if need be.
            stamp_ns, gravity_device: see `TemporalFilter.update`.

        Raises:
            InputError: see `PoseEstimator.estimate` and `TemporalFilter.update`.
        """
        check_down(gravity_device)  # before the work
        return self.temporal.update(self.estimator.estimate(images), stamp_ns, gravity_device)

    def predict_to(self, stamp_ns: int) -> PoseEstimate:
        """See `TemporalFilter.predict_to`."""
        return self.temporal.predict_to(stamp_ns)

    def reset(self) -> None:
        """Forget the past and the wearer: somebody else puts on the helmet."""
        self.temporal.reset()

    def warm_up(self) -> None:
        """Run once, so that the first real frame set is not slower than the others; starts anew."""
        size = self.estimator.config.image_size
        self.update({view: np.zeros((size, size, 3), np.uint8) for view in self.estimator.views}, 0)
        self.reset()


def tracked(estimate: PoseEstimate, track: Track, frame: int, seconds: float) -> PoseEstimate:
    """A per-frame estimate with the answers of the temporal part to one frame, batch entry 0, in place of its own."""
    pose, log_std, velocity, velocity_log_std = (np.asarray(part[0, frame].numpy(), np.float32) for part in track)
    std = np.exp(log_std)
    return dataclasses.replace(
        estimate,
        joints_device_m=pose,
        joints_std_m=std,
        confidence=confidence_from_std(std),
        velocity_m_s=velocity,
        velocity_std_m_s=np.exp(velocity_log_std),
        stage_seconds={**estimate.stage_seconds, "temporal": seconds},
    )


def moved_on(estimate: PoseEstimate, ahead_s: float) -> PoseEstimate:
    """A tracked pose so many seconds later."""
    if estimate.velocity_m_s is None or estimate.velocity_std_m_s is None:
        raise InputError("this estimate has no velocities: it is not from a tracker")
    std = np.hypot(estimate.joints_std_m, ahead_s * estimate.velocity_std_m_s)
    return dataclasses.replace(
        estimate,
        joints_device_m=estimate.joints_device_m + np.float32(min(ahead_s, HORIZON_S)) * estimate.velocity_m_s,
        joints_std_m=std,
        confidence=confidence_from_std(std),
    )


def predicts_std(estimator: PoseEstimator) -> bool:
    """Whether a network predicts standard deviations, without which it cannot be tracked."""
    return isinstance(estimator.config, EgoRearSConfig)


def open_filter(estimator: PoseEstimator, model: str, stature_m: float | None = None) -> TemporalFilter | None:
    """What comes after a loaded model: None where its network predicts no standard deviations.

    Raises:
        EgorearError: see `TemporalFilter.from_pretrained`.
    """
    return TemporalFilter.from_pretrained(model, stature_m) if predicts_std(estimator) else None


def find_temporal(model: str) -> Path:
    """Weights of the temporal part for a per-frame model.

    Args:
        model: name of a shipped model, or path of a .safetensors file: then `<its name>-tracker.safetensors` beside
            it, or else the shipped one, which works on the poses of any network with standard deviations.

    Raises:
        InputError: none is shipped under that name.
    """
    if not model.endswith(WEIGHTS_SUFFIX):
        return find_weights(f"{model}{SUFFIX}")
    beside = Path(model).with_name(f"{Path(model).stem}{SUFFIX}{WEIGHTS_SUFFIX}")
    return beside if beside.exists() else find_weights(SHIPPED)


def load_temporal(path: Path) -> TemporalNetwork:
    """Read the weights of a temporal part.

    Raises:
        CheckpointError: the file cannot be read; InputError: it holds another kind of network.
    """
    network, _ = load_weights(path)
    if not isinstance(network, TemporalNetwork):
        raise InputError(f"'{path}' holds no temporal part of a tracker; make one with `egorear train-tracker`")
    return network
