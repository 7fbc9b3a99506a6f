"""Bounds on what `rosbags` unpacks: it gives a compressed stream all the memory that comes out of it.

In this way a bag of a few kilobytes can fill the memory. `rosbags` has no setting for it, hence its table of
decompressors is given ours, which stop at the size that the chunk states and at `mcap_scan.largest_chunk`.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from egorear_ros.bags.errors import BagError
from egorear_ros.bags.mcap_scan import ScanError, decompressed, largest_chunk


@cache
def bound_rosbags() -> None:
    """Make every reader of `rosbags` in this process unpack within bounds."""
    from rosbags.rosbag2 import reader, storage_mcap

    for compression in ("lz4", "zstd"):
        storage_mcap.DECOMPRESSORS[compression] = partial(_unpacked, compression)
    reader.zstd = _MessagesUnpacked(reader.zstd)


def _unpacked(compression: str, data: bytes, size: int) -> bytes:
    limit = largest_chunk(len(data))
    if size > limit:
        raise BagError(f"{len(data)} compressed bytes say they hold {size}, the limit is {limit}")
    try:
        return decompressed(data, compression, size)
    except ScanError as error:
        raise BagError(f"a chunk of {len(data)} bytes compressed with {compression} is damaged") from error


class _MessagesUnpacked:
    """Stands in for the module zstd where `rosbags` unpacks single messages."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def decompress(self, data: bytes) -> bytes:
        """What a compressed message holds, within bounds."""
        return decompressed(data, "zstd", largest_chunk(len(data)))
