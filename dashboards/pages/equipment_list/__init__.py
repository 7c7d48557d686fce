"""Every piece of equipment: where it is, its main value, whether it answers, its alarms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.cell import Cell, from_figure
from dashboards.components.still import still
from dashboards.components.value import value
from dashboards.request import PageRequest
from energy_center.i18n.text import text, text_or
from energy_center.services.figures import FigureState
from energy_center.services.read_equipment import EquipmentRow, list_equipment
from energy_center.services.read_overview import read_overview


async def draw(request: PageRequest) -> Component:
    """The list; searching and filtering happen in the browser, where all rows are."""
    rows = await list_equipment(request.database, request.now)
    overview = await read_overview(request.database, request.now)
    buildings = [(b.building_id, b.name.in_language(request.language)) for b in overview.buildings]
    return html.Div(
        [
            html.Div(
                [
                    html.H1(request.t("equipment.title")),
                    html.Span(request.t("equipment.count", n=len(rows)), className="small-print"),
                ],
                className="page-head",
            ),
            filters(rows, buildings, request),
            table(rows, dict(buildings), request),
        ]
    )


def kind_name(brick_class: str, language: str) -> str:
    """A Brick class in words; a class that the catalogue lacks keeps its own name."""
    return text_or(f"kind.{brick_class}", language, brick_class.replace("_", " "))


def filters(
    rows: Sequence[EquipmentRow], buildings: Sequence[tuple[str, str]], request: PageRequest
) -> Component:
    """Search box, building and kind; a script hides the rows that do not match."""
    kinds = sorted({(kind_name(r.brick_class, request.language), r.brick_class) for r in rows})
    search = request.t("equipment.search")
    return html.Div(
        [
            dcc.Input(
                id="equipment-search",
                type="search",
                placeholder=search,
                value=request.query.get("q", ""),
                className="search",
            ),
            _segments(buildings, request),
            html.Select(
                [
                    html.Option(request.t("equipment.all_kinds"), value=""),
                    *[html.Option(name, value=brick) for name, brick in kinds],
                ],
                id="equipment-kind",
                **{"data-filter-kind": "1", "aria-label": request.t("equipment.kind")},
            ),
        ],
        className="filters",
        role="search",
        **{"aria-label": search, "data-filters": "equipment"},
    )


def _segments(buildings: Sequence[tuple[str, str]], request: PageRequest) -> Component:
    choices = [("", request.t("equipment.all_buildings")), *buildings]
    return html.Div(
        [
            html.Button(
                name,
                type="button",
                className="segment",
                **{"data-filter-building": building_id, "aria-pressed": str(not building_id).lower()},
            )
            for building_id, name in choices
        ],
        className="segments",
        role="group",
        **{"aria-label": request.t("equipment.building")},
    )


def table(rows: Sequence[EquipmentRow], buildings: dict[str, str], request: PageRequest) -> Component:
    """One row each; cards on phones."""
    t = request.t
    heads = ("name", "kind", "place", "main_value", "last_seen", "state")
    drawn = html.Table(
        [
            html.Thead(html.Tr([html.Th(t(f"equipment.{head}"), scope="col") for head in heads])),
            html.Tbody([_row(row, buildings, request) for row in rows]),
        ],
        className="grid equipment-grid",
    )
    return html.Div(
        [
            still(drawn),
            html.Div(
                states.empty(t("equipment.no_match"), t("equipment.no_match_hint")),
                id="equipment-no-match",
                hidden=bool(rows),
            ),
        ],
        className="panel flush",
    )


def _row(row: EquipmentRow, buildings: dict[str, str], request: PageRequest) -> Component:
    name = row.name.in_language(request.language)
    building = buildings.get(row.building_id or "", "")
    place = row.space_name.in_language(request.language)
    kind = kind_name(row.brick_class, request.language)
    at, by_key = row.equipment_id, {cell.key: cell for cell in row_cells(row, request)}
    words = f"{row.equipment_id} {row.name.zh_tw} {row.name.en} {kind} {building} {place}".lower()
    return html.Tr(
        [
            html.Td(
                [
                    dcc.Link(name, href=f"/equipment/{row.equipment_id}", className="title"),
                    html.Span(row.equipment_id, className="code"),
                ],
                className="c-name",
            ),
            html.Td(kind, className="c-kind"),
            html.Td([html.Span(building), html.Span(place, className="place")], className="c-place"),
            html.Td(_main_value(by_key.get(f"{at}/main"), row, request), className="c-value"),
            html.Td(_seen(row, request), className="c-seen"),
            html.Td([_tag(by_key[f"{at}/alarms"]), _tag(by_key[f"{at}/online"])], className="c-state"),
        ],
        **{
            "data-words": words,
            "data-building": row.building_id or "",
            "data-kind": row.brick_class,
            "data-equipment": row.equipment_id,
        },
    )


async def cells(request: PageRequest) -> Mapping[str, Cell]:
    """Of each row its main value, its alarms and whether it answers."""
    rows = await list_equipment(request.database, request.now)
    return {cell.key: cell for row in rows for cell in row_cells(row, request)}


def row_cells(row: EquipmentRow, request: PageRequest) -> Iterator[Cell]:
    """What of a row the push channel refreshes."""
    at = row.equipment_id
    if row.main is not None and row.main_role is not None:
        group = fmt.state_group(row.main_role)
        cell = from_figure(f"{at}/main", row.main, request.language, point=f"{at}/main", words=group)
        shown = fmt.point_value(row.main.amount, row.main_role, row.main.unit, request.language)
        yield replace(cell, shown=shown, point="", whole=fmt.is_count(row.main_role))
    alarms = f"{request.t('equipment.alarms')} {row.active_alarms}" if row.active_alarms else ""
    yield Cell(f"{at}/alarms", alarms, flag="alarm" if alarms else "")
    yield _answers(row, request)


def _answers(row: EquipmentRow, request: PageRequest) -> Cell:
    key = f"{row.equipment_id}/online"
    if row.is_online is False:
        return Cell(key, request.t("equipment.offline"), flag="off")
    if row.points and (row.points_stale or (row.main and row.main.state is FigureState.STALE)):
        return Cell(key, f"{request.t('quality.stale')} {row.points_stale}", flag="stale")
    return Cell(key, request.t("equipment.online") if row.is_online else "", flag="plain")


def _main_value(cell: Cell | None, row: EquipmentRow, request: PageRequest) -> list[Component]:
    if cell is None or row.main_role is None:
        return [html.Span(fmt.MISSING, className="faint")]
    name = html.Span(text(f"role.{row.main_role.value}", request.language), className="what")
    return [value(cell, explained=False), name]


def _seen(row: EquipmentRow, request: PageRequest) -> Component:
    seen_at = (row.main and row.main.at) or row.seen_at
    if seen_at is None:
        never = request.t("quality.never") if row.points else fmt.MISSING
        return html.Span(never, className="faint age-now", **_follow(row, None))
    shown = fmt.span((request.now - seen_at).total_seconds(), request.language)
    return html.Time(shown, className="age-now", **_follow(row, seen_at))


def _follow(row: EquipmentRow, at: datetime | None) -> dict[str, str]:
    stamp = fmt.epoch_ms(at)
    return {"data-follow": f"{row.equipment_id}/main", **({} if stamp is None else {"data-at": str(stamp)})}


def _tag(cell: Cell) -> Component:
    return html.Span(
        html.Span(cell.shown, className="v"),
        className="cell tag",
        **{"data-cell": cell.key, "data-state": cell.state.value, "data-flag": cell.flag},
    )
