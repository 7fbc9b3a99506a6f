"""From pictures of a calibration board to a rig: lenses, poses and clocks of all cameras in one adjustment.

May import: rig, data, bags, capture. Imported by visualization and cli. No ROS.
"""

from egorear_ros.calibration.boards import AprilGrid, Board, BoardError, CharucoTarget, board_yaml, parse_board
from egorear_ros.calibration.errors import CalibrationError
from egorear_ros.calibration.folders import camera_folders, pictures_of_folders
from egorear_ros.calibration.lenses import DEFAULT_LENS, LENSES
from egorear_ros.calibration.pictures import Picture, Pictures
from egorear_ros.calibration.report import report_content
from egorear_ros.calibration.solving import Calibration, CalibrationOptions, calibrate

__all__ = [
    "DEFAULT_LENS",
    "LENSES",
    "AprilGrid",
    "Board",
    "BoardError",
    "Calibration",
    "CalibrationError",
    "CalibrationOptions",
    "CharucoTarget",
    "Picture",
    "Pictures",
    "board_yaml",
    "calibrate",
    "camera_folders",
    "parse_board",
    "pictures_of_folders",
    "report_content",
]
