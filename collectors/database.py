"""The collector's view of the database: point numbers, readings, device states; opened once reachable."""

from collections.abc import Mapping
from datetime import UTC, datetime

from collectors.poller import StateChange
from collectors.writer import Columns
from energy_center.config.bindings import PointKey
from energy_center.domain.supervision import CollectorReport
from energy_center.errors import DatabaseAway
from energy_center.store.devices import mark_seen, set_device_state
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, write_backlog, write_readings
from energy_center.store.site import load_site
from energy_center.store.supervision import Revision, latest_revision, revision_text, write_report


class DatabaseStore:
    """Readings and device states in PostgreSQL; raises DatabaseAway while it cannot be reached."""

    def __init__(self, dsn: str | None) -> None:
        """Nothing is opened yet. Without a DSN the database stays away, and readings stay in the spool."""
        self._dsn = dsn
        self._db: Database | None = None

    async def _database(self) -> Database:
        if self._dsn is None:
            raise DatabaseAway("No database is configured; set DATABASE_URL")
        if self._db is None:
            self._db = await Database.open(self._dsn, min_size=0, max_size=3, command_s=30.0, acquire_s=5.0)
        return self._db

    async def point_ids(self) -> Mapping[PointKey, int]:
        """The number of every point of the applied site."""
        site = await load_site(await self._database())
        return {p.key: int(p.point_id) for p in site.points()} if site else {}

    async def write(self, columns: Columns, received_at: datetime, *, live: bool) -> int:
        """Store readings; live ones are announced to listeners."""
        batch = ReadingBatch(columns.point_id, columns.at_us, columns.value, columns.quality)
        db = await self._database()
        return await (write_readings if live else write_backlog)(db, batch, received_at)

    async def set_state(self, change: StateChange) -> None:
        """Record a device's state and, when it changed, an event."""
        await set_device_state(
            await self._database(),
            change.device_id,
            online=change.online,
            at=datetime.fromtimestamp(change.at, UTC),
            detail=change.detail,
        )

    async def mark_seen(self, seen_at: Mapping[str, datetime]) -> None:
        """Record the last answers of many devices."""
        await mark_seen(await self._database(), seen_at)

    async def report(self, report: CollectorReport) -> Revision | None:
        """Record how collection goes; gives the site that is applied."""
        db = await self._database()
        await write_report(db, report)
        return await latest_revision(db)

    async def applied_text(self, revision: int) -> str:
        """The text of an applied site."""
        return await revision_text(await self._database(), revision)

    async def close(self) -> None:
        """Let go of all connections."""
        if self._db is not None:
            await self._db.close()
            self._db = None
