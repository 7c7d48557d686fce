"""Suppression by design on the demo site: who hides whom, for how long, and who is never hidden."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from energy_center.config.load_site import load_site
from energy_center.domain.alarms import Priority
from energy_center.domain.site import Equipment, Site, Space, SpaceKind, Text
from energy_center.rules.backtest import Finding
from energy_center.rules.bind import Binding, bind
from energy_center.rules.dependencies import Dependencies, Stood, depend, suppress
from energy_center.rules.engine import Timing
from energy_center.rules.find_rules import rules
from energy_center.rules.rule import CatalogueEntry, Path
from energy_center.settings import PROJECT_ROOT

START = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def known() -> Dependencies:
    site = load_site(PROJECT_ROOT / "energy_center" / "config" / "demo" / "taichung.yaml").site
    return depend(bind(rules(), site), site)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def paths(known: Dependencies, rule_id: str, equipment_id: str) -> set[tuple[str, str, Path]]:
    return {(*p.key, p.path) for p in known.parents.get((rule_id, equipment_id), ())}


def test_a_device_lies_behind_its_gateway_and_equipment_behind_its_device(known: Dependencies) -> None:
    of_device = paths(known, "dq-offline", "ltb-fl03-meter")
    assert ("dq-gateway-offline", "ltb-fl01-meter", Path.DATA) in of_device
    assert not any(rule == "dq-offline" for rule, _, _ in of_device)
    of_meter = paths(known, "phase-imbalance", "ltb-fl03-meter")
    assert ("dq-offline", "ltb-fl03-meter", Path.DATA) in of_meter
    assert ("dq-gateway-frozen", "ltb-fl01-meter", Path.DATA) in of_meter


def test_cold_comes_from_the_plant_by_way_of_the_air_handler(known: Dependencies) -> None:
    unit = paths(known, "ahu-supply-too-warm", "ltb-ahu-03")
    assert ("chiller-supply-too-warm", "ltb-chiller-2", Path.THERMAL) in unit
    assert not any(equipment.startswith("ym-") for _, equipment, _ in unit)
    zone = paths(known, "zone-not-cooled", "ym-fcu-03-1")
    assert ("chiller-supply-too-warm", "ym-chiller-1", Path.THERMAL) in zone
    assert not any(rule == "ahu-supply-too-warm" for rule, _, _ in zone)


def test_a_plant_alarm_does_not_excuse_schedules_leaks_or_sensors(known: Dependencies) -> None:
    for rule_id in ("ahu-off-schedule", "ahu-valve-passes", "dq-stuck"):
        assert all(path is not Path.THERMAL for _, _, path in paths(known, rule_id, "ltb-ahu-03"))


def test_safety_is_excused_by_the_data_path_alone(known: Dependencies) -> None:
    for rule_id, equipment_id in (("sump-high-pump-off", "ltb-sump-b2"), ("equipment-fault", "ltb-lift-1")):
        found = paths(known, rule_id, equipment_id)
        assert {path for _, _, path in found} == {Path.DATA}


def test_a_stuck_sensor_goes_before_the_process_that_reads_it(known: Dependencies) -> None:
    found = paths(known, "zone-not-cooled", "ltb-fcu-10-2")
    assert ("dq-stuck", "ltb-fcu-10-2", Path.SENSOR) in found


def test_a_silent_gateway_is_as_urgent_as_the_sump_that_it_hides(known: Dependencies) -> None:
    assert known.inherited[("dq-gateway-offline", "ltb-sump-b1")] is Priority.CRITICAL
    assert ("dq-gateway-offline", "ltb-fl01-meter") not in known.inherited


def test_parents_are_judged_before_their_children(known: Dependencies) -> None:
    for key, parents in known.parents.items():
        assert all(known.depth.get(p.key, 0) < known.depth[key] for p in parents), key


CHILD = ("ahu-supply-too-warm", "ltb-ahu-03")
PARENT = ("chiller-supply-too-warm", "ltb-chiller-1")


@pytest.mark.parametrize(
    ("raised", "parent", "expected"),
    [
        (10, (5, None), (True, None)),  # hidden while the parent stands
        (10, (10, None), (True, None)),  # raised with it
        (10, (11, None), (False, None)),  # stood before its parent: stays
        (10, (5, 20), (True, 50)),  # released half an hour after the plant is well again
        (49, (5, 20), (True, 50)),  # raised while the unit still settles
        (50, (5, 20), (False, None)),  # after that it is its own trouble
    ],
)
def test_hidden_until_the_parent_is_normal_and_the_delay_over(
    known: Dependencies,
    raised: float,
    parent: tuple[float, float | None],
    expected: tuple[bool, float | None],
) -> None:
    begins, ends = parent
    stood = {PARENT: [Stood(PARENT, at(begins), None if ends is None else at(ends))]}
    hidden = known.hidden(CHILD, at(raised), None, stood)
    is_hidden, released = expected
    assert (hidden is not None) == is_hidden
    if hidden is not None:
        assert hidden.released_at == (None if released is None else at(released))


def test_a_second_parent_takes_over_at_the_release(known: Dependencies) -> None:
    second = ("chiller-supply-too-warm", "ltb-chiller-2")
    stood = {PARENT: [Stood(PARENT, at(0), at(20))], second: [Stood(second, at(15), at(100))]}
    hidden = known.hidden(CHILD, at(10), None, stood)
    assert hidden is not None
    assert (hidden.by.key, hidden.released_at) == (PARENT, at(130))


def test_a_backtest_names_the_parent_of_what_an_operator_would_not_have_seen(known: Dependencies) -> None:
    findings = [
        Finding(*PARENT, at(-30), at(0), at(60)),
        Finding(*CHILD, at(1), at(46), at(70)),
        Finding("ahu-supply-too-warm", "ym-ahu-01", at(1), at(46), at(70)),
    ]
    parent, child, elsewhere = (hidden for _, hidden in suppress(findings, known))
    assert (parent, elsewhere) == (None, None)
    assert child is not None
    assert (child.by.name, child.released_at) == ("chiller-supply-too-warm@ltb-chiller-1", None)


def test_what_a_dead_feeder_feeds_waits_an_hour_after_the_mains_are_back() -> None:
    words = Text("甲", "A")
    spaces = (Space("city", None, SpaceKind.SITE, words), Space("hall", "city", SpaceKind.BUILDING, words))
    main = Equipment("main", "Electrical_Meter", words, "hall")
    feeder = Equipment("feeder", "Electrical_Meter", words, "hall", fed_by="main")
    fan = Equipment("fan", "Exhaust_Fan", words, "hall", fed_by="feeder")
    site = Site("city", words, "Asia/Taipei", spaces, (main, feeder, fan))
    entry = rules()["fan-command-not-followed"]
    outage = CatalogueEntry(
        replace(entry.rule, rule_id="outage", hides=frozenset({Path.POWER})), entry.detect
    )

    def bound(which: CatalogueEntry, equipment: Equipment) -> Binding:
        return Binding(which, equipment, "hall", {}, {}, {}, Timing(60, 60, 60))

    known = depend([bound(outage, main), bound(entry, fan)], site)
    (parent,) = known.parents[("fan-command-not-followed", "fan")]
    assert (parent.key, parent.path, parent.delay) == (("outage", "main"), Path.POWER, timedelta(hours=1))
