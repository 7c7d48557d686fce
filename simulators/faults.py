"""Faults that can be injected, by name: what they act on and what they change.

A fault has a true start and end, so that detection can be scored. The effects themselves stand beside the
healthy physics (plant, air, water ...), where they use ``Chunk.active``.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simulators.model import Equipment, Model

LARGEST = 2.0  # times the effect that a kind names
WASH_DOWN_S = 240.0  # how long water runs into the pit when its pumps trip


@dataclass(frozen=True)
class FaultKind:
    """A fault's default place, the kinds it may act on, and what it does."""

    default: str
    kinds: tuple[str, ...]
    effect: str


FAULTS: dict[str, FaultKind] = {
    "stuck_damper": FaultKind(
        "ltb-ahu-03", ("ahu",), "outdoor-air damper stands at 90 %, the command is still reported"
    ),
    "passing_chilled_water_valve": FaultKind(
        "ltb-ahu-04", ("ahu",), "valve passes 80 % of its flow when shut"
    ),
    "reheat_against_cooling": FaultKind("ltb-ahu-02", ("ahu",), "reheat 45 % open without need to dry"),
    "low_delta_t": FaultKind(
        "ltb-plant", ("plant",), "chilled water returns after half the design difference"
    ),
    "fouled_condenser": FaultKind(
        "ltb-chiller-1", ("chiller",), "condensing 3 K warmer at full load, 9 % power"
    ),
    "after_hours_cooling": FaultKind(
        "ltb-plant", ("plant", "ahu"), "chiller and air handlers run outside the schedule"
    ),
    "sensor_drift": FaultKind(
        "ltb-fcu-10-3", ("fcu", "vav", "vrf", "iaq"), "zone temperature reads up to 3 K high within a day"
    ),
    "sensor_stuck": FaultKind(
        "ltb-fcu-12-2",
        ("fcu", "vav", "vrf", "iaq", "ahu", "rain-tank"),
        "zone (return air) temperature or tank level stands still",
    ),
    "sensor_spikes": FaultKind(
        "ltb-fcu-12-3",
        ("fcu", "vav", "vrf", "iaq"),
        "zone temperature jumps 20 K up for minutes, now and then",
    ),
    "sensor_broken": FaultKind(
        "ltb-vav-04-2", ("fcu", "vav", "vrf", "iaq"), "wire broken: zone temperature reads 0 Cel"
    ),
    "unit_mismatch": FaultKind("ltb-fl02-meter", ("meter",), "active power reads in MW as if it were kW"),
    "mixed_air_sensor_wrong": FaultKind("ltb-ahu-01", ("ahu",), "mixed air reads 8 K too warm"),
    "economiser_disabled": FaultKind("ltb-ahu-04", ("ahu",), "the outdoor-air damper never opens further"),
    "vav_starved": FaultKind("ltb-vav-06-2", ("vav",), "the box is wide open and gets 60 % less air"),
    "sequencing_wrong": FaultKind("ltb-plant", ("plant",), "one chiller more runs than the load needs"),
    "inflow_high": FaultKind("ltb-sump-b1", ("sump",), "21 m3/h run into the pit"),
    "counter_reset": FaultKind("ltb-fl05-meter", ("meter", "ev"), "energy register restarts from zero"),
    "pump_short_cycling": FaultKind(
        "ltb-sump-b2", ("sump", "sump-pump", "pump"), "check valve leaks: about twenty pump starts an hour"
    ),
    "sump_pump_failed": FaultKind(
        "ltb-sump-b3", ("sump", "sump-pump"), "both pumps trip while the floor above is washed down"
    ),
    "tank_leak": FaultKind("ym-rain-tank", ("rain-tank",), "0.6 m3/h leave the tank unmetered"),
    "toilet_leak_at_night": FaultKind(
        "ltb-water", ("water-meter", "rain-tank"), "0.25 m3/h run through toilets day and night"
    ),
    "generator_fails_to_start": FaultKind("ltb-gen", ("gen",), "called, it cranks three times and gives up"),
    "low_power_factor": FaultKind("ltb-tr1-meter", ("meter",), "capacitor bank off: 0.65 kvar more per kW"),
    "phase_imbalance": FaultKind("ltb-fl06-meter", ("meter",), "phase loads 45 : 30 : 25"),
    "meter_offline": FaultKind("ltb-fl07-meter", (), "the device answers nothing"),
    "frozen_gateway": FaultKind("ltb-submeters", (), "all values behind a gateway stand still"),
    "demand_surge": FaultKind("ltb-main", ("meter",), "load rises to 1.15 times the contract capacity"),
    "fan_belt_broken": FaultKind("ltb-ahu-05", ("ahu", "oau"), "the motor turns, the fan does not"),
    "filter_clogged": FaultKind("ltb-ahu-06", ("ahu", "oau"), "the filter drops 220 Pa more at full speed"),
    "coil_fouled": FaultKind("ltb-ahu-07", ("ahu",), "the cooling coil does 45 % of its duty"),
    "loop_hunting": FaultKind("ltb-ahu-08", ("ahu",), "the cooling valve swings by a third, ever again"),
    "exhaust_failed": FaultKind("ltb-exhaust-1", ("exhaust",), "commanded, the car park's fan stands"),
    "setpoint_too_low": FaultKind("ltb-fcu-10-2", ("fcu", "vav", "vrf"), "somebody sets 22 Cel"),
    "fcu_valve_stuck": FaultKind("ltb-fcu-10-4", ("fcu",), "the valve is commanded open and stays shut"),
    "ventilation_failed": FaultKind("ltb-iaq-05", ("iaq",), "the floor gets no outdoor air"),
    "capacity_lost": FaultKind("ltb-chiller-1", ("chiller",), "chilled water leaves 2.5 K too warm"),
    "chiller_short_cycling": FaultKind("ltb-chiller-2", ("chiller",), "four starts an hour"),
    "refrigerant_low": FaultKind("ltb-chiller-1", ("chiller",), "30 % more power for the same cooling"),
    "tower_fouled": FaultKind("ltb-tower-1", ("tower",), "its water comes back 4 K warmer"),
    "pump_runs_on": FaultKind("ltb-chw-p2", ("pump",), "a primary or condenser pump never stops"),
    "water_leak": FaultKind("ltb-leak-1", ("leak",), "water stands at the detector"),
    "ground_water_rise": FaultKind("ltb-groundwater", ("groundwater",), "ground water stands 5 m higher"),
    "drain_blocked": FaultKind("ltb-drain-1", ("drain",), "the channel backs up by 1.5 m"),
    "pump_no_effect": FaultKind("ltb-sump-b1", ("sump",), "the running pump lifts a twentieth"),
    "water_burst": FaultKind("ltb-water", ("water-meter",), "6 m3/h run out of a pipe"),
    "mains_valve_stuck": FaultKind("ym-rain-tank", ("rain-tank",), "the mains top-up does not shut"),
    "irrigation_fixed": FaultKind("ym-rain-tank", ("rain-tank",), "the garden is watered in rain too"),
    "fire_main_leak": FaultKind("ltb-fire-pump", ("fire-pump",), "the fire main holds 250 kPa less"),
    "fire_panel_trouble": FaultKind("ltb-fire-panel", ("fire-panel",), "a loop of the panel is broken"),
    "fire_alarm": FaultKind("ltb-fire-panel", ("fire-panel",), "a detector has seen smoke"),
    "system_down": FaultKind("ltb-cctv", ("supervised",), "the system does not work"),
    "ups_on_battery": FaultKind("ltb-ups", ("ups",), "its supply is gone"),
    "ups_battery_aged": FaultKind("ltb-ups", ("ups",), "the battery bears the load for 11 minutes"),
    "battery_weak": FaultKind("ltb-gen", ("gen",), "the starter battery stands 3.5 V lower"),
    "fuel_low": FaultKind("ltb-gen", ("gen",), "two thirds of the tank are gone"),
    "test_skipped": FaultKind("ltb-gen", ("gen",), "nobody tests the generator"),
    "transformer_overheated": FaultKind("ltb-tr1", ("transformer",), "its windings are 80 K hotter"),
    "soiling": FaultKind("ltb-pv-1", ("pv",), "dirt takes 40 % of the sun"),
    "inverter_tripped": FaultKind("ltb-pv-2", ("pv",), "the inverter stands in sunshine"),
    "ct_ratio_wrong": FaultKind("ltb-tr2-meter", ("meter",), "one current transformer of three is open"),
    "lights_after_hours": FaultKind("ltb-fl04-meter", ("meter",), "the floor's lights burn all night"),
    "base_load_creep": FaultKind("ltb-fl05-meter", ("meter",), "the floor takes 35 % more, day and night"),
    "equipment_trip": FaultKind(
        "ltb-lift-2", ("lift", "vrf", "pump", "chiller", "fire-pump"), "the controller reports a fault"
    ),
}


