"""Shipped files are found wherever egorear is installed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from egorear_ros import resources
from egorear_ros.errors import EgorearError


def test_the_checkout_comes_first() -> None:
    assert resources.find("config/rigs/ego4view.yaml") == Path(__file__).parents[1] / "config/rigs/ego4view.yaml"


def test_what_is_missing_is_named_with_the_folders_searched() -> None:
    with pytest.raises(EgorearError, match=r"'config/none.yaml' is not in this installation of egorear \(searched: /"):
        resources.find("config/none.yaml")


def test_without_built_messages_the_packages_own_copy_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "__file__", str(tmp_path / "egorear_ros" / "resources.py"))  # no checkout
    monkeypatch.setattr(resources, "files", lambda package: tmp_path / package)
    monkeypatch.setattr("sys.prefix", str(tmp_path / "python"))
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    (texts := tmp_path / "egorear_ros" / "share" / "egorear_msgs" / "msg").mkdir(parents=True)
    assert resources.find("msg", resources.MESSAGES) == texts
    (built := tmp_path / "share" / "egorear_msgs" / "msg").mkdir(parents=True)
    assert resources.find("msg", resources.MESSAGES) == built, "built messages come first"


def test_files_of_a_zipped_package_are_copied_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "egorear.whl", "w") as wheel:
        wheel.writestr("egorear_ros/share/config/rigs/mine.yaml", "lens")
        wheel.writestr("egorear_ros/share/config/top.yaml", "top")
    monkeypatch.setattr(resources, "__file__", str(tmp_path / "egorear.whl" / "egorear_ros" / "resources.py"))
    monkeypatch.setattr(resources, "files", lambda package: zipfile.Path(tmp_path / "egorear.whl", f"{package}/"))
    resources._unpacked.cache_clear()
    try:
        assert resources.find("config/rigs/mine.yaml").read_text() == "lens"
        assert resources.find("config") == resources.find("config/top.yaml").parent
    finally:
        resources._unpacked.cache_clear()
