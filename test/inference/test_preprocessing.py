"""Both ways to resize: the fast one averages areas, the buffer holds every view in its place, bad names are refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from egorear_ros.inference.preprocessing import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    MODES,
    Mode,
    PreprocessingError,
    Preprocessor,
    mode_for,
    resize_fast,
    resize_official,
)
from egorear_ros.network import EgoRearConfig, EgoRearSConfig

RNG = np.random.default_rng(0)
PICTURE = cv2.resize(RNG.integers(0, 256, (30, 30, 3), np.uint8), (872, 872), interpolation=cv2.INTER_CUBIC)
UPSIDE_DOWN = PICTURE[::-1].copy()


def normalized(image: np.ndarray) -> torch.Tensor:
    """ImageNet normalisation as torch vision code writes it."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (torch.tensor(image).permute(2, 0, 1).float() / 255 - mean) / std


@pytest.mark.parametrize("size", [64, 128, 256])
def test_fast_resizing_is_nearly_the_mean_of_each_cell(size: int) -> None:
    area = cv2.resize(PICTURE.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    difference = np.abs(resize_fast(PICTURE, size) - area)
    assert difference.max() < 4 and difference.mean() < 0.8  # Pillow's bicubic at 64 px: 8 and 1.9


def test_fast_resizing_of_awkward_sizes() -> None:
    for shape in ((873, 871), (64, 64), (50, 60), (640, 640), (1, 1)):
        flat = np.full((*shape, 3), 77, np.uint8)
        assert (resize_fast(flat, 64) == 77).all() and resize_fast(flat, 64).shape == (64, 64, 3)


@pytest.mark.parametrize("mode", MODES)
def test_views_lie_in_the_networks_order_and_missing_ones_are_black(mode: Mode) -> None:
    resize = {"official": resize_official, "fast": resize_fast}[mode]
    preprocessor = Preprocessor(("a", "b", "c"), 64, mode)
    preprocessor({"a": PICTURE, "b": PICTURE, "c": PICTURE})  # fills the buffer that is used again
    inputs = preprocessor({"c": UPSIDE_DOWN, "unknown": PICTURE, "a": PICTURE})
    assert inputs.shape == (1, 3, 3, 64, 64) and inputs.dtype == torch.float32 and inputs.is_contiguous()
    torch.testing.assert_close(inputs[0, 0], normalized(resize(PICTURE, 64)), rtol=0, atol=0)
    torch.testing.assert_close(inputs[0, 1], normalized(np.zeros((64, 64, 3), np.uint8)), rtol=0, atol=0)
    torch.testing.assert_close(inputs[0, 2], normalized(resize(UPSIDE_DOWN, 64)), rtol=0, atol=0)


def test_each_network_gets_what_it_was_trained_on() -> None:
    assert (mode_for(EgoRearConfig()), mode_for(EgoRearSConfig())) == ("official", "fast")
    assert mode_for(EgoRearConfig(), "fast") == "fast"
    with pytest.raises(PreprocessingError, match="'quick', expected auto, official or fast"):
        mode_for(EgoRearConfig(), "quick")
