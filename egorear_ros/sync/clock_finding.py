"""What is wrong with a camera's clock, in words a user can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from egorear_ros.sync.config import SyncConfig

MS: Final = 1e6
SECOND: Final = 1e9
LONGEST_DEADLINE_S: Final = 10.0
"""What the synchronizer's parameter `deadline` can be."""
KINDS: Final = ("zero", "still", "elsewhere", "late", "skewed", "drifting", "irregular")


@dataclass(frozen=True)
class ClockFinding:
    """One camera's clock that does not fit the others'.

    Attributes:
        camera: its name.
        kind: one of `KINDS`.
        message: one line with camera, measured offset and remedy.
        is_error: its frames find no set; otherwise they still do.
        offset_ns: stamps minus those of the other cameras; None where that says nothing.
    """

    camera: str
    kind: str
    message: str
    is_error: bool
    offset_ns: float | None = None


@dataclass(frozen=True)
class Fault:
    """A finding before it is worded. Nanoseconds; see `ClockFinding` and `Offset`."""

    camera: str
    kind: str
    is_error: bool
    offset_ns: float | None = None
    other_ns: float | None = None
    rate: float = 0.0
    scatter_ns: float = 0.0


def worded(faults: Sequence[Fault], config: SyncConfig) -> tuple[ClockFinding, ...]:
    """The findings; the `offsets` they name mend all of them at once."""
    corrections = {f.camera: -f.offset_ns for f in faults if f.offset_ns is not None and f.kind != "irregular"}
    setting = offsets_setting(config, corrections)
    return tuple(
        ClockFinding(f.camera, f.kind, f"camera '{f.camera}': {_text(f, setting, config)}", f.is_error, f.offset_ns)
        for f in faults
    )


def offsets_setting(config: SyncConfig, corrections: Mapping[str, float]) -> str:
    """The parameter `offsets` with these corrections (nanoseconds) added to what it is now."""
    values = [config.offsets.get(name, 0.0) + corrections.get(name, 0.0) / SECOND for name in config.cameras]
    return f"offsets: [{', '.join(_seconds(value) for value in values)}]"


def _seconds(value: float) -> str:
    text = f"{value:.4f}".rstrip("0")
    return "0.0" if text in {"-0.", "0."} else text + "0" * text.endswith(".")


def duration(value_ns: float) -> str:
    """A time without sign, in the unit that reads best."""
    value = abs(value_ns)
    return f"{value / SECOND:.3f} s" if value >= SECOND else f"{value / MS:.1f} ms"


def _where(offset_ns: float) -> str:
    return f"{duration(offset_ns)} {'ahead of' if offset_ns > 0 else 'behind'} those of the other cameras"


def _text(fault: Fault, setting: str, config: SyncConfig) -> str:
    if fault.kind == "zero":
        return "its images have no stamp (0), so they fit no frame set; make its driver fill header.stamp"
    if fault.kind == "still":
        return "all its images have the same stamp; make its driver stamp every image with its time of exposure"
    offset = fault.offset_ns or 0.0
    if fault.kind == "irregular":
        return (
            f"its stamps jump by {duration(fault.scatter_ns)} (standard deviation) around those of the other cameras; "
            f"stamp at exposure, use a common trigger, or raise `tolerance` ({config.tolerance:g} s)"
        )
    if fault.kind == "drifting":
        return (
            f"its clock drifts by {abs(fault.rate) / MS:.3f} ms per second ({fault.rate / 1e3:+.0f} ppm); its stamps "
            f"are now {_where(offset)}; synchronise the clocks or use a common trigger, {setting} helps only for now"
        )
    return f"its stamps are {_where(offset)}{_doubt(fault)}; {_remedy(fault, setting, config)}"


def _doubt(fault: Fault) -> str:
    if fault.other_ns is None:
        return ""
    return f" (or {duration(fault.other_ns)} {'ahead' if fault.other_ns > 0 else 'behind'}: one frame period from that)"


def _remedy(fault: Fault, setting: str, config: SyncConfig) -> str:
    offset = fault.offset_ns or 0.0
    if fault.kind == "late":
        needed = 1.2 * abs(offset) / SECOND
        late = (
            f"set `deadline` (now {config.deadline:g} s) to {needed:.2g} and `queue_length` to cover it"
            if needed <= LONGEST_DEADLINE_S
            else f"find the delay, `deadline` can be {LONGEST_DEADLINE_S:g} s at most"
        )
        return f"if its clock is behind, set {setting}; if its frames are sent so late, {late}"
    clocks = "its clock is another one: synchronise it, or " if fault.kind == "elsewhere" else ""
    return f"`tolerance` is {duration(config.tolerance * SECOND)}; {clocks}set {setting}"
