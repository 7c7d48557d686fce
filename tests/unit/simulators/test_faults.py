import dataclasses
import datetime as dt
import json

import numpy as np
import pytest

from simulators.faults import FAULTS, Fault, parse_fault, resolve, write_truth
from simulators.history import history

TAIPEI = dt.timezone(dt.timedelta(hours=8))

# Per fault: a signal that must show it, by at least this much, at some time while it lasts
SIGNATURES = {
    "stuck_damper": ("ltb-ahu-03", "mixed_air_temperature", 2.0),
    "passing_chilled_water_valve": ("ltb-ahu-04", "chilled_water_valve", -40.0),
    "reheat_against_cooling": ("ltb-ahu-02", "reheat_valve", 40.0),
    "low_delta_t": ("ltb-plant", "chilled_water_return_temperature", -1.5),
    "fouled_condenser": ("ltb-chiller-1", "condensing_temperature", 1.5),
    "after_hours_cooling": ("ltb-ahu-03", "fan_status", 1.0),
    "sensor_drift": ("ltb-fcu-10-3", "zone_temperature", 2.5),
    "sensor_stuck": ("ltb-fcu-12-2", "zone_temperature", -1.0),
    "sensor_spikes": ("ltb-fcu-12-3", "zone_temperature", 19.0),
    "sensor_broken": ("ltb-vav-04-2", "zone_temperature", -20.0),
    "unit_mismatch": ("ltb-fl02-meter", "active_power", -5.0),
    "mixed_air_sensor_wrong": ("ltb-ahu-01", "mixed_air_temperature", 7.0),
    "vav_starved": ("ltb-vav-06-2", "damper_position", 20.0),
    "sequencing_wrong": ("ltb-chiller-3", "load_ratio", -10.0),
    "inflow_high": ("ltb-sump-b1-p1", "run_hours", 2.0),
    "counter_reset": ("ltb-fl05-meter", "energy_import", -1000.0),
    "pump_short_cycling": ("ltb-sump-b2-p1", "start_count", 100.0),
    "sump_pump_failed": ("ltb-sump-b3", "high_float", 1.0),
    "tank_leak": ("ym-rain-tank", "tank_level", -10.0),
    "toilet_leak_at_night": ("ltb-water", "water_flow", 0.24),
    "generator_fails_to_start": ("ltb-gen", "engine_speed", -1800.0),
    "low_power_factor": ("ltb-tr1-meter", "power_factor", -0.1),
    "phase_imbalance": ("ltb-fl06-meter", "current_l1", 10.0),
    "frozen_gateway": ("ltb-fl01-meter", "energy_import", -100.0),
    "demand_surge": ("ltb-main", "active_power", 500.0),
    "fan_belt_broken": ("ltb-ahu-05", "fan_status", -1.0),
    "filter_clogged": ("ltb-ahu-06", "filter_pressure_drop", 60.0),
    "coil_fouled": ("ltb-ahu-07", "supply_air_temperature", 2.0),
    "loop_hunting": ("ltb-ahu-08", "chilled_water_valve", -5.0),
    "exhaust_failed": ("ltb-exhaust-1", "co_concentration", 20.0),
    "setpoint_too_low": ("ltb-fcu-10-2", "zone_temperature", -2.0),
    "fcu_valve_stuck": ("ltb-fcu-10-4", "zone_temperature", 1.0),
    "ventilation_failed": ("ltb-iaq-05", "zone_co2", 200.0),
    "capacity_lost": ("ltb-chiller-1", "chilled_water_supply_temperature", 2.0),
    "chiller_short_cycling": ("ltb-chiller-2", "start_count", 20.0),
    "refrigerant_low": ("ltb-chiller-1", "active_power", 20.0),
    "tower_fouled": ("ltb-tower-1", "condenser_water_supply_temperature", 3.0),
    "pump_runs_on": ("ltb-chw-p2", "pump_status", 1.0),
    "water_leak": ("ltb-leak-1", "leak_status", 1.0),
    "ground_water_rise": ("ltb-groundwater", "groundwater_level", 4.0),
    "drain_blocked": ("ltb-drain-1", "drainage_level", 0.8),
    "pump_no_effect": ("ltb-sump-b1", "sump_level", 0.2),
    "water_burst": ("ltb-water", "water_flow", 5.9),
    "mains_valve_stuck": ("ym-rain-tank", "tank_level", 10.0),
    "fire_main_leak": ("ltb-fire-pump", "fire_main_pressure", -200.0),
    "fire_panel_trouble": ("ltb-fire-panel", "panel_trouble", 1.0),
    "fire_alarm": ("ltb-fire-panel", "fire_alarm", 1.0),
    "system_down": ("ltb-cctv", "system_status", -1.0),
    "ups_on_battery": ("ltb-ups", "on_battery", 1.0),
    "ups_battery_aged": ("ltb-ups", "runtime_remaining", -20.0),
    "battery_weak": ("ltb-gen", "battery_voltage", -3.0),
    "fuel_low": ("ltb-gen", "fuel_level", -60.0),
    "test_skipped": ("ltb-gen", "engine_speed", -1800.0),
    "transformer_overheated": ("ltb-tr1", "winding_temperature", 60.0),
    "soiling": ("ltb-pv-1", "active_power", 5.0),
    "inverter_tripped": ("ltb-pv-2", "active_power", 10.0),
    "ct_ratio_wrong": ("ltb-tr2-meter", "active_power", -30.0),
    "lights_after_hours": ("ltb-fl04-meter", "active_power", 5.0),
    "base_load_creep": ("ltb-fl05-meter", "active_power", 1.5),
    "equipment_trip": ("ltb-lift-2", "fault", 1.0),
}
# Equipment that no fault of air, water or meters may touch
BYSTANDERS = ("weather", "ym-lift-1", "ltb-ups", "ym-gen", "ltb-gas", "ltb-groundwater")
ELSEWHERE = {"ltb": "ym-main", "ym": "ltb-chiller-1"}
BREAK_SLACK = 0.002  # a fault's start cuts a quarter-hour in two, which moves curved readings by this share


