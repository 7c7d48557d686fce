"""The deviation bar: a value and its forecast against a limit, at one glance."""

from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from dashboards.components.cell import Cell
from dashboards.components.value import _data

_HEADROOM = 1.25  # the scale ends a quarter beyond the limit, so that an excess has room to show


def positions(
    so_far: float | None, forecast: float | None, low: float | None, high: float | None, limit: float | None
) -> Mapping[str, str]:
    """CSS custom properties that place the parts, in % of the bar's length; the unknown is hidden."""
    known = [x for x in (so_far, forecast, high) if x is not None]
    end = max([limit * _HEADROOM if limit else 0.0, *(x * 1.05 for x in known), 1.0])

    def at(x: float | None) -> str:
        return "-10%" if x is None else f"{min(100.0, max(0.0, 100 * x / end)):.1f}%"

    return {
        "--now": "0%" if so_far is None else at(so_far),
        "--forecast": at(forecast),
        "--low": at(low if low is not None else forecast),
        "--high": at(high if high is not None else forecast),
        "--limit": at(limit),
    }


def deviation_bar(cell: Cell, label: str, limit_label: Sequence[Component]) -> Component:
    """Drawn from the cell's style: filled to now, band and mark for the forecast, a line for the limit."""
    return html.Div(
        [
            html.Span("", className="fill"),
            html.Span("", className="range"),
            html.Span("", className="forecast"),
            html.Span(html.Span(list(limit_label), className="limit-label"), className="limit"),
        ],
        className="cell deviation",
        style=dict(cell.style),
        role="group",
        title=cell.note,
        **{**_data(cell), "aria-label": label},
    )
