"""How long a rule could not tell, and for want of what."""

from zoneinfo import ZoneInfo

import numpy as np

from energy_center.rules.blindness import DAY_US, Blindness, must_be_told, over_days, remember
from energy_center.rules.find_rules import rules
from energy_center.rules.window import US, Frame, Mask, Signal

RULE = rules()["ahu-supply-too-warm"].rule
DAY = 20_000  # days since 1970
ZONE = ZoneInfo("Asia/Taipei")


def _frame(day: int, supply_missing: int, valve_missing: int) -> tuple[Frame, Mask]:
    """A day of hours; the fault is unknown while one of the inputs is missing, else false."""
    times = day * DAY_US + np.arange(24, dtype=np.int64) * 3_600 * US
    hour = np.arange(24)
    supply = Signal(np.where(hour < supply_missing, np.nan, 14.0))
    valve = Signal(np.where(hour < valve_missing, np.nan, 50.0))
    fine = Signal(np.ones(24))
    series = {"supply": (supply,), "valve": (valve,), "setpoint": (fine,), "fan": (fine,)}
    known = supply.known & valve.known
    return Frame(times, 3_600.0, series, ZONE), Mask.of(np.zeros(24, dtype=bool), known)


def test_the_share_is_of_the_judged_time_and_names_what_was_missing_most() -> None:
    memory: dict[str, object] = {}
    for day in range(7):
        frame, condition = _frame(DAY + day, supply_missing=6, valve_missing=2)
        memory = {"blind": remember(memory, RULE, frame, condition, (DAY + day) * DAY_US - 1)}
    blind = over_days(memory, (DAY + 6) * DAY_US)
    assert (blind.judged_s, blind.unknown_s, blind.unknown_share) == (7 * 86_400, 7 * 6 * 3_600, 0.25)
    assert blind.most_missing == "supply"
    assert blind.is_blind


def test_a_share_of_just_a_fifth_is_not_blind() -> None:
    assert not Blindness(100_000.0, 20_000.0).is_blind
    assert Blindness(100_000.0, 20_001.0).is_blind
    assert not Blindness(86_400.0, 86_400.0).is_blind, "it applied for no more than a day"


def test_steps_judged_again_count_once_and_old_days_go() -> None:
    frame, condition = _frame(DAY, 24, 0)
    memory: dict[str, object] = {"blind": remember({}, RULE, frame, condition, DAY * DAY_US - 1)}
    memory = {"blind": remember(memory, RULE, frame, condition, int(frame.times[-1]))}
    assert over_days(memory, DAY * DAY_US).judged_s == 86_400
    assert over_days(memory, (DAY + 7) * DAY_US).judged_s == 0
    assert over_days({}, DAY * DAY_US).unknown_share is None


def test_an_optional_input_is_never_to_blame() -> None:
    frame, condition = _frame(DAY, 0, 3)
    memory: dict[str, object] = {"blind": remember({}, RULE, frame, condition, 0)}
    assert over_days(memory, DAY * DAY_US).most_missing == "valve"


def test_a_rule_that_still_learns_is_told_of_only_when_its_input_is_missing() -> None:
    learns, reads = rules()["baseline-changepoint"].rule, RULE
    learning = Blindness(200_000.0, 200_000.0, {"energy": 40_000.0})
    assert not must_be_told(learns, learning)
    assert must_be_told(reads, learning)
    assert must_be_told(learns, Blindness(200_000.0, 200_000.0, {"energy": 40_001.0}))
    assert not must_be_told(learns, Blindness(200_000.0, 0.0, {"energy": 40_001.0}))
