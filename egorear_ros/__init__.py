"""egorear: a live 3D skeleton from the fisheye cameras of a helmet.

Everything here except `nodes/` (and the ROS half of replay) runs without ROS. Which folder may import which is written
in each folder's docstring and enforced by `test/test_import_direction.py`; frames, units and orders are in
`docs/conventions.md`.
"""

__version__ = "0.1.0"
