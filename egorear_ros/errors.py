"""The error every part of egorear raises for something the user can mend."""

from __future__ import annotations


class EgorearError(Exception):
    """A problem with the user's input, files or machine, worded for the user.

    The message names the thing, the bad value and the remedy, for example
    "camera 'rear_left': image is 640x480, calibration expects 872x872". Command-line tools print it as one line and
    exit with status 1; nodes log it and go on.
    """
