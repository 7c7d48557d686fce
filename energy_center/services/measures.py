"""Measures as people work with them: make one, accept it, do it, adjust. Every deed is audited."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from energy_center.analysis.virtual_meters import BadExpression, parse_virtual_meter
from energy_center.domain.measures import (
    Days,
    Measure,
    MeasureAdjustment,
    MeasureId,
    MeasureState,
    MeasureVerification,
    moves,
)
from energy_center.domain.people import Actor
from energy_center.errors import Conflict, Invalid, NotFound
from energy_center.services.current_site import current_site
from energy_center.services.read_energy import energy_unit, metered_points, virtual_meters
from energy_center.store import audit
from energy_center.store import measures as store
from energy_center.store.pool import Connection, Database

LONGEST_NAME = 200
BASELINE_DAYS = 365
_UNSAVED = MeasureId(0)


@dataclass(frozen=True, slots=True)
class WantedMeasure:
    """What a person or an accepted suggestion asks for; `state` is suggested or accepted."""

    name: str
    meter: str
    description: str = ""
    equipment_id: str | None = None
    suggestion_id: int | None = None
    work_order_id: int | None = None
    cost_ntd: float | None = None
    expected_kwh_per_year: float | None = None
    state: MeasureState = MeasureState.ACCEPTED


@dataclass(frozen=True, slots=True)
class Step:
    """A move; `done` says when the work was done, with `baseline` if not the year before it."""

    to: MeasureState
    version: int
    done: Days | None = None
    baseline: Days | None = None
    cost_ntd: float | None = None


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """A measure as a list shows it; `verification` is without its days."""

    measure: Measure
    verification: MeasureVerification | None


@dataclass(frozen=True, slots=True)
class MeasureDetail:
    """A measure with all that was recorded, and the moves that are possible from here."""

    measure: Measure
    adjustments: tuple[MeasureAdjustment, ...]
    verification: MeasureVerification | None
    moves: tuple[MeasureState, ...]


async def create_measure(db: Database, wanted: WantedMeasure, actor: Actor, now: datetime) -> Measure:
    """Make a measure; of a suggestion that became one already, that one.

    Raises Invalid for a meter that is none, or no electricity meter.
    """
    await _check(db, wanted)
    async with db.transaction() as conn:
        if wanted.suggestion_id is not None:
            earlier = await store.measure_of_suggestion(conn, wanted.suggestion_id)
            if earlier is not None:
                return earlier
        return await _insert(conn, wanted, actor, now)


async def _check(db: Database, wanted: WantedMeasure) -> None:
    if not 0 < len(wanted.name.strip()) <= LONGEST_NAME:
        raise Invalid(f"A measure needs a name of 1 to {LONGEST_NAME} characters", field="name")
    if wanted.state not in (MeasureState.SUGGESTED, MeasureState.ACCEPTED):
        raise Invalid("A measure begins as suggested or accepted", field="state")
    site = await current_site(db)
    points = metered_points(site)
    try:
        virtual = parse_virtual_meter(wanted.meter, points, virtual_meters(site))
    except BadExpression as cause:
        raise Invalid(f"`meter`: {cause}.", field="meter") from cause
    if {energy_unit(points[name]) for name in virtual.factors} != {"kW.h"}:
        raise Invalid(f"`meter`: '{wanted.meter}' does not measure electricity.", field="meter")
    if wanted.equipment_id is not None and all(e.equipment_id != wanted.equipment_id for e in site.equipment):
        raise Invalid(f"No equipment '{wanted.equipment_id}'.", field="equipment_id")


async def _insert(conn: Connection, wanted: WantedMeasure, actor: Actor, now: datetime) -> Measure:
    measure = Measure(
        measure_id=_UNSAVED,
        name=wanted.name.strip(),
        meter=wanted.meter,
        state=wanted.state,
        created_by=actor.name,
        created_at=now,
        description=wanted.description,
        equipment_id=wanted.equipment_id,
        suggestion_id=wanted.suggestion_id,
        work_order_id=wanted.work_order_id,
        cost_ntd=wanted.cost_ntd,
        expected_kwh_per_year=wanted.expected_kwh_per_year,
    )
    written = replace(measure, measure_id=await store.insert_measure(conn, measure))
    await _audit(conn, actor, "measure.created", None, written, now)
    return written


async def move_measure(
    db: Database, measure_id: int, step: Step, actor: Actor, now: datetime, today: date
) -> Measure:
    """Take a step. Raises NotFound, Conflict for a stale version or no such step, Invalid for wrong days."""
    async with db.transaction() as conn:
        measure = await _locked(conn, measure_id)
        if measure.version != step.version:
            raise Conflict("Somebody else has changed this measure", version=measure.version)
        if step.to not in moves(measure.state):
            raise Conflict(f"A measure that is {measure.state.value} cannot become {step.to.value}")
        moved = replace(measure, state=step.to, version=measure.version + 1)
        if step.cost_ntd is not None:
            moved = replace(moved, cost_ntd=step.cost_ntd)
        if step.to is MeasureState.DONE:
            done, baseline = _days_of(step, today)
            moved = replace(moved, done=done, baseline=baseline)
        await store.update_measure(conn, moved)
        await _audit(conn, actor, f"measure.{step.to.value}", measure, moved, now)
        return moved


def _days_of(step: Step, today: date) -> tuple[Days, Days]:
    """When it was done and what it is compared with."""
    if step.done is None:
        raise Invalid("Say on which days the measure was carried out", field="done_from")
    done = step.done
    baseline = step.baseline or Days(
        done.first - timedelta(days=BASELINE_DAYS), done.first - timedelta(days=1)
    )
    if done.last < done.first or done.last > today:
        raise Invalid("The work ends after it begins, and not in the future", field="done_to")
    if baseline.last < baseline.first or baseline.last >= done.first:
        raise Invalid("The baseline ends before the work begins", field="baseline_to")
    return done, baseline


async def adjust_measure(
    db: Database, measure_id: int, days: Days, kwh_per_day: float, reason: str, actor: Actor, now: datetime
) -> None:
    """Record a change that is not the measure's. Raises NotFound, Invalid, Conflict before it is done."""
    if days.last < days.first:
        raise Invalid("The last day lies before the first", field="last_on")
    if not reason.strip():
        raise Invalid("An adjustment needs a reason", field="reason")
    async with db.transaction() as conn:
        measure = await _locked(conn, measure_id)
        if measure.done is None:
            raise Conflict("An adjustment is of a measure that is done")
        await store.add_adjustment(conn, measure_id, days, kwh_per_day, reason.strip(), actor.name, now)
        await store.touch_measure(conn, measure_id)
        after = {"from": days.first, "to": days.last, "kwh_per_day": kwh_per_day, "reason": reason}
        await audit.append(conn, actor, "measure.adjusted", f"measure/{measure_id}", None, after, now)


