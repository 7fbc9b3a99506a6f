"""Sphinx's settings for this documentation: `make docs` builds build/site.

Sphinx, because ROS builds its packages' pages with it, too (rosdoc2). The pages of the API are made from the
docstrings at every build. Warnings are errors there, so that a broken link fails.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from egorear_ros import __version__  # noqa: E402, found by the line above

project = "egorear"
author = "The egorear team"
copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.apidoc"]
exclude_patterns = ["parts"]
nitpicky = False

myst_heading_anchors = 3
suppress_warnings = [
    # Two packages may each have a class of one name: in a signature that reads well, and the page's own is meant.
    "ref.python",
]

# `make test` checks links only, with this tag: making the pages of the API takes two minutes.
if tags.has("links_only"):  # noqa: F821 - Sphinx defines it
    extensions = ["myst_parser"]
    suppress_warnings.append("toc.not_readable")

apidoc_modules = [
    {
        "path": "../egorear_ros",
        "destination": "api",
        "exclude_patterns": ["../egorear_ros/**/_[!_]*.py"],
        "module_first": True,
        "no_headings": False,
        "max_depth": 1,
    }
]
autodoc_default_options = {
    "members": True,
    "undoc-members": False,
    "member-order": "bysource",
    "no-value": True,
    "ignore-module-all": True,
}
# Of a ROS install, not in the wheels.
autodoc_mock_imports = ["launch", "launch_ros"]
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
napoleon_use_ivar = True
default_role = "code"  # `x` in a docstring is code

html_theme = "furo"
html_title = "egorear"
html_show_copyright = False
