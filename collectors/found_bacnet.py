"""What discovery found on BACnet, and the YAML that an engineer goes on from. Pure.

A role is written only where the object's own name is the role's and its unit fits; everything else stands as
a comment with what could be meant, since a profile is never guessed.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from energy_center.domain.quantities import QUANTITIES, Kind, Role
from energy_center.domain.units import UnitMismatch, conversion, same_dimension

PORT = 47808
# BACnetEngineeringUnits (135-2020, 21) as the standard spells them, where the quantity is one of ours
UNITS = {
    "degrees-celsius": "Cel",
    "degrees-fahrenheit": "[degF]",
    "degrees-kelvin": "K",
    "percent": "%",
    "percent-relative-humidity": "%",
    "per-mille": "[ppth]",
    "parts-per-million": "[ppm]",
    "parts-per-billion": "[ppb]",
    "pascals": "Pa",
    "hectopascals": "hPa",
    "kilopascals": "kPa",
    "millibars": "mbar",
    "bars": "bar",
    "pounds-force-per-square-inch": "[psi]",
    "inches-of-water": "[in_i'H2O]",
    "millimeters-of-water": "mm[H2O]",
    "watts": "W",
    "kilowatts": "kW",
    "megawatts": "MW",
    "horsepower": "[HP]",
    "watt-hours": "W.h",
    "kilowatt-hours": "kW.h",
    "megawatt-hours": "MW.h",
    "volt-amperes": "VA",
    "kilovolt-amperes": "kVA",
    "volt-amperes-reactive": "var",
    "kilovolt-amperes-reactive": "kvar",
    "kilovolt-ampere-hours-reactive": "kvar.h",
    "volts": "V",
    "millivolts": "mV",
    "kilovolts": "kV",
    "amperes": "A",
    "milliamperes": "mA",
    "hertz": "Hz",
    "revolutions-per-minute": "/min",
    "power-factor": "1",
    "cubic-meters": "m3",
    "liters": "L",
    "us-gallons": "[gal_us]",
    "cubic-feet": "[cft_i]",
    "cubic-meters-per-hour": "m3/h",
    "cubic-meters-per-minute": "m3/min",
    "cubic-meters-per-second": "m3/s",
    "liters-per-hour": "L/h",
    "liters-per-minute": "L/min",
    "liters-per-second": "L/s",
    "us-gallons-per-minute": "[gal_us]/min",
    "cubic-feet-per-minute": "[cft_i]/min",
    "meters": "m",
    "centimeters": "cm",
    "millimeters": "mm",
    "feet": "[ft_i]",
    "meters-per-second": "m/s",
    "kilometers-per-hour": "km/h",
    "watts-per-square-meter": "W/m2",
    "seconds": "s",
    "minutes": "min",
    "hours": "h",
    "days": "d",
    "no-units": "1",
}
# the object types that a profile's point may name
_POINTS = re.compile(
    r"^(analog|binary|multi-state)-(input|output|value)$"
    r"|^(accumulator|integer-value|large-analog-value|positive-integer-value|schedule|loop)$"
)
_MOST_CANDIDATES = 8


@dataclass(frozen=True, slots=True)
class FoundObject:
    """One object of a device; `unit` as BACnet names it, `value` as read, None where it has none."""

    type: str
    instance: int
    name: str = ""
    description: str = ""
    unit: str = ""
    value: float | str | None = None
    flags: tuple[str, ...] = ()
    states: tuple[str, ...] = ()  # texts, of a multi-state object counted from 1, of a binary one from 0
    weekly: tuple[str, ...] = ()  # a schedule's days

    @property
    def is_point(self) -> bool:
        """Whether a profile can name it."""
        return _POINTS.match(self.type) is not None

    @property
    def shown(self) -> str:
        """Value, or state's text, with its unit."""
        if self.value is None:
            return ""
        text = f"{self.value:g}" if isinstance(self.value, float) else self.value
        place = _state_place(self)
        if place is not None:
            return f"{text} {self.states[place]}"
        return f"{text} {UNITS.get(self.unit, self.unit)}".removesuffix(" 1").strip()


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """One device, and where its requests go; behind a router these are the router's host and port."""

    instance: int
    host: str
    port: int = PORT
    network: int | None = None
    station: str | None = None
    max_apdu: int = 0
    segmentation: str = ""
    vendor: str = ""
    name: str = ""
    model: str = ""
    firmware: str = ""
    description: str = ""
    location: str = ""
    objects: tuple[FoundObject, ...] = ()
    incomplete: str = ""

    @property
    def place(self) -> str:
        """`host:port`, and network and station behind it."""
        behind = "" if self.network is None else f" network {self.network} station {self.station}"
        return f"{self.host}:{self.port}{behind}"


