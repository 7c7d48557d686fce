"""Adopted parameters of rules, comparisons of parameter sets, and what people said of past alarms."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from energy_center.domain.site import Site
from energy_center.domain.tuning import ComparisonState, Known, Stretch
from energy_center.store.pool import Connection, Database, Record
from energy_center.store.site import load_site

_ADOPTION = "adoption_id, rule_key, parameters, reason, adopted_by, adopted_at, undone_by, undone_at"
_COMPARISON = """comparison_id, rule_key, since, until, first_set, second_set, state, share_done, result,
    problem, asked_by, asked_at"""


@dataclass(frozen=True, slots=True)
class Adoption:
    """Parameters that a person put in force, and took back again where `undone_at` is set."""

    adoption_id: int
    rule_key: str
    parameters: Mapping[str, float]
    reason: str
    adopted_by: str
    adopted_at: datetime
    undone_by: str | None
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two parameter sets over (since, until]; `result` when it is done, `problem` when it failed."""

    comparison_id: int
    rule_key: str
    since: datetime
    until: datetime
    first_set: Mapping[str, float]
    second_set: Mapping[str, float]
    state: ComparisonState
    share_done: float
    result: Mapping[str, Any] | None
    problem: str | None
    asked_by: str
    asked_at: datetime


async def load_tuned_site(db: Database) -> Site | None:
    """The site with adopted parameters before those of its file; read anew at each run of the rules."""
    site = await load_site(db)
    if site is None:
        return None
    async with db.connection() as conn:
        return tuned(site, await in_force(conn))


def tuned(site: Site, adopted: Mapping[str, Mapping[str, float]]) -> Site:
    """Parameter by parameter; what was not adopted stays as the file says."""
    merged = {key: dict(numbers) for key, numbers in site.rule_parameters.items()}
    for key, numbers in adopted.items():
        merged[key] = {**merged.get(key, {}), **numbers}
    return replace(site, rule_parameters=merged)


async def in_force(conn: Connection) -> dict[str, Mapping[str, float]]:
    """Parameter by parameter of each key, the newest adoption that names it and was not undone."""
    rows = await conn.fetch(
        """SELECT rule_key, parameters FROM rule_adoption WHERE undone_at IS NULL
        ORDER BY adoption_id DESC LIMIT 10000"""
    )
    found: dict[str, Mapping[str, float]] = {}
    for row in rows:
        found[row["rule_key"]] = {**row["parameters"], **found.get(row["rule_key"], {})}
    return found


async def list_adoptions(conn: Connection, rule_id: str, limit: int) -> list[Adoption]:
    """Of a rule, for the site and for single equipment, newest first."""
    rows = await conn.fetch(
        f"""SELECT {_ADOPTION} FROM rule_adoption WHERE split_part(rule_key, '@', 1) = $1
        ORDER BY adoption_id DESC LIMIT $2""",  # noqa: S608 constant columns
        rule_id,
        limit,
    )
    return [Adoption(*row.values()) for row in rows]


async def lock_adoption(conn: Connection, adoption_id: int) -> Adoption | None:
    """One adoption, locked until the transaction ends."""
    row = await conn.fetchrow(
        f"SELECT {_ADOPTION} FROM rule_adoption WHERE adoption_id = $1 FOR UPDATE",  # noqa: S608 constant columns
        adoption_id,
    )
    return Adoption(*row.values()) if row else None


async def insert_adoption(
    conn: Connection, key: str, parameters: Mapping[str, float], reason: str, by: str, now: datetime
) -> int:
    """Put parameters in force."""
    made: int = await conn.fetchval(
        """INSERT INTO rule_adoption (rule_key, parameters, reason, adopted_by, adopted_at)
        VALUES ($1, $2, $3, $4, $5) RETURNING adoption_id""",
        key,
        dict(parameters),
        reason,
        by,
        now,
    )
    return made


async def undo_adoption(conn: Connection, adoption_id: int, by: str, now: datetime) -> None:
    """What held before holds again."""
    await conn.execute(
        "UPDATE rule_adoption SET undone_by = $2, undone_at = $3 WHERE adoption_id = $1", adoption_id, by, now
    )


def _comparison(row: Record) -> Comparison:
    return Comparison(**{**dict(row), "state": ComparisonState(row["state"])})


async def insert_comparison(conn: Connection, asked: Comparison) -> int:
    """Ask for a comparison."""
    made: int = await conn.fetchval(
        """INSERT INTO rule_comparison
            (rule_key, since, until, first_set, second_set, state, asked_by, asked_at)
        VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $7) RETURNING comparison_id""",
        asked.rule_key,
        asked.since,
        asked.until,
        dict(asked.first_set),
        dict(asked.second_set),
        asked.asked_by,
        asked.asked_at,
    )
    return made


