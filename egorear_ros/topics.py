"""Names of topics and nodes: the namespace of a graph, and what lies below it."""

from __future__ import annotations

import re

from egorear_ros.errors import EgorearError

_NAMESPACE = re.compile(r"[A-Za-z_]\w*(/[A-Za-z_]\w*)*", re.ASCII)


def clean_namespace(text: str) -> str:
    """A namespace as users write it, `/robot/` or `robot`, without slashes at its ends; empty for the root.

    Raises:
        EgorearError: ROS takes no such name.
    """
    namespace = text.strip().strip("/")
    if namespace and not _NAMESPACE.fullmatch(namespace):
        raise EgorearError(
            f"namespace '{text}' is not a ROS name: letters, digits and underscores, not beginning with a digit, "
            "levels separated by one slash"
        )
    return namespace


def full_name(*parts: str) -> str:
    """Full name of a topic, node or namespace from its levels below the root; empty ones are left out."""
    return "/" + "/".join(part for part in parts if part)


def prefix_of(namespace: str) -> str:
    """What the full names of all topics of a namespace begin with."""
    return f"{full_name(namespace)}/" if namespace else "/"
