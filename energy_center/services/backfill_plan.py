"""What the demo's simulated past consists of: which points, how far back, in which order, and its size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from energy_center.domain.quantities import Role
from energy_center.domain.site import Equipment, Point, Site
from energy_center.domain.timeline import local_date, midnight

YEAR_STEP_S: Final = 900
REST_STEP_S: Final = 300
REST_DAYS: Final = 3
MONTHS: Final = 13
RECENT_DAYS: Final = 31
BYTES_A_ROW: Final = (
    250  # roll-ups with indexes 171, raw readings until the end 75; PostgreSQL 18, 2026-11-24
)
SPARE_BYTES: Final = 500_000_000  # write-ahead log, and room for the live readings

_METER = frozenset({Role.ACTIVE_POWER, Role.ENERGY_IMPORT})
_CHILLER = frozenset(
    {
        Role.CHILLER_STATUS,
        Role.LOAD_RATIO,
        Role.ACTIVE_POWER,
        Role.CHILLED_WATER_SUPPLY_TEMPERATURE,
        Role.CHILLED_WATER_RETURN_TEMPERATURE,
        Role.CHILLED_WATER_FLOW,
        Role.CONDENSER_WATER_ENTERING_TEMPERATURE,
        Role.CONDENSER_WATER_LEAVING_TEMPERATURE,
    }
)

# Brick class -> roles whose past of 13 months people look at; all other points get the newest days only.
LONG_PAST: Final[Mapping[str, frozenset[Role]]] = {
    "Building_Electrical_Meter": _METER
    | {Role.ENERGY_EXPORT, Role.REACTIVE_ENERGY_IMPORT, Role.POWER_FACTOR},
    "Electrical_Meter": _METER,
    "Centrifugal_Chiller": _CHILLER,
    "Chilled_Water_System": frozenset(
        {
            Role.CHILLED_WATER_SUPPLY_TEMPERATURE,
            Role.CHILLED_WATER_RETURN_TEMPERATURE,
            Role.CHILLED_WATER_FLOW,
            Role.CHILLED_WATER_DIFFERENTIAL_PRESSURE,
        }
    ),
    "Inverter": frozenset({Role.ACTIVE_POWER, Role.ENERGY_EXPORT}),
    "Weather_Station": frozenset(
        {
            Role.OUTDOOR_AIR_TEMPERATURE,
            Role.OUTDOOR_AIR_HUMIDITY,
            Role.SOLAR_IRRADIANCE,
            Role.RAIN_RATE,
            Role.RAIN_DEPTH,
            Role.WIND_SPEED,
        }
    ),
    "Rainwater_Tank": frozenset(
        {
            Role.TANK_LEVEL,
            Role.TANK_INLET_VOLUME,
            Role.TANK_OUTLET_VOLUME,
            Role.IRRIGATION_VOLUME,
            Role.MAINS_VOLUME,
        }
    ),
    "Building_Water_Meter": frozenset({Role.WATER_VOLUME, Role.WATER_FLOW}),
    "Building_Gas_Meter": frozenset({Role.GAS_VOLUME}),
    "Sump": frozenset({Role.SUMP_LEVEL}),
    "Groundwater_Gauge": frozenset({Role.GROUNDWATER_LEVEL}),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One run of the simulator: these points over [start, end), a reading each `step_s` seconds."""

    name: str
    points: tuple[Point, ...]
    start: datetime
    end: datetime
    step_s: int

    @property
    def rows(self) -> int:
        """Readings that it will bring."""
        return len(self.points) * round((self.end - self.start).total_seconds() / self.step_s)


def has_long_past(equipment: Equipment, point: Point) -> bool:
    """Whether the point's past of 13 months is made."""
    return point.role in LONG_PAST.get(equipment.brick_class, frozenset())


def plan_parts(site: Site, end: datetime, months: int = MONTHS) -> tuple[Part, ...]:
    """The parts in the order of their use: the newest month, the newest days of the rest, the year before."""
    zone = ZoneInfo(site.time_zone)
    long_past = tuple(p for e in site.equipment for p in e.points if has_long_past(e, p))
    rest = tuple(p for e in site.equipment for p in e.points if not has_long_past(e, p))
    today = local_date(end, zone)
    recent = midnight(_first_of_month(today - timedelta(days=RECENT_DAYS), 0), zone)
    first = midnight(_first_of_month(today, months), zone)
    parts = (
        Part("recent", long_past, recent, end, YEAR_STEP_S),
        Part("rest", rest, end - timedelta(days=REST_DAYS), end, REST_STEP_S),
        Part("year", long_past, first, recent, YEAR_STEP_S),
    )
    return tuple(part for part in parts if part.points and part.start < part.end)


def _first_of_month(on: date, months_before: int) -> date:
    index = 12 * on.year + on.month - 1 - months_before
    return date(index // 12, index % 12 + 1, 1)


def bytes_needed(parts: Sequence[Part], rows_done: int) -> int:
    """Disk space that the rest of the history will take."""
    return max(sum(part.rows for part in parts) - rows_done, 0) * BYTES_A_ROW + SPARE_BYTES
