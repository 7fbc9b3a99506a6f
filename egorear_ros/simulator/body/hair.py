"""Hair grown from the long-hair helper surface: cut at some length, thickened, frayed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.body.landmarks import Landmarks
from egorear_ros.simulator.body.surface import Surface, body_surface

Floats = NDArray[np.float32]


def hair(rng: np.random.Generator, marks: Landmarks, is_woman: bool, color: Floats) -> list[Surface]:
    """Draw a hair style: bald, short, chin-long or long; never so thick that it reaches a camera."""
    style = rng.choice(
        ["bald", "short", "bob", "long"], p=[0.04, 0.26, 0.3, 0.4] if is_woman else [0.18, 0.68, 0.1, 0.04]
    )
    if style == "bald":
        return []
    helper = body_surface(marks.asset, marks.shape, "hair", color)
    head_z = float(marks.head_of("head")[2])
    cut_z = {"short": head_z + rng.uniform(0.02, 0.05), "bob": head_z - rng.uniform(0.0, 0.06), "long": -9.0}[
        str(style)
    ]
    if style == "long":
        cut_z = marks.neck_z - rng.uniform(0.0, 0.2)
    ragged = rng.normal(0, 0.004, len(helper.vertices_m))
    piece = helper.cut((helper.vertices_m[:, 2] - cut_z + ragged).astype(np.float32))
    thickness = -0.006 if style == "short" else rng.uniform(-0.004, 0.004)
    return [on_head(marks, piece.offset(thickness))]


def on_head(marks: Landmarks, piece: Surface) -> Surface:
    """Tie hair to the head above the neck, so that it does not tear when the head turns."""
    head = marks.asset.bone["head"]
    firm = np.clip((piece.vertices_m[:, 2] - marks.head_of("neck_01")[2] + 0.02) / 0.08, 0, 1)[:, None]
    weights = piece.weights * (1 - firm)
    weights[:, head] += firm[:, 0]
    return replace(piece, weights=weights.astype(np.float32))
