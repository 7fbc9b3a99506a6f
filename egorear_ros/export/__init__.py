"""Skeletons and the fitted body as files of other tools, one writer per suffix.

May import: rig, datatypes, data, body, estimation, visualization. Imported by cli. No ROS.
"""

from egorear_ros.export.formats import SUFFIXES, check_output, write
from egorear_ros.export.job import Export

__all__ = ["SUFFIXES", "Export", "check_output", "write"]
