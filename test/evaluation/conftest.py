"""A recording and its bag, shared by the tests of this folder."""

from __future__ import annotations

from ..recording import bag_path, recorded

__all__ = ["bag_path", "recorded"]
