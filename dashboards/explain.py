"""How a figure is made, on request: its source, unit, period, coverage and points, as text.

A page's script asks when somebody opens a figure, so that pages and pushes stay small.
"""

from datetime import datetime
from typing import Annotated, Final

from dash import dcc, html
from dash.development.base_component import Component
from fastapi import FastAPI, Query
from starlette.responses import HTMLResponse

from dashboards import fmt
from dashboards.components.cell import Cell
from dashboards.components.still import to_html
from dashboards.live.hub import hub
from dashboards.request import PageRequest, make_request
from dashboards.routes import find_page
from energy_center.domain.site import Equipment, Point, Site
from energy_center.domain.timeline import block_of
from energy_center.errors import NotAllowed, NotFound
from energy_center.i18n.text import text
from energy_center.services.current_site import current_site
from energy_center.services.figures import FigureSource

_MOST_POINTS = 40
_TODAY: Final = frozenset(
    {FigureSource.MAIN_METER_REGISTER, FigureSource.ENERGY_CHARGE_TODAY, FigureSource.PV_REGISTER}
)
_BLOCK: Final = frozenset({FigureSource.BLOCK_DEMAND, FigureSource.BLOCK_FORECAST, "how.source.margin"})


def add_to(app: FastAPI) -> None:
    """Put the route on the app, before any catch-all."""

    @app.get("/explain", include_in_schema=False, name="explain_figure")
    async def explain_figure(
        path: Annotated[str, Query(max_length=200)], cell: Annotated[str, Query(max_length=200)]
    ) -> HTMLResponse:
        found = find_page(path)
        if found is None:
            raise NotFound("There is no such page")
        page, params = found
        request = await make_request(hub().database, path, params, {})
        if not request.user.may(page.permission):
            raise NotAllowed
        asked = (await hub().cells(page, request)).get(cell)
        if asked is None or asked.how is None:
            raise NotFound("There is no such figure")
        body = to_html(explanation(asked, await current_site(request.database), request))
        return HTMLResponse(body, headers={"Cache-Control": "no-store"})


def explanation(cell: Cell, site: Site, request: PageRequest) -> Component:
    """Everything that is known about the figure, a name and a value each."""
    how, t = cell.how, request.t
    if how is None:
        raise NotFound("There is no such figure")
    points = [(e, p) for e in site.equipment for p in e.points if p.point_id in set(how.point_ids)]
    at = t("quality.never") if cell.at is None else fmt.moment(cell.at, request.zone, request.language)
    entries: list[tuple[str, Component | str]] = [
        (t("how.value"), f"{cell.shown} {cell.unit}".strip()),
        (t("how.unit"), cell.unit or t("how.no_unit")),
        (t("how.made"), text(how.source, request.language)),
        (t("how.period"), _period(cell, points, request)),
        (t("how.at"), at if cell.at is not None or points else t("how.now")),
        (t("how.state"), _state(cell, request)),
        (t("how.coverage"), t("how.whole") if how.coverage is None else f"{how.coverage * 100:.1f}%"),
        (t("how.points"), _points(points, request)),
    ]
    rows = [part for name, shown in entries for part in (html.Dt(name), html.Dd(shown))]
    return html.Dl(rows, className="explained")


def _state(cell: Cell, request: PageRequest) -> str:
    state = request.t(f"figure.state.{cell.state.value}")
    return f"{state} · {cell.note}" if cell.note else state


def _period(cell: Cell, points: list[tuple[Equipment, Point]], request: PageRequest) -> str:
    source = cell.how.source if cell.how else ""
    until = fmt.clock(cell.at or request.now, request.zone, seconds=True)
    if source in _TODAY:
        return request.t("how.period_today", until=until)
    if source in _BLOCK:
        block = block_of(request.now)
        start, end = (fmt.clock(at, request.zone) for at in (block.start, block.end))
        return request.t("how.period_block", start=start, end=end)
    if source == FigureSource.CONTRACT:
        return request.t("how.period_fixed")
    if not points:
        return request.t("how.period_now", at=_now(request.now, request))
    return request.t("how.period_reading", n=f"{min(p.interval_s for _, p in points):g}")


def _now(now: datetime, request: PageRequest) -> str:
    return fmt.clock(now, request.zone, seconds=True)


def _points(points: list[tuple[Equipment, Point]], request: PageRequest) -> Component | str:
    if not points:
        return request.t("how.no_points")
    items = [
        html.Li(
            [
                dcc.Link(
                    f"{equipment.name.in_language(request.language)} · "
                    f"{text(f'role.{point.role.value}', request.language)}",
                    href=f"/equipment/{equipment.equipment_id}?trend={point.name}",
                ),
                html.Span(f"{equipment.equipment_id}/{point.name}", className="code"),
            ]
        )
        for equipment, point in points[:_MOST_POINTS]
    ]
    return html.Ul(items)
