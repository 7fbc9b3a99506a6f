"""What is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from egorear_ros.errors import EgorearError
from egorear_ros.rig import VIEWS

BASELINE: Final = "reference"
"""The engine all others are compared with: the network's plain graph in torch, as it is written."""


class BenchmarkError(EgorearError):
    """A benchmark that cannot be run."""


@dataclass(frozen=True)
class BenchmarkSettings:
    """What is measured.

    Attributes:
        model: name of a shipped model or of a registry architecture (random weights), or a .safetensors file.
        views: images given; empty for all views of the model.
        batch: frame sets at once. Above 1 only the network is measured: the live graph has one at a time.
        size_px: width and height of the camera images.
        seconds: measured time per engine and round.
        rounds: how often the baseline and each engine take turns.
        device: "auto", "cpu" or "cuda".
        preprocessing: "auto", "official" or "fast".

    Raises:
        BenchmarkError: a number that makes no sense, or an unknown view.
    """

    model: str
    views: tuple[str, ...] = ()
    batch: int = 1
    size_px: int = 872
    seconds: float = 3.0
    rounds: int = 3
    device: str = "auto"
    preprocessing: str = "auto"

    def __post_init__(self) -> None:
        """Raise BenchmarkError on a value that makes no sense."""
        for name, value, low, high in (
            ("batch", self.batch, 1, 256),
            ("size", self.size_px, 16, 4096),
            ("seconds", self.seconds, 0.01, 3600),
            ("rounds", self.rounds, 1, 100),
        ):
            if not low <= value <= high:
                raise BenchmarkError(f"--{name} must be between {low} and {high}, got {value}")
        for view in self.views:
            if view not in VIEWS:
                raise BenchmarkError(f"there is no view '{view}'; known are {', '.join(VIEWS)}")
