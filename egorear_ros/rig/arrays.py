"""Write a formula once, use it with numpy and with torch.

The camera models are used on both sides: numpy for images, calibration and the simulator, torch inside the networks
(where it must stay differentiable and exportable). The functions they need have the same names in both libraries.
"""

from __future__ import annotations

import sys
from typing import Any, TypeVar

import numpy as np

ArrayT = TypeVar("ArrayT")
"""A numpy array or a torch tensor; what goes in comes out."""


def namespace_of(array: Any) -> Any:
    """Return the module whose functions fit this array: numpy or torch (which is never imported for numpy's sake)."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(array, torch.Tensor) else np


def polynomial(coefficients: tuple[float, ...], x: ArrayT) -> ArrayT:
    """Evaluate ``sum_i coefficients[i] * x**i`` elementwise.

    Summed term by term, not by Horner's rule: so does the official code, and in single precision the two differ by more
    than the 1e-4 px to which we reproduce its projections.
    """
    base: Any = x
    value: Any = base * 0.0 + coefficients[0]
    for power, coefficient in enumerate(coefficients[1:], start=1):
        value = value + coefficient * base**power
    return value
