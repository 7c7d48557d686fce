import numpy as np
import pytest

from simulators.water import Pit, pump_down

# Every signal a kind of equipment has, as agreed with the device side
SIGNALS = {
    "meter": (
        "voltage_l1n voltage_l2n voltage_l3n current_l1 current_l2 current_l3 active_power "
        "reactive_power apparent_power power_factor frequency energy_import reactive_energy_import"
    ),
    "transformer": "winding_temperature load_ratio",
    "chiller": (
        "chiller_status load_ratio active_power chilled_water_supply_temperature "
        "chilled_water_return_temperature chilled_water_supply_temperature_setpoint "
        "chilled_water_flow condenser_water_entering_temperature "
        "condenser_water_leaving_temperature condensing_temperature evaporating_temperature "
        "run_hours start_count fault"
    ),
    "tower": "fan_status fan_speed condenser_water_supply_temperature active_power run_hours",
    "pump": "pump_status pump_speed active_power run_hours fault",
    "plant": (
        "chilled_water_supply_temperature chilled_water_return_temperature chilled_water_flow "
        "chilled_water_differential_pressure chilled_water_differential_pressure_setpoint"
    ),
    "oau": (
        "fan_status fan_command fan_speed schedule supply_air_temperature "
        "supply_air_temperature_setpoint chilled_water_valve reheat_valve filter_pressure_drop "
        "supply_air_flow"
    ),
    "ahu": (
        "fan_status fan_command fan_speed schedule supply_air_temperature "
        "supply_air_temperature_setpoint return_air_temperature return_air_humidity "
        "mixed_air_temperature chilled_water_valve reheat_valve outdoor_air_damper "
        "filter_pressure_drop duct_static_pressure duct_static_pressure_setpoint"
    ),
    "vav": (
        "zone_temperature zone_temperature_setpoint supply_air_flow supply_air_flow_setpoint damper_position"
    ),
    "fcu": ("zone_temperature zone_temperature_setpoint fan_status fan_speed chilled_water_valve schedule"),
    "vrf": "zone_temperature zone_temperature_setpoint cooling_status active_power fault schedule",
    "lift": "lift_status lift_floor trip_count fault",
    "pv": (
        "active_power energy_export dc_power dc_voltage frequency cabinet_temperature "
        "inverter_state voltage_l1n voltage_l2n voltage_l3n current_l1 current_l2 current_l3"
    ),
    "gen": (
        "engine_state engine_speed fuel_level battery_voltage coolant_temperature active_power "
        "frequency voltage_l1n voltage_l2n voltage_l3n current_l1 current_l2 current_l3 run_hours "
        "start_count"
    ),
    "ats": "ats_position",
    "ups": "battery_charge on_battery runtime_remaining active_power load_ratio battery_voltage",
    "water-meter": "water_volume water_flow",
    "gas-meter": "gas_volume",
    "sump": "sump_level high_float",
    "sump-pump": "pump_status run_hours start_count fault",
    "leak": "leak_status",
    "groundwater": "groundwater_level",
    "drain": "drainage_level",
    "rain-tank": (
        "tank_level tank_inlet_volume tank_outlet_volume irrigation_volume mains_volume mains_valve "
        "overflow_state pump_status"
    ),
    "weather": (
        "outdoor_air_temperature outdoor_air_humidity solar_irradiance rain_rate rain_depth "
        "wind_speed wind_gust air_pressure"
    ),
    "iaq": "zone_co2 zone_temperature zone_humidity",
    "fire-pump": "pump_status fire_main_pressure fault",
    "fire-panel": "fire_alarm panel_trouble",
    "supervised": "system_status fault",
    "exhaust": "fan_status fan_command fan_speed co_concentration active_power",
    "ev": "charger_state active_power energy_import",
    "controller": "",
}
COUNTERS = ("_volume", "energy_import", "energy_export", "run_hours", "_count", "rain_depth")


def test_every_equipment_has_the_signals_of_its_kind(model, healthy):
    have = set(healthy.keys)
    wanted = {(e.id, signal) for e in model.equipment.values() for signal in SIGNALS[e.kind].split()}
    assert wanted - have == set()
    assert have - wanted == {("ltb-main", "energy_export"), ("ym-main", "energy_export")}


def test_every_reading_is_a_number(healthy):
    assert np.isfinite(healthy.readings).all()


def test_counters_never_fall(healthy):
    rows = [k for k, key in enumerate(healthy.keys) if key[1].endswith(COUNTERS)]
    falls = [healthy.keys[k] for k in rows if (np.diff(healthy.readings[k]) < -1e-9).any()]
    assert falls == []


def _balance(model, past, building, signal, pv_signal):
    main = f"{building}-main"
    feeders = {f"{t.id}-meter" for t in model.of(building, "transformer")}
    subs = [e.id for e in model.of(building, "meter") if e.id != main and e.id not in feeders]
    total = sum(past.of(name, signal) for name in subs)
    made = sum(past.of(e.id, pv_signal) for e in model.of(building, "pv"))
    return past.of(main, signal), total, made


