"""Alarms against injected faults."""

from datetime import UTC, datetime, timedelta

import pytest

from energy_center.cli.detection_kinds import KINDS
from energy_center.cli.detection_plan import draw
from energy_center.rules.backtest import Finding
from energy_center.rules.find_rules import rules
from energy_center.rules.score import TrueFault, score, wilson

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
    names, span = frozenset(KINDS), (START, hour(24 * 90))
    plan = draw(7, span, (3, 1), names).injections
    assert plan == draw(7, span, (3, 1), names).injections
    assert plan != draw(8, span, (3, 1), names).injections
    for one in plan:
        assert START <= one.start < one.end <= hour(24 * 90)
        others = [o for o in plan if o.name == one.name and o.place == one.place and o is not one]
        assert all(o.start >= one.end + timedelta(hours=24) or o.end <= one.start for o in others)
    assert {one.name for one in plan if one.below} == {name for name, kind in KINDS.items() if kind.size}


def test_times_at_which_nothing_works_are_refused_and_counted() -> None:
    span = (START, hour(24 * 90))
    late = draw(7, span, (3, 0), frozenset({"tank_leak"}), lambda _n, _p, start, _e: start >= hour(1500))
    assert all(one.start >= hour(1500) for one in late.injections)
    assert late.refused["tank_leak"] > 0


def test_a_fault_below_size_explains_its_alarm_and_counts_apart() -> None:
    faults = [TrueFault("tank_leak", "tank", hour(10), hour(20), below=True)]
    result = score([finding("leak", 11)], faults, FINDS, same_place, timedelta(0), {}, same_place)
    assert (result.overall.faults, result.overall.false_alarms) == (0, 0)
    assert (result.overall.small, result.overall.small_found) == (1, 1)


@pytest.mark.parametrize(
    ("found", "of", "low", "high"),
    # Agresti and Coull 1998, The American Statistician 52, p. 119: 0 of 10; Newcombe 1998: 81 of 263
    [(0, 10, 0.0, 0.278), (81, 263, 0.2553, 0.3662), (36, 36, 0.9036, 1.0)],
)
def test_wilson_interval(found: int, of: int, low: float, high: float) -> None:
    assert wilson(found, of) == pytest.approx((low, high), abs=5e-4)


def test_every_injected_kind_is_sought_by_a_rule() -> None:
    assert set(KINDS) <= {name for entry in rules().values() for name in entry.rule.fault}
