"""One air handler's year, as a frame for open-fdd and as samples for our rules: the same numbers."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text
from energy_center.rules.bind import Binding, bind
from energy_center.rules.find_rules import find_rule
from energy_center.rules.window import US, Samples, to_micros

# ours: open-fdd's rule of the same kind
PAIRS = {
    "ahu-hunting": "PID-HUNT-1",
    "ahu-supply-too-warm": "FC13",
    "ahu-valve-passes": "VLV-1",
    "ahu-outdoor-fraction-wrong": "OA-1",
    "ahu-off-schedule": "SCHED-1",
    "ahu-simultaneous-heating-cooling": "AHU-SIMUL",
}
OPEN_FDD_RULES = tuple(PAIRS.values())
STEP_S = 300
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Taipei")
# role, open-fdd's column; theirs are in degrees Fahrenheit and of 0 to 1
COLUMNS = {
    Role.SUPPLY_AIR_TEMPERATURE: "discharge-air-temp",
    Role.SUPPLY_AIR_TEMPERATURE_SETPOINT: "discharge-air-temp-sp",
    Role.MIXED_AIR_TEMPERATURE: "mixed-air-temp",
    Role.RETURN_AIR_TEMPERATURE: "return-air-temp",
    Role.RETURN_AIR_HUMIDITY: "return-air-humidity",
    Role.OUTDOOR_AIR_TEMPERATURE: "outside-air-temp",
    Role.CHILLED_WATER_VALVE: "cooling-valve",
    Role.REHEAT_VALVE: "heating-valve",
    Role.OUTDOOR_AIR_DAMPER: "outside-air-damper",
    Role.FAN_STATUS: "fan-status",
    Role.SCHEDULE: "occupied",
}
Floats = NDArray[np.float64]


def air_handler_year() -> tuple[
    dict[str, NDArray[np.generic]], list[Binding], dict[PointId, Samples], ZoneInfo, tuple[datetime, datetime]
]:
    """The frame, our bindings and samples, the zone and the year."""
    at = np.arange(to_micros(START) + STEP_S * US, to_micros(END) + 1, STEP_S * US, dtype=np.int64)
    values = _values(at)
    words = Text("a", "a")
    points = tuple(
        Point("ahu-1", role.value, role, float(STEP_S), PointId(i)) for i, role in enumerate(COLUMNS, 1)
    )
    spaces = (Space("s", None, SpaceKind.SITE, words), Space("b", "s", SpaceKind.BUILDING, words))
    unit = Equipment("ahu-1", "Air_Handler_Unit", words, "b", points=points)
    site = Site("s", words, ZONE.key, spaces, (unit,), {r: {"step": float(STEP_S)} for r in PAIRS})
    quality = np.zeros(len(at), dtype=np.int16)
    samples = {p.point_id: Samples(at, values[p.role], quality, float(STEP_S)) for p in points}
    frame: dict[str, NDArray[np.generic]] = {"at": at}
    for role, column in COLUMNS.items():
        frame[column] = _theirs(role, values[role])
    frame["fan-cmd"] = values[Role.FAN_STATUS]
    return frame, bind({r: find_rule(r) for r in PAIRS}, site), samples, ZONE, (START, END)


def _theirs(role: Role, values: Floats) -> Floats:
    if role.value.endswith("temperature") or role.value.endswith("temperature_setpoint"):
        return values * 1.8 + 32.0
    return (
        values / 100.0
        if role in (Role.CHILLED_WATER_VALVE, Role.REHEAT_VALVE, Role.OUTDOOR_AIR_DAMPER)
        else values
    )


def _values(at: NDArray[np.int64]) -> dict[Role, Floats]:
    """Working days from seven to seven; now and then a day of a passing valve, so that there are alarms."""
    dice = np.random.default_rng(5)
    hours = (at / US / 3_600 + 8.0) % 24
    days = (at // US + 8 * 3_600) // 86_400
    outdoor = 24 + 6 * np.sin((hours - 9) / 24 * 2 * np.pi) + 5 * np.sin(days / 365 * 2 * np.pi)
    on = ((hours >= 7) & (hours < 19) & ((days + 3) % 7 < 5)) * 1.0
    valve = on * np.clip(8 * (outdoor - 16) + dice.normal(0, 2, len(at)), 0, 100)
    mixed = 25 + 0.2 * (outdoor - 25) + dice.normal(0, 0.1, len(at))
    passing = dice.random(int(days.max() - days.min()) + 1)[days - days.min()] < 0.05
    valve = np.where(passing, 0.0, valve)
    supply = np.where(on > 0, np.where(passing, 15.0, np.clip(mixed - valve * 0.25, 14.0, None)), mixed)
    steady = np.ones(len(at))
    return {
        Role.SUPPLY_AIR_TEMPERATURE: supply + dice.normal(0, 0.1, len(at)),
        Role.SUPPLY_AIR_TEMPERATURE_SETPOINT: 14.0 * steady,
        Role.MIXED_AIR_TEMPERATURE: mixed,
        Role.RETURN_AIR_TEMPERATURE: 25.0 + dice.normal(0, 0.1, len(at)),
        Role.RETURN_AIR_HUMIDITY: 55.0 + dice.normal(0, 3, len(at)),
        Role.OUTDOOR_AIR_TEMPERATURE: outdoor,
        Role.CHILLED_WATER_VALVE: valve,
        Role.REHEAT_VALVE: 0.0 * steady,
        Role.OUTDOOR_AIR_DAMPER: 20.0 * on,
        Role.FAN_STATUS: on,
        Role.SCHEDULE: on,
    }
