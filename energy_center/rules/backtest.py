"""A rule over history: the same detection and the same holds as live, in chunks with their lookback."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.rules.bind import Binding
from energy_center.rules.engine import ChangeKind, Evaluation, Progress, evaluate
from energy_center.rules.frames import DeviceSamples, PointSamples, build_frame
from energy_center.rules.rule import Waste
from energy_center.rules.window import Frame, Mask, Micros, from_micros, grid

CHUNK_STEPS = 20_000


@dataclass(frozen=True, slots=True)
class Finding:
    """An alarm as an operator would have seen it; `returned_at` is None while it still stands."""

    rule_id: str
    equipment_id: str
    onset_at: datetime
    raised_at: datetime
    returned_at: datetime | None
    waste: Waste | None = None


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a rule found at one equipment, and the share of the judged steps in which it could not tell.

    `true_at`: the steps at which the condition was true, raised or not; µs since 1970, UTC.
    """

    binding: Binding
    findings: tuple[Finding, ...]
    unknown_share: float
    judged_steps: int
    true_at: Micros


def replay(
    binding: Binding,
    points: PointSamples,
    devices: DeviceSamples,
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
) -> Backtest:
    """Run the rule over (start, end]; samples should begin a lookback earlier."""
    open_: Finding | None = None
    done: list[Finding] = []
    true_at: list[Micros] = []
    unknown = judged = 0
    for frame, first, run in _runs(binding, points, devices, start, end, zone):
        unknown, judged = unknown + run.unknown_steps, judged + run.judged_steps
        true_at.append(frame.times[first:][run.verdict.condition.true[first:]])
        for change in run.changes:
            at = from_micros(change.at)
            if change.kind is ChangeKind.RAISED:
                open_ = Finding(
                    binding.rule.rule_id, binding.equipment.equipment_id, from_micros(change.onset), at, None
                )
            elif change.kind is ChangeKind.RETURNED and open_ is not None:
                done.append(_ended(open_, at, binding, frame, run.verdict.condition))
                open_ = None
    if open_ is not None:
        done.append(open_)
    return Backtest(
        binding=binding,
        findings=tuple(done),
        unknown_share=unknown / judged if judged else 0.0,
        judged_steps=judged,
        true_at=np.concatenate(true_at) if true_at else np.empty(0, np.int64),
    )


def _runs(
    binding: Binding,
    points: PointSamples,
    devices: DeviceSamples,
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
) -> Iterator[tuple[Frame, int, Evaluation]]:
    timing, progress, at = binding.timing, Progress(), start
    chunk = timedelta(seconds=CHUNK_STEPS * timing.step_s)
    while at < end:
        until = min(at + chunk, end)
        times = grid(at - timedelta(seconds=binding.rule.lookback_s), until, timing.step_s)
        first = len(times) - len(grid(at, until, timing.step_s))
        frame = build_frame(binding, points, devices, times, zone)
        run = evaluate(binding.entry, frame, first, binding.parameters, timing, progress)
        progress, at = run.progress, until
        yield frame, first, run


def _ended(finding: Finding, at: datetime, binding: Binding, frame: Frame, condition: Mask) -> Finding:
    waste = reckon_waste(binding, frame, condition, finding.onset_at, at)
    return Finding(finding.rule_id, finding.equipment_id, finding.onset_at, finding.raised_at, at, waste)


def reckon_waste(
    binding: Binding, frame: Frame, condition: Mask, onset: datetime, until: datetime
) -> Waste | None:
    """What the fault wasted between its onset and `until`, as far as the frame reaches back.

    A step stands for the time since the one before it, so the first true one, at the onset, adds nothing.
    """
    if binding.entry.saving is None:
        return None
    times = grid(onset, until, frame.step_s)
    if len(times) == 0 or len(frame) == 0:
        return None
    inside = (frame.times >= times[0]) & (frame.times <= times[-1])
    standing = Mask(condition.true & inside, condition.false, condition.off)
    return binding.entry.saving(frame, standing, binding.parameters)
