"""Hold, keep and gaps; and that a live run in pieces finds what a backtest finds at once."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.rules.cases import case_frame, read_series
from energy_center.rules.engine import Change, ChangeKind, Progress, Timing, advance, evaluate
from energy_center.rules.find_rules import rules
from energy_center.rules.rule import CatalogueEntry
from energy_center.rules.window import US, Condition, Frame, Signal

CODES = {"f": Condition.FALSE, "t": Condition.TRUE, "?": Condition.UNKNOWN, "-": Condition.NOT_APPLICABLE}
MINUTE = 60.0


def _run(text: str, hold_min: float, keep_min: float, still: str | None = None) -> list[tuple[str, int, int]]:
    codes = np.array([CODES[c] for c in text], dtype=np.int8)
    softer = codes if still is None else np.array([CODES[c] for c in still], dtype=np.int8)
    times = np.arange(len(text), dtype=np.int64) * round(MINUTE * US)
    timing = Timing(hold_min * 60, keep_min * 60, MINUTE)
    _, changes = advance(Progress(), times, codes, softer, timing)
    return [(c.kind.value, c.at // round(MINUTE * US), c.onset // round(MINUTE * US)) for c in changes]


@pytest.mark.parametrize(
    ("codes", "hold", "keep", "expected"),
    [
        ("ffttttf", 3, 5, [("raised", 5, 2)]),
        ("ffttt", 3, 5, []),
        ("t", 0, 0, [("raised", 0, 0)]),
        ("tttftttt", 3, 5, [("raised", 7, 4)]),  # a false sample starts the hold again
        ("ttt??ttt", 4, 5, [("raised", 7, 0)]),  # two of four minutes are bridged
        ("ttt???ttttt", 4, 5, [("raised", 10, 6)]),  # three are too many
        ("t?ttttt", 4, 5, [("raised", 6, 2)]),  # more bridged than known true
        ("tttt-tttt", 3, 9, [("raised", 3, 0)]),
        ("tt-tttt", 3, 9, [("raised", 6, 3)]),  # not applicable starts a short hold again
        ("ttttfffftf", 3, 3, [("raised", 3, 0), ("returned", 7, 0)]),
        ("ttttffftffff", 3, 3, [("raised", 3, 0), ("returned", 11, 0)]),  # back within keep: the same alarm
        ("ttttff??ff", 3, 3, [("raised", 3, 0)]),  # a gap pauses keep
        ("ttttff??ffff", 3, 3, [("raised", 3, 0), ("returned", 10, 0)]),
        ("tttt----f-f", 3, 2, [("raised", 3, 0)]),
    ],
)
def test_hold_keep_and_gaps(
    codes: str, hold: float, keep: float, expected: list[tuple[str, int, int]]
) -> None:
    assert _run(codes, hold, keep) == expected


def test_a_long_hold_pauses_where_it_does_not_apply() -> None:
    day = "t" * 181 + "-" * 600 + "t" * 200
    assert _run(day, 300, 60) == [("raised", 181 + 600 + 120, 0)]


def test_hysteresis_keeps_an_alarm_up() -> None:
    assert _run("tttffff", 2, 2, still="ttttfff") == [("raised", 2, 0), ("returned", 6, 0)]


def test_an_alarm_without_data_for_a_day_is_unverified_and_stays() -> None:
    assert _run("ttt" + "?" * 2000, 2, 2) == [("raised", 2, 0), ("unverified", 2 + 1440, 0)]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from("fftt??-"), min_size=1, max_size=120),
    st.lists(st.integers(1, 30), min_size=1, max_size=20),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_any_split_into_runs_gives_the_same_changes(
    letters: list[str], pieces: list[int], hold: int, keep: int
) -> None:
    codes = np.array([CODES[c] for c in letters], dtype=np.int8)
    times = np.arange(len(codes), dtype=np.int64) * round(MINUTE * US)
    timing = Timing(hold * 60.0, keep * 60.0, MINUTE)
    at_once = advance(Progress(), times, codes, codes, timing)
    progress, changes, first = Progress(), [], 0
    for piece in pieces * len(codes):
        cut = slice(first, first + piece)
        remembered = Progress.from_memory(progress.as_memory())
        progress, found = advance(remembered, times[cut], codes[cut], codes[cut], timing)
        changes += found
        first += piece
        if first >= len(codes):
            break
    assert (progress, tuple(changes)) == at_once


def _random_frame(
    entry: CatalogueEntry, rng: np.random.Generator, steps: int
) -> tuple[Frame, dict[str, float]]:
    """Noise around the levels of the rule's own cases, with gaps, so that limits are crossed both ways."""
    case = entry.rule.cases[0]
    pool: dict[str, list[float]] = {}
    for name, text in ((n, t) for c in entry.rule.cases for n, t in c.series.items()):
        pool.setdefault(name.partition("[")[0], []).extend(read_series(text))
    series = {
        name: tuple(_shuffled(Signal(np.unique(pool[name])), rng, steps) for _ in signals)
        for name, signals in case_frame(case).series.items()
    }
    start = datetime(2026, 6, 30, 16, tzinfo=UTC)
    times = round(start.timestamp()) * US + np.arange(steps, dtype=np.int64) * round(case.step_s * US)
    parameters = {p.name: p.default for p in entry.rule.parameters if p.default is not None}
    return Frame(times, case.step_s, series, ZoneInfo("Asia/Taipei")), {**parameters, **case.parameters}


