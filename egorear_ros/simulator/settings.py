"""What a simulator is asked for, and what of it decides which images come out."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Final

from pydantic import Field, InstanceOf

from egorear_ros.errors import EgorearError
from egorear_ros.rig import Rig, load_rig
from egorear_ros.settings import Number, OneOf, Switch, Whole, checked
from egorear_ros.simulator.body.makehuman import MakeHumanGarment
from egorear_ros.simulator.looks.skins import Skins
from egorear_ros.simulator.motion.library import MotionLibrary
from egorear_ros.simulator.rig_mount import MOUNTS, USUAL_MOUNT, MountRange

GENERATOR_VERSION: Final = 2
"""Raised whenever the same seed gives other images."""

LOOKS: Final = ("plain", "wide")
WIDE_VERSION: Final = 5
"""Raised whenever the same seed gives other images with wide looks."""

HELD_OUT: Final = {"train": (0, 1, 2), "val": (3,), "test": (4,)}
"""Bodies are split by their number modulo 5, so that nobody trains on a benchmark's person."""


@checked("simulator")
class SimulatorSettings:
    """What to simulate.

    Attributes:
        rig: cameras, in view order.
        size_px: image width.
        seed: everything random follows from it.
        fps: frames per second of a sequence.
        motion: a motion library, or None for procedural motion.
        split: "train", "val" or "test": which bodies and clips may appear.
        vary_motion: change what the library has (`motion/variation.py`); for training.
        samples: rays per pixel side; None: 2 up to 512 px, 1 above.
        motion_blur: whether fast motion blurs.
        threads: views rendered at the same time.
        mount: how helmets sit on heads.
        clothes: MakeHuman clothes, from `read_wardrobe`; by default everybody wears garments of our own. With plain
            looks only.
        looks: "plain", those of EgoRear-Sim, or "wide": far more kinds of people, places, light and lenses (`looks`).
        skins: photographic skins, from `read_skins`, for wide looks.
    """

    rig: InstanceOf[Rig] = field(default_factory=lambda: load_rig("ego4view"))
    size_px: Annotated[Whole, Field(ge=1)] = 256
    seed: Annotated[Whole, Field(ge=0)] = 0
    fps: Annotated[Number, Field(gt=0)] = 30.0
    motion: InstanceOf[MotionLibrary] | None = None
    split: Annotated[str, OneOf(tuple(HELD_OUT))] = "train"
    vary_motion: Switch = False
    samples: Annotated[Whole | None, Field(ge=1)] = None
    motion_blur: Switch = True
    threads: Annotated[Whole, Field(ge=1)] = 1
    mount: InstanceOf[MountRange] = MOUNTS[USUAL_MOUNT]
    clothes: tuple[InstanceOf[MakeHumanGarment], ...] = ()
    looks: Annotated[str, OneOf(LOOKS)] = "plain"
    skins: InstanceOf[Skins] | None = None

    def __post_init__(self) -> None:
        if self.looks == "plain" and self.skins is not None:
            raise EgorearError("photographic skins belong to wide looks: ask for looks 'wide', too")
        if self.looks == "wide" and self.clothes:
            raise EgorearError("MakeHuman clothes are worn with plain looks only: leave out one of the two")

    @property
    def wide(self) -> bool:
        """Whether looks are wide."""
        return self.looks == "wide"
