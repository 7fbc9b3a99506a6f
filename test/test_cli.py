"""The `egorear` command: every subcommand explains itself, user errors are one line, the doctor tells the truth."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from egorear_ros.cli import doctor, main
from egorear_ros.cli._commands import COMMANDS
from egorear_ros.errors import EgorearError
from egorear_ros.graph.dds_profile import PROFILE_VARIABLES
from egorear_ros.result_file import write_json
from egorear_ros.visualization.evaluation_report import check_out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main.main([command, "--help"])
    assert stop.value.code == 0
    assert f"egorear {command}" in capsys.readouterr().out


def test_every_module_is_a_command_with_a_line_of_help() -> None:
    modules = {path.stem.replace("_", "-") for path in Path(main.__file__).parent.glob("[!_]*.py")} - {"main"}
    assert modules == set(COMMANDS), "cli/_commands.py must name every module of cli/ with a line of help"
    assert list(COMMANDS) == sorted(COMMANDS) and all(COMMANDS.values())


def test_help_lists_all_commands_without_loading_torch() -> None:
    code = (
        "import sys; from egorear_ros.cli.main import build_parser;"
        "print(build_parser(None).format_help()); assert 'torch' not in sys.modules"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(command in result.stdout for command in COMMANDS)


def test_a_user_error_is_one_line_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["rig", "nosuch"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("egorear rig: there is no rig 'nosuch'") and error.count("\n") == 1


@pytest.mark.parametrize("command", [["record", "out"], ["run"]])
def test_a_namespace_that_is_none_is_refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([*command, "--namespace=a//b"]) == 1
    assert "namespace 'a//b' is not a ROS name" in capsys.readouterr().err


def test_a_file_that_the_system_refuses_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(name: str) -> None:
        raise NotADirectoryError(20, "Not a directory", name)

    monkeypatch.setattr("egorear_ros.cli.rig.load_rig", refuse)
    assert main.main(["rig", "file/rig.yaml"]) == 1
    assert capsys.readouterr().err == "egorear rig: 'file/rig.yaml': Not a directory\n"


def test_results_that_could_not_be_written_are_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file.txt").write_text("")
    for path in (tmp_path, tmp_path / "file.txt" / "x.json", tmp_path / "none" / "x.json", Path()):
        for command in (["evaluate", "--data", "no-data"], ["evaluate", "--bag", "no-bag"], ["benchmark"]):
            assert main.main([*command, "--json", str(path)]) == 1
            error = capsys.readouterr().err
            assert "--json: " in error and error.count("\n") == 1
    for folder, message in (("file.txt/report", "is no folder"), (".", "not empty"), ("file.txt", "not empty")):
        assert main.main(["evaluate", "--data", "no-data", "--out", str(tmp_path / folder)]) == 1
        assert message in capsys.readouterr().err


def test_a_result_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(EgorearError, match="cannot be written: Not a directory"):
        write_json(tmp_path / "file.txt" / "x.json", {})


def test_a_benchmark_is_written_before_it_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(console: object, result: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("egorear_ros.benchmarking.session.check_names", lambda settings, engines: engines)
    monkeypatch.setattr("egorear_ros.benchmarking.session.compare", lambda settings, engines, say: {"engines": []})
    monkeypatch.setattr("egorear_ros.cli.benchmark.print_result", interrupted)
    assert main.main(["benchmark", "--json", str(tmp_path / "out.json")]) == 130
    assert (tmp_path / "out.json").read_text() == '{\n  "engines": []\n}\n'


def test_a_report_does_not_replace_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EgorearError, match="current folder"):
        check_out(Path())


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("evaluate --bag b --split val", "--split has no effect with --bag"),
        ("evaluate --bag b --training d", "--training has no effect with --bag"),
        ("evaluate --data d --engine torch", "--engine has no effect with --data"),
        ("evaluate --data d --truth-tolerance 0.1", "--truth-tolerance has no effect with --data"),
        ("simulate --out o --frames 0", "--frames must be between 1"),
        ("simulate --out o --actions walk", "--actions is for clips"),
        ("simulate --out o --quality 50", "--quality is for clips"),
        ("simulate --out o --clip --motion m.npz --actions walk", "--actions is for procedural motion"),
        ("simulate --out o --clip --workers 2", "--workers has no effect on a clip"),
        ("simulate --out o --benchmark test --quality 50", "--quality cannot be used with --benchmark"),
        ("simulate --out o --benchmark test --actions walk", "--actions cannot be used with --benchmark"),
    ],
)
def test_options_without_effect_are_refused(command: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(command.split()) == 1
    assert message in capsys.readouterr().err


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
    for name in PROFILE_VARIABLES:
        for other in PROFILE_VARIABLES:
            monkeypatch.delenv(other, raising=False)
        monkeypatch.setenv(name, "/nowhere.xml")
        assert next(doctor.check_shared_memory()).state == doctor.BROKEN


def test_doctor_on_this_machine_finds_the_core_working() -> None:
    for check in (doctor.check_python, doctor.check_core, doctor.check_gpu, doctor.check_extras, doctor.check_cameras):
        for finding in check():
            assert finding.state != doctor.BROKEN, finding


NOBODY_READS = """
import contextlib, os, sys
import egorear_ros.cli.models
from egorear_ros.cli.main import main

def run(args):
    with contextlib.suppress(OSError):
        print("nobody reads this", flush=True)
    return 0

egorear_ros.cli.models.run = run
reading, writing = os.pipe()
os.close(reading)
os.dup2(writing, 1)
sys.exit(main(["models"]))
"""


def test_what_nobody_reads_any_more_is_no_failure_at_the_end() -> None:
    """A command that goes on without its terminal leaves text behind, which Python tries to write when it ends."""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-c", NOBODY_READS]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, env=buffered)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_while_a_command_is_imported_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(name: str) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(main.importlib, "import_module", interrupted)
    assert main.main(["doctor"]) == 130
    assert capsys.readouterr().err == "stopped\n"
