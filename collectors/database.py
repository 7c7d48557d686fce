"""The collector's view of the database: point numbers, readings, device states; opened once reachable."""

from collections.abc import Mapping
from datetime import UTC, datetime

from collectors.poller import StateChange
from collectors.writer import Columns
from energy_center.config.bindings import PointKey
from energy_center.domain.supervision import CollectorReport
from energy_center.store.devices import mark_seen, set_device_state
from energy_center.store.on_demand import OnDemand
from energy_center.store.readings import ReadingBatch, write_backlog, write_readings
from energy_center.store.site import load_site
from energy_center.store.supervision import Revision, latest_revision, revision_text, write_report


class DatabaseStore:
    """Readings and device states in PostgreSQL; raises DatabaseAway while it cannot be reached."""

    def __init__(self, dsn: str | None) -> None:
        """Nothing is opened yet. Without a DSN the database stays away, and readings stay in the spool."""
        self._opened = OnDemand(dsn, max_size=3, command_s=30.0)

    async def point_ids(self) -> Mapping[PointKey, int]:
        """The number of every point of the applied site."""
        site = await load_site(await self._opened.database())
        return {p.key: int(p.point_id) for p in site.points()} if site else {}

    async def write(self, columns: Columns, received_at: datetime, *, live: bool) -> int:
        """Store readings; live ones are announced to listeners."""
        batch = ReadingBatch(columns.point_id, columns.at_us, columns.value, columns.quality)
        db = await self._opened.database()
        return await (write_readings if live else write_backlog)(db, batch, received_at)

    async def set_state(self, change: StateChange) -> None:
        """Record a device's state and, when it changed, an event."""
        await set_device_state(
            await self._opened.database(),
            change.device_id,
            online=change.online,
            at=datetime.fromtimestamp(change.at, UTC),
            detail=change.detail,
        )

    async def mark_seen(self, seen_at: Mapping[str, datetime]) -> None:
        """Record the last answers of many devices."""
        await mark_seen(await self._opened.database(), seen_at)

    async def report(self, report: CollectorReport) -> Revision | None:
        """Record how collection goes; gives the site that is applied."""
        db = await self._opened.database()
        await write_report(db, report)
        return await latest_revision(db)

    async def applied_text(self, revision: int) -> str:
        """The text of an applied site."""
        return await revision_text(await self._opened.database(), revision)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._opened.close()
