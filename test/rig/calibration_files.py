"""Calibration files of other programs, shared by the tests of their import."""

from __future__ import annotations

from pathlib import Path

from egorear_ros.rig import VIEWS
from egorear_ros.rig.importing import ImportOptions

DATA = Path(__file__).parents[1] / "data" / "rig_import"
FOUR = ImportOptions(names=VIEWS)
