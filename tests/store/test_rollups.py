"""Rollups equal a recomputation from the readings, whatever the order of arrival."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from energy_center.analysis.buckets import added_by_buckets
from energy_center.analysis.counters import Register
from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId, Quality
from energy_center.domain.site import Point
from energy_center.store.partitions import drop_old
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, note_sampling, write_backlog, write_readings
from energy_center.store.rollups import BUCKET, Rectangle, is_rolled_up, merge, roll_up
from energy_center.store.series import Grain, Series, read_series
from tests.store.builders import NOW, apply, batch, equipment
from tests.store.rollup_reference import Raw, Row
from tests.store.rollup_reference import roll_up as reference

ZONE = "Asia/Taipei"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FAR = (NOW - 2000 * DAY, NOW + 2000 * DAY)
POWER, ENERGY = Role.ACTIVE_POWER, Role.ENERGY_IMPORT


@pytest.fixture
def database(backend: Database) -> Database:
    """Every figure is the same on both kinds of server."""
    return backend


async def point(db: Database, role: Role = POWER, interval_s: float = 60.0) -> PointId:
    return (await apply(db, equipment("ltb-main", [role], interval_s))).points()[0].point_id


async def settle(db: Database, zone: str = ZONE, now: datetime = NOW + 1000 * DAY) -> None:
    while await roll_up(db, zone, now):
        pass


async def series(db: Database, point_id: PointId, grain: Grain = Grain.QUARTER) -> Series:
    rows = (await read_series(db, [point_id], *FAR, grain))[point_id]
    async with db.connection() as connection:
        held = await connection.fetchrow("SELECT * FROM point WHERE point_id = $1", point_id)
    if held is None or held["kind"] != "counter" or not len(rows):
        return rows
    meter = Register(held["max_rate_per_h"] or np.inf, held["rollover_at"])
    width_s = {Grain.QUARTER: 900.0, Grain.HOUR: 3600.0, Grain.DAY: 86_400.0}[grain]
    return replace(rows, delta=added_by_buckets(rows.at_us / 1e6, width_s, rows.first, rows.last, meter)[0])


async def stored(db: Database, point_id: PointId) -> dict[float, Row]:
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT bucket, mean, min, max, first, last, coverage, n, quality FROM reading_15min "
            "WHERE point_id = $1 ORDER BY bucket",
            point_id,
        )
    return {row["bucket"].timestamp(): Row(*list(row.values())[1:]) for row in rows}


def minutely(start: datetime, values: list[float], step: timedelta = MINUTE) -> list[tuple[datetime, float]]:
    return [(start + n * step, value) for n, value in enumerate(values)]


def approx(rows: dict[float, Row]) -> dict[float, object]:
    return {
        start: pytest.approx([np.nan if v is None else v for v in vars(row).values()], abs=1e-6, nan_ok=True)
        for start, row in rows.items()
    }


def plain(rows: dict[float, Row]) -> dict[float, list[float]]:
    return {start: [np.nan if v is None else v for v in vars(row).values()] for start, row in rows.items()}


async def test_a_full_bucket_has_mean_band_and_whole_coverage(database: Database) -> None:
    p = await point(database)
    await write_readings(database, batch(p, minutely(NOW, [10.0] * 10 + [40.0] * 5)), NOW)
    await settle(database)
    row = (await stored(database, p))[NOW.timestamp()]
    # 10 min at 10 kW and 5 min at 40 kW: (100 + 200) / 15 = 20 kW
    assert plain({0: row})[0] == pytest.approx([20.0, 10.0, 40.0, 10.0, 40.0, 1.0, 15, 0], nan_ok=True)


async def test_a_lost_minute_costs_a_fifteenth_of_coverage(database: Database) -> None:
    p = await point(database)
    rows = minutely(NOW, [10.0] * 15)
    del rows[7]
    await write_readings(database, batch(p, rows), NOW)
    await settle(database)
    assert (await stored(database, p))[NOW.timestamp()].coverage == pytest.approx(14 / 15)


async def test_jitter_costs_no_coverage(database: Database) -> None:
    p = await point(database)
    random = Random(3)  # noqa: S311 a test's order
    rows = [(at + timedelta(seconds=random.uniform(-14, 14)), 1.0) for at, _ in minutely(NOW, [1.0] * 60)]
    await write_readings(database, batch(p, rows), NOW)
    await settle(database)
    assert set((await series(database, p)).coverage[1:4]) == {1.0}


async def test_history_at_15_min_is_whole_though_the_point_is_read_every_5_s(database: Database) -> None:
    p = await point(database, interval_s=5.0)
    async with database.connection() as connection:
        await note_sampling(connection, [p], NOW - 900 * DAY, 900.0)
    await write_backlog(database, batch(p, minutely(NOW, [3.0] * 8, BUCKET), Quality.SIMULATED), NOW)
    await settle(database)
    rows = await series(database, p)
    assert rows.coverage.tolist() == [1.0] * 8
    assert set(rows.quality.tolist()) == {int(Quality.SIMULATED)}


async def test_flagged_values_stay_out_of_the_figures(database: Database) -> None:
    p = await point(database)
    await write_readings(database, batch(p, minutely(NOW, [10.0] * 15)), NOW)
    await write_readings(database, batch(p, [(NOW + 30 * MINUTE / 60, 9e9)], Quality.OUT_OF_RANGE), NOW)
    await settle(database)
    row = (await stored(database, p))[NOW.timestamp()]
    assert (row.mean, row.high, row.n) == (10.0, 10.0, 15)


@pytest.mark.parametrize(
    ("what", "registers", "rollover", "expected", "apart"),
    [
        ("steady", [100, 101, 102, 103], None, 3.0, 3.0),
        ("reset to zero", [1000, 1001, 0, 1, 2], None, 2.0, 3.0),
        ("rollover", [998, 999, 1, 2], 1000, 4.0, 4.0),
        ("a fall with a register far from its end is a reset", [300, 301, 1, 2], 1000, 2.0, 3.0),
        ("one reading dips", [1000, 1001, 0, 1002, 1003], None, 3.0, 3.0),
        ("one reading jumps", [1000, 1001, 4e9, 1002, 1003], None, 3.0, 3.0),
        ("exchanged for a meter that stands higher", [1000, 1001, 70_000, 70_001], None, 0.0, 2.0),
        ("exchanged for a meter that stands lower", [70_000, 70_001, 300, 301], None, 0.0, 2.0),
    ],
)
@pytest.mark.parametrize("minutes", [1, 16])
async def test_consumption_is_never_negative_and_never_a_spike(
    database: Database,
    what: str,
    registers: list[float],
    rollover: float | None,
    expected: float,
    apart: float,
    minutes: int,
) -> None:
    p = await point(database, ENERGY)
    async with database.connection() as connection:
        await connection.execute("UPDATE point SET rollover_at = $1, max_rate_per_h = 1000", rollover)
    await write_readings(database, batch(p, minutely(NOW, registers, minutes * MINUTE)), NOW)
    await settle(database)
    deltas = (await series(database, p)).delta
    assert (deltas >= 0).all(), what
    # what a register counts before and after it began anew within one bucket, that bucket does not know
    assert deltas.sum() == pytest.approx(expected if minutes == 1 else apart), what


@pytest.mark.parametrize(
    ("registers", "expected"),
    [
        ([4_294_966.0, 4_294_967.0, 0.704, 1.704], 3.0),  # past 2^32 Wh: nothing lost
        ([2_000_000.0, 2_000_001.0, 0.704, 1.704], 1.704),  # far from its width: a reset
    ],
)
async def test_a_profile_s_register_width_tells_a_rollover_from_a_reset(
    database: Database, registers: list[float], expected: float
) -> None:
    energy = Point("m", ENERGY.value, ENERGY, 60.0, rollover_at=2**32 / 1000)
    applied = await apply(database, replace(equipment("m", []), points=(energy,)))
    (held,) = applied.points()
    assert held.rollover_at == 2**32 / 1000
    await write_readings(database, batch(held.point_id, minutely(NOW, registers)), NOW)
    await settle(database)
    assert (await series(database, held.point_id)).delta.sum() == pytest.approx(expected)


async def test_late_data_take_their_share_from_the_bucket_after(database: Database) -> None:
    p = await point(database, ENERGY)
    await write_readings(database, batch(p, [(NOW, 100.0), (NOW + 10 * DAY, 200.0)]), NOW)
    await settle(database)
    assert (await series(database, p)).delta.tolist() == [0.0, 100.0]
    await write_readings(database, batch(p, [(NOW + 5 * DAY, 130.0)]), NOW)
    await settle(database)
    assert (await series(database, p)).delta.tolist() == [0.0, 30.0, 70.0]
    assert (await series(database, p, Grain.HOUR)).delta.tolist() == [0.0, 30.0, 70.0]
    assert (await series(database, p, Grain.DAY)).delta.tolist() == [0.0, 30.0, 70.0]


@pytest.mark.parametrize(
    ("seed", "interval_s"),
    [(n, 60.0) for n in range(5)] + [(n, 1800.0) for n in (5, 6)] + [(7, 4000.0), (8, 7200.0)],
)
async def test_any_order_of_arrival_equals_a_recomputation(
    database: Database, seed: int, interval_s: float
) -> None:
    random = Random(seed)  # noqa: S311 a test's order
    gauge, counter = [
        p.point_id
        for p in (
            await apply(database, equipment("ltb-main", [POWER, ENERGY], random.choice([5.0, 60.0, 300.0])))
        ).points()
    ]
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE point SET max_rate_per_h = 500, rollover_at = 1000 WHERE kind = 'counter'"
        )
        await note_sampling(connection, [gauge, counter], NOW - 900 * DAY, 900.0)
        await note_sampling(connection, [gauge, counter], NOW + 6 * HOUR, interval_s)
    readings: dict[PointId, list[Raw]] = {gauge: [], counter: []}
    for point_id, rows in readings.items():
        t, register = NOW.timestamp(), 900.0
        for _ in range(random.randrange(20, 120)):
            t += random.choice([5, 60, 61.5, 300, 900, 900, 4000, interval_s, 2 * interval_s])
            register = random.choice([(register + random.uniform(0, 30)) % 1000] * 9 + [0.0])
            rows.append(Raw(t, register, random.choice([0] * 8 + [1, 2, 8, 16])))
        assert point_id
    arrivals = [(point_id, row) for point_id, rows in readings.items() for row in rows]
    random.shuffle(arrivals)
    while arrivals:
        size = random.randrange(1, 40)
        part, arrivals = arrivals[:size], arrivals[size:]
        if random.random() < 0.2:
            arrivals += part  # told twice
        columns = ReadingBatch(
            np.array([p for p, _ in part], np.int32),
            np.array([round(r.t * 1e6) for _, r in part], np.int64),
            np.array([r.value for _, r in part]),
            np.array([r.quality for _, r in part], np.int16),
        )
        await random.choice([write_readings, write_backlog])(database, columns, NOW)
        if random.random() < 0.5:
            await roll_up(database, ZONE, NOW + DAY, random.choice([1, 1000]))
        arrivals = [] if len(arrivals) > 2000 else arrivals
    await settle(database)

    def interval(start: float) -> float:
        return interval_s if start >= (NOW + 6 * HOUR).timestamp() else 900.0

    expected = reference(readings[gauge], interval, slowest_s=interval_s)
    assert plain(await stored(database, gauge)) == approx(expected)
    expected = reference(
        readings[counter], interval, slowest_s=interval_s, is_counter=True, rate=500, rollover=1000
    )
    assert plain(await stored(database, counter)) == approx(expected)


@pytest.mark.parametrize(
    ("zone", "on", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Asia/Taipei", "2026-03-29", 24),
        ("Asia/Kathmandu", "2026-03-29", 24),
    ],
)
async def test_a_local_day_has_its_own_hours(database: Database, zone: str, on: str, hours: int) -> None:
    p = await point(database, interval_s=900.0)
    midnight = datetime.fromisoformat(on).replace(tzinfo=ZoneInfo(zone))
    start = midnight.astimezone(UTC) - 2 * HOUR
    await write_backlog(database, batch(p, minutely(start, [5.0] * 4 * 40, BUCKET)), NOW)
    await settle(database, zone)
    days = await series(database, p, Grain.DAY)
    row = days.at_us.tolist().index(int(midnight.timestamp() * 1e6))
    assert days.coverage[row] == pytest.approx(1.0)
    async with database.connection() as connection:
        n = await connection.fetchval("SELECT n FROM reading_day WHERE bucket = $1", midnight)
    assert n == 4 * hours
    assert (await series(database, p, Grain.HOUR)).coverage.tolist()[1:39] == [1.0] * 38


@pytest.mark.parametrize("interval_s", [1200.0, 5400.0, 14_400.0])
@pytest.mark.parametrize("role", [POWER, ENERGY])
async def test_a_slow_point_that_is_read_in_time_is_covered(
    database: Database, role: Role, interval_s: float
) -> None:
    p = await point(database, role, interval_s)
    step = timedelta(seconds=interval_s)
    rows = minutely(NOW - 2 * HOUR, [float(n) for n in range(int(2 * DAY / step) + 1)], step)
    random = Random(1)  # noqa: S311 a test's order
    random.shuffle(rows)
    for row in rows:
        await write_readings(database, batch(p, [row]), NOW)
    await settle(database)
    for grain in (Grain.QUARTER, Grain.HOUR, Grain.DAY):
        inside = (await series(database, p, grain)).coverage[1:-1]
        assert len(inside) > 0
        assert inside.tolist() == pytest.approx([1.0] * len(inside)), grain
    if role is ENERGY:  # nothing is counted twice, or lost, for what is carried
        assert (await series(database, p)).delta.sum() == len(rows) - 1


async def test_a_lost_reading_of_a_slow_point_costs_its_time(database: Database) -> None:
    p = await point(database, interval_s=3600.0)
    rows = minutely(NOW, [5.0] * 6, HOUR)
    del rows[3]
    await write_readings(database, batch(p, rows), NOW)
    await settle(database)
    # 04:00 to 09:00 UTC; the reading of 06:00 holds for its hour, nothing is known from 07:00 to 08:00
    assert (await series(database, p, Grain.HOUR)).coverage.tolist() == [1.0, 1.0, 1.0, 1.0, 0.25]
    assert (await series(database, p)).coverage.sum() == 4 * 4 + 1


async def test_what_a_slow_counter_counted_is_spread_over_its_time(database: Database) -> None:
    p = await point(database, ENERGY, 3600.0)
    await write_readings(database, batch(p, minutely(NOW, [100.0, 140.0, 140.0, 150.0], HOUR)), NOW)
    await settle(database)
    # 40 kWh in the first hour, none in the second, 10 in the third. As everywhere, what is used between the
    # last reading of a bucket and the next bucket counts in that one: hence the second quarter's double
    assert (await series(database, p)).delta.tolist() == [0, 20, 10, 10, 0, 0, 0, 0, 0, 5, 2.5, 2.5, 0]
    # a reading from before the fall of the register: nothing is spread over what is not known
    await write_readings(database, batch(p, [(NOW + HOUR / 2, 7.0)]), NOW)
    await settle(database)
    rows = await series(database, p)
    assert rows.coverage[:3].tolist() == [1.0, 1.0, 1.0]
    assert (rows.delta >= 0).all()


async def test_an_hour_that_a_late_reading_empties_is_gone_from_all_roll_ups(database: Database) -> None:
    """Four hours between readings are filled, until a late reading shows that the register fell meanwhile."""
    p = await point(database, ENERGY, 14_400.0)
    await write_readings(database, batch(p, minutely(NOW, [100.0, 180.0], 4 * HOUR)), NOW)
    await settle(database)
    assert (await series(database, p, Grain.HOUR)).delta.sum() == pytest.approx(80.0)
    await write_readings(database, batch(p, [(NOW + 3.5 * HOUR, 5.0)]), NOW)
    await settle(database)
    hours = await series(database, p, Grain.HOUR)
    assert len(hours) == 3  # 04:00, 07:00 and 08:00 UTC have readings
    assert hours.delta.sum() == (await series(database, p)).delta.sum()


async def test_a_slow_counter_s_jump_is_judged_by_the_time_between_readings(database: Database) -> None:
    """100 kWh in two hours at 120 kWh/h at most: believable, though buckets between them are filled."""
    p = await point(database, ENERGY, 7200.0)
    async with database.connection() as connection:
        await connection.execute("UPDATE point SET max_rate_per_h = 120")
    for late in ((NOW, 0.0), (NOW + 4 * HOUR, 200.0), (NOW + 2 * HOUR, 100.0)):
        await write_readings(database, batch(p, [late]), NOW)
        await settle(database)
    assert (await series(database, p)).delta.sum() == 200.0


async def test_days_add_up_to_the_month(database: Database) -> None:
    p = await point(database, ENERGY, 900.0)
    start = datetime(2026, 9, 30, 16, 0, tzinfo=UTC)  # 1 October in Taipei
    registers = np.cumsum(np.random.default_rng(5).uniform(0, 20, 31 * 96 + 1)).round(3)
    rows = minutely(start, registers.tolist(), BUCKET)
    await write_backlog(database, batch(p, rows), NOW)
    await settle(database)
    days = await series(database, p, Grain.DAY)
    assert len(days) == 32
    assert days.delta.sum() == pytest.approx(registers[-1] - registers[0])


async def test_dropped_readings_never_lessen_their_rollups(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    p = await point(database, ENERGY)
    old = NOW - 60 * DAY
    await write_backlog(database, batch(p, minutely(old, [float(n) for n in range(30)])), NOW)
    assert await drop_old(database, NOW, 7) == []  # not before the roll-up
    await settle(database)
    before = await stored(database, p)
    assert len(await drop_old(database, NOW, 7)) == 1
    await write_backlog(database, batch(p, [(old + timedelta(seconds=90), 1.5)]), NOW)
    await settle(database)
    assert await stored(database, p) == before
    assert [vars(r)["buckets"] for r in caplog.records if r.message.startswith("readings came")] == [1]
    later = old + 20 * MINUTE + DAY
    await write_backlog(database, batch(p, [(later, 40.0)]), NOW)
    await settle(database)
    assert (await series(database, p)).delta[-1] == pytest.approx(11.0)


async def test_a_late_bucket_between_dropped_ones_is_not_counted_twice(database: Database) -> None:
    p = await point(database, ENERGY)
    old = NOW - 60 * DAY
    await write_backlog(database, batch(p, [(old, 10.0), (old + 2 * BUCKET, 14.0)]), NOW)
    await settle(database)
    await drop_old(database, NOW, 7)
    await write_backlog(database, batch(p, [(old + BUCKET, 11.0)]), NOW)
    await settle(database)
    assert (await series(database, p)).delta.tolist() == [0.0, 1.0, 3.0]


async def test_nothing_to_do_is_zero_and_reported(database: Database) -> None:
    assert await roll_up(database, ZONE, NOW) == 0
    p = await point(database)
    await write_readings(database, batch(p, [(NOW, 1.0)]), NOW)
    assert not await is_rolled_up(database, NOW + DAY)
    assert await roll_up(database, ZONE, NOW) == 1
    assert await is_rolled_up(database, NOW + DAY)


async def test_live_buckets_come_before_a_long_history(database: Database) -> None:
    p = await point(database, interval_s=900.0)
    await write_backlog(database, batch(p, minutely(NOW - 100 * DAY, [1.0] * 96 * 30, BUCKET)), NOW)
    await write_readings(database, batch(p, [(NOW, 7.0)]), NOW)
    await roll_up(database, ZONE, NOW, limit=1)
    assert (await series(database, p)).value.tolist() == [7.0]


def test_pieces_are_joined_by_bucket_and_by_equal_points() -> None:
    def piece(first: int, last: int, *points: int) -> Rectangle:
        return Rectangle(NOW + first * BUCKET, NOW + last * BUCKET, points)

    joined = merge(
        [piece(0, 1, 1), piece(0, 1, 2), piece(1, 2, 1, 2), piece(3, 4, 9), piece(5, 99, 4), piece(5, 99, 3)]
    )
    assert joined == [piece(0, 2, 1, 2), piece(3, 4, 9), piece(5, 99, 3, 4)]
