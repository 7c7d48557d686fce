"""Which faults the scoring injects: where, how long, how large, and what must happen to betray them."""

from dataclasses import dataclass

DAY = 24.0


@dataclass(frozen=True, slots=True)
class Size:
    """Sizes of a fault in its own unit: `full` is the simulator's size 1, `most` the largest drawn.

    Its rule promises to find it from `least` on; smaller ones, down to `small`, are injected too and listed
    apart.
    """

    full: float
    least: float
    small: float
    unit: str
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What the fault-free run must read at `at`: the place itself, or with its building and number filled in.

    `rise_h`: of a counter, the rise in so many hours; `minus`: less another signal; `apart`: how far from 0.
    """

    signal: str
    above: float | None = None
    below: float | None = None
    at: str = "{place}"
    minus: tuple[str, str] | None = None
    apart: float | None = None
    rise_h: float | None = None


@dataclass(frozen=True, slots=True)
class Works:
    """All needs at once for `hours` or more within the fault: else nothing could betray it."""

    hours: float
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault's possible places, its shortest and longest duration in hours, the simulator's name for it.

    `hidden_by`: faults listed before it that falsify, at the same place, the one reading that it shows in.
    """

    places: tuple[str, ...]
    hours: tuple[float, float]
    simulated_as: str | None = None
    size: Size | None = None
    works: Works | None = None
    hidden_by: tuple[str, ...] = ()


def _runs(signal: str, hours: float, above: float = 0.5, below: float | None = None) -> Works:
    return Works(hours, (Need(signal, above, below),))


_SUN = "solar_irradiance"
_STATION = "weather"
_HOT = Need("outdoor_air_temperature", 27.0, at=_STATION)
_FAN = Need("fan_status", 0.5)
_ZONES = ("ltb-fcu-12-2", "ltb-vav-04-3", "ltb-fcu-10-5")
_METERS = ("ltb-fl05-meter", "ltb-fl09-meter", "ym-fl03-meter")
_CHILLERS = ("ltb-chiller-1", "ltb-chiller-2", "ym-chiller-1")
_PV = ("ltb-pv-1", "ltb-pv-2", "ym-pv-1")
_GENERATORS = ("ltb-gen", "ym-gen")
_SUMPS = ("ltb-sump-b1", "ltb-sump-b2", "ym-sump-b1")
_WATER = ("ltb-water", "ym-water")
_TRANSFORMER_METERS = ("ltb-tr1-meter", "ltb-tr2-meter", "ym-tr1-meter")

AIR: dict[str, Kind] = {
    "after_hours_cooling": Kind(("ltb-plant", "ym-plant", "ltb-ahu-05", "ym-ahu-02"), (24, 48)),
    "reheat_against_cooling": Kind(
        ("ltb-ahu-02", "ltb-ahu-06", "ym-ahu-01"),
        (48, 96),
        size=Size(45, 10, 4, "% open"),
        works=Works(3, (Need("chilled_water_valve", 10), Need("return_air_humidity", below=54))),
    ),
    "stuck_damper": Kind(
        ("ltb-ahu-03", "ltb-ahu-07", "ym-ahu-02"),
        (4 * DAY, 7 * DAY),
        size=Size(70, 45, 20, "points too far open"),
        works=Works(
            3,
            (
                _FAN,
                Need("outdoor_air_damper", below=30),
                Need("return_air_temperature", minus=(_STATION, "outdoor_air_temperature"), apart=6.5),
            ),
        ),
    ),
    "passing_chilled_water_valve": Kind(
        ("ltb-ahu-04", "ltb-ahu-08", "ym-ahu-03"),
        (72, 120),
        size=Size(80, 50, 15, "% of full flow"),
        works=Works(4, (_FAN, Need("chilled_water_valve", 5, 30))),
    ),
    "fan_belt_broken": Kind(
        ("ltb-ahu-01", "ltb-oau-1", "ym-ahu-03"), (72, 96), works=_runs("fan_command", 4)
    ),
    "filter_clogged": Kind(
        ("ltb-ahu-02", "ltb-ahu-06", "ym-ahu-01"),
        (4 * DAY, 7 * DAY),
        size=Size(220, 180, 60, "Pa at full speed"),
        works=_runs("fan_speed", 10, 50),
    ),
    "coil_fouled": Kind(
        ("ltb-ahu-05", "ltb-ahu-07", "ym-ahu-02"),
        (4 * DAY, 7 * DAY),
        size=Size(55, 45, 20, "% of the coil's duty"),
        works=_runs("chilled_water_valve", 3, 68),
    ),
    "loop_hunting": Kind(
        ("ltb-ahu-02", "ltb-ahu-08", "ym-ahu-01"),
        (4 * DAY, 7 * DAY),
        size=Size(33, 25, 8, "points of swing"),
        works=_runs("chilled_water_valve", 6, 5),
    ),
    "exhaust_failed": Kind(
        ("ltb-exhaust-1", "ltb-exhaust-2", "ltb-exhaust-3"), (72, 96), works=_runs("fan_command", 3)
    ),
    "setpoint_too_low": Kind(
        ("ltb-fcu-10-2", "ltb-fcu-12-4", "ym-fcu-05-1"),
        (72, 96),
        size=Size(100, 70, 25, "% of the way to 22 Cel"),
        works=_runs("fan_status", 4),
    ),
    "fcu_valve_stuck": Kind(
        ("ltb-fcu-10-4", "ltb-fcu-12-5", "ym-fcu-03-2"), (4 * DAY, 7 * DAY), works=Works(8, (_FAN, _HOT))
    ),
    "mixed_air_sensor_wrong": Kind(
        ("ltb-ahu-01", "ltb-ahu-05", "ym-ahu-03"),
        (48, 96),
        size=Size(8, 6, 2, "K too warm"),
        works=Works(
            3, (_FAN, Need("return_air_temperature", minus=(_STATION, "outdoor_air_temperature"), below=2))
        ),
    ),
    "economiser_disabled": Kind(
        ("ltb-ahu-04", "ltb-ahu-06", "ym-ahu-01"),
        (4 * DAY, 7 * DAY),
        works=Works(
            4,
            (
                _FAN,
                Need("chilled_water_valve", 5),
                Need("outdoor_air_temperature", below=22.3, at=_STATION),
                Need("outdoor_air_damper", 50),
            ),
        ),
    ),
    "vav_starved": Kind(
        ("ltb-vav-06-2", "ltb-vav-02-4", "ltb-vav-08-1"),
        (48, 96),
        size=Size(60, 45, 10, "% of the flow"),
        works=_runs("supply_air_flow", 4, 300),
    ),
    "ventilation_failed": Kind(
        ("ltb-iaq-05", "ltb-iaq-09", "ym-iaq-03"),
        (72, 120),
        size=Size(100, 80, 20, "% of the outdoor air"),
        works=_runs("zone_co2", 6, 600),
    ),
}