@dataclass(frozen=True)
class Fault:
    """One injected fault; times are epoch seconds, ``end`` infinite while it lasts.

    ``size`` is the share of the effect that its kind names; a fault that is or is not has size 1.
    """

    name: str
    equipment_id: str
    start: float
    end: float = float("inf")
    size: float = 1.0

    def as_json(self) -> dict[str, str | float | None]:
        """Return the fault with ISO times."""
        return {
            "name": self.name,
            "equipment": self.equipment_id,
            "size": self.size,
            "from": _iso(self.start),
            "to": None if self.end == float("inf") else _iso(self.end),
            "effect": FAULTS[self.name].effect,
        }


def _iso(time: float) -> str:
    return dt.datetime.fromtimestamp(time, dt.UTC).isoformat()


def resolve(model: Model, name: str, equipment_id: str | None) -> str:
    """Return the equipment (or group) that a fault acts on.

    Raises:
        ValueError: the fault or the equipment is unknown, or the one cannot befall the other.
    """
    kind = FAULTS.get(name)
    if kind is None:
        raise ValueError(f"no fault named {name!r}; known: {', '.join(sorted(FAULTS))}")
    place = equipment_id or kind.default
    if not kind.kinds:
        if not affected(model, place):
            raise ValueError(f"{name}: no equipment, device or connection named {place!r}")
        return place
    equipment = model.equipment.get(place)
    if equipment is None:
        raise ValueError(f"{name}: no equipment named {place!r}")
    if equipment.kind not in kind.kinds:
        raise ValueError(f"{name} acts on {', '.join(kind.kinds)}; {place} is a {equipment.kind}")
    if equipment.kind == "sump-pump":
        return place.rsplit("-p", 1)[0]
    return place


