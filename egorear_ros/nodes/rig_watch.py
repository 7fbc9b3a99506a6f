"""The rig check beside the inference: in a thread of its own with low priority, so that no skeleton waits for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from typing import Final

from egorear_ros.data.jpeg import readable_images
from egorear_ros.datatypes import FrameSet
from egorear_ros.nodes.health import Health
from egorear_ros.nodes.mailbox import Mailbox
from egorear_ros.rig import Rig
from egorear_ros.rig.checking import Fault, RigCheck

TAKE_TIMEOUT_S: Final = 0.5
NICENESS: Final = 10
KIND: Final = "rig check"


class RigWatch:
    """Looks at a frame set now and then, and lets the node's health say what is wrong with the rig.

    Args:
        health: of the node.
    """

    def __init__(self, health: Health) -> None:
        self._health = health
        self._check: RigCheck | None = None
        self._said: Fault | None = None
        self._mailbox: Mailbox[tuple[RigCheck, FrameSet]] = Mailbox()
        self._thread = threading.Thread(target=self._work, name=KIND, daemon=True)
        self._thread.start()

    def use(self, rig: Rig | None) -> None:
        """Begin anew with this rig; None to check nothing."""
        self._check = None if rig is None else RigCheck(rig)
        self._say(None)

    def offer(self, frame_set: FrameSet, left_out: Collection[str]) -> None:
        """Look at this frame set if it is time to; returns at once.

        Args:
            frame_set: what the network got.
            left_out: views whose images could not be used.
        """
        check = self._check
        usable = [frame for frame in frame_set.frames if frame.present and frame.view not in left_out]
        if check is not None and check.due(frame_set.stamp_ns, [frame.view for frame in usable]):
            self._mailbox.put((check, replace(frame_set, frames=tuple(usable))))

    def is_due(self, stamp_ns: int) -> bool:
        """Whether a look is planned at this stamp."""
        check = self._check
        return check is not None and check.is_time(stamp_ns)

    def close(self) -> None:
        """Stop the thread."""
        self._mailbox.close()
        self._thread.join(timeout=10.0)

    def describe(self) -> str:
        """The state in a few words."""
        check = self._check
        return "off" if check is None else check.describe()

    def _work(self) -> None:
        with suppress(OSError, AttributeError):  # not every system has priorities of threads
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while not self._mailbox.closed:
            given = self._mailbox.take(TAKE_TIMEOUT_S)
            if given is None:
                continue
            check, frame_set = given
            try:
                if check is self._check and check.is_time(frame_set.stamp_ns):  # another set may have been faster
                    check.look(frame_set.stamp_ns, readable_images(frame_set.frames)[0])
                    self._tell(check)
            except Exception as error:  # the check is a bonus: whatever it stumbles over, the node lives on
                self._health.caught(KIND, error, KIND)

    def _tell(self, check: RigCheck) -> None:
        """Once for every fault."""
        fault = check.fault
        if check is self._check and not (fault == self._said or (fault is not None and fault.same_as(self._said))):
            self._say(fault)

    def _say(self, fault: Fault | None) -> None:
        if self._said is not None:
            self._health.stand(_kind(self._said), "", is_error=False)
        if fault is not None:
            self._health.stand(_kind(fault), fault.text, is_error=False)
        self._said = fault


def _kind(fault: Fault) -> str:
    """One condition per set of cameras, so that the end of one and the beginning of another are both said."""
    return f"{KIND} of {', '.join(fault.cameras)}"
