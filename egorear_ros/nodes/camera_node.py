"""camera_node: one camera, from any source, to image and CameraInfo topics.

Topics, relative to the node's namespace: `<view>/image_raw`, `<view>/image_raw/compressed`, `<view>/camera_info`. A
thread reads the source; a source that fails is reported and opened again until it works.
"""

from __future__ import annotations

import array
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from egorear_ros.capture import CapturedFrame, CaptureOptions, SilentSourceError, open_source
from egorear_ros.data.jpeg import encode_jpeg
from egorear_ros.datatypes import JPEG_FORMAT, CameraFrame
from egorear_ros.nodes.conversions import camera_info_to_message, stamp_from_ns
from egorear_ros.nodes.health import Health
from egorear_ros.nodes.images import fill_message
from egorear_ros.nodes.parameters import FRAME_PREFIX, Parameter, Parameters
from egorear_ros.nodes.rates import RateMeter
from egorear_ros.nodes.start_gate import StartGate
from egorear_ros.rig import CameraInfoFields, Rig, camera_info_fields, check_frame_prefix, load_rig

PARAMETERS = (
    Parameter("view", "front_left", "Which camera of the rig this is."),
    Parameter("rig", "ego4view", "Rig: name of a shipped one, or path of a .yaml file."),
    Parameter("source", "", "Device, file, stream, clip:DIR, bag:PATH or sim:SEED; see capture/opening.py."),
    Parameter("rate", 0.0, "Frame rate to ask for, Hz; 0 takes the source's own.", 0.0, 240.0),
    Parameter("width", 0, "Image width to ask a device for, pixels; 0 takes the rig's calibrated one.", 0, 16384),
    Parameter("height", 0, "Image height to ask a device for, pixels; 0 takes the rig's calibrated one.", 0, 16384),
    Parameter("fourcc", "", "Pixel format to ask a device for, such as MJPG; empty leaves it to the driver."),
    Parameter(
        "loop_frames", 0, "Frames of a video file played before it begins anew; 0 for all. The graph sets it.", 0, 10**9
    ),
    Parameter(
        "loop_seconds", 0.0, "Length of a round where frames come unevenly, s; 0 for all. The graph sets it.", 0.0, 1e6
    ),
    Parameter("loop_start", 0, "Stamp at which images named after theirs begin, ns; 0: the first. The graph sets it."),
    Parameter("transport", "raw", "What to publish.", choices=("raw", "compressed", "both")),
    Parameter("jpeg_quality", 90, "Quality of compressed images, percent.", 1, 100, dynamic=True),
    Parameter("reliable", False, "Publish reliably (for recording) instead of best effort (for inference)."),
    Parameter(
        "start_with",
        "",
        "Begin when this lifecycle node is active; the graph sets it for recorded and simulated sources.",
    ),
    FRAME_PREFIX,
    Parameter("reconnect_period", 1.0, "Wait before opening a failed source again, s.", 0.05, 60.0, dynamic=True),
)
START_S = 3.0
"""Frames that a recorded source leaves out so soon after it was opened are no sign that it cannot keep up."""

SILENCE_S = 2.0
"""A source that has sent nothing for this long is reported."""
CLOSE_S = 1.5
"""How long the end waits for a capture thread; a source that hangs is left to end with the process."""


