"""Comparing parameter sets of a rule: what each would have shown, scored where people said what is true."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ComparisonState(StrEnum):
    """Where a comparison stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether it can still be cancelled."""
        return self in {ComparisonState.WAITING, ComparisonState.RUNNING}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which an alarm stood at an equipment; `end` None: until the end of the period."""

    equipment_id: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Known:
    """An alarm of the past of which somebody said whether it was right."""

    stretch: Stretch
    was_right: bool


@dataclass(frozen=True, slots=True)
class Score:
    """Of the alarms with a verdict: right ones found and missed, wrong ones raised again and avoided."""

    found: int
    missed: int
    raised_wrongly: int
    avoided: int

    @property
    def precision(self) -> float | None:
        """Share of right ones among what it raises; None when nothing is known."""
        raised = self.found + self.raised_wrongly
        return self.found / raised if raised else None

    @property
    def recall(self) -> float | None:
        """Share of the right ones that it finds; None when none is known."""
        right = self.found + self.missed
        return self.found / right if right else None


def score(findings: Sequence[Stretch], known: Sequence[Known]) -> Score:
    """An alarm is raised again where a finding at the same equipment overlaps it."""
    counts = {(right, again): 0 for right in (True, False) for again in (True, False)}
    for item in known:
        again = any(_overlap(item.stretch, finding) for finding in findings)
        counts[item.was_right, again] += 1
    return Score(counts[True, True], counts[True, False], counts[False, True], counts[False, False])


def _overlap(a: Stretch, b: Stretch) -> bool:
    if a.equipment_id != b.equipment_id:
        return False
    return (a.end is None or b.start <= a.end) and (b.end is None or a.start <= b.end)
