"""The live run: every rule at every equipment where it applies, over what was read since the last run.

Detection looks at the shortest window that its lookback needs; what was known before is carried in
`rule_state`. Readings that came late are judged again from a checkpoint before them (`judge_again`).
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.domain.readings import PointId
from energy_center.domain.site import Site
from energy_center.rules.backtest import reckon_waste
from energy_center.rules.bind import Binding, bind
from energy_center.rules.blindness import remember
from energy_center.rules.dependencies import Dependencies, depend
from energy_center.rules.engine import Change, ChangeKind, Evaluation, Progress, evaluate
from energy_center.rules.find_rules import rules
from energy_center.rules.frames import build_frame
from energy_center.rules.rule import Waste
from energy_center.rules.window import US, Condition, Frame, Samples, from_micros, grid, to_micros
from energy_center.services.change_alarm import Finding, apply_change
from energy_center.services.hide_alarms import Run, end_chatter, end_lapsed, release_due, release_leaderless
from energy_center.services.judge_again import reconcile
from energy_center.services.rule_samples import QUARTER_S, samples_of
from energy_center.store.late_arrivals import (
    Checkpoint,
    LateArrival,
    checkpoints_before,
    drop_late,
    forget_after,
    forget_checkpoints,
    save_checkpoints,
    waiting_late,
)
from energy_center.store.pool import Connection, Database
from energy_center.store.rule_state import (
    DeviceChange,
    RuleState,
    device_changes,
    read_rule_states,
    write_rule_states,
)
from energy_center.store.rule_tuning import load_tuned_site
from energy_center.store.series import Grain, read_series

log = logging.getLogger(__name__)

# Readings on their way: a step is judged when it is this old.
SETTLE_S = 3.0
# A worker that was away longer than this starts afresh: older windows cost more than they tell.
LONGEST_CATCH_UP = timedelta(hours=24)
# Late readings are judged for as long, from the last full hour before them.
CHECKPOINTS_FOR = LONGEST_CATCH_UP + timedelta(hours=2)
_CODES = {
    Condition.TRUE: "true",
    Condition.FALSE: "false",
    Condition.UNKNOWN: "unknown",
    Condition.NOT_APPLICABLE: "not_applicable",
}


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one run did."""

    judged: int
    raised: int
    returned: int


@dataclass(frozen=True, slots=True)
class _Due:
    """A binding with the steps that are to be judged now: (from_, until].

    Steps up to `judged_to` were judged before: more than `from_` where late readings came.
    """

    binding: Binding
    progress: Progress
    from_: datetime
    until: datetime
    judged_to: datetime
    memory: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reads_from(self) -> datetime:
        return self.from_ - timedelta(seconds=self.binding.rule.lookback_s)

    @property
    def is_again(self) -> bool:
        return self.from_ < self.judged_to


@dataclass(frozen=True, slots=True)
class _Judged:
    due: _Due
    run: Evaluation
    finding: Finding | None
    state: RuleState


@dataclass(frozen=True, slots=True)
class _Plan:
    """What follows from a site alone."""

    site: Site
    bindings: tuple[Binding, ...]
    dependencies: Dependencies


_plans: dict[str, _Plan] = {}


def plan_of(site: Site) -> _Plan:
    """Bindings and dependencies, worked out once for a site: half a second for a thousand bindings."""
    known = _plans.get(site.site_id)
    if known is not None and known.site == site:
        return known
    bindings = tuple(bind(rules(), site))
    made = _Plan(site, bindings, depend(bindings, site))
    _plans.clear()
    _plans[site.site_id] = made
    return made


