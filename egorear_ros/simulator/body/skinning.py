"""Linear blend skinning with hanging cloth, in one pass."""

from __future__ import annotations

import math

from egorear_ros.simulator.renderer.compile import Floats, Ints, f4, kernel


@kernel
def skin(
    rest: Floats,
    rest_normals: Floats,
    drape_normals: Floats,
    slack: Floats,
    bones: Ints,
    weights: Floats,
    rotations: Floats,
    translations: Floats,
    vertices: Floats,
    normals: Floats,
) -> None:
    """Pose vertices.

    Loose cloth (slack > 0) is moved by slack * (normal + down): above a limb that cancels out and the cloth lies on
    it; beside and below it hangs.

    Args:
        rest, rest_normals, drape_normals: (N, 3) at rest; drape normals are smoothed.
        slack: (N,) metres.
        bones, weights: (N, 4).
        rotations, translations: (B, 3, 3), (B, 3) world from rest.
        vertices, normals: (N, 3) results.
    """
    for i in range(rest.shape[0]):
        m00 = m01 = m02 = m10 = m11 = m12 = m20 = m21 = m22 = tx = ty = tz = f4(0)
        for j in range(4):
            w, b = weights[i, j], bones[i, j]
            if w > 0:
                m00 += w * rotations[b, 0, 0]
                m01 += w * rotations[b, 0, 1]
                m02 += w * rotations[b, 0, 2]
                m10 += w * rotations[b, 1, 0]
                m11 += w * rotations[b, 1, 1]
                m12 += w * rotations[b, 1, 2]
                m20 += w * rotations[b, 2, 0]
                m21 += w * rotations[b, 2, 1]
                m22 += w * rotations[b, 2, 2]
                tx += w * translations[b, 0]
                ty += w * translations[b, 1]
                tz += w * translations[b, 2]
        x, y, z = rest[i, 0], rest[i, 1], rest[i, 2]
        vertices[i, 0] = m00 * x + m01 * y + m02 * z + tx
        vertices[i, 1] = m10 * x + m11 * y + m12 * z + ty
        vertices[i, 2] = m20 * x + m21 * y + m22 * z + tz
        x, y, z = rest_normals[i, 0], rest_normals[i, 1], rest_normals[i, 2]
        normals[i, 0] = m00 * x + m01 * y + m02 * z
        normals[i, 1] = m10 * x + m11 * y + m12 * z
        normals[i, 2] = m20 * x + m21 * y + m22 * z
        if slack[i] > 0:
            x, y, z = drape_normals[i, 0], drape_normals[i, 1], drape_normals[i, 2]
            nx, ny, nz = m00 * x + m01 * y + m02 * z, m10 * x + m11 * y + m12 * z, m20 * x + m21 * y + m22 * z
            length = math.sqrt(nx * nx + ny * ny + nz * nz) + f4(1e-9)
            vertices[i, 0] += slack[i] * nx / length
            vertices[i, 1] += slack[i] * ny / length
            vertices[i, 2] += slack[i] * (nz / length - f4(1))
