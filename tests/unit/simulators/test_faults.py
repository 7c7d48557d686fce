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
}
# Equipment that no fault of air, water or meters may touch
BYSTANDERS = ("weather", "ym-lift-1", "ltb-ups", "ym-gen", "ltb-gas", "ltb-groundwater")
ELSEWHERE = {"ltb": "ym-main", "ym": "ltb-chiller-1"}
BREAK_SLACK = 0.002  # a fault's start cuts a quarter-hour in two, which moves curved readings by this share


@pytest.fixture(scope="module")
def spoilt(run_past, make_fault):
    return {name: run_past([make_fault(name)]) for name in FAULTS}


def test_every_fault_has_a_signature():
    assert set(SIGNATURES) | {"meter_offline"} == set(FAULTS)


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
    others = (*BYSTANDERS, ELSEWHERE[building])
    for row, key in enumerate(healthy.keys):
        if key[0] in others:
            span = max(np.ptp(healthy.readings[row]), 1.0)
            worst = np.abs(spoilt[name].readings[row] - healthy.readings[row]).max()
            assert worst <= BREAK_SLACK * span, key


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
