"""The report of an evaluation: a folder with report.md, report.json, plots and the worst frames as pictures."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from egorear_ros.data.frame_sets import FrameSource
from egorear_ros.datatypes import Skeleton
from egorear_ros.errors import EgorearError
from egorear_ros.evaluation.measurement import Measured
from egorear_ros.evaluation.metrics import mpjpe_mm
from egorear_ros.evaluation.tables import all_tables
from egorear_ros.rig import DEVICE_FRAME, Rig
from egorear_ros.visualization.evaluation_plots import write_plots
from egorear_ros.visualization.picture import draw_moment, titled

WORST_FRAMES = 4


def check_out(out: Path) -> None:
    """Refuse a folder that holds something, before the work.

    Raises:
        EgorearError: it exists and is no empty folder, is the current one, or lies below a file.
    """
    if out.resolve() == Path.cwd():
        raise EgorearError(f"'{out}' is the current folder, which the report would replace; name a new one")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise EgorearError(f"'{out}' is not empty; name a new folder for the report")
    above = next(folder for folder in out.resolve().parents if folder.exists())
    if not above.is_dir():
        raise EgorearError(f"'{out}' lies below '{above}', which is no folder; name another one for the report")


def write_report(
    out: Path,
    measured: Measured,
    summary: Mapping[str, Any],
    facts: Mapping[str, str],
    pictures: tuple[Rig, FrameSource] | None = None,
) -> None:
    """Write the folder; it appears complete or not at all.

    Args:
        out: a new or empty folder.
        measured: answers and truth.
        summary: its figures, from `summarize`.
        facts: what was measured: label -> text.
        pictures: cameras and images (with the views of `measured`) to show the worst frames in.

    Raises:
        EgorearError: it cannot be written.
    """
    check_out(out)
    partial = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        images = write_plots(partial, measured, summary)
        if pictures is not None:
            images.update(_write_worst(partial, measured, *pictures))
        content = {"measured": dict(facts), **summary}
        (partial / "report.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        (partial / "report.md").write_text(_markdown(facts, summary, images), encoding="utf-8")
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except OSError as error:
        raise EgorearError(f"report '{out}' cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def worst_frames(measured: Measured, count: int = WORST_FRAMES) -> list[int]:
    """Frames with the largest MPJPE of the main camera set, at most one of each sequence."""
    error = mpjpe_mm(measured.predictions[measured.main].joints_m, measured.truth_m)
    found: dict[str, int] = {}
    for i in np.argsort(-error, kind="stable"):
        found.setdefault(measured.names[i].sequence, int(i))
    return list(found.values())[:count]


def _write_worst(folder: Path, measured: Measured, rig: Rig, source: FrameSource) -> dict[str, str]:
    error = mpjpe_mm(measured.predictions[measured.main].joints_m, measured.truth_m)
    shown = {}
    for rank, i in enumerate(worst_frames(measured), start=1):
        where = f"{measured.names[i].sequence}, frame {measured.names[i].frame}".strip(", ")
        text = f"{where}: {error[i]:.0f} mm with {measured.main}"
        picture = titled(_picture(measured, i, rig, source), text)
        name = f"worst_{rank}.png"
        _write_png(folder / name, picture)
        shown[name] = f"Worst frames, {text}"
    return shown


def _picture(measured: Measured, i: int, rig: Rig, source: FrameSource) -> NDArray[np.uint8]:
    """The images the main camera set uses, with truth and estimate drawn in through the cameras as built."""
    sets = source.take(np.array([i]))
    poses = dict(zip(source.views, sets.camera_from_device[0].astype(np.float64), strict=True))
    used = zip(source.views, sets.images[0], measured.masks[measured.main], strict=True)
    skeletons = {
        "truth": _skeleton(measured.truth_m[i]),
        "estimate": _skeleton(measured.predictions[measured.main].joints_m[i]),
    }
    return draw_moment(
        rig.subset(source.views).with_extrinsics(poses),
        {view: image for view, image, there in used if there},
        skeletons,
    )


def _skeleton(joints_m: NDArray[np.float32]) -> Skeleton:
    nothing = np.zeros(len(joints_m), np.float32)
    return Skeleton(
        stamp_ns=0,
        positions_m=joints_m.astype(np.float64),
        confidence=nothing,
        covariance_m2=np.full((len(joints_m), 3, 3), np.nan, np.float32),
        valid=np.ones(len(joints_m), bool),
        views=(),
        frame_id=DEVICE_FRAME,
    )


def _write_png(path: Path, image: NDArray[np.uint8]) -> None:
    if not cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR)):
        raise EgorearError(f"picture '{path}' cannot be written")


def _markdown(facts: Mapping[str, str], summary: Mapping[str, Any], images: Mapping[str, str]) -> str:
    lines = ["# Evaluation", "", *(f"- {label}: {text}" for label, text in facts.items()), ""]
    lines += [table.markdown() for table in all_tables(dict(summary))]
    lines += [f"### {text}\n\n![{text}]({name})\n" for name, text in images.items()]
    return "\n".join(lines)
