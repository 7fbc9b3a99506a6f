"""Images to pose: four pictures of one moment in, 16 joints in metres out.

    python examples/images_to_pose.py [CLIP]

The pictures come from a rig clip (the bundled one unless another is named). With your own cameras, give `estimate` a
dictionary of RGB arrays (H, W, 3) uint8, one per view; a view that is missing is simply left out.
"""

from __future__ import annotations

import sys

import numpy as np

from egorear_ros import PoseEstimator
from egorear_ros.data.rig_clip import RigClip
from egorear_ros.resources import find
from egorear_ros.skeleton import JOINTS


def main() -> None:
    """Estimate one frame set and print the joints."""
    clip = RigClip(sys.argv[1] if len(sys.argv) > 1 else find("assets/demo_clip"))
    frame = len(clip) // 2
    images = {view: clip.view(view, frame) for view in clip.info.views}

    estimator = PoseEstimator.from_pretrained("egorear-s", engine="torch")
    estimate = estimator.estimate(images)

    print("joint           x      y      z   confidence    (metres, device frame)")
    for joint, (x, y, z), confidence in zip(JOINTS, estimate.joints_device_m, estimate.confidence, strict=True):
        print(f"{joint:<12} {x:6.3f} {y:6.3f} {z:6.3f}   {confidence:.2f}")
    if "joints_device_m" in clip.ground_truth:
        truth_m = clip.ground_truth["joints_device_m"][frame]
        error_mm = 1000 * np.linalg.norm(estimate.joints_device_m - truth_m, axis=-1)
        print(f"mean error {error_mm.mean():.1f} mm")


if __name__ == "__main__":
    main()
