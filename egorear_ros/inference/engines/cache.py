"""Compiled graphs kept on disk, so that a model is converted once and not at every start."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import torch
from platformdirs import user_cache_path
from torch import nn

KEPT: Final = 12
"""Folders kept; the ones not used for the longest time go first. One of an official 4-view network holds 0.5 GB."""


def cache_folder() -> Path:
    """Where graphs are kept: `egorear/engines` in the user's cache folder, on Linux $XDG_CACHE_HOME or ~/.cache."""
    return user_cache_path("egorear") / "engines"


def cached(key: str, make: Callable[[Path], None]) -> Path:
    """Folder of this key, filled by `make` if it is not there yet; it appears complete or not at all.

    Where nothing can be written, the folder is a temporary one.
    """
    root = cache_folder()
    target = root / key
    if target.is_dir():
        os.utime(target)
        return target
    try:
        root.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=root, prefix=".partial-"))
    except OSError:
        partial = target = Path(tempfile.mkdtemp(prefix="egorear-engine-"))
    try:
        make(partial)
        if partial != target:
            partial.replace(target)
    except OSError:
        if not target.is_dir():  # otherwise somebody else was faster
            raise
    finally:
        if partial != target:
            shutil.rmtree(partial, ignore_errors=True)
    _forget_old(root)
    return target


def fingerprint(network: nn.Module, facts: Iterable[object]) -> str:
    """Hash of all parameters and buffers, and of the texts of some facts."""
    digest = hashlib.sha256(repr(list(facts)).encode())
    tensors = [*network.state_dict().items(), *network.named_buffers()]
    for name, tensor in tensors:
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:32]


def _forget_old(root: Path) -> None:
    folders = sorted(root.glob("[!.]*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in folders[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
