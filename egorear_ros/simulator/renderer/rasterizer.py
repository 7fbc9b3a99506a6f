"""Which triangle does each pixel's ray hit first? Exact for any lens.

A fisheye bends straight edges, so triangles cannot be filled between projected corners. Instead each ray is tested
against the triangle itself: with corners A, B, C in the camera frame, a ray d passes through it if the three volumes
d.(BxC), d.(CxA), d.(AxB) have one sign; their sum gives the distance. Projection only bounds which pixels to test, so
coverage and depth are right up to the rim of the image circle and behind the image plane.
"""

from __future__ import annotations

import math

from egorear_ros.simulator.renderer.compile import Floats, Ints, f4, kernel

NO_TRIANGLE = -1


@kernel
def project_vertices(
    vertices: Floats, camera_from_world: Floats, radius_table: Floats, center: Floats, in_camera: Floats, pixels: Floats
) -> None:
    """Transform vertices to the camera and find their pixels.

    Args:
        vertices: (N, 3) in the world.
        camera_from_world: (4, 4).
        radius_table: (M,) radius in pixels at angles 0..pi off the axis, evenly spaced.
        center: (2,) pixel of the axis.
        in_camera: (N, 3) result: camera frame.
        pixels: (N, 3) result: u, v, angle off the axis in radians.
    """
    last = radius_table.shape[0] - 1
    per_radian = f4(last / math.pi)
    for i in range(vertices.shape[0]):
        vx, vy, vz = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        x = camera_from_world[0, 0] * vx + camera_from_world[0, 1] * vy + camera_from_world[0, 2] * vz
        y = camera_from_world[1, 0] * vx + camera_from_world[1, 1] * vy + camera_from_world[1, 2] * vz
        z = camera_from_world[2, 0] * vx + camera_from_world[2, 1] * vy + camera_from_world[2, 2] * vz
        x, y, z = x + camera_from_world[0, 3], y + camera_from_world[1, 3], z + camera_from_world[2, 3]
        in_camera[i, 0], in_camera[i, 1], in_camera[i, 2] = x, y, z
        across = math.sqrt(x * x + y * y) + f4(1e-9)
        angle = f4(math.atan2(across, z))
        slot = angle * per_radian
        index = min(int(slot), last - 1)
        radius = radius_table[index] + (radius_table[index + 1] - radius_table[index]) * (slot - index)
        pixels[i, 0], pixels[i, 1], pixels[i, 2] = (
            x / across * radius + center[0],
            y / across * radius + center[1],
            angle,
        )