def _shuffled(signal: Signal, rng: np.random.Generator, steps: int) -> Signal:
    lengths = rng.integers(1, 40, size=steps)
    picks = rng.choice(signal.values, size=steps)
    values = np.repeat(picks, lengths)[:steps].copy()
    gaps = np.repeat(rng.random(steps) < 0.1, rng.integers(1, 12, size=steps))[:steps]
    values[gaps] = np.nan
    return Signal(values)


@pytest.mark.parametrize("rule_id", list(rules()))
@pytest.mark.parametrize("seed", [1, 2])
def test_live_over_trailing_windows_equals_the_backtest(rule_id: str, seed: int) -> None:
    entry, rng = rules()[rule_id], np.random.default_rng(seed)
    lookback = int(np.ceil(entry.rule.lookback_s / entry.rule.cases[0].step_s))
    frame, parameters = _random_frame(entry, rng, lookback + 600)
    # short holds, so that random series raise and clear
    timing = Timing(4 * frame.step_s, 6 * frame.step_s, frame.step_s)
    start = lookback
    at_once = evaluate(entry, frame, start, parameters, timing, Progress())
    progress, changes, first = Progress(), list[Change](), start
    while first < len(frame):
        until = min(first + int(rng.integers(1, 60)), len(frame))
        begin = max(0, first - lookback)
        window = _window(frame, begin, until)
        run = evaluate(entry, window, first - begin, parameters, timing, progress)
        progress, first = run.progress, until
        changes += run.changes
    assert tuple(changes) == at_once.changes
    assert progress == at_once.progress


def _window(frame: Frame, begin: int, until: int) -> Frame:
    series = {n: tuple(Signal(s.values[begin:until]) for s in all_) for n, all_ in frame.series.items()}
    return Frame(frame.times[begin:until], frame.step_s, series, frame.zone)


def test_the_random_series_do_raise_alarms() -> None:
    entry = rules()["sump-high-pump-off"]
    frame, parameters = _random_frame(entry, np.random.default_rng(1), 600)
    run = evaluate(entry, frame, 0, parameters, Timing(40, 60, 10), Progress())
    kinds = {c.kind for c in run.changes}
    assert kinds >= {ChangeKind.RAISED, ChangeKind.RETURNED}
    assert timedelta(0) <= timedelta(microseconds=run.changes[0].at - run.changes[0].onset)


def test_long_stretches_that_do_not_apply_are_jumped_over_without_a_trace() -> None:
    codes = np.array([1] * 3 + [3] * 50 + [1] * 2 + [3] * 40 + [0] * 3, dtype=np.int8)
    times, timing = np.arange(len(codes), dtype=np.int64) * 60_000_000, Timing(120.0, 120.0, 60.0)
    at_once, changes = advance(Progress(), times, codes, codes, timing)
    progress, singly = Progress(), []
    for i in range(len(codes)):
        step = slice(i, i + 1)
        progress, found = advance(progress, times[step], codes[step], codes[step], timing)
        singly += found
    assert at_once == progress
    assert list(changes) == singly
    assert [c.kind for c in singly] == [ChangeKind.RAISED, ChangeKind.RETURNED]
