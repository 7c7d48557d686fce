"""What the rule saw: its points over its window with limits and moments, and its figures in words."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.kpi import pair
from dashboards.components.trend import trend
from dashboards.components.trend_marks import Limit, Moment
from dashboards.request import PageRequest
from energy_center.domain.readings import PointId
from energy_center.errors import DatabaseAway, EnergyCenterError
from energy_center.i18n.text import text_or
from energy_center.services.alarms import AlarmDetail, AlarmRow
from energy_center.services.read_history import Trend, read_trend

log = logging.getLogger(__name__)

_MOST_SERIES = 4
_CHART_POINTS = 600
_AFTERWARDS = timedelta(minutes=30)  # after the return to normal, to see that it stays there
# The end of a rule's name for a number, in lower case -> UCUM code; rules write both `_c` and `_Cel`.
_UCUM = {
    "m": "m", "s": "s", "min": "min", "h": "h", "kw": "kW", "kwh": "kW.h", "k": "K", "c": "Cel", "cel": "Cel",
    "pct": "%", "a": "A", "v": "V", "hz": "Hz", "m3": "m3", "pa": "Pa", "kpa": "kPa", "ppm": "[ppm]",
}  # fmt: skip
# Parameters that a reading itself is compared with; others are times, shares, differences, nominal values.
_LIMITS = frozenset({"high_level", "low_level", "contract", "most", "least", "idle"})


async def evidence_chart(detail: AlarmDetail, request: PageRequest) -> Component:
    """The rule's points from before the onset until now, or until a while after it went."""
    head = html.Div(html.H2(request.t("alarm.chart")), className="block-head")
    return html.Section([head, await _chart(detail, request)], className="panel trend-panel")


async def _chart(detail: AlarmDetail, request: PageRequest) -> Component:
    period, ids = period_of(detail, request.now), detail.evidence.get("point_ids") or ()
    if period is None or not ids:
        return states.empty(request.t("alarm.no_chart"))
    points = [PointId(int(point_id)) for point_id in ids][:_MOST_SERIES]
    try:
        series = await read_trend(request.database, points, *period, max_points=_CHART_POINTS)
    except DatabaseAway:
        raise
    except EnergyCenterError:  # a point of an old site file: the rest of the page still stands
        log.warning("no evidence", extra={"action": "evidence_missing", "alarm": detail.row.alarm_id})
        return states.empty(request.t("alarm.no_chart"))
    return trend(
        series, *period, request,
        moments=moments_of(detail.row, request), limits=limits_of(detail.evidence, series, request),
    )  # fmt: skip


def period_of(detail: AlarmDetail, now: datetime) -> tuple[datetime, datetime] | None:
    """From the start of the rule's window until now, or half an hour after the return to normal."""
    begins = detail.evidence.get("window_from")
    if not begins:
        return None
    start = datetime.fromisoformat(str(begins))
    returned = detail.row.returned_at
    end = now if returned is None else min(now, returned + _AFTERWARDS)
    return (start, end) if end > start else None


def moments_of(row: AlarmRow, request: PageRequest) -> list[Moment]:
    """When the condition began, when the alarm was raised, when it went."""
    found = [
        Moment(row.onset_at, request.t("alarm.mark_onset"), "p2"),
        Moment(row.raised_at, request.t("alarm.mark_raised"), "p1"),
    ]
    if row.returned_at is not None:
        found.append(Moment(row.returned_at, request.t("alarm.mark_returned"), "text"))
    return found


def limits_of(evidence: Mapping[str, Any], series: Sequence[Trend], request: PageRequest) -> list[Limit]:
    """The rule's parameters that its readings are compared with, in a unit that is drawn."""
    drawn = {s.unit for s in series}
    found = []
    for name, amount in dict(evidence.get("parameters") or {}).items():
        what, ucum = _split(name)
        if what in _LIMITS and ucum in drawn:
            found.append(Limit(float(amount), ucum, _label(what, request)))
    return found


def evidence_words(detail: AlarmDetail, request: PageRequest) -> Component:
    """The rule's figures when it was raised, its parameters and its source."""
    evidence = detail.evidence
    rows = [
        pair(*_measured(name, amount, request))
        for group in ("values", "parameters")
        for name, amount in dict(evidence.get(group) or {}).items()
    ]
    notes = ", ".join(str(note) for note in evidence.get("notes") or ())
    small = [html.Div(words, className="small-print") for words in (notes, detail.source) if words]
    head = html.H3(request.t("alarm.evidence"))
    return html.Section([head, html.Div(rows, className="stack facts"), *small], className="panel spaced")


def _split(name: str) -> tuple[str, str]:
    """A rule's `<what>_<unit>`; without a unit that is known, all of it is the name."""
    what, _, suffix = name.rpartition("_")
    ucum = _UCUM.get(suffix.lower(), "")
    return (what, ucum) if ucum and what else (name, "")


def _label(what: str, request: PageRequest) -> str:
    label = text_or(f"evidence.{what}", request.language, what.replace("_", " "))
    return text_or(f"role.{what}", request.language, label)


def _measured(name: str, amount: object, request: PageRequest) -> tuple[str, Component]:
    what, ucum = _split(name)
    number = f"{amount:,.4g}" if isinstance(amount, int | float) else str(amount)
    return _label(what, request), html.Span(f"{number} {fmt.unit(ucum)}".strip())
