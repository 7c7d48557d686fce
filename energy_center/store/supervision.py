"""How collection goes, as the collectors tell it: one row a collector, bus and device, written over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter

from energy_center.domain.supervision import (
    BusReport,
    CollectorReport,
    DeviceReport,
    SpoolReport,
)
from energy_center.store.pool import Connection, Database, Record

_COLLECTOR = """
INSERT INTO collector_state (collector_id, host, pid, started_at, at, stopped, points, site_sha256,
    reload_mistakes, database_away_since, cpu_share, memory_bytes, committed, sent, dropped, last_dropped_at,
    backlog_bytes, oldest_unsent_at, commit_s, unknown_bytes, future_bytes, unreadable_bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
ON CONFLICT (collector_id) DO UPDATE SET host = excluded.host, pid = excluded.pid,
    started_at = excluded.started_at, at = excluded.at, stopped = excluded.stopped, points = excluded.points,
    site_sha256 = excluded.site_sha256, reload_mistakes = excluded.reload_mistakes,
    database_away_since = excluded.database_away_since, cpu_share = excluded.cpu_share,
    memory_bytes = excluded.memory_bytes, committed = excluded.committed, sent = excluded.sent,
    dropped = excluded.dropped, last_dropped_at = excluded.last_dropped_at,
    backlog_bytes = excluded.backlog_bytes, oldest_unsent_at = excluded.oldest_unsent_at,
    commit_s = excluded.commit_s, unknown_bytes = excluded.unknown_bytes,
    future_bytes = excluded.future_bytes, unreadable_bytes = excluded.unreadable_bytes"""

_BUSES = """
INSERT INTO bus_state (collector_id, connection_id, protocol, connected_since, connects, failed_connects,
    busy_share, overdue, urgent, urgent_wait_s, overruns, malformed, malformed_samples)
SELECT $1, b.connection_id, b.protocol, b.connected_since, b.connects, b.failed_connects, b.busy_share,
    b.overdue, b.urgent, b.urgent_wait_s, b.overruns, b.malformed, b.malformed_samples
FROM jsonb_to_recordset($2) AS b (connection_id text, protocol text, connected_since timestamptz,
    connects int, failed_connects int, busy_share float8, overdue int, urgent int, urgent_wait_s float8,
    overruns bigint, malformed bigint, malformed_samples jsonb)
ON CONFLICT (collector_id, connection_id) DO UPDATE SET protocol = excluded.protocol,
    connected_since = excluded.connected_since, connects = excluded.connects,
    failed_connects = excluded.failed_connects, busy_share = excluded.busy_share, overdue = excluded.overdue,
    urgent = excluded.urgent, urgent_wait_s = excluded.urgent_wait_s, overruns = excluded.overruns,
    malformed = excluded.malformed, malformed_samples = excluded.malformed_samples"""

_DEVICES = """
INSERT INTO device_health (collector_id, device_id, connection_id, condition, last_good_at, round_trip_s,
    round_trip_p95_s, requests, samples, readings, readings_per_s, requests_per_s, overruns, errors,
    last_error)
SELECT $1, d.device_id, d.connection_id, d.condition, d.last_good_at, d.round_trip_s, d.round_trip_p95_s,
    d.requests, d.samples, d.readings, d.readings_per_s, d.requests_per_s, d.overruns, d.errors, d.last_error
FROM jsonb_to_recordset($2) AS d (device_id text, connection_id text, condition text,
    last_good_at timestamptz, round_trip_s float8, round_trip_p95_s float8, requests bigint, samples bigint,
    readings bigint, readings_per_s float8, requests_per_s float8, overruns bigint, errors jsonb,
    last_error jsonb)
ON CONFLICT (collector_id, device_id) DO UPDATE SET connection_id = excluded.connection_id,
    condition = excluded.condition, last_good_at = coalesce(excluded.last_good_at,
    device_health.last_good_at), round_trip_s = excluded.round_trip_s,
    round_trip_p95_s = excluded.round_trip_p95_s, requests = excluded.requests, samples = excluded.samples,
    readings = excluded.readings, readings_per_s = excluded.readings_per_s,
    requests_per_s = excluded.requests_per_s, overruns = excluded.overruns, errors = excluded.errors,
    last_error = coalesce(excluded.last_error, device_health.last_error)"""

_READ_COLLECTORS = """
SELECT collector_id, host, pid, started_at, at, stopped, points, site_sha256, reload_mistakes,
    database_away_since, cpu_share, memory_bytes, committed, sent, dropped, last_dropped_at, backlog_bytes,
    oldest_unsent_at, commit_s, unknown_bytes, future_bytes, unreadable_bytes
FROM collector_state ORDER BY collector_id LIMIT 1000"""

_READ_BUSES = """
SELECT collector_id, connection_id, protocol, connected_since, connects, failed_connects, busy_share, overdue,
    urgent, urgent_wait_s, overruns, malformed, malformed_samples
FROM bus_state ORDER BY collector_id, connection_id LIMIT 10000"""

# of a device that two collectors tell of, the one that lives counts
_READ_DEVICES = """
SELECT DISTINCT ON (d.device_id) d.collector_id, d.device_id, d.connection_id, d.condition, d.last_good_at,
    d.round_trip_s, d.round_trip_p95_s, d.requests, d.samples, d.readings, d.readings_per_s, d.requests_per_s,
    d.overruns, d.errors, d.last_error
FROM device_health d JOIN collector_state c USING (collector_id)
ORDER BY d.device_id, c.stopped, c.at DESC LIMIT 100000"""

_buses: TypeAdapter[tuple[BusReport, ...]] = TypeAdapter(tuple[BusReport, ...])
_devices: TypeAdapter[tuple[DeviceReport, ...]] = TypeAdapter(tuple[DeviceReport, ...])
_bus: TypeAdapter[BusReport] = TypeAdapter(BusReport)
_device: TypeAdapter[DeviceReport] = TypeAdapter(DeviceReport)
_SPOOL = tuple(f.name for f in fields(SpoolReport))


@dataclass(frozen=True, slots=True)
class Revision:
    """A site file as applied."""

    revision: int
    sha256: str


async def write_report(db: Database, report: CollectorReport) -> None:
    """Keep what a collector tells; buses and devices that it has no longer are forgotten."""
    async with db.transaction() as connection:
        await connection.execute(_COLLECTOR, *_collector_row(report))
        await connection.execute(_BUSES, report.collector_id, _buses.dump_python(report.buses, mode="json"))
        rows = _devices.dump_python(report.devices, mode="json")
        await connection.execute(_DEVICES, report.collector_id, rows)
        await connection.execute(
            "DELETE FROM bus_state WHERE collector_id = $1 AND connection_id <> ALL ($2::text[])",
            report.collector_id,
            [bus.connection_id for bus in report.buses],
        )
        await connection.execute(
            "DELETE FROM device_health WHERE collector_id = $1 AND device_id <> ALL ($2::text[])",
            report.collector_id,
            [device.device_id for device in report.devices],
        )


async def read_collectors(db: Database) -> list[CollectorReport]:
    """What every collector last told of itself and its buses; devices are read by `read_device_reports`."""
    async with db.connection() as connection:
        return await collectors_in(connection)


async def collectors_in(connection: Connection) -> list[CollectorReport]:
    """`read_collectors` inside the caller's transaction."""
    rows = await connection.fetch(_READ_COLLECTORS)
    buses: dict[str, list[BusReport]] = {}
    for row in await connection.fetch(_READ_BUSES):
        buses.setdefault(row["collector_id"], []).append(_bus.validate_python(_without_id(row)))
    return [_collector(row, buses.get(row["collector_id"], [])) for row in rows]


async def read_device_reports(db: Database) -> dict[str, DeviceReport]:
    """What is told of every device, by id."""
    async with db.connection() as connection:
        rows = await connection.fetch(_READ_DEVICES)
    return {row["device_id"]: _device.validate_python(_without_id(row)) for row in rows}


async def forget_collectors(connection: Connection, collector_ids: Sequence[str]) -> None:
    """Delete what collectors told that are replaced by others."""
    await connection.execute(
        "DELETE FROM collector_state WHERE collector_id = ANY ($1::text[])", list(collector_ids)
    )


async def latest_revision(db: Database) -> Revision | None:
    """The site file applied last; None before the first."""
    async with db.connection() as connection:
        row = await connection.fetchrow(
            "SELECT revision, sha256 FROM site_revision ORDER BY revision DESC LIMIT 1"
        )
    return None if row is None else Revision(row["revision"], row["sha256"])


async def revision_text(db: Database, revision: int) -> str:
    """The text of a revision."""
    async with db.connection() as connection:
        return str(await connection.fetchval("SELECT text FROM site_revision WHERE revision = $1", revision))


def _collector_row(report: CollectorReport) -> Iterable[object]:
    spool = report.spool
    return (
        report.collector_id, report.host, report.pid, report.started_at, report.at, report.stopped,
        report.points, report.site_sha256, list(report.reload_mistakes), report.database_away_since,
        report.cpu_share, report.memory_bytes, spool.committed, spool.sent, spool.dropped,
        spool.last_dropped_at, spool.backlog_bytes, spool.oldest_unsent_at, spool.commit_s,
        spool.unknown_bytes, spool.future_bytes, spool.unreadable_bytes,
    )  # fmt: skip


def _collector(row: Record, buses: Sequence[BusReport]) -> CollectorReport:
    told: dict[str, Any] = {k: v for k, v in row.items() if k not in _SPOOL}
    told["reload_mistakes"] = tuple(told["reload_mistakes"])
    return CollectorReport(
        **told, spool=SpoolReport(**{name: row[name] for name in _SPOOL}), buses=tuple(buses)
    )


def _without_id(row: Record) -> Mapping[str, object]:
    return {name: held for name, held in row.items() if name != "collector_id"}
