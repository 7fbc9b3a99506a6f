"""PoseEstimator: numpy images in, metres out. Owns preprocessing, device and the reading of the network's output."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from egorear_ros.data.jpeg import readable_images
from egorear_ros.datatypes import CameraFrame
from egorear_ros.inference.confidence import confidence_from_scores, confidence_from_std
from egorear_ros.inference.engines import make_engine
from egorear_ros.inference.engines.base import PoseConfig, Warn
from egorear_ros.inference.estimate import PoseEstimate
from egorear_ros.inference.joints_2d import joints_from_heatmaps
from egorear_ros.inference.models import (
    DEFAULT_MODEL,
    InputError,
    chosen_views,
    device_of,
    estimates_poses,
    find_weights,
    views_with,
)
from egorear_ros.inference.preprocessing import Preprocessor, Rgb, mode_for
from egorear_ros.network import NetworkOutput
from egorear_ros.network.weights import load_weights, read_card
from egorear_ros.rig import Rig, load_rig
from egorear_ros.skeleton import NUM_JOINTS

__all__ = ["DEFAULT_MODEL", "InputError", "PoseEstimator", "estimates_poses", "find_weights"]


class PoseEstimator:
    """A network ready to estimate poses.

    Args:
        network: takes images, extrinsics and a view mask, gives poses in the device frame.
        config: its configuration: views, image size.
        rig: cameras; the images must have their aspect ratio.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".
        engine: a key of `engines.ENGINES`, or "auto" for the best one that works here.
        views: use only these of the network's views; None for all.
        preprocessing: "official", "fast" or "auto", the way the network's training images were made; see
            `preprocessing`.
        warn: called with the reason if another engine than the one asked for is taken, or views are left out; None for
            a Python warning.

    Attributes:
        device: where the network runs.
        engine: runs the network; `engine.name` is the one that was taken.
        views: views used, in the network's order.

    Raises:
        EgorearError: there is no such device, engine, view or preprocessing.
    """

    def __init__(
        self,
        network: nn.Module,
        config: PoseConfig,
        rig: Rig,
        device: str = "auto",
        engine: str = "auto",
        views: Sequence[str] | None = None,
        preprocessing: str = "auto",
        warn: Warn | None = None,
    ) -> None:
        self.config, self.rig = config, rig.subset(config.views)
        self.views = chosen_views(views, config)
        self.device = device_of(device)
        self._preprocessor = Preprocessor(config.views, config.image_size, mode_for(config, preprocessing), self.device)
        self.engine = make_engine(engine, network, config, self.rig, self.device, warn=warn)

    @classmethod
    def from_pretrained(
        cls,
        model: str,
        device: str = "auto",
        engine: str = "auto",
        views: Sequence[str] | None = None,
        preprocessing: str = "auto",
        warn: Warn | None = None,
        rig: Rig | None = None,
    ) -> PoseEstimator:
        """Load a model: the name of a shipped one, or the path of a .safetensors file with its card beside it.

        The other arguments are those of the class.

        Args:
            rig: cameras to use instead of those of the model's own rig. Views it lacks are never used, which `warn` is
                told, unless `views` asks for them.

        Raises:
            EgorearError: no such model, or the file is not one of ours; InputError: it does not estimate poses, or the
                rig lacks the views.
        """
        path = find_weights(model)
        config = read_card(path).config
        if not estimates_poses(config):
            raise InputError(
                f"model '{model}' does not estimate poses in the device frame; pose_node needs one that does"
            )
        cameras = load_rig(config.rig)
        if rig is not None:
            views = views_with(rig, config, views, warn)
            cameras = rig.completed(config.views, cameras)  # the network is built for all its views
        network, _ = load_weights(path, cameras)
        return cls(network, config, cameras, device, engine, views, preprocessing, warn)

    def warm_up(self) -> None:
        """Run once, so that the first real frame set is not slower than the others."""
        size = self.config.image_size
        self.estimate({view: np.zeros((size, size, 3), np.uint8) for view in self.views})

    def estimate_frames(self, frames: Iterable[CameraFrame]) -> tuple[PoseEstimate, dict[str, str]]:
        """Estimate the pose from what can be used of a frame set.

        Args:
            frames: of the views; one that is missing, cannot be decoded or does not fit the rig is a masked view.

        Returns:
            The estimate, and view -> reason of the views that are there but were left out.

        Raises:
            InputError: no view can be used; says why.
        """
        images, left_out = readable_images(frames)
        for view in self.views:
            try:
                if view in images:
                    self._check_image(view, images[view])
            except InputError as error:
                left_out[view] = str(error)
                del images[view]
        if left_out and not any(view in images for view in self.views):
            raise InputError(f"no image can be used: {'; '.join(left_out.values())}")
        return self.estimate(images), left_out

    @torch.inference_mode()
    def estimate(
        self, images: Mapping[str, Rgb], camera_from_device: Mapping[str, npt.NDArray[np.float64]] | None = None
    ) -> PoseEstimate:
        """Estimate the pose in one frame set.

        Args:
            images: view -> (H, W, 3) uint8 RGB of any size with the aspect ratio of the rig's camera; any subset of
                `views`, at least one; a missing view is a masked one. Other views are ignored.
            camera_from_device: view -> (4, 4) in metres, where the extrinsics are not those of the rig.

        Raises:
            InputError: no usable view, an image of the wrong type or shape.
        """
        started = time.perf_counter()
        images = self._known(images)
        inputs, view_mask = self._preprocess(images)
        prepared = time.perf_counter()
        output = self.engine(inputs, self._extrinsics(camera_from_device), view_mask)
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        computed = time.perf_counter()
        estimate = self._read(output, images)
        stages = {"preprocess": prepared - started, "network": computed - prepared}
        estimate.stage_seconds.update(stages, postprocess=time.perf_counter() - computed)
        return estimate

    def _known(self, images: Mapping[str, Rgb]) -> dict[str, Rgb]:
        """Keep the images of our views, in their order."""
        known = {view: images[view] for view in self.views if view in images}
        if not known:
            raise InputError(f"no image of {', '.join(self.views)}; got {', '.join(images) or 'none at all'}")
        return known

    def _preprocess(self, images: Mapping[str, Rgb]) -> tuple[Tensor, Tensor | None]:
        """(1, V, 3, S, S) input and (1, V) mask of the views that are there; None where all are."""
        for view, image in images.items():
            self._check_image(view, image)
        there = [view in images for view in self.config.views]
        mask = None if all(there) else torch.tensor([there], device=self.device)
        return self._preprocessor(images), mask

    def _check_image(self, view: str, image: Rgb) -> None:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise InputError(f"camera '{view}': expected an RGB image (H, W, 3) uint8, got {image.shape} {image.dtype}")
        height, width = image.shape[:2]
        model = self.rig[view].model
        if abs(width * model.height - height * model.width) > max(model.width, model.height):
            raise InputError(
                f"camera '{view}': image is {width}x{height}, calibration expects {model.width}x{model.height} "
                "or the same aspect ratio"
            )

    def _extrinsics(self, camera_from_device: Mapping[str, npt.NDArray[np.float64]] | None) -> Tensor | None:
        if camera_from_device is None:
            return None
        rig = self.rig.with_extrinsics(camera_from_device)
        matrices = np.stack([camera.camera_from_device for camera in rig.cameras])
        return torch.from_numpy(matrices)[None].to(self.device, torch.float32)

    def _read(self, output: NetworkOutput, images: Mapping[str, Rgb]) -> PoseEstimate:
        """Translate what the network gives; what it does not give is NaN or empty."""
        poses: Any = output.poses
        joints = _array(poses[-1][0])
        std = np.full((NUM_JOINTS, 3), np.nan, np.float32)
        if output.log_std is not None:
            std = np.exp(_array(output.log_std[0]))
        index = {view: i for i, view in enumerate(self.config.views) if view in images}
        if output.heatmaps is None:
            return PoseEstimate(joints, confidence_from_std(std), std, {}, {}, {})
        positions, scores = joints_from_heatmaps(_array(output.heatmaps[-1][0]))
        sizes = {view: (images[view].shape[1], images[view].shape[0]) for view in index}
        known = output.log_std is not None
        return PoseEstimate(
            joints_device_m=joints,
            confidence=confidence_from_std(std) if known else confidence_from_scores(scores[list(index.values())]),
            joints_std_m=std,
            joints_2d={view: positions[i] * np.array(sizes[view], np.float32) for view, i in index.items()},
            scores_2d={view: scores[i] for view, i in index.items()},
            image_sizes=sizes,
        )


def _array(tensor: Tensor) -> npt.NDArray[np.float32]:
    return tensor.float().cpu().numpy()
