"""Calibration boards: ChArUco and AprilGrid, their description as text or YAML, their corners and their pattern."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from egorear_ros.errors import EgorearError

DICTIONARIES: Final = (
    "4X4_50", "4X4_100", "4X4_250", "4X4_1000", "5X5_50", "5X5_100", "5X5_250", "5X5_1000",
    "6X6_50", "6X6_100", "6X6_250", "6X6_1000",
)  # fmt: skip
"""Marker dictionaries of OpenCV for ChArUco boards."""

APRIL_FAMILY: Final = "APRILTAG_36H11"
APRIL_BITS, APRIL_BORDER = 6, 2
"""Kalibr's AprilGrid: 6 x 6 bits and a black border of two bits."""

LARGEST_SIDE = 40
LARGEST_M = 10.0


class BoardError(EgorearError):
    """A board that cannot be, or a file that does not describe one."""


@dataclass(frozen=True)
class Board(ABC):
    """A flat target with corners of known number and place.

    Board frame: x right and y down on the pattern, z into the board, origin at the pattern's top left corner.

    Attributes:
        cols, rows: squares of a ChArUco board, tags of an AprilGrid.
    """

    cols: int
    rows: int

    kind: ClassVar[str]

    @property
    @abstractmethod
    def corners_m(self) -> NDArray[np.float64]:
        """(N, 3) metres, in the order of the corners' numbers; z is 0."""

    @property
    @abstractmethod
    def pitch_m(self) -> float:
        """Distance of neighbouring corners, metres."""

    @abstractmethod
    def modules(self) -> tuple[NDArray[np.bool_], float]:
        """The pattern: (H, W) True where black, and the side of one such cell in metres."""

    @abstractmethod
    def text(self) -> str:
        """One line that `parse_board` reads back."""

    @property
    def size_m(self) -> tuple[float, float]:
        """Width and height of the pattern, metres."""
        cells, side = self.modules()
        return cells.shape[1] * side, cells.shape[0] * side

    def _check(self, lengths: dict[str, float]) -> None:
        if not (2 <= self.cols <= LARGEST_SIDE and 2 <= self.rows <= LARGEST_SIDE):
            raise BoardError(f"a board needs 2 to {LARGEST_SIDE} columns and rows, got {self.cols} x {self.rows}")
        for name, value in lengths.items():
            if not 0 < value < LARGEST_M:
                raise BoardError(f"{name} of the board must be a length in metres (0 to {LARGEST_M:g}), got {value}")


@dataclass(frozen=True)
class CharucoTarget(Board):
    """A chessboard with a marker in every white square; its corners are the inner corners of the squares.

    Attributes:
        square_m, marker_m: sides of a square and of a marker, metres.
        dictionary: of the markers, one of `DICTIONARIES`.
        legacy: the pattern of OpenCV before 4.6, which begins with a white square if the number of rows is even.
    """

    square_m: float
    marker_m: float
    dictionary: str = "4X4_250"
    legacy: bool = False

    kind: ClassVar[str] = "charuco"

    def __post_init__(self) -> None:
        """Raise BoardError for a board that cannot be."""
        self._check({"square": self.square_m, "marker": self.marker_m})
        if self.marker_m >= self.square_m:
            raise BoardError(
                f"the marker ({self.marker_m} m) must be smaller than the square ({self.square_m} m) around it"
            )
        if self.dictionary not in DICTIONARIES:
            raise BoardError(f"dictionary '{self.dictionary}' is unknown; known are {', '.join(DICTIONARIES)}")
        markers, there = self.cols * self.rows // 2, int(self.dictionary.split("_")[1])
        if markers > there:
            raise BoardError(
                f"a board of {self.cols} x {self.rows} needs {markers} markers, {self.dictionary} has {there}"
            )

    @cached_property
    def opencv(self) -> Any:
        """The board as OpenCV's `CharucoBoard`."""
        dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f"DICT_{self.dictionary}"))
        board = cv2.aruco.CharucoBoard((self.cols, self.rows), self.square_m, self.marker_m, dictionary)
        board.setLegacyPattern(self.legacy)
        return board

    @property
    def corners_m(self) -> NDArray[np.float64]:
        """See `Board.corners_m`."""
        return np.asarray(self.opencv.getChessboardCorners(), np.float64)

    @property
    def pitch_m(self) -> float:
        """See `Board.pitch_m`."""
        return self.square_m

    def modules(self) -> tuple[NDArray[np.bool_], float]:
        """See `Board.modules`; the marker is drawn with the nearest share of the square that fits whole cells."""
        bits = int(self.dictionary[0]) + 2
        margin = max(1, round((self.square_m / self.marker_m - 1) * bits / 2))
        cells = bits + 2 * margin
        dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f"DICT_{self.dictionary}"))
        drawn = cv2.aruco.CharucoBoard((self.cols, self.rows), float(cells), float(bits), dictionary)
        drawn.setLegacyPattern(self.legacy)
        image = drawn.generateImage((self.cols * cells, self.rows * cells), marginSize=0)
        return image < 128, self.square_m / cells

    def text(self) -> str:
        """See `Board.text`."""
        legacy = ",legacy=yes" if self.legacy else ""
        return (
            f"charuco:{self.cols}x{self.rows},square={self.square_m:g},marker={self.marker_m:g},"
            f"dictionary={self.dictionary}{legacy}"
        )


