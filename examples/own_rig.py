"""Your own rig: write a rig file, read it back, and estimate with its cameras instead of those of the training data.

    python examples/own_rig.py OUT.yaml

Here the rig is Ego4View's with all cameras moved 10 mm along the device frame's z axis (downwards). docs/own_rig.md
says where the numbers of a real helmet come from.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from egorear_ros import PoseEstimator, load_rig
from egorear_ros.data.rig_clip import RigClip
from egorear_ros.resources import find
from egorear_ros.rig.rigid import inverse
from egorear_ros.rig.writing import rig_yaml

LOWER_M = 0.010


def main() -> None:
    """Write the rig, print where its cameras are, and estimate one frame set with it."""
    out = Path(sys.argv[1])
    shipped = load_rig("ego4view")
    moved = {}
    for camera in shipped.cameras:
        device_from_camera = camera.device_from_camera.copy()
        device_from_camera[2, 3] += LOWER_M
        moved[camera.name] = inverse(device_from_camera)
    out.write_text(rig_yaml(shipped.with_extrinsics(moved)), encoding="utf-8")

    rig = load_rig(out)
    for camera in rig.cameras:
        x, y, z = camera.device_from_camera[:3, 3]
        lens = camera.model
        print(f"{camera.name:<12} {lens.width}x{lens.height}, at ({x:.3f}, {y:.3f}, {z:.3f}) m in the device frame")

    clip = RigClip(find("assets/demo_clip"))
    images = {view: clip.view(view, 0) for view in clip.info.views}
    poses = [
        PoseEstimator.from_pretrained("egorear-s", engine="torch", rig=cameras).estimate(images).joints_device_m
        for cameras in (shipped, rig)
    ]
    shift_mm = 1000 * np.linalg.norm(poses[1] - poses[0], axis=-1).mean()
    print(f"the same images with this rig: joints move by {shift_mm:.1f} mm on average")


if __name__ == "__main__":
    main()
