"""A site of one air handler whose schedule and set-point may be written, one meter, and the weather."""

from energy_center.domain.commands import WriteLimits
from energy_center.domain.quantities import Role
from energy_center.domain.site import Equipment, Point, Site, Space, SpaceKind, Text

SCHEDULE, SETPOINT = ("ahu", "schedule"), ("ahu", "supply_air_temperature_setpoint")
READ_ONLY = ("ahu", "supply_air_temperature")


def site_with_writable_point() -> Site:
    """Schedule 0 to 1 for four hours, set-point 14 to 22 Cel for one; the temperature is read-only."""
    points = (
        Point(*SCHEDULE, Role.SCHEDULE, 60.0, writable=WriteLimits(0.0, 1.0)),
        Point(
            *SETPOINT,
            Role.SUPPLY_AIR_TEMPERATURE_SETPOINT,
            60.0,
            writable=WriteLimits(14.0, 22.0, 10, 3600.0),
        ),
        Point(*READ_ONLY, Role.SUPPLY_AIR_TEMPERATURE, 60.0),
    )
    hall = Space("hall", None, SpaceKind.BUILDING, Text("市政大樓", "City Hall"))
    ahu = Equipment("ahu", "Air_Handler_Unit", Text("空調箱", "AHU"), "hall", device_id="ahu", points=points)
    register = Point("meter", "energy_import", Role.ENERGY_IMPORT, 60.0)
    meter = Equipment("meter", "Electrical_Meter", Text("電表", "Meter"), "hall", points=(register,))
    outdoor = Point("weather", "outdoor_air_temperature", Role.OUTDOOR_AIR_TEMPERATURE, 60.0)
    weather = Equipment("weather", "Weather_Station", Text("氣象站", "Weather"), "hall", points=(outdoor,))
    return Site("town", Text("市政府", "City"), "Asia/Taipei", (hall,), (ahu, meter, weather))
