"""Random rooms and outdoor places."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.materials import random_color
from egorear_ros.simulator.renderer.lighting import LIGHT_SIZE
from egorear_ros.simulator.renderer.mesh import Mesh, merge
from egorear_ros.simulator.renderer.noise import PATTERNS
from egorear_ros.simulator.renderer.surfaces import DECAL_SIZE, PLANE_SIZE, SURROUNDINGS_SIZE
from egorear_ros.simulator.scene.furniture import INDOORS, OUTDOORS, Placed, empty_mesh
from egorear_ros.simulator.scene.panorama import HEIGHT, WIDTH, sky_panorama
from egorear_ros.simulator.scene.scene import Scene
from egorear_ros.simulator.scene.textures import FLOORS, GROUNDS, PICTURES, TEXTURES, WALLS

OUTDOOR_SHARE: Final = 0.35
WALL_MARGIN_M: Final = 1.0
PERSON_MARGIN_M: Final = 0.75
GROUND_REACH_M: Final = 25.0
PATTERN_ON_WALLS: Final = ("plain", "stripes", "plaid", "mottled", "blotches", "checks")


def sample_scene(rng: np.random.Generator, path_m: NDArray[np.floating]) -> Scene:
    """Make up a place around the person's path.

    Args:
        rng: source of everything random.
        path_m: (T, 2) where the person goes on the floor; walls and furniture keep away from it.
    """
    outdoor = bool(rng.random() < OUTDOOR_SHARE)
    low, high = path_m.min(axis=0), path_m.max(axis=0)
    margins = rng.uniform(WALL_MARGIN_M, 4.0, 4)
    room_low = np.array([low[0] - margins[0], low[1] - margins[1], 0.0])
    room_high = np.array([high[0] + margins[2], high[1] + margins[3], rng.uniform(2.45, 3.6)])
    light = sample_light(rng, outdoor, room_low, room_high)
    surroundings = np.zeros(SURROUNDINGS_SIZE, np.float32)
    surroundings[0:3], surroundings[3:6] = room_low, room_high
    surroundings[6:9] = float(outdoor), 0.0, GROUND_REACH_M
    panorama = sky_panorama(rng, light[:3]) if outdoor else np.zeros((HEIGHT, WIDTH, 3), np.float32)
    return Scene(
        surroundings=surroundings,
        planes=sample_planes(rng, outdoor),
        decals=sample_decals(rng, outdoor, room_low, room_high, path_m),
        panorama=panorama,
        light=light,
        furniture=sample_furniture(rng, outdoor, room_low, room_high, path_m),
        outdoor=outdoor,
    )


def sample_light(
    rng: np.random.Generator, outdoor: bool, low: NDArray[np.floating], high: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Sun and sky, or a ceiling lamp and what the walls give back."""
    light = np.zeros(LIGHT_SIZE, np.float32)
    azimuth, tilt = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(8, 55))
    light[0:3] = np.sin(tilt) * np.cos(azimuth), np.sin(tilt) * np.sin(azimuth), np.cos(tilt)
    warmth = np.array([1 + rng.uniform(-0.05, 0.15), 1.0, 1 - rng.uniform(-0.05, 0.2)])
    if outdoor:
        sun = rng.uniform(0.15, 1.9)
        light[3:6] = sun * warmth
        light[6:9] = rng.uniform(0.4, 0.75) * np.array([0.92, 0.98, 1.1])
        light[9:12] = rng.uniform(0.14, 0.3)
        light[16] = 1.2 if sun > 0.8 else 6.0
        return light
    light[3:6] = rng.uniform(0.25, 0.9) * warmth
    light[6:9] = rng.uniform(0.25, 0.6) * warmth
    light[9:12] = light[6:9] * rng.uniform(0.35, 0.6)
    light[12:14] = rng.uniform(low[:2] + 0.4, high[:2] - 0.4)
    light[14] = high[2] - 0.1
    light[15] = rng.uniform(2.0, 4.0)
    light[16] = rng.uniform(2.0, 5.0)
    return light


