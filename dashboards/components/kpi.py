"""A headline figure with its name, and a named figure in a list."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.cell import Cell
from dashboards.components.value import value


def kpi(label: str, cell: Cell, href: str | None = None, under: str = "") -> Component:
    """A large figure; `href` leads to where it comes from, `under` is a line of small print."""
    shown: Component = value(cell, "big")
    if href is not None:
        shown = dcc.Link(shown, href=href, className="plain")
    small = [html.Div(under, className="under")] if under else []
    return html.Div([html.Div(label, className="label"), shown, *small], className="kpi")


def pair(label: str, shown: Component | str) -> Component:
    """A name and its value on one line."""
    return html.Div([html.Span(label, className="label"), shown], className="pair")
