"""From conditions per step to alarms: hold, keep and gaps, with a small state carried from run to run.

The same functions serve the live run, one step after the other, and a backtest over a year. Time counts
from sample to sample: an interval is known-true when both its ends are. An unknown stretch of at most
half the hold pauses it and a longer one starts it again; neither clears an alarm that is raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from energy_center.rules.rule import CatalogueEntry, Parameters, Verdict
from energy_center.rules.window import Condition, Frame, Micros

Codes = NDArray[np.int8]

# Not applicable starts a hold of up to this long again and pauses a longer one.
SHORT_HOLD_S = 4 * 3_600.0
# A raised alarm without data for this long is marked as unverified; it is never closed by a gap.
UNVERIFIED_AFTER_S = 24 * 3_600.0
_OFF = Condition.NOT_APPLICABLE


class ChangeKind(StrEnum):
    """What can happen to the alarm of one rule at one equipment."""

    RAISED = "raised"
    RETURNED = "returned"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Change:
    """A change at a step; `onset` is the first true sample. Both in µs since 1970, UTC."""

    kind: ChangeKind
    at: int
    onset: int


@dataclass(frozen=True, slots=True)
class Timing:
    """Hold, keep and step in seconds."""

    hold_s: float
    keep_s: float
    step_s: float


@dataclass(frozen=True, slots=True)
class Progress:
    """All that is remembered between steps: enough to go on as if there had been no pause.

    `gap_s` is the present unknown stretch, `bridged_s` those already bridged in this hold.
    """

    raised: bool = False
    onset: int | None = None
    held_s: float = 0.0
    gap_s: float = 0.0
    bridged_s: float = 0.0
    kept_s: float = 0.0
    last: Condition = Condition.NOT_APPLICABLE

    def as_memory(self) -> dict[str, float | int | bool | None]:
        """Plain numbers, for the database."""
        return {
            "raised": self.raised,
            "onset": self.onset,
            "held_s": self.held_s,
            "gap_s": self.gap_s,
            "bridged_s": self.bridged_s,
            "kept_s": self.kept_s,
            "last": int(self.last),
        }

    @classmethod
    def from_memory(cls, memory: Mapping[str, float | int | bool | None]) -> "Progress":
        """The reverse of `as_memory`."""
        onset = memory.get("onset")
        return cls(
            raised=bool(memory.get("raised")),
            onset=None if onset is None else int(onset),
            held_s=float(memory.get("held_s") or 0.0),
            gap_s=float(memory.get("gap_s") or 0.0),
            bridged_s=float(memory.get("bridged_s") or 0.0),
            kept_s=float(memory.get("kept_s") or 0.0),
            last=Condition(int(memory.get("last") or 0)),
        )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a run over some steps found; `verdict` is of the whole frame, lookback included."""

    progress: Progress
    changes: tuple[Change, ...]
    verdict: Verdict
    unknown_steps: int
    judged_steps: int


def evaluate(
    entry: CatalogueEntry,
    frame: Frame,
    first: int,
    parameters: Parameters,
    timing: Timing,
    progress: Progress,
) -> Evaluation:
    """Judge the steps from index `first` on; those before it are only looked back at."""
    verdict = entry.detect(frame, parameters)
    codes = verdict.condition.codes()[first:]
    still = codes if verdict.still is None else verdict.still.codes()[first:]
    progress, changes = advance(progress, frame.times[first:], codes, still, timing)
    judged = codes != Condition.NOT_APPLICABLE
    return Evaluation(
        progress=progress,
        changes=changes,
        verdict=verdict,
        unknown_steps=int(np.count_nonzero(codes == Condition.UNKNOWN)),
        judged_steps=int(np.count_nonzero(judged)),
    )


