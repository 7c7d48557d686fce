"""What Prometheus reads: the state of collection as its text format says it.

Every figure comes from the database when it is asked for; nothing is counted here but the server's requests.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from energy_center.domain.supervision import BusReport, DeviceReport, Trouble
from energy_center.services.supervision import (
    CollectorHealth,
    DeviceHealth,
    DeviceStatus,
    Supervision,
)

_ANSWERS = {DeviceStatus.ONLINE: 1.0, DeviceStatus.RESTING: 1.0, DeviceStatus.AWAY: 0.0}
Row = tuple[Sequence[str], float | None]


class _Once(Collector):
    """Hands families that are made already to the library's writer."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def exposition(supervision: Supervision | None, now: datetime, more: Iterable[Metric] = ()) -> bytes:
    """The text; `supervision` is None while the database is away, which is then told."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once([*_families(supervision, now), *more]))
    return generate_latest(registry)


def _families(supervision: Supervision | None, now: datetime) -> Iterator[Metric]:
    reached = 0.0 if supervision is None else 1.0
    yield _gauge("database_up", "Whether the server reaches its database.", (), [((), reached)])
    if supervision is not None:
        yield from _of_devices(supervision.devices, supervision.reports.values())
        yield from _of_buses([(c, b) for c in supervision.collectors for b in c.buses])
        yield from _of_collectors(supervision.collectors, now)


def _of_devices(devices: Sequence[DeviceHealth], reports: Iterable[DeviceReport]) -> Iterator[Metric]:
    told = list(reports)
    labels = ("device", "connection")

    def rows(figure: str) -> list[Row]:
        return [((r.device_id, r.connection_id), getattr(r, figure)) for r in told]

    yield _gauge(
        "device_up",
        "1 answers, 0 away; absent while nobody knows.",
        labels,
        [((d.device_id, d.connection_id or ""), _ANSWERS.get(d.status)) for d in devices],
    )
    yield _gauge(
        "device_last_good_timestamp_seconds",
        "When the device last answered.",
        labels,
        [((d.device_id, d.connection_id or ""), d.seen_at.timestamp()) for d in devices if d.seen_at],
    )
    yield _gauge("device_round_trip_seconds", "Smoothed mean.", labels, rows("round_trip_s"))
    yield _gauge("device_round_trip_p95_seconds", "Of the last answers.", labels, rows("round_trip_p95_s"))
    yield _counter("reads", "Blocks read or messages taken.", labels, rows("samples"))
    yield _counter("readings", "Values in them.", labels, rows("readings"))
    yield _counter("read_overruns", "Slots of the schedule that were missed.", labels, rows("overruns"))
    yield _counter(
        "read_errors",
        "Requests and messages that brought nothing, by kind and the device's own code.",
        (*labels, "kind", "code"),
        [((r.device_id, r.connection_id, e.kind.value, e.code), e.count) for r in told for e in r.errors],
    )


def _of_buses(buses: Sequence[tuple[CollectorHealth, BusReport]]) -> Iterator[Metric]:
    labels = ("connection", "collector")

    def rows(figure: str) -> list[Row]:
        return [((b.connection_id, c.collector_id), getattr(b, figure)) for c, b in buses]

    yield _gauge(
        "connection_up",
        "Whether the connection stands.",
        labels,
        [((b.connection_id, c.collector_id), float(_stands(c, b))) for c, b in buses],
    )
    yield _gauge(
        "connection_busy_ratio", "Share of time with a request in flight.", labels, rows("busy_share")
    )
    yield _gauge("connection_overdue_requests", "Requests past their time.", labels, rows("overdue"))
    yield _counter("connects", "Connections made.", labels, rows("connects"))
    yield _counter("failed_connects", "Connections that could not be made.", labels, rows("failed_connects"))
    yield _counter("malformed_messages", "Messages that could not be read.", labels, rows("malformed"))
    yield _counter("urgent_requests", "Writes and readings by hand.", labels, rows("urgent"))
    yield _counter("urgent_wait_seconds", "What they waited, together.", labels, rows("urgent_wait_s"))


def _stands(collector: CollectorHealth, bus: BusReport) -> bool:
    return bus.connected_since is not None and Trouble.SILENT not in collector.troubles


def _of_collectors(collectors: Sequence[CollectorHealth], now: datetime) -> Iterator[Metric]:
    labels = ("collector",)

    def rows(figure: str) -> list[Row]:
        return [((c.collector_id,), getattr(c, figure)) for c in collectors]

    def spooled(figure: str) -> list[Row]:
        return [((c.collector_id,), getattr(c.spool, figure)) for c in collectors]

    yield _gauge(
        "collector_up",
        "Whether it told of itself within a minute.",
        labels,
        [((c.collector_id,), float(Trouble.SILENT not in c.troubles)) for c in collectors],
    )
    yield _gauge(
        "collector_trouble",
        "1 while this is wrong.",
        (*labels, "trouble"),
        [((c.collector_id, t.value), float(t in c.troubles)) for c in collectors for t in Trouble],
    )
    yield _gauge(
        "collector_last_report_timestamp_seconds",
        "Its last sign of life.",
        labels,
        [((c.collector_id,), c.at.timestamp()) for c in collectors],
    )
    yield _gauge("collector_points", "Points that it reads.", labels, rows("points"))
    yield _gauge("collector_cpu_ratio", "Of one core, in the last period.", labels, rows("cpu_share"))
    yield _gauge("collector_memory_bytes", "Resident memory.", labels, rows("memory_bytes"))
    yield _gauge("spool_backlog_bytes", "Waits on disk.", labels, spooled("backlog_bytes"))
    yield _gauge(
        "spool_oldest_seconds",
        "Age of the oldest reading that is not in the database; 0 when all are.",
        labels,
        [((c.collector_id,), _age_s(c.spool.oldest_unsent_at, now)) for c in collectors],
    )
    yield _gauge("spool_commit_seconds", "How long a write to disk takes.", labels, spooled("commit_s"))
    yield _gauge(
        "set_aside_bytes",
        "Kept apart: of unknown points, from the future, unreadable.",
        (*labels, "why"),
        [
            ((c.collector_id, why), kept)
            for c in collectors
            for why, kept in (
                ("unknown_point", c.spool.unknown_bytes),
                ("future", c.spool.future_bytes),
                ("unreadable", c.spool.unreadable_bytes),
            )
        ],
    )
    yield _counter("spool_committed", "Readings brought to disk.", labels, spooled("committed"))
    yield _counter("spool_sent", "Readings brought to the database.", labels, spooled("sent"))
    yield _counter("spool_dropped", "Readings lost: a full spool or disk.", labels, spooled("dropped"))


def _age_s(at: datetime | None, now: datetime) -> float:
    return 0.0 if at is None else max(0.0, (now.astimezone(UTC) - at).total_seconds())


def _gauge(name: str, words: str, labels: Sequence[str], rows: Iterable[Row]) -> Metric:
    return _filled(GaugeMetricFamily(f"energy_center_{name}", words, labels=labels), rows)


def _counter(name: str, words: str, labels: Sequence[str], rows: Iterable[Row]) -> Metric:
    return _filled(CounterMetricFamily(f"energy_center_{name}", words, labels=labels), rows)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, rows: Iterable[Row]) -> Metric:
    for labels, figure in rows:
        if figure is not None:
            family.add_metric(list(labels), figure)
    return family
