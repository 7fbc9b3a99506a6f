"""Projection of 3D anchors into the views, and the official Syn code's mistake in it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from egorear_ros.rig import CameraModel


class AnchorProjection(nn.Module):
    """Where joints in the device frame appear in each view; holds the lenses, has no weights.

    Args:
        cameras: lens of each view, in view order.
        syn_inplace_projection: reproduce the official Ego4View-Syn code, which overwrites the anchors with each
            camera's coordinates in turn, so that every camera starts from the previous one's frame and the pose is
            refined around what is left after the last. For official Syn weights only: they are trained with it.
    """

    def __init__(self, cameras: Sequence[CameraModel], syn_inplace_projection: bool = False) -> None:
        super().__init__()
        self.cameras = tuple(cameras)
        self.syn_inplace_projection = syn_inplace_projection

    def forward(self, points: Tensor, camera_from_device: Tensor, unit_m: float) -> tuple[Tensor, Tensor, Tensor]:
        """Project.

        Args:
            points: (B, J, 3) in the device frame, in units of `unit_m` metres.
            camera_from_device: (B, V, 4, 4), metres.
            unit_m: metres per unit of `points`.

        Returns:
            The points to refine, (B, J, 3): `points` themselves, but for the Syn mistake; their projections (B, V, J,
            2) as (x, y) clamped to 0..1 over the image; and (B, V, J) bool, whether they fall inside the image. As in
            the official code nothing else is asked: a point behind the camera is valid if the polynomial puts it there.
        """
        if torch.is_autocast_enabled(points.device.type):  # half precision is worth several pixels here
            with torch.autocast(points.device.type, enabled=False):
                return self.forward(points.float(), camera_from_device, unit_m)
        rotation = camera_from_device[..., :3, :3]
        translation = camera_from_device[..., :3, 3] / unit_m
        anchors, inside = [], []
        for view, camera in enumerate(self.cameras):
            in_camera = points @ rotation[:, view].transpose(-2, -1) + translation[:, view, None]
            if self.syn_inplace_projection:
                points = in_camera
            pixels = camera.project(in_camera)
            uv = torch.stack([pixels[..., 0] / camera.width, pixels[..., 1] / camera.height], dim=-1)
            inside.append(((uv > 0.0) & (uv < 1.0)).all(dim=-1))
            anchors.append(uv.clamp(0.0, 1.0))
        return points, torch.stack(anchors, dim=1), torch.stack(inside, dim=1)
