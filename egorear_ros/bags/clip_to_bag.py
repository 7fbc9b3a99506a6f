"""A rig clip as a bag, without a live graph: the same bytes of images at the clip's own stamps, every time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from egorear_ros.bags import message_writing
from egorear_ros.bags.message_types import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE, SKELETON, TF
from egorear_ros.bags.writing import BagWriter
from egorear_ros.data.rig_clip import RigClip, truth_skeleton
from egorear_ros.rig import CameraInfoFields, RigCamera, camera_info_fields
from egorear_ros.topics import full_name


def clip_to_bag(
    folder: str,
    out: Path,
    namespace: str,
    jpeg_quality: int | None = None,
    progress: Callable[[int], None] = lambda frames: None,
) -> dict[str, int]:
    """Write images, camera infos, static TF and ground truth of a clip into a new bag.

    Every message is recorded at its own stamp, as by a rig without latency.

    Args:
        folder: the clip.
        out: the bag.
        namespace: of the topics.
        jpeg_quality: write compressed images of this quality, 1..100; None writes raw ones.
        progress: called with 1 for every frame done.

    Returns:
        Number of messages by topic.

    Raises:
        EgorearError: no clip, or a damaged one; then there is no bag.
    """
    clip = RigClip(folder)
    with BagWriter(out) as writer:
        recorder = _ClipRecorder(clip, writer, namespace, jpeg_quality)
        for index in range(len(clip)):
            recorder.write(index)
            progress(1)
    return writer.counts


class _ClipRecorder:
    def __init__(self, clip: RigClip, writer: BagWriter, namespace: str, jpeg_quality: int | None) -> None:
        self._clip, self._writer, self._namespace, self._jpeg_quality = clip, writer, namespace, jpeg_quality
        rig = clip.rig.subset(clip.info.views).resized(*clip.info.size_px)
        self._cameras: list[tuple[RigCamera, CameraInfoFields]] = [
            (camera, camera_info_fields(camera.model)) for camera in rig.cameras
        ]
        self._truth = clip.ground_truth.get("joints_device_m")
        writer.add_topic("/tf_static", TF, latched=True)
        for camera in rig.cameras:
            writer.add_topic(self._image_topic(camera), IMAGE if jpeg_quality is None else COMPRESSED_IMAGE)
            writer.add_topic(full_name(namespace, camera.name, "camera_info"), CAMERA_INFO)
        if self._truth is not None:
            writer.add_topic(full_name(namespace, "ground_truth"), SKELETON)
        start_ns = int(clip.stamps_ns.min())
        writer.write("/tf_static", start_ns, message_writing.transforms(rig.static_transforms(), start_ns))

    def write(self, index: int) -> None:
        """Write all messages of a frame in the order of their stamps."""
        stamps = [int(stamp) for stamp in self._clip.stamps_ns[index]]
        for stamp_ns, (camera, info) in sorted(zip(stamps, self._cameras, strict=True), key=lambda item: item[0]):
            frame = camera.optical_frame
            self._writer.write(self._image_topic(camera), stamp_ns, self._image(camera.name, index, stamp_ns, frame))
            message = message_writing.camera_info(info, stamp_ns, frame)
            self._writer.write(full_name(self._namespace, camera.name, "camera_info"), stamp_ns, message)
        if self._truth is not None:
            skeleton = truth_skeleton(self._truth[index], min(stamps))
            self._writer.write(
                full_name(self._namespace, "ground_truth"), min(stamps), message_writing.skeleton(skeleton)
            )

    def _image(self, view: str, index: int, stamp_ns: int, frame: str) -> Any:
        pixels = self._clip.view(view, index)
        if self._jpeg_quality is None:
            return message_writing.image(pixels, stamp_ns, frame)
        return message_writing.compressed_image(pixels, stamp_ns, frame, self._jpeg_quality)

    def _image_topic(self, camera: RigCamera) -> str:
        return full_name(self._namespace, camera.name, "image_raw", "" if self._jpeg_quality is None else "compressed")
