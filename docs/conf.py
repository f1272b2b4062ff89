"""The site: Markdown and reStructuredText pages, filled from the code by `made`, built without a network.

    sphinx-build -W --keep-going docs build/docs

Sphinx, because it is kept: MkDocs has had no release since 1.6.1 (August 2024), its second version drops plugins and
themes, and Material for MkDocs is in maintenance; Sphinx, MyST, numpydoc and Furo are all released and answer. The
docstrings are reStructuredText in numpydoc's sections, which Sphinx reads as they are.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import recipe

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from made import MARK, filled  # noqa: E402  found by the line above
from offline import reached_for  # noqa: E402

project = "recipe"
author = "the authors of recipe"
release = version = recipe.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
exclude_patterns = ["made"]
default_role = "literal"  # docstrings write `names` in single backticks
highlight_language = "none"

myst_enable_extensions = ["attrs_inline", "deflist"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's sections say shapes, units and ranges, which types do not
numpydoc_show_class_members = False
toc_object_entries = False
smartquotes = False  # two hyphens of an option are two hyphens

html_theme = "furo"
html_title = f"recipe {release}"
html_static_path = ["_static"]
html_css_files = ["recipe.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b57a4", "color-brand-content": "#0b57a4"},
    "dark_css_variables": {"color-brand-primary": "#7db8f5", "color-brand-content": "#7db8f5"},
}


def fill(app: Sphinx, name: str, source: list[str]) -> None:  # noqa: ARG001  Sphinx gives all three
    """Put what the code knows into a page before it is parsed."""
    source[0] = filled(source[0])


def outdated(app: Sphinx, env: BuildEnvironment, *_: set[str]) -> list[str]:  # noqa: ARG001
    """Name the pages that take something from the code: it may have changed, and no file of theirs would tell."""
    return [name for name in env.found_docs if MARK.search(Path(env.doc2path(name)).read_text("utf-8"))]


def stay_offline(app: Sphinx, failed: Exception | None) -> None:
    """Stop if a page would load something from elsewhere."""
    if failed is None and (found := reached_for(Path(app.outdir))):
        raise RuntimeError(f"pages load from elsewhere: {'; '.join(found)}")


def setup(app: Sphinx) -> None:
    """Connect the three."""
    app.connect("source-read", fill)
    app.connect("env-get-outdated", outdated)
    app.connect("build-finished", stay_offline)
