"""Writes what can be read of a recording that was cut off as a whole bag; the old one stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from egorear_ros.bags.errors import BagError
from egorear_ros.bags.mcap_scan import Channel
from egorear_ros.bags.recovery import RecoveredReader, recover
from egorear_ros.bags.writing import BagWriter


class Repair(NamedTuple):
    """What was done: `remark` of the old bag, messages by topic, and topics that could not be taken over, with why."""

    remark: str
    counts: dict[str, int]
    left_out: dict[str, str]


def repair(old: Path, new: Path) -> Repair:
    """Write a new bag with every message that can be read of `old`.

    Raises:
        BagError: nothing there to read, or the new bag exists or cannot be written.
    """
    if not old.exists():
        raise BagError(f"there is no bag '{old}'")
    reader = recover(old)
    if reader is None:
        raise BagError(f"'{old}' has no MCAP file; only MCAP recordings can be repaired")
    try:
        if not reader.connections:
            raise BagError(f"'{old}' was cut off before its first whole message, there is nothing to read")
        return _copy(reader, new)
    finally:
        reader.close()


def _copy(reader: RecoveredReader, new: Path) -> Repair:
    left_out: dict[str, str] = {}
    try:
        writer = _CopyingWriter(new)
        with writer:
            for channel in reader.connections:
                try:
                    writer.add_channel(channel)
                except BagError as error:
                    left_out[channel.topic] = str(error)
            known = [channel for channel in reader.connections if channel.topic not in left_out]
            for channel, time_ns, data in reader.messages(known) if known else ():
                writer.write_cdr(channel.topic, time_ns, data)
            return Repair(reader.remark, writer.counts, left_out)
    except OSError as error:
        raise BagError(f"bag '{new}' cannot be written: {error.strerror}") from error


class _CopyingWriter(BagWriter):
    """Takes topics over as they were: any type whose definition is in the file, quality of service as text."""

    def add_channel(self, channel: Channel) -> None:
        """Announce a topic.

        Raises:
            BagError: its type's definition cannot be understood.
        """
        from rosbags.rosbag2.metadata import parse_qos

        try:
            self._connections[channel.topic] = self._writer.add_connection(
                channel.topic,
                channel.msgtype,
                msgdef=channel.definition,
                rihs01=_type_hash(channel),
                offered_qos_profiles=parse_qos(channel.qos) if channel.qos else (),
            )
        except Exception as error:  # rosbags' parsers raise what they like
            raise BagError(f"type '{channel.msgtype}': {error}") from error
        self.counts[channel.topic] = 0


def _type_hash(channel: Channel) -> str:
    """RIHS01 of the channel's type, from the definition in the file."""
    from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore

    store: Any = get_typestore(Stores.EMPTY)
    if channel.encoding == "ros2msg":
        store.register(get_types_from_msg(channel.definition, channel.msgtype))
    else:
        store.register(get_types_from_idl(channel.definition))
    return str(store.hash_rihs01(channel.msgtype))
