"""The closed list of roles: what a point measures, its unit, kind and plausible range.

Names follow Brick's point classes in snake case, IEC names for meter quantities. Units are UCUM codes.
Signs: flow into the site or load is positive. A role is added here and nowhere else.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a series behaves: a level, an ever-rising register, or a discrete state."""

    GAUGE = "gauge"
    COUNTER = "counter"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Quantity:
    """Unit, kind and plausible range of a role; a value outside the range is flagged, never dropped."""

    unit: str
    kind: Kind
    low: float
    high: float


class Role(StrEnum):
    """What a point measures."""

    # electrical
    VOLTAGE_L1N = "voltage_l1n"
    VOLTAGE_L2N = "voltage_l2n"
    VOLTAGE_L3N = "voltage_l3n"
    CURRENT_L1 = "current_l1"
    CURRENT_L2 = "current_l2"
    CURRENT_L3 = "current_l3"
    ACTIVE_POWER = "active_power"
    REACTIVE_POWER = "reactive_power"
    APPARENT_POWER = "apparent_power"
    POWER_FACTOR = "power_factor"
    FREQUENCY = "frequency"
    ENERGY_IMPORT = "energy_import"
    ENERGY_EXPORT = "energy_export"
    REACTIVE_ENERGY_IMPORT = "reactive_energy_import"
    WINDING_TEMPERATURE = "winding_temperature"
    DC_VOLTAGE = "dc_voltage"
    DC_POWER = "dc_power"
    CABINET_TEMPERATURE = "cabinet_temperature"
    INVERTER_STATE = "inverter_state"
    # air side
    FAN_STATUS = "fan_status"
    FAN_COMMAND = "fan_command"
    FAN_SPEED = "fan_speed"
    SCHEDULE = "schedule"
    SUPPLY_AIR_TEMPERATURE = "supply_air_temperature"
    SUPPLY_AIR_TEMPERATURE_SETPOINT = "supply_air_temperature_setpoint"
    RETURN_AIR_TEMPERATURE = "return_air_temperature"
    RETURN_AIR_HUMIDITY = "return_air_humidity"
    MIXED_AIR_TEMPERATURE = "mixed_air_temperature"
    CHILLED_WATER_VALVE = "chilled_water_valve"
    REHEAT_VALVE = "reheat_valve"
    OUTDOOR_AIR_DAMPER = "outdoor_air_damper"
    FILTER_PRESSURE_DROP = "filter_pressure_drop"
    DUCT_STATIC_PRESSURE = "duct_static_pressure"
    DUCT_STATIC_PRESSURE_SETPOINT = "duct_static_pressure_setpoint"
    SUPPLY_AIR_FLOW = "supply_air_flow"
    SUPPLY_AIR_FLOW_SETPOINT = "supply_air_flow_setpoint"
    DAMPER_POSITION = "damper_position"
    ZONE_TEMPERATURE = "zone_temperature"
    ZONE_TEMPERATURE_SETPOINT = "zone_temperature_setpoint"
    ZONE_HUMIDITY = "zone_humidity"
    ZONE_CO2 = "zone_co2"
    CO_CONCENTRATION = "co_concentration"
    COOLING_STATUS = "cooling_status"
    # chilled-water plant
    CHILLER_STATUS = "chiller_status"
    LOAD_RATIO = "load_ratio"
    CHILLED_WATER_SUPPLY_TEMPERATURE = "chilled_water_supply_temperature"
    CHILLED_WATER_RETURN_TEMPERATURE = "chilled_water_return_temperature"
    CHILLED_WATER_SUPPLY_TEMPERATURE_SETPOINT = "chilled_water_supply_temperature_setpoint"
    CHILLED_WATER_FLOW = "chilled_water_flow"
    CHILLED_WATER_DIFFERENTIAL_PRESSURE = "chilled_water_differential_pressure"
    CHILLED_WATER_DIFFERENTIAL_PRESSURE_SETPOINT = "chilled_water_differential_pressure_setpoint"
    CONDENSER_WATER_ENTERING_TEMPERATURE = "condenser_water_entering_temperature"
    CONDENSER_WATER_LEAVING_TEMPERATURE = "condenser_water_leaving_temperature"
    CONDENSER_WATER_SUPPLY_TEMPERATURE = "condenser_water_supply_temperature"
    CONDENSING_TEMPERATURE = "condensing_temperature"
    EVAPORATING_TEMPERATURE = "evaporating_temperature"
    RUN_HOURS = "run_hours"
    START_COUNT = "start_count"
    PUMP_STATUS = "pump_status"
    PUMP_SPEED = "pump_speed"
    FAULT = "fault"
    # water and drainage
    SUMP_LEVEL = "sump_level"
    HIGH_FLOAT = "high_float"
    LEAK_STATUS = "leak_status"
    GROUNDWATER_LEVEL = "groundwater_level"
    DRAINAGE_LEVEL = "drainage_level"
    WATER_VOLUME = "water_volume"
    WATER_FLOW = "water_flow"
    THERMAL_ENERGY = "thermal_energy"
    THERMAL_POWER = "thermal_power"
    GAS_VOLUME = "gas_volume"
    TANK_LEVEL = "tank_level"
    TANK_INLET_VOLUME = "tank_inlet_volume"
    TANK_OUTLET_VOLUME = "tank_outlet_volume"
    IRRIGATION_VOLUME = "irrigation_volume"
    MAINS_VOLUME = "mains_volume"
    MAINS_VALVE = "mains_valve"
    OVERFLOW_STATE = "overflow_state"
    # generator, UPS, lifts
    ENGINE_STATE = "engine_state"
    ENGINE_SPEED = "engine_speed"
    FUEL_LEVEL = "fuel_level"
    BATTERY_VOLTAGE = "battery_voltage"
    COOLANT_TEMPERATURE = "coolant_temperature"
    ATS_POSITION = "ats_position"
    BATTERY_CHARGE = "battery_charge"
    ON_BATTERY = "on_battery"
    RUNTIME_REMAINING = "runtime_remaining"
    BATTERY_TEMPERATURE = "battery_temperature"
    LIFT_STATUS = "lift_status"
    LIFT_FLOOR = "lift_floor"
    TRIP_COUNT = "trip_count"
    CHARGER_STATE = "charger_state"
    # safety and supervised systems
    FIRE_MAIN_PRESSURE = "fire_main_pressure"
    FIRE_ALARM = "fire_alarm"
    PANEL_TROUBLE = "panel_trouble"
    SYSTEM_STATUS = "system_status"
    ROUND_TRIP_TIME = "round_trip_time"
    LINK_STATUS = "link_status"
    DATA_RECEIVED = "data_received"
    DATA_SENT = "data_sent"
    TRANSMISSION_ERRORS = "transmission_errors"
    # weather
    OUTDOOR_AIR_TEMPERATURE = "outdoor_air_temperature"
    OUTDOOR_AIR_HUMIDITY = "outdoor_air_humidity"
    SOLAR_IRRADIANCE = "solar_irradiance"
    RAIN_RATE = "rain_rate"
    RAIN_DEPTH = "rain_depth"
    WIND_SPEED = "wind_speed"
    WIND_GUST = "wind_gust"
    AIR_PRESSURE = "air_pressure"