def sample_planes(rng: np.random.Generator, outdoor: bool) -> NDArray[np.float32]:
    """Walls, floor and ceiling: mostly one paint for all walls."""
    planes = np.zeros((6, PLANE_SIZE), np.float32)
    paint = random_color(rng, (0.0, 0.45), (0.5, 0.98))
    for index in range(6):
        color = paint if rng.random() < 0.75 else random_color(rng, (0.0, 0.5), (0.4, 0.95))
        second = color * rng.uniform(0.6, 0.95)
        plain = rng.random() < 0.6
        kind = PATTERNS.index("plain" if plain else str(rng.choice(PATTERN_ON_WALLS)))
        planes[index] = [*color, *second, kind, rng.uniform(1.5, 6), -1, 1]
        if rng.random() < 0.45:
            planes[index, 0:3] = 0.35 + 0.5 * color
            planes[index, 8:10] = TEXTURES.index(str(rng.choice(WALLS))), rng.uniform(0.4, 0.9)
    floor = random_color(rng, (0.0, 0.35), (0.5, 1.0))
    planes[4, 0:3] = 0.3 + 0.5 * floor
    planes[4, 8:10] = TEXTURES.index(str(rng.choice(GROUNDS if outdoor else FLOORS))), rng.uniform(0.45, 1.3)
    planes[5, 0:3], planes[5, 3:6], planes[5, 6:10] = 0.8, 0.75, [0, 3, -1, 1]
    return planes


def sample_decals(
    rng: np.random.Generator,
    outdoor: bool,
    low: NDArray[np.floating],
    high: NDArray[np.floating],
    path_m: NDArray[np.floating],
) -> NDArray[np.float32]:
    """Rugs, sheets of paper and markings on the floor; pictures, doors and windows on the walls."""
    rows = []
    for _ in range(int(rng.integers(0, 9))):
        center = path_m[rng.integers(len(path_m))] + rng.normal(0, 1.0, 2)
        rows.append(decal(rng, 4, center, rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.5, 2), 0.5))
    if not outdoor and rng.random() < 0.5:
        center = path_m[rng.integers(len(path_m))] + rng.normal(0, 0.4, 2)
        rows.insert(0, decal(rng, 4, center, rng.uniform(0, 0.3), rng.uniform(0.7, 1.4, 2), 1.0, "rug"))
    if not outdoor:
        for _ in range(int(rng.integers(2, 9))):
            plane = int(rng.integers(0, 4))
            along = 1 if plane < 2 else 0
            center = np.array([rng.uniform(low[along], high[along]), rng.uniform(1.2, 1.8)])
            rows.append(decal(rng, plane, center, 0.0, rng.uniform(0.15, 0.6, 2), 0.6))
        plane = int(rng.integers(0, 4))
        along = 1 if plane < 2 else 0
        door = np.array([rng.uniform(low[along] + 0.5, high[along] - 0.5), 1.0])
        rows.append(decal(rng, plane, door, 0.0, np.array([0.45, 1.0]), 0.0))
    return np.array(rows, np.float32).reshape(-1, DECAL_SIZE)


def decal(
    rng: np.random.Generator,
    plane: int,
    center: NDArray[np.floating],
    angle: float,
    half: NDArray[np.floating],
    picture_share: float,
    texture: str | None = None,
) -> list[float]:
    """One row of the decal table: a picture, or a patch with a pattern and a border."""
    which = -1
    if rng.random() < picture_share:
        which = TEXTURES.index(texture or str(rng.choice(PICTURES)))
    color, second = random_color(rng), random_color(rng)
    return [
        *(plane, *center, np.cos(angle), np.sin(angle), *half, which, *color, *second),
        int(rng.integers(0, 7)) if rng.random() < 0.5 else 0,
    ]


def sample_furniture(
    rng: np.random.Generator,
    outdoor: bool,
    low: NDArray[np.floating],
    high: NDArray[np.floating],
    path_m: NDArray[np.floating],
) -> Mesh:
    """Put some pieces around the path, none in the way and none through a wall."""
    pieces = []
    makers = OUTDOORS if outdoor else INDOORS
    for _ in range(int(rng.integers(0, 5 if outdoor else 9))):
        piece: Placed = makers[rng.integers(len(makers))](rng)
        angle = rng.uniform(0, 2 * np.pi)
        for _ in range(12):
            spot = rng.uniform(
                low[:2] + piece.radius_m, np.maximum(high[:2] - piece.radius_m, low[:2] + piece.radius_m)
            )
            if np.hypot(*(path_m - spot).T).min() > piece.radius_m + PERSON_MARGIN_M:
                pieces.append(piece.mesh.moved(standing_at(spot, angle)))
                break
    return merge(pieces) if pieces else empty_mesh()


def standing_at(spot_m: NDArray[np.floating], angle_rad: float) -> NDArray[np.float64]:
    """Pose (4, 4) of a thing on the floor."""
    pose = np.eye(4)
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    pose[:2, :2] = [[cosine, -sine], [sine, cosine]]
    pose[:2, 3] = spot_m
    return pose