def advance(
    progress: Progress, times: Micros, codes: Codes, still: Codes, timing: Timing
) -> tuple[Progress, tuple[Change, ...]]:
    """Carry the state over steps of equal length, jumping over stretches in which nothing can happen."""
    changes: list[Change] = []
    is_true = np.flatnonzero(codes == Condition.TRUE)
    not_still = np.flatnonzero(still != Condition.TRUE)
    applies = (np.flatnonzero(codes != _OFF), np.flatnonzero(still != _OFF))
    index, count = 0, len(times)
    while index < count:
        quiet_until = _quiet_until(progress, index, count, is_true, not_still)
        if quiet_until > index:
            seen = still if progress.raised else codes
            progress = replace(progress, last=Condition(int(seen[quiet_until - 1])), gap_s=0.0, kept_s=0.0)
            index = quiet_until
            continue
        at = int(times[index])
        if progress.raised:
            progress, change = _while_raised(progress, at, Condition(int(still[index])), timing)
        else:
            progress, change = _while_normal(progress, at, Condition(int(codes[index])), timing)
        if change is not None:
            changes.append(change)
        index += 1
        if progress.last is _OFF and index < count:
            # more of the same leaves the same state
            index = _next(applies[progress.raised], index, count)
    return progress, tuple(changes)


def _next(ahead: NDArray[np.intp], index: int, count: int) -> int:
    place = int(np.searchsorted(ahead, index))
    return int(ahead[place]) if place < len(ahead) else count


def _quiet_until(
    progress: Progress, index: int, count: int, is_true: NDArray[np.intp], not_still: NDArray[np.intp]
) -> int:
    """The first step from `index` on at which the state may change; what lies before leaves no trace."""
    if not progress.raised and progress.onset is None:
        ahead = is_true
    elif progress.raised and progress.last is Condition.TRUE:
        ahead = not_still
    else:
        return index
    return _next(ahead, index, count)


def _while_normal(
    progress: Progress, at: int, code: Condition, timing: Timing
) -> tuple[Progress, Change | None]:
    match code:
        case Condition.TRUE:
            return _raise_when_held(_hold_on(progress, at, timing), at, timing)
        case Condition.FALSE:
            return Progress(last=code), None
        case Condition.UNKNOWN:
            gap_s = progress.gap_s + timing.step_s
            if progress.onset is None or gap_s > timing.hold_s / 2:
                return Progress(last=code), None
            return replace(progress, gap_s=gap_s, last=code), None
        case Condition.NOT_APPLICABLE:
            if timing.hold_s <= SHORT_HOLD_S:
                return Progress(last=code), None
            return replace(progress, last=code), None


def _hold_on(progress: Progress, at: int, timing: Timing) -> Progress:
    """One more true sample: the hold starts, goes on, or goes on after a bridged gap."""
    bridged_s = progress.bridged_s + progress.gap_s
    if progress.onset is None or bridged_s > progress.held_s:
        return Progress(onset=at, last=Condition.TRUE)
    added_s = timing.step_s if progress.last is Condition.TRUE else 0.0
    return replace(
        progress, held_s=progress.held_s + added_s, gap_s=0.0, bridged_s=bridged_s, last=Condition.TRUE
    )


def _raise_when_held(progress: Progress, at: int, timing: Timing) -> tuple[Progress, Change | None]:
    if progress.onset is None or progress.held_s < timing.hold_s:
        return progress, None
    raised = Progress(raised=True, onset=progress.onset, last=Condition.TRUE)
    return raised, Change(ChangeKind.RAISED, at, progress.onset)


def _while_raised(
    progress: Progress, at: int, code: Condition, timing: Timing
) -> tuple[Progress, Change | None]:
    onset = progress.onset if progress.onset is not None else at
    match code:
        case Condition.TRUE:
            return replace(progress, kept_s=0.0, gap_s=0.0, last=code), None
        case Condition.FALSE:
            added_s = timing.step_s if progress.last is Condition.FALSE else 0.0
            if progress.kept_s + added_s >= timing.keep_s:
                return Progress(last=code), Change(ChangeKind.RETURNED, at, onset)
            return replace(progress, kept_s=progress.kept_s + added_s, gap_s=0.0, last=code), None
        case Condition.UNKNOWN:
            gap_s = progress.gap_s + timing.step_s
            crossed = progress.gap_s < UNVERIFIED_AFTER_S <= gap_s
            change = Change(ChangeKind.UNVERIFIED, at, onset) if crossed else None
            return replace(progress, gap_s=gap_s, last=code), change
        case Condition.NOT_APPLICABLE:
            return replace(progress, last=code), None
