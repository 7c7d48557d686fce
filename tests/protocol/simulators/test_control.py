"""The control socket of a running simulation: what it does, and how it answers mistakes."""

from datetime import UTC, datetime, timedelta

import pytest


async def test_a_set_point_is_what_the_world_tells_until_it_is_freed(simulation) -> None:
    ask = simulation.ask
    key = {"equipment": "ltb-fl02-meter", "point": "active_power"}
    assert (await ask(do="set", **key, value=12.5))["ok"]
    pinned = (await ask(do="values"))["values"]["ltb-fl02-meter/active_power"]
    assert (await ask(do="set", **key, value=None))["ok"]
    freed = (await ask(do="values"))["values"]["ltb-fl02-meter/active_power"]
    assert (pinned, freed) == (12.5, 27.25)


async def test_a_fault_is_started_listed_and_cleared_in_the_world(simulation) -> None:
    leak = {"name": "tank_leak", "equipment": "ym-rain-tank"}
    assert (await simulation.ask(do="fault", **leak))["fault"] == leak
    assert (await simulation.ask(do="faults"))["faults"] == [leak]
    assert (await simulation.ask(do="clear", **leak))["ok"]
    assert (await simulation.ask(do="faults"))["faults"] == []


async def test_values_hold_every_point_that_a_device_tells(simulation) -> None:
    values = (await simulation.ask(do="values"))["values"]
    assert len(values) == len(simulation.world.values()) >= 1000


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"do": "dance"}, "dance"),
        ({"do": "fault", "name": "unknown"}, "no fault named"),
        ({"do": "fault"}, "name"),
        ({"do": "set", "equipment": "nowhere", "point": "active_power", "value": 1}, "nowhere"),
        ({"do": "set", "equipment": "ltb-main", "point": "active_power", "value": "much"}, "much"),
        ({"do": "mute", "equipment": "nowhere", "on": True}, "nowhere"),
    ],
)
async def test_a_mistake_is_answered_with_what_is_wrong(simulation, request_: dict, said: str) -> None:
    answer = await simulation.ask(**request_)
    assert answer["ok"] is False
    assert said in answer["error"]


async def test_the_world_is_stepped_to_now(simulation) -> None:
    assert datetime.now(UTC) - simulation.world.stepped_to < timedelta(seconds=3)