def affected(model: Model, place: str) -> list[Equipment]:
    """Return the equipment with this id or behind the connection of this name."""
    return [e for e in model.equipment.values() if place in (e.id, e.group)]


def parse_fault(model: Model, text: str) -> Fault:
    """Read ``name@equipment:from..to`` (ISO times with zone); the equipment may be left out.

    ``name*0.6`` is a fault of 0.6 times its kind's effect.

    Raises:
        ValueError: the text does not have this form.
    """
    head, separator, window = text.partition(":")
    sized, _, place = head.partition("@")
    name, star, share = sized.partition("*")
    first, dots, last = window.partition("..")
    if not separator or not dots:
        raise ValueError(f"fault {text!r}: expected name@equipment:FROM..TO")
    start = dt.datetime.fromisoformat(first)
    end = dt.datetime.fromisoformat(last)
    if start.tzinfo is None or end.tzinfo is None or end <= start:
        raise ValueError(f"fault {text!r}: times need a zone, and the end comes after the start")
    size = _size(text, share) if star else 1.0
    return Fault(name, resolve(model, name, place or None), start.timestamp(), end.timestamp(), size)


def _size(text: str, share: str) -> float:
    try:
        size = float(share)
    except ValueError:
        size = 0.0
    if not 0.0 < size <= LARGEST:
        raise ValueError(f"fault {text!r}: a size is a number above 0, at most {LARGEST:g}")
    return size


def write_truth(path: Path, faults: Sequence[Fault]) -> None:
    """Write the true starts and ends as a JSON list."""
    path.write_text(json.dumps([fault.as_json() for fault in faults], indent=2) + "\n", encoding="utf-8")
