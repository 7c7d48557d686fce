"""Alarms against injected faults."""

from datetime import UTC, datetime, timedelta

import pytest

from energy_center.cli.detection_plan import KINDS, draw
from energy_center.rules.backtest import Finding
from energy_center.rules.find_rules import rules
from energy_center.rules.score import TrueFault, score

START = datetime(2026, 6, 1, tzinfo=UTC)
FINDS = {"leak": ("tank_leak",), "level": ("tank_leak", "pump_failed"), "blind": ("drift",)}


def hour(n: float) -> datetime:
    return START + timedelta(hours=n)


def finding(rule_id: str, onset: float, place: str = "tank") -> Finding:
    return Finding(rule_id, place, hour(onset), hour(onset + 1), None)


def same_place(one: str, other: str) -> bool:
    return one == other


def test_a_fault_found_by_two_rules_counts_once() -> None:
    faults = [TrueFault("tank_leak", "tank", hour(10), hour(20))]
    result = score(
        [finding("leak", 11), finding("level", 15)],
        faults,
        FINDS,
        same_place,
        timedelta(hours=2),
        {},
        same_place,
    )
    assert (result.overall.faults, result.overall.found, result.overall.false_alarms) == (1, 1, 0)
    assert result.overall.median_delay_s == 2 * 3600


@pytest.mark.parametrize(
    ("alarm", "false"),
    [
        (finding("leak", 11), 0),
        (finding("leak", 21.5), 0),  # after-effect
        (finding("leak", 23), 1),  # too late
        (finding("leak", 8), 1),  # raised before it began
        (finding("leak", 11, "other"), 1),  # elsewhere
        (finding("blind", 11), 1),  # not what that rule looks for
    ],
)
def test_what_explains_an_alarm(alarm: Finding, false: int) -> None:
    faults = [TrueFault("tank_leak", "tank", hour(10), hour(20))]
    result = score([alarm], faults, FINDS, same_place, timedelta(hours=2), {}, same_place)
    assert result.overall.false_alarms == false
    assert result.overall.precision == 1 - false


def test_a_fault_next_door_may_excuse_an_alarm_but_is_not_found_by_it() -> None:
    faults = [TrueFault("drift", "pump", hour(10), hour(20))]
    result = score(
        [finding("level", 11)],
        faults,
        FINDS,
        same_place,
        timedelta(0),
        {"level": ("drift",)},
        lambda *_: True,
    )
    assert (result.overall.false_alarms, result.overall.found) == (0, 0)


def test_a_fault_that_nobody_finds_lowers_recall() -> None:
    faults = [TrueFault(name, "tank", hour(10), hour(20)) for name in ("tank_leak", "drift", "unheard of")]
    result = score([finding("leak", 11)], faults, FINDS, same_place, timedelta(0), {}, same_place)
    assert result.overall.recall == 0.5
    assert [fault.name for fault in result.missed] == ["drift"]


def test_the_plan_is_the_same_for_a_seed_and_leaves_places_time_to_recover() -> None:
    names = frozenset(KINDS)
    plan = draw(7, START, hour(24 * 60), 3, names)
    assert plan == draw(7, START, hour(24 * 60), 3, names)
    assert plan != draw(8, START, hour(24 * 60), 3, names)
    for one in plan:
        assert START <= one.start < one.end <= hour(24 * 60)
        others = [o for o in plan if o.name == one.name and o.place == one.place and o is not one]
        assert all(o.start >= one.end + timedelta(hours=24) or o.end <= one.start for o in others)


def test_every_injected_kind_is_sought_by_a_rule() -> None:
    assert set(KINDS) <= {name for entry in rules().values() for name in entry.rule.fault}
