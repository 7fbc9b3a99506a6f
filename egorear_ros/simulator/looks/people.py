"""People dressed in more ways than `body.character.dress` knows: cuts, layers, prints, bare limbs, things worn."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator import materials
from egorear_ros.simulator.body import garments
from egorear_ros.simulator.body.asset import BodyAsset
from egorear_ros.simulator.body.character import Character, assemble
from egorear_ros.simulator.body.garments import TopStyle
from egorear_ros.simulator.body.hair import hair
from egorear_ros.simulator.body.landmarks import Landmarks
from egorear_ros.simulator.body.retarget import retarget
from egorear_ros.simulator.body.surface import Surface, body_surface
from egorear_ros.simulator.looks import extras
from egorear_ros.simulator.looks.places import Bystander, bystander
from egorear_ros.simulator.looks.skins import Skins, skin_material, unwrapped_skin
from egorear_ros.simulator.looks.textures import CLOTH_TEXTURES, PRINT_TEXTURES, more_index
from egorear_ros.simulator.motion.procedural import procedural_clip

Floats = NDArray[np.float32]

MOTION_FPS: Final = 30.0
PHOTO_SHARE: Final = 0.65
"""Share of people with a photographic skin, where there are any."""
TEXTURED_SHARE: Final = 0.3
HIDDEN_MARGIN_M: Final = 0.012


def wide_cloth(rng: np.random.Generator, wrinkles: float, plain_share: float = 0.2) -> Floats:
    """Cloth: one colour, a pattern, or a texture; from black to white; smooth to deeply folded."""
    wrinkles = float(wrinkles * np.exp(rng.normal(0.1, 0.6)))
    kind = rng.random()
    if kind < plain_share:
        color = materials.linear(np.full(3, rng.choice([0.04, 0.1, 0.5, 0.9, 0.97]))) * (1 + rng.normal(0, 0.06, 3))
        return materials.material(np.clip(color, 0.002, 1), wrinkles=wrinkles, kind="cloth")
    if kind < plain_share + TEXTURED_SHARE:
        tint = rng.choice([1.0, rng.uniform(0.3, 1.0)]) * np.ones(3) * 0.6
        if rng.random() < 0.5:
            tint = materials.random_color(rng, (0.0, 0.8), (0.4, 1.0))
        which = more_index(str(rng.choice(CLOTH_TEXTURES)))
        return materials.material(
            tint, texture=which, scale=float(np.exp(rng.uniform(0.2, 2.2))), wrinkles=wrinkles, kind="cloth"
        )
    row = materials.cloth(rng, wrinkles, denim=bool(rng.random() < 0.12))
    row[7] = float(np.exp(rng.uniform(1.2, 3.6)))
    if rng.random() < 0.35:  # saturated or bright as sportswear is
        row[0:3] = materials.random_color(rng, (0.5, 1.0), (0.5, 1.0))
    row[9] = rng.choice([0.03, rng.uniform(0.1, 0.5)], p=[0.8, 0.2])
    return row


def wide_leather(rng: np.random.Generator) -> Floats:
    """Shoes: black, white, or loud."""
    color = materials.random_color(rng, (0.0, 1.0), (0.03, 1.0))
    if rng.random() < 0.5:
        color = np.full(3, rng.choice([0.004, 0.02, 0.75, 0.9]))
    return materials.material(color, gloss=float(rng.uniform(0.02, 0.6)), kind="cloth")


def wide_skin(rng: np.random.Generator, marks: Landmarks, skins: Skins | None) -> Surface:
    """Photographic skin or skin of one colour, from very light to very dark, at times reddened or pale."""
    if skins is not None and rng.random() < PHOTO_SHARE:
        return unwrapped_skin(marks.asset, marks.shape, skin_material(rng, skins))
    row = materials.skin(rng)
    row[0:3] *= np.exp(rng.normal(0, 0.2)) * (1 + rng.normal(0, 0.06, 3))
    row[9] = rng.uniform(0.02, 0.3)
    return body_surface(marks.asset, marks.shape, "skin", row)


def sample_wide_top(rng: np.random.Generator, is_woman: bool) -> TopStyle:
    """Draw a top: one of the usual ones, or one of any sleeve length, hem, neckline and width."""
    if rng.random() < 0.35:
        return garments.sample_top(rng, is_woman)
    loose = float(rng.choice([0.001, rng.uniform(0.004, 0.015), rng.uniform(0.015, 0.045)]))
    cropped = rng.random() < 0.12
    return TopStyle(
        sleeves=float(rng.choice([rng.uniform(0.0, 0.1), rng.uniform(0.1, 0.5), rng.uniform(0.5, 1.0)])),
        hem=float(rng.uniform(0.12, 0.26) if cropped else rng.uniform(-0.06, 0.12)),
        neckline=float(rng.uniform(-0.03, 0.13)),
        slack=loose,
        cuff_slack=float(loose * rng.uniform(0.4, 2.0)),
        thickness=float(rng.uniform(0.005, 0.012)),
        skirt=float(rng.uniform(0.12, 0.95)) if is_woman and rng.random() < 0.15 else 0.0,
    )


def sample_jacket(rng: np.random.Generator) -> TopStyle:
    """Draw what is worn above a top: a jacket, a vest or a coat, open or closed."""
    slack = float(rng.uniform(0.012, 0.03))
    return TopStyle(
        sleeves=float(rng.choice([0.03, rng.uniform(0.85, 1.0)], p=[0.3, 0.7])),
        hem=float(rng.uniform(-0.06, 0.12)),
        neckline=float(rng.uniform(-0.03, 0.02)),
        slack=slack,
        cuff_slack=float(rng.uniform(0.008, 0.025)),
        thickness=float(rng.uniform(0.016, 0.03)),
        skirt=float(rng.choice([0.0, rng.uniform(0.1, 0.6)], p=[0.75, 0.25])),
        open_front=float(rng.choice([0.0, rng.uniform(0.02, 0.1)], p=[0.3, 0.7])),
    )


def wide_bottom(rng: np.random.Generator, marks: Landmarks, skirted: bool) -> tuple[float, list[Surface]]:
    """Trousers, shorts, leggings or a skirt of any length; the share of the leg that is covered, and the pieces."""
    if not skirted and rng.random() < (0.3 if marks.shape.is_woman else 0.04):
        under = garments.trousers(marks, 0.12, 0.0, wide_cloth(rng, 0.3))
        cloth = wide_cloth(rng, 0.8)
        return 0.12, [under, garments.skirt(marks, rng.uniform(0.15, 1.0), rng.uniform(0.005, 0.08), cloth)]
    shares = [0.22, 0.13, 0.65]
    length = float(rng.choice([rng.uniform(0.1, 0.4), rng.uniform(0.4, 0.85), rng.uniform(0.88, 1.02)], p=shares))
    slack = float(rng.choice([0.0005, rng.uniform(0.004, 0.015), rng.uniform(0.015, 0.045)], p=[0.3, 0.4, 0.3]))
    cloth = wide_cloth(rng, 0.3 + 15 * slack)
    if rng.random() < 0.25:
        cloth = materials.cloth(rng, 0.3 + 15 * slack, denim=True)
    return length, [garments.trousers(marks, length, slack, cloth)]


def footwear(rng: np.random.Generator, marks: Landmarks, skin: Surface) -> tuple[list[Surface], Floats]:
    """Shoes, boots, socks, or bare feet; the pieces and the region (N,) of the skin they cover."""
    bare = np.full(len(skin.vertices_m), -1.0, np.float32)
    kind = rng.choice(["shoes", "boots", "socks", "bare"], p=[0.62, 0.14, 0.14, 0.1])
    if kind == "bare":
        return [], bare
    top = float(rng.choice([0.9, rng.uniform(0.6, 0.85), rng.uniform(0.2, 0.6)], p=[0.5, 0.35, 0.15]))
    if kind == "socks":
        return [extras.socks(marks, top, wide_cloth(rng, 0.4, 0.6))], garments.shoes_region(marks, skin, top)
    shaft = float(rng.uniform(0.5, 0.9) if kind == "boots" else rng.choice([0.975, 0.955, 0.94]))
    pieces = [garments.shoes(marks, shaft, rng.uniform(0.01, 0.045), wide_leather(rng))]
    if kind == "shoes" and rng.random() < 0.5:
        pieces.append(extras.socks(marks, top, wide_cloth(rng, 0.3, 0.7)))
        shaft = min(shaft, top)
    return pieces, garments.shoes_region(marks, skin, shaft)


def worn_things(rng: np.random.Generator, marks: Landmarks, skin: Surface, outer_m: float) -> list[Surface]:
    """Gloves, watches, belts, bags, straps, ties, scarves and hoods; `outer_m`: how thick the clothes below are."""
    pieces = []
    if rng.random() < 0.14:
        row = wide_cloth(rng, 0.4, 0.5)
        pieces.append(extras.along_arms(marks, skin, rng.uniform(0.88, 0.99), 9.0, 0.0025, row))
    elif rng.random() < 0.3:
        start = rng.uniform(0.9, 0.95)
        row = materials.material(materials.random_color(rng, (0.0, 0.9), (0.03, 1.0)), gloss=0.5)
        band = extras.along_arms(marks, skin, start, start + rng.uniform(0.03, 0.09), 0.004, row)
        pieces.append(extras.one_side(band, bool(rng.random() < 0.7)))
    if rng.random() < 0.2:
        half = rng.choice([0.02, rng.uniform(0.03, 0.07)])
        pieces.append(extras.belt(marks, wide_leather(rng), float(half), outer_m + 0.005))
    if rng.random() < 0.1:
        pieces.append(extras.tie(rng, marks, wide_cloth(rng, 0.3), outer_m + 0.006))
    if rng.random() < 0.2:
        pieces.append(extras.collar(rng, marks, wide_cloth(rng, 1.0), bool(rng.random() < 0.5)))
    return pieces + carried(rng, marks, outer_m)


def carried(rng: np.random.Generator, marks: Landmarks, outer_m: float) -> list[Surface]:
    """A backpack or a shoulder bag with its straps, mostly neither."""
    kind, row = rng.random(), wide_cloth(rng, 0.6)
    strap_row = row if rng.random() < 0.5 else wide_leather(rng)
    chest = marks.head_of("spine_03")
    if kind < 0.1:
        half = rng.uniform([0.11, 0.05, 0.15], [0.17, 0.1, 0.24])
        back = float(body_surface(marks.asset, marks.shape, "tights", row).vertices_m[:, 1].max())
        center = np.array([chest[0], min(back, chest[1] + 0.13) + half[1] + outer_m, marks.neck_z - 0.07 - half[2]])
        straps = extras.shoulder_straps(marks, strap_row, outer_m + 0.008, float(rng.uniform(0.06, 0.085)))
        return [extras.bag(marks, row, "spine_03", center, half), straps]
    if kind < 0.2:
        side = rng.choice([-1.0, 1.0])
        half = rng.uniform([0.04, 0.1, 0.08], [0.07, 0.18, 0.16])
        hip = marks.head_of("thigh_l")
        center = np.array([side * (abs(hip[0]) + 0.12 + half[0]), hip[1], hip[2]])
        way = np.array([side * rng.uniform(0.8, 1.3), 0.0, 1.0])
        strap = extras.strap(marks, strap_row, way, rng.uniform(0.025, 0.06), outer_m + 0.008)
        return [extras.bag(marks, row, "pelvis", center, half), strap]
    return []


def upper_clothes(
    rng: np.random.Generator, marks: Landmarks, skin: Surface
) -> tuple[list[Surface], list[Floats], float, bool]:
    """Top, print, jacket: pieces, regions of the skin they cover, their thickness, and whether there is a skirt."""
    if not marks.shape.is_woman and rng.random() < 0.04:
        return [], [], 0.0, False
    style = sample_wide_top(rng, marks.shape.is_woman)
    pieces = garments.top(marks, style, wide_cloth(rng, 0.35 + 18 * style.slack))
    regions, outer = [garments.top_region(marks, skin, style)], style.thickness + 0.3 * style.slack
    if rng.random() < 0.3:
        row = materials.material(
            np.ones(3) * 0.6,
            texture=more_index(str(rng.choice(PRINT_TEXTURES))),
            scale=float(rng.uniform(2.5, 7)),
            kind="cloth",
        )
        pieces.append(extras.chest_patch(rng, marks, pieces[0], row))
    if rng.random() < 0.25:
        over = sample_jacket(rng)
        over = replace(over, slack=max(over.slack, style.slack), thickness=max(over.thickness, style.thickness + 0.008))
        pieces += garments.top(marks, over, wide_cloth(rng, 0.35 + 18 * over.slack))
        outer = over.thickness + 0.3 * over.slack
    return pieces, regions, outer, style.skirt > 0


def sample_bystander(rng: np.random.Generator, asset: BodyAsset, body: int, skins: Skins | None) -> Bystander:
    """Draw another person in some moment of some motion."""
    character = dress_widely(rng, asset, body, skins)
    clip = procedural_clip(int(rng.integers(1 << 30)), 1.0, MOTION_FPS)
    motion = retarget(asset, character.shape, clip, character.sole_m, np.zeros(len(clip)), character.finger_curl)
    moment = int(rng.integers(len(motion)))
    return bystander(character.posed(motion.world_from_rest[moment], motion.bone_heads_m[moment]))


def dress_widely(rng: np.random.Generator, asset: BodyAsset, body: int, skins: Skins | None) -> Character:
    """Draw a person.

    Args:
        rng: source of everything random.
        asset: where bodies come from.
        body: index of the body.
        skins: photographic skins, if there are any.
    """
    marks = Landmarks(asset, asset.shape(body))
    skin = wide_skin(rng, marks, skins)
    pieces, regions, outer, skirted = upper_clothes(rng, marks, skin)
    leg_length, legs = wide_bottom(rng, marks, skirted)
    feet, feet_region = footwear(rng, marks, skin)
    regions += [garments.trousers_region(marks, skin, leg_length), feet_region]
    bare_skin = replace(skin, rest_m=None)  # gloves and bands have patterns of their own
    pieces += legs + feet + worn_things(rng, marks, bare_skin, outer)
    strands = materials.hair(rng)
    if rng.random() < 0.12:  # dyed
        strands[0:3] = strands[3:6] = materials.random_color(rng, (0.2, 0.9), (0.3, 0.95))
    pieces += hair(rng, marks, strands)
    pieces += extras.eyes(rng, marks)
    pieces.append(garments.uncovered(skin, regions, HIDDEN_MARGIN_M))
    pieces = [piece for piece in pieces if len(piece.faces)]
    sole = float(marks.head_of("ball_l")[2] - min(piece.vertices_m[:, 2].min() for piece in pieces))
    return assemble(asset, marks.shape, pieces, sole, float(rng.uniform(0.0, 1.0)))
