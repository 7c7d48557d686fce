"""The table of buses: whether each stands, how busy it is, and how many of its devices answer."""

from collections import defaultdict
from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.domain.supervision import BusReport
from energy_center.services.supervision import CollectorHealth, DeviceHealth, DeviceStatus

_HEADS = ("connection", "protocol", "stands_since", "answering", "busy", "overdue", "connects", "malformed")
_FIRST_NUMBER = 3
_ALL_BUSY = 0.9  # what comes on top of it has to wait


def table(
    told: Sequence[CollectorHealth], devices: Sequence[DeviceHealth], request: PageRequest
) -> Component:
    """Those that are down first, then those with silent devices, then the busiest."""
    behind: dict[str, list[DeviceHealth]] = defaultdict(list)
    for device in devices:
        behind[device.connection_id or ""].append(device)
    every = [bus for one in told for bus in one.buses]
    found = sorted(every, key=lambda bus: _place(bus, behind[bus.connection_id]))
    heads = [
        html.Th(request.t(f"devices.{head}"), scope="col", className=None if n < _FIRST_NUMBER else "number")
        for n, head in enumerate(_HEADS)
    ]
    drawn = html.Table(
        [
            html.Thead(html.Tr(heads)),
            html.Tbody([_row(bus, behind[bus.connection_id], request) for bus in found]),
        ],
        className="grid bus-grid",
    )
    return html.Section(
        [html.Div(html.H2(request.t("devices.buses")), className="block-head"), still(drawn)],
        className="panel flush buses",
    )


def _place(bus: BusReport, devices: Sequence[DeviceHealth]) -> tuple[bool, int, float, str]:
    silent = len(devices) - _answering(devices)
    return bus.connected_since is not None, -silent, -round(bus.busy_share or 0.0, 2), bus.connection_id


def _answering(devices: Sequence[DeviceHealth]) -> int:
    return sum(d.status in (DeviceStatus.ONLINE, DeviceStatus.RESTING) for d in devices)


def _row(bus: BusReport, devices: Sequence[DeviceHealth], request: PageRequest) -> Component:
    return html.Tr(
        [
            html.Td(
                dcc.Link(bus.connection_id, href=f"/devices?bus={bus.connection_id}", className="title"),
                className="c-name",
            ),
            html.Td(request.t(f"protocol.{bus.protocol}"), className="c-kind"),
            html.Td(_stands(bus, request), className="c-state"),
            html.Td(f"{_answering(devices)} / {len(devices)}", className="c-answering number"),
            html.Td(_busy(bus), className="c-busy number"),
            html.Td(_count(bus.overdue), className="number"),
            html.Td(f"{bus.connects:,}", className="number"),
            html.Td(_count(bus.malformed), className="number"),
        ],
        **{"data-bus": bus.connection_id},
    )


def _stands(bus: BusReport, request: PageRequest) -> Component:
    if bus.connected_since is None:
        return html.Span(request.t("devices.down"), className="tag off")
    return html.Span(fmt.moment(bus.connected_since, request.zone, request.language, request.now))


def _busy(bus: BusReport) -> Component | str:
    if bus.busy_share is None:
        return fmt.MISSING
    shown = f"{bus.busy_share:.0%}"
    return html.Span(shown, className="tag off") if bus.busy_share > _ALL_BUSY else shown


def _count(number: int) -> str:
    return f"{number:,}" if number else fmt.MISSING
