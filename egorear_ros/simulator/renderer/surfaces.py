"""Colour of meshes (body, garments, furniture) and of the surroundings (room, ground, sky) at one point."""

from __future__ import annotations

import math
from typing import Final

from egorear_ros.simulator.renderer.compile import Floats, f4, inlined_kernel
from egorear_ros.simulator.renderer.inputs import Light, Place, Surfaces
from egorear_ros.simulator.renderer.lighting import contact_shadow, lamp_falloff, shadow
from egorear_ros.simulator.renderer.noise import noise, pattern
from egorear_ros.simulator.renderer.textures import TEXTURE_SIZE, sample_panorama, sample_texture

MATERIAL: Final = {
    "color": 0,
    "second": 3,
    "pattern": 6,
    "scale": 7,
    "wrinkles": 8,
    "gloss": 9,
    "texture": 10,
    "kind": 11,
    "two_sided": 12,
}
"""Columns of the material table; `texture` is -1 for none, `kind` is one of KINDS, `two_sided` is 1 for what is
seen from behind as well (cloth)."""
MATERIAL_SIZE: Final = 13
KINDS: Final = {"matte": 0, "skin": 1, "hair": 2, "eye": 3, "cloth": 4, "unwrapped": 5}
"""An unwrapped surface is skin whose position at rest is (u, v, tile): its colour is that of the texture
`texture` + tile at (u, v), and `scale` is how much of a tile covers a metre."""

SURROUNDINGS: Final = {"low": 0, "high": 3, "outdoor": 6, "rotation": 7, "ground_reach": 8}
"""Entries of the surroundings vector: the room's corners (its floor is also the ground outdoors), 1 if outdoors, turn
of the panorama (share of a circle), distance at which the ground fades into the panorama.
"""
SURROUNDINGS_SIZE: Final = 9
PLANE_SIZE: Final = 10
"""Columns of a room plane: colour, second colour, pattern, pattern scale, texture (-1: none), tiles per metre."""
DECAL_SIZE: Final = 15
"""Columns of a decal: plane, centre (2), direction (2), half size (2), texture, two colours (3 each), pattern."""


@inlined_kernel
def wrinkle(table: Floats, normal: Floats, x: float, y: float, z: float, strength: float) -> None:
    """Tilt a normal (3,) as folds of cloth would: broad folds here, smooth cloth there."""
    amount = strength * (noise(table, x * f4(9), y * f4(9), z * f4(6)) + f4(0.15))
    normal[0] += amount * (noise(table, x * f4(22), y * f4(22), z * f4(15)) - f4(0.5))
    normal[1] += amount * (noise(table, x * f4(20) + f4(3), y * f4(20), z * f4(14)) - f4(0.5))
    normal[2] += amount * (noise(table, x * f4(21) + f4(7), y * f4(21), z * f4(24)) - f4(0.5))


