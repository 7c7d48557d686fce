"""A headline figure with its name, and a named figure in a list."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.cell import Cell
from dashboards.components.value import value


def kpi(label: str, cell: Cell, href: str | None = None) -> Component:
    """A large figure; its name leads to the equipment it comes from."""
    name: Component | str = dcc.Link(label, href=href, className="plain") if href is not None else label
    return html.Div([html.Div(name, className="label"), value(cell, "big")], className="kpi")


def pair(label: str, shown: Component | str) -> Component:
    """A name and its value on one line."""
    return html.Div([html.Span(label, className="label"), shown], className="pair")
