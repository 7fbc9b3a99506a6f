"""How every kernel here is compiled, and the array types they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

# For the type checker a 4-byte float is a float; numba sees numpy's type.
f4: Final = cast(Callable[[Any], float], np.float32)

# No parallel=True: views are rendered in threads of their own, which scales as well and compiles five times faster.
_OPTIONS: Final[dict[str, Any]] = {
    "cache": True,
    "fastmath": True,
    "nogil": True,
    "error_model": "numpy",
}
_jit = njit(**_OPTIONS)
_inlined_jit = njit(**_OPTIONS, forceinline=True)


def kernel(function: FunctionT) -> FunctionT:
    """Compile with numba: cached, without the GIL, free to reorder arithmetic (no kernel makes NaN or infinity)."""
    return _jit(function)


def inlined_kernel(function: FunctionT) -> FunctionT:
    """Like `kernel`, for what is called once a pixel: passing a dozen arrays costs more than the work."""
    return _inlined_jit(function)
