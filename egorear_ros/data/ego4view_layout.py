"""Where Ego4View-Syn and Ego4View-RW keep what, and which sequences belong to a split.

Syn: a split list names characters, all sequences of which belong to it: `rp_<character>/<sequence>/`. RW: a split list
names sequences, `<date>/<subject>/<sequence>/`, and the cameras' poses lie beside them in `*_metadata.json`. The
simulator writes Syn's layout; `simulation.yaml` beside the lists names its rig.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from egorear_ros.data.ego4view_syn import LABELS_FOLDER, SPLIT_FILES
from egorear_ros.data.frame_sets import DataError
from egorear_ros.plain_data import PlainDataError, read_yaml
from egorear_ros.rig import Rig, load_rig, load_rw_extrinsics

SIMULATION_FILE: Final = "simulation.yaml"
DEFAULT_RIG: Final = "ego4view"


@dataclass(frozen=True)
class Layout:
    """One of the two layouts.

    Attributes:
        name: of the data set.
        labels: folder of the JSON files within a sequence.
        sequences: pattern of the sequences' folders within the data set.
        endings: of image files, the usual one first.
        posed: whether every sequence has a metadata file with the cameras' poses.
    """

    name: str
    labels: str
    sequences: str
    endings: tuple[str, ...]
    posed: bool


SYN: Final = Layout("Ego4View-Syn", LABELS_FOLDER, "rp*/*", (".jpg", ".png"), posed=False)
RW: Final = Layout("Ego4View-RW", "json_smplx", "*/S*/seq*", (".png", ".jpg"), posed=True)


@dataclass(frozen=True)
class SequenceFolder:
    """A sequence: its folder, and its path within the data set ("rp_aaron_posed_002/1001")."""

    path: Path
    name: str


def layout_of(root: Path) -> Layout | None:
    """Which layout a folder has, from its split lists or, without them, its folders; None: neither."""
    for file_name in SPLIT_FILES.values():
        lines = read_list(root / file_name) if (root / file_name).is_file() else []
        if lines:
            return RW if "/" in lines[0] else SYN
    for layout in (SYN, RW):
        if any(path.is_dir() for path in root.glob(f"{layout.sequences}/{layout.labels}")):
            return layout
    return None


def read_list(path: Path) -> list[str]:
    """Lines of a split list without blank ones.

    Raises:
        DataError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"split list '{path}' cannot be read: {error}") from error
    return [line.strip().strip("/") for line in text.splitlines() if line.strip()]


def list_sequences(root: Path, layout: Layout, split: str | None) -> tuple[list[SequenceFolder], list[str]]:
    """Sequences of a split in the order of their names, and the split list's lines that have none.

    Args:
        root: the data set's folder.
        layout: its layout.
        split: "train", "val" or "test"; None: every sequence there is.

    Raises:
        DataError: no such split, or its list cannot be read.
    """
    if split is None:
        return _folders(root, root.glob(layout.sequences)), []
    if split not in SPLIT_FILES:
        raise DataError(f"there is no split '{split}'; the splits are {', '.join(SPLIT_FILES)}")
    found: dict[str, SequenceFolder] = {}
    without: list[str] = []
    for line in read_list(root / SPLIT_FILES[split]):
        folder = root / line
        if ".." in folder.parts[len(root.parts) :] or not re.fullmatch(r"[^\0]{1,200}", line):
            raise DataError(f"split list '{root / SPLIT_FILES[split]}': '{line}' is no folder of the data set")
        sequences = _folders(root, [folder] if layout.posed else folder.glob("*"))
        found.update({sequence.name: sequence for sequence in sequences})
        if not sequences:
            without.append(line)
    return [found[name] for name in sorted(found)], without


def _folders(root: Path, paths: Any) -> list[SequenceFolder]:
    """Those of the paths that are finished sequences, in the order of their names."""
    folders = [path for path in paths if path.suffix != ".partial" and path.is_dir()]
    return [SequenceFolder(path, path.relative_to(root).as_posix()) for path in sorted(folders)]


def frame_stems(sequence: SequenceFolder, layout: Layout) -> list[str]:
    """Names of a sequence's frames without ending, in the order of their numbers."""
    paths = (sequence.path / layout.labels).glob("*.json")
    return sorted((path.stem for path in paths), key=lambda stem: (frame_number(stem), stem))


def frame_number(stem: str) -> int:
    """The number a frame's name ends in ("frame_000012" -> 12); 0 if it has none."""
    digits = re.search(r"(\d+)\D*$", stem)
    return int(digits.group(1)) if digits else 0


def rig_of_data_set(root: Path) -> Rig:
    """The rig a data set was made with: the one `simulation.yaml` names, else Ego4View's.

    Raises:
        DataError: `simulation.yaml` cannot be read.
        RigError: it names a rig that is not here.
    """
    path = root / SIMULATION_FILE
    if not path.exists():
        return load_rig(DEFAULT_RIG)
    try:
        content = read_yaml(path)
        name, views = str(content["rig"]), [str(view) for view in content.get("views") or []]
    except (PlainDataError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"'{path}' cannot be read as the simulator's settings: {error}") from error
    rig = load_rig(name)
    return rig.subset(views) if views else rig


def rig_of_sequence(rig: Rig, layout: Layout, sequence: SequenceFolder) -> Rig:
    """The rig with the poses it has in a sequence.

    Raises:
        RigError: the metadata file is missing or wrong.
    """
    return rig.with_extrinsics(load_rw_extrinsics(metadata_path(sequence.path))) if layout.posed else rig


def metadata_path(sequence: Path) -> Path:
    """RW's file of camera poses: `.../S1/seq_3-0` -> `.../S1/seq_3_metadata.json`, whatever the folders above."""
    return sequence.with_name(f"{sequence.name.partition('-')[0]}_metadata.json")


def check_views(rig: Rig, views: Sequence[str]) -> None:
    """Raise DataError unless the rig has every view, each asked for once."""
    wrong = [view for view in views if view not in rig.names]
    if wrong or not views or len(set(views)) != len(views):
        raise DataError(f"views {', '.join(views) or '(none)'}: expected different ones of {', '.join(rig.names)}")
