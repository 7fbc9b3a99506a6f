"""Joint positions and scores from heatmaps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


def joints_from_heatmaps(heatmaps: Array) -> tuple[Array, Array]:
    """Read off each map where its joint is and how sure that is.

    The peak's cell is refined by the centre of mass of the 3x3 cells around it (the official code, which needs no finer
    positions, stops at the cell). Cell i of a map stands for i / size of the image, as in the official targets.

    Args:
        heatmaps: (..., J, h, w) float32.

    Returns:
        positions (..., J, 2), x and y as fractions of the image in [0, 1], and scores (..., J), the maxima.
    """
    height, width = heatmaps.shape[-2:]
    flat = heatmaps.reshape(-1, height, width)
    peak = flat.reshape(len(flat), -1).argmax(-1)
    rows, columns = np.divmod(peak, width)
    padded = np.pad(np.maximum(flat, 0), ((0, 0), (1, 1), (1, 1)))
    near = np.arange(3)
    window = padded[
        np.arange(len(flat))[:, None, None], rows[:, None, None] + near[:, None], columns[:, None, None] + near
    ]
    mass = np.maximum(window.sum((1, 2)), 1e-9)
    x = columns + (window.sum(1) * (near - 1)).sum(-1) / mass
    y = rows + (window.sum(2) * (near - 1)).sum(-1) / mass
    positions = np.stack([x / width, y / height], -1).clip(0, 1).astype(np.float32)
    scores = flat.reshape(len(flat), -1).max(-1)
    return positions.reshape(*heatmaps.shape[:-2], 2), scores.reshape(heatmaps.shape[:-2])
