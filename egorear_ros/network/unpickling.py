"""Reading a `torch.save` file from a stranger: tensors come out, nothing else ever runs.

Lightning files hold hyper-parameters beside the weights, so torch's own safe mode refuses some of them. Here names are
looked up in a short list of what rebuilds tensors. Anything else a pickle asks for is never imported: what lies in the
standard library or in torch (where the dangerous functions are) is refused, a class of any other package becomes an
inert placeholder, since it can only be somebody's settings.
"""

from __future__ import annotations

import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import torch

from egorear_ros.errors import EgorearError


class CheckpointError(EgorearError):
    """A weights file that cannot be read, or weights that do not fit the network they are meant for."""


class UnsafePickleError(pickle.UnpicklingError):
    """A pickle that asks for something other than data."""


class Placeholder(dict[Any, Any]):
    """Stands for an object of a class we do not load, such as a Lightning hyper-parameter container.

    Whatever the pickle puts into it is stored and never used. A dict, so that item assignment works.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def append(self, item: Any) -> None:
        """Accept an item, for classes derived from list."""

    def extend(self, items: Any) -> None:
        """Accept items, for classes derived from list."""


_TENSOR_PARTS: Final[dict[tuple[str, str], Any]] = {
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
    ("torch", "Size"): torch.Size,
    ("torch", "device"): torch.device,
    ("collections", "OrderedDict"): OrderedDict,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
}
"""Storages are missing here because torch.load itself turns their names into data types."""

_SETTINGS: Final = {"argparse", "pathlib", "enum", "datetime"}
"""Modules of the standard library whose classes carry settings; placeholders, too."""


class _Unpickler(pickle.Unpickler):
    """Finds only harmless names; torch.load supplies `persistent_load`, which reads tensor data."""

    def find_class(self, module: str, name: str) -> Any:
        """Return an allowed object or a placeholder, or raise UnsafePickleError."""
        allowed = _TENSOR_PARTS.get((module, name))
        if allowed is not None:
            return allowed
        if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
            return getattr(torch, name)
        package = module.partition(".")[0]
        dangerous = package in sys.stdlib_module_names or package in {"torch", "nt", "__builtin__"}
        if dangerous and package not in _SETTINGS:
            raise UnsafePickleError(f"it asks for '{module}.{name}', which is neither a tensor nor settings")
        return Placeholder


def _load(file: Any, **kwargs: Any) -> Any:
    return _Unpickler(file, **kwargs).load()


_PICKLE_MODULE: Final[Any] = SimpleNamespace(
    __name__="egorear_ros.network.unpickling",
    Unpickler=_Unpickler,
    load=_load,
    UnpicklingError=pickle.UnpicklingError,
    PickleError=pickle.PickleError,
)


def _is_whole_zip(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # of several disks
        return False


def load_tensors_only(path: Path) -> Any:
    """Read a file written by `torch.save` without running anything from it.

    Args:
        path: a .ckpt, .pth or .pt file in torch's zip format.

    Returns:
        What was saved, on the CPU, with placeholders for objects of other classes than tensors and plain containers.

    Raises:
        CheckpointError: the file cannot be read, is cut short, or asks for code to be run.
    """
    if not path.is_file():
        raise CheckpointError(f"'{path}' is not a file")
    if not _is_whole_zip(path):
        raise CheckpointError(f"'{path}' is not a complete torch file (zip format); is the download cut short?")
    load: Callable[..., Any] = torch.load
    try:
        with zipfile.ZipFile(path) as archive:
            if any(name.endswith("constants.pkl") for name in archive.namelist()):
                raise UnsafePickleError("it is a TorchScript program, not a file of weights")
        return load(path, map_location="cpu", pickle_module=_PICKLE_MODULE, weights_only=False)
    except UnsafePickleError as error:
        raise CheckpointError(f"'{path}' is refused: {error}. Do not open it with torch.load either") from error
    except Exception as error:  # whatever a damaged or hostile file makes torch stumble over
        raise CheckpointError(f"'{path}' cannot be read: {type(error).__name__}: {error}") from error
