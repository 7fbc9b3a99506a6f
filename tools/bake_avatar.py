"""Bake `assets/avatar.npz`: the person that the browser view moves.

One of the simulator's bodies (CC0) with the simulator's clothes and helmet, thinned out and bound to the joints of
`egorear_ros.body`. A browser gets a few thousand points per picture instead of 20 000, and neither the simulator nor
its compiler is needed to show it. Thinning needs the package fast-simplification, which nothing else does:

    pip install --target FOLDER fast-simplification
    PYTHONPATH=FOLDER egorear-env python -m tools.bake_avatar assets/avatar.npz
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from egorear_ros.body import BODY_JOINTS
from egorear_ros.body.rotations import shortest_arc
from egorear_ros.simulator import materials
from egorear_ros.simulator.body import garments
from egorear_ros.simulator.body.asset import BodyAsset, BodyShape, load_bodies
from egorear_ros.simulator.body.landmarks import Landmarks
from egorear_ros.simulator.body.surface import Surface, body_surface
from egorear_ros.simulator.helmet import shell
from egorear_ros.simulator.rig_mount import head_size

Float64 = NDArray[np.float64]

BODY: Final = 2
SHIRT: Final = garments.TopStyle(sleeves=0.36, hem=0.02, neckline=0.02, slack=0.0, cuff_slack=0.0)
COLORS: Final = {
    "skin": (222, 178, 150),
    "shirt": (70, 130, 180),
    "trousers": (58, 64, 80),
    "shoes": (235, 235, 235),
    "helmet": (40, 42, 50),
}
"""sRGB."""
POINTS: Final = {"skin": 1500, "shirt": 700, "trousers": 700, "shoes": 400, "helmet": 300}
"""About so many are kept."""

REST_FROM_BODY: Final = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""Rest frame of the bodies (x left, y backward, z up) from that of the kinematic body (x forward, y left, z up)."""

SPINE: Final = {"spine_01": (("Hips", 0.55), ("Spine", 0.45)), "spine_02": (("Hips", 0.2), ("Spine", 0.8))}
"""The kinematic body bends at the hips alone; the bones of the spine share the bend."""

BONES: Final = {"Root": "Hips", "pelvis": "Hips", "spine_03": "Spine", "neck_01": "Neck", "head": "Head"}
LIMBS: Final = {
    "clavicle": "Shoulder",
    "upperarm": "Arm",
    "lowerarm": "ForeArm",
    "hand": "Hand",
    "thigh": "UpLeg",
    "calf": "Leg",
    "foot": "Foot",
    "ball": "Foot",
}
"""Bone of the shape -> joint of the kinematic body; fingers go with the hand."""


