"""What an estimator returns for one frame set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from egorear_ros.datatypes import Skeleton, Skeleton2D
from egorear_ros.rig import DEVICE_FRAME
from egorear_ros.skeleton import NUM_JOINTS

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PoseEstimate:
    """A pose with what is known of its quality.

    Attributes:
        joints_device_m: (16, 3) float32, metres, device frame.
        confidence: (16,) float32, 0 (guess) to 1 (certain).
        joints_std_m: (16, 3) float32, standard deviation per axis in metres; NaN where the network does not predict it.
        joints_2d: view -> (15, 2) float32 pixels of that view's input image.
        scores_2d: view -> (15,) float32, heatmap maxima.
        image_sizes: view -> (width, height) of the input image, pixels.
        stage_seconds: duration of each stage, seconds.
        velocity_m_s: (16, 3) float32, m/s in the device frame, of a tracker; None of a single frame set.
        velocity_std_m_s: (16, 3) float32, its standard deviation.
    """

    joints_device_m: Array
    confidence: Array
    joints_std_m: Array
    joints_2d: dict[str, Array]
    scores_2d: dict[str, Array]
    image_sizes: dict[str, tuple[int, int]]
    stage_seconds: dict[str, float] = field(default_factory=dict)
    velocity_m_s: Array | None = None
    velocity_std_m_s: Array | None = None

    def skeleton(self, stamp_ns: int, skeleton_id: str = "0", frame_id: str = DEVICE_FRAME) -> Skeleton:
        """The 3D part, stamped, as it travels on.

        Args:
            stamp_ns: of the frame set.
            skeleton_id: which body.
            frame_id: the device frame, with the prefix of this helmet.
        """
        covariance = np.zeros((NUM_JOINTS, 3, 3), np.float32)
        covariance[:, range(3), range(3)] = self.joints_std_m**2
        covariance[np.isnan(self.joints_std_m).any(-1)] = np.nan
        return Skeleton(
            stamp_ns=stamp_ns,
            positions_m=self.joints_device_m.astype(np.float64),
            confidence=self.confidence,
            covariance_m2=covariance,
            valid=np.asarray(np.isfinite(self.joints_device_m).all(axis=-1)),
            views=tuple(self.joints_2d),
            frame_id=frame_id,
            skeleton_id=skeleton_id,
            stage_seconds=self.stage_seconds,
        )

    def skeletons_2d(
        self, stamp_ns: int, image_stamps_ns: Mapping[str, int] | None = None, frame_prefix: str = ""
    ) -> list[Skeleton2D]:
        """The 2D part, one per view used.

        Args:
            stamp_ns: of the frame set.
            image_stamps_ns: view -> stamp of its image; None where they are all the frame set's.
            frame_prefix: of the names of TF frames.
        """
        stamps_ns = image_stamps_ns or dict.fromkeys(self.joints_2d, stamp_ns)
        return [
            Skeleton2D(
                stamp_ns=stamps_ns[view],
                view=view,
                pixels=pixels,
                score=self.scores_2d[view],
                image_size=self.image_sizes[view],
                frame_id=f"{frame_prefix}{view}_optical_frame",
                frame_set_stamp_ns=stamp_ns,
            )
            for view, pixels in self.joints_2d.items()
        ]
