"""An engine proves itself when it is made: its first answers against those of the plain network.

Compilers of networks and the drivers below them can be wrong on a machine that nobody tried, without an error: then a
skeleton would be published that is merely false. Two frame sets of the shipped clip show it, the second with a view
missing and with other camera poses than the rig's.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor

from egorear_ros.inference.engines.base import Engine, EngineSpec
from egorear_ros.inference.engines.sample_images import sample_images
from egorear_ros.inference.engines.torch_engines import ReferenceEngine
from egorear_ros.network import NetworkOutput

MOVED_M: Final = 0.02
"""How far the cameras are moved for the second frame set."""
PERSON_M: Final = 0.5
"""Root mean square distance of a standing person's joints from their middle, about; differences count by it."""


class Limit(NamedTuple):
    """How far an engine may be off: pose as a share of the person's size, others as a share of their largest value."""

    pose: float
    others: float


EXACT: Final = Limit(0.002, 0.02)
BFLOAT16: Final = Limit(0.03, 0.4)
EIGHT_BITS: Final = Limit(0.15, 0.8)
LIMITS: Final = {**dict.fromkeys(("torch", "torch-compile", "openvino"), EXACT), "openvino-int8": EIGHT_BITS}
"""Of engines by name; the others, and those that other packages add, may compute in bfloat16.

docs/inference.md has the accuracy:
bfloat16 changes a joint by 2 to 4 mm in the mean, 8 bits by 3 to 18 mm."""


class WrongAnswersError(Exception):
    """An engine does not give what the plain network gives; the text says how far it is off."""


@torch.no_grad()
def prove(engine: Engine, spec: EngineSpec) -> str:
    """Compare an engine with the plain network.

    Returns:
        What was seen, for the log: "its first answers are within 0.011 mm of the plain network's".

    Raises:
        WrongAnswersError: it is further off than its kind of numbers explains.
    """
    reference, limit = ReferenceEngine(spec), LIMITS.get(engine.name, BFLOAT16)
    largest_m = 0.0
    for inputs in _inputs(spec):
        expected, found = reference(*inputs), engine(*inputs)
        largest_m = max(largest_m, _pose_difference_m(found, expected, limit))
        for name in ("heatmaps", "log_std"):
            _compare(name, _last(found, name), _last(expected, name), limit)
    return f"its first answers are within {1000 * largest_m:.2g} mm of the plain network's"


def _inputs(spec: EngineSpec) -> list[tuple[Tensor, Tensor | None, Tensor | None]]:
    """Images, extrinsics and mask of two frame sets."""
    first, second = (images.to(spec.device) for images in sample_images(spec.config, 2))
    moved = spec.extrinsics().clone()
    moved[..., :3, 3] += MOVED_M
    views = len(spec.config.views)
    mask = torch.tensor([[view != views - 1 or views == 1 for view in range(views)]], device=spec.device)
    return [(first, None, None), (second, moved, mask)]


def _pose_difference_m(found: NetworkOutput, expected: NetworkOutput, limit: Limit) -> float:
    """Mean distance of the joints; WrongAnswersError where it is too large."""
    ours, theirs = _last(found, "poses"), _last(expected, "poses")
    if ours is None or theirs is None or ours.shape != theirs.shape:
        raise WrongAnswersError("it gives no pose, or one of another shape than the plain network's")
    theirs = theirs.float()
    size_m = max(float((theirs - theirs.mean(dim=-2, keepdim=True)).square().sum(-1).mean().sqrt()), PERSON_M)
    difference_m = float((ours.float() - theirs).norm(dim=-1).mean())
    if not difference_m <= limit.pose * size_m:
        raise WrongAnswersError(
            f"its joints are {1000 * difference_m:.3g} mm from the plain network's, "
            f"at most {1000 * limit.pose * size_m:.3g} mm can be its rounding"
        )
    return difference_m


def _compare(name: str, found: Tensor | None, expected: Tensor | None, limit: Limit) -> None:
    if found is None or expected is None:
        return  # not every engine is asked for heatmaps
    scale = max(float(expected.abs().max()), 1e-6)
    share = float((found.float() - expected.float()).abs().max()) / scale if found.shape == expected.shape else 1.0
    if not share <= limit.others:
        raise WrongAnswersError(f"its {name} differ from the plain network's by {share:.1%} of the largest value")


def _last(output: NetworkOutput, name: str) -> Tensor | None:
    """The last stage's tensor of an output that has stages, or the output; None where there is none."""
    value = getattr(output, name)
    return value[-1] if isinstance(value, tuple) else value
