import datetime as dt
import io
import json
from itertools import pairwise

import numpy as np
import pytest

from simulators.history import history, main, write_month
from simulators.world import World, month_spans, origin_for

TAIPEI = dt.timezone(dt.timedelta(hours=8))
ORIGIN = dt.datetime(2026, 8, 3, tzinfo=TAIPEI)
START = dt.datetime(2026, 8, 4, 10, 7, 21, tzinfo=TAIPEI)


def _world(model, start=START, faults=()):
    return World(model, seed=1, start=start, faults=faults, origin=ORIGIN.timestamp())


@pytest.fixture
def world(model):
    return _world(model)


def _array(world):
    return np.array(list(world.values().values()))


def test_live_start_equals_history(model):
    at = dt.datetime(2026, 8, 4, 10, 15, tzinfo=TAIPEI)
    live = _world(model, at).values()
    (month,) = history(model, 1, at, at + dt.timedelta(seconds=900), 900, origin=ORIGIN.timestamp())
    past = dict(zip(month.keys, month.readings[:, 0], strict=True))
    assert live.keys() == past.keys()
    for key, reading in past.items():
        assert live[key] == pytest.approx(reading, rel=1e-9, abs=1e-7), key


def test_live_between_the_knots_equals_history(model, world):
    (month,) = history(model, 1, START, START + dt.timedelta(seconds=3), 1, origin=ORIGIN.timestamp())
    for column in range(3):
        world.step(START + dt.timedelta(seconds=column))
        live = world.values()
        for key, reading in zip(month.keys, month.readings[:, column], strict=True):
            assert live[key] == pytest.approx(reading, rel=1e-9, abs=1e-6), key


def test_readings_do_not_depend_on_when_the_world_was_started(model, world):
    later = START + dt.timedelta(hours=5, seconds=17)
    world.step(later)
    assert _array(world) == pytest.approx(_array(_world(model, later)), rel=1e-9, abs=1e-6)


def test_next_day_goes_on_without_a_step(world):
    midnight = dt.datetime(2026, 8, 6, tzinfo=TAIPEI)
    world.step(midnight - dt.timedelta(milliseconds=1))
    before = world.values()
    world.step(midnight)
    for key, reading in world.values().items():
        if key[1].endswith(
            ("_volume", "energy_import", "run_hours", "tank_level", "sump_level", "fuel_level")
        ):
            assert reading == pytest.approx(before[key], rel=1e-7, abs=1e-3), key


def test_register_is_the_integral_of_the_power(world):
    first = world.value("ltb-main", "energy_import")
    world.step(START)
    power = []
    for second in range(601):
        world.step(START + dt.timedelta(seconds=second))
        power.append(world.value("ltb-main", "active_power"))
    used = np.trapezoid(power) / 3600.0
    assert world.value("ltb-main", "energy_import") - first == pytest.approx(used, rel=1e-3)


def test_values_move_every_second_but_little(world):
    before = world.values()
    world.step(START + dt.timedelta(seconds=1))
    for key in (
        ("ltb-main", "active_power"),
        ("ltb-main", "voltage_l1n"),
        ("weather", "outdoor_air_temperature"),
    ):
        change = abs(world.value(*key) - before[key])
        assert 0.0 < change < 0.05 * abs(before[key]), key


def test_fault_now_leaves_registers_and_levels_without_a_step(world):
    before = world.values()
    world.start_fault("demand_surge")
    for key, reading in world.values().items():
        if key[1].endswith(("_volume", "energy_import", "run_hours", "tank_level", "sump_level", "_count")):
            assert reading == pytest.approx(before[key], rel=1e-9, abs=1e-6), key
    assert world.value("ltb-main", "active_power") == pytest.approx(1.15 * 1500.0, rel=0.05)
    world.stop_fault("demand_surge")
    assert world.value("ltb-main", "active_power") == pytest.approx(
        before[("ltb-main", "active_power")], rel=0.01
    )
    (fault,) = world.faults()
    assert (fault.start, fault.end) == (START.timestamp(), START.timestamp())


def test_failed_sump_pumps_raise_the_pit_within_minutes(world):
    world.start_fault("sump_pump_failed", "ltb-sump-b3")
    world.step(START + dt.timedelta(minutes=5))
    assert world.value("ltb-sump-b3", "sump_level") > 1.5
    assert world.value("ltb-sump-b3", "high_float") == 1.0
    assert world.value("ltb-sump-b3-p1", "pump_status") == world.value("ltb-sump-b3-p2", "pump_status") == 0.0


def test_generator_that_fails_cranks_and_gives_up(world):
    world.start_fault("generator_fails_to_start")
    world.step(START + dt.timedelta(seconds=5))
    assert world.value("ltb-gen", "engine_state") == 1.0
    assert world.value("ltb-gen", "battery_voltage") < 20.0
    assert world.value("ltb-gen", "voltage_l1n") == 0.0
    world.step(START + dt.timedelta(seconds=90))
    assert world.value("ltb-gen", "engine_state") == 0.0


