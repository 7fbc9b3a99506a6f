"""The live view in a browser (rerun): a moving person beside four images with 2D joints, the skeleton, errors, latency.

Also writes the same as a recording (.rrd), which `rerun FILE` and the web viewer open.
"""

from __future__ import annotations

import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
import numpy.typing as npt
import rerun as rr
import rerun.blueprint as rrb

from egorear_ros.body import BodyPose
from egorear_ros.data.encodings import ImageError, decode_jpeg, needs_reading
from egorear_ros.data.jpeg import encode_jpeg
from egorear_ros.datatypes import CameraFrame, FrameSet, Skeleton, Skeleton2D
from egorear_ros.rig import HELMET_FRAME, Rig
from egorear_ros.rig.rigid import transform_points
from egorear_ros.skeleton import BONES, JOINTS
from egorear_ros.visualization.avatar import load_avatar
from egorear_ros.visualization.latest_jobs import Job, LatestJobs
from egorear_ros.visualization.rerun_server import LOOPBACK, RerunServer
from egorear_ros.visualization.standing import Standing

TIMELINE = "stamp"
JPEG_QUALITY = 75
JOINT_RADIUS_M = 0.025
BONE_RADIUS_M = 0.008
TRUTH_COLOR = (120, 170, 255, 140)
FITTED_COLOR = (235, 235, 245, 200)
DRAWN_HZ = 10.0
"""How often each thing is sent to a browser: one that draws slowly would fall behind, and show the past."""
PERSON = f"world/{HELMET_FRAME}/person"
DRAWN_PX = 384
"""Larger side of the images sent to a browser."""
BACKLOG_BYTES = 400_000
"""What may wait for the slowest browser, about half a second of images; with more, little is sent."""
PATIENCE_S = 2.0
"""So often images go out all the same: one browser that has stopped must not stop the others."""
DATA_PORT_ABOVE = 786
"""The data come through the port this far above that of the page."""
PORTS = (1024, 64000)
"""What the page's port may be; also that of the data is one then."""


