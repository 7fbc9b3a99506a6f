"""OpenCV's reader of videos, for files of which nobody knows whether they are whole."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray


class VideoReader:
    """A `cv2.VideoCapture` that never raises: where OpenCV does, there is nothing more to read.

    The turn that a file asks viewers for is ignored: the calibration is that of the sensor's rows and columns.

    Args:
        path: of the file.
        backend: one of OpenCV's `CAP_...` numbers.
        options: pairs of property and value for opening.
    """

    def __init__(self, path: str, backend: int = cv2.CAP_ANY, options: Sequence[int] = ()) -> None:
        self._capture = cv2.VideoCapture()
        try:
            self._capture.open(path, backend, list(options))
            self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        except cv2.error:
            self._capture.release()

    def isOpened(self) -> bool:  # noqa: N802, OpenCV's name
        """Whether there is a video."""
        return bool(self._capture.isOpened())

    def grab(self) -> bool:
        """Go to the next frame; False where there is none that can be read."""
        try:
            return bool(self._capture.grab())
        except cv2.error:
            return False

    def retrieve(self) -> tuple[bool, NDArray[np.uint8]]:
        """Whether the frame gone to last can be decoded, and the frame, as OpenCV gives it."""
        try:
            done, image = self._capture.retrieve()
            return bool(done) and image is not None and image.size > 0, image
        except cv2.error:
            return False, np.empty(0, np.uint8)

    def read(self) -> tuple[bool, NDArray[np.uint8]]:
        """Go to the next frame and decode it."""
        return self.retrieve() if self.grab() else (False, np.empty(0, np.uint8))

    def set(self, what: int, value: float) -> bool:
        """Set a property, such as the number of the next frame; whether that was done."""
        try:
            return bool(self._capture.set(what, value))
        except cv2.error:
            return False

    def get(self, what: int) -> float:
        """A property; 0 where the video does not have it."""
        try:
            return float(self._capture.get(what))
        except cv2.error:
            return 0.0

    def release(self) -> None:
        """Close the file."""
        self._capture.release()
