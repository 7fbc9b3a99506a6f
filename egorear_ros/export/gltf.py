"""Binary glTF (.glb): an animated skeleton with a simple skinned figure, one spindle per bone.

Frame: glTF's, y up, the figure looks along +z; see `y_up`. Metres, seconds. Key frames are at the recording's own
times. `extras` of the animation hold stamps, views used and standard deviations.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from egorear_ros.body import BODY_JOINTS, BODY_PARENTS, ROTATING
from egorear_ros.export.job import Export
from egorear_ros.export.spindles import spindles
from egorear_ros.export.y_up import YUpMotion, y_up_motion

FLOAT: Final = 5126
UNSIGNED_SHORT: Final = 5123
UNSIGNED_INT: Final = 5125
ARRAY_BUFFER: Final = 34962
ELEMENT_ARRAY_BUFFER: Final = 34963
KINDS: Final = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
COLOR: Final = [0.27, 0.55, 0.85, 1.0]

Array = npt.NDArray[Any]


def write(path: Path, export: Export, progress: Callable[[int], None]) -> None:
    """Write the file."""
    motion = y_up_motion(export)
    document = _Document()
    joints = document.add_joints(motion.offsets_m)
    document.add_figure(motion.offsets_m, joints)
    document.add_animation(motion, joints, _extras(export))
    document.save(path)


def _extras(export: Export) -> dict[str, Any]:
    sequence = export.body.sequence
    std_m = np.sqrt((sequence.std_m**2).mean(-1)).round(4)
    return {
        "recording": export.recording.name,
        "model": export.model,
        "stamps_ns": [str(stamp) for stamp in sequence.stamps_ns.tolist()],  # JSON numbers are too coarse
        "views": list(sequence.views),
        "views_used": sequence.views_used.astype(int).tolist(),
        "std_m": [[None if np.isnan(value) else value for value in row] for row in std_m.tolist()],
    }


class _Document:
    """A glTF document in the making; indices of its nodes are those of `BODY_JOINTS`."""

    def __init__(self) -> None:
        import pygltflib

        self._lib = pygltflib
        self._gltf = pygltflib.GLTF2(asset=pygltflib.Asset(version="2.0", generator="egorear"))
        self._blob = bytearray()

    def add_joints(self, offsets_m: Array) -> list[int]:
        """One node per joint, in the rest pose."""
        for joint, name in enumerate(BODY_JOINTS):
            children = [child for child, parent in enumerate(BODY_PARENTS) if parent == joint]
            node = self._lib.Node(name=name, translation=offsets_m[joint].tolist(), children=children)
            self._gltf.nodes.append(node)
        return list(range(len(BODY_JOINTS)))

    def add_figure(self, offsets_m: Array, joints: list[int]) -> None:
        """The mesh, its skin and the scene."""
        lib, figure = self._lib, spindles(offsets_m)
        attributes = lib.Attributes(
            POSITION=self._accessor(figure.points_m, ARRAY_BUFFER, bounds=True),
            NORMAL=self._accessor(figure.normals, ARRAY_BUFFER),
            JOINTS_0=self._accessor(figure.joints, ARRAY_BUFFER),
            WEIGHTS_0=self._accessor(figure.weights, ARRAY_BUFFER),
        )
        indices = self._accessor(np.arange(len(figure.points_m), dtype=np.uint32), ELEMENT_ARRAY_BUFFER)
        look = lib.PbrMetallicRoughness(baseColorFactor=COLOR, metallicFactor=0.0, roughnessFactor=0.8)
        self._gltf.materials.append(lib.Material(name="figure", pbrMetallicRoughness=look))
        primitive = lib.Primitive(attributes=attributes, indices=indices, material=0)
        self._gltf.meshes.append(lib.Mesh(name="figure", primitives=[primitive]))
        inverse = self._accessor(_inverse_bind(figure.rest_m))
        self._gltf.skins.append(lib.Skin(name="skeleton", joints=joints, inverseBindMatrices=inverse, skeleton=0))
        self._gltf.nodes.append(lib.Node(name="figure", mesh=0, skin=0))
        self._gltf.scenes.append(lib.Scene(name="person", nodes=[0, len(joints)]))
        self._gltf.scene = 0

    def add_animation(self, motion: YUpMotion, joints: list[int], extras: dict[str, Any]) -> None:
        """Translation of the root and rotations of all joints that turn."""
        lib = self._lib
        times = self._accessor(motion.times_s.astype(np.float32), bounds=True)
        animation = lib.Animation(name="motion", extras=extras)
        tracks: list[tuple[int, str, Array]] = [(joints[0], "translation", motion.root_m.astype(np.float32))]
        for joint in ROTATING:
            quaternions = np.asarray(Rotation.from_matrix(motion.rotations[:, joint]).as_quat())
            turns = np.where((quaternions[1:] * quaternions[:-1]).sum(-1) < 0, -1.0, 1.0)
            quaternions[1:] *= np.cumprod(turns)[:, None]  # viewers interpolate: neighbours on one half of the sphere
            tracks.append((joints[joint], "rotation", quaternions.astype(np.float32)))
        for node, path, values in tracks:
            sampler = lib.AnimationSampler(input=times, output=self._accessor(values), interpolation="LINEAR")
            target = lib.AnimationChannelTarget(node=node, path=path)
            animation.channels.append(lib.AnimationChannel(sampler=len(animation.samplers), target=target))
            animation.samplers.append(sampler)
        self._gltf.animations.append(animation)

    def save(self, path: Path) -> None:
        """Write the file."""
        self._gltf.buffers.append(self._lib.Buffer(byteLength=len(self._blob)))
        self._gltf.set_binary_blob(bytes(self._blob))
        path.write_bytes(b"".join(self._gltf.save_to_bytes()))

    def _accessor(self, values: Array, target: int | None = None, bounds: bool = False) -> int:
        """Append an array to the buffer and return the index of its accessor."""
        lib, flat = self._lib, values.reshape(len(values), -1)
        data = np.ascontiguousarray(values).tobytes()
        view = lib.BufferView(buffer=0, byteOffset=len(self._blob), byteLength=len(data), target=target)
        self._blob += data + b"\0" * (-len(data) % 4)
        self._gltf.bufferViews.append(view)
        accessor = lib.Accessor(
            bufferView=len(self._gltf.bufferViews) - 1,
            componentType={"f": FLOAT, "H": UNSIGNED_SHORT, "I": UNSIGNED_INT}[values.dtype.char],
            count=len(values),
            type=KINDS[flat.shape[1]],
            min=flat.min(0).tolist() if bounds else None,
            max=flat.max(0).tolist() if bounds else None,
        )
        self._gltf.accessors.append(accessor)
        return len(self._gltf.accessors) - 1


def _inverse_bind(rest_m: Array) -> npt.NDArray[np.float32]:
    """(20, 16) joint_from_world of the rest pose, column by column as glTF stores matrices."""
    matrices = np.tile(np.eye(4), (len(rest_m), 1, 1))
    matrices[:, :3, 3] = -rest_m
    return matrices.transpose(0, 2, 1).reshape(-1, 16).astype(np.float32)
