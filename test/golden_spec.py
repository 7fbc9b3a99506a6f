"""Deterministic weights and inputs of the parity archives in `data/golden` (SPEC v1).

The archives hold what the official code computed from these weights and inputs; see `data/golden/README.md`.
"""

import re
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
GOLDEN = Path(__file__).parent / "data" / "golden"

# First match wins. (pattern, scale of the normal numbers, whether to divide by sqrt(fan_in))
_SPECIAL = [
    (r"(pos_embed|position_embeddings|cls_token|mask_token|joint_query_embed\.weight)$", 0.5, False),
    (r"sampling_offsets\.bias$", 2.0, False),
    (r"(conv_heatmap_layers_stereo_(front|back)\.9|conv_heatmap_layers\.0\.7|conv_heatmap)\.weight$", 0.03, True),
    (r"(conv_heatmap_layers_stereo_(front|back)\.9|conv_heatmap_layers\.0\.7|conv_heatmap)\.bias$", 0.3, False),
    (r"mlp_pred\.2\.bias$", 25.0, False),
    (r"mlp_pred\.2\.weight$", 4.0, True),
    (r"reg_mlp\.\d+\.2\.weight$", 4.0, True),
    (r"(pose_mlp|global_mlp)\.pose_fcs\.0\.weight$", 10.0, True),
    (r"(pose_mlp|global_mlp)\.pose_fcs\.0\.bias$", 20.0, False),
]


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def weight(key: str, shape: tuple[int, ...]) -> Array:
    """Value of one floating-point state-dict entry, a function of its official name and shape."""
    values = _generator(zlib.crc32(key.encode())).standard_normal(shape)
    fan_in = np.sqrt(np.prod(shape[1:])) if len(shape) >= 2 else 1.0
    for pattern, scale, divide in _SPECIAL:
        if re.search(pattern, key):
            values = scale * values / (fan_in if divide else 1.0)
            if pattern.startswith(r"mlp_pred\.2\.bias"):
                values[2::3] += 60.0  # a pose about 60 cm away
            return values.astype(np.float32)
    last = key.rsplit(".", 1)[-1]
    if last == "running_var":
        return np.exp(0.1 * values).astype(np.float32)
    if last == "weight" and len(shape) == 1:
        return (1.0 + 0.1 * values).astype(np.float32)
    if len(shape) <= 1:  # biases and running means
        return (0.1 * values).astype(np.float32)
    return (np.sqrt(2.0) * values / fan_in).astype(np.float32)


def images(seed: int, batch: int, views: int) -> Array:
    """(batch, views, 3, 256, 256): a blocky pattern plus pixel noise."""
    rng = _generator(seed)
    blocks = rng.standard_normal((batch, views, 3, 16, 16)).repeat(16, axis=3).repeat(16, axis=4)
    return (blocks + 0.25 * rng.standard_normal((batch, views, 3, 256, 256))).astype(np.float32)


def heatmap_target(seed: int, batch: int, views: int, joints: int = 15) -> Array:
    """(batch, views, joints, 64, 64) in 0..1."""
    return (_generator(seed).random((batch, views, joints, 64, 64)) ** 8).astype(np.float32)


def pose_target_cm(seed: int, batch: int) -> Array:
    """(batch, 16, 3), cm."""
    return (30.0 * _generator(seed).standard_normal((batch, 16, 3))).astype(np.float32)


def heatmap_input(seed: int, batch: int, channels: int) -> Array:
    """(batch, channels, 64, 64): one bump of sigma 2 per map."""
    rng = _generator(seed)
    center = rng.uniform(4, 60, (batch, channels, 2))[..., None, None]
    height = rng.uniform(0.2, 1.0, (batch, channels))[..., None, None]
    y, x = np.mgrid[0:64, 0:64]
    return (height * np.exp(-((x - center[:, :, 0]) ** 2 + (y - center[:, :, 1]) ** 2) / 8.0)).astype(np.float32)