@dataclass(frozen=True)
class AprilGrid(Board):
    """Kalibr's AprilGrid: tags of the family 36h11 with black squares where their corners meet.

    Tag 0 is at the bottom left, numbers grow to the right, then upward. The corners are the corners of the tags, four
    for each tag: top left, top right, bottom right, bottom left.

    Attributes:
        tag_m: side of a tag with its black border, metres.
        spacing: gap between tags as a share of a tag's side (Kalibr's tagSpacing).
    """

    tag_m: float
    spacing: float = 0.3

    kind: ClassVar[str] = "aprilgrid"

    def __post_init__(self) -> None:
        """Raise BoardError for a board that cannot be."""
        self._check({"tag": self.tag_m})
        if not 0 < self.spacing <= 1:
            raise BoardError(f"the spacing of tags is a share of their side (0 to 1), got {self.spacing}")
        if self.cols * self.rows > 587:
            raise BoardError(
                f"an AprilGrid of {self.cols} x {self.rows} needs more than the 587 tags of the family 36h11"
            )

    @property
    def corners_m(self) -> NDArray[np.float64]:
        """See `Board.corners_m`."""
        row, col = np.divmod(np.arange(self.cols * self.rows), self.cols)
        pitch, gap = self.tag_m * (1 + self.spacing), self.tag_m * self.spacing
        left_top = np.stack([gap + pitch * col, gap + pitch * (self.rows - 1 - row)], -1)
        square = self.tag_m * np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
        flat = (left_top[:, None] + square).reshape(-1, 2)
        return np.concatenate([flat, np.zeros((len(flat), 1))], -1)

    @property
    def pitch_m(self) -> float:
        """See `Board.pitch_m`."""
        return self.tag_m * self.spacing

    def modules(self) -> tuple[NDArray[np.bool_], float]:
        """See `Board.modules`; the gap is drawn with the nearest whole number of cells."""
        side = APRIL_BITS + 2 * APRIL_BORDER
        gap = max(1, round(self.spacing * side))
        dictionary = april_dictionary()
        cells = np.zeros((self.rows * (side + gap) + gap, self.cols * (side + gap) + gap), bool)
        for tag in range(self.cols * self.rows):
            row, col = divmod(tag, self.cols)
            y, x = gap + (self.rows - 1 - row) * (side + gap), gap + col * (side + gap)
            drawn = cv2.aruco.generateImageMarker(dictionary, tag, side, borderBits=APRIL_BORDER)
            cells[y : y + side, x : x + side] = drawn < 128
            for dy, dx in ((-gap, -gap), (-gap, side), (side, -gap), (side, side)):
                cells[y + dy : y + dy + gap, x + dx : x + dx + gap] = True
        return cells, self.tag_m / side

    def text(self) -> str:
        """See `Board.text`."""
        return f"aprilgrid:{self.cols}x{self.rows},tag={self.tag_m:g},spacing={self.spacing:g}"


