"""Verifies measures that are done by the site's meter and outdoor temperature, and keeps what was found."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from energy_center.analysis.grid import Step
from energy_center.analysis.verification.series import DaySpan, fingerprint
from energy_center.analysis.verification.verdict import Verdict
from energy_center.analysis.verification.verify import Adjustment, course, verify
from energy_center.domain.calendars import GovernmentCalendar
from energy_center.domain.measures import (
    BEING_VERIFIED,
    Days,
    Measure,
    MeasureAdjustment,
    MeasureState,
    MeasureVerification,
)
from energy_center.domain.people import Actor
from energy_center.domain.quantities import Role
from energy_center.domain.site import Point, Site
from energy_center.domain.timeline import Interval, local_date, midnight
from energy_center.errors import Conflict, Invalid, NotFound, TellUser
from energy_center.rules.rule import Waste
from energy_center.services.current_site import current_site
from energy_center.services.read_energy import metered_points, read_energy
from energy_center.services.reckon_saving import reckon
from energy_center.services.verification_document import Document, course_document, document
from energy_center.services.verification_series import MeasuredDays, Temperatures, measured_days
from energy_center.store import audit
from energy_center.store import measures as store
from energy_center.store.pool import Database
from energy_center.store.series import Grain, read_series

log = logging.getLogger(__name__)

REPORTING_DAYS = 365
FIRST_AFTER_DAYS = 28  # there is no answer with fewer
STANDS_AFTER_DAYS = 60  # that an answer takes to stand before the year is over
AGAIN_AFTER = timedelta(days=1)
WORKER = Actor("system:verification", "")
_HOUR_S = 3600.0
_US = 1e6


async def verify_due(db: Database, now: datetime) -> int:
    """Verify what has enough days and is due; gives how many."""
    site = await current_site(db)
    today = local_date(now, ZoneInfo(site.time_zone))
    async with db.connection() as conn:
        waiting = await store.listed_measures(conn, 1000, BEING_VERIFIED)
        latest = await store.latest_verifications(conn, [m.measure_id for m in waiting])
    done = 0
    for measure in waiting:
        found = latest.get(measure.measure_id)
        if _days_after(measure, today) < FIRST_AFTER_DAYS or not _is_due(found, now):
            continue
        try:
            await verify_measure(db, measure.measure_id, WORKER, now)
            done += 1
        except TellUser as problem:  # of this measure alone, such as a meter that is gone
            facts = {"action": "measure_not_verified", "measure": measure.measure_id, "problem": str(problem)}
            log.warning("measure could not be verified", extra=facts)
    return done


def _is_due(found: MeasureVerification | None, now: datetime) -> bool:
    """Once a day; where it could not be told, whenever asked, since history may still be coming in."""
    if found is None or found.verdict == Verdict.CANNOT_TELL:
        return True
    return now - found.made_at >= AGAIN_AFTER


def _days_after(measure: Measure, today: date) -> int:
    return (today - measure.done.last).days - 1 if measure.done is not None else 0


async def verify_measure(db: Database, measure_id: int, actor: Actor, now: datetime) -> MeasureVerification:
    """Verify with the data as they are now, keep the answer, and move the measure on.

    Raises NotFound; Conflict where it is not done; Invalid before a whole day has passed after it.
    """
    site = await current_site(db)
    async with db.connection() as conn:
        measure = await store.read_measure(conn, measure_id)
        if measure is None:
            raise NotFound("There is no such measure", measure_id=measure_id)
        adjustments = await store.adjustments_of(conn, measure_id)
    spans = _spans(measure, local_date(now, ZoneInfo(site.time_zone)))
    measured, temperature = await _measured(db, site, measure, spans)
    found, data_hash = await asyncio.to_thread(_verify, site, measure, spans, measured, adjustments)
    found["temperature"] = f"{temperature.equipment_id}/{temperature.name}"
    verification = MeasureVerification(
        measure.measure_id,
        now,
        found["verdict"],
        Days(spans.baseline.first, spans.baseline.last),
        Days(spans.reporting.first, spans.reporting.last),
        data_hash,
        found,
    )
    await _keep(db, measure, verification, actor, now)
    return verification


@dataclass(frozen=True, slots=True)
class _Spans:
    baseline: DaySpan
    reporting: DaySpan


def _spans(measure: Measure, today: date) -> _Spans:
    if measure.done is None or measure.baseline is None or measure.state is MeasureState.DROPPED:
        raise Conflict("Only a measure that is done can be verified")
    first = measure.done.last + timedelta(days=1)
    last = min(first + timedelta(days=REPORTING_DAYS - 1), today - timedelta(days=1))
    if last < first:
        raise Invalid("No whole day has passed since the measure was carried out")
    return _Spans(DaySpan(measure.baseline.first, measure.baseline.last), DaySpan(first, last))


def outdoor_point(site: Site) -> Point:
    """The site's weather. Raises NotFound where nothing measures it."""
    points = [p for e in site.equipment if (p := e.point(Role.OUTDOOR_AIR_TEMPERATURE)) is not None]
    stations = {e.equipment_id for e in site.equipment if "Weather" in e.brick_class}
    found = [p for p in points if p.equipment_id in stations] or points
    if not found:
        raise NotFound("Nothing measures the outdoor temperature here; a baseline needs it")
    return found[0]


