"""Makes `python -m egorear_ros` the same as the `egorear` command."""

from egorear_ros.cli.main import entry

entry()
