"""How long a rule could not tell, day by day, and which input was missing then."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from energy_center.rules.rule import Rule
from energy_center.rules.window import US, Bools, Condition, Frame, Mask

DAYS_KEPT = 8
DAY_US = 86_400 * US
# Blind: more than this share unknown within 7 days in which the rule applied for over a day.
MOST_UNKNOWN = 0.2
LEAST_JUDGED_S = 86_400.0
OVER_DAYS = 7

Memory = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Blindness:
    """Seconds in which a rule applied and in which it could not tell; `missing_s` by input."""

    judged_s: float = 0.0
    unknown_s: float = 0.0
    missing_s: Mapping[str, float] = field(default_factory=dict)

    @property
    def unknown_share(self) -> float | None:
        """Unknown time over true, false and unknown time; None where it never applied."""
        return self.unknown_s / self.judged_s if self.judged_s else None

    @property
    def most_missing(self) -> str | None:
        """The input that was missing for the longest time while the rule could not tell."""
        return max(sorted(self.missing_s), key=lambda n: self.missing_s[n]) if self.missing_s else None

    @property
    def is_blind(self) -> bool:
        """Whether people should be told."""
        return self.judged_s > LEAST_JUDGED_S and (self.unknown_share or 0.0) > MOST_UNKNOWN


def must_be_told(rule: Rule, tally: Blindness) -> bool:
    """Whether a blind rule lacks something that people can bring back.

    One that learns from weeks cannot tell while it learns, nor of a meter without a habit: it is told of only
    where an input itself was missing that long.
    """
    if not rule.reads_quarters:
        return tally.is_blind
    missing_s = max(tally.missing_s.values(), default=0.0)
    return tally.is_blind and missing_s > MOST_UNKNOWN * tally.judged_s


def remember(memory: Memory, rule: Rule, frame: Frame, condition: Mask, after_us: int) -> dict[str, object]:
    """The tallies kept so far with the frame's steps after an instant added, per UTC day; old days go."""
    days = {day: _read(tally) for day, tally in _days(memory).items()}
    codes = condition.codes()
    new = frame.times > after_us
    for day in np.unique(frame.times[new] // DAY_US):
        steps = new & (frame.times // DAY_US == day)
        name = str(int(day))
        days[name] = _added(days.get(name, Blindness()), _tally(rule, frame, codes, steps))
    newest = sorted(days, key=int)[-DAYS_KEPT:]
    return {day: [days[day].judged_s, days[day].unknown_s, dict(days[day].missing_s)] for day in newest}


def over_days(memory: Memory, now_us: int, days: int = OVER_DAYS) -> Blindness:
    """The sum over the last days, today included."""
    total, first = Blindness(), now_us // DAY_US - days + 1
    for day, tally in _days(memory).items():
        if int(day) >= first:
            total = _added(total, _read(tally))
    return total


def _days(memory: Memory) -> Mapping[str, object]:
    kept = memory.get("blind")
    return kept if isinstance(kept, dict) else {}


def _read(tally: object) -> Blindness:
    match tally:
        case [int() | float() as judged, int() | float() as unknown, dict() as missing]:
            return Blindness(float(judged), float(unknown), {str(n): float(s) for n, s in missing.items()})
        case _:
            return Blindness()


def _tally(rule: Rule, frame: Frame, codes: NDArray[np.int8], steps: Bools) -> Blindness:
    unknown = steps & (codes == Condition.UNKNOWN)
    judged = steps & (codes != Condition.NOT_APPLICABLE)
    missing: dict[str, float] = {}
    if unknown.any():
        for wanted in rule.inputs:
            signals = () if wanted.optional else frame.all(wanted.name)
            gone = max((int(np.count_nonzero(unknown & ~s.known)) for s in signals), default=0)
            if gone:
                missing[wanted.name] = gone * frame.step_s
    return Blindness(
        int(np.count_nonzero(judged)) * frame.step_s, int(np.count_nonzero(unknown)) * frame.step_s, missing
    )


def _added(a: Blindness, b: Blindness) -> Blindness:
    missing = Counter(dict(a.missing_s))
    missing.update(dict(b.missing_s))
    return Blindness(a.judged_s + b.judged_s, a.unknown_s + b.unknown_s, dict(missing))