PLANT: dict[str, Kind] = {
    "low_delta_t": Kind(
        ("ltb-plant", "ym-plant"),
        (36, 72),
        size=Size(50, 45, 20, "% of the difference"),
        works=_runs("chilled_water_flow", 8, 20),
    ),
    "fouled_condenser": Kind(
        _CHILLERS,
        (6 * DAY, 9 * DAY),
        size=Size(3, 2.4, 0.8, "K at full load"),
        works=_runs("load_ratio", 10, 45),
    ),
    "capacity_lost": Kind(
        ("ltb-chiller-1", "ltb-chiller-3", "ym-chiller-1"),
        (14 * DAY, 18 * DAY),
        size=Size(2.5, 2.0, 0.8, "K too warm"),
        works=_runs("chiller_status", 4),
    ),
    "chiller_short_cycling": Kind(
        ("ltb-chiller-2", "ltb-chiller-3", "ym-chiller-2"),
        (14 * DAY, 18 * DAY),
        works=_runs("chiller_status", 6),
    ),
    "refrigerant_low": Kind(
        _CHILLERS,
        (14 * DAY, 18 * DAY),
        size=Size(30, 22, 8, "% more power"),
        works=_runs("load_ratio", 10, 45),
    ),
    "tower_fouled": Kind(
        ("ltb-tower-1", "ltb-tower-2", "ym-tower-1"),
        (4 * DAY, 7 * DAY),
        size=Size(4, 3.6, 1.5, "K"),
        works=Works(3, (Need("load_ratio", 70, at="{building}-chiller-{number}"),)),
    ),
    "pump_runs_on": Kind(("ltb-chw-p2", "ltb-cw-p1", "ym-chw-p1"), (24, 48)),
}

WATER: dict[str, Kind] = {
    "sump_pump_failed": Kind((*_SUMPS, "ltb-sump-b3"), (6, 18)),
    "pump_short_cycling": Kind(("ltb-sump-b1", "ltb-sump-b2", "ltb-sump-b3"), (8, 24)),
    "inflow_high": Kind(_SUMPS, (6, 18)),
    "tank_level_stuck": Kind(
        ("ym-rain-tank",),
        (48, 96),
        "sensor_stuck",
        works=Works(3, (Need("tank_level", 16, 90), Need("tank_outlet_volume", 0.8, rise_h=6))),
    ),
    "pump_no_effect": Kind(_SUMPS, (3 * DAY, 6 * DAY)),
    "tank_leak": Kind(
        ("ym-rain-tank",),
        (36, 72),
        size=Size(0.6, 0.3, 0.05, "m3/h"),
        # what overflows or falls as rain is metered nowhere
        works=Works(10, (Need("overflow_state", below=0.5), Need("rain_rate", below=0.1, at=_STATION))),
        hidden_by=("tank_level_stuck",),
    ),
    "mains_valve_stuck": Kind(("ym-rain-tank",), (24, 72)),
    "irrigation_fixed": Kind(
        ("ym-rain-tank",),
        (5 * DAY, 9 * DAY),
        works=Works(
            0.25,
            (
                Need("rain_depth", 6, at=_STATION, rise_h=24),
                # read at 6:15 local
                Need("time_of_day_utc", 22.1, 22.4, at=_STATION),
            ),
        ),
    ),
    "toilet_leak_at_night": Kind(_WATER, (5 * DAY, 8 * DAY), size=Size(0.25, 0.15, 0.03, "m3/h")),
    "water_burst": Kind(_WATER, (24, 48), size=Size(6, 5, 2, "m3/h")),
    "water_leak": Kind(("ltb-leak-1", "ltb-leak-3", "ym-leak-1"), (2, 12)),
    "ground_water_rise": Kind(("ltb-groundwater",), (24, 72), size=Size(5, 5.2, 2, "m", most=7)),
    "drain_blocked": Kind(("ltb-drain-1", "ym-drain-1"), (4, 12), size=Size(1.5, 1.2, 0.3, "m")),
}

