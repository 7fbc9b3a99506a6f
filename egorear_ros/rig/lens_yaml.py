"""Camera models as the mappings of a rig file, both ways."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from typing import Any, Final

from egorear_ros.rig.camera import CameraModel
from egorear_ros.rig.fields import checked_fields, number, numbers
from egorear_ros.rig.focal import LENS_MODELS, FocalModel
from egorear_ros.rig.ocam import OCamModel, max_angle_of_circle
from egorear_ros.rig.rig import RigError

OCAM: Final = "ocam"
"""The one model whose fields are not those of `FocalModel`."""

COMMON: Final = frozenset({"image_size", "image_circle_radius", "center"})


def lens_from_content(content: Any) -> CameraModel:
    """Build a camera model from its YAML mapping, which has no pose.

    Raises:
        ValueError: a mistake, named.
    """
    kind = content.get("model") if isinstance(content, Mapping) else None
    if not isinstance(kind, str) or (kind != OCAM and kind not in LENS_MODELS):
        raise ValueError(f"'model' must be one of {', '.join((OCAM, *LENS_MODELS))}")
    fields = {key: value for key, value in content.items() if key != "model"}
    return ocam_from_content(fields) if kind == OCAM else _focal(LENS_MODELS[kind], fields)


def lens_content(model: CameraModel) -> dict[str, Any]:
    """A camera model as its YAML mapping.

    Raises:
        RigError: a camera model that rig files do not know.
    """
    common: dict[str, Any] = {
        "image_size": [model.width, model.height],
        "image_circle_radius": float(model.image_circle_radius_px),
        "center": [float(value) for value in model.center_px],
    }
    if isinstance(model, OCamModel):
        return {"model": OCAM, **common, **_ocam_content(model)}
    if isinstance(model, FocalModel) and model.kind in LENS_MODELS:
        usual = _usual_values(type(model))
        own = {name: getattr(model, name) for name in _own_fields(type(model))}
        own = {name: value for name, value in own.items() if name not in usual or value != usual[name]}
        return {
            "model": model.kind,
            **common,
            "focal_length": list(model.focal_px),
            "skew": model.skew_px,
            **{name: list(value) if isinstance(value, tuple) else float(value) for name, value in own.items()},
            "max_angle_deg": math.degrees(model.max_angle_rad),
        }
    raise RigError(f"cannot write a camera of type {type(model).__name__} to a rig file")


def _ocam_content(model: OCamModel) -> dict[str, Any]:
    content: dict[str, Any] = {
        "ray_polynomial": list(model.ray_polynomial),
        "radius_polynomial": list(model.radius_polynomial),
    }
    if model.affine != (1.0, 0.0, 0.0):
        content["affine"] = list(model.affine)
    of_circle = max_angle_of_circle(model.ray_polynomial, model.image_circle_radius_px)
    if not math.isclose(model.max_angle_rad, of_circle, abs_tol=1e-12):
        content["max_angle_deg"] = math.degrees(model.max_angle_rad)
    return content


def _common(fields: Mapping[str, Any]) -> tuple[int, int, tuple[float, float], float]:
    width, height = (int(value) for value in numbers(fields, "image_size", 2))
    center_x, center_y = numbers(fields, "center", 2)
    return width, height, (center_x, center_y), number(fields, "image_circle_radius")


def ocam_from_content(content: Any) -> OCamModel:
    """Build an OCam camera from its YAML mapping; ValueError names a mistake."""
    required = COMMON | {"ray_polynomial", "radius_polynomial"}
    fields = checked_fields(content, set(required), {"affine", "max_angle_deg"})
    width, height, center, radius = _common(fields)
    rays = numbers(fields, "ray_polynomial")
    c, d, e = numbers(fields, "affine", 3) if "affine" in fields else (1.0, 0.0, 0.0)
    angle = math.radians(number(fields, "max_angle_deg")) if "max_angle_deg" in fields else None
    return OCamModel(
        width,
        height,
        center,
        radius,
        max_angle_of_circle(rays, radius) if angle is None else angle,
        ray_polynomial=rays,
        radius_polynomial=numbers(fields, "radius_polynomial"),
        affine=(c, d, e),
    )


def _own_fields(model: type[FocalModel]) -> dict[str, int | None]:
    """A lens model's fields beside those of `FocalModel`: 0 for a number, else how many numbers; None: any number."""
    common, hints = {field.name for field in dataclasses.fields(FocalModel)}, typing.get_type_hints(model)
    names = [field.name for field in dataclasses.fields(model) if field.name not in common]
    return {name: _count(hints[name]) for name in names}


def _usual_values(model: type[FocalModel]) -> dict[str, Any]:
    """The values of fields that a rig file may leave out."""
    fields = dataclasses.fields(model)
    return {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}


def _count(hint: Any) -> int | None:
    if typing.get_origin(hint) is not tuple:
        return 0
    parts = typing.get_args(hint)
    return None if Ellipsis in parts else len(parts)


def _focal(model: type[FocalModel], content: Any) -> FocalModel:
    own, optional = _own_fields(model), set(_usual_values(model))
    required = {*COMMON, "focal_length", "max_angle_deg", *own} - optional
    fields = checked_fields(content, required, {"skew"} | (optional & set(own)))
    width, height, center, radius = _common(fields)
    single = isinstance(fields["focal_length"], int | float)
    focal = (number(fields, "focal_length"),) * 2 if single else numbers(fields, "focal_length", 2)
    return model(
        width,
        height,
        center,
        radius,
        math.radians(number(fields, "max_angle_deg")),
        focal_px=(focal[0], focal[1]),
        skew_px=number(fields, "skew") if "skew" in fields else 0.0,
        **{
            name: number(fields, name) if count == 0 else numbers(fields, name, count)
            for name, count in own.items()
            if name in fields
        },
    )
