"""The subcommands of `egorear`: each is a module of this folder, `_` for `-`, and has its line here."""

from __future__ import annotations

from typing import Final

COMMANDS: Final[dict[str, str]] = {
    "bag": "Repair a recording that was cut off; the old one is left alone.",
    "benchmark": "Measure a model here: engines side by side, stages, percentiles, memory, and what they change in the "
    "pose.",
    "calibrate": "Calibrate a rig from pictures of a ChArUco board or an AprilGrid: folders, a bag, or live cameras.",
    "calibrate-target": "Print a calibration board: a PDF at true size, and the .yaml that describes it to "
    "`egorear calibrate`.",
    "convert-checkpoint": "Convert an official EgoRear, EgoPoseFormer or EgoTAP checkpoint to safetensors with a JSON "
    "card.",
    "data": "Check labelled data: list what is wrong with a data set before training does.",
    "demo": "See it work: a helmet with four cameras, its skeleton and the truth, live in the browser.",
    "doctor": "Show what works on this machine, and what to do about what does not.",
    "estimate": "Skeletons from recordings without truth, as files for other tools: .npz, .csv, .bvh, .glb, .mcap, "
    ".mp4 and more.",
    "evaluate": "Evaluate a model on a labelled data set or a recording: errors, confidence, and a report with plots.",
    "models": "List the networks egorear can build, with their views and, on request, parameters and cost of one frame "
    "set.",
    "motion": "Motion capture: import BVH and ASF/AMC files into a library for `egorear simulate --motion`.",
    "record": "Record the running graph, or turn a rig clip into a recording: an MCAP bag, without the tools of ROS.",
    "render-shards": "Render frame sets for training small networks: npz shards at the training resolution.",
    "rig": "Show a rig: its cameras, where they sit, and what looks wrong; or compare it with calibration files.",
    "rig-import": "Make a rig of calibration files: Kalibr, OCamCalib, ROS, OpenCV, Basalt, official EgoRear JSON.",
    "run": "Run the live graph: cameras, synchronizer, pose node and skeleton view, without `ros2 launch`.",
    "simulate": "Simulate the helmet rig: images of all cameras with exact ground truth, as a data set or a rig clip.",
    "train": "Train egorear-s, EgoRear, EgoPoseFormer or EgoTAP; resumable, on one or several processes (torchrun).",
    "train-tracker": "Train what comes after a per-frame model in time, on rendered tracks; minutes on one core.",
    "view": "Draw a contact sheet of a simulated data set or rig clip, with the joints drawn in.",
}
"""Name -> one line of help."""
