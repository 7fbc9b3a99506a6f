"""EgoRear-Sim: the fixed simulated benchmark, and the fingerprint that tells whether two copies of it are the same.

Everything about the sets is fixed but the size of the images and the source of the motion. People and motion are those
of the val or test split; docs/benchmark.md says which other data have the same seeds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from egorear_ros import resources
from egorear_ros.errors import EgorearError
from egorear_ros.plain_data import PlainDataError, read_json
from egorear_ros.simulator.recorder import Recording
from egorear_ros.skeleton import JOINTS

VERSION: Final = 1
"""Raised whenever the sets change; figures of different versions do not compare."""

SEEDS: Final = {"val": 20_251, "test": 20_252}
FRAMES: Final = 4000
SEQUENCE_FRAMES: Final = 100
FPS: Final = 10.0
"""Ten seconds per sequence: neighbouring frames at 30 per second would say the same thing three times."""

FINGERPRINT_FILE: Final = "egorear_sim.json"
PUBLISHED_FILE: Final = "config/egorear_sim.json"
TOLERANCE_CM: Final = 0.01
"""Mean joint positions of the same set on another processor agree far better than this; other motion does not."""


def benchmark_recording(
    name: str, out: Path, size_px: int = 256, motion: str = "procedural", frames: int = FRAMES
) -> Recording:
    """What to record.

    Args:
        name: "val" or "test".
        out: folder of the data set.
        size_px: image width.
        motion: "procedural", or the path of a motion library, whose clips of that split are used.
        frames: other than `FRAMES` for trying out only.
    """
    return Recording(
        out=out,
        motion=motion,
        frames=frames,
        sequence_frames=SEQUENCE_FRAMES,
        size_px=size_px,
        fps=FPS,
        seed=SEEDS[name],
        split=name,
    )


def fingerprint(name: str, root: Path) -> dict[str, Any]:
    """Read the ground truth of a recorded set and boil it down.

    Args:
        name: "val" or "test".
        root: the data set's folder, complete.

    Returns:
        `benchmark`, `version`, `frames`; `identity_sha256`, of bodies, clips and their frames; `truth_sha256`, of all
        joint positions as they are on disk, equal on machines that compute alike; `mean_joints_cm` (16, 3), for the
        others.

    Raises:
        EgorearError: there is no frame, or one is damaged.
    """
    identity, truth = hashlib.sha256(), hashlib.sha256()
    total, count = np.zeros((len(JOINTS), 3)), 0
    for where, content in _frames(root):
        known, joints = content["egorear"], [content["joints"][joint]["device_pts3d"] for joint in JOINTS]
        identity.update(f"{where} {known['body']} {known['clip']} {known['clip_frame']}\n".encode())
        truth.update(json.dumps(joints).encode())
        total, count = total + np.array(joints), count + 1
    if not count:
        raise EgorearError(f"'{root}' holds no frames (rp_*/*/json_smplx_gendered/*.json)")
    return {
        "benchmark": f"EgoRear-Sim {name}",
        "version": VERSION,
        "frames": count,
        "identity_sha256": identity.hexdigest(),
        "truth_sha256": truth.hexdigest(),
        "mean_joints_cm": np.round(total / count, 3).tolist(),
    }


def seal(name: str, root: Path) -> dict[str, Any]:
    """Write the fingerprint of a complete set into its folder, and return it."""
    found = fingerprint(name, root)
    partial = root / f".{FINGERPRINT_FILE}.partial"
    partial.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    partial.rename(root / FINGERPRINT_FILE)
    return found


def published(name: str) -> dict[str, Any]:
    """The fingerprint of the benchmark with procedural motion that figures in docs/benchmark.md belong to."""
    content: dict[str, Any] = json.loads(resources.find(PUBLISHED_FILE).read_text(encoding="utf-8"))[name]
    return content


def difference(found: dict[str, Any], expected: dict[str, Any]) -> str:
    """What two fingerprints differ in, in words; empty if they are of the same set."""
    for key in ("benchmark", "version", "frames", "identity_sha256"):
        if found[key] != expected[key]:
            return f"{key} is {found[key]}, expected {expected[key]}"
    apart = float(np.abs(np.subtract(found["mean_joints_cm"], expected["mean_joints_cm"])).max())
    return f"mean joint positions are {apart:.3f} cm apart" if apart > TOLERANCE_CM else ""


def _frames(root: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every frame's place and content, in order."""
    for path in sorted(root.glob("rp_*/*/json_smplx_gendered/*.json")):
        try:
            yield "/".join((path.parts[-4], path.parts[-3], path.stem)), read_json(path)
        except PlainDataError as error:
            raise EgorearError(
                f"'{path}' {error}; move the folder '{path.parent.parent}' elsewhere, and the same "
                "`egorear simulate` records it anew"
            ) from error
