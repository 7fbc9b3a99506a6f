"""The tables of an evaluation: one list of rows for the console, for Markdown, and whoever else prints them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from egorear_ros.evaluation.pose_table import PCK
from egorear_ros.skeleton import GROUPS

MOST_ROWS = 30

FIGURES = {
    "mpjpe_mm": "MPJPE (mm)",
    "pa_mpjpe_mm": "PA-MPJPE (mm)",
    PCK: "PCK 150 mm (%)",
    "auc_percent": "AUC (%)",
}
"""Figures of a `pose_table` with their headings."""


@dataclass(frozen=True)
class Table:
    """A title, column headings, and rows of text; the first column is left-aligned."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def markdown(self) -> str:
        """As GitHub's Markdown."""
        lines = [self.columns, ["---", *["---:"] * (len(self.columns) - 1)], *self.rows]
        text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"### {self.title}\n\n{text}\n" + (f"\n{self.note}\n" if self.note else "")


def error_table(summary: dict[str, Any]) -> Table:
    """One row per camera set and per baseline."""
    rows = [
        [name, *(f"{figures[key]:.1f}" for key in FIGURES)]
        for name, figures in {**summary["view_sets"], **summary["baselines"]}.items()
    ]
    return Table("Errors", ["answered from", *FIGURES.values()], rows, _compared(summary["compared"]))


def group_table(summary: dict[str, Any]) -> Table:
    """MPJPE in the columns of the paper's tables."""
    rows = [
        [name, *(f"{figures['per_group_mm'][group]:.1f}" for group in GROUPS)]
        for name, figures in {**summary["view_sets"], **summary["baselines"]}.items()
    ]
    return Table("MPJPE per joint group (mm)", ["answered from", *GROUPS], rows)


def visibility_table(summary: dict[str, Any]) -> Table | None:
    """Seen and hidden joints per group, of the main camera set; None where visibility is not known."""
    found = summary["view_sets"][summary["main"]]["visibility"]
    if found is None:
        return None
    rows = [
        [group, *(_text(entry[key]) for key in ("seen_percent", "seen_mm", "hidden_mm"))]
        for group, entry in found.items()
    ]
    title = f"Seen and hidden joints, {summary['main']}"
    columns = ["joints", "seen by a used view (%)", "MPJPE seen (mm)", "MPJPE hidden (mm)"]
    return Table(title, columns, rows)


def confidence_table(summary: dict[str, Any]) -> Table | None:
    """Tenths of all joints from the surest; None where the network predicts no deviation."""
    if summary["calibration"] is None:
        return None
    keys = ("confidence_percent", "near_percent", "std_mm", "error_mm")
    rows = [
        [str(i + 1), *(f"{part[key]:.1f}" for key in keys)] for i, part in enumerate(summary["calibration"]["deciles"])
    ]
    monotone = "rises from each tenth to the next" if summary["calibration"]["monotone"] else "does not always rise"
    columns = ["tenth", "confidence (%)", "within 10 cm (%)", "predicted std per axis (mm)", "error (mm)"]
    return Table("Confidence, from the surest tenth of all joints", columns, rows, f"The error {monotone}.")


def interval_table(summary: dict[str, Any]) -> Table | None:
    """How many coordinates lie inside their intervals; None where the network predicts no deviation."""
    if summary["calibration"] is None:
        return None
    whole = summary["calibration"]["coverage_percent"]
    covered = {"all": whole, **summary["calibration"]["coverage_per_group"]}
    rows = [[name, *(f"{entry[percent]:.1f}" for percent in whole)] for name, entry in covered.items()]
    columns = ["joints", *(f"{percent} % interval" for percent in whole)]
    return Table("Coordinates inside their interval (%)", columns, rows)


def part_tables(summary: dict[str, Any]) -> list[Table]:
    """Errors per action and per sequence, where the data name them; the worst first."""
    tables = []
    for key, what in (("per_action", "action"), ("per_sequence", "sequence")):
        parts = sorted(summary[key].items(), key=lambda item: -item[1]["mpjpe_mm"])
        if parts:
            rows = [
                [name, str(part["frames"]), f"{part['mpjpe_mm']:.1f}", f"{part['pa_mpjpe_mm']:.1f}"]
                for name, part in parts[:MOST_ROWS]
            ]
            note = f"The {MOST_ROWS} worst of {len(parts)}; all are in report.json." if len(parts) > MOST_ROWS else ""
            columns = [what, "frames", "MPJPE (mm)", "PA-MPJPE (mm)"]
            tables.append(Table(f"Per {what}, {summary['main']}", columns, rows, note))
    return tables


def all_tables(summary: dict[str, Any]) -> list[Table]:
    """Every table there is data for, the important ones first."""
    tables = [error_table(summary), group_table(summary), visibility_table(summary), confidence_table(summary)]
    tables += [interval_table(summary), *part_tables(summary)]
    return [table for table in tables if table is not None]


def _compared(compared: dict[str, float]) -> str:
    """The ratios in words."""
    parts = []
    if "front_pair_ratio" in compared:
        parts.append(f"All views: {100 * compared['front_pair_ratio'] - 100:+.1f} % against the front pair.")
    if "one_lost_ratio" in compared:
        change = 100 * compared["one_lost_ratio"] - 100
        parts.append(f"One random camera lost: {compared['one_lost_mm']:.1f} mm, {change:+.1f} % against all views.")
    return " ".join(parts)


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
