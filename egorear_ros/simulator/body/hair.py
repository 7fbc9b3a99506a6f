"""Hair as it shows below a helmet: a sheet around the back and sides of the head, short to shoulder-long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.body.landmarks import Landmarks
from egorear_ros.simulator.body.surface import Surface
from egorear_ros.simulator.rig_mount import HeadSize, head_size
from egorear_ros.simulator.scene.furniture import grid_faces

Floats = NDArray[np.float32]

COLUMNS: Final = 48
ROWS: Final = 18
UNDER_HELMET_M: Final = 0.05
"""The sheet begins this far below the top of the head, hidden by the helmet, and inside its shell."""


@dataclass(frozen=True)
class HairStyle:
    """Cut of the hair.

    Attributes:
        length_m: how far the back hangs below the top of the head.
        side_length_m: the same beside the ears.
        forward_rad: how far forward of the ears the sheet reaches.
        thickness_m: distance from the skull.
        waves: number of strands around the head.
    """

    length_m: float
    side_length_m: float
    forward_rad: float
    thickness_m: float
    waves: int


def sample_style(rng: np.random.Generator, is_woman: bool) -> HairStyle | None:
    """Draw a hair style; None is bald."""
    shares = [0.04, 0.22, 0.32, 0.42] if is_woman else [0.16, 0.7, 0.1, 0.04]
    kind = rng.choice(["bald", "short", "bob", "long"], p=shares)
    if kind == "bald":
        return None
    length = {"short": rng.uniform(0.15, 0.19), "bob": rng.uniform(0.2, 0.25), "long": rng.uniform(0.28, 0.42)}[
        str(kind)
    ]
    side = 0.13 if kind == "short" else length * rng.uniform(0.85, 1.0)
    thickness = rng.uniform(0.004, 0.008) if kind == "short" else rng.uniform(0.008, 0.013)
    return HairStyle(
        float(length), float(side), float(rng.uniform(0.0, 0.25)), float(thickness), int(rng.integers(9, 24))
    )


def hair(rng: np.random.Generator, marks: Landmarks, color: Floats) -> list[Surface]:
    """Draw a hair style and make it: no surface or one."""
    style = sample_style(rng, marks.shape.is_woman)
    return [] if style is None else [sheet(rng, marks, style, color)]


def sheet(rng: np.random.Generator, marks: Landmarks, style: HairStyle, color: Floats) -> Surface:
    """Make the sheet of a style."""
    size = head_size(marks)
    azimuth = np.linspace(-style.forward_rad, np.pi + style.forward_rad, COLUMNS + 1)  # left ear, back, right ear
    backness = np.clip(np.sin(azimuth), 0, 1)
    hem = style.side_length_m + (style.length_m - style.side_length_m) * backness**0.5
    hem = hem * (1 + 0.04 * np.sin(azimuth * style.waves * 1.7 + rng.uniform(0, 6)))
    drop = UNDER_HELMET_M + (hem - UNDER_HELMET_M) * np.linspace(0, 1, ROWS + 1)[:, None]
    strands = 1 + 0.025 * np.sin(azimuth * style.waves + 4 * drop + rng.uniform(0, 6)) * np.clip(drop / 0.2, 0, 1)
    wide, deep = radii_at(size, drop, style.thickness_m)
    vertices = np.stack(
        [
            wide * strands * np.cos(azimuth),
            size.center[1] + deep * strands * np.sin(azimuth),
            size.top_z - drop,
        ],
        axis=-1,
    ).reshape(-1, 3)
    return Surface(
        vertices_m=vertices.astype(np.float32),
        faces=grid_faces(ROWS, COLUMNS)[:, ::-1].astype(np.int32),
        weights=hair_weights(marks, vertices),
        slack_m=np.zeros(len(vertices), np.float32),
        material=color,
    )


def radii_at(
    size: HeadSize, drop_m: NDArray[np.floating], thickness_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Half width and half depth of the hair at some distance below the top of the head."""
    half_depth = (size.back_y - size.front_y) / 2
    round_top = np.sqrt(np.clip(1 - ((0.095 - drop_m) / 0.1) ** 2, 0.05, 1)) * (drop_m < 0.095) + (drop_m >= 0.095)
    below = np.clip((drop_m - 0.13) / 0.1, 0, 1)  # toward the neck hair falls a little inward
    wide = (size.half_width + thickness_m) * round_top * (1 - 0.12 * below)
    deep = (half_depth + thickness_m) * round_top * (1 - 0.1 * below)
    return wide, deep


def hair_weights(marks: Landmarks, vertices: NDArray[np.floating]) -> Floats:
    """(N, B) tied to the head, passing to the neck and the upper back where it is long."""
    bones = marks.asset.bone
    weights = np.zeros((len(vertices), len(marks.asset.bone_names)), np.float32)
    firm = np.clip((vertices[:, 2] - marks.neck_z) / 0.07, 0, 1)
    weights[:, bones["head"]] = firm
    weights[:, bones["neck_01"]] = (1 - firm) * 0.6
    weights[:, bones["spine_03"]] = (1 - firm) * 0.4
    return weights