def _state_place(found: FoundObject) -> int | None:
    if not found.states or not isinstance(found.value, float):
        return None
    place = int(found.value) - (1 if found.type.startswith("multi-state") else 0)
    return place if 0 <= place < len(found.states) else None


def role_of(found: FoundObject) -> Role | None:
    """The role that an object's name is, where its unit does not contradict; None for anything less certain.

    What the states of a multi-state object mean is the engineer's to say.
    """
    if found.type.startswith("multi-state"):
        return None
    last = re.split(r"[./:'\\]", found.name.strip())[-1]
    try:
        role = Role(re.sub(r"[\s\-]+", "_", last.strip()).lower())
    except ValueError:
        return None
    quantity = QUANTITIES[role]
    if (quantity.kind is Kind.STATE) != (not found.type.startswith(("analog", "large", "accumulator"))):
        return None
    return role if quantity.kind is Kind.STATE or _fits(found.unit, quantity.unit) else None


def _fits(unit: str, wanted: str) -> bool:
    code = UNITS.get(unit)
    if code is None:
        return False
    try:
        conversion(code, wanted)
    except UnitMismatch:
        return False
    return True


def candidates_of(found: FoundObject) -> tuple[Role, ...]:
    """Roles of the object's dimension, or the states for an object that has no unit."""
    code = UNITS.get(found.unit)
    if found.type.startswith(("binary", "multi-state", "schedule")):
        return tuple(r for r, q in QUANTITIES.items() if q.kind is Kind.STATE)
    if code is None or code == "1":
        return ()
    fitting = same_dimension(code)
    return tuple(r for r, q in QUANTITIES.items() if q.kind is not Kind.STATE and q.unit in fitting)


def as_profile(device: FoundDevice) -> str:
    """A device profile: certain points as they are, all others as comments to choose from."""
    lines = [
        f"# Found by `energy-center probe` in device {device.instance} at {device.place}.",
        "# Lines that begin with # wait for their role: only a name that is a role is taken over by itself.",
        f"maker: {_quoted(device.vendor or 'unknown')}",
        f"model: {_quoted(device.model or 'unknown')}",
        "protocol: bacnet",
        f"source: {{document: {_quoted('object list read from the device')}, "
        f"part: {_quoted(f'firmware {device.firmware}' if device.firmware else 'firmware unknown')}}}",
        "interval: 60s",
    ]
    if device.incomplete:
        lines.insert(1, f"# Incomplete: {device.incomplete}.")
    taken: set[Role] = set()
    points = []
    for found in device.objects:
        role = role_of(found) if found.is_point else None
        if role in taken:
            role = None  # the second of the same name needs a name of its own
        if role is not None:
            taken.add(role)
        points += _point(found, role)
    return "\n".join([*lines, "points:" if taken else "points: []  # choose at least one", *points]) + "\n"


