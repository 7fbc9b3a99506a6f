"""Geometry inside `egorear_s`: rays of pixels, pixels of points, points nearest to rays.

Written with elementwise products, not matrix products: those would lose their precision under autocast.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from egorear_ros.rig import CameraModel


def rotate(rotation: Tensor, vectors: Tensor) -> Tensor:
    """(..., 3, 3) and (..., J, 3) -> (..., J, 3): each vector turned."""
    return (rotation[..., None, :, :] * vectors[..., None, :]).sum(dim=-1)


def rays_of_pixels(cameras: Sequence[CameraModel], camera_from_device: Tensor, uv: Tensor) -> tuple[Tensor, Tensor]:
    """Rays through image positions, in the device frame.

    Args:
        cameras: lens of each view.
        camera_from_device: (B, V, 4, 4), metres.
        uv: (B, V, J, 2), fractions of the image.

    Returns:
        Origins (B, V, 1, 3) in metres and unit directions (B, V, J, 3).
    """
    device_rotation = camera_from_device[..., :3, :3].transpose(-2, -1)
    rays = []
    for view, camera in enumerate(cameras):
        size = uv.new_tensor([camera.width, camera.height])
        rays.append(camera.unproject(uv[:, view] * size))
    origins = -rotate(device_rotation, camera_from_device[..., None, :3, 3])
    return origins, rotate(device_rotation, torch.stack(rays, dim=1))


def pixels_of_points(cameras: Sequence[CameraModel], camera_from_device: Tensor, points_m: Tensor) -> Tensor:
    """Where points (B, J, 3) of the device frame appear: (B, V, J, 2) as fractions of the image, also outside it."""
    in_camera = rotate(camera_from_device[..., :3, :3], points_m[:, None]) + camera_from_device[..., None, :3, 3]
    uv = []
    for view, camera in enumerate(cameras):
        uv.append(camera.project(in_camera[:, view]) / points_m.new_tensor([camera.width, camera.height]))
    return torch.stack(uv, dim=1)


def nearest_points(origins: Tensor, directions: Tensor, weights: Tensor, prior: Tensor, prior_weight: Tensor) -> Tensor:
    """Points with the least weighted sum of squared distances to rays and to a prior.

    With one ray, this is the prior moved towards the ray; with several, their triangulation; with none, the prior.

    Args:
        origins: (B, V, 1, 3) metres.
        directions: (B, V, J, 3), unit length.
        weights: (B, V, J), 0 or more; 0 leaves a ray out.
        prior: (J, 3) metres.
        prior_weight: (J,), above 0.

    Returns:
        (B, J, 3) metres.
    """
    eye = torch.eye(3, dtype=directions.dtype, device=directions.device)
    across = eye - directions[..., :, None] * directions[..., None, :]  # (B, V, J, 3, 3), removes what is along the ray
    normal = (weights[..., None, None] * across).sum(dim=1) + prior_weight[:, None, None] * eye
    offset = origins - prior  # solving for the distance from the prior keeps the numbers small
    right = (weights[..., None] * (across * offset[..., None, :]).sum(dim=-1)).sum(dim=1)
    return prior + solve3(normal, right)


def solve3(matrix: Tensor, right: Tensor) -> Tensor:
    """Solve 3 x 3 systems by Cramer's rule, which every export format knows: (..., 3, 3), (..., 3) -> (..., 3)."""
    a, b, c = matrix.unbind(dim=-1)
    bc, ca, ab = (torch.linalg.cross(b, c), torch.linalg.cross(c, a), torch.linalg.cross(a, b))
    determinant = (a * bc).sum(dim=-1, keepdim=True)
    numerators = torch.stack([(right * minor).sum(dim=-1) for minor in (bc, ca, ab)], dim=-1)
    return numerators / determinant
