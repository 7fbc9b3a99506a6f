"""Turn a folder of motion files into a library."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from egorear_ros.errors import EgorearError
from egorear_ros.simulator.motion.clip import MotionClip
from egorear_ros.simulator.motion.library import save_library
from egorear_ros.simulator.motion.skeleton_motion import MotionFileError
from egorear_ros.simulator.motion.variants import Reading, load_motion


def import_folder(
    folder: Path,
    out: Path,
    fps: float = 30.0,
    reading: Reading | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> tuple[list[MotionClip], list[MotionFileError]]:
    """Read every .bvh and .amc below `folder` and write the library `out`.

    Files that cannot be used are reported and left out; the others go on. Clips are split by subject (the part of the
    file name before the first '_'): about 80 % train, 10 % val, 10 % test, always the same for the same subject.

    Args:
        folder: with the files, or one file.
        out: the library.
        fps: its frame rate, Hz.
        reading: what the files do not say.
        note: called with what was assumed about a file.

    Returns:
        The clips, and one error per file left out.

    Raises:
        EgorearError: no file could be used; nothing is written.
    """
    below = [folder] if folder.is_file() else folder.rglob("*")
    files = sorted(path for path in below if path.suffix.lower() in (".bvh", ".amc"))
    clips: list[MotionClip] = []
    errors: list[MotionFileError] = []
    for path in files:
        try:
            clip = load_motion(path, fps, reading, lambda text, path=path: note(f"{path}: {text}"))  # type: ignore[misc]
            clips.append(replace(clip, split=split_of(clip.subject)))
        except MotionFileError as error:
            errors.append(error)
    if not clips:
        reason = f"the first problem is {errors[0]}" if errors else "there is no .bvh or .amc file"
        raise EgorearError(f"no motion in '{folder}' can be used: {reason}")
    if not any(clip.split == "train" for clip in clips):
        clips = [replace(clip, split="train") for clip in clips]
    save_library(out, clips)
    return clips, errors


def split_of(subject: str) -> str:
    """Split of a subject, from a checksum of his name."""
    return {8: "val", 9: "test"}.get(zlib.crc32(subject.encode()) % 10, "train")
