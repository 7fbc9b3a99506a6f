"""What the browser view and the demo show: frame sets, skeletons and truths paired by stamp, and their figures."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from egorear_ros.body import LiveBody
from egorear_ros.datatypes import FrameSet, Skeleton, Skeleton2D
from egorear_ros.inference import PoseEstimate
from egorear_ros.nodes.rates import Percentiles, RateMeter
from egorear_ros.visualization.rerun_view import RerunView

REPORT_PERIOD_S = 1.0
FITTED_HZ = 15.0
"""A person that moves so often is enough for the eye."""
KEEP = 120
"""Frame sets, truths and estimates kept to be paired: some seconds."""


@dataclass
class Moment:
    """What has come in for one stamp."""

    frame_set: FrameSet | None = None
    truth: Skeleton | None = None
    estimate: Skeleton | None = None

    @property
    def error_mm(self) -> float:
        """MPJPE of this frame; NaN without estimate or truth."""
        if self.truth is None or self.estimate is None:
            return float("nan")
        return 1e3 * float(np.linalg.norm(self.truth.positions_m - self.estimate.positions_m, axis=-1).mean())


class Monitor:
    """Collects what the graph puts out, pairs it by stamp, shows it, and counts.

    Args:
        view: where to show it.
        report: takes a line for the terminal now and then.
        clock_ns: the time of which stamps are, nanoseconds: the wall's, or simulated.
        body: fits the person to show; None where no person is shown, or a body node of this process does it.
    """

    def __init__(
        self,
        view: RerunView,
        report: Callable[[str], None],
        clock_ns: Callable[[], int] = time.time_ns,
        body: LiveBody | None = None,
    ) -> None:
        self._view, self._report, self._clock_ns, self._body = view, report, clock_ns, body
        self._fitted_at = 0.0
        self._moments: OrderedDict[int, Moment] = OrderedDict()
        self._reported_at = time.monotonic()
        self.sets, self.skeletons = RateMeter(), RateMeter()
        self.set_latency, self.latency, self.errors_mm = Percentiles(10_000), Percentiles(10_000), Percentiles(10_000)
        self.last: Moment | None = None

    def attach(self, nodes: Sequence[Any]) -> None:
        """Listen to the nodes of a composed graph."""
        self._body = None
        for node in nodes:
            kind = type(node).__name__
            if kind == "SynchronizerNode":
                node.listeners.append(self.on_frame_set)
            elif kind == "PoseNode":
                node.listeners.append(self.on_estimate)
            elif kind == "BodyNode":
                node.listeners.append(self._view.show_person)
            elif kind == "GroundTruthNode":
                node.listeners.append(self.on_truth)

    def on_frame_set(self, frame_set: FrameSet) -> None:
        """Show the images."""
        self.sets.tick(time.monotonic())
        self.set_latency.add(self._age_s(frame_set.stamp_ns))
        self._moment(frame_set.stamp_ns).frame_set = frame_set
        self._view.show_frame_set(frame_set)
        if time.monotonic() - self._reported_at >= REPORT_PERIOD_S:
            self._reported_at = time.monotonic()
            self._report(self.line())

    def on_truth(self, truth: Skeleton) -> None:
        """Show the truth."""
        self._moment(truth.stamp_ns).truth = truth
        self._view.show_skeleton(truth, truth=True)

    def on_estimate(self, estimate: PoseEstimate, stamp_ns: int) -> None:
        """Show an estimate of a pose node in this process."""
        self.on_skeleton(estimate.skeleton(stamp_ns))
        for joints in estimate.skeletons_2d(stamp_ns):
            self._view.show_joints_2d(joints)

    def on_skeleton(self, skeleton: Skeleton) -> None:
        """Show the estimate, its error and its latency."""
        self.skeletons.tick(time.monotonic())
        self.latency.add(self._age_s(skeleton.stamp_ns))
        moment = self._moment(skeleton.stamp_ns)
        moment.estimate = skeleton
        if moment.truth is not None:
            self.errors_mm.add(moment.error_mm)
        if moment.frame_set is not None and all(moment.frame_set.view_mask):
            self.last = moment
        self._view.show_skeleton(skeleton)
        figures = {f"timing/{name}_ms": 1e3 * seconds for name, seconds in skeleton.stage_seconds.items()}
        figures |= {"error/mpjpe_mm": moment.error_mm, "timing/latency_ms": 1e3 * self._age_s(skeleton.stamp_ns)}
        self._view.show_figures(skeleton.stamp_ns, figures)
        self._show_person(skeleton)

    def _show_person(self, skeleton: Skeleton) -> None:
        if self._body is None:
            return
        self._body.learn(skeleton)
        now = time.monotonic()
        if now - self._fitted_at < 1 / FITTED_HZ:
            return
        self._fitted_at = now
        pose = self._body.fit(skeleton)
        if pose is not None:
            self._view.show_person(pose)

    def on_joints_2d(self, joints: Skeleton2D) -> None:
        """Show the joints found in one image."""
        self._view.show_joints_2d(joints)

    def line(self) -> str:
        """One line for the terminal."""
        now = time.monotonic()
        parts = [f"frame sets {self.sets.hz(now):4.1f}/s, {1e3 * self.set_latency(50)[0]:.0f} ms after capture"]
        if self.skeletons.count:
            parts.append(f"skeletons {self.skeletons.hz(now):4.1f}/s, {1e3 * self.latency(50)[0]:.0f} ms after capture")
            parts.append(f"MPJPE {self.errors_mm(50)[0]:.0f} mm")
        return " | ".join(parts)

    def summary(self) -> dict[str, float | int | None]:
        """Figures of the whole run: counts, seconds, millimetres; None for what there was nothing of."""
        set_p50, set_p99 = self.set_latency(50, 99)
        p50, p99 = self.latency(50, 99)
        figures = {
            "frame_set_latency_p50_s": set_p50,
            "frame_set_latency_p99_s": set_p99,
            "skeleton_latency_p50_s": p50,
            "skeleton_latency_p99_s": p99,
            "median_mpjpe_mm": self.errors_mm(50)[0],
        }
        known = {name: round(value, 4) if np.isfinite(value) else None for name, value in figures.items()}
        return {"frame_sets": self.sets.count, "skeletons": self.skeletons.count, **known}

    def newest(self) -> Moment | None:
        """The newest moment worth a picture: all views, with an estimate if there are any, else with the truth."""
        if self.last is not None:
            return self.last
        moments = [m for m in list(self._moments.values()) if m.frame_set is not None and m.truth is not None]
        return max(moments, key=lambda m: sum(m.frame_set.view_mask) if m.frame_set else 0) if moments else None

    def _moment(self, stamp_ns: int) -> Moment:
        if stamp_ns not in self._moments:
            self._moments[stamp_ns] = Moment()
            if len(self._moments) > KEEP:
                self._moments.popitem(last=False)
        return self._moments[stamp_ns]

    def _age_s(self, stamp_ns: int) -> float:
        return (self._clock_ns() - stamp_ns) / 1e9
