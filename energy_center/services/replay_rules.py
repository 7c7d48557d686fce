"""History through the live run at high speed, as it would have arrived, compared with the backtest.

Readings come out of order, twice, and late; the live run works at irregular times. What it has written in
the end must be the backtest's list: the same stretches, the same parents.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.domain.alarms import AlarmEventKind
from energy_center.domain.readings import PointId
from energy_center.domain.site import Site
from energy_center.rules.backtest import Finding, replay
from energy_center.rules.bind import bind
from energy_center.rules.dependencies import Key, depend, suppress
from energy_center.rules.engine import Progress
from energy_center.rules.find_rules import rules
from energy_center.rules.window import US, Samples, from_micros, to_micros
from energy_center.services.run_rules import SETTLE_S, run_rules
from energy_center.store.alarm_stretches import Stretch, count_events, hidden_stretches, stretches
from energy_center.store.devices import set_device_state
from energy_center.store.late_arrivals import Checkpoint, save_checkpoints
from energy_center.store.pool import Database
from energy_center.store.readings import ReadingBatch, write_backlog
from energy_center.store.rule_state import RuleState, write_rule_states

# Of all readings so many come twice; of the points so many have an hour or more each day that comes late.
TWICE = 0.02
OUT_OF_ORDER = 0.05
LATE_POINTS = 0.1
LATE_BY = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Past:
    """What was measured: readings of each point, and when each device answered, in order of time."""

    points: Mapping[PointId, Samples]
    devices: Mapping[str, Samples]


@dataclass(frozen=True, slots=True)
class Seen:
    """A stretch of an alarm: rule, equipment, onset, raised, returned."""

    key: Key
    onset_at: datetime
    raised_at: datetime
    returned_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """Both lists, where they differ, and what it took."""

    days: float
    readings: int
    late: int
    twice: int
    runs: int
    live: int
    backtest: int
    only_live: tuple[Seen, ...]
    only_backtest: tuple[Seen, ...]
    hidden_live: int
    hidden_backtest: int
    parents_differ: int
    found_late: int
    corrected: int
    withdrawn: int
    cpu_s: float

    @property
    def is_identical(self) -> bool:
        """Whether nothing differs."""
        return not (self.only_live or self.only_backtest or self.parents_differ)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Readings in order of arrival; `at_us` µs since 1970, each array of shape (n,)."""

    at_us: np.ndarray[tuple[int], np.dtype[np.int64]]
    batch: ReadingBatch
    late: int
    twice: int


def arrivals(past: Past, start: datetime, end: datetime, seed: int) -> Arrivals:
    """When each reading up to `end` comes: most at once, some out of order, some twice, some hours late.

    What was measured before `start` has all come by then.
    """
    dice, last = np.random.default_rng(seed), to_micros(end)
    begun = to_micros(start)
    parts = []
    late = 0
    for point_id, samples in past.points.items():
        keep = samples.at <= last
        at = samples.at[keep]
        delay = np.full(len(at), US)
        shuffled = dice.random(len(at)) < OUT_OF_ORDER
        delay[shuffled] = (dice.random(int(shuffled.sum())) * 1_200 * US).astype(np.int64)
        if dice.random() < LATE_POINTS:
            for day in range(begun, last, 86_400 * US):
                held = day + int(dice.random() * 80_000 * US)
                until = held + int(dice.random() * LATE_BY.total_seconds() * US)
                inside = (at >= held) & (at < until)
                delay[inside] = until - at[inside]  # a backlog: all of it comes at its end
                late += int(inside.sum())
        comes = np.maximum(np.minimum(at + delay, last), np.minimum(at, last))
        comes[at <= begun] = begun
        parts.append(
            (comes, np.full(len(at), point_id, np.int32), at, samples.values[keep], samples.quality[keep])
        )
    comes, points, at, values, quality = (np.concatenate(column) for column in zip(*parts, strict=True))
    again = np.flatnonzero(dice.random(len(at)) < TWICE)
    order = np.argsort(np.concatenate([comes, comes[again] + 600 * US]), kind="stable")
    index = np.concatenate([np.arange(len(at)), again])[order]
    sorted_comes = np.concatenate([comes, comes[again] + 600 * US])[order]
    batch = ReadingBatch(points[index], at[index], values[index], quality[index])
    return Arrivals(sorted_comes, batch, late, len(again))


