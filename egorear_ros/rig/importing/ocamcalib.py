"""OCamCalib's calib_results.txt: polynomials, centre as row and column, affine part, height and width."""

from __future__ import annotations

from typing import Any

from egorear_ros.rig.fields import MOST, is_usable
from egorear_ros.rig.importing.found import FoundCamera
from egorear_ros.rig.ocam import OCamModel, max_angle_of_circle, usable_radius
from egorear_ros.rig.view_range import half_diagonal


def is_ocamcalib(text: str) -> bool:
    """Whether a text has the form of calib_results.txt: numbers, and comments after #."""
    lines = _number_lines(text)
    return len(lines) >= 2 and all(_is_number(token) for line in lines for token in line)


def read_ocamcalib(text: str) -> list[FoundCamera]:
    """Return the file's camera.

    Raises:
        ValueError: a part is missing, has another length than it says, or is not a lens.
    """
    lines = _number_lines(text)
    rays = _polynomial(lines, 0, "direct polynomial (ss)")
    inverse = _polynomial(lines, 1, "inverse polynomial (invpol)")
    row, column = _numbers(lines, 2, 'center ("row" and "column")', 2)
    c, d, e = _numbers(lines, 3, 'affine parameters "c", "d", "e"', 3)
    height, width = _numbers(lines, 4, 'image size ("height" and "width")', 2)
    if len(lines) > 5:
        raise ValueError(f"unexpected numbers after the image size: {' '.join(lines[5])}")
    if min(height, width) < 1 or height != int(height) or width != int(width):
        raise ValueError(f"image size must be two positive whole numbers, got {height} and {width}")
    radius = min(usable_radius(rays, inverse, int(width)), half_diagonal(int(width), int(height)))
    if not radius > 0 or rays[0] >= 0:
        raise ValueError("the direct polynomial must begin with a negative number and agree with the inverse one")
    lens = OCamModel(
        int(width),
        int(height),
        (column, row),
        radius,
        max_angle_of_circle(rays, radius),
        ray_polynomial=rays,
        radius_polynomial=inverse,
        affine=(c, d, e),
    )
    return [FoundCamera("the camera", "", lens)]


def _number_lines(text: str) -> list[list[str]]:
    lines = (line.split("#")[0].split() for line in text.splitlines())
    return [line for line in lines if line]


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True


def _polynomial(lines: list[list[str]], index: int, what: str) -> tuple[float, ...]:
    values = _numbers(lines, index, what, None)
    count = values[0]
    if count != int(count) or len(values) - 1 != count:
        raise ValueError(f"{what}: says {count:g} coefficients, has {len(values) - 1}")
    return values[1:]


def _numbers(lines: list[list[str]], index: int, what: str, count: int | None) -> tuple[float, ...]:
    if index >= len(lines):
        raise ValueError(f"the file ends before the {what}; is it complete?")
    tokens: list[Any] = lines[index]
    if not all(_is_number(token) and is_usable(float(token)) for token in tokens):
        raise ValueError(f"{what}: expected finite numbers, got {' '.join(tokens)}")
    if count is None and len(tokens) > MOST:
        raise ValueError(f"{what}: {len(tokens)} numbers, expected at most {MOST}")
    if count is not None and len(tokens) != count:
        raise ValueError(f"{what}: expected {count} numbers, got {len(tokens)}")
    return tuple(float(token) for token in tokens)
