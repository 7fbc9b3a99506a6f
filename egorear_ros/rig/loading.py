"""Rigs and calibrations from files: our YAML, the official calibration JSON, and RW's per-sequence metadata.

YAML format `egorear-rig/1`, lengths in metres, angles in degrees, images in pixels; `config/rigs/ego4view.yaml` is the
commented example. Whatever is wrong with a file is reported as one RigError that names file, camera and field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from egorear_ros import resources
from egorear_ros.errors import EgorearError
from egorear_ros.plain_data import PlainDataError, read_json, read_yaml
from egorear_ros.rig.fields import checked_fields, named
from egorear_ros.rig.lens_yaml import lens_from_content, ocam_from_content
from egorear_ros.rig.ocam import OCamModel
from egorear_ros.rig.rig import HELMET_FROM_DEVICE_ROTATION, VIEWS, Rig, RigCamera, RigError
from egorear_ros.rig.rigid import Matrix, rigid

FORMAT: Final = "egorear-rig/1"

OFFICIAL_NAMES: Final[dict[str, str]] = {view: f"camera_{view.replace('rear', 'back')}" for view in VIEWS}
"""View name -> name of the camera in Ego4View's files ("rear_left" -> "camera_back_left")."""


def load_rig(name_or_path: str | Path) -> Rig:
    """Load a rig by the name of a file in config/rigs/ ("ego4view") or by path ("my_helmet.yaml").

    Raises:
        RigError: no such rig, or a mistake in it.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        if not re.fullmatch(r"[\w.-]{1,100}", str(name_or_path)):
            raise RigError(f"'{name_or_path}' is no name of a rig; give one, or the path of a .yaml file")
        path = _shipped_rig(str(name_or_path))
    try:
        content = read_yaml(path)
    except PlainDataError as error:
        raise RigError(f"rig file '{path}' {error}") from error
    try:
        return _rig_from(content)
    except (RigError, ValueError, TypeError) as error:
        raise RigError(f"rig file '{path}': {error}") from error


def load_official_calibration(path: str | Path) -> OCamModel:
    """Load one camera from an official Ego4View or UnrealEgo calibration JSON.

    Raises:
        RigError: the file cannot be read, lacks a key, or holds something that is not a lens.
    """
    content = _read_json(Path(path))
    try:
        return official_lens(content)
    except (ValueError, TypeError) as error:
        raise RigError(f"calibration '{path}': {error}") from error


def official_lens(content: Mapping[str, Any]) -> OCamModel:
    """Build the camera of an official calibration's content; the affine part is left out, as in the official code.

    Raises:
        ValueError: a key is missing, or what it holds is not a lens.
    """
    keys = ("size", "imageCircleRadius", "image_center", "polynomialC2W", "polynomialW2C")
    for key in keys:
        if key not in content:
            raise ValueError(f"no key '{key}'; expected an official OCam JSON file")
    names = ("image_size", "image_circle_radius", "center", "ray_polynomial", "radius_polynomial")
    return ocam_from_content({name: content[key] for name, key in zip(names, keys, strict=True)})


def load_rw_extrinsics(path: str | Path) -> dict[str, Matrix]:
    """Read the camera poses of an Ego4View-RW sequence from its `*_metadata.json`.

    Returns:
        View name -> camera_from_device, (4, 4) in metres, for `Rig.with_extrinsics`.

    Raises:
        RigError: the file cannot be read, lacks a camera, or a matrix is not a rigid transform.
    """
    matrices = _read_json(Path(path)).get("coord_transformation_matrix")
    if not isinstance(matrices, Mapping):
        raise RigError(f"metadata '{path}' has no 'coord_transformation_matrix'; expected an Ego4View-RW metadata file")
    extrinsics = {}
    for view, official in OFFICIAL_NAMES.items():
        key = f"device_to_{official}"
        try:
            matrix = np.asarray(matrices[key], dtype=np.float64)
            extrinsics[view] = rigid(matrix[:3, :3], matrix[:3, 3])
        except KeyError as error:
            raise RigError(f"metadata '{path}' has no matrix '{key}'") from error
        except (ValueError, TypeError, IndexError, OverflowError) as error:
            raise RigError(f"metadata '{path}', matrix '{key}': {error}") from error
    return extrinsics


def _shipped_rig(name: str) -> Path:
    try:
        return resources.find(f"config/rigs/{name}.yaml")
    except EgorearError as error:
        shipped = sorted(path.stem for path in resources.find("config/rigs").glob("*.yaml"))
        raise RigError(
            f"there is no rig '{name}'; shipped are {', '.join(shipped)}, or give the path of a .yaml file"
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except PlainDataError as error:
        raise RigError(f"'{path}' {error}") from error
    if not isinstance(content, dict):
        raise RigError(f"'{path}' holds a {type(content).__name__}, expected a JSON object")
    return content


def _rig_from(content: Any) -> Rig:
    fields = checked_fields(content, required={"format", "name", "cameras"}, optional={"source", "helmet_from_device"})
    if fields["format"] != FORMAT:
        raise ValueError(f"format is '{fields['format']}', this version reads '{FORMAT}'")
    if not isinstance(fields["cameras"], Mapping) or not fields["cameras"]:
        raise ValueError("'cameras' must map camera names to their calibrations")
    helmet = fields.get("helmet_from_device", {"rotation": HELMET_FROM_DEVICE_ROTATION, "translation": [0.0, 0.0, 0.0]})
    return Rig(
        name=str(fields["name"]),
        cameras=tuple(_camera(str(name), camera) for name, camera in fields["cameras"].items()),
        helmet_from_device=named("helmet_from_device", _pose, helmet),
        source=str(fields.get("source", "")),
    )


def _camera(name: str, content: Any) -> RigCamera:
    def build(content: Any) -> RigCamera:
        lens = lens_from_content(
            {k: v for k, v in content.items() if k != "camera_from_device"} if isinstance(content, Mapping) else content
        )
        if "camera_from_device" not in content:
            raise ValueError("missing field 'camera_from_device'")
        return RigCamera(
            name,
            lens,
            named("camera_from_device", _pose, content["camera_from_device"]),
        )

    return named(f"camera '{name}'", build, content)


def _pose(content: Any) -> Matrix:
    fields = checked_fields(content, required={"rotation", "translation"})
    return rigid(fields["rotation"], fields["translation"])
