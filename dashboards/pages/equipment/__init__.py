"""One piece of equipment: what it says now, how old that is, its last day, its alarms and its nameplate."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.alarm_row import alarm_card
from dashboards.components.cell import Cell, from_figure
from dashboards.components.trend import trend
from dashboards.components.value import value
from dashboards.pages.equipment.nameplate import nameplate
from dashboards.pages.equipment_list import kind_name
from dashboards.request import PageRequest
from energy_center.domain.quantities import Kind
from energy_center.i18n.text import text
from energy_center.services.alarms import list_alarms
from energy_center.services.figures import FigureState, stale_after
from energy_center.services.read_equipment import EquipmentView, PointNow, read_equipment
from energy_center.services.read_history import read_trend

_MOST_SERIES = 4
_TREND_POINTS = 720


async def cells(request: PageRequest) -> Mapping[str, Cell]:
    """Every point of the equipment."""
    view = await read_equipment(request.database, request.params["equipment_id"], request.now)
    return {cell.key: cell for cell in (_cell(view, point, request) for point in view.points)}


async def draw(request: PageRequest) -> Component:
    """The whole page."""
    view = await read_equipment(request.database, request.params["equipment_id"], request.now)
    return html.Div(
        [
            dcc.Link(request.t("equipment.back"), href="/equipment", className="back"),
            _head(view, request),
            html.Div(
                [
                    html.Div(
                        [_points(view, request), _alarms_panel(await draw_alarms(request), request)],
                        className="left",
                    ),
                    html.Div([await _trend(view, request), nameplate(view, request)], className="right"),
                ],
                className="equipment-page",
            ),
        ],
        **{"data-refresh-s": "300"},
    )


async def draw_alarms(request: PageRequest) -> Component:
    """The open alarms of this equipment."""
    rows = await list_alarms(request.database)
    ours = [r for r in rows if r.equipment_id == request.params["equipment_id"]]
    if not ours:
        return states.empty(request.t("equipment.no_alarms"))
    return html.Div([alarm_card(row, request) for row in ours], className="alarm-cards")


def _alarms_panel(body: Component, request: PageRequest) -> Component:
    head = html.Div(html.H2(request.t("equipment.its_alarms")), className="block-head")
    return html.Section([head, html.Div(body, id="part-alarms")], className="panel")


def _cell(view: EquipmentView, point: PointNow, request: PageRequest) -> Cell:
    key = f"{view.row.equipment_id}/{point.name}"
    group = fmt.state_group(point.role)
    cell = from_figure(key, point.figure, request.language, point=key, words=group)
    shown = fmt.point_value(point.figure.amount, point.role, point.unit, request.language)
    return replace(
        cell,
        shown=shown,
        point_id=point.point_id,
        whole=fmt.is_count(point.role),
        stale_after_s=stale_after(point.interval_s).total_seconds(),
    )


def _head(view: EquipmentView, request: PageRequest) -> Component:
    row = view.row
    online = {True: "equipment.online", False: "equipment.offline"}.get(bool(row.is_online))
    tag = (
        [html.Span(request.t(online or ""), className="tag plain" if row.is_online else "tag off")]
        if row.is_online is not None
        else []
    )
    return html.Div(
        [
            html.H1(row.name.in_language(request.language)),
            html.Span(kind_name(row.brick_class, request.language), className="small-print"),
            html.Span(row.space_name.in_language(request.language), className="small-print"),
            html.Span(row.equipment_id, className="code"),
            *tag,
        ],
        className="page-head",
    )


def _points(view: EquipmentView, request: PageRequest) -> Component:
    head = html.Div(html.H2(request.t("equipment.points")), className="block-head")
    if not view.points:
        return html.Section([head, states.empty(request.t("equipment.no_points"))], className="panel")
    t = request.t
    rows = [_point_row(view, point, request) for point in view.points]
    return html.Section(
        [
            head,
            html.Table(
                [
                    html.Thead(
                        html.Tr(
                            [
                                html.Th(t("equipment.point"), scope="col"),
                                html.Th(t("equipment.value"), scope="col", className="number"),
                                html.Th(t("equipment.age"), scope="col", className="number"),
                                html.Th(t("equipment.quality"), scope="col"),
                            ]
                        )
                    ),
                    html.Tbody(rows),
                ],
                className="grid points-grid",
            ),
        ],
        className="panel",
    )


def _point_row(view: EquipmentView, point: PointNow, request: PageRequest) -> Component:
    cell = _cell(view, point, request)
    at = fmt.epoch_ms(cell.at)
    follow = {"data-follow": cell.key, **({"data-at": str(at)} if at is not None else {})}
    never = request.t("quality.never") if at is None else ""
    words = {f"data-{state.value}": request.t(f"figure.state.{state.value}") for state in FigureState}
    return html.Tr(
        [
            html.Td(text(f"role.{point.role.value}", request.language), className="c-name"),
            html.Td(value(cell), className="c-value number"),
            html.Td(html.Span(never, className="age-now", **follow), className="c-age number"),
            html.Td(
                html.Span(
                    request.t(f"figure.state.{point.figure.state.value}"),
                    className="quality-now",
                    **{"data-quality-of": cell.key, "data-state": point.figure.state.value, **words},
                ),
                className="c-quality",
            ),
        ],
        **{"data-role": point.role.value},
    )


async def _trend(view: EquipmentView, request: PageRequest) -> Component:
    head = html.Div(html.H2(request.t("equipment.trend")), className="block-head")
    drawable = [p for p in view.points if p.kind is not Kind.STATE] or list(view.points)
    if not drawable:
        return html.Section([head, states.empty(request.t("equipment.trend_empty"))], className="panel")
    chosen = _chosen(view, drawable, request.query.get("trend", ""))
    start = request.now - timedelta(hours=24)
    series = await read_trend(
        request.database, [p.point_id for p in chosen], start, request.now, max_points=_TREND_POINTS
    )
    return html.Section(
        [head, _chips(view, drawable, chosen, request), trend(series, start, request.now, request)],
        className="panel trend-panel",
    )


def _chosen(view: EquipmentView, drawable: Sequence[PointNow], asked: str) -> list[PointNow]:
    names = [name for name in asked.split(",") if name][:_MOST_SERIES]
    by_name = {p.name: p for p in view.points}
    chosen = [by_name[name] for name in names if name in by_name]
    if chosen:
        return chosen
    first = [p for p in view.points if p.point_id in view.trend_point_ids]
    return first or list(drawable[:1])


def _chips(
    view: EquipmentView, drawable: Sequence[PointNow], chosen: Sequence[PointNow], request: PageRequest
) -> Component:
    """Each point is a link that adds it to the chart or takes it away."""
    on = [p.name for p in chosen]
    chips = []
    for point in drawable:
        names = [n for n in on if n != point.name] if point.name in on else [*on, point.name][-_MOST_SERIES:]
        chips.append(
            dcc.Link(
                text(f"role.{point.role.value}", request.language),
                href=f"/equipment/{view.row.equipment_id}?trend={','.join(names)}",
                className="chip on" if point.name in on else "chip",
            )
        )
    return html.Div(
        chips, className="chips", role="group", **{"aria-label": request.t("equipment.trend_pick")}
    )
