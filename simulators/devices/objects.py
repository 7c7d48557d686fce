"""Object lists of the simulated BACnet controllers, as their EDE files would give them.

Instances are relative to the equipment's base. The unit is BACnet's own name of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Object:
    """One object whose present value is a signal. A multi-state object counts its states from 1."""

    signal: str
    type: str
    instance: int
    unit: str | None = None


_CELSIUS, _PERCENT, _PASCAL, _KPA = "degreesCelsius", "percent", "pascals", "kilopascals"
_M3H, _KW, _HOURS, _COUNT, _PPM = "cubicMetersPerHour", "kilowatts", "hours", "noUnits", "partsPerMillion"

_AIR = (
    Object("fan_status", "binary-input", 1),
    Object("fan_command", "binary-output", 1),
    Object("fan_speed", "analog-output", 1, _PERCENT),
    Object("schedule", "binary-value", 1),
    Object("supply_air_temperature", "analog-input", 1, _CELSIUS),
    Object("supply_air_temperature_setpoint", "analog-value", 1, _CELSIUS),
)

OBJECT_LISTS: Mapping[str, tuple[Object, ...]] = {
    "chiller": (
        Object("chiller_status", "binary-input", 1),
        Object("load_ratio", "analog-input", 1, _PERCENT),
        Object("active_power", "analog-input", 2, _KW),
        Object("chilled_water_supply_temperature", "analog-input", 3, _CELSIUS),
        Object("chilled_water_return_temperature", "analog-input", 4, _CELSIUS),
        Object("chilled_water_supply_temperature_setpoint", "analog-value", 1, _CELSIUS),
        Object("chilled_water_flow", "analog-input", 5, _M3H),
        Object("condenser_water_entering_temperature", "analog-input", 6, _CELSIUS),
        Object("condenser_water_leaving_temperature", "analog-input", 7, _CELSIUS),
        Object("condensing_temperature", "analog-input", 8, _CELSIUS),
        Object("evaporating_temperature", "analog-input", 9, _CELSIUS),
        Object("run_hours", "analog-value", 2, _HOURS),
        Object("start_count", "analog-value", 3, _COUNT),
        Object("fault", "binary-input", 2),
    ),
    "tower": (
        Object("fan_status", "binary-input", 1),
        Object("fan_speed", "analog-output", 1, _PERCENT),
        Object("condenser_water_supply_temperature", "analog-input", 1, _CELSIUS),
        Object("active_power", "analog-input", 2, _KW),
        Object("run_hours", "analog-value", 1, _HOURS),
    ),
    "pump": (
        Object("pump_status", "binary-input", 1),
        Object("pump_speed", "analog-output", 1, _PERCENT),
        Object("active_power", "analog-input", 1, _KW),
        Object("run_hours", "analog-value", 1, _HOURS),
        Object("fault", "binary-input", 2),
    ),
    "plant": (
        Object("chilled_water_supply_temperature", "analog-input", 1, _CELSIUS),
        Object("chilled_water_return_temperature", "analog-input", 2, _CELSIUS),
        Object("chilled_water_flow", "analog-input", 3, _M3H),
        Object("chilled_water_differential_pressure", "analog-input", 4, _KPA),
        Object("chilled_water_differential_pressure_setpoint", "analog-value", 1, _KPA),
    ),
    "oau": (
        *_AIR,
        Object("chilled_water_valve", "analog-output", 2, _PERCENT),
        Object("reheat_valve", "analog-output", 3, _PERCENT),
        Object("filter_pressure_drop", "analog-input", 2, _PASCAL),
        Object("supply_air_flow", "analog-input", 3, _M3H),
    ),
    "ahu": (
        *_AIR,
        Object("return_air_temperature", "analog-input", 2, _CELSIUS),
        Object("return_air_humidity", "analog-input", 3, _PERCENT),
        Object("mixed_air_temperature", "analog-input", 4, _CELSIUS),
        Object("chilled_water_valve", "analog-output", 2, _PERCENT),
        Object("reheat_valve", "analog-output", 3, _PERCENT),
        Object("outdoor_air_damper", "analog-output", 4, _PERCENT),
        Object("filter_pressure_drop", "analog-input", 5, _PASCAL),
        Object("duct_static_pressure", "analog-input", 6, _PASCAL),
        Object("duct_static_pressure_setpoint", "analog-value", 2, _PASCAL),
    ),
    "vav": (
        Object("zone_temperature", "analog-input", 1, _CELSIUS),
        Object("zone_temperature_setpoint", "analog-value", 1, _CELSIUS),
        Object("supply_air_flow", "analog-input", 2, _M3H),
        Object("supply_air_flow_setpoint", "analog-value", 2, _M3H),
        Object("damper_position", "analog-output", 1, _PERCENT),
    ),
    "fcu": (
        Object("zone_temperature", "analog-input", 1, _CELSIUS),
        Object("zone_temperature_setpoint", "analog-value", 1, _CELSIUS),
        Object("fan_status", "binary-input", 1),
        Object("fan_speed", "analog-output", 1, _PERCENT),
        Object("chilled_water_valve", "analog-output", 2, _PERCENT),
        Object("schedule", "binary-value", 1),
    ),
    "vrf": (
        Object("zone_temperature", "analog-input", 1, _CELSIUS),
        Object("zone_temperature_setpoint", "analog-value", 1, _CELSIUS),
        Object("cooling_status", "multi-state-input", 1),
        Object("active_power", "analog-input", 2, _KW),
        Object("fault", "binary-input", 1),
        Object("schedule", "binary-value", 1),
    ),
    "exhaust": (
        Object("fan_status", "binary-input", 1),
        Object("fan_command", "binary-output", 1),
        Object("fan_speed", "analog-output", 1, _PERCENT),
        Object("co_concentration", "analog-input", 1, _PPM),
        Object("active_power", "analog-input", 2, _KW),
    ),
}