def _point(found: FoundObject, role: Role | None) -> list[str]:
    told = "  # " + " ".join(
        w for w in (_plain(found.name), _plain(found.description), found.shown, *found.flags) if w
    )
    place = f"{found.type},{found.instance}"
    if not found.is_point:
        return [f"  # not readable as a point: {place}{told}"]
    unit = UNITS.get(found.unit, "1")
    said = [f"role: {role}" if role else "role: ?", f'object: "{place}"']
    said += [f"unit: {_quoted(unit)}"] if unit != "1" else []
    said += ["cov: true"] if found.type.startswith(("binary", "multi-state", "schedule")) else []
    if found.type.startswith("multi-state"):
        said.append("enum: ?")
        texts = " / ".join(f"{n} {_plain(text)}" for n, text in enumerate(found.states, 1))
        told += f"; says {texts}" if texts else ""
    line = "{" + ", ".join(said) + "}"
    if role is not None:
        return [f"  - {line}{told}"]
    could = candidates_of(found)
    unknown = f"; unit {found.unit} is none of ours" if found.unit and found.unit not in UNITS else ""
    named = f"; {', '.join(could)}" if 0 < len(could) <= _MOST_CANDIDATES else ""
    return [f"  # - {line}{told}{named}{unknown}"]


def as_site(devices: Iterable[FoundDevice]) -> str:
    """Connections and equipment of a site file; space and profile are the engineer's to say."""
    connections, equipment = ["connections:"], ["equipment:"]
    for device in devices:
        name = f"bacnet-{device.instance}"
        said = [f"host: {device.host}"]
        said += [f"port: {device.port}"] if device.port != PORT else []
        if device.network is not None:
            said += [f"network: {device.network}", f"station: {_quoted(device.station or '')}"]
        said.append(f"device: {device.instance}")
        label = " ".join(w for w in (_plain(device.vendor), _plain(device.model), _plain(device.name)) if w)
        connections += [f"  - id: {name}  # {label}", f"    bacnet-ip: {{{', '.join(said)}}}"]
        shown = _quoted(device.name or name)
        equipment.append(
            f"  # - {{id: {name}, name: {{zh-TW: {shown}, en: {shown}}}, "
            f"space: ?, connection: {name}, profile: ?}}"
        )
    return "\n".join([*connections, *equipment]) + "\n"


def _quoted(text: str) -> str:
    """A YAML scalar: JSON is YAML."""
    return json.dumps(_plain(text), ensure_ascii=False)


def _plain(text: str) -> str:
    """One line of printable characters, as a comment must be: names come from devices."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def device_row(device: FoundDevice) -> dict[str, object]:
    """A device as it is printed and as JSON holds it, without its objects."""
    behind = {} if device.network is None else {"network": device.network, "station": device.station}
    return {
        "device": device.instance,
        "host": device.host,
        "port": device.port,
        **behind,
        "vendor": _plain(device.vendor),
        "model": _plain(device.model),
        "firmware": _plain(device.firmware),
        "name": _plain(device.name),
        "description": _plain(device.description),
        "location": _plain(device.location),
        "max_apdu": device.max_apdu,
        "segmentation": device.segmentation,
        "incomplete": device.incomplete,
    }


def object_row(found: FoundObject) -> dict[str, object]:
    """An object as JSON holds it."""
    return {
        "object": f"{found.type},{found.instance}",
        "name": _plain(found.name),
        "description": _plain(found.description),
        "unit": found.unit,
        "value": found.value,
        "flags": list(found.flags),
        "states": list(found.states),
        "weekly": list(found.weekly),
        "role": role_of(found) if found.is_point else None,
    }


def as_table(objects: Sequence[FoundObject]) -> list[str]:
    """Columns as wide as they need to be."""
    cells = [("object", "name", "value", "flags", "description")]
    for found in objects:
        place = f"{found.type},{found.instance}"
        cells.append(
            (place, _plain(found.name), found.shown, " ".join(found.flags), _plain(found.description))
        )
    widths = [max(len(row[i]) for row in cells) for i in range(5)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    weekly = [f"{f.type},{f.instance} {day}" for f in objects for day in f.weekly]
    return [*lines, *weekly]
