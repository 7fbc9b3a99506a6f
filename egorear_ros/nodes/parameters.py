"""Node parameters: declared once, with description, range and whether they may change while the node runs.

A rejected value is answered with the reason, which `ros2 param set` and rqt show to the user.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from egorear_ros.errors import EgorearError
from egorear_ros.nodes.parameter_file import check_names

Value = bool | int | float | str | list[str] | list[float]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a node.

    Attributes:
        name: ROS parameter name.
        default: default value; its type is the parameter's type.
        description: one sentence with the unit.
        minimum, maximum: closed range of a number; None where open.
        choices: the allowed values of a text parameter; empty where any text goes.
        dynamic: whether it may be set while the node runs.
    """

    name: str
    default: Value
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    dynamic: bool = False

    def reason_against(self, value: Any) -> str | None:
        """Why `value` cannot be taken, worded for the user; None where it can."""
        if self.choices and value not in self.choices:
            return f"'{self.name}' must be one of {', '.join(self.choices)}, got '{value}'"
        if isinstance(value, int | float) and not isinstance(value, bool):
            low, high = self.minimum, self.maximum
            if (low is not None and value < low) or (high is not None and value > high):
                return f"'{self.name}' must be between {low} and {high}, got {value}"
        return None

    def descriptor(self) -> ParameterDescriptor:
        """Description, range and constraints for introspection tools."""
        descriptor = ParameterDescriptor(description=self.description, read_only=not self.dynamic)
        descriptor.additional_constraints = " ".join(
            [f"One of {', '.join(self.choices)}."] * bool(self.choices)
            + (["May change while the node runs."] if self.dynamic else ["Read at start."])
        )
        if self.minimum is not None and self.maximum is not None:
            if isinstance(self.default, float):
                descriptor.floating_point_range = [
                    FloatingPointRange(from_value=float(self.minimum), to_value=float(self.maximum))
                ]
            else:
                descriptor.integer_range = [IntegerRange(from_value=int(self.minimum), to_value=int(self.maximum))]
        return descriptor


FRAME_PREFIX = Parameter(
    "frame_prefix", "", "Put before the names of all TF frames, such as left/; for several helmets in one TF tree."
)


class Parameters:
    """The declared parameters of a node, read by name.

    Args:
        node: declares them on this node.
        parameters: what to declare.
        on_change: called with the names that changed, after values set while the node runs have been taken.

    Raises:
        EgorearError: a start value is of the wrong type or out of range, or for a parameter that there is not; names
            node, parameter and what was expected.
    """

    def __init__(
        self, node: Node, parameters: Iterable[Parameter], on_change: Callable[[set[str]], None] | None = None
    ) -> None:
        self._known = {parameter.name: parameter for parameter in parameters}
        self._values: dict[str, Any] = {}
        self._on_change = on_change
        self._ready = False
        check_names(node.get_fully_qualified_name(), getattr(node, "_parameter_overrides", {}), self._known)
        node.add_on_set_parameters_callback(self._set)
        for parameter in self._known.values():
            try:
                self._values[parameter.name] = _declare(node, parameter)
            except ParameterException as error:
                raise EgorearError(f"{node.get_fully_qualified_name()}: {error}") from error
        self._ready = True

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def values(self) -> Mapping[str, Any]:
        """All values by name, as they are now."""
        return dict(self._values)

    def _set(self, changes: list[RosParameter]) -> SetParametersResult:
        ours = [change for change in changes if change.name in self._known]
        for change in ours:
            parameter = self._known[change.name]
            reason = parameter.reason_against(change.value)
            if reason is None and self._ready and not parameter.dynamic:
                reason = f"'{change.name}' is read at start; set it in the parameter file and start the node again"
            if reason is not None:
                return SetParametersResult(successful=False, reason=reason)
        if self._ready and ours:
            self._values.update({change.name: change.value for change in ours})
            if self._on_change is not None:
                self._on_change({change.name for change in ours})
        return SetParametersResult(successful=True)


def _declare(node: Node, parameter: Parameter) -> Any:
    """Declare a parameter; returns its start value."""
    default = parameter.default
    if isinstance(default, float) or (isinstance(default, list) and all(isinstance(v, float) for v in default)):
        # ROS refuses an integer for a float; people write `rate: 30`.
        given = node.declare_parameter(parameter.name, default, ParameterDescriptor(dynamic_typing=True)).value
        node.undeclare_parameter(parameter.name)
        if (number := _as_floats(given)) is not None:
            return node.declare_parameter(parameter.name, number, parameter.descriptor(), ignore_override=True).value
    return node.declare_parameter(parameter.name, default, parameter.descriptor()).value


def _as_floats(value: Any) -> float | list[float] | None:
    """An integer, or integers, as floats; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, list | array) and value and all(isinstance(v, int) for v in value):
        return [float(v) for v in value]
    return None
