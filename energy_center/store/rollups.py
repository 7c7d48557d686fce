"""Rollups kept up to date from the invalidation log: 15 min from readings, then hours, then days.

Each call recomputes what was touched and replaces it, so that late data, replays and any order of arrival
give the same rows. Hours and days are the site's local ones. The queries stand in `sql/rollups.sql`.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from energy_center.domain.timeline import day_of, hour_of
from energy_center.store.pool import Connection, Database, Record
from energy_center.store.reading_batch import MICROSECOND
from energy_center.store.sql import queries

log = logging.getLogger(__name__)

BUCKET: Final = timedelta(minutes=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCK = 0x0EC_20_11
_LARGE = 16  # buckets; a longer period, as of history, is recomputed as one piece
_BUDGET = 400_000  # point-buckets a transaction: a month of 140 points, about 2 s
_MANY_POINTS = 50  # from here on one scan of a period is faster than a look-up for each point
_STATEMENT_S = 600


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Some points over the buckets [start, end)."""

    start: datetime
    end: datetime
    point_ids: tuple[int, ...]


class Strip(NamedTuple):
    """One point over the buckets [start, end)."""

    point_id: int
    start: datetime
    end: datetime


async def roll_up(db: Database, site_zone: str, now: datetime, limit: int = 2000) -> int:
    """Take up to `limit` entries of the invalidation log and bring all rollups up to date for them.

    The newest come first, so that a long history never holds up what is live; what lies more than a day after
    `now` waits. Returns the entries taken: 0 when nothing is left, or when another process is at it.
    """
    async with db.transaction() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
            return 0
        await connection.execute("SET LOCAL work_mem = '64MB'")
        await connection.execute("SET LOCAL plan_cache_mode = 'force_custom_plan'")
        # new points are not in the planner's statistics yet: it would take 30,000 rows for one and loop
        await connection.execute("SET LOCAL enable_nestloop = off")
        taken = await _take(connection, now + timedelta(days=1), limit)
        touched = [Rectangle(r["bucket_from"], r["bucket_to"], tuple(r["point_ids"])) for r in taken]
        slow = await _slow_points(connection, touched)
        await _recompute_all(connection, merge(_without(touched, slow)), site_zone)
        touched += await _before_gaps(connection, touched, slow)
        for reach, rectangle in _widened(touched, slow):
            await _recompute(connection, rectangle, site_zone, reach)
    return len(taken)


def bucket_of(at: datetime) -> datetime:
    """Start of the 15 min that hold an instant."""
    return at - (at - _EPOCH) % BUCKET


async def is_rolled_up(db: Database, before: datetime) -> bool:
    """Whether nothing before an instant still waits for its roll-up."""
    async with db.connection() as connection:
        waits = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM invalidation WHERE bucket_from < $1)", before
        )
    return not waits


def merge(rectangles: Iterable[Rectangle]) -> list[Rectangle]:
    """The same point-buckets in fewer pieces: joined bucket by bucket, then neighbours with equal points."""
    whole: dict[tuple[datetime, datetime], set[int]] = {}
    by_bucket: dict[datetime, set[int]] = {}
    for piece in rectangles:
        if piece.end - piece.start > _LARGE * BUCKET:
            whole.setdefault((piece.start, piece.end), set()).update(piece.point_ids)
            continue
        bucket = piece.start
        while bucket < piece.end:
            by_bucket.setdefault(bucket, set()).update(piece.point_ids)
            bucket += BUCKET
    joined: list[Rectangle] = []
    for bucket in sorted(by_bucket):
        points = tuple(sorted(by_bucket[bucket]))
        if joined and joined[-1].end == bucket and joined[-1].point_ids == points:
            joined[-1] = Rectangle(joined[-1].start, bucket + BUCKET, points)
        else:
            joined.append(Rectangle(bucket, bucket + BUCKET, points))
    return joined + [
        Rectangle(start, end, tuple(sorted(points))) for (start, end), points in sorted(whole.items())
    ]


