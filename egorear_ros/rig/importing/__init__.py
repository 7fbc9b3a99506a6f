"""Calibrations of other programs as rigs: Kalibr, OCamCalib, ROS, OpenCV, Basalt, official EgoRear JSON.

Each module reads one format into `FoundCamera`s; `import_rig` names them, places the device frame and derives what the
files lack.
"""

from egorear_ros.rig.importing.assembling import FILE_FRAME, ImportOptions, import_rig, rig_for_comparison
from egorear_ros.rig.importing.reading import READERS, read_calibration

__all__ = ["FILE_FRAME", "READERS", "ImportOptions", "import_rig", "read_calibration", "rig_for_comparison"]
