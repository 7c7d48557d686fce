"""How collection goes: what a collector tells of itself, its buses and its devices, and what is wrong.

Counts run since the collector's start; shares are of its last period of about ten
seconds, rates of the last minute.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SILENT_AFTER = timedelta(seconds=60)  # six reports of a collector that did not come
OLD_BACKLOG = timedelta(minutes=10)
RECENTLY = timedelta(minutes=10)
COLLECTOR = "collector:"  # what an alarm's equipment begins with when it is a collector process


class Condition(StrEnum):
    """How a device stands, worst last but one; `NEVER` is unknown rather than bad."""

    ONLINE = "online"  # it answered the last request
    RESTING = "resting"  # one or two requests were missed; it is left alone for a moment
    AWAY = "away"  # three in a row were missed; it is probed in a tenth of its bus's time
    NEVER = "never"  # no answer since the collector's start, and not given up either


class ErrorKind(StrEnum):
    """Why a request or a message brought no reading."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    BAD_FRAME = "bad_frame"
    WRONG_UNIT = "wrong_unit"
    REFUSED = "refused"
    BUSY = "busy"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """How often something went wrong; `code` is the device's own, such as Modbus exception 2, or empty."""

    kind: ErrorKind
    code: str
    count: int


@dataclass(frozen=True, slots=True)
class LastError:
    """The newest thing that went wrong, as the driver said it."""

    at: datetime
    kind: ErrorKind
    said: str


@dataclass(frozen=True, slots=True)
class MalformedSample:
    """The beginning of a message that could not be read, without what looks like a secret."""

    at: datetime
    topic: str
    device_ids: tuple[str, ...]
    excerpt: str
    why: str


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """One device; round trips in seconds, None for devices that publish on their own."""

    device_id: str
    connection_id: str
    condition: Condition
    last_good_at: datetime | None
    round_trip_s: float | None
    round_trip_p95_s: float | None
    requests: int
    samples: int
    readings: int
    readings_per_s: float
    requests_per_s: float
    overruns: int
    errors: tuple[ErrorCount, ...] = ()
    last_error: LastError | None = None


@dataclass(frozen=True, slots=True)
class BusReport:
    """One connection. `busy_share` is 0..1 of the period with a request in flight, None for brokers."""

    connection_id: str
    protocol: str
    connected_since: datetime | None
    connects: int
    failed_connects: int
    busy_share: float | None
    overdue: int
    urgent: int
    urgent_wait_s: float
    overruns: int
    malformed: int = 0
    malformed_samples: tuple[MalformedSample, ...] = ()


@dataclass(frozen=True, slots=True)
class SpoolReport:
    """What waits on disk, in readings and bytes; `oldest_unsent_at` is when the first of it was measured."""

    committed: int
    sent: int
    dropped: int
    last_dropped_at: datetime | None
    backlog_bytes: int
    oldest_unsent_at: datetime | None
    commit_s: float
    unknown_bytes: int
    future_bytes: int
    unreadable_bytes: int


@dataclass(frozen=True, slots=True)
class CollectorReport:
    """One collector process. `site_sha256` is of the site file that it works from.

    `reload_mistakes` say why the newest site file was refused. `stopped`: it ended as it was told to.
    """

    collector_id: str
    host: str
    pid: int
    started_at: datetime
    at: datetime
    points: int
    site_sha256: str
    database_away_since: datetime | None
    cpu_share: float
    memory_bytes: int
    spool: SpoolReport
    buses: tuple[BusReport, ...] = ()
    devices: tuple[DeviceReport, ...] = ()
    reload_mistakes: tuple[str, ...] = ()
    stopped: bool = False


class Trouble(StrEnum):
    """What is wrong with a collector, worst first."""

    SILENT = "silent"
    DROPPING = "dropping"
    BACKLOG = "backlog"
    SITE_REFUSED = "site_refused"
    UNKNOWN_POINTS = "unknown_points"


def troubles_of(report: CollectorReport, now: datetime) -> tuple[Trouble, ...]:
    """What is wrong with a collector now, worst first."""
    spool = report.spool
    stands = {
        Trouble.SILENT: is_silent(report, now),
        Trouble.DROPPING: spool.last_dropped_at is not None and now - spool.last_dropped_at < RECENTLY,
        Trouble.BACKLOG: spool.oldest_unsent_at is not None and now - spool.oldest_unsent_at > OLD_BACKLOG,
        Trouble.SITE_REFUSED: bool(report.reload_mistakes),
        Trouble.UNKNOWN_POINTS: spool.unknown_bytes > 0,
    }
    return tuple(trouble for trouble in Trouble if stands[trouble])


def is_silent(report: CollectorReport, now: datetime) -> bool:
    """Whether it has not told of itself for a minute, be it that it was stopped."""
    return now - report.at > SILENT_AFTER
