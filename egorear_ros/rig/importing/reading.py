"""Which format a calibration file has, and its cameras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from egorear_ros.plain_data import PlainDataError, parse_json, parse_yaml, read_text
from egorear_ros.rig.importing import basalt, kalibr, ocamcalib, official, opencv, ros
from egorear_ros.rig.importing.found import FoundCamera
from egorear_ros.rig.rig import RigError

READERS: Final[dict[str, Callable[[Any], list[FoundCamera]]]] = {
    "kalibr": kalibr.read_kalibr,
    "ocamcalib": ocamcalib.read_ocamcalib,
    "ros": ros.read_ros,
    "opencv": opencv.read_opencv,
    "basalt": basalt.read_basalt,
    "official": official.read_official,
}
"""Format -> reader of the file's text (OCamCalib, OpenCV) or content."""


def read_calibration(path: str | Path, format_name: str | None = None) -> tuple[str, list[FoundCamera]]:
    """Read a calibration file.

    Args:
        path: the file.
        format_name: one of READERS; None to recognise it.

    Returns:
        The format and the file's cameras, at least one.

    Raises:
        RigError: the file cannot be read, has no known format, or a mistake in it; names the file.
    """
    try:
        text = read_text(Path(path))
    except PlainDataError as error:
        raise RigError(f"calibration '{path}' {error}; expected {', '.join(READERS)}") from error
    try:
        if not text.strip():
            raise ValueError("the file is empty")
        name, content = _recognised(text, format_name)
        return name, READERS[name](content)
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise RigError(f"calibration '{path}': {reason}") from error


def _recognised(text: str, format_name: str | None) -> tuple[str, Any]:
    if format_name is not None and format_name not in READERS:
        raise ValueError(f"unknown format '{format_name}'; known are {', '.join(READERS)}")
    if format_name == "ocamcalib" or (format_name == "opencv" and opencv.is_opencv(text)):
        return str(format_name), text
    if format_name is not None:
        return format_name, _content(text)
    if opencv.is_opencv(text):
        return "opencv", text
    if "#polynomial coefficients" in text or ocamcalib.is_ocamcalib(text):
        return "ocamcalib", text
    content = _content(text)
    for name, fits in (
        ("official", official.is_official),
        ("basalt", basalt.is_basalt),
        ("kalibr", kalibr.is_kalibr),
        ("ros", ros.is_ros),
        ("opencv", opencv.is_plain),
    ):
        if fits(content):
            return name, content
    if isinstance(content, dict) and str(content.get("format", "")).startswith("egorear-rig"):
        raise ValueError("this is a rig file already; show it with `egorear rig FILE`")
    if isinstance(content, dict) and {"image_width", "camera_matrix"} & set(content):
        return "ros", content
    keys = ", ".join(list(map(str, content))[:6]) if isinstance(content, dict) else type(content).__name__
    raise ValueError(f"the format is not recognised (found {keys}); known are {', '.join(READERS)}, see --format")


def _content(text: str) -> Any:
    try:
        return parse_json(text) if text.lstrip().startswith("{") else parse_yaml(text, only_first=True)
    except PlainDataError as error:
        raise ValueError(error) from error
