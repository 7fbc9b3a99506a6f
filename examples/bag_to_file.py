"""Bag to file: the images of a recording in, a CSV file with one row per joint and frame set out.

    python examples/bag_to_file.py BAG OUT.csv

Needs no ROS. `egorear record --clip DIR BAG` makes a bag to try it with.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from egorear_ros import PoseEstimator
from egorear_ros.bags.message_reading import camera_frame_from_message
from egorear_ros.bags.reading import Bag, find_topics
from egorear_ros.datatypes import CameraFrame
from egorear_ros.skeleton import JOINTS
from egorear_ros.sync import AlignedSet, SyncConfig, Synchronizer


def frame_sets(bag: Bag, cameras: tuple[str, ...]) -> Iterator[AlignedSet[CameraFrame]]:
    """Put the frames of the cameras together that belong to one instant."""
    synchronizer: Synchronizer[CameraFrame] = Synchronizer(SyncConfig(cameras, tolerance=0.005, deadline=0.1))
    views = {topic: view for view, topic in find_topics(bag, cameras).images.items()}
    for topic, time_ns, message in bag.messages(views):
        yield from synchronizer.poll(time_ns)
        frame = camera_frame_from_message(views[topic], message)
        yield from synchronizer.add(frame.view, frame.stamp_ns, frame, time_ns)
    yield from synchronizer.flush()


def main() -> None:
    """Estimate every frame set of the bag and write the joints."""
    bag_path, out = sys.argv[1:]
    estimator = PoseEstimator.from_pretrained("egorear-s", engine="torch")
    with Bag(bag_path) as bag, Path(out).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["stamp_ns", "joint", "x_m", "y_m", "z_m", "confidence"])
        sets = 0
        for aligned in frame_sets(bag, estimator.views):
            estimate, _ = estimator.estimate_frames(frame for frame in aligned.frames if frame is not None)
            for joint, position, confidence in zip(JOINTS, estimate.joints_device_m, estimate.confidence, strict=True):
                table.writerow([aligned.acquired_ns, joint, *(f"{x:.4f}" for x in position), f"{confidence:.3f}"])
            sets += 1
    print(f"{sets} frame sets in {out}")


if __name__ == "__main__":
    main()
