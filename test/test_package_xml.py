"""package.xml names what the code imports and the launch files start, under names that rosdep knows."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[1]
ROS_MODULES = {
    "rclpy", "rcl_interfaces", "lifecycle_msgs", "builtin_interfaces", "std_msgs", "std_srvs", "sensor_msgs",
    "geometry_msgs", "visualization_msgs", "diagnostic_msgs", "tf2_msgs", "launch", "launch_ros",
    "ament_index_python", "egorear_msgs",
}  # fmt: skip
OTHERWISE_NEEDED = {
    "ros2launch", "ros2run", "ros2bag", "rosbag2_storage_mcap", "rmw_fastrtps_cpp", "rviz2", "cv_bridge",
    "message_filters", "compressed_image_transport",
}  # fmt: skip
"""Commands and plugins that launch files start, and what is imported by name where it is installed."""


def depends(path: str, *kinds: str) -> list[str]:
    found = ElementTree.parse(ROOT / path).getroot()
    return [item.text or "" for item in found if item.tag.endswith("depend") and (not kinds or item.tag in kinds)]


def imported() -> set[str]:
    modules = set()
    for path in [*(ROOT / "egorear_ros").rglob("*.py"), *(ROOT / "launch").glob("*.py")]:
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in item.names] if isinstance(item, ast.Import) else []
            names += [item.module or ""] if isinstance(item, ast.ImportFrom) else []
            modules |= {name.partition(".")[0] for name in names}
    return modules


def test_what_is_imported_is_declared_and_nothing_twice() -> None:
    declared = depends("package.xml", "exec_depend")
    assert len(declared) == len(set(declared))
    ros = {name for name in declared if not name.startswith("python3-")}
    assert ros == (imported() & ROS_MODULES) | OTHERWISE_NEEDED
    unknown = {name for name in imported() if name.endswith(("_msgs", "_srvs", "_interfaces"))} - ros
    assert not unknown - {"hri_msgs"}, "hri_msgs is optional, and there is none in Kilted"


def test_rosdep_knows_every_key() -> None:
    """The list was written by tools/rosdep_keys.py from a checkout of ros/rosdistro."""
    known = json.loads((ROOT / "test" / "data" / "rosdep_keys.json").read_text())
    wanted = {key for path in ("package.xml", "egorear_msgs/package.xml") for key in depends(path)} - {"egorear_msgs"}
    assert wanted == set(known["keys"]), "run tools/rosdep_keys.py"
    assert all(known["keys"].values()) and len(known["rosdistro"]) == 40


def main_of(name: str) -> ModuleType:
    """A linter of ament, where ROS is installed."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    return importlib.import_module(f"{name}.main")


def test_ament_flake8() -> None:
    config = ["--config", str(ROOT / "test/ament_flake8.ini")]
    errors = main_of("ament_flake8").main_with_errors(argv=[*config, str(ROOT / "egorear_ros"), str(ROOT / "launch")])
    assert errors[0] == 0, "\n".join(errors[1])


def test_ament_pep257() -> None:
    folders = [str(ROOT / "egorear_ros"), str(ROOT / "launch")]
    ignored = ["D105", "D107", "D203", "D213", "D413", "D417"]  # as in pyproject.toml
    assert main_of("ament_pep257").main(argv=["--convention", "google", "--add-ignore", *ignored, "--", *folders]) == 0


def test_ament_xmllint() -> None:
    assert main_of("ament_xmllint").main(argv=[str(ROOT / "package.xml"), str(ROOT / "egorear_msgs/package.xml")]) == 0


def test_quaternions_are_those_of_tf_transformations() -> None:
    """Ours come from scipy, which needs no ROS; the package of ROS, where it is installed, says the same."""
    transformations = pytest.importorskip("tf_transformations")
    import numpy as np
    from scipy.spatial.transform import Rotation

    from egorear_ros.rig.rigid import quaternion_xyzw

    for seed in range(20):
        matrix = np.eye(4)
        matrix[:3, :3] = Rotation.random(random_state=seed).as_matrix()
        theirs = np.array(transformations.quaternion_from_matrix(matrix))
        ours = np.array(quaternion_xyzw(matrix))
        assert min(np.abs(ours - theirs).max(), np.abs(ours + theirs).max()) < 1e-9
