"""What may be wrong with a rig without any number of its file being wrong: cables, mounts, and exchanged lens files."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.checking.epipolar import Assumed
from egorear_ros.rig.loading import load_rig
from egorear_ros.rig.rig import Rig

Kind = Literal["exchanged", "image turned", "lens", "camera turned"]

MOST_PERMUTED: Final = 4
"""Cameras up to which every order is tried; of more, every exchange of two."""

SHIPPED: Final = ("ego4view", "unrealego")
ALIKE_RAD: Final = np.radians(2.0)
"""Lenses whose rays differ by less on average are one lens here."""


@dataclass(frozen=True)
class Hypothesis:
    """A fault, and what the images would be then.

    Attributes:
        kind: of fault.
        cameras: names of the views that are wrong.
        text: what is wrong and what to do, for the user.
        assumed: per image of the rig.
    """

    kind: Kind
    cameras: tuple[str, ...]
    text: str
    assumed: tuple[Assumed, ...]


def as_written(rig: Rig) -> tuple[Assumed, ...]:
    """What the rig file says."""
    return tuple(Assumed(camera.model, camera.camera_from_device) for camera in rig.cameras)


def exchanges(rig: Rig, there: Sequence[int]) -> Iterator[Hypothesis]:
    """Other orders of the images that are there."""
    known = as_written(rig)
    for order in _orders(there):
        moved = [i for i, camera in zip(there, order, strict=True) if i != camera]
        assumed = list(known)
        for i, camera in zip(there, order, strict=True):
            assumed[i] = known[camera]
        names = tuple(rig.names[i] for i in moved)
        yield Hypothesis("exchanged", names, _exchange_text(rig, there, order, names), tuple(assumed))


def _orders(there: Sequence[int]) -> Iterator[tuple[int, ...]]:
    if len(there) <= MOST_PERMUTED:
        yield from (order for order in itertools.permutations(there) if order != tuple(there))
        return
    for a, b in itertools.combinations(there, 2):
        yield tuple({a: b, b: a}.get(i, i) for i in there)


def _exchange_text(rig: Rig, there: Sequence[int], order: Sequence[int], names: Sequence[str]) -> str:
    if len(names) == 2:
        return f"{names[0]} and {names[1]} look exchanged: exchange their cables, or their names in the source"
    said = ", ".join(
        f"{rig.names[i]} shows what {rig.names[camera]} should"
        for i, camera in zip(there, order, strict=True)
        if i != camera
    )
    return f"the cameras look mixed up ({said}): put the cables, or the names in the source, in order"


def turned_images(rig: Rig, there: Sequence[int]) -> Iterator[Hypothesis]:
    """Images on their head (any number of them), and single images turned by 90 degrees."""
    known = as_written(rig)
    for count in range(1, len(there) + 1):
        for chosen in itertools.combinations(there, count):
            names = tuple(rig.names[i] for i in chosen)
            assumed = tuple(replace(what, quarter_turns=2 * (i in chosen)) for i, what in enumerate(known))
            yield Hypothesis("image turned", names, _turn_text(names, "by 180 degrees"), assumed)
    for i, quarter in itertools.product(there, (1, 3)):
        if known[i].model.width == known[i].model.height:
            assumed = tuple(replace(what, quarter_turns=quarter * (i == j)) for j, what in enumerate(known))
            side = "clockwise" if quarter == 1 else "counterclockwise"
            name = (rig.names[i],)
            yield Hypothesis("image turned", name, _turn_text(name, f"by 90 degrees {side}"), assumed)


def _turn_text(names: Sequence[str], how: str) -> str:
    many = len(names) > 1
    upside_down = "upside down, " if "180" in how else ""
    return (
        f"the image{'s' * many} of {' and '.join(names)} {'are' if many else 'is'} {upside_down}turned {how}: mount "
        f"the camera{'s' * many} as the rig file says, or let the driver turn the image{'s' * many} back"
    )


def other_lenses(rig: Rig, image: int) -> Iterator[tuple[str, CameraModel]]:
    """Lenses that are at hand and differ from the one in the file, with what they are called."""
    own = rig.cameras[image].model
    in_file = [(f"that of {c.name} in the same file", c.model) for c in rig.cameras]
    for label, model in [*in_file, *_shipped_lenses()]:
        try:
            fitted = model.resized(own.width, own.height)
        except ValueError:  # another aspect ratio: not an image of this lens
            continue
        if lens_distance_rad(own, fitted) > ALIKE_RAD:
            yield label, fitted


@functools.cache
def _shipped_lenses() -> tuple[tuple[str, CameraModel], ...]:
    return tuple((f"that of {c.name} in the rig '{name}'", c.model) for name in SHIPPED for c in load_rig(name).cameras)


@functools.lru_cache(maxsize=256)
def lens_distance_rad(lens: CameraModel, other: CameraModel) -> float:
    """Mean angle between the rays that two lenses of the same image size give to the same pixels."""
    turn, radius = np.meshgrid(np.linspace(0, 2 * np.pi, 16, endpoint=False), np.linspace(0.1, 0.8, 8))
    reach = lens.image_circle_radius_px * radius
    middle = np.array([lens.width, lens.height]) / 2
    pixels = middle + np.stack([reach * np.cos(turn), reach * np.sin(turn)], -1)
    cosine = (lens.unproject(pixels) * other.unproject(pixels)).sum(axis=-1)
    return float(np.arccos(np.clip(cosine, -1, 1)).mean())
