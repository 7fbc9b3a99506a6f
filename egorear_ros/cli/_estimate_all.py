"""`egorear estimate`: which recording goes to which files, and the work itself."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from egorear_ros import resources
from egorear_ros.body import FittedBody, fit_body
from egorear_ros.cli._options import check_ranges
from egorear_ros.cli._progress import ProgressBar
from egorear_ros.cli._temporal import refinement_of
from egorear_ros.errors import EgorearError
from egorear_ros.estimation import Named, Recording, estimate_recording, open_recording, parse_sources
from egorear_ros.estimation.pipeline import Estimates
from egorear_ros.export import SUFFIXES, Export, check_output, write
from egorear_ros.export.formats import work
from egorear_ros.graph.description import DEFAULT_RIG, NAMESPACE
from egorear_ros.inference import DEFAULT_MODEL, PoseEstimator
from egorear_ros.nodes.parameter_file import node_parameters
from egorear_ros.rig import Rig, load_rig, rig_yaml
from egorear_ros.sync import config_from_parameters

DEFAULT_FORMATS = ("npz",)
HIGHEST_RATE_HZ = 1000.0


@dataclass(frozen=True)
class Task:
    """One recording and the files to write of it."""

    named: Named
    files: tuple[Path, ...]


def estimate_all(args: argparse.Namespace) -> int:
    """Estimate all recordings; one that fails is reported and the others go on."""
    if args.rate is not None:
        check_ranges(args, rate=(0.001, HIGHEST_RATE_HZ))
    given, kept = plan(parse_sources(args.sources), args.out, args.formats, args.overwrite)
    if kept:
        print(f"{kept} finished files are kept (--overwrite makes them again)")
    worker, failed = Worker(args), 0
    for task in given:
        try:
            worker.do(task)
        except EgorearError as error:
            if len(given) == 1:
                raise
            failed += 1
            print(f"egorear estimate: {task.named.name}: {error}", file=sys.stderr)
    if failed:
        raise EgorearError(f"{failed} of {len(given)} recordings failed, see above; the others are done")
    return 0


def plan(
    sources: list[Named], out: list[Path], formats: Iterable[str] | None, overwrite: bool
) -> tuple[list[Task], int]:
    """Which files are to be written of which recording, and how many are there already.

    Raises:
        EgorearError: outputs that fit neither one recording nor a folder, or cannot be written.
    """
    as_files = [path for path in out if path.suffix.lower() in SUFFIXES and not path.is_dir()]
    if as_files and len(as_files) == len(out):
        if len(sources) > 1:
            raise EgorearError(
                f"--out: '{out[0]}' is one file but there are {len(sources)} recordings; name a folder and --formats"
            )
        if formats:
            raise EgorearError("--formats has no effect when --out names files; their suffixes say the format")
        for path in out:
            check_output(path)
        return [Task(sources[0], tuple(out))], 0
    return _plan_folder(sources, _only_folder(out), _suffixes(formats), overwrite)


def _only_folder(out: list[Path]) -> Path:
    if len(out) > 1:
        wrong = next(path for path in out if path.suffix.lower() not in SUFFIXES or path.is_dir())
        raise EgorearError(f"--out: '{wrong}' is not a file ending in {', '.join(SUFFIXES)}; or name one folder alone")
    folder = out[0]
    if folder.suffix and not folder.is_dir():
        raise EgorearError(f"--out: suffix '{folder.suffix}' is not one of {', '.join(SUFFIXES)}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EgorearError(f"--out: folder '{folder}' cannot be made: {error.strerror}") from error
    return folder


def _suffixes(formats: Iterable[str] | None) -> list[str]:
    chosen = [f".{name.lower().removeprefix('.')}" for name in formats or DEFAULT_FORMATS]
    unknown = [suffix for suffix in chosen if suffix not in SUFFIXES]
    if unknown:
        raise EgorearError(f"--formats: '{unknown[0]}' is not one of {', '.join(SUFFIXES)}")
    return list(dict.fromkeys(chosen))


def _plan_folder(sources: list[Named], folder: Path, suffixes: list[str], overwrite: bool) -> tuple[list[Task], int]:
    names: dict[str, Named] = {}
    tasks, kept = [], 0
    for named in sources:
        if named.name in names:
            raise EgorearError(f"two recordings are named '{named.name}'; write them to different folders")
        names[named.name] = named
        files = tuple(folder / f"{named.name}{suffix}" for suffix in suffixes)
        for path in files:
            check_output(path)
        missing = tuple(path for path in files if overwrite or not path.exists())
        kept += len(files) - len(missing)
        if missing:
            tasks.append(Task(named, missing))
    return tasks, kept


class Worker:
    """Estimates recordings one after the other; a network is loaded once for all that share a rig."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        file = Path(args.params_file or resources.find("config/egorear.yaml"))
        self._pose = node_parameters(file, f"/{NAMESPACE}/pose")
        self._sync = node_parameters(file, f"/{NAMESPACE}/synchronizer")
        self._model: str = args.model or self._pose.get("model", DEFAULT_MODEL)
        self._rig: Rig | None = load_rig(args.rig) if args.rig else None
        self._loaded: tuple[str, PoseEstimator] | None = None

    def do(self, task: Task) -> None:
        """Estimate a recording and write its files."""
        default = self._rig or load_rig(DEFAULT_RIG)
        recording = open_recording(task.named, self._views(default), self._args.rate or 0.0)
        rig = self._rig or recording.rig
        if recording.remark:
            print(f"{recording.name}: {recording.remark}", file=sys.stderr)
        sync = config_from_parameters(recording.views, self._sync)
        with ProgressBar(f"{recording.name}: load the model") as bar:
            estimator = self._estimator(rig)
            started = time.perf_counter()
            bar.begin(f"{recording.name}: frames", recording.total)
            refine = refinement_of(self._args, self._pose, estimator, self._model)
            estimates = estimate_recording(recording, estimator, sync, bar.advance, refine)
            bar.begin(f"{recording.name}: body", len(estimates.sequence))
            body = fit_body(estimates.sequence, progress=bar.advance)
            seconds = time.perf_counter() - started
            export = Export(recording, sync, rig or default, estimates.skeletons, estimates.times_ns, body, self._model)
            bar.begin(f"{recording.name}: files", max(1, work(task.files, export)))
            for path in task.files:
                write(path, export, bar.advance)
        self._report(recording, estimates, body, seconds, task.files)

    def _views(self, rig: Rig) -> tuple[str, ...]:
        return rig.subset(self._args.views).names if self._args.views else rig.names

    def _estimator(self, rig: Rig | None) -> PoseEstimator:
        key = rig_yaml(rig) if rig is not None else ""
        if self._loaded is None or self._loaded[0] != key:
            device = self._args.device or self._pose.get("device", "auto")
            engine = self._args.engine or self._pose.get("engine", "auto")
            estimator = PoseEstimator.from_pretrained(self._model, device, engine, rig=rig)
            estimator.warm_up()
            self._loaded = key, estimator
        return self._loaded[1]

    def _report(
        self, recording: Recording, estimates: Estimates, body: FittedBody, seconds: float, files: tuple[Path, ...]
    ) -> None:
        count, error = len(body.sequence), body.error()
        duration_s = float(body.sequence.times_s[-1]) + body.sequence.period_s
        print(
            f"{recording.name}: {count} skeletons in {seconds:.1f} s ({count / seconds:.1f} frames/s, "
            f"{duration_s / seconds:.1f} x real time)"
        )
        print(f"  body to free joints: mean {error.mean_mm:.1f} mm, 95% below {error.p95_mm:.1f} mm")
        for fault in estimates.rig_faults:
            print(f"  the images do not fit the rig file: {fault.text}")
        for reason, times in sorted(estimates.problems.items()):
            print(f"  not usable, {times} times: {reason}")
        for path in files:
            print(f"  {path}")
