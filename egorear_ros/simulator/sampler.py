"""Random people in random places doing things, reproducibly.

Everything about sequence number k follows from (seed, k), everything about its frame i from (seed, k, i): sequences and
frames can be made in any order, by any number of workers, and come out the same to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import numpy as np

from egorear_ros.simulator.body.asset import BodyAsset, load_bodies
from egorear_ros.simulator.body.character import Character, dress
from egorear_ros.simulator.camera_effects import through_jpeg
from egorear_ros.simulator.looks.people import dress_widely, sample_bystander
from egorear_ros.simulator.looks.places import Bystander
from egorear_ros.simulator.looks.skins import wide_textures
from egorear_ros.simulator.motion.clip import MotionClip
from egorear_ros.simulator.motion.procedural import procedural_clip
from egorear_ros.simulator.motion.variation import varied_clip
from egorear_ros.simulator.renderer.renderer import FisheyeRenderer
from egorear_ros.simulator.sequence import BYSTANDERS, MOTION_FPS, Frame, Sequence
from egorear_ros.simulator.settings import HELD_OUT, SimulatorSettings

SEQUENCES_PER_PERSON: Final = 2


class Simulator:
    """Makes sequences; holds the renderer and its buffers (one per thread or process)."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self.settings = settings
        self.asset: BodyAsset = load_bodies()
        self.renderer = FisheyeRenderer(
            settings.rig,
            settings.size_px,
            settings.samples,
            settings.threads,
            wide_textures(settings.skins) if settings.wide else None,
        )
        self._bodies = [i for i in range(len(self.asset)) if i % 5 in HELD_OUT[settings.split]]
        self._person = lru_cache(maxsize=4)(self._make_person)
        self.bystander = lru_cache(maxsize=BYSTANDERS)(self._make_bystander)

    def sequence(self, index: int, frames: int) -> Sequence:
        """Return sequence number `index` with `frames` frames."""
        return Sequence(self, index, frames)

    def frames(self, sequence_frames: int = 240, stride: int = 30, start: int = 0) -> Iterator[Frame]:
        """Yield varied frames for training on the fly, without end, as the cameras' JPEGs would show them.

        Args:
            sequence_frames: length of each sequence.
            stride: frames between two picks of one sequence; the first is drawn.
            start: number of the first sequence.
        """
        index = start
        while True:
            sequence = self.sequence(index, sequence_frames)
            first = int(np.random.default_rng([self.settings.seed, index, 7]).integers(stride))
            for i in range(first, sequence_frames, stride):
                frame = sequence.frame(i)
                yield Frame(
                    through_jpeg(frame.images, frame.jpeg_quality), frame.truth, frame.jpeg_quality, frame.views
                )
            index += 1

    def person(self, index: int) -> Character:
        """Return the person of sequence number `index`: the same one for SEQUENCES_PER_PERSON sequences."""
        return self._person(index // SEQUENCES_PER_PERSON)

    def clip(self, index: int, duration_s: float, actions: tuple[str, ...] | None = None) -> MotionClip:
        """Return the motion of sequence number `index`, at least `duration_s` long where the library has it."""
        seed = self.settings.seed
        if self.settings.motion is None:
            offset = {"train": 0, "val": 1, "test": 2}[self.settings.split]
            return procedural_clip(3 * (seed * 1_000_003 + index) + offset, duration_s, MOTION_FPS, actions)
        rng = np.random.default_rng([seed, index, 1])
        if self.settings.vary_motion:
            return varied_clip(rng, self.settings.motion, duration_s, self.settings.split)
        return self.settings.motion.pick(rng, duration_s, self.settings.split)

    def _make_person(self, number: int) -> Character:
        rng = np.random.default_rng([self.settings.seed, number, 2])
        body = self._bodies[int(rng.integers(len(self._bodies)))]
        if self.settings.wide:
            return dress_widely(rng, self.asset, body, self.settings.skins)
        return dress(rng, self.asset, body, self.settings.clothes)

    def _make_bystander(self, number: int) -> Bystander:
        """Somebody else of the same split."""
        rng = np.random.default_rng([self.settings.seed, number, 9])
        return sample_bystander(
            rng, self.asset, self._bodies[int(rng.integers(len(self._bodies)))], self.settings.skins
        )
