"""The live run: every rule at every equipment where it applies, over what was read since the last run.

Detection looks at the shortest window that its lookback needs; what was known before is carried in
`rule_state`. Each alarm's change is one transaction with its history, messages, work order and the
rule's state.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.domain.readings import PointId
from energy_center.rules.backtest import reckon_waste
from energy_center.rules.bind import Binding, bind
from energy_center.rules.engine import Change, Evaluation, Progress, evaluate
from energy_center.rules.find_rules import rules
from energy_center.rules.frames import build_frame
from energy_center.rules.rule import Waste
from energy_center.rules.window import US, Condition, Frame, Samples, from_micros, grid, to_micros
from energy_center.services.change_alarm import Finding, apply_changes
from energy_center.store.pool import Database
from energy_center.store.rule_state import (
    DeviceChange,
    RuleState,
    device_changes,
    read_rule_states,
    write_rule_states,
)
from energy_center.store.series import Grain, Series, read_series
from energy_center.store.site import load_site

log = logging.getLogger(__name__)

# Readings on their way: a step is judged when it is this old.
SETTLE_S = 3.0
# A worker that was away longer than this starts afresh: older windows cost more than they tell.
LONGEST_CATCH_UP = timedelta(hours=24)
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
    """A binding with the steps that are to be judged now: (from_, until]."""

    binding: Binding
    progress: Progress
    from_: datetime
    until: datetime

    @property
    def reads_from(self) -> datetime:
        return self.from_ - timedelta(seconds=self.binding.rule.lookback_s)


@dataclass(frozen=True, slots=True)
class _Judged:
    due: _Due
    run: Evaluation
    frame: Frame
    waste: Mapping[int, Waste | None] = field(default_factory=dict)


async def run_rules(db: Database, now: datetime, channels: tuple[str, ...] = ("file", "log")) -> RunReport:
    """Judge all steps that have passed since the last run and change the alarms accordingly."""
    site = await load_site(db)
    if site is None:
        return RunReport(0, 0, 0)
    states = await read_rule_states(db)
    by_rule: dict[str, list[_Due]] = defaultdict(list)
    for binding in bind(rules(), site):
        due = _due(binding, states.get((binding.rule.rule_id, binding.equipment.equipment_id)), now)
        if due is not None:
            by_rule[binding.rule.rule_id].append(due)
    raised = returned = judged = 0
    for rule_id, waiting in by_rule.items():
        results = await _judge(db, waiting, ZoneInfo(site.time_zone))
        changed = [r for r in results if r.run.changes]
        for result in changed:
            report = await apply_changes(db, site, _finding(result), channels, now)
            raised, returned = raised + report.raised, returned + report.returned
        await _remember(db, [r for r in results if not r.run.changes])
        judged += len(results)
        if changed:
            log.info("alarms changed", extra={"action": "rule_changes", "rule": rule_id, "n": len(changed)})
    return RunReport(judged, raised, returned)


def _due(binding: Binding, state: RuleState | None, now: datetime) -> _Due | None:
    step = round(binding.timing.step_s * US)
    until = from_micros(to_micros(now - timedelta(seconds=SETTLE_S)) // step * step)
    fresh = until - timedelta(seconds=min(binding.timing.hold_s, 3_600.0)) - timedelta(microseconds=step)
    if state is None or state.evaluated_to < now - LONGEST_CATCH_UP:
        progress = Progress() if state is None else Progress.from_memory(state.memory)
        return _Due(binding, progress if progress.raised else Progress(), fresh, until)
    if state.evaluated_to >= until:
        return None
    return _Due(binding, Progress.from_memory(state.memory), state.evaluated_to, until)


async def _judge(db: Database, due: Sequence[_Due], zone: ZoneInfo) -> list[_Judged]:
    start, end = min(d.reads_from for d in due), max(d.until for d in due)
    points = {p.point_id: p.interval_s for d in due for p in d.binding.all_points}
    longest_s = max(points.values(), default=0.0)
    found = {}
    if points:
        reads_from = start - timedelta(seconds=2 * longest_s)
        found = await read_series(db, list(points), reads_from, end + timedelta(microseconds=1), Grain.RAW)
    samples = {point_id: _samples(series, points[point_id]) for point_id, series in found.items()}
    devices: dict[str, Samples] = {}
    if any(d.binding.devices for d in due):
        devices = device_samples(await device_changes(db, start))
    return await asyncio.to_thread(_judge_all, due, samples, devices, zone)


def _samples(series: Series, interval_s: float) -> Samples:
    return Samples(series.at_us, series.value, series.quality, interval_s)


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
    waste = {change.at: _waste(binding, frame, run, change) for change in run.changes}
    return _Judged(due, run, frame, waste)


def _waste(binding: Binding, frame: Frame, run: Evaluation, change: Change) -> Waste | None:
    onset, at = from_micros(change.onset), from_micros(change.at)
    return reckon_waste(binding, frame, run.verdict.condition, onset, at)


def _finding(judged: _Judged) -> Finding:
    return Finding(
        binding=judged.due.binding,
        changes=judged.run.changes,
        frame=judged.frame,
        figures=judged.run.verdict.figures,
        waste=judged.waste,
        state=_state(judged),
    )


def _state(judged: _Judged) -> RuleState:
    due, progress = judged.due, judged.run.progress
    return RuleState(
        rule_id=due.binding.rule.rule_id,
        equipment_id=due.binding.equipment.equipment_id,
        evaluated_to=due.until,
        condition=_CODES[progress.last],
        since=due.until if progress.onset is None else from_micros(progress.onset),
        memory=progress.as_memory(),
    )


async def _remember(db: Database, judged: Sequence[_Judged]) -> None:
    if judged:
        async with db.transaction() as conn:
            await write_rule_states(conn, [_state(j) for j in judged])