def test_frozen_gateway_and_silent_meter(world):
    world.start_fault("frozen_gateway", "ltb-hv-room")
    world.start_fault("meter_offline", "ltb-fl07-meter")
    held = world.value("ltb-main", "active_power")
    moving = world.value("ltb-fl06-meter", "active_power")
    world.step(START + dt.timedelta(seconds=40))
    assert world.value("ltb-main", "active_power") == held
    assert world.value("ltb-fl06-meter", "active_power") != moving
    assert world.is_silent("ltb-fl07-meter")
    assert not world.is_silent("ltb-fl06-meter")


def test_fault_until_a_time_ends_by_itself(world):
    world.start_fault("meter_offline", "ltb-fl07-meter", until=START + dt.timedelta(seconds=30))
    world.step(START + dt.timedelta(seconds=31))
    assert not world.is_silent("ltb-fl07-meter")


def test_override_pins_and_releases(world):
    real = world.value("ltb-sump-b1", "sump_level")
    world.override("ltb-sump-b1", "sump_level", 2.0)
    world.step(START + dt.timedelta(seconds=1))
    assert world.value("ltb-sump-b1", "sump_level") == 2.0
    assert world.values()[("ltb-sump-b1", "sump_level")] == 2.0
    world.override("ltb-sump-b1", "sump_level", None)
    assert world.value("ltb-sump-b1", "sump_level") == pytest.approx(real, abs=0.01)
    with pytest.raises(KeyError):
        world.override("ltb-sump-b1", "no_such_signal", 1.0)


def test_months_come_newest_first(model):
    start, end = dt.datetime(2026, 7, 30, tzinfo=TAIPEI), dt.datetime(2026, 8, 2, tzinfo=TAIPEI)
    months = list(
        history(model, 1, start, end, 3600, [("ltb-main", "energy_import")], origin=start.timestamp())
    )
    assert [m.start.astimezone(TAIPEI).month for m in months] == [8, 7]
    assert [m.readings.shape for m in months] == [(1, 24), (1, 48)]
    assert months[0].readings[0, 0] > months[1].readings[0, -1]


def test_stream_block_can_be_read_back(model):
    end = ORIGIN + dt.timedelta(hours=1)
    keys = [("weather", "outdoor_air_temperature"), ("ltb-main", "active_power")]
    (month,) = history(model, 1, ORIGIN, end, 300, keys, origin=ORIGIN.timestamp())
    stream = io.BytesIO()
    write_month(month, stream)
    header, _, body = stream.getvalue().partition(b"\n")
    facts = json.loads(header)
    assert facts["keys"] == [list(key) for key in keys]
    assert (facts["step_s"], facts["n"], facts["bytes"]) == (300, 12, len(body))
    assert dt.datetime.fromisoformat(facts["from"]) == ORIGIN
    assert np.array_equal(np.frombuffer(body, dtype="<f8").reshape(2, 12), month.readings)


def test_origin_keeps_a_whole_year_and_thirteen_months():
    assert origin_for(START) == dt.datetime(2025, 1, 1, tzinfo=TAIPEI).timestamp()
    assert (
        origin_for(dt.datetime(2026, 1, 20, tzinfo=TAIPEI))
        == dt.datetime(2024, 1, 1, tzinfo=TAIPEI).timestamp()
    )


def test_month_spans_join():
    spans = list(month_spans(dt.datetime(2025, 12, 1, tzinfo=TAIPEI).timestamp(), START.timestamp()))
    assert len(spans) == 9
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    assert spans[-1][1] == START.timestamp()


def test_wrong_fault_on_the_command_line_exits_2(capsys):
    import simulators

    site = f"{simulators.__path__[0]}/sites/taichung.yaml"
    when = ["--from", "2026-08-03T00:00:00+08:00", "--to", "2026-08-04T00:00:00+08:00"]
    assert main(["--site", site, "--seed", "1", *when, "--fault", "tank_leak"]) == 2
    assert "FROM" in capsys.readouterr().err


def test_world_follows_a_commanded_schedule_and_set_point_until_they_are_given_back(model):
    night = dt.datetime(2026, 8, 4, 23, 30, tzinfo=TAIPEI)
    world = _world(model, night)
    assert world.value("ltb-ahu-03", "fan_status") == 0.0
    world.command("ltb-ahu-03", "schedule", 1.0)
    world.command("ltb-ahu-03", "supply_air_temperature_setpoint", 15.5)
    world.step(night + dt.timedelta(minutes=30))
    assert world.value("ltb-ahu-03", "fan_status") == world.value("ltb-ahu-03", "schedule") == 1.0
    assert world.value("ltb-ahu-03", "supply_air_temperature") == pytest.approx(15.5, abs=1.0)
    assert world.value("ltb-ahu-04", "fan_status") == 0.0
    world.command("ltb-ahu-03", "schedule", None)
    world.step(night + dt.timedelta(minutes=31))
    assert world.value("ltb-ahu-03", "fan_status") == 0.0
