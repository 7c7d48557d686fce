"""Runs a rule's own cases: input series in a compact notation against the states they must lead to."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.rules.engine import Progress, Timing, advance
from energy_center.rules.rule import Case, CatalogueEntry, Expect
from energy_center.rules.window import US, Floats, Frame, Signal, to_micros

_ZONE = ZoneInfo("Asia/Taipei")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A step at which a case's state is not the expected one."""

    case: str
    minute: float
    expected: Expect
    found: Expect


def read_series(text: str) -> Floats:
    """Values per step from `"0x10 5..8x3 ?x2 7"`: held, rising in a line, unknown, once."""
    parts: list[Floats] = []
    for word in text.split():
        value, _, times = word.partition("x")
        steps = int(times or 1)
        first, dots, last = value.partition("..")
        if value == "?":
            parts.append(np.full(steps, np.nan))
        elif dots:
            parts.append(np.linspace(float(first), float(last), steps))
        else:
            parts.append(np.full(steps, float(value)))
    return np.concatenate(parts)


def case_frame(case: Case) -> Frame:
    """The case's frame; `pumps[0]`, `pumps[1]` are the series of one input that gathers many."""
    gathered: dict[str, list[Signal]] = {}
    for name, text in case.series.items():
        gathered.setdefault(name.partition("[")[0], []).append(Signal(read_series(text)))
    lengths = {len(s.values) for signals in gathered.values() for s in signals}
    if len(lengths) != 1:
        raise ValueError(f"{case.name}: series of different lengths {sorted(lengths)}")
    start = to_micros(datetime.fromisoformat(case.starts))
    times = start + np.arange(lengths.pop(), dtype=np.int64) * round(case.step_s * US)
    return Frame(times, case.step_s, {name: tuple(s) for name, s in gathered.items()}, _ZONE)


def case_states(entry: CatalogueEntry, case: Case) -> list[Expect]:
    """The state after each step."""
    frame, rule = case_frame(case), entry.rule
    parameters = {**{p.name: p.default for p in rule.parameters if p.default is not None}, **case.parameters}
    timing = Timing(parameters.pop("hold", rule.hold_s), parameters.pop("keep", rule.keep_s), case.step_s)
    verdict = entry.detect(frame, parameters)
    codes = verdict.condition.codes()
    still = codes if verdict.still is None else verdict.still.codes()
    states, progress = [], Progress()
    for i in range(len(frame)):
        step = slice(i, i + 1)
        progress, _ = advance(progress, frame.times[step], codes[step], still[step], timing)
        states.append(_state(progress))
    return states


def mismatches(entry: CatalogueEntry) -> list[Mismatch]:
    """Where the rule's cases do not come out as they say."""
    wrong: list[Mismatch] = []
    for case in entry.rule.cases:
        states = case_states(entry, case)
        for minute, expected in case.expect:
            found = states[round(minute * 60 / case.step_s)]
            if found is not expected:
                wrong.append(Mismatch(case.name, minute, expected, found))
    return wrong


def _state(progress: Progress) -> Expect:
    if progress.raised:
        return Expect.ACTIVE
    return Expect.PENDING if progress.onset is not None else Expect.NORMAL
