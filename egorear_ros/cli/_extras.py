"""Optional libraries: which command line installs what is missing, as one line instead of a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from egorear_ros.errors import EgorearError

ROS_REMEDY: Final = "source a ROS 2 Jazzy (source /opt/ros/jazzy/setup.bash) or pip install 'egorear[ros]'"
MESSAGES_REMEDY: Final = (
    "build it with colcon and source install/setup.bash, or use the environment that `make` creates"
)

EXTRAS: Final[dict[str, tuple[str, ...]]] = {
    "sim": ("numba",),
    "train": ("tensorboard",),
    "engines": ("openvino", "onnxruntime", "onnx", "onnxscript"),
    "view": ("rerun", "matplotlib"),
    "export": ("pyarrow", "pygltflib"),
}
"""Extra of pyproject.toml -> the modules it installs."""

BASE: Final[dict[str, str]] = {
    "numpy": "numpy", "scipy": "scipy", "cv2": "opencv-python-headless", "yaml": "PyYAML", "PIL": "pillow",
    "torch": "torch", "safetensors": "safetensors", "rich": "rich", "rosbags": "rosbags", "pydantic": "pydantic",
    "pydantic_core": "pydantic", "annotated_types": "pydantic", "platformdirs": "platformdirs",
}  # fmt: skip
"""Module -> name under which pip knows it, of the dependencies that every installation has (except --no-deps)."""

ROS: Final = (
    "rclpy", "sensor_msgs", "std_msgs", "std_srvs", "geometry_msgs", "visualization_msgs", "diagnostic_msgs",
    "builtin_interfaces", "tf2_msgs", "rcl_interfaces", "lifecycle_msgs", "rosgraph_msgs", "ament_index_python",
    "launch", "launch_ros",
)  # fmt: skip


def explain(error: ModuleNotFoundError) -> EgorearError | None:
    """Return the error for the user, with the remedy; None if the missing module is not one of these libraries.

    Such a module is a mistake in egorear, and its traceback is needed.
    """
    module = (error.name or "").partition(".")[0]
    remedies = {name: f"pip install 'egorear[{extra}]'" for extra, names in EXTRAS.items() for name in names}
    remedies |= {name: f"pip install {distribution}" for name, distribution in BASE.items()}
    remedies |= dict.fromkeys(ROS, ROS_REMEDY) | {"egorear_msgs": MESSAGES_REMEDY}
    if module not in remedies:
        return None
    return EgorearError(f"the Python package '{module}' is not installed: {remedies[module]}")


@contextmanager
def explained() -> Iterator[None]:
    """Within this block a library that is not installed is the EgorearError of `explain`."""
    try:
        yield
    except ModuleNotFoundError as error:
        found = explain(error)
        if found is None:
            raise
        raise found from error
