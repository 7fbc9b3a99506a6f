"""Figures of the browser view and the demo."""

from __future__ import annotations

from typing import Any

from egorear_ros.datatypes import FrameSet
from egorear_ros.nodes.monitor import Monitor
from egorear_ros.rig import DEVICE_FRAME


class NoView:
    """Shows nothing."""

    def show_frame_set(self, frame_set: FrameSet) -> None:
        pass


def test_latency_is_measured_by_the_clock_the_stamps_are_of() -> None:
    """In simulated time the wall's clock would show the age of the recording."""
    view: Any = NoView()
    monitor = Monitor(view, lambda line: None, lambda: 1_000_250_000_000)
    monitor.on_frame_set(FrameSet(1_000_000_000_000, (), 0.0, DEVICE_FRAME))
    assert monitor.summary()["frame_set_latency_p50_s"] == 0.25
