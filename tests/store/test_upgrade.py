"""An installation with data, made by an earlier version, brought up to date: nothing is lost or changed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from energy_center.store.migrate import migrate, shipped
from energy_center.store.pool import Database
from energy_center.store.readings import write_readings
from energy_center.store.rollups import roll_up
from energy_center.store.series import Grain, read_series
from tests.store.builders import NOW, regular

OLD = datetime(2026, 10, 5, tzinfo=UTC)
DAY = timedelta(days=1)
EARLIER = ("0074", "timescale/0902")  # what made readings and roll-ups as they are now


async def _earlier(db: Database, folder: Path, *, timescale: bool) -> None:
    """A counter's and a gauge's hours and a roll-up, stored as the version before those migrations did."""
    (folder / "timescale").mkdir()
    for migration in shipped(timescale=timescale):
        first = EARLIER[migration.name.startswith("timescale/")]
        if migration.name < first:
            (folder / f"{migration.name}.sql").write_text(migration.sql)
    await migrate(db, folder)
    async with db.connection() as connection:
        await connection.execute(
            "INSERT INTO reading (ts, value, point_id, quality) "
            "SELECT $1::timestamptz + i * interval '1 hour', i + 0.1, p, 0 "
            "FROM generate_series(0, 99) AS i, unnest('{1,2}'::int[]) AS p",
            OLD,
        )
        await connection.execute(
            "INSERT INTO reading_15min "
            "(bucket, min, max, first, last, delta, within, coverage, point_id, n, quality) "
            "VALUES ($1, 1, 2, 1, 2, 1, 1, 1, 3, 15, 0)",
            OLD,
        )


async def _is_all_there(db: Database) -> None:
    raw = await read_series(db, [1, 2], OLD, OLD + 10 * DAY, Grain.RAW)
    for point in (1, 2):
        assert raw[point].value.tolist() == (np.arange(100) + 0.1).tolist()
    quarters = (await read_series(db, [3], OLD, OLD + DAY, Grain.QUARTER))[3]
    assert (quarters.first.tolist(), quarters.last.tolist()) == ([1.0], [2.0])


async def _goes_on(db: Database) -> None:
    """Late readings between the old ones and new ones are stored and rolled up."""
    late, live = regular([1, 2], OLD + timedelta(minutes=7), 3600, 50), regular([1, 2], NOW, 60, 50)
    assert [await write_readings(db, batch, NOW) for batch in (late, live)] == [100, 100]
    while await roll_up(db, "Asia/Taipei", NOW + 100 * DAY):
        pass
    quarters = await read_series(db, [1, 2], OLD, OLD + DAY, Grain.QUARTER)
    assert min(len(quarters[1]), len(quarters[2])) >= 24


async def test_readings_and_roll_ups_of_before_stay_as_they_were(
    empty_database: Database, tmp_path: Path
) -> None:
    await _earlier(empty_database, tmp_path, timescale=False)
    assert await migrate(empty_database)
    await _is_all_there(empty_database)
    await _goes_on(empty_database)


async def test_so_do_those_that_timescale_has_compressed(empty_timescale: Database, tmp_path: Path) -> None:
    await _earlier(empty_timescale, tmp_path, timescale=True)
    async with empty_timescale.connection() as connection:
        await connection.execute("SELECT compress_chunk(c) FROM show_chunks('reading') AS c")
    assert await migrate(empty_timescale)
    await _is_all_there(empty_timescale)
    await _goes_on(empty_timescale)
