"""Makes a collector's report: counters as they stand, and rates from the differences since the last one.

Nothing here runs while readings come in; once a period it looks at what the connections have counted.
"""

import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.circuit import Circuit
from collectors.fleet import Fleet, Line
from collectors.listener import Listener
from collectors.poller import Poller
from collectors.set_aside import SetAside
from collectors.spool import Spool
from collectors.tally import DeviceTally, quantile_s
from energy_center.domain.supervision import (
    BusReport,
    CollectorReport,
    Condition,
    DeviceReport,
    SpoolReport,
)

SLOW_SHARE = 0.95
RATE_REPORTS = 7  # rates are of the last minute: many devices are read less often than is reported


@dataclass(frozen=True, slots=True)
class _Before:
    """A device's counters at the last reports: each its time, requests and readings, oldest first."""

    tally: DeviceTally
    counted: tuple[tuple[float, int, int], ...]
    buckets: Sequence[int]
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class Stand:
    """What the whole process is doing, as its supervisor knows it."""

    points: int
    site_sha256: str
    reload_mistakes: tuple[str, ...]
    database_away_s: float | None
    stopped: bool


class Reporter:
    """One collector process; `latest` is kept while the database is away."""

    def __init__(self, collector_id: str) -> None:
        self._id = collector_id
        self._host = socket.gethostname()
        self._started_at = datetime.now(UTC)
        self._at = time.monotonic()
        self._cpu_s = time.process_time()
        self._busy_s: dict[str, tuple[Poller[Any], float]] = {}
        self._before: dict[str, _Before] = {}
        self.latest: CollectorReport | None = None

    def make(self, fleet: Fleet, spool: Spool, aside: SetAside, stand: Stand) -> CollectorReport:
        """The report of now."""
        now, monotonic, cpu_s = datetime.now(UTC), time.monotonic(), time.process_time()
        period_s = max(monotonic - self._at, 1e-3)
        lines = list(fleet.lines.items())
        away_s = stand.database_away_s
        self.latest = CollectorReport(
            collector_id=self._id,
            host=self._host,
            pid=os.getpid(),
            started_at=self._started_at,
            at=now,
            points=stand.points,
            site_sha256=stand.site_sha256,
            database_away_since=None if away_s is None else now - timedelta(seconds=away_s),
            cpu_share=(cpu_s - self._cpu_s) / period_s,
            memory_bytes=_memory_bytes(),
            spool=spool_report(spool, aside),
            buses=tuple(self._bus(i, line, now, period_s) for i, line in lines),
            devices=tuple(
                self._device(i, line, device_id, tally, monotonic)
                for i, line in lines
                for device_id, tally in line.tallies.items()
            ),
            reload_mistakes=stand.reload_mistakes,
            stopped=stand.stopped,
        )
        self._at, self._cpu_s = monotonic, cpu_s
        self._forget(fleet)
        return self.latest

    def _forget(self, fleet: Fleet) -> None:
        there = {device_id for line in fleet.lines.values() for device_id in line.tallies}
        self._before = {d: before for d, before in self._before.items() if d in there}
        self._busy_s = {i: busy for i, busy in self._busy_s.items() if i in fleet.lines}

    def _bus(self, connection_id: str, line: Line, now: datetime, period_s: float) -> BusReport:
        protocol, runner = line.context.connection.protocol.value, line.runner
        if isinstance(runner, Listener):
            stands_s = None if runner.connected_at is None else time.monotonic() - runner.connected_at
            return BusReport(
                connection_id=connection_id,
                protocol=protocol,
                connected_since=None if stands_s is None else now - timedelta(seconds=stands_s),
                connects=runner.connects,
                failed_connects=runner.failed_connects,
                busy_share=None,
                overdue=0,
                urgent=0,
                urgent_wait_s=0.0,
                overruns=0,
                malformed=runner.malformed.count,
                malformed_samples=runner.malformed.samples,
            )
        stands_s, counts = runner.connected_for_s, runner.counts
        return BusReport(
            connection_id=connection_id,
            protocol=protocol,
            connected_since=None if stands_s is None else now - timedelta(seconds=stands_s),
            connects=counts.connects,
            failed_connects=counts.failed_connects,
            busy_share=self._busy_share(connection_id, runner, period_s),
            overdue=runner.overdue,
            urgent=counts.urgent,
            urgent_wait_s=runner.urgent_waits.total_s,
            overruns=counts.overruns,
        )

    def _busy_share(self, connection_id: str, poller: Poller[Any], period_s: float) -> float:
        held, before_s = self._busy_s.get(connection_id, (poller, 0.0))
        busy_s = poller.counts.busy_s
        self._busy_s[connection_id] = (poller, busy_s)
        grown_s = busy_s - before_s if held is poller else busy_s
        return min(1.0, grown_s / (period_s * poller.in_flight))

    def _device(
        self, connection_id: str, line: Line, device_id: str, tally: DeviceTally, at: float
    ) -> DeviceReport:
        before = self._before.get(device_id)
        if before is None or before.tally is not tally:  # new, or its connection was made anew
            before = _Before(tally, ((self._at, 0, 0),), [0] * len(tally.trips.buckets), None)
        errors = tally.counted
        requests = tally.samples + sum(e.count for e in errors)
        buckets = list(tally.trips.buckets)
        recent = [now - then for now, then in zip(buckets, before.buckets, strict=True)]
        p95_s = quantile_s(recent, SLOW_SHARE)
        p95_s = before.p95_s if p95_s is None else p95_s
        counted = (*before.counted, (at, requests, tally.readings))[-RATE_REPORTS:]
        self._before[device_id] = _Before(tally, counted, buckets, p95_s)
        since, requests_then, readings_then = counted[0]
        over_s = max(at - since, 1e-3)
        return DeviceReport(
            device_id=device_id,
            connection_id=connection_id,
            condition=condition_of(line, device_id),
            last_good_at=datetime.fromtimestamp(tally.last_at, UTC) if tally.last_at else None,
            round_trip_s=tally.trips.mean_s,
            round_trip_p95_s=p95_s,
            requests=requests,
            samples=tally.samples,
            readings=tally.readings,
            readings_per_s=(tally.readings - readings_then) / over_s,
            requests_per_s=(requests - requests_then) / over_s,
            overruns=tally.overruns,
            errors=errors,
            last_error=tally.last_error,
        )


