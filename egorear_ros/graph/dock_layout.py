"""The dock layout of RViz's window, in the bytes that Qt's `QMainWindow::restoreState` reads. Imports no Qt.

RViz keeps them in hexadecimal under `QMainWindow State`. Only names and proportions matter when they are read: Qt takes
minimum sizes from the panels themselves. Format: `QMainWindowLayoutState::saveState` of Qt 5 (format version 0); the
tests compare with bytes that Qt 5.15 saved.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SEPARATOR_PX: Final = 6
TOP_PX: Final = 62
"""Menu bar and tool bar, above the docks."""
STATUS_BAR_PX: Final = 28
LEFT_PX: Final = 240
COLUMN_PX: Final = 240
"""Width of a column of images: four images, the displays and the 3D view fit a window of 1280 px."""

_LEFT, _RIGHT, _TOP = 0, 1, 2
_HORIZONTAL, _VERTICAL = 1, 2
_DOCKS, _SEQUENCE, _DOCK, _TOOL_BARS = b"\xfd", b"\xfc", b"\xfb", b"\xfc"
_VISIBLE = b"\x01"
_LARGEST = 0x00FFFFFF
_HEADER = struct.pack(">ii", 0xFF, 0)
_CORNERS = struct.pack(">4i", 4, 4, 8, 8)
"""The left and the right area reach into the window's corners."""


@dataclass(frozen=True)
class Window:
    """A main window with panels on the left and columns of panels on the right.

    Attributes:
        left: names of the panels on the left, from top to bottom.
        columns: names of the panels on the right, column by column.
        width: of the window, pixels.
        height: of the window without its frame, pixels.
    """

    left: Sequence[str]
    columns: Sequence[Sequence[str]]
    width: int
    height: int

    def state(self) -> str:
        """What `saveState` gives for this window, in hexadecimal."""
        height = self.height - TOP_PX - STATUS_BAR_PX
        right_px = _total(COLUMN_PX, len(self.columns))
        center_px = self.width - LEFT_PX - right_px - 2 * SEPARATOR_PX
        columns = b"".join(
            _SEQUENCE + _place(center_px + LEFT_PX + 2 * SEPARATOR_PX + index * (COLUMN_PX + SEPARATOR_PX), COLUMN_PX)
            + _stack(names, height)
            for index, names in enumerate(self.columns)
        )  # fmt: skip
        row = _SEQUENCE + _place(TOP_PX, height) + _sequence(_HORIZONTAL, len(self.columns)) + columns
        areas = [
            struct.pack(">3i", _LEFT, LEFT_PX, height) + _stack(self.left, height),
            struct.pack(">3i", _RIGHT, right_px, height) + _sequence(_VERTICAL, 1) + row,
        ]
        docks = _DOCKS + struct.pack(">i", len(areas)) + b"".join(areas)
        return (_HEADER + docks + struct.pack(">2i", center_px, height) + _CORNERS + _tool_bars()).hex()


def image_columns(views: Sequence[str]) -> list[list[str]]:
    """Cameras in one or two columns: the left ones of a rig that counts from left to right on the left."""
    return [list(views[start::2]) for start in range(min(2, len(views)))]


def _stack(names: Sequence[str], height: int) -> bytes:
    """Panels of equal height from top to bottom."""
    each = (height - SEPARATOR_PX * (len(names) - 1)) // len(names)
    panels = (
        _DOCK + _text(name) + _VISIBLE + _place(TOP_PX + index * (each + SEPARATOR_PX), each)
        for index, name in enumerate(names)
    )
    return _sequence(_VERTICAL, len(names)) + b"".join(panels)


def _sequence(orientation: int, count: int) -> bytes:
    return _SEQUENCE + struct.pack(">Bi", orientation, count)


def _place(position: int, size: int) -> bytes:
    return struct.pack(">4i", position, size, 0, _LARGEST)


def _tool_bars() -> bytes:
    """RViz's only tool bar, at the top."""
    return (
        _TOOL_BARS
        + struct.pack(">3i", 1, _TOP, 1)
        + _text("Tools")
        + _VISIBLE
        + struct.pack(">4i", 0, -1, 0, 0)
    )  # fmt: skip


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return struct.pack(">i", len(data)) + data


def _total(each: int, count: int) -> int:
    return count * each + (count - 1) * SEPARATOR_PX