async def _take(connection: Connection, until: datetime, limit: int) -> list[Record]:
    """Remove entries from the log, newest buckets first, as many as one transaction should do."""
    rows = await connection.fetch(
        "SELECT invalidation_id, bucket_from, bucket_to, point_ids FROM invalidation WHERE bucket_from < $1 "
        "ORDER BY bucket_to DESC, invalidation_id LIMIT $2",
        until,
        limit,
    )
    taken: list[Record] = []
    area = 0
    for row in rows:
        area += len(row["point_ids"]) * ((row["bucket_to"] - row["bucket_from"]) // BUCKET)
        if taken and area > _BUDGET:
            break
        taken.append(row)
    await connection.execute(
        "DELETE FROM invalidation WHERE invalidation_id = ANY($1::bigint[])",
        [r["invalidation_id"] for r in taken],
    )
    return taken


async def _slow_points(connection: Connection, pieces: Iterable[Rectangle]) -> dict[int, timedelta]:
    """Of points that are, or once were, read less often than every 15 min: how far one reading reaches."""
    rows = await connection.fetch(
        "SELECT point_id, 1.5 * max(interval_s) AS reach_s FROM (SELECT point_id, interval_s FROM point "
        "UNION ALL SELECT point_id, interval_s FROM sampling) AS p "
        "WHERE interval_s > $1 AND point_id = ANY($2::int[]) GROUP BY point_id",
        BUCKET.total_seconds(),
        list({p for piece in pieces for p in piece.point_ids}),
    )
    return {row["point_id"]: timedelta(seconds=row["reach_s"]) for row in rows}


async def _before_gaps(
    connection: Connection, pieces: Iterable[Rectangle], slow: Mapping[int, timedelta]
) -> list[Rectangle]:
    """Where slow points were last read before each piece: how long that holds, the next reading tells."""
    asked = sorted({(p, piece.start) for piece in pieces for p in piece.point_ids if p in slow})
    rows = await connection.fetch(
        queries("rollups")["readings_before"], [p for p, _ in asked], [before for _, before in asked]
    )
    found = {(row["point_id"], bucket_of(row["ts"])) for row in rows}
    return [Rectangle(start, start + BUCKET, (point_id,)) for point_id, start in sorted(found)]


def _without(pieces: Iterable[Rectangle], slow: Mapping[int, timedelta]) -> Iterator[Rectangle]:
    for piece in pieces:
        if points := tuple(p for p in piece.point_ids if p not in slow):
            yield Rectangle(piece.start, piece.end, points)


def _widened(pieces: Iterable[Rectangle], slow: Mapping[int, timedelta]) -> list[tuple[timedelta, Rectangle]]:
    """Pieces of slow points by their reach, as far around as a reading's neighbours may lie."""
    by_reach: dict[timedelta, list[Rectangle]] = {}
    for piece in pieces:
        for reach in {slow[p] for p in piece.point_ids if p in slow}:
            margin = -(-reach // BUCKET) * BUCKET
            points = tuple(p for p in piece.point_ids if slow.get(p) == reach)
            by_reach.setdefault(reach, []).append(Rectangle(piece.start - margin, piece.end + margin, points))
    return [(reach, piece) for reach, wide in sorted(by_reach.items()) for piece in merge(wide)]


async def _recompute_all(connection: Connection, pieces: Iterable[Rectangle], zone: str) -> None:
    """Replace the rollups of rectangles: those of many points one by one, all others at once.

    One bucket more than was touched: a reading at the end of a bucket still holds at the start of the next.
    """
    scattered: list[Strip] = []
    for piece in pieces:
        strips = [Strip(p, piece.start, piece.end + BUCKET) for p in piece.point_ids]
        if len(strips) < _MANY_POINTS:
            scattered += strips
            continue
        await _build(connection, "readings_at_once", strips, zone)
    if scattered:
        await _build(connection, "readings_by_strip", joined(scattered), zone)


async def _recompute(connection: Connection, piece: Rectangle, zone: str, reach: timedelta) -> None:
    """The same of slow points: buckets without a reading between two are filled for as long as one holds."""
    sql, end = queries("rollups"), piece.end + BUCKET
    await connection.execute(sql["not_carried"], piece.start, end, piece.point_ids)
    await connection.execute(sql["carried"], piece.start, end, piece.point_ids, reach, timeout=_STATEMENT_S)
    await _build(connection, "readings_at_once", [Strip(p, piece.start, end) for p in piece.point_ids], zone)
    for grain in ("vacated_hours", "vacated_days"):
        await connection.execute(sql[grain], piece.start, end, piece.point_ids, zone)


async def _build(connection: Connection, readings: str, strips: Sequence[Strip], zone: str) -> None:
    """Quarters of strips from their readings, then the hours and days that they touch."""
    sql = queries("rollups")
    quarter_hours = sql["quarter_hours"].replace("/* readings */", sql[readings])
    kept = await connection.fetchval(quarter_hours, *_columns(strips), timeout=_STATEMENT_S)
    if kept:
        log.warning("readings came after the retention", extra={"action": "too_late", "buckets": kept})
    for grain in ("hours", "days"):
        strips = joined(_local(strips, grain, ZoneInfo(zone)))
        await connection.execute(sql[grain], *_columns(strips), zone, timeout=_STATEMENT_S)


def _columns(strips: Sequence[Strip]) -> tuple[list[datetime], list[datetime], list[int]]:
    return [s.start for s in strips], [s.end for s in strips], [s.point_id for s in strips]


def joined(strips: Iterable[Strip]) -> list[Strip]:
    """By point and time, those that touch or overlap made into one."""
    found: list[Strip] = []
    for strip in sorted(strips):
        if found and found[-1].point_id == strip.point_id and found[-1].end >= strip.start:
            found[-1] = found[-1]._replace(end=max(found[-1].end, strip.end))
        else:
            found.append(strip)
    return found


def _local(strips: Iterable[Strip], grain: str, zone: ZoneInfo) -> Iterator[Strip]:
    """Strips that begin and end with a local hour or day."""
    known: dict[datetime, tuple[datetime, datetime]] = {}

    def around(at: datetime) -> tuple[datetime, datetime]:
        if at not in known:
            local = day_of(at, zone) if grain == "days" else hour_of(at, zone)
            known[at] = local.start, local.end
        return known[at]

    for point_id, start, end in strips:
        yield Strip(point_id, around(start)[0], around(end - MICROSECOND)[1])
