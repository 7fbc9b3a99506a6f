"""Pictures of exported motion in Blender: open .bvh and .glb files with Blender's own importers and render a frame.

Blender as a Python module (PyPI `bpy`, 4.5 for Python 3.11) is the independent reader here. It is large and nothing
else needs it, so it goes into a folder of its own:

    python3.11 -m pip install --target FOLDER bpy==4.5.15
    egorear estimate assets/demo_clip --out walk.bvh walk.glb walk.npz
    PYTHONPATH=FOLDER python3.11 tools/blender_pictures.py walk.npz walk.bvh walk.glb --out docs/images

Also compares where Blender has the joints with the body in the .npz file, and fails above 1 mm; but for one shift:
the files have their origin in the middle of the helmet. This file imports nothing of egorear, so that it runs in any
Python that has bpy and numpy.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import bpy
import mathutils
import numpy as np

MILLIMETRE = 0.001
SIZE_PX = 480
BONE_RADIUS_M = 0.022
COLOR = (0.1, 0.3, 0.7, 1.0)


def main() -> int:
    """Open, compare, render; 1 where a joint is not where it belongs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("npz", type=Path, help="the body, by egorear estimate")
    parser.add_argument("files", type=Path, nargs="+", help=".bvh and .glb of the same recording")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--share", type=float, default=0.3, help="which moment, 0 first to 1 last (default: 0.3)")
    options = parser.parse_args()
    body = dict(np.load(options.npz))
    worst_m = 0.0
    for path in options.files:
        worst_m = max(worst_m, show(path, body, options.share, options.out / f"blender_{path.suffix[1:]}.png"))
    return int(worst_m > MILLIMETRE)


def show(path: Path, body: dict[str, Any], share: float, picture: Path) -> float:
    """Render one file; returns the largest distance of a joint from the body, metres."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = round(1e9 / float(np.median(np.diff(body["stamps_ns"]))))
    load(path)
    (rig,) = [each for each in bpy.data.objects if each.type == "ARMATURE"]
    frames = len(body["stamps_ns"])
    index = round(share * (frames - 1))
    first = float(rig.animation_data.action.frame_range[0])
    set_frame(scene, first)
    shift = joints_of(rig)["Hips"] - expected(body, 0)["Hips"]
    worst_m = 0.0
    for number in sorted({0, index, frames - 1}):
        set_frame(scene, first + number)
        worst_m = max(worst_m, largest_distance_m(rig, body, number, shift))
    print(f"{path.name}: {len(rig.pose.bones)} bones, {frames} frames, largest distance {1e3 * worst_m:.3f} mm")
    set_frame(scene, first + index)
    render(scene, rig, picture)
    return worst_m


def set_frame(scene: Any, frame: float) -> None:
    """Go to a frame, which need not be a whole number."""
    scene.frame_set(int(np.floor(frame)), subframe=float(frame - np.floor(frame)))
    bpy.context.view_layer.update()


def load(path: Path) -> None:
    """Import with Blender's own importer."""
    if path.suffix == ".bvh":
        bpy.ops.import_anim.bvh(filepath=str(path), axis_forward="-Z", axis_up="Y", update_scene_fps=False)
    else:
        bpy.ops.import_scene.gltf(filepath=str(path), bone_heuristic="TEMPERANCE")


def expected(body: dict[str, Any], index: int) -> dict[str, Any]:
    """Joint -> (3,) place of the body's joints in Blender's world, but for the origin.

    The device frame has x to the right, y backward, z down. The files have x left, y up, z forward; Blender's importers
    make x left, y backward, z up of that.
    """
    x, y, z = np.moveaxis(body["body_positions_m"][index], -1, 0)
    return dict(zip(body["body_joint_names"].tolist(), np.stack([-x, y, -z], -1), strict=True))


def joints_of(rig: Any) -> dict[str, Any]:
    """Joint -> (3,) where Blender has it: the head of the bone with its name."""
    return {bone.name: np.array(rig.matrix_world @ bone.head) for bone in rig.pose.bones}


def largest_distance_m(rig: Any, body: dict[str, Any], index: int, shift: Any) -> float:
    """Between the head of each bone and its joint."""
    at, wanted = joints_of(rig), expected(body, index)
    missing = set(wanted) - set(at)
    if missing:
        raise SystemExit(f"Blender has no bones {sorted(missing)}")
    return max(float(np.linalg.norm(at[name] - shift - joint)) for name, joint in wanted.items())


def render(scene: Any, rig: Any, picture: Path) -> None:
    """A picture of the figure, from ahead and the left; bones become cylinders where there is no mesh."""
    meshes = [each for each in bpy.data.objects if each.type == "MESH" and each.find_armature() is not None]
    if not meshes:
        add_bones(rig)
    low, high = extent(rig)
    middle, height = (low + high) / 2, float((high - low).max())
    bpy.ops.mesh.primitive_plane_add(size=20, location=(middle[0], middle[1], low[2] - 0.05))
    bpy.context.object.data.materials.append(material("floor", (0.8, 0.8, 0.8, 1.0)))
    add_camera(scene, middle, height)
    bpy.ops.object.light_add(type="SUN", rotation=(0.6, 0.3, 0.4))
    bpy.context.object.data.energy = 3.0
    scene.world = bpy.data.worlds.new("world")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs[0].default_value = (0.9, 0.93, 1.0, 1.0)
    scene.world.node_tree.nodes["Background"].inputs[1].default_value = 0.5
    scene.render.engine, scene.cycles.samples, scene.cycles.device = "CYCLES", 8, "CPU"
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.render.resolution_x = scene.render.resolution_y = SIZE_PX
    scene.render.filepath = str(picture.resolve())
    bpy.ops.render.render(write_still=True)


def extent(rig: Any) -> tuple[Any, Any]:
    """Lowest and highest corner around all bones, metres."""
    ends = np.array([rig.matrix_world @ point for bone in rig.pose.bones for point in (bone.head, bone.tail)])
    return ends.min(0), ends.max(0)


def add_bones(rig: Any) -> None:
    """A cylinder along every bone, and a ball for the head."""
    look = material("bones", COLOR)
    for bone in rig.pose.bones:
        start, end = rig.matrix_world @ bone.head, rig.matrix_world @ bone.tail
        way = end - start
        if way.length < BONE_RADIUS_M:
            continue
        turn = mathutils.Vector((0, 0, 1)).rotation_difference(way).to_euler()
        bpy.ops.mesh.primitive_cylinder_add(
            radius=BONE_RADIUS_M, depth=way.length, location=(start + end) / 2, rotation=turn
        )
        bpy.context.object.data.materials.append(look)
        bpy.ops.mesh.primitive_uv_sphere_add(radius=1.4 * BONE_RADIUS_M, location=start)
        bpy.context.object.data.materials.append(look)
        if bone.name == "Head":
            bpy.ops.mesh.primitive_uv_sphere_add(radius=0.1, location=start)
            bpy.context.object.data.materials.append(look)


def material(name: str, color: tuple[float, float, float, float]) -> Any:
    """A plain material."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    made.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = color
    return made


def add_camera(scene: Any, middle: Any, height_m: float) -> None:
    """A camera that has the whole figure in view."""
    at = mathutils.Vector(middle) + mathutils.Vector((1.1, -2.0, 0.35)) * height_m * 0.85
    bpy.ops.object.camera_add(location=at)
    camera = bpy.context.object
    camera.rotation_euler = (mathutils.Vector(middle) - at).to_track_quat("-Z", "Y").to_euler()
    scene.camera = camera


if __name__ == "__main__":
    sys.exit(main())
