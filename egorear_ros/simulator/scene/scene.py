"""A scene: where the person is, as the renderer wants it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from egorear_ros.simulator.renderer.mesh import Mesh

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """Room or open ground, furniture and light. World frame: z up, floor at z = 0, metres.

    Attributes:
        surroundings: vector described by `renderer.surfaces.SURROUNDINGS`.
        planes: (6, PLANE_SIZE) walls -x +x -y +y, floor, ceiling.
        decals: (D, DECAL_SIZE) rugs, papers, pictures, doors, windows.
        panorama: (256, 512, 3) linear light from far away (outdoors; black indoors).
        light: vector described by `renderer.lighting.LIGHT`.
        furniture: static meshes.
        outdoor: whether there is no room.
    """

    surroundings: Floats
    planes: Floats
    decals: Floats
    panorama: Floats
    light: Floats
    furniture: Mesh
    outdoor: bool

    def light_at(self, person_m: NDArray[np.floating]) -> Floats:
        """The light vector with its direction as seen from the person: a lamp in a room is near, the sun is not."""
        light = self.light.copy()
        if light[15] > 0:
            to_lamp = light[12:15] - person_m
            light[:3] = to_lamp / np.linalg.norm(to_lamp)
        return light
