"""How a cell is drawn: digits, unit, a state mark and, when it is old, its age."""

from dash import html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.cell import Cell


def _data(cell: Cell) -> dict[str, str]:
    data = {
        "data-cell": cell.key,
        "data-state": cell.state.value,
        "data-flag": cell.flag,
        "data-stale-ms": str(round(cell.stale_after_s * 1000)),
    }
    if cell.point:
        data["data-point"] = cell.point
    return data | _age(cell)


def _age(cell: Cell) -> dict[str, str]:
    at = fmt.epoch_ms(cell.at)
    return {} if at is None else {"data-at": str(at)}


def _opens(cell: Cell, *, explained: bool) -> dict[str, str]:
    """What makes the cell a button that opens how its figure is made."""
    if not explained or cell.how is None:
        return {}
    return {"role": "button", "tabIndex": "0", "aria-haspopup": "dialog", "data-explain": cell.key}


def value(cell: Cell, size: str = "", *, explained: bool = True) -> Component:
    """The cell as `number unit`; `size` is a CSS class: `big`, `small` or none.

    `explained`: a click or Enter tells how the figure is made.
    """
    number = html.Span(cell.shown, className="v")
    parts = [number]
    if cell.unit in fmt.BEFORE_THE_NUMBER:
        parts.insert(0, html.Span(cell.unit, className="u before"))
    elif cell.unit:
        parts.append(html.Span(cell.unit, className="u"))
    return html.Span(
        [*parts, html.Span("", className="age")],
        className=f"cell {size}".strip(),
        title=cell.note,
        **_data(cell),
        **_opens(cell, explained=explained),
    )


def mark(cell: Cell, label: str) -> Component:
    """A state with its mark and name: filled = on, outline = off, square = alarm; and always the word."""
    return html.Span(
        [
            html.Span("", className="dot", **{"aria-hidden": "true"}),
            html.Span(label, className="label"),
            html.Span(cell.shown, className="v"),
            html.Span("", className="age"),
        ],
        className="cell mark",
        title=cell.note,
        **_data(cell),
        **_opens(cell, explained=True),
    )


def bar(cell: Cell, label: str) -> Component:
    """An empty element that is drawn from the cell's CSS custom properties."""
    return html.Div(
        [html.Span("", className="fill"), html.Span("", className="tick")],
        className="cell bar",
        style=dict(cell.style),
        role="img",
        title=cell.note,
        **{**_data(cell), "aria-label": label},
    )
