"""One building's column of the overview."""

from collections.abc import Mapping

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.cell import Cell
from dashboards.components.deviation import deviation_bar
from dashboards.components.kpi import kpi, pair
from dashboards.components.sparkline import sparkline
from dashboards.components.value import bar, mark, value
from dashboards.pages.overview.cells import plant_header
from energy_center.i18n.text import text
from energy_center.services.read_history import Trend
from energy_center.services.read_overview import BuildingNow, RainTankNow, SumpNow

Cells = Mapping[str, Cell]


def building(now: BuildingNow, cells: Cells, curve: Trend | None, language: str) -> Component:
    """Headline figures, demand, then the systems."""
    here = now.building_id
    blocks = [_demand(now, cells, language)]
    if now.plant is not None:
        blocks.append(_plant(here, plant_header(now.plant), cells, language))
    if now.pv is not None:
        blocks.append(_pv(here, now.pv.equipment_ids, cells, language))
    if now.sumps:
        blocks.append(_sumps(now.sumps, cells, language))
    if now.rain_tank is not None:
        blocks.append(_rain_tank(now.rain_tank, cells, language))
    return html.Section(
        [
            html.H2(now.name.in_language(language)),
            _headline(now, cells, language),
            *_curve(curve, now.main_meter_id, language),
            *blocks,
        ],
        className="panel building",
    )


def _headline(now: BuildingNow, cells: Cells, language: str) -> Component:
    here = now.building_id
    source = f"/equipment/{now.main_meter_id}" if now.main_meter_id else None
    return html.Div(
        [
            kpi(text("overview.power_now", language), cells[f"{here}/power"], source),
            kpi(text("overview.energy_today", language), cells[f"{here}/energy"], source),
            kpi(text("overview.cost_today", language), cells[f"{here}/cost"]),
        ],
        className="kpis",
    )


def _curve(curve: Trend | None, meter: str | None, language: str) -> list[Component]:
    if curve is None or curve.is_empty:
        return []
    label = text("equipment.trend", language)
    drawn = sparkline(curve.at, curve.value, curve.at[0], curve.at[-1], label) if len(curve.at) > 1 else None
    if drawn is None:
        return []
    known = [v for v in curve.value if v is not None]
    return [
        html.Div(
            [
                html.Div(
                    [
                        dcc.Link(label, href=f"/equipment/{meter}") if meter else html.Span(label),
                        html.Span(
                            f"{text('equipment.lowest', language)} {fmt.number(min(known), curve.unit)} · "
                            f"{text('equipment.highest', language)} {fmt.number(max(known), curve.unit)} "
                            f"{fmt.unit(curve.unit)}"
                        ),
                    ],
                    className="curve-head",
                ),
                drawn,
            ],
            className="curve",
        )
    ]


def _block(
    title: str,
    body: list[Component],
    side: Component | None = None,
    href: str = "",
    beside: Component | None = None,
) -> Component:
    name: Component = dcc.Link(title, href=href, className="plain") if href else html.Span(title)
    left = html.Span([html.H3(name), *([beside] if beside is not None else [])], className="left-of")
    head = [left, *([side] if side is not None else [])]
    return html.Div([html.Div(head, className="block-head"), *body], className="block")


def _demand(now: BuildingNow, cells: Cells, language: str) -> Component:
    here = now.building_id
    limit: list[Component] = []
    if now.contract.amount is not None:
        name = html.Span(text("overview.contract", language), className="label")
        limit = [name, value(cells[f"{here}/contract"], "small")]
    return _block(
        text("overview.demand", language),
        [
            deviation_bar(cells[f"{here}/demand-bar"], text("overview.demand", language), limit),
            html.Div(
                [
                    pair(text("overview.demand_so_far", language), value(cells[f"{here}/so-far"])),
                    pair(
                        text("overview.demand_forecast", language),
                        html.Span(
                            [
                                value(cells[f"{here}/forecast"]),
                                value(cells[f"{here}/forecast-range"], "small"),
                            ],
                            className="joined",
                        ),
                    ),
                ],
                className="pairs demand-pairs",
            ),
        ],
        value(cells[f"{here}/margin"], "margin"),
        beside=value(cells[f"{here}/block"], "small", explained=False),
    )


def _plant(here: str, header: str | None, cells: Cells, language: str) -> Component:
    return _block(
        text("overview.plant", language),
        [
            html.Div(
                [
                    pair(text("overview.chillers_running", language), value(cells[f"{here}/chillers"])),
                    pair(text("overview.supply", language), value(cells[f"{here}/supply"])),
                    pair(text("overview.plant_power", language), value(cells[f"{here}/plant-power"])),
                    pair(text("overview.return", language), value(cells[f"{here}/return"])),
                    pair(text("overview.efficiency", language), value(cells[f"{here}/efficiency"])),
                ],
                className="stack two",
            )
        ],
        href=f"/equipment/{header}" if header else "",
    )


def _pv(here: str, equipment_ids: tuple[str, ...], cells: Cells, language: str) -> Component:
    return _block(
        text("overview.pv", language),
        [
            html.Div(
                [
                    pair(text("overview.pv_now", language), value(cells[f"{here}/pv"])),
                    pair(text("overview.pv_today", language), value(cells[f"{here}/pv-today"])),
                ],
                className="stack two",
            )
        ],
        href=f"/equipment/{equipment_ids[0]}" if equipment_ids else "",
    )


def _sumps(sumps: tuple[SumpNow, ...], cells: Cells, language: str) -> Component:
    rows = [
        html.Div(
            [
                dcc.Link(
                    sump.name.in_language(language),
                    href=f"/equipment/{sump.equipment_id}",
                    className="plain name",
                ),
                bar(cells[f"{sump.equipment_id}/level-bar"], text("overview.sumps", language)),
                value(cells[f"{sump.equipment_id}/level"]),
                mark(cells[f"{sump.equipment_id}/float"], ""),
                html.Span(
                    [
                        mark(cells[f"{pump.equipment_id}/status"], f"P{number}")
                        for number, pump in enumerate(sump.pumps, 1)
                    ],
                    className="pumps",
                ),
            ],
            className="sump",
        )
        for sump in sumps
    ]
    return _block(text("overview.sumps", language), [html.Div(rows, className="rows")])


def _rain_tank(tank: RainTankNow, cells: Cells, language: str) -> Component:
    at = tank.equipment_id
    return _block(
        text("overview.rain_tank", language),
        [
            html.Div(
                [
                    bar(cells[f"{at}/level-bar"], text("overview.rain_tank", language)),
                    html.Div(
                        [
                            value(cells[f"{at}/level"]),
                            pair(text("overview.tank_volume", language), value(cells[f"{at}/volume"])),
                            mark(cells[f"{at}/mains"], text("overview.mains_valve", language)),
                            mark(cells[f"{at}/overflow"], text("role.overflow_state", language)),
                        ],
                        className="pairs",
                    ),
                ],
                className="tank",
            )
        ],
        href=f"/equipment/{at}",
    )