async def _measured(db: Database, site: Site, measure: Measure, spans: _Spans) -> tuple[MeasuredDays, Point]:
    zone = ZoneInfo(site.time_zone)
    span = DaySpan(spans.baseline.first, spans.reporting.last)
    period = Interval(midnight(span.first, zone), midnight(span.last + timedelta(days=1), zone))
    energy = await read_energy(db, measure.meter, period, Step.HOUR)
    outdoor = outdoor_point(site)
    series = (await read_series(db, [outdoor.point_id], period.start, period.end, Grain.HOUR))[
        outdoor.point_id
    ]
    # an hour's mean stands in its middle
    temperatures = Temperatures(series.at_us / _US + _HOUR_S / 2, series.value, _HOUR_S)
    points = metered_points(site)
    step_s = max(points[part.equipment_id].interval_s for part in energy.parts)

    def cut() -> MeasuredDays:
        calendar = GovernmentCalendar(site.holidays_of_country)
        return measured_days(lambda _: energy.energies, step_s, temperatures, span, zone, calendar)

    return await asyncio.to_thread(cut), outdoor


def _verify(
    site: Site,
    measure: Measure,
    spans: _Spans,
    measured: MeasuredDays,
    adjustments: Sequence[MeasureAdjustment],
) -> tuple[Document, str]:
    counted = [
        Adjustment(DaySpan(a.days.first, a.days.last), a.kwh_per_day)
        for a in adjustments
        if a.withdrawn_at is None
    ]
    found = verify(measured.days, measured.hours, spans.baseline, spans.reporting, counted)
    answer = document(found, spans.baseline, spans.reporting)
    answer["adjustments"] = [a.adjustment_id for a in adjustments if a.withdrawn_at is None]
    if found.estimate is not None:
        answer["course"] = course_document(course(found.estimate, measured.days, measured.hours))
        answer |= _worth(site, measure, spans.reporting, found.estimate.avoided_kwh)
    return answer, fingerprint(measured.days, measured.hours)


def _worth(site: Site, measure: Measure, reporting: DaySpan, avoided_kwh: float) -> Document:
    """NT$ by the building's tariff, spread evenly over the period, and kg CO2; None without a saving."""
    if avoided_kwh <= 0:
        return {"money_ntd": None, "carbon_kg": None, "worth_basis": ""}
    zone = ZoneInfo(site.time_zone)
    first = next(iter(metered_parts(site, measure.meter)), None)
    equipment = next((e for e in site.equipment if e.equipment_id == first), None)
    building = site.building_of(equipment.space_id) if equipment is not None and equipment.space_id else None
    start, end = midnight(reporting.first, zone), midnight(reporting.last + timedelta(days=1), zone)
    waste = Waste(energy_kwh=avoided_kwh, basis="spread evenly over the period")
    worth = reckon(waste, site, building, start.astimezone(UTC), end.astimezone(UTC))
    return {"money_ntd": worth.money_ntd, "carbon_kg": worth.carbon_kg, "worth_basis": worth.basis}


def metered_parts(site: Site, meter: str) -> list[str]:
    """Equipment named in an expression of meters, in the order of the site file."""
    words = meter.replace("(", " ").replace(")", " ").split()
    return [e.equipment_id for e in site.equipment if e.equipment_id in words]


async def _keep(db: Database, seen: Measure, found: MeasureVerification, actor: Actor, now: datetime) -> None:
    async with db.transaction() as conn:
        measure = await store.lock_measure(conn, seen.measure_id)
        if measure is None or measure.done != seen.done or measure.baseline != seen.baseline:
            raise Conflict("The measure was changed meanwhile")
        if _is_known(await store.latest_verification(conn, seen.measure_id), found):
            return
        await store.add_verification(conn, found)
        state = _state_after(measure, found)
        await store.update_measure(conn, replace(measure, state=state))
        after = {"verdict": found.verdict, "state": state, "data_hash": found.data_hash}
        before = {"state": measure.state}
        await audit.append(
            conn, actor, "measure.verified", f"measure/{measure.measure_id}", before, after, now
        )


def _is_known(earlier: MeasureVerification | None, found: MeasureVerification) -> bool:
    """Whether the same data, spans and adjustments were judged before: that would say the same again."""
    if earlier is None or earlier.data_hash != found.data_hash:
        return False
    same_spans = (earlier.baseline, earlier.reporting) == (found.baseline, found.reporting)
    return same_spans and earlier.findings["adjustments"] == found.findings["adjustments"]


def _state_after(measure: Measure, found: MeasureVerification) -> MeasureState:
    """The answer stands when it is clear after two months, or when the year is over."""
    if measure.state not in BEING_VERIFIED:
        return measure.state
    days = (found.reporting.last - found.reporting.first).days + 1
    is_clear = found.verdict != Verdict.CANNOT_TELL and days >= STANDS_AFTER_DAYS
    return MeasureState.VERIFIED if is_clear or days >= REPORTING_DAYS else MeasureState.VERIFYING
