"""A card for each collector process: its last sign of life and what waits in its spool."""

from collections.abc import Iterator, Sequence

from dash import html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.cell import Cell
from dashboards.components.kpi import pair
from dashboards.components.value import value
from dashboards.request import PageRequest
from energy_center.services.figures import FigureState
from energy_center.services.supervision import CollectorHealth, DeviceHealth

_KILO = 1000.0
_SIZES = ("B", "kB", "MB", "GB", "TB")
_LOUD = frozenset({"silent", "dropping"})


def cards(
    told: Sequence[CollectorHealth], devices: Sequence[DeviceHealth], request: PageRequest
) -> Component:
    """All of them; without one, how to start one."""
    if not told:
        hint = request.t("devices.no_collector_hint")
        return html.Div(states.empty(request.t("devices.no_collector"), hint), className="panel")
    return html.Div([_card(one, devices, request) for one in told], className="collector-cards")


def _card(one: CollectorHealth, devices: Sequence[DeviceHealth], request: PageRequest) -> Component:
    cells = {c.key.rsplit("/", 1)[1]: c for c in collector_cells(one, devices, request)}
    tags = [
        html.Span(
            request.t(f"collector_trouble.{trouble.value}"),
            className="tag alarm" if trouble.value in _LOUD else "tag off",
        )
        for trouble in one.troubles
    ] or [html.Span(request.t("devices.collecting"), className="tag plain")]
    entries = [
        pair(request.t(f"devices.{name}"), value(cells[name], explained=False))
        for name in ("told", "readings", "oldest", "backlog", "dropped", "set_aside", "commit", "process")
    ]
    mistakes = [html.Li(mistake) for mistake in one.reload_mistakes]
    return html.Section(
        [
            html.Div(
                [
                    html.H2(request.t("devices.collector", host=one.host)),
                    html.Span(one.collector_id, className="code"),
                    *tags,
                ],
                className="block-head",
            ),
            html.Div(entries, className="collector-facts"),
            *([html.Ul(mistakes, className="mistakes")] if mistakes else []),
        ],
        className="panel",
        **{"data-collector": one.collector_id},
    )


def collector_cells(
    one: CollectorHealth, devices: Sequence[DeviceHealth], request: PageRequest
) -> Iterator[Cell]:
    """What of a card the push channel refreshes."""
    at, spool, t = f"collector/{one.collector_id}", one.spool, request.t
    told_s = (request.now - one.at).total_seconds()
    lines = {bus.connection_id for bus in one.buses}
    rate = sum(d.readings_per_s for d in devices if d.connection_id in lines)
    late = FigureState.STALE if "backlog" in one.troubles else FigureState.GOOD
    oldest = spool.oldest_unsent_at
    waits = (
        fmt.span((request.now - oldest).total_seconds(), request.language) if oldest else t("devices.nothing")
    )
    yield Cell(f"{at}/told", t("age.ago", age=fmt.span(told_s, request.language)))
    yield Cell(f"{at}/readings", f"{rate:,.0f}", t("devices.a_second"))
    yield Cell(f"{at}/oldest", waits, state=late)
    yield Cell(f"{at}/backlog", size(spool.backlog_bytes))
    yield Cell(f"{at}/dropped", f"{spool.dropped:,}", flag="alarm" if spool.dropped else "")
    yield Cell(f"{at}/set_aside", size(spool.unknown_bytes + spool.future_bytes))
    yield Cell(f"{at}/commit", f"{spool.commit_s * 1000:,.1f}", "ms")
    yield Cell(f"{at}/process", f"{one.cpu_share:.0%} · {size(one.memory_bytes)}")


def size(count: float) -> str:
    """Bytes in decimal units, as disks are sold."""
    for unit in _SIZES:
        if count < _KILO or unit == _SIZES[-1]:
            break
        count /= _KILO
    return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
