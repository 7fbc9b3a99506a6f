"""What goes wrong with a bag."""

from egorear_ros.errors import EgorearError


class BagError(EgorearError):
    """A bag that cannot be written or read."""
