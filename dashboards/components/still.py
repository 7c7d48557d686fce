"""Large parts that no callback touches, sent as HTML: Dash needs 4 ms a component (226 rows: 15 s, measured
2026-11-24 on two shared cores), the browser's own parser next to nothing.
"""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

_ATTRIBUTES = {"className": "class", "htmlFor": "for", "tabIndex": "tabindex", "maxLength": "maxlength"}
_LEFT_OUT = frozenset({"children"})


def still(component: Component) -> Component:
    """The same part as one element; a script of the shell puts the HTML in, links stay links of the shell."""
    return html.Div("", className="still", **{"data-html": to_html(component)})


def to_html(node: object) -> str:
    """HTML of a tree of `html` components and `dcc.Link`; every text and attribute is escaped."""
    if node is None:
        return ""
    if isinstance(node, list | tuple):
        return "".join(to_html(part) for part in node)
    if not isinstance(node, Component):
        return escape(str(node))
    described = node.to_plotly_json()
    tag, properties = str(described["type"]).lower(), described["props"]
    if isinstance(node, dcc.Link):
        tag, properties = "a", {**properties, "data-nav": "1"}
    attributes = "".join(_written(properties))
    return f"<{tag}{attributes}>{to_html(properties.get('children'))}</{tag}>"


def _written(properties: Mapping[str, Any]) -> Iterator[str]:
    for name, given in properties.items():
        if name in _LEFT_OUT or given is None or given is False:
            continue
        shown = _style(given) if name == "style" else "" if given is True else str(given)
        yield f' {_ATTRIBUTES.get(name, name)}="{escape(shown)}"'


def _style(properties: Mapping[str, str]) -> str:
    return ";".join(f"{name}:{value}" for name, value in properties.items())
