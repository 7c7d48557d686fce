"""The overview's right column: alarms, state of the data, back-fill; and the weather in the heading."""

from collections.abc import Mapping, Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.alarm_row import alarm_card
from dashboards.components.cell import Cell, How
from dashboards.components.kpi import pair
from dashboards.components.value import value
from dashboards.request import PageRequest
from energy_center.domain.alarms import AlarmState
from energy_center.i18n.text import text
from energy_center.services.alarms import AlarmRow
from energy_center.services.read_devices import DeviceRow
from energy_center.services.read_overview import Overview
from energy_center.services.read_progress import JobProgress

_BACKFILL = "backfill"


def device_cells(devices: Sequence[DeviceRow], language: str) -> dict[str, Cell]:
    """Counts of what cannot be trusted now."""
    del language
    offline = sum(d.is_online is False for d in devices)
    stale = sum(d.points_stale + d.points_never for d in devices)
    points = sum(d.points for d in devices)
    found = (
        Cell(
            "data/offline", f"{offline} / {len(devices)}", flag="alarm" if offline else "ok",
            how=How("how.source.offline"),
        ),
        Cell(
            "data/stale", f"{stale:,} / {points:,}", flag="warn" if stale else "ok",
            how=How("how.source.stale"),
        ),
    )  # fmt: skip
    return {cell.key: cell for cell in found}


def weather(overview: Overview, cells: Mapping[str, Cell], request: PageRequest) -> list[Component]:
    """Outdoor conditions, beside the page's name."""
    if overview.weather is None:
        return []
    shown = [value(cells[f"weather/{what}"]) for what in ("temperature", "humidity", "rain")]
    return [
        html.Div(
            [
                dcc.Link(
                    request.t("overview.weather"),
                    href=f"/equipment/{overview.weather.equipment_id}",
                    className="plain label",
                ),
                *shown,
            ],
            className="weather",
        )
    ]


def top_alarms(rows: Sequence[AlarmRow], most: int, request: PageRequest) -> Component:
    """The first few of the list as the alarm page sorts it, and how many there are."""
    unseen = sum(r.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED) for r in rows)
    count = request.t("alarm.count", open=len(rows), unacknowledged=unseen)
    head = html.Div(
        [html.H3(request.t("overview.alarms")), html.Span(count, className="small-print")],
        className="block-head",
    )
    if not rows:
        checked = request.t("alarm.none_hint", at=fmt.clock(request.now, request.zone, seconds=True))
        return html.Div([head, states.empty(request.t("overview.alarms_none"), checked)])
    return html.Div(
        [
            head,
            html.Div([alarm_card(row, request) for row in rows[:most]], className="alarm-cards"),
            dcc.Link(request.t("overview.alarms_all"), href="/alarms", className="more-link"),
        ],
        **{"data-alarm-count": str(len(rows))},
    )


def data_state(
    devices: Sequence[DeviceRow], cells: Mapping[str, Cell], request: PageRequest
) -> list[Component]:
    """Devices away and points too old."""
    away = [d for d in devices if d.is_online is False]
    names = [
        html.Div(
            dcc.Link(
                d.name.in_language(request.language), href=f"/equipment/{d.device_id}", className="plain"
            ),
            className="away",
        )
        for d in away[:5]
    ]
    return [
        html.Div(html.H3(request.t("overview.data")), className="block-head"),
        html.Div(
            [
                pair(request.t("overview.devices_offline"), value(cells["data/offline"])),
                pair(request.t("overview.points_stale"), value(cells["data/stale"])),
            ],
            className="stack",
        ),
        *names,
    ]


def progress(jobs: Sequence[JobProgress], request: PageRequest) -> Component:
    """The back-fill's bar while it runs, its reason when it failed, nothing when it is done."""
    job = next((j for j in jobs if j.job == _BACKFILL), None)
    if job is None or (job.is_finished and not job.failed):
        return html.Div("")
    t = request.language
    share = 100 * job.done / job.total if job.total else 0
    words = text("overview.backfill_progress", t, done=f"{job.done:,}", total=f"{job.total:,}")
    return html.Div(
        [
            pair(text("overview.backfill", t), html.Span(f"{share:.0f}%")),
            html.Div(
                html.Span("", className="fill"),
                className="bar progress",
                style={"--fill": f"{share:.1f}%"},
                role="progressbar",
                title=words,
                **{"aria-label": text("overview.backfill", t), "aria-valuenow": f"{share:.0f}"},
            ),
            html.Div(job.failed or text("overview.backfill_note", t), className="small-print"),
        ],
        className="backfill",
    )
