"""How collection goes, for people and for Prometheus: devices worst first, buses, collector processes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from energy_center.domain.site import Site, Text
from energy_center.domain.supervision import (
    BusReport,
    CollectorReport,
    Condition,
    DeviceReport,
    ErrorCount,
    LastError,
    MalformedSample,
    SpoolReport,
    Trouble,
    is_silent,
    troubles_of,
)
from energy_center.errors import NotFound
from energy_center.services.current_site import current_site
from energy_center.services.read_devices import DeviceRow, device_rows
from energy_center.store.devices import DeviceEvent, device_states, events_of
from energy_center.store.latest import latest_of
from energy_center.store.pool import Database
from energy_center.store.supervision import read_collectors, read_device_reports

LEAST_PATIENCE_S = 60.0  # with a device after its collector's start


class DeviceStatus(StrEnum):
    """How a device stands, worst first; `UNKNOWN`: no collector tells of it at present."""

    AWAY = "away"
    UNKNOWN = "unknown"
    RESTING = "resting"
    NEVER = "never"
    ONLINE = "online"


_OF_CONDITION = {
    Condition.AWAY: DeviceStatus.AWAY,
    Condition.RESTING: DeviceStatus.RESTING,
    Condition.NEVER: DeviceStatus.NEVER,
    Condition.ONLINE: DeviceStatus.ONLINE,
}
_WORST_FIRST = {status: place for place, status in enumerate(DeviceStatus)}


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """A device with what is counted of it since its collector's start.

    `since` is when it went online or away, `seen_at` when it last answered. Round trips are in seconds.
    """

    device_id: str
    name: Text
    connection_id: str | None
    building_id: str | None
    status: DeviceStatus
    is_online: bool | None
    since: datetime | None
    seen_at: datetime | None
    detail: str
    points: int
    points_stale: int
    points_never: int
    round_trip_s: float | None
    round_trip_p95_s: float | None
    readings_per_s: float
    requests_per_s: float
    requests: int
    failures: int
    overruns: int
    last_error: LastError | None = None


@dataclass(frozen=True, slots=True)
class DeviceDetail:
    """A device with its failures by kind, messages that could not be read, its bus and its last changes."""

    device: DeviceHealth
    errors: tuple[ErrorCount, ...]
    malformed: tuple[MalformedSample, ...]
    bus: BusReport | None
    events: tuple[DeviceEvent, ...]


@dataclass(frozen=True, slots=True)
class CollectorHealth:
    """A collector process: its last sign of life, what waits in its spool, its buses, and what is wrong."""

    collector_id: str
    host: str
    pid: int
    started_at: datetime
    at: datetime
    stopped: bool
    troubles: tuple[Trouble, ...]
    points: int
    site_sha256: str
    reload_mistakes: tuple[str, ...]
    database_away_since: datetime | None
    cpu_share: float
    memory_bytes: int
    spool: SpoolReport
    buses: tuple[BusReport, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    site: Site
    rows: tuple[DeviceRow, ...]
    reports: Mapping[str, DeviceReport]
    told_by: frozenset[str]  # connections of collectors that live


async def list_devices(
    db: Database, now: datetime, *, status: DeviceStatus | None = None, connection_id: str | None = None
) -> tuple[DeviceHealth, ...]:
    """Devices worst first, in file order among equals."""
    known = await _known(db, now)
    found = (_health(row, known) for row in known.rows)
    kept = [
        device
        for device in found
        if (status is None or device.status is status)
        and (connection_id is None or device.connection_id == connection_id)
    ]
    return tuple(sorted(kept, key=lambda d: _WORST_FIRST[d.status]))


async def get_device(db: Database, device_id: str, now: datetime) -> DeviceDetail:
    """One device with all that is known of it; raises NotFound."""
    known = await _known(db, now)
    row = next((r for r in known.rows if r.device_id == device_id), None)
    if row is None:
        raise NotFound(f"There is no device {device_id}.")
    report = known.reports.get(device_id)
    buses = [bus for c in await read_collectors(db) for bus in c.buses]
    bus = next((b for b in buses if b.connection_id == row.connection_id), None)
    return DeviceDetail(
        device=_health(row, known),
        errors=report.errors if report else (),
        malformed=tuple(s for s in bus.malformed_samples if device_id in s.device_ids) if bus else (),
        bus=bus,
        events=tuple(await events_of(db, device_id, limit=20)),
    )


@dataclass(frozen=True, slots=True)
class Supervision:
    """Everything at once; no devices before a site is applied."""

    devices: tuple[DeviceHealth, ...]
    reports: Mapping[str, DeviceReport]
    collectors: tuple[CollectorHealth, ...]


async def read_supervision(db: Database, now: datetime) -> Supervision:
    """What is known of devices and collectors."""
    try:
        devices = await list_devices(db, now)
    except NotFound:
        devices = ()
    return Supervision(devices, await read_device_reports(db), await list_collectors(db, now))


async def list_collectors(db: Database, now: datetime) -> tuple[CollectorHealth, ...]:
    """Every collector process that has told of itself."""
    return tuple(collector_health(c, now) for c in await read_collectors(db))


def collector_health(report: CollectorReport, now: datetime) -> CollectorHealth:
    """A collector with what is wrong with it."""
    return CollectorHealth(
        collector_id=report.collector_id,
        host=report.host,
        pid=report.pid,
        started_at=report.started_at,
        at=report.at,
        stopped=report.stopped,
        troubles=troubles_of(report, now),
        points=report.points,
        site_sha256=report.site_sha256,
        reload_mistakes=report.reload_mistakes,
        database_away_since=report.database_away_since,
        cpu_share=report.cpu_share,
        memory_bytes=report.memory_bytes,
        spool=report.spool,
        buses=report.buses,
    )


async def _known(db: Database, now: datetime) -> _Known:
    site = await current_site(db)
    newest = await latest_of(db, [p.point_id for p in site.points()])
    rows = device_rows(site, newest, await device_states(db), now)
    living = [c for c in await read_collectors(db) if not is_silent(c, now)]
    return _Known(
        site=site,
        rows=rows,
        reports=await read_device_reports(db),
        told_by=frozenset(bus.connection_id for c in living for bus in c.buses),
    )


def _health(row: DeviceRow, known: _Known) -> DeviceHealth:
    report = known.reports.get(row.device_id)
    living = report is not None and report.connection_id in known.told_by
    return DeviceHealth(
        device_id=row.device_id,
        name=row.name,
        connection_id=row.connection_id,
        building_id=row.building_id,
        status=_OF_CONDITION[report.condition] if report and living else DeviceStatus.UNKNOWN,
        is_online=row.is_online,
        since=row.since,
        seen_at=row.seen_at,
        detail=row.detail,
        points=row.points,
        points_stale=row.points_stale,
        points_never=row.points_never,
        round_trip_s=report.round_trip_s if report else None,
        round_trip_p95_s=report.round_trip_p95_s if report else None,
        readings_per_s=report.readings_per_s if report and living else 0.0,
        requests_per_s=report.requests_per_s if report and living else 0.0,
        requests=report.requests if report else 0,
        failures=sum(e.count for e in report.errors) if report else 0,
        overruns=report.overruns if report else 0,
        last_error=report.last_error if report else None,
    )


@dataclass(frozen=True, slots=True)
class Silence:
    """Devices that should have answered and did not, and those that need not have answered yet."""

    silent: tuple[str, ...]
    waiting: tuple[str, ...]


def judge_silence(
    devices: Sequence[DeviceHealth],
    without_readings: Collection[str],
    site: Site,
    collectors: Sequence[CollectorHealth],
    now: datetime,
) -> Silence:
    """Tell silent devices from slow ones, soon after a start too.

    `without_readings` are devices without a recent reading: they decide where no collector tells.
    """
    started = {bus.connection_id: c.started_at for c in collectors for bus in c.buses}
    interval_s: dict[str | None, float] = {}
    for equipment in site.equipment:
        for point in equipment.points:
            device_id = equipment.device_id
            interval_s[device_id] = min(interval_s.get(device_id, point.interval_s), point.interval_s)
    silent, waiting = [], []
    for device in devices:
        patience = timedelta(seconds=max(2 * interval_s.get(device.device_id, 0.0), LEAST_PATIENCE_S))
        is_new = now - started.get(device.connection_id or "", now) < patience
        if device.status is DeviceStatus.NEVER and is_new:
            waiting.append(device.device_id)
        elif device.status in (DeviceStatus.AWAY, DeviceStatus.NEVER) or (
            device.status is DeviceStatus.UNKNOWN and device.device_id in without_readings
        ):
            silent.append(device.device_id)
    return Silence(tuple(silent), tuple(waiting))