@pytest.fixture(scope="module")
def spoilt(run_past, make_fault):
    return {name: run_past([make_fault(name)]) for name in FAULTS}


def test_every_fault_has_a_signature():
    assert set(SIGNATURES) | {"meter_offline", "irrigation_fixed", "economiser_disabled"} == set(FAULTS)


@pytest.mark.parametrize("name", SIGNATURES)
def test_fault_shows_in_its_signature(name, spoilt, healthy):
    equipment, signal, least = SIGNATURES[name]
    change = spoilt[name].of(equipment, signal) - healthy.of(equipment, signal)
    assert (change * np.sign(least)).max() >= abs(least)


@pytest.mark.parametrize("name", FAULTS)
def test_fault_changes_nothing_before_it_begins(name, spoilt, healthy):
    before = healthy.time < healthy.time[0] + 36 * 3600
    assert np.array_equal(spoilt[name].readings[:, before], healthy.readings[:, before])


@pytest.mark.parametrize("name", FAULTS)
def test_fault_leaves_others_alone(name, spoilt, healthy, make_fault):
    building = make_fault(name).equipment_id.split("-")[0]
    own = make_fault(name).equipment_id
    others = {*BYSTANDERS, ELSEWHERE[building]} - {own}
    for row, key in enumerate(healthy.keys):
        if key[0] in others:
            span = max(np.ptp(healthy.readings[row]), 1.0)
            worst = np.abs(spoilt[name].readings[row] - healthy.readings[row]).max()
            assert worst <= BREAK_SLACK * span, key


def test_fixed_irrigation_waters_after_a_night_of_rain(run_past, make_fault):
    wet = 6  # a seed with 14 mm of rain in the day before the watering of the third day
    morning = slice(54 * 4, 55 * 4)
    watered = [
        np.ptp(run_past(faults, seed=wet).of("ym-rain-tank", "irrigation_volume")[morning])
        for faults in ([], [make_fault("irrigation_fixed")])
    ]
    assert watered[0] == 0.0
    assert watered[1] > 0.1


def test_offline_meter_gives_no_readings_while_it_lasts(spoilt, healthy):
    past = spoilt["meter_offline"]
    lasting = (past.time >= past.time[0] + 36 * 3600) & (past.time < past.time[0] + 60 * 3600)
    assert np.array_equal(np.isnan(past.of("ltb-fl07-meter", "active_power")), lasting)
    assert np.isfinite(past.of("ltb-fl06-meter", "active_power")).all()


def test_reset_register_counts_on_from_zero_for_good(spoilt, healthy):
    past = spoilt["counter_reset"]
    at = 36 * 4
    register = past.of("ltb-fl05-meter", "energy_import")
    assert register[at] == pytest.approx(0.0, abs=1e-6)
    assert register[-1] - register[at] == pytest.approx(
        np.ptp(healthy.of("ltb-fl05-meter", "energy_import")[at:])
    )


def test_surge_goes_over_the_contract_and_still_balances(spoilt):
    past = spoilt["demand_surge"]
    main = past.of("ltb-main", "active_power")[37 * 4 : 59 * 4]
    assert main.min() > 1500.0
    assert past.of("ltb-tr1", "load_ratio").max() <= 100.0


def test_failed_pumps_let_the_pit_rise_with_nothing_running(spoilt):
    past = spoilt["sump_pump_failed"]
    soon = 36 * 4 + 1
    assert past.of("ltb-sump-b3", "sump_level")[soon] > 1.32  # start level and a tenth of the depth
    assert past.of("ltb-sump-b3-p1", "pump_status")[soon : 59 * 4].max() == 0.0
    assert past.of("ltb-sump-b3-p1", "fault")[soon] == 1.0


