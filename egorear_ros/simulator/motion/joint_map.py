"""Which joint of a file is which of our bones: families of skeletons from a data file that a user can extend."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from egorear_ros.errors import EgorearError
from egorear_ros.plain_data import PlainDataError, read_yaml
from egorear_ros.resources import find
from egorear_ros.simulator.motion.clip import BONES, LIMBS

SHIPPED: Final = "config/motion/joint_map.yaml"
SIDED: Final = ("clav", "uparm", "loarm", "hand", "thigh", "calf", "foot", "toe")
OPTIONAL: Final = {
    **{"spine": "", "chest": ""},
    **{f"{bone}_{side}": above for bone, above in (("clav", "chest"), ("toe", "foot_{side}")) for side in "lr"},
}
"""Bone a file may lack -> the bone it then moves with; spine and chest are found between pelvis and neck."""
FIELDS: Final = ("name", "sides", "joints", "first_frame_is_rest", "corrections_deg", "limb_directions")


@dataclass(frozen=True)
class Family:
    """A family of skeletons.

    Attributes:
        name: for messages.
        joints: our bone -> names its joint may have, the preferred first.
        first_frame_is_rest: corrections and limb directions are for files whose frame 0 is a T-pose and no motion.
        corrections_deg: our bone -> rotation vector in degrees, applied on the right.
        limb_directions: replaces the directions found at rest, after correction.
    """

    name: str
    joints: Mapping[str, tuple[str, ...]]
    first_frame_is_rest: bool = False
    corrections_deg: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    limb_directions: tuple[tuple[float, ...], ...] = ()


def load_joint_map(path: Path | None = None) -> tuple[Family, ...]:
    """Families in the order in which they are tried: those of a user's file, each completed by ours, then ours.

    Args:
        path: a user's file in the form of the shipped one; None for the shipped ones alone.

    Raises:
        EgorearError: it cannot be read, or holds what is no joint map; names the entry.
    """
    shipped = _shipped()
    if path is None:
        return shipped
    own: list[Family] = []
    for family in _read(path):
        complete = all(bone in family.joints or bone in OPTIONAL for bone in BONES)
        completed = [replace(theirs, joints={**theirs.joints, **family.joints}) for theirs in shipped]
        own += [family, *completed] if complete else completed
    return (*own, *shipped)


@lru_cache(maxsize=1)
def _shipped() -> tuple[Family, ...]:
    return tuple(_read(find(SHIPPED)))


def _read(path: Path) -> list[Family]:
    try:
        content = read_yaml(path)
    except PlainDataError as error:
        raise EgorearError(f"joint map '{path}' {error}") from error
    entries = content if isinstance(content, list) else [content]
    return [_family(f"joint map '{path}'", entry) for entry in entries]


def _family(where: str, entry: Any) -> Family:
    """Check one entry; an entry without `joints` is the map of bones itself."""
    if not isinstance(entry, dict) or not entry:
        raise EgorearError(f"{where}: expected bones and their joints, such as 'uparm_l: LeftArm', got {entry!r}")
    if "joints" not in entry and not set(entry) & set(FIELDS):
        entry = {"joints": entry}
    unknown = [str(key) for key in entry if key not in FIELDS]
    if unknown or not isinstance(entry.get("joints"), dict):
        raise EgorearError(
            f"{where}: '{(unknown or ['joints'])[0]}' is not understood; it may have {', '.join(FIELDS)}"
        )
    directions, sides = entry.get("limb_directions", []), entry.get("sides", [])
    if not isinstance(directions, list) or not isinstance(sides, list):
        raise EgorearError(f"{where}: 'sides' and 'limb_directions' must be lists, got {sides!r} and {directions!r}")
    return Family(
        name=str(entry.get("name", "your joint map")),
        joints=_joints(where, entry["joints"], sides),
        first_frame_is_rest=bool(entry.get("first_frame_is_rest", False)),
        corrections_deg=_vectors(where, entry.get("corrections_deg", {})),
        limb_directions=tuple(_vectors(where, dict(enumerate(directions))).values()),
    )


def _joints(where: str, joints: Mapping[Any, Any], sides: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for bone, names in joints.items():
        listed = [str(name) for name in (names if isinstance(names, list) else [names])]
        if bone in BONES:
            found[bone] = tuple(listed)
        elif bone in SIDED and len(sides) == 2 and all("{side}" in name for name in listed):
            for letter, side in zip("lr", sides, strict=True):
                found[f"{bone}_{letter}"] = tuple(name.replace("{side}", str(side)) for name in listed)
        else:
            hint = f"; '{bone}' needs '{{side}}' in its name, and 'sides'" if bone in SIDED else ""
            raise EgorearError(f"{where}: '{bone}' is not one of {', '.join(BONES)}{hint}")
    return found


def _vectors(where: str, values: Any) -> dict[Any, tuple[float, ...]]:
    try:
        vectors = {bone: tuple(float(value) for value in vector) for bone, vector in values.items()}
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise EgorearError(f"{where}: expected three numbers per bone: {error}") from error
    known = (*BONES, *range(len(LIMBS)))
    wrong = [
        bone
        for bone, vector in vectors.items()
        if bone not in known or len(vector) != 3 or not all(abs(value) < 1e6 for value in vector)
    ]
    if wrong:
        raise EgorearError(f"{where}: '{wrong[0]}' needs three numbers and must be one of {', '.join(BONES)}")
    return vectors


def plain(name: str) -> str:
    """A joint's name without namespace, case and separators."""
    return re.sub(r"[\s_.\-]", "", re.split(r"[:|/]", name)[-1]).lower()


