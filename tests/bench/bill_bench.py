"""13 months of one main meter billed as the API does it, from the roll-ups of a register, on a real server.

The register is read every quarter-hour (38,000 readings); raw readings of the last 7 days stand beside the
roll-ups, as after the retention. The battery is one of 400 kWh and 100 kW. Medians of five runs.
"""

import asyncio
import statistics
from datetime import UTC, datetime, timedelta

import numpy as np

from energy_center.domain.quantities import Role
from energy_center.services.bill_questions import read_bills
from energy_center.services.what_if import Setup, read_what_if
from energy_center.store.pool import Database
from energy_center.store.readings import note_sampling
from energy_center.store.rollups import roll_up
from energy_center.tariffs.what_if import Battery
from tests.bench.store_stand import Row, row, seconds, stand
from tests.services.city_hall import applied, every, point_of, write

GROUP = "Bills"
START, END = datetime(2025, 9, 29, 16, tzinfo=UTC), datetime(2026, 11, 1, 16, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
RUNS = 5


def rows() -> list[Row]:
    """Medians of five runs."""
    return asyncio.run(_rows())


async def _rows() -> list[Row]:
    async with stand() as (_, db):
        await _fill(db)
        bills = [await seconds(lambda: read_bills(db, "hall", "2026-10", 13, NOW)) for _ in range(RUNS)]
        setup = Setup(0.0, Battery(400, 100))
        what_if = [
            await seconds(lambda: read_what_if(db, "hall", "2026-10", 12, setup, NOW)) for _ in range(RUNS)
        ]
    return [
        row("13 months of a main meter billed", statistics.median(bills), "s", goal="<= 3"),
        row("12 months billed with and without a battery", statistics.median(what_if), "s"),
    ]


async def _fill(db: Database) -> None:
    site = await applied(db)
    times = every(START, END, 900)
    hours = np.array([(at - START).total_seconds() / 3600 for at in times])
    register = 50_000 + 300 * hours + 700 * (1 - np.cos(hours * 2 * np.pi / 24))
    point = point_of(site, "main", Role.ENERGY_IMPORT)
    async with db.connection() as connection:
        await note_sampling(connection, [point.point_id], START, 900.0)
    await write(db, point.point_id, times, register)
    while await roll_up(db, site.time_zone, NOW):
        pass
    async with db.connection() as connection:
        await connection.execute("DELETE FROM reading WHERE ts < $1", END - timedelta(days=7))
