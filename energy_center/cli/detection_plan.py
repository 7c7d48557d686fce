"""What the scoring injects: which faults, where, for how long; drawn at random from a seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault's possible places, its shortest and longest duration in hours, the simulator's name for it.

    Left out is what a history of one reading in five minutes cannot show, such as a generator's cranking.
    """

    places: tuple[str, ...]
    hours: tuple[float, float]
    simulated_as: str | None = None


KINDS: dict[str, Kind] = {
    "after_hours_cooling": Kind(("ltb-plant", "ym-plant", "ltb-ahu-05", "ym-ahu-02"), (24, 48)),
    "demand_surge": Kind(("ltb-main", "ym-main"), (2, 6)),
    "sump_pump_failed": Kind(("ltb-sump-b1", "ltb-sump-b2", "ltb-sump-b3", "ym-sump-b1"), (6, 18)),
    "pump_short_cycling": Kind(("ltb-sump-b1", "ltb-sump-b2", "ltb-sump-b3"), (8, 24)),
    "tank_leak": Kind(("ym-rain-tank",), (24, 60)),
    "meter_offline": Kind(("ltb-fl07-meter", "ltb-water", "ym-fl02-meter", "ltb-pv-1"), (2, 24)),
    "gateway_offline": Kind(("ltb-submeters", "ym-submeters", "ltb-genset"), (2, 24), "meter_offline"),
    "low_power_factor": Kind(("ltb-tr1-meter", "ltb-tr2-meter", "ym-tr1-meter"), (24, 48)),
    "phase_imbalance": Kind(("ltb-fl06-meter", "ltb-fl03-meter", "ym-fl04-meter"), (24, 48)),
    "low_delta_t": Kind(("ltb-plant", "ym-plant"), (36, 72)),
    "reheat_against_cooling": Kind(("ltb-ahu-02", "ltb-ahu-06", "ym-ahu-01"), (48, 96)),
    "fouled_condenser": Kind(("ltb-chiller-1", "ltb-chiller-2", "ym-chiller-1"), (24 * 6, 24 * 9)),
    "counter_reset": Kind(("ltb-fl05-meter", "ltb-fl09-meter", "ym-fl03-meter"), (1, 2)),
    "sensor_stuck": Kind(("ltb-fcu-12-2", "ltb-vav-04-3", "ltb-fcu-10-5"), (36, 72)),
    "frozen_gateway": Kind(("ltb-submeters", "ym-submeters"), (4, 12)),
    "stuck_damper": Kind(("ltb-ahu-03", "ltb-ahu-07", "ym-ahu-02"), (24 * 4, 24 * 7)),
    "passing_chilled_water_valve": Kind(("ltb-ahu-04", "ltb-ahu-08", "ym-ahu-03"), (72, 120)),
    "fan_belt_broken": Kind(("ltb-ahu-01", "ltb-oau-1", "ym-ahu-03"), (72, 96)),
    "filter_clogged": Kind(("ltb-ahu-02", "ltb-ahu-06", "ym-ahu-01"), (24 * 4, 24 * 7)),
    "coil_fouled": Kind(("ltb-ahu-05", "ltb-ahu-07", "ym-ahu-02"), (24 * 4, 24 * 7)),
    "loop_hunting": Kind(("ltb-ahu-02", "ltb-ahu-08", "ym-ahu-01"), (24 * 4, 24 * 7)),
    "exhaust_failed": Kind(("ltb-exhaust-1", "ltb-exhaust-2", "ltb-exhaust-3"), (72, 96)),
    "setpoint_too_low": Kind(("ltb-fcu-10-2", "ltb-fcu-12-4", "ym-fcu-05-1"), (72, 96)),
    "fcu_valve_stuck": Kind(("ltb-fcu-10-4", "ltb-fcu-12-5", "ym-fcu-03-2"), (24 * 4, 24 * 7)),
    "ventilation_failed": Kind(("ltb-iaq-05", "ltb-iaq-09", "ym-iaq-03"), (72, 120)),
    "capacity_lost": Kind(("ltb-chiller-1", "ltb-chiller-3", "ym-chiller-1"), (24 * 14, 24 * 18)),
    "chiller_short_cycling": Kind(("ltb-chiller-2", "ltb-chiller-3", "ym-chiller-2"), (24 * 14, 24 * 18)),
    "refrigerant_low": Kind(("ltb-chiller-1", "ltb-chiller-2", "ym-chiller-1"), (24 * 14, 24 * 18)),
    "tower_fouled": Kind(("ltb-tower-1", "ltb-tower-2", "ym-tower-1"), (24 * 4, 24 * 7)),
    "pump_runs_on": Kind(("ltb-chw-p2", "ltb-cw-p1", "ym-chw-p1"), (24, 48)),
    "water_leak": Kind(("ltb-leak-1", "ltb-leak-3", "ym-leak-1"), (2, 12)),
    "ground_water_rise": Kind(("ltb-groundwater",), (24, 72)),
    "drain_blocked": Kind(("ltb-drain-1", "ym-drain-1"), (4, 12)),
    "pump_no_effect": Kind(("ltb-sump-b1", "ltb-sump-b2", "ym-sump-b1"), (24 * 3, 24 * 6)),
    "toilet_leak_at_night": Kind(("ltb-water", "ym-water"), (24 * 5, 24 * 8)),
    "water_burst": Kind(("ltb-water", "ym-water"), (24, 48)),
    "mains_valve_stuck": Kind(("ym-rain-tank",), (24, 72)),
    "fire_main_leak": Kind(("ltb-fire-pump", "ym-fire-pump"), (4, 12)),
    "fire_panel_trouble": Kind(("ltb-fire-panel", "ym-fire-panel"), (4, 12)),
    "fire_alarm": Kind(("ltb-fire-panel", "ym-fire-panel"), (1, 2)),
    "system_down": Kind(("ltb-cctv", "ltb-access", "ym-pbx"), (2, 12)),
    "ups_on_battery": Kind(("ltb-ups", "ym-ups"), (1, 2)),
    "ups_battery_aged": Kind(("ltb-ups", "ym-ups"), (24, 72)),
    "battery_weak": Kind(("ltb-gen", "ym-gen"), (12, 48)),
    "fuel_low": Kind(("ltb-gen", "ym-gen"), (12, 48)),
    "test_skipped": Kind(("ltb-gen", "ym-gen"), (24 * 20, 24 * 24)),
    "transformer_overheated": Kind(("ltb-tr1", "ltb-tr2", "ym-tr1"), (24, 48)),
    "soiling": Kind(("ltb-pv-1", "ltb-pv-2", "ym-pv-1"), (24 * 10, 24 * 14)),
    "inverter_tripped": Kind(("ltb-pv-1", "ltb-pv-2", "ym-pv-1"), (72, 120)),
    "ct_ratio_wrong": Kind(("ltb-tr1-meter", "ltb-tr2-meter", "ym-tr1-meter"), (48, 96)),
    "lights_after_hours": Kind(("ltb-fl04-meter", "ltb-fl08-meter", "ym-fl03-meter"), (48, 96)),
    "equipment_trip": Kind(("ltb-lift-2", "ltb-vrf-1", "ym-fire-pump", "ym-lift-1"), (2, 12)),
}


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault to inject."""

    name: str
    place: str
    start: datetime
    end: datetime

    def option(self) -> str:
        """As the simulator's `--fault` takes it."""
        name = KINDS[self.name].simulated_as or self.name
        return f"{name}@{self.place}:{self.start.isoformat()}..{self.end.isoformat()}"