class RerunView:
    """Shows what the graph does. Every method may be called from any thread.

    Args:
        rig: cameras to lay out, and the frame the skeleton is drawn in.
        person: show a moving person, standing on a floor; `show_person` feeds it.
        truth: show the true skeleton beside the person too; the tab "skeleton" always has it.
    """

    def __init__(self, rig: Rig, person: bool = False, truth: bool = False) -> None:
        self._rig, self._person, self._truth = rig, person, truth
        self._standing = Standing()
        self._person_stamp_ns = 0
        self._server: RerunServer | None = None
        self._jobs: LatestJobs | None = None
        self._large_sent_at: dict[str, float] = {}
        self._sent_at: dict[str, float] = {}
        self._scales: dict[str, float] = {}
        self._recording = rr.RecordingStream("egorear")
        self._lock = threading.Lock()

    def serve(self, port: int, open_browser: bool, host: str = LOOPBACK) -> str:
        """Start the web viewer; returns its address.

        From now on no more is sent than a browser can draw and fetch, by a thread of its own: a browser never holds up
        who shows something.

        Args:
            port: of the page; the data come through the port `DATA_PORT_ABOVE` it.
            open_browser: open the page here.
            host: IP address to listen on; the default is this machine alone.

        Raises:
            EgorearError: it cannot listen there.
        """
        self._server = RerunServer(host, port, port + DATA_PORT_ABOVE)
        rr.connect_grpc(self._server.source, default_blueprint=self._blueprint(), recording=self._recording)
        self._show_rig()
        self._jobs = LatestJobs("browser view")
        shown = "localhost" if host in {LOOPBACK, "0.0.0.0", "::"} else host
        source = self._server.source.replace(LOOPBACK, "localhost")
        address = f"http://{shown}:{port}/?url={quote(source, safe='')}"
        if open_browser:
            webbrowser.open(address)
        return address

    def save(self, path: Path) -> None:
        """Write everything from now on to a recording."""
        rr.save(path, default_blueprint=self._blueprint(), recording=self._recording)
        self._show_rig()

    def close(self) -> None:
        """Write what is still on its way."""
        if self._jobs is None or self._jobs.close():
            self._recording.flush()
            self._recording.disconnect()
        if self._server is not None:
            self._server.close()

    def show_frame_set(self, frame_set: FrameSet) -> None:
        """Show the images of a frame set."""
        self._do("images", lambda: self._draw_frame_set(frame_set))

    def _draw_frame_set(self, frame_set: FrameSet) -> None:
        if not self._is_fetched("images"):
            return
        with self._at(frame_set.stamp_ns):
            for frame in frame_set.frames:
                if data := self._drawn(frame):
                    image = rr.EncodedImage(contents=data, media_type="image/jpeg")
                    self._recording.log(f"cameras/{frame.view}/image", image)
            self._recording.log("timing/spread_ms", rr.Scalars([1e3 * frame_set.spread_s]))

    def show_joints_2d(self, skeleton: Skeleton2D) -> None:
        """Show the joints found in one image."""
        self._do(f"joints {skeleton.view}", lambda: self._draw_joints_2d(skeleton))

    def _draw_joints_2d(self, skeleton: Skeleton2D) -> None:
        pixels = skeleton.pixels * self._scales.get(skeleton.view, 1.0)
        points = rr.Points2D(pixels, colors=confidence_colors(skeleton.score), radii=2.5)
        with self._at(skeleton.stamp_ns):
            self._recording.log(f"cameras/{skeleton.view}/image/joints", points)

    def show_skeleton(self, skeleton: Skeleton, truth: bool = False) -> None:
        """Show a 3D skeleton: the estimate coloured by confidence, the truth pale blue."""
        colors = np.tile(TRUTH_COLOR, (len(JOINTS), 1)) if truth else confidence_colors(skeleton.confidence)
        name = "truth" if truth else "skeleton"
        self._do(name, lambda: self._draw(name, skeleton, colors))

    def show_fitted(self, skeleton: Skeleton) -> None:
        """Show the joints of the body that was fitted to an estimate, white."""
        self._draw("body", skeleton, np.tile(FITTED_COLOR, (len(JOINTS), 1)))

    def show_person(self, pose: BodyPose) -> None:
        """Show the wearer as a person, on the floor: moves everything that hangs on the helmet."""
        if self._person:
            self._do("person", lambda: self._draw_person(pose))

    def _draw_person(self, pose: BodyPose) -> None:
        if self._is_close_to_last_person(pose.skeleton.stamp_ns) or not self._is_fetched("person"):
            return
        helmet_from_device = self._rig.helmet_from_device
        vertices, normals = load_avatar().posed(pose, helmet_from_device)
        joints = transform_points(helmet_from_device, pose.positions_m)
        floor_from_helmet = self._standing.floor_from_helmet(joints, pose.skeleton.stamp_ns)
        helmet = rr.Transform3D(translation=floor_from_helmet[:3, 3], mat3x3=floor_from_helmet[:3, :3])
        with self._at(pose.skeleton.stamp_ns):
            self._recording.log(f"world/{HELMET_FRAME}", helmet)
            self._recording.log(PERSON, rr.Mesh3D.from_fields(vertex_positions=vertices, vertex_normals=normals))

    def _draw(self, name: str, skeleton: Skeleton, colors: npt.NDArray[np.generic]) -> None:
        points = transform_points(self._rig.helmet_from_device, skeleton.positions_m)
        bones = [points[[start, end]] for start, end in BONES]
        bone_colors = [colors[end] for _, end in BONES]
        with self._at(skeleton.stamp_ns):
            self._recording.log(
                f"world/{HELMET_FRAME}/{name}/joints", rr.Points3D(points, colors=colors, radii=JOINT_RADIUS_M)
            )
            lines = rr.LineStrips3D(bones, colors=bone_colors, radii=BONE_RADIUS_M)
            self._recording.log(f"world/{HELMET_FRAME}/{name}/bones", lines)

    def show_figures(self, stamp_ns: int, figures: dict[str, float]) -> None:
        """Plot figures over time; names are paths such as "error/mpjpe_mm"."""
        self._do("figures", lambda: self._plot(stamp_ns, figures))

    def _plot(self, stamp_ns: int, figures: dict[str, float]) -> None:
        with self._at(stamp_ns):
            for name, value in figures.items():
                if np.isfinite(value):
                    self._recording.log(name, rr.Scalars([value]))

    def _do(self, kind: str, job: Job) -> None:
        """Write it into a file now; or let the thread send it to the browsers, `DRAWN_HZ` times per second."""
        if self._jobs is None:
            job()
            return
        now = time.monotonic()
        if now - self._sent_at.get(kind, 0.0) >= 1 / DRAWN_HZ:
            self._sent_at[kind] = now
            self._jobs.put(kind, job)

    def _is_fetched(self, what: str) -> bool:
        """Whether the browsers have fetched most of what was sent, so that more of what is large may follow."""
        if self._server is None:
            return True
        now = time.monotonic()
        if self._server.backlog_bytes() > BACKLOG_BYTES and now - self._large_sent_at.get(what, 0.0) < PATIENCE_S:
            return False
        self._large_sent_at[what] = now
        return True

    def _is_close_to_last_person(self, stamp_ns: int) -> bool:
        """Whether a file has a person for nearly this moment: one is larger than all other things of a moment."""
        if self._server is not None or abs(stamp_ns - self._person_stamp_ns) * DRAWN_HZ < 0.99e9:
            return self._server is None
        self._person_stamp_ns = stamp_ns
        return False

    def _drawn(self, frame: CameraFrame) -> bytes:
        """The frame as a JPEG that any decoder shows as the network sees it; for a browser no larger than `DRAWN_PX`.

        Empty where there is nothing to show.
        """
        if self._server is None and frame.jpeg and not needs_reading(frame.jpeg, frame.jpeg_format):
            return frame.jpeg
        try:
            image = decode_jpeg(frame.jpeg, frame.view, frame.jpeg_format) if frame.jpeg else frame.image
        except ImageError:  # the pose node says so
            return b""
        if image is None:
            return b""
        if self._server is None:
            return encode_jpeg(image, JPEG_QUALITY)
        scale = self._scales[frame.view] = min(1.0, DRAWN_PX / max(image.shape[:2]))
        return encode_jpeg(smaller(image, scale), JPEG_QUALITY)

    @contextmanager
    def _at(self, stamp_ns: int) -> Iterator[None]:
        """Hold the view for this moment: the time is a state of the recording, so threads must take turns."""
        with self._lock:
            self._recording.set_time(TIMELINE, timestamp=np.datetime64(stamp_ns, "ns"))
            yield

    def _show_rig(self) -> None:
        for camera in self._rig.cameras:
            pose = self._rig.helmet_from_device @ camera.device_from_camera
            entity = f"world/{HELMET_FRAME}/{camera.name}"
            self._recording.log(entity, rr.Transform3D(translation=pose[:3, 3], mat3x3=pose[:3, :3]), static=True)
            self._recording.log(
                entity, rr.Boxes3D(half_sizes=[(0.015, 0.015, 0.015)], colors=[(40, 40, 50)]), static=True
            )
        self._recording.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        if self._person:
            avatar = load_avatar()
            look = rr.Mesh3D.from_fields(triangle_indices=avatar.faces, vertex_colors=avatar.colors)
            self._recording.log(PERSON, look, static=True)

    def _blueprint(self) -> rrb.Blueprint:
        images = [rrb.Spatial2DView(origin=f"cameras/{name}", name=name) for name in self._rig.names]
        plots = [
            rrb.TimeSeriesView(origin="error", name="error, mm"),
            rrb.TimeSeriesView(origin="timing", name="latency and spread, ms"),
        ]
        right = rrb.Vertical(rrb.Grid(*images, grid_columns=2), rrb.Horizontal(*plots), row_shares=[3, 1])
        return rrb.Blueprint(rrb.Horizontal(self._scene(), right, column_shares=[4, 5]), collapse_panels=True)

    def _scene(self) -> rrb.Container | rrb.View:
        """The 3D views: the person first, the skeletons in a tab behind."""
        everything = [f"- {PERSON}", "world/**"]
        if not self._person:
            return rrb.Spatial3DView(origin="world", contents=everything, name="skeleton (helmet frame)")
        left_out = ("skeleton", "body") if self._truth else ("skeleton", "body", "truth")
        alone = [f"- world/{HELMET_FRAME}/{name}/**" for name in left_out]
        return rrb.Tabs(
            rrb.Spatial3DView(origin="world", contents=["world/**", *alone], name="person", **_eye()),
            rrb.Spatial3DView(origin="world", contents=everything, name="skeleton and truth", **_eye()),
        )


def _eye() -> dict[str, Any]:
    """Where a 3D view is looked at from: ahead and to the left of the person. Rerun before 0.27 chooses by itself."""
    if not hasattr(rrb, "EyeControls3D"):
        return {}
    eye = rrb.EyeControls3D(position=(3.2, 1.4, 1.7), look_target=(0.0, 0.0, 0.9), eye_up=(0.0, 0.0, 1.0))
    return {"eye_controls": eye}


def smaller(image: npt.NDArray[np.uint8], scale: float) -> npt.NDArray[np.uint8]:
    """(H, W, 3) uint8 image scaled down by a factor of at most 1."""
    if scale >= 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def confidence_colors(confidence: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """(N,) confidences to (N, 4) uint8 RGBA: red is a guess, green is certain."""
    certain = np.nan_to_num(confidence, nan=0.0).clip(0, 1)
    red, green = np.minimum(1, 2 * (1 - certain)), np.minimum(1, 2 * certain)
    return (255 * np.stack([red, green, np.full_like(red, 0.1), np.ones_like(red)], -1)).astype(np.uint8)
