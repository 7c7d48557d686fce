"""What the benches of the store share: a server of their own, sites of meters, readings, seconds and rows."""

import io
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text
from energy_center.store import readings
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.migrate import migrate
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch
from energy_center.store.rollups import roll_up
from energy_center.store.site import apply_site

START = datetime(2025, 6, 2, tzinfo=UTC)  # a Monday
FAR = datetime(2040, 1, 1, tzinfo=UTC)
ZONE = "Asia/Taipei"
MINUTE_US = 60_000_000
Row = dict[str, object]
Work = Callable[[], Awaitable[object]]


@asynccontextmanager
async def stand() -> AsyncIterator[tuple[EmbeddedPostgres, Database]]:
    """An embedded server with its shipped settings, fsync on, on a Unix socket, and a migrated database."""
    folder = Path(tempfile.mkdtemp(prefix="ec-bench-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder)
    try:
        db = await Database.open(await server.start(), max_size=4)
        await migrate(db)
        yield server, db
        await db.close()
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def row(name: str, value: float, unit: str, *, goal: str | None = None) -> Row:
    """One figure."""
    return {"name": name, "value": round(value, 3), "unit": unit} | ({"goal": goal} if goal else {})


def compared(name: str, value: float, unit: str, against: str, ratio: float, goal: str | None = None) -> Row:
    """One figure with what it is compared to in the same run."""
    return {**row(name, value, unit, goal=goal), "against": against, "ratio": round(ratio, 4)}


async def seconds(work: Work) -> float:
    """How long it takes."""
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


async def apply_points(db: Database, roles: Sequence[Role], interval_s: float) -> list[PointId]:
    """A site with a piece of equipment for each role; the points' ids in this order."""
    text = Text("錶", "meter")
    equipment = tuple(
        Equipment(
            f"m{n}", "Electrical_Meter", text, "site", points=(Point(f"m{n}", role.value, role, interval_s),)
        )
        for n, role in enumerate(roles)
    )
    space = Space("site", None, SpaceKind.SITE, text)
    site = await apply_site(db, Site("site", text, ZONE, (space,), equipment), "", "bench", START)
    return [point.point_id for point in site.points()]


async def settle(db: Database) -> None:
    """Roll up until nothing waits."""
    while await roll_up(db, ZONE, FAR):
        pass


class Signals:
    """Readings in order of arrival, never the same twice: counters, noisy powers, slow temperatures."""

    def __init__(self, point_ids: Sequence[int], roles: Sequence[Role], step_us: int) -> None:
        self._ids = np.array(point_ids, np.int32)
        self._counters = np.array([role is Role.ENERGY_IMPORT for role in roles])
        self._slow = np.array([role is Role.SUPPLY_AIR_TEMPERATURE for role in roles])
        self._step_us = step_us
        self._next_us = readings.to_us(START)
        self._random = np.random.default_rng(7)
        self._level = self._random.uniform(10, 60, len(self._ids))

    def take(self, steps: int) -> ReadingBatch:
        """The next steps of every point."""
        n = len(self._ids)
        at = self._next_us + np.arange(steps, dtype=np.int64) * self._step_us
        self._next_us += steps * self._step_us
        noise = self._random.normal(0, 1, (steps, n))
        rise = np.cumsum(np.abs(noise) * 0.4, axis=0)
        drift = np.cumsum(noise * 0.05, axis=0)
        values = self._level + np.where(self._counters, rise, np.where(self._slow, drift, noise * 8))
        self._level = np.where(self._counters | self._slow, values[-1], self._level)
        rounded = np.where(self._counters, values.round(3), values.round(1))
        return ReadingBatch(
            np.tile(self._ids, steps), np.repeat(at, n), rounded.ravel(), np.zeros(steps * n, np.int16)
        )

    def skip_to(self, at: datetime) -> None:
        """Go on from an instant."""
        self._next_us = readings.to_us(at)

    @property
    def now(self) -> datetime:
        """The instant after the last reading."""
        return readings.from_us(self._next_us)


async def copy_records(db: Database, batch: ReadingBatch) -> None:
    """What writing is compared with: the driver's own `copy_records_to_table`, which knows no replay."""
    at = [readings.from_us(us) for us in batch.at_us.tolist()]
    records = list(
        zip(at, batch.value.tolist(), batch.point_id.tolist(), batch.quality.tolist(), strict=True)
    )
    async with db.connection() as connection:
        await connection.copy_records_to_table(
            "reading", records=records, columns=["ts", "value", "point_id", "quality"]
        )


async def fetch_raw(db: Database, sql: str, *arguments: object, scan: bool = False) -> int:
    """Answer a query from raw readings by the fastest way out of the server; give the bytes."""
    sink = io.BytesIO()
    async with db.transaction() as connection:
        if scan:  # all of the weeks that the period touches
            for way in ("indexscan", "indexonlyscan", "bitmapscan"):
                await connection.execute(f"SET LOCAL enable_{way} = off")
        await connection.copy_from_query(sql, *arguments, output=sink, format="binary", timeout=600)
    return sink.tell()