def main() -> None:
    """Dress, thin out, bind and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="file to write, e.g. assets/avatar.npz")
    options = parser.parse_args()
    asset = load_bodies()
    shape = asset.shape(BODY)
    points: list[NDArray[Any]] = []
    faces: list[NDArray[Any]] = []
    colors: list[NDArray[Any]] = []
    weights: list[NDArray[Any]] = []
    for name, piece in dressed(asset, shape):
        vertices, triangles, bound = thinned(piece, POINTS[name])
        faces.append(triangles + sum(len(earlier) for earlier in points))
        points.append(vertices)
        colors.append(np.tile(np.array(COLORS[name], np.uint8), (len(vertices), 1)))
        weights.append(bound @ joint_weights(asset))
    origins, rotations, lengths = rest_joints(asset, shape)
    np.savez_compressed(
        options.out,
        vertices_m=np.concatenate(points).astype(np.float16),
        faces=np.concatenate(faces).astype(np.uint16),
        colors=np.concatenate(colors),
        weights=np.round(255 * np.concatenate(weights)).astype(np.uint8),
        joint_names=np.array(BODY_JOINTS),
        origins_m=origins.astype(np.float32),
        rest_from_joint=rotations.astype(np.float32),
        lengths_m=lengths.astype(np.float32),
    )
    print(
        f"{sum(map(len, points))} points, {sum(map(len, faces))} triangles, {options.out.stat().st_size / 1e3:.0f} kB"
    )


def dressed(asset: BodyAsset, shape: BodyShape) -> Iterator[tuple[str, Surface]]:
    """Clothes, helmet, and the skin that they leave free."""
    plain, marks = materials.material((0.5, 0.5, 0.5)), Landmarks(asset, shape)
    skin = body_surface(asset, shape, "skin", plain)
    regions = [
        garments.top_region(marks, skin, SHIRT),
        garments.trousers_region(marks, skin, 0.96),
        garments.shoes_region(marks, skin, 0.965),
    ]
    yield "skin", garments.uncovered(skin, regions)
    yield "shirt", garments.top(marks, SHIRT, plain)[0]
    trousers = garments.trousers(marks, 0.96, 0.0, plain)
    yield "trousers", garments.uncovered(trousers, [garments.top_region(marks, trousers, SHIRT)])
    yield "shoes", garments.shoes(marks, 0.965, 0.02, plain)
    cap = shell(head_size(marks), plain)
    on_head = np.zeros((len(cap.vertices_m), len(asset.bone_names)), np.float32)
    on_head[:, asset.bone["head"]] = 1
    yield "helmet", Surface(cap.vertices_m, cap.faces, on_head, np.zeros(len(cap.vertices_m), np.float32), plain)


def thinned(piece: Surface, points: int) -> tuple[Float64, NDArray[np.int64], Float64]:
    """Vertices, triangles and (N, B) bone weights of a coarser surface; weights are those of the nearest point."""
    import fast_simplification

    vertices, index = np.unique(piece.vertices_m.round(5), axis=0, return_inverse=True)
    faces = index.reshape(-1)[piece.faces]
    kept = max(0.0, 1 - points / len(vertices))
    coarse, triangles = fast_simplification.simplify(vertices.astype(np.float32), faces.astype(np.int32), kept)
    _, nearest = cKDTree(piece.vertices_m).query(coarse)
    return np.asarray(coarse, np.float64), np.asarray(triangles, np.int64), np.asarray(piece.weights[nearest])


def joint_weights(asset: BodyAsset) -> Float64:
    """(B, 20) share that each joint of the kinematic body has of each bone."""
    shares = np.zeros((len(asset.bone_names), len(BODY_JOINTS)))
    for row, bone in enumerate(asset.bone_names):
        side = {"_l": "Left", "_r": "Right"}.get(bone[-2:], "")
        if bone in SPINE:
            targets: tuple[tuple[str, float], ...] = SPINE[bone]
        elif side:
            targets = ((side + LIMBS.get(bone[:-2], "Hand"), 1.0),)
        else:
            targets = ((BONES[bone], 1.0),)
        for joint, share in targets:
            shares[row, BODY_JOINTS.index(joint)] += share
    return shares


def rest_joints(asset: BodyAsset, shape: BodyShape) -> tuple[Float64, Float64, Float64]:
    """Of all 20 joints: (20, 3) place in the rest pose, (20, 3, 3) rest_from_joint, (20,) length of the bone, metres.

    Turned by `rest_from_joint`, the joint's bone points where the shape's bone does. A length is NaN where the bone
    is not stretched along an axis of its own.
    """
    at = {name: shape.bone_heads_m[asset.bone[name]].astype(np.float64) for name in asset.bone_names}
    hips = (at["thigh_l"] + at["thigh_r"]) / 2
    origins = np.tile(hips, (len(BODY_JOINTS), 1))
    rotations = np.tile(REST_FROM_BODY, (len(BODY_JOINTS), 1, 1))
    lengths = np.full(len(BODY_JOINTS), np.nan)

    def place(joint: str, start: Float64, end: Float64, bone: tuple[float, float, float]) -> None:
        index, way = BODY_JOINTS.index(joint), end - start
        origins[index], lengths[index] = start, np.linalg.norm(way)
        turn = shortest_arc(REST_FROM_BODY @ np.array(bone), way / lengths[index])
        rotations[index] = turn @ REST_FROM_BODY

    place("Spine", hips, at["neck_01"], (0, 0, 1))
    rotations[0] = rotations[BODY_JOINTS.index("Spine")]
    lengths[0] = np.linalg.norm(at["thigh_l"] - at["thigh_r"])
    place("Neck", at["neck_01"], at["head"], (0, 0, 1))
    origins[BODY_JOINTS.index("Head")] = at["head"]
    for side, s, sign in (("Left", "l", 1), ("Right", "r", -1)):
        origins[BODY_JOINTS.index(f"{side}Shoulder")] = at["neck_01"]
        place(f"{side}Arm", at[f"upperarm_{s}"], at[f"lowerarm_{s}"], (0, sign, 0))
        place(f"{side}ForeArm", at[f"lowerarm_{s}"], at[f"hand_{s}"], (0, sign, 0))
        origins[BODY_JOINTS.index(f"{side}Hand")] = at[f"hand_{s}"]
        rotations[BODY_JOINTS.index(f"{side}Hand")] = rotations[BODY_JOINTS.index(f"{side}ForeArm")]
        place(f"{side}UpLeg", at[f"thigh_{s}"], at[f"calf_{s}"], (0, 0, -1))
        place(f"{side}Leg", at[f"calf_{s}"], at[f"foot_{s}"], (0, 0, -1))
        place(f"{side}Foot", at[f"foot_{s}"], at[f"ball_{s}"], (1, 0, 0))
    return origins, rotations, lengths


if __name__ == "__main__":
    main()
