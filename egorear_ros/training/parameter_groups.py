"""Which parameters EgoRear's third stage trains without weight decay."""

from __future__ import annotations

import re

from torch import nn

_NO_DECAY = re.compile(r"norm|bn|bias")

# The official code finds normalisation layers by the letters of their names and so misses those it knows by a number.
_MISSED = re.compile(r"backbone\.bn1\.weight$")


def without_weight_decay(model: nn.Module) -> list[str]:
    """Names of biases and normalisation scales, except two kinds of scale the official rule overlooks.

    Those are the backbone's first batch normalisation and the ones in its shortcuts; official weights decayed them.
    """
    return [name for name, _ in model.named_parameters() if _NO_DECAY.search(name) and not _MISSED.search(name)]
