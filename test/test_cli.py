"""The `egorear` command: every subcommand explains itself, user errors are one line, the doctor tells the truth."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator

import pytest

from egorear_ros.cli import doctor, main


@pytest.mark.parametrize("command", main.commands())
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.commands()[command], f"{command} has no docstring"
    with pytest.raises(SystemExit) as stop:
        main.main([command, "--help"])
    assert stop.value.code == 0
    assert f"egorear {command}" in capsys.readouterr().out


def test_help_lists_all_commands_without_loading_torch() -> None:
    code = (
        "import sys; from egorear_ros.cli.main import build_parser;"
        "print(build_parser(None).format_help()); assert 'torch' not in sys.modules"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(command in result.stdout for command in main.commands())


def test_a_user_error_is_one_line_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["rig", "nosuch"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("egorear rig: there is no rig 'nosuch'") and error.count("\n") == 1


@pytest.mark.parametrize("command", [["record", "out"], ["run"]])
def test_a_namespace_that_is_none_is_refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([*command, "--namespace=a//b"]) == 1
    assert "namespace 'a//b' is not a ROS name" in capsys.readouterr().err


def test_an_unknown_command_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as stop:
        main.main(["fly"])
    assert stop.value.code == 2


def test_rig_prints_the_fit_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["rig"]) == 0
    out = capsys.readouterr().out
    assert all(text in out for text in ("rear_right", "872x872", "0.071"))


def test_doctor_fails_only_for_what_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def findings() -> Iterator[doctor.Finding]:
        yield doctor.Finding("a", doctor.OK, "fine")
        yield doctor.Finding("b", doctor.MISSING, "not there", "get one")

    monkeypatch.setattr(doctor, "SECTIONS", {"Things": (findings,)})
    assert doctor.run(argparse.Namespace()) == 0
    broken = doctor.Finding("c", doctor.BROKEN, "burnt", "buy another")
    monkeypatch.setattr(doctor, "SECTIONS", {"Things": (findings, lambda: iter([broken]))})
    assert doctor.run(argparse.Namespace()) == 1
    out = capsys.readouterr().out
    assert "get one" in out and "buy another" in out


def test_doctor_reports_a_library_that_breaks_on_import(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def explode(name: str) -> None:
        raise OSError("libcuda.so: cannot open shared object")

    monkeypatch.setattr(doctor.importlib, "import_module", explode)
    finding = doctor._library("torch", doctor.BROKEN, "make setup")
    assert finding.state == doctor.BROKEN and "libcuda.so" in finding.detail


def test_doctor_notices_a_missing_dds_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", "/nowhere.xml")
    assert next(doctor.check_shared_memory()).state == doctor.BROKEN


def test_doctor_on_this_machine_finds_the_core_working() -> None:
    for check in (doctor.check_python, doctor.check_core, doctor.check_gpu, doctor.check_extras, doctor.check_cameras):
        for finding in check():
            assert finding.state != doctor.BROKEN, finding
