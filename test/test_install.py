"""The built wheel works wherever it is installed, finds its files, and says in one line what is not installed."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

import egorear_ros
from egorear_ros.cli import _extras

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FOLDERS = ("assets", "config", "foxglove", "launch", "rviz", "egorear_msgs/msg")
USE = """
import egorear_ros, json, sys
assert "torch" not in sys.modules
from egorear_ros import resources
import egorear_ros.bags.message_types as types
rig = egorear_ros.load_rig("ego4view")
weights = resources.find("assets/models/egorear-s.safetensors")
card = weights.with_suffix(".json").exists()
types.typestore()
print(json.dumps([egorear_ros.__file__, rig.names, str(weights), weights.stat().st_size, card]))
"""


def shipped() -> list[str]:
    """Names of the files in git that a wheel must hold, below the package's folder for them."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *FOLDERS]
    return subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built in a copy so that nothing is left in the tree."""
    copy, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).is_file() and not name.startswith(("test/", "docs/", "benchmarks/")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(out), str(copy))
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def target(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("target")
    pip("install", "--target", str(folder), str(wheel))
    return folder


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments, "--no-deps", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def python(*arguments: str, path: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in `folder` with egorear from `path` alone, although this tree is installed as editable, too."""
    environment = {name: value for name, value in os.environ.items() if name != "AMENT_PREFIX_PATH"}
    environment["PYTHONPATH"] = str(path)
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_holds_every_shared_file_and_the_marker_of_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"egorear_ros/share/{name}" for name in shipped()} <= names
    assert "egorear_ros/py.typed" in names
    assert any(name.endswith("data/share/egorear/launch/bringup.launch.py") for name in names), "for ros2 launch"


@pytest.mark.parametrize("kind", ["target", "zipped"])
def test_an_installation_elsewhere_finds_its_files(kind: str, wheel: Path, target: Path, tmp_path: Path) -> None:
    path = target if kind == "target" else wheel
    done = python("-c", USE, path=path, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    module, names, weights, size, has_card = json.loads(done.stdout)
    assert module.startswith(str(path)) and len(names) == 4 and has_card
    assert size == (ROOT / "assets/models/egorear-s.safetensors").stat().st_size
    if kind == "target":
        assert weights.startswith(str(target))
    else:
        assert not Path(weights).exists(), "the copy is removed at the end of the process"


def test_the_command_works_from_a_zipped_wheel(wheel: Path, tmp_path: Path) -> None:
    done = python("-m", "egorear_ros", "--version", path=wheel, folder=tmp_path)
    assert done.stdout == f"egorear {egorear_ros.__version__}\n", done.stderr
    assert "render-shards" in python("-m", "egorear_ros", "--help", path=wheel, folder=tmp_path).stdout


WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
from egorear_ros.cli import _node_scripts
from egorear_ros.cli.main import main
for command in {commands!r}:
    status = main(command.split()) if " " in command else getattr(_node_scripts, command)()
    print("status", status, file=sys.stderr)
"""


def test_each_command_without_its_extra_says_so_in_one_line(tmp_path: Path) -> None:
    ros, messages = _extras.ROS_REMEDY, _extras.MESSAGES_REMEDY
    expected = {
        "demo --headless": f"egorear demo: the Python package 'rclpy' is not installed: {ros}",
        "run --source=sim:0": f"egorear run: the Python package 'rclpy' is not installed: {ros}",
        "record out": f"egorear record: the Python package 'rclpy' is not installed: {ros}",
        "pose_node": f"pose_node: the Python package 'rclpy' is not installed: {ros}",
        "simulate --out o": "egorear simulate: the Python package 'numba' is not installed: pip install 'egorear[sim]'",
        "render-shards --out o": (
            "egorear render-shards: the Python package 'numba' is not installed: pip install 'egorear[sim]'"
        ),
        "evaluate --bag b --out o": "egorear evaluate: plots need the package matplotlib: pip install 'egorear[view]'",
    }
    missing = {"egorear_msgs", *_extras.ROS, *(name for names in _extras.EXTRAS.values() for name in names)}
    code = WITHOUT.format(missing=missing, commands=list(expected))
    done = python("-c", code, path=ROOT, folder=tmp_path)
    lines = done.stderr.splitlines()
    assert lines[0::2] == list(expected.values())
    assert lines[1::2] == ["status 1"] * len(expected)
    assert messages in str(_extras.explain(ModuleNotFoundError(name="egorear_msgs.msg")))
    assert not list(tmp_path.iterdir()), "nothing was begun"


def test_a_module_of_ours_that_is_missing_keeps_its_traceback() -> None:
    assert _extras.explain(ModuleNotFoundError(name="egorear_ros.nothing")) is None


def test_every_third_party_import_has_a_remedy() -> None:
    known = {*_extras.BASE, *_extras.ROS, *(name for names in _extras.EXTRAS.values() for name in names)}
    known |= {"egorear_ros", "egorear_msgs", "cv_bridge", "message_filters", *sys.stdlib_module_names}
    for path in (ROOT / "egorear_ros").rglob("*.py"):
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in item.names] if isinstance(item, ast.Import) else []
            names += [item.module or ""] if isinstance(item, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= known, path


def test_the_remedies_name_what_pyproject_has() -> None:
    extras = PROJECT["optional-dependencies"]
    modules = {"rerun": "rerun-sdk"}
    for extra, names in _extras.EXTRAS.items():
        distributions = {re.split("[><=]", item)[0] for item in extras[extra]}
        assert {modules.get(name, name) for name in names} == distributions
    assert set(_extras.BASE.values()) == {re.split("[><=]", item)[0] for item in PROJECT["dependencies"]}


def test_the_library_has_a_front_page() -> None:
    from egorear_ros.inference import PoseEstimator

    assert egorear_ros.PoseEstimator is PoseEstimator
    assert all(getattr(egorear_ros, name) is not None for name in egorear_ros.__all__)
    assert set(egorear_ros.__all__) <= set(dir(egorear_ros))
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = egorear_ros.Nothing


def test_there_is_one_version() -> None:
    assert PROJECT["dynamic"] == ["version"]
    for path in ("package.xml", "egorear_msgs/package.xml"):
        assert ElementTree.parse(ROOT / path).findtext("version") == egorear_ros.__version__, path
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == egorear_ros.__version__
