"""Which parameters are trained with and without weight decay."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from torch import nn

_NO_DECAY = re.compile(r"norm|bn|bias")

# The official code finds normalisation layers by the letters of their names and so misses those it knows by a number.
_MISSED = re.compile(r"backbone\.bn1\.weight$")


def without_weight_decay(model: nn.Module) -> list[str]:
    """Names of biases and normalisation scales, except two kinds of scale the official rule overlooks.

    Those are the backbone's first batch normalisation and the ones in its shortcuts; official weights decayed them.
    """
    return [name for name, _ in model.named_parameters() if _NO_DECAY.search(name) and not _MISSED.search(name)]


def vectors(model: nn.Module) -> list[str]:
    """Names of biases, scales and whatever else has one dimension."""
    return [name for name, parameter in model.named_parameters() if parameter.ndim < 2]


def parameter_groups(model: nn.Module, weight_decay: float, undecayed: Collection[str]) -> list[dict[str, Any]]:
    """Groups for an optimiser; parameters that are frozen are in none."""
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    decayed = [parameter for name, parameter in trained.items() if name not in undecayed]
    others = [parameter for name, parameter in trained.items() if name in undecayed]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]