def april_dictionary() -> Any:
    """OpenCV's dictionary of the family 36h11."""
    return cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f"DICT_{APRIL_FAMILY}"))


CHARUCO_KEYS: Final = {"square": "square_m", "marker": "marker_m", "dictionary": "dictionary", "legacy": "legacy"}
APRIL_KEYS: Final = {"tag": "tag_m", "spacing": "spacing"}
YAML_KEYS: Final = {
    "charuco": {"cols": "cols", "rows": "rows", "squareSize": "square_m", "markerSize": "marker_m",
                "dictionary": "dictionary", "legacy": "legacy"},
    "aprilgrid": {"tagCols": "cols", "tagRows": "rows", "tagSize": "tag_m", "tagSpacing": "spacing"},
}  # fmt: skip
"""Kalibr's names of the AprilGrid; ChArUco, which Kalibr lacks, in their manner."""

KINDS: Final[dict[str, type[Board]]] = {"charuco": CharucoTarget, "aprilgrid": AprilGrid}


def parse_board(text: str) -> Board:
    """Read a board: a YAML file, or a line such as `charuco:8x6,square=0.03,marker=0.0225,dictionary=4X4_250`.

    Raises:
        BoardError: no such file, or something in it is wrong.
    """
    if text.endswith((".yaml", ".yml")):
        return load_board(Path(text))
    kind, _, rest = text.partition(":")
    size, *fields = rest.split(",")
    keys = {"charuco": CHARUCO_KEYS, "aprilgrid": APRIL_KEYS}.get(kind)
    cols, _, rows = size.partition("x")
    if keys is None or not (cols.isdecimal() and rows.isdecimal()):
        raise BoardError(
            f"board '{text}' is neither a .yaml file nor like charuco:8x6,square=0.03,marker=0.0225 or "
            "aprilgrid:6x6,tag=0.088,spacing=0.3 (metres)"
        )
    values: dict[str, Any] = {"cols": int(cols), "rows": int(rows)}
    for field in fields:
        name, _, value = field.partition("=")
        if name not in keys:
            raise BoardError(f"board '{text}': '{name}' is unknown; known are {', '.join(keys)}")
        values[keys[name]] = _value(keys[name], value, f"board '{text}'")
    return _build(kind, values, f"board '{text}'")


def load_board(path: Path) -> Board:
    """Read a board's YAML: what `egorear calibrate target` writes, or Kalibr's AprilGrid.

    Raises:
        BoardError: the file cannot be read, or something in it is wrong.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BoardError(f"board file '{path}' cannot be read: {error}") from error
    kind = content.get("target_type") if isinstance(content, dict) else None
    if kind not in YAML_KEYS:
        raise BoardError(f"board file '{path}': target_type must be one of {', '.join(YAML_KEYS)}, got {kind!r}")
    keys = YAML_KEYS[kind]
    unknown = sorted(str(key) for key in content if key not in keys and key != "target_type")
    if unknown:
        raise BoardError(f"board file '{path}': field '{unknown[0]}' is unknown; known are {', '.join(keys)}")
    values = {
        keys[key]: _value(keys[key], value, f"board file '{path}'") for key, value in content.items() if key in keys
    }
    return _build(kind, values, f"board file '{path}'")


def board_yaml(board: Board) -> str:
    """The board as the YAML that `load_board` reads."""
    values = asdict(board)
    content = {key: values[name] for key, name in YAML_KEYS[board.kind].items()}
    return yaml.safe_dump({"target_type": board.kind, **content}, sort_keys=False)


def _value(name: str, value: Any, where: str) -> Any:
    if name == "dictionary":
        return str(value).upper().removeprefix("DICT_")
    if name == "legacy":
        return str(value).lower() in {"true", "yes", "1"}
    try:
        return int(value) if name in {"cols", "rows"} else float(value)
    except (TypeError, ValueError) as error:
        raise BoardError(f"{where}: {name} must be a number, got {value!r}") from error


def _build(kind: str, values: dict[str, Any], where: str) -> Board:
    try:
        return KINDS[kind](**values)
    except TypeError as error:
        raise BoardError(f"{where}: a field is missing ({error})") from error
    except BoardError as error:
        raise BoardError(f"{where}: {error}") from error
