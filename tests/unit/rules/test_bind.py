"""Which rules apply where, with which points, parameters and timing."""

from collections.abc import Mapping

import pytest

from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text
from energy_center.rules.bind import Binding, bind
from energy_center.rules.check_overrides import override_mistakes
from energy_center.rules.engine import Timing
from energy_center.rules.find_rules import rules

WORDS = Text("市政大樓", "City hall")


def thing(name: str, *roles: Role, **facts: object) -> Equipment:
    points = tuple(Point(name, role.value, role, 60.0, PointId(hash((name, role)) % 10**6)) for role in roles)
    known: dict[str, object] = {"brick_class": "Thing", "space_id": "ltb", "connection_id": "io"}
    known |= {"device_id": name} | facts
    return Equipment(equipment_id=name, name=WORDS, points=points, **known)  # type: ignore[arg-type]


THINGS = (
    thing("main", Role.ENERGY_IMPORT, Role.ACTIVE_POWER, meters="ltb"),
    thing("air", Role.ENERGY_IMPORT, Role.ACTIVE_POWER, meters="ltb", fed_by="main"),
    thing("sump", Role.SUMP_LEVEL, Role.HIGH_FLOAT, attributes={"high_level_m": 1.2}, device_id="sump"),
    thing("sump-p1", Role.PUMP_STATUS, fed_by="sump", device_id="sump"),
    thing("sump-p2", Role.PUMP_STATUS, fed_by="sump", device_id="sump"),
    thing("lonely-sump", Role.SUMP_LEVEL, connection_id="other"),
    thing("tank", Role.TANK_LEVEL, Role.TANK_OUTLET_VOLUME, space_id="ym", attributes={"capacity_m3": 120}),
    thing("weather", Role.RAIN_RATE, space_id="ltb"),
)


def site(rule_parameters: Mapping[str, Mapping[str, float]] | None = None) -> Site:
    spaces = (
        Space("city", None, SpaceKind.SITE, WORDS),
        Space("ltb", "city", SpaceKind.BUILDING, WORDS, {"contract_kw": 1500}),
        Space("ym", "city", SpaceKind.BUILDING, WORDS),
    )
    return Site("city", WORDS, "Asia/Taipei", spaces, THINGS, rule_parameters or {})


def bound(rule_id: str, **overrides: Mapping[str, float]) -> dict[str, Binding]:
    renamed = {key.replace("__", "@").replace("_", "-"): numbers for key, numbers in overrides.items()}
    found = bind({rule_id: rules()[rule_id]}, site(renamed))
    return {b.equipment.equipment_id: b for b in found}


def test_a_contract_is_judged_at_the_meter_that_nothing_feeds() -> None:
    found = bound("demand-forecast-over-contract")
    assert list(found) == ["main"]
    assert found["main"].parameters["contract_kw"] == 1500


def test_parts_are_what_the_equipment_feeds() -> None:
    found = bound("sump-high-pump-off")
    assert list(found) == ["sump"]  # the other pit has no pump to be read
    assert [p.equipment_id for p in found["sump"].points["pumps"]] == ["sump-p1", "sump-p2"]
    assert found["sump"].parameters["high_level_m"] == 1.2


def test_weather_of_the_site_serves_a_building_without_its_own() -> None:
    assert [p.equipment_id for p in bound("rain-tank-leak")["tank"].points["rain"]] == ["weather"]


def test_device_rules_stand_at_devices_and_gateways_at_the_first() -> None:
    assert set(bound("dq-offline")) == {"main", "air", "sump", "lonely-sump", "tank", "weather"}
    gateways = bound("dq-gateway-offline")
    assert list(gateways) == ["main"]
    assert gateways["main"].devices["devices"] == ("main", "air", "sump", "tank", "weather")


def test_overrides_of_an_equipment_go_before_those_of_the_site() -> None:
    found = bound(
        "sump-high-pump-off",
        sump_high_pump_off={"hold": 30.0, "keep": 600.0},
        sump_high_pump_off__sump={"hold": 7.0},
    )
    assert found["sump"].timing == Timing(hold_s=7.0, keep_s=600.0, step_s=7.0)


@pytest.mark.parametrize(
    ("given", "timing"),
    [
        ({}, Timing(120.0, 300.0, 10.0)),
        ({"hold": 0.0}, Timing(0.0, 300.0, 5.0)),
        ({"hold": 600.0}, Timing(600.0, 300.0, 10.0)),
        ({"hold": 0.0, "step": 2.0}, Timing(0.0, 300.0, 2.0)),
    ],
)
def test_a_short_hold_shortens_the_step(given: dict[str, float], timing: Timing) -> None:
    assert bound("sump-high-pump-off", sump_high_pump_off=given)["sump"].timing == timing


def test_overrides_that_name_nothing_are_found() -> None:
    rule_id = "sump-high-pump-off"
    wrong = {
        "no-rule": {"hold": 1.0},
        f"{rule_id}@nowhere": {"hold": 1.0},
        rule_id: {"level": 1.0, "hold": -1.0},
    }
    mistakes = override_mistakes(site(wrong))
    assert len(mistakes) == 4
    for words in ("no rule 'no-rule'", "no equipment 'nowhere'", "no parameter 'level'", "not be negative"):
        assert any(words in mistake for mistake in mistakes)
    assert override_mistakes(site({rule_id: {"hold": 1.0, "high_level_m": 2.0}})) == []
