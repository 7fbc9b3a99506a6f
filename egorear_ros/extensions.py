"""What other packages can add to egorear, each in one file: lens models, data sets, engines.

A file adds its thing to the registry when it is imported. A package that is installed lets egorear import it by itself:

    [project.entry-points."egorear.extensions"]
    my_lens = "my_package.my_lens"

docs/newcomer.md shows an example of each.
"""

from __future__ import annotations

import importlib.metadata
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, Generic, TypeVar

from egorear_ros.errors import EgorearError

GROUP: Final = "egorear.extensions"

T = TypeVar("T")


class ExtensionWarning(UserWarning):
    """An extension that is installed cannot be imported."""


class Registry(Mapping[str, T], Generic[T]):
    """Things by their names: egorear's own, and those of other packages.

    The extensions of installed packages are imported when a name is not known, or when all names are asked for.

    Args:
        kind: what the things are, for errors: "lens model".
        own: those of egorear itself.
    """

    def __init__(self, kind: str, own: Mapping[str, T] | None = None) -> None:
        self.kind = kind
        self._things: dict[str, T] = dict(own or {})

    def add(self, name: str, thing: T) -> None:
        """Add a thing.

        Raises:
            EgorearError: there is one of this name.
        """
        if name in self._things:
            raise EgorearError(f"there is a {self.kind} '{name}' already; give the other one another name")
        self._things[name] = thing

    def __getitem__(self, name: str) -> T:
        if name not in self._things:
            load_extensions()
        return self._things[name]

    def __iter__(self) -> Iterator[str]:
        own = tuple(self._things)
        yield from own  # who finds what he needs among them does not wait for the others
        load_extensions()
        yield from (name for name in tuple(self._things) if name not in own)

    def __len__(self) -> int:
        return len(tuple(iter(self)))


@cache
def load_extensions() -> None:
    """Import the extensions of all installed packages, once; one that cannot be imported is a warning."""
    for point in importlib.metadata.entry_points(group=GROUP):
        try:
            point.load()
        except Exception as error:
            package = point.dist.name if point.dist else point.value
            text = f"the extension '{point.name}' of the package '{package}' is left out: {error}"
            warnings.warn(text, ExtensionWarning, stacklevel=2)