async def run_rules(db: Database, now: datetime, channels: tuple[str, ...] = ("file", "log")) -> RunReport:
    """Judge all steps that have passed since the last run and change the alarms accordingly.

    All that follows is one transaction: a crash repeats the run, never half of it.
    """
    site = await load_tuned_site(db)
    if site is None:
        return RunReport(0, 0, 0)
    plan = plan_of(site)
    states = await read_rule_states(db)
    async with db.connection() as conn:
        late = await waiting_late(conn)
        again = await _again(conn, plan.bindings, states, late, now)
    by_rule: dict[tuple[str, bool], list[_Due]] = defaultdict(list)
    for binding in plan.bindings:
        due = _due(binding, states.get(_key(binding)), again.get(_key(binding)), now)
        if due is not None:
            by_rule[(binding.rule.rule_id, due.is_again)].append(due)
    judged: list[_Judged] = []
    for waiting in by_rule.values():
        judged += await _judge(db, waiting, ZoneInfo(site.time_zone))
    async with db.transaction() as conn:
        run = Run(conn, site, plan.dependencies, channels, now)
        raised, returned = await _apply(run, judged)
        await _remember(conn, judged, now)
        await drop_late(conn, late)
    if raised or returned:
        log.info("alarms changed", extra={"action": "rule_changes", "raised": raised, "returned": returned})
    return RunReport(len(judged), raised, returned)


async def _apply(run: Run, judged: Sequence[_Judged]) -> tuple[int, int]:
    """Changes of all rules in order of time, parents before children; how many were raised and returned."""
    depth = run.dependencies.depth
    found = [(j.due, j.finding) for j in judged if j.finding is not None]
    found.sort(key=lambda pair: depth.get(_key(pair[0].binding), 0))
    for _, finding in found:
        await reconcile(run, finding)
    changes = [
        (change.at, depth.get(_key(due.binding), 0), finding, change)
        for due, finding in found
        for change in finding.changes
        if from_micros(change.at) > due.judged_to
    ]
    changes.sort(key=lambda c: c[:2])
    for _, _, finding, change in changes:
        await apply_change(run, finding, change)
    if judged:
        until = max(j.due.until for j in judged)
        await release_due(run, until)
        await end_chatter(run, until)
    await end_lapsed(run)
    await release_leaderless(run)
    kinds = [change.kind for *_, change in changes]
    return kinds.count(ChangeKind.RAISED), kinds.count(ChangeKind.RETURNED)


def _key(binding: Binding) -> tuple[str, str]:
    return binding.rule.rule_id, binding.equipment.equipment_id


async def _again(
    conn: Connection,
    bindings: Iterable[Binding],
    states: Mapping[tuple[str, str], RuleState],
    late: Sequence[LateArrival],
    now: datetime,
) -> dict[tuple[str, str], Checkpoint]:
    """From where to judge again what late readings touch, by rule and equipment."""
    if not late:
        return {}
    first: dict[int, datetime] = {}
    for arrival in late:
        first[arrival.point_id] = min(arrival.from_at, first.get(arrival.point_id, arrival.from_at))
    wanted: dict[tuple[str, str], datetime] = {}
    for binding in bindings:
        state, at = (
            states.get(_key(binding)),
            [first[p.point_id] for p in binding.all_points if p.point_id in first],
        )
        if state is not None and at and now - LONGEST_CATCH_UP < min(at) <= state.evaluated_to:
            wanted[_key(binding)] = min(at)
    return await checkpoints_before(conn, wanted)


