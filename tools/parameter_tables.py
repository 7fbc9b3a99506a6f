"""Write docs/parameters.md from the descriptors of the nodes; a test compares the two.

egorear-env python -m tools.parameter_tables
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from egorear_ros.graph.description import NODE_CLASSES
from egorear_ros.nodes.parameters import Parameter

PAGE = Path(__file__).parents[1] / "docs" / "parameters.md"
HEAD = """# Parameters

Written by `egorear-env python -m tools.parameter_tables` from what the nodes declare.
Set them in a copy of [config/egorear.yaml](../config/egorear.yaml): `params_file:=FILE` or `--params-file=FILE`.
Those marked "live" may be set while the node runs (`ros2 param set`); a bad value is refused with the reason.
Every node also has `use_sim_time`; images' topics have the quality-of-service overrides of rclpy (`qos_overrides...`).
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(section for kind in NODE_CLASSES for section in _section(kind))


def _section(kind: str) -> Iterator[str]:
    parameters: tuple[Parameter, ...] = importlib.import_module(NODE_CLASSES[kind].partition(":")[0]).PARAMETERS
    yield f"\n## {kind}\n\n| parameter | default | allowed | live | |\n|---|---|---|---|---|\n"
    for parameter in parameters:
        live = "yes" if parameter.dynamic else ""
        yield f"| `{parameter.name}` | {_value(parameter.default)} | {_allowed(parameter)} | {live} "
        yield f"| {parameter.description} |\n"


def _value(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value not in ("", [""]) else ""


def _allowed(parameter: Parameter) -> str:
    if parameter.minimum is not None:
        return f"{parameter.minimum:.12g} to {parameter.maximum:.12g}"
    return ", ".join(parameter.choices)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
