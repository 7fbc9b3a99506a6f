"""Frame sets of the clip that ships, as a network takes them: to measure ranges on, and to compare engines with."""

from __future__ import annotations

from typing import Final

import numpy as np
from torch import Tensor

from egorear_ros import resources
from egorear_ros.data.rig_clip import RigClip
from egorear_ros.inference.engines.base import PoseConfig
from egorear_ros.inference.preprocessing import Preprocessor, mode_for

CLIP: Final = "assets/demo_clip"


def sample_images(config: PoseConfig, count: int) -> list[Tensor]:
    """So many frame sets, evenly taken, (1, V, 3, S, S) float32 each, on the CPU."""
    clip = RigClip(resources.find(CLIP))
    preprocess = Preprocessor(config.views, config.image_size, mode_for(config))
    return [
        preprocess({view: clip.view(view, int(index)) for view in config.views}).clone()
        for index in np.arange(count) * max(1, len(clip) // count)
    ]