@inlined_kernel
def mesh_color(
    mesh: Surfaces,
    face: int,
    weights: Floats,
    row: int,
    eye: Floats,
    pixel_rad: float,
    lighting: Light,
    normal: Floats,
    albedo: Floats,
    color: Floats,
) -> None:
    """Add the light a mesh point sends to the camera to `color` (3,).

    Args:
        mesh, face: triangles and which of them.
        weights: (3,) barycentric position.
        row: of the material table.
        eye: (3,) camera position.
        pixel_rad: angle one pixel covers.
        lighting: light, shadows, textures.
        normal, albedo: (3,) working memory.
        color: (3,) result is added here.
    """
    faces, vertices, normals, rest, materials = mesh.faces, mesh.vertices, mesh.normals, mesh.rest, mesh.materials
    table, textures, light, shadow_depth, shadow_bounds, shadow_from_world = lighting
    a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
    wa, wb, wc = weights[0], weights[1], weights[2]
    x = wa * vertices[a, 0] + wb * vertices[b, 0] + wc * vertices[c, 0]
    y = wa * vertices[a, 1] + wb * vertices[b, 1] + wc * vertices[c, 1]
    z = wa * vertices[a, 2] + wb * vertices[b, 2] + wc * vertices[c, 2]
    rx = wa * rest[a, 0] + wb * rest[b, 0] + wc * rest[c, 0]
    ry = wa * rest[a, 1] + wb * rest[b, 1] + wc * rest[c, 1]
    rz = wa * rest[a, 2] + wb * rest[b, 2] + wc * rest[c, 2]
    for d in range(3):
        normal[d] = wa * normals[a, d] + wb * normals[b, d] + wc * normals[c, d]
    kind = int(materials[row, 11])
    if materials[row, 8] > 0:
        wrinkle(table, normal, rx, ry, rz, materials[row, 8])
    vx, vy, vz = eye[0] - x, eye[1] - y, eye[2] - z
    reach = math.sqrt(vx * vx + vy * vy + vz * vz) + f4(1e-6)
    vx, vy, vz = vx / reach, vy / reach, vz / reach
    length = math.sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]) + f4(1e-9)
    if normal[0] * vx + normal[1] * vy + normal[2] * vz < 0:
        length = -length  # cloth has two sides
    nx, ny, nz = normal[0] / length, normal[1] / length, normal[2] / length

    if kind == 5:
        scale = materials[row, 7] * (f4(1) + f4(1.6) * rz)  # the second tile is an enlarged part of the first
        sample_texture(
            textures,
            int(materials[row, 10] + rz + f4(0.5)),
            rx,
            ry,
            pixel_rad * reach * scale * f4(TEXTURE_SIZE),
            albedo,
        )
        for d in range(3):
            albedo[d] *= materials[row, d]
    elif materials[row, 10] >= 0:
        scale = materials[row, 7]
        u, v = (ry, rz) if abs(nx) > max(abs(ny), abs(nz)) else ((rx, rz) if abs(ny) > abs(nz) else (rx, ry))
        sample_texture(
            textures,
            int(materials[row, 10]),
            u * scale,
            v * scale,
            pixel_rad * reach * scale * f4(TEXTURE_SIZE),
            albedo,
        )
        for d in range(3):
            albedo[d] *= f4(0.4) + materials[row, d]
    else:
        mix, gain = f4(0), f4(1)
        if kind == 1:
            gain = (
                f4(0.86)
                + f4(0.2) * noise(table, rx * f4(25), ry * f4(25), rz * f4(25))
                + f4(0.1) * noise(table, rx * f4(160), ry * f4(160), rz * f4(160))
            )
        elif kind == 2:
            gain = f4(0.55) + f4(0.9) * noise(table, rx * f4(240), ry * f4(240), rz * f4(22))
        else:
            mix, gain = pattern(table, int(materials[row, 6]), rx, ry, rz, materials[row, 7])
        for d in range(3):
            albedo[d] = (materials[row, d] + (materials[row, 3 + d] - materials[row, d]) * mix) * gain

    facing = nx * light[0] + ny * light[1] + nz * light[2]
    direct, highlight = f4(0), f4(0)
    if kind == 1 or kind == 5:  # light scatters a little around the edge of skin
        facing = (facing + f4(0.15)) / f4(1.15)
    if facing > 0:
        lit = shadow(
            shadow_depth,
            shadow_bounds,
            shadow_from_world,
            x + nx * f4(0.012),
            y + ny * f4(0.012),
            z + nz * f4(0.012),
            f4(0.006),
            light[16],
        ) * lamp_falloff(light, x, y, z)
        direct = facing * lit
        hx, hy, hz = vx + light[0], vy + light[1], vz + light[2]
        half = max((nx * hx + ny * hy + nz * hz) / math.sqrt(hx * hx + hy * hy + hz * hz + f4(1e-9)), f4(0))
        half = half * half
        half = half * half
        half = half * half
        highlight = half * half * materials[row, 9] * lit
    upward = nz * f4(0.5) + f4(0.5)
    for d in range(3):
        ambient = light[9 + d] + (light[6 + d] - light[9 + d]) * upward
        color[d] += albedo[d] * (ambient + light[3 + d] * direct) + light[3 + d] * highlight


