"""Sphinx's settings: Markdown by MyST, the theme furo, mathematics as MathML."""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from generator import write_reference  # noqa: E402
from generator.links import rewrite_links  # noqa: E402
from generator.mathml import add_mathml  # noqa: E402

from social_dilemmas_env.version import __version__  # noqa: E402

project = "social_dilemmas_env"
author = "The social_dilemmas_env developers"
copyright = author
release = version = __version__

extensions = ["myst_parser", "sphinx_copybutton"]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist", "attrs_block"]
myst_heading_anchors = 4
# Docstrings begin with the heading that suits them; names of types are often those of two classes.
suppress_warnings = ["myst.header", "ref.python"]
exclude_patterns = ["_build", "README.md", "learners/equations/*"]
nitpicky = False

html_theme = "furo"
html_title = "social_dilemmas_env"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
add_module_names = False  # they are the headings
pygments_style = "friendly"
pygments_dark_style = "monokai"
copybutton_prompt_text = "$ "
linkcheck_timeout = 20

# The owner's address stands once, in pyproject.toml; until it does, files are named, not linked.
_urls = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"].get("urls", {})
repository = _urls.get("Repository", "")
if repository:
    html_theme_options |= {"source_repository": repository, "source_directory": "docs/"}


def setup(app):
    """Writes the reference before Sphinx looks for pages."""
    app.add_config_value("repository_url", repository, "env")
    app.connect("builder-inited", lambda app: write_reference(HERE / "reference"))
    app.connect("source-read", rewrite_links)
    add_mathml(app)
