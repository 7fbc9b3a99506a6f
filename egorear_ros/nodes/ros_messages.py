"""Makes rclpy's messages by the name of their type, for the mapping in `bags.message_writing`."""

from __future__ import annotations

import array
import importlib
from functools import cache
from typing import Any, Final

import numpy as np

TYPE_CODES: Final = {"sequence<float>": "f", "sequence<double>": "d"}


def make(type_name: str, /, **fields: Any) -> Any:
    """Make a message, for example of "geometry_msgs/msg/Point"; numpy arrays become what rclpy takes."""
    message_class, field_types = _class_of(type_name)
    return message_class(**{name: _as_field(value, field_types[name]) for name, value in fields.items()})


@cache
def _class_of(type_name: str) -> tuple[Any, dict[str, str]]:
    package, _, name = type_name.split("/")
    message_class = getattr(importlib.import_module(f"{package}.msg"), name)
    return message_class, message_class.get_fields_and_field_types()


def _as_field(value: Any, field_type: str) -> Any:
    """Rclpy takes numpy arrays for fields of fixed length only, and none of bool."""
    if not isinstance(value, np.ndarray):
        return value
    code = TYPE_CODES.get(field_type)
    if code is not None:
        return array.array(code, value.tolist())
    return value.tolist() if value.dtype == np.bool_ else value
