"""A rerun recording (.rrd): a moving person, images, estimated joints coloured by confidence, the fitted body."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from egorear_ros.export.job import Export
from egorear_ros.export.moments import moments


def write(path: Path, export: Export, progress: Callable[[int], None]) -> None:
    """Write the file."""
    from egorear_ros.visualization.rerun_view import RerunView

    view = RerunView(export.rig, person=True)
    view.save(path)
    try:
        for frames, free, fitted in moments(export, progress):
            view.show_frame_set(frames)
            view.show_skeleton(free)
            view.show_fitted(fitted)
            index = int(np.searchsorted(export.body.sequence.stamps_ns, free.stamp_ns))
            view.show_person(export.body.pose(index, free))
            distance = np.linalg.norm(fitted.positions_m - free.positions_m, axis=-1)
            std = np.sqrt(np.trace(free.covariance_m2, axis1=1, axis2=2) / 3)
            figures = {
                "error/fit_mm": float(1e3 * distance[free.valid].mean()) if free.valid.any() else float("nan"),
                "error/std_mm": float(1e3 * std.mean()),
                "timing/views_used": float(len(free.views)),
            }
            view.show_figures(frames.stamp_ns, figures)
    finally:
        view.close()
