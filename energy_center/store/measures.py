"""Measures, their adjustments and their verifications."""

import json
from collections.abc import Sequence
from datetime import date, datetime

from energy_center.domain.measures import (
    Days,
    Measure,
    MeasureAdjustment,
    MeasureId,
    MeasureState,
    MeasureVerification,
)
from energy_center.store.pool import Connection, Record

_COLUMNS = """measure_id, name, description, meter, equipment_id, suggestion_id, work_order_id, cost_ntd,
    expected_kwh_per_year, state, done_from, done_to, baseline_from, baseline_to, version, created_by,
    created_at"""

_INSERT = """
INSERT INTO measure (name, description, meter, equipment_id, suggestion_id, work_order_id, cost_ntd,
    expected_kwh_per_year, state, done_from, done_to, baseline_from, baseline_to, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
RETURNING measure_id"""

_UPDATE = """
UPDATE measure SET state = $2, done_from = $3, done_to = $4, baseline_from = $5, baseline_to = $6,
    cost_ntd = $7, work_order_id = $8, version = version + 1
WHERE measure_id = $1"""

_TOUCH = "UPDATE measure SET version = version + 1 WHERE measure_id = $1"
_ONE = f"SELECT {_COLUMNS} FROM measure WHERE measure_id = $1"  # noqa: S608 constant text
_OF_SUGGESTION = f"""
SELECT {_COLUMNS} FROM measure WHERE suggestion_id = $1 AND state <> 'dropped'"""  # noqa: S608 constant text
_LISTED = f"""
SELECT {_COLUMNS} FROM measure WHERE $2::text[] IS NULL OR state = ANY ($2)
ORDER BY measure_id DESC LIMIT $1"""  # noqa: S608 constant text

_ADJUSTMENT_COLUMNS = """adjustment_id, measure_id, first_on, last_on, kwh_per_day, reason, made_by, made_at,
    withdrawn_by, withdrawn_at"""
_ADJUSTMENTS = f"""
SELECT {_ADJUSTMENT_COLUMNS} FROM measure_adjustment WHERE measure_id = $1
ORDER BY adjustment_id LIMIT 1000"""  # noqa: S608 constant text
_ADD_ADJUSTMENT = """
INSERT INTO measure_adjustment (measure_id, first_on, last_on, kwh_per_day, reason, made_by, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""
_WITHDRAW = """
UPDATE measure_adjustment SET withdrawn_by = $3, withdrawn_at = $4
WHERE measure_id = $1 AND adjustment_id = $2 AND withdrawn_at IS NULL
RETURNING adjustment_id"""

_ADD_VERIFICATION = """
INSERT INTO measure_verification (measure_id, made_at, verdict, baseline_from, baseline_to, reporting_from,
    reporting_to, data_hash, findings)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb)"""
_LATEST = """
SELECT measure_id, made_at, verdict, baseline_from, baseline_to, reporting_from, reporting_to, data_hash,
    findings::text AS findings
FROM measure_verification WHERE measure_id = $1 ORDER BY verification_id DESC LIMIT 1"""
# for lists: without the days, which are most of the text
_LATEST_OF = """
SELECT DISTINCT ON (measure_id) measure_id, made_at, verdict, baseline_from, baseline_to, reporting_from,
    reporting_to, data_hash, (findings - 'days' - 'baseline_days')::text AS findings
FROM measure_verification WHERE measure_id = ANY ($1) ORDER BY measure_id, verification_id DESC LIMIT 1000"""


async def insert_measure(conn: Connection, measure: Measure) -> MeasureId:
    """Write a new one; its number and version are the database's."""
    done, baseline = measure.done, measure.baseline
    return MeasureId(
        await conn.fetchval(
            _INSERT,
            measure.name,
            measure.description,
            measure.meter,
            measure.equipment_id,
            measure.suggestion_id,
            measure.work_order_id,
            measure.cost_ntd,
            measure.expected_kwh_per_year,
            measure.state.value,
            *_ends(done),
            *_ends(baseline),
            measure.created_by,
            measure.created_at,
        )
    )


async def update_measure(conn: Connection, measure: Measure) -> None:
    """Write what a step changes."""
    await conn.execute(
        _UPDATE,
        measure.measure_id,
        measure.state.value,
        *_ends(measure.done),
        *_ends(measure.baseline),
        measure.cost_ntd,
        measure.work_order_id,
    )


async def touch_measure(conn: Connection, measure_id: int) -> None:
    """Something of it has changed that stands elsewhere."""
    await conn.execute(_TOUCH, measure_id)


