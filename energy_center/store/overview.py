"""Small questions that the overview asks of several tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from energy_center.store.pool import Database
from energy_center.store.progress import Progress


@dataclass(frozen=True, slots=True)
class AlarmCount:
    """Alarms of one equipment, priority and acknowledgement whose condition still holds."""

    equipment_id: str
    priority: str
    is_acknowledged: bool
    number: int


async def site_revision(db: Database) -> int:
    """Number of the site file last applied, 0 before the first."""
    async with db.connection() as connection:
        return int(await connection.fetchval("SELECT coalesce(max(revision), 0) FROM site_revision"))


async def count_active_alarms(db: Database, now: datetime) -> Sequence[AlarmCount]:
    """Alarms in force, without shelved and suppressed ones."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT equipment_id, priority, state = 'acknowledged', count(*)::int FROM alarm "
            "WHERE state IN ('unacknowledged', 'acknowledged') AND suppressed_by IS NULL "
            "AND (shelved_until IS NULL OR shelved_until <= $1) "
            "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT 10000",
            now,
        )
    return [AlarmCount(*row.values()) for row in rows]


async def all_progress(db: Database) -> Sequence[Progress]:
    """What every job last reported, newest first."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT job, done, total, detail, updated_at FROM job_progress "
            "ORDER BY updated_at DESC, job LIMIT 100"
        )
    return [Progress(*row.values()) for row in rows]


async def raw_kept_from(db: Database) -> datetime | None:
    """Raw readings before this instant may have been dropped; None where nothing was dropped yet."""
    async with db.connection() as connection:
        kept: datetime | None = await connection.fetchval(
            "SELECT nullif(raw_kept_from, '-infinity'::timestamptz) FROM retention_state"
        )
    return kept
