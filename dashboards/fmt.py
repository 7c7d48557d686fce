"""How numbers, units and times look. Units are never translated; times are always the site's."""

from datetime import UTC, datetime, timedelta
from math import isnan
from zoneinfo import ZoneInfo

from energy_center.domain.quantities import Role
from energy_center.i18n.text import text, text_or

MISSING = "–"

UNITS = {
    "1": "",
    "kW.h": "kWh",
    "kvar.h": "kvarh",
    "Cel": "°C",
    "m3": "m³",
    "m3/h": "m³/h",
    "[ppm]": "ppm",
    "W/m2": "W/m²",
    "/min": "rpm",
    "[RT]": "RT",
    "NTD": "NT$",
    "By": "B",
    "kW/[RT]": "kW/RT",
}
BEFORE_THE_NUMBER = frozenset({"NT$"})

_DECIMALS = {
    "kW.h": 0, "kvar.h": 0, "Cel": 1, "%": 0, "[ppm]": 0, "NTD": 0, "V": 1, "A": 1, "Hz": 2, "m": 2, "m3": 1,
    "m3/h": 1, "Pa": 0, "kPa": 0, "h": 0, "min": 0, "/min": 0, "W/m2": 0, "mm": 1, "mm/h": 1, "m/s": 1,
    "hPa": 0, "kW/[RT]": 2, "ms": 1, "By": 0,
}  # fmt: skip
_DROP_DECIMALS_FROM = 1_000
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_POWERS = ("kW", "kvar", "kVA", "[RT]")

_STATE_GROUP: dict[Role, str] = {
    **dict.fromkeys(
        (Role.FAN_STATUS, Role.FAN_COMMAND, Role.COOLING_STATUS, Role.CHILLER_STATUS, Role.PUMP_STATUS),
        "running",
    ),
    **dict.fromkeys(
        (Role.FAULT, Role.HIGH_FLOAT, Role.LEAK_STATUS, Role.FIRE_ALARM, Role.PANEL_TROUBLE), "alarm"
    ),
    **dict.fromkeys((Role.ON_BATTERY, Role.OVERFLOW_STATE), "claim"),
    Role.MAINS_VALVE: "valve",
    Role.SYSTEM_STATUS: "system_status",
    Role.LINK_STATUS: "link",
    Role.SCHEDULE: "schedule",
    Role.ATS_POSITION: "ats_position",
    Role.INVERTER_STATE: "inverter_state",
    Role.ENGINE_STATE: "engine_state",
    Role.LIFT_STATUS: "lift_status",
    Role.CHARGER_STATE: "charger_state",
}
_COUNTS = frozenset({Role.START_COUNT, Role.TRIP_COUNT, Role.TRANSMISSION_ERRORS, Role.LIFT_FLOOR})


def unit(ucum: str) -> str:
    """A UCUM code as people write it."""
    return UNITS.get(ucum, ucum)


def number(value: float | None, ucum: str) -> str:
    """A value with its unit's decimals and thousands separated; absence is a dash, never 0."""
    if value is None or isnan(value):
        return MISSING
    in_thousands = abs(value) >= _DROP_DECIMALS_FROM
    decimals = int(not in_thousands) if ucum in _POWERS else _DECIMALS.get(ucum, 2)
    shown = f"{value:,.{decimals}f}"
    return shown[1:] if shown.startswith("-") and not shown.strip("-0.,") else shown


def point_value(value: float | None, role: Role, ucum: str, language: str) -> str:
    """A point's value: a state as a word, a count as a whole number, else a number."""
    if value is None:
        return MISSING
    group = _STATE_GROUP.get(role)
    if group is not None:
        return text_or(f"state_value.{group}.{value:.0f}", language, f"{value:.0f}")
    if role in _COUNTS:
        return f"{value:,.0f}"
    return number(value, ucum)


def actor(name: str, language: str) -> str:
    """Who did something: a person by name, a part of the system in words."""
    part = name.removeprefix("system:")
    return name if part == name else text_or(f"actor.{part.replace('-', '_')}", language, part)


def is_count(role: Role) -> bool:
    """Whether the role counts things, so that decimals make no sense."""
    return role in _COUNTS


def state_group(role: Role) -> str:
    """The group of words for the role's states, empty for a number."""
    return _STATE_GROUP.get(role, "")


def is_state(role: Role) -> bool:
    """Whether the role's values are shown as words."""
    return role in _STATE_GROUP


def span(seconds: float, language: str) -> str:
    """A length of time in its largest fitting unit."""
    whole = max(0, int(seconds))
    if whole < _MINUTE_S:
        return text("age.seconds", language, n=whole)
    if whole < _HOUR_S:
        return text("age.minutes", language, n=whole // _MINUTE_S)
    if whole < 2 * _DAY_S:
        return text("age.hours", language, n=whole // _HOUR_S)
    return text("age.days", language, n=whole // _DAY_S)


def ago(at: datetime, now: datetime, language: str) -> str:
    """How long before `now`, in words."""
    return text("age.ago", language, age=span((now - at).total_seconds(), language))


def clock(at: datetime, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """Time of day at the site, 24 hours."""
    return at.astimezone(zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def moment(at: datetime, zone: ZoneInfo, language: str, now: datetime | None = None) -> str:
    """Date and time at the site; the date is left out for today's."""
    local = at.astimezone(zone)
    if now is not None and local.date() == now.astimezone(zone).date():
        return local.strftime("%H:%M:%S")
    pattern = "%Y-%m-%d %H:%M" if language == "en" else "%Y/%m/%d %H:%M"
    return local.strftime(pattern)


def epoch_ms(at: datetime | None) -> int | None:
    """Milliseconds since 1970 for the browser."""
    return None if at is None else round((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