async def withdraw_adjustment(
    db: Database, measure_id: int, adjustment_id: int, actor: Actor, now: datetime
) -> None:
    """Take an adjustment out of the reckoning; it stays to be seen. Raises NotFound."""
    async with db.transaction() as conn:
        await _locked(conn, measure_id)
        if not await store.withdraw_adjustment(conn, measure_id, adjustment_id, actor.name, now):
            raise NotFound("There is no such adjustment", adjustment_id=adjustment_id)
        await store.touch_measure(conn, measure_id)
        before = {"adjustment_id": adjustment_id}
        subject = f"measure/{measure_id}"
        await audit.append(conn, actor, "measure.adjustment_withdrawn", subject, before, None, now)


async def list_measures(db: Database, *, limit: int = 200) -> list[MeasureRow]:
    """Newest first."""
    async with db.connection() as conn:
        found = await store.listed_measures(conn, limit)
        verified = await store.latest_verifications(conn, [m.measure_id for m in found])
    return [MeasureRow(measure, verified.get(measure.measure_id)) for measure in found]


async def get_measure(db: Database, measure_id: int) -> MeasureDetail:
    """Raises NotFound."""
    async with db.connection() as conn:
        measure = await store.read_measure(conn, measure_id)
        if measure is None:
            raise NotFound("There is no such measure", measure_id=measure_id)
        adjustments = await store.adjustments_of(conn, measure_id)
        verification = await store.latest_verification(conn, measure_id)
    return MeasureDetail(measure, tuple(adjustments), verification, moves(measure.state))


async def _locked(conn: Connection, measure_id: int) -> Measure:
    measure = await store.lock_measure(conn, measure_id)
    if measure is None:
        raise NotFound("There is no such measure", measure_id=measure_id)
    return measure


async def _audit(
    conn: Connection, actor: Actor, action: str, before: Measure | None, after: Measure, now: datetime
) -> None:
    earlier = None if before is None else _audited(before)
    await audit.append(conn, actor, action, f"measure/{after.measure_id}", earlier, _audited(after), now)


def _audited(measure: Measure) -> dict[str, Any]:
    return {
        "name": measure.name,
        "meter": measure.meter,
        "state": measure.state,
        "cost_ntd": measure.cost_ntd,
        "done": None if measure.done is None else [measure.done.first, measure.done.last],
        "baseline": None if measure.baseline is None else [measure.baseline.first, measure.baseline.last],
        "version": measure.version,
    }
