"""The figures of the summary for managers."""

from dataclasses import dataclass
from datetime import datetime

from energy_center.store.pool import Connection

# $1 since, $2 until. What has gone and waits to be seen wastes nothing any more; what was hidden to its end,
# or disproved by late readings, neither came nor went. An alarm's kWh and NT$ are those of its first stretch,
# until it was raised: they give its rate.
_FIGURES = """
WITH standing AS (
    SELECT state, priority,
        CASE WHEN returned_at IS NULL THEN (suggestion->>'per_day_kwh')::float8 END AS per_day_kwh,
        CASE WHEN returned_at IS NULL THEN (suggestion->>'money_ntd')::float8
            * (suggestion->>'per_day_kwh')::float8 / nullif((suggestion->>'energy_kwh')::float8, 0)
            END AS per_day_ntd
    FROM alarm WHERE state <> 'normal' AND suppressed_by IS NULL)
SELECT count(*) AS open, count(*) FILTER (WHERE priority = 'critical') AS open_critical,
    count(*) FILTER (WHERE priority = 'high') AS open_high,
    count(*) FILTER (WHERE state IN ('unacknowledged', 'returned_unacknowledged')) AS unacknowledged,
    (SELECT count(*) FROM alarm WHERE raised_at > $1 AND raised_at <= $2
        AND suppressed_by IS NULL AND withdrawn_at IS NULL) AS new,
    (SELECT count(*) FROM alarm WHERE returned_at > $1 AND returned_at <= $2
        AND suppressed_by IS NULL AND withdrawn_at IS NULL) AS closed,
    (SELECT count(*) FROM work_order WHERE state NOT IN ('done', 'verified', 'closed')) AS orders_open,
    (SELECT count(*) FROM work_order WHERE state NOT IN ('done', 'verified', 'closed') AND due_at < $2)
        AS orders_late,
    count(per_day_kwh) AS with_energy, sum(per_day_kwh) AS per_day_kwh, sum(per_day_ntd) AS per_day_ntd
FROM standing"""

_TOP = """
SELECT alarm_id FROM alarm WHERE state <> 'normal' AND suppressed_by IS NULL
ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], priority),
    (suggestion->>'per_day_kwh')::float8 DESC NULLS LAST, alarm_id LIMIT 5"""


@dataclass(frozen=True, slots=True)
class DigestFigures:
    """Alarms and work orders in [since, until); energy in kWh and money in NT$ a day while what is open
    stays, at the rate that each began with; None where no alarm can say.
    """

    since: datetime
    until: datetime
    open: int
    open_critical: int
    open_high: int
    unacknowledged: int
    new: int
    closed: int
    orders_open: int
    orders_late: int
    with_energy: int
    per_day_kwh: float | None
    per_day_ntd: float | None


async def digest_figures(conn: Connection, since: datetime, until: datetime) -> DigestFigures:
    """Count what is open now, and what came and went in the period."""
    row = await conn.fetchrow(_FIGURES, since, until)
    assert row is not None  # noqa: S101 an aggregate without groups always gives one row
    return DigestFigures(since, until, *row.values())


async def top_alarms(conn: Connection) -> list[int]:
    """The five open alarms to look at first."""
    return [row["alarm_id"] for row in await conn.fetch(_TOP)]
