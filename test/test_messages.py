"""What the messages of the whole suite must never say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "egorear_ros"
ADVICE = re.compile(r"\b(delete|remove|erase|wipe|discard)\s+(it|its|them|the|this|that|your|all|'|\{)|\brm\s+-", re.I)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every string in a module that is no docstring; parts of one f-string joined."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def test_nobody_is_advised_to_delete_data() -> None:
    """A damaged file may be the only copy there is: messages say how to go on without touching it."""
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {text}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, text in texts(path)
        if ADVICE.search(text)
    ]
    assert not found