SUPPLY: dict[str, Kind] = {
    "demand_surge": Kind(("ltb-main", "ym-main"), (2, 6), size=Size(15, 6, 1, "% over the contract")),
    "low_power_factor": Kind(_TRANSFORMER_METERS, (24, 48), size=Size(0.65, 0.55, 0.15, "kvar per kW")),
    "phase_imbalance": Kind(
        ("ltb-fl06-meter", "ltb-fl03-meter", "ym-fl04-meter"),
        (24, 48),
        size=Size(35, 25, 8, "% over the mean of the phases"),
    ),
    "ct_ratio_wrong": Kind(_TRANSFORMER_METERS, (48, 96), size=Size(33, 24, 5, "% not metered")),
    "lights_after_hours": Kind(("ltb-fl04-meter", "ltb-fl08-meter", "ym-fl03-meter"), (48, 96)),
    "transformer_overheated": Kind(
        ("ltb-tr1", "ltb-tr2", "ym-tr1"), (24, 48), size=Size(80, 82, 30, "K", most=100)
    ),
    "soiling": Kind(
        _PV,
        (10 * DAY, 14 * DAY),
        size=Size(40, 28, 8, "% of the sun"),
        works=Works(15, (Need(_SUN, 500, at=_STATION),)),
    ),
    "inverter_tripped": Kind(_PV, (72, 120), works=Works(3, (Need(_SUN, 300, at=_STATION),))),
    "ups_on_battery": Kind(("ltb-ups", "ym-ups"), (1, 2)),
    "ups_battery_aged": Kind(("ltb-ups", "ym-ups"), (24, 72)),
    "battery_weak": Kind(_GENERATORS, (12, 48), size=Size(3.5, 3.5, 1, "V", most=4.5)),
    "fuel_low": Kind(
        _GENERATORS,
        (12, 48),
        size=Size(66, 62, 30, "% of the tank"),
        works=_runs("fuel_level", 12, 0, 82),
    ),
    "test_skipped": Kind(_GENERATORS, (20 * DAY, 24 * DAY)),
    "generator_fails_to_start": Kind(_GENERATORS, (1, 2)),
}

OTHERS: dict[str, Kind] = {
    "fire_main_leak": Kind(("ltb-fire-pump", "ym-fire-pump"), (4, 12), size=Size(250, 220, 60, "kPa")),
    "fire_panel_trouble": Kind(("ltb-fire-panel", "ym-fire-panel"), (4, 12)),
    "fire_alarm": Kind(("ltb-fire-panel", "ym-fire-panel"), (1, 2)),
    "system_down": Kind(("ltb-cctv", "ltb-access", "ym-pbx"), (2, 12)),
    "equipment_trip": Kind(("ltb-lift-2", "ltb-vrf-1", "ym-fire-pump", "ym-lift-1"), (2, 12)),
    "meter_offline": Kind(("ltb-fl07-meter", "ltb-water", "ym-fl02-meter", "ltb-pv-1"), (2, 24)),
    "gateway_offline": Kind(("ltb-submeters", "ym-submeters", "ltb-genset"), (2, 24), "meter_offline"),
    "frozen_gateway": Kind(("ltb-submeters", "ym-submeters"), (4, 12)),
    "counter_reset": Kind(_METERS, (1, 2)),
    "unit_mismatch": Kind(("ltb-fl02-meter", "ltb-fl11-meter", "ym-fl01-meter"), (24, 48)),
    "sensor_stuck": Kind(_ZONES, (36, 72)),
    "sensor_spikes": Kind(
        ("ltb-fcu-12-3", "ltb-vav-06-5", "ym-fcu-05-3"), (36, 72), size=Size(20, 8, 3, "K")
    ),
    "sensor_broken": Kind(("ltb-vav-04-2", "ltb-fcu-12-6", "ym-fcu-03-4"), (4, 48)),
    "sensor_drift": Kind(
        ("ltb-fcu-10-3", "ltb-vav-02-1", "ym-fcu-05-4"), (4 * DAY, 7 * DAY), size=Size(3, 3.4, 1, "K", most=5)
    ),
}

KINDS: dict[str, Kind] = {**AIR, **PLANT, **WATER, **SUPPLY, **OTHERS}