class CameraNode(Node):
    """One camera of the rig.

    Attributes:
        listener: called with every frame by the capture thread; the composed graph sets it to spare DDS.
    """

    def __init__(self, name: str = "camera_node", **node_options: Any) -> None:
        super().__init__(name, **node_options)
        self.listener: Callable[[CameraFrame], None] | None = None
        self._settings = p = Parameters(self, PARAMETERS)
        self._rig: Rig = load_rig(p["rig"])
        self._camera = self._rig[p["view"]]
        self._frame = check_frame_prefix(p["frame_prefix"]) + self._camera.optical_frame
        self._infos: dict[tuple[int, int], CameraInfoFields] = {}
        self._health = Health(self, self._figures, "capture", f"{self._rig.name}/{self._camera.name}")
        self._rate = RateMeter()
        self._raw = self._compressed = None
        if p["transport"] in {"raw", "both"}:
            self._raw = self._image_publisher(Image, "image_raw")
        if p["transport"] in {"compressed", "both"}:
            self._compressed = self._image_publisher(CompressedImage, "image_raw/compressed")
        image: Any = self._raw or self._compressed  # whoever asks for the pair may ask for one quality of both
        self._info = self.create_publisher(CameraInfo, "camera_info", image.qos_profile)
        self._opened_at = 0.0
        self._unfit = self._replaced = 0
        self._gate = StartGate(self, self.get_namespace().rpartition("/")[0], p["start_with"])
        self._stopping = threading.Event()
        self._stop_at = math.inf
        self._thread = threading.Thread(target=self._capture, name=f"capture {p['view']}", daemon=True)
        self._thread.start()

    @property
    def view(self) -> str:
        """Which camera of the rig this is."""
        return self._camera.name

    def stop(self) -> None:
        """Let the capture thread end; all cameras of a graph are told so before the first is waited for."""
        self._stop_at = min(self._stop_at, time.monotonic() + CLOSE_S)
        self._stopping.set()

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for the network before it begins."""
        return not self._gate.is_open

    def close(self) -> None:
        """Stop the capture thread."""
        self.stop()
        self._thread.join(timeout=max(0.1, self._stop_at - time.monotonic()))

    def _image_publisher(self, kind: Any, topic: str) -> Any:
        """A publisher of images; parameters `qos_overrides.TOPIC.publisher.*` change its quality of service."""
        reliable = self._settings["reliable"]
        return self.create_publisher(
            kind,
            topic,
            # One profile each: rclpy writes the overrides into it.
            QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def _capture(self) -> None:
        """Read the source until the node closes; whatever fails is reported and tried again."""
        self._gate.wait(self._stopping)
        while not self._stopping.is_set():
            try:
                self._play()
            except Exception as error:  # drivers raise what they like
                if not self._stopping.is_set():
                    self._health.caught("source", error)
                self._stopping.wait(self._settings["reconnect_period"])

    def _play(self) -> None:
        """Open the source and publish its frames until it fails or the node closes."""
        p = self._settings
        source = open_source(p["source"], p["view"], self._rig, self._options())
        try:
            self._opened_at = time.monotonic()
            self.get_logger().info(f"camera '{p['view']}' reads '{p['source']}'")
            if source.remark:
                self._health.problems.report("source", source.remark)
            while not self._stopping.is_set():
                try:
                    self._publish(source.read())
                except SilentSourceError as silence:
                    if silence.silent_s > SILENCE_S:
                        self._health.problems.report("silent", str(silence))
        finally:
            source.close()

    def _options(self) -> CaptureOptions:
        p = self._settings
        loop = (p["loop_frames"], p["loop_seconds"], p["loop_start"])
        return CaptureOptions(p["rate"], p["width"], p["height"], p["fourcc"], *loop)

    def _publish(self, captured: CapturedFrame) -> None:
        if captured.skipped_ns and time.monotonic() - self._opened_at > START_S:
            self._health.problems.report(
                "skipped",
                f"camera '{self.view}': cannot read its source as fast as it plays, "
                f"left out {captured.skipped_ns / 1e9:.1f} s; use smaller images, a lower rate or fewer views",
            )
        self._replaced += captured.replaced
        height, width = captured.image.shape[:2]
        info = self._info_for(width, height)
        if info is None or self._stopping.is_set():
            self._unfit += info is None
            return
        self._rate.tick(time.monotonic())
        if self.listener is not None:
            self.listener(CameraFrame(self._camera.name, captured.stamp_ns, captured.image))
        frame, stamp = self._frame, stamp_from_ns(captured.stamp_ns)
        if self._raw is not None and self._raw.get_subscription_count():
            image = Image()
            image.header.frame_id, image.header.stamp = frame, stamp
            fill_message(image, captured.image)
            self._raw.publish(image)
        if self._compressed is not None and self._compressed.get_subscription_count():
            self._compressed.publish(self._jpeg(captured, frame))
        self._info.publish(camera_info_to_message(info, frame, captured.stamp_ns))

    def _jpeg(self, captured: CapturedFrame, frame: str) -> CompressedImage:
        data = encode_jpeg(captured.image, self._settings["jpeg_quality"])
        message = CompressedImage(format=JPEG_FORMAT, data=array.array("B", data))
        message.header.frame_id, message.header.stamp = frame, stamp_from_ns(captured.stamp_ns)
        return message

    def _info_for(self, width: int, height: int) -> CameraInfoFields | None:
        """CameraInfo for images of this size; None, and a report, where the calibration does not fit them."""
        if (width, height) not in self._infos:
            model = self._camera.model
            try:
                self._infos[width, height] = camera_info_fields(model.resized(width, height))
            except ValueError:
                self._health.problems.report(
                    "image size",
                    f"camera '{self._camera.name}': image is {width}x{height}, calibration expects "
                    f"{model.width}x{model.height} or the same aspect ratio; set the camera's width, height and "
                    "fourcc, or the rig file",
                )
                return None
        return self._infos[width, height]

    def _figures(self) -> Mapping[str, object]:
        rate = f"{self._rate.hz(time.monotonic()):.1f}"
        return {
            "source": self._settings["source"],
            "rate (Hz)": rate,
            "frames": self._rate.count,
            "replaced frames": self._replaced,
            "frames of a wrong size": self._unfit,
        }
