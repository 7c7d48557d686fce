"""Both sites at a glance: what they draw, what is abnormal, and whether the data can be trusted."""

import logging
from collections.abc import Mapping
from datetime import timedelta

from dash import html
from dash.development.base_component import Component

from dashboards.components import states
from dashboards.components.cell import Cell
from dashboards.pages.overview import side
from dashboards.pages.overview.building import building
from dashboards.pages.overview.cells import overview_cells
from dashboards.request import PageRequest
from energy_center.errors import EnergyCenterError, NotFound
from energy_center.services.alarms import list_alarms
from energy_center.services.read_devices import read_devices
from energy_center.services.read_history import Trend, read_trend
from energy_center.services.read_overview import BuildingNow, read_overview
from energy_center.services.read_progress import read_progress

log = logging.getLogger(__name__)

_TOP_ALARMS = 5
_CURVE_POINTS = 192


async def cells(request: PageRequest) -> Mapping[str, Cell]:
    """What the push channel refreshes."""
    overview = await read_overview(request.database, request.now)
    devices = await read_devices(request.database, request.now)
    return {
        **overview_cells(overview, request.language, request.zone),
        **side.device_cells(devices, request.language),
    }


async def draw(request: PageRequest) -> Component:
    """The whole page."""
    try:
        overview = await read_overview(request.database, request.now)
    except NotFound:
        return states.empty(request.t("overview.no_site"), request.t("overview.no_site_hint"))
    devices = await read_devices(request.database, request.now)
    cells_now = {
        **overview_cells(overview, request.language, request.zone),
        **side.device_cells(devices, request.language),
    }
    columns = [building(b, cells_now, await _curve(request, b), request.language) for b in overview.buildings]
    return html.Div(
        [
            html.Div(
                [
                    html.H1(overview.name.in_language(request.language)),
                    *side.weather(overview, cells_now, request),
                ],
                className="page-head",
            ),
            html.Div(
                [
                    *columns,
                    html.Aside(
                        [
                            html.Section(
                                html.Div(await draw_alarms(request), id="part-alarms"), className="panel"
                            ),
                            html.Section(
                                [
                                    *side.data_state(devices, cells_now, request),
                                    html.Div(await draw_progress(request), id="part-progress"),
                                ],
                                className="panel",
                            ),
                        ],
                        className="side",
                    ),
                ],
                className="overview",
            ),
        ],
        **{"data-refresh-s": "300"},
    )


async def draw_alarms(request: PageRequest) -> Component:
    """The most urgent open alarms."""
    rows = await list_alarms(request.database, open_only=True, limit=200)
    return side.top_alarms(rows, _TOP_ALARMS, request)


async def draw_progress(request: PageRequest) -> Component:
    """How far the back-fill of history is; nothing once it is complete."""
    return side.progress(await read_progress(request.database), request)


async def _curve(request: PageRequest, now: BuildingNow) -> Trend | None:
    """The main meter's power over 24 hours; None where it cannot be had, which must not cost the page."""
    if len(now.total_power.point_ids) != 1:
        return None
    start = request.now - timedelta(hours=24)
    try:
        series = await read_trend(
            request.database, now.total_power.point_ids, start, request.now, max_points=_CURVE_POINTS
        )
    except EnergyCenterError:
        log.warning("curve missing", extra={"action": "curve_missing", "building": now.building_id})
        return None
    return series[0]
