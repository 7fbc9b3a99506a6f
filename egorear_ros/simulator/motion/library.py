"""The motion library: many clips in one compressed file.

Format (npz), also that of other tools' 21-bone libraries: `names`, `action`, `split` (K,) strings; `start` (K + 1,)
first frame of each clip; `quat` (N, 21, 4) int16, quaternion xyzw times 32767; `root` (N, 3) float32 metres; `valid`
(N,) bool; `dirs` (K, 10, 3); `leg` (K,); `bones` (21,). Optional: `fps` (K,) (default 30), `subject` (K,), `needs_prop`
(K,) bool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.frame_sets import DataError
from egorear_ros.data.npz import Shapes, check_arrays, read_npz
from egorear_ros.errors import EgorearError
from egorear_ros.simulator.motion.clip import BONES, LIMBS, MotionClip

QUATERNION_SCALE: Final = 32767
SHAPES: Final[Shapes] = {
    "names": ("U", ("K",)),
    "start": ("iu", ("K + 1",)),
    "quat": ("iu", ("N", len(BONES), 4)),
    "root": ("f", ("N", 3)),
    "dirs": ("f", ("K", len(LIMBS), 3)),
    "leg": ("f", ("K",)),
    **dict.fromkeys(("action", "split", "subject"), ("U", ("K",))),
    **{"valid": ("biu", ("N",)), "fps": ("fiu", ("K",)), "needs_prop": ("biu", ("K",))},
}
REQUIRED: Final = ("names", "start", "quat", "root", "dirs", "leg", "bones")


@dataclass(frozen=True)
class MotionLibrary:
    """Clips to choose from.

    Attributes:
        clips: all of them, of every split.
        balanced: draw actions that many clips show less often. An action's share is then the square root of what the
            clips alone would give it, up to a common factor.
    """

    clips: tuple[MotionClip, ...]
    balanced: bool = False

    def pick(self, rng: np.random.Generator, duration_s: float, split: str, with_props: bool = False) -> MotionClip:
        """Draw a clip of a split, longer ones more often, and of it a piece of `duration_s` (all of it if shorter).

        Args:
            rng: source of the draw.
            duration_s: length of the piece.
            split: "train", "val" or "test".
            with_props: also take motion that leans on something the scene lacks.

        Raises:
            EgorearError: the library has no usable clip of this split.
        """
        of_split = [clip for clip in self.clips if clip.split == split and clip.usable.any()]
        allowed = [clip for clip in of_split if with_props or not clip.needs_prop]
        if not allowed:
            splits = sorted({clip.split for clip in self.clips})
            raise EgorearError(f"the motion library has no usable clip of split '{split}'; it has {', '.join(splits)}")
        weights = self._weights(allowed)
        clip = allowed[int(rng.choice(len(allowed), p=weights / weights.sum()))]
        wanted = int(duration_s * clip.fps) + 2
        starts = usable_starts(clip.usable, min(wanted, len(clip)))
        start = int(starts[rng.integers(len(starts))])
        return clip.slice(start, min(start + wanted, len(clip)))

    def _weights(self, clips: Sequence[MotionClip]) -> NDArray[np.float64]:
        """How often each clip is drawn, up to a factor."""
        weights = np.sqrt([len(clip) for clip in clips])
        if not self.balanced:
            return weights
        _, action = np.unique([clip.action for clip in clips], return_inverse=True)
        return np.asarray(weights / np.sqrt(np.bincount(action, weights)[action]))


def usable_starts(usable: NDArray[np.bool_], length: int) -> NDArray[np.int64]:
    """Where a piece of `length` frames may begin: the places with the fewest damaged frames."""
    damaged = np.concatenate([[0], np.cumsum(~usable)])
    count = damaged[length:] - damaged[: len(damaged) - length]
    return np.flatnonzero(count == count.min())


def save_library(path: Path, clips: Sequence[MotionClip]) -> None:
    """Write clips to a library file; it appears under its name only when complete."""
    partial = path.with_name(path.name + ".part.npz")
    try:
        np.savez_compressed(
            partial,
            names=np.array([clip.name for clip in clips]),
            action=np.array([clip.action for clip in clips]),
            split=np.array([clip.split for clip in clips]),
            subject=np.array([clip.subject for clip in clips]),
            needs_prop=np.array([clip.needs_prop for clip in clips]),
            fps=np.array([clip.fps for clip in clips]),
            start=np.cumsum([0] + [len(clip) for clip in clips]),
            quat=np.concatenate([np.round(c.rotations_xyzw * QUATERNION_SCALE).astype(np.int16) for c in clips]),
            root=np.concatenate([clip.root_m for clip in clips]).astype(np.float32),
            valid=np.concatenate([clip.usable for clip in clips]),
            dirs=np.stack([clip.limb_directions for clip in clips]),
            leg=np.array([clip.leg_length_m for clip in clips], np.float32),
            bones=np.array(BONES),
        )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def load_library(path: str | Path) -> MotionLibrary:
    """Read a library file.

    Raises:
        EgorearError: not such a file.
    """
    try:
        arrays = read_npz(Path(path))
    except DataError as error:
        raise EgorearError(f"motion library: {error}") from error
    missing = [name for name in REQUIRED if name not in arrays]
    if missing:
        raise EgorearError(f"motion library '{path}' has no array '{missing[0]}'; make it with `egorear motion import`")
    if arrays["bones"].tolist() != list(BONES):
        raise EgorearError(f"motion library '{path}' has bones {arrays['bones'].tolist()}, expected {list(BONES)}")
    try:
        _check(arrays)
    except ValueError as error:
        raise EgorearError(f"motion library '{path}': {error}; make it with `egorear motion import`") from error
    return MotionLibrary(tuple(clip_from(arrays, index) for index in range(len(arrays["names"]))))


def _check(arrays: dict[str, NDArray[Any]]) -> None:
    """Raise ValueError unless the arrays are those of a library."""
    check_arrays(arrays, SHAPES)
    start = arrays["start"].astype(np.int64)
    if len(start) != len(arrays["names"]) + 1 or start[0] != 0 or start[-1] != len(arrays["quat"]):
        raise ValueError(
            "array 'start' does not begin at 0 and end at the number of frames, with one entry per clip more"
        )
    if len(start) < 2 or (np.diff(start) < 1).any():
        raise ValueError("it has no clips, or one without frames")
    if not arrays["quat"].any(axis=-1).all():
        raise ValueError("array 'quat' has rotations that are zero")
    if not all((np.abs(arrays[name]) < 1e6).all() for name in ("root", "dirs", "leg")):
        raise ValueError("its places and lengths are no metres")
    rates = arrays.get("fps", np.array([30.0]))
    if not ((rates > 0) & (rates < 10_000)).all() or not (arrays["leg"] > 0).all():
        raise ValueError("frame rates and lengths of legs must be positive")


def clip_from(arrays: dict[str, NDArray[np.generic]], index: int) -> MotionClip:
    """Return clip number `index` of a library's arrays."""

    def entry(name: str, default: object) -> object:
        return arrays[name][index].item() if name in arrays else default

    frames = slice(int(arrays["start"][index]), int(arrays["start"][index + 1]))
    quaternions = arrays["quat"][frames].astype(np.float32) / QUATERNION_SCALE
    name = str(arrays["names"][index])
    count = frames.stop - frames.start
    return MotionClip(
        name=name,
        rotations_xyzw=quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True),
        root_m=arrays["root"][frames].astype(np.float32),
        limb_directions=arrays["dirs"][index].astype(np.float32),
        leg_length_m=float(arrays["leg"][index]),
        fps=float(str(entry("fps", 30.0))),
        usable=arrays["valid"][frames].astype(bool) if "valid" in arrays else np.ones(count, bool),
        subject=str(entry("subject", name.split("_")[0])),
        action=str(entry("action", "")),
        split=str(entry("split", "train")),
        needs_prop=bool(entry("needs_prop", False)),
    )
