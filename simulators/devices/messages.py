"""JSON messages of the simulated MQTT devices: where each signal stands, its unit and digits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulators.devices.source import has_reading


@dataclass(frozen=True, slots=True)
class Field:
    """A signal's place. `per_unit` is what the device counts per unit; `digits` None is a state."""

    signal: str
    path: tuple[str, ...]
    digits: int | None = 1
    per_unit: float = 1.0

    def written(self, reading: float) -> float | int:
        """The number as the device writes it."""
        counted = reading * self.per_unit
        return int(counted > 0.5) if self.digits is None else round(counted, self.digits)


_L = 1000.0  # litres in a cubic metre

MESSAGES: Mapping[str, tuple[Field, ...]] = {
    "weather": (
        Field("outdoor_air_temperature", ("air", "temperature_c"), 2),
        Field("outdoor_air_humidity", ("air", "humidity_pct"), 1),
        Field("air_pressure", ("air", "pressure_hpa"), 1),
        Field("solar_irradiance", ("sun", "ghi_w_m2"), 1),
        Field("rain_rate", ("rain", "rate_mm_h"), 2),
        Field("rain_depth", ("rain", "total_mm"), 2),
        Field("wind_speed", ("wind", "speed_m_s"), 2),
        Field("wind_gust", ("wind", "gust_m_s"), 2),
    ),
    "rain-tank": (
        Field("tank_level", ("level_pct",), 2),
        Field("tank_inlet_volume", ("inlet_l",), 0, _L),
        Field("tank_outlet_volume", ("outlet_l",), 0, _L),
        Field("irrigation_volume", ("irrigation_l",), 0, _L),
        Field("mains_volume", ("mains_l",), 0, _L),
        Field("mains_valve", ("mains_valve",), None),
        Field("overflow_state", ("overflow",), None),
        Field("pump_status", ("pump",), None),
    ),
    "iaq": (
        Field("zone_co2", ("co2_ppm",), 0),
        Field("zone_temperature", ("temperature_c",), 2),
        Field("zone_humidity", ("humidity_pct",), 1),
    ),
    "supervised": (
        Field("system_status", ("running",), None),
        Field("fault", ("fault",), None),
    ),
}


def compose(fields: tuple[Field, ...], read: Callable[[str], float]) -> tuple[dict[str, Any], list[str]]:
    """The message without its time stamp and the signals in it; one without a reading is left out."""
    message: dict[str, Any] = {}
    carried = []
    for field in fields:
        reading = read(field.signal)
        if not has_reading(reading):
            continue
        *parents, name = field.path
        node = message
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = field.written(reading)
        carried.append(field.signal)
    return message, carried
