"""One MCAP file: the input, and beside it the skeletons as our Skeleton message.

Of a bag all messages are copied as they are. Other recordings become compressed images, camera infos and static frames.
`NAMESPACE/skeleton` has the joints as estimated, with their covariance; `NAMESPACE/skeleton_fitted` those of the body.
For viewers there are `joint_states`, `robot_description` and `/tf` of the person, unless the bag has them already.
"""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from egorear_ros.bags import message_writing
from egorear_ros.bags.message_reading import skeleton_from_message
from egorear_ros.bags.message_types import CAMERA_INFO, COMPRESSED_IMAGE, SKELETON, STRING, TF, typestore
from egorear_ros.bags.writing import quality_of_service
from egorear_ros.errors import EgorearError
from egorear_ros.estimation.recording import BagRecording
from egorear_ros.export.bag_person import BagPerson
from egorear_ros.export.job import Export
from egorear_ros.rig import camera_info_fields
from egorear_ros.topics import full_name

NAMESPACE: Final = "egorear"
JPEG_QUALITY: Final = 90

Progress = Callable[[int], None]


class _Message(NamedTuple):
    time_ns: int
    topic: str
    data: bytes | memoryview


def write(path: Path, export: Export, progress: Progress) -> None:
    """Write the file.

    Raises:
        EgorearError: the input bag cannot be copied.
    """
    from rosbags.rosbag2 import StoragePlugin, Writer

    folder = path.with_name(f"{path.stem}.folder")
    try:
        with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
            if isinstance(export.recording, BagRecording):
                _copy_bag(writer, export, progress)
            else:
                _write_images(writer, export, progress)
        next(folder.glob("*.mcap")).rename(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_bag(writer: Any, export: Export, progress: Progress) -> None:
    from rosbags.highlevel import AnyReader

    recording = export.recording
    assert isinstance(recording, BagRecording)
    try:
        with AnyReader([Path(str(recording.path))], default_typestore=typestore()) as reader:
            there = {c.topic: c for c in reader.connections}
            connections = {
                topic: writer.add_connection(
                    topic,
                    c.msgtype,
                    typestore=typestore() if c.msgtype == SKELETON else reader.typestore,
                    offered_qos_profiles=c.ext.offered_qos_profiles,
                )
                for topic, c in there.items()
            }
            images = set(recording.topics.images.values())
            copied = _copied(_updated(reader), images, progress)
            _write_merged(writer, connections, copied, export, recording.topics.namespace)
    except EgorearError:
        raise
    except Exception as error:  # whatever rosbags stumbles over in a damaged file
        raise EgorearError(f"bag '{recording.path}' cannot be copied: {error}") from error


def _updated(reader: Any) -> Iterator[tuple[Any, int, bytes | memoryview]]:
    """All messages as they are; skeletons of an older version as today's, as a file has one definition per type."""
    store = typestore()
    types = {connection.msgtype for connection in reader.connections}
    is_old = SKELETON in types and reader.typestore.hash_rihs01(SKELETON) != store.hash_rihs01(SKELETON)
    for connection, time_ns, data in reader.messages():
        if is_old and connection.msgtype == SKELETON:
            old = skeleton_from_message(reader.deserialize(data, SKELETON))
            data = store.serialize_cdr(message_writing.skeleton(old), SKELETON)  # noqa: PLW2901
        yield connection, time_ns, data


def _copied(
    messages: Iterable[tuple[Any, int, bytes | memoryview]], images: set[str], progress: Progress
) -> Iterator[_Message]:
    for connection, time_ns, data in messages:
        if connection.topic in images:
            progress(1)
        yield _Message(time_ns, connection.topic, data)


def _write_images(writer: Any, export: Export, progress: Progress) -> None:
    store = typestore()
    images = {view: full_name(NAMESPACE, view, "image_raw", "compressed") for view in export.recording.views}
    infos = {view: full_name(NAMESPACE, view, "camera_info") for view in export.recording.views}
    types = {**dict.fromkeys(images.values(), COMPRESSED_IMAGE), **dict.fromkeys(infos.values(), CAMERA_INFO)}
    connections = {
        topic: writer.add_connection(topic, kind, typestore=store)
        for topic, kind in {**types, "/tf_static": TF}.items()
    }

    def messages() -> Iterator[_Message]:
        cameras: dict[str, Any] = {}
        for time_ns, frame, _ in export.recording.frames():
            progress(1)
            if frame is None or frame.image is None:
                continue
            if not cameras:
                edges = message_writing.transforms(export.rig.static_transforms(), time_ns)
                yield _Message(time_ns, "/tf_static", store.serialize_cdr(edges, TF))
            if frame.view not in cameras:
                height, width = frame.image.shape[:2]
                cameras[frame.view] = export.rig.resized(width, height)[frame.view]
            camera = cameras[frame.view]
            optical = camera.optical_frame
            image = message_writing.compressed_image(frame.image, frame.stamp_ns, optical, JPEG_QUALITY)
            yield _Message(time_ns, images[frame.view], store.serialize_cdr(image, COMPRESSED_IMAGE))
            info = message_writing.camera_info(camera_info_fields(camera.model), frame.stamp_ns, optical)
            yield _Message(time_ns, infos[frame.view], store.serialize_cdr(info, CAMERA_INFO))

    _write_merged(writer, connections, messages(), export, NAMESPACE)


def _write_merged(
    writer: Any, connections: dict[str, Any], messages: Iterator[_Message], export: Export, namespace: str
) -> None:
    """Write messages, skeletons and the person in the order of their times."""
    store, fitted = typestore(), export.fitted_skeletons()
    person = _person(writer, connections, export, namespace)
    free_topic, fitted_topic = (
        _unused(full_name(namespace, name), connections) for name in ("skeleton", "skeleton_fitted")
    )
    for topic in (free_topic, fitted_topic):
        connections[topic] = writer.add_connection(topic, SKELETON, typestore=store)

    def skeletons() -> Iterator[_Message]:
        timed = sorted(zip(export.times_ns, export.skeletons, strict=True), key=lambda item: item[0])
        for time_ns, skeleton in timed:
            for topic, value in ((free_topic, skeleton), (fitted_topic, fitted[skeleton.stamp_ns])):
                yield _Message(time_ns, topic, store.serialize_cdr(message_writing.skeleton(value), SKELETON))
            if person is not None:
                index = int(np.searchsorted(export.body.sequence.stamps_ns, skeleton.stamp_ns))
                for topic, kind, message in person.moment(index):
                    yield _Message(time_ns, topic, store.serialize_cdr(message, kind))

    if person is not None:
        data = store.serialize_cdr(person.description(), STRING)
        messages = heapq.merge(
            [_Message(min(export.times_ns), person.description_topic, data)], messages, key=lambda each: each.time_ns
        )
    for message in heapq.merge(messages, skeletons(), key=lambda message: message.time_ns):
        writer.write(connections[message.topic], message.time_ns, message.data)


def _person(writer: Any, connections: dict[str, Any], export: Export, namespace: str) -> BagPerson | None:
    """The person, with its topics announced; None where the input has one, recorded live."""
    person = BagPerson(export.body, export.skeletons[0].skeleton_id, namespace)
    if person.states_topic in connections or person.description_topic in connections:
        return None
    for topic, (kind, latched) in person.topics.items():
        if topic not in connections:
            quality = [quality_of_service(latched, reliable=True)]
            connections[topic] = writer.add_connection(topic, kind, typestore=typestore(), offered_qos_profiles=quality)
    return person


def _unused(topic: str, connections: dict[str, Any]) -> str:
    """The topic, or where the input has it already, the same with `_estimated` at its end."""
    return f"{topic}_estimated" if topic in connections else topic
