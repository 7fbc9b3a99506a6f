"""Makes `python -m egorear_ros` the same as the `egorear` command."""

import sys

from egorear_ros.cli.main import main

sys.exit(main())
