"""Reports of a collector, in one line each."""

from dataclasses import replace
from datetime import datetime, timedelta

from energy_center.domain.supervision import (
    BusReport,
    CollectorReport,
    Condition,
    DeviceReport,
    ErrorCount,
    ErrorKind,
    LastError,
    MalformedSample,
    SpoolReport,
)


def device_report(device_id: str, now: datetime, **more: object) -> DeviceReport:
    made = DeviceReport(
        device_id=device_id,
        connection_id="bus",
        condition=Condition.ONLINE,
        last_good_at=now - timedelta(seconds=2),
        round_trip_s=0.012,
        round_trip_p95_s=0.02,
        requests=110,
        samples=100,
        readings=900,
        readings_per_s=9.0,
        requests_per_s=1.1,
        overruns=3,
        errors=(ErrorCount(ErrorKind.TIMEOUT, "", 7), ErrorCount(ErrorKind.REFUSED, "2", 3)),
        last_error=LastError(now, ErrorKind.REFUSED, "illegal data address"),
    )
    return replace(made, **more)


def bus_report(now: datetime, connection_id: str = "bus", **more: object) -> BusReport:
    made = BusReport(
        connection_id=connection_id,
        protocol="modbus",
        connected_since=now - timedelta(hours=1),
        connects=2,
        failed_connects=1,
        busy_share=0.25,
        overdue=0,
        urgent=4,
        urgent_wait_s=0.08,
        overruns=3,
        malformed=1,
        malformed_samples=(MalformedSample(now, "town/lobby", ("main",), '{"t": ', "not JSON"),),
    )
    return replace(made, **more)


def collector_report(now: datetime, *devices: DeviceReport, **more: object) -> CollectorReport:
    made = CollectorReport(
        collector_id="edge-1",
        host="gateway",
        pid=77,
        started_at=now - timedelta(hours=1),
        at=now,
        points=20,
        site_sha256="ab" * 32,
        database_away_since=None,
        cpu_share=0.07,
        memory_bytes=90_000_000,
        spool=spool_report(),
        buses=(bus_report(now),),
        devices=devices,
    )
    return replace(made, **more)


def spool_report(**more: object) -> SpoolReport:
    made = SpoolReport(
        committed=1000,
        sent=990,
        dropped=0,
        last_dropped_at=None,
        backlog_bytes=4096,
        oldest_unsent_at=None,
        commit_s=0.002,
        unknown_bytes=0,
        future_bytes=0,
        unreadable_bytes=0,
    )
    return replace(made, **more)