def test_tank_leak_is_missing_from_the_balance(spoilt):
    past = spoilt["tank_leak"]
    lost = 0.0
    for signal, sign in (
        ("tank_inlet_volume", 1), ("mains_volume", 1), ("tank_outlet_volume", -1), ("irrigation_volume", -1),
    ):  # fmt: skip
        lost += sign * np.ptp(past.of("ym-rain-tank", signal))
    stored = (past.of("ym-rain-tank", "tank_level")[-1] - past.of("ym-rain-tank", "tank_level")[0]) * 1.2
    assert lost - stored == pytest.approx(0.6 * 24.0, abs=0.05)


@pytest.mark.parametrize(
    ("name", "equipment"),
    [
        ("no_such_fault", None),
        ("tank_leak", "ltb-gen"),
        ("sensor_stuck", "nobody"),
        ("frozen_gateway", "nowhere"),
    ],
)
def test_impossible_fault_is_refused(model, name, equipment):
    with pytest.raises(ValueError, match=equipment or name):
        resolve(model, name, equipment)


def test_fault_text_and_truth_agree(model, tmp_path):
    text = "tank_leak@ym-rain-tank:2026-08-03T00:00:00+08:00..2026-08-04T00:00:00+08:00"
    write_truth(tmp_path / "truth.json", [parse_fault(model, text)])
    (entry,) = json.loads((tmp_path / "truth.json").read_text())
    assert entry["from"] == "2026-08-02T16:00:00+00:00"
    assert entry["to"] == "2026-08-03T16:00:00+00:00"
    assert (entry["name"], entry["equipment"]) == ("tank_leak", "ym-rain-tank")


def test_fault_text_without_window_is_refused(model):
    with pytest.raises(ValueError, match="FROM"):
        parse_fault(model, "tank_leak@ym-rain-tank")


def test_reading_faults_last_over_the_turn_of_the_month(model):
    start = dt.datetime(2026, 7, 31, tzinfo=TAIPEI)
    noon, end = start.timestamp() + 43_200, start + dt.timedelta(days=2)
    stuck = Fault("sensor_stuck", "ltb-fcu-12-2", noon, noon + 86_400)
    reset = Fault("counter_reset", "ltb-fl05-meter", noon, noon + 3600)
    keys = [("ltb-fcu-12-2", "zone_temperature"), ("ltb-fl05-meter", "energy_import")]
    august, july = history(model, 1, start, end, 900, keys, faults=[stuck, reset], origin=start.timestamp())
    temperature, register = np.concatenate([july.readings, august.readings], axis=1)
    assert np.ptp(temperature[48:144]) == 0.0
    assert np.ptp(temperature[144:]) > 0.0
    assert register[48] == pytest.approx(0.0, abs=1e-6)
    assert (np.diff(register[48:]) > 0).all()
    assert register[-1] < 2000.0


def test_a_sensor_may_drift_twice_in_a_month(model):
    start, end = (dt.datetime(2026, 7, day, tzinfo=TAIPEI) for day in (1, 9))
    twice = [
        Fault(
            "sensor_drift", "ltb-fcu-10-3", (start + dt.timedelta(days=first)).timestamp(), last.timestamp()
        )
        for first, last in ((0, start + dt.timedelta(days=3)), (5, end))
    ]
    keys = [("ltb-fcu-10-3", "zone_temperature")]
    runs = [
        next(history(model, 1, start, end, 900, keys, faults=faults, origin=start.timestamp())).readings[0]
        for faults in ([], twice)
    ]
    apart = runs[1] - runs[0]
    assert apart[2 * 96] == pytest.approx(3.0, abs=0.01)
    assert apart[4 * 96] == pytest.approx(0.0, abs=0.01)
    assert apart[7 * 96] == pytest.approx(3.0, abs=0.01)


def test_fault_of_half_the_size_has_half_the_effect(run_past, make_fault, healthy):
    whole = make_fault("water_burst")
    half = dataclasses.replace(whole, size=0.5)
    change = run_past([half]).of("ltb-water", "water_flow") - healthy.of("ltb-water", "water_flow")
    assert change.max() == pytest.approx(3.0, abs=0.01)


def test_economiser_that_is_disabled_keeps_the_damper_at_its_minimum(model):
    mild = dt.datetime(2026, 1, 12, tzinfo=TAIPEI)
    end, keys = mild + dt.timedelta(days=5), [("ltb-ahu-04", "outdoor_air_damper")]
    openings = []
    for faults in ([], [Fault("economiser_disabled", "ltb-ahu-04", mild.timestamp())]):
        (month,) = history(model, 1, mild, end, 900, keys, faults=faults, origin=mild.timestamp())
        openings.append(month.readings.max())
    assert openings == [75.0, 20.0]


def test_fault_text_may_name_a_size(model):
    window = "2026-08-03T00:00:00+08:00..2026-08-04T00:00:00+08:00"
    assert parse_fault(model, f"tank_leak*0.4@ym-rain-tank:{window}").size == 0.4
    for wrong in ("0", "-1", "much", "9"):
        with pytest.raises(ValueError, match="size"):
            parse_fault(model, f"tank_leak*{wrong}@ym-rain-tank:{window}")
