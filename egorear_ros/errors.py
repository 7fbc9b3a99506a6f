"""The error every part of egorear raises for something the user can mend, and words for it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final

LONGEST: Final = 2000
"""Characters of a message; what a file holds may be quoted in one, and a file can be long."""

_BREAKS: Final = re.compile(r"\s*[\x00-\x1f\x7f-\x9f\u2028\u2029]+\s*")
"""Line breaks and other control characters: a terminal obeys some of them."""


class EgorearError(Exception):
    """A problem with the user's input, files or machine, worded for the user.

    The message names the thing, the bad value and the remedy, for example
    "camera 'rear_left': image is 640x480, calibration expects 872x872". Command-line tools print it as one line and
    exit with status 1; nodes log it and go on.

    Args:
        message: whatever a file or a library puts into it, it becomes one line of bounded length.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(one_line(str(message)))


def one_line(text: str) -> str:
    """A text without line breaks and control characters; of a long one, beginning and end."""
    text = _BREAKS.sub(" ", text).strip()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 300]} ... {text[-290:]}"


def unknown(what: str, name: str, known: Iterable[str], owner: str = "") -> str:
    """Word that a name is not known: with the nearest one that is, or with all that are.

    Args:
        what: kind of thing, for example "field".
        name: what was written.
        known: what could have been written.
        owner: what the known names belong to, for example "augmentation".
    """
    names = list(known)
    last = name.rpartition(".")[2]
    near = difflib.get_close_matches(last, names, 1)
    if near:
        return f"unknown {what} '{name}', did you mean '{near[0]}'?"
    return f"unknown {what} '{name}'; {owner + ' has' if owner else 'known are'} {', '.join(names)}"
