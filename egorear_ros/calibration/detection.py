"""Finding the board in a picture, with OpenCV's marker detectors."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.calibration.boards import APRIL_BORDER, AprilGrid, Board, CharucoTarget, april_dictionary
from egorear_ros.calibration.views import Floats, Grey, Ids

LEAST_CORNERS = 6
CORNER_STOP = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.01)
NOTHING: tuple[Ids, Floats] = (np.empty(0, np.int64), np.empty((0, 2)))


class BoardDetector:
    """Finds the corners of one board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        parameters = cv2.aruco.DetectorParameters()
        parameters.adaptiveThreshWinSizeMin, parameters.adaptiveThreshWinSizeMax = 3, 23
        parameters.adaptiveThreshWinSizeStep = 5
        parameters.minMarkerPerimeterRate = 0.01  # the rim of a fisheye shows markers small
        self._detect = self._charuco(board, parameters) if isinstance(board, CharucoTarget) else self._april(parameters)

    def detect(self, grey: Grey) -> tuple[Ids, Floats]:
        """Find the board.

        Args:
            grey: (H, W).

        Returns:
            (M,) numbers of the corners and (M, 2) pixels with (0, 0) at the picture's corner; M is 0 if there are fewer
            than 6 or all lie on one line.
        """
        ids, pixels = self._detect(grey)
        return (ids, pixels) if self._enough(ids) else NOTHING

    def _enough(self, ids: Ids) -> bool:
        if len(ids) < LEAST_CORNERS:
            return False
        places = self._board.corners_m[ids, :2]
        spread = np.linalg.svd(places - places.mean(0), compute_uv=False)
        return bool(spread[1] > 0.5 * self._board.pitch_m)

    def _charuco(self, board: CharucoTarget, parameters: Any) -> Any:
        options = cv2.aruco.CharucoParameters()
        options.minMarkers = 1
        detector = cv2.aruco.CharucoDetector(board.opencv, options, parameters)

        def detect(grey: Grey) -> tuple[Ids, Floats]:
            corners, ids, _, _ = detector.detectBoard(grey)
            if ids is None or not len(ids):
                return NOTHING
            return np.asarray(ids, np.int64).ravel(), np.asarray(corners, float).reshape(-1, 2) + 0.5

        return detect

    def _april(self, parameters: Any) -> Any:
        parameters.markerBorderBits = APRIL_BORDER
        detector = cv2.aruco.ArucoDetector(april_dictionary(), parameters)

        def detect(grey: Grey) -> tuple[Ids, Floats]:
            quads, tags, _ = detector.detectMarkers(grey)
            if tags is None:
                return NOTHING
            numbers, corners = np.asarray(tags, np.int64).ravel(), np.asarray(quads, float).reshape(-1, 4, 2)
            known = numbers < self._board.cols * self._board.rows
            return self._tag_corners(grey, numbers[known], corners[known])

        return detect

    def _tag_corners(self, grey: Grey, tags: Ids, quads: Floats) -> tuple[Ids, Floats]:
        """Corners of tags in the board's order: how tags are turned on the paper differs between printers of grids."""
        if len(tags) < 2:
            return NOTHING
        ids = (4 * tags[:, None] + np.arange(4)).ravel()
        turned = [np.roll(quads, turn, axis=1).reshape(-1, 2) for turn in range(4)]
        pixels = min(turned, key=lambda corners: self._misfit(ids, corners))
        reach = max(2, min(5, round(0.1 * float(np.sqrt(cv2.contourArea(quads[0].astype(np.float32)))))))
        found = cv2.cornerSubPix(
            grey, pixels.astype(np.float32).reshape(-1, 1, 2), (reach, reach), (-1, -1), CORNER_STOP
        )
        return ids, found.reshape(-1, 2).astype(float) + 0.5

    def _misfit(self, ids: Ids, pixels: Floats) -> float:
        """How badly a flat view of the board explains corners; a lens that bends it changes little about that."""
        assert isinstance(self._board, AprilGrid)
        places = self._board.corners_m[ids, :2]
        found, _ = cv2.findHomography(places, pixels)
        if found is None:
            return np.inf
        seen = cv2.perspectiveTransform(places[None], found)[0]
        return float(np.median(np.linalg.norm(seen - pixels, axis=-1)))


def grey_of(image: NDArray[np.uint8]) -> Grey:
    """(H, W) of an (H, W, 3) RGB image."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