def match(family: Family, declared: Iterable[str]) -> dict[str, str]:
    """Our bone -> joint of the file, of those that are found. A prefix of the pelvis' joint is taken off all names."""
    joints = list(declared)
    best: dict[str, str] = {}
    for prefix in _prefixes(family, joints):
        by_name: dict[str, str] = {}
        for joint in joints:
            by_name.setdefault(plain(joint).removeprefix(prefix), joint)
        found = {
            bone: by_name[plain(name)]
            for bone, names in family.joints.items()
            for name in reversed(names)
            if plain(name) in by_name
        }
        if len(found) > len(best):
            best = found
    return best


def _prefixes(family: Family, joints: Sequence[str]) -> list[str]:
    endings = [plain(name) for name in family.joints.get("pelvis", ())]
    found = {plain(joint).removesuffix(end) for joint in joints for end in endings if plain(joint).endswith(end)}
    return ["", *sorted(found - {""})]


def recognise(families: Sequence[Family], declared: Sequence[str]) -> tuple[Family, dict[str, str]]:
    """The first family whose bones are all found, with our bone -> joint of the file.

    Raises:
        EgorearError: none; says what is missing, of which family, and how to map it.
    """
    matches = [(family, match(family, declared)) for family in families]
    for family, found in matches:
        if all(bone in found or bone in OPTIONAL for bone in BONES):
            return family, found
    family, found = max(matches, key=lambda item: len(item[1]))
    missing = [bone for bone in BONES if bone not in found and bone not in OPTIONAL]
    wanted = ", ".join(f"{bone} ('{family.joints[bone][0]}')" if bone in family.joints else bone for bone in missing)
    rest = [f"'{joint}'" for joint in declared if joint not in found.values()]
    unused = f"its joints {', '.join(rest[:12])}{' ...' if len(rest) > 12 else ''} are not known" if rest else ""
    wanted_name = family.joints.get(missing[0], (missing[0],))[0]
    unused_names = [joint for joint in declared if joint not in found.values()]
    example = (difflib.get_close_matches(wanted_name, unused_names, 1, 0.0) or ["NAME"])[0]
    raise EgorearError(
        f"no joint for {wanted} (nearest known skeleton: {family.name}); {unused or 'it has no others'}; map them with "
        f"--joint-map FILE, a YAML file with lines such as '{missing[0]}: {example}'"
    )