@inlined_kernel
def surroundings_color(
    dx: float,
    dy: float,
    dz: float,
    eye: Floats,
    pixel_rad: float,
    place: Place,
    lighting: Light,
    albedo: Floats,
    patch: Floats,
    color: Floats,
) -> float:
    """Write what a ray (dx, dy, dz) from `eye` sees behind all meshes to `color`; return its distance (1e9: sky)."""
    surroundings, planes, decals, decal_starts, spheres, panorama = place
    table, textures, light, shadow_depth, shadow_bounds, shadow_from_world = lighting
    outdoor = surroundings[6] > 0
    distance, plane = f4(1e9), -1
    if outdoor:
        if dz < 0:
            distance, plane = (surroundings[2] - eye[2]) / dz, 4
        if distance > surroundings[8]:
            sample_panorama(panorama, dx, dy, dz, surroundings[7], color)
            return f4(1e9)
    else:
        for axis in range(3):
            d = dx if axis == 0 else (dy if axis == 1 else dz)
            if d != 0:
                t = (surroundings[axis + (3 if d > 0 else 0)] - eye[axis]) / d
                if t < distance:
                    distance, plane = t, 2 * axis + (1 if d > 0 else 0)
    axis = plane // 2
    sign = f4(-1) if plane % 2 == 1 else f4(1)
    nx, ny, nz = f4(axis == 0) * sign, f4(axis == 1) * sign, f4(axis == 2) * sign
    x, y, z = eye[0] + distance * dx, eye[1] + distance * dy, eye[2] + distance * dz
    u, v = (y, z) if axis == 0 else ((x, z) if axis == 1 else (x, y))
    footprint = pixel_rad * distance / max(abs(nx * dx + ny * dy + nz * dz), f4(0.08))
    plane_color(planes, plane, u, v, footprint, table, textures, albedo)
    for i in range(decal_starts[plane], decal_starts[plane + 1]):
        p, q = u - decals[i, 1], v - decals[i, 2]
        across = p * decals[i, 3] + q * decals[i, 4]
        along = q * decals[i, 3] - p * decals[i, 4]
        inside = min(decals[i, 5] - abs(across), decals[i, 6] - abs(along)) / footprint + f4(0.5)
        if inside > 0:
            decal_color(decals, i, across, along, footprint, table, textures, patch)
            inside = min(inside, f4(1))
            for d in range(3):
                albedo[d] += (patch[d] - albedo[d]) * inside
    facing = nx * light[0] + ny * light[1] + nz * light[2]
    direct = f4(0)
    if facing > 0:
        direct = facing * shadow(shadow_depth, shadow_bounds, shadow_from_world, x, y, z, f4(0.004), light[16])
        direct *= lamp_falloff(light, x, y, z)
    ambient_left = contact_shadow(spheres, x, y, z, nx, ny, nz)
    if not outdoor:
        ambient_left *= corner_shade(surroundings, x, y, z)
    upward = nz * f4(0.5) + f4(0.5)
    for d in range(3):
        ambient = light[9 + d] + (light[6 + d] - light[9 + d]) * upward
        color[d] = albedo[d] * (ambient * ambient_left + light[3 + d] * direct)
    if outdoor and distance > f4(0.4) * surroundings[8]:  # haze: the ground fades into the horizon
        share = (distance / surroundings[8] - f4(0.4)) / f4(0.6)
        level = math.sqrt(dx * dx + dy * dy) + f4(1e-6)
        sample_panorama(panorama, dx / level, dy / level, f4(-0.02), surroundings[7], patch)
        for d in range(3):
            color[d] += (patch[d] - color[d]) * share
    return distance


@inlined_kernel
def corner_shade(surroundings: Floats, x: float, y: float, z: float) -> float:
    """Rooms are darker along their edges; 1 in the middle of a plane."""
    shade = f4(1)
    for axis in range(3):
        position = x if axis == 0 else (y if axis == 1 else z)
        gap = min(position - surroundings[axis], surroundings[axis + 3] - position)
        if gap > f4(1e-3):
            shade *= f4(1) - f4(0.35) / ((f4(1) + gap * f4(3)) * (f4(1) + gap * f4(3)))
    return shade


@inlined_kernel
def plane_color(
    planes: Floats,
    plane: int,
    u: float,
    v: float,
    footprint: float,
    table: Floats,
    textures: Floats,
    color: Floats,
) -> None:
    """Albedo of a room plane at (u, v) metres."""
    if planes[plane, 8] >= 0:
        scale = planes[plane, 9]
        sample_texture(
            textures, int(planes[plane, 8]), u * scale, v * scale, footprint * scale * f4(TEXTURE_SIZE), color
        )
        for d in range(3):
            color[d] *= f4(0.4) + planes[plane, d]
    else:
        mix, gain = pattern(table, int(planes[plane, 6]), u + f4(0.003), f4(0.01), v + f4(0.007), planes[plane, 7])
        fade = min(
            max(f4(1.6) - footprint * planes[plane, 7] * f4(4), f4(0)), f4(1)
        )  # a pattern finer than a pixel is grey
        mix, gain = mix * fade + f4(0.4) * (f4(1) - fade), gain * fade + (f4(1) - fade)
        gain *= f4(0.9) + f4(0.2) * noise(table, u * f4(0.9), v * f4(0.9), f4(0.3))
        for d in range(3):
            color[d] = (planes[plane, d] + (planes[plane, 3 + d] - planes[plane, d]) * mix) * gain


@inlined_kernel
def decal_color(
    decals: Floats,
    decal: int,
    across: float,
    along: float,
    footprint: float,
    table: Floats,
    textures: Floats,
    color: Floats,
) -> None:
    """Albedo of a decal at (across, along) metres from its centre."""
    if decals[decal, 7] >= 0:
        u, v = across / decals[decal, 5] * f4(0.5) + f4(0.5), along / decals[decal, 6] * f4(0.5) + f4(0.5)
        texels = footprint * f4(TEXTURE_SIZE) * f4(0.5) / min(decals[decal, 5], decals[decal, 6])
        sample_texture(textures, int(decals[decal, 7]), u, v, texels, color)
        return
    mix, gain = pattern(table, int(decals[decal, 14]), across, f4(0.01), along, f4(3))
    border = min(decals[decal, 5] - abs(across), decals[decal, 6] - abs(along))
    if border < f4(0.03):
        mix = f4(1)
    for d in range(3):
        color[d] = (decals[decal, 8 + d] + (decals[decal, 11 + d] - decals[decal, 8 + d]) * mix) * gain