@kernel
def rasterize(
    faces: Ints,
    two_sided: Ints,
    in_camera: Floats,
    pixels: Floats,
    rays: Floats,
    limits: Floats,
    distance: Floats,
    triangle: Ints,
) -> None:
    """Find the first triangle along every ray.

    Args:
        faces: (F, 3) vertex indices, counter-clockwise seen from outside.
        two_sided: (F,) whether a triangle is also seen from behind.
        in_camera, pixels: of the vertices, from `project_vertices`.
        rays: (3, H, W) unit viewing rays; (0, 0, 0) where the lens sees nothing.
        limits: (2,) largest angle off the axis that is seen, and pixels per radian.
        distance: (H, W) result: metres along the ray, 1e9 where nothing is hit.
        triangle: (H, W) result: index into faces, NO_TRIANGLE where nothing is hit.
    """
    height, width = distance.shape
    distance[:] = f4(1e9)
    triangle[:] = NO_TRIANGLE
    widest, per_px = limits[0], f4(1) / limits[1]
    per_arc = per_px / f4(6)
    for t in range(faces.shape[0]):
        i, j, k = faces[t, 0], faces[t, 1], faces[t, 2]
        u0, u1 = min(pixels[i, 0], pixels[j, 0], pixels[k, 0]), max(pixels[i, 0], pixels[j, 0], pixels[k, 0])
        v0, v1 = min(pixels[i, 1], pixels[j, 1], pixels[k, 1]), max(pixels[i, 1], pixels[j, 1], pixels[k, 1])
        # An edge may bulge out of its corners' box; the sagitta of its arc bounds by how much.
        extent = max(u1 - u0, v1 - v0)
        margin = f4(0.02) + extent * extent * per_arc
        if min(pixels[i, 2], pixels[j, 2], pixels[k, 2]) > widest + min(margin * per_px, f4(0.2)):
            continue
        if max(pixels[i, 2], pixels[j, 2], pixels[k, 2]) > f4(2.5):  # behind the lens no box can be trusted
            margin = f4(width)
        x0, x1 = max(math.ceil(u0 - margin - f4(0.5)), 0), min(math.floor(u1 + margin - f4(0.5)), width - 1)
        y0, y1 = max(math.ceil(v0 - margin - f4(0.5)), 0), min(math.floor(v1 + margin - f4(0.5)), height - 1)
        if x0 > x1 or y0 > y1:
            continue
        ax, ay, az = in_camera[i, 0], in_camera[i, 1], in_camera[i, 2]
        bx, by, bz = in_camera[j, 0], in_camera[j, 1], in_camera[j, 2]
        cx, cy, cz = in_camera[k, 0], in_camera[k, 1], in_camera[k, 2]
        px, py, pz = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx
        qx, qy, qz = cy * az - cz * ay, cz * ax - cx * az, cx * ay - cy * ax
        rx, ry, rz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        volume = ax * px + ay * py + az * pz
        if volume > 0 and two_sided[t] == 0:
            continue
        if volume < 0:  # seen from the front: turn all signs
            px, py, pz, qx, qy, qz, rx, ry, rz = -px, -py, -pz, -qx, -qy, -qz, -rx, -ry, -rz
            volume = -volume
        for y in range(y0, y1 + 1):
            ray_x, ray_y, ray_z = rays[0, y], rays[1, y], rays[2, y]
            nearest, winner = distance[y], triangle[y]
            for x in range(x0, x1 + 1):
                dx, dy, dz = ray_x[x], ray_y[x], ray_z[x]
                wa = px * dx + py * dy + pz * dz
                wb = qx * dx + qy * dy + qz * dz
                wc = rx * dx + ry * dy + rz * dz
                if min(wa, wb, wc) < 0:  # one test instead of three: the processor cannot guess their outcome
                    continue
                total = wa + wb + wc
                if total > 0 and volume < nearest[x] * total:
                    nearest[x] = volume / total
                    winner[x] = t


@kernel
def rasterize_shadow(faces: Ints, points: Floats, depth: Floats) -> None:
    """Depth seen from the light: nearest z of `points` (N, 3: column, row, z) over a square image, 1e9 where empty."""
    size = depth.shape[0]
    depth[:] = f4(1e9)
    for t in range(faces.shape[0]):
        i, j, k = faces[t, 0], faces[t, 1], faces[t, 2]
        ax, ay, bx, by, cx, cy = points[i, 0], points[i, 1], points[j, 0], points[j, 1], points[k, 0], points[k, 1]
        x0, x1 = max(math.ceil(min(ax, bx, cx) - f4(0.5)), 0), min(int(max(ax, bx, cx) - f4(0.5)), size - 1)
        y0, y1 = max(math.ceil(min(ay, by, cy) - f4(0.5)), 0), min(int(max(ay, by, cy) - f4(0.5)), size - 1)
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if x0 > x1 or y0 > y1 or area == 0:
            continue
        inverse = f4(1) / area
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = f4(x) + f4(0.5), f4(y) + f4(0.5)
                w1 = ((px - ax) * (cy - ay) - (py - ay) * (cx - ax)) * inverse
                w2 = ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) * inverse
                w0 = f4(1) - w1 - w2
                if w0 >= 0 and w1 >= 0 and w2 >= 0:
                    z = w0 * points[i, 2] + w1 * points[j, 2] + w2 * points[k, 2]
                    depth[y, x] = min(depth[y, x], z)
