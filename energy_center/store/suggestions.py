"""Suggestions, one row a measure and subject, and the newest reckoning of each building."""

import json
from collections.abc import Sequence
from datetime import datetime

from energy_center.domain.alarms import AlarmId
from energy_center.domain.suggestions import Suggestion, SuggestionId, SuggestionRun, SuggestionState
from energy_center.store.pool import Connection, Record

_FIELDS = (
    "suggestion_id, building_id, measure_id, subject_id, state, first_at, computed_at, energy_kwh, money_ntd,"
    " carbon_kg, water_m3, cost_ntd, payback_years, counted_kwh, confidence, coverage, alarm_id,"
    " evidence::text AS evidence, decided_at, decided_by, reason, declined_until"
)

_INSERT = """
INSERT INTO suggestion (building_id, measure_id, subject_id, state, first_at, computed_at, energy_kwh,
    money_ntd, carbon_kg, water_m3, cost_ntd, payback_years, counted_kwh, confidence, coverage, alarm_id,
    evidence)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17::text::jsonb)
RETURNING suggestion_id"""

_UPDATE = """
UPDATE suggestion SET state = $2, first_at = $3, computed_at = $4, energy_kwh = $5, money_ntd = $6,
    carbon_kg = $7, water_m3 = $8, cost_ntd = $9, payback_years = $10, counted_kwh = $11, confidence = $12,
    coverage = $13, alarm_id = $14, evidence = $15::text::jsonb, decided_at = $16, decided_by = $17,
    reason = $18, declined_until = $19
WHERE suggestion_id = $1"""

_OF_BUILDING = f"""
SELECT {_FIELDS} FROM suggestion WHERE building_id = $1 ORDER BY suggestion_id LIMIT 10000
FOR UPDATE"""  # noqa: S608 constant text

_ONE = f"SELECT {_FIELDS} FROM suggestion WHERE suggestion_id = $1"  # noqa: S608 constant text

# $1 states, $2 building or NULL, $3 alarm or NULL, $4 rows at most; most money first.
_LISTED = f"""
SELECT {_FIELDS} FROM suggestion
WHERE state = ANY ($1::text[]) AND ($2::text IS NULL OR building_id = $2)
    AND ($3::bigint IS NULL OR alarm_id = $3)
ORDER BY money_ntd DESC NULLS LAST, suggestion_id LIMIT $4"""  # noqa: S608 constant text

_WRITE_RUN = """
INSERT INTO suggestion_run (building_id, computed_at, coverage, together, not_known)
VALUES ($1, $2, $3, $4::text::jsonb, $5::text::jsonb)
ON CONFLICT (building_id) DO UPDATE SET computed_at = excluded.computed_at, coverage = excluded.coverage,
    together = excluded.together, not_known = excluded.not_known"""

_RUNS = """
SELECT building_id, computed_at, coverage, together::text AS together, not_known::text AS not_known
FROM suggestion_run ORDER BY building_id LIMIT 1000"""


async def insert_suggestion(conn: Connection, made: Suggestion) -> SuggestionId:
    """Write a new one; the unique index refuses a second of the same measure and subject."""
    return SuggestionId(
        await conn.fetchval(
            _INSERT,
            made.building_id,
            made.measure_id,
            made.subject_id,
            made.state.value,
            made.first_at,
            made.computed_at,
            *_figures(made),
        )
    )


async def update_suggestion(conn: Connection, made: Suggestion) -> None:
    """Write its state, figures and decision."""
    await conn.execute(
        _UPDATE,
        made.suggestion_id,
        made.state.value,
        made.first_at,
        made.computed_at,
        *_figures(made),
        made.decided_at,
        made.decided_by,
        made.reason,
        made.declined_until,
    )


def _figures(made: Suggestion) -> tuple[object, ...]:
    return (
        made.energy_kwh,
        made.money_ntd,
        made.carbon_kg,
        made.water_m3,
        made.cost_ntd,
        made.payback_years,
        made.counted_kwh,
        made.confidence,
        made.coverage,
        made.alarm_id,
        json.dumps(made.evidence, ensure_ascii=False),
    )


async def lock_building(conn: Connection, building_id: str) -> list[Suggestion]:
    """All of a building, whatever their state, locked until the transaction ends."""
    return [_suggestion(row) for row in await conn.fetch(_OF_BUILDING, building_id)]


async def one_suggestion(conn: Connection, suggestion_id: int, *, lock: bool = False) -> Suggestion | None:
    """One by its number."""
    row = await conn.fetchrow(_ONE + (" FOR UPDATE" if lock else ""), suggestion_id)
    return _suggestion(row) if row else None


async def listed_suggestions(
    conn: Connection,
    states: Sequence[SuggestionState],
    building_id: str | None = None,
    alarm_id: int | None = None,
    limit: int = 500,
) -> list[Suggestion]:
    """Those in these states, most money first."""
    rows = await conn.fetch(_LISTED, [s.value for s in states], building_id, alarm_id, limit)
    return [_suggestion(row) for row in rows]


async def write_run(conn: Connection, run: SuggestionRun) -> None:
    """Put the newest reckoning in place of the one before."""
    await conn.execute(
        _WRITE_RUN,
        run.building_id,
        run.computed_at,
        run.coverage,
        json.dumps(run.together),
        json.dumps(run.not_known, ensure_ascii=False),
    )


async def suggestion_runs(conn: Connection) -> list[SuggestionRun]:
    """The newest reckoning of each building."""
    return [
        SuggestionRun(
            row["building_id"],
            row["computed_at"],
            row["coverage"],
            json.loads(row["together"]),
            {name: tuple(reasons) for name, reasons in json.loads(row["not_known"]).items()},
        )
        for row in await conn.fetch(_RUNS)
    ]


def _suggestion(row: Record) -> Suggestion:
    alarm_id: int | None = row["alarm_id"]
    declined_until: datetime | None = row["declined_until"]
    return Suggestion(
        suggestion_id=SuggestionId(row["suggestion_id"]),
        building_id=row["building_id"],
        measure_id=row["measure_id"],
        subject_id=row["subject_id"],
        state=SuggestionState(row["state"]),
        first_at=row["first_at"],
        computed_at=row["computed_at"],
        energy_kwh=row["energy_kwh"],
        money_ntd=row["money_ntd"],
        carbon_kg=row["carbon_kg"],
        water_m3=row["water_m3"],
        cost_ntd=row["cost_ntd"],
        payback_years=row["payback_years"],
        counted_kwh=row["counted_kwh"],
        confidence=row["confidence"],
        coverage=row["coverage"],
        alarm_id=AlarmId(alarm_id) if alarm_id is not None else None,
        evidence=json.loads(row["evidence"]),
        decided_at=row["decided_at"],
        decided_by=row["decided_by"],
        reason=row["reason"],
        declined_until=declined_until,
    )