@pytest.mark.parametrize(("building", "no_load_kw", "load_loss_kw"), [("ltb", 3.4, 22.0), ("ym", 1.2, 7.5)])
def test_main_is_submeters_plus_losses_less_pv(model, healthy, building, no_load_kw, load_loss_kw):
    main, total, made = _balance(model, healthy, building, "active_power", "active_power")
    ratio = sum(
        (healthy.of(t.id, "load_ratio") / 100.0) ** 2 for t in model.of(building, "transformer")
    ) / len(model.of(building, "transformer"))
    residual = main - (total + made + no_load_kw + load_loss_kw * ratio)
    assert np.abs(residual / main).max() < 0.01


def test_main_register_is_the_submeters_registers_plus_losses(model, healthy):
    main = healthy.of("ltb-main", "energy_import")
    subs = [
        e.id for e in model.of("ltb", "meter") if e.id not in ("ltb-main", "ltb-tr1-meter", "ltb-tr2-meter")
    ]
    used = sum(np.ptp(healthy.of(name, "energy_import")) for name in subs)
    made = sum(np.ptp(healthy.of(e.id, "energy_export")) for e in model.of("ltb", "pv"))
    assert np.ptp(main) == pytest.approx(used - made, rel=0.02)
    assert np.ptp(main) > used - made


def test_current_follows_from_power_and_voltage(healthy):
    at = "ltb-fl03-meter"
    kva = sum(healthy.of(at, f"voltage_l{p}n") * healthy.of(at, f"current_l{p}") / 1000.0 for p in (1, 2, 3))
    assert kva == pytest.approx(healthy.of(at, "apparent_power"), rel=1e-6)


def test_working_day_has_its_shape(healthy):
    main = healthy.of("ltb-main", "active_power")
    day = main[96:192]  # Tuesday
    night, morning, noon, afternoon = day[12], day[42], day[51], day[60]
    assert 150.0 < night < 260.0
    assert noon < 0.92 * min(morning, afternoon)
    assert 900.0 < afternoon < 1500.0


def test_plant_and_fans_rest_outside_the_schedule(model, healthy):
    hour = ((healthy.time + 8 * 3600) % 86_400) / 3600
    closed = (hour < 7) | (hour >= 19)
    for e in model.kind("chiller", "ahu", "oau", "tower"):
        status = healthy.of(e.id, "chiller_status" if e.kind == "chiller" else "fan_status")
        assert not status[closed].any(), e.id
        if (e.id, "schedule") in healthy.keys:
            assert np.array_equal(healthy.of(e.id, "schedule"), status), e.id
    assert healthy.of("ltb-ahu-03", "fan_status")[(hour >= 7.5) & (hour < 18.5)].all()


def test_chilled_water_carries_the_load(model, healthy):
    flow = healthy.of("ltb-plant", "chilled_water_flow")
    delta = healthy.of("ltb-plant", "chilled_water_return_temperature") - healthy.of(
        "ltb-plant", "chilled_water_supply_temperature"
    )
    # 1.163 kWh/(m3 K) for water; machines of 1055 kW
    load = sum(healthy.of(f"ltb-chiller-{n}", "load_ratio") for n in (1, 2, 3)) / 100.0 * 1055.0
    running = flow > 0
    assert 1.163 * (flow * delta)[running] == pytest.approx(load[running], rel=0.03)


def test_tank_balance_closes(healthy):
    tank = "ym-rain-tank"
    change = np.diff(healthy.of(tank, "tank_level")) / 100.0 * 120.0
    moved = sum(
        sign * np.diff(healthy.of(tank, signal))
        for signal, sign in (
            ("tank_inlet_volume", 1),
            ("mains_volume", 1),
            ("tank_outlet_volume", -1),
            ("irrigation_volume", -1),
        )
    )
    dry_of_overflow = healthy.of(tank, "overflow_state")[:-1] == 0
    assert change[dry_of_overflow] == pytest.approx(moved[dry_of_overflow], abs=1e-6)


def test_pit_is_emptied_by_alternating_pumps():
    # 3 m2 and 0.8 m between start and stop: 1.2 m3/h bring the 2.4 m3 in 2 h, 24 - 1.2 m3/h take them away
    pit = Pit(3.0, 2.5, 1.2, 0.4, 1.5, 24.0)
    grid = np.arange(0.0, 8.5 * 3600.0, 900.0)
    still = np.zeros(len(grid) - 1)
    log, _ = pump_down(pit, grid, still + 1.2, (still, still, still + 1.0), (0.4, 0, 1))
    assert [p for p in log.switch if p] == [1.0, 2.0, 1.0]
    assert log.switch_time[1] == pytest.approx(2 * 3600.0)
    assert log.switch_time[2] - log.switch_time[1] == pytest.approx(2.4 / 22.8 * 3600.0)
    assert max(log.level) <= 1.2 + 1e-9


def test_generator_runs_in_its_weekly_test(model, run_past, healthy):
    wednesday_ten = 2 * 96 + 40
    assert healthy.of("ltb-gen", "engine_state")[wednesday_ten] > 0
    assert np.ptp(healthy.of("ltb-gen", "start_count")) == 1.0
    assert np.ptp(healthy.of("ltb-gen", "run_hours")) == pytest.approx(0.25, abs=0.01)
    assert healthy.of("ltb-gen", "fuel_level")[-1] < healthy.of("ltb-gen", "fuel_level")[0]


def test_same_seed_same_world_other_seed_another(run_past, healthy):
    assert np.array_equal(run_past().readings, healthy.readings)
    assert not np.allclose(
        run_past(seed=2).of("ltb-main", "active_power"), healthy.of("ltb-main", "active_power")
    )
