"""Several processes that train one network: `torchrun` starts them, torch's DistributedDataParallel joins them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

LONGEST_WAIT: Final = timedelta(hours=2)
"""The others wait while the first process validates."""


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is.

    Attributes:
        rank: from 0; the first one validates, writes and talks.
        count: of all machines.
        local: number on this machine, which is that of its GPU.
    """

    rank: int = 0
    count: int = 1
    local: int = 0

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        """This process's GPU, or the CPU."""
        return torch.device("cuda", self.local) if torch.cuda.is_available() else torch.device("cpu")

    def joined(self, module: nn.Module) -> nn.Module:
        """The module with gradients averaged over the processes; batch statistics, too, where torch can (on GPUs)."""
        if self.count == 1:
            return module
        if self.device.type == "cuda":
            module = nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]
        # Not every parameter takes part in every step: views may be missing, and some parts never get a gradient.
        return DistributedDataParallel(module, find_unused_parameters=True)

    def wait(self) -> None:
        """Wait for all."""
        if self.count > 1:
            torch.distributed.barrier()


@contextmanager
def processes() -> Iterator[Processes]:
    """Join the processes that `torchrun` started; without it, there is one."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    found = Processes(int(os.environ["RANK"]), count, int(os.environ.get("LOCAL_RANK", "0")))
    if found.device.type == "cuda":
        torch.cuda.set_device(found.device)
    torch.distributed.init_process_group("nccl" if found.device.type == "cuda" else "gloo", timeout=LONGEST_WAIT)
    try:
        yield found
    finally:
        torch.distributed.destroy_process_group()
