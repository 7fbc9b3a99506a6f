"""Finds what is wrong with a data set before training does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.ego4view import Ego4ViewFrames
from egorear_ros.data.ego4view_layout import Layout, frame_number, layout_of, read_list
from egorear_ros.data.ego4view_syn import SPLIT_FILES
from egorear_ros.data.frame_labels import FrameLabels
from egorear_ros.data.frame_sets import FrameSets, FrameSource, MissingFileError
from egorear_ros.data.image_files import image_size
from egorear_ros.data.opening import open_frames
from egorear_ros.data.parallel import for_each_file
from egorear_ros.errors import EgorearError
from egorear_ros.rig import VIEWS, Rig, RigCamera, load_rig
from egorear_ros.rig.rigid import transform_points
from egorear_ros.skeleton import JOINTS

TOLERANCE_PX: Final = 5.0
"""How far a joint in view may be drawn from where its 3D position is seen, in pixels of the calibration."""

CHUNK: Final = 64

Result = TypeVar("Result")


class Finding(NamedTuple):
    """Something wrong: of which kind, and what exactly, in one line."""

    kind: str
    what: str


class Report(NamedTuple):
    """What a check found.

    Attributes:
        frames: frame sets looked at, by split ("all" for data without splits).
        findings: what is wrong.
    """

    frames: dict[str, int]
    findings: list[Finding]


def check_folder(
    path: Path, split: str | None = None, views: Sequence[str] = VIEWS, sample: int | None = None
) -> Report:
    """Check a folder that `open_frames` can open; what keeps it from being opened is a finding, too.

    Args:
        path: the folder.
        split: "train", "val" or "test"; None: every split that has frames.
        views: views that must be there.
        sample: frame sets to look at in each split, evenly taken; None: all.
    """
    layout = layout_of(path)
    findings = [] if layout is None else list(_lists(path))
    splits: list[str | None] = [split]
    if layout is not None and split is None:
        listed = [name for name, file_name in SPLIT_FILES.items() if _lines(path / file_name)]
        splits = [*listed] or [None]
    frames = {}
    for name in splits:
        try:
            source = _opened(path, layout, name, views)
            found = check(source, sample)
            frames[name or "all"] = len(_picked(len(source), sample))
        except EgorearError as error:
            found = [Finding("cannot be opened", str(error))]
        findings.extend(found)
    return Report(frames, findings)


def check(source: FrameSource, sample: int | None = None) -> list[Finding]:
    """Check frame sets: files, labels, sizes, and whether 2D and 3D agree. Images are not decoded.

    Args:
        source: the frame sets.
        sample: how many to look at, evenly taken; None: all.
    """
    picked = _picked(len(source), sample)
    if not isinstance(source, Ego4ViewFrames):
        rig = load_rig(getattr(source, "rig_name", "ego4view")).subset(source.views)
        chunks = [picked[start : start + CHUNK] for start in range(0, len(picked), CHUNK)]
        return [finding for chunk in chunks for finding in _sets(source, chunk, rig)]
    findings = [Finding("missing folder", f"'{source.root / line}' is in the split list") for line in source.missing]
    if not len(source):
        findings.append(Finding("empty split", f"split '{source.split or 'all'}' of '{source.root}' has no frames"))
    findings.extend(_doubles(source))
    unposed = dict(_unposed(source))
    findings.extend(Finding("camera poses", reason) for reason in unposed.values())
    posed = [int(index) for index in picked if source.files[index].sequence not in unposed]
    sizes: Counter[int] = Counter()
    for found, size in for_each_file(lambda index: _frame(source, index), posed):
        findings.extend(found)
        sizes.update(size)
    if len(sizes) > 1:
        text = ", ".join(f"{count} of {size} px" for size, count in sizes.most_common())
        findings.append(Finding("image size", f"'{source.root}' has images of several sizes: {text}"))
    return findings


def summary(findings: Sequence[Finding]) -> str:
    """How many of which kind ("2 missing file, 1 labels")."""
    return ", ".join(f"{count} {kind}" for kind, count in Counter(f.kind for f in findings).most_common())


def _opened(path: Path, layout: Layout | None, split: str | None, views: Sequence[str]) -> FrameSource:
    """As `open_frames`, but missing folders and an empty split are left for `check` to find."""
    return open_frames(path, split, views) if layout is None else Ego4ViewFrames(path, layout, split, views)


def _picked(count: int, sample: int | None) -> NDArray[np.int64]:
    """Numbers of the frame sets to look at."""
    if sample is None or sample >= count:
        return np.arange(count)
    return np.linspace(0, count - 1, sample).astype(np.int64)


def _lines(path: Path) -> list[str]:
    return read_list(path) if path.is_file() else []


def _lists(root: Path) -> Iterator[Finding]:
    """What the split lists name twice, be it in one list or in two."""
    lines = [(line, file_name) for file_name in SPLIT_FILES.values() for line in _lines(root / file_name)]
    for line, count in Counter(line for line, _ in lines).items():
        if count > 1:
            files = sorted({file_name for other, file_name in lines if other == line})
            yield Finding("duplicate", f"'{line}' is listed {count} times, in {' and '.join(files)} of '{root}'")


def _doubles(source: Ego4ViewFrames) -> Iterator[Finding]:
    """Frames of one sequence with the same number."""
    numbers = Counter((file.sequence, frame_number(file.stem)) for file in source.files)
    for (sequence, number), count in numbers.items():
        if count > 1:
            yield Finding("duplicate", f"'{source.sequences[sequence].path}' has {count} frames of number {number}")


def _unposed(source: Ego4ViewFrames) -> Iterator[tuple[int, str]]:
    """Sequences whose camera poses cannot be read, and why."""
    first = {file.sequence: index for index, file in reversed(list(enumerate(source.files)))}
    for sequence, index in sorted(first.items()):
        try:
            source.rig_of(index)
        except EgorearError as error:
            yield sequence, str(error)


def _frame(source: Ego4ViewFrames, index: int) -> tuple[list[Finding], list[int]]:
    """What is wrong with a frame, and the sizes of its images."""
    findings, sizes = [], []
    for view in source.views:
        error, size = _tried("image", lambda view=view: image_size(source.image_path(index, view)))  # type: ignore[misc]
        findings.extend(error)
        sizes.extend([] if size is None else [size])
    error, labels = _tried("labels", lambda: source.labels(index))
    findings.extend(error)
    if labels is not None:
        cameras = [source.rig[view] for view in source.views]
        where = source.labels_path(index)
        findings.extend(Finding("2D and 3D", f"'{where}': {text}") for text in _apart(labels, cameras))
    return findings, sizes


def _tried(kind: str, read: Callable[[], Result]) -> tuple[list[Finding], Result | None]:
    """What a function returns, or the finding it raises."""
    try:
        return [], read()
    except EgorearError as error:
        return [Finding("missing file" if isinstance(error, MissingFileError) else kind, str(error))], None


def _apart(labels: FrameLabels, cameras: Sequence[RigCamera]) -> Iterator[str]:
    """Views whose worst joint lies too far from its projection."""
    for number, camera in enumerate(cameras):
        with np.errstate(all="ignore"):  # labels may be any numbers
            points = transform_points(labels.camera_from_device[number], labels.joints_device_m)
            distance = np.linalg.norm(camera.model.project(points) - labels.pixels[number], axis=-1)
        distance[~labels.in_view[number]] = 0.0
        worst = int(distance.argmax())
        if distance[worst] > TOLERANCE_PX:
            yield f"{camera.name}: {JOINTS[worst]} lies {distance[worst]:.1f} px from where its 3D position is seen"


def _sets(source: FrameSource, indices: NDArray[np.int64], rig: Rig) -> Iterator[Finding]:
    """What is wrong with frame sets of a source that is no folder of single files."""
    try:
        sets = source.take(indices)
    except EgorearError as error:
        yield Finding("labels", str(error))
        return
    size = np.array([(camera.model.width, camera.model.height) for camera in rig.cameras])[:, None]
    for place, index in enumerate(indices):
        name = source.name(int(index))
        where = f"sequence {name.sequence}, frame {name.frame}"
        wrong = [key for key, array in sets.arrays().items() if not np.isfinite(array[place]).all()]
        if wrong:
            yield Finding("labels", f"{where}: {', '.join(wrong)} not finite")
            continue
        labels = _labels_of(sets, place, size)
        yield from (Finding("2D and 3D", f"{where}: {text}") for text in _apart(labels, rig.cameras))


def _labels_of(sets: FrameSets, place: int, size: NDArray[np.int64]) -> FrameLabels:
    return FrameLabels(
        joints_device_m=sets.joints_device_m[place].astype(float),
        pixels=sets.pixels[place] * size,
        in_view=sets.in_view[place],
        visible=sets.visible[place],
        camera_from_device=sets.camera_from_device[place].astype(float),
        action="",
        stamp_ns=None,
    )
