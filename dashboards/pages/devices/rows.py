"""The table of devices: one row each, cards on phones."""

from collections.abc import Iterator, Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.cell import Cell
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.services.supervision import DeviceHealth, DeviceStatus

_HEADS = ("device", "status", "wrong", "last_good", "round_trip", "rate", "failures")
_FLAGS = {DeviceStatus.AWAY: "off", DeviceStatus.UNKNOWN: "stale", DeviceStatus.RESTING: "stale"}
_NUMBERS = frozenset({"round_trip", "rate", "failures"})


def table(found: Sequence[DeviceHealth], request: PageRequest) -> Component:
    """Worst first, as they are given."""
    heads = [
        html.Th(request.t(f"devices.{head}"), scope="col", className="number" if head in _NUMBERS else None)
        for head in _HEADS
    ]
    drawn = html.Table(
        [html.Thead(html.Tr(heads)), html.Tbody([_row(device, request) for device in found])],
        className="grid device-grid",
    )
    return still(drawn)


def row_cells(device: DeviceHealth, request: PageRequest) -> Iterator[Cell]:
    """What of a row the push channel refreshes."""
    at = device.device_id
    words = request.t(f"device_status.{device.status.value}")
    yield Cell(f"{at}/status", words, flag=_FLAGS.get(device.status, "plain"))
    yield Cell(f"{at}/wrong", wrong_words(device, request))
    yield Cell(f"{at}/trip", milliseconds(device.round_trip_s), "ms" if device.round_trip_s else "")
    yield Cell(f"{at}/rate", f"{device.readings_per_s:,.1f}" if device.readings_per_s else fmt.MISSING)
    yield Cell(f"{at}/failures", f"{device.failures:,}" if device.requests else fmt.MISSING)
    yield Cell(f"{at}/seen", "", at=device.seen_at)


def wrong_words(device: DeviceHealth, request: PageRequest) -> str:
    """What is wrong with a device that does not answer, in words; empty when it does."""
    if device.status is DeviceStatus.ONLINE:
        return ""
    if device.status is DeviceStatus.UNKNOWN:
        return request.t("devices.nobody_tells")
    if device.last_error is None:
        return request.t("devices.not_yet") if device.status is DeviceStatus.NEVER else ""
    return request.t(f"device_error.{device.last_error.kind.value}")


def milliseconds(seconds: float | None) -> str:
    """A round trip in milliseconds, a dash where there is none."""
    if seconds is None:
        return fmt.MISSING
    return f"{seconds * 1000:,.1f}" if seconds < 0.1 else f"{seconds * 1000:,.0f}"  # noqa: PLR2004 digits


def _row(device: DeviceHealth, request: PageRequest) -> Component:
    cells = {cell.key.removeprefix(f"{device.device_id}/"): cell for cell in row_cells(device, request)}
    return html.Tr(
        [
            html.Td(
                [
                    dcc.Link(
                        device.name.in_language(request.language),
                        href=f"/devices/{device.device_id}",
                        className="title",
                    ),
                    html.Span(device.connection_id or "", className="code"),
                ],
                className="c-name",
            ),
            html.Td(_live(cells["status"], "tag"), className="c-state"),
            html.Td(_live(cells["wrong"]), className="c-wrong"),
            html.Td(_seen(device, cells["seen"], request), className="c-seen"),
            html.Td(_live(cells["trip"]), className="c-trip number"),
            html.Td(_live(cells["rate"]), className="c-rate number"),
            html.Td(_live(cells["failures"]), className="c-failures number"),
        ],
        **{"data-device": device.device_id, "data-status": device.status.value},
    )


def _live(cell: Cell, look: str = "") -> Component:
    parts = [html.Span(cell.shown, className="v")]
    if cell.unit:
        parts.append(html.Span(cell.unit, className="u"))
    return html.Span(
        parts,
        className=f"cell {look}".strip(),
        **{"data-cell": cell.key, "data-state": cell.state.value, "data-flag": cell.flag},
    )


def _seen(device: DeviceHealth, cell: Cell, request: PageRequest) -> Component:
    if device.seen_at is None:
        return html.Span(request.t("quality.never"), className="faint")
    shown = fmt.span((request.now - device.seen_at).total_seconds(), request.language)
    stamp = str(fmt.epoch_ms(device.seen_at))
    return html.Time(shown, className="age-now", **{"data-follow": cell.key, "data-at": stamp})