def draw(seed: int, start: datetime, end: datetime, of_each: int, names: frozenset[str]) -> list[Injection]:
    """`of_each` instances of every named kind between the instants; at one place never two at once."""
    dice = random.Random(seed)  # noqa: S311 a reproducible plan, not a secret
    drawn: list[Injection] = []
    for name, kind in KINDS.items():
        if name in names:
            drawn += _draw_kind(dice, name, kind, start, end, of_each)
    return sorted(drawn, key=lambda i: i.start)


def _draw_kind(
    dice: random.Random, name: str, kind: Kind, start: datetime, end: datetime, of_each: int
) -> Iterator[Injection]:
    taken: list[Injection] = []
    for _ in range(50 * of_each):
        if len(taken) == of_each:
            return
        hours = dice.uniform(*kind.hours)
        room = (end - start) / HOUR - hours
        if room <= 0:
            return
        at = start + HOUR * round(dice.uniform(0, room), 1)
        new = Injection(name, dice.choice(kind.places), at, at + HOUR * round(hours, 1))
        if all(_apart(new, other) for other in taken):
            taken.append(new)
            yield new


def _apart(one: Injection, other: Injection) -> bool:
    pause = 24 * HOUR
    return one.place != other.place or one.end + pause <= other.start or other.end + pause <= one.start