def _due(binding: Binding, state: RuleState | None, again: Checkpoint | None, now: datetime) -> _Due | None:
    step = round(binding.timing.step_s * US)
    until = from_micros(to_micros(now - timedelta(seconds=SETTLE_S)) // step * step)
    if state is None or state.evaluated_to < now - LONGEST_CATCH_UP:
        fresh = until - timedelta(seconds=min(binding.timing.hold_s, 3_600.0)) - timedelta(microseconds=step)
        progress = Progress() if state is None else Progress.from_memory(state.memory)
        memory = {} if state is None else state.memory
        return _Due(binding, progress if progress.raised else Progress(), fresh, until, fresh, memory)
    to = state.evaluated_to
    if again is not None:
        progress = Progress.from_memory(again.memory)
        return _Due(binding, progress, again.at, max(until, to), to, state.memory)
    if to >= until:
        return None
    return _Due(binding, Progress.from_memory(state.memory), to, until, to, state.memory)


async def _judge(db: Database, due: Sequence[_Due], zone: ZoneInfo) -> list[_Judged]:
    """All of one rule."""
    start, end = min(d.reads_from for d in due), max(d.until for d in due)
    points = {p.point_id: p for d in due for p in d.binding.all_points}
    grain = Grain.QUARTER if due[0].binding.rule.reads_quarters else Grain.RAW
    longest_s = max(QUARTER_S, *(p.interval_s for p in points.values())) if points else QUARTER_S
    found = {}
    if points:
        reads_from = start - timedelta(seconds=2 * longest_s)
        found = await read_series(db, list(points), reads_from, end + timedelta(microseconds=1), grain)
    samples = {point_id: samples_of(series, points[point_id], grain) for point_id, series in found.items()}
    devices: dict[str, Samples] = {}
    if any(d.binding.devices for d in due):
        devices = device_samples(await device_changes(db, start))
    return await asyncio.to_thread(_judge_all, due, samples, devices, zone)


def device_samples(changes: Iterable[DeviceChange]) -> dict[str, Samples]:
    """Whether each device answers, 1 or 0, valid until the next change."""
    by_device: dict[str, list[DeviceChange]] = defaultdict(list)
    for change in changes:
        by_device[change.device_id].append(change)
    return {
        device_id: Samples(
            at=np.array([to_micros(c.at) for c in found], dtype=np.int64),
            values=np.array([float(c.online) for c in found]),
            quality=np.zeros(len(found), dtype=np.int16),
            interval_s=np.inf,
        )
        for device_id, found in by_device.items()
    }


def _judge_all(
    due: Sequence[_Due], samples: Mapping[PointId, Samples], devices: Mapping[str, Samples], zone: ZoneInfo
) -> list[_Judged]:
    return [_judge_one(d, samples, devices, zone) for d in due]


def _judge_one(
    due: _Due, samples: Mapping[PointId, Samples], devices: Mapping[str, Samples], zone: ZoneInfo
) -> _Judged:
    binding = due.binding
    times = grid(due.reads_from, due.until, binding.timing.step_s)
    first = len(times) - len(grid(due.from_, due.until, binding.timing.step_s))
    frame = build_frame(binding, samples, devices, times, zone)
    run = evaluate(binding.entry, frame, first, binding.parameters, binding.timing, due.progress)
    blind = remember(due.memory, binding.rule, frame, run.verdict.condition, to_micros(due.judged_to))
    state = _state(due, run, blind)
    if not run.changes and not due.is_again:
        return _Judged(due, run, None, state)
    finding = Finding(
        binding=binding,
        changes=run.changes,
        frame=frame,
        figures=run.verdict.figures,
        waste={change.at: _waste(binding, frame, run, change) for change in run.changes},
        judged_again=(due.from_, due.judged_to) if due.is_again else None,
    )
    return _Judged(due, run, finding, state)


def _waste(binding: Binding, frame: Frame, run: Evaluation, change: Change) -> Waste | None:
    onset, at = from_micros(change.onset), from_micros(change.at)
    return reckon_waste(binding, frame, run.verdict.condition, onset, at)


def _state(due: _Due, run: Evaluation, blind: Mapping[str, object]) -> RuleState:
    progress = run.progress
    return RuleState(
        rule_id=due.binding.rule.rule_id,
        equipment_id=due.binding.equipment.equipment_id,
        evaluated_to=due.until,
        condition=_CODES[progress.last],
        since=due.until if progress.onset is None else from_micros(progress.onset),
        memory={**progress.as_memory(), "blind": blind},
    )


async def _remember(conn: Connection, judged: Sequence[_Judged], now: datetime) -> None:
    """Write the rules' states, and once an hour a copy to judge late readings from."""
    if not judged:
        return
    await write_rule_states(conn, [j.state for j in judged])
    again = {_key(j.due.binding): j.due.from_ for j in judged if j.due.is_again}
    if again:
        await forget_after(conn, again)
    passing = [j for j in judged if j.due.is_again or _hour(j.due.until) != _hour(j.due.judged_to)]
    if passing:
        kept = [Checkpoint(*_key(j.due.binding), j.due.until, j.run.progress.as_memory()) for j in passing]
        await save_checkpoints(conn, kept)
        await forget_checkpoints(conn, now - CHECKPOINTS_FOR)


def _hour(at: datetime) -> int:
    return to_micros(at) // (3_600 * US)