def condition_of(line: Line, device_id: str) -> Condition:
    """How a device stands with its poller or listener."""
    if isinstance(line.runner, Listener):
        said: Mapping[bool | None, Condition] = {True: Condition.ONLINE, False: Condition.AWAY}
        return said.get(line.runner.online.get(device_id), Condition.NEVER)
    circuit: Circuit = line.runner.health.circuit(device_id)
    if circuit.is_online is None:
        return Condition.NEVER
    if circuit.is_open:
        return Condition.AWAY
    return Condition.RESTING if circuit.misses else Condition.ONLINE


def spool_report(spool: Spool, aside: SetAside) -> SpoolReport:
    """What waits on disk; what was set aside and had to go counts as dropped too."""
    held = (spool.counts, aside.unknown.counts, aside.future.counts)
    dropped_at = max(counts.dropped_at for counts in held)
    oldest = spool.oldest_unsent_at
    return SpoolReport(
        committed=spool.counts.committed,
        sent=spool.counts.sent,
        dropped=sum(counts.dropped for counts in held),
        last_dropped_at=datetime.fromtimestamp(dropped_at, UTC) if dropped_at else None,
        backlog_bytes=spool.backlog_bytes,
        oldest_unsent_at=None if oldest is None else datetime.fromtimestamp(oldest, UTC),
        commit_s=spool.counts.commit_s,
        unknown_bytes=aside.unknown.backlog_bytes,
        future_bytes=aside.future.backlog_bytes,
        unreadable_bytes=spool.counts.unreadable_bytes,
    )


def _memory_bytes() -> int:
    """Resident memory as the kernel says (proc_pid_statm(5)), 0 where it does not."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123  read every period; a path object costs more
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
