"""The text of OpenCV's FileStorage (YAML, XML, JSON) as plain values.

Not by `cv2.FileStorage`: on some damaged files it ends the whole process (OpenCV 5.0), which no `try` prevents.
"""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree

from egorear_ros.plain_data import PlainDataError, parse_json, parse_yaml
from egorear_ros.rig.fields import is_usable


def parse_file_storage(text: str) -> dict[str, Any]:
    """Top entries of a FileStorage; a matrix is the list of its numbers, row by row.

    Raises:
        ValueError: it is none, or a matrix has not as many numbers as it says.
    """
    text = text.lstrip("\ufeff \t\r\n")
    try:
        if text.startswith("<"):
            content = _xml(text)
        elif text.startswith("{"):
            content = parse_json(text)
        else:
            text = re.sub(r"\A%YAML[^\n]*\n", "", text)
            content = parse_yaml(re.sub(r"!!opencv-[\w-]+", "", text), only_first=True)
    except (PlainDataError, ElementTree.ParseError, RecursionError) as error:
        raise ValueError(f"not a readable OpenCV FileStorage; is it complete? ({error})") from error
    if not isinstance(content, dict):
        raise ValueError("not a readable OpenCV FileStorage; is it complete? (it has no entries)")
    return {str(key): _value(str(key), value) for key, value in content.items()}


def _xml(text: str) -> dict[str, Any]:
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise ElementTree.ParseError("it has definitions of its own, as no calibration does")
    return {child.tag: _element(child) for child in ElementTree.fromstring(text)}


def _element(element: ElementTree.Element) -> Any:
    """A mapping, a list of numbers or elements called "_", a number, or text."""
    children = list(element)
    if children and all(child.tag == "_" for child in children):
        return [_element(child) for child in children]
    if children:
        return {child.tag: _element(child) for child in children}
    words = (element.text or "").split()
    values = [_number(word) for word in words]
    return values[0] if len(values) == 1 and element.tag != "data" else values


def _number(word: str) -> Any:
    try:
        return float(word)
    except ValueError:
        return word.strip('"')


def _value(key: str, value: Any) -> Any:
    """A matrix as the list of its numbers; other values as they are."""
    if not isinstance(value, dict) or "data" not in value:
        return value
    data, sizes = value["data"], value.get("sizes", [value.get("rows"), value.get("cols")])  # of matrices of any rank
    sizes = sizes if isinstance(sizes, list) else [sizes]
    found = re.match(r"\d{1,3}", str(value.get("dt", "")).strip('"'))
    if not isinstance(data, list) or not sizes or not all(is_usable(size) for size in sizes):
        raise ValueError(f"'{key}' is no matrix of rows, cols and data")
    if math.prod(sizes) * (int(found[0]) if found else 1) != len(data):
        raise ValueError(f"'{key}' says its size is {sizes}, but has {len(data)} numbers")
    return data