async def open_comparisons(conn: Connection) -> int:
    """How many are waiting or running."""
    held: int = await conn.fetchval(
        "SELECT count(*) FROM rule_comparison WHERE state IN ('waiting', 'running')"
    )
    return held


async def list_comparisons(conn: Connection, rule_id: str, limit: int) -> list[Comparison]:
    """Of a rule, newest first."""
    rows = await conn.fetch(
        f"""SELECT {_COMPARISON} FROM rule_comparison WHERE split_part(rule_key, '@', 1) = $1
        ORDER BY comparison_id DESC LIMIT $2""",  # noqa: S608 constant columns
        rule_id,
        limit,
    )
    return [_comparison(row) for row in rows]


async def find_comparison(conn: Connection, comparison_id: int) -> Comparison | None:
    """One comparison, locked until the transaction ends."""
    row = await conn.fetchrow(
        f"SELECT {_COMPARISON} FROM rule_comparison WHERE comparison_id = $1 FOR UPDATE",  # noqa: S608 constant
        comparison_id,
    )
    return _comparison(row) if row else None


async def take_comparison(conn: Connection) -> Comparison | None:
    """The oldest open one; one that runs already was left by a worker that ended, and begins anew."""
    row = await conn.fetchrow(
        f"""UPDATE rule_comparison SET state = 'running', share_done = 0 WHERE comparison_id = (
            SELECT comparison_id FROM rule_comparison WHERE state IN ('waiting', 'running')
            ORDER BY comparison_id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING {_COMPARISON}"""  # noqa: S608 constant columns
    )
    return _comparison(row) if row else None


async def set_progress(conn: Connection, comparison_id: int, share_done: float) -> bool:
    """Note how far it is; False when it was cancelled meanwhile."""
    told: str = await conn.execute(
        "UPDATE rule_comparison SET share_done = $2 WHERE comparison_id = $1 AND state = 'running'",
        comparison_id,
        share_done,
    )
    return told.endswith(" 1")


async def end_comparison(
    conn: Connection,
    comparison_id: int,
    state: ComparisonState,
    result: Mapping[str, Any] | None = None,
    problem: str | None = None,
) -> None:
    """It is over; one that was cancelled stays so."""
    await conn.execute(
        """UPDATE rule_comparison SET state = $2, result = $3, problem = $4,
            share_done = CASE WHEN $2 = 'done' THEN 1 ELSE share_done END
        WHERE comparison_id = $1 AND state IN ('waiting', 'running')""",
        comparison_id,
        state.value,
        result,
        problem,
    )


async def set_verdict(conn: Connection, alarm_id: int, by: str, now: datetime, *, was_right: bool) -> None:
    """What a person found; a later word replaces it."""
    await conn.execute(
        """INSERT INTO alarm_verdict (alarm_id, was_right, said_by, said_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (alarm_id) DO UPDATE SET was_right = excluded.was_right, said_by = excluded.said_by,
            said_at = excluded.said_at""",
        alarm_id,
        was_right,
        by,
        now,
    )


async def known_alarms(conn: Connection, rule_id: str, since: datetime, until: datetime) -> list[Known]:
    """Alarms of a rule in a period of which somebody said whether they were right."""
    rows = await conn.fetch(
        """SELECT a.equipment_id, a.onset_at, a.returned_at, v.was_right
        FROM alarm a JOIN alarm_verdict v USING (alarm_id)
        WHERE a.rule_id = $1 AND a.onset_at < $3 AND coalesce(a.returned_at, $3) > $2
        ORDER BY a.alarm_id LIMIT 10000""",
        rule_id,
        since,
        until,
    )
    return [
        Known(Stretch(row["equipment_id"], row["onset_at"], row["returned_at"]), row["was_right"])
        for row in rows
    ]


async def verdicts(
    conn: Connection, rule_id: str, limit: int
) -> list[tuple[int, str, datetime, bool | None]]:
    """A rule's newest alarms: number, equipment, raised at, and what people said of them."""
    rows = await conn.fetch(
        """SELECT a.alarm_id, a.equipment_id, a.raised_at, v.was_right
        FROM alarm a LEFT JOIN alarm_verdict v USING (alarm_id)
        WHERE a.rule_id = $1 ORDER BY a.raised_at DESC, a.alarm_id DESC LIMIT $2""",
        rule_id,
        limit,
    )
    return [tuple(row.values()) for row in rows]
