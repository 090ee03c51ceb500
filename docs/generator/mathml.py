"""Mathematics as MathML, which browsers draw themselves: no script, nothing from the network."""

from html import escape
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert


def add_mathml(app: Any) -> None:
    """Tells Sphinx; `html_math_renderer` names it."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.config.html_math_renderer = "mathml"


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(f'<span class="math">{convert(node.astext())}</span>')
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.math_block) -> None:
    source = escape(node.astext(), quote=True)
    drawn = convert(node.astext(), display="block")
    writer.body.append(f'<div class="math" title="{source}">{drawn}</div>')
    raise nodes.SkipNode
