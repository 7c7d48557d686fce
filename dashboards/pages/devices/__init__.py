"""How collection goes: collectors and what waits in their spools, buses, and all devices, worst first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components import states
from dashboards.components.cell import Cell
from dashboards.pages.devices import buses, collectors, rows
from dashboards.request import PageRequest
from energy_center.services.supervision import (
    DeviceHealth,
    DeviceStatus,
    list_collectors,
    list_devices,
)


async def draw(request: PageRequest) -> Component:
    """The page; its figures are pushed, its order is renewed every minute."""
    found = await list_devices(request.database, request.now)
    told = await list_collectors(request.database, request.now)
    chosen = [d for d in found if _fits(d, request)]
    return html.Div(
        [
            html.Div(
                [
                    html.H1(request.t("devices.title")),
                    html.Span(request.t("devices.count", n=len(found)), className="small-print"),
                ],
                className="page-head",
            ),
            collectors.cards(told, found, request),
            _filters(found, request),
            _devices(chosen, request),
            buses.table(told, found, request),
        ],
        **{"data-refresh-s": "60"},
    )


async def cells(request: PageRequest) -> Mapping[str, Cell]:
    """What changes while the page is open."""
    found = await list_devices(request.database, request.now)
    told = await list_collectors(request.database, request.now)
    of_devices = {cell.key: cell for device in found for cell in rows.row_cells(device, request)}
    return of_devices | {c.key: c for one in told for c in collectors.collector_cells(one, found, request)}


def _fits(device: DeviceHealth, request: PageRequest) -> bool:
    status, bus = request.query.get("status"), request.query.get("bus")
    return (not status or device.status == status) and (not bus or device.connection_id == bus)


def _devices(found: Sequence[DeviceHealth], request: PageRequest) -> Component:
    if not found:
        body: Component = states.empty(request.t("devices.none"), request.t("devices.none_hint"))
        return html.Div(body, className="panel")
    return html.Div(rows.table(found, request), className="panel flush")


def _filters(found: Sequence[DeviceHealth], request: PageRequest) -> Component:
    """By status, each with its number; the bus that was chosen can be left again."""
    counts = Counter(d.status for d in found if not (b := request.query.get("bus")) or d.connection_id == b)
    chosen, bus = request.query.get("status", ""), request.query.get("bus", "")
    choices = [("", request.t("devices.all"), counts.total())]
    choices += [
        (s.value, request.t(f"device_status.{s.value}"), counts[s]) for s in DeviceStatus if counts[s]
    ]
    segments = html.Div(
        [
            dcc.Link(
                f"{words} {count}",
                href=_href(status=status, bus=bus),
                className="segment" + (" on" if status == chosen else ""),
            )
            for status, words, count in choices
        ],
        className="segments",
        role="group",
        **{"aria-label": request.t("devices.status")},
    )
    leave = dcc.Link(f"{bus} ✕", href=_href(status=chosen, bus=""), className="tag plain") if bus else ""
    return html.Div([segments, leave], className="filters")


def _href(**query: str) -> str:
    given = {name: words for name, words in query.items() if words}
    return "/devices" + (f"?{urlencode(given)}" if given else "")
