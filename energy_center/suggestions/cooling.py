"""What several measures read of a chilled-water plant: its machines, their load and weather."""

from dataclasses import dataclass

import numpy as np

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.quantities import Role
from energy_center.domain.site import Equipment
from energy_center.suggestions.history import Floats, History, Mask
from energy_center.suggestions.measure import LEAST_COVERAGE, too_little

KW_PER_RT = 3.517  # one US refrigeration ton
WATER_KWH_M3_K = 1.163  # heat capacity of water
RUNNING_KW = 5.0  # above any chiller's standby


@dataclass(frozen=True, slots=True, eq=False)
class Chiller:
    """One machine: electrical and cooling power in kW and water entering its condenser in Cel, shape (n,)."""

    equipment: Equipment
    meter_id: str
    power_kw: Floats
    cooling_kw: Floats
    entering_c: Floats
    rated_kw: float

    @property
    def is_on(self) -> Mask:
        """Whether it runs; False where not known."""
        on: Mask = np.nan_to_num(self.power_kw) > RUNNING_KW
        return on


def chillers(history: History) -> tuple[Chiller, ...] | Insufficient:
    """The building's machines with power, load and condenser water known for most of the year."""
    found = []
    for equipment in history.of_class("Centrifugal_Chiller", "Chiller"):
        meter = history.meter_of(equipment)
        series = [_gauge(history, equipment, role) for role in _ROLES]
        known = [s for s in series if s is not None]
        rated = equipment.attributes.get("rated_cooling_kw")
        if meter is None or len(known) != len(_ROLES) or not isinstance(rated, int | float):
            return Insufficient(
                (f"{equipment.equipment_id}: needs a meter, rated_cooling_kw and {', '.join(_ROLES)}",)
            )
        coverage = float(np.mean(~np.isnan(np.sum(known, axis=0))))
        if coverage < LEAST_COVERAGE:
            return too_little(equipment.equipment_id, coverage)
        power, flow, supply, back, entering = known
        cooling = np.maximum(WATER_KWH_M3_K * flow * (back - supply), 0.0)
        found.append(Chiller(equipment, meter, power, cooling, entering, float(rated)))
    return tuple(found) if found else Insufficient(("the building has no chiller",))


_ROLES = (
    Role.ACTIVE_POWER,
    Role.CHILLED_WATER_FLOW,
    Role.CHILLED_WATER_SUPPLY_TEMPERATURE,
    Role.CHILLED_WATER_RETURN_TEMPERATURE,
    Role.CONDENSER_WATER_ENTERING_TEMPERATURE,
)


def _gauge(history: History, equipment: Equipment, role: Role) -> Floats | None:
    return history.gauges.get((equipment.equipment_id, role))


def coverage_of(machines: tuple[Chiller, ...]) -> float:
    """Share of the year in which all machines are known."""
    sums = np.sum([m.power_kw + m.cooling_kw for m in machines], axis=0)
    return float(np.mean(~np.isnan(sums)))


def outdoor(history: History) -> tuple[Floats, Floats] | Insufficient:
    """Outdoor temperature (Cel) and relative humidity (%), known for most of the year."""
    for (name, role), temperature in history.gauges.items():
        humidity = history.gauges.get((name, Role.OUTDOOR_AIR_HUMIDITY))
        if role is Role.OUTDOOR_AIR_TEMPERATURE and humidity is not None:
            coverage = float(np.mean(~np.isnan(temperature + humidity)))
            if coverage < LEAST_COVERAGE:
                return too_little("weather", coverage)
            return temperature, humidity
    return Insufficient(("no weather station with temperature and humidity",))


def dew_point_c(temperature: Floats, humidity_pct: Floats) -> Floats:
    """Magnus formula, WMO coefficients 17.62 and 243.12 Cel."""
    gamma = np.log(np.clip(humidity_pct, 1.0, 100.0) / 100.0) + 17.62 * temperature / (243.12 + temperature)
    dew: Floats = 243.12 * gamma / (17.62 - gamma)
    return dew


def wet_bulb_c(temperature: Floats, humidity_pct: Floats) -> Floats:
    """Stull (2011), sea level, within 1 K from 5 to 99 % and -20 to 50 Cel."""
    t, rh = temperature, np.clip(humidity_pct, 5.0, 99.0)
    wet: Floats = (
        t * np.arctan(0.151977 * np.sqrt(rh + 8.313659))
        + np.arctan(t + rh)
        - np.arctan(rh - 1.676331)
        + 0.00391838 * rh**1.5 * np.arctan(0.023101 * rh)
        - 4.686035
    )
    return wet


def by_meter(history: History, machines: tuple[Chiller, ...], saved_kwh: list[Floats]) -> dict[str, Floats]:
    """Savings of machines added up by their meters, never above what the meter counted."""
    found: dict[str, Floats] = {}
    for machine, one in zip(machines, saved_kwh, strict=True):
        held = found.get(machine.meter_id, np.zeros(len(history)))
        found[machine.meter_id] = held + np.nan_to_num(one)
    limit = {m: np.nan_to_num(history.power_kw[m]) * 0.25 for m in found}
    return {m: np.minimum(kwh, limit[m]) for m, kwh in found.items()}
