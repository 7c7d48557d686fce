"""Whatever is read, however it arrives, in any zone: the figures are those of the readings."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energy_center.domain.readings import PointId
from energy_center.store.pool import Connection, Database, Record
from energy_center.store.readings import ReadingBatch, write_backlog, write_readings
from energy_center.store.rollups import roll_up
from tests.store.builders import apply, equipment

_serial = itertools.count(1)
LATER = datetime(2030, 1, 1, tzinfo=UTC)
UNUSABLE = 1 | 8
# local days before: a leap day, clocks forward and back in Europe and America, and a zone of 45 minutes
NIGHTS = [
    ("Asia/Taipei", "2024-02-28"),
    ("Europe/Berlin", "2024-02-28"),
    ("Europe/Berlin", "2026-03-28"),
    ("Europe/Berlin", "2026-10-24"),
    ("America/New_York", "2026-03-07"),
    ("America/New_York", "2026-10-31"),
    ("Asia/Kathmandu", "2027-02-28"),
]


@dataclass(frozen=True)
class Case:
    """Readings of one point: seconds after local midnight, values, flags; how they arrive."""

    zone: str
    midnight: datetime
    kind: str
    interval_s: float
    seconds: tuple[int, ...]
    values: tuple[float, ...]
    quality: tuple[int, ...]
    order: tuple[int, ...]
    pieces: int

    def batch(self, point_id: PointId, rows: Sequence[int]) -> ReadingBatch:
        base = int(self.midnight.timestamp())
        return ReadingBatch(
            np.full(len(rows), point_id, np.int32),
            np.array([(base + self.seconds[n]) * 1_000_000 for n in rows], np.int64),
            np.array([self.values[n] for n in rows], float),
            np.array([self.quality[n] for n in rows], np.int16),
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone, on = draw(st.sampled_from(NIGHTS))
    midnight = datetime.fromisoformat(on).replace(tzinfo=ZoneInfo(zone))
    kind = draw(st.sampled_from(["gauge", "counter"]))
    interval_s = draw(st.sampled_from([60.0, 300.0, 900.0, 3600.0, 7200.0]))
    steps = draw(
        st.lists(st.sampled_from([7, 60, 300, 899, 900, 1800, 3600, 5000, 30_000]), min_size=2, max_size=60)
    )
    seconds = tuple(itertools.accumulate(steps))
    n = len(seconds)
    rises = draw(st.lists(st.integers(0, 5), min_size=n, max_size=n))
    values = tuple(itertools.accumulate(rises) if kind == "counter" else (float(r * 7 % 5) for r in rises))
    quality = tuple(draw(st.lists(st.sampled_from([0, 0, 0, 2, 8]), min_size=n, max_size=n)))
    order = tuple(draw(st.permutations(range(n))))
    twice = tuple(draw(st.lists(st.sampled_from(range(n)), max_size=10)))
    return Case(
        zone, midnight, kind, interval_s, seconds, values, quality, order + twice, draw(st.integers(1, 30))
    )


async def new_point(connection: Connection, case: Case) -> PointId:
    return PointId(
        await connection.fetchval(
            "INSERT INTO point (equipment_id, position, name, role, unit, kind, interval_s) "
            "VALUES ('p', 0, $1, 'x', '1', $2, $3) RETURNING point_id",
            f"p{next(_serial)}",
            case.kind,
            case.interval_s,
        )
    )


async def settle(db: Database, zone: str) -> None:
    while await roll_up(db, zone, LATER):
        pass


async def rows_of(db: Database, table: str, point_id: PointId) -> list[Record]:
    async with db.connection() as connection:
        return await connection.fetch(
            "SELECT bucket, mean, min, max, first, last, coverage, n, quality "  # noqa: S608 our own names
            f"FROM {table} WHERE point_id = $1 ORDER BY bucket",
            point_id,
        )


@pytest.fixture
async def database(backend: Database) -> Database:
    """On each kind of server; every example has points of its own there."""
    await apply(backend, equipment("p", []))
    return backend


properties = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@properties
@given(case=cases())
async def test_order_repetition_and_lateness_never_change_a_figure(database: Database, case: Case) -> None:
    async with database.connection() as connection:
        at_once, in_pieces = await new_point(connection, case), await new_point(connection, case)
    await write_backlog(database, case.batch(at_once, range(len(case.seconds))), LATER)
    await settle(database, case.zone)
    for n, piece in enumerate(np.array_split(case.order, case.pieces)):
        write = write_readings if n % 2 else write_backlog
        await write(database, case.batch(in_pieces, piece.tolist()), LATER)
        if n % 3:
            await roll_up(database, case.zone, LATER, 1 + 50 * (n % 2))
    await settle(database, case.zone)
    for table in ("reading_15min", "reading_hour", "reading_day"):
        expected = [tuple(row) for row in await rows_of(database, table, at_once)]
        assert [tuple(row) for row in await rows_of(database, table, in_pieces)] == expected, table


@properties
@given(case=cases())
async def test_days_and_hours_are_those_of_the_readings(database: Database, case: Case) -> None:
    """From the readings themselves: each local hour and day."""
    async with database.connection() as connection:
        point_id = await new_point(connection, case)
    await write_backlog(database, case.batch(point_id, range(len(case.seconds))), LATER)
    await settle(database, case.zone)
    zone, base = ZoneInfo(case.zone), case.midnight.timestamp()
    usable = [
        (datetime.fromtimestamp(base + s, UTC), float(v))
        for s, v, q in zip(case.seconds, case.values, case.quality, strict=True)
        if not q & UNUSABLE
    ]
    quarters = await rows_of(database, "reading_15min", point_id)
    for table in ("reading_hour", "reading_day"):
        rows = await rows_of(database, table, point_id)
        assert sum(row["n"] for row in rows) == len(usable)
        for row in rows:
            start = row["bucket"]
            end = next_start(start, zone, table)
            inside = [v for at, v in usable if start <= at < end]
            parts = [q for q in quarters if start <= q["bucket"] < end]
            assert row["n"] == len(inside)
            assert row["coverage"] * (end - start) / timedelta(minutes=15) == pytest.approx(
                sum(q["coverage"] for q in parts), abs=1e-4
            )
            if case.kind == "gauge" and inside:
                weighed = sum((q["mean"] or 0) * q["coverage"] for q in parts)
                assert row["mean"] * sum(q["coverage"] for q in parts) == pytest.approx(weighed, abs=1e-4)
                assert set(inside) <= {v for v in inside if row["min"] <= v <= row["max"]}
            if case.kind == "counter" and inside:
                assert (row["first"], row["last"]) == (parts[0]["first"], parts[-1]["last"])


def next_start(start: datetime, zone: ZoneInfo, table: str) -> datetime:
    """The end of a local hour or day, by Python's calendar rather than the server's."""
    if table == "reading_hour":
        assert start.astimezone(zone).minute == 0
        return start + timedelta(hours=1)
    local = start.astimezone(zone)
    assert (local.hour, local.minute) == (0, 0)
    return datetime.combine(local.date() + timedelta(days=1), local.time(), zone).astimezone(UTC)
