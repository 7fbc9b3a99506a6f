"""From matches to a verdict: does the rig file explain them, and if not, what would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from egorear_ros.rig.checking.epipolar import Assumed, Rays, agreement, bases, misfit
from egorear_ros.rig.checking.fitting import Turned, fit_turn
from egorear_ros.rig.checking.hypotheses import (
    Hypothesis,
    Kind,
    as_written,
    exchanges,
    other_lenses,
    turned_images,
)
from egorear_ros.rig.checking.matching import Matches
from egorear_ros.rig.rig import Rig

Float = npt.NDArray[np.float64]

ENOUGH: Final = 60
"""Matches below which nothing is said."""

ENOUGH_OF_ONE: Final = 15
"""Matches of one image below which nothing is said about it."""

USED: Final = 300
"""Matches that are looked at, drawn evenly: more cost time and change nothing."""

BETTER: Final = 0.08
"""By how much a fault must explain the matches better than the file, in mean agreement. On right rigs of the simulator
no exchange and no turned image comes nearer than 0.14 from below; real ones gain 0.14 and more."""

TURN_RAD: Final = np.radians(3.2)
"""Turns below are what mounts and calibrations are like; the simulator's cameras reach 1.9 degrees."""

SCALE: Final = 0.07
"""Change of an image's size below which a lens is right."""

LENS_GAIN: Final = 0.05
"""How much better than a turn alone another lens, or another size, must be."""

HARDER: Final = {"exchanged": 0.0, "image turned": 0.0, "camera turned": 0.02, "lens": 0.02}
"""What faults with free numbers must explain better than those without."""

EQUAL: Final = 0.02


@dataclass(frozen=True)
class Fault:
    """Something that is wrong with the rig.

    Attributes:
        kind: of fault.
        cameras: the views it is about.
        text: what is wrong and what to do, in one line.
        agreement: mean agreement of the matches if the fault is assumed, 0..1.
    """

    kind: Kind
    cameras: tuple[str, ...]
    text: str
    agreement: float

    def same_as(self, other: Fault | None) -> bool:
        """Whether another verdict names the same cameras; what is wrong with them may be seen better then."""
        return other is not None and self.cameras == other.cameras


@dataclass(frozen=True)
class Verdict:
    """What matches say about a rig.

    Attributes:
        matches: how many there were.
        agreement: mean agreement with the rig file, 0..1; NaN with too few matches.
        turns_deg: view -> the turn that would fit best, degrees, of the views that can be judged.
        fault: what is wrong; None where the rig file is right, or nothing can be said.
    """

    matches: int
    agreement: float
    turns_deg: dict[str, float]
    fault: Fault | None

    @property
    def known(self) -> bool:
        """Whether there were enough matches to say anything."""
        return not np.isnan(self.agreement)


def judge(rig: Rig, matches: Matches) -> Verdict:
    """Judge a rig by matches in its images, of one or several frame sets.

    Args:
        rig: the file in question; at least two cameras.
        matches: from `Matcher` with the same rig.
    """
    found = len(matches)
    if found > USED:
        chosen = np.linspace(0, found - 1, USED).astype(int)
        matches = Matches(matches.images[chosen], matches.uv[chosen])
    there = [i for i in range(len(rig.cameras)) if matches.touching(i).sum() >= ENOUGH_OF_ONE]
    if found < ENOUGH or len(there) < 2:
        return Verdict(found, float("nan"), {}, None)
    return _Judge(rig, matches, there).verdict(found)


class _Judge:
    """One judgement."""

    def __init__(self, rig: Rig, matches: Matches, there: list[int]) -> None:
        self._rig, self._matches, self._there = rig, matches, there
        self._bank = Rays(matches)
        self._written = as_written(rig)
        self._own_rays = self._bank.device_rays(self._written)
        self._own = self._score(self._written)

    def verdict(self, found: int) -> Verdict:
        turns = {i: self._turn(i, self._written, self._own_rays) for i in self._there}
        faults = [*self._without_numbers(), *self._turned(turns)]
        if faults or any(_gain(turn, self._own) > BETTER for turn in turns.values()) or self._own < 0.5:
            faults += list(self._wrong_lenses(turns))
        best = max(faults, key=lambda fault: fault.agreement - HARDER[fault.kind], default=None)
        degrees = {self._rig.names[i]: float(np.degrees(turn.angle_rad)) for i, turn in turns.items()}
        return Verdict(found, self._own, degrees, best)

    def _score(self, assumed: tuple[Assumed, ...]) -> float:
        return _mean(misfit(self._bank.device_rays(assumed), bases(self._matches, assumed)))

    def _turn(self, image: int, assumed: tuple[Assumed, ...], rays: Float, with_scale: bool = False) -> Turned:
        return fit_turn(self._matches, assumed, rays, image, with_scale)

    def _without_numbers(self) -> Iterator[Fault]:
        """Exchanged and turned images that explain the matches better than the file."""
        tried: list[Hypothesis] = [*exchanges(self._rig, self._there), *turned_images(self._rig, self._there)]
        for hypothesis in tried:
            score = self._score(hypothesis.assumed)
            if score - self._own > BETTER:
                yield Fault(hypothesis.kind, hypothesis.cameras, hypothesis.text, score)

    def _turned(self, turns: dict[int, Turned]) -> Iterator[Fault]:
        """The camera whose turn explains the matches best, or those that explain them equally well."""
        scores = {i: _mean(t.misfit_rad) for i, t in turns.items() if t.angle_rad > TURN_RAD}
        best = max(scores.values(), default=0.0)
        if best - self._own > BETTER:
            names = [self._rig.names[i] for i, score in scores.items() if score > best - EQUAL]
            angle = max(turns[i].angle_rad for i, score in scores.items() if score == best)
            text = (
                f"{' or '.join(names)} looks turned by {np.degrees(angle):.0f} degrees against the rig file: "
                "fasten the camera as it was, or calibrate again"
            )
            yield Fault("camera turned", tuple(names), text, best)

    def _wrong_lenses(self, turns: dict[int, Turned]) -> Iterator[Fault]:
        """Other lenses at hand, each with its best turn, and other image sizes."""
        for i, turn in turns.items():
            plain = max(self._own, _mean(turn.misfit_rad))
            name = self._rig.names[i]
            for label, model in other_lenses(self._rig, i):
                assumed = tuple(
                    Assumed(model, what.camera_from_device) if i == j else what for j, what in enumerate(self._written)
                )
                score = self._score(assumed)
                if score - self._own > BETTER and (
                    score - plain > LENS_GAIN or (turn.angle_rad > TURN_RAD and score > plain - EQUAL)
                ):
                    text = (
                        f"the lens of {name} does not fit its images, but {label} does: is its calibration another's?"
                    )
                    yield Fault("lens", (name,), text, score)
            sized = self._turn(i, self._written, self._own_rays, with_scale=True)
            score = _mean(sized.misfit_rad)
            if abs(np.log(sized.scale)) > SCALE and score - plain > LENS_GAIN and score - self._own > BETTER:
                larger = "larger" if sized.scale > 1 else "smaller"
                text = (
                    f"the lens of {name} does not fit its images, which are about {100 * abs(sized.scale - 1):.0f} % "
                    f"{larger} than its calibration says: is it that of this lens, focus and image mode?"
                )
                yield Fault("lens", (name,), text, score - EQUAL)


def _mean(misfit_rad: Float) -> float:
    return float(agreement(misfit_rad).mean())


def _gain(turn: Turned, own: float) -> float:
    return _mean(turn.misfit_rad) - own
