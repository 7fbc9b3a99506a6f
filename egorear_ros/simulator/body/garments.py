"""Garments of our own: offset surfaces of the tights and skirt helpers, cut to shape, with slack where they are loose.

Tops, trousers, shorts, skirts and dresses, long coats, wide sleeves, shoes and boots. Loose cloth hangs: in every pose
it lies on the body's upper side and hangs below it (see `skinning`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator import materials
from egorear_ros.simulator.body.landmarks import Landmarks
from egorear_ros.simulator.body.surface import Surface, body_surface

Floats = NDArray[np.float32]

SHIRT_M = 0.007
TROUSERS_M = 0.0045
COAT_M = 0.016


@dataclass(frozen=True)
class TopStyle:
    """Cut of a garment for the upper body.

    Attributes:
        sleeves: how far down the arm, 0 sleeveless .. 1 wrist.
        hem: height of the hem relative to the crotch, metres.
        neckline: how far below the neck the collar's front begins, metres; negative stands up.
        slack: looseness of the trunk, metres.
        cuff_slack: looseness at the end of the sleeve, metres (wide sleeves: several centimetres).
        thickness: distance from the body, metres.
        skirt: length of an attached skirt or coat tail as a share of the leg, 0 for none.
        open_front: half width of a coat's open front, metres, 0 closed.
    """

    sleeves: float
    hem: float
    neckline: float
    slack: float
    cuff_slack: float
    thickness: float = SHIRT_M
    skirt: float = 0.0
    open_front: float = 0.0


def sample_top(rng: np.random.Generator, is_woman: bool) -> TopStyle:
    """Draw a top: tight shirt, loose shirt, sweater, coat, wide-sleeved robe or dress."""
    kind = rng.choice(["tight", "shirt", "loose", "coat", "robe", "dress"], p=dress_shares(is_woman))
    sleeves = float(rng.choice([rng.uniform(0.25, 0.42), rng.uniform(0.9, 1.0)]))
    if kind == "tight":
        return TopStyle(
            float(rng.choice([0.06, sleeves])), rng.uniform(0.06, 0.16), rng.uniform(0.0, 0.09), 0.001, 0.001
        )
    if kind == "shirt":
        return TopStyle(
            sleeves,
            rng.uniform(0.0, 0.1),
            rng.uniform(-0.01, 0.06),
            rng.uniform(0.006, 0.014),
            rng.uniform(0.005, 0.02),
        )
    if kind == "loose":
        return TopStyle(
            sleeves,
            rng.uniform(-0.02, 0.06),
            rng.uniform(0.0, 0.05),
            rng.uniform(0.018, 0.035),
            rng.uniform(0.015, 0.035),
        )
    if kind == "coat":
        return TopStyle(
            *(1.0, -0.02, rng.uniform(-0.03, 0.0), rng.uniform(0.01, 0.025), rng.uniform(0.012, 0.03), COAT_M),
            skirt=rng.uniform(0.25, 0.75),
            open_front=float(rng.choice([0.0, rng.uniform(0.015, 0.05)])),
        )
    if kind == "robe":
        return TopStyle(
            *(rng.uniform(0.75, 1.0), -0.02, rng.uniform(0.0, 0.05), rng.uniform(0.015, 0.03), rng.uniform(0.05, 0.1)),
            skirt=float(rng.choice([0.0, rng.uniform(0.2, 0.9)])),
        )
    return TopStyle(
        *(float(rng.choice([0.04, sleeves])), -0.02, rng.uniform(0.02, 0.1), rng.uniform(0.002, 0.02), 0.01),
        skirt=rng.uniform(0.3, 0.9),
    )


def dress_shares(is_woman: bool) -> list[float]:
    """Shares of the kinds of tops, in the order of `sample_top`."""
    return [0.18, 0.27, 0.22, 0.11, 0.08, 0.14] if is_woman else [0.17, 0.34, 0.28, 0.12, 0.09, 0.0]


def top(marks: Landmarks, style: TopStyle, cloth: Floats) -> list[Surface]:
    """Make a top; a coat or dress comes in two pieces, trunk and skirt."""
    tights = body_surface(marks.asset, marks.shape, "tights", cloth)
    piece = tights.cut(top_region(marks, tights, style))
    piece = piece.bridged(6 + int(400 * style.slack)).offset(style.thickness)
    along = np.maximum(marks.along_arm(piece), 0)
    reach = np.clip(along / max(style.sleeves, 0.1), 0, 1)
    trunk = np.clip((marks.neck_z - 0.1 - piece.vertices_m[:, 2]) / 0.25, 0, 1) * style.slack
    on_arm = marks.along_arm(piece) >= 0
    piece = piece.with_slack(np.where(on_arm, style.slack * 0.5 * (1 - reach) + style.cuff_slack * reach**1.5, trunk))
    piece = piece.with_slack(piece.smoothed(piece.slack_m[:, None], 2)[:, 0])
    pieces = [piece]
    if style.skirt > 0:
        pieces.append(skirt(marks, style.skirt, style.slack + 0.01, cloth, style.thickness + 0.003))
    if style.open_front > 0:
        pieces = [opened(piece, style.open_front) for piece in pieces]
    return pieces


def top_region(marks: Landmarks, surface: Surface, style: TopStyle) -> Floats:
    """(N,) distance inside the region a top covers, metres; negative outside."""
    z, x = surface.vertices_m[:, 2], surface.vertices_m[:, 0]
    y_front = marks.head_of("neck_01")[1]
    front = np.clip((y_front - surface.vertices_m[:, 1]) / 0.08, 0, 1)
    collar = (
        marks.neck_z + 0.045 - style.neckline * front * np.exp(-((x / 0.09) ** 2)) - np.clip(style.neckline, 0, 1) * 0.3
    )
    sleeve = (style.sleeves - marks.along_arm(surface)) * marks.arm_m
    legs_above = np.where(marks.along_leg(surface) > 0.25, -1.0, 1.0)
    return np.minimum.reduce([z - marks.crotch_z - style.hem, collar - z, sleeve, legs_above]).astype(np.float32)


def opened(piece: Surface, half_width_m: float) -> Surface:
    """Cut a coat open in front, wider toward the hem."""
    x, y, z = piece.vertices_m.T
    top_z = z.max()
    width = half_width_m * (0.6 + 1.2 * np.clip((top_z - z) / 0.8, 0, 1.5))
    in_front = y < np.median(y)
    return piece.cut(np.where(in_front, np.abs(x) - width, 1.0).astype(np.float32))


def skirt(marks: Landmarks, length: float, slack_m: float, cloth: Floats, thickness_m: float = 0.008) -> Surface:
    """Make a skirt from the waist down over `length` of the leg, looser toward the hem."""
    helper = body_surface(marks.asset, marks.shape, "skirt", cloth)
    hem = marks.head_of("thigh_l")[2] - length * marks.leg_m
    piece = helper.cut((helper.vertices_m[:, 2] - hem).astype(np.float32)).offset(thickness_m)
    top_z = piece.vertices_m[:, 2].max()
    drop = np.clip((top_z - piece.vertices_m[:, 2]) / (top_z - hem), 0, 1)
    return piece.with_slack((slack_m * drop).astype(np.float32))


def trousers(marks: Landmarks, length: float, slack_m: float, cloth: Floats) -> Surface:
    """Make trousers or shorts down to `length` of the leg (1: ankle)."""
    tights = body_surface(marks.asset, marks.shape, "tights", cloth)
    piece = tights.cut(trousers_region(marks, tights, length)).offset(TROUSERS_M)
    along = np.clip(marks.along_leg(piece), 0, 1)
    return piece.with_slack(piece.smoothed((slack_m * (0.35 + 0.65 * along))[:, None].astype(np.float32), 2)[:, 0])


def trousers_region(marks: Landmarks, surface: Surface, length: float) -> Floats:
    """(N,) distance inside the region trousers cover, metres."""
    z = surface.vertices_m[:, 2]
    arms = np.where(marks.along_arm(surface) >= 0, -1.0, 1.0)
    leg = (length - marks.along_leg(surface)) * marks.leg_m
    return np.minimum.reduce([marks.waist_z - 0.02 - z, leg, arms]).astype(np.float32)


def shoes(marks: Landmarks, shaft: float, sole_m: float, leather: Floats) -> Surface:
    """Make a pair of shoes; `shaft` is how far up the leg they reach (0.97 low shoes .. 0.6 boots)."""
    tights = body_surface(marks.asset, marks.shape, "tights", leather)
    piece = tights.cut(shoes_region(marks, tights, shaft)).bridged(4).offset(0.007)
    vertices = piece.vertices_m.copy()
    floor = float(vertices[:, 2].min())
    low = np.clip((floor + 0.022 - vertices[:, 2]) / 0.012, 0, 1)
    vertices[:, 2] = vertices[:, 2] * (1 - low) + (floor - sole_m + 0.006) * low
    return replace(piece, vertices_m=vertices.astype(np.float32))


def shoes_region(marks: Landmarks, surface: Surface, shaft: float) -> Floats:
    """(N,) distance inside the region shoes cover, metres."""
    along = marks.along_leg(surface)
    return np.where(along < 0, -1.0, (along - shaft) * marks.leg_m).astype(np.float32)


def uncovered(skin: Surface, regions: list[Floats], margin_m: float = 0.012) -> Surface:
    """Drop the skin that garments hide for certain, so that it cannot poke through.

    Args:
        skin: the body's skin.
        regions: per garment, distance (N,) of each skin vertex inside it.
        margin_m: skin this close to a garment's edge stays.
    """
    hidden = np.zeros(len(skin.vertices_m), bool)
    for region in regions:
        hidden |= region > margin_m
    return replace(skin, faces=skin.faces[~hidden[skin.faces].all(axis=1)]).compacted()


def sample_cloth(rng: np.random.Generator, style: TopStyle) -> Floats:
    """Cloth that suits the cut: loose cloth has more folds."""
    return materials.cloth(rng, wrinkles=0.35 + 18 * style.slack)