async def read_measure(conn: Connection, measure_id: int) -> Measure | None:
    """One, or None."""
    row = await conn.fetchrow(_ONE, measure_id)
    return None if row is None else _measure(row)


async def lock_measure(conn: Connection, measure_id: int) -> Measure | None:
    """One, that nobody else changes until the transaction ends."""
    row = await conn.fetchrow(f"{_ONE} FOR UPDATE", measure_id)
    return None if row is None else _measure(row)


async def measure_of_suggestion(conn: Connection, suggestion_id: int) -> Measure | None:
    """The one that a suggestion became, unless it was dropped."""
    row = await conn.fetchrow(_OF_SUGGESTION, suggestion_id)
    return None if row is None else _measure(row)


async def listed_measures(
    conn: Connection, limit: int, states: Sequence[MeasureState] | None = None
) -> list[Measure]:
    """Newest first."""
    wanted = None if states is None else [state.value for state in states]
    return [_measure(row) for row in await conn.fetch(_LISTED, limit, wanted)]


async def add_adjustment(
    conn: Connection,
    measure_id: int,
    days: Days,
    kwh_per_day: float,
    reason: str,
    made_by: str,
    now: datetime,
) -> None:
    """Record one."""
    await conn.execute(_ADD_ADJUSTMENT, measure_id, days.first, days.last, kwh_per_day, reason, made_by, now)


async def withdraw_adjustment(
    conn: Connection, measure_id: int, adjustment_id: int, actor: str, now: datetime
) -> bool:
    """Take one out of the reckoning; False where there is none to take out."""
    return await conn.fetchval(_WITHDRAW, measure_id, adjustment_id, actor, now) is not None


async def adjustments_of(conn: Connection, measure_id: int) -> list[MeasureAdjustment]:
    """All of a measure, withdrawn ones too."""
    return [
        MeasureAdjustment(
            row["adjustment_id"],
            MeasureId(row["measure_id"]),
            Days(row["first_on"], row["last_on"]),
            row["kwh_per_day"],
            row["reason"],
            row["made_by"],
            row["made_at"],
            row["withdrawn_by"],
            row["withdrawn_at"],
        )
        for row in await conn.fetch(_ADJUSTMENTS, measure_id)
    ]


async def add_verification(conn: Connection, found: MeasureVerification) -> None:
    """Keep what was found; earlier findings stay."""
    await conn.execute(
        _ADD_VERIFICATION,
        found.measure_id,
        found.made_at,
        found.verdict,
        found.baseline.first,
        found.baseline.last,
        found.reporting.first,
        found.reporting.last,
        found.data_hash,
        json.dumps(found.findings, default=str),
    )


async def latest_verification(conn: Connection, measure_id: int) -> MeasureVerification | None:
    """The newest finding with every day."""
    row = await conn.fetchrow(_LATEST, measure_id)
    return None if row is None else _verification(row)


async def latest_verifications(
    conn: Connection, measure_ids: Sequence[int]
) -> dict[MeasureId, MeasureVerification]:
    """The newest findings without their days."""
    found = [_verification(row) for row in await conn.fetch(_LATEST_OF, list(measure_ids))]
    return {each.measure_id: each for each in found}


def _ends(days: Days | None) -> tuple[date | None, date | None]:
    return (None, None) if days is None else (days.first, days.last)


def _days(first: date | None, last: date | None) -> Days | None:
    return None if first is None or last is None else Days(first, last)


def _measure(row: Record) -> Measure:
    return Measure(
        measure_id=MeasureId(row["measure_id"]),
        name=row["name"],
        description=row["description"],
        meter=row["meter"],
        equipment_id=row["equipment_id"],
        suggestion_id=row["suggestion_id"],
        work_order_id=row["work_order_id"],
        cost_ntd=row["cost_ntd"],
        expected_kwh_per_year=row["expected_kwh_per_year"],
        state=MeasureState(row["state"]),
        done=_days(row["done_from"], row["done_to"]),
        baseline=_days(row["baseline_from"], row["baseline_to"]),
        version=row["version"],
        created_by=row["created_by"],
        created_at=row["created_at"],
    )


def _verification(row: Record) -> MeasureVerification:
    return MeasureVerification(
        MeasureId(row["measure_id"]),
        row["made_at"],
        row["verdict"],
        Days(row["baseline_from"], row["baseline_to"]),
        Days(row["reporting_from"], row["reporting_to"]),
        row["data_hash"],
        json.loads(row["findings"]),
    )
