"""Readers of our own, written from the formats' descriptions and sharing nothing with the writers."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


@dataclass
class BvhJoint:
    """A joint of a BVH hierarchy."""

    name: str
    parent: BvhJoint | None
    offset: Float64 = field(default_factory=lambda: np.zeros(3))
    channels: list[str] = field(default_factory=list)


@dataclass
class Bvh:
    """A parsed BVH file; values (T, number of channels)."""

    joints: list[BvhJoint]
    frame_time_s: float
    values: Float64

    def world(self, frame: int) -> dict[str, Float64]:
        """Name -> (4, 4) world_from_joint: each channel multiplied in the order of the file."""
        result: dict[str, Float64] = {}
        at = 0
        for joint in self.joints:
            local = np.eye(4)
            local[:3, 3] = joint.offset
            for channel in joint.channels:
                local = local @ _channel(channel, float(self.values[frame, at]))
                at += 1
            above = np.eye(4) if joint.parent is None else result[joint.parent.name]
            result[joint.name] = above @ local
        return result


def read_bvh(path: Path) -> Bvh:
    words = path.read_text().split()
    motion = words.index("MOTION")
    joints: list[BvhJoint] = []
    stack: list[BvhJoint | None] = []
    current: BvhJoint | None = None
    index = 1
    while index < motion:
        word = words[index]
        if word in ("ROOT", "JOINT", "End"):
            parent = next((joint for joint in reversed(stack) if joint is not None), None)
            current = BvhJoint(words[index + 1], parent) if word != "End" else None
            if current is not None:
                joints.append(current)
            index += 2
        elif word == "{":
            stack.append(current)
            index += 1
        elif word == "}":
            stack.pop()
            index += 1
        elif word == "OFFSET":
            if current is not None:
                current.offset = np.array([float(value) for value in words[index + 1 : index + 4]])
            index += 4
        else:
            assert word == "CHANNELS", word
            assert current is not None
            count = int(words[index + 1])
            current.channels = words[index + 2 : index + 2 + count]
            index += 2 + count
    assert words[motion + 1] == "Frames:" and words[motion + 3 : motion + 5] == ["Frame", "Time:"]
    frames = int(words[motion + 2])
    values = np.array([float(value) for value in words[motion + 6 :]]).reshape(frames, -1)
    return Bvh(joints, float(words[motion + 5]), values)


def _channel(name: str, value: float) -> Float64:
    result = np.eye(4)
    axis = "XYZ".index(name[0])
    if name.endswith("position"):
        result[axis, 3] = value
        return result
    c, s = math.cos(math.radians(value)), math.sin(math.radians(value))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    result[i, i], result[i, j], result[j, i], result[j, j] = c, -s, s, c
    return result


@dataclass
class Glb:
    """A parsed binary glTF."""

    document: dict[str, Any]
    blob: bytes

    def accessor(self, index: int) -> NDArray[Any]:
        described = self.document["accessors"][index]
        view = self.document["bufferViews"][described["bufferView"]]
        kind = {5126: "<f4", 5123: "<u2", 5125: "<u4"}[described["componentType"]]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[described["type"]]
        start = view.get("byteOffset", 0) + (described.get("byteOffset") or 0)
        return np.frombuffer(self.blob, kind, described["count"] * width, start).reshape(-1, width)

    def world(self, frame: int) -> dict[str, Float64]:
        """Name -> (4, 4) world_from_node at a key frame."""
        poses: dict[int, dict[str, Float64]] = {}
        animation = self.document["animations"][0]
        for channel in animation["channels"]:
            output = self.accessor(animation["samplers"][channel["sampler"]]["output"])
            poses.setdefault(channel["target"]["node"], {})[channel["target"]["path"]] = output[frame].astype(float)
        result: dict[str, Float64] = {}

        def visit(index: int, above: Float64) -> None:
            node = self.document["nodes"][index]
            moved = poses.get(index, {})
            local = np.eye(4)
            x, y, z, w = moved.get("rotation", np.array(node.get("rotation") or [0, 0, 0, 1]))
            local[:3, :3] = [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
            local[:3, 3] = moved.get("translation", np.array(node.get("translation") or [0, 0, 0]))
            result[node["name"]] = above @ local
            for child in node.get("children") or []:
                visit(child, above @ local)

        for root in self.document["scenes"][self.document["scene"]]["nodes"]:
            visit(root, np.eye(4))
        return result

    def skinned(self, frame: int) -> Float64:
        """(N, 3) points of the figure at a key frame."""
        world, skin = self.world(frame), self.document["skins"][0]
        attributes = self.document["meshes"][0]["primitives"][0]["attributes"]
        points = self.accessor(attributes["POSITION"]).astype(float)
        joints, weights = self.accessor(attributes["JOINTS_0"]), self.accessor(attributes["WEIGHTS_0"])
        bind = self.accessor(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
        names = [self.document["nodes"][joint]["name"] for joint in skin["joints"]]
        matrices = np.array([world[name] @ inverse for name, inverse in zip(names, bind, strict=True)])
        chosen = np.einsum("nk,nkij->nij", weights, matrices[joints])
        return np.einsum("nij,nj->ni", chosen[:, :3, :3], points) + chosen[:, :3, 3]


def read_glb(path: Path) -> Glb:
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON" and size % 4 == 0
    document = json.loads(data[20 : 20 + size])
    blob_size, blob_kind = struct.unpack_from("<I4s", data, 20 + size)
    assert blob_kind == b"BIN\0"
    return Glb(document, data[28 + size : 28 + size + blob_size])


def read_trc(path: Path) -> tuple[dict[str, str], list[str], Float64, Float64]:
    """Header, marker names, (T,) times and (T, M, 3) positions, as OpenSim reads them: by tabs, markers 3 columns."""
    lines = path.read_text().split("\n")
    assert lines[0].split("\t")[0] == "PathFileType"
    header = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    titles = lines[3].split("\t")
    assert titles[:2] == ["Frame#", "Time"]
    names = [title for title in titles[2:] if title]
    rows = [[float(value) for value in line.split("\t")] for line in lines[5:] if line.strip()]
    values = np.array(rows)
    return header, names, values[:, 1], values[:, 2:].reshape(len(values), len(names), 3)
