"""What is measured."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from egorear_ros.errors import EgorearError
from egorear_ros.rig import VIEWS
from egorear_ros.settings import Number, OneOf, Whole, checked

BASELINE: Final = "reference"
"""The engine all others are compared with: the network's plain graph in torch, as it is written."""


class BenchmarkError(EgorearError):
    """A benchmark that cannot be run."""


@checked("benchmark", BenchmarkError)
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
    views: Annotated[tuple[Annotated[str, OneOf(VIEWS)], ...], Field(title="--views")] = ()
    batch: Annotated[Whole, Field(ge=1, le=256, title="--batch")] = 1
    size_px: Annotated[Whole, Field(ge=16, le=4096, title="--size")] = 872
    seconds: Annotated[Number, Field(ge=0.01, le=3600, title="--seconds")] = 3.0
    rounds: Annotated[Whole, Field(ge=1, le=100, title="--rounds")] = 3
    device: str = "auto"
    preprocessing: str = "auto"