_G, _C, _S = Kind.GAUGE, Kind.COUNTER, Kind.STATE
_BIG = 1e12  # counters are bounded by their register, not by plausibility

QUANTITIES: dict[Role, Quantity] = {
    **{r: Quantity("V", _G, 0, 30_000) for r in (Role.VOLTAGE_L1N, Role.VOLTAGE_L2N, Role.VOLTAGE_L3N)},
    **{r: Quantity("A", _G, 0, 6_000) for r in (Role.CURRENT_L1, Role.CURRENT_L2, Role.CURRENT_L3)},
    Role.ACTIVE_POWER: Quantity("kW", _G, -5_000, 10_000),
    Role.REACTIVE_POWER: Quantity("kvar", _G, -5_000, 10_000),
    Role.APPARENT_POWER: Quantity("kVA", _G, 0, 10_000),
    Role.POWER_FACTOR: Quantity("1", _G, -1, 1),
    Role.FREQUENCY: Quantity("Hz", _G, 0, 65),
    Role.ENERGY_IMPORT: Quantity("kW.h", _C, 0, _BIG),
    Role.ENERGY_EXPORT: Quantity("kW.h", _C, 0, _BIG),
    Role.REACTIVE_ENERGY_IMPORT: Quantity("kvar.h", _C, 0, _BIG),
    Role.WINDING_TEMPERATURE: Quantity("Cel", _G, -10, 200),
    Role.DC_VOLTAGE: Quantity("V", _G, 0, 1_500),
    Role.DC_POWER: Quantity("kW", _G, 0, 5_000),
    Role.CABINET_TEMPERATURE: Quantity("Cel", _G, -20, 120),
    Role.INVERTER_STATE: Quantity("1", _S, 0, 20),
    Role.FAN_STATUS: Quantity("1", _S, 0, 1),
    Role.FAN_COMMAND: Quantity("1", _S, 0, 1),
    Role.FAN_SPEED: Quantity("%", _G, 0, 100),
    Role.SCHEDULE: Quantity("1", _S, 0, 1),
    **{
        r: Quantity("Cel", _G, -10, 80)
        for r in (
            Role.SUPPLY_AIR_TEMPERATURE,
            Role.SUPPLY_AIR_TEMPERATURE_SETPOINT,
            Role.RETURN_AIR_TEMPERATURE,
            Role.MIXED_AIR_TEMPERATURE,
            Role.ZONE_TEMPERATURE,
            Role.ZONE_TEMPERATURE_SETPOINT,
            Role.OUTDOOR_AIR_TEMPERATURE,
        )
    },
    **{
        r: Quantity("%", _G, 0, 100)
        for r in (
            Role.RETURN_AIR_HUMIDITY,
            Role.ZONE_HUMIDITY,
            Role.OUTDOOR_AIR_HUMIDITY,
            Role.CHILLED_WATER_VALVE,
            Role.REHEAT_VALVE,
            Role.OUTDOOR_AIR_DAMPER,
            Role.DAMPER_POSITION,
            Role.PUMP_SPEED,
            Role.LOAD_RATIO,
            Role.TANK_LEVEL,
            Role.FUEL_LEVEL,
            Role.BATTERY_CHARGE,
        )
    },
    Role.FILTER_PRESSURE_DROP: Quantity("Pa", _G, 0, 2_000),
    Role.DUCT_STATIC_PRESSURE: Quantity("Pa", _G, -500, 2_500),
    Role.DUCT_STATIC_PRESSURE_SETPOINT: Quantity("Pa", _G, 0, 2_500),
    Role.SUPPLY_AIR_FLOW: Quantity("m3/h", _G, 0, 200_000),
    Role.SUPPLY_AIR_FLOW_SETPOINT: Quantity("m3/h", _G, 0, 200_000),
    Role.ZONE_CO2: Quantity("[ppm]", _G, 300, 5_000),
    Role.CO_CONCENTRATION: Quantity("[ppm]", _G, 0, 500),
    **{
        r: Quantity("Cel", _G, -20, 90)
        for r in (
            Role.CHILLED_WATER_SUPPLY_TEMPERATURE,
            Role.CHILLED_WATER_RETURN_TEMPERATURE,
            Role.CHILLED_WATER_SUPPLY_TEMPERATURE_SETPOINT,
            Role.CONDENSER_WATER_ENTERING_TEMPERATURE,
            Role.CONDENSER_WATER_LEAVING_TEMPERATURE,
            Role.CONDENSER_WATER_SUPPLY_TEMPERATURE,
            Role.CONDENSING_TEMPERATURE,
            Role.EVAPORATING_TEMPERATURE,
        )
    },
    Role.CHILLED_WATER_FLOW: Quantity("m3/h", _G, 0, 5_000),
    Role.CHILLED_WATER_DIFFERENTIAL_PRESSURE: Quantity("kPa", _G, 0, 1_000),
    Role.CHILLED_WATER_DIFFERENTIAL_PRESSURE_SETPOINT: Quantity("kPa", _G, 0, 1_000),
    Role.RUN_HOURS: Quantity("h", _C, 0, _BIG),
    Role.START_COUNT: Quantity("1", _C, 0, _BIG),
    Role.TRIP_COUNT: Quantity("1", _C, 0, _BIG),
    **{
        r: Quantity("1", _S, 0, 1)
        for r in (
            Role.COOLING_STATUS,
            Role.CHILLER_STATUS,
            Role.PUMP_STATUS,
            Role.FAULT,
            Role.HIGH_FLOAT,
            Role.LEAK_STATUS,
            Role.MAINS_VALVE,
            Role.OVERFLOW_STATE,
            Role.ON_BATTERY,
            Role.FIRE_ALARM,
            Role.PANEL_TROUBLE,
            Role.SYSTEM_STATUS,
            Role.LINK_STATUS,
        )
    },
    Role.SUMP_LEVEL: Quantity("m", _G, 0, 10),
    Role.GROUNDWATER_LEVEL: Quantity("m", _G, -30, 5),
    Role.DRAINAGE_LEVEL: Quantity("m", _G, 0, 10),
    **{
        r: Quantity("m3", _C, 0, _BIG)
        for r in (
            Role.WATER_VOLUME,
            Role.GAS_VOLUME,
            Role.TANK_INLET_VOLUME,
            Role.TANK_OUTLET_VOLUME,
            Role.IRRIGATION_VOLUME,
            Role.MAINS_VOLUME,
        )
    },
    Role.WATER_FLOW: Quantity("m3/h", _G, 0, 500),
    Role.THERMAL_ENERGY: Quantity("kW.h", _C, 0, _BIG),
    Role.THERMAL_POWER: Quantity("kW", _G, -20_000, 20_000),
    Role.ENGINE_STATE: Quantity("1", _S, 0, 15),
    Role.ENGINE_SPEED: Quantity("/min", _G, 0, 4_000),
    Role.BATTERY_VOLTAGE: Quantity("V", _G, 0, 60),
    Role.COOLANT_TEMPERATURE: Quantity("Cel", _G, -30, 150),
    Role.ATS_POSITION: Quantity("1", _S, 0, 2),
    Role.RUNTIME_REMAINING: Quantity("min", _G, 0, 10_000),
    Role.BATTERY_TEMPERATURE: Quantity("Cel", _G, -20, 80),
    Role.ROUND_TRIP_TIME: Quantity("ms", _G, 0, 60_000),
    Role.DATA_RECEIVED: Quantity("By", _C, 0, _BIG * 1e6),
    Role.DATA_SENT: Quantity("By", _C, 0, _BIG * 1e6),
    Role.TRANSMISSION_ERRORS: Quantity("1", _C, 0, _BIG),
    Role.LIFT_STATUS: Quantity("1", _S, 0, 5),
    Role.LIFT_FLOOR: Quantity("1", _S, -10, 120),
    Role.CHARGER_STATE: Quantity("1", _S, 0, 10),
    Role.FIRE_MAIN_PRESSURE: Quantity("kPa", _G, 0, 2_500),
    Role.SOLAR_IRRADIANCE: Quantity("W/m2", _G, 0, 1_500),
    Role.RAIN_RATE: Quantity("mm/h", _G, 0, 400),
    Role.RAIN_DEPTH: Quantity("mm", _C, 0, _BIG),
    Role.WIND_SPEED: Quantity("m/s", _G, 0, 90),
    Role.WIND_GUST: Quantity("m/s", _G, 0, 110),
    Role.AIR_PRESSURE: Quantity("hPa", _G, 850, 1_100),
}