async def replay_rules(
    db: Database, site: Site, past: Past, start: datetime, end: datetime, seed: int
) -> ReplayReport:
    """Play (start, end] live into the database of a site that is applied and has no readings yet; compare."""
    coming = arrivals(past, start, end, seed)
    await _begin(db, site, start)
    cpu, runs = 0.0, 0
    dice, at, done = np.random.default_rng(seed + 1), start, 0
    told: dict[str, float] = {}
    while at < end:
        at = min(end, at + timedelta(minutes=float(dice.integers(4, 31))))
        upto = len(coming.at_us) if at == end else int(np.searchsorted(coming.at_us, to_micros(at), "right"))
        await write_backlog(db, coming.batch.take(np.arange(done, upto)), at)
        await _tell_devices(db, past, told, at)
        done, begun = upto, process_time()
        await run_rules(db, at + timedelta(seconds=SETTLE_S), ())
        cpu, runs = cpu + process_time() - begun, runs + 1
    return await _compare(db, site, past, (start, end), (coming, runs, cpu))


async def _begin(db: Database, site: Site, start: datetime) -> None:
    """As if the rules had judged everything up to the start and had found nothing."""
    memory = Progress().as_memory()
    keys = [(b.rule.rule_id, b.equipment.equipment_id) for b in bind(rules(), site)]
    async with db.transaction() as conn:
        states = [RuleState(*key, start, "not_applicable", start, memory) for key in keys]
        await write_rule_states(conn, states)
        await save_checkpoints(conn, [Checkpoint(*key, start, memory) for key in keys])


async def _tell_devices(db: Database, past: Past, told: dict[str, float], at: datetime) -> None:
    """Every change of a device up to an instant that was not told yet."""
    upto = to_micros(at)
    for device_id, samples in past.devices.items():
        first = int(told.get(f"{device_id}#", 0))
        last = int(np.searchsorted(samples.at, upto, "right"))
        for index in range(first, last):
            online = float(samples.values[index])
            if told.get(device_id) != online:
                told[device_id] = online
                when = from_micros(int(samples.at[index]))
                await set_device_state(db, device_id, online=online > 0, at=when)
        told[f"{device_id}#"] = last


async def _compare(
    db: Database,
    site: Site,
    past: Past,
    period: tuple[datetime, datetime],
    work: tuple[Arrivals, int, float],
) -> ReplayReport:
    (start, end), (coming, runs, cpu) = period, work
    async with db.connection() as conn:
        found = await stretches(conn, list(rules()), start)
        hidden = await hidden_stretches(conn, start)
        counts = await count_events(conn, start)
        late_ids = {s.alarm_id for s in found} & set(counts.late_alarms)
    bound = bind(rules(), site)
    zone = ZoneInfo(site.time_zone)
    findings = [f for b in bound for f in replay(b, past.points, past.devices, start, end, zone).findings]
    expected = suppress(findings, depend(bound, site))
    live = {_seen(s): s for s in found}
    wanted = {_wanted(f): (f, h) for f, h in expected}
    differ = 0
    for seen in live.keys() & wanted.keys():
        stretch, explains = live[seen], wanted[seen][1]
        by = hidden.get((stretch.alarm_id, stretch.raised_at))
        if stretch.alarm_id not in late_ids and by != (None if explains is None else explains.by.key):
            differ += 1
    return ReplayReport(
        days=(end - start) / timedelta(days=1),
        readings=len(coming.at_us) - coming.twice,
        late=coming.late,
        twice=coming.twice,
        runs=runs,
        live=len(live),
        backtest=len(wanted),
        only_live=tuple(sorted(live.keys() - wanted.keys(), key=_order)),
        only_backtest=tuple(sorted(wanted.keys() - live.keys(), key=_order)),
        hidden_live=len(hidden),
        hidden_backtest=sum(h is not None for _, h in expected),
        parents_differ=differ,
        found_late=len(counts.late_alarms),
        corrected=counts.by_kind.get(AlarmEventKind.CORRECTED, 0),
        withdrawn=counts.by_kind.get(AlarmEventKind.WITHDRAWN, 0),
        cpu_s=cpu,
    )


def _seen(stretch: Stretch) -> Seen:
    key = (stretch.rule_id, stretch.equipment_id)
    return Seen(key, stretch.onset_at, stretch.raised_at, stretch.returned_at)


def _wanted(finding: Finding) -> Seen:
    key = (finding.rule_id, finding.equipment_id)
    return Seen(key, finding.onset_at, finding.raised_at, finding.returned_at)


def _order(seen: Seen) -> tuple[datetime, Key]:
    return (seen.raised_at, seen.key)
