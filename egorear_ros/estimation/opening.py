"""From what the user names to recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from egorear_ros.errors import EgorearError
from egorear_ros.estimation.recording import (
    BagRecording,
    ClipRecording,
    ImageRecording,
    Recording,
    VideoRecording,
)

VIDEO_SUFFIXES: Final = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg")
BAG_SUFFIXES: Final = (".mcap", ".db3")


@dataclass(frozen=True)
class Named:
    """One recording as named on the command line: one path, or one per view."""

    path: Path | None = None
    views: Mapping[str, Path] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For the names of output files."""
        if self.path is not None:
            path = self.path.resolve()
            return path.stem if path.suffix in BAG_SUFFIXES else path.name
        first = next(iter(self.views.values())).resolve()
        return first.parent.name or first.stem


def parse_sources(arguments: Sequence[str]) -> list[Named]:
    """Read SOURCE arguments: a path each, or `VIEW=PATH`, of which one recording takes as many as differ in the view.

    Raises:
        EgorearError: an argument that is nothing of this.
    """
    found: list[Named] = []
    group: dict[str, Path] = {}
    for argument in arguments:
        view, equals, path = argument.partition("=")
        if not equals or "/" in view or Path(argument).exists():
            found, group = [*found, *_closed(group), Named(Path(argument))], {}
            continue
        if not view or not path:
            raise EgorearError(f"source '{argument}' must be a path or VIEW=PATH, for example front_left=left.mp4")
        if view in group:
            found, group = [*found, *_closed(group)], {}
        group[view] = Path(path)
    return [*found, *_closed(group)]


def open_recording(named: Named, views: Sequence[str], rate_hz: float = 0.0) -> Recording:
    """Open a recording: ROS bag, rig clip, folder of videos or of folders named by view, or one path per view.

    Args:
        named: the recording.
        views: of the rig, in order.
        rate_hz: frame rate of videos and images; 0 takes the videos' own, and 30 Hz for images.

    Raises:
        EgorearError: nothing there, or nothing of these kinds; says what was looked for.
    """
    wanted = tuple(views)
    if named.path is None:
        return _per_view(named, wanted, rate_hz)
    path = named.path
    if not path.exists():
        raise EgorearError(f"source '{path}': there is no such file or folder")
    if path.suffix in BAG_SUFFIXES or (path / "metadata.yaml").exists():
        return BagRecording(path, wanted)
    if path.is_file():
        raise EgorearError(
            f"source '{path}' is one file but not a bag ({', '.join(BAG_SUFFIXES)}); name a file for each camera, "
            f"for example {wanted[0]}={path.name}"
        )
    if (path / "clip.yaml").exists():
        return ClipRecording(path, wanted)
    inside = {view: found for view in wanted if (found := _of_view(path, view)) is not None}
    if not inside:
        raise EgorearError(
            f"source '{path}' has no metadata.yaml (bag), no clip.yaml (rig clip), and no videos or folders of images "
            f"named {', '.join(wanted)}"
        )
    return _per_view(Named(path, inside), wanted, rate_hz)


def _closed(group: dict[str, Path]) -> list[Named]:
    return [Named(views=group)] if group else []


def _of_view(folder: Path, view: str) -> Path | None:
    """The video, or folder of images, of a view in a folder."""
    if (folder / view).is_dir():
        return folder / view
    return next((p for p in sorted(folder.glob(f"{view}.*")) if p.suffix.lower() in VIDEO_SUFFIXES), None)


def _per_view(named: Named, wanted: tuple[str, ...], rate_hz: float) -> Recording:
    unknown = [view for view in named.views if view not in wanted]
    if unknown:
        raise EgorearError(f"source: camera '{unknown[0]}' is not one of {', '.join(wanted)}")
    ordered = {view: named.views[view] for view in wanted if view in named.views}
    for view, path in ordered.items():
        if not path.exists():
            raise EgorearError(f"camera '{view}': there is no file or folder '{path}'")
    folders = [view for view, path in ordered.items() if path.is_dir()]
    if len(folders) == len(ordered):
        return ImageRecording(named.name, ordered, rate_hz)
    if folders:
        files = [view for view in ordered if view not in folders]
        raise EgorearError(
            f"camera '{folders[0]}' is a folder of images, '{files[0]}' is a file; use one kind for all cameras"
        )
    return VideoRecording(named.name, ordered, rate_hz)
