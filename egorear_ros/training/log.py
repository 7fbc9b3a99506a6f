"""Losses and validation errors of a run: a CSV file, and TensorBoard where it is installed."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

LOG: Final = "log.csv"
NO_TENSORBOARD: Final = "TensorBoard is not installed: the log is log.csv alone (pip install tensorboard)"


def tensorboard_installed() -> bool:
    """Whether curves can be written for TensorBoard."""
    return find_spec("tensorboard") is not None


class Log:
    """Losses, averaged between validations; appends, so that a resumed run has one log.

    Args:
        folder: where to write.
        step: the step the run continues from; TensorBoard forgets what came after it.
    """

    def __init__(self, folder: Path, step: int = 0) -> None:
        self._path = folder / LOG
        self._losses: list[dict[str, float]] = []
        self._writer: Any = None
        if tensorboard_installed():
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder), purge_step=step)

    def add(self, losses: dict[str, float]) -> None:
        """Take one step's losses."""
        self._losses.append(losses)

    def write(self, step: int, seconds: float, rate: float, errors: Mapping[str, str]) -> None:
        """Write one line.

        Args:
            step: steps done.
            seconds: spent on them.
            rate: learning rate of the last.
            errors: validation errors by name, as they are to be written.
        """
        means = {name: f"{np.mean([entry[name] for entry in self._losses]):.4g}" for name in self._losses[0]}
        row: dict[str, Any] = {
            "step": step,
            "seconds": round(seconds),
            "learning_rate": f"{rate:.2e}",
            **means,
            **errors,
        }
        new = not self._path.exists()
        with self._path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)
        if self._writer is not None:
            for name, value in row.items():
                if name != "step":
                    self._writer.add_scalar(name, float(value), step)
            self._writer.flush()
        self._losses.clear()

    def close(self) -> None:
        """Close TensorBoard's file."""
        if self._writer is not None:
            self._writer.close()
