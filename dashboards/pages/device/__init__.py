"""One device: what is counted of it, what went wrong and what to do, and the messages nobody could read."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.kpi import pair
from dashboards.pages.devices.rows import milliseconds
from dashboards.request import PageRequest
from energy_center.domain.supervision import ErrorCount, ErrorKind, MalformedSample
from energy_center.services.supervision import DeviceDetail, DeviceStatus, get_device

_FLAGS = {DeviceStatus.AWAY: "off", DeviceStatus.UNKNOWN: "stale", DeviceStatus.RESTING: "stale"}
_ADVISED = 2  # kinds of failure that are explained, the most frequent first


async def draw(request: PageRequest) -> Component:
    """The whole page, renewed every ten seconds."""
    detail = await get_device(request.database, request.params["device_id"], request.now)
    return html.Div(
        [
            dcc.Link(request.t("devices.back"), href="/devices", className="back"),
            _head(detail, request),
            html.Div(
                [
                    html.Div([_facts(detail, request), _failures(detail, request)], className="left"),
                    html.Div([_advice(detail, request), _history(detail, request)], className="right"),
                ],
                className="detail-page",
            ),
            *_malformed(detail.malformed, request),
        ],
        **{"data-refresh-s": "10"},
    )


def _head(detail: DeviceDetail, request: PageRequest) -> Component:
    device = detail.device
    status = request.t(f"device_status.{device.status.value}")
    return html.Div(
        [
            html.H1(device.name.in_language(request.language)),
            html.Span(device.device_id, className="code"),
            html.Span(status, className=f"tag {_FLAGS.get(device.status, 'plain')}"),
        ],
        className="page-head",
        **{"data-device-status": device.status.value},
    )


def _facts(detail: DeviceDetail, request: PageRequest) -> Component:
    device, t, lang = detail.device, request.t, request.language
    seen = fmt.ago(device.seen_at, request.now, lang) if device.seen_at else t("quality.never")
    trip = f"{milliseconds(device.round_trip_s)} / {milliseconds(device.round_trip_p95_s)} ms"
    entries = [
        pair(t("devices.last_good"), seen),
        pair(t("devices.connection"), _bus_link(device.connection_id)),
        pair(t("devices.rate"), f"{device.readings_per_s:,.1f}"),
        pair(
            t("devices.requests"),
            f"{device.requests:,} · {device.requests_per_s:,.2f} {t('devices.a_second')}",
        ),
        pair(t("devices.failures"), f"{device.failures:,}"),
        pair(t("devices.overruns"), f"{device.overruns:,}"),
        pair(t("devices.points_stale"), f"{device.points_stale + device.points_never} / {device.points}"),
        pair(t("nav.equipment"), dcc.Link(t("devices.its_values"), href=f"/equipment/{device.device_id}")),
    ]
    if device.round_trip_s is not None:
        entries.insert(2, pair(t("devices.round_trip_both"), trip))
    if detail.bus is not None and detail.bus.busy_share is not None:
        entries.insert(3, pair(t("devices.bus_busy"), f"{detail.bus.busy_share:.0%}"))
    return html.Section(html.Div(entries, className="stack facts"), className="panel")


def _bus_link(connection_id: str | None) -> Component | str:
    if connection_id is None:
        return fmt.MISSING
    return dcc.Link(connection_id, href=f"/devices?bus={connection_id}")


def _failures(detail: DeviceDetail, request: PageRequest) -> Component:
    t, last = request.t, detail.device.last_error
    head = html.Div(html.H2(t("devices.failures_by_kind")), className="block-head")
    if not detail.errors:
        return html.Section([head, states.empty(t("devices.no_failures"))], className="panel")
    rows = [
        html.Tr([html.Td(error_words(e, request)), html.Td(f"{e.count:,}", className="number")])
        for e in detail.errors
    ]
    said = []
    if last is not None:
        at = fmt.moment(last.at, request.zone, request.language, request.now)
        said = [html.P([html.Span(t("devices.last_said", at=at), className="faint"), " ", last.said])]
    return html.Section(
        [head, html.Table(html.Tbody(rows), className="grid failures-grid"), *said], className="panel"
    )


def error_words(error: ErrorCount, request: PageRequest) -> str:
    """A kind of failure in words, with the device's own code where it gave one."""
    words = request.t(f"device_error.{error.kind.value}")
    return words if not error.code else f"{words} ({request.t('devices.code', code=error.code)})"


def _advice(detail: DeviceDetail, request: PageRequest) -> Component:
    """What to do, from how the device stands and what goes wrong most often."""
    kinds: list[ErrorKind] = list(dict.fromkeys(e.kind for e in detail.errors))
    last = detail.device.last_error
    if last is not None and last.kind not in kinds[:_ADVISED]:
        kinds.insert(0, last.kind)
    lines = [request.t(f"device_advice.{kind.value}") for kind in kinds[:_ADVISED]]
    if detail.device.status is DeviceStatus.UNKNOWN:
        lines.insert(0, request.t("device_advice.unknown"))
    if not lines:
        lines = [request.t("device_advice.none")]
    head = html.Div(html.H2(request.t("devices.what_to_do")), className="block-head")
    return html.Section(
        [head, html.Ul([html.Li(line) for line in lines], className="advice")], className="panel"
    )


def _history(detail: DeviceDetail, request: PageRequest) -> Component:
    head = html.Div(html.H2(request.t("devices.history")), className="block-head")
    if not detail.events:
        return html.Section([head, states.empty(request.t("devices.no_history"))], className="panel")
    lines = [
        html.Li(
            [
                html.Time(fmt.moment(e.at, request.zone, request.language)),
                html.Span(request.t("devices.came" if e.online else "devices.went")),
                html.Span(e.detail, className="faint"),
            ]
        )
        for e in detail.events
    ]
    return html.Section([head, html.Ol(lines, className="timeline")], className="panel")


def _malformed(samples: Sequence[MalformedSample], request: PageRequest) -> list[Component]:
    if not samples:
        return []
    rows = [
        html.Tr(
            [
                html.Td(html.Time(fmt.moment(s.at, request.zone, request.language, request.now))),
                html.Td([html.Span(s.topic, className="code"), html.Div(s.why)]),
                html.Td(html.Code(s.excerpt)),
            ]
        )
        for s in samples
    ]
    head = html.Div(html.H2(request.t("devices.malformed_messages")), className="block-head")
    table = html.Table(html.Tbody(rows), className="grid malformed-grid")
    return [html.Section([head, table], className="panel malformed")]
