"""Engines: different ways to run the same network, from plain torch to compiled graphs. See docs/inference.md.

`choice` names them and picks one, `base` says what an engine is, the other modules are one kind of engine each.
"""

from egorear_ros.inference.engines.base import Engine, EngineError, EngineSpec
from egorear_ros.inference.engines.choice import AUTO, ENGINES, EngineKind, available_engines, make_engine

__all__ = ["AUTO", "ENGINES", "Engine", "EngineError", "EngineKind", "EngineSpec", "available_engines", "make_engine"]
