"""The model to measure: shipped or converted weights, or random ones of a named architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from egorear_ros.benchmarking.settings import BenchmarkError, BenchmarkSettings
from egorear_ros.data.jpeg import images_of
from egorear_ros.datatypes import CameraFrame
from egorear_ros.inference import PoseEstimator
from egorear_ros.inference.engines.base import PoseConfig
from egorear_ros.inference.estimator import InputError, estimates_poses, find_weights
from egorear_ros.inference.preprocessing import Preprocessor, mode_for
from egorear_ros.network import build, config_of, list_models
from egorear_ros.network.weights import sha256_of
from egorear_ros.rig import load_rig

SEED: Final = 0


@dataclass(frozen=True)
class BenchmarkModel:
    """A model ready to be measured.

    Attributes:
        estimator: of the views to use.
        description: plain values: name, weights, views, image size, preprocessing.
    """

    estimator: PoseEstimator
    description: dict[str, Any]

    @property
    def device_name(self) -> str:
        """Name of the device, for people."""
        device = self.estimator.device
        return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"

    def batch_of(self, sets: Sequence[Sequence[CameraFrame]], batch: int) -> tuple[Tensor, Tensor | None]:
        """(B, V, 3, S, S) network input of the first `batch` frame sets, repeated, and (B, V) mask of its views."""
        known, device = self.estimator.config.views, self.estimator.device
        mode = mode_for(self.estimator.config, self.description["preprocessing"])
        preprocessor = Preprocessor(known, self.estimator.config.image_size, mode)
        inputs = [preprocessor(images_of(frame_set)).clone() for frame_set in sets[:batch]]
        images = torch.cat([inputs[number % len(inputs)] for number in range(batch)]).to(device)
        there = [view in self.estimator.views for view in known]
        mask = None if all(there) else torch.tensor([there], device=device).expand(batch, -1).contiguous()
        return images, mask

    @torch.inference_mode()
    def run_network(self, images: Tensor, view_mask: Tensor | None) -> None:
        """Run the engine on a batch and wait for it."""
        self.estimator.engine(images, None, view_mask)
        if images.is_cuda:
            torch.cuda.synchronize()


def load_model(settings: BenchmarkSettings, engine: str) -> BenchmarkModel:
    """Load what `settings.model` names into an engine.

    Raises:
        EgorearError: no such model, it does not estimate poses, or the engine cannot be had.
    """
    estimator, weights = _estimator(settings, engine)
    description = {
        "name": settings.model,
        "weights": weights,
        "views": list(estimator.views),
        "image_size": estimator.config.image_size,
        "preprocessing": mode_for(estimator.config, settings.preprocessing),
    }
    return BenchmarkModel(estimator, description)


def random_config(model: str) -> PoseConfig | None:
    """Configuration of an architecture that is given random weights; None if there are weights.

    Raises:
        EgorearError: there is no such model, or it estimates no poses.
    """
    try:
        find_weights(model)
    except InputError:
        if model not in list_models():
            raise
    else:
        return None
    config = config_of(model)
    if not estimates_poses(config):
        raise BenchmarkError(f"model '{model}' does not estimate poses; egorear-4view and egorear-s do")
    return config


@torch.no_grad()
def draw_weights(network: nn.Module) -> None:
    """Fill a network with random numbers that follow from `SEED`, such that its poses depend on the images.

    Freshly built networks answer the same to every image within a millionth of a millimetre: what an engine changes in
    a pose would not show.
    """
    generator = torch.Generator().manual_seed(SEED)
    for name, values in network.state_dict().items():
        if values.is_floating_point():
            drawn = torch.randn(values.shape, generator=generator)
            if name.endswith("running_var"):
                drawn = torch.exp(0.1 * drawn)
            elif values.ndim < 2:  # norms and biases
                drawn = float(name.endswith("weight")) + 0.1 * drawn
            else:
                drawn *= (2 / values[0].numel()) ** 0.5
            values.copy_(drawn)


def _estimator(settings: BenchmarkSettings, engine: str) -> tuple[PoseEstimator, str]:
    """The estimator, and what its weights are."""
    options: dict[str, Any] = {
        "device": settings.device,
        "engine": engine,
        "views": settings.views or None,
        "preprocessing": settings.preprocessing,
        "warn": _refuse,
    }
    config = random_config(settings.model)
    if config is not None:
        network = build(config).eval()
        draw_weights(network)
        return PoseEstimator(network, config, load_rig(config.rig), **options), f"random (seed {SEED})"
    path = find_weights(settings.model)
    return PoseEstimator.from_pretrained(settings.model, **options), f"sha256 {sha256_of(path)[:12]}"


def _refuse(reason: str) -> None:
    """Another engine than the one asked for is no use here."""
    raise BenchmarkError(reason.partition("; using")[0])
